//! What happened lately, by meaning as everything else: "what was deleted today", "when did checkout disappear", "databases that changed in
//! the last hour". Answered from the journal that watching keeps (`core::JournalEntry`).
//!
//! ```json
//! {"changes": [{"at", "after", "what", "type", "apiVersion", "kind", "namespace", "name", "uid", "changedBy", "cluster"}], "more": false, "total",
//!  "since", "until", "what": ["deleted"], "searched", "notes": [{"type", "text"}], "needs": [{"what", "commands"}]}
//! ```

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_catalogue::{Asked as Meant, Catalogue, Meaning, Named};
use clusterlore_core::{
    CLUSTER_SCOPE, Document, Happening, JournalEntry, JournalQuery, ObjectKey, ResourceInstance, ResourceType,
    Selector, words,
};
use clusterlore_search::{Condition, ParsedQuery, Problem};
use clusterlore_store::ClusterNames;
use jiff::Timestamp;
use serde::Serialize;

use crate::command::managed_fields;

/// Entries that are looked through for one question.
pub(crate) const LOOKED_AT: usize = 100_000;
/// How sure the catalogue must be that an object belongs to a software.
const SURE: f32 = 0.5;

/// Words for what happens to objects, in six languages.
const HAPPENINGS: &[(&[Happening], &str)] = &[
    (
        &[Happening::Deleted],
        "deleted delete deletes deletion deletions removed remove removal removals dropped drop missing gone killed terminated disappear disappeared disappears vanish vanished destroyed lost uninstalled \
         gelöscht entfernt verschwunden verschwand weg supprimé supprimée supprimés supprimées disparu disparue disparus disparues \
         eliminado eliminada eliminados eliminadas borrado borrada desapareció desaparecido removido removida removidos removidas apagado apagados \
         excluído excluídos desapareceu sumiu 删除 消失",
    ),
    (
        &[Happening::Created],
        "created recreated re-created made create creates creation creations new added add addition additions appeared appear came deployed installed launched introduced erstellt angelegt neu neue hinzugekommen créé créée créés \
         créées ajouté ajoutés nouveau nouveaux creado creada creados creadas nuevo nuevos criado criada criados novo novos 创建 新增",
    ),
    (&[Happening::LabelsChanged], "relabelled relabeled relabel"),
    (
        &[Happening::SpecChanged, Happening::SpecOrAnnotationsChanged],
        "scaled scale rescaled resized bumped upgraded downgraded patched reconfigured rolled skaliert escalado escalada escalados",
    ),
    (&[], CHANGED),
];
/// Words for any change.
const CHANGED: &str = "changed change changes changing modified modify updated update updates edited edit edits touched touch altered alter replaced happened happen happens geändert ändert passiert changé changée changés \
         modifié modifiés cambió cambiado cambiaron modificado modificados mudou mudaram alterado alterados 更改 变化 修改 变更";
/// What happens to a part of an object, where it stands beside a word for change.
const PARTS: &[(&[Happening], &str)] = &[
    (&[Happening::SpecChanged, Happening::SpecOrAnnotationsChanged], "spec specs specification specifications"),
    (&[Happening::LabelsChanged], "label labels"),
    (&[Happening::AnnotationsChanged, Happening::SpecOrAnnotationsChanged], "annotation annotations"),
];
/// Words that say what happens where one of the first stands before one of the others: "where did it go".
const PHRASES: &[(&[&str], &[&str], Happening)] = &[
    (&["where"], &["go", "went", "gone"], Happening::Deleted),
    (&["went", "gone", "go", "goes"], &["away"], Happening::Deleted),
];
/// Words before what is in a place, and not the place itself.
const IN: &str = "in from inside within under of for to on at across";
/// Words for times that the reader of times knows in English.
const TIMES: &[(&str, &str)] =
    &[("today", "heute aujourd'hui hoy hoje 今天"), ("yesterday", "gestern ayer ontem 昨天")];
