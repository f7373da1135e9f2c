//! What a sync writes and what it may delete. The plan sees what the store knows, then every object as it is listed, then
//! which lists came to their end; it holds keys and hashes only, so that it stays small beside a million objects.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::document::{ContentHash, Document, Fingerprint, ObjectKey};

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
    /// Namespace by namespace.
    Namespaces {
        /// Those whose lists came to their end.
        listed: BTreeSet<String>,
        /// All namespaces that there are, where a list of them came to its end: what stands in any other is gone.
        existing: Option<Arc<BTreeSet<String>>>,
    },
    /// All of it.
    All,
}

impl Coverage {
    /// These namespaces; of others nothing is known.
    pub fn of_namespaces(listed: BTreeSet<String>) -> Self {
        Self::Namespaces { listed, existing: None }
    }

    /// Whether no list came to its end.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Namespaces { listed, .. } => listed.is_empty(),
            Self::All => false,
        }
    }

    /// Whether an object of this namespace would have been listed, if there were one.
    pub fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Namespaces { listed, existing } => {
                listed.contains(namespace) || existing.as_ref().is_some_and(|all| !all.contains(namespace))
            }
            Self::All => true,
        }
    }
}

/// A type and a namespace, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    type_name: u32,
    namespace: u32,
}

/// A document that the store holds.
#[derive(Debug)]
struct Entry {
    hash: ContentHash,
    place: Place,
    origin: Origin,
    seen: bool,
}

/// One run's plan for one collection and one cluster.
#[derive(Debug, Default)]
pub struct SyncPlan {
    known: HashMap<ObjectKey, Entry>,
    /// Listed, and not known to the store. Apart from the others, and without a hash: a first sync holds a million of them.
    fresh: HashMap<ObjectKey, Place>,
    names: Vec<String>,
    numbers: HashMap<String, u32>,
    /// Objects seen of each type, by its number.
    seen: Vec<usize>,
    seen_in_all: usize,
    /// Entries looked at by walks over all of them: what must not happen for each page or each type.
    #[cfg(test)]
    walked: std::cell::Cell<usize>,
}

impl SyncPlan {
    /// Takes what the store knows.
    pub fn know(&mut self, known: Known<'_>) {
        let place = self.place(known.type_name, known.namespace);
        self.known.insert(known.key, Entry { hash: known.hash, place, origin: known.origin, seen: false });
    }

    /// Takes one listed object and says what to do with it. Of an object that is listed twice (in two files of a folder, or moved
    /// between pages) the later one counts.
    pub fn observe(&mut self, document: &Document) -> Change {
        let fingerprint = Fingerprint { key: document.key, hash: document.hash };
        self.observe_fingerprint(fingerprint, &document.facets.type_name, &document.facets.namespace)
    }

    /// As [`Self::observe`], before there is a document.
    pub fn observe_fingerprint(&mut self, listed: Fingerprint, type_name: &str, namespace: &str) -> Change {
        let place = self.place(type_name, namespace);
        let Some(entry) = self.known.get_mut(&listed.key) else {
            let before = self.fresh.insert(listed.key, place);
            self.moved(before, place);
            return Change::New;
        };
        let before = entry.seen.then_some(entry.place);
        entry.place.type_name = place.type_name;
        entry.seen = true;
        let change = match entry.hash {
            hash if hash == listed.hash && entry.origin != Origin::Replaced => Change::Unchanged,
            hash if hash.text == listed.hash.text => Change::Rest,
            _ => Change::Text,
        };
        self.moved(before, place);
        change
    }

