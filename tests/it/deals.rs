//! Deals of all sources with the companies that they are with, and what an account comes to.

use std::collections::{BTreeMap, BTreeSet};

use salesync_sandbox::World;
use serde_json::Value;

use crate::harness::Bench;
use crate::resolving::entities;
use crate::tables::Tables;

/// What the vendors hold of a deal that is there.
struct Held {
    /// The company's record.
    company: String,
    currency: String,
    amount: Option<f64>,
    is_open: bool,
    is_won: bool,
}

/// Returns the deals that are there, of both vendors.
fn held(world: &World) -> Vec<Held> {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let says = |value: &Value| match value {
        Value::Bool(flag) => Some(*flag),
        other => other.as_str().map(|text| text == "true"),
    };
    let mut all = Vec::new();
    for record in world.hubspot_records("deals") {
        if record["archived"] == false && record["mergedInto"].is_null() {
            let deal = &record["properties"];
            let company = text(&deal["hs_primary_associated_company"]);
            all.push(Held {
                company: format!("company/hubspot/companies/{company}"),
                currency: text(&deal["deal_currency_code"]),
                amount: number(&deal["amount"]),
                is_open: says(&deal["hs_is_closed"]) == Some(false),
                is_won: says(&deal["hs_is_closed_won"]) == Some(true),
            });
        }
    }
    for deal in world.salesforce_records("Opportunity") {
        if deal["IsDeleted"] == false {
            let company = text(&deal["AccountId"]);
            all.push(Held {
                company: format!("company/salesforce/accounts/{company}"),
                currency: text(&deal["CurrencyIsoCode"]),
                amount: number(&deal["Amount"]),
                is_open: says(&deal["IsClosed"]) == Some(false),
                is_won: says(&deal["IsWon"]) == Some(true),
            });
        }
    }
    all
}

fn resolved() -> (Bench, Value) {
    let bench = Bench::with_records(2_000);
    bench.sync(&["all"]);
    let report = bench.json(&["resolve"]);
    (bench, report)
}

/// Reads a JSON document, where there is one.
fn document<T: serde::de::DeserializeOwned + Default>(text: Option<&String>) -> T {
    text.map_or_else(T::default, |text| serde_json::from_str(text).unwrap())
}

#[test]
fn every_deal_of_every_source_is_published_as_its_source_has_it() {
    let (bench, report) = resolved();
    let tables = bench.tables();
    assert_eq!(report["deals"], tables.number("SELECT count(*) FROM deals"));
    let company = |source: &str, stream: &str, column: &str| {
        format!(
            "(SELECT r.entity_id FROM entity_records AS r WHERE r.kind = 'company' AND r.source = '{source}' \
             AND r.stream = '{stream}' AND r.record_id = {column})"
        )
    };
    let raw = format!(
        "SELECT 'hubspot/' || id, dealname, amount::DECIMAL(38, 9)::VARCHAR, deal_currency_code, dealstage, \
           (NOT hs_is_closed)::VARCHAR, hs_is_closed_won::VARCHAR, epoch_us(createdate)::VARCHAR, \
           epoch_us(closedate)::VARCHAR, {} \
         FROM hubspot_deals WHERE _deleted_at IS NULL \
         UNION ALL \
         SELECT 'salesforce/' || id, Name, Amount::DECIMAL(38, 9)::VARCHAR, CurrencyIsoCode, StageName, \
           (NOT IsClosed)::VARCHAR, IsWon::VARCHAR, epoch_us(CreatedDate)::VARCHAR, \
           epoch_us(CloseDate::TIMESTAMP)::VARCHAR, {} \
         FROM salesforce_opportunities WHERE _deleted_at IS NULL ORDER BY 1",
        company("hubspot", "companies", "hs_primary_associated_company"),
        company("salesforce", "accounts", "AccountId"),
    );
    let published = tables.query(
        "SELECT deal_id, name, amount::VARCHAR, currency, stage, is_open::VARCHAR, is_won::VARCHAR, \
           epoch_us(created_at)::VARCHAR, epoch_us(closes_at)::VARCHAR, company_id FROM deals ORDER BY 1",
    );
    assert!(published.len() > 400, "{}", published.len());
    assert_eq!(published, tables.query(&raw));

    let count =
        |condition: &str| tables.number(&format!("SELECT count(*) FROM deals WHERE {condition}"));
    assert!(count("company_id IS NOT NULL") > 400);
    assert!(count("is_open") > 100 && count("is_won") > 50 && count("currency = 'EUR'") > 50);
    assert_eq!(
        count("our_user IS NULL OR our_user NOT LIKE '%@sandbox.example'"),
        0
    );
    assert_eq!(count("deal_id <> source || '/' || record_id"), 0);
}

