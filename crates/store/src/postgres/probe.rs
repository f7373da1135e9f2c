//! The documents that may answer, from one snapshot.

use std::collections::{BTreeMap, HashSet};

use clusterlore_core::{Collection, Requirement};
use deadpool_postgres::Transaction;
use pgvector::HalfVector;
use tokio_postgres::Row;

use super::conditions::Statement;
use super::fault::Fault;
use super::vectors::{State, count, frequencies, reading, state, term};
use super::{Postgres, schema};
use crate::{Candidate, Candidates, Filter, Probe};

/// Word matches that one probe looks at, or as many as it wants documents: the rarest terms come first, so that what is cut off
/// says least.
const MOST_POSTINGS: usize = 2_000;
/// Documents that are compared one by one without a thought.
const FEW: usize = 2_000;
/// How much longer it takes to come to a document through the index than to compare it in its turn. A guess that the figures of
/// docs/scale.md do not contradict; it was not tuned.
const INDEX_COSTS: usize = 4;
/// pgvector's largest list of candidates.
const LONGEST_LIST: usize = 1_000;
/// Shortest one: below it recall suffers more than time is gained.
const SHORTEST_LIST: usize = 100;

type Key = Vec<u8>;

impl Postgres {
    pub(super) async fn probe_once(&self, collection: Collection, probe: &Probe) -> Result<Candidates, Fault> {
        let mut client = self.client().await?;
        let transaction = reading(&mut client).await?;
        let Some(state) = state(&transaction, collection).await? else { return Ok(Candidates::default()) };
        let asked = Asked { transaction: &transaction, table: schema::table(collection), state, probe };
        let (frequencies, admitted) =
            tokio::try_join!(frequencies(&transaction, asked.state.collection.id, &probe.terms), asked.admitted())?;
        let mut documents = Vec::new();
        let mut keys: HashSet<Key> = HashSet::new();
        let vector = asked.vector();
        match &vector {
            None if probe.nearest > 0 => documents = asked.any(admitted).await?,
            Some(vector) if probe.nearest > 0 => {
                keys.extend(asked.nearest(vector, admitted, self.inner.server.iterates()).await?);
            }
            _ => {}
        }
        keys.extend(asked.containing(&frequencies).await?);
        for (key, _) in &documents {
            keys.remove(key);
        }
        documents.extend(asked.documents(keys, vector.as_ref()).await?);
        let documents = documents.into_iter().map(|(_, candidate)| candidate).collect();
        Ok(Candidates { documents, frequencies, total: asked.state.documents, admitted })
    }
}

/// A probe with what it is answered from.
struct Asked<'a> {
    transaction: &'a Transaction<'a>,
    table: String,
    state: State,
    probe: &'a Probe,
}