/// Words that ask for several things.
const ALL: &str = "what which anything everything something things objects resources";
/// Words before a number of entries: "the last 3 changes".
const LAST: &str = "last latest newest recent most first top";
/// Words that ask for a person.
const WHO: &str = "who whom wer quién quien quem 谁";
/// Built-in types whose objects have no `metadata.generation` (Kubernetes 1.34).
const WITHOUT_GENERATION: &str = "configmaps secrets services serviceaccounts endpoints nodes namespaces persistentvolumes \
                                  persistentvolumeclaims resourcequotas limitranges roles.rbac.authorization.k8s.io \
                                  rolebindings.rbac.authorization.k8s.io clusterroles.rbac.authorization.k8s.io \
                                  clusterrolebindings.rbac.authorization.k8s.io horizontalpodautoscalers.autoscaling \
                                  storageclasses.storage.k8s.io csidrivers.storage.k8s.io priorityclasses.scheduling.k8s.io \
                                  runtimeclasses.node.k8s.io apiservices.apiregistration.k8s.io \
                                  certificatesigningrequests.certificates.k8s.io resourceclaims.resource.k8s.io";
/// Words for what happened that are not said of what is there.
const HAPPENED: &str = "deleted removed disappeared disappear vanished destroyed changed modified edited touched altered happened gelöscht entfernt \
                        verschwunden geändert supprimé supprimée supprimés supprimées disparu modifié modifiés eliminado eliminada eliminados \
                        desapareció cambió cambiado modificado excluído excluídos removido removidos desapareceu mudou alterado alterados";
/// Words not far before them.
const AUXILIARIES: &str = "was were got been has have had did does wurde wurden ist sind hat été est ont a ha han sido fue fueron se foi foram";
/// Words right before them.
const ASKING: &str = "what who when anything something anyone anybody was wer qui qué quién quem";
/// The same in Chinese.
const HAPPENED_CHINESE: [&str; 5] = ["删除了", "被删除", "消失了", "修改了", "变更了"];
/// Words between an auxiliary and its verb: "did the checkout service disappear".
const BETWEEN: usize = 4;
/// Words beside these that name nothing.
const BESIDE: &str = "when did do does last lastly latest lately recently recent newest anything anybody someone somebody everything thing things objects object resources resource \
                      just now got gets getting ago already earlier so far anyone everyone since still ever went go goes going come comes away around become becomes else \
                      wann zuletzt wurde wurden worden ist sind hat été est ont sont qué que se ha han sido fue fueron foi foram quand dernièrement cuándo cuando quando recentemente";

/// What a question about changes asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What happened; none: anything.
    pub(crate) what: BTreeSet<Happening>,
    /// Whether it asks who did it.
    pub(crate) who: bool,
    /// The question, as one about creation: times are read of that.
    pub(crate) question: String,
    /// The namespace that it is about, where it asks for none of what is in it: "when was the shop namespace created".
    namespace: Option<String>,
    /// How many it asks for.
    pub(crate) at_most: Option<usize>,
    /// What is left of it when its words for happenings are left out.
    rest: Vec<String>,
}

impl Asked {
    /// Reads a question.
    pub(crate) fn of(question: &str) -> Self {
        let mut asked = Self::default();
        let mut said = Vec::new();
        let all: Vec<String> = question.split_whitespace().map(|word| bare(word).to_lowercase()).collect();
        let changes = all.iter().any(|word| has(CHANGED, word));
        for (at, (word, low)) in question.split_whitespace().zip(&all).enumerate() {
            let follows = |first: &[&str]| all[..at].iter().any(|before| first.contains(&before.as_str()));
            let phrase = PHRASES.iter().find(|(first, last, _)| last.contains(&low.as_str()) && follows(first));
            if let Some((_, _, what)) = phrase {
                asked.what.insert(*what);
                said.push("created");
                continue;
            }
            if let Some(number) = counted(&all, at) {
                asked.at_most = Some(number);
                continue;
            }
            let happening = HAPPENINGS.iter().find(|(_, list)| has(list, low) || unspaced(list, low));
            let part = PARTS.iter().find(|(_, list)| changes && has(list, low));
            if let Some((what, _)) = happening {
                asked.what.extend(what.iter().copied());
                said.push("created");
            } else if let Some((what, _)) = part {
                asked.what.extend(what.iter().copied());
            } else if has(WHO, low) {
                asked.who = true;
            } else if let Some((english, _)) = TIMES.iter().find(|(_, list)| has(list, low)) {
                said.push(*english);
            } else {
                asked.rest.push(low.clone());
                said.push(word);
            }
        }
        asked.namespace = namespace_itself(&all).filter(|_| asked.who || !asked.what.is_empty());
        // Times such as "this morning" are read of creation, whether the question has a word for what happened or not.
        if said.iter().any(|word| has("today yesterday this last", &bare(word).to_lowercase()))
            && !said.contains(&"created")
        {
            said.push("created");
        }
        asked.question = said.join(" ");
        asked
    }
}

