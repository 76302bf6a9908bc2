//! The ways in which a record gets a person or a company wrong.

use super::chance::Chance;
use super::people::{Company, Person};
use super::words::Culture;

/// A person as one record has them.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The given name; may be empty.
    pub(super) first: String,
    /// The family name.
    pub(super) last: String,
    /// The mail address; may be empty.
    pub(super) email: String,
    /// The office phone; may be empty.
    pub(super) phone: String,
    /// The mobile phone; may be empty.
    pub(super) mobile: String,
    /// The employer's name; may be empty.
    pub(super) company: String,
    /// Place of the employer that the record knows of.
    pub(super) employer: usize,
}

/// Writes a person down once more, with this record's own mistakes.
pub(super) fn person(chance: &mut Chance, person: &Person, companies: &[Company]) -> Written {
    let [now, before] = person.company;
    // Half of the records about somebody who changed jobs still know the old one.
    let employer = if chance.percent(50) { before } else { now } as usize;
    let Some(company) = companies.get(employer) else {
        return Written::default();
    };
    let (first, last) = names(chance, person);
    let mut own = Chance::new(person.seed);
    let culture = person.culture();
    let mobile_digits = mobile(&mut own, culture);
    let mobile = if chance.percent(55) {
        phone(chance, culture, &mobile_digits)
    } else {
        String::new()
    };
    let office = match chance.below(100) {
        0..=22 => phone(chance, company.culture, &company.phone),
        23..=34 => format!(
            "{} ext. {}",
            phone(chance, company.culture, &company.phone),
            own.below(800) + 100
        ),
        35..=50 if mobile.is_empty() => phone(chance, culture, &mobile_digits),
        _ => String::new(),
    };
    Written {
        email: email(chance, &mut own, person, company),
        phone: office,
        mobile,
        company: if chance.percent(85) {
            company_name(chance, company)
        } else {
            String::new()
        },
        first,
        last,
        employer,
    }
}

/// Gives a person's mobile number as national digits; `own` is the chance of the person's seed.
pub(super) fn mobile(own: &mut Chance, culture: &Culture) -> String {
    let pattern = own.pick(culture.mobile);
    own.digits(pattern)
}

/// Writes a company's name.
pub(super) fn company_name(chance: &mut Chance, company: &Company) -> String {
    let [long, short] = company
        .culture
        .forms
        .get(company.form)
        .copied()
        .unwrap_or(["", ""]);
    let name = &company.name;
    match chance.below(100) {
        0..=39 => name.clone(),
        40..=64 => format!("{name} {short}"),
        65..=79 => format!("{name} {long}"),
        80..=84 => format!("{name}, {short}").to_uppercase(),
        85..=89 => name.split(' ').next().unwrap_or(name).to_owned(),
        90..=94 => typo(chance, name),
        _ => format!("The {name} Group"),
    }
}

/// Writes a phone number, given as national digits.
pub(super) fn phone(chance: &mut Chance, culture: &Culture, digits: &str) -> String {
    let code = culture.calling_code;
    let trunk = culture.trunk;
    let groups = |separator: &str| {
        let signs: Vec<char> = digits.chars().collect();
        let parts: Vec<String> = signs.chunks(3).map(|part| part.iter().collect()).collect();
        parts.join(separator)
    };
    match chance.below(10) {
        0..=3 => format!("+{code}{digits}"),
        4 | 5 => format!("+{code} {}", groups(" ")),
        6 => format!("00{code} {}", groups("-")),
        7 if !trunk.is_empty() => format!("+{code} ({trunk}) {}", groups(" ")),
        7 | 8 => format!("{trunk}{}", groups("-")),
        _ => format!("{trunk}{}", groups(".")),
    }
}

fn names(chance: &mut Chance, person: &Person) -> (String, String) {
    let (given, short) = person.given();
    let (first, last) = (given.to_owned(), person.family());
    let ascii = |text: &str| text.chars().map(bare).collect::<String>();
    match chance.below(100) {
        0..=11 => (short.unwrap_or(given).to_owned(), last),
        12..=19 => (ascii(&first), ascii(&last)),
        20..=22 => (digraphs(&first), digraphs(&last)),
        23..=25 => (first.chars().take(1).chain(['.']).collect(), last),
        26 | 27 => (last, first),
        28 | 29 => (String::new(), format!("{last}, {first}")),
        30..=32 => (first.to_uppercase(), last.to_uppercase()),
        33 => (first.to_lowercase(), last.to_lowercase()),
        34..=36 => (first, typo(chance, &last)),
        37 => (typo(chance, &first), last),
        38 | 39 => (String::new(), last),
        40 => (format!("Dr. {first}"), last),
        _ => (first, last),
    }
}

