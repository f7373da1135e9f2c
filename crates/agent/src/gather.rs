//! What an answer is made of: one or more replies of the index, which looks at the cluster where the question asks for it.

use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::Arc;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::conditions::{Beyond, LiveCondition};
use clusterlore_core::{Collection, ResourceType, Scope, Selector};
use clusterlore_index::{Index, Reply, Request};
use clusterlore_search::{Condition, Hit, Need, Noun, SearchError, Wanted};

use crate::answer::{Asks, Took};
use crate::beside::{by_image, is_called, is_surely_an_image, similar, suspect, unfilled};
use crate::investigate::Findings;
use crate::manner::{Manner, Pointing};
use crate::things::says_at_most;

/// Hits that are looked at for a sentence, whatever is shown of them.
const LOOKED_AT: usize = 200;
/// The lowest score of a type that fits a question. Below it, a type is only the nearest.
pub(crate) const FITS: f32 = 0.25;
/// The type of namespaces.
const NAMESPACES: &str = "namespaces";
/// A question for all that is in a scope.
pub(crate) const EVERYTHING: &str = "everything";
/// Types of which the objects are counted.
const TYPES_COUNTED: usize = 5;
/// Objects of which the names are looked at.
const NAMES: usize = 1_000;
/// What may be meant, if there are no more.
pub(crate) const CANDIDATES: usize = 5;

/// What was found for a question.
#[derive(Debug, Clone)]
pub struct Found {
    /// What the answer is about: of the collection that the question is about.
    pub reply: Reply,
    /// The question as it was typed.
    pub(crate) typed: String,
    /// The question that is answered.
    pub(crate) question: String,
    /// What that took over from the question before it.
    pub(crate) took: Option<Took>,
    /// What it asks of is called, in the singular, where it does not say that itself.
    pub(crate) noun: String,
    pub(crate) collection: Collection,
    pub(crate) limit: usize,
    pub(crate) manner: Manner,
    pub(crate) types: Arc<Vec<(String, ResourceType)>>,
    /// Whether all that could be found is in the reply.
    pub(crate) whole: bool,
    /// Whether types were asked for and none fits.
    pub(crate) no_type: bool,
    /// How many objects there are of the first types, where the answer is about types.
    pub(crate) of_types: Vec<(String, usize)>,
    /// What the question points at without naming it, and what that may be.
    pub(crate) pointed_at: Option<(Pointing, Option<Reply>)>,
    /// What must be known first, and of which objects.
    pub(crate) back: Option<Asks>,
    /// An image that the question may mean, and what the cluster says of it; the reply is about names and labels.
    pub(crate) image: Option<(String, Reply)>,
    /// The name of something for whose cause is asked and that is not there. Then the reply has what is called alike.
    pub(crate) nobody: Option<String>,
    /// What the index was not filled with, of what is asked.
    pub(crate) unfilled: Vec<String>,
    /// Whether the objects of the answer were looked into.
    pub(crate) looked_into: bool,
}

impl Found {
    /// Where a question cannot be answered before another one is: `reply` has the candidates.
    pub(crate) fn back(reply: &Reply, request: &Request, types: Arc<Vec<(String, ResourceType)>>, asks: Asks) -> Self {
        Self {
            reply: reply.clone(),
            typed: request.question.clone(),
            question: request.question.clone(),
            took: None,
            noun: String::new(),
            collection: Collection::Instances,
            limit: request.limit,
            manner: Manner::default(),
            types,
            whole: true,
            no_type: false,
            of_types: Vec::new(),
            pointed_at: None,
            back: Some(asks),
            image: None,
            nobody: None,
            unfilled: Vec::new(),
            looked_into: false,
        }
    }

    /// What was asked and metadata cannot say is known where the objects were looked into: then the answer is to be composed again.
    pub fn note_findings(&mut self, findings: &Findings) {
        self.looked_into =
            findings.subjects.iter().any(|subject| !subject.seen.is_empty() || !subject.diagnoses.is_empty());
    }

    /// Whether the cluster was asked for it.
    pub(crate) fn is_read(&self, need: &Need) -> bool {
        let seen = matches!(need.what, Beyond::Status | Beyond::Events | Beyond::Logs);
        self.looked_into && seen || self.reply.is_read(need)
    }
}

