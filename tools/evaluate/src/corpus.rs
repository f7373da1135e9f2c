//! A corpus: a folder of manifests and files of questions with rules that grade its objects.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clusterlore_cluster::{ClusterSource, EventSink, FolderSource, ListScope, SourceEvent};
use clusterlore_core::{Collection, ResourceInstance, ResourceType};
use clusterlore_models::Encoder;
use fancy_regex::Regex;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// The built-in types that may be asked for, beside those that the corpus defines.
const BUILT_IN: &[&str] = &[
    "pods",
    "services",
    "configmaps",
    "secrets",
    "namespaces",
    "nodes",
    "serviceaccounts",
    "persistentvolumes",
    "persistentvolumeclaims",
    "resourcequotas",
    "limitranges",
    "replicationcontrollers",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "replicasets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "horizontalpodautoscalers.autoscaling",
    "ingresses.networking.k8s.io",
    "ingressclasses.networking.k8s.io",
    "networkpolicies.networking.k8s.io",
    "poddisruptionbudgets.policy",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "storageclasses.storage.k8s.io",
    "priorityclasses.scheduling.k8s.io",
];

/// What a grading rule sees of an object or a type.
#[derive(Debug, Clone, Default)]
struct Shown {
    kind: String,
    name: String,
    ns: String,
    group: String,
    labels: String,
}

/// Objects that every expression of it fits get its grade.
#[derive(Debug, Clone, Deserialize)]
struct Rule {
    grade: u32,
    #[serde(flatten)]
    patterns: BTreeMap<Part, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Kind,
    Name,
    Ns,
    Group,
    Labels,
}

/// A line of the file.
#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    class: String,
    #[serde(default, rename = "target")]
    collection: Collection,
    q: String,
    rules: Vec<Rule>,
    /// The right number, where the question asks how many.
    count: Option<usize>,
    /// What would say what metadata cannot: `status`, or `status|events` where either is right.
    #[serde(default)]
    needs: Option<String>,
}

/// How the questions of a file are put.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// Short, and made of words that say something.
    #[default]
    Clean,
    /// As people and assistants type: whole sentences.
    Sentences,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clean => "clean questions",
            Self::Sentences => "whole sentences",
        })
    }
}

impl Form {
    pub(crate) const ALL: [Self; 2] = [Self::Clean, Self::Sentences];

    /// What such a file may be called, beside the manifests.
    fn files(self) -> [&'static str; 2] {
        match self {
            Self::Clean => ["questions.jsonl", "queries.jsonl"],
            Self::Sentences => ["sentences.jsonl", "queries2.jsonl"],
        }
    }
}

/// A question and what answers it.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) form: Form,
    pub(crate) class: String,
    pub(crate) collection: Collection,
    pub(crate) text: String,
    /// Grade of each object that answers, by its id; empty where nothing fits.
    pub(crate) grades: HashMap<String, u32>,
    /// The right number, where the question asks how many.
    pub(crate) count: Option<usize>,
    /// What would say what metadata cannot; each is right. Empty where metadata answers.
    pub(crate) needs: Vec<String>,
}

impl Question {
    /// The class of questions that nothing answers.
    const NONE: &str = "none";
    /// The class of questions that metadata cannot answer whole.
    const BEYOND: &str = "beyond";

    /// The class of questions that are there only to see whether something is claimed of them that is not so.
    const CONTROL: &str = "control";

    pub(crate) fn is_answerable(&self) -> bool {
        self.class != Self::NONE
    }

    /// Whether hits are graded: a count may be 0, and of what metadata cannot say no object may be labelled.
    pub(crate) fn is_graded(&self) -> bool {
        self.is_answerable() && !self.grades.is_empty()
    }

    fn may_lack_grades(&self) -> bool {
        self.class == Self::CONTROL || !self.is_answerable() || self.class == Self::BEYOND || self.count == Some(0)
    }

    /// The best grade that an object has.
    pub(crate) fn top(&self) -> u32 {
        self.grades.values().copied().max().unwrap_or_default()
    }
}

/// Everything that one evaluation is about.
#[derive(Clone)]
pub(crate) struct Corpus {
    pub(crate) name: String,
    pub(crate) source: Arc<dyn ClusterSource>,
    pub(crate) objects: Vec<ResourceInstance>,
    pub(crate) questions: Vec<Question>,
    /// Who encodes questions in place of what is built in: an encoder that has not seen the corpus.
    pub(crate) encoder: Option<Arc<Encoder<'static>>>,
}

impl Corpus {
    /// Reads `manifests/`, or the folder itself where it has none, and the questions of every form.
    pub(crate) async fn open(folder: &Path) -> Result<Self> {
        let (manifests, files) = places(folder)?;
        let (source, types, objects) = read(&manifests).await?;
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        let name = if name == "corpus" { "shared".to_owned() } else { name };
        let shown = shown(&types, &objects);
        let mut questions = Vec::new();
        for (form, file) in files {
            let place = file.display().to_string();
            let text = std::fs::read_to_string(&file).with_context(|| place.clone())?;
            questions.extend(read_questions(&place, &text, form, &shown)?);
        }
        Ok(Self { name, source: Arc::new(source), objects, questions, encoder: None })
    }

