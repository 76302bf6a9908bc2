//! The `q` of a list, as far as it goes here: words, and `from:`, `to:`, `cc:`, `subject:`,
//! `rfc822msgid:`, `label:`, `in:`, `is:`, `has:attachment`, `after:` and `before:`, each also
//! after a minus sign. Another operator is a word like any other.

use super::letter::{id_of, parties, subject_of};
use super::messages::{mail_of, view};
use crate::store::parse_time;
use crate::world::{Copy, GmailSide, IMPORTANT, Labels, Mailbox, SPAM, STARRED, TRASH, UNREAD};

/// One condition.
#[derive(Debug)]
enum Test {
    Party(&'static [&'static str], String),
    Subject(String),
    MessageId(String),
    Label(Option<u16>),
    Read,
    Attachment,
    After(i64),
    Before(i64),
    Word(String),
    Anything,
}

/// What is searched for: all conditions hold, or do not where they are negated.
#[derive(Debug)]
pub(super) struct Search {
    tests: Vec<(Test, bool)>,
}

impl Search {
    /// Reads a query.
    pub(super) fn new(query: &str, labels: &Labels) -> Self {
        let tests = words(query)
            .into_iter()
            .map(|word| match word.strip_prefix('-') {
                Some(rest) => (test(rest, labels), false),
                None => (test(&word, labels), true),
            })
            .collect();
        Self { tests }
    }

    /// Whether it looks into spam and trash as well.
    pub(super) fn reaches_hidden(&self) -> bool {
        self.tests.iter().any(|(test, wanted)| {
            let hidden = match test {
                Test::Label(Some(number)) => [SPAM, TRASH].contains(number),
                Test::Anything => true,
                _ => false,
            };
            hidden && *wanted
        })
    }

    /// Whether it finds a copy.
    pub(super) fn finds(&self, side: &GmailSide, mailbox: &Mailbox, copy: &Copy) -> bool {
        self.tests
            .iter()
            .all(|(test, wanted)| holds(test, side, mailbox, copy).unwrap_or(false) == *wanted)
    }
}

/// Cuts a query into words; quotes hold several together.
fn words(query: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quoted = false;
    for sign in query.chars() {
        match sign {
            '"' => quoted = !quoted,
            sign if sign.is_whitespace() && !quoted => found.push(String::new()),
            sign => {
                if let Some(word) = found.last_mut() {
                    word.push(sign);
                }
            }
        }
    }
    found.retain(|word| !word.is_empty());
    found
}

fn test(word: &str, labels: &Labels) -> Test {
    let (operator, value) = word.split_once(':').unwrap_or(("", word));
    let lower = value.to_lowercase();
    match operator.to_lowercase().as_str() {
        "from" => Test::Party(&["from"], lower),
        "to" => Test::Party(&["to", "cc", "bcc"], lower),
        "cc" => Test::Party(&["cc"], lower),
        "subject" => Test::Subject(lower),
        "rfc822msgid" => Test::MessageId(lower),
        "in" if lower == "anywhere" => Test::Anything,
        "in" | "label" => Test::Label(labels.named(value)),
        "is" => match lower.as_str() {
            "unread" => Test::Label(Some(UNREAD)),
            "starred" => Test::Label(Some(STARRED)),
            "important" => Test::Label(Some(IMPORTANT)),
            "read" => Test::Read,
            _ => Test::Label(None),
        },
        "has" if lower == "attachment" => Test::Attachment,
        "after" | "newer" => Test::After(instant(value)),
        "before" | "older" => Test::Before(instant(value)),
        _ => Test::Word(word.to_lowercase()),
    }
}

/// A day with slashes, or seconds since 1970.
fn instant(value: &str) -> i64 {
    match value.parse::<i64>() {
        Ok(secs) => secs.saturating_mul(1_000),
        Err(_) => parse_time(&value.replace('/', "-")).unwrap_or(0),
    }
}

fn holds(test: &Test, side: &GmailSide, mailbox: &Mailbox, copy: &Copy) -> Option<bool> {
    let letter = side.letter(copy)?;
    let named = |roles: &[&str], text: &str| {
        parties(side, letter, view(mailbox, copy))
            .iter()
            .any(|party| {
                roles.contains(&party.role)
                    && (party.address.to_lowercase().contains(text)
                        || party.name.to_lowercase().contains(text))
            })
    };
    let subject = |text: &str| subject_of(side, letter).to_lowercase().contains(text);
    Some(match test {
        Test::Party(roles, text) => named(roles, text),
        Test::Subject(text) => subject(text),
        Test::MessageId(text) => id_of(side, letter).is_some_and(|id| {
            let bare = |id: &str| id.trim_matches(['<', '>']).to_lowercase();
            bare(&id) == bare(text)
        }),
        Test::Label(number) => number.is_some_and(|number| copy.labels.has(number)),
        Test::Read => !copy.labels.has(UNREAD),
        Test::Attachment => {
            let mail = mail_of(side, mailbox, copy)?;
            mail.body.all().iter().any(|part| !part.filename.is_empty())
        }
        Test::After(ms) => letter.at_ms >= *ms,
        Test::Before(ms) => letter.at_ms < *ms,
        Test::Word(text) => {
            let snippet = mail_of(side, mailbox, copy)?.snippet().to_lowercase();
            subject(text) || snippet.contains(text) || named(&["from", "to", "cc", "bcc"], text)
        }
        Test::Anything => true,
    })
}
