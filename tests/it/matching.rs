//! `salesync match`: entity resolution over any file, in every format, the same whatever the rows' order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use duckdb::Connection;

use crate::harness::{Bench, Chance, test_data};

/// Reads an answer: record ids in order, each with its entity.
fn answer(file: &Path) -> Vec<(String, String)> {
    let file = file.display().to_string();
    let from = match file.rsplit_once('.').unwrap().1 {
        "ndjson" => format!(
            "read_json('{file}', columns = {{record_id: 'VARCHAR', entity_id: 'VARCHAR', confidence: 'DOUBLE'}}, format = 'newline_delimited')"
        ),
        "parquet" => format!("read_parquet('{file}')"),
        _ => format!("read_csv('{file}', header = true, all_varchar = true)"),
    };
    let connection = Connection::open_in_memory().unwrap();
    let sql = format!("SELECT record_id, entity_id, confidence::DOUBLE FROM {from}");
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement
        .query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, f64>(2)?,
            ))
        })
        .unwrap();
    rows.map(|row| {
        let (record, entity, confidence) = row.unwrap();
        assert!((0.0..=1.0).contains(&confidence), "{record}: {confidence}");
        (record, entity)
    })
    .collect()
}

/// Returns which records are together, whatever their entities are called.
fn groups(answer: &[(String, String)]) -> BTreeSet<BTreeSet<&str>> {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (record, entity) in answer {
        groups.entry(entity).or_default().insert(record);
    }
    groups.into_values().collect()
}

/// Unpacks a file to lines.
fn unpacked(file: &Path) -> Vec<String> {
    let output = Command::new("gzip").arg("-dc").arg(file).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Returns the lines in another order, the header first.
fn shuffled(lines: &[String]) -> String {
    let (header, rows) = lines.split_first().unwrap();
    let (mut rows, mut chance) = (rows.to_vec(), Chance(5));
    for end in (1..rows.len()).rev() {
        let other = chance.below(u64::try_from(end + 1).unwrap());
        rows.swap(end, usize::try_from(other).unwrap());
    }
    format!("{header}\n{}\n", rows.join("\n"))
}

#[test]
fn every_record_of_the_labelled_sets_is_answered_once_and_the_order_of_rows_does_not_matter() {
    let Some(folder) = test_data().map(|folder| folder.join("er")) else {
        return;
    };
    let bench = Bench::with_records(0);
    for set in [
        "fake_1000",
        "febrl1",
        "febrl3",
        "sales_10k",
        "senzing_truthset",
    ] {
        let file = folder.join(format!("{set}.csv.gz"));
        let out = bench.folder().join("out.csv");
        bench.json(&["match", file.to_str().unwrap(), "--out", "out.csv"]);
        let first = answer(&out);
        let lines = unpacked(&file);
        let ids: Vec<&str> = lines
            .iter()
            .skip(1)
            .map(|line| line.split(',').next().unwrap())
            .collect();
        let answered: Vec<&str> = first.iter().map(|(record, _)| record.as_str()).collect();
        assert_eq!(
            answered, ids,
            "{set}: each record once, in the file's order"
        );
        assert!(first.iter().all(|(_, entity)| !entity.is_empty()), "{set}");
        let entities = groups(&first);
        assert!(
            entities.len() > 1 && entities.len() < ids.len(),
            "{set}: {} of {}",
            entities.len(),
            ids.len()
        );

        let other_order = bench.folder().join("shuffled.csv");
        std::fs::write(&other_order, shuffled(&lines)).unwrap();
        bench.json(&["match", "shuffled.csv", "--out", "again.csv"]);
        let again = answer(&bench.folder().join("again.csv"));
        assert_eq!(
            groups(&again),
            entities,
            "{set}: another order, another answer"
        );
    }
}

/// Returns how many pairs of records a partition has together.
fn pairs<'a>(groups: impl IntoIterator<Item = &'a usize>) -> usize {
    groups
        .into_iter()
        .map(|count| count * (count - 1) / 2)
        .sum()
}

/// Returns pairwise precision and recall, in thousandths.
fn pairwise(answer: &[(String, String)], truth: &BTreeMap<String, String>) -> [usize; 2] {
    let (mut answered, mut true_ones, mut both) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (record, entity) in answer {
        let is = &truth[record];
        *answered.entry(entity).or_insert(0) += 1;
        *true_ones.entry(is).or_insert(0) += 1;
        *both.entry((entity, is)).or_insert(0) += 1;
    }
    let together = pairs(both.values());
    [pairs(answered.values()), pairs(true_ones.values())].map(|all| together * 1_000 / all)
}

