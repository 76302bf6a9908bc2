//! The network and the vendors at their worst: a run recovers, or ends with the right code and the next one heals.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use salesync_sandbox::{
    Fault, Limits, RequestClass, RequestSeen, SandboxConfig, Vendor, hubspot_oauth_secret,
    salesforce_refresh_secret,
};
use serde_json::{Value, json};

use crate::harness::{Bench, ends_within, wait};
use crate::truth::{Swept, assert_all, assert_hubspot};

fn status(code: u16, retry_after: Option<u64>) -> Fault {
    Fault::Status {
        code,
        body: "{\"status\":\"error\"}".to_owned(),
        retry_after,
    }
}

/// A request's target that belongs to the reading of each vendor.
const PLACES: [&str; 2] = ["/crm/v3/objects/contacts?", "queryAll"];

#[test]
fn what_heals_by_itself_is_retried_within_the_run() {
    let faults = [
        ("a 503", status(503, None), 2),
        ("a 429 with Retry-After", status(429, Some(1)), 1),
        ("a truncated body", Fault::Truncated, 2),
        ("an empty object", Fault::EmptyObject, 2),
        ("a gateway's page", Fault::Html502, 2),
        ("a connection cut off", Fault::Disconnect, 2),
        ("a slow answer", Fault::Slow(Duration::from_millis(400)), 3),
        (
            "a text that is no JSON",
            Fault::Status {
                code: 200,
                body: "<html>".to_owned(),
                retry_after: None,
            },
            1,
        ),
        (
            "a list in the place of a page",
            Fault::Status {
                code: 200,
                body: "[]".to_owned(),
                retry_after: None,
            },
            1,
        ),
        (
            "a null in the place of a page",
            Fault::Status {
                code: 200,
                body: "null".to_owned(),
                retry_after: None,
            },
            1,
        ),
        (
            "nothing at all",
            Fault::Status {
                code: 200,
                body: String::new(),
                retry_after: None,
            },
            1,
        ),
    ];
    let bench = Bench::with_records(600);
    for (name, fault, times) in faults {
        // Salesforce's throttle is a 403; its 429 is nothing that anybody has seen.
        let is_throttle = name.contains("429");
        for place in &PLACES[..if is_throttle { 1 } else { 2 }] {
            bench.world().fail_next(fault.clone(), place, times);
        }
        let bench = bench.another();
        bench.sync(&["all"]);
        assert_all(&bench, Swept::No);
        let retries = bench.tables().number("SELECT max(retries) FROM etl_runs");
        assert!(
            retries >= 1 || name == "a slow answer",
            "{name} was not met"
        );
        bench.world().clear_faults();
    }
}

#[test]
fn a_wait_that_the_vendor_names_is_waited() {
    let bench = Bench::with_records(100);
    bench
        .world()
        .fail_next(status(429, Some(2)), "/crm/v3/objects/contacts", 1);
    let began = Instant::now();
    bench.sync(&["hubspot"]);
    assert!(began.elapsed() >= Duration::from_secs(2));
    let asked = bench.world().requests();
    let refused = asked.iter().find(|request| request.status == 429).unwrap();
    let same = |request: &&RequestSeen| request.path == refused.path && request.at > refused.at;
    let waited = asked.iter().find(same).unwrap().at - refused.at;
    assert!(
        waited.num_milliseconds() >= 2_000,
        "asked again before the announced time: {waited}"
    );
}

/// Lets a fault happen to each vendor after it has served two pages, so that there is something to keep.
fn after_two_pages(bench: &Bench, fault: &Fault, times: usize) {
    let (fault, mut pages) = (fault.clone(), BTreeMap::<Vendor, usize>::new());
    bench.world().on_page(move |world, page| {
        let served = pages.entry(page.vendor).or_default();
        *served += 1;
        if *served == 2 {
            let place = if page.vendor == Vendor::HubSpot {
                "/crm/v3/"
            } else {
                "/queryAll"
            };
            world.fail_next(fault.clone(), place, times);
        }
    });
}

