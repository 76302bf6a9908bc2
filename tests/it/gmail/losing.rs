//! Nothing is lost: histories that expire at any moment, runs that are killed, messages that vanish between the
//! list and the request, calls that fail inside a batch, page tokens that die.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use salesync_sandbox::{Fault, PageServed, RequestClass, SandboxConfig, World};
use serde_json::json;

use super::{
    asked, config, deliver, ids, live, mailboxes, messages_of, one_large, reason, stir, stir_all,
};
use crate::harness::{Bench, Chance, ends_within, wait};
use crate::mail_truth::assert_mail;
use crate::tables::assert_same;
use crate::truth::Swept;

const HOUR: Duration = Duration::from_secs(3_600);

/// Does something once, when the n-th page of a kind is about to be served.
fn once_on(
    world: &World,
    (class, nth): (RequestClass, usize),
    mut act: impl FnMut(&World, &PageServed) + Send + 'static,
) {
    let mut served = 0;
    world.on_page(move |world, page| {
        if page.class == class {
            served += 1;
            if served == nth {
                act(world, page);
            }
        }
    });
}

/// Says of a page token that it is no good.
fn dead_token() -> Fault {
    let body = json!({"error": {
        "code": 400,
        "message": "Invalid pageToken",
        "errors": [{"message": "Invalid pageToken", "domain": "global", "reason": "invalidArgument"}],
        "status": "INVALID_ARGUMENT",
    }});
    Fault::Status {
        code: 400,
        body: body.to_string(),
        retry_after: None,
    }
}

#[test]
fn a_history_that_expired_before_the_run_is_reconciled_for_that_mailbox_alone() {
    let bench = mailboxes(3, 120);
    let world = bench.world();
    bench.sync(&["gmail"]);
    world.advance(HOUR);
    let all = world.mailboxes();
    let gone: Vec<String> = all
        .iter()
        .map(|mailbox| ids(world, mailbox)[4].clone())
        .collect();
    stir_all(world, 1);
    for (mailbox, id) in all.iter().zip(&gone) {
        world.gmail_delete(mailbox, id);
    }
    world.gmail_expire_history(&all[1]);
    world.reset_requests();
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
    let reasons: Vec<_> = all
        .iter()
        .zip(&gone)
        .map(|(mailbox, id)| reason(&bench, mailbox, id).unwrap())
        .collect();
    assert_eq!(reasons, ["deleted", "absent", "deleted"]);
    // Two listings: what to read, and what is gone.
    assert_eq!(asked(world)[&RequestClass::GmailList], 2);
    assert!(!asked(world).contains_key(&RequestClass::GmailThreads));
    // Idle again: the history goes on from the new place.
    world.reset_requests();
    bench.sync(&["gmail"]);
    assert_eq!(asked(world), [(RequestClass::GmailHistory, 3)].into());
}

#[test]
fn a_history_that_expires_during_the_first_load_costs_a_second_one_and_no_message() {
    let bench = mailboxes(2, 160);
    let world = bench.world();
    once_on(world, (RequestClass::GmailBatch, 2), |world, _| {
        for mailbox in world.mailboxes() {
            stir(world, &mailbox, 1);
            world.gmail_expire_history(&mailbox);
        }
    });
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
}

#[test]
fn a_history_that_expires_between_two_of_its_pages_loses_nothing() {
    let bench = one_large(60);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    bench.sync(&["gmail"]);
    world.advance(HOUR);
    let held = ids(world, &mailbox);
    for round in 0..10 {
        for id in &held {
            match round % 2 {
                0 => world.gmail_add_label(&mailbox, id, "STARRED"),
                _ => world.gmail_remove_label(&mailbox, id, "STARRED"),
            };
        }
    }
    world.gmail_delete(&mailbox, &held[7]);
    once_on(world, (RequestClass::GmailHistory, 1), |world, _| {
        let mailbox = world.mailboxes().remove(0);
        deliver(world, &mailbox, "Between two pages");
        world.gmail_expire_history(&mailbox);
    });
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
    assert_eq!(
        reason(&bench, &mailbox, &held[7]).as_deref(),
        Some("absent")
    );
}

