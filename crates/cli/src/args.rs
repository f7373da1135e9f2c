//! Flags as plain values; [`crate::build`] makes sources, stores and embedders of them. Names are kubectl's where it has them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clusterlore_agent::converse::ToolGroup;
use clusterlore_core::{AnnotationChoice, Collection, Selector, TypePattern};
use clusterlore_models::{ANTHROPIC_MODEL, Builtin, Price, VOYAGE_MODEL};
use clusterlore_search::GroupBy;
use clusterlore_store::ThreadName;

mod changes;
mod clusters;
mod format;
mod mcp;
mod order;
mod serve;
mod shared;
mod watch;

pub(crate) use changes::Changes;
pub(crate) use clusters::{Clusters, ClustersAction};
pub(crate) use format::{AnswerFlags, Format, HitFlags, ListFlags, SortBy, TableFlags};
pub(crate) use mcp::Mcp;
pub(crate) use order::command_first;
pub(crate) use serve::{AuthFlag, Serve, Token};
pub(crate) use shared::{
    DemoFlag, HowFlags, InferenceFlag, InferenceFlags, Live, LiveFlags, LogFormat, Output, Shown, WhatFlags,
    cluster_name, dollars, namespace, price, whole,
};
pub(crate) use watch::{Watch, WatchFlags};

use crate::addresses::{http_url, postgres_url, sqlite_path};

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
  clusterlore ask -i                                  ask on: \"and which of them are not ready?\"
  clusterlore search backups -n datastores --kind cronjob
  clusterlore count \"databases per namespace\"
  clusterlore similar deploy/kiosk-web -n fares
  clusterlore doctor                                  check the setup, and how to fix it"
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
    /// Log to standard error; twice for more detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Show progress as auto (on a terminal one line that moves, elsewhere a line each) or as lines
    #[arg(long, global = true, value_enum, value_name = "HOW", default_value_t = Shown::Auto, hide_possible_values = true, conflicts_with = "quiet")]
    pub(crate) progress: Shown,
    /// Say nothing on standard error but what is wrong or changes an answer
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Do not show through a pager (PAGER) what is longer than the screen
    #[arg(long, global = true)]
    pub(crate) no_pager: bool,
    /// None at a terminal: see `commands/start`.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What can be set here, in the environment and in a file (see [`crate::settings`]); the first that sets it counts.
#[derive(Debug, Default, ClapArgs)]
#[command(
    next_help_heading = "Settings (also in the environment and in clusterlore.toml, see \"clusterlore config --help\")"
)]
pub(crate) struct SettingFlags {
    /// Configuration file [default: clusterlore/clusterlore.toml in the XDG configuration folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Path to the kubeconfig file [default: KUBECONFIG, ~/.kube/config, or the pod's service account]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<String>,
    /// Context of the kubeconfig to use [default: its current context]
    #[arg(id = "context", long, global = true, value_name = "NAME")]
    pub(crate) contexts: Vec<String>,
    /// User to ask the cluster as
    #[arg(id = "as", long = "as", global = true, value_name = "USER")]
    pub(crate) as_user: Option<String>,
    /// Group to ask the cluster as, beside --as; repeat it for several
    #[arg(id = "as-group", long = "as-group", global = true, value_name = "GROUP", requires = "as")]
    pub(crate) as_groups: Vec<String>,
    /// Keep the index in a file, as sqlite:PATH [default: clusterlore/index.db in the XDG data folder]
    #[arg(long, global = true, value_name = "STORE", value_parser = checked(sqlite_path))]
    pub(crate) store: Option<String>,
    /// Keep the index in a Chroma server, as http://HOST:PORT
    #[arg(long, global = true, value_name = "URL", value_parser = checked(http_url))]
    pub(crate) chroma_url: Option<String>,
    /// Tenant of the Chroma server [default: default_tenant]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) chroma_tenant: Option<String>,
    /// Database of the Chroma server [default: default_database]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) chroma_database: Option<String>,
    /// Keep the index in a Postgres server with pgvector, as postgres://USER@HOST/DATABASE
    #[arg(long, global = true, value_name = "URL", value_parser = checked(postgres_url))]
    pub(crate) postgres_url: Option<String>,
    /// Embedder: builtin, voyage[:MODEL] or openai:MODEL@URL [default: the one that filled the index, else builtin]
    #[arg(long, global = true, value_name = "EMBEDDER", value_parser = checked(EmbedderChoice::read))]
    pub(crate) embedder: Option<String>,
    /// Language model for ask, for the tool investigate of mcp and serve, and for --inference llm: anthropic[:MODEL] (ANTHROPIC_API_KEY), or openai:MODEL@URL for OpenAI, Ollama, vLLM or LM
    /// Studio (OPENAI_API_KEY, if one is needed) [default: anthropic]
    #[arg(long, global = true, value_name = "MODEL", value_parser = checked(ModelChoice::read))]
    pub(crate) model: Option<String>,
    /// File that describes your own software, API groups and kinds (TOML, see crates/catalogue/data)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) catalogue: Option<String>,
}

