//! Secret Manager keeps every promise of the secret store, told by a small server of ours that keeps versions as Google's
//! does. There is no emulator of it. Paths, methods and fields are those of Google's discovery document of the API, v1,
//! revision 20261021, as the PyPI package `google-api-python-client` 2.202.0 carries it (`secretmanager.v1.json`).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are the helpers of tests"
)]

#[cfg(test)]
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use salesync_core::error::Code;
use salesync_core::secret::{Secret, SecretStore};
use salesync_core::time::Timestamp;
use salesync_gcp::{GoogleSecretStore, SecretPlace, SecretSettings};
use salesync_testkit::secret::FIRST;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use wire::read_request;

/// The fields that requests may have, by the verb: the schemas `AddSecretVersionRequest` (whose `payload` is a
/// `SecretPayload`) and `DestroySecretVersionRequest`.
const FIELDS: [(&str, &[&str]); 2] = [("addVersion", &["payload"]), ("destroy", &["etag"])];
const PAYLOAD_FIELDS: [&str; 2] = ["data", "dataCrc32c"];

/// What happens to the next version that is added.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Somebody else adds one right before it.
    Rival,
    /// It is added twice: the first answer was lost.
    Twice,
}

struct Version {
    /// `ENABLED`, `DISABLED` or `DESTROYED`.
    state: &'static str,
    text: String,
}

/// The versions of each secret, the oldest first.
struct Kept {
    versions: HashMap<String, Vec<Version>>,
    fault: Fault,
    is_forbidden: bool,
}

type Shared = Arc<Mutex<Kept>>;

fn enabled(text: &str) -> Version {
    Version {
        state: "ENABLED",
        text: text.to_owned(),
    }
}

async fn serve() -> (GoogleSecretStore, Shared) {
    let kept = Kept {
        versions: HashMap::from([("acme-testkit".to_owned(), vec![enabled(FIRST)])]),
        fault: Fault::None,
        is_forbidden: false,
    };
    let kept = Arc::new(Mutex::new(kept));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let served = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let served = Arc::clone(&served);
            tokio::spawn(async move { answer(socket, &served).await });
        }
    });
    let settings = SecretSettings {
        place: SecretPlace::parse("p/acme-").unwrap(),
        stand_in: Some(origin),
        now: Timestamp::EPOCH,
    };
    (GoogleSecretStore::new(&settings).unwrap(), kept)
}

async fn answer(mut socket: TcpStream, kept: &Mutex<Kept>) -> Option<()> {
    let request = read_request(&mut socket).await?;
    let text = String::from_utf8_lossy(&request).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut words = head.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    let (status, body) = {
        let mut kept = kept.lock().unwrap();
        match kept.is_forbidden {
            true => refused(403, "PERMISSION_DENIED"),
            false => kept.answer(method, target, &body),
        }
    };
    let body = body.to_string();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} As Google\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(answer.as_bytes()).await.ok()
}

fn refused(code: u16, status: &str) -> (u16, Value) {
    let message = "Secret Version says hunter2";
    (
        code,
        json!({"error": {"code": code, "message": message, "status": status}}),
    )
}

impl Kept {
    fn answer(&mut self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let rest = target.strip_prefix("/v1/projects/p/secrets/").unwrap();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (path, verb) = path.split_once(':').unwrap_or((path, ""));
        let (name, number) = match path.split_once("/versions") {
            Some((name, number)) => (name, number.trim_start_matches('/')),
            None => (path, ""),
        };
        if let Some((_, known)) = FIELDS.iter().find(|(own, _)| *own == verb) {
            let given = body.as_object().unwrap().keys();
            assert!({ given }.all(|field| known.contains(&field.as_str())));
        }
        let Some(versions) = self.versions.get_mut(name) else {
            return refused(404, "NOT_FOUND");
        };
        let named = |at: usize, version: &Version| {
            json!({
                "name": format!("projects/123456/secrets/{name}/versions/{}", at + 1),
                "state": version.state,
                "createTime": "2026-01-31T00:00:00.250Z",
                "etag": format!("\"{at}-{}\"", version.state),
            })
        };
        let at = match number {
            "latest" => versions.len().checked_sub(1),
            text => text.parse::<usize>().ok().map(|number| number - 1),
        };
        match (method, verb, at) {
            ("GET", "access", Some(at)) if at < versions.len() => {
                if versions[at].state != "ENABLED" {
                    return refused(400, "FAILED_PRECONDITION");
                }
                let text = STANDARD.encode(&versions[at].text);
                let name = named(at, &versions[at])["name"].clone();
                (200, json!({"name": name, "payload": {"data": text}}))
            }
            ("GET", "", Some(at)) if at < versions.len() => (200, named(at, &versions[at])),
            ("GET", "", None) => {
                assert_eq!(query, "pageSize=100");
                let newest_first = versions.iter().enumerate().rev();
                let page: Vec<Value> = newest_first.map(|(at, it)| named(at, it)).collect();
                (200, json!({"versions": page, "totalSize": page.len()}))
            }
            ("POST", "addVersion", None) => {
                let payload = body["payload"].as_object().unwrap();
                assert!(
                    payload
                        .keys()
                        .all(|field| PAYLOAD_FIELDS.contains(&field.as_str()))
                );
                let text = STANDARD.decode(payload["data"].as_str().unwrap()).unwrap();
                let text = String::from_utf8(text).unwrap();
                match std::mem::replace(&mut self.fault, Fault::None) {
                    Fault::None => {}
                    Fault::Rival => versions.push(enabled("{\"by\":\"a rival\"}")),
                    Fault::Twice => versions.push(enabled(&text)),
                }
                versions.push(enabled(&text));
                let at = versions.len() - 1;
                (200, named(at, &versions[at]))
            }
            ("POST", "destroy", Some(at)) if at < versions.len() => {
                let etag = &body["etag"];
                assert!(etag.is_null() || *etag == named(at, &versions[at])["etag"]);
                if versions[at].state == "DESTROYED" {
                    return refused(400, "FAILED_PRECONDITION");
                }
                versions[at].state = "DESTROYED";
                versions[at].text.clear();
                (200, named(at, &versions[at]))
            }
            _ => refused(404, "NOT_FOUND"),
        }
    }
}

