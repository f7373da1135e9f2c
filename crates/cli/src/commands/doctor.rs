//! `clusterlore doctor`: each thing that must be right, whether it is, and what to do where it is not.

use std::collections::BTreeMap;

use anyhow::Context;
use clusterlore_cluster::{ClusterSource, Discovery, LiveSource};
use clusterlore_core::{AnnotationChoice, Collection, Identity, ResourceType, SourceIdentity, TypeFilter};
use clusterlore_index::{Basis, shell_line};
use clusterlore_models::{Builtin, Completion, Prompt, Purpose};
use clusterlore_pipeline::SyncError;
use clusterlore_store::{ClusterNames, KnownSource, RunKind, RunRecord, Store, StoreError};
use jiff::{Timestamp, Unit};
use owo_colors::Style;
use serde::Serialize;
use serde_json::json;

use crate::args::{Doctor, Output};
use crate::done::Done;
use crate::print;
use crate::renewal::renewal;
use crate::settings::{Settings, StoreChoice};
use crate::{advice, build};

/// An index older than this is called stale.
const STALE_HOURS: f64 = 24.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Error,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl ToString) -> Self {
        Self { check, verdict: Verdict::Ok, found: found.to_string(), fix: None }
    }

    fn warning(check: &'static str, found: impl ToString, fix: impl ToString) -> Self {
        Self { check, verdict: Verdict::Warning, found: found.to_string(), fix: Some(fix.to_string()) }
    }

    fn error(check: &'static str, error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        Self { check, verdict: Verdict::Error, found: format!("{error:#}"), fix: advice::of(&error) }
    }
}

pub(crate) async fn run(settings: &Settings, flags: &Doctor) -> anyhow::Result<Done> {
    let mut findings = cluster_findings(settings).await;
    findings.extend(file_finding(settings));
    findings.extend(store_findings(settings).await);
    if settings.get("model").is_some() {
        findings.push(model_finding(settings).await);
    }
    match flags.output {
        Output::Json | Output::Yaml => print::report(&findings, flags.output)?,
        Output::Name => findings.iter().filter(|f| f.verdict != Verdict::Ok).try_for_each(|f| print::line(f.check))?,
        Output::Table => findings.iter().try_for_each(tell)?,
    }
    let errors = findings.iter().filter(|f| f.verdict == Verdict::Error).count();
    anyhow::ensure!(errors == 0, "{errors} of {} checks failed, see above", findings.len());
    Ok(Done::Whole)
}

fn tell(finding: &Finding) -> anyhow::Result<()> {
    let (style, mark) = match finding.verdict {
        Verdict::Ok => (Style::new().green(), "ok     "),
        Verdict::Warning => (Style::new().yellow(), "warning"),
        Verdict::Error => (Style::new().red(), "error  "),
    };
    print::marked(style, mark, &format!("  {}: {}", finding.check, finding.found))?;
    finding.fix.iter().try_for_each(|fix| print::line(&format!("         {fix}")))
}

async fn cluster_findings(settings: &Settings) -> Vec<Finding> {
    let source = match build::live(settings, 1, AnnotationChoice::default()).await {
        Ok(source) => source,
        Err(e) => return vec![Finding::error("cluster", e)],
    };
    let mut findings = Vec::new();
    match source.identity().await {
        Ok(Identity { source, unread: None }) => findings.push(Finding::ok("cluster", source)),
        Ok(Identity { source, unread: Some(reason) }) => findings.push(Finding::warning(
            "cluster",
            format!("{source}, whose uid cannot be read ({reason})"),
            "allow get of the namespace kube-system: by its uid the cluster is known again when its address changes",
        )),
        Err(e) => return vec![Finding::error("cluster", e)],
    }
    match source.discover().await {
        Ok(Discovery { types, warnings, .. }) => {
            findings.push(Finding::ok("discovery", format!("{} resource types", types.len())));
            findings.extend(warnings.into_iter().map(|w| {
                let fix =
                    "look at its APIService: kubectl get apiservices; until it answers, its documents stay as they are";
                Finding::warning("discovery", w, fix)
            }));
            findings.push(permission_finding(&source, &types).await);
        }
        Err(e) => findings.push(Finding::error("discovery", e)),
    }
    findings
}

