//! English words for questions in other languages, word by word. A glossary translates nothing: it gives an embedder that knows only
//! English something to read.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use clusterlore_core::words;

use crate::inflection::{Inflection, plain};

/// The most words of a phrase, less those that say nothing ("base de données" has two).
const PHRASE: usize = 4;
/// No compound is longer, in letters.
const LONGEST: usize = 48;
/// A part of a compound has at least so many letters.
const PART: usize = 3;
/// The last part of a compound whose first part is unknown has at least so many letters.
const TAIL: usize = 5;
/// Words that are parts of verbs, not of compounds.
const PARTICLES: [&str; 12] =
    ["vor", "mit", "aus", "bei", "nach", "uber", "unter", "durch", "fur", "von", "auf", "zwischen"];

const FILES: [(&str, Inflection, &str); 5] = [
    ("German", Inflection::German, include_str!("../data/glossary/de.tsv")),
    ("French", Inflection::French, include_str!("../data/glossary/fr.tsv")),
    ("Spanish", Inflection::Spanish, include_str!("../data/glossary/es.tsv")),
    ("Portuguese", Inflection::Portuguese, include_str!("../data/glossary/pt.tsv")),
    ("Chinese", Inflection::None, include_str!("../data/glossary/zh.tsv")),
];

#[cfg(debug_assertions)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts a look-up. Debug builds count, so that tests see how work grows without a clock.
fn step() {
    #[cfg(debug_assertions)]
    STEPS.with(|steps| steps.set(steps.get() + 1));
}

/// What is known of a word beside what the glossary says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    No,
    /// It is English: it stays as typed, unless the glossary lists it.
    English,
    /// Something is called so, and it is not English: it stays, beside what the glossary says.
    Name,
}

/// The words of one language, each with one to three English ones.
#[derive(Debug)]
pub struct Glossary {
    inflection: Inflection,
    /// By word or phrase, without accents.
    listed: HashMap<String, &'static str>,
    /// By what is left of a listed word without its endings.
    stems: HashMap<String, &'static str>,
    /// Letters of the longest entry.
    longest: usize,
}

