//! An answer as every face gives it: typed for Rust, and one JSON shape for everybody else.
//!
//! ```json
//! {"hits": [{"id", "score", "kind", "apiVersion", "namespace", "name", "labels", "annotations", "description", "cluster", "createdAt",
//!            "command", "matched", "controlled", "elsewhere", "live": [{"verdict", "number", "text"}], "explain"}],
//!  "number": 12, "groups": [{"name", "count"}], "notes": [{"type", "text", "values", "remedy"}], "problems": [{"type", "text"}],
//!  "needs": [{"what", "said", "condition", "read", "commands"}], "unread": ["…"], "unindexed": [{"type", "namespace", "name"}],
//!  "total": 314, "inScope": 20, "closest": ["plural.group"]}
//! ```
//!
//! `number` is null where it was not asked for, and where only the cluster could tell it and was not asked. `needs` is what metadata cannot
//! say: `status`, `image`, `spec`, `metrics`, `logs`, `events`, `rbac`, `time`. `values` of a note of the types `namespace`, `kind` and
//! `label` are what the question was narrowed to. `command` shows the object as its cluster has it now. A hit on a type has `explainCommand` and what is known of its purpose in the place of
//! namespace and labels.

use std::collections::BTreeMap;
use std::time::Duration;

use clusterlore_core::conditions::{Beyond, Finding, LiveCondition, Verdict};
use clusterlore_core::{CLUSTER_SCOPE, Capability, Complexity, JournalEntry, ResourceType, SourceIdentity, words};
use clusterlore_search::{Answer, GroupBy, Hit, Judgement, Need, Note, Noun, ParsedQuery, Problem, Reason, Unindexed};
use clusterlore_store::{ClusterNames, RunRecord};
use serde::{Serialize, Serializer};

use crate::basis::{self, About, Basis, Doubt, TooOld};
use crate::changes;
use crate::command::{commands, get_command};

/// The group of what lacks what is grouped by.
const NO_GROUP: &str = "(none)";
/// Characters that are shown of a reason: it quotes names, labels and descriptions.
const LONGEST_REASON: usize = 80;

/// What was found, and how the question was understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// Best first.
    pub hits: Vec<Hit>,
    /// How many match, where that was asked.
    pub number: Option<usize>,
    /// Stored ids of what the number counts, best first.
    pub counted: Vec<String>,
    /// How many of each, most first; they add up to the number.
    pub groups: Vec<Group>,
    /// What the groups are, where there are any.
    pub group_by: Option<GroupBy>,
    /// What was read from the question.
    pub notes: Vec<Note>,
    /// Why nothing can match.
    pub problems: Vec<Problem>,
    /// The question as it was understood.
    pub parsed: ParsedQuery,
    /// How many documents the collection has, as far as the caller may see.
    pub total: usize,
    /// How many of them meet the question's conditions.
    pub admitted: usize,
    /// What their cluster says of the objects that the question reached, if it asks for that and a cluster was looked at.
    pub judgement: Option<Judgement>,
    /// If nothing was found: the types (`plural.group`) nearest to the question.
    pub closest: Vec<String>,
    /// If nothing was found: what bore a name that the question has, and is gone.
    pub gone: Vec<JournalEntry>,
    /// What the answer rests on.
    pub bases: Vec<Basis>,
    /// Why it may not hold.
    pub doubts: Vec<Doubt>,
    /// What clusters are called.
    pub names: ClusterNames,
    explain: bool,
}

/// Matches that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What they have in common; `(none)` where they lack it.
    pub name: String,
    /// How many.
    pub count: usize,
}

impl Reply {
    pub(crate) fn of(answer: Answer, explain: bool) -> Self {
        let Answer { hits, number, counted, groups, parsed, total, admitted, judgement, closest } = answer;
        Self {
            hits,
            number,
            counted,
            groups: groups.into_iter().map(|(name, count)| Group { name, count }).collect(),
            group_by: parsed.clauses.group_by.clone().filter(|_| number.is_some()),
            notes: parsed.notes.clone(),
            problems: parsed.problem.clone().into_iter().collect(),
            parsed,
            total,
            admitted,
            judgement,
            closest,
            gone: Vec::new(),
            bases: Vec::new(),
            doubts: Vec::new(),
            names: ClusterNames::default(),
            explain,
        }
    }

    /// The same, with what it rests on. What is more than a day old is doubted.
    pub(crate) fn resting_on(self, bases: Vec<Basis>) -> Self {
        let unmade = basis::unmade(&bases, &self.parsed.filter.types, self.admitted);
        Self { doubts: basis::old(&bases).into_iter().chain(unmade).collect(), bases, ..self }
    }

