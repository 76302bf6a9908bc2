//! Company names without their legal form.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::{HashMap, HashSet};

use super::legal_forms::{
    ABBREVIATIONS, DOTTED_FORMS, GLUED_FORMS, LEADING_FORMS, LEGAL_FORMS, SHORT_FORMS,
};
use super::name_words::PLACEHOLDERS;
use super::text;
use super::word_set::WordSet;

/// A company's name in its one spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NormalCompany {
    /// The words that tell it from others: folded, abbreviations written out, legal form cut off.
    pub core: String,
    /// The same without spaces, so that `Blue Lake` and `BlueLake` meet.
    pub compact: String,
    /// The legal form that was cut off, each part in its short form; empty where there was none.
    pub legal_form: String,
}

/// The most words of a legal form.
const LONGEST_FORM: usize = 5;

/// Normalises a company's name. Nothing comes back for placeholders such as `n/a` or `self employed`.
pub fn normalise(raw: &str) -> Option<NormalCompany> {
    if let Some(company) = plain(raw) {
        return Some(company);
    }
    normalise_any(raw)
}

/// Normalises a name that may be written in any way.
fn normalise_any(raw: &str) -> Option<NormalCompany> {
    let folded = text::fold(&apart(&without_brackets(raw)));
    let (folded, dotted) = without_dotted_form(&folded);
    let mut words = text::words(folded);
    let joined = words.join(" ");
    let letters = joined
        .chars()
        .any(|character| character.is_ascii_alphanumeric());
    if !letters || PLACEHOLDERS.contains(&joined) || NO_COMPANY.contains(&joined) {
        return None;
    }
    words.retain(|word| !JOINING.contains(word));
    let legal_form = cut_legal_forms(&mut words, dotted);
    let expanded: Vec<&str> = words.iter().map(|word| expand(word)).collect();
    let core = expanded.join(" ");
    let compact = expanded.concat();
    (!compact.is_empty()).then_some(NormalCompany {
        core,
        compact,
        legal_form,
    })
}

/// How names say that another name follows, and whether it is the one that the company goes by.
const OTHER_NAME_FOLLOWS: [(&[&str], bool); 13] = [
    (&["doing", "business", "as"], true),
    (&["trading", "as"], true),
    (&["now", "known", "as"], true),
    (&["also", "known", "as"], false),
    (&["formerly", "known", "as"], false),
    (&["previously", "known", "as"], false),
    (&["formerly"], false),
    (&["previously"], false),
    (&["dba"], true),
    (&["t/a"], true),
    (&["nka"], true),
    (&["aka"], false),
    (&["fka"], false),
];

/// A field that gives a company more names than this is free text.
const MOST_NAMES: usize = 4;

/// Returns the names that one field gives a company, four at most, the one that it goes by first: of `Acme Holdings LLC
/// d/b/a Blue Lake`, `Blue Lake` and `Acme Holdings LLC`. Each is as the field has it, to be given to [`normalise`].
pub fn names(raw: &str) -> Vec<&str> {
    let mut names = vec![raw];
    while names.len() < MOST_NAMES {
        let mut parted = names.iter().enumerate();
        let Some((at, (one, other))) = parted.find_map(|(at, name)| Some((at, two_names(name)?)))
        else {
            break;
        };
        names.splice(at..=at, [one, other]);
    }
    names
}

/// Parts a field that holds several names in two.
fn two_names(raw: &str) -> Option<(&str, &str)> {
    let mut spaces = raw.match_indices(' ').take(text::MAX_CHARS);
    spaces.find_map(|(at, _)| {
        let (before, rest) = raw.split_at_checked(at)?;
        let mut marks = OTHER_NAME_FOLLOWS.iter();
        let (tail, goes_by) =
            marks.find_map(|(words, goes_by)| Some((after(before, rest, words)?, goes_by)))?;
        let head = before.trim_end_matches([' ', '(', '[', ',', ';', '-', '|']);
        let tail = tail.trim_matches([' ', ')', ']', ':', '.', ',']);
        let named = [head, tail]
            .iter()
            .all(|name| name.contains(char::is_alphanumeric));
        named.then_some(if *goes_by { (tail, head) } else { (head, tail) })
    })
}

