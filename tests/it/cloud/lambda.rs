//! The API of Lambda's runtime, as AWS describes it
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>), with deadlines that a test sets.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{LIMIT, Served};

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:sync";

/// What waits for the function.
struct Event {
    id: String,
    deadline_ms: i64,
    body: String,
}

/// What the function said of an event: its id, how it ended, and the document.
type Said = (String, String, Value);

struct Shared {
    events: Mutex<UnboundedReceiver<Event>>,
    said: mpsc::Sender<Said>,
}

/// The API for one function.
pub(super) struct RuntimeApi {
    served: Served,
    events: UnboundedSender<Event>,
    said: mpsc::Receiver<Said>,
    count: Cell<u32>,
}

impl RuntimeApi {
    pub(super) fn new() -> Self {
        let (events, waiting) = unbounded_channel();
        let (sender, said) = mpsc::channel();
        let shared = Shared {
            events: Mutex::new(waiting),
            said: sender,
        };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{ending}", post(ended))
            .with_state(Arc::new(shared));
        Self {
            served: Served::new(router),
            events,
            said,
            count: Cell::default(),
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.served.host
    }

    /// Invokes the function and returns its answer, or its error where it failed.
    pub(super) fn invoke(&self, event: &Value, deadline_ms: i64) -> Result<Value, Value> {
        self.count.set(self.count.get() + 1);
        let id = format!("00000000-0000-4000-8000-{:012}", self.count.get());
        let event = Event {
            id: id.clone(),
            deadline_ms,
            body: event.to_string(),
        };
        assert!(self.events.send(event).is_ok(), "the API is served");
        let (answered, ending, document) = self
            .said
            .recv_timeout(LIMIT)
            .map_err(|_| Value::from("the function says nothing"))?;
        assert_eq!(answered, id);
        match ending.as_str() {
            "response" => Ok(document),
            _ => Err(document),
        }
    }
}

/// Waits for the next event; the function waits with us.
async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let event = shared.events.lock().await.recv().await;
    let Some(event) = event else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", event.id),
        ("lambda-runtime-deadline-ms", event.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", ARN.to_owned()),
    ];
    (headers, event.body).into_response()
}

async fn ended(
    State(shared): State<Arc<Shared>>,
    Path((id, ending)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let document = serde_json::from_str(&body).unwrap_or(Value::String(body));
    // A test that is over hears nothing.
    shared.said.send((id, ending, document)).unwrap_or_default();
    StatusCode::ACCEPTED
}
