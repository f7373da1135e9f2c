//! An invented platform of any size: twenty teams that run the same software under controllers, of all ages. Every answer that
//! `asks` expects is computed from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::asks::{self, Ask};
use crate::object::{DAY, NOW_SECOND, Object};

/// Nothing is older, in days.
const OLDEST: i64 = 400;
/// Fewer objects do not hold what the questions are about.
const FEWEST: usize = 2_000;

const TEAMS: [&str; 20] = [
    "amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heron", "iris", "jade", "kestrel", "lotus", "maple",
    "nectar", "opal", "pine", "quartz", "raven", "sage", "tulip",
];
/// Software that teams run each for themselves: name, kind, tier, and how many teams.
const SHARED: [(&str, &str, &str, usize); 5] = [
    ("redis", "StatefulSet", "data", 20),
    ("nginx", "Deployment", "frontend", 20),
    ("postgres", "StatefulSet", "data", 14),
    ("rabbitmq", "StatefulSet", "data", 8),
    ("memcached", "Deployment", "data", 3),
];
/// Software that stands once, in `platform`.
const CENTRAL: [(&str, &str); 4] =
    [("keycloak", "Deployment"), ("vault", "StatefulSet"), ("minio", "StatefulSet"), ("grafana", "Deployment")];
/// Software that one team has.
const SINGLE: [(&str, &str); 2] = [("mlflow", "Deployment"), ("jenkins", "StatefulSet")];
const SUBJECTS: [&str; 24] = [
    "orders",
    "billing",
    "catalogue",
    "cart",
    "mailer",
    "pricing",
    "returns",
    "loyalty",
    "stock",
    "routing",
    "labels",
    "claims",
    "vouchers",
    "reviews",
    "payouts",
    "invoices",
    "pickup",
    "quotes",
    "tariffs",
    "surveys",
    "rosters",
    "badges",
    "parcels",
    "refunds",
];
const PARTS: [(&str, &str); 4] =
    [("api", "backend"), ("worker", "backend"), ("web", "frontend"), ("gateway", "frontend")];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A folder that is empty or not there yet; it gets manifests/ and asks.jsonl
    folder: PathBuf,
    /// About how many objects
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    objects: usize,
    /// Another one gives another platform
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) objects: Vec<Object>,
    pub(crate) asks: Vec<Ask>,
}

pub(crate) fn run(args: &Args) -> Result<String> {
    let platform = platform(args.objects, args.seed)?;
    let folder = &args.folder;
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; expected an empty folder, or one that is not there yet", folder.display());
    }
    write(&platform, folder).with_context(|| format!("writing to {}", folder.display()))?;
    Ok(format!("{}: {} objects, {} questions\n", folder.display(), platform.objects.len(), platform.asks.len()))
}

/// The same for the same size and seed.
pub(crate) fn platform(objects: usize, seed: u64) -> Result<Platform> {
    if objects < FEWEST {
        bail!("--objects {objects} is too few for twenty teams; expected {FEWEST} or more");
    }
    if objects > 1_000_000 {
        bail!("--objects {objects} is more than has different names; expected 1000000 at most");
    }
    let mut maker = Maker { random: Rng::with_seed(seed), objects: Vec::new(), used: BTreeSet::new() };
    maker.make(objects);
    let asks = asks::about(&maker.objects);
    Ok(Platform { objects: maker.objects, asks })
}

struct Maker {
    random: Rng,
    objects: Vec<Object>,
    used: BTreeSet<i64>,
}

impl Maker {
    fn make(&mut self, size: usize) {
        let namespaces: Vec<String> = (1..=TEAMS.len()).map(|n| format!("team-{n:02}")).collect();
        for (namespace, team) in namespaces.iter().zip(TEAMS) {
            self.namespace(namespace, team);
        }
        self.namespace("platform", "platform");
        for (name, kind) in CENTRAL {
            self.workload("platform", "platform", "data", name, kind, true);
        }
        let mut teams: Vec<usize> = (0..TEAMS.len()).collect();
        for (name, kind, tier, many) in SHARED {
            self.random.shuffle(&mut teams);
            for at in &teams[..many] {
                self.workload(&namespaces[*at], TEAMS[*at], tier, name, kind, true);
            }
        }
        for (name, kind) in SINGLE {
            let at = self.random.usize(0..TEAMS.len());
            self.workload(&namespaces[at], TEAMS[at], "backend", name, kind, true);
        }
        for (namespace, team) in namespaces.iter().zip(TEAMS) {
            for name in ["nightly-report", "cleanup"] {
                self.cron_job(namespace, team, name);
            }
            for n in 0..self.random.usize(2..6) {
                let name = format!("{}-{n}", SUBJECTS[self.random.usize(0..SUBJECTS.len())]);
                self.object(
                    "platform.example.org/v1",
                    "DatabaseClaim",
                    namespace,
                    name,
                    labels(team, "data", ""),
                    None,
                );
            }
            for n in 0..self.random.usize(1..4) {
                let labels = labels(team, "frontend", "");
                self.object("platform.example.org/v1", "FeatureFlag", namespace, format!("flag-{n}"), labels, None);
            }
        }
        // Each team's own workloads fill the rest, in turn, so that teams are about as large.
        let mut names: Vec<Vec<(String, &str)>> = Vec::new();
        for _ in TEAMS {
            let both = SUBJECTS.iter().flat_map(|s| PARTS.map(|(part, tier)| (format!("{s}-{part}"), tier)));
            let mut both: Vec<(String, &str)> = both.collect();
            self.random.shuffle(&mut both);
            names.push(both);
        }
        for round in 0.. {
            for at in 0..TEAMS.len() {
                if self.objects.len() >= size {
                    return;
                }
                let (name, tier) = &names[at][round % names[at].len()];
                let again = round / names[at].len();
                let name = if again == 0 { name.clone() } else { format!("{name}-{}", again + 1) };
                let served = self.random.bool();
                self.workload(&namespaces[at], TEAMS[at], tier, &name, "Deployment", served);
            }
        }
    }