/// Returns what follows words that a text starts with, in whatever case and with whatever dots, slashes and brackets
/// (`d/b/a`, `(d.b.a.`, `DBA:`).
fn after<'a>(before: &str, text: &'a str, words: &[&str]) -> Option<&'a str> {
    let rest = words.iter().try_fold(text, |text, word| {
        let (found, rest) = text.trim_start().split_once(' ')?;
        let bare = found.trim_matches(['(', '[', ':']);
        let letters = bare.bytes().filter(|byte| !b"./".contains(byte));
        let is_word = bare.eq_ignore_ascii_case(word)
            || letters
                .map(|letter| letter.to_ascii_lowercase())
                .eq(word.bytes());
        is_word.then_some(rest)
    })?;
    let several = |text: &str| text.split_whitespace().nth(1).is_some();
    let is_mark = !matches!(words, ["dba" | "aka"])
        || is_marked(text)
        || ends(before)
        || (several(before) && several(rest));
    is_mark.then_some(rest)
}

/// Says whether the first word of a text is no word of a name, as `DBA` and `Aka` may be: it has marks, or is in small
/// letters.
fn is_marked(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    !word.bytes().all(|byte| byte.is_ascii_alphabetic())
        || word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Says whether a name has ended: a mark follows it, or it has its legal form.
fn ends(name: &str) -> bool {
    let last = name.split(' ').next_back().unwrap_or_default();
    name.ends_with([',', ';', '-', '|', ')'])
        || short_form(&text::words(&text::fold(last)).concat()).is_some()
}

/// Parts a legal form from the one word that it ends (`AcmeGmbH`).
fn apart(raw: &str) -> Cow<'_, str> {
    if raw.contains(char::is_whitespace) {
        return Cow::Borrowed(raw);
    }
    let twos = raw.char_indices().zip(raw.chars().skip(1));
    let joints = twos.filter(|((_, one), two)| one.is_lowercase() && two.is_uppercase());
    let mut parts = joints.filter_map(|((at, one), _)| raw.split_at_checked(at + one.len_utf8()));
    let found = parts
        .find(|(_, tail)| GLUED_FORMS.contains(&tail.trim_end_matches('.').to_ascii_lowercase()));
    found.map_or(Cow::Borrowed(raw), |(head, tail)| {
        Cow::Owned(format!("{head} {tail}"))
    })
}

/// Values that stand for "no company".
static NO_COMPANY: WordSet = WordSet::of(&[
    "self",
    "self employed",
    "selfemployed",
    "individual",
    "freelance",
    "freelancer",
    "none",
    "no company",
    "company",
    "company name",
    "private person",
    "personal",
    "retired",
    "student",
    "unemployed",
    "home",
]);

/// Words that join others.
static JOINING: WordSet = WordSet::of(&["and", "und", "et", "og", "och"]);

/// Returns every word that a name leaves out, abbreviates or joins others with, and every value that is no name.
fn listed() -> impl Iterator<Item = &'static str> {
    let lists: [&'static WordSet; 5] = [
        &LEGAL_FORMS,
        &LEADING_FORMS,
        &PLACEHOLDERS,
        &NO_COMPANY,
        &JOINING,
    ];
    let longer = SHORT_FORMS.iter().chain(ABBREVIATIONS);
    let spelt = longer.map(|(spelling, _)| *spelling);
    lists.into_iter().flat_map(|list| list.iter()).chain(spelt)
}

/// Returns a name of ASCII words of which none is on any list, as most are. It is what the long way would find.
fn plain(raw: &str) -> Option<NormalCompany> {
    static LISTED: LazyLock<HashSet<&'static str>> =
        LazyLock::new(|| listed().flat_map(|words| words.split([' ', '/'])).collect());
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ';
    if raw.is_empty() || raw.len() > text::MAX_CHARS || !raw.bytes().all(inner) {
        return None;
    }
    let core = raw.to_ascii_lowercase();
    // What is one word may end in a legal form.
    if !raw.contains(' ') && matches!(apart(raw), Cow::Owned(_)) {
        return None;
    }
    let is_word = |word: &str| !word.is_empty() && !LISTED.contains(word);
    core.split(' ').all(is_word).then(|| NormalCompany {
        compact: core.replace(' ', ""),
        core,
        legal_form: String::new(),
    })
}

/// Drops what stands in brackets, unless nothing else does.
fn without_brackets(raw: &str) -> String {
    let mut depth = 0usize;
    let mut kept = String::new();
    for character in raw.chars().take(1_024) {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
    }
    if kept.trim().is_empty() {
        raw.chars().take(1_024).collect()
    } else {
        kept
    }
}

