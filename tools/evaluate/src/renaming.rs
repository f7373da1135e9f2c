//! A corpus whose namespaces say nothing: `ns-1`, `ns-2`, … in objects and in questions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_cluster::{
    ClusterError, ClusterSource, Discovery, EventSink, ListEnd, ListScope, Schemas, SourceEvent, Warning,
};
use clusterlore_core::{Coverage, Identity, ResourceInstance, ResourceType};

use crate::corpus::{Corpus, Question};

/// Words that a namespace's name follows.
const LEADING: [&str; 6] = ["in", "from", "inside", "within", "namespace", "ns"];
/// Words that follow a namespace's name.
const FOLLOWING: [&str; 3] = ["namespace", "namespaces", "ns"];
/// Every namespace carries its name in this label.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Neutral names by true ones.
#[derive(Debug)]
struct Renaming(BTreeMap<String, String>);

/// The corpus with neutral names. Its grades are those of the true names, so that rules over namespaces mean what they meant.
pub(crate) fn neutral(corpus: &Corpus) -> Corpus {
    let renaming = Renaming::of(&corpus.objects);
    let objects: Vec<ResourceInstance> = corpus.objects.iter().map(|o| renaming.object(o)).collect();
    let ids: HashMap<&str, &str> =
        corpus.objects.iter().zip(&objects).map(|(old, new)| (old.id.as_str(), new.id.as_str())).collect();
    let questions = corpus.questions.iter().map(|q| {
        let grades = q.grades.iter().map(|(id, g)| (ids.get(id.as_str()).map_or(id.as_str(), |id| id).to_owned(), *g));
        Question { text: renaming.question(&q.text), grades: grades.collect(), ..q.clone() }
    });
    Corpus {
        name: format!("{}, neutral namespaces", corpus.name),
        questions: questions.collect(),
        source: Arc::new(Renamed { source: Arc::clone(&corpus.source), objects: objects.clone() }),
        objects,
        encoder: corpus.encoder.clone(),
    }
}

impl Renaming {
    fn of(objects: &[ResourceInstance]) -> Self {
        let of_objects = objects.iter().filter(|o| !o.is_cluster_scoped()).map(|o| &o.namespace);
        let empty = objects.iter().filter(|o| is_namespace(o)).map(|o| &o.name);
        let all: BTreeSet<&String> = of_objects.chain(empty).collect();
        Self(all.into_iter().zip(1..).map(|(name, n)| (name.clone(), format!("ns-{n}"))).collect())
    }

    fn name(&self, name: &str) -> String {
        self.0.get(name).map_or(name, |new| new).to_owned()
    }

    fn object(&self, object: &ResourceInstance) -> ResourceInstance {
        let mut new = object.clone();
        if is_namespace(object) {
            new.name = self.name(&object.name);
        }
        if let Some(label) = new.labels.get_mut(NAME_LABEL) {
            *label = self.name(label);
        }
        if !object.is_cluster_scoped() {
            new.namespace = self.name(&object.namespace);
        }
        new.id = format!("{}/{}/{}/{}", new.namespace, new.api_version, new.kind, new.name);
        new
    }

    /// Only where the word means the namespace: in "search engines" it does not, though one is called `search`.
    fn question(&self, text: &str) -> String {
        let words: Vec<&str> = text.split(' ').collect();
        let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let is = |at: Option<usize>, any: &[&str]| {
            at.and_then(|at| words.get(at)).is_some_and(|word| any.contains(&bare(word).as_str()))
        };
        let renamed = words.iter().enumerate().map(|(at, word)| {
            let name = bare(word);
            let before = at.checked_sub(if is(at.checked_sub(1), &["the"]) { 2 } else { 1 });
            let meant = is(before, &LEADING) || is(Some(at + 1), &FOLLOWING) || name.contains('-');
            match self.0.get(&name) {
                Some(new) if meant => word.to_lowercase().replace(&name, new),
                _ => (*word).to_owned(),
            }
        });
        renamed.collect::<Vec<_>>().join(" ")
    }
}

fn is_namespace(object: &ResourceInstance) -> bool {
    object.kind == "Namespace" && object.api_group.is_empty()
}

/// A source with other objects of the same types.
struct Renamed {
    source: Arc<dyn ClusterSource>,
    objects: Vec<ResourceInstance>,
}

#[async_trait]
impl ClusterSource for Renamed {
    async fn identity(&self) -> Result<Identity, ClusterError> {
        self.source.identity().await
    }

    async fn discover(&self) -> Result<Discovery, ClusterError> {
        self.source.discover().await
    }

    async fn list(&self, ty: &ResourceType, _: &ListScope, events: &EventSink) -> Result<(), ClusterError> {
        events.send(SourceEvent::Begin { namespace: None }).await?;
        let of_type = self.objects.iter().filter(|o| o.kind == ty.kind && o.api_group == ty.group);
        events.send(SourceEvent::Page(of_type.cloned().collect())).await?;
        events.send(SourceEvent::Done(ListEnd { coverage: Coverage::All, ..ListEnd::default() })).await
    }

    async fn describe(&self, types: &mut [ResourceType]) -> Vec<Warning> {
        self.source.describe(types).await
    }

    async fn schemas(&self, types: &[ResourceType], known: &HashMap<String, String>) -> Result<Schemas, ClusterError> {
        self.source.schemas(types, known).await
    }

    async fn namespaces(&self) -> Result<Vec<String>, ClusterError> {
        let names: BTreeSet<String> =
            self.objects.iter().filter(|o| !o.is_cluster_scoped()).map(|o| o.namespace.clone()).collect();
        Ok(names.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_id_maps_back_and_grades_stay() {
        let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let corpus = Corpus::open(&examples).await.unwrap();
        let neutral = neutral(&corpus);
        let back: HashMap<&str, &str> =
            neutral.objects.iter().zip(&corpus.objects).map(|(new, old)| (new.id.as_str(), old.id.as_str())).collect();
        assert_eq!(back.len(), corpus.objects.len());
        for (object, old) in neutral.objects.iter().zip(&corpus.objects) {
            assert!(object.is_cluster_scoped() || object.namespace.starts_with("ns-"), "{}", object.id);
            assert_eq!(object.is_cluster_scoped(), old.is_cluster_scoped());
        }
        for (new, old) in neutral.questions.iter().zip(&corpus.questions) {
            let grades: HashMap<String, u32> = new
                .grades
                .iter()
                .map(|(id, g)| (back.get(id.as_str()).map_or(id.as_str(), |id| id).into(), *g))
                .collect();
            assert_eq!(grades, old.grades, "{}", old.id);
        }
        let text = |id: &str| neutral.questions.iter().find(|q| q.id == id).unwrap().text.clone();
        let renaming = Renaming::of(&corpus.objects);
        assert_eq!(text("x15"), format!("sts in {}", renaming.0["platform"]));
        assert_eq!(text("x17"), format!("TLS certificates in the {} namespace", renaming.0["guest"]));
    }

    #[test]
    fn a_word_that_means_no_namespace_stays() {
        let names = ["search", "iot", "rook-ceph"].map(|n| (n.to_owned(), format!("ns-{}", n.len())));
        let renaming = Renaming(names.into());
        for (text, expected) in [
            ("search engines", "search engines"),
            ("search engines in search?", "search engines in ns-6?"),
            ("databases of the IoT namespace", "databases of the ns-3 namespace"),
            ("IoT devices", "IoT devices"),
            ("what does rook-ceph run", "what does ns-9 run"),
        ] {
            assert_eq!(renaming.question(text), expected);
        }
    }
}
