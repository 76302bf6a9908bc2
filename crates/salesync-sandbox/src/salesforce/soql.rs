//! SOQL: the part that reads one object's rows.
//!
//! `SELECT fields | COUNT() FROM object [WHERE …] [ORDER BY …] [LIMIT n] [OFFSET n]`; as at the
//! vendor, AND and OR do not mix without parentheses.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::store::parse_time;

/// A query, taken apart but not yet held against an object's fields.
#[derive(Debug, PartialEq)]
pub(crate) struct Soql {
    /// The chosen fields; none for `COUNT()`.
    pub(crate) fields: Option<Vec<String>>,
    /// The object.
    pub(crate) object: String,
    /// The condition.
    pub(crate) filter: Option<Expr>,
    /// Fields to sort by, and whether downwards.
    pub(crate) order: Vec<(String, Direction)>,
    /// How many rows at most.
    pub(crate) limit: Option<usize>,
    /// How many rows to leave out.
    pub(crate) offset: usize,
}

/// Which way to sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Upwards.
    Ascending,
    /// Downwards.
    Descending,
}

/// A condition.
#[derive(Debug, PartialEq)]
pub(crate) enum Expr {
    /// All must hold.
    All(Vec<Expr>),
    /// One must hold.
    Any(Vec<Expr>),
    /// It must not hold.
    Not(Box<Expr>),
    /// A field against a literal.
    Compare(String, Operator, Literal),
    /// A field against a list of literals.
    In(String, Vec<Literal>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=`
    Equal,
    /// `!=` or `<>`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `LIKE`
    Like,
}

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    /// In quotes.
    Text(String),
    /// A number.
    Number(f64),
    /// `true` or `false`
    Flag(bool),
    /// `null`
    Null,
    /// A date and time without quotes, in milliseconds since 1970.
    DateTime(i64),
    /// A date without quotes, in milliseconds since 1970.
    Date(i64),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(&'static str),
}

impl Soql {
    /// Takes a query apart.
    ///
    /// # Errors
    ///
    /// The message of the vendor's `MALFORMED_QUERY`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Parser {
            tokens: tokens(text)?.into_iter().peekable(),
        }
        .query()
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let next = signs.peek().copied();
        let followed = |wanted: char| next == Some(wanted);
        let token = match sign {
            _ if sign.is_whitespace() => continue,
            '\'' => Token::Text(quoted(&mut signs)?),
            '(' => Token::Sign("("),
            ')' => Token::Sign(")"),
            ',' => Token::Sign(","),
            '=' => Token::Sign("="),
            '<' if followed('=') => Token::Sign("<="),
            '<' if followed('>') => Token::Sign("<>"),
            '<' => Token::Sign("<"),
            '>' if followed('=') => Token::Sign(">="),
            '>' => Token::Sign(">"),
            '!' if followed('=') => Token::Sign("!="),
            _ if sign.is_ascii_alphanumeric() || "_-+".contains(sign) => {
                let mut word = String::from(sign);
                while let Some(next) =
                    signs.next_if(|next| next.is_ascii_alphanumeric() || "_.:+-".contains(*next))
                {
                    word.push(next);
                }
                Token::Word(word)
            }
            _ => return Err(format!("unexpected token: '{sign}'")),
        };
        if matches!(token, Token::Sign("<=" | "<>" | ">=" | "!=")) {
            signs.next();
        }
        tokens.push(token);
    }
    Ok(tokens)
}

fn quoted(signs: &mut Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(sign) = signs.next() {
        match sign {
            '\'' => return Ok(text),
            '\\' => match signs.next() {
                Some('n' | 'N') => text.push('\n'),
                Some('r' | 'R') => text.push('\r'),
                Some('t' | 'T') => text.push('\t'),
                Some(known @ ('\'' | '"' | '\\' | '_' | '%')) => text.push(known),
                _ => return Err("Illegal string literal: invalid escape".to_owned()),
            },
            _ => text.push(sign),
        }
    }
    Err("line breaks not allowed in string literals or missing quote".to_owned())
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
}

impl Parser {
    fn query(mut self) -> Result<Soql, String> {
        self.keyword("SELECT")?;
        let fields = self.fields()?;
        self.keyword("FROM")?;
        let object = self.word()?;
        let filter = if self.take_keyword("WHERE") {
            Some(self.condition()?)
        } else {
            None
        };
        let order = if self.take_keyword("ORDER") {
            self.order()?
        } else {
            Vec::new()
        };
        let limit = if self.take_keyword("LIMIT") {
            Some(self.number()?)
        } else {
            None
        };
        let offset = if self.take_keyword("OFFSET") {
            self.number()?
        } else {
            0
        };
        match self.tokens.next() {
            Some(token) => Err(unexpected(Some(&token))),
            None => Ok(Soql {
                fields,
                object,
                filter,
                order,
                limit,
                offset,
            }),
        }
    }

    fn fields(&mut self) -> Result<Option<Vec<String>>, String> {
        let mut fields = vec![self.word()?];
        if fields
            .iter()
            .any(|field| field.eq_ignore_ascii_case("COUNT"))
            && self.take_sign("(")
        {
            self.sign(")")?;
            return Ok(None);
        }
        while self.take_sign(",") {
            fields.push(self.word()?);
        }
        Ok(Some(fields))
    }

    fn condition(&mut self) -> Result<Expr, String> {
        let first = self.term()?;
        let mut terms = vec![first];
        let word = if self.peeks("AND") { "AND" } else { "OR" };
        while self.take_keyword(word) {
            terms.push(self.term()?);
        }
        if self.peeks("AND") || self.peeks("OR") {
            return Err(unexpected(self.tokens.peek()));
        }
        match (terms.len(), word) {
            (1, _) => terms.pop().ok_or_else(|| unexpected(None)),
            (_, "AND") => Ok(Expr::All(terms)),
            _ => Ok(Expr::Any(terms)),
        }
    }

    fn term(&mut self) -> Result<Expr, String> {
        if self.take_sign("(") {
            let inner = self.condition()?;
            self.sign(")")?;
            return Ok(inner);
        }
        if self.take_keyword("NOT") {
            return Ok(Expr::Not(Box::new(self.term()?)));
        }
        let field = self.word()?;
        if self.take_keyword("NOT") {
            self.keyword("IN")?;
            return Ok(Expr::Not(Box::new(Expr::In(field, self.list()?))));
        }
        if self.take_keyword("IN") {
            return Ok(Expr::In(field, self.list()?));
        }
        if self.take_keyword("LIKE") {
            return Ok(Expr::Compare(field, Operator::Like, self.literal()?));
        }
        let operator = match self.tokens.next() {
            Some(Token::Sign("=")) => Operator::Equal,
            Some(Token::Sign("!=" | "<>")) => Operator::Unequal,
            Some(Token::Sign("<")) => Operator::Less,
            Some(Token::Sign("<=")) => Operator::LessOrEqual,
            Some(Token::Sign(">")) => Operator::Greater,
            Some(Token::Sign(">=")) => Operator::GreaterOrEqual,
            other => return Err(unexpected(other.as_ref())),
        };
        Ok(Expr::Compare(field, operator, self.literal()?))
    }

    fn list(&mut self) -> Result<Vec<Literal>, String> {
        self.sign("(")?;
        let mut literals = vec![self.literal()?];
        while self.take_sign(",") {
            literals.push(self.literal()?);
        }
        self.sign(")")?;
        Ok(literals)
    }

    fn literal(&mut self) -> Result<Literal, String> {
        let token = self.tokens.next();
        let word = match &token {
            Some(Token::Text(text)) => return Ok(Literal::Text(text.clone())),
            Some(Token::Word(word)) => word,
            other => return Err(unexpected(other.as_ref())),
        };
        match word.to_lowercase().as_str() {
            "true" => return Ok(Literal::Flag(true)),
            "false" => return Ok(Literal::Flag(false)),
            "null" => return Ok(Literal::Null),
            _ => {}
        }
        if let Ok(number) = word.parse() {
            return Ok(Literal::Number(number));
        }
        match parse_time(word) {
            Some(ms) if word.contains('T') => Ok(Literal::DateTime(ms)),
            Some(ms) => Ok(Literal::Date(ms)),
            None => Err(unexpected(token.as_ref())),
        }
    }

    fn order(&mut self) -> Result<Vec<(String, Direction)>, String> {
        self.keyword("BY")?;
        let mut order = Vec::new();
        loop {
            let field = self.word()?;
            let down = self.take_keyword("DESC");
            if !down {
                self.take_keyword("ASC");
            }
            // Nulls come first upwards and last downwards, whatever is asked.
            if self.take_keyword("NULLS") && !self.take_keyword("FIRST") {
                self.keyword("LAST")?;
            }
            order.push((
                field,
                if down {
                    Direction::Descending
                } else {
                    Direction::Ascending
                },
            ));
            if !self.take_sign(",") {
                return Ok(order);
            }
        }
    }

    fn number(&mut self) -> Result<usize, String> {
        match self.tokens.next() {
            Some(Token::Word(word)) => word
                .parse()
                .map_err(|_| format!("unexpected token: '{word}'")),
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn word(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(word)) if word.starts_with(|sign: char| sign.is_alphabetic()) => {
                Ok(word)
            }
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), String> {
        if self.take_keyword(keyword) {
            Ok(())
        } else {
            Err(unexpected(self.tokens.peek()))
        }
    }

    fn peeks(&mut self, keyword: &str) -> bool {
        matches!(self.tokens.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.peeks(keyword);
        if found {
            self.tokens.next();
        }
        found
    }

    fn sign(&mut self, sign: &str) -> Result<(), String> {
        if self.take_sign(sign) {
            Ok(())
        } else {
            Err(unexpected(self.tokens.peek()))
        }
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        self.tokens
            .next_if(|token| matches!(token, Token::Sign(known) if *known == sign))
            .is_some()
    }
}

fn unexpected(token: Option<&Token>) -> String {
    match token {
        Some(Token::Word(word)) => format!("unexpected token: '{word}'"),
        Some(Token::Text(text)) => format!("unexpected token: '{text}'"),
        Some(Token::Sign(sign)) => format!("unexpected token: '{sign}'"),
        None => "unexpected token: '<EOF>'".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_vendor_refuses_is_refused() {
        for wrong in [
            "",
            "SELECT FROM Contact",
            "SELECT Id Contact",
            "SELECT Id FROM Contact WHERE",
            "SELECT Id FROM Contact WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
            "SELECT Id FROM Contact WHERE Name = 'open",
            r"SELECT Id FROM Contact WHERE Name = 'a\x'",
            // A plus sign that was not percent-encoded arrives as a space.
            "SELECT Id FROM Contact WHERE SystemModstamp > 2026-10-01T00:00:00 00:00",
            "SELECT Id FROM Contact WHERE SystemModstamp > yesterday-ish",
            "SELECT Id FROM Contact LIMIT x",
            "SELECT Id FROM Contact; DROP",
            "SELECT Id FROM Contact ORDER Id",
            "SELECT Id, FROM Contact",
            "SELECT Id FROM Contact WHERE (Name = 'a'",
            "SELECT COUNT( FROM Contact",
        ] {
            assert!(Soql::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_keyset_condition_reads_as_it_is_written() {
        let query = Soql::parse(
            "select Id from Contact where (SystemModstamp > 2026-10-01T00:00:00Z or \
             (SystemModstamp = 2026-10-01T00:00:00.000+0000 and Id > '003')) and Name != 'O\\'B' \
             order by SystemModstamp asc, Id limit 2000 offset 3",
        )
        .unwrap();
        let Some(Expr::All(terms)) = &query.filter else {
            panic!("{query:?}")
        };
        assert!(matches!(&terms[0], Expr::Any(pair) if pair.len() == 2));
        let text = Literal::Text("O'B".to_owned());
        assert_eq!(
            terms[1],
            Expr::Compare("Name".to_owned(), Operator::Unequal, text)
        );
        assert_eq!(
            (query.limit, query.offset, query.order.len()),
            (Some(2_000), 3, 2)
        );
        assert_eq!(
            Soql::parse("SELECT COUNT() FROM Lead").unwrap().fields,
            None
        );
    }
}
