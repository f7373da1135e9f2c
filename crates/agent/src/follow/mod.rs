//! What a question takes over from the one before it. The rule is [`resolve`]; here it is given what it needs: both questions as the
//! search reads them.

mod facts;
mod phrases;
mod resolve;
mod said;

use clusterlore_catalogue::{Catalogue, Role};
use clusterlore_core::{CLUSTER_SCOPE, Collection, ResourceType, Scope};
use clusterlore_index::{Index, Reply, Request};
use clusterlore_search::SearchError;
use futures::future::BoxFuture;

use crate::answer::{Asks, Took};
use crate::conversation::{Conversation, Turn};
use crate::gather::{EVERYTHING, Found, gather};
use facts::Facts;
use phrases::{Phrases, languages, of_language};
use resolve::{Back, Before, Known, Reading, Resolution, Rule, answer_back, resolve};
use said::{Refers, Said};

/// Hits of an answer that is to be shown whole.
const ALL: usize = 1_000;
/// So many of the words before places can stand before nothing else.
const PREPOSITIONS: usize = 1;
/// What stands before the name of those who own something.
const OWNER: &str = "team";
/// Words of a fragment that may be a place alone.
const PLACE_WORDS: usize = 3;

/// As [`gather`], for the next question of a conversation: what it does not say is taken over from the turn before, and the answer tells
/// what that was. A question that stands by itself takes nothing over.
///
/// # Errors
/// As [`Index::ask`].
pub fn gather_next<'f>(
    index: &'f Index,
    catalogue: &'f Catalogue,
    scope: &'f Scope,
    request: &'f Request,
    conversation: &'f Conversation,
) -> BoxFuture<'f, Result<Found, SearchError>> {
    Box::pin(async move {
        let types = index.types(scope).await?;
        let reader = Reader { index, catalogue, scope, request, types: &types };
        let mut resolution = Resolution::Alone;
        if let Some(turn) = conversation.asked_back() {
            resolution = reader.resolve(conversation, turn, &turn.shown, answer_back).await?;
        }
        if let (Resolution::Alone, Some(turn)) = (&resolution, conversation.last()) {
            resolution = reader.resolve(conversation, turn, conversation.list(), resolve).await?;
        }
        let typed = request.question.clone();
        match resolution {
            Resolution::Alone => gather(index, catalogue, scope, request).await,
            Resolution::As(Reading { question, objects, types, noun, all, told }) => {
                let request = Request {
                    question: question.clone(),
                    objects: objects.clone(),
                    kinds: if types.is_empty() { request.kinds.clone() } else { types },
                    limit: if all { request.limit.max(ALL) } else { request.limit },
                    ..request.clone()
                };
                let found = gather(index, catalogue, scope, &request).await?;
                let took = Took { text: told, question, objects };
                Ok(Found { typed, took: Some(took), noun, ..found })
            }
            Resolution::Back(Back { said, text, candidates }) => {
                let of_objects = candidates.iter().any(|id| parts(id).is_some());
                let reply = match of_objects {
                    true => {
                        let question = EVERYTHING.to_owned();
                        index.ask(scope, &Request { question, objects: candidates.clone(), ..request.clone() }).await?
                    }
                    false => Reply::default(),
                };
                Ok(Found::back(&reply, request, types, Asks { text, candidates, said }))
            }
        }
    })
}

/// Reads questions for the rule.
struct Reader<'a> {
    index: &'a Index,
    catalogue: &'a Catalogue,
    scope: &'a Scope,
    request: &'a Request,
    types: &'a [(String, ResourceType)],
}

