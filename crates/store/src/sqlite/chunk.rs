//! Some rows of a collection in memory, in columns. A chunk never changes: where one of its rows was written, it is read anew, and the
//! others are taken over.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use clusterlore_core::{ObjectKey, TOLD_APART};
use rusqlite::{Connection, params};

use super::quantized::{self, Query};
use crate::filter::{BETWEEN, FilterView};

/// A chunk holds the rows whose ids have this many bits above the last so many in common. Files are written by it: another number needs
/// a migration that fills the table of chunks anew.
pub(super) const BITS: u32 = 9;

/// The most rows of a chunk.
pub(super) const ROWS: usize = 1 << BITS;

/// Number of the chunk of an entry.
pub(super) fn number(id: i64) -> i64 {
    id >> BITS
}

/// Ids of the entries of a chunk: from the first up to, without, the second.
pub(super) fn bounds(number: i64) -> (i64, i64) {
    (number << BITS, (number + 1) << BITS)
}

/// Rows in the order of their ids.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) number: i64,
    /// Of the collection, when a row of this chunk was last written.
    pub(super) revision: i64,
    dimensions: usize,
    ids: Vec<i64>,
    scales: Vec<f32>,
    values: Vec<i8>,
    /// Which of the places a row is in.
    places: Vec<u16>,
    all_places: Vec<Place>,
    labels: String,
    label_ends: Vec<u32>,
    /// By row; few have any.
    annotations: HashMap<usize, Box<str>>,
    pairs: OnceLock<Vec<Pair>>,
}

/// What decides whether a scope admits a row: many rows have the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) cluster: Box<str>,
    pub(super) type_name: Box<str>,
    pub(super) namespace: Box<str>,
    /// Of objects that are told apart.
    pub(super) object: Option<ObjectKey>,
}

/// A label that rows of a place have: where its key begins in the labels, where that ends, and where its value ends.
#[derive(Debug, Clone, Copy)]
struct Pair {
    start: u32,
    equals: u32,
    end: u32,
    place: u16,
}

impl Chunk {
    pub(super) fn read(
        connection: &Connection,
        collection: i64,
        dimensions: usize,
        number: i64,
        revision: i64,
    ) -> rusqlite::Result<Self> {
        let mut chunk = Self {
            number,
            revision,
            dimensions,
            ids: Vec::with_capacity(ROWS),
            scales: Vec::with_capacity(ROWS),
            values: Vec::with_capacity(ROWS * dimensions),
            places: Vec::with_capacity(ROWS),
            all_places: Vec::new(),
            labels: String::new(),
            label_ends: Vec::with_capacity(ROWS),
            annotations: HashMap::new(),
            pairs: OnceLock::new(),
        };
        let mut select = connection.prepare_cached(
            "SELECT id, cluster, type, namespace, vector, labels, annotations, key FROM entries
             WHERE id >= ?1 AND id < ?2 AND +collection = ?3 ORDER BY id",
        )?;
        let (from, to) = bounds(number);
        let mut rows = select.query(params![from, to, collection])?;
        let mut known: HashMap<Place, u16> = HashMap::new();
        while let Some(row) = rows.next()? {
            let text = |column: usize| -> rusqlite::Result<&str> { Ok(row.get_ref(column)?.as_str()?) };
            chunk.ids.push(row.get(0)?);
            let type_name = text(2)?;
            let object = if type_name == TOLD_APART { row.get(7).map(ObjectKey).map(Some)? } else { None };
            let (cluster, namespace) = (text(1)?.into(), text(3)?.into());
            let place = Place { cluster, type_name: type_name.into(), namespace, object };
            let next = known.len() as u16;
            chunk.places.push(*known.entry(place).or_insert(next));
            match quantized::parts(row.get_ref(4)?.as_blob()?, dimensions) {
                Some((scale, values)) => {
                    chunk.scales.push(scale);
                    chunk.values.extend(values.iter().map(|v| i8::from_le_bytes([*v])));
                }
                // A vector of another length can only be a damaged one; the document is still found by its words.
                None => {
                    chunk.scales.push(0.0);
                    chunk.values.resize(chunk.values.len() + dimensions, 0);
                }
            }
            chunk.labels.push_str(text(5)?);
            chunk.label_ends.push(chunk.labels.len() as u32);
            let annotations = text(6)?;
            if !annotations.is_empty() {
                chunk.annotations.insert(chunk.ids.len() - 1, annotations.into());
            }
        }
        let mut places: Vec<(Place, u16)> = known.into_iter().collect();
        places.sort_unstable_by_key(|(_, number)| *number);
        chunk.all_places = places.into_iter().map(|(place, _)| place).collect();
        chunk.ids.shrink_to_fit();
        chunk.scales.shrink_to_fit();
        chunk.values.shrink_to_fit();
        chunk.places.shrink_to_fit();
        chunk.labels.shrink_to_fit();
        chunk.label_ends.shrink_to_fit();
        Ok(chunk)
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn id(&self, row: usize) -> i64 {
        self.ids[row]
    }

    pub(super) fn row_of(&self, id: i64) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// The places in which there are rows.
    pub(super) fn places(&self) -> &[Place] {
        &self.all_places
    }

    /// Which of [`Self::places`] a row is in.
    pub(super) fn place_of(&self, row: usize) -> usize {
        usize::from(self.places[row])
    }

    pub(super) fn view(&self, row: usize) -> FilterView<'_> {
        let Place { cluster, type_name, namespace, .. } = &self.all_places[self.place_of(row)];
        let annotations = self.annotations.get(&row).map_or("", |joined| joined);
        FilterView { cluster, type_name, namespace, labels: &self.labels[self.labels_of(row)], annotations }
    }

