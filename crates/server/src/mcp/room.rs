//! How much of an answer a model gets.

use serde::Serialize;

/// Characters of the text and the object of an answer together, where nobody asks for more: well under 4,000 tokens.
const USUAL: usize = 13_000;
/// The same where a caller names a limit.
const MOST: usize = 40_000;

/// How much room there is where a caller names this limit.
pub(super) fn of(limit: Option<u16>) -> usize {
    if limit.is_some() { MOST } else { USUAL }
}

/// The first of the elements that fit: each with its line of text.
pub(super) fn fitting<T: Serialize>(all: Vec<(String, T)>, room: usize) -> (Vec<String>, Vec<T>) {
    let mut left = room;
    let takes = |line: &str, element: &T| {
        line.chars().count() + serde_json::to_string(element).map_or(0, |json| json.chars().count())
    };
    let fits = |(line, element): &(String, T)| {
        let taken = takes(line, element);
        let fits = taken <= left;
        left = left.saturating_sub(taken);
        fits
    };
    all.into_iter().take_while(fits).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_at_the_end() {
        let all = || (0..5).map(|n| ("é".repeat(8), n)).collect::<Vec<_>>();
        assert_eq!(fitting(all(), 27).1, [0, 1, 2]);
        assert_eq!(fitting(all(), 8).1, [0; 0]);
        assert_eq!(fitting(all(), 45).0.len(), 5);
    }
}
