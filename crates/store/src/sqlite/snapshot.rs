//! A collection's vectors and facets in memory, in chunks of rows. Read whole in one pass: 20,000 documents take some 10 ms. What did not
//! change since an earlier revision is taken over from it.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use clusterlore_core::{Collection, Scope};
use pulp::{Arch, NullaryFnOnce};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rusqlite::{Connection, OptionalExtension, params};

use super::chunk::{self, Chunk, Place};
use super::quantized::Query;
use crate::filter::{Filter, FilterView};
use crate::reader::{Shown, Terms, Vocabulary};

/// Terms whose frequencies are kept; with one more all are asked for again.
const KEPT_FREQUENCIES: usize = 16_384;

/// Scopes of which is kept what they admit; with one more the one that was asked for longest ago is worked out again.
const KEPT_SCOPES: usize = 32;

/// Rows from which a scan is shared among threads: it takes milliseconds then, and starting a thread some ten microseconds.
const WORTH_THREADS: usize = 100_000;

/// About how many documents are kept.
const KEPT_DOCUMENTS: usize = 16_384;
/// The most bytes that they take.
const KEPT_BYTES: u64 = 24 << 20;

/// One revision of a collection. A row is the place of its chunk among the chunks, and below [`chunk::BITS`] its place in that: rows
/// are in the order of their ids, and not every number is one.
#[derive(Debug)]
pub(super) struct Snapshot {
    chunks: Vec<Arc<Chunk>>,
    documents: usize,
    /// What each scope admits, the one that was asked for last at the end.
    scoped: Mutex<Vec<(Collection, Scope, Arc<Scoped>)>>,
    shown: Arc<Documents>,
}

/// Documents that were candidates, by the revision of their chunk and their id. They outlive the revision of their collection.
#[derive(Debug)]
pub(super) struct Documents(Cache<(i64, i64), Arc<Shown>, Weighs>);

impl Default for Documents {
    fn default() -> Self {
        Self(Cache::with_weighter(KEPT_DOCUMENTS, KEPT_BYTES, Weighs))
    }
}

#[derive(Debug, Clone)]
struct Weighs;

impl Weighter<(i64, i64), Arc<Shown>> for Weighs {
    fn weight(&self, _: &(i64, i64), shown: &Arc<Shown>) -> u64 {
        let Shown { id, record, type_name } = &**shown;
        (size_of::<Shown>() + id.len() + record.len() + type_name.len()) as u64
    }
}