/// What the user may list of what a sync would read.
async fn permission_finding(source: &LiveSource, types: &[ResourceType]) -> Finding {
    const CHECK: &str = "permissions";
    let filter = TypeFilter::default();
    let wanted: Vec<ResourceType> = types.iter().filter(|t| filter.admits(t)).cloned().collect();
    let forbidden = match source.forbidden(&wanted).await {
        Ok(forbidden) => forbidden,
        Err(e) => return Finding::warning(CHECK, e, "allow creating selfsubjectaccessreviews.authorization.k8s.io"),
    };
    if forbidden.is_empty() {
        return Finding::ok(CHECK, format!("all {} types may be listed in all namespaces", wanted.len()));
    }
    let few: Vec<&str> = forbidden.iter().take(5).map(String::as_str).collect();
    let more = if forbidden.len() > few.len() { ", …" } else { "" };
    if forbidden.len() == wanted.len() && !source.may_list_somewhere(&wanted).await.unwrap_or(true) {
        let found = format!("none of {} types may be listed, so that \"clusterlore index\" would fail", wanted.len());
        let fix = "name namespaces in which this user may list them with -n; for all of them bind a ClusterRole with get and list on these \
                   types, such as \"view\"";
        return Finding { check: CHECK, verdict: Verdict::Error, found, fix: Some(fix.to_owned()) };
    }
    let found = format!(
        "{} of {} types may not be listed in all namespaces: {}{more}",
        forbidden.len(),
        wanted.len(),
        few.join(", ")
    );
    let fix = "they are read namespace by namespace where that is allowed (name namespaces with -n); for all of them bind a \
               ClusterRole with get and list on these types, such as \"view\"";
    Finding::warning(CHECK, found, fix)
}

async fn store_findings(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "store";
    let store = match build::store_for_reading(settings).await {
        Ok(store) => store,
        Err(e) if matches!(e.downcast_ref(), Some(StoreError::Missing(_))) => {
            return vec![Finding::warning(CHECK, e, "run \"clusterlore index\"")];
        }
        Err(e) => return vec![Finding::error(CHECK, e)],
    };
    let size = store.size().map(|bytes| format!(" ({:.1} MB)", bytes as f64 / 1e6)).unwrap_or_default();
    let mut findings = vec![match build::store_for_writing(settings).await {
        Ok(_) => Finding::ok(CHECK, format!("{}{size} can be written", store.place())),
        Err(e) => Finding::error(CHECK, e),
    }];
    findings.extend(index_file_finding(settings));
    findings.extend(index_findings(settings, &*store).await.unwrap_or_else(|e| vec![Finding::error("index", e)]));
    findings.push(embedder_finding(settings, &*store).await);
    findings
}

/// Whether the embedder that a search would use answers, and with vectors that fit.
async fn embedder_finding(settings: &Settings, store: &dyn Store) -> Finding {
    const CHECK: &str = "embedder";
    let embedder = match build::embedder(settings, Some(store), false).await {
        Ok(embedder) => embedder,
        Err(e) => return Finding::error(CHECK, e),
    };
    let identity = embedder.identity();
    let vector = match embedder.embed(Purpose::Query, vec!["cluster".to_owned()]).await {
        Ok(vectors) => vectors.into_iter().next().unwrap_or_default(),
        Err(e) => return Finding::error(CHECK, e),
    };
    if vector.len() != identity.dimensions {
        let found = format!(
            "{} answers with {} dimensions, and the index holds {}",
            identity.name,
            vector.len(),
            identity.dimensions
        );
        return Finding::warning(CHECK, found, "embed everything again with \"clusterlore index --reindex\"");
    }
    let sent = embedder.sends_to().map(|host| format!("; names, labels and descriptions go to {host}"));
    Finding::ok(CHECK, format!("{identity}{}", sent.unwrap_or_default()))
}

/// Whether the model that `--inference llm` would ask answers at all.
async fn model_finding(settings: &Settings) -> Finding {
    const CHECK: &str = "model";
    let model = match build::language_model(settings) {
        Ok(model) => model,
        Err(e) => return Finding::error(CHECK, e),
    };
    let prompt = Prompt {
        system: "You are asked whether you are there.".to_owned(),
        user: "Answer with the JSON object {\"ok\": true}.".to_owned(),
        schema: json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["ok"],
            "properties": {"ok": {"type": "boolean"}},
        }),
    };
    match model.complete(&prompt).await {
        Ok(Completion { answer: Ok(_), .. }) => {
            let sent = model.sends_to().map(|host| format!("; type names and schemas go to {host}"));
            Finding::ok(CHECK, format!("{} answers{}", model.name(), sent.unwrap_or_default()))
        }
        Ok(Completion { answer: Err(problem), .. }) => {
            Finding::warning(CHECK, format!("{}: {problem}", model.name()), "use another model with --model")
        }
        Err(e) => Finding::error(CHECK, e),
    }
}

/// Names and descriptions of a whole cluster are in the file. What clusterlore makes, others cannot read.
#[cfg(unix)]
fn index_file_finding(settings: &Settings) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;

    let StoreChoice::Sqlite(file) = build::store_choice(settings).ok()? else { return None };
    let mode = std::fs::metadata(&file).ok()?.permissions().mode() & 0o777;
    let fix = format!("to keep it private: chmod 600 {0} {0}-wal {0}-shm", file.display());
    let found = format!("{} can be read by others (mode {mode:03o})", file.display());
    (mode & 0o044 != 0).then(|| Finding::warning("permissions of the index", found, fix))
}

#[cfg(not(unix))]
fn index_file_finding(_: &Settings) -> Option<Finding> {
    None
}