#[test]
fn the_labelled_sets_are_resolved_at_least_so_well_with_nothing_set() {
    let Some(folder) = test_data().map(|folder| folder.join("er")) else {
        return;
    };
    let bench = Bench::with_records(0);
    for (set, precision, recall) in [
        ("fake_1000", 999, 905),
        ("febrl1", 999, 996),
        ("febrl3", 999, 996),
        ("sales_10k", 971, 956),
        ("senzing_truthset", 740, 680),
    ] {
        let file = folder.join(format!("{set}.csv.gz"));
        bench.json(&["match", file.to_str().unwrap(), "--out", "out.csv"]);
        let truth = unpacked(&folder.join(format!("{set}.truth.csv.gz")));
        let truth = truth.iter().skip(1).map(|line| {
            let mut cells = line.split(',').map(str::to_owned);
            (cells.next().unwrap(), cells.next().unwrap())
        });
        let found = pairwise(&answer(&bench.folder().join("out.csv")), &truth.collect());
        let is_so_well = found[0] >= precision && found[1] >= recall;
        assert!(is_so_well, "{set}: precision and recall {found:?}");
    }
}

const PEOPLE: &str = "key,Vorname,Nachname,mail\n\
    1,Katherine,Johnson,k.johnson@halden-freight.example\n\
    2,Kate,Johnson,K.Johnson@halden-freight.example\n\
    3,Ada,Okafor,ada@northwind-tools.example\n";

#[test]
fn the_answer_is_the_same_in_every_format_in_and_out() {
    let bench = Bench::with_records(0);
    std::fs::write(bench.folder().join("people.csv"), PEOPLE).unwrap();
    let connection = Connection::open_in_memory().unwrap();
    for (file, options) in [
        ("people.ndjson", "FORMAT json"),
        ("people.parquet", "FORMAT parquet"),
    ] {
        let (from, to) = (bench.folder().join("people.csv"), bench.folder().join(file));
        let sql = format!(
            "COPY (FROM read_csv('{}', all_varchar = true)) TO '{}' ({options})",
            from.display(),
            to.display()
        );
        connection.execute_batch(&sql).unwrap();
    }
    let maps = [
        "--map",
        "record_id=key",
        "--map",
        "first_name=Vorname",
        "--map",
        "last_name=Nachname",
        "--map",
        "email=mail",
    ];
    for file in ["people.csv", "people.ndjson", "people.parquet"] {
        for out in ["out.csv", "out.ndjson", "out.parquet"] {
            bench.json(&[&["match", file, "--out", out], &maps[..]].concat());
            let answer = answer(&bench.folder().join(out));
            let expected = [BTreeSet::from(["1", "2"]), BTreeSet::from(["3"])];
            assert_eq!(groups(&answer), expected.into(), "{file} to {out}");
        }
    }
    bench.json(
        &[
            &[
                "match",
                "people.csv",
                "--out",
                "plain.parquet",
                "--format",
                "csv",
            ],
            &maps[..],
        ]
        .concat(),
    );
    assert!(
        std::fs::read_to_string(bench.folder().join("plain.parquet"))
            .unwrap()
            .starts_with("record_id,entity_id,confidence")
    );
}

