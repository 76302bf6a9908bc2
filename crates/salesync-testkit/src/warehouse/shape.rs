//! Tables that fit, and values that come back as they were.

use std::sync::Arc;

use salesync_core::record::{Change, Value};
use salesync_core::schema::{ColumnType, SchemaChange};
use salesync_core::time::Timestamp;
use salesync_core::warehouse::{Filter, Warehouse};

use super::scene::{Scene, absent, at, micros, read, said, table};

fn holding<'a>(key: &'a str, version: i64, values: Vec<Value<'a>>) -> Change<'a> {
    Change {
        values,
        ..said(key, version, "")
    }
}

/// Only the first preparation changes something.
pub async fn preparing_twice_changes_nothing(warehouse: Arc<dyn Warehouse>) {
    let table = table(
        "testkit_things",
        &[("name", ColumnType::Text), ("n", ColumnType::Int)],
    );
    let created = SchemaChange::Created {
        table: "testkit_things".to_owned(),
    };
    assert_eq!(warehouse.prepare(&table).await.unwrap(), [created]);
    assert_eq!(warehouse.prepare(&table).await.unwrap(), []);
}

/// Old rows have no value in the new column; a column that is no longer asked for stays.
pub async fn a_new_column_is_added_and_the_rows_stay(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("a", 1, "x")]).await;
    let table = table("testkit_things", &[("score", ColumnType::Int)]);
    let added = SchemaChange::Added {
        table: "testkit_things".to_owned(),
        column: "score".to_owned(),
    };
    assert_eq!(scene.warehouse.prepare(&table).await.unwrap(), [added]);
    let wider = scene.reshaped(&[("score", ColumnType::Int)]).await;
    wider
        .commit(9, &[holding("b", 1, vec![Value::Int(7)])])
        .await;
    let rows = wider.rows().await;
    assert_eq!(rows["a"]["name"], "x");
    assert!(!rows["a"].contains_key("score"));
    assert_eq!(rows["b"]["score"], "7");
    assert!(!rows["b"].contains_key("name"));
}

/// Whole numbers become decimals, decimals get more digits, and no value changes.
pub async fn a_narrow_type_is_widened_and_the_rows_stay(warehouse: Arc<dyn Warehouse>) {
    let money = ColumnType::Decimal {
        precision: 18,
        scale: 2,
    };
    let narrow = [("n", ColumnType::Int), ("amount", money)];
    let scene = Scene::with_columns(warehouse, &narrow).await;
    scene
        .commit(
            9,
            &[holding("a", 1, vec![Value::Int(7), Value::Decimal(150)])],
        )
        .await;
    let wide = table(
        "testkit_things",
        &[("n", money), ("amount", ColumnType::NUMBER)],
    );
    let changes = scene.warehouse.prepare(&wide).await.unwrap();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(
        changes
            .iter()
            .all(|change| matches!(change, SchemaChange::Widened { .. }))
    );
    assert_eq!(scene.warehouse.prepare(&wide).await.unwrap(), []);
    let row = scene.row("a").await;
    assert_eq!(
        (row["n"].as_str(), row["amount"].as_str()),
        ("7.00", "1.500000000")
    );
}

/// The text of the old values stays readable.
pub async fn a_type_that_nothing_is_wider_than_becomes_text(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::with_columns(warehouse, &[("x", ColumnType::Bool)]).await;
    scene
        .commit(9, &[holding("a", 1, vec![Value::Bool(true)])])
        .await;
    let wide = scene.reshaped(&[("x", ColumnType::Text)]).await;
    wide.commit(9, &[holding("b", 1, vec![Value::Text("maybe".into())])])
        .await;
    let rows = wide.rows().await;
    assert_eq!(
        (rows["a"]["x"].as_str(), rows["b"]["x"].as_str()),
        ("true", "maybe")
    );
}

/// A run that still knows the old shape writes into the new one, and meets its own rows there.
pub async fn rows_of_a_narrower_shape_fit_a_wider_table(warehouse: Arc<dyn Warehouse>) {
    let narrow = [("n", ColumnType::Int), ("x", ColumnType::Int)];
    let scene = Scene::with_columns(warehouse, &narrow).await;
    scene
        .reshaped(&[("n", ColumnType::NUMBER), ("x", ColumnType::Text)])
        .await;
    let changes = [holding("a", 1, vec![Value::Int(7), Value::Int(8)])];
    assert_eq!(scene.commit(9, &changes).await.new, 1);
    assert_eq!(scene.commit(10, &changes).await.unchanged, 1);
    let row = scene.row("a").await;
    assert_eq!((row["n"].as_str(), row["x"].as_str()), ("7.000000000", "8"));
}

