//! What speaks for a candidate: its features, and in words the reasons that they are. The formula stands in [`crate::weights`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use clusterlore_catalogue::{Asked, Catalogue, Cover, Meaning, Software};
use clusterlore_core::words;

use crate::bridge::Bridge;
use crate::lexicon::Nearness;
use crate::profile::{Place, Places, Profile, Recognised};
use crate::weights::{Features, Weights};
use crate::{Noun, Understood};

/// How surely an object must be what is named, to be taken for it.
const IS_IT: f32 = 0.3;
/// What a broader thing than the asked one is worth: a database where a relational one was asked for.
const BROADER: f32 = 0.35;
/// What software is worth that is the asked thing only beside its main purpose.
const BESIDE: f32 = 0.75;

/// One summand of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// In words: `name: red-fox`, `meaning 0.42`, `Valkey is a key-value store`.
    pub why: String,
    /// What it adds to the score.
    pub adds: f32,
}

/// Why a document stands where it stands; the reasons add up to the score.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// Largest first.
    pub reasons: Vec<Reason>,
}

impl Score {
    /// What the ranking goes by, 0 to 1.
    pub fn total(&self) -> f32 {
        self.reasons.iter().map(|r| r.adds).sum()
    }
}

/// A question as the ranking sees it.
pub(crate) struct Ranking<'q> {
    catalogue: &'q Catalogue,
    question: &'q Understood,
    weights: Weights,
    terms: Vec<(String, f32)>,
    /// What parts of the question may ask for, and how many parts ask for just that.
    asked: Vec<(Vec<Meaning<'q>>, usize)>,
    unwanted: Vec<Meaning<'q>>,
    unwanted_terms: BTreeSet<String>,
    /// Ids of the software that the question names in words that mean nothing else.
    named: BTreeSet<&'q str>,
    /// Group and kind of the kinds that the question names in words of its own ("scheduled jobs").
    kinds: BTreeSet<(&'q str, &'q str)>,
    /// What the types say to the question.
    bridge: Bridge,
    /// How near the question is to what software is for.
    near: Nearness,
}

