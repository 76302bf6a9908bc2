//! Lends a company without a domain that of the people who share its phone.

use hashbrown::HashMap;

use super::super::learnt::{FactField, Learnt};
use super::super::organisation::distinct_domains;
use super::super::prepared::{Company, PerText, Prepared, Symbol};
use crate::normalise::domain;

/// Lends domains by what all records say. Tells what it went by where it is asked for.
pub(in super::super) fn lend(prepared: &mut Prepared, learnt: Option<&mut Learnt>) {
    let domains = domains_of_phones(prepared);
    if let Some(learnt) = learnt {
        for (phone, domain) in &domains {
            let [phone, domain] = [*phone, *domain].map(|symbol| prepared.texts.text(symbol));
            learnt.tell_organisation(FactField::DomainOfPhone, phone, domain);
        }
    }
    each_borrower(prepared, |prepared, phone| {
        let domain = domains.get(&phone)?;
        Some(prepared.texts.text(*domain).to_owned())
    });
}

/// Lends domains by what was learnt before.
pub(in super::super) fn recall_lent(prepared: &mut Prepared, learnt: &Learnt) {
    each_borrower(prepared, |prepared, phone| {
        let phone = prepared.texts.text(phone);
        let domain = learnt.organisation(FactField::DomainOfPhone, phone)?;
        Some(domain.to_owned())
    });
}

/// Returns the phone by which a company may be lent a domain; nothing where it has one of its own.
pub(super) fn borrows_by(company: &Company<'_>) -> Option<Symbol> {
    let phone = company.phones.first().copied();
    phone.filter(|_| company.domains.is_empty())
}

/// Lends each company the domain that there is for its phone.
fn each_borrower(prepared: &mut Prepared, domain_of: impl Fn(&Prepared, Symbol) -> Option<String>) {
    for at in 0..prepared.companies.len() {
        let company = prepared.company(at);
        let phone = company.and_then(|company| borrows_by(&company));
        let Some(domain) = phone.and_then(|phone| domain_of(prepared, phone)) else {
            continue;
        };
        let core = domain::core_of(&domain);
        let lent = [domain, core].map(|text| prepared.texts.intern(&text));
        if let Some(row) = prepared.companies.get_mut(at) {
            row.lent = lent;
        }
    }
}

/// Returns the domain that more than half of those have who share a phone with a company, by phone.
fn domains_of_phones(prepared: &Prepared) -> HashMap<Symbol, Symbol> {
    let mut is_companys: PerText<bool> = PerText::of(&prepared.texts);
    for phone in prepared.companies().flat_map(|company| company.phones) {
        is_companys.set(*phone, true);
    }
    let mut seen = Vec::new();
    for person in prepared.people() {
        let phones = person.phones.iter();
        for phone in phones.filter(|phone| is_companys.get(**phone)) {
            let domains = distinct_domains(&person).into_iter();
            seen.extend(domains.map(|domain| (*phone, domain)));
        }
    }
    seen.sort_unstable();
    let of_phones = seen.chunk_by(|one, other| one.0 == other.0);
    let most = |seen: &[(Symbol, Symbol)]| {
        let domains = seen.chunk_by(|one, other| one == other);
        let most = domains.max_by_key(|domain| domain.len())?;
        let is_most = most.len() * 2 > seen.len();
        most.first().copied().filter(|_| is_most)
    };
    of_phones.filter_map(most).collect()
}