/// Takes a legal form off the end that only its dots tell from a word.
fn without_dotted_form(folded: &str) -> (&str, Option<&'static str>) {
    let found = folded.trim_end_matches(['.', ' ', ',']).rsplit_once(' ');
    let cut = found
        .filter(|(_, last)| last.contains('.'))
        .and_then(|(head, last)| {
            let letters = || last.bytes().filter(|byte| *byte != b'.');
            let mut forms = DOTTED_FORMS.iter();
            let form = forms.find(|form| letters().eq(form.bytes()))?;
            Some((head, Some(*form)))
        });
    cut.unwrap_or((folded, None))
}

/// Takes legal forms off both ends and returns what was taken off the end, before what was taken off last. One word
/// always stays.
fn cut_legal_forms(words: &mut Vec<String>, last: Option<&str>) -> String {
    let mut cut: Vec<String> = last.map(str::to_owned).into_iter().collect();
    loop {
        let longest = (1..=LONGEST_FORM.min(words.len().saturating_sub(1))).rev();
        let found = longest.into_iter().find_map(|length| {
            let start = words.len().checked_sub(length)?;
            let form = words.get(start..)?.join(" ");
            short_form(&form).map(|short| (start, short.replace(' ', "")))
        });
        let Some((start, form)) = found else { break };
        words.truncate(start);
        cut.push(form);
    }
    while words.len() > 1
        && words
            .first()
            .is_some_and(|word| LEADING_FORMS.contains(word))
    {
        words.remove(0);
    }
    cut.reverse();
    cut.join(" ")
}

/// Returns the short form of a legal form; nothing for words that are none.
fn short_form(form: &str) -> Option<&str> {
    static SHORT: LazyLock<HashMap<&'static str, &'static str>> =
        LazyLock::new(|| SHORT_FORMS.iter().copied().collect());
    let short = SHORT.get(form).copied();
    short.or_else(|| LEGAL_FORMS.contains(form).then_some(form))
}