/// Flags that take an address, in which a password may stand: what is wrong with one is said without repeating it.
pub(crate) const ADDRESSES: [&str; 5] = ["store", "chroma-url", "postgres-url", "embedder", "model"];

impl SettingFlags {
    /// The flags that were given, by the key of their setting.
    pub(crate) fn given(&self) -> Vec<(&'static str, String)> {
        let context = self.contexts.last().cloned();
        let groups = (!self.as_groups.is_empty()).then(|| self.as_groups.join(","));
        let all = [
            ("kubeconfig", &self.kubeconfig),
            ("context", &context),
            ("as", &self.as_user),
            ("as-group", &groups),
            ("store", &self.store),
            ("chroma-url", &self.chroma_url),
            ("chroma-tenant", &self.chroma_tenant),
            ("chroma-database", &self.chroma_database),
            ("postgres-url", &self.postgres_url),
            ("embedder", &self.embedder),
            ("model", &self.model),
            ("catalogue", &self.catalogue),
        ];
        let given = all.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
        // As with kubectl, "" is the same as no flag: scripts say --context "$CONTEXT".
        given.filter(|(key, text)| !(text.is_empty() && ["kubeconfig", "context"].contains(key))).collect()
    }
}

/// Keeps the text of a flag that can be read, so that an error points at the flag.
fn checked<T>(
    read: impl Fn(&str) -> Result<T, String> + Clone + Send + std::marker::Sync + 'static,
) -> impl Fn(&str) -> Result<String, String> + Clone + Send + std::marker::Sync + 'static {
    move |text| read(text).map(|_| text.to_owned())
}

/// An embedder by its name, which is also what a collection remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EmbedderChoice {
    /// The table in the binary.
    Builtin,
    /// A model of Voyage.
    Voyage { model: String },
    /// A model behind OpenAI's API; the address up to and including the version.
    OpenAi { model: String, url: String },
}

impl EmbedderChoice {
    /// Reads a flag, or what a collection remembers.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let expected = || "expected builtin, voyage, voyage:MODEL or openai:MODEL@URL".to_owned();
        if text == "builtin" || text == Builtin::identity_of().name {
            return Ok(Self::Builtin);
        }
        if text == "voyage" {
            return Ok(Self::Voyage { model: VOYAGE_MODEL.to_owned() });
        }
        match text.split_once(':').ok_or_else(expected)? {
            ("voyage", model) if !model.is_empty() => Ok(Self::Voyage { model: model.to_owned() }),
            ("openai", rest) => {
                let (model, url) = model_at(rest)?;
                Ok(Self::OpenAi { model, url })
            }
            _ => Err(expected()),
        }
    }

    /// What a collection remembers.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Builtin => Builtin::identity_of().name,
            Self::Voyage { model } => format!("voyage:{model}"),
            Self::OpenAi { model, url } => format!("openai:{model}@{url}"),
        }
    }
}

/// Reads `MODEL@URL`.
fn model_at(text: &str) -> Result<(String, String), String> {
    // Names of models may hold an @ themselves.
    let at = text.find("@http://").or_else(|| text.find("@https://")).filter(|at| *at > 0);
    let at = at.ok_or("expected openai:MODEL@URL with http:// or https://")?;
    let (model, url) = (&text[..at], text[at + 1..].trim_end_matches('/'));
    if url.contains(['@', '?', '#']) || url.contains(char::is_whitespace) {
        return Err("expected a URL without user, password and query; a key goes into OPENAI_API_KEY".to_owned());
    }
    Ok((model.to_owned(), url.to_owned()))
}

/// A language model by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelChoice {
    /// A model of Anthropic.
    Anthropic { model: String },
    /// A model behind OpenAI's API; the address up to and including the version.
    OpenAi { model: String, url: String },
}

impl ModelChoice {
    /// Reads a setting.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let expected = || "expected anthropic, anthropic:MODEL or openai:MODEL@URL".to_owned();
        match text.split_once(':') {
            None if text == "anthropic" => Ok(Self::default()),
            Some(("anthropic", model)) if !model.is_empty() => Ok(Self::Anthropic { model: model.to_owned() }),
            Some(("openai", rest)) => {
                let (model, url) = model_at(rest)?;
                Ok(Self::OpenAi { model, url })
            }
            _ => Err(expected()),
        }
    }
}

