//! `clusterlore ask`

use std::io::{BufRead, IsTerminal, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow};
use clusterlore_index::Request;
use serde::Serialize;

use super::ask_model::ModelTalk;
use super::search::scoped;
use crate::args::{Ask, Output};
use crate::build;
use crate::done::Done;
use crate::editor::{Editor, Typed};
use crate::print::{self, ask::Manner};
use crate::settings::{Settings, wrong};
use crate::stop;
use crate::talk::{Next, Talk};

/// Bytes of a line of standard input: many times what a question may have.
const LONGEST_LINE: u64 = 1 << 20;

/// A question that was not answered, as programs read it.
#[derive(Serialize)]
struct Refused<'a> {
    question: &'a str,
    error: String,
}

/// Who answers.
enum Answerer<'a> {
    Rules(Box<Talk<'a>>),
    Model(Box<ModelTalk<'a>>),
}

impl Answerer<'_> {
    async fn ask(&mut self, question: &str) -> anyhow::Result<Done> {
        match self {
            Self::Rules(talk) => {
                talk.ask(question, Manner::Alone).await?;
                Ok(if talk.asked_in_vain().await? { Done::Nothing } else { Done::Whole })
            }
            Self::Model(talk) => talk.ask(question, Manner::Alone).await,
        }
    }

    async fn take(&mut self, line: &str, manner: Manner) -> anyhow::Result<Next> {
        match self {
            Self::Rules(talk) => talk.take(line, manner).await,
            Self::Model(talk) => talk.take(line, manner).await,
        }
    }
}

pub(crate) async fn run(settings: &Settings, flags: &Ask) -> anyhow::Result<Done> {
    // A setting that is there for sync sends nothing of a cluster anywhere.
    let mut answerer = if flags.model.replay.is_some() || settings.is_flag("model") {
        Answerer::Model(Box::new(ModelTalk::open(settings, flags).await?))
    } else if let Some(flag) = flags.model.of_a_model().next() {
        return Err(wrong(format!(
            "{flag} is for a language model; name one with --model, or a recording with --replay FILE"
        )));
    } else {
        let request = Request { limit: usize::from(flags.hits.limit), ..scoped(&flags.scope) };
        Answerer::Rules(Box::new(Talk::open(settings, flags, request).await?))
    };
    let question = flags.question.join(" ");
    if !flags.interactive {
        return answerer.ask(&question).await;
    }
    let first = (!question.trim().is_empty()).then_some(question);
    let output = flags.hits.output;
    if std::io::stdin().is_terminal() && print::is_at_a_terminal() {
        at_the_terminal(&mut answerer, first, output).await
    } else {
        line_by_line(&mut answerer, first, output).await
    }
}

/// Whether a command reads what is typed itself, Ctrl-C among it.
pub(crate) fn reads_keys(flags: &Ask) -> bool {
    flags.interactive && std::io::stdin().is_terminal() && print::is_at_a_terminal()
}

/// A question a line.
async fn line_by_line(talk: &mut Answerer<'_>, first: Option<String>, output: Output) -> anyhow::Result<Done> {
    let mut in_part = false;
    let mut take = async |talk: &mut Answerer<'_>, line: &str| -> anyhow::Result<Next> {
        match talk.take(line, Manner::Lines).await {
            Ok(next) => {
                in_part |= next == Next::AfterAPart;
                Ok(next)
            }
            Err(error) if is_about_the_question(&error) => {
                in_part = true;
                print::error(&error);
                if output == Output::Json {
                    print::json_line(&Refused { question: line.trim(), error: format!("{error:#}") })?;
                }
                Ok(Next::Line)
            }
            Err(error) => Err(error),
        }
    };
    let mut next = Next::Line;
    if let Some(question) = &first {
        next = take(talk, question).await?;
    }
    for number in 1.. {
        if next == Next::End {
            break;
        }
        let mut line = String::new();
        let read = std::io::stdin().lock().take(LONGEST_LINE + 1).read_line(&mut line);
        match read.with_context(|| format!("standard input, line {number}"))? {
            0 => break,
            bytes if bytes as u64 > LONGEST_LINE => {
                return Err(anyhow!(
                    "standard input, line {number}: it has more than {LONGEST_LINE} bytes; expected one question a line"
                ));
            }
            _ => next = take(talk, &line).await?,
        }
    }
    Ok(ended(in_part))
}

fn ended(in_part: bool) -> Done {
    if in_part { Done::InPart } else { Done::Whole }
}

/// Whether the next question may be answered all the same.
fn is_about_the_question(error: &anyhow::Error) -> bool {
    use clusterlore_search::SearchError;
    let of_search = error.downcast_ref::<SearchError>();
    let gone = error.chain().any(|e| e.is::<std::io::Error>());
    let of_question = matches!(
        of_search,
        Some(SearchError::NoQuestion | SearchError::LongQuestion { .. } | SearchError::NoSuchObject { .. })
    );
    // What a command of the conversation refuses has no cause below it.
    of_question
        || of_search.is_none() && !gone && error.chain().count() == 1 && !error.is::<clusterlore_store::StoreError>()
}

/// At a prompt. Ctrl-C leaves an answer, Ctrl-D ends.
async fn at_the_terminal(talk: &mut Answerer<'_>, first: Option<String>, output: Output) -> anyhow::Result<Done> {
    let history = build::state_folder().map(|folder| folder.join("history"));
    let ending = Arc::new(AtomicBool::new(false));
    let mut editor = Editor::open(history, Arc::clone(&ending));
    let _end = EndReading(ending);
    if output == Output::Table {
        print::note("Ask what you want to know of the cluster. /help lists commands, Ctrl-D ends.");
    }
    let mut line = first;
    let mut in_part = false;
    loop {
        let typed = match line.take() {
            Some(question) => Typed::Line(question),
            None => {
                let reading = tokio::task::spawn_blocking(move || {
                    let typed = editor.read();
                    (editor, typed)
                });
                let (again, typed) = reading.await.context("the terminal cannot be read")?;
                editor = again;
                typed.context("the terminal cannot be read")?
            }
        };
        let question = match typed {
            Typed::Line(question) => question,
            Typed::Nothing => continue,
            Typed::End => return Ok(ended(in_part)),
        };
        let taken = tokio::select! {
            taken = talk.take(&question, Manner::Prompt) => taken,
            () = stop::interrupted() => {
                print::note("Left unanswered.");
                continue;
            }
        };
        match taken {
            Ok(Next::Line) => {}
            Ok(Next::AfterAPart) => in_part = true,
            Ok(Next::End) => return Ok(ended(in_part)),
            Err(error) => print::error(&error),
        }
    }
}

/// Lets the terminal go where the program ends while a line is read.
struct EndReading(Arc<AtomicBool>);

impl Drop for EndReading {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
