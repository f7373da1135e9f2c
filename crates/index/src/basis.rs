//! What an answer rests on: the sources that filled the index, how old what was read of them is, and what is to be doubted for that.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use clusterlore_core::{Collection, Scope, SourceIdentity};
use clusterlore_store::{ClusterNames, KnownSource, Reading, RunKind, RunRecord};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// An answer that is older says so.
pub const OLD: Duration = Duration::from_secs(24 * 60 * 60);
/// Types whose objects controllers or machines make.
const MADE: [&str; 3] = ["pods", "replicasets.apps", "nodes"];
/// Sources that are named one by one.
const MOST_NAMED: usize = 3;

/// A source that an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// Stored name of the cluster, empty for the unnamed one.
    pub cluster: String,
    /// What the cluster is called.
    pub name: String,
    /// What it is known by.
    pub source: SourceIdentity,
    /// What was searched.
    pub collection: Collection,
    /// When and how it was last read to its end; `None`: that is not known.
    pub reading: Option<Reading>,
    /// How long ago that was; `None`: that is not known.
    pub age: Option<Duration>,
}

impl Basis {
    /// The sources of these clusters (none: all), with their ages at a time (RFC 3339, empty if it is not known). Of a cluster of which
    /// the caller may see only a part, nothing is told.
    pub(crate) fn of(
        sources: Vec<KnownSource>,
        scope: &Scope,
        clusters: &BTreeSet<String>,
        collection: Collection,
        now: &str,
    ) -> Vec<Self> {
        let now: Option<Timestamp> = now.parse().ok();
        let names = ClusterNames::of(&sources);
        let asked = |s: &KnownSource| {
            !s.replaced
                && s.identity != SourceIdentity::Controller
                && scope.admits_whole_cluster(&s.cluster)
                && (clusters.is_empty() || clusters.contains(&s.cluster))
        };
        let basis = |s: KnownSource| {
            let reading = s.readings.of(collection).cloned();
            let at = reading.as_ref().and_then(|reading| reading.at.parse::<Timestamp>().ok());
            // What was read by a clock that is ahead is new.
            let since = |(now, at): (Timestamp, Timestamp)| now.duration_since(at).max(SignedDuration::ZERO);
            let age = now.zip(at).map(since).and_then(|age| Duration::try_from(age).ok());
            let name = names.shown(&s.cluster).to_owned();
            Self { cluster: s.cluster, name, source: s.identity, collection, reading, age }
        };
        sources.into_iter().filter(asked).map(basis).collect()
    }

    fn is_older(&self, than: Duration) -> bool {
        self.age.is_some_and(|age| age > than)
    }

    /// The context by which it was read, where it was one.
    fn context(&self) -> Option<&str> {
        self.reading.as_ref().map(|reading| reading.context.as_str()).filter(|context| !context.is_empty())
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        if self.cluster.is_empty() { Ok(()) } else { write!(f, ", indexed as \"{}\",", self.name) }
    }
}

/// Why an answer may not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// What is to be doubted.
    pub about: About,
    /// What to do about it, in the words of the face that answers; empty where it says nothing.
    pub remedy: String,
}

/// What is to be doubted of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// It was read more than a day ago.
    Old(Box<Basis>),
    /// So were as many more.
    MoreOld(usize),
    /// It asks for what comes into being in a cluster, and was read from manifests.
    MadeInClusters(String),
    /// It asks for types that could not be read, with commas between them.
    Unread(String),
    /// The question asks what happened, and the answer tells what is there.
    Happened,
    /// It is of another cluster than the one in use.
    Elsewhere {
        /// What it is of.
        basis: Box<Basis>,
        /// The context in use.
        context: String,
        /// The cluster that this names.
        used: SourceIdentity,
    },
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Old(basis) => {
                let at = basis.reading.as_ref().map_or("", |reading| &reading.at);
                let ago = ago(basis.age.unwrap_or_default());
                write!(f, "the answer may be old: {basis} was last read to its end {ago} ago, at {at}")
            }
            Self::MadeInClusters(types) => {
                write!(f, "{types} come into being in a cluster; the manifests in the index hold none")
            }
            Self::Unread(types) => {
                write!(f, "{types} could not be read when the index was filled; what there is of them is not known")
            }
            Self::Happened => {
                write!(
                    f,
                    "this tells what is there; what was created, changed and deleted is in the journal that watching keeps"
                )
            }
            Self::MoreOld(more) => write!(f, "{more} more sources are as old"),
            Self::Elsewhere { basis, context, used } => {
                let comma = if basis.cluster.is_empty() { "," } else { "" };
                let from = basis.context().map(|name| format!("{comma} read by the context \"{name}\""));
                let from = from.unwrap_or_default();
                write!(f, "the index holds {basis}{from}; the context in use, \"{context}\", is {used}")
            }
        }
    }
}

impl About {
    /// What programs know it by.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Old(_) | Self::MoreOld(_) => "old",
            Self::MadeInClusters(_) => "madeInClusters",
            Self::Unread(_) => "unread",
            Self::Happened => "happened",
            Self::Elsewhere { .. } => "otherCluster",
        }
    }
}

