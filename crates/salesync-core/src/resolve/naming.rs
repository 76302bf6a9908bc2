//! Names that can only be told when all records are known: those of companies on people's records, and those that
//! mailboxes spell.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::derived::Derived;
use super::frequency::Frequency;
use super::learnt::{FactField, Learnt};
use super::prepare::spelt;
use super::prepared::{Label, Name, NameOrigin, PerText, PersonRow, Prepared, Symbol, Texts};
use crate::normalise::name::{self, NameShape, NormalName};

/// A company that so many people's records name as their employer is one whatever else its name could be.
pub(super) const SEVERAL: u32 = 3;

/// The beginning of a company's name tells it from so many bytes on.
pub(super) const TELLING: usize = 6;

/// Takes names off that are no person's, and gives those that mailboxes spell, by what all records say. Tells what it
/// went by where it is asked for.
pub(super) fn complete(prepared: &mut Prepared, learnt: Option<&mut Learnt>) {
    let texts = &prepared.texts;
    let staff = Frequency::of(prepared.people.iter().map(|row| row.company));
    let own = prepared
        .companies()
        .flat_map(|company| company.compact_names);
    let employers = prepared.people.iter().map(|row| row.company);
    let mut is_known = marked(texts, own.copied().chain(employers));
    is_known.set(Symbol::EMPTY, false);
    let known = texts.numbered();
    let known = known.filter(|(symbol, _)| is_known.get(*symbol));
    let mut known: Vec<&str> = known.map(|(_, text)| text).collect();
    known.sort_unstable();
    let begins = |compact: &str| {
        let at = known.partition_point(|name| *name < compact);
        known.get(at).is_some_and(|name| name.starts_with(compact))
    };
    let unnamed = unnamed(
        &prepared.people,
        |label| Company {
            is_known: is_known.get(label.compact),
            begins: label.in_capitals && begins(texts.text(label.compact)),
            staff: staff.count(&label.compact),
        },
        texts,
    );
    let mut learnt = learnt;
    if let Some(learnt) = &mut learnt {
        let known = texts.numbered().map(|(symbol, _)| symbol);
        let known = known.filter(|symbol| is_known.get(*symbol));
        learnt.tell_numbers(
            FactField::KnownCompany,
            texts,
            known.map(|name| (name, 1.0)),
        );
        let staff = staff
            .iter()
            .filter(|(name, count)| *count >= SEVERAL && !name.is_empty());
        let staff = staff.map(|(name, count)| (*name, count as f32));
        learnt.tell_numbers(FactField::Employer, texts, staff);
    }
    prepared.take_names(unnamed);
    let texts = &prepared.texts;
    let whole = prepared.people.iter().map(|row| row.name);
    let whole = whole.filter(Name::is_whole);
    let firsts = marked(texts, whole.clone().map(|name| name.first));
    let lasts = marked(texts, whole.map(|name| name.last));
    let is_marked = |marks: &PerText<bool>, word: &str| {
        word.len() > 1 && texts.find(word).is_some_and(|symbol| marks.get(symbol))
    };
    let found = in_mailboxes(
        prepared,
        |_| true,
        [&|word| is_marked(&firsts, word), &|word| {
            is_marked(&lasts, word)
        }],
    );
    if let Some(learnt) = &mut learnt {
        for (field, marks) in [
            (FactField::KnownGivenName, &firsts),
            (FactField::KnownSurname, &lasts),
        ] {
            let known = texts.numbered().map(|(symbol, _)| symbol);
            let known = known.filter(|symbol| marks.get(*symbol));
            learnt.tell_numbers(field, texts, known.map(|name| (name, 1.0)));
        }
    }
    prepared.give_names(found);
}

