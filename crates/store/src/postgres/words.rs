//! Terms, as far as Postgres can hold and look for them.

use super::text::clean;

/// Bytes of a term that count. An index takes no more than some 2,700, and no word that somebody asks for is as long.
const LONGEST_TERM: usize = 1_000;
/// Bytes of a document's words that count: a `tsvector` holds one megabyte.
const MOST_WORDS: usize = 900_000;

/// The terms of words, as far as Postgres can hold them.
pub(super) fn words(words: &str) -> impl Iterator<Item = &str> {
    let mut bytes = 0;
    let terms = words.split(' ').map(term).filter(|term| !term.is_empty());
    terms.take_while(move |term| {
        bytes += term.len();
        bytes <= MOST_WORDS
    })
}

/// A term, as far as it counts.
pub(super) fn term(term: &str) -> &str {
    &term[..term.floor_char_boundary(LONGEST_TERM)]
}

/// A term as the text of a query for exactly it.
pub(super) fn lexeme(text: &str) -> String {
    format!("'{}'", clean(term(text)).replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_asks_for_itself_only() {
        assert_eq!(lexeme("o'neil\\|x"), "'o''neil\\\\|x'");
        assert_eq!(lexeme(&"é".repeat(2_000)).len(), 1_002);
    }
}
