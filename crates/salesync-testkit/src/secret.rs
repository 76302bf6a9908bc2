//! The promises of [`SecretStore`]. A store that is tested holds one secret, `testkit`, with the text
//! [`FIRST`].

use std::sync::Arc;

use salesync_core::error::Code;
use salesync_core::secret::{Secret, SecretStore};

/// What the secret `testkit` holds at first.
pub const FIRST: &str = r#"{"refresh_token":"first"}"#;
const SECOND: &str = r#"{"refresh_token":"second, it's \"new\" 😀"}"#;

/// Makes a test of every promise of the secret store.
///
/// `$make` is an async function that returns a store in an `Arc`, which holds the secret `testkit` with
/// the text [`FIRST`], and a value that lives as long as the test.
#[macro_export]
macro_rules! secret_store_contract {
    ($make:path) => {
        $crate::each_promise! { $make, secret:
            a_secret_is_read_as_it_was_stored,
            a_secret_that_is_not_there_is_an_error_that_names_it,
            a_rotated_secret_takes_the_place_of_the_old_one,
            a_secret_that_someone_else_rotated_is_left_alone,
            no_debug_form_shows_a_secret,
        }
    };
}

/// Byte for byte.
pub async fn a_secret_is_read_as_it_was_stored(store: Arc<dyn SecretStore>) {
    assert_eq!(store.get("testkit").await.unwrap().expose(), FIRST);
}

/// A person reads which secret is missing.
pub async fn a_secret_that_is_not_there_is_an_error_that_names_it(store: Arc<dyn SecretStore>) {
    let error = store.get("missing").await.unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(error.to_string().contains("missing"));
}

/// The new one is there on return.
pub async fn a_rotated_secret_takes_the_place_of_the_old_one(store: Arc<dyn SecretStore>) {
    let (first, second) = (Secret::new(FIRST), Secret::new(SECOND));
    assert!(
        store
            .put_if_unchanged("testkit", &first, &second)
            .await
            .unwrap()
    );
    assert_eq!(store.get("testkit").await.unwrap().expose(), SECOND);
    assert!(
        store
            .put_if_unchanged("testkit", &second, &first)
            .await
            .unwrap()
    );
    assert_eq!(store.get("testkit").await.unwrap().expose(), FIRST);
}

/// Of two runs that rotate at once, one learns that it was late.
pub async fn a_secret_that_someone_else_rotated_is_left_alone(store: Arc<dyn SecretStore>) {
    let (first, second) = (Secret::new(FIRST), Secret::new(SECOND));
    assert!(
        store
            .put_if_unchanged("testkit", &first, &second)
            .await
            .unwrap()
    );
    let third = Secret::new("{}");
    assert!(
        !store
            .put_if_unchanged("testkit", &first, &third)
            .await
            .unwrap()
    );
    assert_eq!(store.get("testkit").await.unwrap().expose(), SECOND);
}

/// Neither the store's nor the secret's.
pub async fn no_debug_form_shows_a_secret(store: Arc<dyn SecretStore>) {
    let secret = store.get("testkit").await.unwrap();
    assert!(!format!("{secret:?} {store:?}").contains("refresh_token"));
}
