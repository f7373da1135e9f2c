//! What a shell offers while a command is typed: besides commands and flags what the index holds (namespaces, kinds, labels, clusters,
//! names of objects) and the contexts of the kubeconfig. Whatever fails offers nothing: nobody asked for an error.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, Command, CommandFactory};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};
use clap_complete::env::Shells;
use clusterlore_core::{CLUSTER_SCOPE, Collection, ResourceType};
use clusterlore_store::{StoreError, View};

use crate::args::{Args, SettingFlags};
use crate::build;
use crate::settings::Settings;

/// Set by the shells' scripts, to the name of the shell.
const VARIABLE: &str = "CLUSTERLORE_COMPLETE";
/// A store that takes longer offers nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// The most names of objects that are offered.
const MOST_NAMES: usize = 200;

/// Offers what fits, if a shell asks, and ends the program then.
pub(crate) fn answer() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The script that makes a shell ask.
pub(crate) fn script(shell: &str) -> std::io::Result<Vec<u8>> {
    let mut script = Vec::new();
    let name = "clusterlore";
    if let Some(shell) = Shells::builtins().completer(shell) {
        shell.write_registration(VARIABLE, name, name, name, &mut script)?;
    }
    Ok(script)
}

/// What fits the words behind the program's name, the last of which is being typed, in the form that kubectl expects of plugins: a value and
/// its description a line, and then a number that says that no file is meant, and whether no space follows.
pub(crate) fn for_kubectl(words: Vec<OsString>) -> Vec<String> {
    // In a thread of its own, because what is offered is read in a runtime of its own.
    std::thread::spawn(move || lines_for_kubectl(&words)).join().unwrap_or_default()
}

fn lines_for_kubectl(words: &[OsString]) -> Vec<String> {
    let all: Vec<OsString> = std::iter::once("kubectl-lore".into()).chain(words.iter().cloned()).collect();
    let typed = all.len() - 1;
    let offered = complete(&mut command(), all, typed, None).unwrap_or_default();
    let goes_on = |value: &str| value.ends_with(['=', '/']);
    let mut lines = Vec::new();
    let mut any_goes_on = false;
    for candidate in offered {
        let value = candidate.get_value().to_string_lossy().into_owned();
        any_goes_on |= goes_on(&value);
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.lines().next().unwrap_or_default();
        lines.push(if help.is_empty() { value } else { format!("{value}\t{help}") });
    }
    // Cobra's ShellCompDirectiveNoFileComp is 4, and with NoSpace 6.
    lines.push(if any_goes_on { ":6" } else { ":4" }.to_owned());
    lines
}

/// The program's command with what its values can be.
fn command() -> Command {
    fn completed(command: Command) -> Command {
        let command = command.mut_args(|arg| match offered(&arg) {
            Some(offer) => arg
                .add(ArgValueCompleter::new(move |typed: &OsStr| offer(&typed.to_string_lossy()).unwrap_or_default())),
            None => arg,
        });
        command.mut_subcommands(completed)
    }
    completed(Args::command())
}

/// Offers what can follow what was typed of a value.
type Offer = fn(&str) -> Option<Vec<CompletionCandidate>>;

/// What the values of a flag or an argument are.
fn offered(arg: &Arg) -> Option<Offer> {
    let named = arg.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
    match (arg.get_id().as_str(), named) {
        ("context", _) => Some(contexts),
        ("cluster_name", _) => Some(clusters),
        ("group_by", _) => Some(groups),
        ("selector", _) => Some(labels),
        ("question", _) => Some(names),
        (_, Some("NAMESPACE")) => Some(namespaces),
        (_, Some("KIND")) => Some(kinds),
        (_, Some("ID")) => Some(objects),
        _ => None,
    }
}

fn contexts(typed: &str) -> Option<Vec<CompletionCandidate>> {
    let contexts = build::contexts(&settings()?);
    Some(contexts.into_iter().filter(|name| name.starts_with(typed)).map(CompletionCandidate::new).collect())
}

fn clusters(typed: &str) -> Option<Vec<CompletionCandidate>> {
    let counts = read(async |view| view.counts(Collection::Instances).await)?;
    let names: BTreeSet<String> = counts.into_iter().map(|counts| counts.cluster).collect();
    let fitting = names.into_iter().filter(|name| !name.is_empty() && name.starts_with(typed));
    Some(fitting.map(CompletionCandidate::new).collect())
}

