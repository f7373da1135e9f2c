//! How likely it is that one word was typed for another: the noisy channel model (Kernighan, Church and Gale, 1990). A cost is a
//! number of bits: the cost of the word itself, by how common it is, plus the cost of the edits that lead to what was typed. The
//! cheapest word is the one that was meant.

use clusterlore_core::words;

use crate::yardstick::step;

/// Shorter words have too many neighbours.
pub(super) const SHORTEST: usize = 4;

/// Costs in bits.
pub(super) mod cost {
    /// Two letters swapped, one lost, or one typed twice.
    pub(crate) const EDIT: f32 = 8.0;
    /// A wrong letter, or one too many: 3 bits more than [`EDIT`], because it could be any of 25.
    pub(crate) const OTHER_LETTER: f32 = EDIT + 3.0;
    /// People look at a word's first letter, so it is rarely wrong.
    pub(super) const FIRST_LETTER: f32 = 3.0;
    /// The plural was typed, and the singular is known.
    pub(super) const SINGULAR: f32 = 1.0;
    /// A stop word, such as "which".
    pub(crate) const STOP_WORD: f32 = 5.0;
    /// A kind or a namespace of this cluster.
    pub(crate) const NAME_IN_INDEX: f32 = 6.0;
    /// A word that one indexed object has. It costs one bit less for every doubling of their number, three at most.
    const WORD_IN_INDEX: f32 = 8.0;
    /// A word of the catalogue.
    pub(crate) const IN_CATALOGUE: f32 = 9.0;
    /// A correction that costs more is not made.
    pub(crate) const MOST: f32 = 28.0;
    /// The same for short words, which have many neighbours.
    pub(crate) const MOST_OF_SHORT: f32 = 23.0;
    /// The same for words that could be English.
    pub(crate) const MOST_OF_DERIVED: f32 = OTHER_LETTER + NAME_IN_INDEX;

    /// A word at this place of a list that begins with the most common word.
    pub(crate) fn of_place(place: usize) -> f32 {
        (place as f32 + 16.0).log2()
    }

    /// A word that this many indexed objects have.
    pub(crate) fn in_index(objects: usize) -> f32 {
        WORD_IN_INDEX - (objects.max(1) as f32).log2().min(3.0)
    }
}

/// A word that may be misspelt, in lower case and ASCII.
pub(super) struct Typed<'w> {
    word: &'w str,
    /// Without its plural ending, if it has one.
    singular: Option<String>,
    /// The most edits that are considered.
    most: usize,
    letters: u32,
}

impl<'w> Typed<'w> {
    pub(super) fn new(word: &'w str, most: usize) -> Self {
        let stem = words::stem(word);
        Self { word, singular: (stem != word).then_some(stem), most, letters: letters(word) }
    }

    /// The cost of the edits from the candidate to the typed word, and what was meant then: a plural if a plural was typed. `None` if
    /// there are too many edits. `has_plural`: the candidate may be a noun whose plural is not a candidate itself.
    pub(super) fn cost_from(&self, candidate: &str, has_plural: bool) -> Option<(f32, String)> {
        if candidate.len() < SHORTEST || candidate.len().abs_diff(self.word.len()) > self.most + 1 {
            return None;
        }
        if !candidate.bytes().all(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        // Each edit adds a letter, removes one or replaces one; the plural ending adds one more.
        if (letters(candidate) ^ self.letters).count_ones() as usize > 2 * self.most + 1 {
            return None;
        }
        let candidate = candidate.to_ascii_lowercase();
        // "ledgerdb" is not a misspelt "ledger".
        let is_prefix = self.word.starts_with(&candidate) || candidate.starts_with(self.word);
        let most = if is_prefix { 1 } else { self.most };
        let direct = edit_cost(self.word, &candidate, most).map(|cost| (cost, false));
        let singular = self.singular.as_ref().filter(|_| has_plural).and_then(|s| edit_cost(s, &candidate, most));
        let singular = singular.map(|cost| (cost + cost::SINGULAR, !candidate.ends_with('s')));
        let (best, plural) = direct.into_iter().chain(singular).min_by(|a, b| a.0.total_cmp(&b.0))?;
        let first = candidate.as_bytes().first() == self.word.as_bytes().first();
        let best = best + if first { 0.0 } else { cost::FIRST_LETTER };
        Some((best, if plural { format!("{candidate}s") } else { candidate }))
    }
}

/// Which letters a word has, one bit each.
fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |letters, b| letters | 1 << (b.to_ascii_lowercase().wrapping_sub(b'a') & 31))
}