impl Asked<'_> {
    /// What documents are compared with, if anything.
    fn vector(&self) -> Option<HalfVector> {
        let vector = &self.probe.vector;
        let fits = vector.len() == self.state.collection.embedder.dimensions;
        let says = vector.iter().any(|x| *x != 0.0) && vector.iter().all(|x| x.is_finite());
        (fits && says).then(|| HalfVector::from_f32_slice(vector))
    }

    async fn rows(&self, statement: &Statement) -> Result<Vec<Row>, Fault> {
        let prepared = self.transaction.prepare_cached(&statement.sql).await?;
        Ok(self.transaction.query(&prepared, &statement.values()).await?)
    }

    /// How many documents pass the filter. The tallies say it where the filter is of one kind; else they are counted.
    async fn admitted(&self) -> Result<usize, Fault> {
        let filter = &self.probe.filter;
        if filter.is_empty() {
            return Ok(self.state.documents);
        }
        let mut statement = Statement::default();
        let collection = statement.bind(self.state.collection.id);
        let by_type = !filter.namespaces.is_empty() || !filter.types.is_empty();
        match &filter.selector.0[..] {
            [] => {
                let facets = statement.facets(filter);
                statement.push(&format!(
                    "SELECT coalesce(sum(documents), 0)::bigint FROM facets WHERE collection = {collection} AND {facets}"
                ));
            }
            [requirement @ (Requirement::In(..) | Requirement::Exists(_))] if !by_type => {
                let facets = statement.facets(&Filter { clusters: filter.clusters.clone(), ..Filter::default() });
                let (key, values) = match requirement {
                    Requirement::In(key, values) => (key, Some(values.clone())),
                    Requirement::Exists(key) => (key, None),
                    _ => return Ok(0),
                };
                let key = statement.bind(key.clone());
                let of_values = match values {
                    Some(values) => {
                        let values = statement.bind(values);
                        format!("AND md5(value) = ANY(ARRAY(SELECT md5(v) FROM unnest({values}::text[]) AS v))")
                    }
                    None => String::new(),
                };
                statement.push(&format!(
                    "SELECT coalesce(sum(documents), 0)::bigint FROM labels
                     WHERE collection = {collection} AND md5(key) = md5({key}::text) {of_values} AND {facets}"
                ));
            }
            _ => {
                let conditions = statement.filter(filter);
                statement.push(&format!(
                    "SELECT count(*) FROM {} WHERE {collection}::int IS NOT NULL AND {conditions}",
                    self.table
                ));
            }
        }
        let rows = self.rows(&statement).await?;
        Ok(rows.first().map_or(0, |row| count(row.get(0))))
    }

    /// Documents that pass the filter, where meaning plays no part.
    async fn any(&self, admitted: usize) -> Result<Vec<(Key, Candidate)>, Fault> {
        let mut statement = Statement::default();
        let conditions = statement.filter(&self.probe.filter);
        statement.push(&format!(
            "SELECT key, stored_id, text, record, type, 0::float8 FROM {} WHERE {conditions}",
            self.table
        ));
        if self.probe.nearest < admitted {
            // In some order, so that an answer is the same twice.
            statement.push(&format!(" ORDER BY cluster, key LIMIT {}", self.probe.nearest));
        }
        self.rows(&statement).await?.iter().map(candidate).collect()
    }

    /// Keys of the documents nearest to the vector.
    async fn nearest(&self, vector: &HalfVector, admitted: usize, iterates: bool) -> Result<Vec<Key>, Fault> {
        let (wanted, total) = (self.probe.nearest.min(admitted), self.state.documents);
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let filtered = admitted < total;
        // One by one, all that is admitted is read; through the index, as many as it takes until enough of them pass.
        let through_index = wanted.saturating_mul(total) / admitted * INDEX_COSTS;
        let exact = admitted <= FEW || admitted <= through_index || (filtered && !iterates);
        let mut statement = Statement::default();
        let vector = statement.bind(vector.clone());
        let conditions = statement.filter(&self.probe.filter);
        let distance = match exact {
            // Not a number for vectors of zeros; and no expression that an index would serve.
            true => format!("coalesce(nullif(vector <=> {vector}, 'NaN'), 1)"),
            false => format!("vector <=> {vector}"),
        };
        statement
            .push(&format!("SELECT key FROM {} WHERE {conditions} ORDER BY {distance} LIMIT {wanted}", self.table));
        if !exact {
            let list = wanted.clamp(SHORTEST_LIST, LONGEST_LIST);
            let mut settings = format!("SET LOCAL hnsw.ef_search = {list}");
            if iterates {
                // Twice what is expected, and never less than pgvector's own limit.
                let most = (through_index / INDEX_COSTS).saturating_mul(2).clamp(20_000, 1_000_000);
                settings.push_str(&format!(
                    "; SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.max_scan_tuples = {most}"
                ));
            }
            self.transaction.batch_execute(&settings).await?;
        }
        Ok(self.rows(&statement).await?.iter().map(|row| row.get(0)).collect())
    }

    /// Keys of the documents that hold the probe's terms, those with the rarest terms first.
    async fn containing(&self, frequencies: &[usize]) -> Result<Vec<Key>, Fault> {
        let wanted = self.probe.containing;
        let mut rarest: Vec<(usize, &String)> =
            frequencies.iter().copied().zip(&self.probe.terms).filter(|(n, _)| *n > 0).collect();
        rarest.sort();
        rarest.dedup();
        let mut weights: BTreeMap<Key, f64> = BTreeMap::new();
        let mut left = MOST_POSTINGS.max(wanted);
        while !rarest.is_empty() && wanted > 0 {
            // As many as there is room for go in one statement; one at least, where nothing was found yet.
            let mut together: Vec<(usize, f64, String)> = Vec::new();
            while let Some((frequency, term)) = rarest.first() {
                if *frequency > left && !(together.is_empty() && weights.is_empty()) {
                    break;
                }
                let weight = (self.state.documents as f64 / *frequency as f64).ln_1p();
                together.push((left, weight, lexeme(term)));
                left = left.saturating_sub(*frequency);
                rarest.remove(0);
            }
            if together.is_empty() {
                break;
            }
            let mut statement = Statement::default();
            let conditions = statement.filter(&self.probe.filter);
            let each: Vec<String> = together
                .iter()
                .enumerate()
                .map(|(n, (most, _, lexeme))| {
                    let lexeme = statement.bind(lexeme.clone());
                    format!(
                        "(SELECT {n} AS n, key FROM {} WHERE words @@ ({lexeme}::text)::tsquery AND {conditions} LIMIT {})",
                        self.table,
                        (*most).max(1)
                    )
                })
                .collect();
            statement.push(&each.join(" UNION ALL "));
            for row in self.rows(&statement).await? {
                let (n, key): (i32, Key) = (row.get(0), row.get(1));
                let weight =
                    usize::try_from(n).ok().and_then(|n| together.get(n)).map_or(0.0, |(_, weight, _)| *weight);
                *weights.entry(key).or_default() += weight;
            }
        }
        let mut keys: Vec<(Key, f64)> = weights.into_iter().collect();
        keys.sort_by(|a, b| b.1.total_cmp(&a.1));
        keys.truncate(wanted);
        Ok(keys.into_iter().map(|(key, _)| key).collect())
    }

    async fn documents(&self, keys: HashSet<Key>, vector: Option<&HalfVector>) -> Result<Vec<(Key, Candidate)>, Fault> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = Statement::default();
        let keys = statement.bind(keys.into_iter().collect::<Vec<Key>>());
        let similarity = match vector {
            Some(vector) => format!("1 - coalesce(nullif(vector <=> {}, 'NaN'), 1)", statement.bind(vector.clone())),
            None => "0::float8".to_owned(),
        };
        statement.push(&format!(
            "SELECT key, stored_id, text, record, type, {similarity} FROM {} WHERE key = ANY({keys})",
            self.table
        ));
        self.rows(&statement).await?.iter().map(candidate).collect()
    }
}

fn candidate(row: &Row) -> Result<(Key, Candidate), Fault> {
    let similarity: f64 = row.try_get(5)?;
    let candidate = Candidate {
        id: row.try_get(1)?,
        text: super::restored(row.try_get(2)?),
        record: row.try_get(3)?,
        type_name: row.try_get(4)?,
        similarity: similarity as f32,
    };
    Ok((row.try_get(0)?, candidate))
}

/// A term as the text of a query for exactly it.
fn lexeme(text: &str) -> String {
    format!("'{}'", super::clean(term(text)).replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_asks_for_itself_only() {
        assert_eq!(lexeme("o'neil\\|x"), "'o''neil\\\\|x'");
        assert_eq!(lexeme(&"é".repeat(2_000)).len(), 1_002);
    }
}
