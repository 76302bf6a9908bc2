//! Names that can only be told when all records are known: those of companies on people's records, and those that
//! mailboxes spell.

use super::frequency::Frequency;
use super::prepare::spelt;
use super::prepared::{Name, NameOrigin, PerText, Prepared, Symbol, Texts};
use crate::normalise::name::{self, NameShape, NormalName};

/// Takes names off that are no person's, and gives those that mailboxes spell.
pub(super) fn complete(prepared: &mut Prepared) {
    unname_companies(prepared);
    name_from_mailboxes(prepared);
}

/// Takes the name off records that name a company: with its legal form, in capitals as a caller id shows it and
/// perhaps cut off, or as several people's records name their employer.
fn unname_companies(prepared: &mut Prepared) {
    const TELLING: usize = 6;
    const SEVERAL: u32 = 3;
    let texts = &prepared.texts;
    let staff = Frequency::of(prepared.people.iter().map(|row| row.company));
    let own = prepared
        .companies()
        .flat_map(|company| company.compact_names);
    let employers = prepared.people.iter().map(|row| row.company);
    let mut is_known = marked(texts, own.copied().chain(employers));
    is_known.set(Symbol::EMPTY, false);
    let mut known: Vec<&str> = texts
        .numbered()
        .filter(|(symbol, _)| is_known.get(*symbol))
        .map(|(_, text)| text)
        .collect();
    known.sort_unstable();
    let starts = |compact: &str| {
        let at = known.partition_point(|name| *name < compact);
        compact.len() >= TELLING && known.get(at).is_some_and(|name| name.starts_with(compact))
    };
    for row in &mut prepared.people {
        let label = row.label;
        if label.compact.is_empty() {
            continue;
        }
        let is_company = if label.in_capitals {
            is_known.get(label.compact) || starts(texts.text(label.compact))
        } else {
            staff.count(&label.compact) >= SEVERAL
                || (label.has_legal_form && is_known.get(label.compact))
        };
        if is_company {
            row.name = Name::default();
        }
    }
}

/// Marks some of the texts.
fn marked(texts: &Texts, symbols: impl Iterator<Item = Symbol>) -> PerText<bool> {
    let mut marks = PerText::of(texts);
    symbols.for_each(|symbol| marks.set(symbol, true));
    marks
}

/// Gives records without a name, or with half of one, the one that their mailbox spells.
fn name_from_mailboxes(prepared: &mut Prepared) {
    let texts = &prepared.texts;
    let whole = prepared.people.iter().map(|row| row.name);
    let whole = whole.filter(Name::is_whole);
    let firsts = marked(texts, whole.clone().map(|name| name.first));
    let lasts = marked(texts, whole.map(|name| name.last));
    let known = |marks: &PerText<bool>, word: &str| {
        word.len() > 1 && texts.find(word).is_some_and(|symbol| marks.get(symbol))
    };
    let mut found = Vec::new();
    for (at, person) in prepared.people().enumerate() {
        if person.name.is_whole() && texts.text(person.name.first).len() > 1 {
            continue;
        }
        let locals = person.mailboxes.iter();
        let mut names = locals.filter_map(|mailbox| {
            spelt_name(
                prepared.local(mailbox),
                &|word| known(&firsts, word),
                &|word| known(&lasts, word),
            )
        });
        let name = names.find(|(first, last)| completes(texts, &person.name, first, last));
        found.extend(name.map(|name| (at, name)));
    }
    for (at, (first, last)) in found {
        let normal = NormalName {
            first,
            last,
            shape: NameShape::Real,
            ..NormalName::default()
        };
        let spelt = spelt(&mut prepared.texts, &normal);
        if let Some(row) = prepared.people.get_mut(at) {
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

/// Reads a name out of a mailbox's local part; both words must be known, or follow a full stop.
fn spelt_name(
    local: &str,
    is_first: &dyn Fn(&str) -> bool,
    is_last: &dyn Fn(&str) -> bool,
) -> Option<(String, String)> {
    let bare = local.trim_end_matches(|character: char| character.is_ascii_digit());
    if !bare
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || b"._-".contains(&byte))
    {
        return None;
    }
    let words: Vec<&str> = bare
        .split(['.', '_', '-'])
        .filter(|word| !word.is_empty())
        .collect();
    if let [one, .., two] = words.as_slice() {
        let swapped =
            (is_last(one) && !is_first(one)) || (is_first(two) && !is_last(two)) || two.len() == 1;
        let (first, last) = if swapped { (two, one) } else { (one, two) };
        return (last.len() > 1).then(|| ((*first).to_owned(), (*last).to_owned()));
    }
    let joined = words.concat();
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