/// Of types whose objects have no `metadata.generation`, nothing tells that their contents changed.
pub(crate) fn without_generation(types: &BTreeSet<String>, asked: &Asked) -> Option<Note> {
    let asks = asked.what.is_empty() || asked.what.contains(&Happening::SpecChanged);
    let silent: Vec<&str> = types.iter().map(String::as_str).filter(|name| has(WITHOUT_GENERATION, name)).collect();
    let text = format!(
        "of {} only creation, deletion, labels and annotations are noticed: the API server counts no changes of what they hold",
        silent.join(", ")
    );
    (asks && !silent.is_empty()).then_some(Note { kind: "contents", text })
}

/// That no time is asked for.
pub(crate) fn out_of_time(since: Option<Timestamp>, until: Option<Timestamp>) -> Option<Note> {
    let (since, until) = since.zip(until).filter(|(since, until)| since >= until)?;
    Some(Note { kind: "no-time", text: format!("no time is after {since:.0} and before {until:.0}") })
}

/// Whether a question asks what happened, and not what is there.
pub(crate) fn asks_what_happened(question: &str) -> bool {
    let all: Vec<String> = question.split_whitespace().map(|word| bare(word).to_lowercase()).collect();
    let happened = |at: usize| {
        has(HAPPENED, &all[at])
            && (at.checked_sub(1).is_some_and(|before| has(ASKING, &all[before]))
                || all[at.saturating_sub(BETWEEN)..at].iter().any(|before| has(AUXILIARIES, before)))
    };
    (0..all.len()).any(happened) || HAPPENED_CHINESE.iter().any(|happened| question.contains(happened))
}

fn has(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|known| known == word)
}

/// Whether the word names nothing.
fn is_beside(word: &str) -> bool {
    has(BESIDE, word) || words::split(word).iter().all(|part| words::is_stop_word(part) || has(BESIDE, part))
}

/// How many entries are asked for, if the word says it: a number behind "last" that counts no units of time.
fn counted(low: &[String], at: usize) -> Option<usize> {
    let number = low[at].parse::<usize>().ok().filter(|number| *number > 0)?;
    let next = low.get(at + 1).map(String::as_str).unwrap_or_default();
    let beside = at.checked_sub(1).is_some_and(|before| has(LAST, &low[before])) || has(LAST, next);
    let is_time = has(
        "s sec secs second seconds m min mins minute minutes h hr hrs hour hours d day days w week weeks month months y yr yrs year years",
        next,
    );
    (beside && !is_time).then_some(number)
}

/// The namespace that a question is about itself: neither "in the shop namespace" nor "which pods of namespace shop".
fn namespace_itself(low: &[String]) -> Option<String> {
    let says = |word: &str| !is_beside(word) && !HAPPENINGS.iter().any(|(_, list)| has(list, word)) && !has(WHO, word);
    let at = low.iter().position(|word| word == "namespace" || word == "ns")?;
    let named = |at: usize| low.get(at).filter(|word| says(word));
    let (name, first) = match named(at + 1) {
        Some(name) => (name, at),
        None => (named(at.checked_sub(1)?)?, at - 1),
    };
    let before = || low[..first].iter().map(String::as_str);
    let led = before().rev().find(|word| !has("the a our my this that", word));
    let of_all = low.iter().any(|word| has(ALL, word));
    (!of_all && !led.is_some_and(|word| has(IN, word)) && !before().any(says)).then(|| name.clone())
}

