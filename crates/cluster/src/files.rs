//! Which files of a folder are read, without opening any.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Files and folders that are looked at. A folder with more is none of manifests.
const MOST: usize = 1_000_000;

/// What there is below a folder.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Manifests, in the order of their paths, each file once however many links lead to it.
    pub(crate) manifests: Vec<PathBuf>,
    /// What cannot be looked into, and why: it may hold anything.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
    /// What is named like a manifest, or linked like a folder, and is not read, with the reason.
    pub(crate) passed_over: Vec<(PathBuf, &'static str)>,
}

/// Looks for manifests below a folder whose path has no links in it. Links are followed, out of the folder too, and nothing is entered
/// twice; what begins with a dot is left out.
///
/// # Errors
/// The folder itself cannot be read, or holds too much.
pub(crate) fn below(root: &Path) -> io::Result<Files> {
    let mut found = Files::default();
    let mut manifests: Vec<(PathBuf, PathBuf)> = Vec::new();
    let mut folders = vec![root.to_owned()];
    let mut entered = BTreeSet::new();
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        let real = match folder.canonicalize() {
            Ok(real) => real,
            Err(e) => {
                found.unreadable.push((folder, e.to_string()));
                continue;
            }
        };
        if real != root && root.starts_with(&real) {
            found.passed_over.push((folder, "it leads to a folder that holds the one that is read"));
            continue;
        }
        if !entered.insert(real.clone()) {
            continue;
        }
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if folder == root => return Err(e),
            Err(e) => {
                found.unreadable.push((folder, e.to_string()));
                continue;
            }
        };
        let mut names = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => names.push(entry.file_name()),
                Err(e) => found.unreadable.push((folder.clone(), e.to_string())),
            }
        }
        looked_at += names.len();
        if looked_at > MOST {
            return Err(io::Error::other(format!("it holds more than {MOST} files; name a folder of manifests")));
        }
        // Which of two links to one folder is followed must not hang on the order in which the system names them.
        names.sort();
        for name in names.into_iter().rev().filter(|name| !name.as_encoded_bytes().starts_with(b".")) {
            let path = folder.join(&name);
            match fs::metadata(&path) {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if is_manifest(&path) => match special(kind.file_type()) {
                    Some(reason) => found.passed_over.push((path, reason)),
                    None => {
                        let real = if path.is_symlink() { path.canonicalize() } else { Ok(real.join(&name)) };
                        match real {
                            Ok(real) => manifests.push((path, real)),
                            Err(e) => found.unreadable.push((path, e.to_string())),
                        }
                    }
                },
                Ok(_) => {}
                // It may have led to a folder.
                Err(e) if e.kind() == io::ErrorKind::NotFound && path.is_symlink() => {
                    let aim = fs::read_link(&path).unwrap_or_default();
                    found.unreadable.push((path, format!("the link leads nowhere: there is no {}", aim.display())));
                }
                Err(e) => found.unreadable.push((path, e.to_string())),
            }
        }
    }
    manifests.sort();
    let mut read = BTreeSet::new();
    manifests.retain(|(_, real)| read.insert(real.clone()));
    found.manifests = manifests.into_iter().map(|(path, _)| path).collect();
    found.unreadable.sort();
    found.passed_over.sort();
    Ok(found)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["yaml", "yml", "json"].iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// What is neither a file nor a folder. Opening a pipe waits for somebody to write, and a device may never end.
#[cfg(unix)]
fn special(kind: fs::FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_file() => None,
        kind if kind.is_fifo() => Some("it is a pipe"),
        kind if kind.is_socket() => Some("it is a socket"),
        _ => Some("it is a device"),
    }
}

#[cfg(not(unix))]
fn special(kind: fs::FileType) -> Option<&'static str> {
    if kind.is_file() { None } else { Some("it is not a file") }
}