/// Does the same by what was learnt before, but with records of which it is known: `known` tells those, by arrival.
pub(super) fn recall<'a>(
    prepared: &mut Prepared,
    learnt: &Learnt,
    known: impl Fn(u32) -> Option<&'a Derived> + Sync,
) {
    let rows = || prepared.people.iter().enumerate();
    let of_row = |row: &PersonRow| known(row.rank.arrival);
    let known_ones = rows().filter_map(|(at, row)| Some((at, of_row(row)?)));
    let names = known_ones
        .clone()
        .filter_map(|(at, known)| Some((at, known.spelt.clone()?)));
    let names: Vec<(usize, (String, String))> = names.collect();
    let mut nameless: Vec<usize> = known_ones
        .filter(|(_, known)| known.is_unnamed)
        .map(|(at, _)| at)
        .collect();
    let texts = &prepared.texts;
    let found = unnamed(
        &prepared.people,
        |label| {
            let compact = texts.text(label.compact);
            let staff = learnt.has(FactField::Employer, compact);
            Company {
                is_known: learnt.has(FactField::KnownCompany, compact),
                begins: label.in_capitals && learnt.begins_company(compact),
                staff: if staff { SEVERAL } else { 0 },
            }
        },
        texts,
    );
    let is_new = |at: &usize| {
        prepared
            .people
            .get(*at)
            .is_some_and(|row| of_row(row).is_none())
    };
    nameless.extend(found.into_iter().filter(is_new));
    prepared.take_names(nameless);
    prepared.give_names(names);
    let found = in_mailboxes(
        prepared,
        |arrival| known(arrival).is_none(),
        [
            &|word| word.len() > 1 && learnt.has(FactField::KnownGivenName, word),
            &|word| word.len() > 1 && learnt.has(FactField::KnownSurname, word),
        ],
    );
    prepared.give_names(found);
}

/// Returns the facts that tell whether a person's name is no person's, and which name the mailboxes spell: each as a
/// field and the text that it is looked for by.
pub(super) fn asked<'a>(
    prepared: &'a Prepared,
    row: &'a PersonRow,
) -> impl Iterator<Item = (FactField, &'a str)> {
    let label = prepared.texts.text(row.label.compact);
    let of_label = [FactField::KnownCompany, FactField::Employer].map(|field| (field, label));
    let of_label = of_label.into_iter().filter(|(_, label)| !label.is_empty());
    let may_gain = !is_complete(&prepared.texts, &row.name) || !label.is_empty();
    let locals = row.mailboxes.of(&prepared.mailboxes).iter();
    let locals = locals.filter(move |_| may_gain);
    let words = locals.flat_map(|mailbox| words_of(prepared.local(mailbox)));
    let of_words = words.flat_map(|word| {
        [FactField::KnownGivenName, FactField::KnownSurname].map(|field| (field, word))
    });
    of_label.chain(of_words)
}

/// What is known of a name as that of a company.
struct Company {
    is_known: bool,
    /// Whether it is in capitals and a known company's name begins with it.
    begins: bool,
    /// How many people's records name it as their employer.
    staff: u32,
}

/// Returns the records that name a company: with its legal form, in capitals as a caller id shows it and perhaps cut
/// off, or as several people's records name their employer.
fn unnamed(
    people: &[PersonRow],
    company: impl Fn(&Label) -> Company + Sync,
    texts: &Texts,
) -> Vec<usize> {
    let is_company = |label: &Label| {
        if label.compact.is_empty() {
            return false;
        }
        let found = company(label);
        if label.in_capitals {
            let is_telling = texts.text(label.compact).len() >= TELLING;
            found.is_known || (is_telling && found.begins)
        } else {
            found.staff >= SEVERAL || (label.has_legal_form && found.is_known)
        }
    };
    let rows = people.par_iter().enumerate();
    let found = rows.filter(|(_, row)| is_company(&row.label));
    found.map(|(at, _)| at).collect()
}

/// Marks some of the texts.
fn marked(texts: &Texts, symbols: impl Iterator<Item = Symbol>) -> PerText<bool> {
    let mut marks = PerText::of(texts);
    symbols.for_each(|symbol| marks.set(symbol, true));
    marks
}

/// Returns the names that mailboxes spell of those of the records whose place is `wanted` that have none, or half of
/// one.
fn in_mailboxes(
    prepared: &Prepared,
    wanted: impl Fn(u32) -> bool + Sync,
    [is_first, is_last]: [&(dyn Fn(&str) -> bool + Sync); 2],
) -> Vec<(usize, (String, String))> {
    let texts = &prepared.texts;
    let rows = prepared.people.par_iter().enumerate();
    let incomplete =
        rows.filter(|(_, row)| !is_complete(texts, &row.name) && wanted(row.rank.arrival));
    let found = incomplete.filter_map(|(at, row)| {
        let locals = row.mailboxes.of(&prepared.mailboxes).iter();
        let mut names =
            locals.filter_map(|mailbox| spelt_name(prepared.local(mailbox), is_first, is_last));
        let name = names.find(|(first, last)| completes(texts, &row.name, first, last));
        Some((at, name?))
    });
    found.collect()
}

