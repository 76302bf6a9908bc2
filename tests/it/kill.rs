//! SIGKILL at any moment: started again until it is done, the program leaves the same tables as if nothing
//! had happened, and the run log says which runs were killed.

use std::time::{Duration, Instant};

use salesync_sandbox::SandboxConfig;
use serde_json::json;

use crate::harness::{Bench, Chance, ends_within, wait};
use crate::tables::assert_same;
use crate::truth::{Swept, assert_all};

/// How many runs are killed before one is left alone.
const KILLS: u64 = 8;

fn slow() -> Bench {
    let latency = Duration::from_millis(15);
    Bench::new(SandboxConfig {
        records: 1_500,
        latency,
        ..SandboxConfig::default()
    })
}

/// Starts the program again and again and kills it, each time at another moment of about `whole`, the time
/// that a run takes; then lets it end. A run that was faster than its killer has ended well.
fn kill_and_start_again(bench: &Bench, words: &[&str], (whole, chance): (Duration, &mut Chance)) {
    let mut killed = 0;
    while killed < KILLS {
        let mut child = bench.start(words);
        let delay_ms = chance.below(u64::try_from(whole.as_millis()).unwrap());
        if ends_within(&mut child, Duration::from_millis(20 + delay_ms)) {
            let ended = wait(child);
            assert_eq!(ended.code, Some(0), "{ended:#?}");
        } else {
            child.kill().unwrap();
            wait(child);
            killed += 1;
        }
    }
    bench.sync(&words[1..]);
}

fn assert_killed_runs_are_told(bench: &Bench) {
    let tables = bench.tables();
    let running = "SELECT count(*) FROM etl_runs WHERE status = 'running'";
    assert_eq!(tables.number(running), 0);
    // A run that was killed before it opened the warehouse has left no row.
    let abandoned =
        tables.number("SELECT count(DISTINCT run_id) FROM etl_runs WHERE status = 'abandoned'");
    assert!(
        (1..=i64::try_from(KILLS).unwrap()).contains(&abandoned),
        "{abandoned} are abandoned"
    );
}

/// Runs a sync to its end and returns how long it took.
fn undisturbed_sync(bench: &Bench, words: &[&str]) -> Duration {
    let began = Instant::now();
    bench.sync(words);
    began.elapsed()
}

#[test]
fn a_first_load_that_is_killed_again_and_again_ends_with_the_same_tables() {
    let bench = slow();
    let undisturbed = bench.another();
    let whole = undisturbed_sync(&undisturbed, &["all"]);
    let bench = bench.another();
    kill_and_start_again(&bench, &["sync", "all"], (whole, &mut Chance(1)));
    assert_all(&bench, Swept::No);
    assert_same(&bench.tables(), &undisturbed.tables());
    assert_killed_runs_are_told(&bench);
}

#[test]
fn a_full_sync_that_is_killed_again_and_again_ends_with_the_same_tables() {
    let bench = slow();
    let undisturbed = bench.another();
    for bench in [&bench, &undisturbed] {
        bench.sync(&["all"]);
    }
    let world = bench.world();
    world.advance(Duration::from_secs(3_600));
    for (number, record) in world
        .hubspot_records("contacts")
        .iter()
        .enumerate()
        .take(40)
    {
        let id = record["id"].as_str().unwrap();
        match number % 4 {
            0 => world.hubspot_gdpr_delete("contacts", id),
            1 => world.hubspot_archive("contacts", id),
            _ => world.hubspot_update("contacts", id, &json!({"city": "Oslo"})),
        };
    }
    for record in world.salesforce_records("Contact").iter().take(20) {
        world.salesforce_hard_delete("Contact", record["Id"].as_str().unwrap());
    }
    let whole = undisturbed_sync(&undisturbed, &["all", "--full"]);
    kill_and_start_again(&bench, &["sync", "all", "--full"], (whole, &mut Chance(3)));
    assert_all(&bench, Swept::Yes);
    assert_same(&bench.tables(), &undisturbed.tables());
    assert_killed_runs_are_told(&bench);
}