fn namespaces(typed: &str) -> Option<Vec<CompletionCandidate>> {
    let vocabulary = read(async |view| view.vocabulary(Collection::Instances).await)?;
    let fitting = vocabulary.namespaces.iter().filter(|name| *name != CLUSTER_SCOPE && name.starts_with(typed));
    Some(fitting.map(CompletionCandidate::new).collect())
}

/// A type as people name it: its plural, with the group where several types share that.
fn called(ty: &ResourceType, types: &[(String, ResourceType)]) -> String {
    let is_shared = types.iter().any(|(_, other)| other.plural == ty.plural && other.group != ty.group);
    if is_shared { ty.name() } else { ty.plural.clone() }
}

fn kinds(typed: &str) -> Option<Vec<CompletionCandidate>> {
    let types = types_in_use()?;
    let offered = types.iter().map(|(_, ty)| (called(ty, &types), ty)).filter(|(name, _)| name.starts_with(typed));
    let mut offered: Vec<(String, String)> =
        offered.map(|(name, ty)| (name, format!("{} · {}", ty.kind, ty.api_version()))).collect();
    offered.sort();
    offered.dedup_by(|a, b| a.0 == b.0);
    Some(offered.into_iter().map(|(name, help)| CompletionCandidate::new(name).help(Some(help.into()))).collect())
}

/// The types of which the index holds objects.
fn types_in_use() -> Option<Vec<(String, ResourceType)>> {
    read(async |view| {
        let counts = view.counts(Collection::Instances).await?;
        let used: BTreeSet<(&str, &str)> =
            counts.iter().map(|counts| (counts.cluster.as_str(), counts.type_name.as_str())).collect();
        let types = view.types().await?;
        Ok(types.iter().filter(|(cluster, ty)| used.contains(&(cluster, &ty.name()))).cloned().collect())
    })
}

/// `key=value`, several with commas between them.
fn labels(typed: &str) -> Option<Vec<CompletionCandidate>> {
    let vocabulary = read(async |view| view.vocabulary(Collection::Instances).await)?;
    let (before, last) = typed.rfind(',').map_or(("", typed), |at| typed.split_at(at + 1));
    let all: Vec<String> = match last.split_once('=') {
        None => vocabulary.labels.keys().filter(|key| key.starts_with(last)).map(|key| format!("{key}=")).collect(),
        Some((key, value)) => {
            let values = vocabulary.labels.get(key).into_iter().flatten();
            values.filter(|known| known.starts_with(value)).map(|known| format!("{key}={known}")).collect()
        }
    };
    Some(all.into_iter().map(|one| CompletionCandidate::new(format!("{before}{one}"))).collect())
}

fn groups(typed: &str) -> Option<Vec<CompletionCandidate>> {
    let label = "label:";
    if let Some(key) = typed.strip_prefix(label) {
        let vocabulary = read(async |view| view.vocabulary(Collection::Instances).await)?;
        let fitting = vocabulary.labels.keys().filter(|known| known.starts_with(key));
        return Some(fitting.map(|known| CompletionCandidate::new(format!("{label}{known}"))).collect());
    }
    let all = ["kind", "namespace", "owner", "cluster", label].into_iter();
    Some(all.filter(|one| one.starts_with(typed)).map(CompletionCandidate::new).collect())
}

/// `kind/name`: first the kind, then the names of its objects.
fn objects(typed: &str) -> Option<Vec<CompletionCandidate>> {
    let Some((kind, name)) = typed.split_once('/') else {
        let of_kinds = kinds(typed)?.into_iter().map(|kind| {
            let mut value = kind.get_value().to_owned();
            value.push("/");
            CompletionCandidate::new(value).help(kind.get_help().cloned())
        });
        return Some(of_kinds.collect());
    };
    let types = types_in_use()?;
    let meant: BTreeSet<String> =
        types.into_iter().map(|(_, ty)| ty).filter(|ty| ty.answers_to(kind)).map(|ty| ty.name()).collect();
    let found = found(move |type_name, own| meant.contains(type_name) && own.starts_with(name))?;
    Some(
        found
            .into_iter()
            .map(|(own, help)| CompletionCandidate::new(format!("{kind}/{own}")).help(Some(help.into())))
            .collect(),
    )
}

