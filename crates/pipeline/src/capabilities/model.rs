//! Inference by a language model, whose answers are kept as they come.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use clusterlore_core::{Capability, ResourceType, TypeSchema};
use clusterlore_models::{
    CAPABILITY_PROMPT_VERSION, CapabilityAnswer, LanguageModel, ModelError, RemoteError, ask_capability,
};
use clusterlore_store::Store;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::error::SyncError;
use crate::progress::{Observer, Progress};

/// Questions at once.
const AT_ONCE: usize = 4;
/// After this many failures without an answer between them the model is not asked any more; each is five requests.
const FAILURES: usize = 3;

/// What came of a type.
pub(super) enum Told {
    Known(Box<Capability>),
    /// A dry run asks no model.
    NotAsked,
    /// No answer.
    Nothing(Nothing),
}

/// Why there is no answer.
#[derive(Clone)]
pub(super) struct Nothing {
    pub(super) reason: String,
    /// Where the provider failed.
    pub(super) error: Option<ModelError>,
}

/// How it went so far.
#[derive(Default)]
struct Course {
    answered: bool,
    /// Since the last answer.
    failures: usize,
    first: Option<ModelError>,
    /// Why no more is asked.
    stopped: Option<Nothing>,
}

impl Course {
    fn failed(&mut self, error: ModelError) -> Nothing {
        let reason = error.to_string();
        self.failures += 1;
        // The same key will be refused again.
        let hopeless = matches!(error, ModelError::Remote { problem: RemoteError::Key { .. }, .. });
        if self.failures >= FAILURES || hopeless {
            let stopped = || Nothing { reason: format!("not asked: {reason}"), error: Some(error.clone()) };
            self.stopped.get_or_insert_with(stopped);
        }
        self.first.get_or_insert_with(|| error.clone());
        Nothing { reason, error: Some(error) }
    }
}

/// Asks the model about those types that it was not asked about before with the same schema and prompt; each with its place among
/// all. Gives what came of each, by `plural.group`.
///
/// # Errors
/// The store cannot be used, or the model failed before it answered anything.
pub(super) async fn ask(
    model: &dyn LanguageModel,
    types: &[(usize, &ResourceType, &TypeSchema)],
    of: usize,
    store: Option<&dyn Store>,
    dry_run: bool,
    observer: &Observer<'_>,
) -> Result<HashMap<String, Told>, SyncError> {
    let mut told = HashMap::new();
    let mut open = Vec::new();
    for &(number, ty, schema) in types {
        let key = key(model.name(), ty, schema);
        let kept = match store {
            Some(store) => store.answer(&key).await?,
            None => None,
        };
        match kept.and_then(|text| serde_json::from_str::<CapabilityAnswer>(&text).ok()) {
            Some(answer) => drop(told.insert(ty.name(), Told::Known(Box::new(capability(answer, ty, schema))))),
            None if dry_run => drop(told.insert(ty.name(), Told::NotAsked)),
            None => open.push((number, ty, schema, key)),
        }
    }
    let asking = Asking { model, store, observer, of, course: Mutex::default() };
    let asked: Vec<_> = open.into_iter().map(|(number, ty, schema, key)| asking.one(number, ty, schema, key)).collect();
    let asked: Vec<(String, Told)> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
    let mut course = asking.course();
    if !course.answered
        && let Some(error) = course.first.take()
    {
        return Err(SyncError::Model(error));
    }
    told.extend(asked);
    Ok(told)
}

/// A run's questions.
struct Asking<'a> {
    model: &'a dyn LanguageModel,
    store: Option<&'a dyn Store>,
    observer: &'a Observer<'a>,
    of: usize,
    course: Mutex<Course>,
}

impl Asking<'_> {
    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks about one type, unless the model is left alone by now; keeps the answer at once.
    async fn one(
        &self,
        number: usize,
        ty: &ResourceType,
        schema: &TypeSchema,
        key: String,
    ) -> Result<(String, Told), SyncError> {
        let type_name = ty.name();
        if let Some(stopped) = self.course().stopped.clone() {
            return Ok((type_name, Told::Nothing(stopped)));
        }
        (self.observer)(Progress::Inferring { number, of: self.of, type_name: type_name.clone() });
        let answer = ask_capability(self.model, ty, schema).await;
        if let (Ok(answer), Some(store)) = (&answer, self.store) {
            store.remember_answer(&key, &serde_json::to_string(answer).unwrap_or_default()).await?;
        }
        let mut course = self.course();
        if matches!(answer, Ok(_) | Err(ModelError::NoAnswer { .. } | ModelError::Malformed { .. })) {
            (course.answered, course.failures) = (true, 0);
        }
        let told = match answer {
            Ok(answer) => Told::Known(Box::new(capability(answer, ty, schema))),
            Err(ModelError::Limit(limit)) => {
                let stopped = || Nothing { reason: format!("not asked: {limit}"), error: None };
                Told::Nothing(course.stopped.get_or_insert_with(stopped).clone())
            }
            Err(error @ ModelError::Remote { .. }) => Told::Nothing(course.failed(error)),
            Err(error) => Told::Nothing(Nothing { reason: error.to_string(), error: None }),
        };
        Ok((type_name, told))
    }
}

/// All that the answer depends on.
fn key(model: &str, ty: &ResourceType, schema: &TypeSchema) -> String {
    let description = if schema.description.is_empty() { &ty.description } else { "" };
    let asked = TypeSchema {
        description: format!(
            "{}\0{}\0{}\0{}\0{}\0{description}",
            ty.name(),
            ty.kind,
            ty.short_names.join(","),
            ty.categories.join(","),
            ty.namespaced
        ),
        ..TypeSchema::default()
    };
    format!("capability/{CAPABILITY_PROMPT_VERSION}/{model}/{}/{}", asked.hash(), schema.hash())
}

fn capability(answer: CapabilityAnswer, ty: &ResourceType, schema: &TypeSchema) -> Capability {
    Capability {
        resource_name: ty.name(),
        api_version: ty.api_version(),
        group: ty.group.clone(),
        kind: ty.kind.clone(),
        capabilities: answer.capabilities,
        providers: answer.providers,
        complexity: answer.complexity,
        description: answer.description,
        use_case: answer.use_case,
        confidence: answer.confidence,
        example_yaml: String::new(),
        spec_description: super::rules::spec_description(ty, schema),
    }
}
