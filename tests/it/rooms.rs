//! Keeps the house: each line in its room, each list in step with what it lists, files and names as agreed.
//!
//! The tests read the checkout as text. A failure says what to do.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use salesync_core::error::{Class, Code};
use salesync_core::plain::PlainTable;
use salesync_core::schema::SYSTEM_COLUMNS;
use salesync_core::{dead_letter, ledger, publish, run, warehouse};

/// No file of Rust is longer.
const MOST_LINES: usize = 700;
/// Words that say nothing, or another thing than the glossary's word.
const NEVER_NAMES: [&str; 10] = [
    "bookmark",
    "common",
    "connector",
    "helper",
    "helpers",
    "manager",
    "sink",
    "tap",
    "util",
    "utils",
];
/// Words that only a vendor may use.
const VENDORS_NAMES: [&str; 8] = [
    "destination",
    "info",
    "item",
    "job",
    "object",
    "pipeline",
    "payload",
    "task",
];
/// Where a vendor's words are at home.
const VENDORS_ROOMS: [&str; 3] = [
    "functions/",
    "crates/salesync-gcp/",
    "crates/salesync-sandbox/",
];
/// Where no vendor's name stands in the code.
const ROOMS_WITHOUT_VENDORS: [&str; 6] = [
    "crates/salesync-aws/",
    "crates/salesync-core/",
    "crates/salesync-http/",
    "crates/salesync-duckdb/",
    "crates/salesync-gcp/",
    "crates/salesync-host/",
];

/// A file of the checkout.
pub(crate) struct File {
    /// From the root of the checkout, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Returns the numbered lines of the code: neither comments nor what follows `#[cfg(test)]`.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.path.ends_with("/tests.rs") || self.path.contains("/tests/");
        let lines = self
            .text
            .lines()
            .take_while(move |line| !is_test && line.trim() != "#[cfg(test)]");
        lines
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(at, line)| (at + 1, line))
    }

    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn read(path: &str) -> io::Result<String> {
    fs::read_to_string(root().join(path))
        .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
}

