//! What AWS's errors mean to salesync: who asks too fast waits, who may not ask tells a person.

use std::error::Error as StdError;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::BatchResultErrorEntry;
use salesync_core::error::{Code, Error};

/// How long to wait where AWS says that we ask too fast, and not for how long.
const THROTTLED_WAIT: Duration = Duration::from_secs(2);

/// Returns the error that `operation` ran into. AWS's own words are its cause, never part of its text.
pub(crate) fn failure<E>(operation: &'static str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let ours = match &error {
        SdkError::ServiceError(refusal) => {
            let (reason, answer) = (refusal.err().code(), refusal.raw());
            let ours = refused(
                operation,
                reason.unwrap_or_default(),
                answer.status().as_u16(),
            );
            let wait_ms = answer.headers().get("x-amz-retry-after");
            let wait_ms = wait_ms.and_then(|text| text.parse().ok());
            let ours = match (ours.retry_after(), wait_ms) {
                (Some(_), Some(wait_ms)) => ours.after(Duration::from_millis(wait_ms)),
                _ => ours,
            };
            match answer.headers().get("x-amzn-requestid") {
                Some(id) => ours.with("request", id),
                None => ours,
            }
        }
        SdkError::DispatchFailure(failed) => {
            let cause = failed
                .as_connector_error()
                .and_then(|it| no_credentials(it));
            match cause {
                Some(
                    CredentialsError::CredentialsNotLoaded(_)
                    | CredentialsError::InvalidConfiguration(_),
                ) => Error::new(Code::ConfigInvalid, operation).with(
                    "no credentials",
                    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role",
                ),
                _ if failed.is_user() => Error::new(Code::ConfigInvalid, operation),
                _ => Error::new(Code::StoreUnavailable, operation),
            }
        }
        SdkError::ConstructionFailure(_) => Error::new(Code::Internal, operation),
        _ => Error::new(Code::StoreUnavailable, operation),
    };
    match error.into_source() {
        Ok(cause) => ours.because(cause),
        Err(_) => ours,
    }
}

/// Returns the error of one message in a batch.
pub(crate) fn entry_failure(operation: &'static str, entry: &BatchResultErrorEntry) -> Error {
    let status = if entry.sender_fault() { 400 } else { 500 };
    refused(operation, entry.code(), status)
}

/// Returns the error of something that the SDK could not put together.
pub(crate) fn unbuilt(operation: &'static str) -> impl Fn(aws_sdk_sqs::error::BuildError) -> Error {
    move |error| Error::new(Code::Internal, operation).because(error)
}

/// Returns the login's error among an error's causes.
fn no_credentials<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a CredentialsError> {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if let Some(found) = this.downcast_ref::<CredentialsError>() {
            return Some(found);
        }
        cause = this.source();
    }
    None
}

/// Returns the error of a refusal, by AWS's name for the reason and the status of the answer.
fn refused(operation: &'static str, reason: &str, status: u16) -> Error {
    // Some names have their service's before them: `AWS.SimpleQueueService.NonExistentQueue`.
    let reason = reason.rsplit(['.', '#']).next().unwrap_or(reason);
    let error = |code| {
        Error::new(code, operation)
            .with("reason", reason)
            .with("status", status)
    };
    match reason {
        "Throttling" | "ThrottlingException" | "ThrottledException" | "RequestThrottled"
        | "RequestThrottledException" | "TooManyRequestsException" | "RequestLimitExceeded"
        | "SlowDown" | "OverLimit" => error(Code::StoreUnavailable).after(THROTTLED_WAIT),
        "ReceiptHandleIsInvalid" | "ConcurrentModificationException" => error(Code::StoreConflict),
        "RequestTimeout" | "RequestTimeoutException" => error(Code::StoreUnavailable),
        // AWS answers these with 400 as often as with 403.
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidSecurity"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "NotAuthorized"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException"
        | "DecryptionFailure"
        | "EncryptionFailure"
        | "KmsAccessDenied"
        | "KmsDisabled"
        | "KmsInvalidState"
        | "KmsNotFound"
        | "KmsOptInRequired"
        // These name something that is not there, or not as the settings have it.
        | "InvalidAddress"
        | "InvalidRequestException"
        | "NonExistentQueue"
        | "QueueDoesNotExist"
        | "ResourceNotFoundException"
        | "UnsupportedOperation" => error(Code::ConfigInvalid),
        _ => match status {
            401 | 403 | 404 => error(Code::ConfigInvalid),
            429 => error(Code::StoreUnavailable).after(THROTTLED_WAIT),
            500.. => error(Code::StoreUnavailable),
            _ => error(Code::Internal),
        },
    }
}

#[cfg(test)]
mod tests {
    use salesync_core::error::Class;

    use super::*;

    #[test]
    fn a_reason_says_whether_to_wait_or_to_ask_a_person() {
        let cases = [
            ("ThrottlingException", 400, Class::Retry, true),
            ("RequestThrottled", 403, Class::Retry, true),
            ("", 429, Class::Retry, true),
            ("InternalFailure", 500, Class::Retry, false),
            ("", 503, Class::Retry, false),
            ("ReceiptHandleIsInvalid", 404, Class::Retry, false),
            ("AccessDeniedException", 400, Class::Decide, false),
            ("", 403, Class::Decide, false),
            (
                "AWS.SimpleQueueService.NonExistentQueue",
                400,
                Class::Decide,
                false,
            ),
            ("KMS.AccessDeniedException", 400, Class::Decide, false),
            ("InvalidMessageContents", 400, Class::Decide, false),
        ];
        for (reason, status, class, waits) in cases {
            let error = refused("ask SQS", reason, status);
            assert_eq!(error.class(), class, "{reason} {status}");
            assert_eq!(error.retry_after().is_some(), waits, "{reason} {status}");
        }
    }
}
