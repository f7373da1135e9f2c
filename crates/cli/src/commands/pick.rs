//! The picker: what `clusterlore` alone shows where there is an index, and `clusterlore search --pick`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use clusterlore_agent::{Details, details};
use clusterlore_catalogue::Catalogue;
use clusterlore_index::{Index, Reply, Request};
use clusterlore_search::{Hit, Noun, SearchError};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::args::Live;
use crate::build;
use crate::picker::{Aim, End, Found, Next, Picker};
use crate::print;
use crate::print::full_screen::FullScreen;
use crate::settings::Settings;

/// Between two keys that are typed one after the other nothing is asked.
const PAUSE: Duration = Duration::from_millis(40);
/// The cluster may take so long to tell of an object.
const LIVE: Duration = Duration::from_secs(1);
/// Hits that can be chosen from.
const MOST: usize = 100;

/// What is looked for, and what for.
pub(crate) struct Pick<'a> {
    pub(crate) aim: Aim,
    /// The question to begin with, and where is looked.
    pub(crate) request: Request,
    pub(crate) live: Live,
    /// Looks at each answer before it is shown.
    pub(crate) weigh: &'a dyn Fn(Reply) -> anyhow::Result<Reply>,
}

/// Lets a person choose. A picked hit comes with its answer, and as its only hit.
pub(crate) async fn run(settings: &Settings, pick: Pick<'_>) -> anyhow::Result<(End, Reply)> {
    let Pick { aim, request, live, weigh } = pick;
    let catalogue = Arc::new(build::catalogue(settings)?);
    // The cluster is asked of what is opened, never while a person types.
    let store = build::store_for_reading(settings).await?;
    let index = Arc::new(build::index_over(settings, Arc::clone(&store)).await?);
    let looking = Arc::new(build::beside_cluster(build::index_over(settings, store).await?, settings, live));
    let request = Request { limit: MOST, live: false, ..request };
    let mut picker = Picker::new(aim, &request.question);
    let (ask, asked) = watch::channel(picker.question());
    let (tell_answer, mut answers) = mpsc::channel(1);
    let (tell_details, mut opened) = mpsc::channel::<(String, Result<Details, String>)>(1);

    let mut screen = FullScreen::take(match aim {
        Aim::Pick => "--pick needs a terminal to choose at; run it in one, or search without --pick",
        Aim::Look => "this needs a terminal; run it in one, or ask with \"clusterlore search\"",
    })?;
    let mut keys = FullScreen::keys();
    // Ends when `asked` has nobody who asks, or the answers nobody who reads them.
    tokio::spawn(answer(Arc::clone(&index), request.clone(), asked, tell_answer));
    let mut last = Reply::default();
    loop {
        let (width, height) = FullScreen::size();
        picker.resize(width, height);
        let (lines, cursor) = picker.lines();
        screen.draw(&lines, cursor)?;
        let next = tokio::select! {
            key = keys.recv() => picker.press(key.ok_or_else(|| anyhow!("the terminal cannot be read"))?),
            answered = answers.recv() => {
                let (question, answered) = answered.ok_or_else(|| anyhow!("the index is not answering any more"))?;
                // What was typed since is being asked.
                if question != picker.question() {
                    continue;
                }
                let found = match answered {
                    Ok(reply) => {
                        let reply = weigh(reply)?;
                        Found { said: said(&reply), reply }
                    }
                    Err(SearchError::NoQuestion) => Found::nothing(),
                    Err(error) => Found { said: format!("{error}."), ..Found::default() },
                };
                last = found.reply.clone();
                picker.found(found)
            }
            Some((id, details)) = opened.recv() => picker.read(&id, details),
        };
        match next {
            Next::Show => {}
            Next::Ask => {
                ask.send_replace(picker.question());
            }
            Next::Open(hit) => {
                let read = read(Arc::clone(&index), Arc::clone(&looking), Arc::clone(&catalogue), request.clone(), hit);
                let tell = tell_details.clone();
                tokio::spawn(async move {
                    let _ = tell.send(read.await).await;
                });
            }
            Next::End(end) => {
                if let End::Hit(hit) = &end {
                    last.hits = vec![(**hit).clone()];
                }
                return Ok((end, last));
            }
        }
    }
}

/// Answers the latest question, again and again.
async fn answer(
    index: Arc<Index>,
    request: Request,
    mut asked: watch::Receiver<String>,
    tell: mpsc::Sender<(String, Result<Reply, SearchError>)>,
) {
    asked.mark_changed();
    while asked.changed().await.is_ok() {
        sleep(PAUSE).await;
        let question = asked.borrow_and_update().clone();
        let request = Request { question: question.clone(), now: build::now(), ..request.clone() };
        let answered = index.ask(&build::OWN_STORE, &request).await;
        if tell.send((question, answered)).await.is_err() {
            return;
        }
    }
}

/// Reads all of an object; of its cluster only what that tells in time.
async fn read(
    index: Arc<Index>,
    looking: Arc<Index>,
    catalogue: Arc<Catalogue>,
    request: Request,
    hit: Box<Hit>,
) -> (String, Result<Details, String>) {
    let id = hit.id.clone();
    if matches!(hit.noun, Noun::Type(..)) {
        return (id, Err("a type has no state".to_owned()));
    }
    let of = async |index: &Index| details(index, &catalogue, &build::OWN_STORE, &request, &id).await;
    let read = match timeout(LIVE, of(&looking)).await {
        Ok(read) => read,
        Err(_) => of(&index).await.map(|read| {
            read.map(|details| Details { unread: Some("it did not answer in time".to_owned()), ..details })
        }),
    };
    let read = match read {
        Ok(Some(details)) => Ok(details),
        Ok(None) => Err("the index does not hold it any more".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    (id, read)
}

/// What is said of an answer.
fn said(reply: &Reply) -> String {
    let problem = reply.problems.first().map(|problem| format!("{problem}."));
    let corrected = reply.parsed.corrections().next();
    let corrected = corrected.map(|(typed, meant)| format!("Searched for \"{meant}\" instead of \"{typed}\"."));
    let found = match reply.hits.len() {
        0 => format!("Nothing found among {} documents.", reply.total),
        hits => format!("{hits} of {} documents.", reply.total),
    };
    let doubt = reply.doubts.first().map(print::doubt);
    problem.or(corrected).into_iter().chain([found]).chain(doubt).collect::<Vec<_>>().join(" ")
}