/// `Name` and `name` are one column.
pub async fn column_names_ignore_case(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let other = table("testkit_things", &[("NAME", ColumnType::Text)]);
    assert_eq!(scene.warehouse.prepare(&other).await.unwrap(), []);
    let other = Scene {
        table: other,
        ..scene
    };
    other.commit(9, &[said("a", 1, "x")]).await;
    assert_eq!(other.row("a").await["name"], "x");
}

/// Vendors name their fields as they like.
pub async fn columns_may_be_named_like_keywords(warehouse: Arc<dyn Warehouse>) {
    let names = [
        "order", "select", "group", "table", "from", "at", "place", "s", "t", "m",
    ];
    let columns = names.map(|name| (name, ColumnType::Text));
    let scene = Scene::with_columns(warehouse, &columns).await;
    let values = || names.map(|name| Value::Text(name.into())).to_vec();
    scene.commit(9, &[holding("a", 1, values())]).await;
    assert_eq!(
        scene
            .commit(10, &[holding("a", 1, values())])
            .await
            .unchanged,
        1
    );
    assert_eq!(
        scene.commit(10, &[holding("a", 2, values())]).await.changed,
        1
    );
    let row = scene.row("a").await;
    assert!(names.iter().all(|name| row[*name] == *name));
}

/// A table may keep its rows by the day of a time of their own: what counts as newer stays the same, also where that
/// time is missing or moves.
pub async fn rows_kept_by_another_day_obey_the_same_rule(warehouse: Arc<dyn Warehouse>) {
    const DAY: i64 = 86_400;
    let columns = [
        ("name", ColumnType::Text),
        ("made_at", ColumnType::Timestamp),
    ];
    let kept = table("testkit_things", &columns);
    let kept = Arc::new((*kept).clone().by_day("made_at").unwrap());
    warehouse.prepare(&kept).await.unwrap();
    let scene = Scene {
        table: kept,
        ..Scene::with_columns(warehouse, &columns).await
    };
    let made = |key, version, day: Option<i64>| {
        let day = day.map_or(Value::Null, |day| Value::Timestamp(at(day * DAY)));
        holding(
            key,
            version,
            vec![Value::Text(format!("v{version}").into()), day],
        )
    };
    scene
        .commit(9, &[made("a", 1, Some(1)), made("b", 1, None)])
        .await;
    let committed = scene
        .commit(10, &[made("a", 2, Some(1)), made("b", 2, Some(5))])
        .await;
    assert_eq!((committed.new, committed.changed), (0, 2));
    scene.mark(vec![absent("c", 3), absent("a", 3)]).await;
    let committed = scene
        .commit(11, &[made("c", 2, Some(7)), made("a", 2, Some(400))])
        .await;
    assert_eq!(committed.older_ignored, 2);
    let committed = scene
        .commit(12, &[made("c", 4, Some(2)), made("a", 4, Some(400))])
        .await;
    assert_eq!((committed.new, committed.changed), (0, 2));
    let committed = scene
        .commit(13, &[made("a", 1, Some(1)), made("b", 3, None)])
        .await;
    assert_eq!((committed.older_ignored, committed.changed), (1, 1));
    let rows = scene.rows().await;
    let of = |key: &str| {
        let made = rows[key].get("made_at").cloned();
        (rows[key]["name"].clone(), made)
    };
    assert_eq!(of("a"), ("v4".to_owned(), Some(micros(400 * DAY))));
    assert_eq!(of("b"), ("v3".to_owned(), None));
    assert_eq!(of("c"), ("v4".to_owned(), Some(micros(2 * DAY))));
    assert_eq!(scene.keys(Filter::Live).await, ["a", "b", "c"]);
}

