//! What a question says of the one before it: whether it goes on with that, and whether it points at what was answered.

use std::ops::Range;

use super::phrases::{Phrases, Text, has};

/// A question without what only leads it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: Text,
    /// It begins with words that go on: "and", "what about".
    pub(super) leads: bool,
    /// It asks for a part of what was answered: "only …".
    pub(super) only: bool,
    /// What it points at.
    pub(super) refers: Option<Refers>,
}

/// What a question points at, with the place of the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refers {
    /// All that was answered: "of them".
    Them(Range<usize>),
    /// What was answered, or things like that: "those in …", "the … one".
    Those(Range<usize>),
    /// The one thing that was answered.
    It(Range<usize>),
    /// One of a list, from 0 on; `None`: the last.
    Nth(Range<usize>, Option<usize>),
    /// What was asked of and did not answer: "the others".
    Others(Range<usize>),
    /// The cause of what was answered.
    Why,
    /// The rest of the list.
    More,
}

impl Refers {
    pub(super) fn place(&self) -> Option<&Range<usize>> {
        match self {
            Self::Them(place) | Self::Those(place) | Self::It(place) | Self::Nth(place, _) | Self::Others(place) => {
                Some(place)
            }
            Self::Why | Self::More => None,
        }
    }
}

impl Said {
    pub(super) fn of(question: &str, phrases: &Phrases) -> Self {
        let mut text = Text::new(question.trim().trim_end_matches(|c: char| !c.is_alphanumeric()));
        let (mut leads, mut only) = (false, false);
        loop {
            let after =
                |at: &Range<usize>| text.text[at.end..].trim_start_matches(|c: char| !c.is_alphanumeric() && c != '#');
            let next = if let Some((_, at)) = text.begins(&phrases.only).filter(|_| !only) {
                only = true;
                after(&at).to_owned()
            } else if let Some((_, at)) = text.begins(&phrases.leads) {
                leads = true;
                after(&at).to_owned()
            } else if let Some((_, at)) = text.begins(&phrases.openers).filter(|(_, at)| at.end < text.text.len()) {
                after(&at).to_owned()
            } else {
                break;
            };
            text = Text::new(&next);
        }
        while let Some(at) = text.ends(&phrases.tails).filter(|at| at.start > 0) {
            text = Text::new(text.text[..at.start].trim_end_matches(|c: char| !c.is_alphanumeric()));
        }
        let refers = refers(&text, phrases);
        Self { text, leads, only, refers }
    }

    /// Whether it says anything of the question before it.
    pub(super) fn goes_on(&self) -> bool {
        self.leads || self.only || self.refers.is_some()
    }

    /// What is left without the words that point.
    pub(super) fn bare(&self) -> String {
        match self.refers.as_ref().and_then(Refers::place) {
            Some(place) => self.text.with(place, " "),
            None => self.text.text.clone(),
        }
    }
}

fn refers(text: &Text, phrases: &Phrases) -> Option<Refers> {
    if text.is(&phrases.more) {
        return Some(Refers::More);
    }
    if text.is(&phrases.why) {
        return Some(Refers::Why);
    }
    if let Some((_, place)) = text.find(&phrases.others) {
        return Some(Refers::Others(place));
    }
    if let Some(found) = nth(text, phrases) {
        return Some(found);
    }
    if let Some((_, place)) = text.find(&phrases.them) {
        return Some(Refers::Them(place));
    }
    if let Some(place) = those(text, phrases) {
        return Some(Refers::Those(place));
    }
    it(text, phrases).map(Refers::It)
}