impl Default for ModelChoice {
    fn default() -> Self {
        Self::Anthropic { model: ANTHROPIC_MODEL.to_owned() }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Index everything: resource types, then what is running (sync, then sync-instances)
    Index(Index),
    /// Index resource types and what each is for, from their schemas
    Sync(Sync),
    /// Index what is running: names, kinds, labels and descriptions; never spec, status or data
    SyncInstances(SyncInstances),
    /// Keep the index up to date: sync once, then follow every change until stopped
    Watch(Watch),
    /// Answer a question in sentences: what there is, where, in what state, and what to look at next
    Ask(Ask),
    /// List and remove the conversations of ask --thread
    Threads(Threads),
    /// Find what is running, or the resource type for a task, by meaning
    Search(Search),
    /// Count what is running, in total or by group
    Count(Count),
    /// Find objects similar to an object
    Similar(Similar),
    /// Answer questions over HTTP, and take what controllers post
    Serve(Serve),
    /// Answer assistants that speak the Model Context Protocol, on standard input and output
    Mcp(Mcp),
    /// Make a token for those who ask a server
    Token(Token),
    /// Show what happened lately: what came, changed and went
    Changes(Changes),
    /// List the clusters of the index; rename or forget one
    Clusters(Clusters),
    /// Show what is indexed, from where, when, and by which embedder
    Status(Status),
    /// Check cluster, permissions, store and index, and suggest fixes
    Doctor(Doctor),
    /// Try it on an example company, without a cluster
    Demo(Demo),
    /// Write the index as JSON lines, to move it to another store
    Export(Export),
    /// Load an export into a store
    Import(Import),
    /// Show the settings, and where each comes from
    Config(Config),
    /// Print a completion script for a shell
    #[command(alias = "completion")]
    Completions(Completions),
    /// Print the version
    Version(Version),
    /// What the program does without a command.
    #[command(skip)]
    Start,
}

impl Command {
    /// As it is typed.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Index(_) => "index",
            Self::Sync(_) => "sync",
            Self::SyncInstances(_) => "sync-instances",
            Self::Ask(_) => "ask",
            Self::Threads(_) => "threads",
            Self::Search(_) => "search",
            Self::Count(_) => "count",
            Self::Similar(_) => "similar",
            Self::Clusters(_) => "clusters",
            Self::Status(_) => "status",
            Self::Serve(_) => "serve",
            Self::Mcp(_) => "mcp",
            Self::Token(_) => "token",
            Self::Watch(_) => "watch",
            Self::Changes(_) => "changes",
            Self::Doctor(_) => "doctor",
            Self::Demo(_) => "demo",
            Self::Export(_) => "export",
            Self::Import(_) => "import",
            Self::Config(_) => "config",
            Self::Completions(_) => "completions",
            Self::Version(_) => "version",
            Self::Start => "start",
        }
    }

    /// Whether the demo's index is meant.
    pub(crate) fn is_of_the_demo(&self) -> bool {
        let flag = match self {
            Self::Ask(flags) => &flags.demo,
            Self::Search(flags) => &flags.demo,
            Self::Count(flags) => &flags.demo,
            Self::Similar(flags) => &flags.demo,
            Self::Status(flags) => &flags.demo,
            Self::Serve(flags) => &flags.demo,
            Self::Mcp(flags) => &flags.demo,
            Self::Changes(flags) => &flags.demo,
            _ => return false,
        };
        flag.demo
    }

    /// How what it says on standard error is written.
    pub(crate) fn log_format(&self) -> LogFormat {
        match self {
            Self::Serve(flags) => flags.watched.log_format,
            Self::Watch(flags) => flags.watched.log_format,
            _ => LogFormat::Text,
        }
    }
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore sync-instances                               the current context's cluster
  clusterlore sync-instances --dry-run                     show what would be stored and deleted
  clusterlore sync-instances --from manifests/             a folder of YAML or JSON instead of a cluster
  helm template . | clusterlore sync-instances --from -    manifests from a pipe; the next pipe replaces them
  clusterlore sync-instances -n fares -n guest             two namespaces
  clusterlore sync-instances --exclude 'secrets' --exclude '*.example.org'
  clusterlore sync-instances --annotations 'example.org/owner,*/oncall'   keep these annotations too
  clusterlore sync-instances --context east --cluster-name east

