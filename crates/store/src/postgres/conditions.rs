//! A filter and a scope as SQL over the columns of a document. Decides exactly as [`Filter::admits`] and [`Scope::admits`] do.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_core::{Collection, ObjectKey, Requirement, Scope, TOLD_APART};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;

use super::text;
use crate::filter::Filter;

/// A value on its way to the server.
pub(super) type Parameter = Box<dyn ToSql + Sync + Send>;

/// Names of which one must be met; `None`: any.
type OneOf = Option<BTreeSet<String>>;

/// Rules that can be told as one.
#[derive(Debug, PartialEq)]
struct Group {
    clusters: BTreeSet<String>,
    types: OneOf,
    namespaces: OneOf,
}

/// What a scope admits of a collection, in as few conditions as there are; `None`: everything.
#[derive(Debug)]
pub(super) struct Within(Option<Vec<Group>>, Vec<Single>);

/// Single objects that a rule admits.
#[derive(Debug, PartialEq)]
struct Single {
    cluster: String,
    namespaces: OneOf,
    keys: BTreeSet<ObjectKey>,
}

impl Within {
    pub(super) fn of(scope: &Scope, collection: Collection) -> Self {
        let Scope::Rules(rules) = scope else { return Self(None, Vec::new()) };
        let clean = |name: &String| text::clean(name).into_owned();
        // First the namespaces of each type, which bounds the conditions by the number of types; then types and clusters that have the same.
        let mut of_type: BTreeMap<(String, Option<String>), OneOf> = BTreeMap::new();
        let mut single = Vec::new();
        for rule in rules.iter().filter(|rule| !rule.is_empty()) {
            let mut type_name = rule.type_name.clone();
            match (&rule.objects, collection) {
                (Some(keys), Collection::Instances) => {
                    let namespaces = rule.namespaces.as_ref().map(|all| all.iter().map(clean).collect());
                    single.push(Single { cluster: clean(&rule.cluster), namespaces, keys: keys.clone() });
                    continue;
                }
                (Some(_), Collection::Capabilities) => type_name = Some(TOLD_APART.to_owned()),
                (None, _) => {}
            }
            let namespaces = match collection {
                Collection::Instances => rule.namespaces.as_ref(),
                Collection::Capabilities => None,
            };
            let of = (clean(&rule.cluster), type_name.as_ref().map(clean));
            let all = of_type.entry(of).or_insert_with(|| Some(BTreeSet::new()));
            match (all.as_mut(), namespaces) {
                (Some(all), Some(more)) => all.extend(more.iter().map(clean)),
                _ => *all = None,
            }
        }
        let mut of_cluster: BTreeMap<(String, OneOf), OneOf> = BTreeMap::new();
        for ((cluster, type_name), namespaces) in of_type {
            let types = of_cluster.entry((cluster, namespaces)).or_insert_with(|| Some(BTreeSet::new()));
            match (types.as_mut(), type_name) {
                (Some(types), Some(type_name)) => _ = types.insert(type_name),
                _ => *types = None,
            }
        }
        let mut groups: BTreeMap<(OneOf, OneOf), BTreeSet<String>> = BTreeMap::new();
        for ((cluster, namespaces), types) in of_cluster {
            groups.entry((types, namespaces)).or_default().insert(cluster);
        }
        let group = |((types, namespaces), clusters)| Group { clusters, types, namespaces };
        Self(Some(groups.into_iter().map(group).collect()), single)
    }

    pub(super) fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it asks for clusters only, so that what is tallied of each cluster says all about it.
    pub(super) fn is_tallied(&self) -> bool {
        self.1.is_empty() && self.0.iter().flatten().all(|group| group.types.is_none() && group.namespaces.is_none())
    }

