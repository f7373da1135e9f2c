//! What happened lately, by meaning as everything else: "what was deleted today", "when did checkout disappear", "databases that changed in
//! the last hour". Answered from the journal that watching keeps (`core::JournalEntry`).
//!
//! ```json
//! {"changes": [{"at", "what", "type", "apiVersion", "kind", "namespace", "name", "uid", "cluster"}], "more": false,
//!  "since", "until", "what": ["deleted"], "searched", "notes": [{"type", "text"}], "needs": [{"what", "commands"}]}
//! ```

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_catalogue::{Catalogue, Meaning, Named};
use clusterlore_core::{CLUSTER_SCOPE, Happening, JournalEntry, JournalQuery, ResourceType, words};
use clusterlore_search::{ParsedQuery, Problem};
use jiff::Timestamp;
use serde::Serialize;

use crate::command::managed_fields;

/// Entries that are looked through for one question.
const LOOKED_AT: usize = 100_000;
/// How sure the catalogue must be that an object belongs to a software.
const SURE: f32 = 0.5;

/// Words for what happens to objects, in six languages.
const HAPPENINGS: &[(&[Happening], &str)] = &[
    (
        &[Happening::Deleted],
        "deleted removed gone disappear disappeared disappears vanish vanished destroyed lost uninstalled \
         gelöscht entfernt verschwunden verschwand weg supprimé supprimée supprimés supprimées disparu disparue disparus disparues \
         eliminado eliminada eliminados eliminadas borrado borrada desapareció desaparecido removido removida removidos removidas apagado apagados \
         excluído excluídos desapareceu sumiu 删除 消失",
    ),
    (
        &[Happening::Created],
        "created new added appeared appear came deployed installed launched introduced erstellt angelegt neu neue hinzugekommen créé créée créés \
         créées ajouté ajoutés nouveau nouveaux creado creada creados creadas nuevo nuevos criado criada criados novo novos 创建 新增",
    ),
    (&[Happening::LabelsChanged], "relabelled relabeled"),
    (&[], CHANGED),
];
/// Words for any change.
const CHANGED: &str = "changed change changes changing modified updated edited touched altered happened happen happens geändert ändert passiert changé changée changés \
         modifié modifiés cambió cambiado cambiaron modificado modificados mudou mudaram alterado alterados 更改 变化 修改 变更";
/// What happens to a part of an object, where it stands beside a word for change.
const PARTS: &[(Happening, &str)] = &[
    (Happening::SpecChanged, "spec specification"),
    (Happening::LabelsChanged, "label labels"),
    (Happening::AnnotationsChanged, "annotation annotations"),
];
/// Words that ask for a person.
const WHO: &str = "who whom wer quién quien quem 谁";
/// Words beside these that name nothing.
const BESIDE: &str = "when did do does last lastly latest recently newest anything anybody someone somebody everything thing things objects object resources resource \
                      wann zuletzt quand dernièrement cuándo cuando quando recentemente";

/// What a question about changes asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What happened; none: anything.
    pub(crate) what: BTreeSet<Happening>,
    /// Whether it asks who did it.
    pub(crate) who: bool,
    /// The question, as one about creation: times are read of that.
    pub(crate) question: String,
    /// What is left of it when its words for happenings are left out.
    rest: Vec<String>,
}

impl Asked {
    /// Reads a question.
    pub(crate) fn of(question: &str) -> Self {
        let has = |list: &str, word: &str| list.split_whitespace().any(|known| known == word);
        let mut asked = Self::default();
        let mut said = Vec::new();
        let low: Vec<String> = question.split_whitespace().map(|word| bare(word).to_lowercase()).collect();
        let changes = low.iter().any(|word| has(CHANGED, word));
        for (word, low) in question.split_whitespace().zip(&low) {
            let happening = HAPPENINGS.iter().find(|(_, list)| has(list, low) || unspaced(list, low));
            let part = PARTS.iter().find(|(_, list)| changes && has(list, low));
            if let Some((what, _)) = happening {
                asked.what.extend(what.iter().copied());
                said.push("created");
            } else if let Some((what, _)) = part {
                asked.what.insert(*what);
            } else if has(WHO, low) {
                asked.who = true;
            } else {
                asked.rest.push(low.clone());
                said.push(word);
            }
        }
        asked.question = said.join(" ");
        asked
    }
}

/// Whether a word of a language without spaces holds one of these.
fn unspaced(list: &str, word: &str) -> bool {
    !word.is_ascii()
        && list
            .split_whitespace()
            .any(|known| known.chars().all(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) && word.contains(known))
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| c.is_ascii_punctuation() && !['/', '-', '.'].contains(&c)).trim_end_matches(['.', '-'])
}

/// The words of a question that may be names of objects.
pub(crate) fn names(question: &str) -> BTreeSet<String> {
    let words =
        question.split_whitespace().map(|word| bare(word).rsplit('/').next().unwrap_or_default().to_lowercase());
    words.filter(|word| !word.is_empty() && !words::is_stop_word(word)).collect()
}

