//! What a sync writes and what it may delete. The plan sees what the store knows, then every object as it is listed, then
//! which lists came to their end; it holds keys and hashes only, so that it stays small beside a million objects.

use std::collections::{BTreeSet, HashMap};

use crate::{ContentHash, Document, Fingerprint, ObjectKey};

/// What the store knows of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known<'a> {
    /// Which object.
    pub key: ObjectKey,
    /// What it was when it was written.
    pub hash: ContentHash,
    /// `plural.group`.
    pub type_name: &'a str,
    /// Namespace, or `_cluster`.
    pub namespace: &'a str,
    /// Who wrote it.
    pub origin: Origin,
}

/// Who wrote a document, as seen from a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The run's own source: the document goes when a complete list does not hold its object.
    Own,
    /// Another source that is still in use: the document stays.
    Other,
    /// A source that the user replaced: the document becomes the run's own, or goes.
    Replaced,
}

/// What has to be done with a listed object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The store does not know it.
    New,
    /// Its text changed: embed and write.
    Text,
    /// Only what stands beside the text changed: write, and keep the vector.
    Rest,
    /// Nothing.
    Unchanged,
}

/// How much of a type was listed to the end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Coverage {
    /// Nothing: whatever the store knows of it stays.
    #[default]
    Nothing,
    /// These namespaces.
    Namespaces(BTreeSet<String>),
    /// All of it.
    All,
}

impl Coverage {
    /// Whether no list came to its end.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Namespaces(listed) => listed.is_empty(),
            Self::All => false,
        }
    }

    /// Whether an object of this namespace would have been listed.
    pub fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Namespaces(listed) => listed.contains(namespace),
            Self::All => true,
        }
    }
}

#[derive(Debug)]
struct Entry {
    hash: Option<ContentHash>,
    type_name: u32,
    namespace: u32,
    origin: Origin,
    seen: bool,
}

