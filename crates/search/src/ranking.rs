//! The score of a hit: named features, each 0 to 1, each with a weight, and the role of the kind over all of them.
//!
//! ```text
//! score     = role · Σ weight · feature / Σ weights of the features that the question has
//!
//! meaning   cosine of question and document, 0 where it is negative                                    weight 0.45
//! words     Σ field · idf(term) over the terms that the document holds / Σ idf(term) over all terms    weight 0.25
//! software  how surely the object is the software, or of the category, that the question names         weight 0.60
//! kind      1 where the question names the object's kind                                               weight 0.08
//! role      1 for what runs, less for what only serves it (Service, ConfigMap, RBAC); 1 throughout where kinds were asked for
//! idf       ln(1 + N / (n + 1))       N documents in the collection, n of them with the term
//! ```
//!
//! A term counts once, in its best field. idf is the usual inverse document frequency (Spärck Jones 1972), smoothed so that a
//! term that no document holds is rare rather than infinite. Software and kind count only for questions that name some.
//!
//! **Nothing** fits without evidence: a high cosine alone is none where the question names software (there is Grafana, but no
//! Prometheus). See [`Ranking::has_evidence`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use clusterlore_catalogue::{Asked, Catalogue, Meaning, Named, Recognised, Role};
use clusterlore_core::{ResourceInstance, words};

use crate::{Noun, Understood};

/// Weights of the features.
pub const MEANING_WEIGHT: f32 = 0.45;
/// See the module.
pub const WORDS_WEIGHT: f32 = 0.25;
/// See the module.
pub const SOFTWARE_WEIGHT: f32 = 0.60;
/// See the module.
pub const KIND_WEIGHT: f32 = 0.08;

/// Cosine from which meaning alone is evidence, in a question that names nothing of the catalogue.
const MEANING_IS_EVIDENCE: f32 = 0.27;
/// Share of the question's words from which they are evidence, likewise.
const WORDS_ARE_EVIDENCE: f32 = 0.27;
/// How much more both must be where the question names something that the object is not.
const STRICTER: f32 = 1.5;
/// How surely an object must be what was asked for.
const SOFTWARE_IS_EVIDENCE: f32 = 0.30;
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
    evidence: bool,
}

impl Score {
    /// What the ranking goes by, 0 to 1.
    pub fn total(&self) -> f32 {
        self.reasons.iter().map(|r| r.adds).sum()
    }

    /// Whether something says that the document answers, rather than that it is nearest.
    pub fn has_evidence(&self) -> bool {
        self.evidence
    }
}

/// One question's features with their weights.
pub(crate) struct Ranking<'a> {
    catalogue: &'a Catalogue,
    terms: Vec<(String, f32)>,
    all: f32,
    /// What is asked for, by the words that ask for it.
    asked: BTreeMap<(usize, usize), Vec<Meaning<'a>>>,
    unwanted: Vec<Meaning<'a>>,
    unwanted_terms: BTreeSet<String>,
    /// Terms of the software that the question names; its words may stand in an object that is not recognised as it.
    named_terms: BTreeSet<String>,
    kinds: &'a BTreeSet<String>,
    by_kind: bool,
    scope_only: bool,
}

struct Field {
    name: &'static str,
    weight: f32,
    value: String,
    terms: Vec<String>,
}

impl Field {
    fn new(name: &'static str, weight: f32, value: &str) -> Self {
        Self { name, weight, value: words::one_line(value), terms: words::terms(value) }
    }
}

impl<'a> Ranking<'a> {
    pub(crate) fn new(
        catalogue: &'a Catalogue,
        question: &'a Understood,
        terms: &[String],
        frequencies: &[usize],
        total: usize,
    ) -> Self {
        let idf = |n: usize| (1.0 + total as f32 / (n as f32 + 1.0)).ln();
        let terms: Vec<(String, f32)> = terms.iter().cloned().zip(frequencies.iter().map(|n| idf(*n))).collect();
        let all = terms.iter().map(|(_, idf)| idf).sum::<f32>().max(f32::MIN_POSITIVE);
        let mut asked: BTreeMap<(usize, usize), Vec<Meaning<'a>>> = BTreeMap::new();
        let mut named_terms = BTreeSet::new();
        for Asked { meaning, span: Range { start, end }, ambiguous, .. } in catalogue.asked(&question.text) {
            if matches!(meaning, Meaning::Kind(_)) {
                continue;
            }
            if matches!(meaning, Meaning::Software(_)) && !ambiguous {
                named_terms.extend(question.text.get(start..end).map(words::terms).unwrap_or_default());
            }
            asked.entry((start, end)).or_default().push(meaning);
        }
        let unwanted = catalogue.asked(&question.unwanted).into_iter().map(|a| a.meaning).collect();
        let unwanted_terms = words::terms(&question.unwanted).into_iter().filter(|t| !words::is_stop_word(t)).collect();
        Self {
            catalogue,
            terms,
            all,
            asked,
            unwanted,
            unwanted_terms,
            named_terms,
            kinds: &question.kinds,
            by_kind: !question.filter.types.is_empty(),
            scope_only: question.scope_only,
        }
    }

