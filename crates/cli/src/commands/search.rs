//! `clusterlore search`

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clusterlore_core::Collection;
use clusterlore_index::{Doubt, Index, Reply, Request};
use clusterlore_search::{Hit, Noun, SearchError, Wanted};
use serde::{Deserialize, Serialize};

use super::pick::{self, Pick};
use crate::args::{Format, ListFlags, Output, ScopeFlags, Search, SortBy};
use crate::build;
use crate::done::Done;
use crate::narrow;
use crate::picker::{Aim, End};
use crate::print::{self, hits, numbers};
use crate::renewal::Freshness;
use crate::settings::Settings;
use crate::unknown::{self, Unknown};
use crate::wide::Clusters;

pub(crate) async fn run(settings: &Settings, flags: &Search) -> anyhow::Result<Done> {
    let freshness = Freshness::of(settings, &flags.scope)?;
    let index = build::index_with_cluster(settings, flags.live.live).await?;
    let clusters = Clusters { settings, index: &index, live: flags.live.live };
    let format = &flags.hits.output;
    if flags.watch {
        goes_on(format, "table, wide, name or id")?;
    }
    let only_number = flags.count || flags.group_by.is_some();
    let mut request = Request {
        question: flags.question.join(" "),
        collection: flags.collection,
        limit: usize::from(flags.hits.limit),
        hits: !only_number,
        number: match format {
            _ if only_number => Wanted::Always,
            Format::Name | Format::Id => Wanted::Never,
            _ => Wanted::IfAsked,
        },
        group_by: flags.group_by.clone(),
        explain: flags.explain,
        ..scoped(&flags.scope)
    };
    narrow::to_context(settings, &index, &mut request).await?;
    if flags.pick {
        let weigh = |reply| {
            let mut reply = freshness.weigh(reply)?;
            sort(&mut reply.hits, flags.table.sort_by);
            Ok(reply)
        };
        let pick = Pick { aim: Aim::Pick, request, live: flags.live.live, weigh: &weigh };
        let (End::Hit(_), reply) = pick::run(settings, pick).await? else { return Ok(Done::Nothing) };
        let now = if *format == Format::Wide { clusters.columns(&reply).await? } else { HashMap::new() };
        let unknown = Vec::new();
        let view = hits::View { format, list: &flags.list, table: &flags.table, explain: false, unknown, now };
        hits::picked(&reply, &view)?;
        return Ok(Done::Whole);
    }
    if let Some(file) = &flags.batch {
        batch(&index, file, Request { number: Wanted::IfAsked, ..request }, &freshness).await?;
        return Ok(Done::Whole);
    }
    let mut reply = freshness.weigh(ask(&index, &request).await?)?;
    if only_number {
        numbers::print(&reply, of_numbers(format)?, flags.explain)?;
        let unknown = uncounted(&index, &request, &reply).await?;
        return Ok(Done::of(reply.number != Some(0), unknown, &flags.list));
    }
    // Who asks "how many" is told that first.
    if matches!(format, Format::Table | Format::Wide)
        && !flags.table.print_commands
        && reply.number.is_some()
        && reply.problems.is_empty()
    {
        print::lines(numbers::text(&reply))?;
        print::line("")?;
    }
    sort(&mut reply.hits, flags.table.sort_by);
    let (now, unknown) = beside(clusters, &request, &reply, format).await?;
    let in_vain = unknown.any;
    let unknown = unknown.lines;
    let view = hits::View { format, list: &flags.list, table: &flags.table, explain: flags.explain, unknown, now };
    hits::print(&reply, &view)?;
    if *format == Format::Name && !flags.table.print_commands && settings.has_cluster() {
        let in_use = || build::namespace_in_use(settings).filter(|_| flags.scope.namespaces.is_empty());
        hits::scattered(&reply.hits, in_use);
    }
    if flags.watch {
        return follow(clusters, request, reply, view).await;
    }
    Ok(Done::of(!reply.hits.is_empty(), in_vain, &flags.list))
}