    /// Manifests whose questions are kept elsewhere.
    pub(crate) async fn without_questions(name: &str, manifests: &Path) -> Result<Self> {
        let (source, _, objects) = read(manifests).await?;
        Ok(Self { name: name.to_owned(), source: Arc::new(source), objects, questions: Vec::new(), encoder: None })
    }
}

impl Corpus {
    /// The same objects with the questions of another file.
    pub(crate) async fn asked_from(folder: &Path, file: &Path) -> Result<Self> {
        let (manifests, _) = places(folder)?;
        let (_, types, objects) = read(&manifests).await?;
        let place = file.display().to_string();
        let text = std::fs::read_to_string(file).with_context(|| place.clone())?;
        let questions = read_questions(&place, &text, Form::Sentences, &shown(&types, &objects))?;
        Ok(Self { questions, ..Self::open(folder).await? })
    }

    /// The same with another encoder.
    pub(crate) fn encoded_by(self, encoder: Arc<Encoder<'static>>) -> Self {
        Self { encoder: Some(encoder), ..self }
    }

    /// The same with some of the questions.
    pub(crate) fn asked(&self, which: impl Fn(&Question) -> bool) -> Self {
        let questions = self.questions.iter().filter(|q| which(q)).cloned().collect();
        Self { questions, ..self.clone() }
    }
}

async fn read(manifests: &Path) -> Result<(FolderSource, Vec<ResourceType>, Vec<ResourceInstance>)> {
    let source = FolderSource::open(manifests)?;
    let types = source.discover().await?.types;
    let objects = objects(&source, &types).await?;
    Ok((source, types, objects))
}

fn places(folder: &Path) -> Result<(PathBuf, Vec<(Form, PathBuf)>)> {
    let below = folder.join("manifests");
    let manifests = if below.is_dir() { below } else { folder.to_owned() };
    let file = |form: Form| form.files().map(|name| folder.join(name)).into_iter().find(|file| file.is_file());
    let files: Vec<(Form, PathBuf)> = Form::ALL.into_iter().filter_map(|form| Some((form, file(form)?))).collect();
    if files.is_empty() {
        bail!(
            "{} has no questions; expected a corpus: manifests/ and questions.jsonl or sentences.jsonl",
            folder.display()
        );
    }
    Ok((manifests, files))
}

pub(crate) async fn objects(source: &dyn ClusterSource, types: &[ResourceType]) -> Result<Vec<ResourceInstance>> {
    let (sender, mut receiver) = mpsc::channel(4);
    let list = async move {
        for (type_index, ty) in types.iter().enumerate() {
            source.list(ty, &ListScope::All, &EventSink { type_index, sender: sender.clone() }).await?;
        }
        anyhow::Ok(())
    };
    let collect = async {
        let mut all = Vec::new();
        while let Some((_, event)) = receiver.recv().await {
            if let SourceEvent::Page(page) = event {
                all.extend(page);
            }
        }
        all
    };
    let (listed, objects) = tokio::join!(list, collect);
    listed?;
    Ok(objects)
}

/// What rules see, by id, for each collection.
type AllShown = HashMap<Collection, Vec<(String, Shown)>>;

fn shown(types: &[ResourceType], objects: &[ResourceInstance]) -> AllShown {
    let (definitions, objects): (Vec<_>, Vec<_>) = objects.iter().partition(|o| o.kind == "CustomResourceDefinition");
    let instances = objects.into_iter().map(|o| {
        let shown = Shown {
            kind: o.kind.clone(),
            name: o.name.clone(),
            ns: o.namespace.clone(),
            group: o.api_group.clone(),
            labels: o.labels_joined(","),
        };
        (o.id.clone(), shown)
    });
    let kinds: HashMap<String, &ResourceType> = types.iter().map(|ty| (ty.name(), ty)).collect();
    let built_in = BUILT_IN.iter().map(|name| ((*name).to_owned(), String::new()));
    let defined = definitions
        .into_iter()
        .map(|d| (d.name.clone(), kinds.get(&d.name).map_or_else(String::new, |t| t.kind.clone())));
    let types = built_in.chain(defined).map(|(name, kind)| {
        let group = name.split_once('.').map_or_else(String::new, |(_, group)| group.to_owned());
        (name.clone(), Shown { kind, name, group, ..Shown::default() })
    });
    [(Collection::Instances, instances.collect()), (Collection::Capabilities, types.collect())].into()
}