impl Snapshot {
    /// The collection as the connection sees it, with what it has in common with another revision.
    pub(super) fn read(
        connection: &Connection,
        collection: i64,
        dimensions: usize,
        before: Option<&Self>,
        shown: &Arc<Documents>,
    ) -> rusqlite::Result<Self> {
        let before = before.map_or(&[][..], |before| &before.chunks);
        let known = |number: i64, revision: i64| {
            let at = before.binary_search_by_key(&number, |chunk| chunk.number).ok()?;
            (before[at].revision == revision).then(|| Arc::clone(&before[at]))
        };
        let mut select =
            connection.prepare_cached("SELECT number, revision FROM chunks WHERE collection = ?1 ORDER BY number")?;
        let mut rows = select.query([collection])?;
        let (mut chunks, mut documents) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let (number, revision) = (row.get(0)?, row.get(1)?);
            let chunk = match known(number, revision) {
                Some(chunk) => chunk,
                None => Arc::new(Chunk::read(connection, collection, dimensions, number, revision)?),
            };
            documents += chunk.len();
            chunks.push(chunk);
        }
        Ok(Self { chunks, documents, scoped: Mutex::default(), shown: Arc::clone(shown) })
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.documents
    }

    /// How many chunks are not those of another revision.
    #[cfg(test)]
    pub(super) fn read_anew(&self, before: &Self) -> usize {
        let is_new = |chunk: &&Arc<Chunk>| !before.chunks.iter().any(|known| Arc::ptr_eq(known, chunk));
        self.chunks.iter().filter(is_new).count()
    }

    /// The document of a row; `read` is asked once.
    pub(super) fn document(
        &self,
        row: usize,
        read: impl FnOnce() -> rusqlite::Result<Shown>,
    ) -> rusqlite::Result<Arc<Shown>> {
        let (chunk, at) = self.chunk(row);
        self.shown.0.get_or_insert_with(&(chunk.revision, chunk.id(at)), || read().map(Arc::new))
    }

    pub(super) fn id(&self, row: usize) -> i64 {
        let (chunk, at) = self.chunk(row);
        chunk.id(at)
    }

    pub(super) fn row_of(&self, id: i64) -> Option<usize> {
        let at = self.chunks.binary_search_by_key(&chunk::number(id), |chunk| chunk.number).ok()?;
        Some(first_row(at) + self.chunks[at].row_of(id)?)
    }

    /// What a scope admits.
    pub(super) fn scoped(&self, collection: Collection, scope: &Scope) -> Arc<Scoped> {
        let mut kept = self.scoped.lock().unwrap_or_else(PoisonError::into_inner);
        // All that sees everything is one, whatever its reason.
        let same = |(of, known, _): &(Collection, Scope, Arc<Scoped>)| {
            *of == collection && (known == scope || (known.is_all() && scope.is_all()))
        };
        let scoped = match kept.iter().position(same) {
            Some(at) => kept.remove(at).2,
            None => {
                let scoped = Scoped::of(self, collection, scope);
                let all = kept.iter().find(|(of, _, known)| *of == collection && known.is_all() && scoped.is_all());
                all.map_or_else(|| Arc::new(scoped), |(_, _, all)| Arc::clone(all))
            }
        };
        if kept.len() >= KEPT_SCOPES {
            kept.remove(0);
        }
        kept.push((collection, scope.clone(), Arc::clone(&scoped)));
        scoped
    }

    /// The rows that pass, `None` meaning all there are.
    pub(super) fn admitted(&self, scoped: &Scoped, narrowed: &Narrowed<'_>) -> Option<Vec<u32>> {
        if narrowed.filter.is_empty() && scoped.is_all() {
            return None;
        }
        let Narrowed { filter, rows } = narrowed;
        if let Some(rows) = rows {
            let passes = |row: &usize| scoped.holds(*row) && filter.admits(self.view(*row));
            return Some(rows.iter().copied().filter(passes).map(|row| row as u32).collect());
        }
        let by_place = filter.is_by_place();
        let mut admitted = Vec::new();
        for (number, chunk) in self.chunks.iter().enumerate() {
            // Many rows have the same place.
            let may = |(at, Place { cluster, type_name, namespace, .. }): (usize, &Place)| {
                scoped.admits(number, at) && filter.admits_place(cluster, namespace, type_name)
            };
            let places: Vec<bool> = chunk.places().iter().enumerate().map(may).collect();
            if !places.contains(&true) {
                continue;
            }
            let passes = |at: &usize| places[chunk.place_of(*at)] && (by_place || filter.admits(chunk.view(*at)));
            admitted.extend((0..chunk.len()).filter(passes).map(|at| (first_row(number) + at) as u32));
        }
        Some(admitted)
    }

    pub(super) fn admits(&self, narrowed: &Narrowed<'_>, row: usize) -> bool {
        let Narrowed { filter, rows } = narrowed;
        rows.as_ref().is_none_or(|rows| rows.contains(&row)) && (filter.is_empty() || filter.admits(self.view(row)))
    }

    /// Cosine of a row with the query.
    #[inline(always)]
    pub(super) fn similarity(&self, query: &Query, row: usize) -> f32 {
        let (chunk, at) = self.chunk(row);
        chunk.similarity(query, at)
    }

    /// The `count` rows most similar to the query, best first.
    pub(super) fn nearest(&self, query: &Query, rows: Option<&[u32]>, count: usize) -> Vec<(usize, f32)> {
        // Whole chunks where all rows are looked at.
        let all = rows.map_or(self.chunks.len(), <[u32]>::len);
        // With the widest instructions that the processor has.
        let of = |part: Range<usize>| Arch::new().dispatch(Scan { snapshot: self, query, rows, count, part });
        let few = rows.map_or(self.len(), <[u32]>::len) < WORTH_THREADS;
        let threads = if few { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
        let share = all.div_ceil(threads).max(1);
        let parts: Vec<Range<usize>> = (0..all).step_by(share).map(|from| from..all.min(from + share)).collect();
        let mut found: Vec<(usize, f32)> = if parts.len() < 2 {
            parts.into_iter().flat_map(of).collect()
        } else {
            std::thread::scope(|scope| {
                let running: Vec<_> = parts.iter().map(|part| scope.spawn(|| of(part.clone()))).collect();
                // A scan that panicked is one that found nothing; there is nothing in it that can.
                running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
            })
        };
        found.sort_unstable_by(nearer);
        found.truncate(count);
        found
    }

    /// Made when it is first asked for.
    pub(super) fn vocabulary(&self, scoped: &Scoped) -> Arc<Vocabulary> {
        Arc::clone(scoped.vocabulary.get_or_init(|| {
            let mut vocabulary = Vocabulary::default();
            let mut all_values: HashMap<&str, HashSet<&str>> = HashMap::new();
            for (at, chunk) in self.chunks.iter().enumerate() {
                let admits = |place: usize| scoped.admits(at, place);
                for (_, place) in chunk.places().iter().enumerate().filter(|(number, _)| admits(*number)) {
                    vocabulary.types.insert(place.type_name.to_string());
                    vocabulary.namespaces.insert(place.namespace.to_string());
                }
                // They come by key.
                let mut last: Option<(&str, &mut HashSet<&str>)> = None;
                for (key, value, _) in chunk.pairs().filter(|(_, _, place)| admits(*place)) {
                    let values = match last {
                        Some((known, values)) if known == key => values,
                        _ => all_values.entry(key).or_default(),
                    };
                    if values.len() <= Vocabulary::MOST_VALUES {
                        values.insert(value);
                    }
                    last = Some((key, values));
                }
            }
            for (key, values) in all_values.into_iter().filter(|(_, values)| values.len() <= Vocabulary::MOST_VALUES) {
                vocabulary.labels.insert(key.to_owned(), values.into_iter().map(str::to_owned).collect());
            }
            Arc::new(vocabulary)
        }))
    }

    #[inline(always)]
    fn chunk(&self, row: usize) -> (&Chunk, usize) {
        (&self.chunks[row >> chunk::BITS], row % chunk::ROWS)
    }

    fn view(&self, row: usize) -> FilterView<'_> {
        let (chunk, at) = self.chunk(row);
        chunk.view(at)
    }
}

