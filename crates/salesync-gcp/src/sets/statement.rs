//! Statements over the work tables of one resolve.

use salesync_core::error::Result;
use serde_json::json;

use crate::api::{Api, Rows};
use crate::script::Script;

/// A statement, or several that run as one job. In its text `{name}` is a work table, `{published.name}` one of the
/// dataset, and `@name` a value.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    api: &'a Api,
    work: &'a str,
    text: &'static str,
    tables: Vec<(&'static str, String)>,
    values: Vec<(&'static str, String)>,
    script: Script,
}

impl<'a> Statement<'a> {
    /// Begins a statement of the resolve whose work tables have this prefix.
    pub(super) fn new(api: &'a Api, work: &'a str, text: &'static str) -> Self {
        Self {
            api,
            work,
            text,
            tables: Vec::new(),
            values: Vec::new(),
            script: Script::default(),
        }
    }

    /// Says what stands for a name in braces.
    pub(super) fn table(mut self, name: &'static str, relation: impl Into<String>) -> Self {
        self.tables.push((name, relation.into()));
        self
    }

    /// Binds a text.
    pub(super) fn text(mut self, name: &'static str, text: &str) -> Self {
        let bound = self.script.text(text);
        self.values.push((name, bound));
        self
    }

    /// Binds a whole number.
    pub(super) fn int(mut self, name: &'static str, number: i64) -> Self {
        let bound = self.script.int(number);
        self.values.push((name, bound));
        self
    }

    /// Binds a number.
    pub(super) fn float(mut self, name: &'static str, number: f64) -> Self {
        let value = json!({"value": number.to_string()});
        let bound = self.script.bind(&json!({"type": "FLOAT64"}), &value);
        self.values.push((name, bound));
        self
    }

    /// Binds a yes or no.
    pub(super) fn flag(mut self, name: &'static str, is_so: bool) -> Self {
        let value = json!({"value": is_so.to_string()});
        let bound = self.script.bind(&json!({"type": "BOOL"}), &value);
        self.values.push((name, bound));
        self
    }

    /// Runs it, and returns the rows of its last query.
    pub(super) async fn run(mut self, operation: &'static str) -> Result<Rows> {
        let text = self.filled();
        self.script.run(text);
        self.api.run(operation, &self.script).await
    }

    /// Returns the text with names and values in their places.
    fn filled(&self) -> String {
        let mut filled = String::with_capacity(self.text.len() * 2);
        let mut rest = self.text;
        while let Some(at) = rest.find(['{', '@']) {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            let is_table = from.starts_with('{');
            let named = from.get(1..).unwrap_or_default();
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_.".contains(letter);
            let end = named.find(|letter| !is_part(letter)).unwrap_or(named.len());
            let (name, after) = named.split_at(end);
            let bound = self.values.iter().find(|(known, _)| *known == name);
            rest = match (is_table, after.strip_prefix('}'), bound) {
                (true, Some(after), _) if !name.is_empty() => {
                    filled.push_str(&self.relation(name));
                    after
                }
                (false, _, Some((_, bound))) => {
                    filled.push_str(bound);
                    after
                }
                // What only looks like a name.
                _ => {
                    filled.push_str(from.get(..1).unwrap_or_default());
                    named
                }
            };
        }
        filled.push_str(rest);
        filled.trim_end().to_owned()
    }

    fn relation(&self, name: &str) -> String {
        let given = self.tables.iter().find(|(known, _)| *known == name);
        match (given, name.strip_prefix("published.")) {
            (Some((_, relation)), _) => relation.clone(),
            (None, Some(published)) => self.api.named(published),
            (None, None) => self.api.staged(&format!("{}_{name}", self.work)),
        }
    }
}