/// Names of objects, once something of one is typed: a question is mostly something else.
fn names(typed: &str) -> Option<Vec<CompletionCandidate>> {
    if typed.is_empty() {
        return None;
    }
    let found = found(|_, name| name.starts_with(typed))?;
    Some(found.into_iter().map(|(name, help)| CompletionCandidate::new(name).help(Some(help.into()))).collect())
}

/// Names of objects that fit by type (`plural.group`) and name, each once, with its kind and namespace.
fn found(fits: impl Fn(&str, &str) -> bool + Send + Sync) -> Option<Vec<(String, String)>> {
    let mut found = read(async |view| {
        let counts = view.counts(Collection::Instances).await?;
        let clusters: BTreeSet<String> = counts.into_iter().map(|counts| counts.cluster).collect();
        let mut found: Vec<(String, String)> = Vec::new();
        for cluster in clusters {
            let mut visit = |scanned: clusterlore_store::Scanned<'_>| {
                let mut parts = scanned.id.rsplit('/');
                let (name, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                if fits(scanned.type_name, name) {
                    let namespace = Some(scanned.namespace).filter(|namespace| *namespace != CLUSTER_SCOPE);
                    let of = namespace.map(|namespace| format!(" in {namespace}")).unwrap_or_default();
                    found.push((name.to_owned(), format!("{kind}{of}")));
                }
            };
            view.scan(Collection::Instances, &cluster, &mut visit).await?;
        }
        Ok(found)
    })?;
    found.sort();
    found.dedup_by(|a, b| a.0 == b.0);
    found.truncate(MOST_NAMES);
    Some(found)
}

/// Reads the index. `None` where there is none, or none that answers soon.
fn read<T>(ask: impl AsyncFnOnce(&dyn View) -> Result<T, StoreError>) -> Option<T> {
    let settings = settings()?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().ok()?;
    let read = async {
        let store = build::store_for_reading(&settings).await.ok()?;
        let view: Arc<dyn View> = store.view(&build::OWN_STORE).await.ok()?.into();
        ask(&*view).await.ok()
    };
    let read = runtime.block_on(async { tokio::time::timeout(PATIENCE, read).await });
    runtime.shutdown_background();
    read.ok().flatten()
}

/// The settings of the command that is being typed.
fn settings() -> Option<Settings> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let settings = Settings::read(&flags(&words)).ok()?;
    if words.iter().any(|word| word == "--demo") { build::demo(&settings).ok() } else { Some(settings) }
}

/// The flags for the index and the cluster among the words. bash cuts them at `=` and `:`.
fn flags(words: &[String]) -> SettingFlags {
    let value = |flag: &str| {
        let at = words
            .iter()
            .rposition(|word| word.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))?;
        let mut value = words[at][flag.len()..].trim_start_matches('=').to_owned();
        let mut rest = words[at + 1..].iter();
        if value.is_empty() {
            value = rest.by_ref().find(|word| *word != "=")?.clone();
        }
        while let Some(cut) = rest.next().filter(|word| [":", "="].contains(&word.as_str())) {
            value = format!("{value}{cut}{}", rest.next().map_or("", String::as_str));
        }
        Some(value)
    };
    SettingFlags {
        config: value("--config").map(PathBuf::from),
        kubeconfig: value("--kubeconfig"),
        store: value("--store"),
        chroma_url: value("--chroma-url"),
        chroma_tenant: value("--chroma-tenant"),
        chroma_database: value("--chroma-database"),
        postgres_url: value("--postgres-url"),
        ..SettingFlags::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_shells_cut_them() {
        let of = |line: &str| flags(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        for line in [
            "search --store sqlite:/a/b.db -n",
            "--store=sqlite:/a/b.db search",
            "--store sqlite : /a/b.db -n",
            "--store = sqlite : /a/b.db",
        ] {
            assert_eq!(of(line).store.as_deref(), Some("sqlite:/a/b.db"), "{line}");
        }
        let both = of("search --kubeconfig k.yaml --postgres-url postgres : //me@db : 5432/lore -n sh");
        assert_eq!(
            (both.kubeconfig.as_deref(), both.postgres_url.as_deref()),
            (Some("k.yaml"), Some("postgres://me@db:5432/lore"))
        );
        assert_eq!((of("search --stores x").store, of("search --store").store), (None, None));
    }
}