    fn object(
        &mut self,
        api_version: &'static str,
        kind: &'static str,
        namespace: &str,
        name: String,
        labels: BTreeMap<String, String>,
        owner: Option<usize>,
    ) -> usize {
        let first = owner.map_or(NOW_SECOND - OLDEST * DAY, |at| self.objects[at].created) + 1;
        // Every level leaves an hour for what it controls.
        let above = std::iter::successors(owner, |at| self.objects[*at].owner).count();
        let last = NOW_SECOND - 3_600 * (2 - above.min(2) as i64);
        let mut created = self.random.i64(first..last);
        while !self.used.insert(created) {
            created = if created + 1 < last { created + 1 } else { first };
        }
        self.objects.push(Object { api_version, kind, namespace: namespace.to_owned(), name, labels, created, owner });
        self.objects.len() - 1
    }

    fn namespace(&mut self, name: &str, team: &str) {
        let labels = [("kubernetes.io/metadata.name", name), ("team", team)].map(|(k, v)| (k.to_owned(), v.to_owned()));
        self.object("v1", "Namespace", "", name.to_owned(), labels.into(), None);
    }

    /// A Deployment with its ReplicaSets, or a StatefulSet, with pods; and a Service where it is reached.
    fn workload(&mut self, namespace: &str, team: &str, tier: &str, name: &str, kind: &'static str, served: bool) {
        let labels = labels(team, tier, name);
        let kind = if kind == "Deployment" { "Deployment" } else { "StatefulSet" };
        let top = self.object("apps/v1", kind, namespace, name.to_owned(), labels.clone(), None);
        let pods = self.random.usize(1..4);
        if kind == "Deployment" {
            if self.random.bool() {
                // What a roll-out leaves behind.
                let old = format!("{name}-{}", self.hash(9));
                self.object("apps/v1", "ReplicaSet", namespace, old, labels.clone(), Some(top));
            }
            let set_name = format!("{name}-{}", self.hash(9));
            let set = self.object("apps/v1", "ReplicaSet", namespace, set_name.clone(), labels.clone(), Some(top));
            for _ in 0..pods {
                let pod = format!("{set_name}-{}", self.hash(5));
                self.object("v1", "Pod", namespace, pod, labels.clone(), Some(set));
            }
        } else {
            for n in 0..pods {
                self.object("v1", "Pod", namespace, format!("{name}-{n}"), labels.clone(), Some(top));
            }
        }
        if served {
            self.object("v1", "Service", namespace, name.to_owned(), labels, None);
        }
    }

    fn cron_job(&mut self, namespace: &str, team: &str, name: &str) {
        let labels = labels(team, "backend", name);
        let top = self.object("batch/v1", "CronJob", namespace, name.to_owned(), labels.clone(), None);
        for _ in 0..3 {
            let run = format!("{name}-{}", self.random.u32(29_000_000..30_000_000));
            let job = self.object("batch/v1", "Job", namespace, run.clone(), labels.clone(), Some(top));
            let pod = format!("{run}-{}", self.hash(5));
            self.object("v1", "Pod", namespace, pod, labels.clone(), Some(job));
        }
    }

    /// Kubernetes' own letters: no vowels, so that no words come out.
    fn hash(&mut self, letters: usize) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..letters).map(|_| char::from(LETTERS[self.random.usize(0..LETTERS.len())])).collect()
    }
}

