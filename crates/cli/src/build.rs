//! Makes ready objects of flags: the one place where sources, stores and embedders are chosen.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clusterlore_catalogue::Catalogue;
use clusterlore_cluster::{ClusterSource, FolderSource, LiveOptions, LiveSource};
use clusterlore_core::{CAPABILITIES, EmbedderIdentity, INSTANCES};
use clusterlore_models::{
    ANTHROPIC_MODEL, ANTHROPIC_URL, Builtin, Embedder, Key, LanguageModel, Limits, Metered, Pauses, VOYAGE_URL,
    anthropic, openai, openai_chat, voyage,
};
use clusterlore_pipeline::Inference;
use clusterlore_search::Searcher;
use clusterlore_store::{Sqlite, Store, StoreError};

use crate::args::{
    CatalogueFlags, ClusterFlags, EmbedderChoice, InferenceFlag, InferenceFlags, ModelChoice, StoreFlags,
};
use crate::print;

/// A request that takes longer is tried again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the index is.
pub(crate) fn store_path(flags: &StoreFlags) -> anyhow::Result<PathBuf> {
    if let Some(path) = &flags.store {
        return Ok(path.clone());
    }
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME")
        .filter(|p| p.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .ok_or_else(|| anyhow!("there is no home folder for the index; name a file with --store sqlite:PATH"))?;
    Ok(data.join("clusterlore/index.db"))
}

/// The store, made where it is missing.
pub(crate) fn store_for_writing(flags: &StoreFlags) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(Sqlite::open_or_create(&store_path(flags)?)?))
}

/// The store as it is.
pub(crate) fn store_for_reading(flags: &StoreFlags) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(Sqlite::open_existing(&store_path(flags)?)?))
}

