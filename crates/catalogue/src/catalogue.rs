//! Looking up what is known: by id, group, kind and word.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use clusterlore_core::words;

use crate::entry::{Category, Complexity, Component, Group, Kind, Role, Software, Text};
use crate::file::{CatalogueError, Entries};
use crate::index::{Alias, Domain, Phrase, Tables, Target};
use crate::{check, file};

/// Everything that is known. [`Catalogue::builtin`] lies in the binary and costs nothing to start with.
#[derive(Debug, Clone)]
pub struct Catalogue(pub(crate) Tables);

// Made by build.rs from data/.
include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

impl Catalogue {
    /// What the binary knows.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Knows nothing.
    pub fn empty() -> Self {
        Self(Tables::new(Entries::default()))
    }

    /// The same without some software. Groups and kinds that point to it stay, and point to nothing.
    #[must_use]
    pub fn without(&self, software_ids: &BTreeSet<&str>) -> Self {
        let gone = |id: &Text| software_ids.contains(&**id);
        let mut entries = self.entries();
        entries.software.retain(|s| !gone(&s.id));
        for group in &mut entries.groups {
            group.software.take_if(|id| gone(id));
            group.runs.take_if(|id| gone(id));
        }
        for kind in &mut entries.kinds {
            kind.software.take_if(|id| gone(id));
        }
        // Nothing that was sound refers to what is gone, so there is nothing to check again.
        Self(Tables::new(entries))
    }

    /// What the binary knows and what stands in the user's file. An entry of the file replaces the built-in one of the same
    /// id, group or kind.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or has an entry that is not as it must be; the first of them is told.
    pub fn with_file(path: &Path) -> Result<Self, CatalogueError> {
        let file = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| CatalogueError::Read { file: file.clone(), source })?;
        Self::with_text(&file, &text)
    }

    /// As [`Catalogue::with_file`], of a text that was read already; `file` is for messages.
    ///
    /// # Errors
    /// As [`Catalogue::with_file`].
    pub fn with_text(file: &str, text: &str) -> Result<Self, CatalogueError> {
        let own = file::read(file, text, false)?;
        let mut entries = BUILTIN.entries();
        replace(&mut entries.categories, own.categories, |a, b| a.id == b.id);
        replace(&mut entries.software, own.software, |a, b| a.id == b.id);
        replace(&mut entries.groups, own.groups, |a, b| a.group == b.group);
        replace(&mut entries.kinds, own.kinds, |a, b| a.group == b.group && a.kind == b.kind);
        if let Some((entry, problem)) = check::check(&entries).first() {
            return Err(file::problem(file, entry, problem));
        }
        Ok(Self(Tables::new(entries)))
    }

    fn entries(&self) -> Entries {
        Entries {
            categories: self.0.categories.to_vec(),
            software: self.0.software.to_vec(),
            groups: self.0.groups.to_vec(),
            kinds: self.0.kinds.to_vec(),
        }
    }

    /// All categories, in the order of their ids.
    pub fn categories(&self) -> &[Category] {
        &self.0.categories
    }

    /// All software, in the order of its ids.
    pub fn all_software(&self) -> &[Software] {
        &self.0.software
    }

    /// All groups, in the order of their names.
    pub fn groups(&self) -> &[Group] {
        &self.0.groups
    }

    /// All kinds, in the order of group and kind.
    pub fn kinds(&self) -> &[Kind] {
        &self.0.kinds
    }

    /// The category of an id.
    pub fn category(&self, id: &str) -> Option<&Category> {
        found(&self.0.categories, |c| (*c.id).cmp(id))
    }

    /// The software of an id.
    pub fn software(&self, id: &str) -> Option<&Software> {
        found(&self.0.software, |s| (*s.id).cmp(id))
    }

    /// Whose API group it is: by its name, else by the longest pattern (`*.services.k8s.aws`) that fits it.
    pub fn group(&self, group: &str) -> Option<&Group> {
        if let Some(exact) = found(&self.0.groups, |g| (*g.group).cmp(group)) {
            return Some(exact);
        }
        let dots = group.match_indices('.').map(|(at, _)| &group[at..]);
        dots.into_iter().find_map(|rest| {
            let pattern = format!("*{rest}");
            found(&self.0.groups, |g| (*g.group).cmp(&pattern))
        })
    }

    /// What a kind is for; the group is empty for the core group.
    pub fn kind(&self, group: &str, kind: &str) -> Option<&Kind> {
        found(&self.0.kinds, |k| (&*k.group, &*k.kind).cmp(&(group, kind)))
    }

    /// Whether a lower-case word, or its singular, is a word of a name or an English phrase.
    pub fn knows(&self, word: &str) -> bool {
        let known = |word: &str| self.0.words.binary_search_by(|w| (**w).cmp(word)).is_ok();
        // "caches" are of "cache" and "batches" of "batch".
        let singular = word.strip_suffix('s').filter(|cut| !cut.ends_with('s'));
        known(word) || known(&words::stem(word)) || singular.is_some_and(known)
    }

    /// Every word of names and English phrases, lower-case, sorted.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.words.iter().map(|w| &**w)
    }

    /// Whether a category is the other one, or something narrower: every relational database is a database.
    pub fn is_a(&self, category: &str, ancestor: &str) -> bool {
        if category == ancestor {
            return self.category(category).is_some();
        }
        // Checked when the tables were made: there are no cycles.
        self.category(category).is_some_and(|c| c.parents.iter().any(|p| self.is_a(p, ancestor)))
    }

    /// The software that a kind's objects belong to: the kind's own, else what its group's workloads run, else its group's.
    pub fn software_of_kind(&self, group: &str, kind: &str) -> Option<&Software> {
        let of_group = self.group(group);
        let known = self.kind(group, kind);
        let own = known.and_then(|k| k.software.as_deref());
        let runs = of_group.and_then(|g| g.runs.as_deref());
        let operator = of_group.and_then(|g| g.software.as_deref());
        own.or(runs).or(operator).and_then(|id| self.software(id))
    }
}

fn found<T>(sorted: &[T], compare: impl FnMut(&T) -> std::cmp::Ordering) -> Option<&T> {
    sorted.binary_search_by(compare).ok().and_then(|at| sorted.get(at))
}

fn replace<T>(all: &mut Vec<T>, own: Vec<T>, same: impl Fn(&T, &T) -> bool) {
    for entry in own {
        all.retain(|old| !same(old, &entry));
        all.push(entry);
    }
}