fn states(kept: &Shared) -> Vec<&'static str> {
    let kept = kept.lock().unwrap();
    let versions = kept.versions["acme-testkit"].iter();
    versions.map(|version| version.state).collect()
}

async fn text(store: &GoogleSecretStore) -> String {
    let secret = store.get("testkit").await.unwrap();
    secret.expose().to_owned()
}

mod secret_store {
    use super::*;

    async fn make() -> (Arc<dyn SecretStore>, Shared) {
        let (store, kept) = serve().await;
        (Arc::new(store), kept)
    }

    salesync_testkit::secret_store_contract!(make);
}

#[tokio::test]
async fn a_rotation_keeps_one_predecessor_and_destroys_what_is_older() {
    let (store, kept) = serve().await;
    let mut old = Secret::new(FIRST);
    for number in 2..=4 {
        let new = Secret::new(format!("{{\"refresh_token\":\"{number}\"}}"));
        assert!(store.put_if_unchanged("testkit", &old, &new).await.unwrap());
        old = new;
    }
    let expected = ["DESTROYED", "DESTROYED", "ENABLED", "ENABLED"];
    assert_eq!(states(&kept), expected);
    assert_eq!(text(&store).await, old.expose());
}

#[tokio::test]
async fn of_two_that_rotate_at_once_the_later_one_takes_its_version_back() {
    let (store, kept) = serve().await;
    kept.lock().unwrap().fault = Fault::Rival;
    let (old, new) = (Secret::new(FIRST), Secret::new("{}"));
    assert!(!store.put_if_unchanged("testkit", &old, &new).await.unwrap());
    assert_eq!(states(&kept), ["ENABLED", "ENABLED", "DESTROYED"]);
    // The latest version is destroyed: the one before it counts.
    let rivals = text(&store).await;
    assert_eq!(rivals, "{\"by\":\"a rival\"}");
    // What was taken back is in nobody's way.
    let rivals = Secret::new(rivals);
    let next = store.put_if_unchanged("testkit", &rivals, &new).await;
    assert!(next.unwrap());
    assert_eq!(text(&store).await, "{}");
}

#[tokio::test]
async fn a_version_whose_answer_was_lost_is_no_rival() {
    let (store, kept) = serve().await;
    kept.lock().unwrap().fault = Fault::Twice;
    let (old, new) = (Secret::new(FIRST), Secret::new("{}"));
    assert!(store.put_if_unchanged("testkit", &old, &new).await.unwrap());
    assert_eq!(text(&store).await, "{}");
}

#[tokio::test]
async fn a_missing_secret_is_not_there_and_a_forbidden_one_is_an_error() {
    let (store, kept) = serve().await;
    assert!(store.has("testkit").await.unwrap());
    assert!(!store.has("missing").await.unwrap());
    kept.lock().unwrap().is_forbidden = true;
    for error in [
        store.has("testkit").await.map(drop).unwrap_err(),
        store.get("testkit").await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::SourceForbidden);
        assert!(
            error
                .to_string()
                .contains("projects/p/secrets/acme-testkit")
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn how_old_a_secret_is_can_be_told() {
    let (store, _kept) = serve().await;
    let created = store.created("testkit").await.unwrap();
    assert_eq!(created.to_string(), "2026-01-31T00:00:00.250Z");
    assert!(store.created("missing").await.is_err());
}

#[tokio::test]
async fn where_no_version_is_enabled_it_is_said_which_secret_that_is() {
    let (store, kept) = serve().await;
    let disable = |kept: &Shared| {
        let mut kept = kept.lock().unwrap();
        let versions = kept.versions.get_mut("acme-testkit").unwrap();
        versions[0].state = "DISABLED";
    };
    disable(&kept);
    let error = store.get("testkit").await.unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(error.to_string().contains("acme-testkit"));
}