    /// Aliases of what is asked for: a document that holds one of them may be it.
    pub(crate) fn aliases(&self) -> Vec<String> {
        let wanted = |categories: &[clusterlore_catalogue::Text]| {
            self.asked.values().flatten().any(|meaning| match meaning {
                Meaning::Category(c) => categories.iter().any(|own| self.catalogue.is_a(own, &c.id)),
                _ => false,
            })
        };
        let named =
            self.asked.values().flatten().filter_map(|m| if let Meaning::Software(s) = m { Some(*s) } else { None });
        let of_category = self.catalogue.all_software().iter().filter(|s| wanted(&s.categories));
        let mut aliases: Vec<String> = named
            .chain(of_category)
            .flat_map(|s| s.aliases.iter().chain([&s.id]))
            .flat_map(|a| words::terms(a))
            .collect();
        aliases.sort();
        aliases.dedup();
        aliases
    }

    pub(crate) fn score(&self, noun: &Noun, type_name: &str, similarity: f32) -> Score {
        let recognised = self.recognise(noun);
        let fields = fields(noun);
        if self.is_unwanted(&fields, &recognised) {
            return Score::default();
        }
        let meaning = similarity.clamp(0.0, 1.0);
        let words = self.words(&fields);
        let words_part: f32 = words.iter().map(|(_, share)| share).sum();
        let software = self.software(&recognised);
        let kind = self.kinds.contains(type_name);

        let mut weights = MEANING_WEIGHT + WORDS_WEIGHT;
        weights += if self.asked.is_empty() { 0.0 } else { SOFTWARE_WEIGHT };
        weights += if self.kinds.is_empty() { 0.0 } else { KIND_WEIGHT };
        let scale = self.role(noun, kind) / weights;
        let mut reasons = vec![Reason { why: format!("meaning {meaning:.2}"), adds: MEANING_WEIGHT * meaning * scale }];
        reasons.extend(words.into_iter().map(|(why, share)| Reason { why, adds: WORDS_WEIGHT * share * scale }));
        if let Some((why, sureness)) = &software {
            reasons.push(Reason { why: why.clone(), adds: SOFTWARE_WEIGHT * sureness * scale });
        }
        if kind {
            reasons.push(Reason { why: format!("kind: {type_name}"), adds: KIND_WEIGHT * scale });
        }
        if self.scope_only {
            reasons = vec![Reason { why: "in the scope asked for".to_owned(), adds: self.role(noun, kind) }];
        }
        reasons.sort_by(|a, b| b.adds.total_cmp(&a.adds));
        let sureness = software.map_or(0.0, |(_, sureness)| sureness);
        let evidence = self.has_evidence(meaning, words_part, sureness) && self.is_named(&fields, &recognised);
        Score { evidence, reasons }
    }

    /// What counts as evidence: nothing is looked for but the scope; or the object is what was asked for; or it holds enough of the
    /// question's words; or its meaning is near.
    fn has_evidence(&self, meaning: f32, words: f32, software: f32) -> bool {
        let stricter = if self.asked.is_empty() { 1.0 } else { STRICTER };
        let near = meaning >= MEANING_IS_EVIDENCE * stricter || words >= WORDS_ARE_EVIDENCE * stricter;
        self.scope_only || software >= SOFTWARE_IS_EVIDENCE || near
    }

    /// Where the question names software, an object answers only if it is that software or bears its name.
    fn is_named(&self, fields: &[Field], recognised: &[Recognised<'a>]) -> bool {
        let named = |m: &&Meaning<'a>| matches!(m, Meaning::Software(_));
        let is_it =
            |r: &Recognised<'a>| self.asked.values().flatten().filter(named).any(|m| self.fits(r, *m).is_some());
        self.named_terms.is_empty()
            || recognised.iter().any(is_it)
            || fields.iter().any(|f| f.terms.iter().any(|t| self.named_terms.contains(t)))
    }

    fn recognise(&self, noun: &Noun) -> Vec<Recognised<'a>> {
        let none = BTreeMap::new();
        let description;
        let named = match noun {
            Noun::Instance(i) => {
                description = i.description();
                Named {
                    name: &i.name,
                    kind: &i.kind,
                    group: &i.api_group,
                    namespace: if i.is_cluster_scoped() { "" } else { &i.namespace },
                    labels: &i.labels,
                    annotations: &description,
                }
            }
            Noun::Type(t) => {
                Named { name: "", kind: &t.kind, group: &t.group, namespace: "", labels: &none, annotations: "" }
            }
        };
        self.catalogue.recognise(&named)
    }

