//! One state of one record: its values as ready JSON fragments in one piece of text.

use serde_json::Value;

/// The values of one record at one time. A value that is absent or null is an empty fragment.
#[derive(Debug)]
pub(crate) struct Version {
    /// When the vendor says that it was changed, in milliseconds since 1970.
    pub(crate) time_ms: i64,
    text: Box<str>,
    ends: Box<[u32]>,
}

impl Version {
    /// Gives one column's JSON fragment; empty for null, also for columns added later.
    pub(crate) fn fragment(&self, column: usize) -> &str {
        let Some(&end) = self.ends.get(column) else {
            return "";
        };
        let start = match column.checked_sub(1) {
            Some(previous) => self.ends.get(previous).copied().unwrap_or(0),
            None => 0,
        };
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    /// Gives one column's text without the quotes, unescaped.
    pub(crate) fn text(&self, column: usize) -> String {
        match serde_json::from_str(self.fragment(column)) {
            Ok(Value::String(text)) => text,
            Ok(other) => other.to_string(),
            Err(_) => String::new(),
        }
    }

    /// How many columns it was written with.
    pub(crate) fn width(&self) -> usize {
        self.ends.len()
    }
}

/// Collects the fragments of one version; reusable, so that a million records share its buffers.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    fragments: Vec<String>,
}

impl Draft {
    /// Starts with all columns null.
    pub(crate) fn clear(&mut self, width: usize) {
        self.fragments.iter_mut().for_each(String::clear);
        self.fragments
            .resize_with(width.max(self.fragments.len()), String::new);
        self.fragments.truncate(width);
    }

    /// Starts from an existing version.
    pub(crate) fn load(&mut self, version: &Version, width: usize) {
        self.clear(width.max(version.width()));
        for (column, fragment) in self.fragments.iter_mut().enumerate() {
            fragment.push_str(version.fragment(column));
        }
    }

    /// Sets a column to a text.
    pub(crate) fn text(&mut self, column: usize, text: &str) {
        if let Some(fragment) = self.slot(column) {
            push_json_text(fragment, text);
        }
    }

    /// Sets a column to a ready JSON fragment; empty means null.
    pub(crate) fn raw(&mut self, column: usize, json: &str) {
        if let Some(fragment) = self.slot(column) {
            fragment.push_str(json);
        }
    }

    /// Sets a column to what `write` appends between quotes; it must need no escaping.
    pub(crate) fn quoted(&mut self, column: usize, write: impl FnOnce(&mut String)) {
        if let Some(fragment) = self.slot(column) {
            fragment.push('"');
            write(fragment);
            fragment.push('"');
        }
    }

    /// Makes the version; the draft keeps its contents until it is cleared.
    pub(crate) fn finish(&self, time_ms: i64) -> Version {
        let mut text = String::with_capacity(self.fragments.iter().map(String::len).sum());
        let ends = self
            .fragments
            .iter()
            .map(|fragment| {
                text.push_str(fragment);
                u32::try_from(text.len()).unwrap_or(u32::MAX)
            })
            .collect();
        Version {
            time_ms,
            text: text.into_boxed_str(),
            ends,
        }
    }

    fn slot(&mut self, column: usize) -> Option<&mut String> {
        if column != usize::MAX && column >= self.fragments.len() {
            self.fragments
                .resize_with(column.saturating_add(1), String::new);
        }
        let fragment = self.fragments.get_mut(column)?;
        fragment.clear();
        Some(fragment)
    }
}

/// Appends a text as a JSON string with its quotes.
pub(crate) fn push_json_text(out: &mut String, text: &str) {
    if text
        .bytes()
        .any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        out.push_str(&Value::from(text).to_string());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}
