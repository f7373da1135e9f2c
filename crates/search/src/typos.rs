//! Misspelt words. A word that neither the index nor the catalogue nor the embedder knows is taken for the one that was most
//! probably meant, and the user is told; so is what stands where only a namespace or a label's value can stand and is none. Most
//! questions have no such word and cost a few look-ups.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use clusterlore_core::{Collection, ResourceType, words};
use clusterlore_models::Embedder;
use clusterlore_store::View;

use crate::SearchError;
use crate::understand::Surroundings;
use crate::yardstick::step;

/// Shorter words have too many neighbours.
const SHORTEST: usize = 4;
/// The same, for a part of a name that is joined by dashes.
const SHORTEST_PART: usize = 5;
/// Up to so many letters a word is a short one.
const SHORT: usize = 5;
/// Words that were written together have at least so many letters each.
const PIECE: usize = 3;
/// Words behind which only a namespace can be misspelt: what is English stands behind them as well.
const SCOPE: [&str; 6] = ["in", "from", "inside", "within", "namespace", "ns"];
/// From so many letters on two of them may be wrong.
const LONG: usize = 8;
/// Where nobody can tell whether a word is English, only longer ones are corrected, and only into names.
const UNSURE: usize = 6;
/// What an ending is put on has at least so many letters: "lit" makes no "lits".
const STEM: usize = 4;
/// Endings of English words.
const ENDINGS: [&str; 22] = [
    "s", "es", "ing", "ed", "er", "ers", "or", "ors", "ly", "able", "ings", "ation", "ations", "ment", "ments", "ness",
    "less", "ize", "izes", "ized", "izer", "ful",
];
/// What is put in front of them.
const BEGINNINGS: [&str; 16] = [
    "un", "in", "re", "de", "dis", "co", "pre", "non", "mis", "auto", "multi", "micro", "over", "sub", "inter", "anti",
];
/// Parts of English compounds have at least so many letters.
const COMPOUND: usize = 4;
/// Longer words are no slip of the finger, and none of English: its longest has 45 letters.
const LONGEST: usize = 64;
/// Different words of a question that are looked at. More of them are no slips but another language, or a log.
const MOST_WORDS: usize = 16;

/// A word of the question that may be misspelt.
struct Doubtful {
    word: String,
    span: Range<usize>,
    doubt: Doubt,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It is known not to be English.
    Unknown,
    /// Nobody can tell whether it is English.
    Unsure,
    /// It could be English, being made of known parts ("saging", "backkend").
    Made,
}

/// The question with its misspelt words corrected, and what was corrected.
pub(crate) async fn correct(
    view: &dyn View,
    embedder: &dyn Embedder,
    collection: Collection,
    text: &str,
    around: &Surroundings<'_>,
) -> Result<(String, Vec<(String, String)>), SearchError> {
    let (corrected, mut corrections) = scopes(text, embedder, around);
    let mut doubtful = doubtful(&corrected, embedder, around);
    if doubtful.is_empty() {
        return Ok((corrected, corrections));
    }
    let stems: Vec<String> = doubtful.iter().map(|d| words::stem(&d.word)).collect();
    let frequencies = view.frequencies(collection, &stems).await?;
    let mut frequencies = frequencies.into_iter();
    doubtful.retain(|_| frequencies.next() == Some(0));
    if doubtful.is_empty() {
        return Ok((corrected, corrections));
    }
    let terms = view.terms(collection).await?;
    let mut meanings: BTreeMap<String, Option<String>> = BTreeMap::new();
    let (mut text, mut from) = (String::new(), 0);
    for Doubtful { word, span, doubt } in doubtful {
        if !meanings.contains_key(&word) {
            if meanings.len() == MOST_WORDS {
                continue;
            }
            let meant = nearest(&word, doubt, &terms, embedder.words(), around);
            corrections.extend(meant.clone().map(|meant| (word.clone(), meant)));
            meanings.insert(word.clone(), meant);
        }
        if let Some(Some(meant)) = meanings.get(&word) {
            text.push_str(&corrected[from..span.start]);
            text.push_str(meant);
            from = span.end;
        }
    }
    text.push_str(&corrected[from..]);
    Ok((text, corrections))
}

/// Each token of a text with the place where it begins.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    text.split_whitespace().map(move |token| {
        let start = text[from..].find(token).map_or(from, |at| from + at);
        from = start + token.len();
        (start, token)
    })
}

