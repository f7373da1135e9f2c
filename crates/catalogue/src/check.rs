//! What must hold of the entries, so that a lookup never meets a gap.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_core::words;

use crate::entry::{Category, Text};
use crate::file::Entries;
use crate::index::key;

/// The longest sentence, in words.
const SENTENCE: usize = 25;

/// Everything that is wrong with the entries: the entry, and the problem with what was expected. Entries that
/// come later may replace earlier ones; that is done before.
pub(crate) fn check(entries: &Entries) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    let categories: BTreeMap<&str, &Category> = entries.categories.iter().map(|c| (&*c.id, c)).collect();
    let software: BTreeSet<&str> = entries.software.iter().map(|s| &*s.id).collect();
    let mut tell = |entry: &str, problem: String| wrong.push((entry.to_owned(), problem));

    for c in &entries.categories {
        let name = format!("categories.{}", c.id);
        if !kebab(&c.id) {
            tell(&name, "the id is not kebab-case; expected something like \"relational-database\"".to_owned());
        }
        sentence(&name, &c.about, &mut tell);
        if c.phrases.is_empty() {
            tell(&name, "phrases is empty; expected at least one way in which people ask for it".to_owned());
        }
        for parent in c.parents.iter().filter(|p| !categories.contains_key(&***p)) {
            tell(
                &name,
                format!(
                    "the parent {parent:?} is not a known category{}",
                    near(parent, "categories", categories.keys())
                ),
            );
        }
        if ancestors(&c.id, &categories).contains(&*c.id) {
            tell(&name, "is among its own ancestors; expected parents that lead to broader categories".to_owned());
        }
    }
    for s in &entries.software {
        let name = format!("software.{}", s.id);
        if !kebab(&s.id) {
            tell(&name, "the id is not kebab-case; expected something like \"cert-manager\"".to_owned());
        }
        if s.title.trim().is_empty() {
            tell(&name, "title is missing; expected the name as its authors write it".to_owned());
        }
        sentence(&name, &s.about, &mut tell);
        if s.categories.is_empty() || s.categories.len() > 4 {
            tell(&name, format!("{} categories; expected 1 to 4, the best one first", s.categories.len()));
        }
        let of_components = s.components.iter().map(|c| &c.category);
        for c in s.categories.iter().chain(of_components).filter(|c| !categories.contains_key(&***c)) {
            tell(&name, format!("{c:?} is not a known category{}", near(c, "categories", categories.keys())));
        }
        for alias in s.aliases.iter().chain(s.ambiguous.iter()).filter(|a| key(a).is_empty()) {
            tell(&name, format!("the alias {alias:?} has no letters; expected a word as it stands in names"));
        }
    }
    for (alias, owners) in duplicates(entries) {
        let names = owners.join(" and ");
        tell(&names, format!("both have the alias {alias:?}; expected it in one, or in ambiguous in all but one"));
    }
    for g in &entries.groups {
        let name = format!("groups.{:?}", g.group);
        if g.title.trim().is_empty() {
            tell(&name, "title is missing; expected whose group it is".to_owned());
        }
        sentence(&name, &g.about, &mut tell);
        if g.group.trim_start_matches("*.").contains('*') || !g.group.contains('.') {
            tell(&name, "is not a group; expected a domain such as \"example.org\", or \"*.example.org\"".to_owned());
        }
        if g.categories.is_empty() {
            tell(&name, "categories is empty; expected at least one".to_owned());
        }
        for c in g.categories.iter().filter(|c| !categories.contains_key(&***c)) {
            tell(&name, format!("{c:?} is not a known category{}", near(c, "categories", categories.keys())));
        }
        for s in g.software.iter().chain(g.runs.iter()).filter(|s| !software.contains(&***s)) {
            tell(&name, format!("{s:?} is not a known software{}", near(s, "software", software.iter())));
        }
    }
    for k in &entries.kinds {
        let name = format!("kinds.{:?}", k.name());
        sentence(&name, &k.about, &mut tell);
        if !k.kind.starts_with(char::is_alphabetic) || !k.kind.chars().all(char::is_alphanumeric) {
            tell(&name, "the kind is not a word; expected \"Kind\" or \"Kind.group\"".to_owned());
        }
        if k.built_in && k.plural.is_empty() {
            tell(&name, "plural is missing; expected something like \"deployments\"".to_owned());
        }
        for s in k.software.iter().filter(|s| !software.contains(&***s)) {
            tell(&name, format!("{s:?} is not a known software{}", near(s, "software", software.iter())));
        }
    }
    wrong
}

/// Ids of the broader categories; holds `id` itself only where there is a cycle.
pub(crate) fn ancestors<'a>(id: &str, categories: &BTreeMap<&'a str, &'a Category>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&str> = vec![id];
    while let Some(category) = next.pop().and_then(|id| categories.get(id)) {
        for parent in category.parents.iter().filter_map(|p| categories.get_key_value(&**p)) {
            if seen.insert(*parent.0) {
                next.push(parent.0);
            }
        }
        // A parent that is unknown is told elsewhere.
        next.retain(|id| categories.contains_key(id));
    }
    seen
}

fn duplicates(entries: &Entries) -> Vec<(String, Vec<String>)> {
    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for s in &entries.software {
        let ambiguous: BTreeSet<String> = s.ambiguous.iter().map(|a| key(a)).collect();
        let names = s.aliases.iter().chain([&s.id, &s.title]).map(|a| key(a));
        for alias in names.filter(|a| !ambiguous.contains(a)) {
            owners.entry(alias).or_default().insert(format!("software.{}", s.id));
        }
    }
    owners.into_iter().filter(|(_, o)| o.len() > 1).map(|(alias, o)| (alias, o.into_iter().collect())).collect()
}

fn sentence(name: &str, about: &Text, tell: &mut impl FnMut(&str, String)) {
    let words = about.split_whitespace().count();
    if words == 0 {
        tell(name, "about is missing; expected one short sentence".to_owned());
    } else if words > SENTENCE {
        tell(name, format!("about has {words} words; expected one sentence of at most {SENTENCE}"));
    }
}

fn kebab(id: &str) -> bool {
    !id.is_empty()
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !id.starts_with('-')
        && !id.ends_with('-')
        && !id.contains("--")
}

/// Known ids that share a word with what was written.
fn near<'a>(written: &str, section: &str, known: impl Iterator<Item = &'a &'a str>) -> String {
    let words = words::split(written);
    let found: Vec<String> =
        known.filter(|id| words.iter().any(|w| id.contains(w.as_str()))).take(3).map(|id| format!("{id:?}")).collect();
    if found.is_empty() {
        format!("; define it under [{section}] or use an existing one")
    } else {
        format!("; is it {}?", found.join(" or "))
    }
}