Exit status: 0 done, 1 failed, 2 wrong usage, 3 partly done (a type could not be listed for another reason than permission).")]
pub(crate) struct SyncInstances {
    /// Read manifests (YAML or JSON) instead of a cluster: a folder, a file, or - for standard input
    #[arg(long, value_name = "PATH", conflicts_with_all = ["kubeconfig", "context"])]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) what: WhatFlags,
    /// Keep these annotations too, to be found by their words and by -a; keys with *. Never those of Secrets, and never what
    /// controllers write for themselves (kubectl.kubernetes.io/* and others). Of a value 1 KiB is kept, of an object 32 annotations.
    /// "" keeps none [setting: annotations; default: only descriptions are kept]
    #[arg(long, value_name = "KEY,...")]
    pub(crate) annotations: Option<AnnotationChoice>,
    /// Name that keeps this cluster's documents apart from others in the same store
    #[arg(long, value_name = "NAME", value_parser = cluster_name)]
    pub(crate) cluster_name: Option<String>,
    /// Every context of the kubeconfig, one after another, each under its own name; one that fails fails alone
    #[arg(long, conflicts_with_all = ["from", "context", "cluster_name", "output"])]
    pub(crate) all_contexts: bool,
    /// Write nothing; show what would be stored and deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) how: HowFlags,
    /// Format of the summary [default: a line on standard error]
    #[arg(short, long, value_name = "FORMAT", value_parser = ["json"])]
    pub(crate) output: Option<String>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore sync                                         the current context's cluster
  clusterlore sync --dry-run                               show what would be stored and deleted
  clusterlore sync --only certificates.cert-manager.io     one type
  clusterlore sync --from manifests/                       custom resource definitions in a folder
  clusterlore sync --include '*.cert-manager.io'
  clusterlore sync --inference llm --max-cost 0.50         ask Anthropic (ANTHROPIC_API_KEY) what each type is for
  clusterlore sync --inference llm --model anthropic:claude-sonnet-5-5 --max-calls 20
  clusterlore sync --inference llm --model openai:qwen3@http://127.0.0.1:11434/v1

A model is sent names and schemas of types, nothing about what is running. Its answers are kept: it is asked about a type again only if the \
type's schema or the model changes.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 partly done (a schema could not be read, or the model did not answer for every type).")]
pub(crate) struct Sync {
    /// Read manifests (YAML or JSON) instead of a cluster: a folder, a file, or - for standard input
    #[arg(long, value_name = "PATH", conflicts_with_all = ["kubeconfig", "context"])]
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
    #[command(flatten)]
    pub(crate) inference: InferenceFlags,
    /// Name that keeps this cluster's documents apart from others in the same store
    #[arg(long, value_name = "NAME", value_parser = cluster_name)]
    pub(crate) cluster_name: Option<String>,
    /// Every context of the kubeconfig, one after another, each under its own name; one that fails fails alone
    #[arg(long, conflicts_with_all = ["from", "context", "cluster_name", "output"])]
    pub(crate) all_contexts: bool,
    /// Write nothing; show what would be stored and deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace what another cluster or folder indexed under this name
    #[arg(long)]
    pub(crate) replace_source: bool,
    /// Embed everything again if another embedder filled the index
    #[arg(long)]
    pub(crate) reindex: bool,
    /// How long to wait for another run that is writing to the index (0: do not wait)
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = clusterlore_core::duration)]
    pub(crate) lock_timeout: Duration,
    /// Format of the summary [default: a line on standard error]
    #[arg(short, long, value_name = "FORMAT", value_parser = ["json"])]
    pub(crate) output: Option<String>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore index                                        the current context's cluster
  clusterlore index --from manifests/                      a folder of YAML or JSON instead of a cluster
  clusterlore index --context east --cluster-name east
  clusterlore index --all-contexts                         every context of the kubeconfig
  clusterlore index -o json                                {\"capabilities\": summary, \"instances\": summary}
  clusterlore index --inference llm --max-cost 0.50        a language model says what types are for, see \"clusterlore sync --help\"

Exit status: 0 done, 1 failed, 2 wrong usage, 3 partly done (a schema or a type could not be read, or the model did not answer for \
all types).")]
pub(crate) struct Index {
    #[command(flatten)]
    pub(crate) instances: SyncInstances,
    #[command(flatten)]
    pub(crate) inference: InferenceFlags,
}

/// Reads the name of a collection, and tells the names in help and completions.
fn collection() -> impl TypedValueParser<Value = Collection> {
    let value = |collection: Collection| {
        PossibleValue::new(collection.name()).help(match collection {
            Collection::Instances => "What is running",
            Collection::Capabilities => "What resource types there are",
        })
    };
    PossibleValuesParser::new(Collection::ALL.map(value)).try_map(|name| name.parse::<Collection>())
}

/// What is looked at.
#[derive(Debug, ClapArgs)]
pub(crate) struct ScopeFlags {
    /// Only objects in these namespaces
    #[arg(short, long = "namespace", value_name = "NAMESPACE", value_delimiter = ',', value_parser = namespace)]
    pub(crate) namespaces: Vec<String>,
    /// Objects in all namespaces, as without -n
    #[arg(short = 'A', long, conflicts_with = "namespaces")]
    pub(crate) all_namespaces: bool,
    /// Only objects of these kinds: kind, plural, short name or plural.group
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// Only objects with these labels: =, ==, !=, in, notin, key, !key, joined by commas
    #[arg(short = 'l', long, value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    pub(crate) selector: Selector,
    /// Only objects with these annotations, of those that sync-instances --annotations keeps; as -l, with any text as a value, in
    /// double quotes if it holds a comma
    #[arg(
        short = 'a',
        long = "annotation",
        value_name = "SELECTOR",
        default_value = "",
        hide_default_value = true,
        value_parser = Selector::of_annotations
    )]
    pub(crate) annotations: Selector,
    /// Only objects of this cluster, by the name that "clusterlore clusters" lists
    #[arg(long, visible_alias = "cluster", value_name = "NAME")]
    pub(crate) cluster_name: Option<String>,
    /// Fail if the cluster, or a folder, was last read to its end longer ago, such as 90m or 24h [setting: max-age; default: an
    /// answer that is older than a day says so]
    #[arg(long, value_name = "DURATION", value_parser = clusterlore_core::duration)]
    pub(crate) max_age: Option<Duration>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore ask \"what databases are running?\"
  clusterlore ask which pods in fares are not ready        asks the cluster
  clusterlore ask \"which image does the deployment kiosk-web run?\"
  clusterlore ask \"what could I use for a database?\"     answers with resource types
  clusterlore ask \"how many deployments per namespace?\" -o json
  clusterlore ask message brokers -o name | head -1
  clusterlore ask -i                                       asks on: \"and which of them are in staging?\"
  clusterlore ask --thread on-call \"what databases are running?\"
  clusterlore ask --thread on-call \"why is the first one failing?\"
  printf '%s\\n' \"which caches are there?\" \"how many is that?\" | clusterlore ask -i -o json
  clusterlore ask --model anthropic \"why is checkout slow?\"          a model looks for itself (ANTHROPIC_API_KEY)
  clusterlore ask --model openai:qwen3@http://127.0.0.1:11434/v1 \"what changed in shop today?\"
  clusterlore ask --model anthropic --tools kubectl --max-cost 0.10 \"which pods restart?\"

