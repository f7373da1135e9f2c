//! An answer about objects that a question describes: what they are, how many, where, and, where the cluster was read, in what state.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_catalogue::Catalogue;
use clusterlore_core::conditions::{Beyond, LiveCondition};
use clusterlore_core::words;
use clusterlore_index::Group;
use clusterlore_search::{GroupBy, Note, Order};

use super::phrases::{Called, NAMED, OBJECTS, enumerated, of_several_clusters, place, the, these, untold};
use super::said::Said;
use crate::answer::{Item, Sentence, Step, Verb};
use crate::english::{counted, few, list, with_article};
use crate::gather::Found;
use crate::states::predicate;
use crate::steps::{about, as_kubectl_has_it};
use crate::things::{Thing, Wanted, things, wanted};

/// The lowest score of what surely fits a description.
const SURELY: f32 = 0.33;
/// How far below the best another may score and still be named beside it.
const AS_GOOD: f32 = 0.6;
/// Groups that are told in a sentence.
const GROUPS: usize = 6;

pub(super) fn said(
    found: &Found,
    things: &[Thing],
    catalogue: &Catalogue,
    context: &dyn Fn(Option<&str>) -> Option<String>,
) -> Said {
    let topic = Topic::of(found, things, catalogue);
    let mut said = topic.said();
    if said.next.is_empty() {
        said.next = topic.steps(context, &said.answers);
    }
    said
}

/// How many of each: `None` where what they are grouped by is not known here.
fn grouped(things: &[Thing], answers: &[&Item], by: &GroupBy) -> Option<Vec<Group>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for thing in things.iter().filter(|thing| answers.iter().any(|item| item.id == thing.item.id)) {
        let group = match by {
            GroupBy::Kind => Some(thing.item.kind.as_str()),
            GroupBy::Namespace => thing.item.namespace.as_deref(),
            GroupBy::Cluster => Some(thing.item.cluster_name.as_str()).filter(|name| !name.is_empty()),
            GroupBy::Label(key) => thing.labels.get(key).map(String::as_str),
            GroupBy::Owner => return None,
        };
        *counts.entry(group.unwrap_or("(none)")).or_default() += 1;
    }
    let mut groups: Vec<Group> =
        counts.into_iter().map(|(name, count)| Group { name: name.to_owned(), count }).collect();
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    Some(groups)
}

/// What a question is about, and what of it was found.
struct Topic<'a> {
    found: &'a Found,
    things: &'a [Thing],
    catalogue: &'a Catalogue,
    wanted: Wanted<'a>,
    /// Whether the answer is what fits a description, and not all of a scope or of a sort.
    described: bool,
    /// What is one of what is asked for.
    answers: Vec<&'a Item>,
    /// How many there are of it, where that can be said.
    number: Option<usize>,
    /// How many of each, where that is asked.
    groups: Vec<Group>,
    /// Conditions that narrow, where the cluster was not read for them.
    unjudged: Vec<&'a LiveCondition>,
    /// Conditions that narrow, where it was.
    judged: Vec<&'a LiveCondition>,
}