    /// The same, with what clusters are called: groups of clusters, and problems with them, are told so.
    pub(crate) fn calling(mut self, names: ClusterNames) -> Self {
        if self.group_by == Some(GroupBy::Cluster) {
            for group in &mut self.groups {
                let cluster = Some(group.name.as_str()).filter(|name| *name != NO_GROUP).unwrap_or_default();
                let shown = names.shown(cluster);
                if !shown.is_empty() && shown != group.name {
                    group.name = shown.to_owned();
                }
            }
        }
        self.names = names;
        self
    }

    /// Doubts it where it asks for types that could not be read.
    pub(crate) fn beside_unread(mut self, runs: &[RunRecord]) -> Self {
        self.doubts.extend(basis::unread(runs, &self.parsed.filter.clusters, &self.parsed.filter.types));
        self
    }

    /// Whether it asks for types that could not be read: that it tells of nothing else says nothing then.
    pub fn is_incomplete(&self) -> bool {
        self.doubts.iter().any(|doubt| matches!(doubt.about, About::Unread(_)))
    }

    /// Doubts it where the question asks what happened.
    pub(crate) fn beside_journal(mut self, question: &str) -> Self {
        if changes::asks_what_happened(question) {
            self.doubts.push(Doubt { about: About::Happened, remedy: String::new() });
        }
        self
    }

    /// Doubts it where all of it is of other clusters than the one in use, which a context of a kubeconfig names.
    pub fn compare(&mut self, context: &str, used: &SourceIdentity) {
        self.doubts.extend(basis::elsewhere(&self.bases, context, used));
    }

    /// Refuses it where a part of it is older.
    ///
    /// # Errors
    /// [`TooOld`], also where nobody knows how old a part of it is.
    pub fn within(&self, most: Duration) -> Result<(), TooOld> {
        basis::within(&self.bases, most)
    }

    /// The commands of kubectl that know what the question needs.
    pub fn commands(&self, need: &Need) -> Vec<String> {
        let read = |basis: &&Basis| matches!(basis.source, SourceIdentity::Cluster { .. });
        let mut contexts = self.bases.iter().filter(read).map(|basis| self.context(Some(&basis.cluster)));
        // Of several clusters none is named: the caller knows which is meant.
        let context = contexts.next().flatten().filter(|first| contexts.all(|context| context == Some(*first)));
        commands(need, &self.parsed, &self.hits, context)
    }

    /// The context by which a cluster was read (`None`: the unnamed one), where that is known.
    pub fn context(&self, cluster: Option<&str>) -> Option<&str> {
        let of_cluster = |basis: &&Basis| {
            basis.cluster == cluster.unwrap_or_default() && matches!(basis.source, SourceIdentity::Cluster { .. })
        };
        let reading = self.bases.iter().find(of_cluster)?.reading.as_ref()?;
        Some(reading.context.as_str()).filter(|context| !context.is_empty())
    }

    /// What is gone, each in a sentence without its full stop. Text from outside.
    pub fn gone(&self) -> Vec<String> {
        let told = |entry: &JournalEntry| {
            let at = entry.at.split('.').next().unwrap_or_default();
            let place = match entry.namespace.as_str() {
                CLUSTER_SCOPE => entry.name.clone(),
                namespace => format!("{namespace}/{}", entry.name),
            };
            match entry.after.is_empty() {
                true => format!("{} {place} is gone since {at}Z", entry.kind),
                false => format!("{} {place} was found to be gone at {at}Z", entry.kind),
            }
        };
        self.gone.iter().map(told).collect()
    }

    /// Whether the cluster was asked for it.
    pub fn is_read(&self, need: &Need) -> bool {
        let looked = self.judgement.as_ref().is_some_and(|judgement| judgement.looked);
        looked && (need.condition.is_some() || need.what == Beyond::Status && !self.parsed.named.is_empty())
    }

    /// What could not be read of the cluster, each in a sentence of its own. Text from outside.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.judgement.iter().flat_map(|judgement| judgement.unread.iter().map(String::as_str))
    }

    /// What the question wants to hold of what it asks for, and nobody looked at. The hits are not a list of those of which it holds.
    pub fn unchecked(&self) -> Vec<&Need> {
        let open = |need: &&Need| need.narrows() && !self.is_read(need);
        if self.parsed.named.is_empty() { self.parsed.needs.iter().filter(open).collect() } else { Vec::new() }
    }

    /// What metadata cannot say, as programs read it.
    pub fn told_needs(&self) -> Vec<impl Serialize + use<'_>> {
        self.parsed.needs.iter().map(|need| JsonNeed::of(need, self)).collect()
    }

    /// The doubts as programs read them.
    pub fn told_doubts(&self) -> impl Serialize + use<> {
        self.doubts.iter().map(Told::of_doubt).collect::<Vec<_>>()
    }
}

