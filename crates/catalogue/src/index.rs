//! Sorted tables over the entries. Made when the crate is built, and again where a user's file adds to them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use clusterlore_core::words;

use crate::entry::{Category, Group, Kind, Software, Text};
use crate::file::Entries;

/// Everything that is known, each table in the order of its first field.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) categories: Cow<'static, [Category]>,
    pub(crate) software: Cow<'static, [Software]>,
    pub(crate) groups: Cow<'static, [Group]>,
    /// In the order of group and kind.
    pub(crate) kinds: Cow<'static, [Kind]>,
    pub(crate) aliases: Cow<'static, [Alias]>,
    pub(crate) phrases: Cow<'static, [Phrase]>,
    /// Phrases without spaces between their words, the longest first.
    pub(crate) unspaced: Cow<'static, [Phrase]>,
    pub(crate) domains: Cow<'static, [Domain]>,
    /// Every English word of names and phrases, lower-case.
    pub(crate) words: Cow<'static, [Text]>,
}

/// One way in which a software appears.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alias {
    /// Its words without anything between them ([`key`]).
    pub(crate) key: Text,
    /// As it stands in the entry.
    pub(crate) spelt: Text,
    /// Index in `software`.
    pub(crate) software: u16,
    pub(crate) ambiguous: bool,
}

/// One way in which people ask for something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Phrase {
    /// Stemmed (English) or folded (other languages) words with a space between them; stop words are left out where more
    /// than one word stays.
    pub(crate) words: Text,
    pub(crate) foreign: bool,
    pub(crate) target: Target,
}

/// What a phrase asks for, as an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Category(u16),
    Kind(u16),
}

/// A domain of label keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Domain {
    pub(crate) domain: Text,
    /// Index in `groups`.
    pub(crate) group: u16,
}

/// What an alias is looked up by: `Cert-Manager`, `certmanager` and `CertManager` are one.
pub(crate) fn key(alias: &str) -> String {
    words::split(alias).concat()
}

/// Whether the text holds characters of a script that puts no spaces between words.
pub(crate) fn unspaced(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'))
}

/// A word without accents and without the endings that German, French, Spanish and Portuguese plurals and cases put on
/// it. Only compared with words that were folded the same way.
pub(crate) fn fold(word: &str) -> String {
    let plain: String = word
        .chars()
        .map(|c| match c {
            'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'í' | 'ì' | 'î' | 'ï' => 'i',
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
            'ú' | 'ù' | 'û' | 'ü' => 'u',
            'ç' => 'c',
            'ñ' => 'n',
            _ => c,
        })
        .collect();
    for ending in ["ern", "en", "er", "es", "e", "n", "s"] {
        if let Some(cut) = plain.strip_suffix(ending).filter(|cut| cut.len() >= 4) {
            return cut.to_owned();
        }
    }
    plain
}

impl Tables {
    /// Puts the entries in order and makes the tables over them. The entries have been checked.
    pub(crate) fn new(mut entries: Entries) -> Self {
        entries.categories.sort_by(|a, b| a.id.cmp(&b.id));
        entries.software.sort_by(|a, b| a.id.cmp(&b.id));
        entries.groups.sort_by(|a, b| a.group.cmp(&b.group));
        entries.kinds.sort_by(|a, b| (&a.group, &a.kind).cmp(&(&b.group, &b.kind)));
        let (phrases, unspaced) = phrases(&entries);
        let mut domains: Vec<Domain> = Vec::new();
        for (group, g) in (0u16..).zip(&entries.groups) {
            let own = Some(&g.group).filter(|g| !g.starts_with('*'));
            domains.extend(g.labels.iter().chain(own).map(|d| Domain { domain: d.clone(), group }));
        }
        domains.sort();
        domains.dedup_by(|a, b| a.domain == b.domain);
        Self {
            aliases: aliases(&entries.software).into(),
            phrases: phrases.into(),
            unspaced: unspaced.into(),
            domains: domains.into(),
            words: vocabulary(&entries).into(),
            categories: entries.categories.into(),
            software: entries.software.into(),
            groups: entries.groups.into(),
            kinds: entries.kinds.into(),
        }
    }
}

