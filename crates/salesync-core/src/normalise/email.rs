//! E-mail addresses: one spelling per mailbox, and what the mailbox is good for.

use std::borrow::Cow;

use super::domain::{self, DomainClass};
use super::mail_words::{PLACEHOLDER_LOCALS, ROLE_WORDS, SYSTEM_WORDS};

/// What a mailbox is good for when people are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EmailClass {
    /// A person's own, at a free-mail provider.
    Free,
    /// A person's own, at an organisation's domain.
    Work,
    /// A function's: `info@`, `sales@`, `support@`.
    Role,
    /// Typed to fill a field.
    Placeholder,
    /// A machine's: no-reply, notifications, bounces.
    System,
}

/// An e-mail address in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NormalEmail {
    /// `local@domain`.
    pub address: String,
    /// The mailbox without plus tag, and without dots where the provider ignores them.
    pub local: String,
    /// The whole domain, in lower-case ASCII.
    pub domain: String,
    /// What the mailbox is good for.
    pub class: EmailClass,
}

/// Normalises an e-mail address, also one in `Name <a@b>`, `mailto:` or with stray punctuation around it.
/// Nothing comes back for what cannot be an address.
pub fn normalise(raw: &str) -> Option<NormalEmail> {
    normalise_with(raw, |host| domain::normalise(host).map(|named| named.class))
}

/// Normalises an address as [`normalise`] does. `class_of` says whose a host name in ASCII is, `None` for what is no
/// domain.
pub(crate) fn normalise_with(
    raw: &str,
    class_of: impl FnOnce(&str) -> Option<DomainClass>,
) -> Option<NormalEmail> {
    let address = bare(raw)?;
    let (local, host) = address.rsplit_once('@')?;
    let host = host.trim_end_matches('.');
    let host = if host.is_ascii() {
        Cow::Borrowed(host)
    } else {
        Cow::Owned(idna::domain_to_ascii(host).ok()?)
    };
    let domain_class = class_of(&host)?;
    let good =
        |character: char| character.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(character);
    if local.is_empty() || local.len() > 64 || !local.chars().all(good) || local.starts_with('.') {
        return None;
    }
    let local = local
        .split('+')
        .next()
        .filter(|head| !head.is_empty())
        .unwrap_or(local);
    let google = matches!(host.as_ref(), "gmail.com" | "googlemail.com");
    let (local, domain) = if google {
        (local.replace('.', ""), "gmail.com".to_owned())
    } else {
        (local.to_owned(), host.into_owned())
    };
    let class = classify(&local, domain_class);
    Some(NormalEmail {
        address: [&local, "@", &domain].concat(),
        local,
        domain,
        class,
    })
}

/// Says whether a folded word is that of a function with a mailbox of its own, such as `sales`.
pub fn is_role_word(word: &str) -> bool {
    ROLE_WORDS.contains(word)
}

/// Takes an address out of what stands around it, in lower case.
fn bare(raw: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-_".contains(&byte);
    if raw.len() <= 512 && raw.bytes().all(plain) {
        let one_at = raw.bytes().filter(|byte| *byte == b'@').count() == 1;
        return one_at.then(|| raw.trim_end_matches('.').to_ascii_lowercase());
    }
    let lower: String = raw.chars().take(512).flat_map(char::to_lowercase).collect();
    let inner = match lower.rsplit_once('<') {
        Some((_, tail)) if tail.contains('@') => tail.split('>').next()?,
        _ => lower.as_str(),
    };
    let inner = inner
        .trim()
        .trim_start_matches("mailto:")
        .split('?')
        .next()?;
    let stray = |character: char| character.is_whitespace() || "\"'<>()[],;:".contains(character);
    let inner = inner.trim_matches(stray).trim_end_matches('.');
    let one_at = inner.matches('@').count() == 1 && !inner.contains(char::is_whitespace);
    one_at.then(|| inner.to_owned())
}

/// Says what a mailbox is good for.
fn classify(local: &str, domain: DomainClass) -> EmailClass {
    let mut words = local.split(['.', '-', '_']).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let several = words.next().is_some();
    let joined: Cow<'_, str> = if first.len() == local.len() {
        Cow::Borrowed(local)
    } else {
        Cow::Owned(local.replace(['.', '-', '_'], ""))
    };
    if is_system(joined.as_bytes()) {
        EmailClass::System
    } else if domain == DomainClass::Placeholder || PLACEHOLDER_LOCALS.contains(&joined) {
        EmailClass::Placeholder
    } else if ROLE_WORDS.contains(&joined) || (several && ROLE_WORDS.contains(first)) {
        EmailClass::Role
    } else if domain == DomainClass::Free {
        EmailClass::Free
    } else {
        EmailClass::Work
    }
}

/// Says whether a mailbox's name without marks begins or ends as those of machines do.
fn is_system(joined: &[u8]) -> bool {
    let mut words = SYSTEM_WORDS.iter().map(|word| word.as_bytes());
    // Most words differ in the first letter, which is looked at without a call.
    words.any(|word| {
        (joined.first() == word.first() && joined.starts_with(word))
            || (joined.last() == word.last() && joined.ends_with(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_mailbox_is_one() {
        for (raw, address) in [
            (" Maria.Luz@Acme.COM ", "maria.luz@acme.com"),
            ("<maria@acme.com>", "maria@acme.com"),
            ("mailto:maria@acme.com?subject=x", "maria@acme.com"),
            ("\"Luz, Maria\" <maria@acme.com>", "maria@acme.com"),
            ("maria@acme.com.", "maria@acme.com"),
            ("maria@acme.com;", "maria@acme.com"),
            ("maria+news@acme.com", "maria@acme.com"),
            ("m.luz+x@gmail.com", "mluz@gmail.com"),
            ("mluz@googlemail.com", "mluz@gmail.com"),
            ("m.luz@outlook.com", "m.luz@outlook.com"),
            ("info@müller.de", "info@xn--mller-kva.de"),
        ] {
            assert_eq!(normalise(raw).expect(raw).address, address, "{raw}");
        }
    }

    #[test]
    fn a_mailbox_is_what_its_words_say() {
        for (raw, class) in [
            ("maria@acme.com", EmailClass::Work),
            ("maria@gmail.com", EmailClass::Free),
            ("maria@guerrillamail.com", EmailClass::Free),
            ("info@acme.com", EmailClass::Role),
            ("sales.emea@acme.com", EmailClass::Role),
            ("no-reply@acme.com", EmailClass::System),
            ("donotreply@gmail.com", EmailClass::System),
            ("notifications@acme.com", EmailClass::System),
            ("test@test.com", EmailClass::Placeholder),
            ("noemail@acme.com", EmailClass::Placeholder),
            ("someone@example.com", EmailClass::Placeholder),
            ("salesmanmike@acme.com", EmailClass::Work),
        ] {
            assert_eq!(normalise(raw).expect(raw).class, class, "{raw}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for raw in [
            "",
            "n/a",
            "@",
            "a@",
            "@b.com",
            "a b@c.com",
            "a@b@c.com",
            "a@localhost",
            "Not Provided",
        ] {
            assert_eq!(normalise(raw), None, "{raw}");
        }
    }
}
