//! Which language a question is in. Other languages than English are answered by names and by what the catalogue knows in them:
//! the embedder knows English only.

/// A language, by the little words of its questions.
struct Language {
    name: &'static str,
    /// One of them is enough.
    decisive: &'static [&'static str],
    /// Two of them, or one among words that are not English.
    usual: &'static [&'static str],
    /// Words that are English as well, or mean too little; they only say nothing of what is looked for.
    weak: &'static [&'static str],
    /// What stands in front of a namespace.
    inside: &'static [&'static str],
}

const LANGUAGES: [Language; 4] = [
    Language {
        name: "German",
        decisive: &["welche", "welcher", "welches", "welchem", "welchen", "wieviele", "läuft", "gibt"],
        usual: &[
            "wie", "viele", "wo", "sind", "ist", "laufen", "wird", "werden", "haben", "für", "unsere", "unser", "mit",
            "und", "der", "das", "den", "dem", "ein", "eine", "einen", "im", "auf", "von", "zeige", "zeig", "mir",
            "wir", "bei", "wer", "macht", "kümmert", "sich", "um", "zur", "zum", "alle", "uns",
        ],
        weak: &["die", "in", "hat", "was", "es", "an", "am", "war", "aus", "so", "man", "oder"],
        inside: &["im", "in", "aus"],
    },
    Language {
        name: "French",
        decisive: &["quels", "quelles", "quel", "quelle", "où", "combien", "montre"],
        usual: &[
            "sont", "est", "les", "dans", "avec", "nos", "notre", "une", "du", "qui", "tous", "toutes", "le", "tourne",
            "tournent", "quoi", "aux", "au", "ou", "que",
        ],
        weak: &[
            "des", "de", "la", "un", "et", "pour", "en", "y", "a", "t", "il", "l", "d", "qu", "ce", "s", "n", "on",
            "sur", "par",
        ],
        inside: &["dans", "en"],
    },
    Language {
        name: "Spanish",
        decisive: &["qué", "cuáles", "cuales", "cuál", "dónde", "donde", "cuántos", "cuantos", "cuántas", "cuantas"],
        usual: &[
            "hay", "están", "está", "estan", "los", "las", "del", "el", "para", "una", "nuestros", "nuestras",
            "nuestra", "que", "muestra", "corre", "corren", "tenemos", "se", "quién", "existen",
        ],
        weak: &["de", "la", "un", "en", "con", "es", "son", "y", "a", "por", "o", "esta", "al"],
        inside: &["en", "del"],
    },
    Language {
        name: "Portuguese",
        decisive: &["quais", "quantos", "quantas", "onde", "há"],
        usual: &[
            "qual", "estão", "são", "está", "os", "uma", "nossos", "nossas", "mostre", "nos", "nas", "dos", "das",
            "em", "para", "que", "temos", "quem", "rodam", "roda", "existem", "rodando",
        ],
        weak: &["de", "do", "da", "o", "a", "as", "e", "um", "com", "no", "na", "por", "se", "é"],
        inside: &["no", "na", "em", "do"],
    },
];

/// Chinese characters that say nothing of what is looked for, where a word has no others.
const CHINESE_LITTLE: &str = "有在里的中吗个是哪些什么多少几了呢我们请列出所运行正内";

/// The language, where it is none that the embedder knows. `knows` says whether a word is English.
pub(crate) fn of(text: &str, knows: impl Fn(&str) -> bool) -> Option<&'static str> {
    if text.chars().any(is_unspaced) {
        let kana = text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}'));
        let hangul = text.chars().any(|c| matches!(c, '\u{ac00}'..='\u{d7a3}'));
        return Some(if kana {
            "Japanese"
        } else if hangul {
            "Korean"
        } else {
            "Chinese"
        });
    }
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    LANGUAGES.iter().find(|l| l.is_of(&words, &knows)).map(|l| l.name)
}

