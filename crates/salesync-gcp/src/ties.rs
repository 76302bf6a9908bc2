//! Rows that hang on rows of another table: details follow their owner, groups live as long as a member.

use crate::marks::mark_found;
use crate::script::Script;
use crate::sql::{quoted, same_key};
use crate::stage::Staged;
use crate::target::Target;

/// Two tables that hang together, and the column by which they do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    /// The table whose rows follow.
    pub(crate) own: &'a Target,
    /// The one that they follow.
    pub(crate) other: &'a Target,
    pub(crate) column: &'a str,
}

/// What a batch brings for one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Brought<'a> {
    pub(crate) rows: Option<&'a Staged>,
    pub(crate) marks: Option<&'a Staged>,
}

impl Pair<'_> {
    fn part(&self) -> Option<&str> {
        self.own.part.as_deref()
    }

    /// Returns the rows of a batch whose owner is there in no newer state.
    pub(crate) fn of_present_owners(self, script: &mut Script, staged: &Staged) -> Staged {
        let kept = script.name("kept");
        let same = same_key(("_o", "id"), ("_s", self.column), self.part());
        script.run(format!(
            "CREATE TEMP TABLE {kept} AS SELECT _s.* FROM {} AS _s JOIN {} AS _o ON {same} \
             WHERE _o._version <= _s._version",
            staged.relation,
            self.other.rows()
        ));
        Staged {
            relation: kept,
            rows: None,
            ..staged.clone()
        }
    }

    /// Marks the live details that an owner which the batch names came without: those that are older than it, and
    /// those of its own version that are not among the `details` that came with it.
    pub(crate) fn mark_left_behind(
        self,
        script: &mut Script,
        owners: Brought<'_>,
        details: Option<&Staged>,
    ) -> Option<String> {
        let named = self.named(owners)?;
        let of_owner = same_key(("_n", "id"), ("_d", self.column), self.part());
        let owner = same_key(("_o", "id"), ("_n", "id"), self.part());
        let came = details.map_or("FALSE".to_owned(), |details| {
            let detail = same_key(("_c", "id"), ("_d", "id"), self.part());
            format!(
                "EXISTS (SELECT 1 FROM {} AS _c WHERE {detail})",
                details.relation
            )
        });
        let part = self.part_of("_d");
        let found = format!(
            "SELECT _d.id, {part}_o._version AS version, \
               COALESCE(_o._deleted_at, _o._synced_at) AS `at` \
             FROM {} AS _d JOIN ({named}) AS _n ON {of_owner} JOIN {} AS _o ON {owner} \
             WHERE _d._deleted_at IS NULL AND (_d._version < _o._version \
               OR (_d._version = _o._version AND _n.version = _o._version AND NOT {came}))",
            self.own.rows(),
            self.other.rows()
        );
        Some(mark_found(script, self.own, &found))
    }

    /// Marks the live groups of the members which the batch names that no live member is in.
    pub(crate) fn mark_without_members(
        self,
        script: &mut Script,
        members: Brought<'_>,
    ) -> Option<String> {
        let named = self.named(members)?;
        let member = same_key(("_n", "id"), ("_x", "id"), self.part());
        let group = same_key(("_g", "id"), ("_x", self.column), self.part());
        let other = same_key(("_g", "id"), ("_y", self.column), self.part());
        let part = self.part_of("_g");
        let by = self
            .part()
            .map_or(String::new(), |part| format!(", _g.{}", quoted(part)));
        let (groups, all) = (self.own.rows(), self.other.rows());
        let found = format!(
            "SELECT _g.id, {part}GREATEST(MAX(_g._version), MAX(_x._version)) AS version, \
               ANY_VALUE(COALESCE(_x._deleted_at, _x._synced_at) HAVING MAX _x._version) AS `at` \
             FROM ({named}) AS _n JOIN {all} AS _x ON {member} JOIN {groups} AS _g ON {group} \
             WHERE _g._deleted_at IS NULL AND NOT EXISTS \
               (SELECT 1 FROM {all} AS _y WHERE {other} AND _y._deleted_at IS NULL) \
             GROUP BY _g.id{by}"
        );
        Some(mark_found(script, self.own, &found))
    }

    /// Returns the queries for the times of the partitions in which details lie, those that came and those that are
    /// there of the owners which the batch names.
    pub(crate) fn days_of_details(self, owners: Brought<'_>) -> Option<String> {
        let named = self.named(owners)?;
        let of_owner = same_key(("_n", "id"), ("_t", self.column), self.part());
        let day = quoted(&self.own.day);
        Some(format!(
            "SELECT _t.{day} AS day FROM {} AS _t JOIN ({named}) AS _n ON {of_owner} \
             WHERE _t._deleted_at IS NULL",
            self.own.name
        ))
    }

    /// Returns the query for the times of the partitions in which the owners of staged details lie.
    pub(crate) fn days_of_owners(self, details: &Staged) -> String {
        let owner = same_key(("_t", "id"), ("_s", self.column), self.part());
        let (day, owners) = (quoted(&self.other.day), &self.other.name);
        let rows = &details.relation;
        format!("SELECT _t.{day} AS day FROM {owners} AS _t JOIN {rows} AS _s ON {owner}")
    }

    /// Returns the queries for the times of the partitions in which the groups lie of the members that the batch names,
    /// and in which all their members do.
    pub(crate) fn days_of_groups(self, members: Brought<'_>) -> Option<(String, String)> {
        let named = self.named(members)?;
        let part = self.part_of("_x");
        let (own, other) = (quoted(self.column), &self.other);
        let member = same_key(("_n", "id"), ("_x", "id"), self.part());
        let there = format!(
            "SELECT {part}_x.{own} FROM {} AS _x JOIN ({named}) AS _n ON {member}",
            other.all_rows()
        );
        let came = members.rows.map(|rows| {
            format!(
                " UNION ALL SELECT {part}_x.{own} FROM {} AS _x",
                rows.relation
            )
        });
        let groups = format!("({there}{})", came.unwrap_or_default());
        let group = same_key(("_t", "id"), ("_g", self.column), self.part());
        let fellow = same_key(("_t", self.column), ("_g", self.column), self.part());
        let query = |target: &Target, same: &str| {
            let (day, name) = (quoted(&target.day), &target.name);
            format!("SELECT _t.{day} AS day FROM {name} AS _t JOIN {groups} AS _g ON {same}")
        };
        Some((query(self.own, &group), query(self.other, &fellow)))
    }

    /// Returns the query for the keys that a batch names, with the versions in which their rows came; `None` where
    /// there are none.
    fn named(self, brought: Brought<'_>) -> Option<String> {
        let part = self
            .part()
            .map_or(String::new(), |part| format!("{}, ", quoted(part)));
        let rows = brought.rows.map(|rows| {
            format!(
                "SELECT id, {part}_version AS version FROM {}",
                rows.relation
            )
        });
        let marks = brought.marks.map(|marks| {
            let none = "CAST(NULL AS TIMESTAMP) AS version";
            format!("SELECT id, {part}{none} FROM {}", marks.relation)
        });
        let all: Vec<String> = rows.into_iter().chain(marks).collect();
        let by = self
            .part()
            .map_or(String::new(), |part| format!(", {}", quoted(part)));
        (!all.is_empty()).then(|| {
            format!(
                "SELECT id, {part}MAX(version) AS version FROM ({}) GROUP BY id{by}",
                all.join(" UNION ALL ")
            )
        })
    }

    fn part_of(self, alias: &str) -> String {
        let part = self.part().map(quoted);
        part.map_or(String::new(), |part| format!("{alias}.{part}, "))
    }
}
