//! Why an entity is what it is: its records, the pairs that hold it together, and what nearly belongs to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use arrow::util::display::array_value_to_string;
use serde::{Deserialize, Serialize, Serializer};

use super::entities::{self, Found, Member};
use super::rows::{Texts, unreadable};
use super::tables::{COMPANIES, ENTITY_HISTORY, MATCH_EVIDENCE, MATCH_REVIEW, PEOPLE};
use super::{identities, overrides};
use crate::error::{Code, Error, Result};
use crate::plain::PlainTable;
use crate::resolve::{EntityId, EntityKind, Identity, Override, RecordRef, Rule, Settings};
use crate::source::SourceDefinition;
use crate::warehouse::Warehouse;

/// Of each entity so many records are shown with what they say.
const MOST_SAYING: usize = 50;

/// Why an entity is what it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// The entity; of a retired id, the one that took its place.
    pub entity_id: EntityId,
    /// What it is.
    pub kind: EntityKind,
    /// Its golden record: each column of `people` or `companies` that has a value, as text.
    pub golden: BTreeMap<String, String>,
    /// Its records; where two entities were asked about, those of both, one entity after the other.
    pub records: Vec<WhyRecord>,
    /// The pairs that hold it together, the strongest first. Where two ids were asked about: the way from one to the
    /// other, or what was found between the two entities.
    pub pairs: Vec<WhyPair>,
    /// Pairs with records of other entities that nearly belong to it.
    pub nearly: Vec<WhyPair>,
    /// What people decided about its records.
    pub overrides: Vec<WhyOverride>,
    /// What happened to its id, the oldest first.
    pub history: Vec<WhyEvent>,
}

/// What happened to an entity's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct WhyEvent {
    /// When.
    pub at: String,
    /// What: a word of `entity_history.event`, or that of the other id with `from`.
    pub event: String,
    /// The other id, if there is one.
    pub other_id: Option<String>,
}

/// A record of an entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyRecord {
    /// The record, as `source/stream/id`.
    pub record: String,
    /// Its entity.
    pub entity_id: EntityId,
    /// The probability of the strongest pair that ties it to the entity; 1 for a record alone.
    pub confidence: f64,
    /// What it says, field by field, in its own spelling; nothing where there are very many records.
    #[serde(serialize_with = "as_map")]
    pub says: Vec<(&'static str, String)>,
}

fn as_map<S: Serializer>(
    fields: &[(&'static str, String)],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(field, value)| (field, value)))
}

/// Two records that were compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyPair {
    /// One record, as `source/stream/id`.
    pub left: String,
    /// The other.
    pub right: String,
    /// The entities of the two.
    pub entities: [String; 2],
    /// What came of it: a word of `match_evidence.outcome` or `match_review.reason`.
    pub outcome: String,
    /// By which kind of value the two met.
    pub met_by: String,
    /// Field by field.
    pub fields: Vec<WhyField>,
    /// Bits before any field is looked at.
    pub prior_bits: f64,
    /// The sum.
    pub weight_bits: f64,
    /// The probability that both are one.
    pub probability: f64,
    /// What would have changed the answer, as a sentence.
    pub would_change: String,
}

/// What a field of a pair says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyField {
    /// The field.
    pub field: String,
    /// How far the two values agree.
    pub level: String,
    /// The weight in bits.
    pub bits: f64,
}

/// What a person decided about two records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyOverride {
    /// One record, as `source/stream/id`.
    pub left: String,
    /// The other.
    pub right: String,
    /// What holds.
    pub rule: Rule,
}

