//! The names by which interactions and deals know somebody.

use hashbrown::HashSet;

use super::merged::Merged;
use super::ours::national;
use crate::normalise::domain::{self, DomainClass};
use crate::normalise::email;
use crate::resolve::RecordRef;

/// Names of people and companies: those of whom something is to be known.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Addresses, in their one spelling.
    pub(super) addresses: HashSet<String>,
    /// Domains that are somebody's own, as they are registered.
    pub(super) domains: HashSet<String>,
    /// National numbers.
    pub(super) numbers: HashSet<String>,
    /// Records.
    pub(super) records: HashSet<RecordRef>,
}

impl Names {
    /// Says whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.addresses.is_empty()
            && self.domains.is_empty()
            && self.numbers.is_empty()
            && self.records.is_empty()
    }

    /// Takes an address, and its domain.
    pub(super) fn take_address(&mut self, raw: &str) {
        if let Some(email) = email::normalise(raw) {
            self.domains.extend(own_domain(&email.domain));
            self.addresses.insert(email.address);
        }
    }

    /// Takes a phone number.
    pub(super) fn take_number(&mut self, raw: &str) {
        self.numbers.extend(national(raw));
    }

    /// Takes a record that can be of one of some streams, and what it was merged into.
    pub(super) fn take_record(
        &mut self,
        source: &str,
        streams: &[&str],
        id: &str,
        merged: &Merged,
    ) {
        for stream in streams {
            let survivor = merged.survivor(source, stream, id);
            let ids = survivor.into_iter().chain([id]);
            let records = ids.map(|id| RecordRef::new(source, *stream, id));
            self.records.extend(records);
        }
    }
}

/// Returns a domain as it is registered; nothing of one that is nobody's own.
pub(super) fn own_domain(raw: &str) -> Option<String> {
    let domain = domain::normalise(raw)?;
    (domain.class == DomainClass::Own).then_some(domain.registrable)
}
