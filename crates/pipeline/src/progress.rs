//! What a run tells while it runs, and what it comes to.

use clusterlore_core::JournalEntry;
use clusterlore_models::{LanguageModel, Metered, ModelError, Spent};
use clusterlore_store::Holder;
use serde::Serialize;

/// Something that happened in a run. Whoever draws it lives elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Another run writes to the store, and this one waits for it.
    WaitingForLock {
        /// The file, or the server's address and the cluster.
        place: String,
        /// Who writes, where that is known.
        holder: Option<Holder>,
    },
    /// Discovery begins.
    Discovering,
    /// This many resource types exist.
    Found(usize),
    /// What the filter left.
    Filtered {
        /// Types that are read.
        kept: usize,
        /// Types that are not.
        removed: usize,
    },
    /// A type's list begins.
    Listing {
        /// From 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// `plural.group`.
        type_name: String,
    },
    /// Schemas are being read of this many types.
    ReadingSchemas(usize),
    /// All schemas were read.
    SchemasRead {
        /// Types whose schema was read.
        read: usize,
        /// Types whose schema is what it was.
        unchanged: usize,
    },
    /// A type's capability is being inferred.
    Inferring {
        /// From 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// `plural.group`.
        type_name: String,
    },
    /// All capabilities are known.
    Inferred(usize),
    /// This many objects were listed so far.
    Listed(usize),
    /// The run would delete most of what is known, so the types concerned are listed a second time.
    ListingAgain {
        /// Documents that would go.
        removals: usize,
        /// Documents that are known of the cluster.
        known: usize,
        /// Types that are listed again.
        types: usize,
    },
    /// Something to know that does not stop the run: one line.
    Warning(String),
    /// All lists have ended.
    Discovered {
        /// Objects.
        instances: usize,
        /// Types.
        types: usize,
    },
    /// Writing of instances begins.
    Storing(usize),
    /// Writing of capabilities begins.
    StoringCapabilities(usize),
    /// This many were written so far.
    Stored(usize),
    /// Writing of instances has ended.
    StorageComplete(usize),
    /// Writing of capabilities has ended.
    CapabilitiesStored(usize),
    /// From here on this many types are followed.
    Following(usize),
    /// Something happened in a live cluster, and is in the index.
    Happened(JournalEntry),
    /// So much more happened at the same time.
    MoreHappened(usize),
    /// A type came that is followed from here on: `plural.group`.
    TypeCame(String),
    /// A type is served no more: `plural.group`.
    TypeWent(String),
    /// Types are not followed for a while.
    Interrupted {
        /// How many.
        types: usize,
        /// The first of them.
        first: String,
        /// Why.
        reason: String,
    },
    /// All types are followed again.
    Resumed,
    /// A dry run would do this.
    WouldStore(String),
    /// A dry run would do this.
    WouldDelete(String),
}

/// Hears what happens, from any thread.
pub type Observer<'a> = dyn Fn(Progress) + Send + Sync + 'a;

/// A type that was not read to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SkippedType {
    /// `plural.group`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// One line.
    pub reason: String,
    /// Whether it was for lack of permission.
    #[serde(skip)]
    pub forbidden: bool,
    /// Whether there may be namespaces that were not read because they cannot be listed and nobody named them.
    #[serde(skip)]
    pub unnamed: bool,
    /// What the language model did instead of answering, where its provider failed.
    #[serde(skip)]
    pub model: Option<ModelError>,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// Source's identity, types, what the store knows.
    pub discover: f64,
    /// Lists, or schemas.
    pub list: f64,
    /// Inference; nothing of it in a run over instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infer: Option<f64>,
    /// Vectors; part of it runs beside `store`.
    pub embed: f64,
    /// Writes and deletes.
    pub store: f64,
    /// All of it.
    pub total: f64,
}

/// What was asked of a language model.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelUse {
    /// Which model.
    #[serde(skip)]
    pub name: String,
    /// Questions that were put; a request that had to be repeated counts once.
    pub calls: u64,
    /// Tokens of the questions.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// US dollars, as estimated from list prices to a millionth; `None` where the price is not known.
    pub cost: Option<f64>,
}

impl ModelUse {
    pub(crate) fn of(model: &Metered) -> Self {
        let Spent { calls, tokens } = model.spent();
        Self {
            name: model.name().to_owned(),
            calls,
            input_tokens: tokens.input,
            output_tokens: tokens.output,
            cost: model.cost().map(|cost| (cost * 1e6).round() / 1e6),
        }
    }