/// Many rows may travel otherwise than a few; the values are the same.
pub async fn many_rows_of_every_type_come_back_exactly(warehouse: Arc<dyn Warehouse>) {
    let columns = [
        ("text", ColumnType::Text),
        ("bool", ColumnType::Bool),
        ("int", ColumnType::Int),
        ("number", ColumnType::NUMBER),
        ("double", ColumnType::Double),
        ("time", ColumnType::Timestamp),
        ("day", ColumnType::Date),
    ];
    let scene = Scene::with_columns(warehouse, &columns).await;
    let keys: Vec<String> = (0..1_200).map(|number| format!("k{number}")).collect();
    let row = |(number, key): (i32, &String)| {
        let wide = i64::from(number);
        let values = vec![
            Value::Text(format!("ä {number} 😀").into()),
            Value::Bool(number % 2 == 0),
            Value::Int(i64::MAX - wide),
            Value::Decimal(-12_345_678_901_234_567_890_000_001 - i128::from(number)),
            Value::Double(f64::from(number) + 0.1),
            Value::Timestamp(at(wide)),
            Value::Date(number - 600),
        ];
        let values = match number % 10 {
            9 => vec![Value::Null; values.len()],
            _ => values,
        };
        Change {
            key: key.clone().into(),
            ..holding("", 1, values)
        }
    };
    let changes: Vec<Change<'_>> = (0..).zip(&keys).map(row).collect();
    assert_eq!(scene.commit(9, &changes).await.new, 1_200);
    assert_eq!(scene.commit(10, &changes).await.unchanged, 1_200);
    let rows = scene.rows().await;
    assert_eq!(rows.len(), 1_200);
    assert!(!rows["k1199"].contains_key("text"));
    let row = &rows["k1000"];
    let expected = [
        ("text", "ä 1000 😀"),
        ("bool", "true"),
        ("int", "9223372036854774807"),
        ("number", "-12345678901234567.890001001"),
        ("double", "1000.1"),
        ("time", micros(1_000).as_str()),
        ("day", "1971-02-05"),
    ]
    .map(|(name, text)| (name, text.to_owned()));
    for (name, text) in expected {
        assert_eq!(row[name], text, "{name}");
    }
}

/// The edges of every type.
pub async fn values_come_back_exactly(warehouse: Arc<dyn Warehouse>) {
    let digits = ColumnType::Decimal {
        precision: 38,
        scale: 0,
    };
    let columns = [
        ("text", ColumnType::Text),
        ("bool", ColumnType::Bool),
        ("int", ColumnType::Int),
        ("digits", digits),
        ("number", ColumnType::NUMBER),
        ("double", ColumnType::Double),
        ("time", ColumnType::Timestamp),
        ("day", ColumnType::Date),
        ("json", ColumnType::Json),
    ];
    let nines = 10_i128.pow(38) - 1;
    let (year_1, year_9999) = (-62_135_596_800_000_000, 253_402_300_799_999_999);
    let json = r#"{"a":[1.10,"ä😀",null],"n":12345678901234567.89}"#;
    let rows = [
        vec![
            Value::Text("a 'quoted' \"text\" 😀\u{FFFD}\n\\".into()),
            Value::Bool(true),
            Value::Int(i64::MAX),
            Value::Decimal(nines),
            Value::Decimal(12_345_678_901_234_567_890_000_001),
            Value::Double(0.1),
            Value::Timestamp(Timestamp::from_micros(year_9999)),
            Value::Date(2_932_896),
            Value::Text(json.into()),
        ],
        vec![
            Value::Text("".into()),
            Value::Bool(false),
            Value::Int(i64::MIN),
            Value::Decimal(-nines),
            Value::Decimal(-1),
            Value::Double(-1.5e300),
            Value::Timestamp(Timestamp::from_micros(year_1)),
            Value::Date(-719_162),
            Value::Text("[]".into()),
        ],
        vec![Value::Null; 9],
    ];
    let [high, low, none] = rows;
    let scene = Scene::with_columns(warehouse, &columns).await;
    let changes = [
        holding("high", 1, high),
        holding("low", 1, low),
        holding("none", 1, none),
    ];
    scene.commit(9, &changes).await;
    assert_eq!(scene.commit(10, &changes).await.unchanged, 3);
    let rows = scene.rows().await;
    let expected = [
        ("text", "a 'quoted' \"text\" 😀\u{FFFD}\n\\", ""),
        ("bool", "true", "false"),
        ("int", "9223372036854775807", "-9223372036854775808"),
        ("digits", &"9".repeat(38), &format!("-{}", "9".repeat(38))),
        ("number", "12345678901234567.890000001", "-0.000000001"),
        ("double", "0.1", "-1.5e300"),
        ("time", "253402300799999999", "-62135596800000000"),
        ("day", "9999-12-31", "0001-01-01"),
        ("json", json, "[]"),
    ];
    for (column, high, low) in expected {
        assert_eq!(rows["high"][column], high);
        assert_eq!(rows["low"][column], low);
        assert!(!rows["none"].contains_key(column));
    }
}

/// Nothing is cut off.
pub async fn a_megabyte_of_text_comes_back(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let long = "ä😀x".repeat(150_000);
    scene
        .commit(9, &[said("a", 1, &long), said("b", 1, "short")])
        .await;
    assert_eq!(scene.commit(10, &[said("a", 1, &long)]).await.unchanged, 1);
    let rows = read(&*scene.warehouse, &scene.scan(Filter::Live)).await;
    assert!(rows.iter().any(|row| row["name"] == long));
}