/// The addresses that are truly a person's.
#[derive(Debug)]
pub(super) struct Addresses {
    /// At the employer.
    pub(super) work: String,
    /// At the employer before; the same without a job change.
    pub(super) former: String,
    /// At home.
    pub(super) personal: String,
}

/// Gives the addresses that are truly a person's, free of any record's mistakes.
pub(super) fn addresses(person: &Person, companies: &[Company]) -> Addresses {
    let mut own = Chance::new(person.seed);
    // The number at home comes after the mobile number's digits, as in the records.
    mobile(&mut own, person.culture());
    let number = own.below(9_000) + 1_000;
    let (first, last) = (plain(person.given().0), plain(&person.family()));
    let [work, former] = person.company.map(|place| {
        companies
            .get(place as usize)
            .map(|company| work_address(&first, &last, company))
            .unwrap_or_default()
    });
    Addresses {
        work,
        former,
        personal: format!("{first}.{last}.{number}@gmail.com"),
    }
}

/// Writes a person's name as a mail program shows it; now and then it shows none.
pub(super) fn shown_name(chance: &mut Chance, person: &Person, companies: &[Company]) -> String {
    let (first, last) = names(chance, person);
    let whole = format!("{first} {last}").trim().to_owned();
    match chance.below(100) {
        0..=5 => String::new(),
        6..=15 if !first.is_empty() => format!("{last}, {first}"),
        16..=20 => match companies.get(person.company[0] as usize) {
            Some(company) => format!("{whole} ({})", company.name),
            None => whole,
        },
        21..=23 if !first.is_empty() => first,
        _ => whole,
    }
}

fn plain(text: &str) -> String {
    let text: String = digraphs(text).chars().map(bare).collect();
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_lowercase()
}

fn work_address(first: &str, last: &str, company: &Company) -> String {
    let initial: String = first.chars().take(1).collect();
    let domain = &company.domain;
    match company.pattern {
        0 => format!("{first}.{last}@{domain}"),
        1 => format!("{initial}{last}@{domain}"),
        2 => format!("{first}@{domain}"),
        _ => format!("{last}.{first}@{domain}"),
    }
}

fn email(chance: &mut Chance, own: &mut Chance, person: &Person, company: &Company) -> String {
    let (first, last) = (plain(person.given().0), plain(&person.family()));
    let number = own.below(9_000) + 1_000;
    let domain = &company.domain;
    let work = work_address(&first, &last, company);
    match chance.below(100) {
        0..=7 => String::new(),
        8..=10 => format!(
            "{}@{domain}",
            chance.pick(&["info", "sales", "office", "contact"])
        ),
        11..=16 => format!("{first}.{last}.{number}@gmail.com"),
        17..=19 => format!(
            "{first}{last}{number}+{}@gmail.com",
            chance.pick(&["crm", "news"])
        ),
        20..=22 => format!("{first}{last}{number}@googlemail.com"),
        23..=26 => format!("{first}_{last}{number}@webmail.example"),
        27..=29 => work.to_uppercase(),
        30 | 31 => typo(chance, &work),
        32 => format!("mailto:{work}"),
        33 => "test@test.com".to_owned(),
        _ => work,
    }
}

/// Swaps two neighbours or drops one sign, not at the ends.
fn typo(chance: &mut Chance, text: &str) -> String {
    let mut signs: Vec<char> = text.chars().collect();
    if signs.len() < 4 {
        return text.to_owned();
    }
    let at = chance.below(signs.len() - 3) + 1;
    if chance.percent(50) {
        signs.swap(at, at + 1);
    } else {
        signs.remove(at);
    }
    signs.into_iter().collect()
}

fn digraphs(text: &str) -> String {
    text.replace('ä', "ae")
        .replace('ö', "oe")
        .replace('ü', "ue")
        .replace('ß', "ss")
        .replace('Ö', "Oe")
        .replace('å', "aa")
        .replace('Å', "Aa")
}

/// A letter without its marks.
pub(super) fn bare(sign: char) -> char {
    match sign {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ą' => 'a',
        'Á' | 'Å' => 'A',
        'é' | 'è' | 'ê' | 'ë' | 'ę' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'Í' => 'I',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ō' => 'o',
        'Ö' | 'Ō' => 'O',
        'ú' | 'ù' | 'û' | 'ü' | 'ū' => 'u',
        'ç' | 'ć' => 'c',
        'ñ' | 'ń' => 'n',
        'ł' => 'l',
        'Ł' => 'L',
        'ś' => 's',
        'ż' | 'ź' => 'z',
        'ß' => 's',
        other => other,
    }
}