/// Explains the entity of one id, or what is between the two of two ids: entities or records, as
/// [`crate::command::Decision`] names them.
///
/// # Errors
/// `ERR_REQUEST_INVALID` where an id names nothing or several; what the warehouse says.
pub async fn why(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    (ids, kind): (&[String], Option<EntityKind>),
) -> Result<Why> {
    let [one, rest @ ..] = ids else {
        return Err(refused("one id, or two"));
    };
    let found = entities::find(warehouse, one, kind).await?;
    let other = match rest {
        [] => None,
        [other] => {
            let other = entities::find(warehouse, other, Some(found.kind)).await?;
            if other.kind != found.kind {
                return Err(refused("two people, or two companies"));
            }
            Some(other)
        }
        _ => {
            return Err(refused("one id, or two"));
        }
    };
    let mut members = entities::members(warehouse, &found.entity).await?;
    let id = &*found.entity.text();
    let joined = [("entity_id", id), ("outcome", "joined")];
    let mut pairs = pairs(warehouse, &MATCH_EVIDENCE, &joined).await?;
    let mut nearly = Vec::new();
    for side in ["left_entity_id", "right_entity_id"] {
        nearly.extend(self::pairs(warehouse, &MATCH_REVIEW, &[(side, id)]).await?);
    }
    strongest_first(&mut pairs);
    strongest_first(&mut nearly);
    let named = [Some(&found), other.as_ref()];
    let named = named
        .into_iter()
        .flatten()
        .filter_map(|it| it.record.clone());
    let named: Vec<RecordRef> = named.collect();
    if let Some(other) = other {
        if other.entity == found.entity {
            let confirmed = [("entity_id", id), ("outcome", "confirmed")];
            pairs.extend(self::pairs(warehouse, &MATCH_EVIDENCE, &confirmed).await?);
            strongest_first(&mut pairs);
            pairs = way(pairs, &found, &other);
            nearly.clear();
        } else {
            let other_id = other.entity.text();
            nearly.retain(|pair| pair.entities.iter().any(|id| **id == *other_id));
            let others = entities::members(warehouse, &other.entity).await?;
            let (one, two) = ((&found.entity, &*members), (&other.entity, &*others));
            pairs = unjoined(warehouse, one, two).await?;
            // What did not quite speak for joining stands in the review alone.
            nearly.retain(|pair| pair.outcome == "near_miss");
            pairs.append(&mut nearly);
            members.extend(others);
            strongest_first(&mut pairs);
        }
    }
    let decided = overrides::read(warehouse).await?;
    let table = match found.kind {
        EntityKind::Person => (&PEOPLE, "person_id"),
        EntityKind::Company => (&COMPANIES, "company_id"),
    };
    Ok(Why {
        golden: golden(warehouse, table, id).await?,
        overrides: about(&decided, found.kind, &members),
        records: records(warehouse, sources, (found.kind, members), &named).await?,
        history: history(warehouse, id).await?,
        pairs,
        nearly,
        kind: found.kind,
        entity_id: found.entity,
    })
}

fn strongest_first(pairs: &mut [WhyPair]) {
    pairs.sort_by(|a, b| b.weight_bits.total_cmp(&a.weight_bits));
}

fn refused(must_be: &'static str) -> Error {
    Error::new(Code::RequestInvalid, "explain").with("must be", must_be)
}

/// Reads pairs out of `match_evidence` or `match_review`.
async fn pairs(
    warehouse: &dyn Warehouse,
    table: &PlainTable,
    equal: &[(&str, &str)],
) -> Result<Vec<WhyPair>> {
    let is_review = table.name == MATCH_REVIEW.name;
    let (left, right, outcome) = if is_review {
        ("left_entity_id", "right_entity_id", "reason")
    } else {
        ("entity_id", "entity_id", "outcome")
    };
    let mut pairs = Vec::new();
    for batch in entities::scan(warehouse, table, equal).await? {
        let names = [
            "kind",
            "left_source",
            "left_stream",
            "left_id",
            "right_source",
            "right_stream",
            "right_id",
            left,
            right,
            outcome,
            "met_by",
            "fields",
        ];
        let texts = Texts::of(&batch, &names)?;
        let [prior, weight, probability] =
            ["prior_bits", "weight_bits", "probability"].map(|name| numbers(&batch, name));
        let (prior, weight, probability) = (prior?, weight?, probability?);
        for row in 0..batch.num_rows() {
            let all: Option<Vec<&str>> = texts.row(row).into_iter().collect();
            let all = all.ok_or_else(unreadable)?;
            let [
                kind,
                ls,
                lt,
                li,
                rs,
                rt,
                ri,
                left,
                right,
                outcome,
                met_by,
                fields,
            ] = all[..]
            else {
                return Err(unreadable());
            };
            let kind = EntityKind::parse(kind).ok_or_else(unreadable)?;
            let fields = serde_json::from_str(fields).map_err(|_| unreadable())?;
            let number = |list: &[f64]| list.get(row).copied().unwrap_or_default();
            let mut pair = WhyPair {
                left: RecordRef::new(ls, lt, li).to_string(),
                right: RecordRef::new(rs, rt, ri).to_string(),
                entities: [left.to_owned(), right.to_owned()],
                outcome: outcome.to_owned(),
                met_by: met_by.to_owned(),
                fields,
                prior_bits: number(prior),
                weight_bits: number(weight),
                probability: number(probability),
                would_change: String::new(),
            };
            pair.would_change = would_change(&pair, kind);
            pairs.push(pair);
        }
    }
    Ok(pairs)
}

