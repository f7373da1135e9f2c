//! The words by which people go on with a question, of each language: data, not rules.

use std::ops::Range;
use std::sync::OnceLock;

use serde::Deserialize;

/// The words of one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phrases {
    pub(super) name: String,
    pub(super) openers: Vec<String>,
    pub(super) leads: Vec<String>,
    pub(super) tails: Vec<String>,
    pub(super) only: Vec<String>,
    pub(super) them: Vec<String>,
    pub(super) acts: Vec<String>,
    pub(super) whose: Vec<String>,
    pub(super) others: Vec<String>,
    pub(super) those: Vec<String>,
    pub(super) it: Vec<String>,
    pub(super) this: Vec<String>,
    pub(super) after: Vec<String>,
    pub(super) ones: Vec<String>,
    pub(super) open: Vec<String>,
    pub(super) asks: Vec<String>,
    pub(super) idle: Vec<String>,
    pub(super) joins: Vec<String>,
    pub(super) articles: Vec<String>,
    pub(super) inside: Vec<String>,
    pub(super) places: Vec<String>,
    pub(super) but: Vec<String>,
    pub(super) orders: Vec<String>,
    pub(super) count: String,
    pub(super) why: Vec<String>,
    pub(super) more: Vec<String>,
    pub(super) nth: Vec<Vec<String>>,
    pub(super) last: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    language: Vec<Phrases>,
}

/// Of all languages, English first. The file is a part of the program, and a test reads it.
pub(super) fn languages() -> &'static [Phrases] {
    static READ: OnceLock<Vec<Phrases>> = OnceLock::new();
    READ.get_or_init(|| {
        let file: Result<File, _> = toml::from_str(include_str!("../../data/follow_ups.toml"));
        file.map(|file| file.language).unwrap_or_default()
    })
}

/// Of a language by its English name.
pub(super) fn of_language(name: &str) -> Option<&'static Phrases> {
    languages().iter().find(|phrases| phrases.name == name)
}

/// A text with its words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    /// In lower case, with their places in the text.
    pub(super) words: Vec<(String, Range<usize>)>,
    /// Whether words stand apart.
    spaced: bool,
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        let mut words = Vec::new();
        let mut read = 0;
        for piece in text.split_whitespace() {
            let at = text[read..].find(piece).unwrap_or(0) + read;
            read = at + piece.len();
            let word = piece.trim_matches(|c: char| !c.is_alphanumeric() && c != '#');
            if !word.is_empty() {
                let start = at + piece.find(word).unwrap_or(0);
                words.push((word.to_lowercase().replace('\u{2019}', "'"), start..start + word.len()));
            }
        }
        let spaced = !text.chars().any(|c| matches!(c, '\u{4e00}'..='\u{9fff}'));
        Self { text: text.to_owned(), words, spaced }
    }

    /// The place of a phrase that begins at a word.
    pub(super) fn at(&self, word: usize, phrase: &str) -> Option<Range<usize>> {
        let mut end = word;
        for part in phrase.split(' ') {
            if self.words.get(end)?.0 != part {
                return None;
            }
            end += 1;
        }
        Some(self.words[word].1.start..self.words[end - 1].1.end)
    }

    /// The place of the longest of these phrases that the text begins with.
    pub(super) fn begins<'p>(&self, phrases: &'p [String]) -> Option<(&'p String, Range<usize>)> {
        let found = |phrase: &'p String| {
            let at = match self.spaced {
                true => self.at(0, phrase),
                false => self.text.strip_prefix(phrase.as_str()).map(|_| 0..phrase.len()),
            };
            at.map(|at| (phrase, at))
        };
        phrases.iter().filter_map(found).max_by_key(|(_, at)| at.len())
    }

    /// The place of the longest of these phrases that the text ends with.
    pub(super) fn ends(&self, phrases: &[String]) -> Option<Range<usize>> {
        let found = |phrase: &String| match self.spaced {
            true => self.at(self.words.len().checked_sub(phrase.split(' ').count())?, phrase),
            false => self.text.strip_suffix(phrase.as_str()).map(|rest| rest.len()..self.text.len()),
        };
        phrases.iter().filter_map(found).max_by_key(Range::len)
    }

    /// The place of the first of these phrases in the text, the longest where several begin there.
    pub(super) fn find<'p>(&self, phrases: &'p [String]) -> Option<(&'p String, Range<usize>)> {
        let found = |phrase: &'p String| {
            let at = match self.spaced {
                true => (0..self.words.len()).find_map(|word| self.at(word, phrase)),
                false => self.text.find(phrase.as_str()).map(|at| at..at + phrase.len()),
            };
            at.map(|at| (phrase, at))
        };
        phrases.iter().filter_map(found).min_by_key(|(_, at)| (at.start, usize::MAX - at.len()))
    }

    /// The number of the word that begins or ends at a place.
    pub(super) fn word_at(&self, place: &Range<usize>) -> (usize, usize) {
        let first = self.words.iter().position(|(_, at)| at.end > place.start).unwrap_or(self.words.len());
        let after = self.words.iter().position(|(_, at)| at.start >= place.end).unwrap_or(self.words.len());
        (first, after)
    }

    pub(super) fn word(&self, at: Option<usize>) -> &str {
        at.and_then(|at| self.words.get(at)).map_or("", |(word, _)| word)
    }

    /// Whether the whole text is one of these phrases.
    pub(super) fn is(&self, phrases: &[String]) -> bool {
        match self.spaced {
            true => phrases
                .iter()
                .any(|phrase| phrase.split(' ').count() == self.words.len() && self.at(0, phrase).is_some()),
            false => phrases.iter().any(|phrase| self.text.trim_matches(|c: char| !c.is_alphanumeric()) == phrase),
        }
    }

    /// Whether words stand apart in it.
    pub(super) fn is_spaced(&self) -> bool {
        self.spaced
    }

    /// The text with another in the place of a part of it.
    pub(super) fn with(&self, place: &Range<usize>, other: &str) -> String {
        let joined = format!("{}{other}{}", &self.text[..place.start], &self.text[place.end..]);
        tidy(&joined)
    }
}

