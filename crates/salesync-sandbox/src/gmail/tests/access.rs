//! Who may read, how much, and several calls at once.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{
    METADATA, READONLY, asked, assertion_form, batch, claims, get, grant, ok, reader, reason,
    sign_in, text, token, usual, world,
};
use crate::{
    GMAIL_CLIENT_ID, GMAIL_CLIENT_SECRET, GMAIL_REFRESH_TOKEN, GmailQuota, Limits, SandboxConfig,
    Vendor,
};

#[test]
fn a_login_must_be_signed_timely_and_for_a_mailbox_that_may_be_read() {
    let world = usual();
    let mailboxes = world.mailboxes();
    let mailbox = mailboxes[1].as_str();
    let good = claims(&world, mailbox, METADATA);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        sign_in(&world, &claims)
    };
    let now = world.now().timestamp();
    for (answer, status, error, words) in [
        (
            with("sub", json!("nobody@sandbox.example")),
            400,
            "invalid_grant",
            "email",
        ),
        (with("iss", json!("x")), 400, "invalid_grant", "account"),
        (
            with("aud", json!("https://x.example")),
            400,
            "invalid_grant",
            "aud",
        ),
        (
            with("exp", json!(now + 3_700)),
            400,
            "invalid_grant",
            "iat and exp",
        ),
        (
            with("iat", json!(now + 900)),
            400,
            "invalid_grant",
            "iat and exp",
        ),
        (with("scope", json!("")), 400, "invalid_scope", "scope"),
        (
            with("scope", json!("https://mail.google.com/")),
            401,
            "unauthorized_client",
            "scopes",
        ),
    ] {
        assert_eq!(answer.0, status, "{}", answer.1);
        assert_eq!(answer.1["error"], error);
        assert!(
            text(&answer.1["error_description"]).contains(words),
            "{}",
            answer.1
        );
    }
    assert_eq!(with("aud", json!("http://127.0.0.1:1/token")).0, 200);
    let forged = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl";
    let answer = grant(&world, &assertion_form(forged));
    assert_eq!(answer.1["error_description"], "Invalid JWT Signature.");
    let mut own = good.clone();
    own.as_object_mut().unwrap().remove("sub");
    let own = text(&sign_in(&world, &own).1["access_token"]);
    assert_eq!(
        reason(&get(&world, &own, "profile")),
        (400, "failedPrecondition")
    );
}

#[test]
fn a_token_opens_its_own_mailbox_as_long_as_that_may_be_read() {
    let world = usual();
    let mailboxes = world.mailboxes();
    let mailbox = mailboxes[1].as_str();
    let good = claims(&world, mailbox, METADATA);
    let token = token(&world, mailbox, METADATA);
    assert_eq!(ok(&world, &token, "profile")["emailAddress"], mailbox);
    let other = format!("/gmail/v1/users/{}/profile", mailboxes[0]);
    assert_eq!(asked(&world, ("GET", &other), &token, ("", "")).status, 403);
    let itself = format!("/gmail/v1/users/{}/profile", mailbox.replace('@', "%40"));
    assert_eq!(
        asked(&world, ("GET", &itself), &token, ("", "")).status,
        200
    );
    assert!(world.gmail_refuse_delegation(mailbox));
    assert_eq!(reason(&get(&world, &token, "profile")), (401, "authError"));
    assert_eq!(sign_in(&world, &good).1["error"], "unauthorized_client");
    assert!(world.gmail_forbid(mailbox));
    assert_eq!(reason(&get(&world, &token, "profile")), (403, "forbidden"));
    assert!(world.gmail_permit(mailbox));
    ok(&world, &token, "profile");
    world.expire_tokens(Vendor::Gmail);
    assert_eq!(reason(&get(&world, &token, "profile")), (401, "authError"));
}

#[test]
fn the_refresh_token_reads_the_first_mailbox_until_it_is_revoked() {
    let world = usual();
    let form = |refresh: &str| {
        format!(
            "grant_type=refresh_token&client_id={GMAIL_CLIENT_ID}\
             &client_secret={GMAIL_CLIENT_SECRET}&refresh_token={refresh}"
        )
    };
    let granted = grant(&world, &form(GMAIL_REFRESH_TOKEN));
    let token = text(&granted.1["access_token"]);
    assert_eq!(
        ok(&world, &token, "profile")["emailAddress"],
        world.mailboxes()[0]
    );
    world.gmail_revoke_refresh_token();
    let refused = grant(&world, &form(GMAIL_REFRESH_TOKEN));
    assert_eq!(
        (refused.0, &refused.1["error"]),
        (400, &json!("invalid_grant"))
    );
    assert_eq!(
        refused.1["error_description"],
        "Token has been expired or revoked."
    );
    world.gmail_restore_refresh_token();
    assert_eq!(grant(&world, &form(GMAIL_REFRESH_TOKEN)).0, 200);
    assert_eq!(grant(&world, &form("x")).0, 400);
}

