//! What the journal has to know of objects: how each was when it was last seen. Documents do not tell all of it, and hashes do not tell what
//! of an object changed.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use clusterlore_core::{Collection, Happening, JournalBounds, JournalEntry, ObjectKey, ResourceInstance};
use clusterlore_store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};

use crate::checks;

/// What is noticed so long after it happened was not watched: events are seconds late at most, and clocks differ.
const LATE: SignedDuration = SignedDuration::from_secs(30);

/// How an object was, in 40 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    generation: i64,
    uid: u64,
    labels: u64,
    annotations: u64,
}

/// How it came to be known that an object is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noticed {
    /// As it went.
    AtOnce,
    /// By a list that lacks it.
    Late,
}

/// Remembers every object, and notes what happens to them.
#[derive(Debug)]
pub(crate) struct Memory {
    seen: HashMap<ObjectKey, Seen>,
    hasher: RandomState,
    /// When the index was last known to be fresh, to the second: what was created before and is new to the index was only not read then.
    since: String,
    last: Timestamp,
    /// What happened and is not yet written.
    pub(crate) entries: Vec<JournalEntry>,
}

impl Memory {
    /// Remembers nothing yet. `since`: up to when whatever there was is in the index, RFC 3339.
    pub(crate) fn new(since: &str) -> Self {
        Self {
            seen: HashMap::new(),
            hasher: RandomState::new(),
            since: second(since).to_owned(),
            last: Timestamp::UNIX_EPOCH,
            entries: Vec::new(),
        }
    }

    /// An object as it is now; `new` says that the index does not know it, `manager` who changed it last (empty where that is not known).
    pub(crate) fn saw(
        &mut self,
        instance: &ResourceInstance,
        key: ObjectKey,
        type_name: &str,
        new: bool,
        manager: &str,
    ) {
        let noted = self.entries.len();
        let hash = |value: &dyn Fn(&mut std::hash::DefaultHasher)| {
            let mut hasher = self.hasher.build_hasher();
            value(&mut hasher);
            std::hash::Hasher::finish(&hasher)
        };
        let now = Seen {
            generation: instance.generation,
            uid: hash(&|hasher| instance.uid.hash(hasher)),
            labels: hash(&|hasher| instance.labels.hash(hasher)),
            annotations: hash(&|hasher| (&instance.annotations, &instance.kept_annotations).hash(hasher)),
        };
        match self.seen.insert(key, now) {
            Some(before) if before.uid != now.uid => {
                self.note(instance, type_name, Happening::Deleted);
                self.note(instance, type_name, Happening::Created);
            }
            Some(before) => {
                for (happened, what) in [
                    (before.generation != now.generation, Happening::of_generation(instance)),
                    (before.labels != now.labels, Happening::LabelsChanged),
                    (before.annotations != now.annotations, Happening::AnnotationsChanged),
                ] {
                    if happened {
                        self.note(instance, type_name, what);
                    }
                }
            }
            None if new && second(&instance.created_at) >= self.since.as_str() => {
                let after = if self.is_late(&instance.created_at) { &instance.created_at } else { "" };
                self.note_after(instance, type_name, Happening::Created, after);
            }
            None => {}
        }
        // Who deletes an object is no manager of it.
        for entry in self.entries[noted..].iter_mut().filter(|entry| entry.what != Some(Happening::Deleted)) {
            manager.clone_into(&mut entry.changed_by);
        }
    }

    /// An object is gone.
    pub(crate) fn lost(&mut self, key: &ObjectKey) {
        self.seen.remove(key);
    }

    /// Notes that objects went: what they were is read off their documents. `Late`: nobody told of it but a list.
    pub(crate) async fn note_lost(
        &mut self,
        store: &dyn Store,
        lost: &[(ObjectKey, String)],
        noticed: Noticed,
    ) -> Result<(), StoreError> {
        if lost.is_empty() {
            return Ok(());
        }
        let view = checks::everything_now(store).await?;
        let keys: Vec<ObjectKey> = lost.iter().map(|(key, _)| *key).collect();
        let records = view.records(Collection::Instances, &keys).await?;
        for (key, type_name) in lost {
            self.lost(key);
            let record = records.get(key).and_then(|record| serde_json::from_str::<ResourceInstance>(record).ok());
            if let Some(instance) = record {
                let is_known = noticed == Noticed::AtOnce || self.since.is_empty();
                let after = if is_known { String::new() } else { format!("{}Z", self.since) };
                self.note_after(&instance, type_name, Happening::Deleted, &after);
            }
        }
        Ok(())
    }

    /// Notes what happened to an object just now.
    pub(crate) fn note(&mut self, instance: &ResourceInstance, type_name: &str, what: Happening) {
        self.note_after(instance, type_name, what, "");
    }

