//! Puts records that were taken in apart, on several threads, together.

use super::super::prepared::{Mailbox, Name, Place, Prepared, Source, Symbol, Texts, number};
use super::Preparation;

impl Preparation {
    /// Takes over the records that another has taken in, as if they had come after its own.
    pub(in super::super) fn absorb(&mut self, other: Self) {
        let Prepared {
            texts,
            people,
            companies,
            mailboxes,
            symbols,
            sources,
            versions,
            ids,
            // Of these there are none before all records are in.
            organisations: _,
            unnamed: _,
            spelt: _,
        } = other.raw();
        let into = &mut self.prepared;
        let moved = Moved {
            symbols: numbers_in(&mut into.texts, &texts),
            first_arrival: number(into.sources.len()),
            first_mailbox: number(into.mailboxes.len()),
            first_symbol: number(into.symbols.len()),
        };
        drop(texts);
        let first_id = into.ids.len();
        into.ids.push_str(&ids);
        into.sources.extend(sources.into_iter().map(|it| Source {
            source: moved.symbol(it.source),
            stream: moved.symbol(it.stream),
            id_end: first_id + it.id_end,
        }));
        into.versions.extend(versions);
        into.mailboxes
            .extend(mailboxes.into_iter().map(|it| Mailbox {
                address: moved.symbol(it.address),
                domain: moved.symbol(it.domain),
                ..it
            }));
        into.symbols
            .extend(symbols.into_iter().map(|it| moved.symbol(it)));
        into.people.reserve(people.len());
        for mut row in people {
            row.rank.arrival = row.rank.arrival.saturating_add(moved.first_arrival);
            row.name = Name {
                first: moved.symbol(row.name.first),
                middle: moved.symbol(row.name.middle),
                last: moved.symbol(row.name.last),
                ..row.name
            };
            row.label.compact = moved.symbol(row.label.compact);
            row.mailboxes = row.mailboxes.moved(moved.first_mailbox);
            row.role_mailboxes = row.role_mailboxes.moved(moved.first_symbol);
            row.phones = row.phones.moved(moved.first_symbol);
            row.company = moved.symbol(row.company);
            row.site = moved.symbol(row.site);
            row.place = moved.place(row.place);
            row.birth = moved.symbol(row.birth);
            row.employer = moved.symbol(row.employer);
            into.people.push(row);
        }
        into.companies.reserve(companies.len());
        for mut row in companies {
            row.rank.arrival = row.rank.arrival.saturating_add(moved.first_arrival);
            for span in row.spans_mut() {
                *span = span.moved(moved.first_symbol);
            }
            row.place = moved.place(row.place);
            into.companies.push(row);
        }
    }
}

/// Where what was moved is now.
struct Moved {
    /// By the number that a text had.
    symbols: Vec<Symbol>,
    first_arrival: u32,
    first_mailbox: u32,
    first_symbol: u32,
}

impl Moved {
    fn symbol(&self, before: Symbol) -> Symbol {
        before.of(&self.symbols)
    }

    fn place(&self, before: Place) -> Place {
        Place {
            number: self.symbol(before.number),
            street: self.symbol(before.street),
            building: self.symbol(before.building),
            postal_code: self.symbol(before.postal_code),
            city: self.symbol(before.city),
            country: before.country,
        }
    }
}

/// Returns the number that each of some texts has among others, by the one that it had.
fn numbers_in(into: &mut Texts, texts: &Texts) -> Vec<Symbol> {
    let moved = texts.numbered().map(|(_, text)| into.intern(text));
    std::iter::once(Symbol::EMPTY).chain(moved).collect()
}
