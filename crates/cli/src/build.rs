//! Makes ready objects of flags: the one place where sources, stores and embedders are chosen.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use async_trait::async_trait;
use clusterlore_agent::converse::Investigator;
use clusterlore_catalogue::Catalogue;
use clusterlore_cluster::{ClusterError, ClusterSource, Environment, FolderSource, ListScope, LiveOptions, LiveSource};
use clusterlore_core::{AnnotationChoice, Collection, EmbedderIdentity, Scope, SourceIdentity, TypeFilter};
use clusterlore_index::{Door, Index};
use clusterlore_models::{
    ANTHROPIC_MODEL, ANTHROPIC_URL, Builtin, ChatModel, Embedder, Kept, LanguageModel, Limits, Metered, Pauses,
    VOYAGE_MODEL, VOYAGE_URL, anthropic, anthropic_chat, openai, openai_chat, openai_chat_stream, voyage,
};
use clusterlore_pipeline::{Inference, Options};
use clusterlore_store::{Chroma, ChromaOptions, Credentials, Postgres, Sqlite, Store, StoreError};
use tokio::sync::OnceCell;

use crate::args::{EmbedderChoice, HowFlags, InferenceFlag, InferenceFlags, Live, ModelChoice, WhatFlags};
use crate::print;
use crate::settings::{Settings, StoreChoice, user_folder, variable, wrong};

/// A request that takes longer is tried again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The file of the demo's index, in [`demo_folder`].
pub(crate) const DEMO_INDEX: &str = "index.db";

/// Which store is used: the one that was asked for, else a file among the user's data.
pub(crate) fn store_choice(settings: &Settings) -> anyhow::Result<StoreChoice> {
    match settings.store()? {
        Some(choice) => Ok(choice),
        None => Ok(StoreChoice::Sqlite(data_folder()?.join("index.db"))),
    }
}

/// Where what is the user's is kept.
pub(crate) fn data_folder() -> anyhow::Result<PathBuf> {
    let data = user_folder("XDG_DATA_HOME", ".local/share").ok_or_else(|| {
        anyhow!("there is no home folder for the index; set XDG_DATA_HOME, or name a file with --store sqlite:PATH")
    })?;
    Ok(data.join("clusterlore"))
}

/// What the demo's index is asked with, beside the user's own: a store of its own, and no cluster.
pub(crate) fn demo(settings: &Settings) -> anyhow::Result<Settings> {
    let store = format!("sqlite:{}", demo_folder()?.join(DEMO_INDEX).display());
    let taken_over = ["catalogue", "model", "anthropic-api-key", "anthropic-base-url", "openai-api-key"];
    let own = Settings::only([("store", store), ("embedder", "builtin".to_owned())]).without_cluster();
    Ok(taken_over.into_iter().fold(own, |own, key| own.and(key, settings)))
}

/// Where the demo's index is kept.
pub(crate) fn demo_folder() -> anyhow::Result<PathBuf> {
    Ok(data_folder()?.join("demo"))
}

/// Where what the program notes for its user is kept: what was typed before.
pub(crate) fn state_folder() -> Option<PathBuf> {
    Some(user_folder("XDG_STATE_HOME", ".local/state")?.join("clusterlore"))
}

/// The store, made where it is missing.
pub(crate) async fn store_for_writing(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match store_choice(settings)? {
        StoreChoice::Sqlite(path) => Arc::new(Sqlite::open_or_create(&path)?),
        StoreChoice::Postgres(url) => Arc::new(Postgres::open_or_create(&url).await?),
        StoreChoice::Chroma(url) => Arc::new(Chroma::connect(chroma(settings, url)?).await?),
    })
}

/// The store as it is.
pub(crate) async fn store_for_reading(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match store_choice(settings)? {
        StoreChoice::Sqlite(path) => Arc::new(Sqlite::open_existing(&path)?),
        StoreChoice::Postgres(url) => Arc::new(Postgres::open_existing(&url).await?),
        StoreChoice::Chroma(url) => Arc::new(Chroma::connect(chroma(settings, url)?).await?),
    })
}

/// The store as it is, so that something small can be added to it. It is not made where it is missing.
pub(crate) async fn store_to_add_to(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    drop(store_for_reading(settings).await?);
    store_for_writing(settings).await
}