#[test]
fn absences_are_marked_only_after_two_listings_that_were_read_to_their_ends() {
    let bench = one_large(510);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    bench.sync(&["gmail"]);
    world.advance(HOUR);
    let gone: Vec<String> = ids(world, &mailbox).into_iter().step_by(60).collect();
    for id in &gone {
        world.gmail_delete(&mailbox, id);
    }
    world.gmail_expire_history(&mailbox);
    let absent = "SELECT count(*) FROM gmail_messages WHERE _deleted_at IS NOT NULL";
    let forbidden = || Fault::Status {
        code: 403,
        body: json!({"error": {"code": 403, "message": "", "errors": [{"reason": "forbidden"}]}})
            .to_string(),
        retry_after: None,
    };
    // The first listing fails half way; then the second one does.
    for nth in [1, 3] {
        once_on(world, (RequestClass::GmailList, nth), move |world, _| {
            world.fail_next(forbidden(), "/messages?", 1);
        });
        let ended = bench.run(&["sync", "gmail", "--json"]);
        assert_eq!(ended.code, Some(78), "{ended:#?}");
        assert_eq!(ended.stream("messages")["code"], "ERR_SOURCE_FORBIDDEN");
        assert_eq!(bench.tables().number(absent), 0, "listing {nth}");
    }
    world.clear_on_page();
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
    for id in &gone {
        assert_eq!(reason(&bench, &mailbox, id).as_deref(), Some("absent"));
    }
}

#[test]
fn a_page_token_of_a_listing_that_dies_begins_the_listing_anew() {
    let bench = one_large(510);
    let world = bench.world();
    once_on(world, (RequestClass::GmailList, 1), |world, _| {
        world.fail_next(dead_token(), "/messages?", 1);
    });
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::Yes);
}

#[test]
fn a_page_token_of_a_history_that_dies_begins_that_history_anew() {
    let bench = one_large(60);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    bench.sync(&["gmail"]);
    for round in 0..10 {
        for id in ids(world, &mailbox) {
            match round % 2 {
                0 => world.gmail_add_label(&mailbox, &id, "STARRED"),
                _ => world.gmail_remove_label(&mailbox, &id, "STARRED"),
            };
        }
    }
    let last = deliver(world, &mailbox, "On the second page");
    once_on(world, (RequestClass::GmailHistory, 1), |world, _| {
        world.fail_next(dead_token(), "/history?", 1);
    });
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
    assert!(reason(&bench, &mailbox, &last).is_none());
}

#[test]
fn messages_that_vanish_between_the_list_and_the_request_are_gone_and_no_failure() {
    let bench = mailboxes(2, 160);
    let world = bench.world();
    let vanish = |every: usize| {
        move |world: &World, page: &PageServed| {
            for id in page.ids.iter().step_by(every) {
                let mailbox = world.gmail_mailbox_of(id).unwrap();
                world.gmail_delete(&mailbox, id);
            }
            // One thread as a whole, too.
            let mailbox = world.gmail_mailbox_of(&page.ids[1]).unwrap();
            let threads = world.gmail_threads(&mailbox);
            let long = threads
                .iter()
                .find(|it| it["messageIds"].as_array().unwrap().len() > 3);
            for id in long.map_or(&vec![], |it| it["messageIds"].as_array().unwrap()) {
                world.gmail_delete(&mailbox, id.as_str().unwrap());
            }
        }
    };
    once_on(world, (RequestClass::GmailList, 1), vanish(7));
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
    stir_all(world, 1);
    once_on(world, (RequestClass::GmailHistory, 1), |world, page| {
        for id in page.ids.iter().step_by(2) {
            let mailbox = world.gmail_mailbox_of(id).unwrap();
            world.gmail_delete(&mailbox, id);
        }
    });
    bench.sync(&["gmail"]);
    world.clear_on_page();
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
}