/// Tells what the flags name in vain where nothing was counted, and whether they do.
pub(super) async fn uncounted(index: &Index, request: &Request, reply: &Reply) -> anyhow::Result<bool> {
    if reply.number != Some(0) {
        return Ok(false);
    }
    let unknown = unknown::of(index, request, !reply.problems.is_empty()).await?;
    unknown.lines.iter().for_each(|line| print::note(line));
    Ok(unknown.any)
}

/// What the cluster prints of the hits now, where the format shows it; and, where nothing was found, what the flags name in vain.
pub(super) async fn beside(
    clusters: Clusters<'_>,
    request: &Request,
    reply: &Reply,
    format: &Format,
) -> anyhow::Result<(HashMap<String, String>, Unknown)> {
    let now = if *format == Format::Wide { clusters.columns(reply).await? } else { HashMap::new() };
    let unknown = match reply.hits.is_empty() {
        true => unknown::of(clusters.index, request, !reply.problems.is_empty()).await?,
        false => Unknown::default(),
    };
    Ok((now, unknown))
}

/// Prepares for printing until the program is stopped: a pager would wait for the end, and some formats have one.
pub(super) fn goes_on(format: &Format, expected: &str) -> anyhow::Result<()> {
    print::without_pager();
    match format.goes_on() {
        true => Ok(()),
        false => Err(anyhow!("--watch: expected -o {expected}")),
    }
}

/// How long a watch waits before it looks again.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// Prints what is found anew, or is not as it was, until the program is stopped.
async fn follow(clusters: Clusters<'_>, request: Request, reply: Reply, view: hits::View<'_>) -> anyhow::Result<Done> {
    let headless = ListFlags { no_headers: true, ..ListFlags::default() };
    let mut view = hits::View { list: &headless, ..view };
    let state = |hit: &Hit| match &hit.noun {
        Noun::Instance(i) => format!("{:?}{:?}", i.labels, hit.found),
        Noun::Type(..) => String::new(),
    };
    let mut known: HashMap<String, String> = reply.hits.iter().map(|hit| (hit.id.clone(), state(hit))).collect();
    loop {
        tokio::time::sleep(PAUSE).await;
        let mut reply = ask(clusters.index, &Request { now: build::now(), ..request.clone() }).await?;
        reply.hits.retain(|hit| {
            let now = state(hit);
            known.insert(hit.id.clone(), now.clone()) != Some(now)
        });
        if *view.format == Format::Wide && !reply.hits.is_empty() {
            view.now = clusters.columns(&reply).await?;
        }
        hits::rows(&reply, &view)?;
    }
}

/// A number has fewer formats than hits.
fn of_numbers(format: &Format) -> anyhow::Result<Output> {
    match format {
        Format::Table | Format::Wide => Ok(Output::Table),
        Format::Json => Ok(Output::Json),
        Format::Yaml => Ok(Output::Yaml),
        Format::Name => Ok(Output::Name),
        Format::Id | Format::JsonPath(_) | Format::CustomColumns(_) => Err(anyhow!(
            "--output: a number has no such format; expected table, json, yaml or name with --count and --group-by"
        )),
    }
}

/// Brings hits into another order than the best first.
pub(super) fn sort(hits: &mut [Hit], by: Option<SortBy>) {
    let Some(by) = by else { return };
    let key = |hit: &Hit| {
        let (kind, namespace, name, created) = match &hit.noun {
            Noun::Instance(i) => (i.kind.clone(), i.namespace.clone(), i.name.clone(), i.created_at.clone()),
            Noun::Type(ty, _) => (ty.kind.clone(), String::new(), ty.name(), String::new()),
        };
        match by {
            SortBy::Name => (Reverse(String::new()), [name, namespace, kind]),
            SortBy::Age => (Reverse(created), [name, namespace, kind]),
            SortBy::Kind => (Reverse(String::new()), [kind, namespace, name]),
            SortBy::Namespace => (Reverse(String::new()), [namespace, kind, name]),
        }
    };
    hits.sort_by_cached_key(key);
}