/// A token without what stands around it, and where that is.
fn inner(token: &str) -> (usize, &str) {
    let inner = token.trim_matches(|c: char| !c.is_alphanumeric());
    (token.find(inner).unwrap_or(0), inner)
}

/// Corrects what stands where only a namespace or a label's value can stand, and is none.
fn scopes(text: &str, embedder: &dyn Embedder, around: &Surroundings<'_>) -> (String, Vec<(String, String)>) {
    let all: Vec<(usize, String)> = tokens(text)
        .map(|(start, token)| {
            let (offset, inner) = inner(token);
            (start + offset, inner.to_owned())
        })
        .collect();
    let (mut corrected, mut corrections) = (text.to_owned(), Vec::new());
    let mut looked_at: BTreeSet<&str> = BTreeSet::new();
    for (at, (start, typed)) in all.iter().enumerate().rev() {
        let mut may_look =
            || looked_at.len() < MOST_WORDS && looked_at.insert(typed) || looked_at.contains(typed.as_str());
        let word = typed.to_lowercase();
        let is = |at: Option<usize>, any: &[&str]| {
            at.and_then(|at| all.get(at)).is_some_and(|(_, w)| any.contains(&w.to_lowercase().as_str()))
        };
        let (typed, start, meant) = if let Some((key, value)) = typed.split_once('=') {
            let Some(values) = around.vocabulary.labels.get(key).filter(|values| !values.contains(value)) else {
                continue;
            };
            if !may_look() {
                continue;
            }
            (value, start + key.len() + 1, only_neighbour(value, values.iter().map(String::as_str)))
        } else {
            let before = at.checked_sub(if is(at.checked_sub(1), &["the"]) { 2 } else { 1 });
            let namespaces = &around.vocabulary.namespaces;
            let known = words::is_stop_word(&word) || namespaces.contains(&word) || around.catalogue.knows(&word);
            if known || !is(before, &SCOPE) || embedder.knows(&word) == Some(true) || !may_look() {
                continue;
            }
            (typed.as_str(), *start, only_neighbour(&word, namespaces.iter().map(String::as_str)))
        };
        if let Some(meant) = meant.filter(|_| typed.len() >= SHORTEST) {
            corrected.replace_range(start..start + typed.len(), meant);
            corrections.push((typed.to_owned(), meant.to_owned()));
        }
    }
    corrections.reverse();
    (corrected, corrections)
}

/// The one name that a single slip makes of the word; none where several are as near.
fn only_neighbour<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut near = names.filter(|name| distance(word, name, 1).is_some() && !tells_apart(word, name));
    near.next().filter(|_| near.next().is_none())
}

/// Whether two names differ in what people number or letter things by: "shard-2" is no misspelt "shard-1", nor "team-b" "team-a".
fn tells_apart(one: &str, other: &str) -> bool {
    let parts = |name: &str| -> Vec<String> { name.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect() };
    let digits = |name: &str| -> String { name.chars().filter(char::is_ascii_digit).collect() };
    let (ones, others) = (parts(one), parts(other));
    let short = |(a, b): (&String, &String)| a != b && a.len().min(b.len()) < SHORTEST;
    digits(one) != digits(other) || ones.len() == others.len() && ones.iter().zip(&others).any(short)
}

/// The words of the question that neither catalogue, types nor embedder know.
fn doubtful(text: &str, embedder: &dyn Embedder, around: &Surroundings<'_>) -> Vec<Doubtful> {
    let mut doubtful = Vec::new();
    for (start, token) in tokens(text) {
        let (_, inner) = inner(token);
        // Selectors, domains and addresses are written as they are meant.
        if inner.contains(['=', '.', ':', '@', '\'', '’']) {
            continue;
        }
        if around.vocabulary.namespaces.contains(&inner.to_lowercase()) {
            continue;
        }
        let shortest = if inner.contains(['-', '_']) { SHORTEST_PART } else { SHORTEST };
        let mut part_start = start;
        for part in token.split(|c: char| !c.is_alphanumeric()) {
            let span = part_start..part_start + part.len();
            part_start = span.end + text[span.end..].chars().next().map_or(0, char::len_utf8);
            if part.len() < shortest || part.len() > LONGEST || !part.bytes().all(|b| b.is_ascii_alphabetic()) {
                continue;
            }
            // "PACS" is short for something.
            if part.len() <= SHORT && part.bytes().all(|b| b.is_ascii_uppercase()) {
                continue;
            }
            let word = part.to_lowercase();
            let named = |word: &str| {
                words::is_stop_word(word)
                    || around.catalogue.knows(word)
                    || around.types.iter().any(|(_, t)| {
                        step();
                        t.answers_to(word)
                    })
                    || embedder.knows(word) == Some(true)
            };
            let pieces = words::split(part);
            let known = |piece: &String| named(piece) || is_english(embedder, piece) == Some(true);
            if named(&word) || pieces.len() > 1 && pieces.iter().all(known) {
                continue;
            }
            let doubt = match is_english(embedder, &word) {
                Some(true) => Doubt::Made,
                Some(false) => Doubt::Unknown,
                None => Doubt::Unsure,
            };
            doubtful.push(Doubtful { word, span, doubt });
        }
    }
    doubtful
}