impl<'a> Topic<'a> {
    fn of(found: &'a Found, things: &'a [Thing], catalogue: &'a Catalogue) -> Self {
        let reply = &found.reply;
        let wanted = match reply.parsed.scope_only {
            true => Wanted::Other,
            // What was read word for word is in the singular.
            false => match &reply.parsed.english {
                Some(english) => wanted(catalogue, english, &format!("a {english}")),
                None => {
                    // Where it is said to be is no part of what it is.
                    let namespaces = &reply.parsed.filter.namespaces;
                    let text = namespaces.iter().fold(reply.parsed.text.clone(), |text, name| text.replace(name, " "));
                    wanted(catalogue, &text, &found.question)
                }
            },
        };
        let counted: BTreeSet<&str> = reply.counted.iter().map(String::as_str).collect();
        let is_counted = |thing: &Thing| counted.contains(thing.item.id.as_str());
        // What the catalogue knows to be such a thing counts, and what is of a kind of that name; where there is none, what the search is
        // sure of.
        let is_known = |thing: &Thing| match &wanted {
            Wanted::Category(id, noun) => {
                thing.runs && thing.categories.iter().any(|of| catalogue.is_a(of, id))
                    || is_counted(thing) && thing.item.kind.eq_ignore_ascii_case(noun)
            }
            Wanted::Software(id, _) => thing.runs && thing.software.as_deref() == Some(*id),
            Wanted::Other => false,
        };
        let knows = things.iter().any(is_known);
        let is_one = |thing: &Thing| if knows { is_known(thing) } else { is_counted(thing) };
        // A scope is all of it, whatever else is asked of it; an order by age needs ages.
        let asked_of = reply.parsed.scope_only && reply.number.is_none() && reply.parsed.clauses.order.is_none();
        let narrows: Vec<&LiveCondition> = reply
            .parsed
            .needs
            .iter()
            .filter_map(|need| need.condition.as_ref())
            .filter(|condition| !condition.asks_for_a_value())
            .collect();
        let parsed = &reply.parsed;
        let described = !knows && !parsed.scope_only && narrows.is_empty() && !parsed.clauses.counts();
        let best = things.first().map_or(0.0, |thing| thing.score);
        let fits = |thing: &Thing| !described || best >= SURELY && thing.score >= best * AS_GOOD;
        let is_answer = |thing: &Thing| asked_of || thing.newer || is_one(thing) && fits(thing);
        let answers: Vec<&Item> = things.iter().filter(|thing| is_answer(thing)).map(|thing| &thing.item).collect();
        let looked = reply.judgement.as_ref().is_some_and(|judgement| judgement.looked);
        let (judged, unjudged) = if looked { (narrows, Vec::new()) } else { (Vec::new(), narrows) };
        let number = match reply.number {
            _ if !unjudged.is_empty() => None,
            Some(_) if knows => Some(answers.len()),
            Some(number) => {
                // What a shown object controls is counted with it.
                let controlled =
                    reply.hits.iter().flat_map(|hit| &hit.controlled).filter(|id| counted.contains(id.as_str()));
                Some(number.saturating_sub(controlled.count()).max(answers.len()))
            }
            // Of what a condition is not asked, the number stands whatever else metadata cannot say.
            None => (!answers.is_empty()).then_some(answers.len()),
        };
        let groups = match &reply.group_by {
            Some(by) if knows => grouped(things, &answers, by).unwrap_or_else(|| reply.groups.clone()),
            _ => reply.groups.clone(),
        };
        // What was counted otherwise is not what the catalogue knows.
        let number =
            if groups.is_empty() { number } else { number.map(|_| groups.iter().map(|group| group.count).sum()) };
        // What nothing is known to be is no name for what was found.
        let wanted = if knows { wanted } else { Wanted::Other };
        Self { found, things, catalogue, wanted, described, answers, groups, number, unjudged, judged }
    }

