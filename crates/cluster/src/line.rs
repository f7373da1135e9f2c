//! What others say, as far as it can stand in a message.

use clusterlore_core::words;

/// Folds white space, and cuts off what is long.
pub(crate) fn one_line(text: &str) -> String {
    let line = words::one_line(text);
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
