//! A conversation on the command line: questions, the commands between them, and what is kept of both.

use std::sync::Arc;

use anyhow::anyhow;
use clusterlore_agent::{Concluded, Conversation, Turn, conclude, details, gather_next, look_into, subjects_of};
use clusterlore_catalogue::Catalogue;
use clusterlore_index::{Index, Request};
use clusterlore_search::SearchError;
use clusterlore_store::{Store, ThreadName};

use crate::args::{Ask, Live, Output};
use crate::print::{self, ask::Manner};
use crate::renewal::Freshness;
use crate::settings::Settings;
use crate::{build, narrow, unknown};

/// Turns of a thread that are read: those before them are not gone on with.
const READ_TURNS: usize = 50;
/// The commands of a conversation, with what each does.
pub(crate) const COMMANDS: [(&str, &str); 5] = [
    ("/why", "why the last answer is what it is, or what is wrong with its object"),
    ("/show N", "all that is known of hit N of the last answer"),
    ("/new", "begin anew: the next question takes nothing over"),
    ("/help", "this list"),
    ("/quit", "end, as Ctrl-D does"),
];

/// A conversation.
pub(crate) struct Talk<'a> {
    index: Index,
    catalogue: Catalogue,
    freshness: Freshness<'a>,
    flags: &'a Ask,
    request: Request,
    thread: Option<(ThreadName, Arc<dyn Store>)>,
    conversation: Conversation,
    last: Option<Concluded>,
}

/// What comes after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next line.
    Line,
    /// The next line; this one was not answered to the end.
    AfterAPart,
    /// Nothing.
    End,
}