#[test]
fn what_does_not_heal_ends_the_run_with_its_code_and_the_next_run_loses_nothing() {
    let outage = ["ERR_SOURCE_STATUS_5XX", "ERR_SOURCE_BREAKER_OPEN"];
    let faults = [
        ("an outage", status(503, None), 10_000, 75, &outage[..]),
        (
            "a redirect",
            Fault::Redirect("https://elsewhere.example/".to_owned()),
            1,
            75,
            &["ERR_SOURCE_REDIRECT"],
        ),
        (
            "a bomb",
            Fault::GzipBomb(256 << 20),
            1,
            75,
            &["ERR_SOURCE_BODY_TOO_LARGE"],
        ),
        (
            "a permission that is missing",
            status(403, None),
            1,
            78,
            &["ERR_SOURCE_FORBIDDEN"],
        ),
    ];
    let vendors = Bench::with_records(1_500);
    vendors.world().set_query_pages(100, 500);
    for (name, fault, times, exit, codes) in faults {
        let bench = vendors.another();
        after_two_pages(&bench, &fault, times);
        let ended = bench.run(&["sync", "all", "--json"]);
        bench.world().clear_on_page();
        bench.world().clear_faults();
        assert_eq!(ended.code, Some(exit), "{name}: {ended:#?}");
        for source in ["hubspot", "salesforce"] {
            let runs = ended.runs();
            let code = |run: &Value| {
                run["source"] == source && codes.iter().any(|code| run["code"] == *code)
            };
            assert!(runs.iter().any(code), "{name} at {source}: {ended:#?}");
        }
        bench.sync(&["all"]);
        assert_all(&bench, Swept::No);
        let elsewhere = bench
            .world()
            .requests()
            .iter()
            .any(|request| request.path.contains("elsewhere"));
        assert!(!elsewhere, "{name}");
    }
}

#[test]
fn an_outage_is_not_answered_with_a_storm_of_requests() {
    let bench = Bench::with_records(100);
    bench.world().fail_next(status(503, None), "", 10_000);
    bench.world().reset_requests();
    let ended = bench.run(&["sync", "hubspot", "--json"]);
    assert_eq!(ended.code, Some(75), "{ended:#?}");
    let asked = bench.world().requests().len();
    assert!(asked <= 12, "{asked} requests to a vendor that is down");
}

#[test]
fn a_token_that_expires_in_the_middle_is_renewed_once() {
    let mut bench = Bench::with_records(1_500);
    bench.world().set_query_pages(100, 500);
    bench.set("SALESYNC_SECRET_HUBSPOT", hubspot_oauth_secret());
    let mut pages = 0;
    bench.world().on_page(move |world, _| {
        pages += 1;
        if pages == 5 {
            world.expire_tokens(Vendor::HubSpot);
            world.expire_tokens(Vendor::Salesforce);
            world.kill_locators();
        }
    });
    bench.sync(&["all"]);
    assert_all(&bench, Swept::No);
    assert_eq!(
        bench.world().request_counts()[&RequestClass::Login],
        4,
        "each vendor's login, and one more"
    );
}

#[test]
fn a_rotated_refresh_token_is_stored_before_it_is_used() {
    let mut bench = Bench::with_records(200);
    let secrets = bench.folder().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    std::fs::write(secrets.join("hubspot.json"), hubspot_oauth_secret()).unwrap();
    let file = secrets.join("salesforce.json");
    std::fs::write(&file, salesforce_refresh_secret()).unwrap();
    bench.set("SALESYNC_SECRETS", format!("file:{}", secrets.display()));
    for _ in 0..3 {
        let before = std::fs::read_to_string(&file).unwrap();
        bench.sync(&["all"]);
        assert_ne!(
            std::fs::read_to_string(&file).unwrap(),
            before,
            "the old token is dead"
        );
    }
    assert_all(&bench, Swept::No);
}

/// A server that nobody may talk to: it counts who does.
fn canary() -> (String, TcpListener) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    (
        format!("http://{}/", listener.local_addr().unwrap()),
        listener,
    )
}

