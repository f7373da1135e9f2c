//! What a search asks of a whole collection: totals, frequencies, vocabulary. Tallies say it of the whole, and of whole clusters; under any
//! other scope it is counted, and kept as long as nothing is written.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clusterlore_core::TOLD_APART;

use super::conditions::Statement;
use super::fault::Fault;
use super::reader::{Seen, count};
use super::text::clean;
use super::words::{lexeme, term};
use crate::filter::Filter;
use crate::reader::{Counts, Terms, Vocabulary};

/// Terms whose frequencies are kept; with one more all are asked for again.
const KEPT_FREQUENCIES: usize = 16_384;

impl Seen<'_> {
    /// How many documents there are.
    pub(super) async fn documents(&self) -> Result<usize, Fault> {
        if self.within.is_all() {
            return Ok(self.state.documents);
        }
        let revision = self.state.revision;
        if let Some((_, documents)) = self.kept(|kept| kept.documents).filter(|(seen, _)| *seen == revision) {
            return Ok(documents);
        }
        let documents = self.in_facets(&Filter::default()).await?;
        self.kept(|kept| kept.documents = Some((revision, documents)));
        Ok(documents)
    }

    /// How many documents pass a filter that asks for no label.
    pub(super) async fn in_facets(&self, filter: &Filter) -> Result<usize, Fault> {
        let mut statement = Statement::default();
        let collection = statement.bind(self.state.collection.id);
        let (facets, within) = (statement.facets(filter), statement.within(&self.within));
        let facets_of = self.facets();
        statement.push(&format!(
            "SELECT coalesce(sum(documents), 0)::bigint FROM {facets_of} WHERE collection = {collection} AND {facets} AND {within}"
        ));
        Ok(self.rows(&statement).await?.first().map_or(0, |row| count(row.get(0))))
    }

    /// The table of how many documents there are of each cluster, type and namespace; where single objects are asked for, with theirs.
    fn facets(&self) -> String {
        if !self.within.has_objects() {
            return "facets".to_owned();
        }
        format!(
            "(SELECT collection, cluster, type, namespace, NULL::bytea AS key, documents FROM facets WHERE type <> '{TOLD_APART}'
              UNION ALL
              SELECT {}::int, cluster, type, namespace, key, 1::bigint FROM {} WHERE type = '{TOLD_APART}') facets",
            self.state.collection.id, self.table
        )
    }

    /// How many documents hold each of the terms.
    pub(super) async fn frequencies(&self, terms: &[String]) -> Result<Vec<usize>, Fault> {
        let asked: Vec<String> = terms.iter().map(|t| clean(term(t)).into_owned()).collect();
        let mut found: HashMap<String, usize> = HashMap::new();
        let revision = self.state.revision;
        if !self.within.is_tallied() {
            self.kept(|kept| {
                if kept.frequencies.0 != revision || kept.frequencies.1.len() > KEPT_FREQUENCIES {
                    kept.frequencies = (revision, HashMap::new());
                }
                let known = &kept.frequencies.1;
                found.extend(asked.iter().filter_map(|term| Some((term.clone(), *known.get(term)?))));
            });
        }
        let unknown: HashSet<&String> = asked.iter().filter(|t| !t.is_empty() && !found.contains_key(*t)).collect();
        let unknown: Vec<String> = unknown.into_iter().cloned().collect();
        if !unknown.is_empty() {
            let mut statement = Statement::default();
            if self.within.is_tallied() {
                let (collection, asked) = (statement.bind(self.state.collection.id), statement.bind(unknown));
                let within = statement.within(&self.within);
                statement.push(&format!(
                    "SELECT term, sum(documents)::bigint FROM terms
                     WHERE collection = {collection} AND term = ANY({asked}) AND {within} GROUP BY term"
                ));
            } else {
                let queries = statement.bind(unknown.iter().map(|term| lexeme(term)).collect::<Vec<_>>());
                let (asked, within) = (statement.bind(unknown), statement.within(&self.within));
                statement.push(&format!(
                    "SELECT u.term, (SELECT count(*) FROM {} WHERE words @@ u.query::tsquery AND {within})
                     FROM unnest({asked}::text[], {queries}::text[]) AS u (term, query)",
                    self.table
                ));
            }
            let rows = self.rows(&statement).await?;
            let counted: Vec<(String, usize)> = rows.iter().map(|row| (row.get(0), count(row.get(1)))).collect();
            if !self.within.is_tallied() {
                self.kept(|kept| {
                    if kept.frequencies.0 == revision {
                        kept.frequencies.1.extend(counted.iter().cloned());
                    }
                });
            }
            found.extend(counted);
        }
        Ok(asked.iter().map(|term| found.get(term).copied().unwrap_or(0)).collect())
    }

    /// All terms with the number of documents that hold each.
    pub(super) async fn terms(&self) -> Result<Arc<Terms>, Fault> {
        let revision = self.state.revision;
        if let Some((_, terms)) = self.kept(|kept| kept.terms.clone()).filter(|(seen, _)| *seen == revision) {
            return Ok(terms);
        }
        let mut statement = Statement::default();
        if self.within.is_tallied() {
            let (collection, within) = (statement.bind(self.state.collection.id), statement.within(&self.within));
            statement.push(&format!(
                "SELECT term, sum(documents)::bigint FROM terms WHERE collection = {collection} AND {within} GROUP BY term ORDER BY term"
            ));
        } else {
            let within = statement.within(&self.within);
            statement.push(&format!(
                "SELECT term, count(*) FROM {}, unnest(tsvector_to_array(words)) AS term WHERE {within}
                 GROUP BY term ORDER BY term COLLATE \"C\"",
                self.table
            ));
        }
        let rows = self.rows(&statement).await?;
        let mut terms = Terms::default();
        rows.iter().for_each(|row| terms.push(row.get(0), count(row.get(1))));
        terms.shrink();
        let terms = Arc::new(terms);
        self.kept(|kept| kept.terms = Some((revision, Arc::clone(&terms))));
        Ok(terms)
    }

    /// Documents of each cluster and type.
    pub(super) async fn counts(&self) -> Result<Vec<Counts>, Fault> {
        let mut statement = Statement::default();
        let (collection, within) = (statement.bind(self.state.collection.id), statement.within(&self.within));
        let facets_of = self.facets();
        statement.push(&format!(
            "SELECT cluster, type, sum(documents)::bigint FROM {facets_of} WHERE collection = {collection} AND {within}
             GROUP BY cluster, type ORDER BY cluster, type"
        ));
        let rows = self.rows(&statement).await?;
        Ok(rows
            .iter()
            .map(|row| Counts { cluster: row.get(0), type_name: row.get(1), documents: count(row.get(2)) })
            .collect())
    }

    /// By what the documents can be narrowed.
    pub(super) async fn vocabulary(&self) -> Result<Arc<Vocabulary>, Fault> {
        // What moves from one namespace to another changes no tally.
        let revision = if self.within.is_tallied() { self.state.vocabulary } else { self.state.revision };
        if let Some((_, known)) = self.kept(|kept| kept.vocabulary.clone()).filter(|(seen, _)| *seen == revision) {
            return Ok(known);
        }
        let mut vocabulary = Vocabulary::default();
        let mut statement = Statement::default();
        let (collection, within) = (statement.bind(self.state.collection.id), statement.within(&self.within));
        let facets_of = self.facets();
        statement.push(&format!(
            "SELECT DISTINCT type, namespace FROM {facets_of} WHERE collection = {collection} AND {within}"
        ));
        for row in self.rows(&statement).await? {
            vocabulary.types.insert(row.try_get(0)?);
            vocabulary.namespaces.insert(row.try_get(1)?);
        }
        let labels = if self.within.is_tallied() { self.tallied_labels() } else { self.counted_labels() };
        for row in self.rows(&labels).await? {
            vocabulary.labels.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?);
        }
        vocabulary.labels.retain(|_, values| values.len() <= Vocabulary::MOST_VALUES);
        let vocabulary = Arc::new(vocabulary);
        self.kept(|kept| kept.vocabulary = Some((revision, Arc::clone(&vocabulary))));
        Ok(vocabulary)
    }

    /// From value to value through the index, at most one more than is kept: a key that names every pod costs no more than others.
    fn tallied_labels(&self) -> Statement {
        let mut statement = Statement::default();
        let (collection, within) = (statement.bind(self.state.collection.id), statement.within(&self.within));
        let labels = format!("labels l WHERE l.collection = {collection} AND {within}");
        let most = Vocabulary::MOST_VALUES;
        statement.push(&format!(
            "WITH RECURSIVE keys AS (
                (SELECT l.key, md5(l.key) AS k FROM {labels} ORDER BY md5(l.key) LIMIT 1)
                UNION ALL
                SELECT n.key, n.k FROM keys, LATERAL (
                    SELECT l.key, md5(l.key) AS k FROM {labels} AND md5(l.key) > keys.k ORDER BY md5(l.key) LIMIT 1) n)
             SELECT keys.key, v.value FROM keys, LATERAL (
                WITH RECURSIVE found AS (
                    (SELECT l.value, md5(l.value) AS v, 1 AS n FROM {labels} AND md5(l.key) = keys.k
                     ORDER BY md5(l.value) LIMIT 1)
                    UNION ALL
                    SELECT m.value, m.v, found.n + 1 FROM found, LATERAL (
                        SELECT l.value, md5(l.value) AS v FROM {labels} AND md5(l.key) = keys.k AND md5(l.value) > found.v
                        ORDER BY md5(l.value) LIMIT 1) m
                    WHERE found.n <= {most})
                SELECT value FROM found) v"
        ));
        statement
    }

    /// Of the documents themselves, without the keys that have more values than are kept.
    fn counted_labels(&self) -> Statement {
        let mut statement = Statement::default();
        let within = statement.within(&self.within);
        statement.push(&format!(
            "SELECT key, value FROM (
                SELECT key, value, count(*) OVER (PARTITION BY key) AS values FROM (
                    SELECT DISTINCT l.label AS key, l.value FROM {}, jsonb_each_text(labels) AS l (label, value) WHERE {within}) pairs) counted
             WHERE values <= {}",
            self.table,
            Vocabulary::MOST_VALUES
        ));
        statement
    }
}