impl Glossary {
    /// The glossary of the language with this English name, made when first asked for. `None` if there is none.
    pub fn of(language: &str) -> Option<&'static Self> {
        static MADE: [OnceLock<Glossary>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];
        let at = FILES.iter().position(|(name, ..)| *name == language)?;
        let (_, inflection, file) = FILES[at];
        Some(MADE[at].get_or_init(|| Self::new(inflection, file)))
    }

    /// Whether the language's glossary lists the word just so, and English has another word for it. No glossary needs to be made.
    pub fn lists(language: &str, word: &str) -> bool {
        let file = FILES.iter().find(|(name, ..)| *name == language).map_or("", |(_, _, file)| file);
        let english =
            line(file, word).filter(|english| !english.split(' ').any(|e| word.starts_with(e) || e.starts_with(word)));
        english.is_some()
    }

    fn new(inflection: Inflection, file: &'static str) -> Self {
        let entries = || file.lines().filter_map(|line| line.split_once('\t'));
        let (mut listed, mut stems) = (HashMap::new(), HashMap::new());
        let phrase = |word: &str| word.contains(|c: char| !c.is_alphanumeric());
        for (word, english) in entries().filter(|(word, _)| !phrase(word)) {
            listed.entry(plain(word)).or_insert(english);
        }
        // A word is nearer to a stem the fewer letters it loses for it; words that say something come first.
        for hollow in [false, true] {
            for round in 0.. {
                let mut more = false;
                let single = entries().filter(|(word, english)| !phrase(word) && says_nothing(english) == hollow);
                for (word, english) in single {
                    if let Some(stem) = inflection.stems(&plain(word)).into_iter().nth(round) {
                        stems.entry(stem).or_insert(english);
                        more = true;
                    }
                }
                if !more {
                    break;
                }
            }
        }
        let mut made = Self { inflection, listed, stems, longest: 0 };
        for (phrase, english) in entries().filter(|(word, _)| phrase(word)) {
            let telling = made.telling(runs(phrase).map(|(_, word)| plain(word)));
            made.listed.entry(telling.join(" ")).or_insert(english);
        }
        made.longest = made.listed.keys().map(|word| word.chars().count()).max().unwrap_or(0);
        made
    }

    fn telling(&self, phrase: impl Iterator<Item = String>) -> Vec<String> {
        phrase.filter(|word| !self.is_hollow(word)).map(|word| self.inflection.singular(&word)).collect()
    }

    fn listed(&self, word: &str) -> Option<&'static str> {
        step();
        self.listed.get(word).copied()
    }

    fn stem(&self, stem: &str) -> Option<&'static str> {
        step();
        self.stems.get(stem).copied()
    }

    /// Whether the word, without accents, says nothing about what is searched for.
    fn is_hollow(&self, word: &str) -> bool {
        self.listed(word).is_some_and(says_nothing)
    }

    /// Whether the word is listed and means only what English stop words mean: "bitte", "können".
    pub fn is_stop_word(&self, word: &str) -> bool {
        self.is_hollow(&plain(word))
    }

    /// English words for a text, in its order, each once. Words that the glossary does not know stay as they were typed. `None` if
    /// the glossary knows none that says something.
    pub fn gloss(&self, text: &str, known: impl Fn(&str) -> Known) -> Option<String> {
        let mut read = Reading { english: Vec::new(), seen: BTreeSet::new(), understood: false };
        let runs: Vec<(usize, &str)> = runs(text).collect();
        let folded: Vec<String> = runs.iter().map(|(_, run)| plain(run)).collect();
        let mut at = 0;
        while at < runs.len() {
            let run = runs[at].1;
            if self.inflection == Inflection::None {
                self.unspaced(run, &mut read);
                at += 1;
                continue;
            }
            if let Some((words, english)) = self.phrase(&folded[at..]) {
                read.gloss(english);
                (at..at + words).map(|at| runs[at].1).filter(|w| known(w) == Known::Name).for_each(|w| read.keep(w));
                at += words;
                continue;
            }
            let known = known(run);
            let word = &folded[at];
            let listed = self.listed(word).map(str::to_owned);
            let derived = || {
                let inflected = self.by_stem(word).map(str::to_owned);
                inflected.or_else(|| self.compound(word))
            };
            match listed.or_else(|| if known == Known::English { None } else { derived() }) {
                Some(english) => {
                    read.gloss(&english);
                    if known == Known::Name {
                        read.keep(run);
                    }
                }
                None => read.keep(run),
            }
            at += 1;
        }
        read.understood.then(|| read.english.join(" "))
    }

    /// The longest listed phrase that begins the words, and how many of them it takes.
    fn phrase(&self, folded: &[String]) -> Option<(usize, &'static str)> {
        if self.is_hollow(folded.first()?) {
            return None;
        }
        let mut found = None;
        let mut key = String::new();
        let mut telling = 0;
        // Between the words of a phrase stand no more than two that say nothing: "mise à l'échelle".
        for (at, word) in folded.iter().enumerate().take(PHRASE * 3) {
            if self.is_hollow(word) {
                continue;
            }
            if telling > 0 {
                key.push(' ');
            }
            key.push_str(&self.inflection.singular(word));
            telling += 1;
            if telling > 1
                && let Some(english) = self.listed(&key)
            {
                found = Some((at + 1, english));
            }
            if telling == PHRASE {
                break;
            }
        }
        found
    }

    fn by_stem(&self, word: &str) -> Option<&'static str> {
        let find = |word: &str| {
            let listed = || self.inflection.stems(word).into_iter();
            let stem = listed().find_map(|stem| self.listed(&stem));
            stem.or_else(|| self.stem(word)).or_else(|| listed().find_map(|stem| self.stem(&stem)))
        };
        find(word).or_else(|| {
            self.inflection.variants(word).into_iter().find_map(|other| self.listed(&other).or_else(|| find(&other)))
        })
    }

    /// English for a German compound: the fewest known words that it is made of, or its last one if only the first is unknown.
    fn compound(&self, word: &str) -> Option<String> {
        if self.inflection != Inflection::German || !word.is_ascii() || word.len() > LONGEST {
            return None;
        }
        let split = |word: &str| -> Option<Vec<&'static str>> {
            // For each length, the fewest words that so many first letters are made of.
            let mut made: Vec<Option<Vec<&'static str>>> = vec![None; word.len() + 1];
            made[0] = Some(Vec::new());
            for end in PART..=word.len() {
                for start in 0..=end - PART {
                    let Some(before) = made[start].as_ref() else { continue };
                    let fewer = made[end].as_ref().is_none_or(|best| before.len() + 1 < best.len());
                    if fewer && let Some(english) = self.part(&word[start..end], end == word.len()) {
                        let mut parts = before.clone();
                        parts.push(english);
                        made[end] = Some(parts);
                    }
                }
            }
            made.pop().flatten()
        };
        let variants = self.inflection.variants(word);
        if let Some(parts) = split(word).or_else(|| variants.iter().find_map(|other| split(other))) {
            return Some(parts.join(" "));
        }
        (PART..=word.len().saturating_sub(TAIL)).find_map(|at| {
            let (first, last) = word.split_at(at);
            self.part(last, true).map(|english| format!("{first} {english}"))
        })
    }

    /// What a part of a compound means: a listed word, if it is not the last one with "s", "n", "en" or "es" behind it.
    fn part(&self, part: &str, last: bool) -> Option<&'static str> {
        let listed = |word: &str| {
            let found = self.listed(word);
            found.filter(|english| word.len() >= PART && !says_nothing(english) && !PARTICLES.contains(&word))
        };
        let long = part.len() > PART + 1;
        let telling = |found: Option<&'static str>| found.filter(|english| long && !says_nothing(english));
        let whole = listed(part).or_else(|| telling(self.stem(part)));
        if last {
            return whole.or_else(|| telling(self.by_stem(part)));
        }
        whole.or_else(|| ["s", "n", "en", "es"].iter().find_map(|link| part.strip_suffix(link).and_then(listed)))
    }

    /// Reads a run of a language without spaces by the longest words that the glossary lists.
    fn unspaced(&self, run: &str, read: &mut Reading) {
        let places: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
        let (mut at, mut unknown) = (0, 0);
        let last = places.len() - 1;
        while at < last {
            let most = self.longest.min(last - at);
            let word = (1..=most).rev().find_map(|n| Some((n, self.listed(&run[places[at]..places[at + n]])?)));
            if let Some((letters, english)) = word {
                keep_unknown(&run[places[unknown]..places[at]], read);
                read.gloss(english);
                at += letters;
                unknown = at;
            } else {
                at += 1;
            }
        }
        keep_unknown(&run[places[unknown]..], read);
    }
}