/// Whether a word of a language without spaces holds one of these.
fn unspaced(list: &str, word: &str) -> bool {
    !word.is_ascii()
        && list
            .split_whitespace()
            .any(|known| known.chars().all(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) && word.contains(known))
}

fn bare(word: &str) -> &str {
    let word = word.trim_end_matches(|c: char| ['?', '!', ',', '.'].contains(&c));
    let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
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
    /// How many fit, where the question asks for a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
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
    /// What clusters are called.
    #[serde(skip)]
    pub names: ClusterNames,
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
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) types: BTreeSet<String>,
    pub(crate) namespaces: BTreeSet<String>,
    /// Exact names: `deploy/api`.
    pub(crate) names: BTreeSet<String>,
    /// Words that objects have to fit.
    pub(crate) text: String,
    /// What must not be told of, in words, and by type or namespace.
    unwanted: String,
    not: Vec<Condition>,
    /// Whether no entry can meet it.
    pub(crate) impossible: bool,
    /// Whether it has conditions on labels or annotations, which only the index knows.
    pub(crate) labelled: bool,
    /// One of these is enough, or what the question's own filter says where there are none.
    pub(crate) either: Vec<Condition>,
    /// What nobody could read, or what is not kept.
    pub(crate) notes: Vec<Note>,
    /// What may be the reason where nothing fits.
    pub(crate) missed: Option<Note>,
}

impl Conditions {
    /// Of a question as it was parsed; what it narrows by may be gone with the objects that are asked for.
    pub(crate) fn of(
        parsed: &ParsedQuery,
        asked: &Asked,
        catalogue: &Catalogue,
        types: &[(String, ResourceType)],
    ) -> Self {
        let mut all = Self { namespaces: parsed.filter.namespaces.clone(), ..Self::default() };
        if let Some(name) = &asked.namespace {
            return Self { types: ["namespaces".to_owned()].into(), names: [name.clone()].into(), ..Self::default() };
        }
        let mut free: BTreeSet<String> = words::split(&parsed.text).into_iter().chain(named(parsed)).collect();
        if let Some(problem) = &parsed.problem {
            match problem {
                Problem::NoSuchNamespace(name) => drop(all.namespaces.insert(name.clone())),
                Problem::NoSuchKind(said) | Problem::NoSuchScope(said) => free.extend(words::split(said)),
                _ => all.impossible = true,
            }
            all.missed = Some(Note { kind: "not-found", text: problem.to_string() });
        }
        let question = asked.rest.join(" ");
        let meant: Vec<_> = catalogue.asked(&question).into_iter().filter(|asked| is_meaning(asked)).collect();
        // "Databases" are not only those of a kind that is called Database.
        let is_vague = |name: &String| {
            let mut of_name = types.iter().filter(|(_, ty)| ty.name() == *name);
            of_name.any(|(_, ty)| {
                let categories = meant.iter().filter(|asked| matches!(asked.meaning, Meaning::Category(_)));
                let mut words = categories.flat_map(|asked| question[asked.span.clone()].split(' '));
                words.any(|word| ty.answers_to(word) || ty.answers_to(&words::stem(word)))
            })
        };
        let kinds = || parsed.kinds.iter().filter(|name| !is_vague(name)).cloned().collect();
        all.types = if parsed.filter.types.is_empty() { kinds() } else { parsed.filter.types.clone() };
        let mut at = 0;
        let mut text: Vec<&str> = Vec::new();
        for word in &asked.rest {
            let span = at..at + word.len();
            at = span.end + 1;
            // "Service accounts" are a kind.
            let of_kind =
                |part: &String| all.types.iter().any(|name| kind_words(name, types).contains(&words::stem(part)));
            if !all.types.is_empty() && words::split(word).iter().all(of_kind) {
                continue;
            }
            // What the parser took for a condition is met by it; what it took for a filler asks for nothing.
            let is_meant = meant.iter().any(|asked| asked.span.start <= span.start && span.end <= asked.span.end);
            let is_free = || words::split(word).iter().any(|part| free.contains(part));
            if is_beside(word) || all.namespaces.contains(word) || !(is_meant || is_free()) {
                continue;
            }
            match word.split_once('/').filter(|(_, name)| !name.is_empty() && !name.contains('/')) {
                Some((kind, name)) if !kind.is_empty() => {
                    let of_kind: Vec<String> = types
                        .iter()
                        .map(|(_, ty)| ty)
                        .filter(|ty| ty.answers_to(kind))
                        .map(ResourceType::name)
                        .collect();
                    all.names.insert(name.to_owned());
                    if of_kind.is_empty() {
                        all.namespaces.insert(kind.to_owned());
                    }
                    all.types.extend(of_kind);
                }
                _ => text.push(word),
            }
        }
        all.text = text.join(" ");
        (all.unwanted, all.not) = (parsed.unwanted.to_lowercase(), parsed.not.clone());
        all.read_labels(parsed);
        all
    }

