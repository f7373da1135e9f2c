//! The documents that may answer, from one snapshot.

use std::collections::{BTreeMap, HashSet};

use clusterlore_core::Requirement;
use pgvector::HalfVector;
use tokio_postgres::Row;

use super::conditions::Statement;
use super::fault::Fault;
use super::reader::{Seen, count};
use super::words::lexeme;
use crate::filter::Filter;
use crate::reader::{Candidate, Candidates, Probe, Shown};

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

impl Seen<'_> {
    pub(super) async fn probe(&self, probe: &Probe) -> Result<Candidates, Fault> {
        let asked = Asked { seen: self, probe };
        let (total, frequencies, narrowed) =
            tokio::try_join!(self.documents(), self.frequencies(&probe.terms), asked.narrowed())?;
        let admitted = narrowed.unwrap_or(total);
        let mut documents = Vec::new();
        let mut keys: HashSet<Key> = HashSet::new();
        let vector = asked.vector();
        match &vector {
            None if probe.nearest > 0 => documents = asked.any(admitted).await?,
            Some(vector) if probe.nearest > 0 => keys.extend(asked.nearest(vector, admitted).await?),
            _ => {}
        }
        keys.extend(asked.containing(&frequencies, total).await?);
        for (key, _) in &documents {
            keys.remove(key);
        }
        documents.extend(asked.documents(keys, vector.as_ref()).await?);
        let documents = documents.into_iter().map(|(_, candidate)| candidate).collect();
        Ok(Candidates { documents, frequencies, total, admitted })
    }
}

/// A probe with what it is answered from.
struct Asked<'a> {
    seen: &'a Seen<'a>,
    probe: &'a Probe,
}

