//! The rule: from a question and the turn before it to a question that stands by itself. The same always gives the same.

use std::ops::Range;

use clusterlore_core::Collection;

use super::facts::Facts;
use super::phrases::{Phrases, Text, has, tidy};
use super::said::{Refers, Said};
use crate::conversation::Turn;
use crate::english::{counted, with_article};

/// The turn before, and what its question is about.
pub(super) struct Before<'a> {
    pub(super) turn: &'a Turn,
    /// Ids of the list of which "the second" is one.
    pub(super) list: &'a [String],
    pub(super) facts: Facts,
}

/// What is known beside the two questions.
pub(super) trait Known {
    /// How an object, or a type, is called in a question: `deployment/web`.
    fn reference(&self, id: &str) -> String;
    /// What a person calls it: `the Deployment web in shop`.
    fn called(&self, id: &str) -> String;
    /// The kind of an object, in lower case.
    fn kind(&self, id: &str) -> String;
    /// Whether an object runs something, and does not only serve what does.
    fn runs(&self, id: &str) -> bool;
    /// Whether a word is a noun for things of some kind.
    fn is_noun(&self, word: &str) -> bool;
}

/// What a question is read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolution {
    /// As it stands there.
    Alone,
    /// As another one.
    As(Reading),
    /// It cannot be answered before this is.
    Back(Back),
}

/// A question that stands by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) question: String,
    /// Stored ids of the objects that it is asked of; none: all.
    pub(super) objects: Vec<String>,
    /// Names of the types that it is asked of; none: all.
    pub(super) types: Vec<String>,
    /// What those are called, in the singular.
    pub(super) noun: String,
    /// Whether all is to be shown.
    pub(super) all: bool,
    /// What was taken over, in plain English.
    pub(super) told: String,
}

/// A question back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Back {
    /// The words of the question that are not clear.
    pub(super) said: String,
    pub(super) text: String,
    /// What may be meant.
    pub(super) candidates: Vec<String>,
}

/// A rule: what a question is read as.
pub(super) type Rule = fn(&Before<'_>, &Said, &Facts, &Phrases, &dyn Known) -> Resolution;

/// What goes on with a question that was answered.
pub(super) fn resolve(
    before: &Before<'_>,
    said: &Said,
    bare: &Facts,
    phrases: &Phrases,
    known: &dyn Known,
) -> Resolution {
    let next = Next { before, said, bare, phrases, known };
    if said.text.is(&phrases.openers) {
        return next.back(None, "Nothing is asked. Say what you want to know.".to_owned(), &[]);
    }
    match &said.refers {
        Some(refers) if refers.place().is_some_and(|place| next.is_inside(place)) => Resolution::Alone,
        Some(Refers::More) => next.more(),
        Some(Refers::Why) => next.why(),
        Some(Refers::Nth(place, nth)) if said.text.begins(&phrases.but).is_some() => next.but_one(place, *nth),
        Some(Refers::Nth(place, nth)) => next.nth(place, *nth),
        Some(Refers::It(place)) => next.it(place),
        Some(Refers::Others(place)) => next.others(place),
        Some(Refers::Them(place)) if next.is_beside(place) => next.related(place),
        Some(Refers::Them(place)) => next.them(place, false),
        Some(Refers::Those(place)) => next.them(place, true),
        None if said.text.begins(&phrases.but).is_some() && !bare.of_state => next.but(),
        None if said.only => next.of_all(&bare.text.text),
        None => next.without_pointing(),
    }
}

/// What answers a question back: "Which deployment do you mean?" - "checkout in shop".
pub(super) fn answer_back(
    before: &Before<'_>,
    said: &Said,
    bare: &Facts,
    phrases: &Phrases,
    known: &dyn Known,
) -> Resolution {
    Next { before, said, bare, phrases, known }.answers_back().unwrap_or(Resolution::Alone)
}

/// A question and what it may go on with.
struct Next<'a> {
    before: &'a Before<'a>,
    said: &'a Said,
    bare: &'a Facts,
    phrases: &'a Phrases,
    known: &'a dyn Known,
}

