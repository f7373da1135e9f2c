//! What all tools have in common.

use std::future::Future;

use rmcp::model::{Tool as Told, ToolAnnotations};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ground::Ground;
use super::schema;

/// What a tool answers.
pub(super) struct Answer<T> {
    /// How many there are, how many are shown and how to narrow, in our own words: no text from a cluster.
    pub(super) told: String,
    /// The same as the object, a line each. Text from outside.
    pub(super) rows: String,
    /// What programs read.
    pub(super) object: T,
}

/// A tool that reads.
pub(super) trait Tool {
    /// As it is called.
    const NAME: &'static str;
    /// As people see it.
    const TITLE: &'static str;
    /// What it is for, for a model.
    const DESCRIPTION: &'static str;
    /// What it takes.
    type Input: DeserializeOwned + JsonSchema + Send;
    /// What it gives.
    type Output: Serialize + JsonSchema;

    /// Answers a call; the error says what is wrong, what was expected and what to do.
    fn call(
        ground: &Ground<'_>,
        input: Self::Input,
    ) -> impl Future<Output = Result<Answer<Self::Output>, String>> + Send;
}

/// A tool as clients are told of it.
pub(super) fn described<T: Tool>() -> Told {
    Told::new(T::NAME, T::DESCRIPTION, schema::of_input::<T::Input>())
        .with_title(T::TITLE)
        .with_raw_output_schema(schema::of_output::<T::Output>())
        .with_annotations(reads(T::TITLE))
}

/// What clients are told of a tool that only reads.
pub(super) fn reads(title: &str) -> ToolAnnotations {
    ToolAnnotations::with_title(title).read_only(true).destructive(false).idempotent(true).open_world(false)
}