    /// Cosine of a row with the query.
    #[inline(always)]
    pub(super) fn similarity(&self, query: &Query, row: usize) -> f32 {
        if query.values.len() != self.dimensions {
            return 0.0;
        }
        let values = &self.values[row * self.dimensions..(row + 1) * self.dimensions];
        quantized::dot(values, &query.values) as f32 * self.scales[row] * query.scale
    }

    /// The labels that rows have, as key, value and place, each once, by key. Worked out when it is first asked for.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        let pairs = self.pairs.get_or_init(|| {
            let mut seen = HashSet::with_hasher(foldhash::fast::RandomState::default());
            let is_new = |pair: &Pair| seen.insert((&self.labels[pair.start as usize..pair.end as usize], pair.place));
            // Before they are sorted: most rows have what others have.
            let mut pairs: Vec<Pair> = (0..self.len()).flat_map(|row| self.pairs_of(row)).filter(is_new).collect();
            pairs.sort_unstable_by_key(|pair| self.told(*pair).0);
            pairs.shrink_to_fit();
            pairs
        });
        pairs.iter().map(|pair| self.told(*pair))
    }

    fn labels_of(&self, row: usize) -> std::ops::Range<usize> {
        let start = if row == 0 { 0 } else { self.label_ends[row - 1] };
        start as usize..self.label_ends[row] as usize
    }

    fn pairs_of(&self, row: usize) -> impl Iterator<Item = Pair> {
        let mut start = self.labels_of(row).start as u32;
        let place = self.places[row];
        self.labels[self.labels_of(row)].split(BETWEEN).filter_map(move |pair| {
            let from = start;
            let end = from + pair.len() as u32;
            start = end + BETWEEN.len_utf8() as u32;
            Some(Pair { start: from, equals: from + pair.find('=')? as u32, end, place })
        })
    }

    fn told(&self, Pair { start, equals, end, place }: Pair) -> (&str, &str, usize) {
        let key = &self.labels[start as usize..equals as usize];
        (key, &self.labels[equals as usize + 1..end as usize], usize::from(place))
    }
}