/// Whether the word, or what its endings or parts were put on, is one that the embedder knows; `None` where it cannot tell.
pub(crate) fn is_english(embedder: &dyn Embedder, word: &str) -> Option<bool> {
    if embedder.knows(word)? {
        return Some(true);
    }
    if !word.is_ascii() || word.len() > LONGEST {
        return Some(false);
    }
    let known = |word: &str| word.len() >= STEM && embedder.knows(word) == Some(true);
    let english = known(&words::stem(word)) && !hisses(word.strip_suffix('s').unwrap_or_default())
        || ENDINGS.iter().any(|ending| word.strip_suffix(ending).is_some_and(|cut| bears(cut, ending, known)))
        || lacks_ending(word, known)
        || BEGINNINGS
            .iter()
            .any(|beginning| word.strip_prefix(beginning).is_some_and(|rest| rest.len() >= COMPOUND && known(rest)))
        || (COMPOUND..=word.len().saturating_sub(COMPOUND)).any(|at| {
            let (first, second) = word.split_at(at);
            known(first) && known(&words::stem(second))
        });
    Some(english)
}

/// "postgres" makes no plural "postgress", and "watch" none without an "e".
fn hisses(word: &str) -> bool {
    ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end))
}

/// Whether the ending can stand behind what is left without it: "cache" + "d", "run" + "n" + "ing", "box" + "es".
fn bears(cut: &str, ending: &str, known: impl Fn(&str) -> bool + Copy) -> bool {
    match ending {
        "s" => known(cut) && !hisses(cut),
        // "daemons" is a plural already.
        "es" => known(cut) && (hisses(cut) || cut.ends_with('o')) && !cut.strip_suffix('s').is_some_and(known),
        "ly" => known(cut),
        _ => known(cut) || known(&format!("{cut}e")) || undoubled(cut).is_some_and(known),
    }
}

/// "runn" without what "ing" doubled: a single consonant after a single vowel.
fn undoubled(cut: &str) -> Option<&str> {
    let vowel = |b: &u8| b"aeiou".contains(b);
    match cut.as_bytes() {
        [.., before, v, a, b] if a == b && !vowel(a) && vowel(v) && !vowel(before) => Some(&cut[..cut.len() - 1]),
        _ => None,
    }
}

/// Whether only the word with an ending is known: "expire" is of "expired", but "injecte" of nothing, since there is "inject".
fn lacks_ending(word: &str, known: impl Fn(&str) -> bool) -> bool {
    let Some(last) = word.chars().last() else { return false };
    let with = |ending: &str| known(&format!("{word}{ending}"));
    if last == 'e' {
        return !known(&word[..word.len() - 1]) && (with("s") || with("d"));
    }
    !"sui".contains(last) && with("s") || !with("e") && (with("ed") || with("ing"))
}

/// How surprising things are, in bits: a word that is typed for another is so surprising as the other word is in a question,
/// and the slips are that lead from the one to the other (the noisy channel of Kernighan, Church and Gale, 1990). The least
/// surprising word is meant.
mod surprise {
    /// Two letters swapped, one lost, or one typed twice.
    pub(super) const SLIP: f32 = 8.0;
    /// A letter that is another one, or too many: of 25 it is this one.
    pub(super) const OTHER_LETTER: f32 = SLIP + 3.0;
    /// People look at a word's first letter.
    pub(super) const FIRST_LETTER: f32 = 3.0;
    /// The plural was typed, and the singular is known.
    pub(super) const SINGULAR: f32 = 1.0;
    /// "which"
    pub(super) const LITTLE_WORD: f32 = 5.0;
    /// A kind or a namespace of this cluster.
    pub(super) const NAME_HERE: f32 = 6.0;
    /// A word of one object here; a bit less for every doubling of their number, up to eight.
    pub(super) const WORD_HERE: f32 = 8.0;
    /// Something that the catalogue knows.
    pub(super) const KNOWN: f32 = 9.0;
    /// Words more surprising than that are not taken for others.
    pub(super) const MOST: f32 = 28.0;
    /// The same for short words, which are near to many others.
    pub(super) const MOST_OF_SHORT: f32 = 23.0;
    /// The same for what is English already.
    pub(super) const MOST_OF_MADE: f32 = OTHER_LETTER + NAME_HERE;