/// The sources that were read too long ago.
pub(crate) fn old(bases: &[Basis]) -> Vec<Doubt> {
    let mut old: Vec<&Basis> = bases.iter().filter(|basis| basis.is_older(OLD)).collect();
    old.sort_by_key(|basis| std::cmp::Reverse(basis.age));
    let more = old.len().saturating_sub(MOST_NAMED);
    let named = old.into_iter().take(MOST_NAMED).map(|basis| About::Old(Box::new(basis.clone())));
    let all = named.chain((more > 0).then_some(About::MoreOld(more)));
    all.map(|about| Doubt { about, remedy: String::new() }).collect()
}

/// Whether nothing is admitted because it comes into being in a cluster.
pub(crate) fn unmade(bases: &[Basis], types: &BTreeSet<String>, admitted: usize) -> Option<Doubt> {
    let of_folder = |basis: &Basis| matches!(basis.source, SourceIdentity::Folder { .. });
    let made = |name: &String| MADE.contains(&name.as_str());
    let is_unmade = admitted == 0 && !types.is_empty() && types.iter().all(made);
    let about = About::MadeInClusters(types.iter().cloned().collect::<Vec<_>>().join(", "));
    (is_unmade && !bases.is_empty() && bases.iter().all(of_folder)).then_some(Doubt { about, remedy: String::new() })
}

/// The types that are asked for and could not be read, by the last runs that read what is there.
pub(crate) fn unread(runs: &[RunRecord], clusters: &BTreeSet<String>, types: &BTreeSet<String>) -> Option<Doubt> {
    let of_clusters = |run: &&RunRecord| {
        run.command == RunKind::Instances && (clusters.is_empty() || clusters.contains(&run.cluster))
    };
    let names: BTreeSet<&str> = runs.iter().filter(of_clusters).flat_map(RunRecord::skipped).collect();
    let unread: Vec<&str> = names.into_iter().filter(|name| types.contains(*name)).collect();
    (!unread.is_empty()).then(|| Doubt { about: About::Unread(unread.join(", ")), remedy: String::new() })
}

/// Whether all of it is of other clusters than the one in use. What was not read by a context of a kubeconfig is not compared.
pub(crate) fn elsewhere(bases: &[Basis], context: &str, used: &SourceIdentity) -> Option<Doubt> {
    let known = |basis: &Basis| basis.context().is_some() && !basis.source.is_at(used);
    let basis = Box::new(bases.first().filter(|_| bases.iter().all(known))?.clone());
    let about = About::Elsewhere { basis, context: context.to_owned(), used: used.clone() };
    Some(Doubt { about, remedy: String::new() })
}

/// An answer that is older than it may be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TooOld {
    /// It was read too long ago.
    #[error("{basis} was last read to its end {} ago; expected {} at most", ago(*.age), ago(*.most))]
    Read {
        /// What was read.
        basis: Box<Basis>,
        /// How long ago.
        age: Duration,
        /// How long ago it may have been.
        most: Duration,
    },
    /// Nobody knows when it was read.
    #[error("when {} was last read to its end is not known; expected {} ago at most", .basis.as_ref().map_or_else(|| "what the index holds".to_owned(), |basis| basis.to_string()), ago(*.most))]
    Unknown {
        /// What was read, where that is known.
        basis: Option<Box<Basis>>,
        /// How long ago it may have been.
        most: Duration,
    },
}

/// Refuses an answer of which a part was read longer ago than `most`.
pub(crate) fn within(bases: &[Basis], most: Duration) -> Result<(), TooOld> {
    let unknown = bases.iter().find(|basis| basis.age.is_none());
    if let Some(basis) = unknown.map(Some).or(bases.is_empty().then_some(None)) {
        return Err(TooOld::Unknown { basis: basis.cloned().map(Box::new), most });
    }
    match bases.iter().max_by_key(|basis| basis.age).and_then(|basis| Some((basis, basis.age?))) {
        Some((basis, age)) if age > most => Err(TooOld::Read { basis: Box::new(basis.clone()), age, most }),
        _ => Ok(()),
    }
}

