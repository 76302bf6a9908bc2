//! What is said of mailboxes names no correspondent, no text and no secret.

use salesync_sandbox::{
    Fault, GMAIL_CLIENT_SECRET, GMAIL_REFRESH_TOKEN, RequestClass, gmail_refresh_secret,
    gmail_secret,
};
use serde_json::Value;

use super::{live, mailboxes, stir_all};
use crate::harness::Bench;

/// Returns everything that must not be said: the key's lines, tokens, correspondents, subjects.
fn secrets(bench: &Bench) -> Vec<String> {
    let world = bench.world();
    let key: Value = serde_json::from_str(&gmail_secret()).unwrap();
    let key = key["private_key"].as_str().unwrap();
    let lines = key.lines().filter(|line| !line.contains("-----"));
    let mut secrets: Vec<String> = lines.map(str::to_owned).collect();
    secrets.extend([GMAIL_CLIENT_SECRET, GMAIL_REFRESH_TOKEN].map(str::to_owned));
    // Whatever an access token is: it stands after this word.
    secrets.push("Bearer ".to_owned());
    let own = world.mailboxes();
    for mailbox in &own {
        for message in live(world, mailbox) {
            secrets.extend(
                message["subject"]
                    .as_str()
                    .filter(|it| it.len() > 8)
                    .map(str::to_owned),
            );
            for named in message["participants"].as_array().unwrap() {
                let address = named["address"].as_str().unwrap().to_owned();
                // The mailboxes themselves are settings.
                if address.contains('@') && !own.contains(&address) {
                    secrets.push(address);
                }
            }
        }
    }
    secrets
}

#[test]
fn neither_logs_nor_errors_name_a_correspondent_a_subject_or_a_secret() {
    for document in [gmail_secret(), gmail_refresh_secret()] {
        let mut bench = mailboxes(2, 80);
        bench.set("SALESYNC_SECRET_GMAIL", &document);
        bench.set("SALESYNC_LOG", "trace");
        if document == gmail_refresh_secret() {
            bench.unset("SALESYNC_GMAIL_MAILBOXES");
        }
        let secrets = secrets(&bench);
        let world = bench.world();
        let check = |words: &[&str]| {
            let ended = bench.run(words);
            for said in [&ended.stdout, &ended.stderr] {
                let told = secrets.iter().find(|it| said.contains(it.as_str()));
                assert_eq!(told, None, "{words:?}");
            }
        };
        check(&["sync", "gmail", "--json"]);
        stir_all(world, 1);
        world.gmail_fail_parts((500, "backendError"), "", 2);
        world.fail_next(Fault::Html502, "/history", 1);
        check(&["sync", "gmail"]);
        let mailbox = world.mailboxes().remove(0);
        for (place, message) in live(world, &mailbox).iter().take(3).enumerate() {
            let id = message["id"].as_str().unwrap();
            let sent = [
                message.to_string(),
                format!("{{\"id\":\"{id}\",\"historyId\":\"x\",\"message\":{message}}}"),
                "no JSON".to_owned() + &message.to_string(),
            ];
            world.gmail_put_raw(&mailbox, id, &sent[place]);
        }
        check(&["sync", "gmail", "--full"]);
        world.gmail_forbid(&mailbox);
        check(&["sync", "gmail"]);
        world.gmail_permit(&mailbox);
        world.gmail_refuse_delegation(&mailbox);
        world.gmail_revoke_refresh_token();
        check(&["sync", "gmail"]);
        for words in [
            &["check", "gmail"][..],
            &["status"],
            &["runs"],
            &["dlq", "list"],
        ] {
            check(words);
        }
        assert!(world.request_counts()[&RequestClass::GmailBatch] > 0);
    }
}