/// How to read more of a type.
pub fn explain_command(ty: &ResourceType) -> String {
    format!("kubectl explain {}", ty.name())
}

/// The reasons that weigh, in words, and what else the hit stands for.
pub fn matched(hit: &Hit) -> Vec<String> {
    let weighs = |r: &&Reason| r.adds >= 0.005 || r.why.starts_with("through ");
    let mut whys: Vec<String> = hit.score.reasons.iter().filter(weighs).map(reason).collect();
    for (ids, what) in [(&hit.elsewhere, "the same in other namespaces"), (&hit.controlled, "what it controls")] {
        if !ids.is_empty() {
            whys.push(format!("+{} {what}", ids.len()));
        }
    }
    whys
}

/// A reason in words, as far as there is room for it.
pub fn reason(reason: &Reason) -> String {
    words::cut(&reason.why, LONGEST_REASON).into_owned()
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JsonReply {
            hits: self.hits.iter().map(|hit| json_hit(hit, self)).collect(),
            number: self.number,
            groups: &self.groups,
            notes: self
                .notes
                .iter()
                .map(|note| Told { values: narrowed_to(note), ..Told::new(note_type(note), note) })
                .chain(self.gone().iter().map(|text| Told::new("gone", text)))
                .chain(self.doubts.iter().map(Told::of_doubt))
                .collect(),
            problems: self.problems.iter().map(|problem| Told::new(problem_type(problem), problem)).collect(),
            needs: self.parsed.needs.iter().map(|need| JsonNeed::of(need, self)).collect(),
            unread: self.unread().collect(),
            unindexed: self.judgement.iter().flat_map(|j| j.unindexed.iter().map(JsonUnindexed::of)).collect(),
            total: self.total,
            in_scope: self.admitted,
            closest: &self.closest,
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonReply<'a> {
    hits: Vec<JsonHit<'a>>,
    number: Option<usize>,
    groups: &'a [Group],
    notes: Vec<Told>,
    problems: Vec<Told>,
    needs: Vec<JsonNeed<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unread: Vec<&'a str>,
    /// Objects that the cluster has and the index not yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unindexed: Vec<JsonUnindexed<'a>>,
    total: usize,
    in_scope: usize,
    closest: &'a [String],
}

#[derive(Serialize)]
struct JsonUnindexed<'a> {
    r#type: &'a str,
    namespace: &'a str,
    name: &'a str,
}

impl<'a> JsonUnindexed<'a> {
    fn of(Unindexed { type_name, namespace, name, .. }: &'a Unindexed) -> Self {
        Self { r#type: type_name, namespace, name }
    }
}

/// What metadata cannot say.
#[derive(Serialize)]
struct JsonNeed<'a> {
    what: &'static str,
    said: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    /// Whether the cluster was asked for it.
    read: bool,
    /// The commands that know it, where it was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<String>,
}

impl<'a> JsonNeed<'a> {
    fn of(need: &'a Need, reply: &Reply) -> Self {
        let state = (need.what == Beyond::Status && !reply.parsed.named.is_empty()).then_some(LiveCondition::Ready);
        let condition = need.condition.as_ref().or(state.as_ref()).map(LiveCondition::told);
        let read = reply.is_read(need);
        let commands = if read { Vec::new() } else { reply.commands(need) };
        Self { what: need.what.name(), said: &need.said, condition, read, commands }
    }
}

/// What the cluster says of a hit and one of the conditions.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonFound<'a> {
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    text: &'a str,
}

/// A note or a problem.
#[derive(Serialize)]
struct Told {
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
    /// What the question was narrowed to, as a request has it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    remedy: String,
}

impl Told {
    fn new(kind: &'static str, text: &impl std::fmt::Display) -> Self {
        Self { kind, text: text.to_string(), values: Vec::new(), remedy: String::new() }
    }

    fn of_doubt(doubt: &Doubt) -> Self {
        Self { remedy: doubt.remedy.clone(), ..Self::new(doubt.about.kind(), &doubt.about) }
    }
}

fn narrowed_to(note: &Note) -> Vec<String> {
    match note {
        Note::Label(value) | Note::Namespace(value) => vec![value.clone()],
        Note::Kind(names) | Note::Cluster(names) => names.clone(),
        _ => Vec::new(),
    }
}

