//! Texts and names as Postgres can hold them.

use std::borrow::Cow;

/// Stands in the server's texts for U+0000, which Postgres cannot hold: a code point that is no character and never will be one.
const NUL: char = '\u{fdd0}';

/// Text as Postgres can hold it.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => text.replace('\0', NUL.encode_utf8(&mut [0; 4])).into(),
        false => text.into(),
    }
}

/// The inverse of [`clean`].
pub(super) fn restored(text: String) -> String {
    if text.contains(NUL) { text.replace(NUL, "\0") } else { text }
}

/// A name as SQL takes any.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