/// "the first one", "number 3", or a number alone.
fn nth(text: &Text, phrases: &Phrases) -> Option<Refers> {
    if let [(word, place)] = &text.words[..]
        && let Ok(number @ 1..=200) = word.trim_start_matches('#').parse::<usize>()
    {
        return Some(Refers::Nth(place.clone(), Some(number - 1)));
    }
    let numbered = phrases.nth.iter().enumerate().map(|(n, names)| (Some(n), names));
    let (nth, place) = numbered
        .chain(std::iter::once((None, &phrases.last)))
        .filter_map(|(n, names)| Some((n, text.find(names)?.1)))
        .min_by_key(|(_, place)| (place.start, usize::MAX - place.len()))?;
    let (first, after) = text.word_at(&place);
    // "the first 3", "last week", "newest first"
    let next = text.word(Some(after));
    let before = first.checked_sub(1).map_or("", |at| text.word(Some(at)));
    if next.starts_with(|c: char| c.is_ascii_digit()) || is_time(next) || before.ends_with("est") {
        return None;
    }
    let wide = if text.is_spaced() { widened(text, phrases, first, after) } else { place.clone() };
    // "What is to be done first?"
    let is_one = wide != place
        || first == 0
        || text.text[place.clone()].starts_with('#')
        || has(&phrases.acts, before)
        || after - first > 1
        || !text.is_spaced();
    is_one.then_some(Refers::Nth(wide, nth))
}

/// What an age or an order is told in, and no thing of a list.
fn is_time(word: &str) -> bool {
    const TIMES: [&str; 16] = [
        "time", "times", "week", "month", "year", "day", "days", "hour", "hours", "night", "minutes", "minute",
        "deployed", "created", "weeks", "months",
    ];
    TIMES.contains(&word)
}

/// "those", "the ones", "the postgres one".
fn those(text: &Text, phrases: &Phrases) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some((phrase, place)) = (from..text.words.len()).find_map(|word| {
        let longest = phrases.those.iter().filter_map(|phrase| Some((phrase, text.at(word, phrase)?)));
        longest.max_by_key(|(_, place)| place.len())
    }) {
        let (first, after) = text.word_at(&place);
        // "One" is a number unless something says which one; "ones" are always some that were spoken of.
        let is_number = phrase == "one" && !(first.saturating_sub(3)..first).any(|at| text.word(Some(at)) == "the");
        // "Those" before a thing that nobody spoke of is for the caller to judge; "die" is an article there.
        let is_article = has(&phrases.articles, phrase) && !has(&phrases.inside, text.word(Some(after)));
        // "Which is the newest deployment?" says what it is about.
        let says_which = phrase.starts_with("which ") && text.word(Some(after)) == "the";
        if !is_number && !is_article && !says_which {
            return Some(if text.is_spaced() { widened(text, phrases, first, after) } else { place });
        }
        from = after;
    }
    unspaced(text, &phrases.those)
}

fn unspaced(text: &Text, phrases: &[String]) -> Option<Range<usize>> {
    let chinese = text.text.chars().any(|c| matches!(c, '\u{4e00}'..='\u{9fff}'));
    text.find(phrases).filter(|_| chinese).map(|(_, place)| place)
}

/// "it", "this one", and "this" where no thing follows that could be meant by it.
fn it(text: &Text, phrases: &Phrases) -> Option<Range<usize>> {
    for word in 0..text.words.len() {
        let before = word.checked_sub(1).map_or("", |at| text.word(Some(at)));
        let longest = phrases.it.iter().filter_map(|phrase| text.at(word, phrase)).max_by_key(Range::len);
        // "The it department" is none.
        if let Some(place) = longest.filter(|_| !["the", "a", "an"].contains(&before)) {
            return Some(place);
        }
        let is_this = has(&phrases.this, text.word(Some(word)));
        let ends = word + 1 == text.words.len() && word > 0;
        if is_this && (ends || word == 0 && text.words.len() > 1 || has(&phrases.after, before)) {
            return Some(text.words[word].1.clone());
        }
    }
    unspaced(text, &phrases.it)
}