A question of a conversation (-i, --thread) takes over what it does not say from the one before it, and the answer \
tells what that was. /help lists the commands of -i.

Without --model the answer is made of the index, and of the cluster's own tables where the question asks for a state. It is the same whenever \
both are the same; no language model takes part. With --model on the command line a language model asks the index and reads the cluster \
with your rights, and cites what it saw; what it cites and was never shown is marked. A remote model is sent your question, and of what it asks \
for: object names, labels, status, events and logs, values of Secrets masked.

JSON: {\"question\", \"took\": {\"text\", \"question\", \"objects\"}: what was taken over, \"searched\", \
\"answer\": [{\"text\", \"ids\"}], \"asks\": a question back, \"number\", \"hits\", \"more\", \"needs\": what metadata \
cannot say, \"unread\", \"notes\", \"next\", \"commands\": next as lines of kubectl, \"closest\", \"doubts\"}. With --model: {\"question\", \"model\", \
\"answer\", \"steps\": [{\"tool\", \"arguments\", \"result\", \"failed\"}], \"citations\": [{\"id\", \"seen\"}], \"unsourced\": sentences, \"used\": {\"steps\", \
\"inputTokens\", \"outputTokens\", \"cost\"}, \"ended\", \"reason\"}.

Exit status with --model: 0 answered, 1 failed, 2 wrong usage, 3 not answered to the end (a limit was reached).")]
pub(crate) struct Ask {
    /// The question, in your own words
    #[arg(required_unless_present = "interactive")]
    pub(crate) question: Vec<String>,
    /// Ask on, question by question; from standard input one a line, where that is no terminal
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// Go on with the conversation of this name, or begin it. It keeps questions and the names of objects, never what the cluster said
    #[arg(long, value_name = "NAME")]
    pub(crate) thread: Option<ThreadName>,
    #[command(flatten)]
    pub(crate) scope: ScopeFlags,
    #[command(flatten)]
    pub(crate) live: LiveFlags,
    #[command(flatten)]
    pub(crate) hits: AnswerFlags,
    #[command(flatten)]
    pub(crate) model: ModelFlags,
    #[command(flatten)]
    pub(crate) demo: DemoFlag,
}

/// What a language model may use and cost.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "With --model")]
pub(crate) struct ModelFlags {
    /// What the model may use, of kubectl (reads the cluster), vector (asks the index) and apply (changes the cluster, each time after
    /// your yes) [default: kubectl,vector]
    #[arg(long, value_name = "GROUP,...", value_delimiter = ',')]
    pub(crate) tools: Vec<ToolGroup>,
    /// Let apply also change these, which it else only does if your question names them: roles, rolebindings, clusterroles,
    /// clusterrolebindings, secrets, or the namespaces kube-system, kube-public and kube-node-lease
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) allow: Vec<String>,
    /// Let the model speak at most this often; what it finds out takes a turn each
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = whole::<u32>(1..=200))]
    pub(crate) max_steps: u32,
    /// Use at most this many tokens, of all turns together
    #[arg(long, value_name = "N", default_value_t = 500_000, value_parser = whole::<u64>(1..=1_000_000_000))]
    pub(crate) max_tokens: u64,
    /// Spend at most this much, in US dollars, estimated from the model's price
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
    /// Price of the model, in US dollars per million input and output tokens [default: the provider's list price, if known]
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    pub(crate) price: Option<Price>,
    /// Write down what the model is told and says, as JSON lines; what tools return is in it
    #[arg(long, value_name = "FILE", requires = "model", conflicts_with = "replay")]
    pub(crate) record: Option<PathBuf>,
    /// Let a recording speak in place of the model that it is of: nothing is sent anywhere; the tools are called as they were
    #[arg(long, value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,
}

