//! `clusterlore status`

use std::collections::BTreeMap;

use clusterlore_core::SourceIdentity;
use clusterlore_index::{Status as Indexed, TypeStatus};
use clusterlore_store::{ClusterNames, KnownSource};

use crate::args::{Output, Status};
use crate::done::Done;
use crate::folder::Folder;
use crate::following::{self, Followed};
use crate::print::{self, table::table};
use crate::settings::Settings;
use crate::{advice, build};

pub(crate) async fn run(settings: &Settings, flags: &Status) -> anyhow::Result<Done> {
    let store = build::store_for_reading(settings).await?;
    let state = Indexed::of(&*store, &build::OWN_STORE).await?;
    match flags.output {
        Output::Json | Output::Yaml => print::report(&state, flags.output)?,
        Output::Name => state.documents.iter().try_for_each(|k| print::line(&k.type_name))?,
        Output::Table => print::lines(text(&state, &lost(settings, &state)))?,
    }
    Ok(Done::Whole)
}

/// Clusters of which no kubeconfig is in the folder of them that is in use, each with what is to be told of it.
fn lost(settings: &Settings, state: &Indexed) -> BTreeMap<String, String> {
    let Some(folder) = following::folder(settings) else { return BTreeMap::new() };
    // What cannot be read tells nothing of what is gone.
    let Ok(files) = Folder::open(folder) else { return BTreeMap::new() };
    let kept: Vec<Followed> = files.files().cloned().map(Followed::of_file).collect();
    let used: Vec<_> =
        kept.iter().filter_map(|one| build::context_in_use(&one.settings(settings))).map(|(_, used)| used).collect();
    let is_lost = |source: &&KnownSource| {
        let is_cluster = !source.replaced && matches!(source.identity, SourceIdentity::Cluster { .. });
        let is_named = kept.iter().any(|one| one.is_called(&source.cluster));
        is_cluster && !is_named && !used.iter().any(|used| source.identity.is_at(used))
    };
    let told = format!("; no kubeconfig in {} names it", folder.display());
    state.sources.iter().filter(is_lost).map(|source| (source.cluster.clone(), told.clone())).collect()
}

fn text(state: &Indexed, lost: &BTreeMap<String, String>) -> Vec<String> {
    let names = ClusterNames::of(&state.sources);
    let of = |cluster: &str| match names.shown(cluster) {
        "" => String::new(),
        shown => format!(" of {shown}"),
    };
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
        let (shown, identity) = (names.shown(&s.cluster), s.identity.to_string());
        // Of a folder the name is in its path.
        let named = if identity.ends_with(shown) { String::new() } else { format!("{shown}, ") };
        let lost = lost.get(&s.cluster).map_or("", String::as_str);
        lines.push(format!("Source: {named}{identity}{lost}"));
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
        let (command, began) = (advice::command(r.command), print::ago(&r.started));
        lines.push(format!("Last run: {command}{}, {began}: {how}", of(&r.cluster)));
    }
    if !state.documents.is_empty() {
        let several = state.documents.iter().any(|k| k.cluster != state.documents[0].cluster);
        let row = |documents: String, cluster: &str, ty: String| match several {
            true => vec![documents, cluster.to_owned(), ty],
            false => vec![documents, ty],
        };
        let of = |k: &TypeStatus| row(k.documents.to_string(), names.shown(&k.cluster), k.type_name.clone());
        let titles = row("DOCUMENTS".to_owned(), "CLUSTER", "TYPE".to_owned());
        lines.push(String::new());
        // What may be folded is last.
        lines.extend(table(
            &titles.iter().map(String::as_str).collect::<Vec<_>>(),
            state.documents.iter().map(of).collect(),
        ));
    }
    lines
}