#[test]
fn messages_that_come_while_the_first_load_is_read_arrive_with_it() {
    let bench = mailboxes(2, 160);
    let world = bench.world();
    world.on_page(|world, page| {
        if page.class == RequestClass::GmailBatch {
            for mailbox in world.mailboxes() {
                let held = ids(world, &mailbox);
                deliver(world, &mailbox, "During the load");
                world.gmail_trash(&mailbox, &held[held.len() / 3]);
                world.gmail_delete(&mailbox, &held[held.len() / 2]);
            }
        }
    });
    bench.sync(&["gmail"]);
    world.clear_on_page();
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
}

#[test]
fn calls_that_fail_inside_a_batch_are_made_again_and_cost_no_message() {
    let bench = mailboxes(2, 100);
    let world = bench.world();
    let problems = [
        (429, "rateLimitExceeded"),
        (403, "userRateLimitExceeded"),
        (500, "backendError"),
        (503, "backendError"),
        (404, "notFound"),
    ];
    let fail = || {
        for problem in problems {
            world.gmail_fail_parts(problem, "", 2);
        }
    };
    fail();
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::Yes);
    stir_all(world, 1);
    fail();
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
}

#[test]
fn a_batch_that_fails_as_a_whole_is_sent_again() {
    let bench = mailboxes(2, 60);
    let world = bench.world();
    for fault in [
        Fault::Html502,
        Fault::Truncated,
        Fault::EmptyObject,
        Fault::Disconnect,
        Fault::ExpiredToken,
    ] {
        world.fail_next(fault, "/batch/gmail/v1", 1);
    }
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::Yes);
}

#[test]
fn tokens_that_expire_during_a_run_are_replaced() {
    let bench = mailboxes(2, 160);
    let world = bench.world();
    for nth in [1, 3] {
        once_on(world, (RequestClass::GmailBatch, nth), |world, _| {
            world.expire_tokens(salesync_sandbox::Vendor::Gmail);
        });
        bench.another().sync(&["gmail"]);
    }
    world.clear_on_page();
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::Yes);
}