/// With the article before, and a noun behind that says nothing: "the first one".
fn widened(text: &Text, phrases: &Phrases, first: usize, after: usize) -> Range<usize> {
    let article = first.checked_sub(1).filter(|at| has(&phrases.articles, text.word(Some(*at))));
    let article = article.filter(|at| !["of", "for", "with", "about", "on"].contains(&text.word(Some(*at))));
    let begin = article.unwrap_or(first);
    let end = if has(&phrases.ones, text.word(Some(after))) { after + 1 } else { after };
    text.words[begin].1.start..text.words[end - 1].1.end
}

#[cfg(test)]
mod tests {
    use super::super::phrases::of_language;
    use super::*;

    /// What is left of a question, what leads it on, and the words that point.
    fn said(language: &str, question: &str) -> (String, bool, Option<String>) {
        let said = Said::of(question, of_language(language).unwrap());
        let words = said.refers.as_ref().map(|refers| match refers.place() {
            Some(place) => said.text.text[place.clone()].to_owned(),
            None => format!("{refers:?}"),
        });
        (said.text.text.clone(), said.leads || said.only, words)
    }

    #[test]
    fn what_leads_on_is_taken_away() {
        for (question, left, leads) in [
            ("and the caches?", "the caches", true),
            ("And what about production, then?", "production", true),
            ("ok, so how about staging", "staging", true),
            ("only in staging", "in staging", true),
            ("and only the postgres ones", "the postgres ones", true),
            ("which caches are there?", "which caches are there", false),
            ("thanks", "thanks", false),
            ("and?", "", true),
        ] {
            let (text, is_led, _) = said("English", question);
            assert_eq!((text.as_str(), is_led), (left, leads), "{question}");
        }
        assert_eq!(said("German", "und was ist mit Produktion?").0, "Produktion");
        assert_eq!(said("French", "et les caches ?").0, "les caches");
        assert_eq!(said("Spanish", "¿y en producción?").0, "en producción");
        assert_eq!(said("Portuguese", "e os caches?").0, "os caches");
        assert_eq!(said("Chinese", "那缓存呢？").0, "缓存");
    }

    #[test]
    fn words_that_point_are_found() {
        for (question, points) in [
            ("which of them are in staging?", "of them"),
            ("and which of those are not ready", "of those"),
            ("only the ones of team payments", "the ones"),
            ("and those in production?", "those"),
            ("show me the first one", "the first one"),
            ("describe the second", "the second"),
            ("number 3", "number 3"),
            ("#2", "#2"),
            ("7", "7"),
            ("the last one please", "the last one"),
            ("show me the postgres one", "one"),
            ("why is it failing?", "it"),
            ("how many is that?", "that"),
            ("is this ready", "this"),
            ("what is its description", "its"),
            ("which ones are old", "which ones"),
            ("why?", "Why"),
            ("show me more", "More"),
            ("and the other ones?", "the other ones"),
        ] {
            assert_eq!(said("English", question).2.as_deref(), Some(points), "{question}");
        }
        for question in [
            "which databases are there?",
            "is there one pod",
            "the first 3 pods",
            "what happened last week",
            "where is the it department",
            "databases that are big",
            "why is checkout failing",
            "what should I look at first?",
            "who deployed last",
            "more pods than nodes",
        ] {
            assert_eq!(said("English", question).2, None, "{question}");
        }
        for (language, question, points) in [
            ("German", "und welche davon sind in Produktion?", "welche davon"),
            ("German", "zeig mir den zweiten", "den zweiten"),
            ("German", "und die in shop?", "die"),
            ("French", "lesquels sont dans shop ?", "lesquels"),
            ("French", "montre la première", "la première"),
            ("Spanish", "¿cuáles de ellos están en shop?", "cuáles de ellos"),
            ("Portuguese", "quais deles estão em shop?", "quais deles"),
            ("Chinese", "其中哪些在 shop？", "其中哪些"),
        ] {
            assert_eq!(said(language, question).2.as_deref(), Some(points), "{question}");
        }
        assert_eq!(said("German", "und die Caches?").2, None);
    }
}
