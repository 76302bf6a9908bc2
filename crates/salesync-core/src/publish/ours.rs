//! Who we are: the addresses, domains and numbers of our own users and mailboxes.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::reading::{Cells, rows};
use crate::error::Result;
use crate::interaction::{OurColumns, OurUser};
use crate::normalise::domain::{self, DomainClass};
use crate::normalise::email::{self, NormalEmail};
use crate::normalise::phone;
use crate::resolve::RecordRef;
use crate::source::SourceDefinition;
use crate::warehouse::{Filter, Warehouse};

/// What is ours.
#[derive(Debug, Default)]
pub(super) struct Ours {
    addresses: HashSet<String>,
    domains: HashSet<String>,
    numbers: HashSet<String>,
    /// The address or name of each of our users.
    users: HashMap<RecordRef, String>,
}

impl Ours {
    /// Reads who we are according to these sources.
    pub(super) async fn read(
        warehouse: &dyn Warehouse,
        sources: &[&'static SourceDefinition],
    ) -> Result<Self> {
        let mut ours = Self::default();
        for source in sources {
            for declared in source.ours {
                let mut places = vec!["id"];
                places.extend(declared.only.iter().map(|(column, _)| *column));
                places.extend(declared.addresses.iter().chain(declared.phones));
                places.extend(declared.names);
                let stream = (source.name, declared.stream);
                for batch in rows(warehouse, stream, (&places, Filter::All)).await? {
                    ours.take(&batch, source.name, declared)?;
                }
            }
        }
        Ok(ours)
    }

    fn take(
        &mut self,
        batch: &RecordBatch,
        source: &'static str,
        declared: &OurColumns,
    ) -> Result<()> {
        let ids = Cells::of(batch, "id")?;
        let only = match declared.only {
            Some((column, values)) => Cells::of(batch, column)?.map(|cells| (cells, values)),
            None => None,
        };
        let addresses = Cells::all(batch, declared.addresses)?;
        let phones = Cells::all(batch, declared.phones)?;
        let names = Cells::all(batch, declared.names)?;
        let (source, stream): (Arc<str>, Arc<str>) = (source.into(), declared.stream.into());
        for row in 0..batch.num_rows() {
            let foreign = only.as_ref().is_some_and(|(cells, values)| {
                let value = cells.text(row);
                value.is_some_and(|value| !values.contains(&value.as_ref()))
            });
            if foreign {
                continue;
            }
            let mut user = None;
            for address in addresses.iter().flat_map(|cells| cells.texts(row)) {
                if let Some(email) = email::normalise(&address) {
                    self.take_address(&email);
                    user.get_or_insert_with(|| address.to_lowercase());
                }
            }
            for number in phones.iter().flat_map(|cells| cells.texts(row)) {
                self.numbers.extend(national(&number));
            }
            let name = names.iter().filter_map(|cells| cells.text(row));
            let name = name.collect::<Vec<_>>().join(" ");
            let user = user.or((!name.is_empty()).then_some(name));
            if let Some((id, user)) = ids.as_ref().and_then(|ids| ids.text(row)).zip(user) {
                let record = RecordRef::new(Arc::clone(&source), Arc::clone(&stream), id);
                self.users.insert(record, user);
            }
        }
        Ok(())
    }

    fn take_address(&mut self, email: &NormalEmail) {
        if let Some(domain) = domain::normalise(&email.domain)
            && domain.class == DomainClass::Own
        {
            self.domains.insert(domain.registrable);
        }
        self.addresses.insert(email.address.clone());
    }

    /// Returns a text that tells what is ours, the same wherever that is the same.
    pub(super) fn told(&self) -> String {
        let all = [&self.addresses, &self.domains, &self.numbers];
        let sorted = all.map(|all| all.iter().map(String::as_str).collect::<BTreeSet<_>>());
        let lines = sorted.map(|all| all.into_iter().collect::<Vec<_>>().join(" "));
        let users = self
            .users
            .iter()
            .map(|(record, user)| format!("{record} {user}"));
        let users: BTreeSet<String> = users.collect();
        let users = users.into_iter().collect::<Vec<_>>().join("\n");
        lines.join("\n") + &users
    }

    /// Says whether an address is ours.
    pub(super) fn has_address(&self, email: &NormalEmail) -> bool {
        self.addresses.contains(&email.address)
            || domain::normalise(&email.domain)
                .is_some_and(|domain| self.domains.contains(&domain.registrable))
    }

    /// Says whether a phone number, as a national one, is ours.
    pub(super) fn has_number(&self, national: &str) -> bool {
        self.numbers.contains(national)
    }

    /// Returns the address or name of one of our users.
    pub(super) fn user(&self, record: &RecordRef) -> Option<&str> {
        self.users.get(record).map(String::as_str)
    }
}

/// Returns the national number of a phone number that somebody can have.
pub(super) fn national(raw: &str) -> Option<String> {
    phone::national(raw, None)
}

/// The columns of a batch that say which of us took part.
pub(super) struct UserCells<'a>(Vec<(OurUser, Cells<'a>)>);

impl<'a> UserCells<'a> {
    /// Returns those of the declared columns that the batch has.
    pub(super) fn of(batch: &'a RecordBatch, declared: &'static [OurUser]) -> Result<Self> {
        let mut cells = Vec::new();
        for user in declared {
            cells.extend(Cells::of(batch, user.column())?.map(|cells| (*user, cells)));
        }
        Ok(Self(cells))
    }

    /// Returns the address or name of the first of us whom a row names.
    pub(super) fn first<'s>(
        &'s self,
        row: usize,
        (source, ours): (&Arc<str>, &'s Ours),
    ) -> Option<Cow<'s, str>> {
        self.0.iter().find_map(|(user, cells)| {
            let value = cells.text(row)?;
            match user {
                OurUser::Said(_) => Some(value),
                OurUser::Record { stream, .. } => {
                    let record = RecordRef::new(Arc::clone(source), *stream, &*value);
                    ours.user(&record).map(Cow::Borrowed)
                }
            }
        })
    }
}
