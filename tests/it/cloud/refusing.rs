//! Triggers that a function refuses, each with its code, and does nothing for.

use serde_json::{Value, json};

use super::function::{Front, Function};
use super::{Scene, few, vendors};

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

/// Returns a good token whose signature is another's, and one that says that it has none.
fn badly_signed(good: &str, other: &str) -> [String; 2] {
    let claims = good.split('.').nth(1).unwrap();
    let head = good.split('.').next().unwrap();
    let signature = other.split('.').nth(2).unwrap();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    [
        format!("{head}.{claims}.{signature}"),
        format!("{none}.{claims}."),
    ]
}

#[test]
fn an_unsigned_an_expired_a_wrong_audiences_and_a_replayed_trigger_are_refused_by_each_function() {
    let Some(scene) = Scene::new(few(), "refusing") else {
        return;
    };
    for vendor in vendors() {
        let function = Function::start(Front::Http, &scene, &vendor).unwrap();
        let (service, now) = (function.service(), function.now_secs());
        let stream = scene.main_of(&vendor).stream;
        let sync = json!({"source": vendor, "streams": [stream]});
        scene.world().reset_requests();

        let expired = json!({"iat": now - 3_720, "exp": now - 120});
        let expired = service.token(&expired, now);
        let audience = json!({"aud": "https://other.example.com"});
        let audience = service.token(&audience, now);
        let [one, other] = [(); 2].map(|()| service.token(&json!({}), now));
        let [swapped, unsigned] = badly_signed(&one, &other);
        let cases = [
            ("none", None, "ERR_AUTH_MISSING"),
            ("unsigned", Some(&unsigned), "ERR_AUTH_INVALID"),
            ("another's signature", Some(&swapped), "ERR_AUTH_INVALID"),
            ("expired", Some(&expired), "ERR_AUTH_INVALID"),
            ("another audience's", Some(&audience), "ERR_AUTH_INVALID"),
        ];
        for (name, token, expected) in cases {
            let token = token.map(String::as_str);
            let (status, answer) = service.post("/v1/syncs", token, &sync);
            assert_eq!(
                (status, code(&answer)),
                (401, expected),
                "{vendor}, {name}: {answer}"
            );
        }
        assert!(
            scene.world().requests().is_empty(),
            "{vendor} was asked for them"
        );

        let good = Some(one.as_str());
        let (status, answer) = service.post("/v1/syncs", good, &sync);
        assert_eq!(status, 200, "{vendor}: {answer}");
        let asked = scene.world().requests().len();
        let (status, answer) = service.post("/v1/syncs", good, &sync);
        assert_eq!(
            (status, code(&answer)),
            (409, "ERR_RUN_DUPLICATE_TRIGGER"),
            "{vendor}, replayed: {answer}"
        );
        assert_eq!(scene.world().requests().len(), asked, "{vendor}");
    }
}
