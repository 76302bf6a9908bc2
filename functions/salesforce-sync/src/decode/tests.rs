use salesync_core::record::RawRecord;
use salesync_core::schema::Table;

use super::*;
use crate::describe::Description;
use crate::page;
use crate::page::tests::answer;

const NEWEST: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The table and the records of a stream's fixtures.
macro_rules! fixture {
    ($stream:literal) => {{
        let describe = include_str!(concat!("../../fixtures/", $stream, "/describe.json"));
        let description: Description = serde_json::from_str(describe).unwrap();
        let object = crate::objects::of_stream($stream).unwrap();
        let page = include_str!(concat!("../../fixtures/", $stream, "/page.json"));
        let rows = page::rows(&answer(200, page)).unwrap();
        (description.described(object).unwrap().table, rows.records)
    }};
}

fn column<'a>(table: &Table, change: &Change<'a>, name: &str) -> Value<'a> {
    change.values[table.position(name).unwrap()].clone()
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.into())
}

fn opportunity(fields: &str) -> RawRecord {
    let rest = r#""SystemModstamp":"2026-10-01T12:34:56.000+0000""#;
    RawRecord::new(format!(r#"{{"Id":"0065g00000AbCdEAAV",{rest}{fields}}}"#).into_bytes())
}

#[test]
fn numbers_days_and_instants_are_exact() {
    let (table, records) = fixture!("opportunities");
    let change = decode(&table, &records[0], NEWEST).unwrap();
    let changed = Timestamp::from_millis(1_790_858_096_000);
    assert_eq!(
        (change.key.as_ref(), change.version),
        ("0065g00000AbCdEAAV", changed)
    );
    assert_eq!(change.deletion, None);
    let cases = [
        ("Amount", Value::Decimal(12_345_678_901_234_560_000_000)),
        ("Probability", Value::Decimal(65_000_000_000)),
        (
            "TotalOpportunityQuantity",
            Value::Decimal(1_500_000_000_000),
        ),
        ("Expected__c", Value::Decimal(8_024_691_285_802_460_000_000)),
        ("Region_Code__c", Value::Int(7)),
        ("CloseDate", Value::Date(20_818)),
        ("SystemModstamp", Value::Timestamp(changed)),
        (
            "CreatedDate",
            Value::Timestamp(Timestamp::from_millis(1_767_600_000_000)),
        ),
        ("IsDeleted", Value::Bool(false)),
        ("StageName", text("Proposal")),
        (
            "Site__Longitude__s",
            Value::Decimal(-10_500_000_000_000_000),
        ),
    ];
    for (name, expected) in cases {
        assert_eq!(column(&table, &change, name), expected, "{name}");
    }
    // More digits than the column holds: whole, beside it.
    assert_eq!(column(&table, &change, "Site__Latitude__s"), Value::Null);
    assert_eq!(
        change.extra,
        [("Site__Latitude__s".into(), "53.8654671234567891".into())]
    );
}

#[test]
fn what_has_no_column_is_kept_beside_and_a_short_id_becomes_a_long_one() {
    let (table, records) = fixture!("opportunities");
    let change = decode(&table, &records[2], NEWEST).unwrap();
    assert_eq!(change.key, "0065g00000AbCdGAAV");
    assert_eq!(column(&table, &change, "Region_Code__c"), Value::Int(12));
    let names: Vec<_> = change.extra.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names, ["Account", "Added_Later__c"]);
    assert_eq!(
        column(&table, &change, "Amount"),
        Value::Decimal(125_000_000)
    );
    assert!(change.extra[0].1.ends_with(r#""Name": "Quayside Lamps"}"#));
    assert_eq!(
        column(&table, &change, "TotalOpportunityQuantity"),
        Value::Decimal(-500_000_000)
    );
}

#[test]
fn deleted_and_merged_records_carry_their_mark() {
    let (table, records) = fixture!("opportunities");
    let change = decode(&table, &records[1], NEWEST).unwrap();
    let deletion = change.deletion.clone().unwrap();
    assert_eq!(
        (deletion.at, deletion.reason),
        (change.version, DeletionReason::Deleted)
    );
    assert_eq!(
        column(&table, &change, "Name"),
        text("Harbour bell \u{2014} \"spare\"")
    );

    let (table, records) = fixture!("accounts");
    let deletion = decode(&table, &records[1], NEWEST)
        .unwrap()
        .deletion
        .unwrap();
    assert_eq!(deletion.reason, DeletionReason::MergedInto);
    assert_eq!(deletion.merged_into.as_deref(), Some("0015g00000XyZaBAAV"));
    assert_eq!(decode(&table, &records[0], NEWEST).unwrap().deletion, None);
}

#[test]
fn people_keep_their_spelling() {
    let (table, records) = fixture!("contacts");
    let change = decode(&table, &records[0], NEWEST).unwrap();
    let cases = [
        ("Title", text("Head of \"Light\"")),
        ("MobilePhone", text("+44 7700 900123")),
        ("Birthdate", Value::Date(-1)),
        ("MailingState", Value::Null),
        ("Interests__c", text("core;plus")),
        ("AccountId", text("0015g00000XyZaBAAV")),
    ];
    for (name, expected) in cases {
        assert_eq!(column(&table, &change, name), expected, "{name}");
    }
    let (table, records) = fixture!("leads");
    let change = decode(&table, &records[0], NEWEST).unwrap();
    assert_eq!(
        column(&table, &change, "ConvertedDate"),
        Value::Date(20_727)
    );
    let (table, records) = fixture!("users");
    let change = decode(&table, &records[0], NEWEST).unwrap();
    assert_eq!(column(&table, &change, "IsActive"), Value::Bool(true));
    assert_eq!((change.deletion, change.extra.len()), (None, 0));
}

#[test]
fn activities_name_who_and_what_they_are_about_whatever_it_is() {
    let (table, records) = fixture!("tasks");
    let calls = decode(&table, &records[0], NEWEST).unwrap();
    let email = decode(&table, &records[1], NEWEST).unwrap();
    let cases = [
        (
            "WhoId",
            text("00Q5g00000LmNoPAAV"),
            text("0035g00000QwErTAAV"),
        ),
        ("WhatId", Value::Null, text("0065g00000AbCdEAAV")),
        ("TaskSubtype", text("Call"), text("Email")),
        ("CallDurationInSeconds", Value::Int(184), Value::Null),
        ("ActivityDate", Value::Date(20_727), Value::Null),
        ("IsArchived", Value::Bool(false), Value::Bool(true)),
    ];
    for (name, of_call, of_email) in cases {
        assert_eq!(column(&table, &calls, name), of_call, "{name}");
        assert_eq!(column(&table, &email, name), of_email, "{name}");
    }
    let reason = email.deletion.map(|deletion| deletion.reason);
    assert_eq!(
        (calls.deletion, reason),
        (None, Some(DeletionReason::Deleted))
    );
    assert_eq!((calls.extra.len(), email.extra.len()), (0, 0));

    let (table, records) = fixture!("events");
    let event = decode(&table, &records[0], NEWEST).unwrap();
    let begins = Timestamp::from_millis(1_790_929_800_000);
    assert_eq!(
        column(&table, &event, "StartDateTime"),
        Value::Timestamp(begins)
    );
    assert_eq!(column(&table, &event, "DurationInMinutes"), Value::Int(45));
    assert_eq!(column(&table, &event, "IsAllDayEvent"), Value::Bool(false));
    assert_eq!(event.extra, []);
}

/// `GOOD` stands for a good id, `TIME` for a good change time; then the code, the field and whether the
/// reject can name the record.
const BAD_RECORDS: &[(&str, Code, &str, bool)] = &[
    ("{TIME}", Code::RecordNoIdentity, "Id", false),
    (r#"{"Id":null,TIME}"#, Code::RecordNoIdentity, "Id", false),
    (r#"{"Id":12,TIME}"#, Code::RecordNoIdentity, "Id", false),
    (r#"{"Id":"",TIME}"#, Code::RecordNoIdentity, "Id", false),
    (
        r#"{"Id":"0065g' OR Id>'",TIME}"#,
        Code::RecordNoIdentity,
        "Id",
        false,
    ),
    (
        "{GOOD,GOOD,TIME}",
        Code::RecordIdentityAmbiguous,
        "Id",
        false,
    ),
    (
        r#"{GOOD,"id":"0065g00000AbCdF",TIME}"#,
        Code::RecordIdentityAmbiguous,
        "Id",
        false,
    ),
    ("{GOOD}", Code::RecordVersion, "SystemModstamp", true),
    (
        r#"{GOOD,"SystemModstamp":null}"#,
        Code::RecordVersion,
        "SystemModstamp",
        true,
    ),
    (
        r#"{GOOD,"SystemModstamp":1790858096000}"#,
        Code::RecordVersion,
        "SystemModstamp",
        true,
    ),
    (
        r#"{GOOD,"SystemModstamp":"2026-10-01T12:34:56"}"#,
        Code::RecordVersion,
        "SystemModstamp",
        true,
    ),
    (
        r#"{GOOD,"SystemModstamp":"1969-12-31T23:59:59Z"}"#,
        Code::RecordVersion,
        "SystemModstamp",
        true,
    ),
    (
        r#"{GOOD,"SystemModstamp":"2027-01-16T08:00:00Z"}"#,
        Code::RecordVersion,
        "SystemModstamp",
        true,
    ),
    (
        r#"{GOOD,TIME,"IsDeleted":"perhaps"}"#,
        Code::RecordType,
        "IsDeleted",
        true,
    ),
    (
        r#"{GOOD,TIME,"Amount":"much"}"#,
        Code::RecordType,
        "Amount",
        true,
    ),
    (
        r#"{GOOD,TIME,"Amount":{"value":1}}"#,
        Code::RecordType,
        "Amount",
        true,
    ),
    (r#"{GOOD,TIME,"Name":12}"#, Code::RecordType, "Name", true),
    (
        r#"{GOOD,TIME,"Name":["a"]}"#,
        Code::RecordType,
        "Name",
        true,
    ),
    (
        r#"{GOOD,TIME,"CloseDate":20260101}"#,
        Code::RecordType,
        "CloseDate",
        true,
    ),
    (
        r#"{GOOD,TIME,"CloseDate":"2026-02-30"}"#,
        Code::RecordRange,
        "CloseDate",
        true,
    ),
    (
        r#"{GOOD,TIME,"Region_Code__c":1e30}"#,
        Code::RecordRange,
        "Region_Code__c",
        true,
    ),
    ("[]", Code::RecordMalformed, "", false),
    (r#"{"Id":"#, Code::RecordMalformed, "", false),
];

#[test]
fn a_bad_record_is_rejected_by_rule_field_and_id() {
    let (table, _) = fixture!("opportunities");
    for (record, code, field, known) in BAD_RECORDS {
        let record = record
            .replace("TIME", r#""SystemModstamp":"2026-10-01T12:34:56.000+0000""#)
            .replace("GOOD", r#""Id":"0065g00000AbCdEAAV""#);
        let raw = RawRecord::new(record.clone().into_bytes());
        let reject = decode(&table, &raw, NEWEST).unwrap_err();
        assert_eq!(reject.code, *code, "{record}");
        assert_eq!(
            reject.field.as_deref().unwrap_or_default(),
            *field,
            "{record}"
        );
        assert_eq!(reject.record_id.is_some(), *known, "{record}");
    }
}

#[test]
fn strange_but_good_values_are_kept() {
    let (table, _) = fixture!("opportunities");
    let cases = [
        (
            r#","Amount":"12.50""#,
            "Amount",
            Value::Decimal(12_500_000_000),
        ),
        (
            r#","Amount":1.5E7"#,
            "Amount",
            Value::Decimal(15_000_000_000_000_000),
        ),
        (r#","Name":"a\u0000b""#, "Name", text("a\u{FFFD}b")),
        (r#","Name":"half \ud83d""#, "Name", text("half \u{FFFD}")),
        (r#","name":"other case""#, "Name", text("other case")),
        (r#","N\u0061me":"escaped""#, "Name", text("escaped")),
        (r#","Name":"""#, "Name", text("")),
        (r#","Amount":null"#, "Amount", Value::Null),
    ];
    for (fields, name, expected) in cases {
        let raw = opportunity(fields);
        let change = decode(&table, &raw, NEWEST).unwrap();
        assert_eq!(column(&table, &change, name), expected, "{fields}");
        assert!(change.extra.is_empty());
    }
}