/// Chroma's word index is a file among the user's data, one for each database of each server.
fn chroma(settings: &Settings, url: String) -> anyhow::Result<ChromaOptions> {
    let defaults = ChromaOptions::default();
    let own = |key: &str, default: String| settings.text(key).map_or(default, str::to_owned);
    let tenant = own("chroma-tenant", defaults.tenant);
    let database = own("chroma-database", defaults.database);
    let header = settings.parsed("chroma-token-header", |header| match header.to_ascii_lowercase().as_str() {
        "x-chroma-token" => Ok(Credentials::Token as fn(String) -> Credentials),
        "authorization" => Ok(Credentials::Bearer as fn(String) -> Credentials),
        _ => Err("expected x-chroma-token or authorization".to_owned()),
    })?;
    let credentials = match settings.text("chroma-token") {
        Some(token) => header.unwrap_or(Credentials::Token)(token.to_owned()),
        None => Credentials::None,
    };
    let place = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let place = place.rsplit_once('@').map_or(place, |(_, host)| host);
    let name =
        format!("chroma {place} {tenant} {database}").replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    let local = data_folder()?.join(format!("{name}.db"));
    Ok(ChromaOptions { url, tenant, database, credentials, local, ..defaults })
}

/// The store as it is, if there is one.
pub(crate) async fn store_if_any(settings: &Settings) -> anyhow::Result<Option<Arc<dyn Store>>> {
    match store_for_reading(settings).await {
        Ok(store) => Ok(Some(store)),
        Err(e) if matches!(e.downcast_ref(), Some(StoreError::Missing(_))) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The store for a run; a dry run makes none where there is none.
pub(crate) async fn store_for_run(settings: &Settings, dry_run: bool) -> anyhow::Result<Option<Arc<dyn Store>>> {
    if dry_run { store_if_any(settings).await } else { store_for_writing(settings).await.map(Some) }
}

/// The embedder that a sync writes with. Chosen before the store is made: without a key nothing is written.
pub(crate) async fn embedder_for_writing(
    settings: &Settings,
    reindex: bool,
    dry_run: bool,
) -> anyhow::Result<Arc<dyn Embedder>> {
    let store = store_if_any(settings).await?;
    let embedder = embedder(settings, store.as_deref(), reindex).await?;
    let Some(host) = embedder.sends_to().filter(|_| !dry_run) else { return Ok(embedder) };
    let name = embedder.identity().name;
    print::note(&format!("Embedder {name}: object names, labels and descriptions go to {host}."));
    let folder = data_folder()?.join("embedded");
    Ok(Kept::over(embedder, &folder))
}

/// The embedder that was asked for, else the one that filled the index, else the built-in one.
pub(crate) async fn embedder(
    settings: &Settings,
    store: Option<&dyn Store>,
    reindex: bool,
) -> anyhow::Result<Arc<dyn Embedder>> {
    let recorded = match store {
        Some(store) => recorded(store).await?,
        None => None,
    };
    let choice = match (settings.parsed("embedder", EmbedderChoice::read)?, &recorded) {
        (Some(choice), _) => choice,
        // The drop-in use: whoever names a Chroma server and has a key for Voyage has used both together before.
        (None, None) if matches!(settings.store()?, Some(StoreChoice::Chroma(_))) && settings.get("voyage-api-key").is_some() => {
            EmbedderChoice::Voyage { model: VOYAGE_MODEL.to_owned() }
        }
        (None, None) => EmbedderChoice::Builtin,
        // A table of another version is still the built-in embedder; who compares them says so.
        (None, Some(known)) if known.name.starts_with("builtin") => EmbedderChoice::Builtin,
        (None, Some(known)) => EmbedderChoice::read(&known.name).map_err(|_| {
            anyhow!(
                "the index was filled by {}, which this program does not know; embed everything again with \"clusterlore index --embedder builtin --reindex\"",
                known.name
            )
        })?,
    };
    let name = choice.name();
    tracing::info!(embedder = name, "the embedder");
    if choice == EmbedderChoice::Builtin {
        return Ok(Arc::new(Builtin::default()));
    }
    // Refused here, before anything is sent.
    if let Some(known) = recorded.as_ref().filter(|known| known.name != name && !reindex) {
        bail!(
            "the index was filled by {known}, not by {name}; their vectors cannot be compared. Use --embedder {}, or embed everything again with \"clusterlore index --embedder {name} --reindex\"",
            known.name
        );
    }
    // Known dimensions save a request; whoever embeds everything again may have changed the model behind the name.
    let dimensions = recorded.filter(|_| !reindex).map(|known| known.dimensions);
    let pauses = Pauses::default();
    Ok(match choice {
        EmbedderChoice::Builtin => Arc::new(Builtin::default()),
        EmbedderChoice::Voyage { model } => {
            let base = settings.text("voyage-base-url").unwrap_or(VOYAGE_URL);
            let key = settings.key("voyage-api-key")?.ok_or_else(|| {
                anyhow!("embedder {name} needs a key: set VOYAGE_API_KEY, or choose another one with --embedder; if Voyage filled this index, add --reindex")
            })?;
            Arc::new(voyage(&model, base, key, dimensions, pauses).await?)
        }
        EmbedderChoice::OpenAi { model, url } => {
            Arc::new(openai(&model, &url, settings.key("openai-api-key")?, dimensions, pauses).await?)
        }
    })
}

/// The command line sees all of a store.
pub(crate) const OWN_STORE: Scope = Scope::All { because: "whoever runs the program may read its store" };

/// Who filled the index; `None` also where another program did, which told nobody.
pub(crate) async fn recorded(store: &dyn Store) -> anyhow::Result<Option<EmbedderIdentity>> {
    let view = store.view(&OWN_STORE).await?;
    for collection in Collection::ALL {
        if let Some(info) = view.collection(collection).await?.filter(|info| !info.embedder.is_unknown()) {
            return Ok(Some(info.embedder));
        }
    }
    Ok(None)
}

/// What is known of software.
pub(crate) fn catalogue(settings: &Settings) -> anyhow::Result<Catalogue> {
    match settings.text("catalogue") {
        None => Ok(Catalogue::builtin().clone()),
        Some(file) => Catalogue::with_file(Path::new(file)).with_context(|| settings.called("catalogue")),
    }
}

/// Who says what a type is for. Chosen before the store is made: without a key nothing is written.
pub(crate) fn inference(settings: &Settings, flags: &InferenceFlags, dry_run: bool) -> anyhow::Result<Inference> {
    let rules = Arc::new(catalogue(settings)?);
    let InferenceFlags { inference, max_calls, max_cost, price } = flags;
    if *inference == InferenceFlag::Rules {
        let unused =
            [("--max-calls", max_calls.is_some()), ("--max-cost", max_cost.is_some()), ("--price", price.is_some())];
        if let Some((flag, _)) = unused.into_iter().find(|(_, given)| *given) {
            return Err(wrong(format!(
                "{flag} is about a language model, and rules infer what types are for; add --inference llm, or leave it out"
            )));
        }
        return Ok(Inference::Rules(rules));
    }
    let model = language_model(settings)?;
    let name = model.name().to_owned();
    let metered = Metered::new(model, Limits { calls: *max_calls, cost: *max_cost }, *price);
    if max_cost.is_some() && metered.price().is_none() {
        return Err(wrong(format!(
            "--max-cost needs a price, and that of {name} is not known; give it with --price IN,OUT in US dollars per million tokens, such as --price 0.10,0.50"
        )));
    }
    if let Some(host) = metered.sends_to().filter(|_| !dry_run) {
        print::note(&format!("Model {name}: type names and schemas go to {host}."));
    }
    Ok(Inference::Model { model: Arc::new(metered), otherwise: rules })
}

/// The language model that was asked for, else Anthropic's where there is a key for it.
pub(crate) fn language_model(settings: &Settings) -> anyhow::Result<Arc<dyn LanguageModel>> {
    let choice = settings.parsed("model", ModelChoice::read)?;
    let missing = choice.is_none();
    Ok(match choice.unwrap_or_default() {
        ModelChoice::Anthropic { model } => {
            let base = settings.text("anthropic-base-url").unwrap_or(ANTHROPIC_URL);
            let key = settings.key("anthropic-api-key")?.ok_or_else(|| {
                if missing {
                    anyhow!("--inference llm needs a language model: set ANTHROPIC_API_KEY to ask {ANTHROPIC_MODEL}, or name another one with --model openai:MODEL@URL, such as openai:qwen3@http://127.0.0.1:11434/v1")
                } else {
                    anyhow!("model anthropic:{model} needs a key: set ANTHROPIC_API_KEY, or choose another one with --model")
                }
            })?;
            Arc::new(anthropic(&model, base, key, Pauses::default())?)
        }
        ModelChoice::OpenAi { model, url } => {
            Arc::new(openai_chat(&model, &url, settings.key("openai-api-key")?, Pauses::default())?)
        }
    })
}

/// The language model that was asked for, to hold a conversation with.
pub(crate) fn chat_model(settings: &Settings) -> anyhow::Result<Arc<dyn ChatModel>> {
    Ok(match settings.parsed("model", ModelChoice::read)?.unwrap_or_default() {
        ModelChoice::Anthropic { model } => {
            let base = settings.text("anthropic-base-url").unwrap_or(ANTHROPIC_URL);
            let key = settings.key("anthropic-api-key")?.ok_or_else(|| {
                anyhow!(
                    "model anthropic:{model} needs a key: set ANTHROPIC_API_KEY, or choose another one with --model"
                )
            })?;
            Arc::new(anthropic_chat(&model, base, key, Pauses::default())?)
        }
        ModelChoice::OpenAi { model, url } => {
            Arc::new(openai_chat_stream(&model, &url, settings.key("openai-api-key")?, Pauses::default())?)
        }
    })
}

/// The language model that looks into questions of assistants, where a flag names one: a setting that is there for sync sends nothing of a
/// cluster anywhere.
pub(crate) fn investigator(settings: &Settings) -> anyhow::Result<Option<Arc<Investigator>>> {
    if !settings.is_flag("model") {
        return Ok(None);
    }
    let model = chat_model(settings)?;
    if let Some(host) = model.sends_to() {
        print::note(&format!(
            "Model {}: what assistants have investigated, object names, labels and what it asks to see of the cluster go to {host}.",
            model.name()
        ));
    }
    Ok(Some(Arc::new(Investigator::new(model))))
}

/// The index, to be asked. An embedder is chosen by what filled it.
pub(crate) async fn index(settings: &Settings) -> anyhow::Result<Index> {
    index_over(settings, store_for_reading(settings).await?).await
}

/// The index that is in a store, to be asked.
pub(crate) async fn index_over(settings: &Settings, store: Arc<dyn Store>) -> anyhow::Result<Index> {
    let catalogue = catalogue(settings)?;
    let embedder = embedder(settings, Some(&*store), false).await?;
    Ok(Index::new(store, embedder, catalogue))
}

/// The index, and the cluster in use beside it, to be asked for what the index cannot know.
pub(crate) async fn index_with_cluster(settings: &Settings, live: Live) -> anyhow::Result<Index> {
    Ok(beside_cluster(index(settings).await?, settings, live))
}

/// The same with the cluster in use beside it.
pub(crate) fn beside_cluster(index: Index, settings: &Settings, live: Live) -> Index {
    match live {
        Live::Auto => index.with_cluster(cluster_in_use(settings)),
        Live::Never => index,
    }
}

/// The way to the cluster of the context in use.
pub(crate) fn cluster_in_use(settings: &Settings) -> Arc<dyn Door> {
    Arc::new(ClusterInUse { settings: settings.clone(), source: OnceCell::new() })
}

/// The cluster of the context in use. It is not connected to before a question asks for it, and then once.
struct ClusterInUse {
    settings: Settings,
    source: OnceCell<Arc<LiveSource>>,
}

#[async_trait]
impl Door for ClusterInUse {
    async fn open(&self) -> Result<Arc<LiveSource>, String> {
        let connect = async || {
            let source = live(&self.settings, LiveOptions::default().page_size, AnnotationChoice::default()).await;
            source.map(Arc::new).map_err(|e| format!("{e:#}"))
        };
        self.source.get_or_try_init(connect).await.cloned()
    }
}

/// The time, as questions are given it.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().to_string()
}

fn environment() -> Environment {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    Environment { terminal, ..Environment::read(variable) }
}

/// A live cluster.
pub(crate) async fn live(
    settings: &Settings,
    page_size: u32,
    annotations: AnnotationChoice,
) -> anyhow::Result<LiveSource> {
    if !settings.has_cluster() {
        bail!("the demo has no cluster; leave out --demo to ask your own");
    }
    let options = LiveOptions { annotations, page_size, request_timeout: REQUEST_TIMEOUT, ..choosing(settings) };
    Ok(LiveSource::connect(options).await?)
}

/// Which cluster is chosen.
fn choosing(settings: &Settings) -> LiveOptions {
    LiveOptions {
        kubeconfig: settings.text("kubeconfig").map(PathBuf::from),
        context: settings.text("context").map(str::to_owned),
        impersonate: settings.text("as").map(|user| (user.to_owned(), groups(settings))),
        environment: environment(),
        ..LiveOptions::default()
    }
}

/// As which groups requests are made.
fn groups(settings: &Settings) -> Vec<String> {
    settings.text("as-group").map(|groups| groups.split(',').map(str::to_owned).collect()).unwrap_or_default()
}

/// The context in use and the cluster that it names, as the kubeconfig says; nobody is asked.
pub(crate) fn context_in_use(settings: &Settings) -> Option<(String, SourceIdentity)> {
    if settings.has_cluster() { LiveSource::chosen(&choosing(settings)) } else { None }
}

/// The namespace of the context in use; nobody is asked.
pub(crate) fn namespace_in_use(settings: &Settings) -> Option<String> {
    if settings.has_cluster() { LiveSource::chosen_namespace(&choosing(settings)) } else { None }
}

/// The contexts of the kubeconfig; nobody is asked.
pub(crate) fn contexts(settings: &Settings) -> Vec<String> {
    LiveSource::contexts(&choosing(settings))
}

/// The annotations that are kept. What is asked for in vain is told.
pub(crate) fn annotations(settings: &Settings, flag: Option<&AnnotationChoice>) -> anyhow::Result<AnnotationChoice> {
    let choice = match flag {
        Some(choice) => choice.clone(),
        None => settings.parsed("annotations", |text| text.parse().map_err(|e| format!("{e}")))?.unwrap_or_default(),
    };
    if let [first, more @ ..] = &choice.refused()[..] {
        let some = if more.is_empty() { "" } else { " and others" };
        print::note(&format!("Annotations that controllers write for themselves are not kept: {first}{some}."));
    }
    Ok(choice)
}

/// What a sync of what runs is told.
pub(crate) fn options(what: &WhatFlags, how: &HowFlags, cluster: Option<String>) -> Options {
    Options {
        filter: TypeFilter { include: what.include.clone(), exclude: what.exclude.clone() },
        scope: match &what.namespaces[..] {
            [] => ListScope::All,
            names => ListScope::Namespaces(names.to_vec()),
        },
        cluster,
        concurrency: usize::from(how.concurrency),
        dry_run: false,
        replace_source: how.replace_source,
        reindex: how.reindex,
        lock_timeout: how.lock_timeout,
    }
}

/// Manifests, or a live cluster.
pub(crate) async fn source(
    settings: &Settings,
    from: Option<&Path>,
    page_size: u32,
    annotations: AnnotationChoice,
) -> anyhow::Result<Arc<dyn ClusterSource>> {
    match from {
        // Not on a thread that others wait for: a pipe may take its time.
        Some(from) => {
            let from = from.to_owned();
            Ok(Arc::new(tokio::task::spawn_blocking(move || manifests(&from, &annotations)).await?.context("--from")?))
        }
        None => Ok(Arc::new(live(settings, page_size, annotations).await?)),
    }
}

fn manifests(from: &Path, annotations: &AnnotationChoice) -> Result<FolderSource, ClusterError> {
    let is_standard_input =
        ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| from == Path::new(name));
    if !is_standard_input {
        return FolderSource::open_keeping(from, annotations);
    }
    let input = std::io::stdin();
    if input.is_terminal() {
        print::note("Reading manifests from the terminal; end them with Ctrl-D.");
    }
    FolderSource::read_keeping(input.lock(), annotations)
}