    /// Notes what happened to an object at an unknown time after this one.
    fn note_after(&mut self, instance: &ResourceInstance, type_name: &str, what: Happening, after: &str) {
        let at = self.time();
        let entry = JournalEntry::of_instance(instance, type_name, what, at);
        self.entries.push(JournalEntry { after: after.to_owned(), ..entry });
    }

    /// Whether something is noticed so long after its time that nobody watched.
    fn is_late(&self, time: &str) -> bool {
        time.parse::<Timestamp>().is_ok_and(|time| Timestamp::now() - LATE > time)
    }

    /// What stays of the journal.
    pub(crate) fn bounds() -> JournalBounds {
        let oldest = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(JournalBounds::DAYS));
        JournalBounds { oldest: JournalEntry::time(oldest), ..JournalBounds::default() }
    }

    /// Now, or a microsecond after the last entry: no two have the same time.
    fn time(&mut self) -> String {
        self.last = Timestamp::now().max(self.last + SignedDuration::from_micros(1));
        JournalEntry::time(self.last)
    }
}

/// A time without what is below its second.
fn second(time: &str) -> &str {
    time.split(['.', 'Z']).next().unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(created_at: &str) -> ResourceInstance {
        let pod = ResourceInstance::new("v1", "Pod", Some("shop"), "a").unwrap();
        ResourceInstance { created_at: created_at.into(), uid: "1".into(), generation: 1, ..pod }
    }

    #[test]
    fn what_changed_is_told_apart_and_what_only_was_not_read_is_no_news() {
        let mut memory = Memory::new("2026-01-02T00:00:00.5Z");
        let key = ObjectKey::new("", "", "Pod", "shop", "a");
        let mut saw = |instance: &ResourceInstance, new| {
            memory.saw(instance, key, "pods", new, "helm");
            let by = |entry: &JournalEntry| if entry.what == Some(Happening::Deleted) { "" } else { "helm" };
            assert!(memory.entries.iter().all(|entry| entry.changed_by == by(entry)), "{:?}", memory.entries);
            memory.entries.drain(..).filter_map(|entry| entry.what).collect::<Vec<Happening>>()
        };
        let old = pod("2026-01-01T00:00:00Z");
        assert_eq!(saw(&old, true), []);
        assert_eq!(saw(&old, false), []);
        let spec = ResourceInstance { generation: 2, resource_version: "9".into(), ..old.clone() };
        assert_eq!(saw(&spec, false), [Happening::SpecChanged]);
        let labels = [("a".to_owned(), "b".to_owned())];
        let both = ResourceInstance { labels: labels.clone().into(), annotations: labels.into(), ..spec };
        assert_eq!(saw(&both, false), [Happening::LabelsChanged, Happening::AnnotationsChanged]);
        let another = ResourceInstance { uid: "2".into(), ..both };
        assert_eq!(saw(&another, false), [Happening::Deleted, Happening::Created]);
        memory.lost(&key);
        memory.saw(&pod("2026-01-02T00:00:00Z"), key, "pods", true, "");
        let created = memory.entries.remove(0);
        // Nobody watched when it was created.
        assert_eq!((created.what, created.after.as_str()), (Some(Happening::Created), "2026-01-02T00:00:00Z"));
        memory.lost(&key);
        memory.saw(&pod(&Timestamp::now().to_string()), key, "pods", true, "");
        assert_eq!(memory.entries[0].after, "");
    }

    #[test]
    fn of_what_also_counts_its_annotations_nobody_says_that_its_spec_changed() {
        for (api_version, kind, what) in [
            ("apps/v1", "Deployment", Happening::SpecOrAnnotationsChanged),
            ("apps/v1", "StatefulSet", Happening::SpecChanged),
            ("example.org/v1", "Deployment", Happening::SpecChanged),
        ] {
            let mut memory = Memory::new("");
            let web = ResourceInstance::new(api_version, kind, Some("shop"), "web").unwrap();
            let key = ObjectKey::new("", &web.api_group, kind, "shop", "web");
            for generation in [1, 2] {
                memory.saw(&ResourceInstance { generation, ..web.clone() }, key, "", false, "");
            }
            assert_eq!(memory.entries.iter().map(|entry| entry.what).collect::<Vec<_>>(), [Some(what)], "{kind}");
        }
    }

    #[test]
    fn no_two_entries_have_the_same_time_and_texts_sort_as_times() {
        let mut memory = Memory::new("");
        let times: Vec<String> = (0..10_000).map(|_| memory.time()).collect();
        assert!(times.is_sorted_by(|a, b| a < b));
        assert!(times.iter().all(|time| time.len() == "2026-01-02T03:04:05.000006Z".len()), "{}", times[0]);
    }
}
