//! Address lists without what the standard permits and nobody needs, so that the parser meets only plain ones:
//! comments, white space inside of an address, brackets and quotes that never close.

/// Rewrites a list of addresses. A comment stays only where it is the one name that an address has, as older
/// programs wrote it (RFC 5322, 3.4): `maria@acme.example (Maria Luz)`.
pub(super) fn plain(list: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = list;
    while let Some(character) = rest.chars().next() {
        let taken = writer.take(character, rest);
        rest = rest.get(taken.max(1)..).unwrap_or_default();
    }
    writer.end_mailbox();
    writer.written
}

/// A list that is written anew, mailbox by mailbox.
#[derive(Debug, Default)]
struct Writer {
    written: String,
    mailbox: Mailbox,
    /// Set once a quote or a comment was found not to end: no later one will be looked for.
    quotes_end: Ending,
    comments_end: Ending,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Ending {
    #[default]
    Expected,
    Missing,
}

/// What is known of the mailbox that is being written.
#[derive(Debug, Default)]
struct Mailbox {
    /// Where it begins.
    begin: usize,
    bracket: Bracket,
    has_at: bool,
    /// Its mailbox is a quoted text.
    is_quoted: bool,
    comments: String,
}

/// Where the writer is, as angle brackets go.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    #[default]
    None,
    Open,
    /// Open, and nothing will close it.
    Unclosed,
    Closed,
}

impl Writer {
    /// Takes the next character, or what begins with it, and returns the length of that.
    fn take(&mut self, character: char, rest: &str) -> usize {
        let is_open = matches!(self.mailbox.bracket, Bracket::Open | Bracket::Unclosed);
        match character {
            '"' => return self.take_quoted(rest),
            '(' => return self.take_comment(rest),
            '<' if !is_open => {
                let ahead = rest.get(1..).unwrap_or_default();
                let closes = ahead
                    .find(['<', '>'])
                    .is_some_and(|at| ahead.get(at..).is_some_and(|found| found.starts_with('>')));
                self.mailbox.bracket = if closes {
                    Bracket::Open
                } else {
                    Bracket::Unclosed
                };
                self.written.push('<');
            }
            '>' if is_open => {
                self.mailbox.bracket = Bracket::Closed;
                self.written.push('>');
            }
            // A bracket that opens in a bracket, or closes none.
            '<' | '>' => {}
            ',' | ';' | ':' if self.mailbox.bracket != Bracket::Open => {
                if character == ':' {
                    // It was the name of a group.
                    self.mailbox.comments.clear();
                }
                self.end_mailbox();
                self.written.push(character);
                self.mailbox.begin = self.written.len();
            }
            _ if is_open && character.is_whitespace() => {}
            _ => {
                self.mailbox.has_at |= character == '@';
                self.written.push(character);
            }
        }
        character.len_utf8()
    }

    /// Takes a quoted text as it is; a quote that does not end is passed over.
    fn take_quoted(&mut self, rest: &str) -> usize {
        let length = match self.quotes_end {
            Ending::Expected => closing(rest, '"'),
            Ending::Missing => None,
        };
        let Some(length) = length else {
            self.quotes_end = Ending::Missing;
            return 1;
        };
        let (quoted, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        self.mailbox.is_quoted |=
            self.mailbox.bracket == Bracket::None && after.trim_start().starts_with('@');
        self.written.push_str(quoted);
        length
    }

    /// Puts a comment aside; one that does not end loses its bracket.
    fn take_comment(&mut self, rest: &str) -> usize {
        let length = match self.comments_end {
            Ending::Expected => closing(rest, ')'),
            Ending::Missing => None,
        };
        let Some(length) = length else {
            self.comments_end = Ending::Missing;
            return 1;
        };
        let comment = rest.get(..length).unwrap_or_default();
        if !self.mailbox.comments.is_empty() {
            self.mailbox.comments.push(' ');
        }
        let text = comment.replace(['(', ')', '\\'], "");
        self.mailbox.comments.push_str(&text);
        length
    }

    /// Closes what is open, and adds the comments where they are the name.
    fn end_mailbox(&mut self) {
        let mailbox = std::mem::take(&mut self.mailbox);
        match mailbox.bracket {
            Bracket::Open | Bracket::Unclosed => self.written.push('>'),
            Bracket::None if mailbox.is_quoted => {
                self.written.insert(mailbox.begin, '<');
                self.written.push('>');
            }
            Bracket::None | Bracket::Closed => {}
        }
        if mailbox.bracket == Bracket::None && mailbox.has_at && !mailbox.comments.is_empty() {
            self.written.push_str(" (");
            self.written.push_str(&mailbox.comments);
            self.written.push(')');
        }
    }
}

/// Returns the length of the quoted text or the comment that a text begins with.
fn closing(text: &str, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            _ if character == close && (depth == 1 || close == '"' && at > 0) => {
                return Some(at + close.len_utf8());
            }
            ')' => depth = depth.saturating_sub(1),
            '(' => depth += 1,
            _ => {}
        }
    }
    None
}

