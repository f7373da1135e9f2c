//! Flags as plain values; [`crate::build`] makes sources, stores and embedders of them. Names are kubectl's where it has them.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clusterlore_core::{Selector, TypePattern};

/// Ask a Kubernetes cluster what is running, by meaning.
#[derive(Debug, Parser)]
#[command(
    name = "clusterlore",
    version,
    propagate_version = true,
    after_help = "Examples:
  clusterlore demo                                    try it on an example company, without a cluster
  clusterlore index                                   index the current context's cluster: its types and what runs
  clusterlore search \"what databases are running?\"
  clusterlore search backups -n platform --kind cronjob
  clusterlore doctor                                  what is wrong, and how to mend it"
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) cluster: ClusterFlags,
    #[command(flatten)]
    pub(crate) store: StoreFlags,
    /// Log what is done on standard error; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which cluster.
#[derive(Debug, ClapArgs)]
pub(crate) struct ClusterFlags {
    /// Path to the kubeconfig file [default: KUBECONFIG, ~/.kube/config, or the pod's service account]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use [default: its current context]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
}

/// Which store.
#[derive(Debug, ClapArgs)]
pub(crate) struct StoreFlags {
    /// Where the index is kept, as sqlite:PATH [default: clusterlore/index.db in the XDG data folder]
    #[arg(long, global = true, value_name = "STORE", env = "CLUSTERLORE_STORE", value_parser = store_path)]
    pub(crate) store: Option<PathBuf>,
}

fn store_path(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err("expected sqlite:PATH".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Index what resource types are for and what runs: sync, then sync-instances
    Index(Index),
    /// Index what resource types are for, from their schemas
    Sync(Sync),
    /// Index what runs: names, kinds, labels and descriptions, never spec, status or data
    SyncInstances(SyncInstances),
    /// Find what runs, or the type for a task, by meaning
    Search(Search),
    /// Show what is indexed, from where, when and by which embedder
    Status(Status),
    /// Check cluster, permissions and store, and say how to mend what is wrong
    Doctor(Doctor),
    /// Try it on an example company, without a cluster
    Demo(Demo),
    /// Print a completion script for a shell
    Completions(Completions),
}

/// How objects are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Table,
    /// For programs
    Json,
    /// For programs and people
    Yaml,
    /// One id a line
    Name,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore sync-instances                               the current context's cluster
  clusterlore sync-instances --dry-run                     say what would be stored and deleted
  clusterlore sync-instances --from manifests/             a folder of YAML or JSON instead of a cluster
  clusterlore sync-instances -n shop -n shop-test          two namespaces
  clusterlore sync-instances --exclude 'secrets' --exclude '*.example.org'
  clusterlore sync-instances --context east --cluster-name east

Exit status: 0 done, 1 failed, 2 wrong usage, 3 done in part (a type could not be listed for another reason than permission).")]
pub(crate) struct SyncInstances {
    /// Read a folder of manifests (YAML or JSON) instead of a cluster
    #[arg(long, value_name = "DIR", conflicts_with_all = ["kubeconfig", "context"])]
    pub(crate) from: Option<PathBuf>,
    /// Read only these namespaces
    #[arg(short, long = "namespace", value_name = "NAMESPACE", value_delimiter = ',')]
    pub(crate) namespaces: Vec<String>,
    /// Read only these types, as plural.group with *
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) include: Vec<TypePattern>,
    /// Do not read these types, as plural.group with *
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) exclude: Vec<TypePattern>,
    /// Name that keeps this cluster's documents apart from others in the same store
    #[arg(long, value_name = "NAME", value_parser = cluster_name)]
    pub(crate) cluster_name: Option<String>,
    /// Write nothing; say what would be stored and deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace what another cluster or folder has indexed under this name
    #[arg(long)]
    pub(crate) replace_source: bool,
    /// Embed everything again where another embedder filled the index
    #[arg(long)]
    pub(crate) reindex: bool,
    /// Types listed at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) concurrency: u16,
    /// Objects asked for in one request
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) page_size: u32,
    /// How the summary is printed [default: a line on standard error]
    #[arg(short, long, value_name = "FORMAT", value_parser = ["json"])]
    pub(crate) output: Option<String>,
}

/// Who says what a type is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InferenceFlag {
    /// Rules over the schema, and what is known of groups and kinds
    Rules,
    /// A language model
    Llm,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore sync                                         the current context's cluster
  clusterlore sync --dry-run                               say what would be stored and deleted
  clusterlore sync --only certificates.cert-manager.io     one type
  clusterlore sync --from manifests/                       custom resource definitions in a folder
  clusterlore sync --include '*.crossplane.io'

