//! A model that looks into questions for programs: for whom, how many at once, and for how long.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_agent::converse::{Ended, Investigator, Limits};
use clusterlore_core::{ResourceInstance, Rule, Scope};
use clusterlore_index::{Index, Request};
use clusterlore_models::{Ask, Broken, ChatModel, Message, Part, Stop, ToolCall, Turn};
use common::{ALL, index, pods};
use serde_json::json;

/// Says what the kind of it says, and counts.
#[derive(Default)]
struct Fake {
    asked: AtomicUsize,
    /// It never answers.
    silent: bool,
}

#[async_trait]
impl ChatModel for Fake {
    fn name(&self) -> &str {
        "fake:m"
    }

    async fn next(&self, ask: &Ask<'_>, _: &mut (dyn for<'s> FnMut(&'s str) + Send)) -> Result<Turn, Broken> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.silent && matches!(ask.messages.last(), Some(Message::Tool { .. })) {
            std::future::pending::<()>().await;
        }
        let call = ToolCall {
            id: "c".to_owned(),
            name: "vector_search".to_owned(),
            input: json!({"query": "web", "collection": "instances"}),
        };
        Ok(match ask.may_call {
            true => Turn { parts: vec![Part::Call(call)], stop: Stop::Calls, tokens: None },
            false => {
                let text = "It is [shop/v1/Pod/web].".to_owned();
                Turn { parts: vec![Part::Text { text }], stop: Stop::End, tokens: None }
            }
        })
    }
}

async fn shop(folder: &std::path::Path) -> Index {
    index(folder, &[ResourceInstance::new("v1", "Pod", Some("shop"), "web").unwrap()], &pods()).await
}

fn asked(question: &str) -> Request {
    Request { question: question.to_owned(), ..Request::default() }
}

fn investigator(model: &Arc<Fake>, limits: Limits, time: Duration) -> Investigator {
    Investigator::new(Arc::clone(model) as Arc<dyn ChatModel>).within(limits, time)
}

#[tokio::test]
async fn the_model_is_asked_for_its_answer_before_its_turns_or_its_time_are_over() {
    let folder = tempfile::tempdir().unwrap();
    let index = shop(folder.path()).await;
    let hurried = Limits { time: Some(Duration::ZERO), ..Limits::default() };
    for (limits, turns) in [(Limits { steps: 4, ..Limits::default() }, 4), (hurried, 1)] {
        let model = Arc::new(Fake::default());
        let talk = investigator(&model, limits, Duration::from_secs(20)).investigate(&index, &ALL, asked("?")).await;
        let talk = talk.unwrap();
        assert_eq!((model.asked.load(Ordering::SeqCst), talk.steps.len()), (turns, turns - 1));
        assert_eq!((talk.answer.as_str(), &talk.ended), ("It is [shop/v1/Pod/web].", &Ended::Whole));
        assert_eq!(talk.sources.citations[0].seen, turns > 1);
    }
}

#[tokio::test]
async fn a_model_that_says_nothing_is_waited_for_no_longer_than_it_may_take() {
    let folder = tempfile::tempdir().unwrap();
    let index = shop(folder.path()).await;
    let model = Arc::new(Fake { silent: true, ..Fake::default() });
    let investigator = investigator(&model, Limits::default(), Duration::from_millis(300));
    let refused = investigator.investigate(&index, &ALL, asked("?")).await.unwrap_err();
    assert_eq!(refused, "the model had no answer after 0.3 s and 1 calls of its tools; ask something narrower.");
}

#[tokio::test]
async fn two_questions_are_looked_into_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let index = shop(folder.path()).await;
    let model = Arc::new(Fake { silent: true, ..Fake::default() });
    let investigator = investigator(&model, Limits::default(), Duration::from_millis(500));
    let ask = || investigator.investigate(&index, &ALL, asked("?"));
    let (first, second, third) = tokio::join!(ask(), ask(), ask());
    assert!(first.unwrap_err().contains("no answer") && second.unwrap_err().contains("no answer"));
    assert!(third.unwrap_err().contains("ask again in a minute"));
    // Those that ended make room.
    assert!(ask().await.unwrap_err().contains("no answer"));
}

#[tokio::test]
async fn who_may_see_a_part_is_refused_and_the_model_never_asked() {
    let folder = tempfile::tempdir().unwrap();
    let index = shop(folder.path()).await;
    let model = Arc::new(Fake::default());
    let investigator = investigator(&model, Limits::default(), Duration::from_secs(20));
    let part = |namespaces: &[&str], type_name: Option<&str>| Rule {
        cluster: String::new(),
        type_name: type_name.map(str::to_owned),
        objects: None,
        namespaces: Some(namespaces.iter().map(|name| (*name).to_owned()).collect()).filter(|_| !namespaces.is_empty()),
    };
    let scopes = [
        Scope::rules([]),
        Scope::rules([part(&["shop"], None)]),
        Scope::rules([part(&[], Some("pods"))]),
        Scope::rules([Rule::cluster("another")]),
        Scope::rules([Rule::cluster("another"), part(&["shop"], None)]),
    ];
    for scope in scopes {
        let refused = investigator.investigate(&index, &scope, asked("what is in shop?")).await.unwrap_err();
        assert!(refused.contains("only for those who may see all of it"), "{scope:?}: {refused}");
    }
    assert_eq!(model.asked.load(Ordering::SeqCst), 0);
    let whole = Scope::rules([Rule::cluster("")]);
    assert!(investigator.investigate(&index, &whole, asked("what is in shop?")).await.is_ok());
}
