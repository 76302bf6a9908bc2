//! Which of HubSpot's endpoints is asked, and whether the caller may.

use serde_json::{Value, json};

use super::answer::{expired, invalid, not_found, throttled, unauthorised};
use super::{associations, login, records, schema, search};
use crate::server::{Access, Answer, Asked, HubSpotUse, RequestClass};
use crate::store::{Field, Kind};
use crate::world::{HubSpotSide, Owner};
use crate::{Vendor, World};

/// Answers one request to HubSpot's API.
pub(crate) fn answer(world: &World, asked: &Asked) -> Answer {
    let path = asked.path.trim_matches('/');
    if path.starts_with("oauth/") && path.ends_with("/token") && asked.method == "POST" {
        return login::token(world, asked);
    }
    let now_ms = world.now_ms();
    let usage =
        match world
            .desk()
            .logins
            .check(Vendor::HubSpot, asked.bearer().unwrap_or_default(), now_ms)
        {
            Access::Unknown => return unauthorised(),
            Access::Expired(end_ms) => return expired(end_ms),
            _ if asked.class() == RequestClass::Search => HubSpotUse::Search,
            Access::PrivateApp => HubSpotUse::Private,
            Access::Granted => HubSpotUse::OAuth,
        };
    let permitted = Some(match usage {
        HubSpotUse::Search => 300,
        HubSpotUse::Private => 1_140,
        HubSpotUse::OAuth => 660,
    });
    let limit = (Vendor::HubSpot, limit(asked));
    let admitted = world.desk().meter.hubspot(usage, now_ms);
    let headers = match admitted {
        Ok(headers) => {
            world.desk().paces.admitted(limit, permitted, 1, now_ms);
            headers
        }
        Err(refused) => {
            world.desk().paces.over_limit(limit);
            return throttled(refused);
        }
    };
    let segments: Vec<&str> = path.split('/').collect();
    let mut answer = route(world, asked, &segments);
    answer.headers.extend(headers);
    answer
}

/// The limit that a request falls under.
pub(crate) fn limit(asked: &Asked) -> &'static str {
    match asked.class() {
        RequestClass::Search => "search",
        _ => "api",
    }
}

fn route(world: &World, asked: &Asked, segments: &[&str]) -> Answer {
    let (kind, rest) = match segments {
        ["crm", "v3" | "v4", kind, rest @ ..] => (*kind, rest),
        ["crm", kind, date, rest @ ..] if date.starts_with("20") => (*kind, rest),
        ["account-info", _, "details"] => return account(),
        _ => return not_found(),
    };
    match (asked.method.as_str(), kind, rest) {
        ("GET", "objects", [object]) => records::list(world, asked, object),
        ("POST", "objects", [object, "search"]) => search::search(world, asked, object),
        ("POST", "objects", [object, "batch", "read"]) => records::batch(world, asked, object),
        ("GET", "objects", [object, id]) => records::one(world, asked, object, id),
        ("GET", "objects", [from, id, "associations", to]) => {
            associations::of_one(world, asked, (from, id), to)
        }
        ("POST", "associations", [from, to, "batch", "read"]) => {
            associations::batch(world, asked, from, to)
        }
        ("GET", "owners", []) => owners(&world.hubspot(), asked),
        ("GET", "owners", [id]) => one_owner(&world.hubspot(), id),
        ("GET", "properties", [object]) => properties(&world.hubspot(), object),
        ("GET", "pipelines", [object]) => pipelines(object),
        _ => not_found(),
    }
}

fn account() -> Answer {
    Answer::json(
        200,
        &json!({
            "portalId": 5_000_000,
            "accountType": "DEVELOPER_TEST",
            "timeZone": "UTC",
            "companyCurrency": "USD",
            "additionalCurrencies": ["EUR"],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }),
    )
}

fn owners(side: &HubSpotSide, asked: &Asked) -> Answer {
    let limit = asked.param("limit").map_or(Ok(100), str::parse::<usize>);
    let after = asked.param("after").map_or(Ok(0), str::parse::<u64>);
    let (Ok(limit @ 1..=500), Ok(after)) = (limit, after) else {
        return invalid("limit or after is invalid");
    };
    let archived = asked.param("archived") == Some("true");
    let mut left = side
        .owners
        .iter()
        .filter(|owner| owner.archived == archived && owner.id > after);
    let page: Vec<&Owner> = left.by_ref().take(limit).collect();
    let results: Vec<Value> = page.iter().map(|owner| owner_json(owner)).collect();
    let mut body = json!({"results": results});
    if let (Some(_), Some(last), Some(map)) = (left.next(), page.last(), body.as_object_mut()) {
        let link = format!("{}{}?after={}", asked.origin, asked.path, last.id);
        let next = json!({"next": {"after": last.id.to_string(), "link": link}});
        map.insert("paging".to_owned(), next);
    }
    Answer::json(200, &body)
}

