//! Web sites and domains, down to the part that one owner registered.

use std::borrow::Cow;

use super::country;
use super::mail_words::{FREE_MAIL, PLACEHOLDER_DOMAINS, SHARED_HOSTS, SOUND_ENDINGS};

/// Whose a domain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DomainClass {
    /// One organisation's.
    Own,
    /// A free-mail provider's, or one of disposable addresses.
    Free,
    /// A site on which many have a page: social networks, site builders, shops.
    Shared,
    /// A made-up one, such as `example.com`.
    Placeholder,
}

/// A domain in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NormalDomain {
    /// The part that one owner registered, such as `acme.co.uk`, in ASCII.
    pub registrable: String,
    /// Its first label without what marketing adds, such as `acme` of `getacme.com` and `acme-group.de`.
    pub core: String,
    /// Whose it is.
    pub class: DomainClass,
}

/// Normalises a domain, host name, URL or the part of an e-mail address after the `@`. Nothing comes back for
/// what holds no registrable domain: an IP address, a single word, free text.
pub fn normalise(raw: &str) -> Option<NormalDomain> {
    let host = host(raw)?;
    let ascii = if host.is_ascii() {
        host
    } else {
        Cow::Owned(idna::domain_to_ascii(&host).ok()?)
    };
    if ascii.len() > 253 || !ascii.split('.').all(is_label) {
        return None;
    }
    let registrable = psl::domain_str(&ascii)?.to_owned();
    let top = registrable.rsplit('.').next()?;
    if top.len() < 2 || top.chars().all(|character| character.is_ascii_digit()) {
        return None;
    }
    let class = classify(&registrable);
    Some(NormalDomain {
        core: core_of(&registrable),
        class,
        registrable,
    })
}

/// Returns the core of a registrable domain.
pub(crate) fn core_of(registrable: &str) -> String {
    core(registrable.split('.').next().unwrap_or(registrable))
}

/// Returns the calling code of the country whose ending a domain has.
pub(crate) fn calling_code(domain: &str) -> Option<&'static str> {
    let ending = domain.rsplit('.').next()?;
    let is_country = ending.len() == 2 && !SOUND_ENDINGS.contains(ending);
    is_country.then(|| country::calling_code(ending)).flatten()
}

/// Cuts the host name out of a URL or address, in lower case.
fn host(raw: &str) -> Option<Cow<'_, str>> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let mut labels = raw.split('.');
    if labels.all(|label| !label.is_empty() && label.bytes().all(plain)) {
        return Some(Cow::Borrowed(raw));
    }
    let lower = raw
        .trim()
        .chars()
        .take(2_048)
        .flat_map(char::to_lowercase)
        .collect::<String>();
    let rest = lower
        .split_once("://")
        .map_or(lower.as_str(), |(_, rest)| rest)
        .trim_start_matches('/');
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host
        .split(':')
        .next()?
        .trim()
        .trim_matches(['.', '<', '>', '"', '\'', ',', ';', '(', ')']);
    (!host.is_empty()).then(|| Cow::Owned(host.to_owned()))
}

/// Says whether a text can be one label of a host name.
fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Says whose a registrable domain is.
fn classify(registrable: &str) -> DomainClass {
    // Providers with a mailbox domain per country (yahoo.fr, hotmail.co.uk) are told by their first label.
    const FREE_LABELS: [&str; 7] = [
        "yahoo",
        "hotmail",
        "outlook",
        "live",
        "gmx",
        "googlemail",
        "yandex",
    ];
    let label = registrable.split('.').next().unwrap_or(registrable);
    if PLACEHOLDER_DOMAINS.contains(registrable) || label == "example" {
        DomainClass::Placeholder
    } else if FREE_MAIL.contains(registrable) || FREE_LABELS.contains(&label) {
        DomainClass::Free
    } else if SHARED_HOSTS.contains(registrable) {
        DomainClass::Shared
    } else if disposable_emails::is_disposable_domain(registrable) {
        // Whoever needs an address for an hour takes one there, as anybody can at a free-mail provider.
        DomainClass::Free
    } else {
        DomainClass::Own
    }
}