fn numbers<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a [f64]> {
    let column = batch.column_by_name(name).ok_or_else(unreadable)?;
    let numbers = column.as_primitive_opt::<Float64Type>();
    Ok(numbers.ok_or_else(unreadable)?.values())
}

/// Reads the pairs between two entities that spoke for joining and did not join.
async fn unjoined(
    warehouse: &dyn Warehouse,
    one: (&EntityId, &[Member]),
    other: (&EntityId, &[Member]),
) -> Result<Vec<WhyPair>> {
    let mut found = Vec::new();
    for ((left, _), (right, members)) in [(one, other), (other, one)] {
        let members: BTreeSet<String> = members.iter().map(|it| it.record.to_string()).collect();
        let left_id = left.text();
        let equal = [("entity_id", &*left_id)];
        for mut pair in pairs(warehouse, &MATCH_EVIDENCE, &equal).await? {
            if members.contains(&pair.right) {
                pair.entities = [left.to_string(), right.to_string()];
                found.push(pair);
            }
        }
    }
    Ok(found)
}

/// Says what would have changed the answer about a pair.
fn would_change(pair: &WhyPair, kind: EntityKind) -> String {
    let needed = f64::from(Settings::default().model.accept_bits(kind));
    let margin = pair.weight_bits - needed;
    let list = |fields: &[&WhyField]| {
        let named = fields
            .iter()
            .map(|it| format!("{} ({:+.1})", it.field, it.bits));
        named.collect::<Vec<_>>().join(" and ")
    };
    match pair.outcome.as_str() {
        "joined" if pair.met_by == "override" => {
            "only another decision: a person said that they are one".to_owned()
        }
        "confirmed" => "nothing about this pair: stronger ones had joined the two records already".to_owned(),
        "joined" => {
            let mut speaking: Vec<&WhyField> =
                pair.fields.iter().filter(|it| it.bits > 0.0).collect();
            speaking.sort_by(|a, b| b.bits.total_cmp(&a.bits));
            let alone: Vec<&&WhyField> = speaking.iter().filter(|it| it.bits > margin).collect();
            if alone.is_empty() {
                let mut lost = 0.0;
                let enough = speaking.iter().take_while(|it| {
                    let goes_on = lost <= margin;
                    lost += it.bits;
                    goes_on
                });
                let together: Vec<&WhyField> = enough.copied().collect();
                return format!("without {} the pair would not be joined", list(&together));
            }
            let alone = alone.iter().map(|it| format!("{} ({:+.1})", it.field, it.bits));
            let alone = alone.collect::<Vec<_>>().join(" or ");
            format!("without {alone} the pair would not be joined")
        }
        "near_miss" => {
            // Rounded up: 0.0 bits more would be none.
            let short = format!("it lacks {:.1} bits", (-margin * 10.0).ceil() / 10.0);
            let mut against: Vec<&WhyField> =
                pair.fields.iter().filter(|it| it.bits < 0.0).collect();
            against.sort_by(|a, b| a.bits.total_cmp(&b.bits));
            match against.first() {
                Some(most) => format!(
                    "{short}; most against it is {}. Another value in common, or another pair of the two entities that agrees, would speak for it",
                    list(&[most])
                ),
                None => format!(
                    "{short}; another value in common, or another pair of the two entities that agrees, would speak for it"
                ),
            }
        }
        "forbidden" => "only another decision: a person said that they are two".to_owned(),
        "bridge" => "one more pair of records of the two entities that agrees would join them".to_owned(),
        _ => "too many records of the two entities contradict each other: they are joined once those are corrected, or by a decision".to_owned(),
    }
}

/// Returns the pairs that lead from one record to another, step by step; all where an entity is named.
fn way(pairs: Vec<WhyPair>, from: &Found, to: &Found) -> Vec<WhyPair> {
    let (Some(from), Some(to)) = (&from.record, &to.record) else {
        return pairs;
    };
    let (from, to) = (from.to_string(), to.to_string());
    let mut next: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, pair) in pairs.iter().enumerate() {
        next.entry(&pair.left).or_default().push(at);
        next.entry(&pair.right).or_default().push(at);
    }
    let mut came_by: BTreeMap<&str, usize> = BTreeMap::new();
    let mut waiting = VecDeque::from([from.as_str()]);
    let other_end = |pair: &'_ usize, record: &str| {
        let pair = pairs.get(*pair)?;
        Some(if pair.left == record {
            pair.right.as_str()
        } else {
            pair.left.as_str()
        })
    };
    while let Some(record) = waiting.pop_front() {
        for at in next.get(record).into_iter().flatten() {
            if let Some(other) = other_end(at, record)
                && other != from
                && !came_by.contains_key(other)
            {
                came_by.insert(other, *at);
                waiting.push_back(other);
            }
        }
    }
    let mut used = Vec::new();
    let mut at = to.as_str();
    while let Some(pair) = came_by.get(at) {
        used.push(*pair);
        at = other_end(pair, at).unwrap_or(&from);
    }
    let steps = used.iter().rev();
    steps.filter_map(|at| pairs.get(*at).cloned()).collect()
}

