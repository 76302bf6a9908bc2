//! What mailboxes cost: never more than a mailbox is permitted, and less where a thread is cheaper as a whole.

use salesync_sandbox::{GmailQuota, Limits, RequestClass, SandboxConfig};

use super::{asked, config, live, mailboxes, one_large};
use crate::mail_truth::assert_mail;
use crate::truth::Swept;

/// Loads several mailboxes at once under the vendor's limits; returns what they cost and what they would have
/// cost message by message.
fn first_load(gmail_quota: GmailQuota, messages: usize, price: u64) {
    let bench = config(SandboxConfig {
        mailboxes: 5,
        messages: Some(messages),
        limits: Limits::Vendor,
        gmail_quota,
        ..SandboxConfig::default()
    });
    let world = bench.world();
    let ended = bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::Yes);
    assert_eq!(world.gmail_over_limit(), 0, "{gmail_quota:?}");
    assert_eq!(ended.stream("messages")["retries"], 0, "{ended:#?}");
    let (mut units, mut one_by_one) = (0, 0);
    for mailbox in world.mailboxes() {
        let held = u64::try_from(live(world, &mailbox).len()).unwrap();
        // A profile, the labels, a listing, the history; and after it nothing.
        assert!(world.gmail_units(&mailbox) <= held * price + 9, "{mailbox}");
        units += world.gmail_units(&mailbox);
        one_by_one += held * price;
    }
    assert!(units < one_by_one, "{units} are not less than {one_by_one}");
    world.reset_requests();
    bench.sync(&["gmail"]);
    assert_eq!(asked(world), [(RequestClass::GmailHistory, 5)].into());
}

#[test]
fn several_mailboxes_at_once_keep_within_the_new_limits() {
    first_load(GmailQuota::New, 60, 20);
}

#[test]
fn several_mailboxes_at_once_keep_within_the_old_limits() {
    first_load(GmailQuota::Legacy, 300, 5);
}

#[test]
fn a_long_thread_is_read_whole_for_the_price_of_two_messages() {
    let bench = one_large(480);
    let mailbox = bench.world().mailboxes().remove(0);
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::Yes);
    // Six threads of eighty messages: 10 units each, and what a run costs in any case.
    let units = bench.world().gmail_units(&mailbox);
    assert!(units <= 6 * 10 + 9, "{units}");
}

#[test]
fn the_day_of_a_project_that_is_used_up_ends_the_run_and_the_next_one_goes_on() {
    let bench = config(SandboxConfig {
        mailboxes: 2,
        messages: Some(100),
        limits: Limits::Vendor,
        ..SandboxConfig::default()
    });
    let world = bench.world();
    world.leave_daily_calls(salesync_sandbox::Vendor::Gmail, 150);
    let ended = bench.run(&["sync", "gmail", "--json"]);
    assert_eq!(ended.code, Some(75), "{ended:#?}");
    let run = ended.stream("messages");
    assert_eq!(run["status"], "partial", "{run}");
    assert_eq!(run["code"], "ERR_SOURCE_QUOTA_EXHAUSTED", "{run}");
    world.advance(std::time::Duration::from_secs(24 * 3_600));
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::Yes);
}

#[test]
fn commits_grow_with_the_rows_and_not_with_the_mailboxes() {
    let bench = mailboxes(30, 60);
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::Yes);
    let tables = bench.tables();
    // A part's place is written when the run starts and when rows of it are: once, since they fit into one batch.
    let most = "SELECT max(rows) FROM (SELECT count(*) AS rows FROM sync_state GROUP BY part)";
    assert!(tables.number(most) <= 4, "{}", tables.number(most));
}
