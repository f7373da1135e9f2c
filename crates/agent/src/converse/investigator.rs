//! A language model that looks into a question for a program, such as an assistant. It reads alone, within bounds of its own, and only for
//! those who may see all of what it can read.

use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use clusterlore_core::Scope;
use clusterlore_index::{Index, Request};
use clusterlore_models::{ChatModel, Message};
use tokio::sync::Semaphore;

use super::budget::{Limits, Used};
use super::talk::{Heard, Talk, talk};
use super::tools::{Reach, Tools};

/// What one question may take: the model is asked for its answer before the time is over.
const LIMITS: Limits = Limits { steps: 12, tokens: 200_000, cost: None, time: Some(Duration::from_secs(30)) };
/// After this there is no answer.
const TIME: Duration = Duration::from_secs(50);
/// Questions that are looked into at once.
const AT_ONCE: usize = 2;

/// A model, ready to look into questions.
pub struct Investigator {
    model: Arc<dyn ChatModel>,
    turns: Semaphore,
    limits: Limits,
    time: Duration,
}

impl fmt::Debug for Investigator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Investigator({})", self.model.name())
    }
}

impl Investigator {
    /// With this model.
    pub fn new(model: Arc<dyn ChatModel>) -> Self {
        Self { model, turns: Semaphore::new(AT_ONCE), limits: LIMITS, time: TIME }
    }

    /// The same within other bounds: for a question, and for how long there may be an answer.
    #[must_use]
    pub fn within(self, limits: Limits, time: Duration) -> Self {
        Self { limits, time, ..self }
    }

    /// Provider and model.
    pub fn name(&self) -> &str {
        self.model.name()
    }

    /// Has the model look into the question of `request`, whose conditions no call of its own widens.
    ///
    /// # Errors
    /// The caller may not see everything, others are being answered, or the time is over; what it is, and what to do.
    pub fn investigate<'f>(
        &'f self,
        index: &'f Index,
        scope: &'f Scope,
        request: Request,
    ) -> BoxFuture<'f, Result<Talk, String>> {
        Box::pin(async move {
            if !sees_all(index, scope, &request.clusters).await? {
                return Err(
                "refused: the model reads the cluster with the rights of this program, and so only for those who may see all of it. \
                 Ask with the other tools."
                    .to_owned(),
            );
            }
            let Ok(_turn) = self.turns.try_acquire() else {
                return Err(format!("{AT_ONCE} questions are being looked into already; ask again in a minute."));
            };
            let question = Message::user(request.question.clone());
            let tools = Tools::new(Reach::reading(index, scope, request));
            let mut called = Vec::new();
            let mut hear = |heard: Heard<'_>| {
                if let Heard::Calls(call) = heard {
                    called.push(call.name.clone());
                }
            };
            let answer = talk(&*self.model, &tools, vec![question], self.limits, Used::default(), None, &mut hear);
            match tokio::time::timeout(self.time, answer).await {
                Ok(talk) => Ok(talk),
                Err(_) => Err(format!(
                    "the model had no answer after {} s and {} calls of its tools; ask something narrower.",
                    self.time.as_secs_f64(),
                    called.len()
                )),
            }
        })
    }
}

/// Whether nothing is hidden of what can be read: of the clusters that are named, else of all.
async fn sees_all(index: &Index, scope: &Scope, named: &[String]) -> Result<bool, String> {
    if scope.is_all() {
        return Ok(true);
    }
    let mut clusters: BTreeSet<String> = named.iter().cloned().collect();
    if clusters.is_empty() {
        let types = index.types(scope).await.map_err(|error| format!("The index cannot be asked: {error}."))?;
        clusters = types.iter().map(|(cluster, _)| cluster.clone()).collect();
    }
    Ok(!clusters.is_empty() && clusters.iter().all(|cluster| scope.admits_whole_cluster(cluster)))
}