impl ModelFlags {
    /// Those that were given and mean nothing where no model, and no recording of one, answers.
    pub(crate) fn of_a_model(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("--tools", !self.tools.is_empty()),
            ("--allow", !self.allow.is_empty()),
            ("--max-cost", self.max_cost.is_some()),
            ("--price", self.price.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name)
    }
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore threads                        the conversations that --thread NAME began
  clusterlore threads -o json
  clusterlore threads rm on-call night-shift

A thread keeps questions, what each was read as, and the ids of the objects that its answer named.")]
pub(crate) struct Threads {
    #[command(subcommand)]
    pub(crate) action: Option<ThreadsAction>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ThreadsAction {
    /// Remove conversations
    #[command(after_help = "Examples:\n  clusterlore threads rm on-call")]
    Rm {
        /// Their names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<ThreadName>,
    },
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore search \"what databases are running?\"
  clusterlore search tickets -n fares --kind deploy -l 'tier in (backend,frontend),!canary'
  clusterlore search queue -a 'example.org/owner=the night owls'
  clusterlore search \"how do I get a certificate\" --collection capabilities
  clusterlore search \"the 3 newest deployments in fares\"
  clusterlore search \"how many message brokers are there?\"
  clusterlore search \"which pods in fares are not ready?\"     asks the cluster
  clusterlore search databases --group-by namespace
  clusterlore search queue -o name | head -1
  clusterlore search tickets -n fares -o name | xargs kubectl -n fares get
  clusterlore search databases -o custom-columns=NAME:.name,TEAM:.labels.team
  clusterlore search \"message brokers\" --max-age 1h           fail if the index is older
  clusterlore search --pick                                    choose at the terminal; prints what you picked
  kubectl -n fares describe $(clusterlore search --pick turnstile -n fares)
  clusterlore search --batch questions.jsonl --limit 20

A line of --batch: {\"id\": \"1\", \"q\": \"message brokers\", \"target\": \"instances\"|\"types\"}; a line of its answer: {\"id\", \"hits\": [ids or type names], \"number\": how many, where it asks, else null, \"needs\": what metadata cannot say}.")]
pub(crate) struct Search {
    /// What to look for, in your own words
    #[arg(required_unless_present_any = ["batch", "pick", "count", "group_by", "selector", "annotations", "kinds", "namespaces"], conflicts_with = "batch")]
    pub(crate) question: Vec<String>,
    /// Answer the questions in a JSON lines file (- for standard input)
    #[arg(long, value_name = "FILE")]
    pub(crate) batch: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) scope: ScopeFlags,
    #[command(flatten)]
    pub(crate) live: LiveFlags,
    /// Which collection to search
    #[arg(long, value_parser = collection(), default_value_t = Collection::Instances)]
    pub(crate) collection: Collection,
    /// Print only the number of matches
    #[arg(long, conflicts_with = "batch")]
    pub(crate) count: bool,
    /// Print only the number of matches in each group: kind, namespace, owner, cluster or label:KEY
    #[arg(long, value_name = "WHAT", conflicts_with = "batch")]
    pub(crate) group_by: Option<GroupBy>,
    #[command(flatten)]
    pub(crate) hits: HitFlags,
    #[command(flatten)]
    pub(crate) list: ListFlags,
    #[command(flatten)]
    pub(crate) table: TableFlags,
    /// Go on, and print what is found anew or has other labels, until stopped; as table, wide, name or id
    #[arg(short, long, conflicts_with_all = ["batch", "count", "group_by", "explain", "print_commands", "exit_status"])]
    pub(crate) watch: bool,
    /// Choose one of what is found at the terminal, as you type, and print it as -o name does, or as another -o; exit status 1 if
    /// nothing is picked
    #[arg(long, conflicts_with_all = ["batch", "count", "group_by", "watch", "explain"])]
    pub(crate) pick: bool,
    /// Show how each score is made up
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) demo: DemoFlag,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore count \"message brokers\"
  clusterlore count databases per namespace
  clusterlore count --kind pod -n fares --max-age 10m
  clusterlore count --kind deploy -a '!example.org/owner'
  clusterlore count deployments older than 30 days --group-by label:team
  clusterlore count --kind pod --group-by owner -o json     {\"total\": n, \"groups\": [{\"name\", \"count\"}]}

Without a question, everything that the flags admit is counted, exactly. With a question, only what clearly matches is counted.")]
pub(crate) struct Count {
    /// What to count, in your own words; optional
    pub(crate) question: Vec<String>,
    /// Group by kind, namespace, owner (the topmost controller), cluster or label:KEY
    #[arg(long, value_name = "WHAT")]
    pub(crate) group_by: Option<GroupBy>,
    #[command(flatten)]
    pub(crate) scope: ScopeFlags,
    #[command(flatten)]
    pub(crate) live: LiveFlags,
    /// Which collection to search
    #[arg(long, value_parser = collection(), default_value_t = Collection::Instances)]
    pub(crate) collection: Collection,
    /// Output format; name prints the groups, one per line
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) demo: DemoFlag,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore similar deploy/kiosk-web -n fares                objects similar to this one
  clusterlore similar fares/apps/v1/Deployment/kiosk-web       by its stored id, as printed by -o id
  clusterlore similar sts/granite --kind sts,cluster --limit 5
  clusterlore similar deploy/kiosk-web -n fares -a example.org/tier=1

With KIND/NAME, -n and --cluster-name say where the object is; with an id, where to look.")]
pub(crate) struct Similar {
    /// Stored id (NAMESPACE/VERSION/KIND/NAME), or KIND/NAME
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) scope: ScopeFlags,
    #[command(flatten)]
    pub(crate) hits: HitFlags,
    #[command(flatten)]
    pub(crate) list: ListFlags,
    #[command(flatten)]
    pub(crate) table: TableFlags,
    /// Show how each score is made up
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) demo: DemoFlag,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  clusterlore status\n  clusterlore status -o json")]
pub(crate) struct Status {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) demo: DemoFlag,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  clusterlore doctor\n  clusterlore doctor --context east\n  clusterlore doctor --model anthropic            also check the language model of sync --inference llm\n\nA remote embedder and a configured language model are each sent one short question.\n\nExit status: 0 no problems, 1 problems found."
)]
pub(crate) struct Doctor {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore export index.jsonl
  clusterlore export --no-vectors | gzip > index.jsonl.gz
  clusterlore export | clusterlore import - --postgres-url postgres://lore@db/lore

The file holds sources, types, models' answers and documents with their vectors; never spec, status, data or keys.")]
pub(crate) struct Export {
    /// File to write, - for standard output
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Leave out the vectors: a tenth of the size; an import embeds again
    #[arg(long)]
    pub(crate) no_vectors: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore import index.jsonl --chroma-url http://chroma:8000
  zcat index.jsonl.gz | clusterlore import - --store sqlite:copy.db
  clusterlore import index.jsonl --embedder voyage          embed everything with another embedder

Documents that the store already has are left alone, so you can run an interrupted import again. Vectors from the file are used if the \
store's embedder made them; otherwise texts are embedded again.")]
pub(crate) struct Import {
    /// File that "clusterlore export" wrote, - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace what another cluster or folder indexed under the same name
    #[arg(long)]
    pub(crate) replace_source: bool,
    /// How long to wait for another run that is writing to the index (0: do not wait)
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = clusterlore_core::duration)]
    pub(crate) lock_timeout: Duration,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore config show
  clusterlore config show -o json
  clusterlore config set max-age 24h
  clusterlore search databases --config staging.toml

Every flag under \"Settings\" can also be set by an environment variable (CLUSTERLORE_ and its name, as CLUSTERLORE_CHROMA_URL) \
and in clusterlore.toml, under its name. A flag counts before the environment, that before the file:

