//! What runs remember between each other: locks, sources, types, schemas, what models answered.

use std::collections::HashMap;

use async_trait::async_trait;
use clusterlore_core::{Collection, ResourceType, SourceIdentity, TypeSchema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;
use crate::holder::{Holder, RunKind};
use crate::lock::RunLock;

/// A source that has written to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownSource {
    /// Its number, which its documents carry.
    pub number: i64,
    /// Name of the cluster it filled, empty for the unnamed one.
    pub cluster: String,
    /// What it is known by.
    pub identity: SourceIdentity,
    /// Whether another source took its place.
    pub replaced: bool,
    /// What people call it: its context, the name of its folder, or what they chose; empty where nobody said. See
    /// [`crate::names::ClusterNames`] for what is shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When and how it was last read to its end.
    #[serde(default, skip_serializing_if = "Readings::is_empty")]
    pub readings: Readings,
}

/// How a source was last read to its end, for each collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instances: Option<Reading>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capabilities: Option<Reading>,
}

/// When and how a source was read by a run that left out nothing of what it was to read. Read again like this, it fills the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reading {
    /// When the run began, RFC 3339: what changed since then it may not have seen.
    pub at: String,
    /// The kubeconfig's context, where it was one; empty for a folder, and for a cluster that was read from within.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// The namespaces that were read; none: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// The types that were read, as patterns; none: those that are read by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// The types that were not read, as patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// The annotations that were kept, as patterns joined by commas.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub annotations: String,
    /// Whether a language model said what types are for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_model: bool,
}

impl Readings {
    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// The one that filled the collection.
    pub fn of(&self, collection: Collection) -> Option<&Reading> {
        match collection {
            Collection::Instances => self.instances.as_ref(),
            Collection::Capabilities => self.capabilities.as_ref(),
        }
    }

    /// The same with a newer one, unless that read only a part of what was read before: the rest is as old as it was.
    #[must_use]
    pub fn and(mut self, collection: Collection, reading: &Reading) -> Self {
        let known = match collection {
            Collection::Instances => &mut self.instances,
            Collection::Capabilities => &mut self.capabilities,
        };
        if known.as_ref().is_none_or(|known| reading.covers(known) && second(&reading.at) >= second(&known.at)) {
            *known = Some(reading.clone());
        }
        self
    }

    /// Both, of two that are known.
    #[must_use]
    pub fn merged(self, others: &Self) -> Self {
        Collection::ALL.into_iter().fold(self, |all, collection| match others.of(collection) {
            Some(reading) => all.and(collection, reading),
            None => all,
        })
    }
}

impl Reading {
    /// Whether all that the other read was read by this one too.
    fn covers(&self, other: &Self) -> bool {
        let all_types = self.include.is_empty() && self.exclude.is_empty();
        let types = all_types || (&self.include, &self.exclude) == (&other.include, &other.exclude);
        let within = !other.namespaces.is_empty() && other.namespaces.iter().all(|n| self.namespaces.contains(n));
        types && (self.namespaces.is_empty() || within)
    }
}

/// A time without what is below its second: with it, times do not sort as texts.
fn second(time: &str) -> &str {
    time.split(['.', 'Z']).next().unwrap_or(time)
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// What it does.
    pub command: RunKind,
    /// Name of the cluster, empty for the unnamed one.
    pub cluster: String,
    /// RFC 3339.
    pub started: String,
    /// RFC 3339; empty while it runs, and for ever when it was killed.
    pub finished: String,
    /// The summary, or the error.
    pub summary: Value,
}

impl RunRecord {
    /// The types (`plural.group`) that it could not read, by its summary.
    pub fn skipped(&self) -> impl Iterator<Item = &str> {
        self.summary["skipped"].as_array().into_iter().flatten().filter_map(|skipped| skipped["type"].as_str())
    }
}