    /// The journal keeps no labels.
    fn read_labels(&mut self, parsed: &ParsedQuery) {
        let text = words::split(&self.text);
        let is_read = |word: &String| self.namespaces.contains(word) || text.contains(word);
        let is_unread = |said: &str| !words::split(&said.to_lowercase()).iter().any(is_read);
        let mut unread = parsed.soft.iter().filter(|soft| is_unread(&soft.said));
        let first = unread.next();
        let left: Vec<String> = unread.map(|soft| format!("\"{}\"", soft.said)).collect();
        self.either = first.map(|soft| soft.any.clone()).unwrap_or_default();
        let of_labels = self.either.iter().any(|condition| matches!(condition, Condition::Label(..)));
        let filtered = !parsed.filter.selector.0.is_empty() || !parsed.filter.annotations.0.is_empty();
        self.labelled = filtered || !self.either.is_empty();
        if filtered || of_labels {
            let text = "the journal keeps no labels: only of objects that are still there is it known whether they fit";
            self.notes.push(Note { kind: "labels", text: text.to_owned() });
        }
        if !left.is_empty() {
            self.notes.push(Note { kind: "not-used", text: format!("{} was not used", left.join(", ")) });
        }
    }

    /// The conditions on labels of which one is enough.
    pub(crate) fn selectors(&self) -> Vec<Selector> {
        let selector = |condition: &Condition| match condition {
            Condition::Label(key, value) => format!("{key}={value}").parse().ok(),
            _ => None,
        };
        match self.either.is_empty() {
            true => vec![Selector::default()],
            false => self.either.iter().filter_map(selector).collect(),
        }
    }

    /// Whether the words are all that it narrows by.
    pub(crate) fn is_only_words(&self) -> bool {
        self.types.is_empty() && self.namespaces.is_empty() && self.names.is_empty() && self.either.is_empty()
    }

    /// Leaves words out that nothing is called like, and says so.
    pub(crate) fn without(&mut self, unknown: &[String]) {
        let left = self.text.split(' ').filter(|word| !unknown.iter().any(|other| other == word));
        self.text = left.collect::<Vec<_>>().join(" ");
        let text = format!("nothing is called {}; looked without it", quoted(unknown));
        self.notes.push(Note { kind: "not-used", text });
    }

    /// That nothing is called like all the words there are.
    pub(crate) fn unknown(&mut self, unknown: &[String]) {
        self.notes.push(Note { kind: "not-found", text: format!("nothing is called {}", quoted(unknown)) });
    }

    /// Whether an entry is what must not be told of.
    fn is_unwanted(&self, entry: &JournalEntry, unwanted: &Fit<'_>) -> bool {
        let is_not = |condition: &Condition| match condition {
            Condition::Namespace(name) => entry.namespace == *name,
            Condition::Type(name) => entry.type_name == *name,
            // The journal keeps no labels.
            Condition::Label(..) => false,
        };
        self.not.iter().any(is_not) || !self.unwanted.is_empty() && unwanted.admits(entry)
    }

    /// Whether an entry meets those that have nothing to do with labels.
    fn is_there(&self, entry: &JournalEntry) -> bool {
        self.either.iter().any(|condition| match condition {
            Condition::Namespace(name) => entry.namespace == *name,
            Condition::Type(name) => entry.type_name == *name,
            Condition::Label(..) => false,
        })
    }
}