/// Asks for all that an answer needs.
///
/// # Errors
/// As [`Index::ask`].
pub fn gather<'f>(
    index: &'f Index,
    catalogue: &'f Catalogue,
    scope: &'f Scope,
    request: &'f Request,
) -> BoxFuture<'f, Result<Found, SearchError>> {
    Box::pin(async move {
        let types = index.types(scope).await?;
        let manner = Manner::of(&request.question, &types);
        let limit = request.limit.max(LOOKED_AT);
        let request = Request { hits: true, number: Wanted::Always, ..request.clone() };
        let many = Request { limit, ..request.clone() };
        let found = |reply: Reply, collection: Collection| Found {
            whole: reply.hits.len() < limit,
            reply,
            typed: request.question.clone(),
            question: request.question.clone(),
            took: None,
            noun: String::new(),
            collection,
            limit: request.limit,
            manner: manner.clone(),
            types: Arc::clone(&types),
            no_type: false,
            of_types: Vec::new(),
            pointed_at: None,
            back: None,
            image: None,
            nobody: None,
            unfilled: Vec::new(),
            looked_into: false,
        };

        if !manner.explains.is_empty() {
            let one = Request { kinds: manner.explains.clone(), ..of_types(&many) };
            if let Some(reply) = unless_missing(index.ask(scope, &one).await)?.filter(|reply| !reply.hits.is_empty()) {
                let of_types = counted(index, scope, &request, &reply).await?;
                return Ok(Found { of_types, ..found(reply, Collection::Capabilities) });
            }
        }
        if manner.of_types || many.collection == Collection::Capabilities {
            let reply = index.ask(scope, &of_types(&many)).await?;
            if !reply.hits.is_empty() || many.collection == Collection::Capabilities {
                let of_types = counted(index, scope, &request, &reply).await?;
                return Ok(Found { of_types, ..found(reply, Collection::Capabilities) });
            }
        }
        let mut reply = index.ask(scope, &many).await?;
        // "What runs in shop?" has no word that says what.
        let parsed = &reply.parsed;
        let anything = !parsed.scope_only
            && parsed.named.is_empty()
            && parsed.needs.is_empty()
            && says_at_most(catalogue, &parsed.text, 0);
        if anything && !parsed.filter.namespaces.is_empty() {
            let namespaces = parsed.filter.namespaces.iter().cloned().collect();
            reply = index.ask(scope, &Request { question: EVERYTHING.to_owned(), namespaces, ..many.clone() }).await?;
        }
        // "Which deployments in shop are databases?" names the namespace only to say where.
        let named: Vec<String> =
            reply.parsed.named.iter().filter_map(|named| namespace_of(&named.document.id).map(str::to_owned)).collect();
        let parsed = &reply.parsed;
        let is_asked = parsed.filter.types.contains(NAMESPACES) || parsed.kinds.contains(NAMESPACES);
        if !named.is_empty() && named.len() == parsed.named.len() && !is_asked && many.namespaces.is_empty() {
            let within = index.ask(scope, &Request { namespaces: named, ..many.clone() }).await?;
            reply = if within.hits.is_empty() { reply } else { within };
        }
        let no_type = manner.of_types;
        let pointed_at = match points(&manner, &reply, catalogue) {
            None => None,
            Some(pointing) if pointing.types.is_empty() => Some((pointing, None)),
            Some(pointing) => {
                let one = Request {
                    question: pointing.noun.clone(),
                    kinds: pointing.types.clone(),
                    namespaces: namespaces(&reply).into_iter().collect(),
                    limit: CANDIDATES + 1,
                    ..request.clone()
                };
                let all = index.ask(scope, &one).await?;
                // If there is one, it is meant.
                let alone = all.number == Some(1) && reply.hits.len() == 1;
                (!alone).then_some((pointing, Some(all)))
            }
        };
        if pointed_at.is_none() && manner.for_advice && reply.parsed.named.is_empty() && !manner.of_types {
            let by_type = index.ask(scope, &of_types(&many)).await;
            if let Some(by_type) = unless_missing(by_type)?
                .filter(|by_type| by_type.hits.first().is_some_and(|hit| hit.score.total() >= FITS))
            {
                let of_types = counted(index, scope, &request, &by_type).await?;
                return Ok(Found { of_types, ..found(by_type, Collection::Capabilities) });
            }
        }
        if pointed_at.is_some() {
            return Ok(Found { pointed_at, no_type, ..found(reply, Collection::Instances) });
        }
        if let Some((nobody, reply)) = nobody(index, catalogue, scope, &many, &reply, &types).await? {
            let nobody = Some(nobody);
            return Ok(Found { nobody, unfilled: unfilled(&reply, None), ..found(reply, Collection::Instances) });
        }
        let mut image = None;
        if let Some((name, question)) = by_image(&request.question).filter(|_| reply.parsed.conditions().is_empty()) {
            let of_image = index.ask(scope, &Request { question, ..many.clone() }).await?;
            let looked = of_image.judgement.as_ref().is_some_and(|judgement| judgement.looked);
            let surely = is_surely_an_image(catalogue, &name);
            if looked && !of_image.hits.is_empty() && reply.hits.is_empty() {
                reply = of_image;
            } else if looked && !of_image.hits.is_empty() || surely {
                image = Some((name, of_image));
            }
        }
        let status = if reply.hits.is_empty() { index.status(scope).await.ok() } else { None };
        let unfilled = unfilled(&reply, status.as_ref());
        Ok(Found { no_type, image, unfilled, ..found(reply, Collection::Instances) })
    })
}