#[test]
fn an_account_comes_to_what_the_vendors_hold_of_it() {
    let (bench, _) = resolved();
    let tables = bench.tables();
    let entities = entities(&tables);
    let mut counts: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    let mut amounts: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for deal in held(bench.world()) {
        let Some(company) = entities.get(&deal.company) else {
            continue;
        };
        let [open, won] = counts.entry(company.clone()).or_default();
        *open += u64::from(deal.is_open);
        *won += u64::from(deal.is_won);
        if let (true, Some(amount)) = (deal.is_open, deal.amount) {
            let by_currency = amounts.entry(company.clone()).or_default();
            *by_currency.entry(deal.currency).or_default() += amount;
        }
    }
    let rows = tables.query(
        "SELECT company_id, open_deals::VARCHAR, won_deals::VARCHAR, open_amounts FROM account_overview",
    );
    assert!(amounts.len() > 50, "{}", amounts.len());
    let companies = tables.list("SELECT company_id FROM companies");
    assert_eq!(rows.len(), companies.len());
    for row in &rows {
        let company = row[0].as_ref().unwrap();
        let shown = [1, 2].map(|at| row[at].as_ref().unwrap().parse::<u64>().unwrap());
        let expected = counts.get(company).copied().unwrap_or_default();
        assert_eq!(shown, expected, "open and won deals of {company}");
        let shown: BTreeMap<String, f64> = document(row[3].as_ref());
        let expected = amounts.remove(company).unwrap_or_default();
        let currencies =
            |amounts: &BTreeMap<String, f64>| -> Vec<String> { amounts.keys().cloned().collect() };
        assert_eq!(currencies(&shown), currencies(&expected), "{company}");
        for (currency, amount) in &expected {
            let off = (shown[currency] - amount).abs();
            assert!(
                off <= amount.abs() * 1e-12,
                "{company}: {shown:?} is not {expected:?}"
            );
        }
    }
    assert!(
        amounts.is_empty(),
        "companies that are not there: {amounts:?}"
    );
}

/// Returns how many interactions have happened with each company.
fn happened(tables: &Tables) -> BTreeMap<String, u64> {
    let of_both = tables.query(
        "SELECT i.company_id, i.interaction_id FROM interactions AS i WHERE i.happened_at <= now() \
         UNION ALL SELECT p.company_id, p.interaction_id FROM interaction_parties AS p \
         JOIN interactions AS i USING (interaction_id) WHERE i.happened_at <= now()",
    );
    let known = of_both.iter().filter(|row| row[0].is_some());
    let each: BTreeSet<_> = known
        .map(|row| (row[0].clone().unwrap(), &row[1]))
        .collect();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (company, _) in each {
        *counts.entry(company).or_default() += 1;
    }
    counts
}

#[test]
fn an_account_counts_everything_that_has_happened_with_it_once() {
    let (bench, _) = resolved();
    let tables = bench.tables();
    let rows = tables.query(
        "SELECT company_id, interactions::VARCHAR, interactions_by_month FROM account_overview WHERE interactions > 0",
    );
    let counts = rows.iter().map(|row| {
        let number = row[1].as_ref().unwrap().parse::<u64>().unwrap();
        (row[0].clone().unwrap(), number)
    });
    let counts: BTreeMap<String, u64> = counts.collect();
    assert!(counts.len() > 50, "{}", counts.len());
    assert_eq!(counts, happened(&tables));
    for row in &rows {
        let months: BTreeMap<String, BTreeMap<String, u64>> = document(row[2].as_ref());
        let sum: u64 = months.values().flat_map(BTreeMap::values).sum();
        assert_eq!(Some(&sum.to_string()), row[1].as_ref(), "{months:?}");
    }
    let wrong = "SELECT company_id FROM account_overview WHERE last_touch_at > now() \
                 OR last_inbound_at > last_touch_at OR last_outbound_at > last_touch_at \
                 OR (last_touch_at IS NULL) <> (interactions = 0)";
    assert_eq!(tables.list(wrong), Vec::<String>::new());
    let people = "SELECT o.company_id FROM account_overview AS o LEFT JOIN \
                  (SELECT company_id, count(*) AS n FROM people GROUP BY 1) AS p USING (company_id) \
                  WHERE o.people_count <> coalesce(p.n, 0)";
    assert_eq!(tables.list(people), Vec::<String>::new());
}