/// What happened, as every face tells it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Changes {
    /// The newest first.
    pub changes: Vec<JournalEntry>,
    /// Whether there are older ones that fit.
    pub more: bool,
    /// From when on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Before when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What was asked to have happened; none: anything.
    pub what: BTreeSet<Happening>,
    /// The words that objects had to fit.
    pub searched: String,
    /// What the reader should know.
    pub notes: Vec<Note>,
    /// What the journal does not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
}

/// Something that the reader should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Of which sort.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// One sentence.
    pub text: String,
}

/// What the journal does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Need {
    /// Which: `manager`.
    pub what: &'static str,
    /// The commands that know it.
    pub commands: Vec<String>,
}

/// Conditions on objects, of a question and its caller.
pub(crate) struct Conditions {
    pub(crate) types: BTreeSet<String>,
    pub(crate) namespaces: BTreeSet<String>,
    pub(crate) text: String,
}

impl Conditions {
    /// Of a question as it was parsed; what it narrows by may be gone with the objects that are asked for.
    pub(crate) fn of(parsed: &ParsedQuery, asked: &Asked) -> Self {
        let mut namespaces: BTreeSet<String> = parsed.filter.namespaces.clone();
        if let Some(Problem::NoSuchNamespace(name)) = &parsed.problem {
            namespaces.insert(name.to_string());
        }
        let types = if parsed.filter.types.is_empty() { parsed.kinds.clone() } else { parsed.filter.types.clone() };
        // What the parser took for a condition is met by it; what it took for a filler asks for nothing.
        let kept = |word: &&String| {
            !words::is_stop_word(word)
                && !BESIDE.split_whitespace().any(|beside| beside == word.as_str())
                && !namespaces.contains(word.as_str())
        };
        let free: BTreeSet<String> = words::split(&parsed.text).into_iter().chain(named(parsed)).collect();
        let is_free = |word: &&String| words::split(word).iter().any(|part| free.contains(part));
        let text: Vec<&str> = asked.rest.iter().filter(kept).filter(is_free).map(String::as_str).collect();
        Self { types, namespaces, text: text.join(" ") }
    }
}

/// The words of the names that a question has.
fn named(parsed: &ParsedQuery) -> Vec<String> {
    let ids = parsed.named.iter().map(|named| named.document.id.rsplit('/').next().unwrap_or_default());
    ids.flat_map(words::split).collect()
}

/// Looks through entries, the newest first.
pub(crate) fn fitting(
    entries: Vec<JournalEntry>,
    conditions: &Conditions,
    catalogue: &Catalogue,
    types: &[(String, ResourceType)],
    most: usize,
) -> (Vec<JournalEntry>, bool) {
    let fits = Fit::of(&conditions.text, catalogue, types);
    let mut known: BTreeMap<(String, String, String), bool> = BTreeMap::new();
    let mut fitting: Vec<JournalEntry> = Vec::new();
    for entry in entries {
        let object = (entry.type_name.clone(), entry.namespace.clone(), entry.name.clone());
        if *known.entry(object).or_insert_with(|| fits.admits(&entry)) {
            if fitting.len() == most {
                return (fitting, true);
            }
            fitting.push(entry);
        }
    }
    (fitting, false)
}

/// What objects have to be.
struct Fit<'c> {
    catalogue: &'c Catalogue,
    /// Ids of categories and of software.
    meant: BTreeSet<&'c str>,
    /// Words that mean none of these.
    words: Vec<String>,
    types: &'c [(String, ResourceType)],
}

