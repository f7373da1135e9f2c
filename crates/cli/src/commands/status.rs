//! `clusterlore status`

use clusterlore_core::Collection;
use clusterlore_store::{Counts, KnownSource, RunRecord};
use serde::Serialize;

use crate::args::{Output, Status};
use crate::print::{self, table::table};
use crate::settings::Settings;
use crate::{Done, advice, build};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    store: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    collections: Vec<CollectionState>,
    sources: Vec<KnownSource>,
    last_runs: Vec<RunRecord>,
    documents: Vec<Kind>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CollectionState {
    name: Collection,
    documents: usize,
    embedder: String,
    dimensions: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    cluster: String,
    #[serde(rename = "type")]
    type_name: String,
    documents: usize,
}

pub(crate) async fn run(settings: &Settings, flags: &Status) -> anyhow::Result<Done> {
    let store = build::store_for_reading(settings).await?;
    let view = store.view_all(build::OWN_STORE).await?;
    let mut collections = Vec::new();
    for name in Collection::ALL {
        if let Some(info) = view.collection(name).await? {
            let (embedder, dimensions) = (info.embedder.name, info.embedder.dimensions);
            collections.push(CollectionState { name, documents: info.documents, embedder, dimensions });
        }
    }
    let kind = |Counts { cluster, type_name, documents }| Kind { cluster, type_name, documents };
    let mut documents: Vec<Kind> = view.counts(Collection::Instances).await?.into_iter().map(kind).collect();
    documents.sort_by(|a, b| b.documents.cmp(&a.documents).then_with(|| a.type_name.cmp(&b.type_name)));
    let mut sources = view.sources().await?;
    sources.retain(|s| !s.replaced);
    let state = State {
        store: store.place(),
        size_bytes: store.size(),
        collections,
        sources,
        last_runs: view.last_runs().await?,
        documents,
    };
    match flags.output {
        Output::Json | Output::Yaml => print::report(&state, flags.output)?,
        Output::Name => state.documents.iter().try_for_each(|k| print::line(&k.type_name))?,
        Output::Table => print::lines(text(&state))?,
    }
    Ok(Done::Whole)
}

fn text(state: &State) -> Vec<String> {
    let named = |cluster: &str| if cluster.is_empty() { String::new() } else { format!(" as \"{cluster}\"") };
    let size = state.size_bytes.map(|bytes| format!(" ({:.1} MB)", bytes as f64 / 1e6)).unwrap_or_default();
    let mut lines = vec![format!("Store: {}{size}", state.store)];
    if state.collections.is_empty() {
        lines.push("It is empty; fill it with \"clusterlore sync-instances\".".to_owned());
    }
    for c in &state.collections {
        lines.push(format!(
            "Collection \"{}\": {} documents, embedder {} ({} dimensions)",
            c.name, c.documents, c.embedder, c.dimensions
        ));
    }
    for s in &state.sources {
        lines.push(format!("Source: {}{}", s.identity, named(&s.cluster)));
    }
    for r in &state.last_runs {
        let how = if r.finished.is_empty() {
            "did not finish; run it again".to_owned()
        } else {
            let count = |key: &str| r.summary.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
            let skipped = r.summary.get("skipped").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
            let mut how = format!(
                "{} discovered, {} stored, {} unchanged, {} deleted",
                count("discovered"),
                count("stored"),
                count("unchanged"),
                count("deleted")
            );
            if skipped > 0 {
                how.push_str(&format!(", {skipped} types skipped"));
            }
            how
        };
        lines.push(format!("Last run: {}{} at {}: {how}", advice::command(r.command), named(&r.cluster), r.started));
    }
    if !state.documents.is_empty() {
        let rows = state
            .documents
            .iter()
            .map(|k| vec![k.type_name.clone(), k.cluster.clone(), k.documents.to_string()])
            .collect();
        lines.push(String::new());
        lines.extend(table(&["TYPE", "CLUSTER", "DOCUMENTS"], rows));
    }
    lines
}
