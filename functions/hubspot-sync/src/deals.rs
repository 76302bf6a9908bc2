//! What HubSpot's deals tell of deals. The company is the one that HubSpot calls the primary one of those that a deal is
//! associated with.

use salesync_core::deal::DealColumns;

use crate::interactions::OWNER;

/// The deals.
pub(crate) const DEALS: &[DealColumns] = &[DealColumns {
    name: Some("dealname"),
    amount: Some("amount"),
    currency: Some("deal_currency_code"),
    stage: Some("dealstage"),
    closed: Some("hs_is_closed"),
    won: Some("hs_is_closed_won"),
    // People can set the first; the second is when the record was made.
    created: &["createdate", "createdAt"],
    closes: &["closedate"],
    company: Some(("hs_primary_associated_company", "companies")),
    our_user: OWNER,
    ..DealColumns::of("deals")
}];

#[cfg(test)]
mod tests {
    use salesync_core::schema::ColumnType;

    use super::*;
    use crate::SOURCE;
    use crate::objects::OBJECTS;
    use crate::properties::{Layout, Property};

    #[test]
    fn what_deals_name_is_read_and_of_the_type_that_it_is_read_as() {
        #[derive(serde::Deserialize)]
        struct Described {
            results: Vec<Property>,
        }
        let properties = include_str!("../fixtures/deals/properties.json");
        let properties: Described = serde_json::from_str(properties).unwrap();
        for deal in DEALS {
            assert!(SOURCE.streams.contains(&deal.stream), "{}", deal.stream);
            let (company, companies) = deal.company.unwrap();
            assert!(SOURCE.streams.contains(&companies), "{companies}");
            let object = OBJECTS.iter().find(|it| it.stream == deal.stream).unwrap();
            let table = Layout::new(object, &properties.results).unwrap().table;
            let (text, time) = (ColumnType::Text, ColumnType::Timestamp);
            let named = [
                (deal.name.unwrap(), text),
                (deal.amount.unwrap(), ColumnType::NUMBER),
                (deal.currency.unwrap(), text),
                (deal.stage.unwrap(), text),
                (deal.closed.unwrap(), ColumnType::Bool),
                (deal.won.unwrap(), ColumnType::Bool),
                (company, text),
            ];
            let times = deal.created.iter().chain(deal.closes);
            for (name, column_type) in named.into_iter().chain(times.map(|name| (*name, time))) {
                let place = table.position(name).unwrap_or_else(|| panic!("{name}"));
                assert_eq!(table.columns()[place].column_type, column_type, "{name}");
            }
        }
    }
}