/// The first row of a chunk, by its place among the chunks.
#[inline(always)]
fn first_row(chunk: usize) -> usize {
    chunk << chunk::BITS
}

/// A filter, with the rows of the objects that it names.
pub(super) struct Narrowed<'f> {
    filter: &'f Filter,
    /// `None`: any.
    rows: Option<BTreeSet<usize>>,
}

impl<'f> Narrowed<'f> {
    pub(super) fn of(
        connection: &Connection,
        collection: i64,
        snapshot: &Snapshot,
        filter: &'f Filter,
    ) -> rusqlite::Result<Self> {
        if filter.keys.is_empty() {
            return Ok(Self { filter, rows: None });
        }
        let mut select = connection.prepare_cached("SELECT id FROM entries WHERE collection = ?1 AND key = ?2")?;
        let mut rows = BTreeSet::new();
        for key in &filter.keys {
            let id: Option<i64> = select.query_row(params![collection, key.0], |row| row.get(0)).optional()?;
            rows.extend(id.and_then(|id| snapshot.row_of(id)));
        }
        Ok(Self { filter, rows: Some(rows) })
    }
}

/// What was read last of a collection, and of which revision of which file; made by the first view that needs it.
pub(super) type Latest = Mutex<Option<(u64, i64, Arc<Snapshot>)>>;

/// What a scope admits of a snapshot, and what was worked out of that.
#[derive(Debug, Default)]
pub(super) struct Scoped {
    /// `None`: all.
    admitted: Option<Admitted>,
    documents: usize,
    vocabulary: OnceLock<Arc<Vocabulary>>,
    /// Documents that hold a term, of the terms that were asked for.
    frequencies: Mutex<HashMap<String, usize>>,
    terms: OnceLock<Arc<Terms>>,
}

/// What a scope that hides something admits.
#[derive(Debug)]
struct Admitted {
    /// A bit a row.
    rows: Vec<u64>,
    /// Of each chunk, which of its places.
    places: Vec<Box<[bool]>>,
}

impl Scoped {
    fn of(snapshot: &Snapshot, collection: Collection, scope: &Scope) -> Self {
        if scope.is_all() {
            return Self { documents: snapshot.len(), ..Self::default() };
        }
        // There are few places, and many documents.
        let mut known: HashMap<&Place, bool> = HashMap::new();
        let admits = |place: &Place| {
            let Place { cluster, type_name, namespace, object } = place;
            scope.admits(collection, cluster, type_name, namespace, object.as_ref())
        };
        let (mut rows, mut documents) = (vec![0_u64; first_row(snapshot.chunks.len()).div_ceil(64)], 0);
        let mut places = Vec::with_capacity(snapshot.chunks.len());
        for (number, chunk) in snapshot.chunks.iter().enumerate() {
            let places_of = chunk.places().iter();
            let admitted: Box<[bool]> =
                places_of.map(|place| *known.entry(place).or_insert_with(|| admits(place))).collect();
            for at in (0..chunk.len()).filter(|at| admitted[chunk.place_of(*at)]) {
                let row = first_row(number) + at;
                rows[row / 64] |= 1 << (row % 64);
                documents += 1;
            }
            places.push(admitted);
        }
        // Who may see everything that there is, is spared looking at each row.
        let admitted = (documents < snapshot.len()).then_some(Admitted { rows, places });
        Self { admitted, documents, ..Self::default() }
    }