    /// Whether it asks for single objects, of which no tally says anything.
    pub(super) fn has_objects(&self) -> bool {
        !self.1.is_empty()
    }
}

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
            all.push(self.one_of(column, set.iter().map(|v| text::clean(v).into_owned()).collect()));
        }
        if all.is_empty() { "true".to_owned() } else { all.join(" AND ") }
    }

    fn one_of(&mut self, column: &str, values: Vec<String>) -> String {
        format!("{column} = ANY({}::text[])", self.bind(values))
    }

    /// What the scope admits, for a table with the columns that it asks for: cluster, and type and namespace unless it is tallied, and key
    /// where it has objects.
    pub(super) fn within(&mut self, within: &Within) -> String {
        let Some(groups) = &within.0 else { return "true".to_owned() };
        let mut any = Vec::new();
        for Group { clusters, types, namespaces } in groups {
            let sets = [("cluster", Some(clusters)), ("type", types.as_ref()), ("namespace", namespaces.as_ref())];
            let of = sets.into_iter().filter_map(|(column, set)| Some((column, set?)));
            let all: Vec<String> = of.map(|(column, set)| self.one_of(column, set.iter().cloned().collect())).collect();
            any.push(all.join(" AND "));
        }
        for Single { cluster, namespaces, keys } in &within.1 {
            let mut all = vec![self.one_of("cluster", vec![cluster.clone()]), format!("type = '{TOLD_APART}'")];
            all.extend(namespaces.as_ref().map(|some| self.one_of("namespace", some.iter().cloned().collect())));
            let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.0.to_vec()).collect();
            all.push(format!("key = ANY({}::bytea[])", self.bind(keys)));
            any.push(all.join(" AND "));
        }
        if any.is_empty() { "false".to_owned() } else { format!("({})", any.join(" OR ")) }
    }

    /// All conditions of the filter, for the table of documents; `true` where there are none.
    pub(super) fn filter(&mut self, filter: &Filter) -> String {
        let mut all = vec![self.facets(filter)];
        if !filter.keys.is_empty() {
            let keys: Vec<Vec<u8>> = filter.keys.iter().map(|key| key.0.to_vec()).collect();
            all.push(format!("key = ANY({}::bytea[])", self.bind(keys)));
        }
        for (column, selector) in [("labels", &filter.selector), ("annotations", &filter.annotations)] {
            for requirement in &selector.0 {
                all.push(self.requirement(column, requirement));
            }
        }
        all.retain(|condition| condition != "true");
        if all.is_empty() { "true".to_owned() } else { all.join(" AND ") }
    }

    fn requirement(&mut self, column: &str, requirement: &Requirement) -> String {
        match requirement {
            // One containment a value: the index serves each.
            Requirement::In(key, values) => {
                let any: Vec<String> = values
                    .iter()
                    .map(|value| {
                        let pair: Value = json!({ text::clean(key): text::clean(value) });
                        format!("{column} @> {}::jsonb", self.bind(pair))
                    })
                    .collect();
                if any.is_empty() { "false".to_owned() } else { format!("({})", any.join(" OR ")) }
            }
            Requirement::NotIn(key, values) => {
                let (key, values) = (self.bind(text::clean(key).into_owned()), self.bind(values.clone()));
                format!("coalesce(({column} ->> {key}::text) <> ALL({values}::text[]), true)")
            }
            Requirement::Exists(key) => format!("{column} ? {}::text", self.bind(text::clean(key).into_owned())),
            Requirement::DoesNotExist(key) => {
                format!("NOT {column} ? {}::text", self.bind(text::clean(key).into_owned()))
            }
            Requirement::GreaterThan(key, bound) => self.compare(column, key, ">", *bound),
            Requirement::LessThan(key, bound) => self.compare(column, key, "<", *bound),
        }
    }

    /// A value that is no integer of 64 bits is neither above nor below anything.
    fn compare(&mut self, column: &str, key: &str, operator: &str, bound: i64) -> String {
        let (key, bound) = (self.bind(text::clean(key).into_owned()), self.bind(bound));
        let value = format!("({column} ->> {key}::text)");
        format!(
            "(CASE WHEN {value} ~ '^[+-]?[0-9]+$' AND length({value}) < 100000 THEN {value}::numeric {operator} {bound}::bigint
              AND {value}::numeric BETWEEN {} AND {} ELSE false END)",
            i64::MIN,
            i64::MAX
        )
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_core::Rule;

    use super::*;

    #[test]
    fn rules_that_say_the_same_are_one_condition() {
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<String>>();
        let rule = |cluster: &str, type_name: Option<&str>, namespaces: Option<&[&str]>| Rule {
            cluster: cluster.to_owned(),
            type_name: type_name.map(str::to_owned),
            namespaces: namespaces.map(set),
            objects: None,
        };
        let scope = Scope::rules([
            rule("a", Some("pods"), Some(&["x"])),
            rule("a", Some("pods"), Some(&["y"])),
            rule("a", Some("jobs"), Some(&["x", "y"])),
            rule("b", Some("pods"), Some(&["y", "x"])),
            rule("b", Some("jobs"), Some(&["x", "y"])),
            rule("c", Some("pods"), Some(&[])),
        ]);
        let within = Within::of(&scope, Collection::Instances);
        let one = Group {
            clusters: set(&["a", "b"]),
            types: Some(set(&["jobs", "pods"])),
            namespaces: Some(set(&["x", "y"])),
        };
        assert_eq!(within.0, Some(vec![one]));
        assert!(!within.is_tallied());
        let sql = Statement::default().within(&within);
        assert_eq!(sql, "(cluster = ANY($1::text[]) AND type = ANY($2::text[]) AND namespace = ANY($3::text[]))");
        let types = Within::of(&scope, Collection::Capabilities);
        assert_eq!(types.0.unwrap()[0].namespaces, None, "a type's document belongs to no namespace");

        let none = Within::of(&Scope::rules([]), Collection::Instances);
        assert_eq!(Statement::default().within(&none), "false");
        let clusters = Scope::rules([Rule::cluster("a"), rule("b", None, Some(&["x"])), Rule::cluster("b")]);
        let clusters = Within::of(&clusters, Collection::Instances);
        assert!(clusters.is_tallied());
        assert_eq!(Statement::default().within(&clusters), "(cluster = ANY($1::text[]))");
    }
}
