//! `recent_changes`: what came, changed and went lately.

use clusterlore_core::{CLUSTER_SCOPE, JournalEntry, age, words};
use clusterlore_index::Request;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ground::Ground;
use super::tool::{Answer, Tool};
use super::{arguments, room};

/// Changes where nobody says how many.
const USUAL: u16 = 20;
/// Changes at most.
const MOST: u16 = 200;
/// Changes that are counted.
const COUNTED: usize = 1_000;

pub(super) struct RecentChanges;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Input {
    /// What to look for, in plain words: "what was deleted today", "databases", "when did checkout disappear". Everything if left out.
    question: Option<String>,
    /// Only what happened since then: a time (RFC 3339), or how long ago: "90m", "12h", "7d".
    since: Option<String>,
    /// Only what happened before then.
    until: Option<String>,
    /// Only objects of this kind: kind, plural, short name or plural.group.
    kind: Option<String>,
    /// Only objects in these namespaces.
    namespaces: Vec<String>,
    /// Only objects of the cluster of this name.
    cluster: Option<String>,
    /// The most changes, 1 to 200; 20 if left out.
    limit: Option<u16>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    /// How many there are; missing where there are more than 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    /// How many are shown.
    shown: usize,
    /// Whether there are older ones than are shown.
    more: bool,
    /// How to see others, or fewer.
    narrow: String,
    /// The newest first.
    changes: Vec<Change>,
    /// What the reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// Something that happened to an object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Change {
    /// When it was noticed, RFC 3339.
    at: String,
    /// Nobody watched when it happened: after this (RFC 3339), and before it was noticed. Missing where it was noticed as it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// How long ago that was: 45s, 12m, 5h, 3d.
    #[serde(skip_serializing_if = "Option::is_none")]
    ago: Option<String>,
    /// created, deleted, spec changed, spec or annotations changed (Deployments: either), labels changed or annotations changed.
    what: String,
    /// For get_resource.
    id: String,
    kind: String,
    /// Missing for an object of the whole cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// The field manager that had changed it last: a program or a kubectl command, no person. Missing where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_by: Option<String>,
}

impl Tool for RecentChanges {
    const NAME: &'static str = "recent_changes";
    const TITLE: &'static str = "Show what changed lately";
    const DESCRIPTION: &'static str = "Tells what was created, changed and deleted lately, the newest first, by a journal that is kept while the \
        cluster is watched. For \"what changed in shop today?\", \"when did checkout disappear?\", and first of all when something stopped \
        working. It tells the field manager that did it where it is known, and no person.";
    type Input = Input;
    type Output = Found;

    async fn call(ground: &Ground<'_>, input: Input) -> Result<Answer<Found>, String> {
        let limit = arguments::limit(input.limit, USUAL, MOST)?;
        let since = arguments::time("since", &arguments::text(&input.since), ground.now)?;
        let until = arguments::time("until", &arguments::text(&input.until), ground.now)?;
        let request = Request {
            question: arguments::text(&input.question),
            clusters: input.cluster.iter().cloned().collect(),
            namespaces: input.namespaces.clone(),
            kinds: Some(arguments::text(&input.kind)).filter(|kind| !kind.is_empty()).into_iter().collect(),
            limit: COUNTED,
            now: ground.now(),
            ..Request::default()
        };
        let told =
            ground.index.changes(ground.scope, &request, since, until).await.map_err(|error| ground.told(error))?;
        let of = told.changes.len();
        let total = Some(of).filter(|_| !told.more);
        let all = told.changes.iter().take(limit).map(|entry| change(entry, ground.now)).collect();
        let (mut rows, changes) = room::fitting(all, room::of(input.limit));
        let notes: Vec<String> = told.notes.iter().map(|note| format!("{}.", note.text)).collect();
        rows.extend(notes.iter().map(|note| format!("note: {note}")));
        let more = told.more || changes.len() < of;
        let narrow = match (more, changes.is_empty()) {
            (true, _) => format!(
                "There are older ones; narrow with question, kind, namespaces or until, or raise limit (at most {MOST})."
            ),
            (false, true) => "Nothing fits.".to_owned(),
            (false, false) => "These are all.".to_owned(),
        };
        let counted = if told.more { format!("more than {of}") } else { of.to_string() };
        let told = format!("{counted} changes; {} shown. {narrow}", changes.len());
        let object = Found { total, shown: changes.len(), more, narrow, changes, notes };
        Ok(Answer { told, rows: rows.join("\n"), object })
    }
}

fn change(entry: &JournalEntry, now: Timestamp) -> (String, Change) {
    let JournalEntry { namespace, kind, name, at, after, changed_by, .. } = entry;
    let change = Change {
        at: at.clone(),
        after: Some(after.clone()).filter(|after| !after.is_empty()),
        ago: age(at, now),
        what: entry.what.map(|what| what.to_string()).unwrap_or_default(),
        id: entry.stored_id(),
        kind: kind.clone(),
        namespace: Some(namespace.clone()).filter(|namespace| namespace != CLUSTER_SCOPE),
        name: name.clone(),
        changed_by: Some(changed_by.clone()).filter(|manager| !manager.is_empty()),
    };
    let noticed = change.after.as_ref().map(|after| format!(" (noticed later; it happened after {after})"));
    let by = change.changed_by.as_ref().map(|manager| format!(" | by {manager}")).unwrap_or_default();
    let row = format!("{}{} | {} | {}{by}", change.at, noticed.unwrap_or_default(), change.what, change.id);
    (words::one_line(&row), change)
}
