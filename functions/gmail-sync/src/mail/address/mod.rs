//! Who is named in a message's headers.

mod spelling;

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};

use super::field::unfolded;
use super::part::Headers;
use super::text::one_line;
use super::{Participant, Repair, Repairs, Role, words};

/// The most participants that are kept of one message.
pub(super) const MAX_PARTICIPANTS: usize = 10_000;
/// The longest address that there is (RFC 5321, 4.5.3.1.3).
const LONGEST_ADDRESS: usize = 254;

/// Somebody, before it is known in which role.
#[derive(Debug)]
struct Named {
    spelling: Option<String>,
    display_name: Option<String>,
    group: Option<String>,
}

/// Returns everybody who is named, by role. A header that comes twice counts as one that goes on.
pub(super) fn participants(headers: &Headers<'_>, repairs: &mut Repairs) -> Vec<Participant> {
    let mut found = Vec::new();
    for role in Role::ALL {
        let named = headers.all(role.header()).flat_map(named);
        for (position, named) in (0..).zip(named) {
            if found.len() < MAX_PARTICIPANTS {
                found.push(Participant {
                    role,
                    position,
                    address: named.spelling.as_deref().and_then(normal),
                    spelling: named.spelling,
                    display_name: named.display_name,
                    group: named.group,
                });
            } else {
                repairs.note(Repair::ParticipantsLeftOut);
                repairs.participants_left_out += 1;
            }
        }
    }
    found
}

/// Reads one header.
fn named(value: &str) -> Vec<Named> {
    let list = spelling::plain(&words::rejoin(value));
    let line = unfolded(&list);
    let HeaderValue::Address(found) = MessageStream::new(line.as_bytes()).parse_address() else {
        return Vec::new();
    };
    match found {
        Address::List(list) => list.iter().flat_map(|addr| each(None, addr)).collect(),
        Address::Group(groups) => groups
            .iter()
            .flat_map(|group| {
                let name = group.name.as_deref().and_then(text);
                let each = move |addr| each(name.as_deref(), addr);
                group.addresses.iter().flat_map(each)
            })
            .collect(),
    }
}

/// Returns whom an entry names: nobody where it says nothing, several where a comma was forgotten.
fn each(group: Option<&str>, addr: &Addr<'_>) -> Vec<Named> {
    let named = |spelling: Option<String>, display_name: Option<String>| Named {
        spelling,
        display_name,
        group: group.map(str::to_owned),
    };
    let display_name = addr.name.as_deref().and_then(text);
    let Some(spelling) = addr.address.as_deref().and_then(text) else {
        // An address that its sender put into quotes or encoded is one all the same.
        return match display_name {
            Some(name) if normal(&name).is_some() => vec![named(Some(name), None)],
            Some(name) => vec![named(None, Some(name))],
            None => Vec::new(),
        };
    };
    // A group without members that a gateway took for an address: `<undisclosed:@host;>`.
    if spelling.ends_with(';') {
        return Vec::new();
    }
    let (in_front, addresses) = spelling::addresses(&spelling);
    let display_name = display_name.or(Some(in_front).filter(|name| !name.is_empty()));
    addresses
        .into_iter()
        .map(|address| named(Some(address), display_name.clone()))
        .collect()
}

/// Returns a text as one line, if it says anything.
fn text(text: &str) -> Option<String> {
    Some(one_line(text)).filter(|text| !text.is_empty())
}

/// Returns an address in lower case with its domain in ASCII; nothing where it is none.
fn normal(spelling: &str) -> Option<String> {
    let (local, domain) = spelling.rsplit_once('@')?;
    let domain = idna::domain_to_ascii(domain.trim_end_matches('.')).ok()?;
    let in_domain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    let in_local = |c: char| !c.is_whitespace() && !c.is_control() && !"@,;:<>()[]\"\\".contains(c);
    let quoted = local
        .strip_prefix('"')
        .and_then(|local| local.strip_suffix('"'));
    let local_fits = quoted.map_or(!local.is_empty() && local.chars().all(in_local), |quoted| {
        !quoted.is_empty() && !quoted.contains(char::is_control)
    });
    let fits = local_fits && !domain.is_empty() && domain.chars().all(in_domain);
    let address = format!("{}@{domain}", local.to_lowercase());
    Some(address).filter(|address| fits && address.len() <= LONGEST_ADDRESS)
}

#[cfg(test)]
mod tests;
