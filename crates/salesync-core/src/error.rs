//! One error for every step: what went wrong (a stable code), what to do about it (its class),
//! where (operation and context) and why (the source chain).
//!
//! Messages never carry record content, addresses, tokens or bodies: only names and numbers of ours.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// The result of every fallible function of salesync.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says what the one who meets an error does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Transient: the call is tried again, and if that fails the next run heals it.
    Retry,
    /// This run ends here; its cursor is kept and the next run goes on from it.
    Stop,
    /// Nothing was done, and nothing needs to be.
    Skip,
    /// One record is bad; it goes to the dead letters and the run goes on.
    Record,
    /// A person must decide: settings, a revoked login, a schema.
    Decide,
    /// The request itself was refused before any work.
    Request,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $class:ident, $status:literal, $remedy:literal;)+) => {
        /// The stable codes: `ERR_<AREA>_<WHAT>`, one class each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Returns the code as users and logs see it.
            #[must_use]
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $text,)+ } }

            /// Returns the sentence that says what the code means: a fixed text, fit for anybody.
            #[must_use]
            pub fn meaning(self) -> &'static str { match self { $(Self::$name => concat!($($doc),+).trim(),)+ } }

            /// Returns the code's class.
            #[must_use]
            pub fn class(self) -> Class { match self { $(Self::$name => Class::$class,)+ } }

            /// Returns the HTTP status that a trigger is answered with.
            #[must_use]
            pub fn http_status(self) -> u16 { match self { $(Self::$name => $status,)+ } }

            /// Returns the sentence that tells a person what to do.
            #[must_use]
            pub fn remedy(self) -> &'static str { match self { $(Self::$name => $remedy,)+ } }
        }
    };
}

