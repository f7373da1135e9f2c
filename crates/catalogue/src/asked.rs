//! What a question names: categories, software, kinds.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use clusterlore_core::words;

use crate::catalogue::Catalogue;
use crate::entry::{Category, Kind, Software};
use crate::index::{Alias, Target, fold, unspaced};

/// Something that a question names.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked<'a> {
    /// What it is.
    pub meaning: Meaning<'a>,
    /// Where it stands in the question, in bytes.
    pub span: Range<usize>,
    /// How many words of the question it takes; the more, the surer.
    pub words: usize,
    /// Whether the words may as well mean something else ("vault", "flux").
    pub ambiguous: bool,
}

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning<'a> {
    /// "relational databases".
    Category(&'a Category),
    /// "prometheus servers", whether or not the cluster has any.
    Software(&'a Software),
    /// "scheduled jobs".
    Kind(&'a Kind),
}

impl<'a> Meaning<'a> {
    /// What tells it from others: which table it stands in, and where it is found there.
    pub fn id(&self) -> (u8, &'a str, &'a str) {
        match self {
            Self::Category(category) => (0, "", &category.id),
            Self::Software(software) => (1, "", &software.id),
            Self::Kind(kind) => (2, &kind.group, &kind.kind),
        }
    }
}

/// Places of a text, to be asked whether one of them covers another place. Asking takes no longer the more there are.
#[derive(Debug, Clone, Default)]
pub struct Cover {
    /// Starts in order, each with the furthest end of the places that begin up to there.
    ends: Vec<(usize, usize)>,
}

impl Cover {
    /// Whether the place lies inside one of these.
    pub fn covers(&self, place: &Range<usize>) -> bool {
        let up_to = self.ends.partition_point(|(start, _)| *start <= place.start);
        up_to > 0 && self.ends[up_to - 1].1 >= place.end
    }
}

impl<'r> FromIterator<&'r Range<usize>> for Cover {
    fn from_iter<I: IntoIterator<Item = &'r Range<usize>>>(places: I) -> Self {
        let mut ends: Vec<(usize, usize)> = places.into_iter().map(|place| (place.start, place.end)).collect();
        ends.sort_unstable();
        let mut furthest = 0;
        for (_, end) in &mut ends {
            furthest = furthest.max(*end);
            *end = furthest;
        }
        Self { ends }
    }
}

struct Word {
    text: String,
    stop: bool,
    stem: String,
    fold: String,
    span: Range<usize>,
}

impl Catalogue {
    /// What a question names, in the order of its words. The longest phrase wins over what its words mean alone; what the
    /// same words mean in several ways is all there. A phrase may be interrupted by one word.
    pub fn asked(&self, question: &str) -> Vec<Asked<'_>> {
        let all = read(question);
        let mut hits = Vec::new();
        for at in 0..all.len() {
            self.phrases_at(&all, at, &mut hits);
        }
        if unspaced(question) {
            self.unspaced(question, &mut hits);
        }
        self.named_software(&all, &mut hits);
        longest(hits)
    }

    fn named_software<'a>(&'a self, all: &[Word], hits: &mut Vec<Asked<'a>>) {
        let texts: Vec<String> = all.iter().map(|w| w.text.clone()).collect();
        let categories: HashSet<Range<usize>> =
            hits.iter().filter(|h| matches!(h.meaning, Meaning::Category(_))).map(|h| h.span.clone()).collect();
        let mut at = 0;
        while at < all.len() {
            // "in flux" is not Influx: words that stand apart make a short alias only where it is spelt apart.
            let apart = |taken: usize| all[at].span != all[at + taken - 1].span;
            let fits = |alias: &Alias, taken: usize| {
                taken == 1 || !apart(taken) || alias.key.len() >= 6 || words::split(&alias.spelt).len() == taken
            };
            let mut found = self.alias_at(&texts, at, fits);
            if found.is_empty() && all[at].stem != texts[at] {
                found = self.alias_at(&[all[at].stem.clone()], 0, |_, _| true);
            }
            let taken = found.first().map_or(1, |(_, n)| *n);
            let span = all[at].span.start..all[at + taken - 1].span.end;
            // "mqtt broker" names no product, though objects of that name are mostly Mosquitto.
            let generic = categories.contains(&span);
            for (alias, _) in &found {
                let software = &self.0.software[usize::from(alias.software)];
                let (ambiguous, span) = (alias.ambiguous, span.clone());
                let own_name = alias.spelt == software.id || alias.spelt == software.title;
                // "es" is Elasticsearch in names and a pronoun in Spanish.
                if (generic && !own_name) || (ambiguous && alias.key.len() < 3) {
                    continue;
                }
                hits.push(Asked { meaning: Meaning::Software(software), span, words: taken, ambiguous });
            }
            at += taken;
        }
    }

    fn phrases_at<'a>(&'a self, all: &[Word], at: usize, hits: &mut Vec<Asked<'a>>) {
        let (stem, fold) = (all[at].stem.as_str(), all[at].fold.as_str());
        let mut firsts = vec![stem];
        if fold != stem {
            firsts.push(fold);
        }
        for first in firsts {
            let from = self.0.phrases.partition_point(|p| &*p.words < first);
            for phrase in &self.0.phrases[from..] {
                let mut expected = phrase.words.split(' ');
                if !phrase.words.starts_with(first) {
                    break;
                }
                // Between the phrases of "log" lie none but those that begin with it, yet also those of "login".
                if expected.next() != Some(if phrase.foreign { fold } else { stem }) {
                    continue;
                }
                if let Some((taken, last)) = follow(all, at, expected, phrase.foreign) {
                    let span = all[at].span.start..all[last].span.end;
                    hits.push(Asked { meaning: self.meaning(phrase.target), span, words: taken, ambiguous: false });
                }
            }
        }
    }

    fn unspaced<'a>(&'a self, question: &str, hits: &mut Vec<Asked<'a>>) {
        for phrase in self.0.unspaced.iter() {
            if let Some(at) = question.find(&*phrase.words) {
                let span = at..at + phrase.words.len();
                let words = phrase.words.chars().count();
                hits.push(Asked { meaning: self.meaning(phrase.target), span, words, ambiguous: false });
            }
        }
    }

    fn meaning(&self, target: Target) -> Meaning<'_> {
        match target {
            Target::Category(at) => Meaning::Category(&self.0.categories[usize::from(at)]),
            Target::Kind(at) => Meaning::Kind(&self.0.kinds[usize::from(at)]),
        }
    }
}