/// Cuts what stands in the place of an address into the name in front of it and the addresses; there may be
/// several where a comma was forgotten, and none where it is no address.
pub(super) fn addresses(text: &str) -> (String, Vec<String>) {
    let text = match text.rsplit_once(':') {
        // A route that mail took forty years ago.
        Some((route, address)) if route.starts_with('@') => address,
        _ => text,
    };
    if text.contains('"') {
        return (String::new(), vec![text.trim().to_owned()]);
    }
    let joined = joined(text);
    let (mut name, mut found) = (Vec::new(), Vec::new());
    for word in joined.split_whitespace() {
        if word.contains('@') || !found.is_empty() {
            found.push(word.to_owned());
        } else {
            name.push(word);
        }
    }
    if found.is_empty() {
        return (String::new(), vec![joined]);
    }
    found.retain(|word| word.contains('@'));
    (name.join(" "), found)
}

/// Takes out the white space beside dots and at signs.
fn joined(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let belongs = joined.ends_with(['@', '.']) || word.starts_with(['@', '.']);
        if !joined.is_empty() && !belongs {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_white_space_go_and_what_is_open_is_closed() {
        for (list, expected) in [
            ("a@b.example", "a@b.example"),
            ("M (x) L <a@b.example (y)>", "M  L <a@b.example>"),
            ("a@b.example (M \\(x\\) L)", "a@b.example  (M x L)"),
            ("a(x)@b.example", "a@b.example (x)"),
            ("\"M, (x)\" <a@b.example>", "\"M, (x)\" <a@b.example>"),
            ("<a . b @ c.example>", "<a.b@c.example>"),
            (
                "M <a@b.example, c@d.example",
                "M <a@b.example>, c@d.example",
            ),
            ("\"M <a@b.example>", "M <a@b.example>"),
            ("M (x <a@b.example>", "M x <a@b.example>"),
            ("\"M L\"@b.example", "<\"M L\"@b.example>"),
            ("G (x): (y) a@b.example;(z)", "G :  a@b.example (y);"),
            (
                "<@x.example,@y.example:a@b.example>",
                "<@x.example,@y.example:a@b.example>",
            ),
            ("ä(ö)ü <a@b.example>", "äü <a@b.example>"),
        ] {
            assert_eq!(plain(list), expected, "{list}");
        }
    }

    #[test]
    fn a_forgotten_comma_and_a_route_cost_no_address() {
        for (text, name, addresses) in [
            ("a@b.example", "", &["a@b.example"][..]),
            ("a . c @ b . example", "", &["a.c@b.example"]),
            ("Maria Luz a@b.example", "Maria Luz", &["a@b.example"]),
            (
                "a@b.example c@d.example",
                "",
                &["a@b.example", "c@d.example"],
            ),
            ("@x.example:a@b.example", "", &["a@b.example"]),
            ("\"a b\"@c.example", "", &["\"a b\"@c.example"]),
            ("nobody", "", &["nobody"]),
        ] {
            let (found_name, found) = super::addresses(text);
            assert_eq!(
                (found_name.as_str(), found),
                (name, addresses.iter().map(|it| (*it).to_owned()).collect())
            );
        }
    }
}