/// What the index says of objects that are still there.
#[derive(Debug, Default)]
pub(crate) struct There {
    /// Those that a search for the words of the question finds.
    pub(crate) found: BTreeSet<ObjectKey>,
    /// Those that meet conditions on labels.
    pub(crate) labelled: BTreeSet<ObjectKey>,
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// The stems of the words of a kind's name.
fn kind_words(type_name: &str, types: &[(String, ResourceType)]) -> Vec<String> {
    let kind = types.iter().find(|(_, ty)| ty.name() == type_name).map(|(_, ty)| words::split(&ty.kind));
    kind.unwrap_or_default().iter().map(|word| words::stem(word)).collect()
}

/// The words of a text that no entry is called like.
pub(crate) fn unknown(
    entries: &[JournalEntry],
    text: &str,
    catalogue: &Catalogue,
    types: &[(String, ResourceType)],
) -> Vec<String> {
    let is_known = |word: &&str| {
        let fit = Fit::of(word, catalogue, types);
        !fit.meant.is_empty() || entries.iter().any(|entry| fit.admits(entry))
    };
    text.split(' ').filter(|word| !word.is_empty() && !is_known(word)).map(str::to_owned).collect()
}

/// Whether it is a category, or surely a software.
fn is_meaning(asked: &Meant<'_>) -> bool {
    matches!(asked.meaning, Meaning::Category(_)) || matches!(asked.meaning, Meaning::Software(_)) && !asked.ambiguous
}

/// The words of the names that a question has.
fn named(parsed: &ParsedQuery) -> Vec<String> {
    let ids = parsed.named.iter().map(|named| named.document.id.rsplit('/').next().unwrap_or_default());
    ids.flat_map(words::split).collect()
}

/// Looks through entries, the newest first.
pub(crate) fn fitting(
    entries: &[JournalEntry],
    conditions: &Conditions,
    catalogue: &Catalogue,
    types: &[(String, ResourceType)],
    there: &There,
    most: usize,
) -> (Vec<JournalEntry>, bool) {
    let fits = Fit::of(&conditions.text, catalogue, types);
    let unwanted = Fit::of(&conditions.unwanted, catalogue, types);
    let mut known: BTreeMap<(String, String, String), bool> = BTreeMap::new();
    let mut fitting: Vec<JournalEntry> = Vec::new();
    for entry in entries {
        let object = (entry.type_name.clone(), entry.namespace.clone(), entry.name.clone());
        if *known.entry(object).or_insert_with(|| {
            let key = key(entry);
            !conditions.is_unwanted(entry, &unwanted)
                && (!conditions.labelled || there.labelled.contains(&key) || conditions.is_there(entry))
                && (fits.admits(entry) || there.found.contains(&key))
        }) {
            if fitting.len() == most {
                return (fitting, true);
            }
            fitting.push(entry.clone());
        }
    }
    (fitting, false)
}

/// The object that an entry is about.
pub(crate) fn key(entry: &JournalEntry) -> ObjectKey {
    let group = entry.api_version.split_once('/').map_or("", |(group, _)| group);
    ObjectKey::new(&entry.cluster, group, &entry.kind, &entry.namespace, &entry.name)
}

/// Whether an object that a search found is surely what the text asks for: its labels or its words say so. A list of what happened is in
/// the order of time, so nothing that is only near in meaning may stand in it.
pub(crate) fn is_evident(object: &ResourceInstance, type_name: &str, text: &str, catalogue: &Catalogue) -> bool {
    let own = words::terms(&Document::of_instance(object, type_name).text);
    let says = |asked: &[String]| words::terms(&asked.join(" ")).iter().all(|term| own.contains(term));
    let fit = Fit::of(text, catalogue, &[]);
    let is_meant = || {
        let of_namespace = if object.is_cluster_scoped() { "" } else { &object.namespace };
        fit.is_of_meant(&Named {
            name: &object.name,
            kind: &object.kind,
            group: &object.api_group,
            namespace: of_namespace,
            labels: &object.labels,
            annotations: "",
        })
    };
    says(&fit.words) && (fit.meant.is_empty() || says(&fit.said) || is_meant())
}

/// Whether an entry is of an object that the text calls by its whole name.
pub(crate) fn is_called(entries: &[JournalEntry], text: &str) -> bool {
    entries.iter().any(|entry| text.split(' ').any(|word| word == entry.name))
}

/// What objects have to be.
struct Fit<'c> {
    catalogue: &'c Catalogue,
    /// Ids of categories and of software.
    meant: BTreeSet<&'c str>,
    /// Words that mean these: what is of a kind that is called so fits too.
    said: Vec<String>,
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
        let (mut words, mut said) = (Vec::new(), Vec::new());
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let from = text[at..].find(word).map_or(at, |found| at + found);
            at = from + word.len();
            if !covered.iter().any(|span| span.start <= from && at <= span.end) {
                words.push(word.to_owned());
            } else {
                said.push(word.to_owned());
            }
        }
        Self { catalogue, meant, said, words, types }
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
        self.words.iter().all(is_called)
            && (self.meant.is_empty()
                || self.said.iter().any(|word| entry.namespace == *word || self.is_kind(entry, word))
                || self.is_meant(entry)
                || self.meant_by_name(entry))
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
        self.is_of_meant(&Named {
            name: &entry.name,
            kind: &entry.kind,
            group: entry.api_version.split_once('/').map_or("", |(group, _)| group),
            namespace: if entry.namespace == CLUSTER_SCOPE { "" } else { &entry.namespace },
            labels: &labels,
            annotations: "",
        })
    }

    fn is_of_meant(&self, object: &Named<'_>) -> bool {
        let recognised = self.catalogue.recognise(object);
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
        names: conditions.names.clone(),
        limit: LOOKED_AT,
        ..JournalQuery::default()
    }
}