/// The store as it is, if there is one.
pub(crate) fn store_if_any(flags: &StoreFlags) -> anyhow::Result<Option<Arc<dyn Store>>> {
    match Sqlite::open_existing(&store_path(flags)?) {
        Ok(store) => Ok(Some(Arc::new(store))),
        Err(StoreError::Missing(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// The store for a run; a dry run makes none where there is none.
pub(crate) fn store_for_run(flags: &StoreFlags, dry_run: bool) -> anyhow::Result<Option<Arc<dyn Store>>> {
    if dry_run { store_if_any(flags) } else { store_for_writing(flags).map(Some) }
}

/// The embedder that a sync writes with. Chosen before the store is made: without a key nothing is written.
pub(crate) async fn embedder_for_writing(
    flags: &StoreFlags,
    reindex: bool,
    dry_run: bool,
) -> anyhow::Result<Arc<dyn Embedder>> {
    let store = store_if_any(flags)?;
    let embedder = embedder(flags, store.as_deref(), reindex).await?;
    if let Some(host) = embedder.sends_to().filter(|_| !dry_run) {
        let name = embedder.identity().name;
        print::note(&format!("Embedder {name}: object names, labels and descriptions go to {host}."));
    }
    Ok(embedder)
}

/// The embedder that was asked for, else the one that filled the index, else the built-in one.
pub(crate) async fn embedder(
    flags: &StoreFlags,
    store: Option<&dyn Store>,
    reindex: bool,
) -> anyhow::Result<Arc<dyn Embedder>> {
    let recorded = match store {
        Some(store) => recorded(store).await?,
        None => None,
    };
    let choice = match (&flags.embedder, &recorded) {
        (Some(choice), _) => choice.clone(),
        (None, None) => EmbedderChoice::Builtin,
        // A table of another version is still the built-in embedder; who compares them says so.
        (None, Some(known)) if known.name.starts_with("builtin") => EmbedderChoice::Builtin,
        (None, Some(known)) => EmbedderChoice::read(&known.name).map_err(|_| {
            anyhow!(
                "the index was filled by embedder {}, which this program does not know; embed everything again with \"clusterlore index --embedder builtin --reindex\"",
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
            "the index was filled by embedder {known}, not by {name}; their vectors cannot be compared. Use --embedder {}, or embed everything again with \"clusterlore index --embedder {name} --reindex\"",
            known.name
        );
    }
    // Known dimensions save a request; whoever embeds everything again may have changed the model behind the name.
    let dimensions = recorded.filter(|_| !reindex).map(|known| known.dimensions);
    let pauses = Pauses::default();
    Ok(match choice {
        EmbedderChoice::Builtin => Arc::new(Builtin::default()),
        EmbedderChoice::Voyage { model } => {
            let base = variable("VOYAGE_BASE_URL").unwrap_or_else(|| VOYAGE_URL.to_owned());
            let key = key("VOYAGE_API_KEY")?.ok_or_else(|| {
                anyhow!("embedder {name} needs a key: set VOYAGE_API_KEY, or choose another one with --embedder (for an index that it filled, with --reindex)")
            })?;
            Arc::new(voyage(&model, &base, key, dimensions, pauses).await?)
        }
        EmbedderChoice::OpenAi { model, url } => {
            Arc::new(openai(&model, &url, key("OPENAI_API_KEY")?, dimensions, pauses).await?)
        }
    })
}

/// Who filled the index.
async fn recorded(store: &dyn Store) -> anyhow::Result<Option<EmbedderIdentity>> {
    for collection in [INSTANCES, CAPABILITIES] {
        if let Some(info) = store.collection(collection).await? {
            return Ok(Some(info.embedder));
        }
    }
    Ok(None)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn key(name: &str) -> anyhow::Result<Option<Key>> {
    let Some(value) = variable(name) else { return Ok(None) };
    let wrong = || anyhow!("{name} holds what cannot be a key; expected one line of letters, digits and signs");
    Key::new(&value).map(Some).ok_or_else(wrong)
}

/// What is known of software; the command keeps it for as long as it searches.
pub(crate) fn catalogue(flags: &CatalogueFlags) -> anyhow::Result<Cow<'static, Catalogue>> {
    Ok(match &flags.file {
        None => Cow::Borrowed(Catalogue::builtin()),
        Some(file) => Cow::Owned(Catalogue::with_file(file).context("--catalogue")?),
    })
}

/// Who says what a type is for. Chosen before the store is made: without a key nothing is written.
pub(crate) fn inference(flags: &InferenceFlags, known: &CatalogueFlags, dry_run: bool) -> anyhow::Result<Inference> {
    let rules = Arc::new(catalogue(known)?.into_owned());
    let InferenceFlags { inference, model, max_calls, max_cost, price } = flags;
    if *inference == InferenceFlag::Rules {
        let unused = [
            ("--model", model.is_some()),
            ("--max-calls", max_calls.is_some()),
            ("--max-cost", max_cost.is_some()),
            ("--price", price.is_some()),
        ];
        if let Some((flag, _)) = unused.into_iter().find(|(_, given)| *given) {
            bail!(
                "{flag} is about a language model, and rules infer what types are for; add --inference llm, or leave it out"
            );
        }
        return Ok(Inference::Rules(rules));
    }
    let model = language_model(model.clone())?;
    let name = model.name().to_owned();
    let metered = Metered::new(model, Limits { calls: *max_calls, cost: *max_cost }, *price);
    if max_cost.is_some() && metered.price().is_none() {
        bail!(
            "--max-cost needs a price, and that of {name} is not known; give it with --price IN,OUT in US dollars per million tokens, such as --price 0.10,0.50"
        );
    }
    if let Some(host) = metered.sends_to().filter(|_| !dry_run) {
        print::note(&format!("Model {name}: type names and schemas go to {host}."));
    }
    Ok(Inference::Model { model: Arc::new(metered), otherwise: rules })
}

/// The language model that was asked for, else Anthropic's where there is a key for it.
fn language_model(flag: Option<ModelChoice>) -> anyhow::Result<Arc<dyn LanguageModel>> {
    let choice = match (flag, variable("CLUSTERLORE_MODEL")) {
        (Some(choice), _) => Some(choice),
        (None, Some(text)) => {
            Some(ModelChoice::read(&text).map_err(|e| anyhow!("CLUSTERLORE_MODEL is {text:?}: {e}"))?)
        }
        (None, None) => None,
    };
    let missing = choice.is_none();
    Ok(match choice.unwrap_or_default() {
        ModelChoice::Anthropic { model } => {
            let base = variable("ANTHROPIC_BASE_URL").unwrap_or_else(|| ANTHROPIC_URL.to_owned());
            let key = key("ANTHROPIC_API_KEY")?.ok_or_else(|| {
                if missing {
                    anyhow!("--inference llm needs a language model: set ANTHROPIC_API_KEY to ask {ANTHROPIC_MODEL}, or name another one with --model openai:MODEL@URL, such as openai:qwen3@http://127.0.0.1:11434/v1")
                } else {
                    anyhow!("model anthropic:{model} needs a key: set ANTHROPIC_API_KEY, or choose another one with --model")
                }
            })?;
            Arc::new(anthropic(&model, &base, key, Pauses::default())?)
        }
        ModelChoice::OpenAi { model, url } => {
            Arc::new(openai_chat(&model, &url, key("OPENAI_API_KEY")?, Pauses::default())?)
        }
    })
}

/// Who answers questions.
pub(crate) fn searcher(catalogue: &Catalogue) -> Searcher<'_> {
    Searcher::new(catalogue)
}

/// The time, as questions are given it.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// A live cluster.
pub(crate) async fn live(flags: &ClusterFlags, page_size: u32) -> anyhow::Result<LiveSource> {
    let options = LiveOptions {
        kubeconfig: flags.kubeconfig.clone(),
        context: flags.context.clone(),
        no_proxy: std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).ok(),
        page_size,
        request_timeout: REQUEST_TIMEOUT,
        ..LiveOptions::default()
    };
    Ok(LiveSource::connect(options).await?)
}

/// A folder of manifests, or a live cluster.
pub(crate) async fn source(
    flags: &ClusterFlags,
    from: Option<&Path>,
    page_size: u32,
) -> anyhow::Result<Arc<dyn ClusterSource>> {
    match from {
        Some(folder) => Ok(Arc::new(FolderSource::open(folder).context("--from")?)),
        None => Ok(Arc::new(live(flags, page_size).await?)),
    }
}
