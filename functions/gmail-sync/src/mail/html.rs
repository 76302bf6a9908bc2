//! HTML to text. Only what a reader would see: no marks, no scripts, no styles, no comments.
//!
//! The marks are told apart by a tokenizer that follows the HTML standard. No tree is built, so neither deep
//! nesting nor unclosed marks cost more than their length.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};

/// Elements whose content is not for readers.
const UNSEEN: [&[u8]; 4] = [b"script", b"style", b"template", b"title"];
/// Elements that begin a line of their own.
const BLOCKS: [&[u8]; 24] = [
    b"address",
    b"article",
    b"blockquote",
    b"br",
    b"caption",
    b"dd",
    b"div",
    b"dl",
    b"dt",
    b"footer",
    b"form",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"header",
    b"hr",
    b"li",
    b"p",
    b"section",
    b"table",
    b"tr",
];
/// Elements that stand apart from what is beside them.
const CELLS: [&[u8]; 2] = [b"td", b"th"];

/// Returns the text of an HTML page, at most about `most_bytes` of it, and whether it goes on.
pub(super) fn to_text(html: &str, most_bytes: usize) -> (String, bool) {
    let mut text = Text::default();
    let mut unseen: Option<Vec<u8>> = None;
    let mut emitter = DefaultEmitter::default();
    // What stands in a script or a style is text, even where it looks like a mark.
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) if unseen.is_none() => {
                if UNSEEN.contains(&tag.name.as_slice()) && !tag.self_closing {
                    unseen = Some(tag.name.to_vec());
                } else {
                    text.mark(&tag.name);
                }
            }
            Token::EndTag(tag) => match &unseen {
                Some(name) if *name == *tag.name => unseen = None,
                Some(_) => {}
                None => text.mark(&tag.name),
            },
            Token::String(found) if unseen.is_none() => {
                text.add(&String::from_utf8_lossy(&found));
            }
            _ => {}
        }
        if text.written.len() > most_bytes {
            return (text.written, true);
        }
    }
    (text.written, false)
}

/// What stands between two words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
}

/// Text whose white space says no more than a page would show.
#[derive(Debug, Default)]
struct Text {
    written: String,
    gap: Gap,
}

impl Text {
    /// Takes note of a mark: it may begin a line, or a cell.
    fn mark(&mut self, name: &[u8]) {
        if BLOCKS.contains(&name) {
            self.gap = Gap::Line;
        } else if CELLS.contains(&name) {
            self.gap = self.gap.max(Gap::Space);
        }
    }

    /// Adds text between marks.
    fn add(&mut self, found: &str) {
        let is_white = |c: char| c.is_ascii_whitespace() || c == '\u{a0}';
        for (at, word) in found.split(is_white).enumerate() {
            if at > 0 {
                self.gap = self.gap.max(Gap::Space);
            }
            if word.is_empty() {
                continue;
            }
            match self.gap {
                _ if self.written.is_empty() => {}
                Gap::None => {}
                Gap::Space => self.written.push(' '),
                Gap::Line => self.written.push('\n'),
            }
            self.written.push_str(word);
            self.gap = Gap::None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_reader_sees_stays() {
        for (html, expected) in [
            ("<p>One</p><p>two &amp; three</p>", "One\ntwo & three"),
            ("a<br>b<br/>c", "a\nb\nc"),
            ("<b>bo</b>ld", "bold"),
            ("<td>a</td><td>b</td>", "a b"),
            ("x<script>if (a < b) { alert('</p>') }</script>y", "xy"),
            ("x<style>p { color: red }</style>y", "xy"),
            ("<title>t</title>x<!-- c --><![endif]-->y", "xy"),
            (
                "a &lt;b&gt; &#8364; &nbsp; &copy &nosuch;",
                "a <b> € © &nosuch;",
            ),
            ("<a href='x>y'>link</a>", "link"),
            ("a\r\n   b\tc", "a b c"),
            ("<script>never ends", ""),
            ("1 < 2 and <", "1 < 2 and <"),
            ("<p", ""),
            ("", ""),
        ] {
            assert_eq!(to_text(html, 1_000).0, expected, "{html}");
        }
    }

    #[test]
    fn no_nesting_is_too_deep_and_no_text_too_long() {
        let deep = "<div><b>".repeat(100_000);
        assert_eq!(to_text(&format!("{deep}x"), 1_000), ("x".to_owned(), false));
        let long = "<p>word</p>".repeat(1_000);
        let (text, goes_on) = to_text(&long, 100);
        assert!(goes_on && text.len() < 120);
    }
}