    /// Forgets that anything of this type, or of one of its namespaces, was seen: its list starts again. Says whether anything
    /// was.
    pub fn restart(&mut self, type_name: &str, namespace: Option<&str>) -> bool {
        let type_name = self.number(type_name);
        if self.seen.get(type_name as usize).is_none_or(|seen| *seen == 0) {
            return false;
        }
        let namespace = namespace.map(|n| self.number(n));
        let again = |p: &Place| p.type_name == type_name && namespace.is_none_or(|n| p.namespace == n);
        self.walk(self.fresh.len() + self.known.len());
        let mut forgotten = self.fresh.len();
        self.fresh.retain(|_, place| !again(place));
        forgotten -= self.fresh.len();
        for entry in self.known.values_mut().filter(|e| e.seen && again(&e.place)) {
            entry.seen = false;
            forgotten += 1;
        }
        if let Some(seen) = self.seen.get_mut(type_name as usize) {
            *seen -= forgotten;
        }
        self.seen_in_all -= forgotten;
        forgotten > 0
    }

    /// What was observed is in the store now, or on its way there: from here on it is known as it is.
    pub fn keep(&mut self, observed: Fingerprint) {
        match (self.fresh.remove(&observed.key), self.known.get_mut(&observed.key)) {
            (Some(place), _) => {
                let entry = Entry { hash: observed.hash, place, origin: Origin::Own, seen: true };
                self.known.insert(observed.key, entry);
            }
            (None, Some(entry)) => (entry.hash, entry.origin) = (observed.hash, Origin::Own),
            (None, None) => {}
        }
    }

    /// The object is gone. Whether its document goes with it: one that another source wrote stays.
    pub fn forget(&mut self, key: &ObjectKey) -> bool {
        let (place, goes) = match (self.fresh.remove(key), self.known.get(key)) {
            (Some(place), _) => (Some(place), true),
            (None, Some(Entry { origin: Origin::Other, .. }) | None) => return false,
            (None, Some(_)) => match self.known.remove(key) {
                Some(entry) => (entry.seen.then_some(entry.place), true),
                None => return false,
            },
        };
        if let Some(place) = place {
            self.seen_in_all -= 1;
            if let Some(seen) = self.seen.get_mut(place.type_name as usize) {
                *seen -= 1;
            }
        }
        goes
    }

    /// How many objects were seen.
    pub fn seen(&self) -> usize {
        self.seen_in_all
    }

    /// Whether these removals are most of what is known, and more than a few: so much is only deleted after a second look.
    pub fn is_most(&self, removals: &BTreeSet<ObjectKey>) -> bool {
        const FEW: usize = 100;
        removals.len() > FEW && removals.len() * 2 > self.known.len()
    }

    /// How many documents the store knows.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// Types of known documents that this run's source wrote, each with one of its documents.
    pub fn known_types(&self) -> BTreeMap<&str, ObjectKey> {
        self.walk(self.known.len());
        let own = self.known.iter().filter(|(_, e)| e.origin == Origin::Own);
        let types: HashMap<u32, ObjectKey> = own.map(|(key, e)| (e.place.type_name, *key)).collect();
        types.into_iter().map(|(number, key)| (self.name(number), key)).collect()
    }

    /// What is to be deleted, given how much of each type was listed to the end: what stood in reach of a complete list and
    /// was not in it, and what a replaced source left behind.
    pub fn removals(&self, coverage: impl Fn(&str) -> Coverage) -> BTreeSet<ObjectKey> {
        self.walk(self.known.len());
        let mut by_type: HashMap<u32, Coverage> = HashMap::new();
        self.known
            .iter()
            .filter(|(_, e)| !e.seen)
            .filter(|(_, e)| match e.origin {
                Origin::Replaced => true,
                Origin::Other => false,
                Origin::Own => by_type
                    .entry(e.place.type_name)
                    .or_insert_with(|| coverage(self.name(e.place.type_name)))
                    .covers(self.name(e.place.namespace)),
            })
            .map(|(key, _)| *key)
            .collect()
    }

    /// The type of a known document.
    pub fn type_of(&self, key: &ObjectKey) -> Option<&str> {
        Some(self.name(self.known.get(key)?.place.type_name))
    }