/// Keys that everybody on this machine can read are no keys.
#[cfg(unix)]
fn file_finding(settings: &Settings) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;

    const CHECK: &str = "configuration";
    let file = settings.file.as_ref()?;
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    if settings.file_holds_secrets() && mode & 0o044 != 0 {
        let fix = format!("chmod 600 {}", file.display());
        return Some(Finding::warning(CHECK, format!("{} holds keys and others can read it", file.display()), fix));
    }
    Some(Finding::ok(CHECK, file.display()))
}

#[cfg(not(unix))]
fn file_finding(settings: &Settings) -> Option<Finding> {
    settings.file.as_ref().map(|file| Finding::ok("configuration", file.display()))
}

async fn index_findings(settings: &Settings, store: &dyn Store) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let mut counts = BTreeMap::new();
    let view = store.view(&build::OWN_STORE).await?;
    for name in Collection::ALL {
        if let Some(info) = view.collection(name).await? {
            counts.insert(name, info.documents);
            // A remote embedder is used by its name; only tables of other versions are out of reach.
            let ours = Builtin::identity_of();
            if info.embedder != ours && info.embedder.name.starts_with("builtin") {
                let found = format!("collection \"{name}\" was filled by {}, this program has {ours}", info.embedder);
                findings.push(Finding::warning("embedder", found, "run \"clusterlore index --reindex\""));
            }
        }
    }
    let runs = view.last_runs().await?;
    if runs.is_empty() {
        findings.push(Finding::warning("index", "it is empty", "run \"clusterlore sync-instances\""));
    }
    // An import is as old as it is; what it brought is as fresh as the syncs that follow.
    let sources = view.sources().await?;
    for run in runs.iter().filter(|run| run.command != RunKind::Import) {
        findings.push(freshness(settings, run, &sources).await);
    }
    let counts: Vec<String> = counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
    let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    findings.push(Finding::ok("documents", counts));
    Ok(findings)
}

/// How old what a run read is, and where it is to be done again, whether that can succeed.
async fn freshness(settings: &Settings, run: &RunRecord, sources: &[KnownSource]) -> Finding {
    const CHECK: &str = "index";
    let names = ClusterNames::of(sources);
    let cluster = match names.shown(&run.cluster) {
        "" => String::new(),
        shown => format!(" of {shown}"),
    };
    let command = advice::command(run.command);
    let age = run.finished.parse::<Timestamp>().ok().and_then(|at| Timestamp::now().since(at).ok());
    let hours = age.and_then(|age| age.total(Unit::Hour).ok()).unwrap_or(f64::INFINITY);
    let found = match run.finished.is_empty() {
        true => format!(
            "{command}{cluster}, started {}, did not finish; what it stored is correct but may be incomplete",
            print::ago(&run.started)
        ),
        false => format!("{command}{cluster} ran {}", print::ago(&run.finished)),
    };
    if !run.finished.is_empty() && hours <= STALE_HOURS {
        return Finding::ok(CHECK, found);
    }
    let collection = match run.command {
        RunKind::Capabilities => Collection::Capabilities,
        _ => Collection::Instances,
    };
    let of_run = |source: &&KnownSource| {
        source.cluster == run.cluster && !source.replaced && source.identity != SourceIdentity::Controller
    };
    let Some(source) = sources.iter().find(of_run) else {
        return Finding::warning(CHECK, found, format!("run \"clusterlore {}\"", advice::filler(collection)));
    };
    let basis = Basis {
        cluster: run.cluster.clone(),
        name: names.shown(&run.cluster).to_owned(),
        source: source.identity.clone(),
        collection,
        reading: source.readings.of(collection).cloned(),
        age: None,
    };
    let used = build::context_in_use(settings).map(|(context, _)| context);
    let again = renewal(settings, used.as_deref(), &basis);
    match can_be_read(settings, &basis).await {
        Ok(()) => Finding::warning(CHECK, found, format!("run \"{again}\"")),
        Err(why) => {
            let why = why.context(format!("{found}, and \"{again}\" would fail"));
            let forget = shell_line(["clusterlore", "clusters", "forget", &basis.name]);
            let fix = advice::of(&why).unwrap_or_else(|| format!("if it is gone for good: \"{forget}\""));
            Finding { fix: Some(fix), ..Finding::error(CHECK, why) }
        }
    }
}

/// Whether a source is where it was, and is what it was.
async fn can_be_read(settings: &Settings, basis: &Basis) -> anyhow::Result<()> {
    let context = basis.reading.as_ref().map(|reading| reading.context.clone()).unwrap_or_default();
    match &basis.source {
        SourceIdentity::Folder { path } if path == SourceIdentity::STANDARD_INPUT => Ok(()),
        SourceIdentity::Folder { path } => {
            std::fs::metadata(path).map(drop).with_context(|| format!("{path} cannot be read"))
        }
        known => {
            let settings = match context.is_empty() {
                true => settings.clone(),
                false => settings.clone().with("context", context),
            };
            let source = build::live(&settings, 1, AnnotationChoice::default()).await?;
            Ok(known.check(&source.identity().await?).map_err(SyncError::from)?)
        }
    }
}
