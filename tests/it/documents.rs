//! Keeps what operators read true: settings, commands, scripts and pages that a document names are there.

use std::collections::BTreeMap;
use std::path::Path;

use crate::harness::Bench;
use crate::rooms::{File, files, none, read, root, sources};

/// Programs that prove a line of the checklist.
const PROVERS: [&str; 7] = [
    "aws",
    "bq",
    "curl",
    "gcloud",
    "salesync",
    "scripts/",
    "terraform",
];

/// Every setting with its default, which is empty where there is none.
fn settings() -> BTreeMap<String, String> {
    let mut settings = general();
    for source in sources().unwrap() {
        let lead = format!(
            "SALESYNC_{}",
            source.trim_end_matches("-sync").to_uppercase()
        );
        for file in files(&format!("functions/{source}/src"), ".rs").unwrap() {
            let mut name = None;
            for line in file.text.lines().map(str::trim) {
                if let Some(url) = member(line, "base_url") {
                    settings.insert(format!("{lead}_BASE_URL"), url.to_owned());
                }
                if let Some(of_setting) = member(line, "name") {
                    name = Some(of_setting);
                } else if let (Some(of_setting), Some(default)) = (name, member(line, "default")) {
                    settings.insert(format!("{lead}_{of_setting}"), default.to_owned());
                    name = None;
                }
            }
        }
    }
    assert!(
        settings.len() > 30,
        "settings are no longer found: {settings:?}"
    );
    settings
}

/// The settings of every program, out of their list.
fn general() -> BTreeMap<String, String> {
    let text = read("crates/salesync-host/src/settings/general.rs").unwrap();
    let constants: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once("const ")?.1.split_once(": &str = "))
        .map(|(name, value)| (name, value.trim_matches([';', '"'])))
        .collect();
    let list = text
        .lines()
        .skip_while(|line| !line.contains("const GENERAL"))
        .take_while(|line| *line != "];")
        .map(str::trim);
    let lines: Vec<&str> = list.collect();
    let tuples = lines.split(|line| *line == "(").skip(1);
    tuples
        .filter_map(|tuple| Some((tuple.first()?, tuple.get(1)?)))
        .map(|(name, default)| {
            let name = name.trim_matches([',', '"']);
            let name = constants.get(name).copied().unwrap_or(name);
            (name.to_owned(), default.trim_matches([',', '"']).to_owned())
        })
        .collect()
}

/// Returns the text that a line gives to a member of a literal.
fn member<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = line.strip_prefix(name)?.strip_prefix(": \"")?;
    value.strip_suffix("\",")
}

/// Returns the pages that people read.
fn pages() -> Vec<File> {
    let mut pages = files("docs", ".md").unwrap();
    pages.extend(files("infrastructure", ".md").unwrap());
    for path in ["README.md", "ARCHITECTURE.md"] {
        pages.push(File {
            path: path.to_owned(),
            text: read(path).unwrap(),
        });
    }
    pages
}

/// Returns the lines of a page's examples for a shell, with their numbers.
fn shell_lines(page: &File) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut in_shell = false;
    for (at, line) in page.text.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(language) => in_shell = language == "sh",
            None if in_shell => lines.push((at + 1, line.trim())),
            None => {}
        }
    }
    lines
}

#[test]
fn the_settings_page_names_every_setting_with_its_default() {
    let page = read("docs/settings.md").unwrap();
    let mut missing = Vec::new();
    for (name, default) in settings() {
        let default = match default.as_str() {
            "" => "none".to_owned(),
            default => format!("`{default}`"),
        };
        let begin = format!("| `{name}` | {default} | ");
        if !page.lines().any(|line| line.starts_with(&begin)) {
            missing.push(begin);
        }
    }
    none(&missing, "describe these in docs/settings.md");
}

#[test]
fn the_example_of_an_environment_holds_every_setting_with_its_default_and_no_other() {
    let mut expected = settings();
    let mut wrong = Vec::new();
    for line in read(".env.example").unwrap().lines() {
        let Some((name, value)) = line.strip_prefix('#').and_then(|it| it.split_once('=')) else {
            if !line.is_empty() && !line.starts_with('#') {
                wrong.push(format!("sets something: {line}"));
            }
            continue;
        };
        if name.starts_with("SALESYNC_SECRET_") {
            if !value.contains("REPLACE_ME") {
                wrong.push(format!("holds no placeholder: {line}"));
            }
            continue;
        }
        let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
        if name.chars().all(is_name) && expected.remove(name).as_deref() != Some(value) {
            wrong.push(format!("is no setting, or has another default: {line}"));
        }
    }
    for source in sources().unwrap() {
        let name = source.trim_end_matches("-sync").to_uppercase();
        let secret = format!("\n#SALESYNC_SECRET_{name}=");
        if !read(".env.example").unwrap().contains(&secret) {
            wrong.push(format!("misses SALESYNC_SECRET_{name}"));
        }
    }
    wrong.extend(expected.keys().map(|name| format!("misses {name}")));
    none(&wrong, "mend .env.example");
}