/// Starts the program again and again and kills it, at moments of about `whole`; then lets it end.
fn kill_and_start_again(bench: &Bench, (whole, chance): (Duration, &mut Chance)) {
    let mut killed = 0;
    while killed < 6 {
        let mut child = bench.start(&["sync", "gmail"]);
        let delay_ms = chance.below(u64::try_from(whole.as_millis()).unwrap());
        if ends_within(&mut child, Duration::from_millis(50 + delay_ms)) {
            let ended = wait(child);
            assert_eq!(ended.code, Some(0), "{ended:#?}");
        } else {
            child.kill().unwrap();
            wait(child);
        }
        killed += 1;
    }
    bench.sync(&["gmail"]);
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same_tables() {
    let bench = config(SandboxConfig {
        mailboxes: 2,
        messages: Some(200),
        latency: Duration::from_millis(10),
        ..SandboxConfig::default()
    });
    let world = bench.world();
    let undisturbed = bench.another();
    let began = Instant::now();
    undisturbed.sync(&["gmail"]);
    let mut chance = Chance(5);
    kill_and_start_again(&bench, (began.elapsed(), &mut chance));
    assert_mail(&bench, Swept::Yes);
    assert_same(&bench.tables(), &undisturbed.tables());

    stir_all(world, 1);
    let began = Instant::now();
    undisturbed.sync(&["gmail"]);
    kill_and_start_again(&bench, (began.elapsed(), &mut chance));
    assert_mail(&bench, Swept::No);

    world.advance(HOUR);
    for mailbox in world.mailboxes() {
        stir(world, &mailbox, 2);
        world.gmail_expire_history(&mailbox);
    }
    let began = Instant::now();
    undisturbed.sync(&["gmail"]);
    kill_and_start_again(&bench, (began.elapsed(), &mut chance));
    assert_mail(&bench, Swept::No);
}

#[test]
fn a_load_from_a_date_that_is_killed_and_begun_again_keeps_what_was_known_before() {
    let bench = config(SandboxConfig {
        mailboxes: 1,
        messages: Some(160),
        latency: Duration::from_millis(20),
        ..SandboxConfig::default()
    });
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    bench.sync(&["gmail"]);
    let oldest = live(world, &mailbox)[0]["id"].as_str().unwrap().to_owned();
    let day = (world.now() - chrono::Duration::days(200)).format("%Y-%m-%d");
    let words = ["sync", "gmail", "--since", &day.to_string()];
    world.gmail_delete(&mailbox, &oldest);
    let mut child = bench.start(&words);
    ends_within(&mut child, Duration::from_millis(700));
    child.kill().unwrap();
    wait(child);
    bench.sync(&words[1..]);
    assert_mail(&bench, Swept::No);
    assert_eq!(
        reason(&bench, &mailbox, &oldest).as_deref(),
        Some("deleted")
    );
}

#[test]
fn a_run_out_of_time_keeps_what_it_read_and_the_next_one_goes_on() {
    let mut bench = config(SandboxConfig {
        mailboxes: 2,
        messages: Some(300),
        ..SandboxConfig::default()
    });
    bench.set("SALESYNC_DEADLINE_SECS", "1");
    let ended = bench.run(&["sync", "gmail", "--json"]);
    assert_eq!(ended.code, Some(75), "{ended:#?}");
    let run = ended.stream("messages");
    assert_eq!(run["status"], "partial", "{run}");
    let parts: BTreeSet<_> = run["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["part"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(parts, bench.world().mailboxes().into_iter().collect());
    let there = bench.tables().number("SELECT count(*) FROM gmail_messages");
    assert!(there > 0, "what was read is kept");
    bench.unset("SALESYNC_DEADLINE_SECS");
    bench.world().reset_requests();
    let again = messages_of(&bench, &[]);
    assert!(again["fetched"].as_i64().unwrap() > 0);
    assert_mail(&bench, Swept::Yes);
}

#[test]
fn a_record_of_the_history_that_cannot_be_read_costs_a_reconcile_and_no_message() {
    let bench = mailboxes(2, 60);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    bench.sync(&["gmail"]);
    world.advance(HOUR);
    stir_all(world, 1);
    let new = deliver(world, &mailbox, "Told of badly");
    for record in [
        json!({"id": "10000999", "messagesAdded": [{"message": {"id": 7}}]}),
        json!({"id": "soon", "messagesAdded": [{"message": {"id": new, "threadId": new}}]}),
        json!("a record"),
    ] {
        let told = Fault::Status {
            code: 200,
            body: json!({"history": [record], "historyId": "10000999"}).to_string(),
            retry_after: None,
        };
        // However often it is asked for, also of both mailboxes.
        world.fail_next(told, "/history?", 4);
        bench.sync(&["gmail"]);
        assert_mail(&bench, Swept::No);
        world.clear_faults();
    }
}

#[test]
fn a_history_of_very_many_messages_is_read_in_stretches() {
    let bench = one_large(5_200);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    bench.sync(&["gmail"]);
    world.advance(HOUR);
    let held = ids(world, &mailbox);
    for id in &held {
        world.gmail_add_label(&mailbox, id, "STARRED");
    }
    for id in held.iter().step_by(40) {
        world.gmail_remove_label(&mailbox, id, "STARRED");
        world.gmail_trash(&mailbox, id);
    }
    world.gmail_delete(&mailbox, &held[5_000]);
    for number in 0..20 {
        deliver(world, &mailbox, &format!("At the end {number}"));
    }
    // While the stretches are read, more happens.
    once_on(world, (RequestClass::GmailHistory, 4), |world, _| {
        let mailbox = world.mailboxes().remove(0);
        stir(world, &mailbox, 1);
    });
    bench.sync(&["gmail"]);
    world.clear_on_page();
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
}
