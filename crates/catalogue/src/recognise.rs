//! Which software an object is, or belongs to.

use std::collections::BTreeMap;

use clusterlore_core::words;

use crate::catalogue::Catalogue;
use crate::entry::Software;
use crate::index::Alias;
use crate::part::Part;

/// What of an object tells which software it is.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The object's name.
    pub name: &'a str,
    /// `Deployment`.
    pub kind: &'a str,
    /// API group, empty for the core group.
    pub group: &'a str,
    /// Empty where it lives in none.
    pub namespace: &'a str,
    /// All labels.
    pub labels: &'a BTreeMap<String, String>,
    /// Its describing annotations, as one text.
    pub annotations: &'a str,
}

/// Where in an object a software was recognised. The order breaks ties.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The API group, or the kind.
    Kind,
    /// The label of this key.
    Label(String),
    /// The object's name.
    Name,
    /// Its description.
    Description,
    /// Its namespace.
    Namespace,
}

/// A software that an object is, or belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised<'a> {
    /// Which.
    pub software: &'a Software,
    /// What told it.
    pub field: Field,
    /// The alias, group or label domain that told it, as the catalogue spells it.
    pub alias: &'a str,
    /// How sure that is: 0 to 1.
    pub weight: f32,
    /// What the object is beside the software.
    pub part: Option<Part>,
    /// Id of the category of such a part, where it is not that of the software.
    pub part_category: Option<&'a str>,
}

impl<'a> Recognised<'a> {
    /// Ids of the categories that the object belongs to: those of the part where it has its own, else the software's.
    pub fn categories(&self) -> Vec<&'a str> {
        match self.part_category.or(self.part.and_then(Part::category)) {
            Some(category) => vec![category],
            None => self.software.categories.iter().map(|c| &**c).collect(),
        }
    }
}

/// Weights of an alias that is the whole of a value, begins it, or stands further in.
#[derive(Clone, Copy)]
struct Weights {
    whole: f32,
    start: f32,
    further: f32,
}

const NAME: Weights = Weights { whole: 1.0, start: 0.8, further: 0.5 };
const DESCRIPTION: Weights = Weights { whole: 0.4, start: 0.4, further: 0.4 };
const NAMESPACE: Weights = Weights { whole: 0.3, start: 0.3, further: 0.2 };
/// An ambiguous alias that something follows: "vault-server", but also "vector-db".
const AMBIGUOUS_START: f32 = 0.5;
/// A group or kind that only this software has.
const KIND: f32 = 1.0;
/// What operates that software, and is not it.
const OPERATED_BY: f32 = 0.9;
/// A kind that is another software of its own beside it: CloudNativePG's pooler is PgBouncer, in front of PostgreSQL.
const BESIDE_IT: f32 = 0.6;
/// A label key of the operator's.
const DOMAIN: f32 = 0.7;

/// What names a custom resource of other software: Grafana's data source called `prometheus` is none.
const OF_OTHER_SOFTWARE: f32 = 0.25;
/// Groups whose objects install what they are called after.
const INSTALLERS: [&str; 3] = ["gitops", "package-management", "infrastructure-as-code"];

/// Labels whose value names software. `managed-by` is none of them: it names the tool that applied the manifest.
const LABELS: &[(&str, Weights)] = &[
    ("app.kubernetes.io/name", Weights { whole: 1.0, start: 0.9, further: 0.5 }),
    ("helm.sh/chart", Weights { whole: 0.9, start: 0.8, further: 0.5 }),
    ("app", Weights { whole: 0.9, start: 0.8, further: 0.5 }),
    ("k8s-app", Weights { whole: 0.9, start: 0.8, further: 0.5 }),
    ("name", Weights { whole: 0.8, start: 0.7, further: 0.4 }),
    ("app.kubernetes.io/component", Weights { whole: 0.6, start: 0.5, further: 0.4 }),
    ("component", Weights { whole: 0.6, start: 0.5, further: 0.4 }),
    ("app.kubernetes.io/part-of", Weights { whole: 0.6, start: 0.5, further: 0.4 }),
    ("app.kubernetes.io/instance", Weights { whole: 0.6, start: 0.5, further: 0.4 }),
    ("release", Weights { whole: 0.5, start: 0.4, further: 0.3 }),
];

/// Words of a name or a label that are looked at: those of Kubernetes have 253 letters at most, those of other programs may have any.
const LONGEST_NAME: usize = 64;
/// The most words an alias is made of.
pub(crate) const ALIAS_WORDS: usize = 5;

