//! How a command ended.

use crate::args::ListFlags;

/// What a command ended with, as far as it did not fail.
pub(crate) enum Done {
    /// All of it.
    Whole,
    /// A part was left out for another reason than permission.
    InPart,
    /// Nothing was found, of what is not there, or by a caller who wants to see that in the status.
    Nothing,
}

impl Done {
    /// How a list ends, in which there is something or not: what flags name in vain counts as wrong, as it does with an unknown kind.
    pub(crate) fn of(found: bool, unknown: bool, flags: &ListFlags) -> Self {
        if found || !(unknown || flags.exit_status) { Self::Whole } else { Self::Nothing }
    }
}