/// A text without double spaces, and without those before a mark.
pub(super) fn tidy(text: &str) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for mark in ["?", ",", ".", "!"] {
        text = text.replace(&format!(" {mark}"), mark);
    }
    text.trim_matches([' ', ',']).to_owned()
}

/// Whether the list has the word.
pub(super) fn has(list: &[String], word: &str) -> bool {
    list.iter().any(|one| one == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_six_languages_are_read() {
        let names: Vec<&str> = languages().iter().map(|phrases| phrases.name.as_str()).collect();
        assert_eq!(names, ["English", "German", "French", "Spanish", "Portuguese", "Chinese"]);
        for phrases in languages() {
            let lists = [
                &phrases.leads,
                &phrases.them,
                &phrases.those,
                &phrases.it,
                &phrases.asks,
                &phrases.inside,
                &phrases.why,
                &phrases.more,
                &phrases.last,
            ];
            assert!(lists.iter().all(|list| !list.is_empty()) && phrases.nth.len() >= 5, "{}", phrases.name);
            for phrase in lists.into_iter().flatten() {
                assert_eq!(*phrase, phrase.to_lowercase(), "{}", phrases.name);
            }
        }
    }

    #[test]
    fn phrases_are_found_by_words() {
        let text = Text::new("And, which of them? The mother");
        let own = |phrases: &[&str]| phrases.iter().map(|phrase| (*phrase).to_owned()).collect::<Vec<_>>();
        assert_eq!(text.begins(&own(&["an", "and which", "and"])).map(|(_, at)| at), Some(0..10));
        assert_eq!(text.find(&own(&["moth", "them", "of them"])).map(|(_, at)| &text.text[at]), Some("of them"));
        assert_eq!(text.ends(&own(&["other", "the mother"])).map(|at| &text.text[at]), Some("The mother"));
        assert_eq!(text.with(&(5..18), "who"), "And, who? The mother");
        let chinese = Text::new("那缓存呢");
        assert_eq!(chinese.begins(&own(&["那"])).map(|(_, at)| at), Some(0..3));
        assert_eq!(chinese.ends(&own(&["呢"])), Some(9..12));
    }
}