impl Language {
    fn is_of(&self, words: &[String], knows: impl Fn(&str) -> bool) -> bool {
        let among = |list: &[&str], word: &String| list.contains(&word.as_str());
        let count = |list: &[&str]| words.iter().filter(|w| among(list, w)).count();
        let (decisive, usual) = (count(self.decisive), count(self.usual));
        let own = |word: &String| self.is_little(word);
        let english = words.iter().filter(|w| !own(w) && clusterlore_core::words::is_stop_word(w)).count();
        let others: Vec<&String> =
            words.iter().filter(|w| !own(w) && !clusterlore_core::words::is_stop_word(w)).collect();
        let unknown = others.iter().filter(|w| !knows(w)).count();
        let sure = decisive > 0 || usual > 1 || usual == 1 && unknown * 2 > others.len();
        // Another language may be nearer: the words of two overlap.
        let more = |other: &Self| {
            let of_other = count(other.decisive) * 3 + count(other.usual) * 2 + count(other.weak);
            of_other > decisive * 3 + usual * 2 + count(self.weak)
        };
        sure && decisive + usual > english && !LANGUAGES.iter().any(more)
    }

    fn is_little(&self, word: &str) -> bool {
        [self.decisive, self.usual, self.weak].iter().any(|list| list.contains(&word))
    }
}

fn named(language: Option<&str>) -> Option<&'static Language> {
    LANGUAGES.iter().find(|l| Some(l.name) == language)
}

/// Whether the word says nothing in that language of what is looked for.
pub(super) fn is_little(language: Option<&str>, word: &str) -> bool {
    let chinese = !word.is_empty() && word.chars().all(|c| CHINESE_LITTLE.contains(c));
    named(language).is_some_and(|l| l.is_little(word)) || language.is_some() && chinese
}

/// Words that stand in that language in front of a namespace.
pub(super) fn inside(language: Option<&str>) -> &'static [&'static str] {
    named(language).map_or(&[], |l| l.inside)
}

/// The text with a space wherever the language ends a word without one, and with the words for a namespace in English.
pub(super) fn spaced(language: Option<&str>, text: &str) -> String {
    match language {
        None => text.to_owned(),
        Some("French") => text.replace(['\'', '’'], "' ").replace("espace de noms", "namespace"),
        Some("Spanish") => text.replace("espacio de nombres", "namespace"),
        Some("Chinese" | "Japanese" | "Korean") => {
            let mut spaced = String::new();
            let mut before = None;
            let text = text.replace("命名空间", " namespace ").replace("名前空間", " namespace ");
            for c in text.chars() {
                let here = c.is_alphanumeric().then(|| is_unspaced(c));
                if before.is_some() && here.is_some() && before != here {
                    spaced.push(' ');
                }
                spaced.push(c);
                before = here;
            }
            spaced
        }
        Some(_) => text.replace("Namensraum", "namespace").replace("namensraum", "namespace"),
    }
}

fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_by_their_little_words() {
        let english = ["bases", "cache", "iot", "namespace", "hay", "pods", "bale", "tracker"];
        for (question, language) in [
            ("welche Datenbanken gibt es", Some("German")),
            ("Wo läuft redis?", Some("German")),
            ("wie viele Pods sind im namespace iot", Some("German")),
            ("où sont les certificats", Some("French")),
            ("quels caches dans le namespace iot", Some("French")),
            ("combien de pods", Some("French")),
            ("¿qué bases de datos hay?", Some("Spanish")),
            ("dónde están los certificados en el namespace iot", Some("Spanish")),
            ("quais bancos de dados existem no namespace iot", Some("Portuguese")),
            ("onde está o redis", Some("Portuguese")),
            ("有哪些数据库", Some("Chinese")),
            ("どのデータベース", Some("Japanese")),
            ("what databases are running in the iot namespace", None),
            ("die hard movie service", None),
            ("hay bale tracker", None),
            ("a con for the des cipher, so as to no avail", None),
            ("cache", None),
            ("", None),
        ] {
            assert_eq!(of(question, |w| english.contains(&w)), language, "{question}");
        }
    }
}
