//! While nobody changes anything: what is in the warehouse is what the mailboxes hold.

use std::time::Duration;

use salesync_sandbox::RequestClass;
use serde_json::json;

use super::{asked, deliver, ids, live, mailboxes, messages_of, stir_all};
use crate::harness::Bench;
use crate::mail_truth::assert_mail;
use crate::tables::assert_same;
use crate::truth::Swept;

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn every_mailbox_is_as_it_is_after_a_first_an_incremental_and_a_full_sync() {
    let bench = mailboxes(3, 120);
    let world = bench.world();
    stir_all(world, 0);
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::Yes);
    for round in 1..4 {
        world.advance(HOUR);
        stir_all(world, round);
        bench.sync(&["gmail"]);
        assert_mail(&bench, Swept::No);
    }
    world.advance(HOUR);
    stir_all(world, 4);
    bench.sync(&["gmail", "--full"]);
    assert_mail(&bench, Swept::Yes);
    world.advance(HOUR);
    stir_all(world, 5);
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
    // A second warehouse, which begins now, says the same of all that is there.
    let later = bench.another();
    later.sync(&["gmail"]);
    assert_mail(&later, Swept::Yes);
}

#[test]
fn an_idle_mailbox_costs_one_request_for_its_history_and_writes_no_rows() {
    let bench = mailboxes(4, 80);
    let world = bench.world();
    bench.sync(&["gmail"]);
    bench.sync(&["gmail"]);
    let before = bench.tables().content();
    world.advance(6 * HOUR);
    world.reset_requests();
    let ended = bench.sync(&["gmail"]);
    assert_eq!(asked(world), [(RequestClass::GmailHistory, 4)].into());
    for mailbox in world.mailboxes() {
        assert_eq!(world.gmail_units(&mailbox), 2, "{mailbox}");
    }
    assert_eq!(ended.runs().len(), 8, "one report for each stream");
    for run in ended.runs() {
        assert_eq!(run["fetched"], 0, "{run}");
    }
    let tables = bench.tables();
    assert_eq!(tables.content(), before, "a raw table changed");
    let run_id = ended.runs()[0]["run_id"].as_str().unwrap().to_owned();
    for stream in ended.runs() {
        let stream = stream["stream"].as_str().unwrap();
        let sql = format!("SELECT count(*) FROM gmail_{stream} WHERE _run_id = '{run_id}'");
        assert_eq!(tables.number(&sql), 0, "{stream}");
    }
}

#[test]
fn labels_that_only_move_are_followed_without_asking_for_a_message() {
    let bench = mailboxes(2, 100);
    let world = bench.world();
    bench.sync(&["gmail"]);
    world.advance(HOUR);
    for mailbox in world.mailboxes() {
        let label = world.gmail_create_label(&mailbox, "Later").unwrap();
        for (place, id) in ids(world, &mailbox).iter().enumerate() {
            match place % 5 {
                0 => world.gmail_trash(&mailbox, id),
                1 => world.gmail_add_label(&mailbox, id, &label),
                2 => world.gmail_remove_label(&mailbox, id, "INBOX"),
                3 => world.gmail_remove_label(&mailbox, id, "UNREAD"),
                _ => true,
            };
        }
        world.gmail_delete_label(&mailbox, &label);
    }
    world.reset_requests();
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
    let expected = [
        (RequestClass::GmailHistory, 2),
        (RequestClass::GmailLabels, 2),
        (RequestClass::GmailProfile, 2),
    ];
    assert_eq!(asked(world), expected.into());
}

#[test]
fn a_label_that_is_renamed_or_deleted_while_nothing_else_happens_is_seen_the_next_day() {
    let bench = mailboxes(1, 40);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    let labels = ["Kept", "Dropped"].map(|name| world.gmail_create_label(&mailbox, name).unwrap());
    bench.sync(&["gmail"]);
    world.gmail_rename_label(&mailbox, &labels[0], "Renamed");
    world.gmail_delete_label(&mailbox, &labels[1]);
    world.advance(25 * HOUR);
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
}

