//! How old an answer may be, whether it is of the cluster in use, and the command that renews what it rests on.

use std::cell::{OnceCell, RefCell};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use clusterlore_core::{SourceIdentity, duration};
use clusterlore_index::{About, Basis, Reply, TooOld, shell_line};

use crate::advice::{self, Outdated};
use crate::args::ScopeFlags;
use crate::build;
use crate::settings::Settings;

/// Settings that say which index is meant.
pub(crate) const INDEX: [&str; 6] =
    ["store", "chroma-url", "chroma-tenant", "chroma-database", "chroma-token-header", "postgres-url"];
/// Settings that say which cluster is meant.
pub(crate) const CLUSTER: [&str; 2] = ["kubeconfig", "context"];

/// Looks at what answers rest on.
pub(crate) struct Freshness<'a> {
    settings: &'a Settings,
    most: Option<Duration>,
    /// Whether the caller named the cluster: then it is the one that is meant, whichever is in use.
    named: bool,
    /// The context in use and its cluster.
    used: OnceCell<InUse>,
    /// Reads it while the question is answered: a kubeconfig may name many clusters.
    reading: RefCell<Option<JoinHandle<InUse>>>,
}

type InUse = Option<(String, SourceIdentity)>;

impl<'a> Freshness<'a> {
    pub(crate) fn of(settings: &'a Settings, flags: &ScopeFlags) -> anyhow::Result<Self> {
        let most = match flags.max_age {
            Some(most) => Some(most),
            None => settings.parsed("max-age", duration)?,
        };
        let own = settings.clone();
        let reading = std::thread::Builder::new().spawn(move || build::context_in_use(&own)).ok();
        let named = flags.cluster_name.is_some() || settings.is_flag("context");
        Ok(Self { settings, most, named, used: OnceCell::new(), reading: RefCell::new(reading) })
    }

    /// Refuses an answer that is older than it may be, and says of one that is to be doubted what to do.
    pub(crate) fn weigh(&self, mut reply: Reply) -> anyhow::Result<Reply> {
        if let Some(most) = self.most {
            reply.within(most).map_err(|why| self.refused(why)).with_context(|| self.settings.called("max-age"))?;
        }
        // A cluster that was looked at is the one that filled the index, at whichever address.
        let looked = reply.judgement.as_ref().is_some_and(|judgement| judgement.looked);
        // Nor is another cluster a surprise where the question names it.
        if !self.named
            && !looked
            && reply.parsed.filter.clusters.is_empty()
            && reply.bases.iter().any(|basis| matches!(basis.source, SourceIdentity::Cluster { .. }))
        {
            self.used().into_iter().for_each(|(context, used)| reply.compare(context, used));
        }
        for doubt in &mut reply.doubts {
            doubt.remedy = match &doubt.about {
                About::Old(basis) => self.renewal(basis),
                About::Elsewhere { context, .. } => self.beside(context),
                About::Happened if !self.settings.has_cluster() => "clusterlore changes --demo".to_owned(),
                About::MoreOld(_) | About::MadeInClusters(_) | About::Unread(_) | About::Happened => continue,
            };
        }
        Ok(reply)
    }

    fn refused(&self, why: TooOld) -> Outdated {
        let basis = match &why {
            TooOld::Read { basis, .. } => Some(basis),
            TooOld::Unknown { basis, .. } => basis.as_ref(),
        };
        let renewal =
            basis.map_or_else(|| line(&["clusterlore", "index"], self.settings.given(&INDEX)), |b| self.renewal(b));
        Outdated { why, renewal }
    }

    fn used(&self) -> Option<&(String, SourceIdentity)> {
        self.used.get_or_init(|| self.reading.take().and_then(|reading| reading.join().ok()).flatten()).as_ref()
    }

    /// The command that reads a source again as it was read, into the same index.
    fn renewal(&self, basis: &Basis) -> String {
        renewal(self.settings, self.used().map(|(context, _)| context.as_str()), basis)
    }

    /// The command that indexes the cluster in use beside what is there.
    fn beside(&self, context: &str) -> String {
        let flags = ["--cluster-name".to_owned(), clusterlore_core::cluster_name(context)].into_iter();
        line(&["clusterlore", "index"], flags.chain(self.settings.given(&[&INDEX[..], &CLUSTER].concat())).collect())
    }
}

/// The command that reads a source again as it was read, into the same index. `used` is the context in use.
pub(crate) fn renewal(settings: &Settings, used: Option<&str>, basis: &Basis) -> String {
    if !settings.has_cluster() {
        return "clusterlore demo".to_owned();
    }
    let Basis { cluster, source, collection, reading, .. } = basis;
    let reading = reading.clone().unwrap_or_default();
    let mut flags: Vec<String> = Vec::new();
    let mut add = |flag: &str, value: &str| flags.extend([flag.to_owned(), value.to_owned()]);
    let mut given = INDEX.to_vec();
    match source {
        SourceIdentity::Folder { path } => add("--from", path),
        _ if reading.context.is_empty() || used == Some(&reading.context) => {
            given.extend(CLUSTER);
        }
        _ => {
            add("--context", &reading.context);
            given.push("kubeconfig");
        }
    }
    if !cluster.is_empty() {
        add("--cluster-name", cluster);
    }
    reading.namespaces.iter().for_each(|namespace| add("-n", namespace));
    reading.include.iter().for_each(|pattern| add("--include", pattern));
    reading.exclude.iter().for_each(|pattern| add("--exclude", pattern));
    if !reading.annotations.is_empty() && settings.text("annotations") != Some(&reading.annotations) {
        add("--annotations", &reading.annotations);
    }
    if reading.by_model {
        add("--inference", "llm");
    }
    flags.extend(settings.given(&given));
    line(&["clusterlore", advice::filler(*collection)], flags)
}

/// A command line with flags.
pub(crate) fn line(command: &[&str], flags: Vec<String>) -> String {
    shell_line(command.iter().copied().chain(flags.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        let words = ["--from", "/a b", "-n", "it's", "--annotations", "a/*,b", "x"];
        let said = line(&["clusterlore", "sync"], words.map(str::to_owned).into());
        assert_eq!(said, r"clusterlore sync --from '/a b' -n 'it'\''s' --annotations 'a/*,b' x");
    }
}