/// A length of time in one unit, as people say it: `3 hours`.
pub fn ago(time: Duration) -> String {
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        3_600 => (1, "hour"),
        86_400 => (1, "day"),
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use clusterlore_store::Readings;

    use super::*;

    const NOW: &str = "2026-11-27T12:00:00Z";

    fn cluster(server: &str) -> SourceIdentity {
        SourceIdentity::Cluster { uid: Some("u".to_owned()), server: server.to_owned(), ca_hash: "c".to_owned() }
    }

    fn source(cluster: &str, identity: SourceIdentity, at: &str, context: &str) -> KnownSource {
        let reading = Reading { at: at.to_owned(), context: context.to_owned(), ..Reading::default() };
        let readings = match at {
            "" => Readings::default(),
            _ => Readings::default().and(Collection::Instances, &reading),
        };
        KnownSource { number: 1, cluster: cluster.to_owned(), identity, replaced: false, name: String::new(), readings }
    }

    fn bases(sources: &[KnownSource], clusters: &[&str]) -> Vec<Basis> {
        let clusters = clusters.iter().map(|name| (*name).to_owned()).collect();
        Basis::of(sources.to_vec(), &Scope::All { because: "a test" }, &clusters, Collection::Instances, NOW)
    }

    fn told(bases: &[Basis]) -> Vec<String> {
        old(bases).iter().map(|doubt| doubt.about.to_string()).collect()
    }

    #[test]
    fn what_was_read_more_than_a_day_ago_is_doubted() {
        let folder = || SourceIdentity::Folder { path: "/m".to_owned() };
        let (yesterday, long_ago, today) = ("2026-11-26T11:59:59Z", "2026-11-20T12:00:00Z", "2026-11-26T12:00:00Z");
        assert_eq!(told(&bases(&[source("", folder(), today, "")], &[])), [""; 0]);
        assert_eq!(told(&bases(&[source("", folder(), "2026-12-01T00:00:00Z", "")], &[])), [""; 0], "a clock ahead");
        assert_eq!(told(&bases(&[source("", folder(), "", "")], &[])), [""; 0], "not known");
        assert_eq!(
            told(&bases(&[source("", folder(), yesterday, "")], &[])),
            ["the answer may be old: the folder /m was last read to its end 24 hours ago, at 2026-11-26T11:59:59Z"]
        );
        let two =
            [source("east", cluster("https://e"), today, "e"), source("west", cluster("https://w"), long_ago, "w")];
        assert_eq!(
            told(&bases(&two, &[])),
            [
                "the answer may be old: the cluster at https://w (uid u), indexed as \"west\", was last read to its end 7 days ago, at 2026-11-20T12:00:00Z"
            ]
        );
        assert_eq!(told(&bases(&two, &["east"])), [""; 0], "west was not asked");
        let many: Vec<KnownSource> =
            (0..5).map(|n| source(&format!("c{n}"), cluster("https://c"), long_ago, "")).collect();
        assert_eq!(told(&bases(&many, &[])).last().map(String::as_str), Some("2 more sources are as old"));
        let replaced = KnownSource { replaced: true, ..source("", folder(), long_ago, "") };
        let scope = Scope::rules([clusterlore_core::Rule::cluster("east")]);
        let of = |sources, now| Basis::of(sources, &scope, &BTreeSet::new(), Collection::Instances, now);
        assert!(of(vec![replaced, two[1].clone()], NOW).is_empty());
        assert_eq!(of(vec![two[0].clone()], "")[0].age, None, "nobody knows what time it is");
    }

    #[test]
    fn another_cluster_than_the_one_in_use_is_doubted() {
        let (east, west) = (cluster("https://e"), cluster("https://w"));
        let both = [source("", east.clone(), NOW, "east"), source("w", west.clone(), NOW, "west")];
        assert!(elsewhere(&bases(&both, &[]), "west", &west).is_none());
        let doubt = elsewhere(&bases(&both[..1], &[]), "west", &west).unwrap();
        assert_eq!(
            doubt.about.to_string(),
            "the index holds the cluster at https://e (uid u), read by the context \"east\"; the context in use, \"west\", is the cluster at https://w (uid u)"
        );
        let folder = source("", SourceIdentity::Folder { path: "/m".to_owned() }, NOW, "");
        let within = source("", east, NOW, "");
        for untold in [&[folder][..], &[within], &[]] {
            assert!(elsewhere(&bases(untold, &[]), "west", &west).is_none());
        }
    }

    #[test]
    fn an_age_may_be_bounded() {
        let hours = |n: u64| Duration::from_secs(n * 3_600);
        let read =
            [source("", cluster("https://e"), "2026-11-27T02:00:00Z", ""), source("w", cluster("https://w"), NOW, "")];
        assert_eq!(within(&bases(&read, &[]), hours(10)), Ok(()));
        assert_eq!(
            within(&bases(&read, &[]), hours(2)).unwrap_err().to_string(),
            "the cluster at https://e (uid u) was last read to its end 10 hours ago; expected 2 hours at most"
        );
        assert_eq!(within(&bases(&read, &["w"]), hours(2)), Ok(()));
        let unknown = [read[1].clone(), source("x", cluster("https://x"), "", "")];
        for (of, what) in [(&unknown[..], "the cluster at https://x"), (&[], "what the index holds")] {
            let said = within(&bases(of, &[]), hours(2)).unwrap_err().to_string();
            assert!(said.starts_with(&format!("when {what}")) && said.contains("is not known"), "{said}");
        }
    }

    #[test]
    fn times_are_told_in_one_unit() {
        let told = [0, 1, 119, 120, 3_600, 7_199, 7_200, 86_400, 172_799, 172_800].map(|s| ago(Duration::from_secs(s)));
        let expected =
            "0 seconds, 1 second, 119 seconds, 2 minutes, 1 hour, 119 minutes, 2 hours, 1 day, 47 hours, 2 days";
        assert_eq!(told.join(", "), expected);
    }
}