#[test]
fn the_history_names_each_thing_that_happened_once() {
    let bench = mailboxes(1, 40);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    let old = ids(world, &mailbox)[3].clone();
    bench.sync(&["gmail"]);
    let told =
        "SELECT event, message_id, label_ids::VARCHAR FROM gmail_history ORDER BY _version, id";
    assert_eq!(
        bench.tables().query(told),
        Vec::<Vec<Option<String>>>::new()
    );
    let new = deliver(world, &mailbox, "One more");
    world.gmail_add_label(&mailbox, &old, "STARRED");
    world.gmail_remove_label(&mailbox, &old, "STARRED");
    world.gmail_delete(&mailbox, &old);
    for _ in 0..2 {
        bench.sync(&["gmail"]);
        let event = |event: &str, id: &str, labels: Option<&str>| {
            [Some(event), Some(id), labels]
                .map(|it| it.map(str::to_owned))
                .to_vec()
        };
        let expected = [
            event("message_added", &new, None),
            event("label_added", &old, Some("[\"STARRED\"]")),
            event("label_removed", &old, Some("[\"STARRED\"]")),
            event("message_deleted", &old, None),
        ];
        assert_eq!(bench.tables().query(told), expected);
    }
}

#[test]
fn one_message_in_several_mailboxes_has_one_message_id_in_all_of_them() {
    let bench = mailboxes(4, 60);
    let world = bench.world();
    let all = world.mailboxes();
    let spec = json!({
        "from": "Ada Berg <ada.berg@fjord.example>",
        "to": all,
        "messageId": "<all.of.us@fjord.example>",
        "mailboxes": all,
    });
    world.gmail_deliver(&all[0], &spec).unwrap();
    bench.sync(&["gmail"]);
    let tables = bench.tables();
    let of_it = "FROM gmail_messages WHERE rfc822_message_id = 'all.of.us@fjord.example'";
    let counted = tables.query(&format!(
        "SELECT count(*)::VARCHAR, count(DISTINCT mailbox)::VARCHAR, count(DISTINCT id)::VARCHAR {of_it}"
    ));
    assert_eq!(counted, [vec![Some("4".to_owned()); 3]]);
}

#[test]
fn all_sources_are_read_side_by_side_and_a_second_time_nothing_changes() {
    let bench = mailboxes(2, 60);
    bench.sync(&["all"]);
    assert_mail(&bench, Swept::Yes);
    let again = bench.another();
    again.sync(&["all"]);
    again.sync(&["all"]);
    assert_same(&bench.tables(), &again.tables());
}

#[test]
fn every_table_and_column_of_a_mailbox_says_what_it_means() {
    let bench = mailboxes(1, 20);
    bench.sync(&["gmail"]);
    let silent = "SELECT table_name || '.' || column_name FROM duckdb_columns() \
                  WHERE schema_name = 'sales' AND table_name LIKE 'gmail_%' AND coalesce(comment, '') = '' \
                  UNION ALL SELECT table_name FROM duckdb_tables() \
                  WHERE schema_name = 'sales' AND table_name LIKE 'gmail_%' AND coalesce(comment, '') = ''";
    let tables = bench.tables();
    assert_eq!(tables.list(silent), Vec::<String>::new());
    let named = "SELECT count(*) FROM duckdb_tables() \
                 WHERE schema_name = 'sales' AND table_name LIKE 'gmail_%'";
    assert_eq!(tables.number(named), 8);
}

/// Asks for every stream by its name; each brings all others, and no message is lost.
fn check_stream(bench: &Bench, stream: &str) {
    let run = bench.sync(&["gmail", "--streams", stream]);
    assert_eq!(run.runs().len(), 8, "{run:#?}");
    assert_mail(bench, Swept::No);
}