fn read_questions(file: &str, text: &str, form: Form, shown: &AllShown) -> Result<Vec<Question>> {
    let mut questions: Vec<Question> = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("{file}:{}", number + 1);
        let read: Line = serde_json::from_str(line).map_err(|e| {
            anyhow!("{place}: {e}; expected {{\"id\", \"class\", \"target\": \"instances\"|\"types\", \"q\", \"rules\": [{{\"grade\", \"kind\"|\"name\"|\"ns\"|\"group\"|\"labels\": EXPRESSION}}]}}")
        })?;
        let documents = shown.get(&read.collection).map(Vec::as_slice).unwrap_or_default();
        let grades = grades(&read.rules, documents).with_context(|| place.clone())?;
        let Line { id, class, collection, q: text, count, needs, .. } = read;
        let needs = needs.iter().flat_map(|n| n.split('|')).map(str::to_owned).collect();
        let question = Question { id, form, class, collection, text, grades, count, needs };
        if question.grades.is_empty() && !question.may_lack_grades() {
            bail!(
                "{place}: no object is labelled for {}; expected rules that fit at least one, or class \"none\"",
                question.id
            );
        }
        if questions.iter().any(|q| q.id == question.id) {
            bail!("{place}: {} stands twice; expected an id of its own for each question", question.id);
        }
        questions.push(question);
    }
    Ok(questions)
}

/// The highest grade of the rules that fit, for every document that one fits.
fn grades(rules: &[Rule], documents: &[(String, Shown)]) -> Result<HashMap<String, u32>> {
    let mut grades = HashMap::new();
    for rule in rules {
        let compile = |(part, pattern): (&Part, &String)| {
            let expression = Regex::new(&format!("(?i){pattern}"))
                .map_err(|e| anyhow!("{pattern:?} is no regular expression: {e}"))?;
            anyhow::Ok((*part, expression))
        };
        let expressions: Vec<(Part, Regex)> = rule.patterns.iter().map(compile).collect::<Result<_>>()?;
        for (id, shown) in documents {
            let text = |part: Part| match part {
                Part::Kind => &shown.kind,
                Part::Name => &shown.name,
                Part::Ns => &shown.ns,
                Part::Group => &shown.group,
                Part::Labels => &shown.labels,
            };
            if expressions.iter().all(|(part, e)| e.is_match(text(*part)).unwrap_or(false)) && rule.grade > 0 {
                let grade = grades.entry(id.clone()).or_default();
                *grade = rule.grade.max(*grade);
            }
        }
    }
    Ok(grades)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Question>> {
        let deployment = ResourceInstance::new("apps/v1", "Deployment", Some("shop"), "Web-api").unwrap();
        read_questions("q.jsonl", text, Form::Clean, &shown(&[], &[deployment]))
    }

    #[test]
    fn the_highest_rule_counts_and_case_does_not() {
        let line = r#"{"id":"a","class":"app","q":"x","rules":[{"grade":1,"ns":"^shop$"},{"grade":3,"name":"^WEB","kind":"deploy"},{"grade":2,"name":"^(?!web)"}]}"#;
        assert_eq!(read_text(line).unwrap()[0].grades, [("shop/apps/v1/Deployment/Web-api".to_owned(), 3)].into());
        let types = r#"{"id":"a","class":"app","target":"types","q":"x","rules":[{"grade":3,"group":"^batch$"}]}"#;
        assert_eq!(read_text(types).unwrap()[0].grades.len(), 2);
    }

    #[tokio::test]
    async fn a_folder_that_is_no_corpus_says_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let message = Corpus::open(folder.path()).await.err().unwrap().to_string();
        assert!(
            message.ends_with("has no questions; expected a corpus: manifests/ and questions.jsonl or sentences.jsonl"),
            "{message}"
        );
        std::fs::write(folder.path().join("questions.jsonl"), "").unwrap();
        assert!(Corpus::open(folder.path()).await.is_err(), "there are no manifests");
    }

    #[test]
    fn what_is_wrong_with_a_questions_file_is_said_with_file_and_line() {
        let good = r#"{"id":"a","class":"none","q":"x","rules":[]}"#;
        for (line, expected) in [
            (r#"{"id":"b","#, "q.jsonl:2: EOF while parsing"),
            (r#"{"id":"b","class":"app","q":"x","rules":[{"grade":1,"node":"x"}]}"#, "q.jsonl:2: "),
            (
                r#"{"id":"b","class":"app","q":"x","rules":[{"grade":1,"ns":"moon"}]}"#,
                "q.jsonl:2: no object is labelled for b",
            ),
            (
                r#"{"id":"b","class":"app","q":"x","rules":[{"grade":1,"ns":"("}]}"#,
                "q.jsonl:2: \"(\" is no regular expression",
            ),
            (good, "q.jsonl:2: a stands twice"),
        ] {
            let message = format!("{:#}", read_text(&format!("{good}\n{line}\n")).unwrap_err());
            assert!(message.starts_with(expected), "{message}\nexpected {expected}");
        }
    }
}