    /// A word that stands at a place of a list that begins with the most usual: the bits of that place.
    pub(super) fn at(place: usize) -> f32 {
        (place as f32 + 16.0).log2()
    }

    /// A word that so many objects hold.
    pub(super) fn here(objects: usize) -> f32 {
        WORD_HERE - (objects.max(1) as f32).log2().min(3.0)
    }
}

/// The word that was most probably meant.
fn nearest(
    word: &str,
    doubt: Doubt,
    terms: &[(String, usize)],
    english: &[&str],
    around: &Surroundings<'_>,
) -> Option<String> {
    if doubt == Doubt::Unsure && word.len() < UNSURE {
        return None;
    }
    let typed = Typed::new(word, if word.len() < LONG || doubt != Doubt::Unknown { 1 } else { 2 });
    let mut best: Option<(f32, String)> = None;
    let mut consider = |candidate: &str, surprise: f32, has_plural: bool| {
        step();
        let Some((slips, meant)) = typed.slips_from(candidate, has_plural) else { return };
        let surprise = slips + surprise;
        if best.as_ref().is_none_or(|(least, word)| surprise < *least || surprise == *least && meant < *word) {
            best = Some((surprise, meant));
        }
    };
    if doubt != Doubt::Made {
        around.catalogue.words().for_each(|candidate| consider(candidate, surprise::KNOWN, true));
    }
    for (_, ty) in around.types {
        names(ty).for_each(|candidate| consider(candidate, surprise::NAME_HERE, true));
    }
    for namespace in &around.vocabulary.namespaces {
        words::split(namespace).iter().for_each(|part| consider(part, surprise::NAME_HERE, true));
        consider(namespace, surprise::NAME_HERE, true);
    }
    if doubt != Doubt::Unsure {
        terms.iter().for_each(|(term, objects)| consider(term, surprise::here(*objects), true));
    }
    if doubt == Doubt::Unknown {
        for (place, candidate) in english.iter().enumerate() {
            let little = words::is_stop_word(candidate);
            consider(candidate, if little { surprise::LITTLE_WORD } else { surprise::at(place) }, false);
        }
    }
    let most = match doubt {
        Doubt::Made => surprise::MOST_OF_MADE,
        _ if word.len() <= SHORT => surprise::MOST_OF_SHORT,
        _ => surprise::MOST,
    };
    let best = best.filter(|(surprise, _)| *surprise <= most);
    let apart = if doubt == Doubt::Unsure { None } else { apart(word, terms) };
    let (one, two) = (best.as_ref().map_or(f32::MAX, |b| b.0), apart.as_ref().map_or(f32::MAX, |a| a.0));
    if two < one { apart } else { best }.map(|(_, meant)| meant)
}

/// Two words of objects here between which no space was typed: "bookingapi".
fn apart(word: &str, terms: &[(String, usize)]) -> Option<(f32, String)> {
    let here = |word: &str| {
        let stem = words::stem(word);
        let at = terms.binary_search_by(|(term, _)| term.as_str().cmp(&stem)).ok()?;
        Some(surprise::here(terms[at].1))
    };
    let cuts = PIECE..=word.len().saturating_sub(PIECE);
    let both = |at: usize| {
        let (first, second) = word.split_at(at);
        Some((surprise::SLIP + here(first)? + here(second)?, format!("{first} {second}")))
    };
    cuts.filter_map(both).min_by(|a, b| a.0.total_cmp(&b.0))
}

fn names(ty: &ResourceType) -> impl Iterator<Item = &str> {
    [&ty.kind, &ty.plural, &ty.singular].into_iter().chain(&ty.short_names).map(String::as_str)
}