/// Says whether a name has nothing to gain from a mailbox.
fn is_complete(texts: &Texts, name: &Name) -> bool {
    name.is_whole() && texts.text(name.first).len() > 1
}

impl Prepared {
    /// Takes the names off some records.
    fn take_names(&mut self, unnamed: Vec<usize>) {
        for at in unnamed {
            if let Some(row) = self.people.get_mut(at) {
                row.name = Name::default();
                self.unnamed.push(row.rank.arrival);
            }
        }
    }

    /// Gives records the names that their mailboxes spell.
    fn give_names(&mut self, found: Vec<(usize, (String, String))>) {
        for (at, (first, last)) in found {
            let Some(row) = self.people.get_mut(at) else {
                continue;
            };
            let [first_word, last_word] = [&first, &last].map(|word| self.texts.intern(word));
            self.spelt.push((row.rank.arrival, [first_word, last_word]));
            let normal = NormalName {
                first,
                last,
                shape: NameShape::Real,
                ..NormalName::default()
            };
            let spelt = spelt(&mut self.texts, &normal);
            let origin = if row.name.is_given() {
                row.name.origin
            } else {
                NameOrigin::Mailbox
            };
            row.name = Name {
                origin,
                middle: row.name.middle,
                generation: row.name.generation,
                ..spelt
            };
        }
    }
}

/// Says whether a name out of a mailbox agrees with the part of a name that a record gives.
fn completes(texts: &Texts, name: &Name, first: &str, last: &str) -> bool {
    if !name.is_given() {
        return true;
    }
    match (texts.text(name.first), texts.text(name.last)) {
        ("", own) => own == last,
        (own, "") => first.len() > 1 && (name::are_nicknames(own, first) || own == last),
        (initial, own) => own == last && first.starts_with(initial),
    }
}

/// Returns the letters of a mailbox's local part in words; nothing where it has more than letters in it.
fn parted(local: &str) -> Vec<&str> {
    let bare = local.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_plain = |byte: u8| byte.is_ascii_alphabetic() || b"._-".contains(&byte);
    if !bare.bytes().all(is_plain) {
        return Vec::new();
    }
    let words = bare.split(['.', '_', '-']);
    words.filter(|word| !word.is_empty()).collect()
}

/// Returns all that [`spelt_name`] asks about in a local part.
fn words_of(local: &str) -> Vec<&str> {
    match parted(local).as_slice() {
        [one, .., two] => vec![one, two],
        [one] => {
            let splits = (1..one.len()).filter_map(|at| one.split_at_checked(at));
            splits.flat_map(|(one, two)| [one, two]).collect()
        }
        [] => Vec::new(),
    }
}

/// Reads a name out of a mailbox's local part; both words must be known, or follow a full stop.
fn spelt_name(
    local: &str,
    is_first: &dyn Fn(&str) -> bool,
    is_last: &dyn Fn(&str) -> bool,
) -> Option<(String, String)> {
    let words = parted(local);
    if let [one, .., two] = words.as_slice() {
        let swapped =
            (is_last(one) && !is_first(one)) || (is_first(two) && !is_last(two)) || two.len() == 1;
        let (first, last) = if swapped { (two, one) } else { (one, two) };
        return (last.len() > 1).then(|| ((*first).to_owned(), (*last).to_owned()));
    }
    let joined = words.first()?;
    let splits = (1..joined.len()).filter_map(|at| joined.split_at_checked(at));
    splits.into_iter().find_map(|(one, two)| {
        let initial_first = one.len() == 1 && two.len() > 3 && is_last(two);
        let initial_last = two.len() <= 2 && one.len() > 3 && is_last(one);
        if initial_first || (is_first(one) && is_last(two)) {
            Some((one.to_owned(), two.to_owned()))
        } else if initial_last {
            Some((two.chars().take(1).collect(), one.to_owned()))
        } else if is_last(one) && is_first(two) {
            Some((two.to_owned(), one.to_owned()))
        } else {
            None
        }
    })
}