impl Next<'_> {
    /// What the answer before named.
    fn answered(&self) -> &[String] {
        &self.before.turn.answered
    }

    fn of_types(&self) -> bool {
        self.before.turn.collection == Collection::Capabilities
    }

    fn text(&self) -> &Text {
        &self.said.text
    }

    fn back(&self, place: Option<&Range<usize>>, text: String, candidates: &[String]) -> Resolution {
        let said = place.map(|at| self.text().text[at.clone()].to_owned()).unwrap_or_default();
        Resolution::Back(Back { said, text, candidates: candidates.to_vec() })
    }

    fn nothing(&self, place: Option<&Range<usize>>) -> Resolution {
        let said = place.map(|at| format!("What is \"{}\"? ", &self.text().text[at.clone()])).unwrap_or_default();
        self.back(
            place,
            format!("{said}The answer before named nothing. Say what you mean by its name, or what it is for."),
            &[],
        )
    }

    fn which(&self, place: &Range<usize>, candidates: &[String]) -> Resolution {
        let words = &self.text().text[place.clone()];
        let of = counted(candidates.len(), self.noun());
        let text = format!(
            "Which of the {of} before is \"{words}\"? Say its name, or its place in the list, such as \"the first\"."
        );
        self.back(Some(place), text, candidates)
    }

    fn noun(&self) -> &str {
        match self.before.turn.noun.as_str() {
            "" if self.of_types() => "resource type",
            "" => "object",
            noun => noun,
        }
    }

    fn answers_back(&self) -> Option<Resolution> {
        let asked_back = &self.before.turn.asked_back;
        let asks = has(&self.phrases.asks, self.text().word(Some(0)));
        if asked_back.is_empty() || self.said.leads || asks {
            return None;
        }
        let question = &self.before.facts.text;
        let place = (0..question.words.len()).find_map(|word| question.at(word, &asked_back.to_lowercase()))?;
        let list = &self.before.turn.shown;
        if let Some(Refers::Nth(words, nth)) = &self.said.refers {
            let id = list.get(nth.or(list.len().checked_sub(1))?)?;
            return Some(self.named(question, &place, &self.text().text[words.clone()], id));
        }
        // The name of one of those that may be meant, or its kind.
        let text = trimmed(&self.text().text, &self.phrases.articles);
        let low = text.to_lowercase();
        let is = |id: &&String| self.known.kind(id) == low || id.rsplit('/').next() == Some(&text);
        let mut meant = list.iter().filter(is);
        if let (Some(one), None) = (meant.next(), meant.next()) {
            return Some(self.named(question, &place, &text, one));
        }
        if self.said.refers.is_some() || !(self.bare.has_thing() || self.bare.has_place()) {
            return None;
        }
        // "this deployment" says of which kind it is.
        let noun = asked_back.split_once(' ').map_or("", |(_, noun)| noun);
        let says_kind = text.contains('/') || low.split_whitespace().any(|word| word == noun);
        let name = if noun.is_empty() || says_kind { text } else { format!("{noun} {text}") };
        let question = question.with(&place, &name);
        let told = format!("\"{asked_back}\" is \"{name}\".");
        Some(Resolution::As(Reading { question, told, ..Reading::default() }))
    }

    /// A question with an object in the place of the words that mean it.
    fn named(&self, text: &Text, place: &Range<usize>, words: &str, id: &str) -> Resolution {
        let reference = self.known.reference(id);
        let told = format!("\"{words}\" is {}.", self.known.called(id));
        let rest = text.with(place, " ");
        let says_more = Text::new(&rest).words.iter().any(|(word, _)| {
            !has(&self.phrases.idle, word)
                && !has(&self.phrases.articles, word)
                && !["show", "describe", "see"].contains(&word.as_str())
        });
        if self.of_types() {
            let question = if says_more { text.with(place, &reference) } else { format!("explain {id}") };
            return Resolution::As(Reading { question, told, ..Reading::default() });
        }
        if says_more && self.known.kind(id) == "namespace" {
            // What is asked of a namespace is asked of what is in it.
            let question = text.with(place, &reference.replacen('/', " ", 1));
            return Resolution::As(Reading { question, told, ..Reading::default() });
        }
        let question = if says_more { text.with(place, &reference) } else { format!("describe {reference}") };
        Resolution::As(Reading { question, objects: vec![id.to_owned()], told, ..Reading::default() })
    }

    fn more(&self) -> Resolution {
        let Before { turn, .. } = self.before;
        let told = "The question before, with all that answers it.".to_owned();
        Resolution::As(Reading {
            question: turn.asked.clone(),
            objects: turn.objects.clone(),
            all: true,
            told,
            ..Reading::default()
        })
    }

    fn why(&self) -> Resolution {
        let answered = self.answered();
        match answered {
            _ if self.of_types() => Resolution::Alone,
            [] => self.nothing(None),
            [one] => {
                let question = format!("why is {} failing", self.known.reference(one));
                let told = format!("Asked of {}.", self.known.called(one));
                Resolution::As(Reading { question, objects: vec![one.clone()], told, ..Reading::default() })
            }
            _ => Resolution::As(Reading {
                question: tidy(&format!("{}, why", ended(&self.before.turn.asked))),
                objects: answered.to_vec(),
                noun: self.before.turn.noun.clone(),
                told: self.asked_of(answered),
                ..Reading::default()
            }),
        }
    }

    fn asked_of(&self, objects: &[String]) -> String {
        format!("Asked of the {} before.", counted(objects.len(), self.noun()))
    }

    fn nth(&self, place: &Range<usize>, nth: Option<usize>) -> Resolution {
        // "The first pod that …" is none of those.
        let Some((place, _)) = self.with_noun(place, self.shown()) else { return Resolution::Alone };
        if self.other_things(&place) {
            return Resolution::Alone;
        }
        let list = self.shown();
        let at = nth.unwrap_or(list.len().saturating_sub(1));
        match list.get(at) {
            Some(id) => self.named(self.text(), &place, &self.text().text[place.clone()], id),
            None if list.is_empty() => self.nothing(Some(&place)),
            None => {
                let text = format!("The answer before has no number {}: it showed {}.", at + 1, list.len());
                self.back(Some(&place), text, list)
            }
        }
    }

    fn shown(&self) -> &[String] {
        if self.before.list.is_empty() { &self.before.turn.answered } else { self.before.list }
    }

    /// The words that point with the noun behind them, and what of `all` that noun is for; nothing where it is for something else.
    fn with_noun(&self, place: &Range<usize>, all: &[String]) -> Option<(Range<usize>, Vec<String>)> {
        let (_, after) = self.text().word_at(place);
        let word = self.text().word(Some(after));
        let single = singular(word);
        let points_at_things = |of: &str| of == word || of == single || crate::english::plural(of) == word;
        let noun = self.before.turn.noun.to_lowercase();
        let last = noun.rsplit(' ').next().unwrap_or_default();
        let wide = || place.start..self.text().words[after].1.end;
        if !word.is_empty() && (points_at_things(&noun) || points_at_things(last)) {
            return Some((wide(), all.to_vec()));
        }
        let of_kind: Vec<String> =
            all.iter().filter(|id| !word.is_empty() && points_at_things(&self.known.kind(id))).cloned().collect();
        if !of_kind.is_empty() {
            return Some((wide(), of_kind));
        }
        if !word.is_empty() && self.known.is_noun(word) && self.points_before(place) {
            return None;
        }
        Some((place.clone(), all.to_vec()))
    }

    /// Whether a noun may follow: "those pods", "the second pod"; but not "of them pods".
    fn points_before(&self, place: &Range<usize>) -> bool {
        let words = self.text().text[place.clone()].to_lowercase();
        let last = words.rsplit(' ').next().unwrap_or_default();
        matches!(self.said.refers, Some(Refers::Nth(..)))
            || has(&self.phrases.this, last)
            || ["those", "these", "diese", "jene", "esos", "esas", "estos", "estas", "esses", "essas"].contains(&last)
    }

    /// Whether the question is about something else than what the words at a place point at.
    fn other_things(&self, place: &Range<usize>) -> bool {
        let noun = self.text().text[place.clone()].to_lowercase();
        self.bare.things.iter().any(|at| !noun.contains(&self.bare.text.text[at.clone()].to_lowercase()))
    }

    /// Whether the words at a place point at what the same question says before: "is there a cache, and who uses it?"
    fn is_inside(&self, place: &Range<usize>) -> bool {
        let things = || self.bare.things.iter().filter(|thing| thing.end <= place.start);
        let after_thing = |at: &Range<usize>| at.end <= place.start && things().any(|thing| thing.end <= at.start);
        let mut words = self.text().words.iter();
        let joined = words.any(|(word, at)| has(&self.phrases.joins, word) && after_thing(at));
        // "The memcached one" is one of them.
        let spoken_of = matches!(self.said.refers, Some(Refers::It(_) | Refers::Them(_)));
        joined || spoken_of && self.bare.names && things().next().is_some()
    }

    fn it(&self, place: &Range<usize>) -> Resolution {
        let answered = self.answered();
        let Some((place, candidates)) = self.with_noun(place, answered) else { return Resolution::Alone };
        let (place, candidates) = (&place, self.what_runs(candidates));
        let others = self.other_things(place);
        match &candidates[..] {
            [] => self.nothing(Some(place)),
            [one] if others && !self.of_types() => {
                let question = self.text().with(place, &self.known.reference(one));
                let words = &self.text().text[place.clone()];
                let told = format!("\"{words}\" is {}.", self.known.called(one));
                Resolution::As(Reading { question, told, ..Reading::default() })
            }
            [one] => self.named(self.text(), place, &self.text().text[place.clone()], one),
            _ if self.bare.counts && !others => self.of_all(&self.bare.text.text),
            several => self.which(place, several),
        }
    }

    /// Of objects of one name the one that runs: a Service of that name is beside it.
    fn what_runs(&self, objects: Vec<String>) -> Vec<String> {
        let name = |id: &String| id.rsplit('/').next().map(str::to_owned);
        let same = objects.iter().all(|id| name(id) == objects.first().and_then(name));
        let running: Vec<String> = objects.iter().filter(|id| self.known.runs(id)).cloned().collect();
        if same && running.len() == 1 { running } else { objects }
    }

    fn them(&self, place: &Range<usize>, like: bool) -> Resolution {
        // "And those in production?" are not those in staging.
        let elsewhere = like && !self.said.only && self.bare.has_place() && self.before.facts.has_place();
        let elsewhere = elsewhere && !self.text().text[..place.start].to_lowercase().trim_end().ends_with("of");
        if elsewhere {
            return self.carried();
        }
        let answered = self.answered();
        let Some((place, of)) = self.with_noun(place, answered) else { return Resolution::Alone };
        if answered.is_empty() {
            return self.nothing(Some(&place));
        }
        let bare = self.text().with(&place, " ");
        if of.len() < answered.len() { self.of(&of, &bare) } else { self.of_all(&bare) }
    }

    /// What was asked of and did not answer.
    fn others(&self, place: &Range<usize>) -> Resolution {
        let turn = self.before.turn;
        let others: Vec<String> = turn.objects.iter().filter(|id| !turn.answered.contains(id)).cloned().collect();
        if others.is_empty() || turn.more {
            return self.nothing(Some(place));
        }
        let told = format!("Asked of the {} others before.", others.len());
        let bare = self.text().with(place, " ");
        let question = if self.bare.is_empty() { "everything".to_owned() } else { tidy(&bare) };
        Resolution::As(Reading { question, objects: others, told, ..Reading::default() })
    }

    /// "Which apps use them?" asks for other things, of which "them" only says which.
    fn is_beside(&self, place: &Range<usize>) -> bool {
        let (first, after) = self.text().word_at(place);
        let before = self.text().word(first.checked_sub(1));
        let alone = after - first == 1;
        // "And their services?"
        if has(&self.phrases.whose, &self.text().text[place.clone()].to_lowercase()) {
            return self.with_noun(place, self.answered()).is_none_or(|(wide, _)| wide == *place)
                && self.bare.has_thing();
        }
        let others = self.bare.has_thing() || has(&self.phrases.asks, self.text().word(Some(0)));
        self.text().is_spaced()
            && alone
            && first > 1
            && others
            && !has(&self.phrases.acts, before)
            && after == self.text().words.len()
    }

    /// What has to do with what was answered cannot be told from a list of it.
    fn related(&self, place: &Range<usize>) -> Resolution {
        let answered = self.answered();
        match answered {
            [] => self.nothing(Some(place)),
            [one] => {
                let question = self.text().with(place, &self.known.reference(one));
                let words = &self.text().text[place.clone()];
                let told = format!("\"{words}\" is {}.", self.known.called(one));
                Resolution::As(Reading { question, told, ..Reading::default() })
            }
            several => {
                let of = counted(several.len(), self.noun());
                let text = format!(
                    "What has to do with the {of} before is not known of all of them at once. Ask about one, by its name."
                );
                self.back(Some(place), text, several)
            }
        }
    }

    /// What was answered, less one of it.
    fn but_one(&self, place: &Range<usize>, nth: Option<usize>) -> Resolution {
        let answered = self.answered();
        let list = self.shown();
        let one = list.get(nth.unwrap_or(list.len().saturating_sub(1)));
        match one.filter(|one| answered.contains(one) && answered.len() > 1 && !self.before.turn.more) {
            Some(one) => {
                let objects: Vec<String> = answered.iter().filter(|id| *id != one).cloned().collect();
                let told = format!("{} Without {}.", self.asked_of(answered), self.known.called(one));
                let noun = self.before.turn.noun.clone();
                Resolution::As(Reading { question: "everything".to_owned(), objects, noun, told, ..Reading::default() })
            }
            None => self.nth(place, nth),
        }
    }

    /// The question before, less something.
    fn but(&self) -> Resolution {
        let text = self.text();
        let after = text.begins(&self.phrases.but).map_or(0, |(_, at)| at.end);
        let without = self.phrases.but.first().map_or("", String::as_str);
        let question = format!("{} {without} {}", ended(&self.before.facts.text.text), text.text[after..].trim());
        self.read_as(&question, self.before.turn.objects.clone())
    }

    /// Asked of all that was answered.
    fn of_all(&self, bare: &str) -> Resolution {
        let answered = self.answered();
        if answered.is_empty() {
            return self.nothing(None);
        }
        if self.before.turn.more {
            // Not all of them are known here, so they are asked for again.
            return self.carried();
        }
        self.of(answered, bare)
    }

    fn of(&self, objects: &[String], bare: &str) -> Resolution {
        let turn = self.before.turn;
        let question = match (self.bare.is_empty(), self.bare.counts) {
            (true, _) => "everything".to_owned(),
            (false, true) if !self.bare.has_thing() && !self.bare.has_place() && !self.bare.narrows => {
                "how many".to_owned()
            }
            // A few words say in which language they are only beside others.
            _ if self.phrases.name != "English" => {
                let asks = [&self.phrases.asks[..], &self.phrases.idle].concat();
                tidy(&format!("{} {}", ended(&self.before.facts.text.text), trimmed(bare, &asks)))
            }
            _ => tidy(bare),
        };
        let (told, noun) = (self.asked_of(objects), turn.noun.clone());
        if self.of_types() {
            return Resolution::As(Reading { question, types: objects.to_vec(), told, ..Reading::default() });
        }
        Resolution::As(Reading { question, objects: objects.to_vec(), noun, told, ..Reading::default() })
    }

    fn without_pointing(&self) -> Resolution {
        let Self { said, bare, phrases, before, .. } = self;
        let asks = has(&phrases.asks, bare.text.word(Some(0)));
        if bare.has_thing() {
            return match (said.leads, asks) {
                (false, _) => Resolution::Alone,
                (true, true) if !bare.has_place() && before.facts.has_place() => self.placed(),
                (true, true) => Resolution::Alone,
                (true, false) => self.instead(),
            };
        }
        if bare.unknown_place {
            let name = trimmed(&bare.text.text, &phrases.inside);
            let text = format!("Where is \"{name}\"? No namespace, team or stage is called so.");
            return self.back(None, text, &[]);
        }
        let of_all = bare.text.begins(&phrases.open).is_some();
        match () {
            () if bare.is_empty() && said.leads => {
                let text = "And what? Say what else you want to know, such as \"and in which namespaces?\".".to_owned();
                self.back(None, text, &[])
            }
            () if bare.is_empty() || of_all && !said.leads => Resolution::Alone,
            () if !before.facts.has_thing() && before.turn.objects.is_empty() && !before.facts.narrows => {
                Resolution::Alone
            }
            () => self.carried(),
        }
    }

    fn read_as(&self, question: &str, objects: Vec<String>) -> Resolution {
        let question = tidy(question);
        let told = match objects.is_empty() {
            true => format!("Read as \"{question}\"."),
            false => format!("{} Read as \"{question}\".", self.asked_of(&objects)),
        };
        let noun = if objects.is_empty() { String::new() } else { self.before.turn.noun.clone() };
        Resolution::As(Reading { question, objects, noun, told, ..Reading::default() })
    }

    /// The question, where the one before was asked.
    fn placed(&self) -> Resolution {
        self.read_as(&format!("{} {}", self.bare.text.text, self.before.facts.place()), Vec::new())
    }

    /// The question before, of something else.
    fn instead(&self) -> Resolution {
        let (before, bare) = (&self.before.facts, self.bare);
        let thing = without(&bare.text, &bare.places);
        let thing = trimmed(&thing, &self.phrases.articles);
        let Some(at) = before.thing() else {
            let place = if bare.has_place() { bare.place() } else { before.place() };
            // Nothing stands there in whose place it could stand: what else was asked is asked of it.
            let states: Vec<&str> = before.states.iter().map(|at| &before.text.text[at.clone()]).collect();
            let count = if before.counts { "how many " } else { "" };
            return self.read_as(&format!("{count}{thing} {} {place}", states.join(" ")), Vec::new());
        };
        // "What is an ingress?" - "and a cron job?"
        let (first, _) = before.text.word_at(&at);
        let article = first.checked_sub(1).filter(|word| ["a", "an"].contains(&before.text.word(Some(*word))));
        let (at, thing) = match article {
            Some(word) => (before.text.words[word].1.start..at.end, with_article(&thing)),
            None => (at, thing),
        };
        let mut edits: Vec<(Range<usize>, &str)> = vec![(at.clone(), thing.as_str())];
        let place = self.place();
        let apart =
            before.places.iter().filter(|place| place.end <= at.start || place.start >= at.end).cloned().collect();
        let rest = self.moved(apart, &place, &mut edits);
        let question = format!("{} {rest}", edited(&before.text, edits));
        // "Which of them are deployments?" - "and services?"
        let of_several = before.names || bare.has_place() || self.before.turn.objects.len() < 2;
        self.read_as(&question, if of_several { Vec::new() } else { self.before.turn.objects.clone() })
    }

    /// Puts the place of this question where the one before has its own; what is left goes behind it.
    fn moved<'p>(
        &self,
        places: Vec<Range<usize>>,
        place: &'p str,
        edits: &mut Vec<(Range<usize>, &'p str)>,
    ) -> &'p str {
        if !self.bare.has_place() {
            return "";
        }
        let rest = if places.is_empty() { place } else { "" };
        edits.extend(places.into_iter().enumerate().map(|(n, at)| (at, if n == 0 { place } else { " " })));
        rest
    }

    /// The question before, with what this one says in addition, or in the place of the same.
    fn carried(&self) -> Resolution {
        let (before, bare) = (&self.before.facts, self.bare);
        if self.of_types() && bare.has_place() {
            // Types are in no namespace; their objects are.
            let types = self.answered().to_vec();
            let told = format!("Asked of the objects of the {} before.", counted(types.len(), self.noun()));
            let question = tidy(&format!("everything {}", self.place()));
            return Resolution::As(Reading { question, types, told, ..Reading::default() });
        }
        let mut edits: Vec<(Range<usize>, &str)> = Vec::new();
        let place = self.place();
        let rest = self.moved(before.places.clone(), &place, &mut edits);
        let asks = [&self.phrases.asks, &self.phrases.idle, &self.phrases.articles].map(|list| list.clone()).concat();
        let condition = match bare.narrows || bare.has_thing() {
            true => trimmed(&without(&bare.text, &bare.places), &asks),
            false => String::new(),
        };
        let replaces = !bare.states.is_empty() && !before.states.is_empty();
        if replaces {
            let states = before.states.iter().enumerate();
            edits.extend(states.map(|(n, at)| (at.clone(), if n == 0 { condition.as_str() } else { " " })));
        }
        let mut question = edited(&before.text, edits);
        if !replaces {
            question = format!("{question} {condition}");
        }
        question = format!("{question} {rest}");
        if bare.counts && !before.counts {
            question = format!("{}, {}", question.trim(), self.phrases.count);
        }
        // A name is looked for anew where it is to be somewhere else.
        let objects = if before.names || before.has_thing() && bare.has_place() {
            Vec::new()
        } else {
            self.before.turn.objects.clone()
        };
        self.read_as(&question, objects)
    }

    /// Where this question says that things are, so that it can stand in another one.
    fn place(&self) -> String {
        let place = self.bare.place();
        let first = Text::new(&place).word(Some(0)).to_owned();
        let led = has(&self.phrases.inside, &first) && !["the", "our", "team", "namespace"].contains(&first.as_str());
        if led || !self.text().is_spaced() {
            place
        } else {
            format!("{} {place}", self.phrases.inside.first().map_or("in", String::as_str))
        }
    }
}

