use super::*;

/// Reads a `To` header as `name <spelling> in group`, several with `|` between them.
fn read(value: &str) -> String {
    let named = named(value).into_iter().map(|named| {
        let mut text = named.display_name.unwrap_or_default();
        if let Some(spelling) = named.spelling {
            text = format!("{text} <{spelling}>").trim().to_owned();
        }
        named
            .group
            .map_or(text.clone(), |group| format!("{text} in {group}"))
    });
    named.collect::<Vec<_>>().join(" | ")
}

#[test]
fn everybody_is_found_however_it_is_written() {
    for (value, expected) in [
        ("maria@acme.example", "<maria@acme.example>"),
        (
            "Maria Luz <maria@acme.example>",
            "Maria Luz <maria@acme.example>",
        ),
        (
            "\"Luz, Maria\" <maria@acme.example>, bo@acme.example",
            "Luz, Maria <maria@acme.example> | <bo@acme.example>",
        ),
        (
            "\"M. \\\"Mia\\\" Luz\" <maria@acme.example>",
            "M. \"Mia\" Luz <maria@acme.example>",
        ),
        (
            "maria@acme.example (Maria Luz)",
            "Maria Luz <maria@acme.example>",
        ),
        (
            "Maria (x) Luz <maria@acme.example> (y)",
            "Maria Luz <maria@acme.example>",
        ),
        (
            "=?utf-8?q?Luz=2C_Mar=C3?= =?utf-8?q?=ADa?= <maria@acme.example>",
            "Luz, María <maria@acme.example>",
        ),
        (
            "\"=?utf-8?q?Luz=2C_Maria?=\" <maria@acme.example>",
            "Luz, Maria <maria@acme.example>",
        ),
        (
            "Maria\r\n Luz\r\n\t<maria@acme.example>",
            "Maria Luz <maria@acme.example>",
        ),
        ("María <maría@acme.example>", "María <maría@acme.example>"),
        (
            "Sales: maria@acme.example, Bo <bo@acme.example>;, cy@acme.example",
            "<maria@acme.example> in Sales | Bo <bo@acme.example> in Sales | <cy@acme.example>",
        ),
        ("undisclosed-recipients:;", ""),
        (
            "Undisclosed recipients: ;, maria@acme.example",
            "<maria@acme.example>",
        ),
        ("<undisclosed:@acme.example;>", ""),
        ("", ""),
        (" , ,, ", ""),
        ("<>", ""),
        ("\"Nobody\" <>", "Nobody"),
        ("Nobody", "Nobody"),
        ("\"maria@acme.example\"", "<maria@acme.example>"),
        (
            "maria@acme.example bo@acme.example",
            "<maria@acme.example> | <bo@acme.example>",
        ),
        (
            "maria@acme.example; bo@acme.example",
            "<maria@acme.example> | <bo@acme.example>",
        ),
        ("\"Maria <maria@acme.example>", "Maria <maria@acme.example>"),
        (
            "Maria <maria@acme.example, Bo <bo@acme.example>",
            "Maria <maria@acme.example> | Bo <bo@acme.example>",
        ),
        (
            "Maria\0Luz <maria@acme.example>",
            "Maria\u{fffd}Luz <maria@acme.example>",
        ),
    ] {
        assert_eq!(read(value), expected, "{value}");
    }
}

#[test]
fn an_address_has_one_spelling_or_is_none() {
    for (spelling, expected) in [
        ("Maria.Luz@ACME.Example", Some("maria.luz@acme.example")),
        ("maria+x@acme.example.", Some("maria+x@acme.example")),
        ("info@müller.example", Some("info@xn--mller-kva.example")),
        (
            "\"Maria Luz\"@acme.example",
            Some("\"maria luz\"@acme.example"),
        ),
        ("maria@localhost", Some("maria@localhost")),
        ("maria", None),
        ("@acme.example", None),
        ("maria@", None),
        ("ma ria@acme.example", None),
        ("maria@bo@acme.example", None),
        ("maria@acme .example", None),
        ("maria@acme.example;", None),
    ] {
        assert_eq!(normal(spelling).as_deref(), expected, "{spelling}");
    }
}

#[test]
fn no_more_participants_are_kept_than_the_most() {
    let list = "m@a.example, ".repeat(MAX_PARTICIPANTS + 5);
    let headers = Headers(vec![("to".into(), list.into())]);
    let mut repairs = Repairs::default();
    let found = participants(&headers, &mut repairs);
    assert_eq!(found.len(), MAX_PARTICIPANTS);
    assert_eq!(repairs.participants_left_out, 5);
    assert_eq!(found.last().unwrap().position, 9_999);
}

#[test]
fn a_header_that_comes_twice_goes_on() {
    let headers = Headers(vec![
        ("TO".into(), "a@a.example".into()),
        ("Cc".into(), "c@a.example".into()),
        ("to".into(), "b@a.example".into()),
    ]);
    let found = participants(&headers, &mut Repairs::default());
    let found: Vec<_> = found
        .iter()
        .map(|it| (it.role, it.position, it.address.as_deref().unwrap()))
        .collect();
    let expected = [
        (Role::To, 0, "a@a.example"),
        (Role::To, 1, "b@a.example"),
        (Role::Cc, 0, "c@a.example"),
    ];
    assert_eq!(found, expected);
}
