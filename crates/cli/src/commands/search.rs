//! `clusterlore search`

use std::io::{BufRead, Read};
use std::path::Path;

use anyhow::{Context, anyhow};
use clusterlore_core::Collection;
use clusterlore_models::Embedder;
use clusterlore_search::{Question, SearchError, Searcher, resolve_kinds};
use clusterlore_store::{Filter, View};
use serde::{Deserialize, Serialize};

use crate::args::{HitFlags, Output, ScopeFlags, Search};
use crate::print::{self, hits, numbers};
use crate::settings::Settings;
use crate::{Done, build};

pub(crate) async fn run(settings: &Settings, flags: &Search) -> anyhow::Result<Done> {
    let catalogue = build::catalogue(settings)?;
    let store = build::store_for_reading(settings).await?;
    let view = store.view_all(build::OWN_STORE).await?;
    let embedder = build::embedder(settings, Some(&*store), false).await?;
    let searcher = build::searcher(catalogue);
    let filter = filter(&*view, &flags.scope).await?;
    let HitFlags { limit, output } = flags.hits;
    let limit = usize::from(limit);
    if let Some(file) = &flags.batch {
        batch(&*view, &*embedder, &searcher, file, &filter, limit).await?;
        return Ok(Done::Whole);
    }
    let text = flags.question.join(" ");
    let question = Question { text, collection: flags.collection, filter, limit, now: build::now() };
    if flags.count || flags.group_by.is_some() {
        let count = searcher.count(&*view, &*embedder, &question, flags.group_by.clone()).await?;
        numbers::print(&count, output, flags.explain)?;
        return Ok(Done::Whole);
    }
    let answer = searcher.search(&*view, &*embedder, &question).await?;
    // Programs get the hits, whatever was asked; who asks "how many" is told that first.
    if output == Output::Table && answer.understood.ask.counts() && answer.understood.impossible.is_none() {
        let count = searcher.count(&*view, &*embedder, &question, None).await?;
        print::lines(numbers::text(&count))?;
        print::line("")?;
    }
    hits::print(&answer, output, flags.explain)?;
    Ok(Done::Whole)
}

/// What the flags narrow a question to.
pub(crate) async fn filter(view: &dyn View, flags: &ScopeFlags) -> anyhow::Result<Filter> {
    let mut filter = Filter {
        clusters: flags.cluster_name.iter().cloned().collect(),
        namespaces: flags.namespaces.iter().cloned().collect(),
        selector: flags.selector.clone(),
        ..Filter::default()
    };
    if !flags.kinds.is_empty() {
        let types = view.types().await?;
        filter.types = resolve_kinds(&flags.kinds, &types).context("--kind")?;
    }
    Ok(filter)
}

/// Bytes of a line of a batch: many times what a question may have, for fields that others put beside it.
const LONGEST_LINE: u64 = 1 << 20;

#[derive(Deserialize)]
struct Asked {
    id: serde_json::Value,
    q: String,
    #[serde(default, rename = "target")]
    collection: Collection,
}

#[derive(Serialize)]
struct Answered {
    id: serde_json::Value,
    hits: Vec<String>,
}

async fn batch(
    view: &dyn View,
    embedder: &dyn Embedder,
    searcher: &Searcher,
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
    let now = build::now();
    let mut input = input;
    for number in 0.. {
        let mut line = String::new();
        let read = (&mut input).take(LONGEST_LINE + 1).read_line(&mut line);
        match read.with_context(|| format!("{}:{}", file.display(), number + 1))? {
            0 => break,
            bytes if bytes as u64 > LONGEST_LINE => {
                return Err(anyhow!(
                    "{}:{}: the line has more than {LONGEST_LINE} bytes; expected one question a line",
                    file.display(),
                    number + 1
                ));
            }
            _ if line.trim().is_empty() => continue,
            _ => {}
        }
        let asked: Asked = serde_json::from_str(&line).map_err(|e| {
            anyhow!(
                "{}:{}: {e}; expected {{\"id\", \"q\", \"target\": \"instances\"|\"types\"}}",
                file.display(),
                number + 1
            )
        })?;
        let question =
            Question { text: asked.q, collection: asked.collection, filter: filter.clone(), limit, now: now.clone() };
        let hits = match searcher.search(view, embedder, &question).await {
            Ok(answer) => answer.hits.into_iter().map(|hit| hit.id).collect(),
            Err(SearchError::NoQuestion) => Vec::new(),
            Err(e @ SearchError::LongQuestion { .. }) => {
                return Err(anyhow!("{}:{}: {e}", file.display(), number + 1));
            }
            Err(e) => return Err(e.into()),
        };
        print::json_line(&Answered { id: asked.id, hits })?;
    }
    Ok(())
}