#[test]
fn no_answer_leads_to_another_host() {
    let (elsewhere, listener) = canary();
    let bench = Bench::with_records(1_500);
    bench.world().set_query_pages(100, 500);
    for fault in [Fault::ForeignLink, Fault::Redirect(elsewhere)] {
        for place in [
            "/crm/v3/objects/contacts",
            "/queryAll",
            "/services/oauth2/token",
            "/describe",
        ] {
            bench.world().fail_next(fault.clone(), place, 1);
        }
        let another = bench.another();
        let ended = another.run(&["sync", "all", "--json"]);
        assert!([Some(0), Some(75)].contains(&ended.code), "{ended:#?}");
        bench.world().clear_faults();
        another.sync(&["all"]);
        assert_all(&another, Swept::No);
    }
    let visitor = listener.accept().map(|(_, address)| address);
    assert!(
        visitor.is_err(),
        "{visitor:?} came to a host that nobody configured"
    );
}

#[test]
fn a_bomb_is_refused_without_being_held_in_memory() {
    let bench = Bench::with_records(100);
    bench
        .world()
        .fail_next(Fault::GzipBomb(1 << 30), "/crm/v3/objects/contacts", 1);
    let began = Instant::now();
    let mut child = bench.start(&["sync", "hubspot", "--streams", "contacts"]);
    let mut peak_kb = 0;
    while !ends_within(&mut child, Duration::from_millis(5)) {
        peak_kb = peak_kb.max(resident_kb(child.id()));
    }
    assert_eq!(wait(child).code, Some(75));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert!(peak_kb < 256 * 1024, "{peak_kb} KB for a bomb");
}

/// Returns the memory that a process holds; 0 where the system does not tell.
fn resident_kb(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

#[test]
fn the_vendors_limits_are_kept() {
    let limits = Limits::Vendor;
    let bench = Bench::new(SandboxConfig {
        records: 12_000,
        limits,
        ..SandboxConfig::default()
    });
    bench.sync(&["all"]);
    bench.world().advance(Duration::from_secs(900));
    bench.sync(&["all"]);
    assert_all(&bench, Swept::No);
    let refused = bench
        .world()
        .requests()
        .iter()
        .filter(|request| [403, 429].contains(&request.status))
        .count();
    assert_eq!(refused, 0, "answers that say: too fast");
}

#[test]
fn a_quota_that_is_used_up_ends_the_run_as_partial() {
    let limits = Limits::Vendor;
    let bench = Bench::new(SandboxConfig {
        records: 1_000,
        limits,
        ..SandboxConfig::default()
    });
    bench.world().leave_daily_calls(Vendor::HubSpot, 8);
    bench.world().leave_daily_calls(Vendor::Salesforce, 8);
    let ended = bench.run(&["sync", "all", "--json"]);
    assert_eq!(ended.code, Some(75), "{ended:#?}");
    let codes: Vec<Value> = ended.runs().iter().map(|run| run["code"].clone()).collect();
    assert!(
        codes.contains(&"ERR_SOURCE_QUOTA_EXHAUSTED".into()),
        "{codes:?}"
    );
    bench.world().advance(Duration::from_secs(86_400));
    bench.sync(&["all"]);
    assert_all(&bench, Swept::No);
}

#[test]
fn what_the_search_index_shows_late_arrives_with_the_next_run() {
    let index_lag = Duration::from_secs(60);
    let bench = Bench::new(SandboxConfig {
        records: 300,
        index_lag,
        ..SandboxConfig::default()
    });
    let world = bench.world();
    bench.sync(&["hubspot"]);
    world.advance(Duration::from_secs(3_600));
    let ids: Vec<String> = world
        .hubspot_records("deals")
        .iter()
        .map(|deal| deal["id"].as_str().unwrap().to_owned())
        .collect();
    for id in ids.iter().take(20) {
        world.hubspot_update("deals", id, &json!({"dealname": "late"}));
    }
    bench.sync(&["hubspot"]);
    world.advance(Duration::from_secs(300));
    bench.sync(&["hubspot"]);
    assert_hubspot(&bench, "deals", Swept::No);
}
