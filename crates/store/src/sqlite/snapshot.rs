//! A collection's vectors and facets in memory, in columns. Read whole in one pass: 20,000 documents take some 10 ms.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rusqlite::Connection;

use super::quantized::{self, Quantized};
use crate::{Filter, FilterView, Vocabulary};

/// Terms whose frequencies are kept; with one more all are asked for again.
const KEPT_FREQUENCIES: usize = 16_384;

/// Rows in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    dimensions: usize,
    ids: Vec<i64>,
    scales: Vec<f32>,
    values: Vec<i8>,
    facets: Vec<[u32; 3]>,
    names: Vec<Arc<str>>,
    labels: String,
    label_ends: Vec<usize>,
    vocabulary: OnceLock<Arc<Vocabulary>>,
    /// Documents that hold a term, of the terms that were asked for.
    frequencies: Mutex<HashMap<String, usize>>,
    terms: OnceLock<Arc<Vec<(String, usize)>>>,
}

impl Snapshot {
    pub(super) fn read(connection: &Connection, collection: i64, dimensions: usize) -> rusqlite::Result<Self> {
        let mut snapshot = Self { dimensions, ..Self::default() };
        let mut numbers: HashMap<Arc<str>, u32> = HashMap::new();
        let mut select = connection.prepare_cached(
            "SELECT id, cluster, type, namespace, vector, labels FROM entries WHERE +collection = ?1 ORDER BY id",
        )?;
        let mut rows = select.query([collection])?;
        while let Some(row) = rows.next()? {
            let mut number = |name: &str| -> u32 {
                if let Some(number) = numbers.get(name) {
                    return *number;
                }
                let number = u32::try_from(snapshot.names.len()).unwrap_or(u32::MAX);
                let name: Arc<str> = name.into();
                snapshot.names.push(Arc::clone(&name));
                numbers.insert(name, number);
                number
            };
            let facets = [
                number(row.get_ref(1)?.as_str()?),
                number(row.get_ref(2)?.as_str()?),
                number(row.get_ref(3)?.as_str()?),
            ];
            snapshot.ids.push(row.get(0)?);
            snapshot.facets.push(facets);
            match quantized::parts(row.get_ref(4)?.as_blob()?, dimensions) {
                Some((scale, values)) => {
                    snapshot.scales.push(scale);
                    snapshot.values.extend(values.iter().map(|v| i8::from_le_bytes([*v])));
                }
                // A vector of another length can only be a damaged one; the document is still found by its words.
                None => {
                    snapshot.scales.push(0.0);
                    snapshot.values.resize(snapshot.values.len() + dimensions, 0);
                }
            }
            snapshot.labels.push_str(row.get_ref(5)?.as_str()?);
            snapshot.label_ends.push(snapshot.labels.len());
        }
        Ok(snapshot)
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// How many documents hold the term; `count` is asked once.
    pub(super) fn frequency(
        &self,
        term: &str,
        count: impl FnOnce() -> rusqlite::Result<usize>,
    ) -> rusqlite::Result<usize> {
        let mut known = self.frequencies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(term) {
            return Ok(*known);
        }
        let counted = count()?;
        if known.len() >= KEPT_FREQUENCIES {
            known.clear();
        }
        known.insert(term.to_owned(), counted);
        Ok(counted)
    }

    pub(super) fn id(&self, row: usize) -> i64 {
        self.ids[row]
    }

    pub(super) fn row_of(&self, id: i64) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// The rows that pass, `None` meaning all of them.
    pub(super) fn admitted(&self, filter: &Filter) -> Option<Vec<u32>> {
        if filter.is_empty() {
            return None;
        }
        let rows = (0..self.ids.len()).filter(|row| filter.admits(self.view(*row)));
        Some(rows.map(|row| row as u32).collect())
    }

    pub(super) fn admits(&self, filter: &Filter, row: usize) -> bool {
        filter.is_empty() || filter.admits(self.view(row))
    }

    /// Cosine of a row with the query.
    pub(super) fn similarity(&self, query: &Quantized, row: usize) -> f32 {
        if query.values.len() != self.dimensions {
            return 0.0;
        }
        let values = &self.values[row * self.dimensions..(row + 1) * self.dimensions];
        quantized::dot(values, &query.values) as f32 * self.scales[row] * query.scale
    }

    /// The `count` rows most similar to the query, best first.
    pub(super) fn nearest(&self, query: &Quantized, rows: Option<&[u32]>, count: usize) -> Vec<(usize, f32)> {
        let scored = |row: usize| (row, self.similarity(query, row));
        let mut all: Vec<(usize, f32)> = match rows {
            Some(rows) => rows.iter().map(|row| scored(*row as usize)).collect(),
            None => (0..self.ids.len()).map(scored).collect(),
        };
        let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if all.len() > count {
            all.select_nth_unstable_by(count, order);
            all.truncate(count);
        }
        all.sort_unstable_by(order);
        all
    }

    /// All terms, read when they are first asked for.
    pub(super) fn terms(
        &self,
        read: impl FnOnce() -> rusqlite::Result<Vec<(String, usize)>>,
    ) -> rusqlite::Result<Arc<Vec<(String, usize)>>> {
        if let Some(terms) = self.terms.get() {
            return Ok(Arc::clone(terms));
        }
        let mut terms = read()?;
        terms.sort();
        Ok(Arc::clone(self.terms.get_or_init(|| Arc::new(terms))))
    }

    /// Made when it is first asked for.
    pub(super) fn vocabulary(&self) -> Arc<Vocabulary> {
        Arc::clone(self.vocabulary.get_or_init(|| {
            let mut vocabulary = Vocabulary::default();
            let mut values: HashMap<&str, HashSet<&str>> = HashMap::new();
            let mut seen: HashSet<[u32; 3]> = HashSet::new();
            for row in 0..self.len() {
                let view = self.view(row);
                if seen.insert(self.facets[row]) {
                    vocabulary.types.insert(view.type_name.to_owned());
                    vocabulary.namespaces.insert(view.namespace.to_owned());
                }
                for (key, value) in view.labels.split('\x1f').filter_map(|pair| pair.split_once('=')) {
                    let values = values.entry(key).or_default();
                    if values.len() <= Vocabulary::MOST_VALUES {
                        values.insert(value);
                    }
                }
            }
            for (key, values) in values.into_iter().filter(|(_, values)| values.len() <= Vocabulary::MOST_VALUES) {
                vocabulary.labels.insert(key.to_owned(), values.into_iter().map(str::to_owned).collect());
            }
            Arc::new(vocabulary)
        }))
    }

    fn view(&self, row: usize) -> FilterView<'_> {
        let [cluster, type_name, namespace] = self.facets[row].map(|n| &*self.names[n as usize]);
        let start = if row == 0 { 0 } else { self.label_ends[row - 1] };
        FilterView { cluster, type_name, namespace, labels: &self.labels[start..self.label_ends[row]] }
    }
}