    fn said(&self) -> Said {
        let reply = &self.found.reply;
        if let Some(problem) = reply.problems.first() {
            return self.just(format!("Nothing can match: {problem}."));
        }
        if !self.unjudged.is_empty() {
            return self.unknown();
        }
        if self.things.is_empty() {
            return self.nothing();
        }
        // Services and settings of what answers are no news, and what is known to be of another sort is not near.
        let is_near = |thing: &&Thing| match &self.wanted {
            Wanted::Category(..) => thing.runs && thing.item.is.is_none(),
            Wanted::Software(..) => false,
            Wanted::Other => thing.runs && !reply.parsed.scope_only,
        };
        let near = self.things.iter().filter(is_near).map(|thing| thing.item.id.clone()).collect();
        let number = self.number.filter(|_| !self.described);
        let noun = self.called().noun();
        let mut said = Said { number, answers: self.ids(), noun, near, groups: self.groups.clone(), ..Said::default() };
        if self.found.no_type && !self.things.is_empty() {
            said.sentences.push(Sentence {
                text: "No resource type is for that; this is what there is.".to_owned(),
                ids: Vec::new(),
            });
        }
        let open = self.open();
        let untold = Sentence { text: format!("Not in the index: {}.", list(&open)), ids: Vec::new() };
        if self.answers.is_empty() {
            let shown: Vec<&Item> = self.things.iter().take(NAMED).map(|thing| &thing.item).collect();
            let clusters = of_several_clusters(shown.iter().copied());
            let one = |item: &&Item| format!("{}{}", the(item, true, true), place(item, clusters));
            let names = few(&shown.iter().map(one).collect::<Vec<_>>(), NAMED);
            let ids = shown.iter().map(|item| item.id.clone()).collect();
            if open.is_empty() {
                said.sentences
                    .push(Sentence { text: format!("Nothing is surely what you ask for. The nearest: {names}."), ids });
            } else {
                let nearest = if reply.parsed.scope_only { "You ask about" } else { "Nearest to the question:" };
                let all = self.things.len();
                let text = match self.kind() {
                    Some(kind) if all > NAMED && reply.parsed.scope_only => {
                        format!("You ask about {}.", counted(all, &kind))
                    }
                    _ => format!("{nearest} {names}."),
                };
                said.sentences.extend([untold, Sentence { text, ids }]);
            }
            return said;
        }
        said.sentences.push(self.main());
        let values =
            reply.parsed.needs.iter().any(|need| need.condition.as_ref().is_some_and(LiveCondition::asks_for_a_value));
        if values && reply.judgement.as_ref().is_some_and(|judgement| judgement.looked) {
            let text = "The table has what the cluster says of each now.".to_owned();
            said.sentences.push(Sentence { text, ids: Vec::new() });
        }
        said.sentences.extend(self.not_judged());
        said.sentences.extend(self.claims());
        said.sentences.extend(self.by_image());
        if !open.is_empty() {
            said.sentences.push(untold);
        }
        said
    }

