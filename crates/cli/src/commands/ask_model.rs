//! `clusterlore ask --model`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, IsTerminal};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use clusterlore_agent::Turn;
use clusterlore_agent::converse::{Approver, Change, Ended, Limits, Reach, ToolGroup, Tools, Used, kept, talk};
use clusterlore_index::{Door, Index, Request};
use clusterlore_models::{ChatModel, Message, Price, Recorded, Replayed};
use clusterlore_search::{SearchError, Wanted};
use clusterlore_store::{Store, ThreadName};

use super::search::{named, scoped};
use crate::args::{Ask, Live, ModelFlags, Output};
use crate::done::Done;
use crate::print::{self, ask::Manner};
use crate::renewal::Freshness;
use crate::settings::{Settings, wrong};
use crate::talk::{COMMANDS, Line, Next, turns};
use crate::{answer, build, narrow};

/// A conversation with a language model. Its limits hold for all of it.
pub(crate) struct ModelTalk<'a> {
    flags: &'a Ask,
    model: Arc<dyn ChatModel>,
    price: Option<Price>,
    limits: Limits,
    groups: BTreeSet<ToolGroup>,
    index: Option<Index>,
    cluster: Arc<dyn Door>,
    within: Request,
    thread: Option<(ThreadName, Arc<dyn Store>)>,
    messages: Vec<Message>,
    /// For all questions so far.
    used: Used,
    /// Questions that were answered.
    answered: usize,
}

impl<'a> ModelTalk<'a> {
    /// Opens what the model may use, and the thread where one is named.
    pub(crate) async fn open(settings: &Settings, flags: &'a Ask) -> anyhow::Result<Self> {
        let groups = groups(flags)?;
        if flags.interactive && groups.contains(&ToolGroup::Apply) {
            return Err(wrong(
                "-i does not take --tools apply; ask one question after the other with --thread NAME".to_owned(),
            ));
        }
        let model = model(settings, &flags.model)?;
        let price = flags.model.price.or_else(|| model.price());
        if flags.model.max_cost.is_some() && price.is_none() {
            return Err(wrong(format!(
                "--max-cost needs a price, and that of {} is not known; give it with --price IN,OUT in US dollars per million tokens, such as --price 0.10,0.50",
                model.name()
            )));
        }
        let mut within = scoped(&flags.scope);
        let cluster = build::cluster_in_use(settings);
        let asks_index = groups.iter().any(|group| *group != ToolGroup::Kubectl);
        let index = match asks_index {
            true => {
                let index = build::index(settings).await?;
                narrow::to_context(settings, &index, &mut within).await?;
                let index =
                    if flags.live.live == Live::Auto { index.with_cluster(Arc::clone(&cluster)) } else { index };
                weigh(settings, flags, &index, &within).await?;
                Some(index)
            }
            false => None,
        };
        let limits = Limits {
            steps: flags.model.max_steps,
            tokens: flags.model.max_tokens,
            cost: flags.model.max_cost,
            time: None,
        };
        if let Some(host) = model.sends_to() {
            print::note(&format!(
                "Model {}: your question, object names, labels and what it asks to see of the cluster go to {host}.",
                model.name()
            ));
        }
        let thread = match &flags.thread {
            Some(name) => Some((name.clone(), build::store_to_add_to(settings).await?)),
            None => None,
        };
        let messages = match &thread {
            Some((name, store)) => said_before(&turns(&**store, name).await?),
            None => Vec::new(),
        };
        Ok(Self {
            flags,
            model,
            price,
            limits,
            groups,
            index,
            cluster,
            within,
            thread,
            messages,
            used: Used::default(),
            answered: 0,
        })
    }

    /// Has a question answered and prints the answer.
    pub(crate) async fn ask(&mut self, question: &str, manner: Manner) -> anyhow::Result<Done> {
        if question.trim().is_empty() {
            return Err(SearchError::NoQuestion.into());
        }
        let at = build::now();
        let within = Request { question: question.to_owned(), now: at.clone(), ..self.within.clone() };
        let reach = Reach {
            groups: self.groups.clone(),
            index: self.index.as_ref().map(|index| (index, &build::OWN_STORE)),
            within,
            may_change: self.flags.model.allow.clone(),
            approver: &Person,
            cluster: Arc::clone(&self.cluster),
        };
        let tools = Tools::new(reach);
        let output = self.flags.hits.output;
        match output {
            Output::Table if self.answered > 0 => print::line("")?,
            Output::Yaml if manner != Manner::Alone => print::line("---")?,
            _ => {}
        }
        let mut lines = print::ask_model::Lines::new(output, manner);
        let known = self.messages.len();
        let messages = [&self.messages[..], &[Message::user(question.to_owned())]].concat();
        let done = talk(&*self.model, &tools, messages, self.limits, self.used, self.price, &mut |heard| {
            lines.hear(&heard);
        })
        .await;
        self.used = self.used.and(done.used);
        // Whoever reads no further (`| head`) goes on with the thread all the same.
        let printed = lines.finish(question, self.model.name(), &done, &self.limits, self.used);
        match done.ended {
            Ended::Whole => {}
            Ended::Failed(error) => return printed.and(Err(error.into())),
            Ended::Limit(_) | Ended::CutOff | Ended::Declined | Ended::Silent => return printed.map(|()| Done::InPart),
        }
        if let Some((name, store)) = &self.thread {
            let cited = done.sources.citations.iter().filter(|citation| citation.seen && citation.id.contains('/'));
            let cited = cited.map(|citation| citation.id.clone()).collect();
            let messages = serde_json::to_value(kept(&done.messages[known..]))?;
            let turn = Turn::of_model(question, &at, cited, messages);
            store.add_turn(name, &at, &serde_json::to_string(&turn)?).await?;
        }
        printed?;
        self.messages = done.messages;
        self.answered += 1;
        Ok(Done::Whole)
    }

    /// Does what a line says: a question, or a command.
    pub(crate) async fn take(&mut self, line: &str, manner: Manner) -> anyhow::Result<Next> {
        match Line::of(line)? {
            Line::Nothing => {}
            Line::End => return Ok(Next::End),
            Line::Help => print::ask::commands(&COMMANDS)?,
            Line::New => {
                self.messages.clear();
                print::note("The next question begins anew.");
            }
            Line::Why | Line::Show(_) => {
                return Err(anyhow!("with --model there is no /why and no /show; ask the model"));
            }
            Line::Question(question) => {
                if let Done::InPart = self.ask(question, manner).await? {
                    return Ok(Next::AfterAPart);
                }
            }
        }
        Ok(Next::Line)
    }
}

/// What a thread keeps of what was asked of a model. Turns of other answers are none of its own.
fn said_before(turns: &[Turn]) -> Vec<Message> {
    let of_model = turns.iter().filter_map(|turn| turn.model.clone());
    of_model.filter_map(|messages| serde_json::from_value::<Vec<Message>>(messages).ok()).flatten().collect()
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
        // What was typed before the change is seen is no answer to it.
        #[cfg(unix)]
        rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush)
            .map_err(|e| e.to_string())?;
        print::ask_model::change(change);
        answer::is_yes().await.map_err(|e| e.to_string())
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