Exit status: 0 done, 1 failed, 2 wrong usage, 3 done in part (a schema could not be read).")]
pub(crate) struct Sync {
    /// Read a folder of manifests (YAML or JSON) instead of a cluster
    #[arg(long, value_name = "DIR", conflicts_with_all = ["kubeconfig", "context"])]
    pub(crate) from: Option<PathBuf>,
    /// Infer only these types, each as plural.group
    #[arg(long, value_name = "TYPE", value_delimiter = ',', conflicts_with_all = ["include", "exclude"])]
    pub(crate) only: Vec<String>,
    /// Infer only these types, as plural.group with *
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) include: Vec<TypePattern>,
    /// Do not infer these types, as plural.group with *
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) exclude: Vec<TypePattern>,
    /// Who says what a type is for
    #[arg(long, value_enum, default_value_t = InferenceFlag::Rules)]
    pub(crate) inference: InferenceFlag,
    /// Name that keeps this cluster's documents apart from others in the same store
    #[arg(long, value_name = "NAME", value_parser = cluster_name)]
    pub(crate) cluster_name: Option<String>,
    /// Write nothing; say what would be stored and deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace what another cluster or folder has indexed under this name
    #[arg(long)]
    pub(crate) replace_source: bool,
    /// Embed everything again where another embedder filled the index
    #[arg(long)]
    pub(crate) reindex: bool,
    /// How the summary is printed [default: a line on standard error]
    #[arg(short, long, value_name = "FORMAT", value_parser = ["json"])]
    pub(crate) output: Option<String>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore index                                        the current context's cluster
  clusterlore index --from manifests/                      a folder of YAML or JSON instead of a cluster
  clusterlore index --context east --cluster-name east
  clusterlore index -o json                                {\"capabilities\": summary, \"instances\": summary}

Exit status: 0 done, 1 failed, 2 wrong usage, 3 done in part (a schema or a type could not be read).")]
pub(crate) struct Index {
    #[command(flatten)]
    pub(crate) instances: SyncInstances,
    /// Who says what a type is for
    #[arg(long, value_enum, default_value_t = InferenceFlag::Rules)]
    pub(crate) inference: InferenceFlag,
}

fn cluster_name(name: &str) -> Result<String, String> {
    let fine = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if fine { Ok(name.to_owned()) } else { Err("expected letters, digits, '-', '_' and '.'".to_owned()) }
}

/// A collection to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Collection {
    /// What is running
    Instances,
    /// What resource types there are
    Capabilities,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore search \"what databases are running?\"
  clusterlore search gateway -n edge --kind deploy -l 'tier in (web,api),!canary'
  clusterlore search \"how do I get a certificate\" --collection capabilities
  clusterlore search queue -o name | head -1
  clusterlore search --batch questions.jsonl --limit 20

A line of --batch: {\"id\": \"1\", \"q\": \"message brokers\", \"target\": \"instances\"|\"types\"}; a line of its answer: {\"id\", \"hits\": [ids or type names]}.")]
pub(crate) struct Search {
    /// What to look for, in your own words
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    pub(crate) question: Vec<String>,
    /// Answer the questions of a JSON lines file (- for standard input)
    #[arg(long, value_name = "FILE")]
    pub(crate) batch: Option<PathBuf>,
    /// Only in these namespaces
    #[arg(short, long = "namespace", value_name = "NAMESPACE", value_delimiter = ',')]
    pub(crate) namespaces: Vec<String>,
    /// Only of these kinds: kind, plural, short name or plural.group
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// Only with these labels: =, ==, !=, in, notin, key, !key, joined by commas
    #[arg(short = 'l', long, value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    pub(crate) selector: Selector,
    /// Only of this cluster
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster_name: Option<String>,
    /// Where to look
    #[arg(long, value_enum, default_value_t = Collection::Instances)]
    pub(crate) collection: Collection,
    /// Hits at most
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Show how the score comes about
    #[arg(long)]
    pub(crate) explain: bool,
    /// How hits are printed
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  clusterlore status\n  clusterlore status -o json")]
pub(crate) struct Status {
    /// How it is printed
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  clusterlore doctor\n  clusterlore doctor --context east\n\nExit status: 0 all well, 1 something is wrong."
)]
pub(crate) struct Doctor {
    /// How it is printed
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  clusterlore demo\n  clusterlore demo \"who sends the invoices\"\n  clusterlore demo --write corrie/   keep the manifests to look at"
)]
pub(crate) struct Demo {
    /// A question of your own
    pub(crate) question: Vec<String>,
    /// Write the example's manifests to a folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "question")]
    pub(crate) write: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  clusterlore completions bash > /etc/bash_completion.d/clusterlore\n  source <(clusterlore completions zsh)"
)]
pub(crate) struct Completions {
    /// Which shell
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn flags_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Args::command().get_subcommands() {
            assert!(
                command.get_after_help().is_some_and(|h| h.to_string().contains("Examples:")),
                "{}",
                command.get_name()
            );
        }
    }
}
