//! `clusterlore search`

use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use clusterlore_models::Embedder;
use clusterlore_search::{Question, SearchError, Target, resolve_kinds};
use clusterlore_store::{Filter, Sqlite, StateStore};
use serde::{Deserialize, Serialize};

use crate::args::{Collection, Search, StoreFlags};
use crate::print::hits;
use crate::{Done, build};

pub(crate) async fn run(store: &StoreFlags, flags: &Search) -> anyhow::Result<Done> {
    let store = build::store_for_reading(store)?;
    let embedder = build::embedder();
    let filter = filter(&store, flags).await?;
    let limit = usize::from(flags.limit);
    match &flags.batch {
        Some(file) => batch(&store, &*embedder, file, &filter, limit).await?,
        None => {
            let target = match flags.collection {
                Collection::Instances => Target::Instances,
                Collection::Capabilities => Target::Types,
            };
            let question = Question { text: flags.question.join(" "), target, filter, limit };
            let answer = build::searcher().search(&store, &*embedder, &question).await?;
            hits::print(&answer, flags.output, flags.explain)?;
        }
    }
    Ok(Done::Whole)
}

async fn filter(store: &Sqlite, flags: &Search) -> anyhow::Result<Filter> {
    let mut filter = Filter {
        clusters: flags.cluster_name.iter().cloned().collect(),
        namespaces: flags.namespaces.iter().cloned().collect(),
        selector: flags.selector.clone(),
        ..Filter::default()
    };
    if !flags.kinds.is_empty() {
        let types = store.types().await?;
        filter.types = resolve_kinds(&flags.kinds, &types).context("--kind")?;
    }
    Ok(filter)
}

#[derive(Deserialize)]
struct Asked {
    id: serde_json::Value,
    q: String,
    #[serde(default)]
    target: Target,
}

#[derive(Serialize)]
struct Answered {
    id: serde_json::Value,
    hits: Vec<String>,
}

async fn batch(
    store: &Sqlite,
    embedder: &dyn Embedder,
    file: &Path,
    filter: &Filter,
    limit: usize,
) -> anyhow::Result<()> {
    let input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = std::fs::File::open(file)
            .map_err(|e| anyhow!("{} cannot be read ({e}); expected a file of JSON lines", file.display()))?;
        Box::new(std::io::BufReader::new(opened))
    };
    let searcher = build::searcher();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for (number, line) in input.lines().enumerate() {
        let line = line.with_context(|| format!("{}", file.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let asked: Asked = serde_json::from_str(&line).map_err(|e| {
            anyhow!(
                "{}:{}: {e}; expected {{\"id\", \"q\", \"target\": \"instances\"|\"types\"}}",
                file.display(),
                number + 1
            )
        })?;
        let question = Question { text: asked.q, target: asked.target, filter: filter.clone(), limit };
        let hits = match searcher.search(store, embedder, &question).await {
            Ok(answer) => answer.hits.into_iter().map(|hit| hit.id).collect(),
            Err(SearchError::NoQuestion) => Vec::new(),
            Err(e) => return Err(e.into()),
        };
        serde_json::to_writer(&mut output, &Answered { id: asked.id, hits })?;
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(())
}