    /// One line.
    pub fn line(&self) -> String {
        let Self { name, calls, input_tokens, output_tokens, cost } = self;
        if *calls == 0 {
            return format!("Model {name}: no calls.");
        }
        let cost = cost.map(|cost| format!(", about ${cost:.4}")).unwrap_or_default();
        let plural = if *calls == 1 { "" } else { "s" };
        format!("Model {name}: {calls} call{plural}, {input_tokens} tokens in, {output_tokens} tokens out{cost}.")
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Objects listed, or capabilities inferred.
    pub discovered: usize,
    /// Documents written (in a dry run: that would be).
    pub stored: usize,
    /// Objects whose document was right already.
    pub unchanged: usize,
    /// Documents deleted (in a dry run: that would be).
    pub deleted: usize,
    /// Types that were not read to their end; their documents stay.
    pub skipped: Vec<SkippedType>,
    /// What was asked of a language model, where one infers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelUse>,
    /// Where the time went.
    pub seconds: Seconds,
}

impl Summary {
    /// Whether something was left out for another reason than permission.
    pub fn is_partial(&self) -> bool {
        self.skipped.iter().any(|s| !s.forbidden)
    }

    /// The run's last line.
    pub fn line(&self) -> String {
        let Self { discovered, stored, unchanged, deleted, .. } = self;
        let tail = if *unchanged > 0 { format!(", {unchanged} unchanged") } else { String::new() };
        format!("Sync complete: {discovered} discovered, {stored} stored, {deleted} deleted{tail}.")
    }

    /// The line before it, where types were skipped.
    pub fn skipped_line(&self) -> Option<String> {
        if self.skipped.is_empty() {
            return None;
        }
        let mut each: Vec<(&str, Vec<&str>)> = Vec::new();
        for SkippedType { type_name, reason, .. } in &self.skipped {
            match each.iter_mut().find(|(other, _)| other == reason) {
                Some((_, names)) => names.push(type_name),
                None => each.push((reason, vec![type_name])),
            }
        }
        let each: Vec<String> = each.iter().map(|(reason, names)| format!("{} ({reason})", named(names))).collect();
        let (skipped, each) = (self.skipped.len(), each.join(", "));
        let types = if skipped == 1 { "type" } else { "types" };
        Some(format!("Skipped {skipped} resource {types}, their documents stay: {each}."))
    }
}

/// Names, and how many more there are where they are many.
fn named(names: &[&str]) -> String {
    const MOST: usize = 10;
    match names.len().saturating_sub(MOST) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MOST].join(", ")),
    }
}

impl Progress {
    /// Whether something is not as it should be.
    pub fn is_trouble(&self) -> bool {
        matches!(self, Self::Warning(_) | Self::Interrupted { .. })
    }
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::WaitingForLock { place, holder } => {
                let holder = holder.as_ref().map(|holder| format!(": {holder}")).unwrap_or_default();
                write!(f, "Waiting until another run has written to {place}{holder}...")
            }
            Self::Discovering => write!(f, "Discovering API resources..."),
            Self::Found(n) => write!(f, "Found {n} API resources."),
            Self::Filtered { kept, removed } => {
                write!(f, "After filtering: {kept} resource types (removed {removed}).")
            }
            Self::Listing { number, of, type_name } => write!(f, "Listing instances ({number} of {of}): {type_name}"),
            Self::ReadingSchemas(n) => write!(f, "Reading schemas of {n} resource types..."),
            Self::SchemasRead { read, unchanged } => write!(f, "Schemas complete: {read} read, {unchanged} unchanged."),
            Self::Inferring { number, of, type_name } => {
                write!(f, "Inferring capability ({number} of {of}): {type_name}")
            }
            Self::Inferred(n) => write!(f, "Inference complete: {n} capabilities."),
            Self::Listed(n) => write!(f, "{n} listed"),
            Self::ListingAgain { removals, known, types } => write!(
                f,
                "{removals} of {known} known documents have no object any more: listing {types} resource types a second time before any is deleted..."
            ),
            Self::Warning(line) => write!(f, "Warning: {line}"),
            Self::Discovered { instances, types } => {
                write!(f, "Discovery complete: {instances} instances across {types} resource types.")
            }
            Self::Storing(n) => write!(f, "Storing {n} resource instances in vector database..."),
            Self::StoringCapabilities(n) => write!(f, "Storing {n} capabilities in vector database..."),
            Self::CapabilitiesStored(n) => {
                let collection = clusterlore_core::Collection::Capabilities;
                write!(f, "Storage complete: {n} capabilities stored in \"{collection}\" collection.")
            }
            Self::Stored(n) => write!(f, "{n} stored"),
            Self::StorageComplete(n) => {
                write!(
                    f,
                    "Storage complete: {n} instances stored in \"{}\" collection.",
                    clusterlore_core::Collection::Instances
                )
            }
            Self::Following(n) => write!(f, "Watching {n} resource types."),
            Self::Happened(entry) => write!(f, "{entry}"),
            Self::MoreHappened(1) => write!(f, "and 1 change more"),
            Self::MoreHappened(more) => write!(f, "and {more} changes more"),
            Self::TypeCame(name) => write!(f, "Resource type {name} is new, and watched from here on."),
            Self::TypeWent(name) => write!(f, "Resource type {name} is served no more."),
            Self::Interrupted { types: 1, first, reason } => {
                write!(f, "{first} cannot be watched now, and is tried again: {reason}")
            }
            Self::Interrupted { types, first, reason } => {
                write!(f, "{types} resource types cannot be watched now, and are tried again; {first}: {reason}")
            }
            Self::Resumed => write!(f, "All resource types are watched again."),
            Self::WouldStore(id) => write!(f, "would store {id}"),
            Self::WouldDelete(id) => write!(f, "would delete {id}"),
        }
    }
}

