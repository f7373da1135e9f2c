//! `clusterlore ask --model`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use clusterlore_agent::converse::{Approver, Change, Ended, Limits, Reach, ToolGroup, Tools, talk};
use clusterlore_index::{Index, Request};
use clusterlore_models::{ChatModel, Message, Recorded, Replayed};
use clusterlore_search::{SearchError, Wanted};

use super::search::{named, scoped};
use crate::args::{Ask, Live, ModelFlags};
use crate::build;
use crate::done::Done;
use crate::print;
use crate::renewal::Freshness;
use crate::settings::{Settings, wrong};

/// Bytes of an answer to a question of ours.
const LONGEST_YES: u64 = 256;

pub(crate) async fn run(settings: &Settings, flags: &Ask) -> anyhow::Result<Done> {
    let question = flags.question.join(" ");
    if question.trim().is_empty() {
        return Err(SearchError::NoQuestion.into());
    }
    let groups = groups(flags)?;
    let model = model(settings, &flags.model)?;
    let price = flags.model.price.or_else(|| model.price());
    if flags.model.max_cost.is_some() && price.is_none() {
        return Err(wrong(format!(
            "--max-cost needs a price, and that of {} is not known; give it with --price IN,OUT in US dollars per million tokens, such as --price 0.10,0.50",
            model.name()
        )));
    }
    let within = Request { question: question.clone(), ..scoped(&flags.scope) };
    let cluster = build::cluster_in_use(settings);
    let asks_index = groups.iter().any(|group| *group != ToolGroup::Kubectl);
    let index = match asks_index {
        true => {
            let index = build::index(settings).await?;
            let index = if flags.live.live == Live::Auto { index.with_cluster(Arc::clone(&cluster)) } else { index };
            weigh(settings, flags, &index, &within).await?;
            Some(index)
        }
        false => None,
    };
    let reach = Reach {
        groups,
        index: index.as_ref().map(|index| (index, &build::OWN_STORE)),
        within,
        may_change: flags.model.allow.clone(),
        approver: &Person,
        cluster,
    };
    let tools = Tools::new(reach);
    let limits = Limits { steps: flags.model.max_steps, tokens: flags.model.max_tokens, cost: flags.model.max_cost };
    if let Some(host) = model.sends_to() {
        print::note(&format!(
            "Model {}: your question, object names, labels and what it asks to see of the cluster go to {host}.",
            model.name()
        ));
    }
    let mut lines = print::ask_model::Lines::new(flags.hits.output);
    let messages = vec![Message::user(question.clone())];
    let done = talk(&*model, &tools, messages, limits, price, &mut |heard| lines.hear(&heard)).await;
    lines.finish(&question, model.name(), &done)?;
    match done.ended {
        Ended::Whole => Ok(Done::Whole),
        Ended::Failed(error) => Err(error.into()),
        Ended::Limit(_) | Ended::CutOff | Ended::Declined | Ended::Silent => Ok(Done::InPart),
    }
}

/// Who speaks.
fn model(settings: &Settings, flags: &ModelFlags) -> anyhow::Result<Arc<dyn ChatModel>> {
    if let Some(path) = &flags.replay {
        let cannot = || format!("{} cannot be replayed", path.display());
        let file = File::open(path).with_context(cannot)?;
        return Ok(Arc::new(Replayed::read(BufReader::new(file)).with_context(cannot)?));
    }
    let model = build::chat_model(settings)?;
    let Some(path) = &flags.record else { return Ok(model) };
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    // What a cluster says is in it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let cannot = || format!("{} cannot be written; choose another file", path.display());
    let file = options.open(path).with_context(cannot)?;
    Ok(Arc::new(Recorded::new(model, file).with_context(cannot)?))
}

/// Whoever sits at the terminal.
struct Person;

#[async_trait]
impl Approver for Person {
    async fn approve(&self, change: &Change) -> Result<bool, String> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Err("there is no terminal".to_owned());
        }
        print::ask_model::change(change);
        let answer = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().lock().take(LONGEST_YES).read_line(&mut line).map(|_| line)
        });
        let line = answer.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        Ok(["yes", "y"].contains(&line.trim().to_lowercase().as_str()))
    }
}

/// The tools that were asked for.
fn groups(flags: &Ask) -> anyhow::Result<BTreeSet<ToolGroup>> {
    let asked: BTreeSet<ToolGroup> = flags.model.tools.iter().copied().collect();
    let on_cluster = |group: &ToolGroup| *group != ToolGroup::Vector;
    match (asked.is_empty(), flags.live.live) {
        (true, Live::Auto) => Ok(ToolGroup::usual()),
        (true, Live::Never) => Ok(BTreeSet::from([ToolGroup::Vector])),
        (false, Live::Never) if asked.iter().any(on_cluster) => Err(wrong(
            "--live never leaves the cluster alone; leave out kubectl and apply of --tools, or that flag".to_owned(),
        )),
        (false, _) => Ok(asked),
    }
}

/// Refuses an index that is older than it may be, and says why one is to be doubted.
async fn weigh(settings: &Settings, flags: &Ask, index: &Index, within: &Request) -> anyhow::Result<()> {
    let freshness = Freshness::of(settings, &flags.scope)?;
    let probe = Request { question: String::new(), hits: false, number: Wanted::Always, ..within.clone() };
    match index.ask(&build::OWN_STORE, &probe).await {
        Ok(reply) => freshness.weigh(reply)?.doubts.iter().for_each(print::doubted),
        Err(SearchError::NoCollection(_)) if flags.scope.max_age.is_none() => {}
        Err(error) => return named(Err(error), &probe),
    }
    Ok(())
}
