//! A folder of kubeconfigs: which files there are, and what became of them since the last look.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// So much of a file is read to see whether it changed, in bytes.
const LARGEST: u64 = 1 << 20;

/// What is known of a file; `None`: it cannot be read.
type Mark = Option<u64>;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is there for the first time, or again, or with another content.
    There(PathBuf),
    /// It is gone.
    Gone(PathBuf),
}

/// A folder that is looked at now and then.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    /// As it counts.
    known: BTreeMap<PathBuf, Mark>,
    /// As it was at the last look.
    last: BTreeMap<PathBuf, Mark>,
}

impl Folder {
    /// As it is now; all of that is known.
    ///
    /// # Errors
    /// It cannot be listed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let known = marks(path)?;
        Ok(Self { path: path.to_owned(), last: known.clone(), known })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.known.keys()
    }

    /// Takes it that a file is not known: the next look tells that it is there.
    pub(crate) fn forget(&mut self, file: &Path) {
        self.known.remove(file);
    }

    /// What changed. A change counts when two looks saw the same: a file may be half-written.
    ///
    /// # Errors
    /// It cannot be listed. Nothing is taken for gone then.
    pub(crate) fn look(&mut self) -> io::Result<Vec<Change>> {
        let now = marks(&self.path)?;
        let (known, last) = (&self.known, &self.last);
        let settled = |file: &PathBuf| now.get(file) == last.get(file) && now.get(file) != known.get(file);
        let mut changes = Vec::new();
        changes.extend(known.keys().filter(|f| !now.contains_key(*f) && settled(f)).cloned().map(Change::Gone));
        changes.extend(now.keys().filter(|file| settled(file)).cloned().map(Change::There));
        for change in &changes {
            match change {
                Change::There(file) => drop(self.known.insert(file.clone(), now.get(file).copied().flatten())),
                Change::Gone(file) => drop(self.known.remove(file)),
            }
        }
        self.last = now;
        Ok(changes)
    }
}

/// The files, each the kubeconfig of a cluster. What begins with a dot is none: in a mounted Secret these are the folders behind its links.
fn marks(folder: &Path) -> io::Result<BTreeMap<PathBuf, Mark>> {
    let files: Vec<PathBuf> =
        folder.read_dir()?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    let hidden = |path: &Path| path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let files = files.into_iter().filter(|path| path.is_file() && !hidden(path));
    Ok(files.map(|path| (mark(&path).ok(), path)).map(|(mark, path)| (path, mark)).collect())
}

fn mark(file: &Path) -> io::Result<u64> {
    let mut content = Vec::new();
    File::open(file)?.take(LARGEST).read_to_end(&mut content)?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&content);
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_when_two_looks_saw_the_same() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let write = |name: &str, text: &str| std::fs::write(at(name), text).unwrap();
        let there = |name: &str| Change::There(at(name));
        write("east", "1");
        write(".hidden", "1");
        std::fs::create_dir(at("old")).unwrap();
        let mut folder = Folder::open(home.path()).unwrap();
        assert_eq!(folder.files().collect::<Vec<_>>(), [&at("east")]);
        let mut look = || folder.look().unwrap();
        assert_eq!(look(), []);

        write("west", "ha");
        assert_eq!(look(), []);
        write("west", "half-written");
        assert_eq!(look(), []);
        assert_eq!(look(), [there("west")]);
        assert_eq!(look(), []);
        // The same content is no change, nor is a file that was away for one look.
        write("west", "half-written");
        std::fs::rename(at("east"), at(".away")).unwrap();
        assert_eq!(look(), []);
        std::fs::rename(at(".away"), at("east")).unwrap();
        assert_eq!([look(), look()], [[], []]);

        std::fs::remove_file(at("east")).unwrap();
        write("west", "2");
        assert_eq!(look(), []);
        assert_eq!(look(), [Change::Gone(at("east")), there("west")]);
        folder.forget(&at("west"));
        assert_eq!(folder.look().unwrap(), [there("west")]);
        std::fs::remove_dir_all(home.path()).unwrap();
        assert!(folder.look().is_err());
    }
}