/// A line of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'l> {
    Nothing,
    End,
    Help,
    New,
    Why,
    /// The number of a hit.
    Show(&'l str),
    Question(&'l str),
}

impl<'l> Line<'l> {
    /// Reads a line. A command that there is not, or that is not given what it takes, is an error.
    pub(crate) fn of(line: &'l str) -> anyhow::Result<Self> {
        let line = line.trim();
        let mut words = line.split_whitespace();
        let (command, rest) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
        Ok(match (command, &rest[..]) {
            ("", _) => Self::Nothing,
            ("/quit" | "/exit" | "/q", []) => Self::End,
            ("/help" | "/?", []) => Self::Help,
            ("/new", []) => Self::New,
            ("/why", []) => Self::Why,
            ("/show", [number]) => Self::Show(number),
            ("/show", _) => {
                return Err(anyhow!("/show takes the number of a hit of the last answer, such as \"/show 1\""));
            }
            ("/quit" | "/exit" | "/q" | "/help" | "/?" | "/new" | "/why", _) => {
                return Err(anyhow!("{command} stands alone; expected nothing after it"));
            }
            _ if command.starts_with('/') => {
                let known: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
                return Err(anyhow!("\"{command}\" is no command here; expected {}", known.join(", ")));
            }
            _ => Self::Question(line),
        })
    }
}

impl<'a> Talk<'a> {
    /// Opens the index, and the thread where one is named. `request` is what holds for every question.
    pub(crate) async fn open(settings: &'a Settings, flags: &'a Ask, mut request: Request) -> anyhow::Result<Self> {
        let freshness = Freshness::of(settings, &flags.scope)?;
        let index = build::index_with_cluster(settings, flags.live.live).await?;
        narrow::to_context(settings, &index, &mut request).await?;
        let catalogue = build::catalogue(settings)?;
        let mut talk = Self {
            index,
            catalogue,
            freshness,
            flags,
            request,
            thread: None,
            conversation: Conversation::default(),
            last: None,
        };
        if let Some(name) = &flags.thread {
            let store = build::store_to_add_to(settings).await?;
            talk.conversation.turns = turns(&*store, name).await?;
            talk.thread = Some((name.clone(), store));
        }
        Ok(talk)
    }

    /// Answers a question and prints the answer.
    pub(crate) async fn ask(&mut self, question: &str, manner: Manner) -> anyhow::Result<()> {
        let now = build::now();
        let request = Request { question: question.to_owned(), now: now.clone(), ..self.request.clone() };
        let found = gather_next(&self.index, &self.catalogue, &build::OWN_STORE, &request, &self.conversation).await;
        let mut found = found.map_err(|error| self.of_flag(error))?;
        found.reply = self.freshness.weigh(found.reply)?;
        // Who does not want the cluster asked is not told that it was not.
        let live = self.looks();
        let last = conclude(&self.index, &self.catalogue, &build::OWN_STORE, found, live, |_| {}).await?;
        let Concluded { found, answer, findings } = &last;
        match self.flags.hits.output {
            Output::Table if self.last.is_some() => print::line("")?,
            Output::Yaml if manner != Manner::Alone => print::line("---")?,
            _ => {}
        }
        let printed = print::ask::print(answer, findings.as_ref(), &found.reply, self.flags.hits.output, manner);
        // Whoever reads no further (`| head`) goes on with the thread all the same.
        let turn = Turn::of(answer, &now);
        if let Some((thread, store)) = &self.thread {
            store.add_turn(thread, &now, &serde_json::to_string(&turn)?).await?;
        }
        printed?;
        self.conversation.turns.push(turn);
        self.last = Some(last);
        Ok(())
    }

    /// Tells what the flags name in vain where the last question found nothing, and whether they do.
    pub(crate) async fn asked_in_vain(&self) -> anyhow::Result<bool> {
        let reply = self.last.as_ref().map(|last| &last.found.reply).filter(|reply| reply.hits.is_empty());
        let Some(reply) = reply else { return Ok(false) };
        let unknown = unknown::of(&self.index, &self.request, !reply.problems.is_empty()).await?;
        unknown.lines.iter().for_each(|line| print::note(line));
        Ok(unknown.any)
    }

    /// Says which flag a kind came from that is none.
    fn of_flag(&self, error: SearchError) -> anyhow::Error {
        match &error {
            SearchError::Kind(unknown) if self.request.kinds.contains(&unknown.word) => {
                anyhow::Error::from(error).context("--kind")
            }
            _ => error.into(),
        }
    }

    /// Whether the cluster may be asked.
    fn looks(&self) -> bool {
        self.flags.live.live == Live::Auto
    }

    /// Does what a line says: a question, or a command.
    pub(crate) async fn take(&mut self, line: &str, manner: Manner) -> anyhow::Result<Next> {
        match Line::of(line)? {
            Line::Nothing => {}
            Line::End => return Ok(Next::End),
            Line::Help => print::ask::commands(&COMMANDS)?,
            Line::New => {
                self.conversation = Conversation::default();
                self.last = None;
                print::note("The next question begins anew.");
            }
            Line::Why => self.why(manner).await?,
            Line::Show(number) => self.show(number, manner).await?,
            Line::Question(question) => self.ask(question, manner).await?,
        }
        Ok(Next::Line)
    }

    fn last(&self) -> anyhow::Result<&Concluded> {
        self.last.as_ref().ok_or_else(|| {
            anyhow!("there is no answer yet; ask for something first, such as \"what databases are running?\"")
        })
    }

    async fn why(&self, manner: Manner) -> anyhow::Result<()> {
        let last = self.last()?;
        let of_one = last.answer.answered.len() == 1;
        let findings = match &last.findings {
            Some(findings) => Some(findings.clone()),
            None if of_one && self.looks() => match subjects_of(&last.answer, &last.found) {
                Some(subjects) => look_into(&self.index, &build::OWN_STORE, &subjects).await?,
                None => None,
            },
            None => None,
        };
        print::ask::why(&last.answer, findings.as_ref(), self.flags.hits.output, manner)
    }

    async fn show(&self, number: &str, manner: Manner) -> anyhow::Result<()> {
        let last = self.last()?;
        let shown = last.answer.hits.len();
        let hit = number.parse::<usize>().ok().and_then(|number| last.answer.hits.get(number.checked_sub(1)?));
        let hit = hit.ok_or_else(|| match shown {
            0 => anyhow!("the last answer shows no hits"),
            _ => anyhow!("the last answer has no hit {number}; expected a number from 1 to {shown}"),
        })?;
        let told = details(&self.index, &self.catalogue, &build::OWN_STORE, &self.request, &hit.id).await;
        match told {
            Ok(Some(details)) => print::ask::details(&details, self.flags.hits.output, manner),
            // A type is explained by what it answers.
            Ok(None) | Err(SearchError::NoSuchObject { .. }) if hit.id == hit.type_name => {
                print::ask::hit(hit, self.flags.hits.output, manner)
            }
            Ok(None) => Err(anyhow!("{} is no longer in the index", hit.id)),
            Err(error) => Err(error.into()),
        }
    }
}

/// The turns of a thread. One that cannot be read is an error, and stays as it is.
pub(crate) async fn turns(store: &dyn Store, name: &ThreadName) -> anyhow::Result<Vec<Turn>> {
    let read = |text: String| {
        let turn: Turn = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if turn.is_known() { Ok(turn) } else { Err(format!("it is of version {}", turn.version)) }
    };
    let turns: Result<Vec<Turn>, String> = store.turns(name, READ_TURNS).await?.into_iter().map(read).collect();
    turns.map_err(|why| {
        anyhow!(
            "a turn of thread \"{name}\" cannot be read ({why}); expected one that this program wrote. Nothing of it was changed. Update clusterlore, begin another with --thread, or remove it with \"clusterlore threads rm {name}\""
        )
    })
}