    pub(super) fn is_all(&self) -> bool {
        self.admitted.is_none()
    }

    /// How many documents there are.
    pub(super) fn len(&self) -> usize {
        self.documents
    }

    pub(super) fn holds(&self, row: usize) -> bool {
        self.admitted.as_ref().is_none_or(|admitted| admitted.rows[row / 64] >> (row % 64) & 1 == 1)
    }

    /// Whether it admits the rows of a chunk that are in a place; both by number.
    fn admits(&self, chunk: usize, place: usize) -> bool {
        self.admitted.as_ref().is_none_or(|admitted| admitted.places[chunk][place])
    }

    /// The vocabulary, if it is made.
    pub(super) fn known_vocabulary(&self) -> Option<Arc<Vocabulary>> {
        self.vocabulary.get().map(Arc::clone)
    }

    /// How many documents hold each term, if all of them were asked for before.
    pub(super) fn known_frequencies(&self, terms: &[String]) -> Option<Vec<usize>> {
        let known = self.frequencies.lock().unwrap_or_else(PoisonError::into_inner);
        terms.iter().map(|term| known.get(term).copied()).collect()
    }

    /// All terms, if they are read.
    pub(super) fn known_terms(&self) -> Option<Arc<Terms>> {
        self.terms.get().map(Arc::clone)
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

    /// All terms, read when they are first asked for.
    pub(super) fn terms(&self, read: impl FnOnce() -> rusqlite::Result<Terms>) -> rusqlite::Result<Arc<Terms>> {
        if let Some(terms) = self.terms.get() {
            return Ok(Arc::clone(terms));
        }
        let mut terms = read()?;
        terms.shrink();
        Ok(Arc::clone(self.terms.get_or_init(|| Arc::new(terms))))
    }
}

/// The order of what is near: by similarity, then by row.
fn nearer(a: &(usize, f32), b: &(usize, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// One scan. Its code is compiled once for each kind of processor, which holds only of what is inlined into [`NullaryFnOnce::call`].
struct Scan<'a> {
    snapshot: &'a Snapshot,
    query: &'a Query,
    /// `None`: all.
    rows: Option<&'a [u32]>,
    count: usize,
    /// Which of the rows; of all rows, which chunks.
    part: Range<usize>,
}

impl NullaryFnOnce for Scan<'_> {
    type Output = Vec<(usize, f32)>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { snapshot, query, rows, count, part } = self;
        let most = if rows.is_some() { part.len() } else { first_row(part.len()) };
        let mut best = Best::of(count.min(most));
        match rows {
            Some(rows) => {
                for row in &rows[part] {
                    let row = *row as usize;
                    best.offer(row, snapshot.similarity(query, row));
                }
            }
            None => {
                for number in part {
                    let (chunk, first) = (&snapshot.chunks[number], first_row(number));
                    for at in 0..chunk.len() {
                        best.offer(first + at, chunk.similarity(query, at));
                    }
                }
            }
        }
        best.into_rows()
    }
}

/// The best so many of what is offered, without keeping all of it.
struct Best {
    count: usize,
    /// Twice as many as are wanted at most, among them the best.
    rows: Vec<(usize, f32)>,
    /// What is below it is none of the best.
    least: f32,
}

impl Best {
    fn of(count: usize) -> Self {
        Self { count, rows: Vec::new(), least: f32::NEG_INFINITY }
    }

    #[inline]
    fn offer(&mut self, row: usize, similarity: f32) {
        if similarity < self.least || self.count == 0 {
            return;
        }
        self.rows.push((row, similarity));
        if self.rows.len() >= self.count.saturating_mul(2) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.rows.len() > self.count {
            self.rows.select_nth_unstable_by(self.count, nearer);
            self.rows.truncate(self.count);
            self.least = self.rows.iter().map(|r| r.1).fold(f32::INFINITY, f32::min);
        }
    }

    fn into_rows(mut self) -> Vec<(usize, f32)> {
        self.cut();
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_best_are_those_that_sorting_would_give(
            similarities in prop::collection::vec(-3_i8..3, 0..200),
            count in 0_usize..50,
        ) {
            let rows: Vec<(usize, f32)> = similarities.iter().map(|s| f32::from(*s)).enumerate().collect();
            let mut best = Best::of(count);
            rows.iter().for_each(|(row, similarity)| best.offer(*row, *similarity));
            let mut found = best.into_rows();
            found.sort_unstable_by(nearer);
            let mut sorted = rows;
            sorted.sort_unstable_by(nearer);
            sorted.truncate(count);
            prop_assert_eq!(found, sorted);
        }
    }
}
