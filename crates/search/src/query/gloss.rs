//! Reads the free text of a question in another language word by word, so that an embedder for English can read it.

use std::collections::BTreeSet;

use clusterlore_catalogue::{Glossary, Known};
use clusterlore_core::{Collection, words};
use clusterlore_store::{StoreError, View};

use super::english::is_word;
use super::parsed::{Note, ParsedQuery};

/// Adds the English words. Words that the index holds stay beside them if they are not English: objects have German names too.
pub(super) async fn read(view: &dyn View, collection: Collection, parsed: &mut ParsedQuery) -> Result<(), StoreError> {
    let Some((language, glossary)) = parsed.language.and_then(|name| Some((name, Glossary::of(name)?))) else {
        return Ok(());
    };
    if parsed.scope_only {
        return Ok(());
    }
    let terms = words::terms(&parsed.text);
    let frequencies = view.frequencies(collection, &terms).await?;
    let held: BTreeSet<&String> = terms.iter().zip(frequencies).filter(|(_, n)| *n > 0).map(|(term, _)| term).collect();
    let known = |word: &str| {
        let word = word.to_lowercase();
        if is_word(&word) {
            Known::English
        } else if held.contains(&words::stem(&word)) {
            Known::Name
        } else {
            Known::No
        }
    };
    if let Some(english) = glossary.gloss(&parsed.text, known) {
        parsed.notes.retain(|note| !matches!(note, Note::Language(_)));
        parsed.notes.push(Note::Read { language, english: english.clone() });
        parsed.english = Some(english);
    }
    Ok(())
}