codes! {
    /// The source's host did not answer.
    SourceUnreachable = "ERR_SOURCE_UNREACHABLE", Retry, 503, "the next run tries again; check the network and the base URL if it lasts";
    /// The source took longer than a call may.
    SourceTimeout = "ERR_SOURCE_TIMEOUT", Retry, 503, "the next run tries again";
    /// The source answered with a server error.
    SourceStatus5xx = "ERR_SOURCE_STATUS_5XX", Retry, 503, "the next run tries again; see the vendor's status page if it lasts";
    /// The source said that we ask too fast.
    SourceRateLimited = "ERR_SOURCE_RATE_LIMITED", Retry, 503, "the next run goes on; another program may share the limit";
    /// A body ended before its announced end.
    SourceBodyTruncated = "ERR_SOURCE_BODY_TRUNCATED", Retry, 503, "the next run tries again";
    /// A body was not what its content type says.
    SourceBodyMalformed = "ERR_SOURCE_BODY_MALFORMED", Retry, 503, "the next run tries again; a proxy may be answering in the source's place";
    /// A page lacked its records, its count or its end mark.
    SourcePageShape = "ERR_SOURCE_PAGE_SHAPE", Retry, 503, "the next run tries again; if it lasts, the vendor changed its answer: report it";
    /// A page held another number of records than it announced.
    SourcePageCount = "ERR_SOURCE_PAGE_COUNT", Retry, 503, "the next run tries again";
    /// The access token had expired and a new one was refused too.
    SourceAuthExpired = "ERR_SOURCE_AUTH_EXPIRED", Retry, 503, "the next run logs in anew";
    /// The source's own position in a listing was no longer known to it.
    SourceCursorExpired = "ERR_SOURCE_CURSOR_EXPIRED", Retry, 503, "the next run starts again from the last safe place";
    /// The warehouse did not answer.
    StoreUnavailable = "ERR_STORE_UNAVAILABLE", Retry, 503, "the next run tries again; check that the warehouse can be reached";
    /// Another writer changed the same table at the same time.
    StoreConflict = "ERR_STORE_CONFLICT", Retry, 503, "the next run tries again";
    /// A message could not be published.
    QueuePublish = "ERR_QUEUE_PUBLISH", Retry, 503, "the next run publishes it";

    /// The day's quota at the source is used up.
    SourceQuotaExhausted = "ERR_SOURCE_QUOTA_EXHAUSTED", Stop, 200, "the run goes on when the quota is free again; see which programs share it";
    /// The source failed so often that this run stopped asking.
    SourceBreakerOpen = "ERR_SOURCE_BREAKER_OPEN", Stop, 503, "the next run tries again after a pause; see the vendor's status page";
    /// The run's time is over.
    RunDeadline = "ERR_RUN_DEADLINE", Stop, 200, "the next run goes on where this one stopped";
    /// The run was told to stop.
    RunStopped = "ERR_RUN_STOPPED", Stop, 200, "start the command again; it goes on where this one stopped";
    /// The source answered twice without moving forward.
    RunNoProgress = "ERR_RUN_NO_PROGRESS", Stop, 502, "report it with the run's id: the source repeats one page";
    /// So many records of one batch were bad that the fault is elsewhere.
    BatchDeadRatio = "ERR_BATCH_DEAD_RATIO", Stop, 502, "the log names the first reason; the source's format may have changed";
    /// A paging link led back to a page already read.
    SourcePageLoop = "ERR_SOURCE_PAGE_LOOP", Stop, 502, "report it with the run's id: the source's paging runs in a circle";
    /// A body was larger than a body may be.
    SourceBodyTooLarge = "ERR_SOURCE_BODY_TOO_LARGE", Stop, 502, "lower the page size or look at the record that is so large";
    /// A paging link led to a host that is not configured.
    SourceForeignLink = "ERR_SOURCE_FOREIGN_LINK", Stop, 502, "check the base URL: the source's links lead to another host";
    /// The source answered with a redirect.
    SourceRedirect = "ERR_SOURCE_REDIRECT", Stop, 502, "set the base URL to the host that the redirect names, if you trust it";

    /// Another run of the same stream is at work.
    RunOverlap = "ERR_RUN_OVERLAP", Skip, 200, "another process has the file open, a sync or a DuckDB shell: it does the work, or close it";

    /// The trigger was used before.
    RunDuplicateTrigger = "ERR_RUN_DUPLICATE_TRIGGER", Skip, 409, "the trigger has had its run; send another one for another run";

    /// A record has no key.
    RecordNoIdentity = "ERR_RECORD_NO_IDENTITY", Record, 200, "mend it at the source, and the next sync brings it; then `salesync dlq discard` the letter";
    /// A record has more than one key.
    RecordIdentityAmbiguous = "ERR_RECORD_IDENTITY_AMBIGUOUS", Record, 200, "mend it at the source, and the next sync brings it; then `salesync dlq discard` the letter";
    /// A record's change time is missing or absurd.
    RecordVersion = "ERR_RECORD_VERSION", Record, 200, "mend it at the source, and the next sync brings it; then `salesync dlq discard` the letter";
    /// A record or a field of it is too large.
    RecordTooLarge = "ERR_RECORD_TOO_LARGE", Record, 200, "shorten the field at the source, and the next sync brings it; then `salesync dlq discard` the letter";
    /// A record is nested too deep.
    RecordTooDeep = "ERR_RECORD_TOO_DEEP", Record, 200, "mend it at the source, and the next sync brings it; then `salesync dlq discard` the letter";
    /// A record is not what the source's format says.
    RecordMalformed = "ERR_RECORD_MALFORMED", Record, 200, "mend it at the source, and the next sync brings it; then `salesync dlq discard` the letter";
    /// A field's value is not of the field's type.
    RecordType = "ERR_RECORD_TYPE", Record, 200, "mend the field at the source, and the next sync brings it; then `salesync dlq discard` the letter";
    /// A field's value is outside of what the type can mean.
    RecordRange = "ERR_RECORD_RANGE", Record, 200, "mend the field at the source, and the next sync brings it; then `salesync dlq discard` the letter";

    /// The source refuses the login for good.
    SourceAuthRevoked = "ERR_SOURCE_AUTH_REVOKED", Decide, 500, "log in anew and store the new secret";
    /// The login lacks a permission.
    SourceForbidden = "ERR_SOURCE_FORBIDDEN", Decide, 500, "grant the permission that the function's README names, then run again";
    /// The source refuses a request that it used to take.
    SourceRefused = "ERR_SOURCE_REFUSED", Decide, 500, "report it with the run's id: the source refuses the request";
    /// The source's schema no longer fits.
    SourceSchemaChanged = "ERR_SOURCE_SCHEMA_CHANGED", Decide, 500, "see `schema_changes`; a field changed in a way that no column can follow";
    /// The warehouse's tables are not as this version needs them.
    StoreSchema = "ERR_STORE_SCHEMA", Decide, 500, "the table was changed by hand or by a newer version: restore it or use that version";
    /// Stored state can't be read.
    StoreCorrupt = "ERR_STORE_CORRUPT", Decide, 500, "restore the warehouse from a backup; without one, move it away and sync anew";
    /// A full sync would mark very many records as deleted.
    ReconcileTooMany = "ERR_RECONCILE_TOO_MANY", Decide, 500, "check the source; if the records are really gone, run `salesync sync SOURCE --full --confirm-absent`";
    /// A setting is missing or wrong.
    ConfigInvalid = "ERR_CONFIG_INVALID", Decide, 500, "correct the setting that the message names";
    /// A secret still holds its placeholder.
    ConfigSecretPlaceholder = "ERR_CONFIG_SECRET_PLACEHOLDER", Decide, 500, "store the real secret under the name that the message shows";
    /// Something happened that no code covers.
    Internal = "ERR_INTERNAL", Decide, 500, "report it with the run's id";

    /// The request is not one that salesync knows.
    RequestInvalid = "ERR_REQUEST_INVALID", Request, 400, "see `salesync --help`";
    /// There is nothing under this address.
    RequestNotFound = "ERR_REQUEST_NOT_FOUND", Request, 404, "see docs/api/openapi.yaml for what is served";
    /// The address is served by another method.
    RequestMethod = "ERR_REQUEST_METHOD", Request, 405, "see docs/api/openapi.yaml for what is served";
    /// The request's body is larger than a body may be.
    RequestTooLarge = "ERR_REQUEST_TOO_LARGE", Request, 413, "send at most 64 KiB";
    /// The request's body is not called JSON.
    RequestUnsupportedType = "ERR_REQUEST_UNSUPPORTED_TYPE", Request, 415, "send JSON with `Content-Type: application/json`";
    /// The request does not say who asks.
    AuthMissing = "ERR_AUTH_MISSING", Request, 401, "send `Authorization: Bearer` with a token or the shared secret";
    /// The request's token or secret is not valid.
    AuthInvalid = "ERR_AUTH_INVALID", Request, 401, "send a token that is signed, not expired and made for this audience, or the shared secret";
    /// The one who asks may not.
    AuthForbidden = "ERR_AUTH_FORBIDDEN", Request, 403, "let the identity ask that SALESYNC_TRIGGER_IDENTITY names; without a trigger setting only this machine may";
}

