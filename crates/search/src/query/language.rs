//! Which language a question is in. The embedder knows only English. Questions in other languages are answered by names, and by what
//! the catalogue knows in those languages, and by meaning as far as a glossary can put them into English words.

use clusterlore_catalogue::Glossary;
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
        decisive: &["welche", "welcher", "welches", "welchem", "welchen", "wieviel", "wieviele", "läuft", "gibt"],
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
        decisive: &["quels", "quelles", "quel", "quelle", "où", "combien", "pourquoi", "quand", "montre"],
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
        decisive: &[
            "qué", "cuáles", "cuales", "cuál", "dónde", "donde", "cuánto", "cuanto", "cuánta", "cuanta", "cuántos",
            "cuantos", "cuántas", "cuantas", "cuándo", "cuando", "quién",
        ],
        usual: &[
            "hay", "están", "está", "estan", "los", "las", "del", "el", "para", "una", "nuestros", "nuestras",
            "nuestra", "que", "muestra", "corre", "corren", "tenemos", "se", "quiénes", "existen", "cómo", "desde",
            "todo", "todos", "todas", "toda", "nuestro", "usa", "hace",
        ],
        weak: &["de", "la", "un", "en", "con", "es", "son", "y", "a", "por", "o", "esta", "al"],
        inside: &["en", "del"],
    },
    Language {
        name: "Portuguese",
        decisive: &["quais", "quanto", "quanta", "quantos", "quantas", "quando", "onde", "há"],
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
    let evidence: Vec<Evidence> = LANGUAGES.iter().map(|l| l.evidence(text, &split, &knows)).collect();
    // Languages share words: the one with the most evidence wins.
    let most = evidence.iter().map(Evidence::weight).max().unwrap_or(0);
    LANGUAGES.iter().zip(evidence).find(|(_, e)| e.weight() == most && e.is_enough()).map(|(l, _)| l.name)
}

/// What speaks for a language, in words of a question.
struct Evidence {
    decisive: usize,
    usual: usize,
    weak: usize,
    /// How many of the weak ones are English stop words: "do", "a".
    shared: usize,
    /// Words that its glossary lists and that are not English.
    listed: usize,
    /// English stop words.
    english: usize,
    /// Words that are no stop words, and how many of them are not English.
    others: usize,
    unknown: usize,
}

impl Evidence {
    fn weight(&self) -> usize {
        self.decisive * 3 + (self.usual + self.listed) * 2 + self.weak
    }

    fn is_enough(&self) -> bool {
        let Self { decisive, usual, weak, shared, listed, english, others, unknown } = *self;
        let by_stop_words = decisive > 0 || usual > 1 || usual == 1 && unknown * 2 > others;
        // An English question may name things in other languages; its own stop words show that it is English.
        let own = weak - shared;
        let by_words = listed > 0 && listed + usual + own > 1 && (listed + own) * 2 > others;
        by_stop_words && decisive + usual + listed > english || by_words && english == 0
    }
}

impl Language {
    fn evidence(&self, text: &str, all: &[String], knows: impl Fn(&str) -> bool) -> Evidence {
        let count = |list: &[&str]| all.iter().filter(|w| list.contains(&w.as_str())).count();
        // Only Spanish turns its marks upside down; "virtuais" and "reservações" can only be Portuguese, and "versión" only Spanish.
        let ends = |endings: &[&str]| all.iter().any(|word| endings.iter().any(|end| word.ends_with(end)));
        let marks = usize::from(match self.name {
            "Spanish" => text.contains(['¿', '¡']) || ends(&["ción", "sión"]),
            "Portuguese" => ends(&["ções", "ção", "sões", "uais"]),
            _ => false,
        });
        let own = |word: &String| self.is_stop_word(word);
        let english = all.iter().filter(|w| !own(w) && words::is_stop_word(w)).count();
        let others: Vec<&String> = all.iter().filter(|w| !own(w) && !words::is_stop_word(w)).collect();
        let unknown: Vec<&&String> = others.iter().filter(|w| !knows(w)).collect();
        Evidence {
            decisive: count(self.decisive) + marks,
            usual: count(self.usual),
            weak: count(self.weak),
            shared: all.iter().filter(|w| self.weak.contains(&w.as_str()) && words::is_stop_word(w)).count(),
            listed: unknown.iter().filter(|w| Glossary::lists(self.name, w)).count(),
            english,
            others: others.len(),
            unknown: unknown.len(),
        }
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
    let says_nothing = |c: char| c.is_whitespace() || CHINESE_STOP_CHARACTERS.contains(c);
    let chinese = !word.trim().is_empty() && word.chars().all(says_nothing);
    named(language).is_some_and(|l| l.is_stop_word(word))
        || language.is_some() && chinese
        || language.and_then(Glossary::of).is_some_and(|glossary| glossary.is_stop_word(word))
}

/// Whether a word is a stop word of any of the languages, and none that is short enough to be a slip.
pub(super) fn is_stop_word_anywhere(word: &str) -> bool {
    word.len() > 3 && LANGUAGES.iter().any(|language| language.is_stop_word(word))
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
    use super::super::english::is_word;
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

    #[test]
    fn whole_sentences_are_recognised_and_english_with_foreign_names_stays_english() {
        let mut wrong: std::collections::BTreeMap<&str, Vec<String>> = std::collections::BTreeMap::new();
        let sentences: Vec<(&str, &str)> =
            include_str!("../../tests/languages.tsv").lines().filter_map(|l| l.split_once('\t')).collect();
        for (language, sentence) in &sentences {
            let found = of(sentence, is_word).unwrap_or("English");
            if found != *language {
                wrong.entry(language).or_default().push(format!("{sentence}: {found}"));
            }
        }
        for (language, at_least) in
            [("German", 40), ("French", 40), ("Spanish", 40), ("Portuguese", 40), ("English", 100)]
        {
            let all = sentences.iter().filter(|(l, _)| *l == language).count();
            assert!(all >= at_least, "{language}: {all}");
            let missed = wrong.get(language).map_or(0, Vec::len);
            let most = if language == "English" { 0 } else { all / 20 };
            assert!(missed <= most, "{language}: {missed} of {all} are wrong: {wrong:#?}");
        }
    }
}