/// Where the flags let a question look.
pub(crate) fn scoped(flags: &ScopeFlags) -> Request {
    Request {
        clusters: flags.cluster_name.iter().cloned().collect(),
        namespaces: flags.namespaces.clone(),
        kinds: flags.kinds.clone(),
        selector: flags.selector.clone(),
        annotations: flags.annotations.clone(),
        now: build::now(),
        ..Request::default()
    }
}

/// Asks, and says which flag a kind came from that is none.
pub(crate) async fn ask(index: &Index, request: &Request) -> anyhow::Result<Reply> {
    named(index.ask(&build::OWN_STORE, request).await, request)
}

/// Says which flag a kind came from that is none.
pub(crate) fn named<T>(reply: Result<T, SearchError>, request: &Request) -> anyhow::Result<T> {
    reply.map_err(|error| match &error {
        SearchError::Kind(unknown) if request.kinds.contains(&unknown.word) => {
            anyhow::Error::from(error).context("--kind")
        }
        _ => error.into(),
    })
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

#[derive(Default, Serialize)]
struct Answered {
    id: serde_json::Value,
    hits: Vec<String>,
    /// How many match, if the question asks how many.
    number: Option<usize>,
    /// What metadata cannot say of it.
    needs: Vec<&'static str>,
    /// What of that was read of the cluster: the hits and the number are those of which it holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    read: Vec<&'static str>,
    /// What could not be read of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unread: Vec<String>,
    /// What of the question was read otherwise than it stands there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

async fn batch(index: &Index, file: &Path, request: Request, freshness: &Freshness<'_>) -> anyhow::Result<()> {
    let mut told: Vec<Doubt> = Vec::new();
    let mut input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = std::fs::File::open(file)
            .map_err(|e| anyhow!("{} cannot be read ({e}); expected a file of JSON lines", file.display()))?;
        Box::new(std::io::BufReader::new(opened))
    };
    for number in 1.. {
        let place = || format!("{}:{number}", file.display());
        let mut line = String::new();
        let read = (&mut input).take(LONGEST_LINE + 1).read_line(&mut line);
        match read.with_context(place)? {
            0 => break,
            bytes if bytes as u64 > LONGEST_LINE => {
                let problem = format!("the line has more than {LONGEST_LINE} bytes; expected one question a line");
                return Err(anyhow!("{}: {problem}", place()));
            }
            _ if line.trim().is_empty() => continue,
            _ => {}
        }
        let asked: Asked = serde_json::from_str(&line).map_err(|e| {
            anyhow!("{}: {e}; expected {{\"id\", \"q\", \"target\": \"instances\"|\"types\"}}", place())
        })?;
        let request = Request { question: asked.q, collection: asked.collection, ..request.clone() };
        let answered = match index.ask(&build::OWN_STORE, &request).await {
            Ok(reply) => {
                let reply = freshness.weigh(reply)?;
                // Once, not with every line.
                for doubt in reply.doubts.iter().filter(|doubt| !told.contains(doubt)).cloned().collect::<Vec<_>>() {
                    print::doubted(&doubt);
                    told.push(doubt);
                }
                let needs = reply.parsed.needs.iter().map(|need| need.what.name()).collect();
                let read =
                    reply.parsed.needs.iter().filter(|need| reply.is_read(need)).map(|need| need.what.name()).collect();
                let unread = reply.unread().map(str::to_owned).collect();
                let notes =
                    reply.notes.iter().filter(|note| note.changes_the_question()).map(ToString::to_string).collect();
                let hits = reply.hits.into_iter().map(|hit| hit.id).collect();
                Answered { id: asked.id, hits, number: reply.number, needs, read, unread, notes }
            }
            Err(SearchError::NoQuestion) => Answered { id: asked.id, ..Answered::default() },
            Err(e @ SearchError::LongQuestion { .. }) => return Err(anyhow::Error::from(e).context(place())),
            Err(e) => return named(Err(e), &request),
        };
        print::json_line(&answered)?;
    }
    Ok(())
}
