//! Reads identities out of raw tables, by the columns that each source declares.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use tokio::sync::OnceCell;

use super::ours::{Ours, national};
use super::reading::{Cells, DELETED, SetAside, columns, live, selected};
use crate::error::Result;
use crate::normalise::email::{self, EmailClass};
use crate::resolve::{ColumnField, ColumnMap, EntityKind, Identity, RecordRef};
use crate::source::{IdentityColumns, SourceDefinition};
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, Warehouse};

/// Returns what every live record of these sources says about a person or company. Tables and columns
/// that the account does not have are passed over.
pub(super) async fn read(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    ours: &Ours,
) -> Result<Vec<Identity>> {
    let mut identities = Vec::new();
    for source in sources {
        for declared in source.identities {
            let reader = Reader::open(warehouse, source.name, declared).await?;
            identities.extend(reader.identities(warehouse, Filter::Live, ours).await?);
        }
    }
    Ok(identities)
}

/// Returns what one record says about a person or company, as [`read`] has it: out of its live rows. `None` where it is
/// not there or these sources do not have it.
pub(super) async fn of_record(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    (kind, record): (EntityKind, &RecordRef),
) -> Result<Option<Identity>> {
    let sources = sources.iter().filter(|it| *it.name == *record.source);
    let declared = sources.flat_map(|source| source.identities);
    let mut declared = declared.filter(|it| *it.stream == *record.stream && it.kind == kind);
    let Some(declared) = declared.next() else {
        return Ok(None);
    };
    let reader = Reader::open(warehouse, &record.source, declared).await?;
    let column = SqlIdentifier::parse(declared.named_by)?;
    let filter = Filter::Equal(vec![(column, record.id.to_string())]);
    let ours = Ours::default();
    let mut identities = reader.identities(warehouse, filter, &ours).await?;
    Ok(identities.pop())
}

/// What the rows of one name have said so far.
struct Said {
    /// The newest value of each declared column, with its time.
    values: Vec<Option<(i64, Box<str>)>>,
    /// The newest id of the employer's record, with its time.
    employer: Option<(i64, Box<str>)>,
    first: i64,
    last: i64,
}

/// Reads the rows of one declaration.
pub(super) struct Reader {
    source: Arc<str>,
    stream: Arc<str>,
    employers: Option<Arc<str>>,
    declared: &'static IdentityColumns,
    map: ColumnMap,
    set_aside: SetAside,
    /// Those of the declared columns that the table has, and when rows went.
    columns: OnceCell<Vec<SqlIdentifier>>,
}

impl Reader {
    pub(super) fn new(
        source: &str,
        declared: &'static IdentityColumns,
        set_aside: SetAside,
    ) -> Self {
        let fields = declared.columns.iter().map(|(field, _)| field.as_str());
        let headers: Vec<&str> = fields.chain([ColumnField::Kind.as_str()]).collect();
        Self {
            source: source.into(),
            stream: declared.stream.into(),
            employers: declared.employer.map(|(_, stream)| stream.into()),
            map: ColumnMap::guess(&headers),
            declared,
            set_aside,
            columns: OnceCell::new(),
        }
    }

    /// Returns a reader of the rows of one declaration, but for what is set aside now.
    pub(super) async fn open(
        warehouse: &dyn Warehouse,
        source: &str,
        declared: &'static IdentityColumns,
    ) -> Result<Self> {
        let set_aside = SetAside::read(warehouse, source, declared.except).await?;
        Ok(Self::new(source, declared, set_aside))
    }

    /// Returns the table that is read.
    pub(super) fn table(&self) -> Result<SqlIdentifier> {
        SqlIdentifier::parse(&format!("{}_{}", self.source, self.stream))
    }

    /// Returns what lets one of so many shares of the live rows through; all rows of one name are in one.
    pub(super) fn share(&self, share: (u64, u64)) -> Result<Filter> {
        let column = SqlIdentifier::parse(self.declared.named_by)?;
        Ok(Filter::LiveShare { column, share })
    }

    /// Returns what live records say, of the rows that a filter lets through.
    pub(super) async fn identities(
        &self,
        warehouse: &dyn Warehouse,
        filter: Filter,
        ours: &Ours,
    ) -> Result<Vec<Identity>> {
        let stream = (&*self.source, self.declared.stream);
        let columns = self.columns.get_or_try_init(|| async {
            let places = [&*self.places(), &[DELETED]].concat();
            columns(warehouse, stream, &places).await
        });
        let mut columns = columns.await?.clone();
        if matches!(filter, Filter::Live | Filter::LiveShare { .. }) {
            columns.retain(|column| column.as_str() != DELETED);
        }
        let (mut identities, mut named) = (Vec::new(), HashMap::new());
        for batch in selected(warehouse, stream, (columns, filter)).await? {
            let batch = live(&batch)?;
            if self.declared.named_by == "id" {
                self.records(&batch, &mut identities)?;
            } else {
                self.named(&batch, ours, &mut named)?;
            }
        }
        let named = named.into_iter();
        identities.extend(named.filter_map(|(name, said)| Some(self.one(&name, said?))));
        Ok(identities)
    }

