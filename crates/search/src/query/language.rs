//! Which language a question is in. The embedder knows only English. Questions in other languages are answered by names, and by what
//! the catalogue knows in those languages.

use clusterlore_core::words;

/// A language, recognised by the stop words of its questions.
struct Language {
    name: &'static str,
    /// One of them is enough.
    decisive: &'static [&'static str],
    /// Two of them are enough, or one among words that are not English.
    usual: &'static [&'static str],
    /// Stop words that are no evidence: they are English too, or too short.
    weak: &'static [&'static str],
    /// Words before the name of a namespace.
    inside: &'static [&'static str],
}

const LANGUAGES: [Language; 4] = [
    Language {
        name: "German",
        decisive: &["welche", "welcher", "welches", "welchem", "welchen", "wieviele", "läuft", "gibt"],
        usual: &[
            "wie",
            "viele",
            "wo",
            "sind",
            "ist",
            "laufen",
            "wird",
            "werden",
            "haben",
            "für",
            "unsere",
            "unser",
            "mit",
            "und",
            "der",
            "das",
            "den",
            "dem",
            "des",
            "ein",
            "eine",
            "einen",
            "einem",
            "im",
            "auf",
            "von",
            "zeige",
            "zeig",
            "mir",
            "wir",
            "bei",
            "wer",
            "macht",
            "kümmert",
            "sich",
            "um",
            "zur",
            "zum",
            "alle",
            "uns",
            "womit",
            "wofür",
            "warum",
            "wann",
            "wessen",
            "noch",
            "eigentlich",
            "insgesamt",
            "irgendwo",
            "welch",
            "unserem",
            "unseren",
            "allen",
            "auch",
        ],
        weak: &["die", "in", "hat", "was", "es", "an", "am", "war", "aus", "so", "man", "oder"],
        inside: &["im", "in", "aus"],
    },
    Language {
        name: "French",
        decisive: &["quels", "quelles", "quel", "quelle", "où", "combien", "montre"],
        usual: &[
            "sont",
            "est",
            "les",
            "dans",
            "avec",
            "nos",
            "notre",
            "une",
            "du",
            "qui",
            "tous",
            "toutes",
            "le",
            "tourne",
            "tournent",
            "quoi",
            "aux",
            "au",
            "ou",
            "que",
            "avons",
            "avons-nous",
            "avez",
            "a-t-il",
            "a-t-on",
            "existe-t-il",
            "est-ce",
            "comment",
            "faut",
            "faut-il",
            "cette",
            "cet",
            "ces",
            "tout",
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
            "nuestra", "que", "muestra", "corre", "corren", "tenemos", "se", "quién", "quiénes", "existen", "cómo",
            "cuándo", "desde", "todo", "todos", "todas", "toda", "nuestro", "usa", "hace",
        ],
        weak: &["de", "la", "un", "en", "con", "es", "son", "y", "a", "por", "o", "esta", "al"],
        inside: &["en", "del"],
    },
    Language {
        name: "Portuguese",
        decisive: &["quais", "quantos", "quantas", "onde", "há"],
        usual: &[
            "qual", "estão", "são", "está", "os", "uma", "nossos", "nossas", "mostre", "nos", "nas", "dos", "das",
            "em", "para", "que", "temos", "quem", "rodam", "roda", "existem", "rodando", "como", "todo", "todos",
            "toda", "nosso", "nossa", "usa", "fica", "ficam",
        ],
        weak: &["de", "do", "da", "o", "a", "as", "e", "um", "com", "no", "na", "por", "se", "é"],
        inside: &["no", "na", "em", "do"],
    },
];

/// Chinese characters that say nothing about what is searched for. A word of only these is a stop word.
const CHINESE_STOP_CHARACTERS: &str = "有在里的中吗个是哪些什么多少几了呢我们请列出所运行正内";

/// The language, if it is not English. `knows` says whether a word is English.
pub(super) fn of(text: &str, knows: impl Fn(&str) -> bool) -> Option<&'static str> {
    if is_unspaced(text) {
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
    let split: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    LANGUAGES.iter().find(|l| l.is_of(&split, &knows)).map(|l| l.name)
}

impl Language {
    fn is_of(&self, all: &[String], knows: impl Fn(&str) -> bool) -> bool {
        let among = |list: &[&str], word: &String| list.contains(&word.as_str());
        let count = |list: &[&str]| all.iter().filter(|w| among(list, w)).count();
        let (decisive, usual) = (count(self.decisive), count(self.usual));
        let own = |word: &String| self.is_stop_word(word);
        let english = all.iter().filter(|w| !own(w) && words::is_stop_word(w)).count();
        let others: Vec<&String> = all.iter().filter(|w| !own(w) && !words::is_stop_word(w)).collect();
        let unknown = others.iter().filter(|w| !knows(w)).count();
        let sure = decisive > 0 || usual > 1 || usual == 1 && unknown * 2 > others.len();
        // Languages share words: the one with the most evidence wins.
        let more = |other: &Self| {
            let of_other = count(other.decisive) * 3 + count(other.usual) * 2 + count(other.weak);
            of_other > decisive * 3 + usual * 2 + count(self.weak)
        };
        sure && decisive + usual > english && !LANGUAGES.iter().any(more)
    }

    fn is_stop_word(&self, word: &str) -> bool {
        [self.decisive, self.usual, self.weak].iter().any(|list| list.contains(&word))
    }
}

fn named(language: Option<&str>) -> Option<&'static Language> {
    LANGUAGES.iter().find(|l| Some(l.name) == language)
}

/// Whether the word is a stop word of that language.
pub(super) fn is_stop_word(language: Option<&str>, word: &str) -> bool {
    let chinese = !word.is_empty() && word.chars().all(|c| CHINESE_STOP_CHARACTERS.contains(c));
    named(language).is_some_and(|l| l.is_stop_word(word)) || language.is_some() && chinese
}

/// The words of that language that stand before the name of a namespace.
pub(super) fn inside(language: Option<&str>) -> &'static [&'static str] {
    named(language).map_or(&[], |l| l.inside)
}

/// The text with spaces between words if the language writes none, and with the word for "namespace" in English.
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
                let here = c.is_alphanumeric().then(|| unspaced(c));
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

/// Whether the text has words of a language that writes no spaces.
pub(super) fn is_unspaced(text: &str) -> bool {
    text.chars().any(unspaced)
}

fn unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_recognised_by_their_stop_words() {
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