impl Catalogue {
    /// Which software an object is or belongs to, best first; each software once, with what tells it best.
    pub fn recognise(&self, object: &Named<'_>) -> Vec<Recognised<'_>> {
        let mut found = Found { catalogue: self, all: Vec::new() };
        found.kind(object.group, object.kind);
        let component = ["app.kubernetes.io/component", "component"].iter().find_map(|k| object.labels.get(*k));
        for (key, value) in object.labels {
            if let Some((_, weights)) = LABELS.iter().find(|(k, _)| k == key) {
                found.value(value, *weights, || Field::Label(key.clone()));
            } else if let Some((domain, _)) = key.split_once('/') {
                found.domain(domain, key);
            }
        }
        found.value(object.name, NAME, || Field::Name);
        found.value(object.annotations, DESCRIPTION, || Field::Description);
        found.value(object.namespace, NAMESPACE, || Field::Namespace);
        let mut all = found.all;
        let own = |r: &Recognised<'_>| r.field == Field::Kind;
        let installs = |r: &Recognised<'_>| r.software.categories.iter().any(|c| INSTALLERS.contains(&&**c));
        if all.iter().any(own) && !all.iter().any(|r| own(r) && installs(r)) {
            all.iter_mut().filter(|r| !own(r)).for_each(|r| r.weight *= OF_OTHER_SOFTWARE);
        }
        // What a namespace is called says what lives in it. It is not the software itself.
        if object.group.is_empty() && object.kind == "Namespace" {
            all.iter_mut().for_each(|r| r.weight = r.weight.min(NAMESPACE.whole));
        }
        // The parts that the name and the component label tell hold for whatever told the software itself.
        let of_component = component.and_then(|c| words::split(c).iter().rev().find_map(|w| Part::of_word(w)));
        for one in &mut all {
            if one.part.is_none() && one.part_category.is_none() {
                one.part = of_component.filter(|_| matches!(one.field, Field::Name | Field::Label(_)));
            }
        }
        all.sort_by(|a, b| {
            let by_weight = b.weight.total_cmp(&a.weight);
            by_weight
                .then(b.alias.len().cmp(&a.alias.len()))
                .then(a.field.cmp(&b.field))
                .then(a.software.id.cmp(&b.software.id))
        });
        all
    }

    /// The longest alias that begins at `words[at]`, with the number of words it takes. `accepts` is asked about each.
    pub(crate) fn alias_at(
        &self,
        words: &[String],
        at: usize,
        accepts: impl Fn(&Alias, usize) -> bool,
    ) -> Vec<(&Alias, usize)> {
        for to in (at + 1..=self.alias_reaches(words, at)).rev() {
            let whole = words[at..to].concat();
            let mut keys = vec![whole.clone()];
            if to - at > 1 {
                let plural = &words[to - 1];
                keys.push(format!("{}{}", words[at..to - 1].concat(), words::stem(plural)));
            }
            // Version digits behind the name (redis7). Not where they are all there is behind one letter (s3, k6).
            let bare = whole.trim_end_matches(|c: char| c.is_ascii_digit());
            if bare.len() > 1 {
                keys.push(bare.to_owned());
            }
            keys.dedup();
            for key in keys {
                let first = self.0.aliases.partition_point(|a| *a.key < *key);
                let same = self.0.aliases[first..].iter().take_while(|a| a.key == key);
                let hits: Vec<(&Alias, usize)> = same.filter(|a| accepts(a, to - at)).map(|a| (a, to - at)).collect();
                if !hits.is_empty() {
                    return hits;
                }
            }
        }
        Vec::new()
    }
}

impl Catalogue {
    /// The end of the longest run of words from `at` on that an alias could begin with, up to its last word. Most words begin
    /// none, and cost one look. The last word of a run is not looked at: its plural may be the alias.
    fn alias_reaches(&self, words: &[String], at: usize) -> usize {
        let begins = |start: &str| {
            // An alias may be followed by digits, and they may be words of their own.
            let start = start.trim_end_matches(|c: char| c.is_ascii_digit());
            let first = self.0.aliases.partition_point(|a| *a.key < *start);
            self.0.aliases.get(first).is_some_and(|a| a.key.starts_with(start))
        };
        if !begins(&words[at]) {
            return at;
        }
        let most = words.len().min(at + ALIAS_WORDS);
        let mut start = String::new();
        for to in at + 1..most {
            start.push_str(&words[to - 1]);
            if !begins(&start) {
                return to;
            }
        }
        most
    }
}

struct Found<'a> {
    catalogue: &'a Catalogue,
    all: Vec<Recognised<'a>>,
}

