//! What a source's rows tell of deals, as data: each vendor's folder says which of its columns mean what, and
//! [`crate::publish`] makes `deals` of it.
//!
//! Wherever a column is named here, a member of a JSON column can be named too: `owner.email` is the member `email`
//! of the JSON object in the column `owner`. Columns that an account does not have are passed over.
//!
//! ```
//! use salesync_core::deal::DealColumns;
//! use salesync_core::interaction::OurUser;
//!
//! const DEALS: &[DealColumns] = &[DealColumns {
//!     name: Some("title"),
//!     amount: Some("value"),
//!     currency: Some("currency_code"),
//!     stage: Some("stage"),
//!     closed: Some("is_closed"),
//!     won: Some("is_won"),
//!     created: &["created_at"],
//!     closes: &["closed_at", "expected_at"],
//!     company: Some(("account_id", "accounts")),
//!     our_user: &[OurUser::Record { column: "owner_id", stream: "users" }],
//!     ..DealColumns::of("deals")
//! }];
//! # assert_eq!(DEALS[0].stream, "deals");
//! ```

use crate::interaction::OurUser;

/// Which columns of a stream's table tell of a deal; one row tells of one.
#[derive(Debug, Clone, Copy)]
pub struct DealColumns {
    /// The stream.
    pub stream: &'static str,
    /// The column with its name.
    pub name: Option<&'static str>,
    /// The column with what it is worth.
    pub amount: Option<&'static str>,
    /// The column with the code of the amount's currency.
    pub currency: Option<&'static str>,
    /// The column with the stage that it has reached.
    pub stage: Option<&'static str>,
    /// The column that says yes where it has ended, won or lost, and no where it is open.
    pub closed: Option<&'static str>,
    /// The column that says yes where it was won, and else no.
    pub won: Option<&'static str>,
    /// When it was begun: the first of these columns that holds a time or a day.
    pub created: &'static [&'static str],
    /// When it is to end, or has ended: the first of these columns that holds a time or a day.
    pub closes: &'static [&'static str],
    /// The column with the id of the record of the company that it is with, and the stream of that record.
    pub company: Option<(&'static str, &'static str)>,
    /// Which of us it belongs to: the first of these that says something.
    pub our_user: &'static [OurUser],
}

impl DealColumns {
    /// Returns a declaration that says nothing but the stream, to be filled in.
    #[must_use]
    pub const fn of(stream: &'static str) -> Self {
        Self {
            stream,
            name: None,
            amount: None,
            currency: None,
            stage: None,
            closed: None,
            won: None,
            created: &[],
            closes: &[],
            company: None,
            our_user: &[],
        }
    }
}
