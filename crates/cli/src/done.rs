//! How a command ended.

/// What a command ended with, as far as it did not fail.
pub(crate) enum Done {
    /// All of it.
    Whole,
    /// A part was left out for another reason than permission.
    InPart,
}
