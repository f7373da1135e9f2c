//! The text by which the encoder knows a document: what its record says, and what the catalogue knows of its software and its kind.
//! Other programs never see it; what they read of a document is its own text.

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{Capability, ResourceInstance, ResourceType};

use super::noun::{Noun, Recognised};

/// Software that an object is less surely than this says nothing about it here.
const SURE_ENOUGH: f32 = 0.3;
/// Keys (without their domain) of labels that controllers and packagers write alike on everything.
const BOILERPLATE: [&str; 16] = [
    "chart",
    "controller-revision-hash",
    "controller-uid",
    "created-by",
    "hash",
    "heritage",
    "job-completion-index",
    "managed-by",
    "metadata.name",
    "pod-index",
    "pod-name",
    "pod-template-generation",
    "pod-template-hash",
    "release",
    "revision",
    "version",
];

/// Whether labels of this key stand on everything alike.
pub(crate) fn is_boilerplate(key: &str) -> bool {
    BOILERPLATE.contains(&key.rsplit('/').next().unwrap_or(key))
}

/// The text of a document.
pub(crate) fn described(catalogue: &Catalogue, noun: &Noun, recognised: &[Recognised]) -> String {
    match noun {
        Noun::Instance(instance) => of_instance(catalogue, instance, recognised),
        Noun::Type(ty, capability) => of_type(catalogue, ty, capability.as_deref()),
    }
}

fn of_instance(catalogue: &Catalogue, instance: &ResourceInstance, recognised: &[Recognised]) -> String {
    let mut parts = vec![format!("{} {}", instance.kind, instance.name)];
    if !instance.is_cluster_scoped() {
        parts.push(format!("namespace {}", instance.namespace));
    }
    parts.push(instance.description());
    let surest = recognised.iter().filter(|r| r.weight >= SURE_ENOUGH).max_by(|a, b| a.weight.total_cmp(&b.weight));
    if let Some(surest) = surest {
        let software = surest.software(catalogue);
        let categories: Vec<String> = surest.categories(catalogue).iter().map(|c| c.replace('-', " ")).collect();
        parts.push(format!("{}: {}", software.title, categories.join(", ")));
        // A part is not for what the whole is for.
        match surest.part_category().and_then(|c| catalogue.category(c)) {
            Some(category) => parts.push(category.about.to_string()),
            None => parts.push(software.about.to_string()),
        }
    }
    parts.extend(catalogue.kind(&instance.api_group, &instance.kind).map(|kind| kind.about.to_string()));
    let labels = instance.labels.iter().filter(|(key, _)| !is_boilerplate(key));
    parts.extend(labels.map(|(_, value)| value.clone()));
    joined(parts)
}

fn of_type(catalogue: &Catalogue, ty: &ResourceType, capability: Option<&Capability>) -> String {
    let mut parts = vec![format!("{} {}", ty.kind, ty.group)];
    match capability {
        Some(c) => parts.extend([c.description.clone(), c.capabilities.join(", "), c.use_case.clone()]),
        None => parts.push(ty.description.clone()),
    }
    if let Some(kind) = catalogue.kind(&ty.group, &ty.kind) {
        parts.push(kind.synonyms.join(", "));
    }
    joined(parts)
}

fn joined(mut parts: Vec<String>) -> String {
    parts.retain(|part| !part.trim().is_empty());
    parts.join(". ")
}
