//! The views for operators and analysts, written once: each definition is one that DuckDB and BigQuery understand.

/// A view.
#[derive(Debug, Clone, Copy, Hash)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// What it shows, for its comment.
    pub comment: &'static str,
    definition: &'static str,
}

impl View {
    /// Returns the query of the view; `before` is what stands before a table's name: nothing, or a schema and a dot.
    #[must_use]
    pub fn definition(&self, before: &str) -> String {
        self.definition.replace("$schema.", before)
    }
}

/// All views; one may build on those before it.
pub static VIEWS: [View; 7] = [
    View {
        name: "etl_runs",
        comment: "The runs: one row for each run of each stream, as it stands",
        definition: include_str!("etl_runs.sql"),
    },
    View {
        name: "dead_letters",
        comment: "The records that were set aside: one row each, as it stands",
        definition: include_str!("dead_letters.sql"),
    },
    View {
        name: "data_freshness",
        comment: "For each stream: up to when nothing is missing, and its last run that succeeded",
        definition: include_str!("data_freshness.sql"),
    },
    View {
        name: "match_overrides",
        comment: "What people decided about pairs of records and what still holds: one row for each pair",
        definition: include_str!("match_overrides.sql"),
    },
    View {
        name: "match_rates",
        comment: "For each stream: how many of its records were found elsewhere too, by mailbox and by phone",
        definition: include_str!("match_rates.sql"),
    },
    View {
        name: "person_timeline",
        comment: "For each person: the interactions that they took part in or that are about them, one row each",
        definition: include_str!("person_timeline.sql"),
    },
    // Amounts of different currencies are never added, so they are JSON by currency, as text that both warehouses
    // write alike: currencies by their codes, numbers without zeros at their ends. Months are those of UTC, the newest
    // first. What is planned or due later than now has not happened and counts nowhere.
    View {
        name: "account_overview",
        comment: "For each company: its people, its deals, and what happened with it up to now, one row each",
        definition: include_str!("account_overview.sql"),
    },
];