/// Returns what people decided about these records.
fn about(decided: &[Override], kind: EntityKind, members: &[Member]) -> Vec<WhyOverride> {
    let members: BTreeSet<&RecordRef> = members.iter().map(|member| &member.record).collect();
    let decided = decided.iter().filter(|it| {
        it.kind == kind && (members.contains(&it.left) || members.contains(&it.right))
    });
    let told = decided.map(|it| WhyOverride {
        left: it.left.to_string(),
        right: it.right.to_string(),
        rule: it.rule,
    });
    told.collect()
}

/// Reads what the records say.
async fn records(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    (kind, members): (EntityKind, Vec<Member>),
    named: &[RecordRef],
) -> Result<Vec<WhyRecord>> {
    let mut records = Vec::with_capacity(members.len());
    let (mut entity, mut shown) = (None, 0);
    for member in members {
        if entity.as_ref() != Some(&member.entity) {
            (entity, shown) = (Some(member.entity), 0);
        }
        let Member {
            entity: entity_id,
            record,
            confidence,
        } = member;
        shown += 1;
        let identity = if shown <= MOST_SAYING || named.contains(&record) {
            identities::of_record(warehouse, sources, (kind, &record)).await?
        } else {
            None
        };
        records.push(WhyRecord {
            record: record.to_string(),
            entity_id,
            confidence,
            says: identity.as_ref().map(says).unwrap_or_default(),
        });
    }
    Ok(records)
}

/// Returns the fields that a record fills.
fn says(identity: &Identity) -> Vec<(&'static str, String)> {
    let list = |values: &[String]| (!values.is_empty()).then(|| values.join(", "));
    let fields = [
        ("full_name", identity.full_name.clone()),
        ("first_name", identity.first_name.clone()),
        ("middle_name", identity.middle_name.clone()),
        ("last_name", identity.last_name.clone()),
        ("email", list(&identity.emails)),
        ("phone", list(&identity.phones)),
        ("company", identity.company.clone()),
        ("other_company", identity.other_company.clone()),
        ("website", list(&identity.websites)),
        ("title", identity.title.clone()),
        ("street", identity.street.clone()),
        ("postal_code", identity.postal_code.clone()),
        ("city", identity.city.clone()),
        ("region", identity.region.clone()),
        ("country", identity.country.clone()),
        ("birth_date", identity.birth_date.clone()),
        (
            "employer",
            identity.employer.as_ref().map(ToString::to_string),
        ),
    ];
    let said = fields.into_iter();
    said.filter_map(|(field, value)| Some((field, value?)))
        .collect()
}

/// Reads an entity's golden record.
async fn golden(
    warehouse: &dyn Warehouse,
    (table, key): (&PlainTable, &str),
    id: &str,
) -> Result<BTreeMap<String, String>> {
    let mut golden = BTreeMap::new();
    for batch in entities::scan(warehouse, table, &[(key, id)]).await? {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            if field.name() != key && column.is_valid(0) {
                let value = array_value_to_string(column, 0).map_err(|_| unreadable())?;
                golden.insert(field.name().clone(), value);
            }
        }
    }
    Ok(golden)
}

/// Reads what happened to an id, the oldest first.
async fn history(warehouse: &dyn Warehouse, id: &str) -> Result<Vec<WhyEvent>> {
    let mut history = Vec::new();
    for (own, other) in [("entity_id", "successor_id"), ("successor_id", "entity_id")] {
        for batch in entities::scan(warehouse, &ENTITY_HISTORY, &[(own, id)]).await? {
            let texts = Texts::of(&batch, &["event", other])?;
            let times = batch.column_by_name("happened_at").ok_or_else(unreadable)?;
            for row in 0..batch.num_rows() {
                let [Some(event), other] = texts.row(row) else {
                    return Err(unreadable());
                };
                let event = if own == "entity_id" {
                    event.to_owned()
                } else {
                    format!("{event} from")
                };
                let at = array_value_to_string(times, row).map_err(|_| unreadable())?;
                history.push(WhyEvent {
                    at,
                    event,
                    other_id: other.map(str::to_owned),
                });
            }
        }
    }
    history.sort();
    Ok(history)
}