#[test]
fn every_script_and_page_that_a_document_names_is_there() {
    let mut missing = Vec::new();
    for page in pages() {
        let is_path = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        let words = page.text.split(|c| !is_path(c));
        for word in words.map(|word| word.trim_end_matches('.')) {
            let is_script = word.ends_with(".sh") || word.ends_with(".py");
            if word.starts_with("scripts/") && is_script && !root().join(word).is_file() {
                missing.push(format!("{}: {word}", page.path));
            }
        }
        let folder = Path::new(&page.path).parent().unwrap_or(Path::new(""));
        let links = page.text.split("](").skip(1);
        for link in links.filter_map(|rest| rest.split([')', '#']).next()) {
            let is_ours = !link.is_empty() && !link.contains(':');
            if is_ours && !root().join(folder).join(link).exists() {
                missing.push(format!("{}: {link}", page.path));
            }
        }
    }
    none(&missing, "mend these names, or add what they name");
}

#[test]
fn every_command_of_ours_in_a_document_is_one() {
    let bench = Bench::with_records(10);
    let mut explained: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    for page in pages() {
        for (at, line) in shell_lines(&page) {
            let Some(rest) = line.strip_prefix("salesync ") else {
                continue;
            };
            let rest = rest.split(['|', '>', '#', '&', ';']).next().unwrap_or("");
            let words: Vec<&str> = rest.split_whitespace().collect();
            let depth = match words.first() {
                Some(&"dlq" | &"overrides") => 2,
                _ => 1,
            };
            let command: Vec<String> = words
                .iter()
                .take(depth)
                .map(|it| (*it).to_owned())
                .collect();
            let help = explained.entry(command).or_insert_with_key(|command| {
                let asked: Vec<&str> = command.iter().map(String::as_str).collect();
                let ended = bench.run(&[&asked[..], &["--help"]].concat());
                match ended.code {
                    Some(0) => ended.stdout,
                    _ => String::new(),
                }
            });
            let flags = words.iter().filter(|word| word.starts_with("--"));
            let mut flags = flags.filter_map(|flag| flag.split('=').next());
            if help.is_empty() || !flags.all(|flag| help.contains(flag)) {
                wrong.push(format!("{}: {line}", page.at(at)));
            }
        }
    }
    none(&wrong, "these are no commands of salesync");
}

#[test]
fn every_line_of_the_checklist_ends_with_the_command_that_proves_it() {
    let page = read("docs/production-checklist.md").unwrap();
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("- ")).collect();
    assert!(
        lines.len() > 10,
        "a checklist has lines that begin with '- '"
    );
    let is_proven = |line: &&str| {
        let command = line.strip_suffix('`').and_then(|it| it.rsplit_once('`'));
        command.is_some_and(|(_, command)| {
            PROVERS.iter().any(|prover| command.starts_with(prover)) && command.len() > 12
        })
    };
    let loose: Vec<String> = lines
        .iter()
        .filter(|line| !is_proven(line))
        .map(|line| (*line).to_owned())
        .collect();
    none(
        &loose,
        "name a command at the end of these lines of the checklist",
    );
}

#[test]
fn every_runbook_says_what_it_means_what_to_do_first_and_when_it_is_over() {
    let list = read("docs/runbooks/README.md").unwrap();
    let mut wrong = Vec::new();
    for page in files("docs/runbooks", ".md").unwrap() {
        let name = page.path.trim_start_matches("docs/runbooks/");
        if name == "README.md" {
            continue;
        }
        if !list.contains(&format!("]({name})")) {
            wrong.push(format!("docs/runbooks/README.md does not lead to {name}"));
        }
        for heading in ["## What it means", "## First", "## It is over when"] {
            if !page.text.lines().any(|line| line == heading) {
                wrong.push(format!("{} has no '{heading}'", page.path));
            }
        }
    }
    none(&wrong, "whoever is woken at night needs these");
}

#[test]
fn the_operators_page_names_every_metric_with_its_labels() {
    let names = read("crates/salesync-host/src/telemetry/names.rs").unwrap();
    let page = read("docs/operations.md").unwrap();
    let constants: BTreeMap<&str, &str> = names
        .lines()
        .filter_map(|line| line.split_once("const ")?.1.split_once(": &str = "))
        .map(|(name, value)| (name, value.trim_matches([';', '"'])))
        .collect();
    let (mut missing, mut name) = (Vec::new(), "");
    for line in names.lines().map(str::trim) {
        name = member(line, "name").unwrap_or(name);
        let Some(labels) = line.strip_prefix("labels: &[") else {
            continue;
        };
        let labels = labels.trim_end_matches("],").split(", ");
        let labels = labels.filter_map(|label| constants.get(label));
        let labels: Vec<String> = labels.map(|label| format!("`{label}`")).collect();
        let begin = format!("| `{name}` | {} | ", labels.join(", "));
        let begin = begin.replace("|  |", "| |");
        if !page.lines().any(|line| line.starts_with(&begin)) {
            missing.push(begin);
        }
    }
    none(&missing, "describe these in docs/operations.md");
}