fn labels(team: &str, tier: &str, name: &str) -> BTreeMap<String, String> {
    let all = [("team", team), ("tier", tier), ("app.kubernetes.io/name", name)];
    all.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// `manifests/`, a list for each namespace, and `asks.jsonl`.
pub(crate) fn write(platform: &Platform, folder: &Path) -> Result<()> {
    let manifests = folder.join("manifests");
    std::fs::create_dir_all(&manifests)?;
    let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    lists.insert(
        "",
        [
            ("DatabaseClaim", "A database that the platform sets up for a team"),
            ("FeatureFlag", "Turns a feature on or off"),
        ]
        .map(definition)
        .into(),
    );
    for object in &platform.objects {
        lists.entry(&object.namespace).or_default().push(manifest(object, &platform.objects)?);
    }
    for (namespace, items) in lists {
        let file = manifests.join(format!("{}.json", if namespace.is_empty() { "_cluster" } else { namespace }));
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        std::fs::write(file, serde_json::to_string_pretty(&list)? + "\n")?;
    }
    let asks: Vec<String> = platform.asks.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    std::fs::write(folder.join("asks.jsonl"), asks.join("\n") + "\n")?;
    Ok(())
}

fn manifest(object: &Object, all: &[Object]) -> Result<Value> {
    let mut metadata = json!({
        "name": object.name,
        "uid": uid(object),
        "creationTimestamp": jiff::Timestamp::from_second(object.created)?.to_string(),
        "labels": object.labels,
    });
    if !object.namespace.is_empty() {
        metadata["namespace"] = json!(object.namespace);
    }
    if let Some(owner) = object.owner.map(|at| &all[at]) {
        metadata["ownerReferences"] = json!([{
            "apiVersion": owner.api_version, "kind": owner.kind, "name": owner.name, "uid": uid(owner), "controller": true,
        }]);
    }
    Ok(json!({"apiVersion": object.api_version, "kind": object.kind, "metadata": metadata}))
}

/// No two objects were created in one second.
fn uid(object: &Object) -> String {
    format!("00000000-0000-4000-8000-{:012x}", object.created)
}

fn definition((kind, purpose): (&str, &str)) -> Value {
    let singular = kind.to_ascii_lowercase();
    let plural = format!("{singular}s");
    let schema = json!({"openAPIV3Schema": {"type": "object", "description": purpose}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.platform.example.org")},
        "spec": {
            "group": "platform.example.org",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": singular, "listKind": format!("{kind}List")},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;
    use crate::object::NOW;
    use clusterlore_cluster::{ClusterSource, FolderSource};

    #[test]
    fn the_same_seed_gives_the_same_files_and_another_others() {
        let files = |seed: u64| {
            let folder = tempfile::tempdir().unwrap();
            write(&platform(FEWEST, seed).unwrap(), folder.path()).unwrap();
            let mut files: Vec<_> =
                folder.path().join("manifests").read_dir().unwrap().map(|e| e.unwrap().path()).collect();
            files.push(folder.path().join("asks.jsonl"));
            files.sort();
            files.into_iter().map(|f| std::fs::read_to_string(f).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(files(1), files(1));
        assert_ne!(files(1), files(2));
    }

    #[tokio::test]
    async fn what_is_read_back_is_what_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let platform = platform(FEWEST, 3).unwrap();
        write(&platform, folder.path()).unwrap();
        let source = FolderSource::open(&folder.path().join("manifests")).unwrap();
        let discovery = source.discover().await.unwrap();
        assert_eq!(discovery.warnings, []);
        let read = corpus::objects(&source, &discovery.types).await.unwrap();
        let read: BTreeMap<String, _> =
            read.into_iter().filter(|o| o.kind != "CustomResourceDefinition").map(|o| (o.id.clone(), o)).collect();
        assert_eq!(read.len(), platform.objects.len());
        for made in &platform.objects {
            let object = &read[&made.id()];
            let created: jiff::Timestamp = object.created_at.parse().unwrap();
            assert_eq!((created.as_second(), &object.labels), (made.created, &made.labels), "{}", object.id);
            let owner = made.owner.map(|at| &platform.objects[at]);
            assert_eq!(object.owner.as_ref().map(|o| &o.name), owner.map(|o| &o.name), "{}", object.id);
            assert!(owner.is_none_or(|o| o.namespace == made.namespace && o.created < made.created), "{}", object.id);
            assert!(!made.older(OLDEST) && made.created < NOW_SECOND, "{}", object.id);
        }
    }

    #[test]
    fn the_size_is_about_what_was_asked_for() {
        for size in [FEWEST, 5_000, 20_000] {
            let made = platform(size, 1).unwrap().objects.len();
            assert!(made >= size && made < size + 20, "{made} for {size}");
        }
        let message = platform(10, 1).unwrap_err().to_string();
        assert_eq!(message, "--objects 10 is too few for twenty teams; expected 2000 or more");
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine"), "").unwrap();
        let args = Args { folder: folder.path().to_owned(), objects: FEWEST, seed: 1 };
        assert!(
            run(&args)
                .unwrap_err()
                .to_string()
                .ends_with("is not empty; expected an empty folder, or one that is not there yet")
        );
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn now_is_now() {
        assert_eq!(NOW.parse::<jiff::Timestamp>().unwrap().as_second(), NOW_SECOND);
    }
}
