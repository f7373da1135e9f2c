//! Documents on their way from the cluster to the store, in an unnamed temporary file: what is to be stored must be counted
//! before it is stored, and memory stays flat as the cluster grows. On the heap are some 30 bytes a document.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use clusterlore_core::{Document, ObjectKey, ResourceInstance};
use serde::{Deserialize, Serialize};

/// Entries of one piece of the list: a list in one piece would be there twice while it grows.
const PIECE: usize = 1 << 16;

/// What was done, in its order: the last entry of a key counts.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: ObjectKey,
    /// Number of type and namespace, [`FORGOTTEN`], or [`REMOVED`].
    place: u32,
}

/// A document that is in the file and no longer counts.
const FORGOTTEN: u32 = u32::MAX;
/// No document: those of the key that came before do not count.
const REMOVED: u32 = u32::MAX - 1;

#[derive(Serialize, Deserialize)]
struct Line<D> {
    /// Whether the text changed, so that a vector has to be made.
    embed: bool,
    what: D,
}

/// What is written of a document: itself, or the object that it is made of again. That is a quarter of it to write and read, and is done
/// where nobody waits for it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Put<'a> {
    Document(&'a Document),
    Instance { object: &'a ResourceInstance, type_name: &'a str },
}

/// The same, read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Got {
    Document(Document),
    Instance { object: ResourceInstance, type_name: String },
}

/// A spool; the system removes its file however the process ends.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    entries: Vec<Vec<Entry>>,
    /// The beginnings of all keys. A key that is put a second time, which is rare, is told by its own; so is one key in some thousands
    /// that only begins like another.
    begun: HashSet<[u8; 4]>,
    again: HashSet<[u8; 4]>,
    /// Numbers of types and namespaces.
    places: HashMap<String, HashMap<String, u32>>,
    numbers: u32,
}

impl Spool {
    /// An empty spool.
    ///
    /// # Errors
    /// The system's temporary folder cannot be written.
    pub fn new() -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        // It has no name, and no mode of its own either.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(Self {
            file: BufWriter::with_capacity(1 << 18, file),
            entries: Vec::new(),
            begun: HashSet::new(),
            again: HashSet::new(),
            places: HashMap::new(),
            numbers: 0,
        })
    }

    /// Adds a document, in the place of one of the same key.
    ///
    /// # Errors
    /// The temporary folder is full.
    pub fn put(&mut self, document: &Document, embed: bool) -> io::Result<()> {
        let place = self.number(&document.facets.type_name, &document.facets.namespace);
        self.write(Put::Document(document), embed, Entry { key: document.key, place })
    }

    /// Adds the document of an object; `key` is the object's.
    ///
    /// # Errors
    /// The temporary folder is full.
    pub fn put_instance(
        &mut self,
        object: &ResourceInstance,
        type_name: &str,
        key: ObjectKey,
        embed: bool,
    ) -> io::Result<()> {
        let place = self.number(type_name, &object.namespace);
        self.write(Put::Instance { object, type_name }, embed, Entry { key, place })
    }

    fn write(&mut self, what: Put<'_>, embed: bool, entry: Entry) -> io::Result<()> {
        let line = serde_json::to_vec(&Line { embed, what })?;
        self.file.write_all(&(line.len() as u64).to_le_bytes())?;
        self.file.write_all(&line)?;
        let begin = begin(&entry.key);
        if !self.begun.insert(begin) {
            self.again.insert(begin);
        }
        self.push(entry);
        Ok(())
    }

    /// Takes out what belongs to a type, or to one namespace of it.
    pub fn forget(&mut self, type_name: &str, namespace: Option<&str>) {
        let Some(of_type) = self.places.get(type_name) else { return };
        let gone: HashSet<u32> = match namespace {
            Some(namespace) => of_type.get(namespace).copied().into_iter().collect(),
            None => of_type.values().copied().collect(),
        };
        let entries = self.entries.iter_mut().flatten();
        entries.filter(|e| gone.contains(&e.place)).for_each(|e| e.place = FORGOTTEN);
    }

    /// Takes out one document, if it is there.
    pub fn remove(&mut self, key: &ObjectKey) {
        let begin = begin(key);
        if self.begun.contains(&begin) {
            self.again.insert(begin);
            self.push(Entry { key: *key, place: REMOVED });
        }
    }

    /// How many documents wait. Looks at all of them.
    pub fn len(&self) -> usize {
        let last = self.last();
        self.numbered().filter(|(at, entry)| counts(&last, *at, entry)).count()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        let last = self.last();
        !self.numbered().any(|(at, entry)| counts(&last, at, entry))
    }

    /// Reads what waits, in the order in which it came; `embed` says whether a vector has to be made.
    ///
    /// # Errors
    /// The file cannot be written out or read back.
    pub fn into_documents(self) -> io::Result<impl Iterator<Item = io::Result<(Document, bool)>>> {
        let last = self.last();
        let mut file = self.file.into_inner().map_err(|e| e.into_error())?;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(1 << 18, file);
        let mut entries = self.entries.into_iter().flatten().enumerate();
        let mut next = move || -> io::Result<Option<(Document, bool)>> {
            for (at, entry) in entries.by_ref().filter(|(_, entry)| entry.place != REMOVED) {
                let mut length = [0; 8];
                reader.read_exact(&mut length)?;
                let mut line = vec![0; usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?];
                reader.read_exact(&mut line)?;
                if counts(&last, at, &entry) {
                    let Line { embed, what } = serde_json::from_slice(&line)?;
                    let document = match what {
                        Got::Document(document) => document,
                        Got::Instance { object, type_name } => Document::of_instance(&object, &type_name),
                    };
                    return Ok(Some((document, embed)));
                }
            }
            Ok(None)
        };
        Ok(std::iter::from_fn(move || next().transpose()))
    }

    fn push(&mut self, entry: Entry) {
        match self.entries.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(entry),
            None => {
                let mut piece = Vec::with_capacity(if self.entries.is_empty() { 0 } else { PIECE });
                piece.push(entry);
                self.entries.push(piece);
            }
        }
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().flatten().enumerate()
    }

    /// The last entry of each key that may be there more than once.
    fn last(&self) -> HashMap<ObjectKey, usize> {
        if self.again.is_empty() {
            return HashMap::new();
        }
        self.numbered().filter(|(_, e)| self.again.contains(&begin(&e.key))).map(|(at, e)| (e.key, at)).collect()
    }

    fn number(&mut self, type_name: &str, namespace: &str) -> u32 {
        if let Some(number) = self.places.get(type_name).and_then(|of_type| of_type.get(namespace)) {
            return *number;
        }
        let of_type = self.places.entry(type_name.to_owned()).or_default();
        of_type.insert(namespace.to_owned(), self.numbers);
        self.numbers += 1;
        self.numbers - 1
    }
}

