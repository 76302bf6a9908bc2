//! Deals out of an invented vendor's rows.

use super::world::{Row, World};

/// Returns several cells of a row; one without a value is empty.
fn cells<const N: usize>(row: &Row, names: [&str; N]) -> [String; N] {
    names.map(|name| row.get(name).cloned().unwrap_or_default())
}

/// A company, and one that was merged into it.
async fn companies(world: &World) {
    world
        .put(
            "crm_companies",
            &[
                &[("id", "c1"), ("name", "Acme Corp"), ("site", "acme.com")],
                &[("id", "c2"), ("name", "Acme"), ("_merged_into", "c1")],
            ],
        )
        .await;
}

#[tokio::test]
async fn every_live_deal_is_published_with_the_company_that_it_is_with() {
    let world = World::default();
    companies(&world).await;
    world
        .put(
            "crm_deals",
            &[
                &[("id", "1"), ("name", "With it"), ("company", "c1")],
                &[("id", "2"), ("name", "Merged"), ("company", "c2")],
                &[("id", "3"), ("name", "A stranger's"), ("company", "c9")],
                &[("id", "4"), ("name", "Nobody's")],
                &[
                    ("id", "5"),
                    ("name", "Gone"),
                    ("company", "c1"),
                    ("_deleted", ""),
                ],
            ],
        )
        .await;
    assert_eq!(world.resolve().await.deals, 4);
    let companies = world.rows("companies").await;
    let company = companies[0]["company_id"].as_str();
    let deals = world.rows("deals").await;
    let found: Vec<_> = deals
        .iter()
        .map(|row| cells(row, ["deal_id", "name", "company_id"]))
        .collect();
    let expected = [
        ["crm/1", "With it", company],
        ["crm/2", "Merged", company],
        ["crm/3", "A stranger's", ""],
        ["crm/4", "Nobody's", ""],
    ];
    assert_eq!(found, expected);
    for (row, id) in deals.iter().zip(["1", "2", "3", "4"]) {
        let place = cells(row, ["source", "stream", "record_id"]);
        assert_eq!(place, ["crm", "deals", id]);
    }
}

#[tokio::test]
async fn a_deal_says_what_it_is_worth_how_it_stands_and_whose_it_is() {
    let world = World::default();
    world
        .put(
            "crm_users",
            &[
                &[
                    ("id", "u1"),
                    ("type", "standard"),
                    ("email", "Ann@Ours.example"),
                ],
                &[("id", "u2"), ("type", "standard"), ("last", "Bo")],
            ],
        )
        .await;
    world
        .put(
            "crm_deals",
            &[
                &[
                    ("id", "1"),
                    ("amount", "1200.50"),
                    ("currency", "eur"),
                    ("stage", "offer"),
                    ("closed", "false"),
                    ("won", "false"),
                    ("made", "2026-01-02T03:04:05Z"),
                    ("expected", "2026-03-01"),
                    ("owner", "u1"),
                ],
                &[
                    ("id", "2"),
                    ("amount", "1.5E7"),
                    ("currency", "USD"),
                    ("closed", "true"),
                    ("won", "true"),
                    ("ended", "2026-02-01T00:00:00Z"),
                    ("expected", "2026-03-01"),
                    ("owner", "u2"),
                ],
                &[
                    ("id", "3"),
                    ("amount", "0.0000000001"),
                    ("currency", "a lot"),
                    ("closed", "perhaps"),
                    ("owner", "u9"),
                ],
            ],
        )
        .await;
    world.resolve().await;
    let deals = world.rows("deals").await;
    let of =
        |columns| -> Vec<[String; 3]> { deals.iter().map(|row| cells(row, columns)).collect() };
    let expected = [
        ["1200.500000000", "EUR", "offer"],
        ["15000000.000000000", "USD", ""],
        ["", "", ""],
    ];
    assert_eq!(
        of(["amount", "currency", "stage"]),
        expected,
        "exact, or nothing"
    );
    let expected = [
        ["true", "false", "ann@ours.example"],
        ["false", "true", "Bo"],
        ["", "", ""],
    ];
    let standing = of(["is_open", "is_won", "our_user"]);
    assert_eq!(standing, expected, "null where nobody says");
    let expected = [
        ["2026-01-02T03:04:05Z", "2026-03-01T00:00:00Z", "1"],
        ["", "2026-02-01T00:00:00Z", "2"],
        ["", "", "3"],
    ];
    assert_eq!(of(["created_at", "closes_at", "record_id"]), expected);
}

#[tokio::test]
async fn where_nobody_has_deals_none_is_published() {
    let world = World::default();
    companies(&world).await;
    assert_eq!(world.resolve().await.deals, 0);
    assert!(world.rows("deals").await.is_empty());
}