/// A misspelt word, in lower case and ASCII.
struct Typed<'w> {
    word: &'w str,
    /// Without its plural's ending, where it has one.
    singular: Option<String>,
    /// Slips at most.
    most: usize,
    letters: u32,
}

impl<'w> Typed<'w> {
    fn new(word: &'w str, most: usize) -> Self {
        let stem = words::stem(word);
        Self { word, singular: (stem != word).then_some(stem), most, letters: letters(word) }
    }

    /// How surprising the slips are that make the word of the candidate, and what was meant then: a plural where one was typed.
    /// `None` where there would be too many. `has_plural`: the candidate may be a noun whose plural is no candidate.
    fn slips_from(&self, candidate: &str, has_plural: bool) -> Option<(f32, String)> {
        if candidate.len() < SHORTEST || candidate.len().abs_diff(self.word.len()) > self.most + 1 {
            return None;
        }
        if !candidate.bytes().all(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        // Each slip puts a letter in or out, or one for another; the plural's ending is one more.
        if (letters(candidate) ^ self.letters).count_ones() as usize > 2 * self.most + 1 {
            return None;
        }
        let candidate = candidate.to_ascii_lowercase();
        // "ledgerdb" is no misspelt "ledger".
        let further = self.word.starts_with(&candidate) || candidate.starts_with(self.word);
        let most = if further { 1 } else { self.most };
        let direct = slips(self.word, &candidate, most).map(|s| (s, false));
        let singular = self.singular.as_ref().filter(|_| has_plural).and_then(|s| slips(s, &candidate, most));
        let singular = singular.map(|s| (s + surprise::SINGULAR, !candidate.ends_with('s')));
        let (best, plural) = direct.into_iter().chain(singular).min_by(|a, b| a.0.total_cmp(&b.0))?;
        let first = candidate.as_bytes().first() == self.word.as_bytes().first();
        let best = best + if first { 0.0 } else { surprise::FIRST_LETTER };
        Some((best, if plural { format!("{candidate}s") } else { candidate }))
    }
}

/// Which letters a word has, a bit each.
fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |letters, b| letters | 1 << (b.to_ascii_lowercase().wrapping_sub(b'a') & 31))
}