/// A text without some of its parts.
fn without(text: &Text, parts: &[Range<usize>]) -> String {
    edited(text, parts.iter().map(|at| (at.clone(), " ")).collect())
}

fn edited(text: &Text, mut edits: Vec<(Range<usize>, &str)>) -> String {
    edits.sort_by_key(|(at, _)| std::cmp::Reverse((at.start, at.end)));
    let mut edited = text.text.clone();
    let mut before = edited.len();
    // Of two that lie over each other the one behind counts.
    for (at, with) in edits {
        if at.end <= before {
            before = at.start;
            edited.replace_range(at, with);
        }
    }
    ended(&edited).to_owned()
}

/// Without the mark at its end.
fn ended(text: &str) -> &str {
    text.trim().trim_end_matches(['?', '.', '!', '？', '。', ' '])
}

/// Without these words before it.
fn trimmed(text: &str, words: &[String]) -> String {
    let text = Text::new(text);
    let first = text.words.iter().find(|(word, _)| !has(words, word));
    first.map_or_else(|| text.text.clone(), |(_, at)| text.text[at.start..].to_owned())
}

/// A noun in the singular, as far as a plural ends in "s".
fn singular(word: &str) -> String {
    match word {
        _ if word.ends_with("ies") => format!("{}y", &word[..word.len() - 3]),
        _ if ["sses", "xes", "ches", "shes"].iter().any(|end| word.ends_with(end)) => word[..word.len() - 2].to_owned(),
        _ => word.strip_suffix('s').unwrap_or(word).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_catalogue::Catalogue;
    use clusterlore_core::ResourceType;
    use clusterlore_search::ParsedQuery;
    use proptest::prelude::*;

    use super::super::phrases::languages;
    use super::*;

    struct Names;

    impl Known for Names {
        fn reference(&self, id: &str) -> String {
            id.to_owned()
        }

        fn called(&self, id: &str) -> String {
            format!("the {id}")
        }

        fn kind(&self, id: &str) -> String {
            id.split('/').next().unwrap_or_default().to_owned()
        }

        fn runs(&self, id: &str) -> bool {
            id.starts_with("deployment")
        }

        fn is_noun(&self, word: &str) -> bool {
            ["pods", "caches"].contains(&word)
        }
    }

    /// A question of words that mean something to the rule, and of such as mean nothing, or are longer in lower case.
    fn question() -> impl Strategy<Value = String> {
        let words: Vec<String> = languages()
            .iter()
            .flat_map(|phrases| {
                let lists = [
                    &phrases.leads,
                    &phrases.them,
                    &phrases.those,
                    &phrases.it,
                    &phrases.this,
                    &phrases.inside,
                    &phrases.but,
                    &phrases.others,
                    &phrases.more,
                    &phrases.why,
                    &phrases.only,
                    &phrases.nth[1],
                    &phrases.orders,
                    &phrases.asks,
                ];
                lists.into_iter().flatten().cloned().collect::<Vec<_>>()
            })
            .chain(
                [
                    "shop",
                    "caches",
                    "İstanbul",
                    "ẞ",
                    "数据库",
                    "deployment/web",
                    "?",
                    "¿",
                    "\u{301}",
                    "\u{1f600}",
                    "…",
                    "3",
                    "#2",
                ]
                .map(str::to_owned),
            )
            .collect();
        prop::collection::vec(prop::sample::select(words), 0..8).prop_map(|words| words.join(" "))
    }

    fn facts(text: &str, phrases: &Phrases, places: &[String]) -> Facts {
        let mut parsed = ParsedQuery::default();
        text.clone_into(&mut parsed.text);
        parsed.places = places.to_vec();
        Facts::of(text, &parsed, phrases, Catalogue::builtin(), &[(String::new(), ResourceType::default())])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// Whatever is asked after whatever, the rule ends, says the same twice, and asks of no object that was not answered.
        #[test]
        fn no_dialogue_is_too_odd(
            before in question(),
            next in question(),
            answered in prop::collection::vec(prop::sample::select(vec!["deployment/web", "service/web", "pod/a"]), 0..4),
            back in any::<bool>(),
        ) {
            let answered: Vec<String> = answered.into_iter().map(str::to_owned).collect();
            let turn = Turn {
                asked: before.clone(),
                answered: answered.clone(),
                shown: answered.clone(),
                asked_back: if back { before.split(' ').next().unwrap_or_default().to_owned() } else { String::new() },
                ..Turn::default()
            };
            for phrases in languages() {
                let said = Said::of(&next, phrases);
                let places = ["shop".to_owned(), "İstanbul".to_owned(), "数".to_owned()];
                let of = || Before { turn: &turn, list: &answered, facts: facts(&before, phrases, &places) };
                let bare = facts(&said.bare(), phrases, &places);
                for rule in [resolve as Rule, answer_back] {
                    let read = rule(&of(), &said, &bare, phrases, &Names);
                    prop_assert_eq!(&read, &rule(&of(), &said, &bare, phrases, &Names));
                    if let Resolution::As(reading) = read {
                        prop_assert!(!reading.told.is_empty(), "what is taken over is told");
                        prop_assert!(reading.objects.iter().all(|id| answered.contains(id)));
                        prop_assert_eq!(tidy(&reading.question), reading.question);
                    }
                }
            }
        }
    }
}
