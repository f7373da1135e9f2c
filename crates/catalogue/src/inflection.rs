//! How words of other languages change their form, as far as a word and its entry in a glossary must meet: "Rechnungen" and
//! "Rechnung", "envoyées" and "envoyer". These are rules of spelling, not of grammar; they need not be right, only the same for both.

/// What is left of a word without its ending has at least so many letters.
const STEM: usize = 4;

/// The endings of a language, the shortest first where one ends in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inflection {
    /// Words do not change.
    None,
    German,
    French,
    Spanish,
    Portuguese,
}

const GERMAN: [&str; 17] =
    ["e", "n", "s", "t", "en", "er", "es", "em", "et", "te", "ern", "ten", "ung", "erin", "ungen", "ende", "enden"];
const FRENCH: [&str; 20] = [
    "e", "ee", "er", "es", "ez", "ent", "ant", "ait", "ir", "it", "ons", "ais", "aient", "age", "ement", "ation",
    "eur", "euse", "ateur", "issent",
];
const SPANISH: [&str; 27] = [
    "o", "a", "e", "an", "en", "ar", "er", "ir", "on", "amos", "emos", "aba", "aban", "aron", "ado", "ada", "ido",
    "ida", "ando", "iendo", "cion", "acion", "dor", "ador", "adora", "miento", "amiento",
];
const PORTUGUESE: [&str; 26] = [
    "o", "a", "e", "am", "em", "ar", "er", "ir", "ou", "amos", "emos", "ava", "avam", "aram", "ado", "ada", "ido",
    "ida", "ando", "endo", "indo", "cao", "acao", "dor", "ador", "amento",
];
/// What stands before the "ge" or "zu" of a German verb that is taken apart: "hochgeladen", "hochzuladen".
const SEPARABLE: [&str; 22] = [
    "", "ab", "an", "auf", "aus", "bei", "bereit", "durch", "ein", "fest", "her", "herunter", "hoch", "los", "mit",
    "nach", "um", "vor", "weiter", "zu", "zuruck", "zusammen",
];

impl Inflection {
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::German => &GERMAN,
            Self::French => &FRENCH,
            Self::Spanish => &SPANISH,
            Self::Portuguese => &PORTUGUESE,
        }
    }

    /// The word without a plural ending, where the language makes its plurals with "s" or "x". `word` has no accents.
    pub(crate) fn singular(self, word: &str) -> String {
        let ends = |ending: &str| word.strip_suffix(ending).filter(|cut| cut.len() > 2);
        let with = |cut: &str, other: &str| format!("{cut}{other}");
        let one = match self {
            Self::French => ends("eaux").map(|c| with(c, "eau")).or_else(|| ends("aux").map(|c| with(c, "al"))),
            Self::Spanish => word.strip_suffix("ces").filter(|cut| cut.len() > 1).map(|c| with(c, "z")).or_else(|| {
                // "redes" and "relaciones", but "bases" and "clientes".
                let cut = ends("es").filter(|c| ["n", "r", "l", "d", "j"].iter().any(|end| c.ends_with(end)))?;
                (!cut.ends_with("nt")).then(|| cut.to_owned())
            }),
            Self::Portuguese => {
                [("oes", "ao"), ("aes", "ao"), ("ais", "al"), ("eis", "el"), ("ns", "m"), ("res", "r"), ("zes", "z")]
                    .iter()
                    .find_map(|(many, one)| ends(many).map(|c| with(c, one)))
            }
            Self::None | Self::German => return word.to_owned(),
        };
        let plural = |c: char| c == 's' || c == 'x' && self == Self::French;
        one.or_else(|| word.strip_suffix(plural).filter(|cut| cut.len() > 2 && !cut.ends_with('s')).map(str::to_owned))
            .unwrap_or_else(|| word.to_owned())
    }

    /// What may be left of the word, the longest first. `word` has no accents.
    pub(crate) fn stems(self, word: &str) -> Vec<String> {
        let singular = self.singular(word);
        let mut stems: Vec<String> = Vec::new();
        let mut of = |word: &str| {
            for ending in self.endings() {
                if let Some(cut) = word.strip_suffix(ending).filter(|cut| cut.len() >= STEM) {
                    stems.push(cut.to_owned());
                }
            }
        };
        of(&singular);
        if self == Self::German {
            participles(word).iter().for_each(|verb| of(verb));
        }
        if singular != word {
            stems.push(singular);
        }
        stems.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        stems.dedup();
        stems
    }

    /// The word as it would be spelt with umlauts, less their dots: "ueberwachung" is "uberwachung".
    pub(crate) fn variants(self, word: &str) -> Vec<String> {
        if self != Self::German {
            return Vec::new();
        }
        let other = word.replace("ae", "a").replace("oe", "o").replace("ue", "u");
        if other == word { Vec::new() } else { vec![other] }
    }
}

/// The verb without the "ge" or "zu" in it: "gespeichert" is "speichert", "abgelegt" "ablegt".
fn participles(word: &str) -> Vec<String> {
    let mut verbs = Vec::new();
    for before in SEPARABLE {
        let Some(rest) = word.strip_prefix(before) else { continue };
        for within in ["ge", "zu"] {
            let verb = rest.strip_prefix(within).filter(|verb| verb.len() >= STEM);
            verbs.extend(verb.map(|verb| format!("{before}{verb}")));
        }
    }
    verbs
}

/// The word in lower case, without accents, and with "ss" for "ß".
pub(crate) fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            'á' | 'à' | 'â' | 'ã' | 'ä' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'í' | 'ì' | 'î' | 'ï' => plain.push('i'),
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' => plain.push('o'),
            'ú' | 'ù' | 'û' | 'ü' => plain.push('u'),
            'ç' => plain.push('c'),
            'ñ' => plain.push('n'),
            'œ' => plain.push_str("oe"),
            'æ' => plain.push_str("ae"),
            'ß' => plain.push_str("ss"),
            // Letters that were typed as a plain one and an accent.
            '\u{300}'..='\u{36f}' => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_share_a_stem() {
        for (inflection, one, other) in [
            (Inflection::German, "rechnung", "rechnungen"),
            (Inflection::German, "speichern", "gespeichert"),
            (Inflection::German, "ablegen", "abgelegt"),
            (Inflection::German, "hochladen", "hochzuladen"),
            (Inflection::German, "verschlusseln", "verschlusselung"),
            (Inflection::French, "envoyer", "envoyees"),
            (Inflection::French, "journal", "journaux"),
            (Inflection::French, "facture", "factures"),
            (Inflection::Spanish, "camion", "camiones"),
            (Inflection::Spanish, "luz", "luces"),
            (Inflection::Spanish, "guardar", "guardan"),
            (Inflection::Portuguese, "cartao", "cartoes"),
            (Inflection::Portuguese, "canal", "canais"),
            (Inflection::Portuguese, "enviar", "enviando"),
        ] {
            let of = |word: &str| {
                let mut stems = inflection.stems(word);
                stems.push(word.to_owned());
                stems
            };
            let others = of(other);
            assert!(of(one).iter().any(|stem| others.contains(stem)), "{one} {other}: {:?} {others:?}", of(one));
        }
    }

    #[test]
    fn accents_go() {
        for (word, expected) in
            [("Größe", "grosse"), ("œuvre", "oeuvre"), ("ação", "acao"), ("e\u{301}te\u{301}", "ete"), ("İ", "i")]
        {
            assert_eq!(plain(word), expected);
        }
    }
}