/// How surprising the least surprising slips are that make `typed` of `meant` (optimal string alignment, weighted); `None` where
/// there are more than `most`.
fn slips(typed: &str, meant: &str, most: usize) -> Option<f32> {
    distance(typed, meant, most)?;
    let (a, b) = (typed.as_bytes(), meant.as_bytes());
    let (mut before, mut last): (Vec<f32>, Vec<f32>) =
        (Vec::new(), (0..=b.len()).map(|lost| lost as f32 * surprise::SLIP).collect());
    for i in 1..=a.len() {
        let twice = i > 1 && a[i - 1] == a[i - 2];
        let extra = if twice { surprise::SLIP } else { surprise::OTHER_LETTER };
        let mut row = vec![last[0] + extra];
        for j in 1..=b.len() {
            let other = if a[i - 1] == b[j - 1] { 0.0 } else { surprise::OTHER_LETTER };
            let mut least = (last[j] + extra).min(row[j - 1] + surprise::SLIP).min(last[j - 1] + other);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + surprise::SLIP);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied()
}

/// How many letters are missing, too many, others, or swapped with their neighbour (optimal string alignment); `None` where more
/// than `most`. Only what `most` letters can be moved by is compared.
pub(crate) fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
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
        // What lies outside of this row's band is out of reach for the next one.
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
    use clusterlore_models::Builtin;

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
            assert_eq!(distance(a, b, 2), expected, "{a} {b}");
        }
    }

    proptest::proptest! {
        /// The band leaves nothing out: what it finds is what the whole table holds.
        #[test]
        fn distances_are_those_of_the_whole_table(a in "[ab]{0,9}", b in "[abc]{0,9}", most in 0_usize..5) {
            let whole = whole_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
            proptest::prop_assert_eq!(distance(&a, &b, most), Some(whole).filter(|d| *d <= most));
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

    #[test]
    fn the_nearest_word_that_is_there_is_meant() {
        let types = [(
            String::new(),
            ResourceType { kind: "StatefulSet".into(), plural: "statefulsets".into(), ..ResourceType::default() },
        )];
        let vocabulary = clusterlore_store::Vocabulary {
            namespaces: ["observability", "edge"].map(Into::into).into(),
            ..Default::default()
        };
        let around = Surroundings {
            vocabulary: &vocabulary,
            types: &types,
            catalogue: clusterlore_catalogue::Catalogue::builtin(),
            now: "",
            language: None,
        };
        let terms = [("gannet", 1), ("ledger", 9), ("lodger", 3), ("order", 4)].map(|(t, n)| (t.to_owned(), n));
        for (word, meant) in [
            // Of two the one that is here: Garnet is a cache.
            ("ganet", "gannet"),
            ("garnte", "garnet"),
            // Of two that are here the more frequent one.
            ("ldger", "ledger"),
            ("statfulsets", "statefulsets"),
            ("statfulset", "statefulset"),
            ("obsrvability", "observability"),
            ("postgress", "postgres"),
            ("ordres", "orders"),
            ("ledgerdb", ""),
            ("xyzzy", ""),
        ] {
            assert_eq!(nearest(word, Doubt::Unknown, &terms, &[], &around).unwrap_or_default(), meant, "{word}");
        }
        // Where nobody knows whether a word is English, it is corrected into names only.
        assert_eq!(nearest("gannte", Doubt::Unknown, &terms, &[], &around).unwrap(), "gannet");
        assert_eq!(nearest("gannte", Doubt::Unsure, &terms, &[], &around), None);
        assert_eq!(nearest("statfulset", Doubt::Unsure, &terms, &[], &around).unwrap(), "statefulset");
    }

    #[test]
    fn scopes_are_corrected_where_one_name_is_near() {
        let vocabulary = clusterlore_store::Vocabulary {
            namespaces: ["squad-heron", "staging", "zone-a", "zone-b", "shard-1", "load-a"].map(Into::into).into(),
            labels: [("tier".to_owned(), ["backend", "frontend"].map(Into::into).into())].into(),
            ..Default::default()
        };
        let around = Surroundings {
            vocabulary: &vocabulary,
            types: &[],
            catalogue: clusterlore_catalogue::Catalogue::builtin(),
            now: "",
            language: None,
        };
        for (text, corrected) in [
            ("pods in squa-heron", "pods in squad-heron"),
            ("what runs in the saging namespace?", "what runs in the staging namespace?"),
            ("pods with tier=backned", "pods with tier=backend"),
            // There is only one of them, and it is another one.
            ("pods in shard-2", "pods in shard-2"),
            ("pods in load-b", "pods in load-b"),
            // Either could be meant.
            ("pods in zone-c", "pods in zone-c"),
            // English stands behind "in" as well.
            ("what makes snow in storage", "what makes snow in storage"),
            ("pods with tier=batch, team=backned", "pods with tier=batch, team=backned"),
        ] {
            assert_eq!(scopes(text, &Builtin::default(), &around).0, corrected);
        }
    }

    #[test]
    fn words_are_put_apart_where_both_are_here() {
        let terms = [("api", 9), ("booking", 2)].map(|(t, n)| (t.to_owned(), n));
        assert_eq!(apart("bookingapi", &terms).unwrap().1, "booking api");
        assert_eq!(apart("bookingapp", &terms), None);
    }

    #[test]
    fn english_words_are_meant_by_how_usual_they_are() {
        let vocabulary = clusterlore_store::Vocabulary::default();
        let around = Surroundings {
            vocabulary: &vocabulary,
            types: &[],
            catalogue: clusterlore_catalogue::Catalogue::builtin(),
            now: "",
            language: None,
        };
        let english = Builtin::default().words();
        for (typed, meant) in
            [("whcih", "which"), ("emplyees", "employees"), ("shcedules", "schedules"), ("pdos", "pods")]
        {
            assert_eq!(nearest(typed, Doubt::Unknown, &[], english, &around).as_deref(), Some(meant), "{typed}");
        }
    }

    #[test]
    fn inflected_and_compound_words_are_english() {
        for (word, english) in [
            ("passwords", true),
            ("running", true),
            ("scheduled", true),
            ("chairlift", true),
            ("unused", true),
            ("expire", true),
            ("caches", true),
            ("databse", false),
            // Endings that English does not put there.
            ("trainned", false),
            ("servees", false),
            ("tabls", false),
            ("captur", false),
            ("daemonses", false),
            ("statfulset", false),
            ("grafna", false),
            ("postgress", false),
        ] {
            assert_eq!(is_english(&Builtin::default(), word), Some(english), "{word}");
        }
    }
}
