//! What a record says, as a list without the names of the fields: there is one for every record.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::resolve::{EntityKind, Identity, RecordRef};

type Text<'a> = Cow<'a, str>;

/// An identity in its parts.
#[derive(Serialize, Deserialize)]
struct Says<'a>(
    /// Source, stream and id.
    [Text<'a>; 3],
    EntityKind,
    /// Full, first, middle and last name.
    [Option<Text<'a>>; 4],
    /// Addresses, phones and web sites.
    [Cow<'a, [String]>; 3],
    /// Company, its other name, title and date of birth.
    [Option<Text<'a>>; 4],
    /// Street, city, region, postal code and country.
    [Option<Text<'a>>; 5],
    /// Source, stream and id of the employer.
    Option<[Text<'a>; 3]>,
    /// When it was made, and when it changed.
    [i64; 2],
);

/// Writes down what a record says.
pub(in super::super) fn written(it: &Identity) -> serde_json::Result<String> {
    fn parts(record: &RecordRef) -> [Text<'_>; 3] {
        [&record.source, &record.stream, &record.id].map(|part| Cow::Borrowed(&**part))
    }
    fn texts<const N: usize>(fields: [&Option<String>; N]) -> [Option<Text<'_>>; N] {
        fields.map(|field| field.as_deref().map(Cow::Borrowed))
    }
    serde_json::to_string(&Says(
        parts(&it.record),
        it.kind,
        texts([
            &it.full_name,
            &it.first_name,
            &it.middle_name,
            &it.last_name,
        ]),
        [&it.emails, &it.phones, &it.websites].map(|list| Cow::Borrowed(list.as_slice())),
        texts([&it.company, &it.other_company, &it.title, &it.birth_date]),
        texts([
            &it.street,
            &it.city,
            &it.region,
            &it.postal_code,
            &it.country,
        ]),
        it.employer.as_ref().map(parts),
        [it.created_at, it.changed_at],
    ))
}

/// Reads what a record said.
pub(in super::super) fn read(written: &str) -> serde_json::Result<Identity> {
    let Says(record, kind, names, contacts, work, place, employer, times) =
        serde_json::from_str(written)?;
    let record_of = |[source, stream, id]: [Text<'_>; 3]| RecordRef::new(source, stream, id);
    let owned = |text: Option<Text<'_>>| text.map(Cow::into_owned);
    let [full_name, first_name, middle_name, last_name] = names.map(owned);
    let [emails, phones, websites] = contacts.map(Cow::into_owned);
    let [company, other_company, title, birth_date] = work.map(owned);
    let [street, city, region, postal_code, country] = place.map(owned);
    let [created_at, changed_at] = times;
    Ok(Identity {
        record: record_of(record),
        kind,
        full_name,
        first_name,
        middle_name,
        last_name,
        emails,
        phones,
        company,
        other_company,
        websites,
        title,
        street,
        city,
        region,
        postal_code,
        country,
        birth_date,
        employer: employer.map(record_of),
        created_at,
        changed_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_record_says_reads_back_as_it_was() {
        let mut said = Identity::new(RecordRef::new("crm", "people", "1"), EntityKind::Person);
        assert_eq!(read(&written(&said).unwrap()).unwrap(), said);
        let text = |text: &str| Some(text.to_owned());
        said.full_name = text("Ann \"A\" Teller");
        said.first_name = text("");
        said.emails = vec!["a@quarry.example".to_owned(), "b@quarry.example".to_owned()];
        said.websites = vec!["quarry.example".to_owned()];
        said.birth_date = text("1980-02-03");
        said.country = text("DE");
        said.employer = Some(RecordRef::new("crm", "companies", "7"));
        (said.created_at, said.changed_at) = (-1, i64::MAX);
        assert_eq!(read(&written(&said).unwrap()).unwrap(), said);
    }
}
