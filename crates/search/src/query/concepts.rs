//! What the catalogue knows of a question: the software, categories and kinds that it names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use clusterlore_catalogue::{Asked, Catalogue, Cover, Meaning};
use clusterlore_core::words;

use super::parsed::ParsedQuery;

/// The concepts of a question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Concepts<'c> {
    /// What each part of the question that names software or a category may mean, and how many parts mean just that.
    pub(crate) parts: Vec<(Vec<Meaning<'c>>, usize)>,
    /// Ids of the software that the question names in words that mean nothing else. Only that software answers.
    pub(crate) software: BTreeSet<&'c str>,
    /// Group and kind of the kinds that the question names in other words than the kind itself ("scheduled jobs").
    pub(crate) kinds: BTreeSet<(&'c str, &'c str)>,
    /// What must not be found, as meanings and as words.
    pub(crate) unwanted: Vec<Meaning<'c>>,
    pub(crate) unwanted_terms: BTreeSet<String>,
    /// Whether only the software itself is not wanted, and not what it manages: "kubevirt's own components".
    pub(crate) unwanted_itself: bool,
}

impl<'c> Concepts<'c> {
    /// The concepts of a query's text, and of what it does not want.
    pub(crate) fn of(catalogue: &'c Catalogue, parsed: &ParsedQuery) -> Self {
        let text = &parsed.text;
        let mut spans: BTreeMap<(usize, usize), Vec<Meaning<'c>>> = BTreeMap::new();
        let (mut software_named, mut kinds) = (BTreeSet::new(), BTreeSet::new());
        let all = catalogue.asked(text);
        // "Docker registry" is a product, but also what people call any registry.
        let categories: Cover =
            all.iter().filter(|a| matches!(a.meaning, Meaning::Category(_))).map(|a| &a.span).collect();
        let of_software = kinds_by_software(catalogue, &all);
        for Asked { meaning, span, ambiguous, .. } in &all {
            match meaning {
                Meaning::Kind(kind) => {
                    kinds.insert((&*kind.group, &*kind.kind));
                    continue;
                }
                Meaning::Software(software) => {
                    // "Spark" has many meanings, but a "spark application" belongs to Apache Spark.
                    let sure = !ambiguous || of_software.get(&*software.id).is_some_and(|kinds| kinds.covers(span));
                    if sure && !categories.covers(span) && !is_example(text, span.start) {
                        software_named.insert(&*software.id);
                    }
                }
                Meaning::Category(_) => {}
            }
            spans.entry((span.start, span.end)).or_default().push(*meaning);
        }
        let mut parts: BTreeMap<Vec<_>, (Vec<Meaning<'c>>, usize)> = BTreeMap::new();
        for meanings in spans.into_values() {
            parts.entry(meanings.iter().map(Meaning::id).collect()).or_insert((meanings, 0)).1 += 1;
        }
        let parts = parts.into_values().collect();
        let mut unwanted: Vec<Meaning<'c>> = catalogue.asked(&parsed.unwanted).into_iter().map(|a| a.meaning).collect();
        unwanted.sort_by_key(Meaning::id);
        unwanted.dedup_by_key(|m| m.id());
        let unwanted_terms = words::terms(&parsed.unwanted).into_iter().filter(|t| !words::is_stop_word(t)).collect();
        let itself = ["own", "itself", "components", "controller", "controllers"];
        let unwanted_itself = words::split(&parsed.unwanted).iter().any(|w| itself.contains(&w.as_str()));
        Self { parts, software: software_named, kinds, unwanted, unwanted_terms, unwanted_itself }
    }

    /// The same without what must not be found.
    pub(crate) fn without_unwanted(&self) -> Self {
        let Self { parts, software, kinds, .. } = self;
        Self { parts: parts.clone(), software: software.clone(), kinds: kinds.clone(), ..Self::default() }
    }

    /// Everything that the question may mean.
    pub(crate) fn meanings(&self) -> impl Iterator<Item = &Meaning<'c>> {
        self.parts.iter().flat_map(|(meanings, _)| meanings)
    }
}

/// Where the question names kinds of a software, by the software's id.
fn kinds_by_software<'c>(catalogue: &'c Catalogue, all: &[Asked<'c>]) -> HashMap<&'c str, Cover> {
    let mut places: HashMap<&str, Vec<&Range<usize>>> = HashMap::new();
    for asked in all {
        if let Meaning::Kind(kind) = asked.meaning
            && let Some(software) = catalogue.software_of_kind(&kind.group, &kind.kind)
        {
            places.entry(&*software.id).or_default().push(&asked.span);
        }
    }
    places.into_iter().map(|(software, places)| (software, places.into_iter().collect())).collect()
}

/// Whether what is named here is only an example: "team chat, like Slack" does not ask for Slack. Only the two words before it are read.
fn is_example(question: &str, at: usize) -> bool {
    let before = question.get(..at).unwrap_or_default();
    let runs = before.rsplit(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()).take(2);
    let mut before: Vec<String> = runs.flat_map(|run| words::split(run).into_iter().rev()).take(2).collect();
    before.reverse();
    let ends_with = |words: &[&str]| before.ends_with(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
    [&["like"][..], &["such", "as"], &["similar", "to"], &["instead", "of"]].into_iter().any(ends_with)
}