#[test]
fn a_report_shows_how_good_the_answer_is_and_changes_nothing_about_it() {
    let bench = Bench::with_records(1);
    let rows = "key,name,mail,phone\n\
        1,Ann <b>Teller</b>,ann@quarry.example,+1 415 555 0123\n\
        2,Ann Teller,ann@quarry.example,+1 415 555 0123\n\
        3,Bo Marsh,bo@harbour.example,\n";
    std::fs::write(bench.folder().join("people.csv"), rows).unwrap();
    let words = [
        "match",
        "people.csv",
        "--kind",
        "person",
        "--map",
        "email=mail",
        "--out",
    ];
    bench.run(&[&words[..], &["plain.csv"]].concat());
    let told = bench.json(&[&words[..], &["out.csv", "--report", "report.html"]].concat());
    assert_eq!(told["report"], "report.html");
    let read = |name: &str| std::fs::read_to_string(bench.folder().join(name)).unwrap();
    assert_eq!(read("out.csv"), read("plain.csv"));
    let page = read("report.html");
    for shown in [
        "3 records are 2 people",
        "ann@quarry.example",
        "met by mailbox",
        "<svg",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(
        !page.contains("<b>") && !page.contains("http"),
        "it needs nothing from anywhere"
    );
    for same in ["people.csv", "out.csv"] {
        let ended = bench.run(&[&words[..], &["out.csv", "--report", same]].concat());
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        assert_eq!(read("people.csv"), rows);
    }
}

#[test]
fn rows_without_an_id_are_answered_by_their_number_in_the_order_of_the_file() {
    let bench = Bench::with_records(0);
    // More than one thread takes at once.
    let rows = (1..=10_000).map(|row| format!("Dora Lindqvist,d{}@quarry.io\n", row % 2_500));
    let text = format!("name,email\n{}", rows.collect::<String>());
    std::fs::write(bench.folder().join("people.csv"), text).unwrap();
    bench.json(&["match", "people.csv", "--out", "answer.csv"]);
    let found = answer(&bench.folder().join("answer.csv"));
    let ids: Vec<&str> = found.iter().map(|(record, _)| record.as_str()).collect();
    let numbers: Vec<String> = (1..=10_000).map(|row: u32| row.to_string()).collect();
    assert_eq!(ids, numbers);
    let entities = found.iter().zip(&found[2_500..]);
    assert!(entities.into_iter().all(|(one, other)| one.1 == other.1));
}

#[test]
fn a_country_is_that_of_the_numbers_on_rows_that_name_none() {
    let bench = Bench::with_records(0);
    let rows = "id,name,phone\n1,Ida Wren,8 4812 85-62-34\n2,,+7 4812 856234\n";
    std::fs::write(bench.folder().join("calls.csv"), rows).unwrap();
    let words = ["match", "calls.csv", "--kind", "person", "--out", "out.csv"];
    for (country, people) in [(None, 2), (Some("ru"), 1), (Some("Russia"), 1)] {
        let named = country.map(|country| ["--country", country]);
        let named = named.as_ref().map_or(&[][..], |words| &words[..]);
        let told = bench.json(&[&words[..], named].concat());
        assert_eq!(told["people"], people, "{country:?}");
    }
    let refused = bench.run(&[&words[..], &["--country", "Atlantis"]].concat());
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("--country"), "{refused:#?}");
}

#[test]
fn a_kind_says_what_all_rows_are_about() {
    let bench = Bench::with_records(0);
    let text = "id,name,website\na,Halden Freight AS,halden-freight.example\nb,\"Halden Freight, Inc.\",www.halden-freight.example\n";
    std::fs::write(bench.folder().join("names.csv"), text).unwrap();
    let companies = bench.json(&["match", "names.csv", "--out", "o.csv", "--kind", "company"]);
    assert_eq!(
        (&companies["companies"], &companies["people"]),
        (&1.into(), &0.into()),
        "{companies}"
    );
    let people = bench.json(&["match", "names.csv", "--out", "o.csv", "--kind", "person"]);
    assert_eq!(people["companies"], 0, "{people}");
}

#[test]
fn what_can_not_be_matched_is_one_line_and_exit_2_and_leaves_the_old_answer() {
    let bench = Bench::with_records(0);
    std::fs::write(bench.folder().join("people.csv"), PEOPLE).unwrap();
    std::fs::write(bench.folder().join("out.csv"), "old").unwrap();
    std::fs::write(bench.folder().join("empty.csv"), "").unwrap();
    std::fs::write(bench.folder().join("wrong.parquet"), PEOPLE).unwrap();
    let cases: [(&[&str], &str); 8] = [
        (&["none.csv", "--out", "out.csv"], "none.csv"),
        (&["people.xlsx", "--out", "out.csv"], "xlsx"),
        (&["wrong.parquet", "--out", "out.csv"], "wrong.parquet"),
        (&["empty.csv", "--out", "out.csv"], ""),
        (
            &["people.csv", "--out", "out.csv", "--map", "shoe=key"],
            "shoe",
        ),
        (
            &["people.csv", "--out", "out.csv", "--map", "email=nowhere"],
            "nowhere",
        ),
        (
            &["people.csv", "--out", "out.csv", "--map", "email"],
            "FIELD=COLUMN",
        ),
        (
            &[
                "people.csv",
                "--out",
                "no/folder/out.csv",
                "--map",
                "email=mail",
            ],
            "no/folder",
        ),
    ];
    for (words, named) in cases {
        let ended = bench.run(&[&["match"], words].concat());
        assert_eq!(ended.code, Some(2), "{words:?}: {ended:#?}");
        let line = ended
            .stderr
            .lines()
            .find(|line| line.contains("ERR_REQUEST_INVALID"));
        assert!(
            line.is_some_and(|line| line.contains(named)),
            "{words:?}: {ended:#?}"
        );
        assert_eq!(
            std::fs::read_to_string(bench.folder().join("out.csv")).unwrap(),
            "old",
            "{words:?}"
        );
    }
}
