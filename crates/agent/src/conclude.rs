//! From what was found to what is said. Where a question asks why something fails, its objects are looked into first.

use clusterlore_catalogue::Catalogue;
use clusterlore_core::Scope;
use clusterlore_index::{Index, Reply};
use clusterlore_search::SearchError;
use serde::Serialize;

use crate::answer::{Answer, Step};
use crate::compose::compose;
use crate::gather::Found;
use crate::investigate::{Findings, Limits, investigate};
use crate::why::{Subjects, subjects};

/// An answer, and what it rests on.
#[derive(Debug, Clone)]
pub struct Concluded {
    /// What was found.
    pub found: Found,
    /// What is said of it.
    pub answer: Answer,
    /// What was seen where it was looked into.
    pub findings: Option<Findings>,
}

/// An answer as programs read it.
#[derive(Serialize)]
struct Told<'a, D> {
    #[serde(flatten)]
    answer: &'a Answer,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<&'a Findings>,
    /// What to look at next, as lines of kubectl.
    commands: Vec<String>,
    /// Why it may not hold.
    doubts: D,
}

/// An answer as programs read it, with what was seen and with the doubts of the reply that it rests on.
pub fn told<'a>(answer: &'a Answer, findings: Option<&'a Findings>, reply: &Reply) -> impl Serialize + use<'a> {
    let commands = answer.next.iter().map(Step::command).collect();
    Told { answer, findings, commands, doubts: reply.told_doubts() }
}

impl Concluded {
    /// As programs read it.
    pub fn told(&self) -> impl Serialize + use<'_> {
        told(&self.answer, self.findings.as_ref(), &self.found.reply)
    }
}

/// Makes an answer of what was found. Objects are looked into if `live`; `before` is told of which.
///
/// # Errors
/// As [`Index::ask`].
pub async fn conclude(
    index: &Index,
    catalogue: &Catalogue,
    scope: &Scope,
    mut found: Found,
    live: bool,
    before: impl FnOnce(&Subjects),
) -> Result<Concluded, SearchError> {
    let mut answer = compose(&found, catalogue);
    let mut findings = None;
    if let Some(subjects) = subjects(&answer, &found).filter(|_| live) {
        before(&subjects);
        findings = look_into(index, scope, &subjects).await?;
    }
    if let Some(findings) = &findings {
        found.note_findings(findings);
        answer = compose(&found, catalogue);
    }
    Ok(Concluded { found, answer, findings })
}

/// Looks into objects on their cluster; `None` where it cannot be asked, or not for this scope.
///
/// # Errors
/// As [`Index::ask`].
pub async fn look_into(index: &Index, scope: &Scope, subjects: &Subjects) -> Result<Option<Findings>, SearchError> {
    Ok(match index.cluster(scope, &subjects.cluster).await? {
        Ok(source) => Some(investigate(&source, &subjects.targets, &Limits::default()).await),
        Err(_) => None,
    })
}