/// The lowest cost of edits that make `typed` of `meant` (optimal string alignment, weighted); `None` if there are more than `most`.
fn edit_cost(typed: &str, meant: &str, most: usize) -> Option<f32> {
    edit_distance(typed, meant, most)?;
    let (a, b) = (typed.as_bytes(), meant.as_bytes());
    let (mut before, mut last): (Vec<f32>, Vec<f32>) =
        (Vec::new(), (0..=b.len()).map(|lost| lost as f32 * cost::EDIT).collect());
    for i in 1..=a.len() {
        let twice = i > 1 && a[i - 1] == a[i - 2];
        let extra = if twice { cost::EDIT } else { cost::OTHER_LETTER };
        let mut row = vec![last[0] + extra];
        for j in 1..=b.len() {
            let other = if a[i - 1] == b[j - 1] { 0.0 } else { cost::OTHER_LETTER };
            let mut least = (last[j] + extra).min(row[j - 1] + cost::EDIT).min(last[j - 1] + other);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + cost::EDIT);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied()
}

/// How many letters are missing, too many, wrong, or swapped with their neighbour (optimal string alignment); `None` if more than
/// `most`. Only the band of the table that `most` edits can reach is filled.
pub(crate) fn edit_distance(a: &str, b: &str, most: usize) -> Option<usize> {
    // Each edit adds a letter, removes one or replaces one. Most words are told apart without a table.
    let differing = || (letters(a) ^ letters(b)).count_ones() as usize;
    if a.is_ascii() && b.is_ascii() && (a.len().abs_diff(b.len()) > most || differing() > 2 * most) {
        return None;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let far = most + 1;
    let mut before: Vec<usize> = vec![far; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).map(|j| j.min(far)).collect();
    let mut row = vec![far; b.len() + 1];
    for i in 1..=a.len() {
        let (from, to) = (i.saturating_sub(most), b.len().min(i + most));
        let mut least_of_row = far;
        for j in from..=to {
            step();
            let mut least = if j == 0 {
                i
            } else {
                let other = usize::from(a[i - 1] != b[j - 1]);
                let kept = if j > from { row[j - 1] } else { far };
                (last[j] + 1).min(kept + 1).min(last[j - 1] + other)
            };
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row[j] = least.min(far);
            least_of_row = least_of_row.min(row[j]);
        }
        if least_of_row == far {
            return None;
        }
        // The next row must not read what is outside of this row's band.
        if from > 0 {
            row[from - 1] = far;
        }
        if to < b.len() {
            row[to + 1] = far;
        }
        let oldest = std::mem::replace(&mut before, std::mem::replace(&mut last, row));
        row = oldest;
    }
    last.last().copied().filter(|d| *d <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("redis", "redis", Some(0)),
            ("redsi", "redis", Some(1)),
            ("databse", "database", Some(1)),
            ("postgress", "postgres", Some(1)),
            ("kuberntse", "kubernetes", Some(2)),
            ("cat", "dog", None),
            ("a", "abcd", None),
            ("", "ab", Some(2)),
        ] {
            assert_eq!(edit_distance(a, b, 2), expected, "{a} {b}");
        }
    }

    proptest::proptest! {
        /// Filling only the band gives the same distances as filling the whole table.
        #[test]
        fn distances_are_those_of_the_whole_table(a in "[ab]{0,9}", b in "[abc]{0,9}", most in 0_usize..5) {
            let whole = whole_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
            proptest::prop_assert_eq!(edit_distance(&a, &b, most), Some(whole).filter(|d| *d <= most));
        }
    }

    fn whole_distance(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = match (i, j) {
                    (0, n) | (n, 0) => n,
                    _ => {
                        let other = usize::from(a[i - 1] != b[j - 1]);
                        let steps = [table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + other];
                        let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                        let swap = if swapped { table[i - 2][j - 2] + 1 } else { usize::MAX };
                        steps.into_iter().min().unwrap_or(0).min(swap)
                    }
                };
            }
        }
        table[a.len()][b.len()]
    }
}