  chroma-url = \"http://chroma:8000\"
  embedder = \"voyage\"
  voyage-api-key = \"…\"                     # also openai-api-key, anthropic-api-key, chroma-token
  model = \"anthropic\"                      # for sync --inference llm
  annotations = \"example.org/owner\"        # for sync-instances --annotations
  max-age = \"24h\"                          # for search, count and similar

Keys have no flag; their variables are VOYAGE_API_KEY, OPENAI_API_KEY, ANTHROPIC_API_KEY and CLUSTERLORE_CHROMA_TOKEN.")]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Print every setting with its value and origin; keys and passwords are masked
    #[command(
        visible_alias = "view",
        after_help = "Examples:\n  clusterlore config show\n  clusterlore config show --config staging.toml -o yaml"
    )]
    Show {
        /// Output format
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Write a setting to the configuration file
    #[command(
        after_help = "Examples:\n  clusterlore config set max-age 24h\n  clusterlore config set store sqlite:team.db"
    )]
    Set {
        /// Its name, as "config show" lists it
        key: String,
        /// Its value
        value: String,
    },
    /// Remove a setting from the configuration file
    #[command(after_help = "Examples:\n  clusterlore config unset max-age")]
    Unset {
        /// Its name, as "config show" lists it
        key: String,
    },
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  clusterlore version\n  clusterlore version -o json")]
pub(crate) struct Version {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  clusterlore demo\n  clusterlore demo \"who sells tickets\"\n  clusterlore search \"where are the backups?\" --demo   ask on; also count, similar, ask, changes, status, serve and mcp\n  clusterlore demo --write corrie/                     write the manifests to a folder\n\nThe demo's index is a file of its own, beside yours."
)]
pub(crate) struct Demo {
    /// A question of your own
    pub(crate) question: Vec<String>,
    /// Write the example's manifests to a folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "question")]
    pub(crate) write: Option<PathBuf>,
}

