//! How a command ended.

use crate::args::ListFlags;

/// What a command ended with, as far as it did not fail.
pub(crate) enum Done {
    /// All of it.
    Whole,
    /// A part was left out for another reason than permission.
    InPart,
    /// Nothing was found, by a caller who wants to see that in the status.
    Nothing,
}

impl Done {
    /// How a list ends, in which there is something or not.
    pub(crate) fn of(found: bool, flags: &ListFlags) -> Self {
        if found || !flags.exit_status { Self::Whole } else { Self::Nothing }
    }
}