impl<'q> Ranking<'q> {
    pub(crate) fn new(catalogue: &'q Catalogue, question: &'q Understood, near: Nearness, weights: Weights) -> Self {
        let mut asked: BTreeMap<(usize, usize), Vec<Meaning<'q>>> = BTreeMap::new();
        let (mut named, mut kinds) = (BTreeSet::new(), BTreeSet::new());
        let all = catalogue.asked(&question.text);
        // "Docker registry" is a product, and what people call any registry.
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
                    // "Spark" may be many things, but a "spark application" is one of Spark's.
                    let sure = !ambiguous || of_software.get(&*software.id).is_some_and(|kinds| kinds.covers(span));
                    if sure && !categories.covers(span) && !is_example(&question.text, span.start) {
                        named.insert(&*software.id);
                    }
                }
                Meaning::Category(_) => {}
            }
            asked.entry((span.start, span.end)).or_default().push(*meaning);
        }
        let mut parts: BTreeMap<Vec<_>, (Vec<Meaning<'q>>, usize)> = BTreeMap::new();
        for meanings in asked.into_values() {
            parts.entry(meanings.iter().map(Meaning::id).collect()).or_insert((meanings, 0)).1 += 1;
        }
        let asked = parts.into_values().collect();
        let mut unwanted: Vec<Meaning<'q>> =
            catalogue.asked(&question.unwanted).into_iter().map(|a| a.meaning).collect();
        unwanted.sort_by_key(Meaning::id);
        unwanted.dedup_by_key(|m| m.id());
        let unwanted_terms = words::terms(&question.unwanted).into_iter().filter(|t| !words::is_stop_word(t)).collect();
        let (terms, bridge) = Default::default();
        // A question in another language is not near to English texts; what the catalogue knows of it decides.
        let weights = if question.language.is_some() { Weights { meaning: 0.0, ..weights } } else { weights };
        Self { catalogue, question, weights, terms, asked, unwanted, unwanted_terms, named, kinds, bridge, near }
    }

    /// Lets objects count that are not the software that is named: what stands in the place of a question is an object.
    pub(crate) fn of_anything(mut self) -> Self {
        self.named.clear();
        self
    }

    /// Weighs the question's terms by how many of `total` documents hold each.
    pub(crate) fn weigh(&mut self, terms: &[String], frequencies: &[usize], total: usize) {
        let idf = |n: usize| (1.0 + total as f32 / (n as f32 + 1.0)).ln();
        let all = frequencies.iter().map(|n| idf(*n)).sum::<f32>().max(f32::MIN_POSITIVE);
        self.terms = terms.iter().cloned().zip(frequencies.iter().map(|n| idf(*n) / all)).collect();
    }

    /// Lets what types are for count.
    pub(crate) fn bridge(&mut self, bridge: Bridge) {
        self.bridge = bridge;
    }

    /// The types that are nearest to the question, for when nothing answers it.
    pub(crate) fn closest_types(self) -> Vec<String> {
        self.bridge.closest
    }

    pub(crate) fn bridged_types(&self) -> BTreeSet<String> {
        self.bridge.types.keys().cloned().collect()
    }

    fn meanings(&self) -> impl Iterator<Item = &Meaning<'q>> {
        self.asked.iter().flat_map(|(meanings, _)| meanings)
    }

    /// Aliases of what is asked for: a document that holds one of them may be it.
    pub(crate) fn aliases(&self) -> Vec<String> {
        let asked = |m: &Meaning<'q>| if let Meaning::Category(c) = m { Some(&*c.id) } else { None };
        let asked: Vec<&str> = self.meanings().filter_map(asked).collect();
        let is_asked = |id: &str| asked.iter().any(|of| self.catalogue.is_a(id, of));
        let within: BTreeSet<&str> =
            self.catalogue.categories().iter().map(|c| &*c.id).filter(|id| is_asked(id)).collect();
        let wanted = |categories: &[clusterlore_catalogue::Text]| categories.iter().any(|c| within.contains(&**c));
        let named = self.meanings().filter_map(|m| if let Meaning::Software(s) = m { Some(*s) } else { None });
        let meant = self.near.meant().into_iter().filter_map(|at| self.catalogue.all_software().get(at));
        let some = if within.is_empty() { &[] } else { self.catalogue.all_software() };
        let of_category = some.iter().filter(|s| wanted(&s.categories));
        let mut aliases: Vec<String> = named
            .chain(of_category)
            .chain(meant)
            .flat_map(|s| s.aliases.iter().chain([&s.id]))
            .flat_map(|a| words::terms(a))
            .collect();
        aliases.sort();
        aliases.dedup();
        aliases
    }

    /// `None` for what is not wanted.
    pub(crate) fn features(&self, profile: &Profile, type_name: &str, similarity: f32) -> Option<Features> {
        if self.is_unwanted(profile) {
            return None;
        }
        let places = |term: &String| profile.terms.get(term).copied().unwrap_or_default();
        let (is_instance, group, kind) = match &profile.noun {
            Noun::Instance(i) => (true, i.api_group.as_str(), i.kind.as_str()),
            Noun::Type(ty, _) => (false, ty.group.as_str(), ty.kind.as_str()),
        };
        let named = self.question.kinds.contains(type_name) || self.kinds.contains(&(group, kind));
        let names_kinds = !self.question.kinds.is_empty() || !self.kinds.is_empty();
        Some(Features {
            meaning: similarity.clamp(0.0, 1.0),
            terms: self.terms.iter().map(|(term, share)| (places(term), *share)).collect(),
            software: (!self.asked.is_empty()).then(|| self.software(profile, named).map_or(0.0, |(_, s)| s)),
            about: self.about(profile).map_or(0.0, |(_, nearness)| nearness),
            kind: names_kinds.then_some(if named { 1.0 } else { 0.0 }),
            bridge: (is_instance && !self.bridge.types.is_empty())
                .then(|| self.bridge.types.get(type_name).copied().unwrap_or_default()),
            role: if named || !self.question.filter.types.is_empty() { 1.0 } else { profile.role },
        })
    }

    /// The score in words. Its parts add up to it.
    pub(crate) fn explain(&self, profile: &Profile, type_name: &str, features: &Features) -> Score {
        if self.question.scope_only {
            return Score { reasons: vec![Reason { why: "in the scope asked for".to_owned(), adds: features.role }] };
        }
        let scale = self.weights.scale(features);
        let nearness = self.weights.nearness(features);
        let why = match self.about(profile) {
            Some((software, about)) if nearness > features.meaning => {
                format!("{} is for that ({about:.2})", software.title)
            }
            _ => format!("meaning {nearness:.2}"),
        };
        let mut reasons = vec![Reason { why, adds: self.weights.meaning * nearness * scale }];
        let mut add = |why: String, adds: f32| match reasons.iter_mut().find(|r| r.why == why) {
            Some(known) => known.adds += adds,
            None => reasons.push(Reason { why, adds }),
        };
        // Each field is read once, however many of the question's words it holds.
        let mut looked_for: HashMap<&str, (Place, f32)> = HashMap::new();
        for ((term, _), (places, share)) in self.terms.iter().zip(&features.terms) {
            if let Some((place, worth)) = self.weights.best_place(*places) {
                looked_for.insert(term, (place, self.weights.words * worth * share * scale));
            }
        }
        for field in &profile.fields {
            if looked_for.is_empty() {
                break;
            }
            let mut adds = None;
            for term in words::terms(&field.value) {
                if looked_for.get(term.as_str()).is_some_and(|(place, _)| *place == field.place)
                    && let Some((_, worth)) = looked_for.remove(term.as_str())
                {
                    adds = Some(adds.unwrap_or(0.0) + worth);
                }
            }
            if let Some(adds) = adds {
                add(format!("{}: {}", field.called, field.value), adds);
            }
        }
        if let Some((why, sureness)) = self.software(profile, features.kind == Some(1.0)) {
            add(why, self.weights.software * sureness * scale);
        }
        if features.kind == Some(1.0) {
            add(format!("kind: {type_name}"), self.weights.kind * scale);
        }
        if let Some(bridge) = features.bridge.filter(|b| *b > 0.0) {
            add(format!("{type_name} are for that"), self.weights.bridge * bridge * scale);
        }
        reasons.sort_by(|a, b| b.adds.total_cmp(&a.adds));
        Score { reasons }
    }

    pub(crate) fn score(&self, features: &Features) -> f32 {
        if self.question.scope_only { features.role } else { self.weights.score(features) }
    }

    /// The share of the question's words that the candidate holds, wherever they stand; but not in its namespace, which holds much that is
    /// not alike.
    pub(crate) fn held(&self, features: &Features) -> f32 {
        features.terms.iter().filter(|(places, _)| places.besides_namespace()).map(|(_, share)| share).sum()
    }

    pub(crate) fn is_scope_only(&self) -> bool {
        self.question.scope_only
    }

    /// The score from which a hit is evidence that something fits.
    pub(crate) fn evidence(&self) -> f32 {
        match (self.question.scope_only, self.asked.is_empty()) {
            (true, _) => 0.0,
            (false, true) => self.weights.evidence,
            (false, false) => self.weights.evidence_named,
        }
    }

    /// Where the question names software, an object answers only if it is that software, or a part of it.
    pub(crate) fn is_named(&self, profile: &Profile) -> bool {
        let id = |r: &Recognised| &*r.software(self.catalogue).id;
        let is = |software: &str| profile.recognised.iter().any(|r| id(r) == software && r.weight >= IS_IT);
        self.named.is_empty() || self.named.iter().any(|software| is(software))
    }

    /// How surely the object is what each part of the question names, on average, with the surest reason.
    fn software(&self, profile: &Profile, kind_is_named: bool) -> Option<(String, f32)> {
        // Who asks for MariaDB's users wants what only belongs to it.
        let is_it = |r: &Recognised| if r.by_kind && !kind_is_named { profile.is_it } else { 1.0 };
        let mut best: Option<(&Recognised, Meaning<'q>, f32)> = None;
        let mut sum = 0.0;
        let mut parts = 0;
        for (meanings, times) in &self.asked {
            parts += times;
            let of_part = profile.recognised.iter().flat_map(|r| {
                meanings.iter().filter_map(move |m| self.fits(r, *m).map(|sureness| (r, *m, sureness * is_it(r))))
            });
            let Some(part) = of_part.max_by(|a, b| a.2.total_cmp(&b.2)) else { continue };
            sum += part.2 * *times as f32;
            if best.as_ref().is_none_or(|(_, _, s)| part.2 > *s) {
                best = Some(part);
            }
        }
        best.map(|(recognised, meaning, _)| (self.why(recognised, meaning), sum / parts as f32))
    }

    /// The software that the object is and that is nearest to the question, and how near.
    fn about(&self, profile: &Profile) -> Option<(&'q Software, f32)> {
        let near = |r: &Recognised| {
            let whole = if r.part_category().is_none() { 1.0 } else { BROADER };
            (r.software(self.catalogue), self.near.of(r.software) * r.weight * whole)
        };
        profile.recognised.iter().map(near).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn fits(&self, recognised: &Recognised, asked: Meaning<'q>) -> Option<f32> {
        match asked {
            Meaning::Software(software) if software.id == recognised.software(self.catalogue).id => {
                let whole = if recognised.part.is_none() { 1.0 } else { BESIDE };
                Some(recognised.weight * whole)
            }
            Meaning::Category(category) => {
                let fit = |(place, own): (usize, &&str)| {
                    if self.catalogue.is_a(own, &category.id) {
                        Some(if place == 0 { 1.0 } else { BESIDE })
                    } else if self.catalogue.is_a(&category.id, own) {
                        Some(BROADER)
                    } else {
                        None
                    }
                };
                let best =
                    recognised.categories(self.catalogue).iter().enumerate().filter_map(fit).max_by(f32::total_cmp)?;
                Some(recognised.weight * best)
            }
            _ => None,
        }
    }

    fn why(&self, recognised: &Recognised, asked: Meaning<'_>) -> String {
        let title = &recognised.software(self.catalogue).title;
        match asked {
            Meaning::Category(category) => format!("{title} is {}", category.id.replace('-', " ")),
            _ => format!("is {title} ({})", recognised.alias),
        }
    }

    fn is_unwanted(&self, profile: &Profile) -> bool {
        let sure = |r: &Recognised, m| self.fits(r, m).is_some_and(|sureness| sureness >= IS_IT);
        let fits = profile.recognised.iter().any(|r| self.unwanted.iter().any(|m| sure(r, *m)));
        let elsewhere = |places: &Places| places.besides_namespace();
        fits || self.unwanted_terms.iter().any(|t| profile.terms.get(t).is_some_and(elsewhere))
    }
}

/// Where kinds of a software are named, by its id.
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

/// "Team chat, like Slack" asks for no Slack. The two words before it say so; what stands before them is not read.
fn is_example(question: &str, at: usize) -> bool {
    let before = question.get(..at).unwrap_or_default();
    let runs = before.rsplit(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()).take(2);
    let mut before: Vec<String> = runs.flat_map(|run| words::split(run).into_iter().rev()).take(2).collect();
    before.reverse();
    let ends_with = |words: &[&str]| before.ends_with(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
    [&["like"][..], &["such", "as"], &["similar", "to"], &["instead", "of"]].into_iter().any(ends_with)
}
