//! A script on its way: declarations, statements, and the parameters that they name.

use serde_json::{Value, json};

/// Statements that run as one job.
#[derive(Debug, Default)]
pub(crate) struct Script {
    declarations: Vec<String>,
    statements: Vec<String>,
    parameters: Vec<Value>,
    names: usize,
    /// Statements of the script around this one.
    before: usize,
}

impl Script {
    /// Returns a script of one statement.
    pub(crate) fn of(statement: impl Into<String>) -> Self {
        Self {
            statements: vec![statement.into()],
            ..Self::default()
        }
    }

    /// Returns a script of one statement that may name the same parameters.
    pub(crate) fn beside(&self, statement: impl Into<String>) -> Self {
        Self {
            statements: vec![statement.into()],
            parameters: self.parameters.clone(),
            ..Self::default()
        }
    }

    /// Returns a name that begins so and that no other part of the script has.
    pub(crate) fn name(&mut self, begin: &str) -> String {
        self.names += 1;
        format!("{begin}_{}", self.names)
    }

    /// Adds a statement.
    pub(crate) fn run(&mut self, statement: impl Into<String>) {
        self.statements.push(statement.into());
    }

    /// Declares a number that is zero until it is set; returns its name.
    pub(crate) fn number(&mut self, begin: &str) -> String {
        let name = self.name(begin);
        self.declarations
            .push(format!("DECLARE {name} INT64 DEFAULT 0"));
        name
    }

    /// Lets `write` add a statement that writes rows; returns the name of the number of them.
    pub(crate) fn count(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let rows = self.number("rows");
        write(self);
        self.run(format!("SET {rows} = @@row_count"));
        rows
    }

    /// Returns the place of the next statement, in steps of 100: what stands in a loop may count further.
    pub(crate) fn place(&self) -> usize {
        (self.before + self.statements.len()) * 100
    }

    /// Returns an empty script of statements that will stand in a loop here.
    pub(crate) fn inner(&self) -> Self {
        Self {
            before: self.before + self.statements.len(),
            ..Self::default()
        }
    }

    /// Adds a loop of these statements, which bring neither declarations nor parameters.
    pub(crate) fn repeat(&mut self, condition: &str, inner: Self) {
        debug_assert!(inner.declarations.is_empty() && inner.parameters.is_empty());
        let statements = inner.statements.join("; ");
        self.run(format!("WHILE {condition} DO {statements}; END WHILE"));
    }

    /// Adds a parameter of BigQuery's form; returns how a statement names it.
    pub(crate) fn bind(&mut self, kind: &Value, value: &Value) -> String {
        let name = self.name("value");
        self.parameters.push(json!({
            "name": name,
            "parameterType": kind,
            "parameterValue": value,
        }));
        format!("@{name}")
    }

    /// Adds a text as a parameter; returns how a statement names it.
    pub(crate) fn text(&mut self, text: &str) -> String {
        self.bind(&json!({"type": "STRING"}), &json!({"value": text}))
    }

    /// Adds a number as a parameter; returns how a statement names it.
    pub(crate) fn int(&mut self, number: i64) -> String {
        let value = json!({"value": number.to_string()});
        self.bind(&json!({"type": "INT64"}), &value)
    }

    /// Returns the whole text and the parameters.
    pub(crate) fn parts(&self) -> (String, &[Value]) {
        let all = self.declarations.iter().chain(&self.statements);
        let text: Vec<&str> = all.map(String::as_str).collect();
        (text.join(";\n"), &self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_come_first_and_every_name_is_used_once() {
        let mut script = Script::default();
        script.run("BEGIN TRANSACTION");
        let rows = script.count(|script| script.run("DELETE FROM t WHERE TRUE"));
        let id = script.text("x");
        let (text, parameters) = script.parts();
        assert!(text.starts_with(&format!("DECLARE {rows} INT64 DEFAULT 0;\nBEGIN")));
        assert!(text.ends_with(&format!("SET {rows} = @@row_count")));
        assert_eq!(format!("@{}", parameters[0]["name"].as_str().unwrap()), id);
        assert_ne!(id, format!("@{rows}"));
    }
}