impl<'a> Found<'a> {
    fn kind(&mut self, group: &str, kind: &str) {
        let Some(known) = self.catalogue.group(group) else { return };
        let of_kind = self.catalogue.kind(group, kind).and_then(|k| k.software.as_deref());
        let operator = known.software.as_deref();
        let main = of_kind.or(known.runs.as_deref()).or(operator);
        for (id, weight) in [(main, KIND), (operator, OPERATED_BY), (known.runs.as_deref(), BESIDE_IT)] {
            self.put(id, Field::Kind, &known.group, weight);
        }
    }

    fn domain(&mut self, domain: &str, key: &str) {
        let domains = &self.catalogue.0.domains;
        let Ok(at) = domains.binary_search_by(|d| (*d.domain).cmp(domain)) else { return };
        let known = &self.catalogue.0.groups[usize::from(domains[at].group)];
        let main = known.runs.as_deref().or(known.software.as_deref());
        for id in [main, known.software.as_deref()] {
            self.put(id, Field::Label(key.to_owned()), &domains[at].domain, DOMAIN);
        }
    }

    fn put(&mut self, id: Option<&str>, field: Field, alias: &'a str, weight: f32) {
        if let Some(software) = id.and_then(|id| self.catalogue.software(id)) {
            self.keep(Recognised { software, field, alias, weight, part: None, part_category: None });
        }
    }

    fn value(&mut self, text: &str, weights: Weights, field: impl Fn() -> Field) {
        let mut words = words::split(text);
        words.retain(|w| !is_version(w));
        let free_text = field() == Field::Description;
        if !free_text {
            words.truncate(LONGEST_NAME);
        }
        let mut at = 0;
        while at < words.len() {
            let fits = |alias: &Alias, taken: usize| {
                let whole = at == 0 && taken == words.len();
                !alias.ambiguous || whole || (at == 0 && field() == Field::Name)
            };
            let hits = self.catalogue.alias_at(&words, at, |a, n| fits(a, n) && !(free_text && a.ambiguous));
            let Some(taken) = hits.first().map(|(_, n)| *n) else {
                at += 1;
                continue;
            };
            let weight = match (at, taken == words.len()) {
                (0, true) => weights.whole,
                (0, false) => weights.start,
                _ => weights.further,
            };
            let rest = if free_text { &[] } else { &words[at + taken..] };
            for (alias, _) in hits {
                let software = &self.catalogue.0.software[usize::from(alias.software)];
                let part_category = component(software, rest);
                let part = rest.iter().rev().find_map(|w| Part::of_word(w));
                let field = field();
                let weight = if alias.ambiguous && taken < words.len() { weight.min(AMBIGUOUS_START) } else { weight };
                self.keep(Recognised { software, field, alias: &alias.spelt, weight, part, part_category });
            }
            at += taken;
        }
    }

    /// Keeps the best of each software; a part that any field tells stays.
    fn keep(&mut self, new: Recognised<'a>) {
        match self.all.iter_mut().find(|r| r.software.id == new.software.id) {
            None => self.all.push(new),
            Some(old) => {
                // Namespaces and descriptions name neighbours' parts as well.
                let tells = matches!(new.field, Field::Name | Field::Label(_));
                let part = old.part.or(new.part.filter(|_| tells));
                let part_category = old.part_category.or(new.part_category.filter(|_| tells));
                if new.weight > old.weight {
                    *old = new;
                }
                old.part = old.part.or(part);
                old.part_category = old.part_category.or(part_category);
            }
        }
    }
}

/// The category of the part that the words after a software's name tell.
fn component<'a>(software: &'a Software, rest: &[String]) -> Option<&'a str> {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let starts = |suffix: &str| {
        let suffix = words::split(suffix);
        rest.windows(suffix.len().max(1)).any(|w| w == suffix)
    };
    software.components.iter().find(|c| starts(&c.suffix)).map(|c| &*c.category)
}

/// `v1`, `15`: says which one, not what.
fn is_version(word: &str) -> bool {
    let digits = word.strip_prefix('v').unwrap_or(word);
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}