/// How a run ended that was not cut off.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What it came to.
    pub summary: Summary,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_contract() {
        let lines = [
            Progress::Discovering,
            Progress::Found(45),
            Progress::Filtered { kept: 32, removed: 13 },
            Progress::Listing { number: 1, of: 32, type_name: "deployments.apps".into() },
            Progress::Discovered { instances: 87, types: 32 },
            Progress::Storing(87),
            Progress::StorageComplete(87),
        ]
        .map(|p| p.to_string());
        assert_eq!(
            lines.join("\n"),
            "Discovering API resources...\n\
             Found 45 API resources.\n\
             After filtering: 32 resource types (removed 13).\n\
             Listing instances (1 of 32): deployments.apps\n\
             Discovery complete: 87 instances across 32 resource types.\n\
             Storing 87 resource instances in vector database...\n\
             Storage complete: 87 instances stored in \"instances\" collection."
        );
    }

    #[test]
    fn lines_of_capabilities_are_in_their_manner() {
        let lines = [
            Progress::ReadingSchemas(32),
            Progress::SchemasRead { read: 2, unchanged: 30 },
            Progress::Inferring { number: 1, of: 32, type_name: "deployments.apps".into() },
            Progress::Inferred(32),
            Progress::StoringCapabilities(2),
            Progress::CapabilitiesStored(2),
        ]
        .map(|p| p.to_string());
        assert_eq!(
            lines.join("\n"),
            "Reading schemas of 32 resource types...\n\
             Schemas complete: 2 read, 30 unchanged.\n\
             Inferring capability (1 of 32): deployments.apps\n\
             Inference complete: 32 capabilities.\n\
             Storing 2 capabilities in vector database...\n\
             Storage complete: 2 capabilities stored in \"capabilities\" collection."
        );
    }

    #[test]
    fn summaries_are_the_contract() {
        let mut summary = Summary { discovered: 87, stored: 87, ..Summary::default() };
        assert_eq!(summary.line(), "Sync complete: 87 discovered, 87 stored, 0 deleted.");
        assert_eq!(summary.skipped_line(), None);
        (summary.stored, summary.unchanged) = (2, 85);
        assert_eq!(summary.line(), "Sync complete: 87 discovered, 2 stored, 0 deleted, 85 unchanged.");
        summary.skipped.push(SkippedType {
            type_name: "secrets".into(),
            reason: "forbidden".into(),
            forbidden: true,
            ..SkippedType::default()
        });
        assert!(!summary.is_partial());
        for (name, reason) in [("pods", "status 500"), ("leases", "forbidden")] {
            summary.skipped.push(SkippedType {
                type_name: name.into(),
                reason: reason.into(),
                ..SkippedType::default()
            });
        }
        let line = "Skipped 3 resource types, their documents stay: secrets, leases (forbidden), pods (status 500).";
        assert_eq!(summary.skipped_line().as_deref(), Some(line));
        let many =
            (0..12).map(|n| SkippedType { type_name: format!("t{n}"), reason: "x".into(), ..SkippedType::default() });
        let line = Summary { skipped: many.collect(), ..Summary::default() }.skipped_line();
        assert!(line.is_some_and(|l| l.ends_with(": t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and 2 more (x).")));
        summary.skipped.truncate(1);
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["skipped"], serde_json::json!([{"type": "secrets", "reason": "forbidden"}]));
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["deleted", "discovered", "seconds", "skipped", "stored", "unchanged"]);
    }

    #[test]
    fn a_model_adds_an_object_and_a_line() {
        let mut used =
            ModelUse { name: "anthropic:m".into(), calls: 12, input_tokens: 9_600, output_tokens: 1_200, cost: None };
        assert_eq!(used.line(), "Model anthropic:m: 12 calls, 9600 tokens in, 1200 tokens out.");
        used.cost = Some(0.001_56);
        assert_eq!(used.line(), "Model anthropic:m: 12 calls, 9600 tokens in, 1200 tokens out, about $0.0016.");
        let json = serde_json::to_value(Summary { model: Some(used), ..Summary::default() }).unwrap();
        let expected = serde_json::json!({"calls": 12, "inputTokens": 9600, "outputTokens": 1200, "cost": 0.00156});
        assert_eq!(json["model"], expected);
    }
}