/// What a run needs beside documents. What of it may be shown to callers is read through a [`crate::reader::View`].
#[async_trait]
pub trait Runs: Send + Sync {
    /// Takes the right to write what is a cluster's, for `me`; one sync of a cluster at a time. A store of one file is one
    /// process's at a time, which may hold several clusters of it. Does not wait.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another run holds it.
    async fn lock(&self, cluster: &str, me: &Holder) -> Result<RunLock, StoreError>;

    /// Remembers the source of a cluster and gives its number. With `replace`, the sources that were there count as replaced;
    /// without, the identity is renewed.
    ///
    /// # Errors
    /// The store cannot be written, or has the same cluster under another name ([`StoreError::UnderAnotherName`]).
    async fn remember_source(&self, cluster: &str, identity: &SourceIdentity, replace: bool)
    -> Result<i64, StoreError>;

    /// Remembers what a source is called, by its number.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn name_source(&self, source: i64, name: &str) -> Result<(), StoreError>;

    /// Forgets all of a cluster but its documents: sources, types, schemas, runs, its journal, and what was posted of it and waits in the
    /// store. Who calls it holds the cluster's lock and has deleted the documents.
    ///
    /// # Errors
    /// The store cannot be written; what is left can be forgotten again.
    async fn forget(&self, cluster: &str) -> Result<(), StoreError>;

    /// Remembers how a source was read, by its number. See [`Readings::and`].
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_readings(&self, source: i64, readings: &Readings) -> Result<(), StoreError>;

    /// Replaces what is known of a cluster's types.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_types(&self, cluster: &str, types: &[ResourceType]) -> Result<(), StoreError>;

    /// What was read of the schemas of a cluster's types, by `plural.group`, with the revision of what it was read from.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn schemas(&self, cluster: &str) -> Result<HashMap<String, (String, TypeSchema)>, StoreError>;

    /// Remembers schemas (type, revision, schema) in the place of what was known of these types, and forgets those of others.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_schemas(
        &self,
        cluster: &str,
        read: &[(String, String, TypeSchema)],
        forgotten: &[String],
    ) -> Result<(), StoreError>;

    /// What a model answered to the question of this key.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn answer(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// All answers of models, by key.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn answers(&self) -> Result<Vec<(String, String)>, StoreError>;

    /// Remembers a model's answer, so that the same question is not paid for twice.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_answer(&self, key: &str, answer: &str) -> Result<(), StoreError>;

    /// Notes the beginning of a run and gives its number.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn begin_run(&self, run: &RunRecord) -> Result<i64, StoreError>;

    /// Notes its end.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn finish_run(&self, number: i64, run: &RunRecord) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at: &str, namespaces: &[&str], exclude: &[&str]) -> Reading {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Reading { at: at.to_owned(), namespaces: own(namespaces), exclude: own(exclude), ..Reading::default() }
    }

    #[test]
    fn a_run_over_a_part_does_not_make_the_whole_new() {
        let (old, new) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z");
        for (known, later, renewed) in [
            (reading(old, &[], &[]), reading(new, &[], &[]), true),
            (reading(old, &[], &[]), reading(new, &["a"], &[]), false),
            (reading(old, &[], &[]), reading(new, &[], &["secrets"]), false),
            (reading(old, &["a"], &[]), reading(new, &["b", "a"], &[]), true),
            (reading(old, &["a", "b"], &[]), reading(new, &["a"], &[]), false),
            (reading(old, &["a"], &["secrets"]), reading(new, &[], &[]), true),
            (reading(old, &[], &["secrets"]), reading(new, &[], &["secrets"]), true),
            (reading("2026-01-02T00:00:00Z", &[], &[]), reading(new, &[], &[]), false),
        ] {
            let known_too = Readings::default().and(Collection::Instances, &known);
            let both = known_too.clone().and(Collection::Instances, &later);
            assert_eq!(
                both.of(Collection::Instances),
                Some(if renewed { &later } else { &known }),
                "{known:?} {later:?}"
            );
            assert_eq!(both.of(Collection::Capabilities), None);
            assert_eq!(known_too.merged(&Readings::default().and(Collection::Instances, &later)), both);
        }
    }
}
