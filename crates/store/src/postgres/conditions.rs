//! A filter as SQL over the columns of a document. Decides exactly as [`Filter::admits`] does.

use clusterlore_core::Requirement;
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;

use crate::Filter;

/// A value on its way to the server.
pub(super) type Parameter = Box<dyn ToSql + Sync + Send>;

/// SQL with the values of its placeholders.
#[derive(Default)]
pub(super) struct Statement {
    pub(super) sql: String,
    values: Vec<Parameter>,
}

impl Statement {
    /// Adds a value and gives its placeholder.
    pub(super) fn bind(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    pub(super) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    pub(super) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
    }

    /// Conditions of the filter on cluster, namespace and type, for a table that has these columns; `true` where there are none.
    pub(super) fn facets(&mut self, filter: &Filter) -> String {
        let sets = [("cluster", &filter.clusters), ("namespace", &filter.namespaces), ("type", &filter.types)];
        let mut all = Vec::new();
        for (column, set) in sets.into_iter().filter(|(_, set)| !set.is_empty()) {
            let values: Vec<String> = set.iter().map(|v| super::clean(v).into_owned()).collect();
            all.push(format!("{column} = ANY({}::text[])", self.bind(values)));
        }
        if all.is_empty() { "true".to_owned() } else { all.join(" AND ") }
    }

    /// All conditions of the filter, for the table of documents; `true` where there are none.
    pub(super) fn filter(&mut self, filter: &Filter) -> String {
        let mut all = vec![self.facets(filter)];
        for requirement in &filter.selector.0 {
            all.push(self.requirement(requirement));
        }
        all.retain(|condition| condition != "true");
        if all.is_empty() { "true".to_owned() } else { all.join(" AND ") }
    }

    fn requirement(&mut self, requirement: &Requirement) -> String {
        match requirement {
            // One containment a value: the index serves each.
            Requirement::In(key, values) => {
                let any: Vec<String> = values
                    .iter()
                    .map(|value| {
                        let pair: Value = json!({ super::clean(key): super::clean(value) });
                        format!("labels @> {}::jsonb", self.bind(pair))
                    })
                    .collect();
                if any.is_empty() { "false".to_owned() } else { format!("({})", any.join(" OR ")) }
            }
            Requirement::NotIn(key, values) => {
                let (key, values) = (self.bind(super::clean(key).into_owned()), self.bind(values.clone()));
                format!("coalesce((labels ->> {key}::text) <> ALL({values}::text[]), true)")
            }
            Requirement::Exists(key) => format!("labels ? {}::text", self.bind(super::clean(key).into_owned())),
            Requirement::DoesNotExist(key) => {
                format!("NOT labels ? {}::text", self.bind(super::clean(key).into_owned()))
            }
            Requirement::GreaterThan(key, bound) => self.compare(key, ">", *bound),
            Requirement::LessThan(key, bound) => self.compare(key, "<", *bound),
        }
    }

    /// A value that is no integer of 64 bits is neither above nor below anything.
    fn compare(&mut self, key: &str, operator: &str, bound: i64) -> String {
        let (key, bound) = (self.bind(super::clean(key).into_owned()), self.bind(bound));
        let value = format!("(labels ->> {key}::text)");
        format!(
            "(CASE WHEN {value} ~ '^[+-]?[0-9]+$' AND length({value}) < 100000 THEN {value}::numeric {operator} {bound}::bigint
              AND {value}::numeric BETWEEN {} AND {} ELSE false END)",
            i64::MIN,
            i64::MAX
        )
    }
}