impl<'c> Fit<'c> {
    fn of(text: &str, catalogue: &'c Catalogue, types: &'c [(String, ResourceType)]) -> Self {
        let (mut meant, mut covered) = (BTreeSet::new(), Vec::new());
        for asked in catalogue.asked(text) {
            let id = match asked.meaning {
                Meaning::Category(category) => category.id.as_ref(),
                Meaning::Software(software) if !asked.ambiguous => software.id.as_ref(),
                _ => continue,
            };
            meant.insert(id);
            covered.push(asked.span);
        }
        let mut at = 0;
        let mut words = Vec::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let from = text[at..].find(word).map_or(at, |found| at + found);
            at = from + word.len();
            if !covered.iter().any(|span| span.start <= from && at <= span.end) {
                words.push(word.to_owned());
            }
        }
        Self { catalogue, meant, words, types }
    }

    fn admits(&self, entry: &JournalEntry) -> bool {
        let is_called = |word: &String| {
            let parts = words::split(&entry.name);
            let all = words::split(word);
            entry.name == *word
                || (!all.is_empty() && all.iter().all(|part| parts.iter().any(|own| own == part)))
                || (word.len() > 3 && entry.name.contains(word.as_str()))
                || entry.namespace == *word
                || self.is_kind(entry, word)
        };
        self.words.iter().all(is_called) && (self.meant.is_empty() || self.is_meant(entry) || self.meant_by_name(entry))
    }

    fn is_kind(&self, entry: &JournalEntry, word: &str) -> bool {
        let of_type =
            |(cluster, ty): &&(String, ResourceType)| *cluster == entry.cluster && ty.name() == entry.type_name;
        match self.types.iter().find(of_type) {
            Some((_, ty)) => ty.answers_to(word),
            None => entry.kind.eq_ignore_ascii_case(word) || ResourceType::plural_of(&entry.kind) == word,
        }
    }

    fn is_meant(&self, entry: &JournalEntry) -> bool {
        let labels = BTreeMap::new();
        let recognised = self.catalogue.recognise(&Named {
            name: &entry.name,
            kind: &entry.kind,
            group: entry.api_version.split_once('/').map_or("", |(group, _)| group),
            namespace: if entry.namespace == CLUSTER_SCOPE { "" } else { &entry.namespace },
            labels: &labels,
            annotations: "",
        });
        recognised.iter().filter(|known| known.weight >= SURE).any(|known| {
            self.meant.contains(&*known.software.id) || known.categories().iter().any(|id| self.includes(id))
        })
    }

    /// Whether a category is meant, or a broader one is.
    fn includes(&self, id: &str) -> bool {
        self.meant.iter().any(|meant| self.catalogue.is_a(id, meant))
    }

    /// Whether the name itself says it: `orders-database`.
    fn meant_by_name(&self, entry: &JournalEntry) -> bool {
        self.catalogue.asked(&words::split(&entry.name).join(" ")).iter().any(|asked| match asked.meaning {
            Meaning::Category(category) => self.includes(&category.id),
            Meaning::Software(software) => self.meant.contains(&*software.id),
            _ => false,
        })
    }
}

/// What is asked of the journal, before meaning plays a part.
pub(crate) fn query(
    conditions: &Conditions,
    asked: &Asked,
    cluster: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> JournalQuery {
    JournalQuery {
        cluster,
        since: since.map(JournalEntry::time),
        until: until.map(JournalEntry::time),
        what: asked.what.clone(),
        types: conditions.types.clone(),
        namespaces: conditions.namespaces.clone(),
        limit: LOOKED_AT,
        ..JournalQuery::default()
    }
}

/// Who did it only the cluster knows, and only of objects that are there.
pub(crate) fn managers(changes: &[JournalEntry], context: impl Fn(&JournalEntry) -> Option<String>) -> Need {
    let last = changes.iter().find(|entry| entry.what != Some(Happening::Deleted));
    let command = |entry: &JournalEntry| managed_fields(entry, context(entry).as_deref());
    Need { what: "manager", commands: last.map(command).into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, namespace: &str, name: &str) -> JournalEntry {
        let ty = clusterlore_core::ResourceType {
            kind: kind.into(),
            plural: ResourceType::plural_of(kind),
            ..ResourceType::default()
        };
        JournalEntry {
            type_name: ty.name(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
            api_version: "v1".into(),
            ..JournalEntry::default()
        }
    }

    #[test]
    fn what_happened_is_read_in_six_languages() {
        use Happening::{Created, Deleted, LabelsChanged};
        for (question, what, who) in [
            ("what changed in the last hour", vec![], false),
            ("what was deleted today?", vec![Deleted], false),
            ("when did checkout disappear", vec![Deleted], false),
            ("who last changed the ingress of shop", vec![], true),
            ("whose labels changed", vec![LabelsChanged], false),
            ("new deployments since yesterday", vec![Created], false),
            ("was wurde heute gelöscht", vec![Deleted], false),
            ("qu'est-ce qui a été supprimé", vec![Deleted], false),
            ("qué cambió hoy", vec![], false),
            ("o que foi removido", vec![Deleted], false),
            ("今天删除了什么", vec![Deleted], false),
        ] {
            let asked = Asked::of(question);
            assert_eq!((asked.what.into_iter().collect::<Vec<_>>(), asked.who), (what, who), "{question}");
        }
        assert_eq!(Asked::of("when did checkout disappear").question, "when did checkout created");
    }

    #[test]
    fn objects_fit_by_name_kind_and_meaning() {
        let catalogue = Catalogue::builtin();
        let fits = |text: &str, entry: &JournalEntry| Fit::of(text, catalogue, &[]).admits(entry);
        let postgres = entry("StatefulSet", "shop", "orders-postgres");
        for (text, fit) in [
            ("", true),
            ("orders", true),
            ("orders-postgres", true),
            ("databases", true),
            ("postgres", true),
            ("statefulset", true),
            ("statefulsets", true),
            ("shop", true),
            ("orders databases", true),
            ("caches", false),
            ("checkout", false),
            ("checkout databases", false),
            ("ord", false),
        ] {
            assert_eq!(fits(text, &postgres), fit, "{text}");
        }
    }
}