/// Who did it only the cluster knows, and only of objects that are there. `named`: one that the question names, as the index knows it.
pub(crate) fn managers(
    changes: &[JournalEntry],
    named: Option<JournalEntry>,
    context: impl Fn(&JournalEntry) -> Option<String>,
) -> Need {
    let last = changes.iter().find(|entry| entry.what != Some(Happening::Deleted)).cloned();
    let command = |entry: JournalEntry| managed_fields(&entry, context(&entry).as_deref());
    Need { what: "manager", commands: last.or(named).map(command).into_iter().collect() }
}

/// The first object that a question names and that is there.
pub(crate) fn first_named(parsed: &ParsedQuery) -> Option<JournalEntry> {
    let named = parsed.named.first()?;
    let instance = named.instance()?;
    Some(JournalEntry::of_instance(&instance, &named.document.type_name, Happening::SpecChanged, String::new()))
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
        use Happening::{AnnotationsChanged, Created, Deleted, LabelsChanged, SpecChanged, SpecOrAnnotationsChanged};
        for (question, what, who) in [
            ("what changed in the last hour", vec![], false),
            ("what was deleted today?", vec![Deleted], false),
            ("when did checkout disappear", vec![Deleted], false),
            ("who last changed the ingress of shop", vec![], true),
            ("whose labels changed", vec![LabelsChanged], false),
            ("whose spec changed", vec![SpecChanged, SpecOrAnnotationsChanged], false),
            ("which annotations were changed", vec![SpecOrAnnotationsChanged, AnnotationsChanged], false),
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
    fn what_happened_is_told_from_what_is_there() {
        for (question, happened) in [
            ("what was deleted today", true),
            ("what changed in the last hour", true),
            ("who deleted the ingress of shop", true),
            ("when did the checkout service disappear", true),
            ("has anything been modified in payments?", true),
            ("wurde heute etwas gelöscht", true),
            ("今天删除了什么", true),
            ("what cleans up deleted users", false),
            ("which service sends update emails", false),
            ("new deployments since yesterday", false),
            ("pods with missing labels", false),
            ("the change data capture thing", false),
            ("", false),
        ] {
            assert_eq!(asks_what_happened(question), happened, "{question}");
        }
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