    /// How surely the object is what each part of the question names, on average, with the surest reason.
    fn software(&self, recognised: &[Recognised<'a>]) -> Option<(String, f32)> {
        let mut best: Option<(String, f32)> = None;
        let mut sum = 0.0;
        for meanings in self.asked.values() {
            let of_part = recognised.iter().flat_map(|r| meanings.iter().filter_map(|m| self.fits(r, *m)));
            let Some((why, sureness)) = of_part.max_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
            sum += sureness;
            if best.as_ref().is_none_or(|(_, s)| sureness > *s) {
                best = Some((why, sureness));
            }
        }
        best.map(|(why, _)| (why, sum / self.asked.len() as f32))
    }

    fn fits(&self, recognised: &Recognised<'a>, asked: Meaning<'a>) -> Option<(String, f32)> {
        let title = &recognised.software.title;
        match asked {
            Meaning::Software(software) if software.id == recognised.software.id => {
                let whole = if recognised.part.is_none() { 1.0 } else { BESIDE };
                Some((format!("is {title} ({})", recognised.alias), recognised.weight * whole))
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
                let best = recognised.categories().iter().enumerate().filter_map(fit).max_by(f32::total_cmp)?;
                Some((format!("{title} is {}", category.id.replace('-', " ")), recognised.weight * best))
            }
            _ => None,
        }
    }

    fn is_unwanted(&self, fields: &[Field], recognised: &[Recognised<'a>]) -> bool {
        let fits = recognised.iter().any(|r| {
            self.unwanted.iter().any(|m| self.fits(r, *m).is_some_and(|(_, sureness)| sureness >= SOFTWARE_IS_EVIDENCE))
        });
        fits || fields.iter().any(|f| f.name != "namespace" && f.terms.iter().any(|t| self.unwanted_terms.contains(t)))
    }

    /// Terms found, each with its share of the words' part.
    fn words(&self, fields: &[Field]) -> Vec<(String, f32)> {
        let mut found: Vec<(String, f32)> = Vec::new();
        for (term, idf) in &self.terms {
            let best = fields.iter().filter(|f| f.terms.contains(term)).max_by(|a, b| a.weight.total_cmp(&b.weight));
            let Some(best) = best else { continue };
            let (why, share) = (format!("{}: {}", best.name, best.value), best.weight * idf / self.all);
            match found.iter_mut().find(|(known, _)| *known == why) {
                Some((_, known)) => *known += share,
                None => found.push((why, share)),
            }
        }
        found
    }

    /// What the object's kind is worth beside others that say the same.
    fn role(&self, noun: &Noun, named: bool) -> f32 {
        let Noun::Instance(instance) = noun else { return 1.0 };
        if named || self.by_kind {
            return 1.0;
        }
        role_of(self.catalogue, instance)
    }
}

fn role_of(catalogue: &Catalogue, instance: &ResourceInstance) -> f32 {
    // What a controller made stands for its owner, which is there too.
    let owned = if instance.owner.is_some() { 0.9 } else { 1.0 };
    let role = match catalogue.kind(&instance.api_group, &instance.kind).map(|k| k.role) {
        Some(Role::Workload) | None => 1.0,
        Some(Role::Claim | Role::Request) => 0.9,
        Some(Role::Other | Role::Storage) => 0.8,
        Some(Role::Networking | Role::Scheduling | Role::Policy) => 0.7,
        Some(Role::Config | Role::Status) => 0.6,
        Some(Role::Access | Role::Binding) => 0.5,
    };
    owned * role
}

/// What the words of a question may be found in, and what a match there is worth.
fn fields(noun: &Noun) -> Vec<Field> {
    match noun {
        Noun::Instance(instance) => {
            let mut fields = vec![
                Field::new("name", 1.0, &instance.name),
                Field::new("kind", 0.9, &instance.kind),
                Field::new("description", 0.8, &instance.description()),
                Field::new("namespace", 0.5, if instance.is_cluster_scoped() { "" } else { &instance.namespace }),
                Field::new("group", 0.6, &instance.api_group),
            ];
            fields.extend(instance.labels.iter().map(|(k, v)| Field::new("label", 0.7, &format!("{k}={v}"))));
            fields
        }
        Noun::Type(ty) => vec![
            Field::new("kind", 1.0, &ty.kind),
            Field::new("name", 1.0, &ty.plural),
            Field::new("short name", 1.0, &ty.short_names.join(" ")),
            Field::new("group", 0.6, &ty.group),
            Field::new("description", 0.8, &ty.description),
        ],
    }
}