    fn places(&self) -> Vec<&'static str> {
        let mut places = vec![self.declared.named_by, self.declared.said_at];
        places.extend(self.declared.columns.iter().map(|(_, place)| *place));
        places.extend(self.declared.employer.iter().map(|(column, _)| *column));
        places.extend(self.set_aside.places());
        places
    }

    /// Returns what a row says in a column; of addresses, numbers and web sites, all.
    fn value(field: ColumnField, cells: &Cells<'_>, row: usize) -> Option<String> {
        let value = match field {
            ColumnField::Email | ColumnField::Phone | ColumnField::Website => {
                cells.texts(row).join(";")
            }
            _ => cells.text(row)?.into_owned(),
        };
        (!value.is_empty()).then_some(value)
    }

    /// Takes rows of which each is a record.
    fn records(&self, batch: &RecordBatch, identities: &mut Vec<Identity>) -> Result<()> {
        let columns = Columns::of(batch, self.declared)?;
        for row in self.set_aside.rest(batch)? {
            let Some(id) = columns.names.as_ref().and_then(|ids| ids.text(row)) else {
                continue;
            };
            let values: Vec<_> = columns.values(row).collect();
            let mut identity = self.identity(&id, &values);
            identity.changed_at = columns.said_at(row);
            identity.employer = columns.employer(row).and_then(|id| self.employer(&id));
            identities.push(identity);
        }
        Ok(())
    }

    /// Takes rows of which several can name the same one. A name that names nobody is noted as such.
    fn named(
        &self,
        batch: &RecordBatch,
        ours: &Ours,
        named: &mut HashMap<Box<str>, Option<Said>>,
    ) -> Result<()> {
        let columns = Columns::of(batch, self.declared)?;
        for row in self.set_aside.rest(batch)? {
            let Some(name) = columns.names.as_ref().and_then(|names| names.text(row)) else {
                continue;
            };
            if !named.contains_key(name.as_ref()) {
                let said = self.names_somebody(&name, ours).then(|| Said {
                    values: vec![None; self.declared.columns.len()],
                    employer: None,
                    first: i64::MAX,
                    last: 0,
                });
                named.insert(name.as_ref().into(), said);
            }
            let Some(Some(said)) = named.get_mut(name.as_ref()) else {
                continue;
            };
            let at = columns.said_at(row);
            (said.first, said.last) = (said.first.min(at), said.last.max(at));
            for (known, value) in said.values.iter_mut().zip(columns.values(row)) {
                keep_newest(known, at, value);
            }
            let employer = columns.employer(row);
            keep_newest(&mut said.employer, at, employer);
        }
        Ok(())
    }

    /// Says whether a name can be somebody's: an address or number that is neither ours nor a machine's nor
    /// filled in for want of one.
    fn names_somebody(&self, name: &str, ours: &Ours) -> bool {
        let mut fields = self.declared.columns.iter();
        let field = fields.find(|(_, place)| *place == self.declared.named_by);
        match field.map(|(field, _)| field) {
            Some(ColumnField::Email) => email::normalise(name).is_some_and(|email| {
                let nobody = matches!(email.class, EmailClass::System | EmailClass::Placeholder);
                !nobody && !ours.has_address(&email)
            }),
            Some(ColumnField::Phone) => {
                national(name).is_some_and(|number| !ours.has_number(&number))
            }
            _ => true,
        }
    }

    /// Returns the identity of a name.
    fn one(&self, name: &str, said: Said) -> Identity {
        let values: Vec<Option<String>> = said
            .values
            .into_iter()
            .map(|value| Some(value?.1.into_string()))
            .collect();
        let mut identity = self.identity(name, &values);
        identity.created_at = said.first;
        identity.changed_at = said.last;
        identity.employer = said.employer.and_then(|(_, id)| self.employer(&id));
        identity
    }

    fn identity(&self, id: &str, values: &[Option<String>]) -> Identity {
        let mut borrowed: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
        borrowed.push(Some(self.declared.kind.as_str()));
        let mut identity = self.map.said(&borrowed, &self.source, 0).to_identity();
        identity.record = RecordRef::new(Arc::clone(&self.source), Arc::clone(&self.stream), id);
        identity
    }

    fn employer(&self, id: &str) -> Option<RecordRef> {
        let stream = Arc::clone(self.employers.as_ref()?);
        Some(RecordRef::new(Arc::clone(&self.source), stream, id))
    }
}

/// Puts a value in the place of an older one; of two at the same time the smaller stays, whichever came first.
fn keep_newest(known: &mut Option<(i64, Box<str>)>, at: i64, value: Option<String>) {
    let Some(value) = value else { return };
    let newer = known
        .as_ref()
        .is_none_or(|(then, old)| at > *then || (at == *then && value.as_str() < old.as_ref()));
    if newer {
        *known = Some((at, value.into()));
    }
}

/// The declared columns of a batch.
struct Columns<'a> {
    names: Option<Cells<'a>>,
    times: Option<Cells<'a>>,
    values: Vec<(ColumnField, Option<Cells<'a>>)>,
    employers: Option<Cells<'a>>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch, declared: &'static IdentityColumns) -> Result<Self> {
        let values = declared
            .columns
            .iter()
            .map(|(field, place)| Ok((*field, Cells::of(batch, place)?)));
        Ok(Self {
            names: Cells::of(batch, declared.named_by)?,
            times: Cells::of(batch, declared.said_at)?,
            values: values.collect::<Result<_>>()?,
            employers: match declared.employer {
                Some((column, _)) => Cells::of(batch, column)?,
                None => None,
            },
        })
    }

    /// Returns what a row says in each declared column.
    fn values(&self, row: usize) -> impl Iterator<Item = Option<String>> {
        let values = self.values.iter();
        values.map(move |(field, cells)| Reader::value(*field, cells.as_ref()?, row))
    }

    fn said_at(&self, row: usize) -> i64 {
        let time = self.times.as_ref().and_then(|times| times.time(row));
        time.unwrap_or(0)
    }

    fn employer(&self, row: usize) -> Option<String> {
        let id = self.employers.as_ref()?.text(row)?;
        Some(id.into_owned())
    }
}