fn note_type(note: &Note) -> &'static str {
    match note {
        Note::Counted => "counted",
        Note::Grouped(_) => "grouped",
        Note::Ordered(_) => "ordered",
        Note::Created { .. } => "created",
        Note::Unwanted(_) => "unwanted",
        Note::Label(_) => "label",
        Note::Kind(_) => "kind",
        Note::Namespace(_) => "namespace",
        Note::Cluster(_) => "cluster",
        Note::Preferred(_) => "preferred",
        Note::Named(_) => "named",
        Note::Elsewhere { .. } => "elsewhere",
        Note::Unknown(_) => "unknown",
        Note::Exceptions(_) => "exceptions",
        Note::Overruled(_) => "overruled",
        Note::LeftOut(_) => "leftOut",
        Note::OtherTime(_) => "otherTime",
        Note::Unchecked(_) => "unchecked",
        Note::Language(_) | Note::Read { .. } => "language",
        Note::Corrected { .. } => "corrected",
        Note::SimilarTo(_) => "similarTo",
    }
}

fn problem_type(problem: &Problem) -> &'static str {
    match problem {
        Problem::NoSuchNamespace(_) => "noSuchNamespace",
        Problem::NoSuchCluster(_) => "noSuchCluster",
        Problem::NoSuchKind(_) => "noSuchKind",
        Problem::NoSuchScope(_) => "noSuchScope",
        Problem::TooManyConditions => "tooManyConditions",
        Problem::NoClock => "noClock",
        Problem::NotADate(_) => "notADate",
        Problem::NotAnAge(_) => "notAnAge",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonHit<'a> {
    id: &'a str,
    score: f32,
    kind: &'a str,
    api_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a BTreeMap<String, String>>,
    /// Of those that are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(flatten)]
    ty: Option<JsonType<'a>>,
    matched: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    controlled: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    elsewhere: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    live: Vec<JsonFound<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Vec<Explained>>,
}

/// What only a type has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonType<'a> {
    explain_command: String,
    #[serde(flatten)]
    capability: Option<JsonCapability<'a>>,
}

/// What a type is for, where that is known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonCapability<'a> {
    use_case: &'a str,
    capabilities: &'a [String],
    providers: &'a [String],
    complexity: Complexity,
}

/// A summand of the score.
#[derive(Serialize)]
struct Explained {
    why: String,
    adds: f32,
}

fn json_type<'a>(ty: &'a ResourceType, capability: Option<&'a Capability>) -> JsonType<'a> {
    let capability = capability.map(|c| JsonCapability {
        use_case: &c.use_case,
        capabilities: &c.capabilities,
        providers: &c.providers,
        complexity: c.complexity,
    });
    JsonType { explain_command: explain_command(ty), capability }
}

fn found(finding: &Finding) -> JsonFound<'_> {
    JsonFound { verdict: finding.verdict, number: finding.number, text: &finding.text }
}

fn json_hit<'a>(hit: &'a Hit, reply: &Reply) -> JsonHit<'a> {
    let rounded = |x: f32| (x * 10_000.0).round() / 10_000.0;
    let explained = || hit.score.reasons.iter().map(|r| Explained { why: reason(r), adds: rounded(r.adds) }).collect();
    let (kind, api_version, namespace, name, labels, description, cluster, ty) = match &hit.noun {
        Noun::Instance(i) => (
            i.kind.as_str(),
            i.api_version.clone(),
            Some(i.namespace.as_str()),
            i.name.clone(),
            Some(&i.labels),
            i.description(),
            i.cluster.as_deref(),
            None,
        ),
        Noun::Type(t, capability) => (
            t.kind.as_str(),
            t.api_version(),
            None,
            t.name(),
            None,
            t.description.clone(),
            None,
            Some(json_type(t, capability.as_deref())),
        ),
    };
    let annotations = match &hit.noun {
        Noun::Instance(i) if !i.kept_annotations.is_empty() => Some(&i.kept_annotations),
        _ => None,
    };
    let instance = match &hit.noun {
        Noun::Instance(instance) => Some(instance),
        Noun::Type(..) => None,
    };
    JsonHit {
        id: &hit.id,
        score: rounded(hit.score.total()),
        kind,
        api_version,
        namespace,
        name,
        labels,
        annotations,
        description,
        cluster,
        created_at: instance.map(|i| i.created_at.as_str()).filter(|at| !at.is_empty()),
        command: instance.map(|i| get_command(i, reply.context(i.cluster.as_deref()))),
        ty,
        matched: matched(hit),
        controlled: &hit.controlled,
        elsewhere: &hit.elsewhere,
        live: hit.found.iter().map(found).collect(),
        explain: reply.explain.then(explained),
    }
}