/// Writes an abbreviation out.
fn expand(word: &str) -> &str {
    static LONG: LazyLock<HashMap<&'static str, &'static str>> =
        LazyLock::new(|| ABBREVIATIONS.iter().rev().copied().collect());
    LONG.get(word).copied().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_short_way_finds_what_the_long_way_finds(words in proptest::collection::vec(word(), 1..4)) {
            let raw = words.join(" ");
            prop_assert_eq!(normalise(&raw), normalise_any(&raw));
        }
    }

    /// A word, or one that companies' names leave out or abbreviate.
    fn word() -> impl Strategy<Value = String> {
        let listed: Vec<&str> = listed().collect();
        prop_oneof![
            "[A-Za-z0-9]{1,10}",
            "[A-Z][a-z]{1,6}(GmbH|LLC|Inc|Corp|AG)",
            proptest::sample::select(listed).prop_map(str::to_owned),
        ]
    }

    #[test]
    fn legal_forms_of_many_countries_are_cut_off() {
        for (raw, core, form) in [
            ("Acme, Inc.", "acme", "inc"),
            ("Acme L.L.C.", "acme", "llc"),
            ("Acme Holdings PLC", "acme holdings", "plc"),
            ("Acme Pty. Ltd.", "acme", "pty ltd"),
            ("Acme Pte Ltd", "acme", "pte ltd"),
            ("Acme Pvt. Ltd.", "acme", "pvt ltd"),
            ("Acme GmbH & Co. KG", "acme", "gmbh co kg"),
            ("Acme S.A.R.L.", "acme", "sarl"),
            ("Simon, SASU", "simon", "sasu"),
            ("Acme B.V.", "acme", "bv"),
            ("Acme N.V.", "acme", "nv"),
            ("Acme, S.L.U.", "acme", "slu"),
            ("Acme, S. de R.L. de C.V.", "acme", "sderldecv"),
            ("Acme S.A. de C.V.", "acme", "sadecv"),
            ("Acme Ltda.", "acme", "ltda"),
            ("Acme S.p.A.", "acme", "spa"),
            ("Acme Aktiebolag", "acme", "ab"),
            ("Acme ApS", "acme", "aps"),
            ("Acme Oy", "acme", "oy"),
            ("Acme Sp. z o.o.", "acme", "spzoo"),
            ("Acme s.r.o.", "acme", "sro"),
            ("OOO Acme", "acme", ""),
            ("AcmeGmbH", "acme", "gmbh"),
            ("AcmeNorthLLC", "acmenorth", "llc"),
            ("AcmeCorporation", "acme", "corp"),
            ("AcmeSoft", "acmesoft", ""),
            ("AcmeCorp", "acmecorp", ""),
            ("The Acme Company", "acme", "co"),
            ("Acme Proprietary Limited", "acme", "pty ltd"),
            ("Acme S.A.C.", "acme", "sac"),
            ("Acme Sh.p.k.", "acme", "shpk"),
            ("OSOO Acme", "acme", ""),
            ("Too Good To Go", "too good to go", ""),
            ("A.O. Smith", "ao smith", ""),
            ("Transport Vos", "transport vos", ""),
            ("Acme Akc. spol.", "acme", "as"),
            ("Acme Société à responsabilité limitée", "acme", "sarl"),
            ("Acme, C.A.", "acme", "ca"),
            ("Acme Compañía Anónima", "acme", "ca"),
            ("Acme, v.o.s.", "acme", "vos"),
            ("Acme Sh.A", "acme", "sha"),
            ("University of CA", "university of ca", ""),
            ("Acme Edms. Bpk.", "acme", "edms bpk"),
            ("Acme S.A.O.G.", "acme", "saog"),
            ("Acme Kommandiittiyhtiö", "acme", "ky"),
            ("Acme Public Company Limited", "acme", "pcl"),
            ("Standard Chartered", "standard chartered", ""),
        ] {
            let company = normalise(raw).expect(raw);
            assert_eq!(
                (company.core.as_str(), company.legal_form.as_str()),
                (core, form),
                "{raw}"
            );
        }
    }

    #[test]
    fn spellings_of_one_name_meet() {
        for (one, other) in [
            ("Sigoum Svcs", "Sigoum Services Inc."),
            ("Baker & Sons Intl", "BAKER AND SONS INTERNATIONAL"),
            ("Blue Lake", "BlueLake, Corp."),
            ("Müllenkranz (Berlin)", "Mullenkranz"),
        ] {
            assert_eq!(
                normalise(one).expect(one).compact,
                normalise(other).expect(other).compact
            );
        }
    }

    #[test]
    fn a_field_with_two_names_gives_both_and_first_the_one_in_use() {
        for (raw, expected) in [
            (
                "Acme Holdings LLC d/b/a Blue Lake",
                vec!["Blue Lake", "Acme Holdings LLC"],
            ),
            (
                "Acme Holdings LLC, DBA: Blue Lake",
                vec!["Blue Lake", "Acme Holdings LLC"],
            ),
            (
                "Acme Inc. (d.b.a. Blue Lake)",
                vec!["Blue Lake", "Acme Inc."],
            ),
            (
                "Acme doing business as Blue Lake",
                vec!["Blue Lake", "Acme"],
            ),
            (
                "Blue Lake (formerly Acme, Inc.)",
                vec!["Blue Lake", "Acme, Inc"],
            ),
            (
                "Blue Lake - formerly known as Acme",
                vec!["Blue Lake", "Acme"],
            ),
            ("Acme Ltd T/A Blue Lake", vec!["Blue Lake", "Acme Ltd"]),
            ("Blue Ta Lake", vec!["Blue Ta Lake"]),
            ("Blue Lake aka Acme", vec!["Blue Lake", "Acme"]),
            (
                "ACME HOLDINGS LLC DBA BLUE LAKE",
                vec!["BLUE LAKE", "ACME HOLDINGS LLC"],
            ),
            (
                "Acme dba Blue Lake fka Red Lake",
                vec!["Blue Lake", "Red Lake", "Acme"],
            ),
            ("Remote Dba Experts", vec!["Remote Dba Experts"]),
            (
                "John Smith DBA Smith Plumbing",
                vec!["Smith Plumbing", "John Smith"],
            ),
            ("ACME FORMERLY KNOWN AS RED LAKE", vec!["ACME", "RED LAKE"]),
            ("Remote DBA Experts", vec!["Remote DBA Experts"]),
            ("Hotel AKA Alexandria", vec!["Hotel AKA Alexandria"]),
            (
                "Müller Söhne dba Käserei Ost",
                vec!["Käserei Ost", "Müller Söhne"],
            ),
            ("DBA Blue Lake", vec!["DBA Blue Lake"]),
            ("Acme dba", vec!["Acme dba"]),
            ("Acme dba -", vec!["Acme dba -"]),
            ("Trading Standards Ltd", vec!["Trading Standards Ltd"]),
            ("Adba Systems", vec!["Adba Systems"]),
            ("", vec![""]),
        ] {
            assert_eq!(names(raw), expected, "{raw}");
        }
    }

    #[test]
    fn a_name_never_vanishes_but_placeholders_do() {
        assert_eq!(normalise("Co").expect("a word").core, "co");
        for raw in [
            "",
            "n/a",
            "Self-Employed",
            "Not Provided",
            "???",
            "[not provided]",
        ] {
            assert_eq!(normalise(raw), None, "{raw}");
        }
    }
}
