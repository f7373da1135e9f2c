//! Documents on their way from the cluster to the store, in an unnamed temporary file: what is to be stored must be counted
//! before it is stored, and memory stays flat as the cluster grows. Only keys and places are held on the heap.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use clusterlore_core::{Document, ObjectKey};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    type_name: u32,
    namespace: u32,
}

#[derive(Serialize, Deserialize)]
struct Line<D> {
    /// Whether the text changed, so that a vector has to be made.
    embed: bool,
    document: D,
}

/// A spool; the system removes its file however the process ends.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    offset: u64,
    places: HashMap<ObjectKey, Place>,
    names: Vec<String>,
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
        Ok(Self { file: BufWriter::with_capacity(1 << 18, file), offset: 0, places: HashMap::new(), names: Vec::new() })
    }

    /// Adds a document, in the place of one of the same key.
    ///
    /// # Errors
    /// The temporary folder is full.
    pub fn put(&mut self, document: &Document, embed: bool) -> io::Result<()> {
        let line = serde_json::to_vec(&Line { embed, document })?;
        self.file.write_all(&(line.len() as u64).to_le_bytes())?;
        self.file.write_all(&line)?;
        let place = Place {
            offset: self.offset,
            type_name: self.number(&document.facets.type_name),
            namespace: self.number(&document.facets.namespace),
        };
        self.places.insert(document.key, place);
        self.offset += line.len() as u64 + 8;
        Ok(())
    }

    /// Takes out what belongs to a type, or to one namespace of it.
    pub fn forget(&mut self, type_name: &str, namespace: Option<&str>) {
        let type_name = self.number(type_name);
        let namespace = namespace.map(|n| self.number(n));
        self.places.retain(|_, p| p.type_name != type_name || namespace.is_some_and(|n| n != p.namespace));
    }

    /// Takes out one document, if it is there.
    pub fn remove(&mut self, key: &ObjectKey) {
        self.places.remove(key);
    }

    /// How many documents wait.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Reads what waits, in the order in which it came; `embed` says whether a vector has to be made.
    ///
    /// # Errors
    /// The file cannot be written out or read back.
    pub fn into_documents(self) -> io::Result<impl Iterator<Item = io::Result<(Document, bool)>>> {
        let mut file = self.file.into_inner().map_err(|e| e.into_error())?;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(1 << 18, file);
        let mut offset = 0;
        let (end, places) = (self.offset, self.places);
        let mut next = move || -> io::Result<Option<(Document, bool)>> {
            while offset < end {
                let here = offset;
                let mut length = [0; 8];
                reader.read_exact(&mut length)?;
                let length = u64::from_le_bytes(length);
                let mut line = vec![0; usize::try_from(length).map_err(io::Error::other)?];
                reader.read_exact(&mut line)?;
                offset += length + 8;
                let Line::<Document> { embed, document } = serde_json::from_slice(&line)?;
                if places.get(&document.key).is_some_and(|p| p.offset == here) {
                    return Ok(Some((document, embed)));
                }
            }
            Ok(None)
        };
        Ok(std::iter::from_fn(move || next().transpose()))
    }

    fn number(&mut self, name: &str) -> u32 {
        let at = self.names.iter().rposition(|n| n == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_core::ResourceInstance;

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
}