impl Asked<'_> {
    /// What documents are compared with, if anything.
    fn vector(&self) -> Option<HalfVector> {
        let vector = &self.probe.vector;
        let fits = vector.len() == self.seen.state.collection.embedder.dimensions;
        let says = vector.iter().any(|x| *x != 0.0) && vector.iter().all(|x| x.is_finite());
        (fits && says).then(|| HalfVector::from_f32_slice(vector))
    }

    /// What may be found: what the scope admits and the filter lets pass.
    fn conditions(&self, statement: &mut Statement) -> String {
        let (filter, within) = (statement.filter(&self.probe.filter), statement.within(&self.seen.within));
        format!("{filter} AND {within}")
    }

    /// How many documents pass the filter, where there is one. The tallies say it where it is of one kind; else they are counted.
    async fn narrowed(&self) -> Result<Option<usize>, Fault> {
        let filter = &self.probe.filter;
        if filter.is_empty() {
            return Ok(None);
        }
        let seen = self.seen;
        let mut statement = Statement::default();
        let by_type = !filter.namespaces.is_empty() || !filter.types.is_empty();
        let of_documents = !filter.annotations.is_empty() || !filter.keys.is_empty();
        match &filter.selector.0[..] {
            [] if !of_documents => return Ok(Some(seen.in_facets(filter).await?)),
            [requirement @ (Requirement::In(..) | Requirement::Exists(_))]
                if !by_type && !of_documents && seen.within.is_tallied() =>
            {
                let collection = statement.bind(seen.state.collection.id);
                let facets = statement.facets(&Filter { clusters: filter.clusters.clone(), ..Filter::default() });
                let within = statement.within(&seen.within);
                let (key, values) = match requirement {
                    Requirement::In(key, values) => (key, Some(values.clone())),
                    Requirement::Exists(key) => (key, None),
                    _ => return Ok(Some(0)),
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
                     WHERE collection = {collection} AND md5(key) = md5({key}::text) {of_values} AND {facets} AND {within}"
                ));
            }
            _ => {
                let conditions = self.conditions(&mut statement);
                statement.push(&format!("SELECT count(*) FROM {} WHERE {conditions}", seen.table));
            }
        }
        Ok(seen.rows(&statement).await?.first().map(|row| count(row.get(0))))
    }

    /// Documents that pass the filter, where meaning plays no part.
    async fn any(&self, admitted: usize) -> Result<Vec<(Key, Candidate)>, Fault> {
        let mut statement = Statement::default();
        let conditions = self.conditions(&mut statement);
        statement.push(&format!(
            "SELECT key, stored_id, record, type, 0::float8 FROM {} WHERE {conditions}",
            self.seen.table
        ));
        if self.probe.nearest < admitted {
            // In some order, so that an answer is the same twice.
            statement.push(&format!(" ORDER BY cluster, key LIMIT {}", self.probe.nearest));
        }
        self.seen.rows(&statement).await?.iter().map(candidate).collect()
    }

    /// Keys of the documents nearest to the vector.
    async fn nearest(&self, vector: &HalfVector, admitted: usize) -> Result<Vec<Key>, Fault> {
        // The index is over all documents, whatever the scope.
        let (wanted, all) = (self.probe.nearest.min(admitted), self.seen.state.documents);
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let (narrowed, iterates) = (admitted < all, self.seen.iterates());
        // One by one, all that is admitted is read; through the index, as many as it takes until enough of them pass.
        let through_index = wanted.saturating_mul(all) / admitted * INDEX_COSTS;
        if admitted > FEW && admitted > through_index && (iterates || !narrowed) {
            let list = wanted.clamp(SHORTEST_LIST, LONGEST_LIST);
            let mut settings = format!("SET LOCAL hnsw.ef_search = {list}");
            if iterates {
                // Twice what is expected, and never less than pgvector's own limit.
                let most = (through_index / INDEX_COSTS).saturating_mul(2).clamp(20_000, 1_000_000);
                settings.push_str(&format!(
                    "; SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.max_scan_tuples = {most}"
                ));
            }
            self.seen.set(&settings).await?;
            let found = self.by_distance(vector, |vector| format!("vector <=> {vector}"), wanted).await?;
            // Too few where what is admitted lies far off: it is not as near to the question as the rest, and the index gave up.
            if found.len() == wanted {
                return Ok(found);
            }
        }
        // Not a number for vectors of zeros; and no expression that an index would serve.
        let distance = |vector: &str| format!("coalesce(nullif(vector <=> {vector}, 'NaN'), 1), cluster, key");
        self.by_distance(vector, distance, wanted).await
    }

    async fn by_distance(
        &self,
        vector: &HalfVector,
        order: impl Fn(&str) -> String,
        wanted: usize,
    ) -> Result<Vec<Key>, Fault> {
        let mut statement = Statement::default();
        let vector = statement.bind(vector.clone());
        let (conditions, order) = (self.conditions(&mut statement), order(&vector));
        statement
            .push(&format!("SELECT key FROM {} WHERE {conditions} ORDER BY {order} LIMIT {wanted}", self.seen.table));
        Ok(self.seen.rows(&statement).await?.iter().map(|row| row.get(0)).collect())
    }

    /// Keys of the documents that hold the probe's terms, those with the rarest terms first.
    async fn containing(&self, frequencies: &[usize], total: usize) -> Result<Vec<Key>, Fault> {
        let wanted = self.probe.containing;
        let mut rarest: Vec<(usize, &String)> =
            frequencies.iter().copied().zip(&self.probe.terms).filter(|(n, _)| *n > 0).collect();
        rarest.sort();
        rarest.dedup();
        let mut weights: BTreeMap<Key, f64> = BTreeMap::new();
        let mut left = MOST_POSTINGS.max(wanted);
        while !rarest.is_empty() && wanted > 0 {
            // As many as there is room for go in one statement; one at least, where nothing was found yet.
            let mut together: Vec<(Option<usize>, f64, String)> = Vec::new();
            while let Some((frequency, term)) = rarest.first() {
                if *frequency > left && !(together.is_empty() && weights.is_empty()) {
                    break;
                }
                let weight = (total as f64 / *frequency as f64).ln_1p();
                let cut = (*frequency > left).then_some(left.max(1));
                together.push((cut, weight, lexeme(term)));
                left = left.saturating_sub(*frequency);
                rarest.remove(0);
            }
            if together.is_empty() {
                break;
            }
            let mut statement = Statement::default();
            let conditions = self.conditions(&mut statement);
            let each: Vec<String> = together
                .iter()
                .enumerate()
                .map(|(n, (cut, _, lexeme))| {
                    let lexeme = statement.bind(lexeme.clone());
                    // In an order that what is outside the scope does not change.
                    let cut = cut.map(|most| format!(" ORDER BY cluster, key LIMIT {most}")).unwrap_or_default();
                    format!(
                        "(SELECT {n} AS n, key FROM {} WHERE words @@ ({lexeme}::text)::tsquery AND {conditions}{cut})",
                        self.seen.table
                    )
                })
                .collect();
            statement.push(&each.join(" UNION ALL "));
            let rows = self.seen.rows(&statement).await?;
            let mut held: Vec<(i32, Key)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            // Weights are added up in one order, or sums that are the same would differ.
            held.sort();
            for (n, key) in held {
                let of = usize::try_from(n).ok().and_then(|n| together.get(n));
                *weights.entry(key).or_default() += of.map_or(0.0, |(_, weight, _)| *weight);
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
            "SELECT key, stored_id, record, type, {similarity} FROM {} WHERE key = ANY({keys})",
            self.seen.table
        ));
        self.seen.rows(&statement).await?.iter().map(candidate).collect()
    }
}

fn candidate(row: &Row) -> Result<(Key, Candidate), Fault> {
    let similarity: f64 = row.try_get(4)?;
    let shown = Shown { id: row.try_get(1)?, record: row.try_get(2)?, type_name: row.try_get(3)? };
    Ok((row.try_get(0)?, Candidate::new(shown, similarity as f32)))
}