/// One Chinese character alone that is in no glossary is mostly a particle.
fn keep_unknown(run: &str, read: &mut Reading) {
    if run.is_ascii() || run.chars().nth(1).is_some() {
        read.keep(run);
    }
}

/// What was read so far.
struct Reading {
    english: Vec<String>,
    seen: BTreeSet<String>,
    understood: bool,
}

impl Reading {
    fn gloss(&mut self, english: &str) {
        self.understood |= !says_nothing(english);
        english.split(' ').for_each(|word| self.keep(word));
    }

    fn keep(&mut self, word: &str) {
        if !word.is_empty() && self.seen.insert(word.to_lowercase()) {
            self.english.push(word.to_owned());
        }
    }
}

/// Whether these English words are all stop words.
fn says_nothing(english: &str) -> bool {
    english.split(' ').all(words::is_stop_word)
}

/// What stands behind the word in a file whose lines are in the order of their words.
fn line<'f>(file: &'f str, word: &str) -> Option<&'f str> {
    let (mut from, mut to) = (0, file.len());
    while from < to {
        let mut middle = from + (to - from) / 2;
        while !file.is_char_boundary(middle) {
            middle -= 1;
        }
        let begin = file[from..middle].rfind('\n').map_or(from, |at| from + at + 1);
        let end = file[middle..to].find('\n').map_or(to, |at| middle + at);
        let (here, english) = file[begin..end].split_once('\t')?;
        match here.cmp(word) {
            std::cmp::Ordering::Equal => return Some(english),
            std::cmp::Ordering::Less => from = (end + 1).min(to),
            std::cmp::Ordering::Greater => to = begin,
        }
    }
    None
}

/// The runs of letters and digits, each with its place.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split(|c: char| !c.is_alphanumeric()).filter_map(move |run| {
        let at = start;
        start += run.len() + text[at + run.len()..].chars().next().map_or(0, char::len_utf8);
        (!run.is_empty()).then_some((at, run))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_text_takes_no_more_than_twice_the_look_ups() {
        for (language, words) in [
            ("German", "Kundenrechnungsversandwarteschlangen "),
            ("German", "xqzvbnmxqzvbnmxqzvbnmxqzvbnmxqzvbnmxqzvbnmxqzvb "),
            ("German", "xqzvbnm"),
            ("German", "die der das "),
            ("French", "base de données de la base de "),
            ("Spanish", "copia de seguridades "),
            ("Portuguese", "bancos de dado "),
            ("Chinese", "客户发送"),
            ("Chinese", "鑫淼焱"),
            ("Chinese", "鑫 "),
        ] {
            let Some(glossary) = Glossary::of(language) else { panic!("no glossary of {language}") };
            let steps = |times: usize| {
                let text = words.repeat(times);
                let before = STEPS.with(std::cell::Cell::get);
                glossary.gloss(&text, |_| Known::No);
                STEPS.with(std::cell::Cell::get) - before
            };
            let (few, many) = (steps(200), steps(400));
            assert!(many <= few * 2 + 100, "{language} {words:?}: {few}, {many}");
            assert!(few <= 2_000 * 200, "{language} {words:?}: {few}");
        }
    }
}