    /// The types of these documents.
    pub fn types_of<'a>(&self, keys: impl IntoIterator<Item = &'a ObjectKey>) -> BTreeSet<&str> {
        let numbers = keys.into_iter().filter_map(|key| Some(self.known.get(key)?.place.type_name));
        let numbers: BTreeSet<u32> = numbers.collect();
        numbers.into_iter().map(|number| self.name(number)).collect()
    }

    /// An object is seen at a place, and was seen at another before or not at all.
    fn moved(&mut self, before: Option<Place>, now: Place) {
        match before.and_then(|place| self.seen.get_mut(place.type_name as usize)) {
            Some(seen) => *seen -= 1,
            None => self.seen_in_all += 1,
        }
        let at = now.type_name as usize;
        if self.seen.len() <= at {
            self.seen.resize(at + 1, 0);
        }
        if let Some(seen) = self.seen.get_mut(at) {
            *seen += 1;
        }
    }

    fn place(&mut self, type_name: &str, namespace: &str) -> Place {
        Place { type_name: self.number(type_name), namespace: self.number(namespace) }
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

    #[cfg(test)]
    fn walk(&self, entries: usize) {
        self.walked.set(self.walked.get() + entries);
    }

    #[cfg(not(test))]
    fn walk(&self, _entries: usize) {}
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::instance::ResourceInstance;

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
            let only_a = |ty: &str| if ty == "pods" { Coverage::of_namespaces(["a".to_owned()].into()) } else { Coverage::Nothing };
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

        #[test]
        fn what_was_seen_is_counted_as_it_is_seen(
            first in world(), steps in prop::collection::vec((object(), prop::sample::select(vec![0, 0, 0, 1, 2])), 0..40),
        ) {
            let mut plan = plan_for(&as_store(&first));
            let mut seen: Store = Store::new();
            for (d, step) in steps {
                let (ty, namespace) = (d.facets.type_name.clone(), d.facets.namespace.clone());
                match step {
                    0 => {
                        plan.observe(&d);
                        seen.insert(d.key, d);
                    }
                    1 => {
                        let any = seen.values().any(|s| s.facets.type_name == ty);
                        prop_assert_eq!(plan.restart(&ty, None), any);
                        seen.retain(|_, s| s.facets.type_name != ty);
                    }
                    _ => {
                        plan.restart(&ty, Some(&namespace));
                        seen.retain(|_, s| s.facets.type_name != ty || s.facets.namespace != namespace);
                    }
                }
                prop_assert_eq!(plan.seen(), seen.len());
            }
        }

        #[test]
        fn a_namespace_that_a_complete_list_of_namespaces_does_not_hold_is_covered(first in world()) {
            let mut store = as_store(&first);
            // "b" may not be read, and there is no "a" any more.
            let existing = Some(Arc::new(["b".to_owned(), "c".to_owned()].into()));
            let coverage = Coverage::Namespaces { listed: ["c".to_owned()].into(), existing };
            sync(&mut store, &[], |_| coverage.clone());
            let left: Store = as_store(&first).into_iter().filter(|(_, d)| d.facets.namespace == "b").collect();
            prop_assert_eq!(store, left);
        }
    }

    #[test]
    fn no_page_and_no_type_costs_a_walk_over_everything() {
        let objects: Vec<Document> = (0..2_000)
            .map(|n| {
                Document::of_instance(&ResourceInstance::new("v1", "Pod", Some("a"), &format!("p{n}")).unwrap(), "pods")
            })
            .collect();
        let mut plan = plan_for(&as_store(&objects[..1_000]));
        for page in objects.chunks(10) {
            page.iter().for_each(|d| {
                plan.observe(d);
            });
            assert!(plan.seen() >= 10);
            // A type that is forbidden starts again namespace by namespace, before anything of it was seen.
            assert!(!plan.restart("secrets", None));
        }
        assert_eq!((plan.seen(), plan.walked.get()), (2_000, 0));
        assert!(plan.restart("pods", None));
        assert_eq!((plan.seen(), plan.walked.get()), (0, 2_000));
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