impl Reader<'_> {
    async fn resolve(
        &self,
        conversation: &Conversation,
        turn: &Turn,
        list: &[String],
        rule: Rule,
    ) -> Result<Resolution, SearchError> {
        let Some((said, phrases)) = self.said(&turn.asked).await? else { return Ok(Resolution::Alone) };
        let of_many = matches!(said.refers, Some(Refers::Them(_) | Refers::Those(_)));
        let turn = if of_many { conversation.last_of_many().unwrap_or(turn) } else { turn };
        let before = Before { turn, list, facts: self.facts(&turn.asked, phrases).await? };
        let mut bare = self.facts(&said.bare(), phrases).await?;
        for place in may_be_places(&said, &bare, &before.facts, phrases) {
            let read = self.facts(&place, phrases).await?;
            if read.has_place() && !read.has_thing() {
                bare = read;
                break;
            }
        }
        // "In nowhere?"
        let (first, words) = (bare.text.word(Some(0)).to_owned(), bare.text.words.len());
        let led = phrases.inside.iter().take(PREPOSITIONS).any(|inside| *inside == first);
        if led && (2..=PLACE_WORDS).contains(&words) && !bare.has_place() && !bare.known && !bare.narrows {
            bare = bare.taken_as_place();
        }
        Ok(rule(&before, &said, &bare, phrases, self))
    }

    /// What the question says of the one before, in the language in which it says anything.
    async fn said(&self, before: &str) -> Result<Option<(Said, &'static Phrases)>, SearchError> {
        let question = &self.request.question;
        let led = languages().iter().map(|phrases| (Said::of(question, phrases), phrases)).find(|(said, _)| said.leads);
        let mut tried: Vec<&'static Phrases> = led.iter().map(|(_, phrases)| *phrases).collect();
        let languages_of = [self.read(question).await?.language, Some("English"), self.read(before).await?.language];
        tried.extend(languages_of.into_iter().flatten().filter_map(of_language));
        let said = tried.iter().map(|phrases| (Said::of(question, phrases), *phrases));
        Ok(said.clone().find(|(said, _)| said.goes_on()).or_else(|| said.into_iter().next()))
    }

    async fn read(&self, text: &str) -> Result<clusterlore_search::ParsedQuery, SearchError> {
        let request = Request { question: text.to_owned(), hits: false, objects: Vec::new(), ..self.request.clone() };
        self.index.read(self.scope, &Request { collection: Collection::Instances, ..request }).await
    }

    async fn facts(&self, text: &str, phrases: &Phrases) -> Result<Facts, SearchError> {
        let parsed = self.read(text).await?;
        Ok(Facts::of(text, &parsed, phrases, self.catalogue, self.types))
    }
}

impl Known for Reader<'_> {
    fn reference(&self, id: &str) -> String {
        match parts(id) {
            Some((_, kind, name)) => format!("{}/{name}", kind.to_lowercase()),
            None => self.kind(id),
        }
    }

    fn called(&self, id: &str) -> String {
        match parts(id) {
            Some((namespace, kind, name)) if namespace == CLUSTER_SCOPE => format!("the {kind} {name}"),
            Some((namespace, kind, name)) => format!("the {kind} {name} in {namespace}"),
            None => format!("the resource type {id}"),
        }
    }

    fn kind(&self, id: &str) -> String {
        let of_type = || self.types.iter().find(|(_, ty)| ty.name() == id).map(|(_, ty)| ty.kind.clone());
        let kind = parts(id).map(|(_, kind, _)| kind.to_owned()).or_else(of_type);
        kind.unwrap_or_else(|| id.to_owned()).to_lowercase()
    }

    fn runs(&self, id: &str) -> bool {
        let kind = self.kind(id);
        let same = |ty: &&(String, ResourceType)| ty.1.kind.to_lowercase() == kind;
        let known = self.types.iter().filter(same).filter_map(|(_, ty)| self.catalogue.kind(&ty.group, &ty.kind));
        known.into_iter().any(|kind| matches!(kind.role, Role::Workload | Role::Claim))
    }

    fn is_noun(&self, word: &str) -> bool {
        !self.catalogue.asked(word).is_empty() || self.types.iter().any(|(_, ty)| ty.answers_to(word))
    }
}

/// Namespace, kind and name of a stored id (`cluster:namespace/version/kind/name`).
fn parts(id: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = id.split_once('/')?;
    let namespace = head.rsplit_once(':').map_or(head, |(_, namespace)| namespace);
    let parts: Vec<&str> = rest.split('/').collect();
    match parts[..] {
        [_, kind, name] | [_, _, kind, name] => Some((namespace, kind, name)),
        _ => None,
    }
}

/// A fragment may be a place though nothing in it says so: "what about production?", after "… of team shop" also "and payments?".
fn may_be_places(said: &Said, bare: &Facts, before: &Facts, phrases: &Phrases) -> Vec<String> {
    let words = &bare.text.words;
    let is_short = !words.is_empty() && words.len() <= PLACE_WORDS;
    let begins = words.first().is_some_and(|(word, _)| !phrases.asks.iter().any(|ask| ask == word));
    if !(is_short && begins && bare.has_thing()) || bare.has_place() || !(said.leads || said.only) {
        return Vec::new();
    }
    let name = bare.text.text.trim();
    let name = phrases.articles.iter().filter_map(|the| name.strip_prefix(&format!("{the} "))).next().unwrap_or(name);
    // As the place before was said, then as places are said at all.
    let alike = before
        .place_names
        .iter()
        .zip(&before.places)
        .filter(|(own, wide)| wide.start <= own.start && own.end <= wide.end);
    let alike = alike.map(|(own, wide)| {
        let text = &before.text.text;
        format!("{}{name}{}", &text[wide.start..own.start], &text[own.end..wide.end])
    });
    let inside = phrases.inside.first().map(|inside| format!("{inside} {name}"));
    let whose = std::iter::once(format!("{OWNER} {name}"));
    match bare.known || bare.names {
        // What names a thing is a place only where the question before had one of that sort.
        true if before.names || !before.has_place() => Vec::new(),
        true => alike.filter(|_| !bare.known).collect(),
        false => alike.chain(inside).chain(whose).collect(),
    }
}