fn one_owner(side: &HubSpotSide, id: &str) -> Answer {
    match side.owners.iter().find(|owner| owner.id.to_string() == id) {
        Some(owner) => Answer::json(200, &owner_json(owner)),
        None => not_found(),
    }
}

fn owner_json(owner: &Owner) -> Value {
    let [first, last] = &owner.name;
    let user_id = owner.id / 7;
    let mut value = json!({
        "id": owner.id.to_string(),
        "email": owner.email,
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userIdIncludingInactive": user_id,
        "createdAt": HubSpotSide::time_text(owner.created_ms),
        "updatedAt": HubSpotSide::time_text(owner.created_ms),
        "archived": owner.archived,
    });
    // Owners who left have no user id of their own any more.
    if let (false, Some(map)) = (owner.archived, value.as_object_mut()) {
        map.insert("userId".to_owned(), Value::from(user_id));
    }
    value
}

fn properties(side: &HubSpotSide, object: &str) -> Answer {
    let Some(shelf) = side.shelf(object) else {
        return not_found();
    };
    let results: Vec<Value> = shelf
        .fields
        .iter()
        .filter(|field| !field.traits.removed)
        .map(|field| property(&shelf.name, field))
        .collect();
    Answer::json(200, &json!({"results": results}))
}

fn property(object: &str, field: &Field) -> Value {
    let (kind, field_type) = match field.kind {
        Kind::TextArea => ("string", "textarea"),
        Kind::Phone => ("string", "phonenumber"),
        Kind::Picklist => ("enumeration", "select"),
        Kind::MultiPicklist => ("enumeration", "checkbox"),
        Kind::Bool => ("bool", "booleancheckbox"),
        Kind::Double | Kind::Currency | Kind::Percent | Kind::Int => ("number", "number"),
        Kind::Date => ("date", "date"),
        Kind::DateTime => ("datetime", "date"),
        _ => ("string", "text"),
    };
    let from_owners = field.refers == "owner";
    let options: Vec<Value> = field
        .refers
        .split(';')
        .filter(|value| !value.is_empty() && !from_owners)
        .enumerate()
        .map(|(order, value)| {
            json!({"label": value, "value": value, "displayOrder": order, "hidden": false})
        })
        .collect();
    let group = if field.traits.custom {
        "custom"
    } else {
        object
    };
    let mut value = json!({
        "name": field.name,
        "label": field.label,
        "type": kind,
        "fieldType": field_type,
        "description": "",
        "groupName": format!("{group}information"),
        "options": options,
        "displayOrder": -1,
        "calculated": field.traits.calculated,
        "externalOptions": from_owners,
        "hasUniqueValue": field.name == "email" || field.name == "hs_object_id",
        "hidden": field.traits.hidden,
        "hubspotDefined": !field.traits.custom,
        "formField": !field.traits.calculated,
        "archived": false,
        "modificationMetadata": {
            "archivable": field.traits.custom,
            "readOnlyDefinition": !field.traits.custom,
            "readOnlyValue": field.traits.calculated,
        },
    });
    if let (true, Some(map)) = (from_owners, value.as_object_mut()) {
        map.insert("referencedObjectType".to_owned(), Value::from("OWNER"));
    }
    value
}

fn pipelines(object: &str) -> Answer {
    let stage = |id: &str, label: &str, order: u8, probability: &str| {
        json!({
            "id": id, "label": label, "displayOrder": order, "archived": false,
            "metadata": {"probability": probability, "isClosed": (order > 1).to_string()},
            "createdAt": "1970-01-01T00:00:00Z", "updatedAt": "1970-01-01T00:00:00Z",
        })
    };
    let results = match schema::object_name(object) {
        "deals" => json!([{
            "id": "default", "label": "Sales Pipeline", "displayOrder": 0, "archived": false,
            // Default pipelines are as old as the epoch.
            "createdAt": "1970-01-01T00:00:00Z", "updatedAt": "1970-01-01T00:00:00Z",
            "stages": [
                stage("appointmentscheduled", "Appointment Scheduled", 0, "0.2"),
                stage("contractsent", "Contract Sent", 1, "0.9"),
                stage("closedwon", "Closed Won", 2, "1.0"),
                stage("closedlost", "Closed Lost", 3, "0.0"),
            ],
        }]),
        _ => json!([]),
    };
    Answer::json(200, &json!({"results": results}))
}
