//! Inference by a language model, whose answers are kept.

use clusterlore_core::{Capability, ResourceType, TypeSchema};
use clusterlore_models::{CAPABILITY_PROMPT_VERSION, CapabilityAnswer, LanguageModel, ModelError, ask_capability};
use clusterlore_store::Store;

use crate::SyncError;

/// What came of it.
pub(super) enum Answer {
    Known(Box<Capability>),
    /// A dry run asks no model.
    NotAsked,
    /// The model answers in another form than was asked for.
    Unusable(String),
}

/// Asks the model, unless it was asked before about the same type, schema and prompt.
pub(super) async fn infer(
    model: &dyn LanguageModel,
    ty: &ResourceType,
    schema: &TypeSchema,
    store: Option<&dyn Store>,
    dry_run: bool,
) -> Result<Answer, SyncError> {
    let key = key(model.name(), ty, schema);
    let kept = match store {
        Some(store) => store.answer(&key).await?,
        None => None,
    };
    if let Some(answer) = kept.and_then(|text| serde_json::from_str::<CapabilityAnswer>(&text).ok()) {
        return Ok(Answer::Known(Box::new(capability(answer, ty, schema))));
    }
    if dry_run {
        return Ok(Answer::NotAsked);
    }
    match ask_capability(model, ty, schema).await {
        Ok(answer) => {
            if let Some(store) = store {
                store.remember_answer(&key, &serde_json::to_string(&answer).unwrap_or_default()).await?;
            }
            Ok(Answer::Known(Box::new(capability(answer, ty, schema))))
        }
        Err(error @ ModelError::Malformed { .. }) => Ok(Answer::Unusable(error.to_string())),
        Err(error @ ModelError::Unavailable { .. }) => Err(SyncError::Model(error)),
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