fn begin(key: &ObjectKey) -> [u8; 4] {
    let [a, b, c, d, ..] = key.0;
    [a, b, c, d]
}

/// Whether an entry is a document that waits.
fn counts(last: &HashMap<ObjectKey, usize>, at: usize, entry: &Entry) -> bool {
    entry.place < REMOVED && last.get(&entry.key).is_none_or(|last| *last == at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clusterlore_core::ResourceInstance;
    use proptest::prelude::*;

    use super::*;

    fn document(namespace: &str, name: &str, uid: &str) -> Document {
        let mut o = ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap();
        o.uid = uid.into();
        Document::of_instance(&o, "pods")
    }

    #[test]
    fn the_later_document_counts_and_the_forgotten_is_gone() {
        let mut spool = Spool::new().unwrap();
        for (namespace, name, uid) in [("a", "x", "1"), ("b", "y", "1"), ("a", "x", "2"), ("c", "z", "1")] {
            spool.put(&document(namespace, name, uid), uid == "1").unwrap();
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let file = spool.file.get_ref().metadata().unwrap();
            assert_eq!((file.mode() & 0o777, file.nlink()), (0o600, 0), "without a name, and of this user alone");
        }
        spool.forget("pods", Some("b"));
        spool.forget("services", None);
        assert_eq!(spool.len(), 2);
        let back: Vec<_> = spool.into_documents().unwrap().map(Result::unwrap).collect();
        assert_eq!(back, [(document("a", "x", "2"), false), (document("c", "z", "1"), true)]);
    }

    #[test]
    fn an_object_comes_out_as_its_document() {
        let mut spool = Spool::new().unwrap();
        let mut object = ResourceInstance::new("apps/v1", "Deployment", Some("a"), "x").unwrap();
        object.labels.insert("app".into(), "we\u{0}b\n".into());
        object.annotations.insert("description".into(), "\u{1f980} \"quoted\"".into());
        object.cluster = Some("east".into());
        object.uid = "7".into();
        let document = Document::of_instance(&object, "deployments.apps");
        spool.put_instance(&object, "deployments.apps", document.key, true).unwrap();
        spool.forget("deployments.apps", Some("b"));
        let back: Vec<_> = spool.into_documents().unwrap().map(Result::unwrap).collect();
        assert_eq!(back, [(document, true)]);
    }

    #[derive(Debug, Clone)]
    enum Do {
        Put(&'static str, char, u8),
        Remove(&'static str, char),
        Forget(Option<&'static str>),
    }

    fn deed() -> impl Strategy<Value = Do> {
        let namespace = || prop::sample::select(vec!["a", "b"]);
        let name = || prop::char::range('p', 's');
        prop_oneof![
            4 => (namespace(), name(), 0..3_u8).prop_map(|(ns, name, uid)| Do::Put(ns, name, uid)),
            1 => (namespace(), name()).prop_map(|(ns, name)| Do::Remove(ns, name)),
            1 => prop::option::of(namespace()).prop_map(Do::Forget),
        ]
    }

    proptest! {
        /// A spool is a map that remembers the order of the last puts.
        #[test]
        fn what_comes_out_is_what_a_map_would_hold(deeds in prop::collection::vec(deed(), 0..40)) {
            let mut spool = Spool::new().unwrap();
            let mut map: BTreeMap<ObjectKey, (usize, Document)> = BTreeMap::new();
            for (at, deed) in deeds.into_iter().enumerate() {
                match deed {
                    Do::Put(namespace, name, uid) => {
                        let document = document(namespace, &name.to_string(), &uid.to_string());
                        spool.put(&document, true).unwrap();
                        map.insert(document.key, (at, document));
                    }
                    Do::Remove(namespace, name) => {
                        let key = document(namespace, &name.to_string(), "").key;
                        spool.remove(&key);
                        map.remove(&key);
                    }
                    Do::Forget(namespace) => {
                        spool.forget("pods", namespace);
                        map.retain(|_, (_, d)| namespace.is_some_and(|n| n != d.facets.namespace));
                    }
                }
                prop_assert_eq!(spool.len(), map.len());
                prop_assert_eq!(spool.is_empty(), map.is_empty());
            }
            let mut expected: Vec<(usize, Document)> = map.into_values().collect();
            expected.sort_by_key(|(at, _)| *at);
            let back: Vec<Document> = spool.into_documents().unwrap().map(|d| d.unwrap().0).collect();
            prop_assert_eq!(back, expected.into_iter().map(|(_, d)| d).collect::<Vec<_>>());
        }
    }
}