/// Returns the files below `folder` whose names end so.
pub(crate) fn files(folder: &str, ending: &str) -> io::Result<Vec<File>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            if !path.ends_with("/target") {
                found.extend(files(&path, ending)?);
            }
        } else if path.ends_with(ending) {
            found.push(File {
                text: read(&path)?,
                path,
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Returns every file of the workspace's own Rust.
fn rust() -> io::Result<Vec<File>> {
    let mut all = files("crates", ".rs")?;
    all.extend(files("functions", ".rs")?);
    all.extend(files("tests", ".rs")?);
    Ok(all)
}

/// Returns the names of the folders in `folder`.
fn folders(folder: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join(folder))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Returns the names of the vendors' folders.
pub(crate) fn sources() -> io::Result<Vec<String>> {
    Ok(folders("functions")?
        .into_iter()
        .filter(|name| name.ends_with("-sync"))
        .collect())
}

pub(crate) fn none(findings: &[String], what_to_do: &str) {
    assert!(
        findings.is_empty(),
        "{what_to_do}:\n  {}",
        findings.join("\n  ")
    );
}

/// Splits a name into its words, in lower case: `RunLog` and `run_log` are `run` and `log`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        let starts = letter == '_' || letter == '-' || letter.is_uppercase();
        if starts
            && words.last().is_some_and(|word| !word.is_empty())
            && name.chars().any(char::is_lowercase)
        {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && letter.is_alphanumeric()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

/// Returns the name that a line of code defines, if it does.
fn defined(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    for lead in [
        "pub(crate) ",
        "pub(super) ",
        "pub ",
        "async ",
        "const ",
        "unsafe ",
    ] {
        rest = rest.strip_prefix(lead).unwrap_or(rest);
    }
    let keyword = [
        "fn ", "struct ", "enum ", "trait ", "mod ", "type ", "static ",
    ];
    let named = keyword
        .iter()
        .find_map(|keyword| rest.strip_prefix(keyword))?;
    named
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .filter(|name| !name.is_empty())
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<_> = rust()
        .unwrap()
        .iter()
        .filter(|file| file.text.lines().count() > MOST_LINES)
        .map(|file| format!("{} has {} lines", file.path, file.text.lines().count()))
        .collect();
    none(
        &long,
        "split these files by what they are about; 700 lines are the most",
    );
}

/// A name that a trait of OpenTelemetry's library gives to its method.
const OF_A_LIBRARY: &str = "register_pipeline";

#[test]
fn names_are_the_glossarys() {
    let mut found = Vec::new();
    for file in rust().unwrap() {
        let vendors = VENDORS_ROOMS.iter().any(|room| file.path.starts_with(room));
        let wrong = |name: &str| {
            let words = words(name);
            name != OF_A_LIBRARY
                && words.iter().any(|word| {
                    NEVER_NAMES.contains(&word.as_str())
                        || (!vendors && VENDORS_NAMES.contains(&word.as_str()))
                })
        };
        let stem = Path::new(&file.path)
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if wrong(&stem) {
            found.push(file.path.clone());
        }
        let names = file
            .code()
            .filter_map(|(at, line)| Some((at, defined(line)?)));
        found.extend(
            names
                .filter(|(_, name)| wrong(name))
                .map(|(at, name)| format!("{} {name}", file.at(at))),
        );
    }
    none(
        &found,
        "name these with a word of the glossary in ARCHITECTURE.md, for what they are",
    );
}

#[test]
fn a_vendors_name_stands_in_its_own_folder() {
    let vendors = ["hubspot", "salesforce", "gmail", "dialpad"];
    let mut found = Vec::new();
    for room in ROOMS_WITHOUT_VENDORS {
        for file in files(&format!("{room}src"), ".rs").unwrap() {
            let lines = file.code().filter(|(_, line)| {
                // Mail domains are everybody's: they are values, and which are free mail is a rule.
                let line = line
                    .to_lowercase()
                    .replace("gmail.com", "")
                    .replace("googlemail", "");
                let line = line
                    .replace("\"salesforce.com\"", "")
                    .replace("\"hubspot.com\"", "");
                vendors.iter().any(|vendor| line.contains(vendor))
            });
            found.extend(lines.map(|(at, line)| format!("{} {}", file.at(at), line.trim())));
        }
    }
    none(
        &found,
        "move what is true of one vendor into that vendor's folder under functions/",
    );
}

#[test]
fn the_environment_is_read_in_one_file() {
    let mut found = Vec::new();
    for file in rust()
        .unwrap()
        .iter()
        .filter(|file| !file.path.starts_with("tests/"))
    {
        if file.path != "crates/salesync-host/src/settings/mod.rs" {
            let lines = file.code().filter(|(_, line)| line.contains("env::var"));
            found.extend(lines.map(|(at, _)| file.at(at)));
        }
    }
    none(
        &found,
        "take the value from salesync_host::settings, the one reader of the environment",
    );
}

#[test]
fn a_source_is_listed_in_three_lines_and_nowhere_else() {
    let rooms = ["crates", "functions"];
    for source in sources().unwrap() {
        let crate_name = source.replace('-', "_");
        let own = format!("functions/{source}/");
        let mut lists = vec![File {
            path: "Cargo.toml".to_owned(),
            text: read("Cargo.toml").unwrap(),
        }];
        for room in rooms {
            lists.extend(files(room, ".rs").unwrap());
            lists.extend(files(room, "Cargo.toml").unwrap());
        }
        let mut found = Vec::new();
        for file in lists.iter().filter(|file| !file.path.starts_with(&own)) {
            for (at, line) in file.text.lines().enumerate() {
                if line.contains(&source) || line.contains(&crate_name) {
                    found.push(file.at(at + 1));
                }
            }
        }
        let expected = [
            "Cargo.toml:",
            "functions/salesync/Cargo.toml:",
            "functions/salesync/src/main.rs:",
        ];
        let each_once = expected
            .iter()
            .all(|place| found.iter().filter(|at| at.starts_with(place)).count() == 1);
        assert!(
            each_once && found.len() == expected.len(),
            "{source} is listed once in the workspace's Cargo.toml, in functions/salesync/Cargo.toml and in \
             functions/salesync/src/main.rs, and nowhere else; found it in:\n  {}",
            found.join("\n  ")
        );
    }
}

#[test]
fn the_documents_name_every_crate_and_every_source() {
    let (architecture, readme) = (read("ARCHITECTURE.md").unwrap(), read("README.md").unwrap());
    let mut missing = Vec::new();
    for name in folders("crates")
        .unwrap()
        .iter()
        .chain(&folders("functions").unwrap())
    {
        if !architecture.contains(&format!("`{name}`")) {
            missing.push(format!("ARCHITECTURE.md does not name `{name}`"));
        }
    }
    for source in sources().unwrap() {
        if !readme.contains(&format!("functions/{source}/README.md")) {
            missing.push(format!(
                "README.md does not lead to functions/{source}/README.md"
            ));
        }
        if !root()
            .join(format!("functions/{source}/README.md"))
            .is_file()
        {
            missing.push(format!("functions/{source} has no README.md"));
        }
    }
    none(&missing, "add these to the documents");
}

#[test]
fn the_readme_is_short_and_begins_with_a_command() {
    let readme = read("README.md").unwrap();
    assert!(
        readme.lines().count() <= 150,
        "README.md has at most 150 lines; move details to docs/"
    );
    let first = readme
        .lines()
        .position(|line| line.contains("scripts/demo.sh"));
    assert!(
        first.is_some_and(|line| line < 20),
        "the first command, scripts/demo.sh, stands in README.md's first 20 lines"
    );
}

#[test]
fn the_table_of_error_codes_is_the_codes() {
    let page = read("docs/errors.md").unwrap();
    let mut missing = Vec::new();
    for code in Code::ALL {
        let class = match code.class() {
            Class::Retry => "retry",
            Class::Stop => "stop",
            Class::Skip => "skip",
            Class::Record => "record",
            Class::Decide => "decide",
            Class::Request => "request",
        };
        let line = format!(
            "| {code} | {class} | {} | {} |",
            code.exit_code(),
            code.remedy()
        );
        if !page.lines().any(|own| own == line) {
            missing.push(line);
        }
        let begin = format!("- **{code}**: ");
        let is_meant = |own: &str| {
            let told = own.strip_prefix(begin.as_str());
            told.is_some_and(|told| told.eq_ignore_ascii_case(code.meaning()))
        };
        if !page.lines().any(is_meant) {
            missing.push(format!("{begin}{}", code.meaning()));
        }
    }
    none(&missing, "put these lines into docs/errors.md");
    let listed = page
        .lines()
        .filter(|line| line.starts_with("| ERR_"))
        .count();
    assert_eq!(
        listed,
        Code::ALL.len(),
        "docs/errors.md lists a code that is none, or one twice"
    );
}

#[test]
fn the_tables_page_describes_every_column_of_ours() {
    let page = read("docs/tables.md").unwrap();
    let tables: [&PlainTable; 15] = [
        &run::RUN_EVENTS,
        &ledger::SYNC_WINDOWS,
        &warehouse::SYNC_STATE,
        &warehouse::SCHEMA_CHANGES,
        &dead_letter::DEAD_LETTER_EVENTS,
        &publish::PEOPLE,
        &publish::COMPANIES,
        &publish::ENTITY_RECORDS,
        &publish::MATCH_EVIDENCE,
        &publish::MATCH_REVIEW,
        &publish::MATCH_OVERRIDE_EVENTS,
        &publish::ENTITY_HISTORY,
        &publish::INTERACTIONS,
        &publish::INTERACTION_PARTIES,
        &publish::DEALS,
    ];
    let mut missing = Vec::new();
    for table in tables {
        if !page.contains(&format!("`{}`", table.name)) {
            missing.push(format!("### `{}`", table.name));
        }
        missing.extend(
            table
                .columns
                .iter()
                .map(|(name, _, comment)| format!("| `{name}` | {comment} |"))
                .filter(|line| !page.lines().any(|own| own == line))
                .map(|line| format!("{}: {line}", table.name)),
        );
    }
    let system = SYSTEM_COLUMNS
        .iter()
        .map(|(name, _, comment)| format!("| `{name}` | {comment} |"));
    missing.extend(system.filter(|line| !page.lines().any(|own| own == line)));
    none(&missing, "put these lines into docs/tables.md");
}

#[test]
fn every_test_that_a_promise_names_is_there() {
    let all = rust().unwrap();
    let mut missing = Vec::new();
    for path in ["docs/guarantees.md", "README.md"] {
        for name in read(path).unwrap().split('`').skip(1).step_by(2) {
            let is_test = name.matches('_').count() >= 3
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            let defined = format!("fn {name}(");
            if is_test && !all.iter().any(|file| file.text.contains(&defined)) {
                missing.push(format!("{path}: {name}"));
            }
        }
    }
    none(
        &missing,
        "these tests are named as proof and are not there: mend the name, or take the promise back",
    );
}

#[test]
fn every_dependency_is_used() {
    let mut unused = Vec::new();
    for manifest in files("crates", "Cargo.toml")
        .unwrap()
        .iter()
        .chain(&files("functions", "Cargo.toml").unwrap())
    {
        let folder = manifest.path.trim_end_matches("/Cargo.toml");
        let code: String = files(folder, ".rs")
            .unwrap()
            .iter()
            .map(|file| file.text.as_str())
            .collect();
        let mut in_dependencies = false;
        for line in manifest.text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if let Some((name, _)) = line.split_once(['.', ' ', '='])
                && in_dependencies
                && !name.starts_with('#')
                && !code.contains(&name.replace('-', "_"))
            {
                unused.push(format!("{}: {name}", manifest.path));
            }
        }
    }
    none(
        &unused,
        "remove these dependencies, which no line of the crate names",
    );
}

#[test]
fn every_source_has_its_key_in_the_infrastructure() {
    let listed = read("infrastructure/sources.yaml").unwrap();
    let keys = listed.lines().filter_map(|line| line.strip_suffix(':'));
    let keys = keys.filter(|key| key.chars().all(|c| c.is_ascii_lowercase()));
    let mut keys: Vec<String> = keys.map(|key| format!("{key}-sync")).collect();
    keys.sort();
    assert_eq!(
        keys,
        sources().unwrap(),
        "infrastructure/sources.yaml has one key for each folder functions/*-sync"
    );
}

#[test]
fn alerts_look_at_codes_and_metrics_that_are_there() {
    let mut missing = Vec::new();
    let alerts = read("infrastructure/alerts.yaml").unwrap();
    let alerts = alerts.lines().filter(|line| line.contains("codes:"));
    let of_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_*".contains(c);
    for word in alerts.flat_map(|line| line.split(|c| !of_code(c))) {
        let is_one = |code: &Code| match word.strip_suffix('*') {
            Some(begin) => code.as_str().starts_with(begin),
            None => code.as_str() == word,
        };
        if word.starts_with("ERR_") && !Code::ALL.iter().any(is_one) {
            missing.push(format!("infrastructure/alerts.yaml: {word}"));
        }
    }
    let served = read("crates/salesync-host/src/telemetry/names.rs").unwrap();
    for path in [
        "infrastructure/observability/alerts.rules.yaml",
        "infrastructure/observability/grafana-dashboard.json",
    ] {
        let text = read(path).unwrap();
        let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        let gauges = ["circuit_", "dlq_", "ledger_", "entity_", "api_quota_"];
        let is_metric = |word: &&str| {
            word.ends_with("_total")
                || word.contains("_seconds")
                || gauges.iter().any(|begin| word.starts_with(begin))
        };
        for word in words.filter(is_metric) {
            let name = word
                .trim_end_matches("_sum")
                .trim_end_matches("_count")
                .trim_end_matches("_bucket");
            if !served.contains(&format!("\"{name}\"")) {
                missing.push(format!("{path}: {word}"));
            }
        }
    }
    none(
        &missing,
        "an alert on what is never told never fires: mend the name, or tell it",
    );
}

#[test]
fn every_action_of_a_workflow_is_pinned_by_its_commit() {
    let mut loose = Vec::new();
    for file in files(".github/workflows", ".yml").unwrap() {
        for (at, line) in file.text.lines().enumerate() {
            let Some((_, action)) = line.split_once("uses:") else {
                continue;
            };
            let commit = action
                .split_once('@')
                .map_or("", |(_, rest)| rest.split(' ').next().unwrap_or(""));
            if commit.len() != 40 || !commit.chars().all(|c| c.is_ascii_hexdigit()) {
                loose.push(file.at(at + 1));
            }
        }
        if !file.text.contains("permissions:") {
            loose.push(format!("{} names no permissions", file.path));
        }
    }
    none(
        &loose,
        "pin these actions to a commit's 40 digits and name the least permissions",
    );
}