/// One run's plan for one collection and one cluster.
#[derive(Debug, Default)]
pub struct SyncPlan {
    entries: HashMap<ObjectKey, Entry>,
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl SyncPlan {
    /// Takes what the store knows.
    pub fn know(&mut self, known: Known<'_>) {
        let (type_name, namespace) = (self.number(known.type_name), self.number(known.namespace));
        self.entries.insert(
            known.key,
            Entry { hash: Some(known.hash), type_name, namespace, origin: known.origin, seen: false },
        );
    }

    /// Takes one listed object and says what to do with it. Of an object that is listed twice (in two files of a folder, or moved
    /// between pages) the later one counts.
    pub fn observe(&mut self, document: &Document) -> Change {
        let fingerprint = Fingerprint { key: document.key, hash: document.hash };
        self.observe_fingerprint(fingerprint, &document.facets.type_name, &document.facets.namespace)
    }

    /// As [`Self::observe`], before there is a document.
    pub fn observe_fingerprint(&mut self, listed: Fingerprint, type_name: &str, namespace: &str) -> Change {
        let (type_name, namespace) = (self.number(type_name), self.number(namespace));
        let entry = self.entries.entry(listed.key).or_insert(Entry {
            hash: None,
            type_name,
            namespace,
            origin: Origin::Own,
            seen: false,
        });
        entry.type_name = type_name;
        entry.seen = true;
        match entry.hash {
            None => Change::New,
            Some(hash) if hash == listed.hash && entry.origin != Origin::Replaced => Change::Unchanged,
            Some(hash) if hash.text == listed.hash.text => Change::Rest,
            Some(_) => Change::Text,
        }
    }

    /// Forgets that anything of this type, or of one of its namespaces, was seen: its list starts again.
    pub fn restart(&mut self, type_name: &str, namespace: Option<&str>) {
        let type_name = self.number(type_name);
        let namespace = namespace.map(|n| self.number(n));
        let again = |e: &Entry| e.type_name == type_name && namespace.is_none_or(|n| e.namespace == n);
        self.entries.retain(|_, e| e.hash.is_some() || !again(e));
        self.entries.values_mut().filter(|e| again(e)).for_each(|e| e.seen = false);
    }

    /// How many objects were seen.
    pub fn seen(&self) -> usize {
        self.entries.values().filter(|e| e.seen).count()
    }

    /// Types of known documents that this run's source wrote.
    pub fn known_types(&self) -> BTreeSet<&str> {
        self.entries
            .values()
            .filter(|e| e.origin == Origin::Own && e.hash.is_some())
            .map(|e| self.name(e.type_name))
            .collect()
    }

    /// What is to be deleted, given how much of each type was listed to the end: what stood in reach of a complete list and
    /// was not in it, and what a replaced source left behind.
    pub fn removals(&self, coverage: impl Fn(&str) -> Coverage) -> BTreeSet<ObjectKey> {
        let mut by_type: HashMap<u32, Coverage> = HashMap::new();
        self.entries
            .iter()
            .filter(|(_, e)| !e.seen && e.hash.is_some())
            .filter(|(_, e)| match e.origin {
                Origin::Replaced => true,
                Origin::Other => false,
                Origin::Own => by_type
                    .entry(e.type_name)
                    .or_insert_with(|| coverage(self.name(e.type_name)))
                    .covers(self.name(e.namespace)),
            })
            .map(|(key, _)| *key)
            .collect()
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::ResourceInstance;

    type Store = BTreeMap<ObjectKey, Document>;

    fn plan_for(store: &Store) -> SyncPlan {
        let mut plan = SyncPlan::default();
        for d in store.values() {
            plan.know(Known {
                key: d.key,
                hash: d.hash,
                type_name: &d.facets.type_name,
                namespace: &d.facets.namespace,
                origin: Origin::Own,
            });
        }
        plan
    }

    /// Applies a complete list of `world` to `store`; returns how many writes and deletes that took.
    fn sync(store: &mut Store, world: &[Document], coverage: impl Fn(&str) -> Coverage) -> (usize, usize) {
        let mut plan = plan_for(store);
        let mut written = 0;
        for document in world {
            if plan.observe(document) != Change::Unchanged {
                store.insert(document.key, document.clone());
                written += 1;
            }
        }
        let removals = plan.removals(coverage);
        store.retain(|key, _| !removals.contains(key));
        (written, removals.len())
    }

    prop_compose! {
        fn object()(
            ty in prop::sample::select(vec![("pods", "v1", "Pod"), ("jobs.batch", "batch/v1", "Job"), ("jobs.batch", "batch/v2", "Job")]),
            namespace in prop::sample::select(vec!["a", "b"]),
            name in "[a-e]",
            label in "[x-z]",
            uid in "[12]",
        ) -> Document {
            let (type_name, api_version, kind) = ty;
            let mut o = ResourceInstance::new(api_version, kind, Some(namespace), &name).unwrap();
            o.labels.insert("l".into(), label);
            o.uid = uid;
            Document::of_instance(&o, type_name)
        }
    }

    fn world() -> impl Strategy<Value = Vec<Document>> {
        prop::collection::vec(object(), 0..12)
            .prop_map(|list| list.into_iter().map(|d| (d.key, d)).collect::<Store>().into_values().collect())
    }

    fn as_store(world: &[Document]) -> Store {
        world.iter().map(|d| (d.key, d.clone())).collect()
    }

    proptest! {
        #[test]
        fn applying_the_plan_gives_the_second_set_and_planning_again_gives_nothing(first in world(), second in world()) {
            let mut store = as_store(&first);
            sync(&mut store, &second, |_| Coverage::All);
            prop_assert_eq!(&store, &as_store(&second));
            prop_assert_eq!(sync(&mut store, &second, |_| Coverage::All), (0, 0));
        }

        #[test]
        fn what_was_not_listed_to_the_end_is_never_deleted(first in world(), second in world()) {
            let mut store = as_store(&first);
            let only_a = |ty: &str| if ty == "pods" { Coverage::Namespaces(["a".to_owned()].into()) } else { Coverage::Nothing };
            sync(&mut store, &second, only_a);
            for d in &first {
                let deletable = d.facets.type_name == "pods" && d.facets.namespace == "a";
                prop_assert!(deletable || store.contains_key(&d.key));
            }
        }

        #[test]
        fn a_restarted_list_counts_from_the_beginning(first in world(), half in world(), second in world()) {
            let mut plan = plan_for(&as_store(&first));
            half.iter().for_each(|d| { plan.observe(d); });
            plan.restart("pods", None);
            plan.restart("jobs.batch", None);
            let mut undisturbed = plan_for(&as_store(&first));
            for d in &second {
                prop_assert_eq!(plan.observe(d), undisturbed.observe(d));
            }
            prop_assert_eq!(plan.removals(|_| Coverage::All), undisturbed.removals(|_| Coverage::All));
            prop_assert_eq!(plan.seen(), second.len());
        }
    }

    #[test]
    fn what_another_source_wrote_stays() {
        let d = Document::of_instance(&ResourceInstance::new("v1", "Pod", Some("a"), "b").unwrap(), "pods");
        let mut plan = SyncPlan::default();
        let known = Known { key: d.key, hash: d.hash, type_name: "pods", namespace: "a", origin: Origin::Other };
        plan.know(known);
        assert!(plan.removals(|_| Coverage::All).is_empty());
        assert!(plan.known_types().is_empty());
    }

    #[test]
    fn what_a_replaced_source_wrote_is_taken_over_or_goes() {
        let d = Document::of_instance(&ResourceInstance::new("v1", "Pod", Some("a"), "b").unwrap(), "pods");
        let mut plan = SyncPlan::default();
        plan.know(Known { key: d.key, hash: d.hash, type_name: "pods", namespace: "a", origin: Origin::Replaced });
        assert_eq!(plan.removals(|_| Coverage::Nothing), [d.key].into());
        assert_eq!(plan.observe(&d), Change::Rest);
        assert!(plan.removals(|_| Coverage::Nothing).is_empty());
    }
}