/// Takes off what marketing puts around a company's name in its domain.
fn core(label: &str) -> String {
    let mut core = label;
    for prefix in [
        "get-", "try-", "use-", "go-", "the-", "my-", "join-", "hello-",
    ] {
        core = core
            .strip_prefix(prefix)
            .filter(|rest| rest.len() >= 3)
            .unwrap_or(core);
    }
    for prefix in ["get", "try", "join", "hello"] {
        core = core
            .strip_prefix(prefix)
            .filter(|rest| rest.len() >= 5)
            .unwrap_or(core);
    }
    for suffix in [
        "-hq", "-group", "-inc", "-corp", "-gmbh", "-online", "-global", "-app",
    ] {
        core = core
            .strip_suffix(suffix)
            .filter(|rest| rest.len() >= 3)
            .unwrap_or(core);
    }
    for suffix in ["hq", "group", "app"] {
        core = core
            .strip_suffix(suffix)
            .filter(|rest| rest.len() >= 5)
            .unwrap_or(core);
    }
    core.replace('-', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_countrys_ending_tells_the_code_of_its_calls_unless_others_use_it_for_its_sound() {
        for (domain, code) in [
            ("acme.de", Some("49")),
            ("acme.co.uk", Some("44")),
            ("acme.com", None),
            ("acme.co", None),
            ("acme.io", None),
            ("acme.ai", None),
            ("acme.gg", None),
            ("acme.co.ke", Some("254")),
            ("acme.com.pa", Some("507")),
            ("acme.museum", None),
        ] {
            assert_eq!(calling_code(domain), code, "{domain}");
        }
    }

    #[test]
    fn a_site_is_its_registered_domain() {
        for (raw, registrable, class) in [
            (
                "https://www.Acme.co.uk/home?x=1",
                "acme.co.uk",
                DomainClass::Own,
            ),
            ("ACME.COM", "acme.com", DomainClass::Own),
            ("mail.sales.acme.com.", "acme.com", DomainClass::Own),
            ("//acme.de:8080/", "acme.de", DomainClass::Own),
            ("bücher.example.de", "example.de", DomainClass::Placeholder),
            ("müller.de", "xn--mller-kva.de", DomainClass::Own),
            ("gmail.com", "gmail.com", DomainClass::Free),
            ("yahoo.co.jp", "yahoo.co.jp", DomainClass::Free),
            ("rediffmail.com", "rediffmail.com", DomainClass::Free),
            ("proton.me", "proton.me", DomainClass::Free),
            ("guerrillamail.com", "guerrillamail.com", DomainClass::Free),
            ("mx.10minutemail.com", "10minutemail.com", DomainClass::Free),
            (
                "https://www.linkedin.com/company/acme",
                "linkedin.com",
                DomainClass::Shared,
            ),
            ("test.com", "test.com", DomainClass::Placeholder),
        ] {
            let domain = normalise(raw).expect(raw);
            assert_eq!(
                (domain.registrable.as_str(), domain.class),
                (registrable, class),
                "{raw}"
            );
        }
        for raw in [
            "",
            "n/a",
            "acme",
            "10.0.0.1",
            "not a site.com x",
            "..",
            "co.uk",
        ] {
            assert_eq!(normalise(raw), None, "{raw}");
        }
    }

    #[test]
    fn every_free_mail_provider_is_found_by_the_domain_that_it_registered() {
        for listed in FREE_MAIL.iter() {
            let domain = normalise(listed).expect(listed);
            let found = (domain.registrable.as_str(), domain.class);
            assert_eq!(found, (listed, DomainClass::Free));
        }
    }

    #[test]
    fn a_plain_host_is_read_as_any_other() {
        for raw in [
            "acme.com",
            "mail.acme.com",
            ".acme.com",
            "acme.com.",
            "a_b.acme.com",
            "acme.com:80",
            "Acme.com",
        ] {
            let domain = normalise(raw).map(|domain| domain.registrable);
            assert_eq!(domain.as_deref(), Some("acme.com"), "{raw}");
        }
        let long = format!("{}com", "a.".repeat(3_000));
        for raw in ["a..com", "-acme.com", "acme-.com", &long] {
            assert_eq!(normalise(raw), None, "{raw}");
        }
    }

    #[test]
    fn the_core_is_the_companys_word() {
        for (raw, core) in [
            ("getacmes.com", "acmes"),
            ("acme-group.de", "acme"),
            ("acmecohq.io", "acmeco"),
            ("thehill.com", "thehill"),
        ] {
            assert_eq!(normalise(raw).expect(raw).core, core);
        }
    }
}