impl Code {
    /// Returns the exit code of the command line: 2 usage, 75 the next run may heal it, 78 a person decides.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self.class() {
            Class::Skip | Class::Record => 0,
            Class::Request => 2,
            Class::Retry | Class::Stop => 75,
            Class::Decide => 78,
        }
    }

    /// Returns the code that is spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong, where, and what lies beneath it.
#[derive(Debug)]
pub struct Error {
    code: Code,
    operation: &'static str,
    context: Vec<(&'static str, String)>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Returns an error of `code` that `operation` (a few words, lower case) ran into.
    #[must_use]
    pub fn new(code: Code, operation: &'static str) -> Self {
        Self {
            code,
            operation,
            context: Vec::new(),
            retry_after: None,
            source: None,
        }
    }

    /// Adds a name and a value of ours: never record content, an address or a secret.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((name, value.to_string()));
        self
    }

    /// Adds the lower error as the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds how long the source asks us to wait.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the code's class.
    #[must_use]
    pub fn class(&self) -> Class {
        self.code.class()
    }

    /// Returns how long the source asks us to wait, if it does.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.operation)?;
        for (index, (name, value)) in self.context.iter().enumerate() {
            let lead = if index == 0 { " (" } else { ", " };
            write!(f, "{lead}{name}: {value}")?;
        }
        if self.context.is_empty() {
            Ok(())
        } else {
            f.write_str(")")
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_spelt_once_and_can_be_read_back() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(code.as_str().starts_with("ERR_"));
            assert!(!code.remedy().is_empty());
            assert!(code.meaning().ends_with('.') && !code.meaning().starts_with(' '));
        }
    }

    #[test]
    fn the_message_holds_code_operation_and_context() {
        let error = Error::new(Code::ConfigInvalid, "read settings").with("setting", "SALESYNC_X");
        assert_eq!(
            error.to_string(),
            "ERR_CONFIG_INVALID: read settings (setting: SALESYNC_X)"
        );
    }
}