#[test]
fn a_batch_answers_each_call_by_its_id_in_another_order() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let mut paths: Vec<String> = world
        .gmail_messages(&mailbox)
        .iter()
        .take(5)
        .map(|message| format!("messages/{}?format=minimal", text(&message["id"])))
        .collect();
    paths.push("messages/18a".to_owned());
    for end in ["\r\n", "\n"] {
        let answers = batch(&world, &token, &paths, end);
        let order: Vec<&str> = answers.iter().map(|answer| answer.0.as_str()).collect();
        assert_ne!(order[0], "<response-part0@x>");
        for (place, path) in paths.iter().enumerate() {
            let id = format!("<response-part{place}@x>");
            let (_, status, body) = answers.iter().find(|answer| answer.0 == id).unwrap();
            if place == 5 {
                assert_eq!(*status, 404);
            } else {
                assert!(path.contains(&text(&body["id"])), "{path}: {body}");
            }
        }
    }
    assert_eq!(world.gmail_units(&mailbox), 60);
    world.gmail_fail_parts((429, "rateLimitExceeded"), "messages/", 2);
    let answers = batch(&world, &token, &paths, "\n");
    let refused: Vec<_> = answers.iter().filter(|answer| answer.1 == 429).collect();
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[0].2["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(refused[0].2["error"]["errors"][0]["domain"], "usageLimits");
}

#[test]
fn a_batch_of_nothing_or_too_much_or_without_a_token_is_refused_whole() {
    let world = usual();
    let (_, token) = reader(&world);
    let call = "--l\nContent-Type: application/http\n\nGET /gmail/v1/users/me/labels\n\n";
    let ask = |token: &str, body: &str| {
        let kind = "multipart/mixed; boundary=l";
        asked(&world, ("POST", "/batch/gmail/v1"), token, (kind, body)).status
    };
    assert_eq!(ask(&token, &format!("{}--l--", call.repeat(100))), 200);
    assert_eq!(ask(&token, &format!("{}--l--", call.repeat(101))), 400);
    assert_eq!(ask(&token, "--l--"), 400);
    assert_eq!(ask("x", &format!("{call}--l--")), 401);
}

#[test]
fn too_many_units_are_refused_in_the_vendors_three_ways() {
    let world = world(SandboxConfig {
        limits: Limits::Vendor,
        gmail_quota: GmailQuota::New,
        ..SandboxConfig::default()
    });
    let (mailbox, token) = reader(&world);
    let id = text(&world.gmail_messages(&mailbox)[0]["id"]);
    let path = format!("messages/{id}?format=minimal");
    let paths: Vec<String> = std::iter::repeat_n(path.clone(), 100).collect();
    for _ in 0..3 {
        let answers = batch(&world, &token, &paths, "\n");
        assert!(answers.iter().all(|answer| answer.1 == 200));
    }
    let refused: BTreeSet<(u16, String)> = batch(&world, &token, &paths, "\n")
        .iter()
        .map(|answer| (answer.1, text(&answer.2["error"]["errors"][0]["reason"])))
        .collect();
    let expected = [
        (403, "rateLimitExceeded"),
        (403, "userRateLimitExceeded"),
        (429, "rateLimitExceeded"),
    ];
    assert_eq!(
        refused,
        expected
            .map(|(status, reason)| (status, reason.to_owned()))
            .into()
    );
    assert_eq!(
        (world.gmail_units(&mailbox), world.gmail_over_limit()),
        (6_000, 100)
    );
    let other = super::token(&world, &world.mailboxes()[1], READONLY);
    ok(&world, &other, "profile");
    world.advance(Duration::from_secs(60));
    ok(&world, &token, &path);
    world.leave_daily_calls(Vendor::Gmail, 1);
    ok(&world, &token, "profile");
    assert_eq!(
        reason(&get(&world, &token, "profile")),
        (403, "dailyLimitExceeded")
    );
    world.reset_requests();
    assert_eq!(
        (world.gmail_units(&mailbox), world.gmail_over_limit()),
        (0, 0)
    );
}