    /// What the question says of things of a kind, and nobody compared with anything: words that nothing of what answers has. A time beside
    /// a state is that of creation.
    fn not_judged(&self) -> Option<Sentence> {
        let parsed = &self.found.reply.parsed;
        let aged = parsed.clauses.since.is_some() || parsed.clauses.until.is_some();
        if aged && !self.judged.is_empty() {
            let text = "The time is when they were created; since when they are so was not read.".to_owned();
            return Some(Sentence { text, ids: Vec::new() });
        }
        let names_kinds = !parsed.kinds.is_empty() || !parsed.filter.types.is_empty();
        let known = matches!(self.wanted, Wanted::Category(..) | Wanted::Software(..));
        if !names_kinds || known || parsed.scope_only || parsed.language.is_some() {
            return None;
        }
        let answered: Vec<&Thing> =
            self.things.iter().filter(|thing| self.answers.iter().any(|item| item.id == thing.item.id)).collect();
        let has = |word: &str| {
            answered.iter().any(|thing| {
                let item = &thing.item;
                let labels = thing.labels.iter().map(|(key, value)| format!("{key}={value}"));
                let texts = [&item.name, &item.about].into_iter().chain(&item.namespace).chain(&item.is).cloned();
                texts.chain(labels).any(|text| text.to_lowercase().contains(word))
            })
        };
        let is_kind = |word: &str| {
            let stem = words::stem(word);
            self.found
                .types
                .iter()
                .any(|(_, ty)| ty.answers_to(word) || ty.answers_to(&stem) || words::split(&ty.kind).contains(&stem))
        };
        let said = |word: &&str| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            !words::is_stop_word(&word) && !is_kind(&word) && !has(words::stem(&word).as_str()) && word.len() > 1
        };
        let unread: Vec<&str> = parsed.text.split_whitespace().filter(said).collect();
        let text = format!(
            "Not judged: \"{}\". No name, label or description says it, and the server's tables were not asked for it.",
            unread.join(" ")
        );
        (!unread.is_empty()).then_some(Sentence { text, ids: Vec::new() })
    }

    /// Which of what answers only asks for one: what is provided then is somewhere else.
    fn claims(&self) -> Option<Sentence> {
        let of_sort = matches!(self.wanted, Wanted::Category(..) | Wanted::Software(..));
        let is_claim = |item: &&&Item| self.things.iter().any(|thing| thing.claims && thing.item.id == item.id);
        let claims: Vec<&Item> = self.answers.iter().filter(is_claim).copied().collect();
        if !of_sort || claims.is_empty() {
            return None;
        }
        let noun = match self.called() {
            Called::Noun(noun) => with_article(&noun),
            _ => "it".to_owned(),
        };
        let text = match (claims.len(), self.answers.len()) {
            (1, 1) => format!("It is a claim: it asks for {noun}, which something else provides."),
            (all, number) if all == number => {
                format!("They are claims: each asks for {noun}, which something else provides.")
            }
            (1, _) => format!("1 of them is a claim: it asks for {noun}, which something else provides."),
            (some, _) => format!("{some} of them are claims: each asks for {noun}, which something else provides."),
        };
        Some(Sentence { text, ids: claims.into_iter().map(|item| item.id.clone()).collect() })
    }

    /// What runs an image of the name that is asked for, beside what is called or labelled so.
    fn by_image(&self) -> Option<Sentence> {
        let (name, reply) = self.found.image.as_ref()?;
        if !reply.judgement.as_ref().is_some_and(|judgement| judgement.looked) {
            let text =
                format!("This is by names and labels; which images run is not in the index, so others may run {name}.");
            return Some(Sentence { text, ids: Vec::new() });
        }
        let things = things(reply, &self.found.types, self.catalogue);
        let more: Vec<&Item> = things
            .iter()
            .map(|thing| &thing.item)
            .filter(|item| !self.answers.iter().any(|known| known.id == item.id))
            .collect();
        if more.is_empty() {
            return None;
        }
        let kinds: BTreeSet<&str> = more.iter().map(|item| item.kind.as_str()).collect();
        let called = match kinds.first().filter(|_| kinds.len() == 1) {
            Some(kind) => Called::Kind((*kind).to_owned()),
            None => Called::Noun("object".to_owned()),
        };
        let all = enumerated(&called, more.len(), &more);
        let text = format!("By image, {name} is also run by {all}");
        Some(Sentence { text, ids: more.iter().map(|item| item.id.clone()).collect() })
    }

    /// What was asked that nobody looked at.
    fn open(&self) -> Vec<&'static str> {
        let reply = &self.found.reply;
        let untold = |need: &clusterlore_search::Need| match need.what {
            Beyond::Time if reply.parsed.clauses != Default::default() => "when they were created",
            what => untold(what),
        };
        let mut open: Vec<&str> =
            reply.parsed.needs.iter().filter(|need| !self.found.is_read(need)).map(untold).collect();
        open.dedup();
        open
    }

    fn ids(&self) -> Vec<String> {
        self.answers.iter().map(|item| item.id.clone()).collect()
    }

    fn just(&self, text: String) -> Said {
        Said { sentences: vec![Sentence { text, ids: Vec::new() }], number: Some(0), ..Said::default() }
    }

    /// How many there are, what they are and where.
    fn main(&self) -> Sentence {
        let reply = &self.found.reply;
        let number = self.number.unwrap_or(self.answers.len());
        let called = self.called();
        let ids = self.ids();
        let clauses = &reply.parsed.clauses;
        if let (Some(by), false) = (&reply.group_by, self.groups.is_empty()) {
            return Sentence { text: self.grouped(&called, number, by), ids };
        }
        if let Some(order) = clauses.order.filter(|_| clauses.at_most.is_some() || number > 1) {
            let (first, last) = match order {
                Order::Newest => ("newest", "newest"),
                Order::Oldest => ("oldest", "oldest"),
            };
            let clusters = of_several_clusters(self.answers.iter().copied());
            let one = |item: &&Item| format!("{}{}", the(item, true, false), place(item, clusters));
            let ordered: Vec<&Item> = self.things.iter().map(|thing| &thing.item).collect();
            let shown: Vec<String> = ordered.iter().take(self.found.limit.min(NAMED)).map(one).collect();
            let text = match &shown[..] {
                [one] => format!("The {last} is {one}."),
                _ => format!("The {first} first: {}.", list(&shown)),
            };
            return Sentence { text, ids };
        }
        if let Some(first) = reply.parsed.needs.iter().find(|need| need.first.is_some()) {
            let clusters = of_several_clusters(self.answers.iter().copied());
            let one = |item: &&Item| {
                let state = item.state.first().map(|state| format!(" ({})", state.text)).unwrap_or_default();
                format!("{}{}{state}", the(item, true, false), place(item, clusters))
            };
            let shown: Vec<String> =
                self.answers.iter().copied().take(self.found.limit.min(NAMED)).map(|item| one(&item)).collect();
            return Sentence { text: format!("By \"{}\", in that order: {}.", first.said, list(&shown)), ids };
        }
        // What fits a description best is not counted, unless that is asked.
        if self.described {
            return Sentence { text: self.best(), ids };
        }
        let list = enumerated(&called, number, &self.answers);
        if self.judged.is_empty() {
            let yes = self.found.manner.yes_or_no && self.open().is_empty();
            return Sentence { text: if yes { format!("Yes, {list}") } else { list }, ids };
        }
        // "3 Pods in shop are pending: a, b and c."
        let mut so: Vec<String> = self.judged.iter().map(|condition| predicate(condition, number == 1)).collect();
        so.dedup();
        let so = crate::english::list(&so);
        let head_ends = list.find([':', ',']).unwrap_or(list.len() - 1);
        let (head, rest) = list.split_at(head_ends);
        Sentence { text: format!("{head} {so}{rest}"), ids }
    }

    /// The best, then others.
    fn best(&self) -> String {
        let clusters = of_several_clusters(self.answers.iter().copied());
        let one = |item: &&Item| format!("{}{}", the(item, true, true), place(item, clusters));
        let mut names: Vec<String> = self.answers.iter().take(NAMED).map(one).collect();
        let first = names.remove(0);
        if self.answers.len() > NAMED {
            names.push(format!("{} more", self.answers.len() - NAMED));
        }
        match names.is_empty() {
            true => format!("The best match is {first}."),
            false => format!("The best match is {first}. Next best: {}.", list(&names)),
        }
    }

    fn grouped(&self, called: &Called, number: usize, by: &GroupBy) -> String {
        let one = |group: &Group| format!("{} {}", group.name, group.count);
        let parts: Vec<String> = self.groups.iter().map(one).collect();
        let by = match by {
            GroupBy::Label(key) => format!("the label {key}"),
            other => other.to_string(),
        };
        format!("{} by {by}: {}.", called.counted(number), few(&parts, GROUPS))
    }

    /// What the things are called together.
    fn called(&self) -> Called {
        let kinds: BTreeSet<&str> = self.answers.iter().map(|item| item.kind.as_str()).collect();
        let kind = kinds.first().filter(|_| kinds.len() == 1).map(|kind| Called::Kind((*kind).to_owned()));
        match &self.wanted {
            Wanted::Category(_, noun) if !noun.is_empty() => Called::Noun(noun.clone()),
            Wanted::Category(id, _) => {
                let phrase = self.catalogue.category(id).and_then(|category| category.phrases.first());
                Called::For(phrase.map_or_else(|| id.replace('-', " "), |phrase| phrase.to_string()))
            }
            Wanted::Software(_, title) => Called::Software((*title).to_owned()),
            Wanted::Other
                if self.found.reply.parsed.scope_only
                    && !self.found.noun.is_empty()
                    && kind != Some(Called::Kind(self.found.noun.clone())) =>
            {
                Called::Noun(self.found.noun.clone())
            }
            Wanted::Other if self.found.reply.parsed.scope_only => kind.unwrap_or(Called::Noun("object".to_owned())),
            Wanted::Other => kind.unwrap_or(Called::Matches),
        }
    }

    /// The one kind that is asked of, or that all is of.
    fn kind(&self) -> Option<String> {
        let kinds: BTreeSet<&str> = self.things.iter().map(|thing| thing.item.kind.as_str()).collect();
        kinds.first().filter(|_| kinds.len() == 1).map(|kind| (*kind).to_owned())
    }

    /// A condition that nobody looked at.
    fn unknown(&self) -> Said {
        let reply = &self.found.reply;
        let so: Vec<String> = self.unjudged.iter().map(|condition| predicate(condition, false)).collect();
        let number = (reply.parsed.scope_only && self.found.whole).then_some(self.things.len());
        let of = these(number.filter(|number| *number > 1), self.kind().as_deref());
        let why = match reply.judgement.as_ref().and_then(|judgement| judgement.unread.first()) {
            Some(why) => why.clone(),
            None => "the cluster was not asked".to_owned(),
        };
        let text = match self.things.is_empty() {
            true => format!("Not known: {why}."),
            false => format!("Which of {of} {} is not known: {why}.", list(&so)),
        };
        let ids: Vec<String> = self.things.iter().map(|thing| thing.item.id.clone()).collect();
        let noun = self.called().noun();
        Said { sentences: vec![Sentence { text, ids: Vec::new() }], answers: ids, noun, ..Said::default() }
    }

    fn nothing(&self) -> Said {
        let reply = &self.found.reply;
        let clauses = &reply.parsed.clauses;
        if let (Some(judgement), false) = (&reply.judgement, self.judged.is_empty()) {
            let so: Vec<String> = self.judged.iter().map(|condition| predicate(condition, true)).collect();
            // Ids end in kind and name.
            let kinds: BTreeSet<&str> = judgement.findings.keys().filter_map(|id| id.rsplit('/').nth(1)).collect();
            let noun = kinds.first().filter(|_| kinds.len() == 1).map_or("object", |kind| *kind);
            let of = counted(judgement.findings.len(), noun);
            if judgement.findings.is_empty() {
                return self.just("None: there is nothing of that sort that could be looked at.".to_owned());
            }
            if clauses.since.is_some() || clauses.until.is_some() {
                let so = list(&so);
                return self.just(format!("None: the server says of nothing of that age that it {so}."));
            }
            let seen = if judgement.unread.is_empty() { "None" } else { "None that could be read" };
            // Others may be so that the words of the question did not bring up.
            let namespaces: Vec<String> = reply.parsed.filter.namespaces.iter().cloned().collect();
            let these = match (reply.parsed.scope_only, &namespaces[..]) {
                (false, _) => "that fit the words".to_owned(),
                (true, []) => "in the cluster".to_owned(),
                (true, some) => format!("in {}", few(some, NAMED)),
            };
            return self.just(format!("{seen}: of {of} {these}, the server says of none that it {}.", list(&so)));
        }
        if clauses.since.is_some() || clauses.until.is_some() {
            return self.just("Nothing of that age is in the index.".to_owned());
        }
        if reply.notes.iter().any(|note| matches!(note, Note::Elsewhere { .. })) {
            return self.just("Nothing there is called so.".to_owned());
        }
        let open = self.open();
        if !open.is_empty() {
            let text =
                format!("The index does not know {}, and nothing in it matches the rest of the question.", list(&open));
            return Said { number: None, ..self.just(text) };
        }
        let of_some = self.found.took.as_ref().is_some_and(|took| !took.objects.is_empty());
        if of_some && reply.problems.is_empty() {
            return self.just(format!("None of them fits \"{}\".", self.found.question));
        }
        if let Some((name, of_image)) = &self.found.image {
            let looked = of_image.judgement.as_ref().is_some_and(|judgement| judgement.looked);
            return self.just(match looked {
                true => format!("Nothing is called or labelled {name}, and the server prints that image of nothing that it was asked for."),
                false => format!("Nothing is called or labelled {name}. Which images run is not in the index."),
            });
        }
        let no = if self.found.no_type {
            "No resource type is for that, and nothing in the index matches."
        } else if self.found.manner.yes_or_no {
            "No, nothing in the index matches."
        } else {
            "Nothing in the index matches."
        };
        let gone = reply.gone();
        if !gone.is_empty() {
            return self.just(format!("{no} {}.", gone.join(". ")));
        }
        if !reply.closest.is_empty() {
            let mut closest = reply.closest.clone();
            closest.dedup();
            let text = format!("{no} The nearest resource types: {}.", few(&closest, NAMED));
            return self.just(text);
        }
        // What is known by name is no question for another place.
        let named = !self.catalogue.asked(&reply.parsed.text).is_empty() || !reply.parsed.filter.is_empty();
        if named && !self.found.manner.for_advice {
            return self.just(no.to_owned());
        }
        let text = format!(
            "{no} You can ask what runs in the cluster and where, how many there are, what a resource type is for and, with the \
             cluster at hand, what state things are in."
        );
        self.just(text)
    }

    fn steps(&self, context: &dyn Fn(Option<&str>) -> Option<String>, answers: &[String]) -> Vec<Step> {
        let reply = &self.found.reply;
        let needs: BTreeSet<Beyond> =
            reply.parsed.needs.iter().filter(|need| !self.found.is_read(need)).map(|need| need.what).collect();
        let namespaces = &reply.parsed.filter.namespaces;
        let namespace = namespaces.first().filter(|_| namespaces.len() == 1).cloned();
        let all = |verb: Verb, ty: String, namespaced: bool| Step {
            verb,
            ty,
            name: None,
            namespace: namespace.clone(),
            namespaced,
            context: context(None),
        };
        let mut steps = Vec::new();
        if needs.contains(&Beyond::Rbac) {
            steps.push(all(Verb::CanI, String::new(), true));
        }
        if needs.contains(&Beyond::Metrics) {
            steps.push(all(Verb::Top, "pods".to_owned(), true));
        }
        if !self.unjudged.is_empty()
            || needs.iter().any(|need| matches!(need, Beyond::Status | Beyond::Image | Beyond::Spec))
        {
            steps.extend(self.kinds().into_iter().map(|(ty, namespaced)| all(Verb::Get, ty, namespaced)));
            return steps;
        }
        let answered: Vec<&Item> =
            self.things.iter().map(|thing| &thing.item).filter(|item| answers.contains(&item.id)).collect();
        if !self.groups.is_empty() {
            return steps;
        }
        // Two of many say nothing; all of a type are a list.
        if answered.len() > NAMED
            && needs.is_empty()
            && self.judged.is_empty()
            && matches!(self.called(), Called::Kind(_))
        {
            steps.extend(self.kinds().into_iter().map(|(ty, namespaced)| all(Verb::Get, ty, namespaced)));
            return steps;
        }
        if needs.contains(&Beyond::Events) && answered.len() > OBJECTS {
            steps.push(all(Verb::Events, String::new(), true));
        }
        for item in answered.iter().take(OBJECTS) {
            if needs.contains(&Beyond::Events) && answered.len() <= OBJECTS {
                steps.push(about(Verb::Events, item, self.catalogue, context(item.cluster.as_deref())));
            }
            if needs.contains(&Beyond::Logs) {
                steps.push(about(Verb::Logs, item, self.catalogue, context(item.cluster.as_deref())));
            }
            steps.push(about(Verb::Describe, item, self.catalogue, context(item.cluster.as_deref())));
        }
        steps
    }

    /// The first types of what was found as kubectl lists them, and whether their objects live in namespaces.
    fn kinds(&self) -> Vec<(String, bool)> {
        let mut kinds: Vec<(String, bool)> = Vec::new();
        for Thing { item, .. } in self.things {
            let group = item.api_version.split_once('/').map_or("", |(group, _)| group);
            let ty = match as_kubectl_has_it(self.catalogue, group, &item.kind, &item.type_name) {
                plain if plain == item.kind.to_lowercase() => crate::english::plural(&plain),
                full => full,
            };
            if !kinds.iter().any(|(known, _)| *known == ty) && kinds.len() < OBJECTS {
                kinds.push((ty, item.namespace.is_some()));
            }
        }
        kinds
    }
}