/// The words of names and English phrases, each also unsplit: `statefulset` beside `stateful` and `set`.
fn vocabulary(entries: &Entries) -> Vec<Text> {
    let categories = entries.categories.iter().flat_map(|c| c.phrases.iter().chain([&c.id]));
    let software = entries.software.iter();
    let software = software.flat_map(|s| s.aliases.iter().chain(s.ambiguous.iter()).chain([&s.id, &s.title]));
    let groups = entries.groups.iter().map(|g| &g.title);
    let kinds = entries.kinds.iter().flat_map(|k| k.synonyms.iter().chain([&k.kind, &k.plural]));
    let mut all: BTreeSet<String> = BTreeSet::new();
    for text in categories.chain(software).chain(groups).chain(kinds) {
        all.extend(words::split(text));
        all.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase));
    }
    all.into_iter().map(Text::from).collect()
}

fn aliases(software: &[Software]) -> Vec<Alias> {
    let mut aliases = Vec::new();
    for (at, s) in (0u16..).zip(software) {
        let mut seen = BTreeSet::new();
        let ambiguous = s.ambiguous.iter().map(|a| (a, true));
        let clear = s.aliases.iter().chain([&s.id, &s.title]).map(|a| (a, false));
        for (spelt, ambiguous) in ambiguous.chain(clear) {
            let key = key(spelt);
            if seen.insert(key.clone()) {
                aliases.push(Alias { key: key.into(), spelt: spelt.clone(), software: at, ambiguous });
            }
        }
    }
    aliases.sort();
    aliases
}

fn phrases(entries: &Entries) -> (Vec<Phrase>, Vec<Phrase>) {
    let (mut spaced, mut without) = (BTreeSet::new(), BTreeSet::new());
    let mut add = |text: &str, foreign: bool, target: Target| {
        if unspaced(text) {
            without.insert(Phrase { words: text.to_lowercase().into(), foreign: true, target });
            return;
        }
        let mut all = words::split(text);
        // What would be a single word without its stop words means another thing without them: "log in", "managed cluster".
        if all.iter().filter(|w| !words::is_stop_word(w)).count() > 1 {
            all.retain(|w| !words::is_stop_word(w));
        }
        let all: Vec<String> = all.iter().map(|w| if foreign { fold(w) } else { words::stem(w) }).collect();
        if !all.is_empty() {
            spaced.insert(Phrase { words: all.join(" ").into(), foreign, target });
        }
    };
    for (at, c) in (0u16..).zip(&entries.categories) {
        c.phrases.iter().for_each(|p| add(p, false, Target::Category(at)));
        add(&c.id.replace('-', " "), false, Target::Category(at));
        c.foreign().for_each(|p| add(p, true, Target::Category(at)));
        c.zh.iter().for_each(|p| add(p, true, Target::Category(at)));
    }
    let names = entries.software.iter().flat_map(|s| s.aliases.iter().chain([&s.id, &s.title]));
    let software: BTreeSet<String> = names.map(|n| key(n)).collect();
    for (at, k) in (0u16..).zip(&entries.kinds) {
        // A single word of an operator ("Cluster", "Application") means too many other things, and "GitLab" the software.
        if k.built_in || words::split(&k.kind).len() > 1 && !software.contains(&key(&k.kind)) {
            add(&k.kind, false, Target::Kind(at));
            add(&k.kind.to_lowercase(), false, Target::Kind(at));
            add(&k.plural, false, Target::Kind(at));
        }
        k.synonyms.iter().for_each(|p| add(p, false, Target::Kind(at)));
        k.foreign().for_each(|p| add(p, true, Target::Kind(at)));
        k.zh.iter().for_each(|p| add(p, true, Target::Kind(at)));
    }
    let mut without: Vec<Phrase> = without.into_iter().collect();
    without.sort_by_key(|p| std::cmp::Reverse(p.words.chars().count()));
    (spaced.into_iter().collect(), without)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_have_one_key_however_they_are_spelt() {
        for alias in ["cert-manager", "CertManager", "certmanager", "cert_manager"] {
            assert_eq!(key(alias), "certmanager");
        }
    }

    #[test]
    fn folding_makes_plurals_and_missing_accents_alike() {
        for (one, other) in [
            ("datenbank", "datenbanken"),
            ("warteschlange", "warteschlangen"),
            ("métrique", "metriques"),
            ("base", "bases"),
            ("contraseña", "contraseñas"),
            ("zertifikat", "zertifikate"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
        assert_eq!(fold("logs"), "logs");
    }

    #[test]
    fn scripts_without_spaces_are_known() {
        assert!(unspaced("有哪些database") && !unspaced("données"));
    }
}
