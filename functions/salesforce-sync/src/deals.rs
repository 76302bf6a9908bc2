//! What Salesforce's opportunities tell of deals. Only organisations with several currencies have a column for the
//! currency.

use salesync_core::deal::DealColumns;

use crate::interactions::OWNER;

/// The opportunities.
pub(crate) const DEALS: &[DealColumns] = &[DealColumns {
    name: Some("Name"),
    amount: Some("Amount"),
    currency: Some("CurrencyIsoCode"),
    stage: Some("StageName"),
    closed: Some("IsClosed"),
    won: Some("IsWon"),
    created: &["CreatedDate"],
    closes: &["CloseDate"],
    company: Some(("AccountId", "accounts")),
    our_user: OWNER,
    ..DealColumns::of("opportunities")
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SOURCE;

    #[test]
    fn every_stream_that_deals_name_is_read() {
        for deal in DEALS {
            let companies = deal.company.map(|(_, stream)| stream);
            for stream in [Some(deal.stream), companies].into_iter().flatten() {
                assert!(SOURCE.streams.contains(&stream), "{stream}");
            }
        }
    }
}