#[test]
fn a_stream_that_is_named_brings_those_that_come_with_it() {
    let bench = mailboxes(2, 60);
    let world = bench.world();
    check_stream(&bench, "labels");
    for (round, stream) in ["labels", "history", "messages"].iter().enumerate() {
        world.advance(HOUR);
        stir_all(world, round);
        check_stream(&bench, stream);
    }
}

#[test]
fn a_dry_run_reads_everything_and_writes_nothing() {
    let bench = mailboxes(2, 60);
    let run = messages_of(&bench, &["--dry-run"]);
    let world = bench.world();
    let held = |mailbox: &String| live(world, mailbox).len();
    let all: usize = world.mailboxes().iter().map(held).sum();
    assert_eq!(run["fetched"], all, "{run}");
    assert!(!bench.folder().join("salesync.duckdb").exists());
    bench.sync(&["gmail"]);
    let before = bench.tables().content();
    stir_all(world, 1);
    messages_of(&bench, &["--dry-run"]);
    assert_eq!(bench.tables().content(), before);
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
}

#[test]
fn a_date_to_begin_at_leaves_older_mail_out_and_never_skips_what_was_not_read() {
    let bench = mailboxes(2, 160);
    let world = bench.world();
    let since = world.now() - chrono::Duration::days(120);
    let day = since.format("%Y-%m-%d").to_string();
    let midnight_ms = since.date_naive().and_time(chrono::NaiveTime::MIN);
    let midnight_ms = midnight_ms.and_utc().timestamp_millis();
    let is_young = |message: &serde_json::Value| {
        let ms = message["internalDate"].as_str().unwrap();
        ms.parse::<i64>().unwrap() >= midnight_ms
    };
    let held = |bench: &Bench| -> Vec<String> {
        let sql = "SELECT mailbox || ' ' || id FROM gmail_messages \
                   WHERE _deleted_at IS NULL ORDER BY 1";
        bench.tables().list(sql)
    };
    let told = |young_only: bool| -> Vec<String> {
        let mut keys: Vec<String> = world
            .mailboxes()
            .iter()
            .flat_map(|mailbox| {
                let live = live(world, mailbox).into_iter();
                live.filter(|it| !young_only || is_young(it))
                    .map(|it| format!("{mailbox} {}", it["id"].as_str().unwrap()))
                    .collect::<Vec<_>>()
            })
            .collect();
        keys.sort();
        keys
    };
    let (young, all) = (told(true), told(false));
    assert!(
        !young.is_empty() && young.len() < all.len(),
        "the date parts them"
    );
    messages_of(&bench, &["--since", &day]);
    assert_eq!(held(&bench), young, "an empty warehouse begins at the date");

    // What happens from then on is read as ever.
    let mailbox = world.mailboxes().remove(0);
    deliver(world, &mailbox, "After the date");
    bench.sync(&["gmail"]);
    assert_eq!(held(&bench), told(true));
    // A message that was left out leaves nothing behind where its labels move or where it is deleted.
    let old = ids(world, &mailbox);
    world.gmail_add_label(&mailbox, &old[0], "STARRED");
    world.gmail_trash(&mailbox, &old[1]);
    world.gmail_delete(&mailbox, &old[2]);
    bench.sync(&["gmail"]);
    assert_eq!(held(&bench), told(true));
    let orphans = "SELECT l.id FROM gmail_message_labels AS l LEFT JOIN gmail_messages AS m \
                   ON m.mailbox = l.mailbox AND m.id = l.message_id \
                   WHERE l._deleted_at IS NULL AND (m.id IS NULL OR m._deleted_at IS NOT NULL)";
    assert_eq!(bench.tables().list(orphans), Vec::<String>::new());
    // Without a date everything comes, and a date never takes anything away from what is loaded.
    bench.sync(&["gmail", "--full"]);
    assert_mail(&bench, Swept::Yes);
    stir_all(world, 1);
    messages_of(&bench, &["--since", &day]);
    assert_mail(&bench, Swept::No);
    assert_eq!(held(&bench), told(false));
}