/// The name for which a question for a cause asks, if nothing has it, with what is called alike.
async fn nobody(
    index: &Index,
    catalogue: &Catalogue,
    scope: &Scope,
    request: &Request,
    reply: &Reply,
    types: &[(String, ResourceType)],
) -> Result<Option<(String, Reply)>, SearchError> {
    let parsed = &reply.parsed;
    let known = !parsed.named.is_empty() || !parsed.filter.namespaces.is_empty() || !parsed.soft.is_empty();
    let Some(word) = suspect(&request.question, types, catalogue).filter(|_| !known) else { return Ok(None) };
    if parsed.needs.iter().any(|need| need.said.to_lowercase().contains(&word)) {
        return Ok(None);
    }
    // Whatever has the word in its name is found by it.
    let mut all = index.ask(scope, &Request { question: word.clone(), limit: NAMES, ..request.clone() }).await?;
    let names: Vec<&str> = all.hits.iter().filter_map(name_of).collect();
    let meant = parsed.corrections().find(|(typed, _)| *typed == word).map_or(word.as_str(), |(_, meant)| meant);
    if names.iter().any(|name| is_called(name, &word) || is_called(name, meant)) {
        return Ok(None);
    }
    let near = similar(names.into_iter(), &word);
    all.hits.retain(|hit| name_of(hit).is_some_and(|name| near.iter().any(|near| near == name)));
    all.hits.sort_by_key(|hit| near.iter().position(|near| name_of(hit) == Some(near)));
    Ok(Some((word, all)))
}

fn name_of(hit: &Hit) -> Option<&str> {
    match &hit.noun {
        Noun::Instance(instance) => Some(&instance.name),
        Noun::Type(..) => None,
    }
}

/// The same question about types, which live in no namespace and have no labels.
fn of_types(request: &Request) -> Request {
    Request {
        collection: Collection::Capabilities,
        namespaces: Vec::new(),
        objects: Vec::new(),
        selector: Selector::default(),
        annotations: Selector::default(),
        ..request.clone()
    }
}

/// How many objects there are of the first types.
async fn counted(
    index: &Index,
    scope: &Scope,
    request: &Request,
    reply: &Reply,
) -> Result<Vec<(String, usize)>, SearchError> {
    let mut counts = Vec::new();
    for hit in reply.hits.iter().take(TYPES_COUNTED) {
        let Noun::Type(ty, _) = &hit.noun else { continue };
        let of_type = Request {
            question: String::new(),
            collection: Collection::Instances,
            kinds: vec![ty.name()],
            hits: false,
            ..request.clone()
        };
        if let Some(number) = unless_missing(index.ask(scope, &of_type).await)?.and_then(|reply| reply.number) {
            counts.push((ty.name(), number));
        }
    }
    Ok(counts)
}

/// Nothing where the collection is not filled, or has no such type.
fn unless_missing(reply: Result<Reply, SearchError>) -> Result<Option<Reply>, SearchError> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(SearchError::NoCollection(_) | SearchError::Kind(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a question points at, if it names nothing that could be found.
fn points(manner: &Manner, reply: &Reply, catalogue: &Catalogue) -> Option<Pointing> {
    let parsed = &reply.parsed;
    if parsed.named.iter().any(|named| namespace_of(&named.document.id).is_none()) || !reply.problems.is_empty() {
        return None;
    }
    let narrows = !parsed.filter.namespaces.is_empty() || !parsed.filter.selector.is_empty() || !parsed.soft.is_empty();
    let nothing = !narrows && parsed.named.is_empty() && says_at_most(catalogue, &parsed.text, 0);
    let asks_for_state = parsed.needs.iter().any(|need| need.condition.is_some());
    match &manner.points_at {
        // "This deployment": whatever else is said of it.
        Some(pointing) if pointing.surely && !pointing.noun.is_empty() => Some(pointing.clone()),
        // "Who owns it?"
        Some(pointing) if pointing.noun.is_empty() => {
            // A condition is of some types where the question names none.
            let of_conditions: BTreeSet<&String> =
                parsed.needs.iter().filter_map(|need| need.condition.as_ref()).flat_map(LiveCondition::types).collect();
            let types = parsed.filter.types.iter().any(|name| !of_conditions.contains(name));
            let named = narrows || types || !parsed.named.is_empty();
            (!named && says_at_most(catalogue, &parsed.text, 1)).then(|| pointing.clone())
        }
        // "The pod" is the one that the rest of the question says.
        Some(pointing) => (nothing && !parsed.needs.is_empty()).then(|| pointing.clone()),
        // "What's wrong?", but "what is broken?" is asked of everything.
        None => {
            let nothing = nothing && parsed.filter.types.is_empty() && parsed.clauses == Default::default();
            (nothing && !parsed.needs.is_empty() && !asks_for_state).then(Pointing::default)
        }
    }
}

/// The namespaces that a question says, in whatever way.
fn namespaces(reply: &Reply) -> BTreeSet<String> {
    let parsed = &reply.parsed;
    let soft = parsed.soft.iter().flat_map(|soft| &soft.any).filter_map(|condition| match condition {
        Condition::Namespace(name) => Some(name.clone()),
        _ => None,
    });
    let named = parsed.named.iter().filter_map(|named| namespace_of(&named.document.id).map(str::to_owned));
    parsed.filter.namespaces.iter().cloned().chain(soft).chain(named).collect()
}

/// The name of the namespace that an id is of.
fn namespace_of(id: &str) -> Option<&str> {
    let (before, name) = id.rsplit_once('/')?;
    before.ends_with("/v1/Namespace").then_some(name)
}
