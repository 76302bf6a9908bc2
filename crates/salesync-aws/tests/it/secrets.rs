//! What Secrets Manager has beyond the port: versions and their stages.

use aws_sdk_secretsmanager::primitives::Blob;
use salesync_aws::AwsSecretStore;
use salesync_core::error::Code;
use salesync_core::secret::{Secret, SecretStore};
use salesync_core::time::Timestamp;

use crate::account::{Account, new_name};

/// Returns a store that holds the secret `testkit` with that text.
pub(crate) async fn holding(text: &str) -> Option<(Account, AwsSecretStore)> {
    let account = Account::here().await?;
    let store = AwsSecretStore::new("us-east-1", format!("{}/", new_name("secret")));
    let store = store.with_login(&account.login());
    let name = store.full_name("testkit");
    let made = account
        .secrets()
        .create_secret()
        .name(name)
        .secret_string(text);
    made.send().await.unwrap();
    Some((account, store))
}

/// Returns the text of the version with that stage.
async fn staged(account: &Account, store: &AwsSecretStore, stage: &str) -> Option<String> {
    let client = account.secrets();
    let asked = client
        .get_secret_value()
        .secret_id(store.full_name("testkit"))
        .version_stage(stage);
    let answer = asked.send().await.ok()?;
    answer.secret_string().map(str::to_owned)
}

#[tokio::test]
async fn the_secret_that_was_replaced_stays_as_the_previous_one() {
    let Some((account, store)) = holding("one").await else {
        return;
    };
    for (old, new) in [("one", "two"), ("two", "three")] {
        let (old, new) = (Secret::new(old), Secret::new(new));
        assert!(store.put_if_unchanged("testkit", &old, &new).await.unwrap());
        assert_eq!(store.get("testkit").await.unwrap().expose(), new.expose());
        let previous = staged(&account, &store, "AWSPREVIOUS").await;
        assert_eq!(previous.as_deref(), Some(old.expose()));
    }
}

#[tokio::test]
async fn of_writers_at_the_same_time_one_replaces_the_secret_and_the_others_learn_it() {
    let Some((account, store)) = holding("0").await else {
        return;
    };
    for round in 0..5 {
        let old = Secret::new(format!("{round}"));
        let news = ["a", "b", "c"].map(|writer| Secret::new(format!("{round}{writer}")));
        let [a, b, c] = &news;
        let (a, b, c) = tokio::join!(
            store.put_if_unchanged("testkit", &old, a),
            store.put_if_unchanged("testkit", &old, b),
            store.put_if_unchanged("testkit", &old, c),
        );
        let stored = [a.unwrap(), b.unwrap(), c.unwrap()];
        let pairs = news.iter().zip(stored);
        let winners: Vec<&Secret> = pairs
            .filter_map(|(new, stored)| stored.then_some(new))
            .collect();
        assert_eq!(winners.len(), 1, "{stored:?}");
        let current = store.get("testkit").await.unwrap();
        assert_eq!(current.expose(), winners[0].expose());
        let previous = staged(&account, &store, "AWSPREVIOUS").await;
        assert_eq!(previous.as_deref(), Some(old.expose()));
        // Who came late took back what AWS would take for a rotation at work.
        let pending = staged(&account, &store, "AWSPENDING").await;
        assert!(pending.is_none_or(|text| text == current.expose()));
        let next = Secret::new(format!("{}", round + 1));
        let moved = store.put_if_unchanged("testkit", &current, &next);
        assert!(moved.await.unwrap());
    }
}

#[tokio::test]
async fn whether_a_secret_is_there_can_be_asked() {
    let Some((account, store)) = holding("one").await else {
        return;
    };
    assert!(store.has("testkit").await.unwrap());
    assert!(store.created("testkit").await.unwrap() > Timestamp::EPOCH);
    assert!(!store.has("missing").await.unwrap());
    let deleted = account
        .secrets()
        .delete_secret()
        .secret_id(store.full_name("testkit"));
    deleted.send().await.unwrap();
    let error = store.has("testkit").await.unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(error.to_string().contains("testkit"), "{error}");
}

#[tokio::test]
async fn a_secret_that_is_no_text_is_an_error_that_names_it() {
    let Some((account, store)) = holding("one").await else {
        return;
    };
    let bytes = account
        .secrets()
        .create_secret()
        .name(store.full_name("bytes"))
        .secret_binary(Blob::new(vec![1_u8, 2, 3]));
    bytes.send().await.unwrap();
    let error = store.get("bytes").await.unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(error.to_string().contains("bytes"), "{error}");
}