/// What asks for what can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompletionsFor {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
    /// `kubectl lore`, in any of these shells
    Kubectl,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  source <(clusterlore completions bash)                     in ~/.bashrc; zsh in the same way
  clusterlore completions fish > ~/.config/fish/completions/clusterlore.fish
  clusterlore completions kubectl > ~/.local/bin/kubectl_complete-lore
  chmod +x ~/.local/bin/kubectl_complete-lore                \"kubectl lore\" completes then as kubectl itself does

Namespaces, kinds, labels, clusters and names of objects are completed from the index, contexts from the kubeconfig.")]
pub(crate) struct Completions {
    /// Your shell, or kubectl
    #[arg(value_enum)]
    pub(crate) shell: CompletionsFor,
    /// What is typed; only kubectl says it
    #[arg(last = true, hide = true)]
    pub(crate) words: Vec<OsString>,
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
    fn names_of_embedders_can_be_read_back() {
        for name in ["voyage:voyage-4", "openai:nomic@http://127.0.0.1:11434/v1", "openai:@cf/bge@https://host/v1"] {
            assert_eq!(EmbedderChoice::read(name).unwrap().name(), name);
        }
        assert_eq!(EmbedderChoice::read("voyage").unwrap().name(), "voyage:voyage-4");
        assert_eq!(EmbedderChoice::read("builtin"), Ok(EmbedderChoice::Builtin));
        assert_eq!(EmbedderChoice::read("openai:m@http://h/v1/").unwrap().name(), "openai:m@http://h/v1");
        for wrong in ["", "voyage:", "openai:m", "openai:@http://h", "cohere:x", "builtin-v0"] {
            assert!(EmbedderChoice::read(wrong).is_err(), "{wrong}");
        }
        for wrong in ["m@http://u:s3cret@h", "m@http://h/v1?key=s3cret", "m@https://u:s3 cret@h"] {
            let wrong = format!("openai:{wrong}");
            let said = [EmbedderChoice::read(&wrong).unwrap_err(), ModelChoice::read(&wrong).unwrap_err()];
            assert!(said.iter().all(|said| !said.contains("s3")), "{said:?}");
        }
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