/// The words after the first one, with any stop words and at most one other word among them: how many there are in all, and
/// the last one's place.
fn follow<'p>(
    all: &[Word],
    first: usize,
    expected: impl Iterator<Item = &'p str>,
    foreign: bool,
) -> Option<(usize, usize)> {
    let (mut at, mut taken, mut skipped) = (first, 1, false);
    for word in expected {
        loop {
            at += 1;
            let here = all.get(at)?;
            if word == if foreign { &here.fold } else { &here.stem } {
                break;
            }
            if !here.stop {
                if skipped {
                    return None;
                }
                skipped = true;
            }
        }
        taken += 1;
    }
    Some((taken, at))
}

/// Words with their places. All words of a run ("GitLab") stand where the run stands.
fn read(question: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let mut start = 0;
    for run in question.split(|c: char| !c.is_alphanumeric()) {
        let span = start..start + run.len();
        // Separators may have more than one byte.
        start = span.end + question[span.end..].chars().next().map_or(0, char::len_utf8);
        for text in words::split(run) {
            let stop = words::is_stop_word(&text);
            all.push(Word { stop, stem: words::stem(&text), fold: fold(&text), text, span: span.clone() });
        }
    }
    all
}

/// Drops what lies inside something with more words, and what is there twice.
fn longest(hits: Vec<Asked<'_>>) -> Vec<Asked<'_>> {
    let mut by_words: BTreeMap<usize, Vec<Asked<'_>>> = BTreeMap::new();
    for hit in hits {
        by_words.entry(hit.words).or_default().push(hit);
    }
    let mut kept: Vec<Asked<'_>> = Vec::new();
    let mut seen = BTreeSet::new();
    for mut same in by_words.into_values().rev() {
        let is_kind = |k: &&Asked<'_>| matches!(k.meaning, Meaning::Kind(_));
        let longer: Cover = kept.iter().map(|k| &k.span).collect();
        // Who asks for "kafka topics" names Kafka as well.
        let no_kinds: Cover = kept.iter().filter(|k| !is_kind(k)).map(|k| &k.span).collect();
        same.retain(|hit| {
            let around = if matches!(hit.meaning, Meaning::Software(_)) { &no_kinds } else { &longer };
            !around.covers(&hit.span) && seen.insert((hit.span.start, hit.span.end, hit.meaning.id()))
        });
        same.sort_by_key(|hit| hit.span.start);
        kept.extend(same);
    }
    kept.sort_by(|a, b| a.span.start.cmp(&b.span.start).then(b.words.cmp(&a.words)));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_covered_by_one_that_holds_it_whole() {
        let cover: Cover = [4..9, 0..3, 20..22, 4..6].iter().collect();
        for (place, covered) in
            [(0..3, true), (1..2, true), (2..5, false), (5..9, true), (8..10, false), (21..22, true)]
        {
            assert_eq!(cover.covers(&place), covered, "{place:?}");
        }
        assert!(!Cover::default().covers(&(0..0)));
    }
}
