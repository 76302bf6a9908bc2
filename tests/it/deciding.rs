//! What people decide about entities: explained before, held at every resolve, and taken back without a trace in the ids.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Bench, Ended};
use crate::resolving::entities;

fn resolved() -> Bench {
    let bench = Bench::with_records(2_000);
    bench.sync(&["all"]);
    bench.json(&["resolve"]);
    bench
}

/// Returns a person with many records, and those as `source/stream/id`.
fn known_from_many(bench: &Bench) -> (String, Vec<String>) {
    let tables = bench.tables();
    let person = tables
        .list("SELECT person_id FROM people ORDER BY record_count DESC, person_id LIMIT 1")
        .remove(0);
    let records = tables.list(&format!(
        "SELECT concat_ws('/', source, stream, record_id) FROM entity_records WHERE entity_id = '{person}' ORDER BY 1"
    ));
    assert!(records.len() > 3, "{records:?}");
    (person, records)
}

/// Returns the entity of a person's record.
fn entity(entities: &BTreeMap<String, String>, record: &str) -> String {
    entities[&format!("person/{record}")].clone()
}

#[track_caller]
fn refused(ended: &Ended, why: &str) {
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains(why), "{}", ended.stderr);
}

#[test]
fn why_shows_every_record_and_pairs_that_add_up() {
    let bench = resolved();
    let (person, records) = known_from_many(&bench);
    let told = bench.json(&["why", &person]);
    let shown: Vec<&str> = told["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["record"].as_str().unwrap())
        .collect();
    assert_eq!(shown, records);
    for record in told["records"].as_array().unwrap() {
        let says = record["says"].as_object().unwrap();
        assert!(!says.is_empty(), "{record}");
    }
    let pairs = told["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), records.len() - 1, "a way to every record");
    for pair in pairs {
        let fields = pair["fields"].as_array().unwrap();
        let bits: f64 = fields
            .iter()
            .map(|field| field["bits"].as_f64().unwrap())
            .sum();
        let sum = bits + pair["prior_bits"].as_f64().unwrap();
        assert!(
            (sum - pair["weight_bits"].as_f64().unwrap()).abs() < 0.01,
            "{pair}"
        );
        let otherwise = pair["would_change"].as_str().unwrap();
        assert!(
            fields
                .iter()
                .any(|field| otherwise.contains(field["field"].as_str().unwrap()))
        );
    }
    let by_record = bench.json(&["why", &records[0]]);
    assert_eq!(by_record, told, "a record leads to its entity");
    let text = bench.run(&["why", &person]).stdout;
    assert!(records.iter().all(|record| text.contains(record)), "{text}");
    for pair in pairs {
        assert!(text.contains(&drawn(pair)), "{}\n{text}", drawn(pair));
    }
    let way = bench.json(&["why", &records[0], &records[1]]);
    let ends = way["pairs"].as_array().unwrap();
    let mentions = |record: &str| {
        let named = |pair: &&Value| pair["left"] == record || pair["right"] == record;
        ends.iter().filter(named).count()
    };
    assert_eq!(
        (mentions(&records[0]), mentions(&records[1])),
        (1, 1),
        "{way}"
    );
}

/// Returns how a pair of several fields looks on a terminal: its records, its weight, and a bar for each field.
fn drawn(pair: &Value) -> String {
    let cell = |name: &str| pair[name].as_str().unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    let mut lines = vec![
        format!("  {} = {}", cell("left"), cell("right")),
        format!(
            "    {:<13} probability {:.3}, {:+.1} bits; met by {}",
            cell("outcome"),
            number(&pair["probability"]),
            number(&pair["weight_bits"]),
            cell("met_by")
        ),
        format!("    {:<13} {:+6.1}", "before", number(&pair["prior_bits"])),
    ];
    for field in pair["fields"].as_array().unwrap() {
        let bits = number(&field["bits"]);
        let block = if bits < 0.0 { "░" } else { "█" };
        let length = (1..=24).filter(|it| f64::from(*it) <= bits.abs()).count();
        let (name, level) = (
            field["field"].as_str().unwrap(),
            field["level"].as_str().unwrap(),
        );
        let line = format!(
            "    {name:<13} {bits:+6.1}  {level:<14} {}",
            block.repeat(length)
        );
        lines.push(line.trim_end().to_owned());
    }
    lines.push(format!("    otherwise     {}", cell("would_change")));
    lines.join("\n")
}

#[test]
fn a_split_holds_through_later_resolves_and_a_join_gives_the_same_entity_back() {
    let bench = resolved();
    let (person, records) = known_from_many(&bench);
    let leaving = &records[0];
    let reason = "two people, she says";
    let split = bench.json(&["split", leaving, "--reason", reason, "--by", "ops"]);
    assert_eq!(split["decided"]["never"], records.len() - 1);
    assert_eq!(split["resolved"]["split"], 1);
    bench.sync(&["all", "--full"]);
    bench.json(&["resolve"]);
    let after = entities(&bench.tables());
    for record in &records[1..] {
        assert_eq!(entity(&after, record), person);
    }
    let other = entity(&after, leaving);
    assert_ne!(other, person);
    let told = format!(
        "SELECT count(*) FROM entity_history WHERE event = 'split' AND entity_id = '{person}' AND successor_id = '{other}'"
    );
    assert_eq!(bench.tables().number(&told), 1);
    let listed = bench.json(&["overrides", "list"]);
    assert!(listed.as_array().unwrap().iter().all(|it| {
        it["rule"] == "never" && it["reason"] == reason && it["decided_by"] == "ops"
    }));
    let between = bench.json(&["why", &person, &other]);
    let pairs = between["pairs"].as_array().unwrap();
    assert!(
        pairs.iter().any(|pair| pair["outcome"] == "forbidden"),
        "{between}"
    );

    let again = bench.run(&["split", leaving]);
    refused(&again, "fewer records than the entity has");
}

#[test]
fn joining_what_was_split_gives_the_same_entities_back() {
    let bench = resolved();
    let (person, records) = known_from_many(&bench);
    let before = entities(&bench.tables());
    bench.json(&["split", &records[0], &records[1]]);
    let split = entities(&bench.tables());
    let other = entity(&split, &records[0]);
    assert_eq!(
        other,
        entity(&split, &records[1]),
        "those that leave stay together"
    );
    assert_ne!(other, person);
    let joined = bench.json(&["join", &records[0], &person, "--later"]);
    assert!(joined["resolved"].is_null());
    assert_eq!(entities(&bench.tables()), split, "later is later");
    bench.json(&["resolve"]);
    assert_eq!(entities(&bench.tables()), before);
    let retired = bench.json(&["why", &other]);
    assert_eq!(
        retired["entity_id"], person,
        "a retired id leads to its successor"
    );
    bench.json(&["overrides", "withdraw", &person]);
    assert_eq!(
        bench.json(&["overrides", "list"]),
        Value::from(Vec::<Value>::new())
    );
    assert_eq!(
        entities(&bench.tables()),
        before,
        "the evidence says the same"
    );
}

#[test]
fn what_is_uncertain_waits_for_a_decision_and_is_gone_once_there_is_one() {
    let bench = resolved();
    let tables = bench.tables();
    let uncertain = "SELECT left_entity_id || ' ' || right_entity_id FROM match_review ORDER BY expected_pairs DESC, 1";
    let pairs = tables.list(uncertain);
    assert!(pairs.len() > 1, "{pairs:?}");
    let strangers = tables.list(
        "SELECT left_entity_id FROM match_review WHERE left_entity_id = right_entity_id \
         OR left_entity_id NOT IN (SELECT entity_id FROM entity_records) \
         OR right_entity_id NOT IN (SELECT entity_id FROM entity_records)",
    );
    assert_eq!(strangers, Vec::<String>::new());
    drop(tables);
    let (one, other) = pairs[0].split_once(' ').unwrap();
    let nearly = bench.json(&["why", one, other]);
    assert_ne!(nearly["pairs"].as_array().unwrap().len(), 0);
    bench.json(&["join", one, other]);
    let told = bench.json(&["why", one, other]);
    assert_eq!(told["entity_id"], bench.json(&["why", other])["entity_id"]);
    let (third, fourth) = pairs[1].split_once(' ').unwrap();
    bench.json(&["split", third, "--from", fourth]);
    let left = bench.tables().list(uncertain);
    assert!(
        !left.contains(&pairs[0]) && !left.contains(&pairs[1]),
        "{left:?}"
    );
}

#[test]
fn match_rates_count_every_record_once() {
    let bench = resolved();
    let tables = bench.tables();
    let off = "SELECT kind, source, stream FROM match_rates AS m WHERE \
        m.records <> (SELECT count(*) FROM entity_records AS r WHERE (r.kind, r.source, r.stream) = (m.kind, m.source, m.stream)) \
        OR m.email_matched > m.with_email OR m.phone_matched > m.with_phone OR m.matched_across_sources > m.matched \
        OR m.email_match_rate <> m.email_matched / m.records OR m.phone_match_rate <> m.phone_matched / m.records";
    assert_eq!(tables.query(off).len(), 0);
    assert_eq!(
        tables.number("SELECT sum(records) FROM match_rates"),
        tables.number("SELECT count(*) FROM entity_records")
    );
    // A mailbox that two records of one person carry, as the raw tables have it.
    let same = "SELECT count(*) FROM entity_records AS r JOIN hubspot_contacts AS h ON h.id = r.record_id \
        JOIN entity_records AS o ON o.entity_id = r.entity_id AND o.source = 'salesforce' AND o.stream = 'contacts' \
        JOIN salesforce_contacts AS s ON s.id = o.record_id AND lower(s.Email) = lower(h.email) \
        WHERE r.source = 'hubspot' AND r.stream = 'contacts' AND NOT r.email_match";
    assert_eq!(tables.number(same), 0);
    // The same of a phone.
    let same = "SELECT count(*) FROM entity_records AS r JOIN hubspot_contacts AS h ON h.id = r.record_id \
        JOIN entity_records AS o ON o.entity_id = r.entity_id AND o.source = 'salesforce' AND o.stream = 'contacts' \
        JOIN salesforce_contacts AS s ON s.id = o.record_id AND s.Phone = h.phone \
        WHERE r.source = 'hubspot' AND r.stream = 'contacts' AND r.phone_match";
    assert!(tables.number(same) > 0);
    assert_eq!(
        tables.number(&same.replace("AND r.phone", "AND NOT r.phone")),
        0
    );
}

#[test]
fn an_entity_is_as_sure_as_the_weakest_pair_that_holds_it() {
    let bench = resolved();
    let tables = bench.tables();
    let published = "(SELECT person_id AS entity_id, confidence FROM people UNION ALL \
        SELECT company_id, confidence FROM companies)";
    let weakest = "(SELECT entity_id, min(probability) AS confidence FROM match_evidence \
        WHERE outcome = 'joined' GROUP BY ALL)";
    let off = format!(
        "SELECT count(*) FROM {published} AS p LEFT JOIN {weakest} AS w USING (entity_id) \
         WHERE abs(p.confidence - coalesce(w.confidence, 1)) > 1e-6"
    );
    assert_eq!(tables.number(&off), 0);
    assert!(tables.number(&format!("SELECT count(*) FROM {weakest}")) > 0);
}

#[test]
fn ids_that_name_nothing_or_several_are_refused() {
    let bench = resolved();
    let (person, _) = known_from_many(&bench);
    let company = bench
        .tables()
        .list("SELECT company_id FROM companies LIMIT 1")
        .remove(0);
    refused(
        &bench.run(&["resolve", "--in-warehouse"]),
        "does not resolve by itself",
    );
    refused(
        &bench.run(&["why", "nobody"]),
        "nothing resolved has the id: nobody",
    );
    refused(
        &bench.run(&["join", &person, &company]),
        "all people, or all companies",
    );
    refused(
        &bench.run(&["split", &person]),
        "records; entities only where it is said from what",
    );
    refused(&bench.run(&["join", &person]), "2 values required");
    let unknown = "per_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    refused(&bench.run(&["why", unknown]), "no records are left of");
    assert_eq!(
        bench.json(&["overrides", "list"]),
        Value::from(Vec::<Value>::new())
    );
}
