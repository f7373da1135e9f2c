//! Splitting a text into the tokens of a vocabulary, as BERT does: its basic tokenizer (control characters dropped, accents and case
//! taken off, punctuation and Chinese characters apart), then the longest token that fits, from left to right ("WordPiece").

use std::collections::HashMap;
use std::sync::OnceLock;

use foldhash::HashMapExt;
use foldhash::fast::RandomState;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// What stands before a token that goes on with a word.
const CONTINUES: &str = "##";
/// The token for what is not in the vocabulary.
const UNKNOWN: &str = "[UNK]";
/// Characters of a word that is still looked up; a longer one is unknown.
const LONGEST_WORD: usize = 100;
/// Chinese, Japanese and Korean ideographs: each is a word.
const IDEOGRAPHS: [(u32, u32); 8] = [
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0x2F800, 0x2FA1F),
];

/// The tokens of a model, as a text that lists them. The look-up is made with the first text that is split.
#[derive(Debug)]
pub(crate) struct Vocabulary<'a> {
    list: &'a str,
    unknown: u32,
    lookup: OnceLock<Lookup<'a>>,
}

/// Tokens by their text. They are the binary's own, so that a hasher that nobody could choose keys against is not needed.
type Tokens<'a> = HashMap<&'a str, u32, RandomState>;

#[derive(Debug)]
struct Lookup<'a> {
    beginnings: Tokens<'a>,
    continuations: Tokens<'a>,
    /// Bytes of the longest token.
    longest: usize,
}

impl<'a> Vocabulary<'a> {
    /// Tokens in the order of their numbers, a line each; `None` if there is none for what is not among them.
    pub(crate) fn new(list: &'a str) -> Option<Self> {
        let unknown = find(list, UNKNOWN)?;
        Some(Self { list, unknown, lookup: OnceLock::new() })
    }

    /// The tokens in the order of their numbers.
    pub(crate) fn list(&self) -> impl Iterator<Item = &'a str> + Clone {
        self.list.split('\n')
    }

    /// The number of a token, found by going through all of them.
    pub(crate) fn find(&self, token: &str) -> Option<u32> {
        find(self.list, token)
    }

    /// Whether a word is one token.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.lookup().beginnings.contains_key(word)
    }

    /// Whether the number stands for a word that is not in the vocabulary.
    pub(crate) fn is_unknown(&self, id: u32) -> bool {
        id == self.unknown
    }

    /// The tokens of a text, at most so many.
    pub(crate) fn tokens(&self, text: &str, most: usize) -> Vec<u32> {
        let mut ids = Vec::new();
        // Most words need nothing done to them.
        let is_plain = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        for word in text.split(' ') {
            if is_plain(word) {
                self.push_word(word, &mut ids);
            } else {
                self.push_text(word, &mut ids);
            }
            if ids.len() >= most {
                break;
            }
        }
        ids.truncate(most);
        ids
    }

    /// The tokens of what stands between two spaces.
    fn push_text(&self, text: &str, ids: &mut Vec<u32>) {
        let clean = text.chars().filter(|c| !is_dropped(*c)).flat_map(apart);
        let plain = clean.nfd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase);
        let mut word = String::new();
        for c in plain {
            let is_space = c.is_whitespace();
            if is_space || is_punctuation(c) {
                self.push_word(&word, ids);
                word.clear();
            }
            if is_punctuation(c) {
                self.push_word(c.encode_utf8(&mut [0; 4]), ids);
            } else if !is_space {
                word.push(c);
            }
        }
        self.push_word(&word, ids);
    }

    /// Whether a text was split.
    #[cfg(test)]
    pub(crate) fn is_used(&self) -> bool {
        self.lookup.get().is_some()
    }

    fn lookup(&self) -> &Lookup<'a> {
        self.lookup.get_or_init(|| Lookup::new(self.list()))
    }

    /// The tokens of one word, or the unknown one if it cannot be put together.
    fn push_word(&self, word: &str, ids: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        let known = ids.len();
        let lookup = self.lookup();
        let (mut rest, mut tokens) = (word, &lookup.beginnings);
        let short = word.len() <= LONGEST_WORD || word.chars().count() <= LONGEST_WORD;
        while !rest.is_empty() {
            let ends = (1..=rest.len().min(lookup.longest)).rev().filter(|end| rest.is_char_boundary(*end));
            let mut found = ends.filter_map(|end| Some((end, *tokens.get(&rest[..end])?)));
            let Some((end, id)) = found.next().filter(|_| short) else {
                ids.truncate(known);
                ids.push(self.unknown);
                return;
            };
            ids.push(id);
            (rest, tokens) = (&rest[end..], &lookup.continuations);
        }
    }
}

impl<'a> Lookup<'a> {
    fn new(tokens: impl Iterator<Item = &'a str> + Clone) -> Self {
        // Nearly all of them begin a word.
        let beginnings = Tokens::with_capacity(tokens.clone().count());
        let mut lookup = Self { beginnings, continuations: Tokens::default(), longest: 0 };
        for (id, token) in (0..).zip(tokens) {
            let continues = token.strip_prefix(CONTINUES).filter(|rest| !rest.is_empty());
            let rest = continues.unwrap_or(token);
            lookup.longest = lookup.longest.max(rest.len());
            let place = if continues.is_some() { &mut lookup.continuations } else { &mut lookup.beginnings };
            place.insert(rest, id);
        }
        lookup
    }
}

fn find(list: &str, token: &str) -> Option<u32> {
    (0..).zip(list.split('\n')).find(|(_, other)| *other == token).map(|(id, _)| id)
}

/// A character, with spaces around it if it is a word of its own.
fn apart(c: char) -> impl Iterator<Item = char> {
    let is_word = IDEOGRAPHS.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)));
    let space = is_word.then_some(' ');
    space.into_iter().chain([c]).chain(space)
}

/// Control characters and what was lost on the way; white space stays.
fn is_dropped(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r');
    }
    let control = [GeneralCategory::Control, GeneralCategory::Format, GeneralCategory::PrivateUse];
    c == char::REPLACEMENT_CHARACTER || control.contains(&c.general_category())
}

fn is_accent(c: char) -> bool {
    !c.is_ascii() && c.general_category() == GeneralCategory::NonspacingMark
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation();
    }
    c.general_category_group() == GeneralCategoryGroup::Punctuation
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use serde_json::json;
    use tokenizers::Tokenizer;

    use super::super::file::File;
    use super::*;

    /// The tokens of the built-in table, which are BERT's and whole words of the domain.
    fn list() -> String {
        let weights =
            File::read(include_bytes!("../../data/builtin/encoder.safetensors"), "clusterlore-encoder-1").unwrap();
        weights.vocabulary("document.vocabulary").unwrap().list.to_owned()
    }

    /// The same tokens in the tokenizer that models are trained with.
    fn other(list: &str) -> Tokenizer {
        let vocab: serde_json::Map<String, serde_json::Value> =
            list.split('\n').zip(0..).map(|(token, id)| (token.to_owned(), json!(id))).collect();
        let file = json!({
            "version": "1.0",
            "added_tokens": [],
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "model": {
                "type": "WordPiece",
                "unk_token": "[UNK]",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": vocab,
            },
        });
        Tokenizer::from_bytes(file.to_string()).unwrap()
    }

    fn assert_same(vocabulary: &Vocabulary<'_>, tokenizer: &Tokenizer, text: &str) {
        let expected = tokenizer.encode(text, false).unwrap();
        let ids = vocabulary.tokens(text, usize::MAX);
        assert_eq!(ids, expected.get_ids(), "{text:?}: expected {:?}", expected.get_tokens());
    }

    #[test]
    fn splits_as_the_tokenizer_of_the_training_does() {
        let list = list();
        let (vocabulary, tokenizer) = (Vocabulary::new(&list).unwrap(), other(&list));
        let texts = [
            "",
            "   ",
            "PostgresCluster orders-db, please?",
            "internationalization of preprocessing; antidisestablishmentarianism!!!",
            "ÀÉÎÕÜ straße Ærøskøbing İstanbul ﬁre Σίσυφος",
            "e\u{301}\u{323}x \u{1D16D}\u{1D165} \u{37e} \u{1fef}",
            "你好world世界 𠀀豈 こんにちは カタカナ 안녕하세요",
            "👨‍👩‍👧 🇺🇸 👍🏽 mixed🔥emoji",
            "\u{0}a\u{1}b\u{7f}c\u{200b}d\u{fffd}e\u{e000}f\tg\nh\ri\u{b}j\u{a0}k\u{3000}l",
            "[CLS] [UNK] [unk] ## ##ing a##b",
            "$100 €50 ½ ² Ⅷ 3.14 1,000 a≤b «x» “y” em—dash …",
            "नमस्ते العربية עברית ไทย ᚠᚢᚦ",
            "zzqxjk 12345678901234567890",
        ];
        texts.iter().for_each(|text| assert_same(&vocabulary, &tokenizer, text));
        for length in [99, 100, 101, 5000] {
            assert_same(&vocabulary, &tokenizer, &"a".repeat(length));
            assert_same(&vocabulary, &tokenizer, &"é".repeat(length));
            assert_same(&vocabulary, &tokenizer, &"字".repeat(length));
        }

        let tokens: Vec<&str> = list.split('\n').map(|token| token.trim_start_matches("##")).collect();
        let odd: Vec<char> = texts.concat().chars().collect();
        let mut rng = Rng::with_seed(7);
        for _ in 0..4000 {
            let mut text = String::new();
            for _ in 0..rng.usize(..12) {
                match rng.u8(..4) {
                    0 => text.push_str(rng.choice(&tokens).unwrap()),
                    1 => text.push(rng.char('a'..='z')),
                    2 => text.push(*rng.choice(&odd).unwrap()),
                    _ => text.push(' '),
                }
            }
            assert_same(&vocabulary, &tokenizer, &text);
        }
    }

    /// All characters but most ideographs, syllables and places without a character. The other tokenizer knows Unicode as of 2015:
    /// it takes later accents and punctuation for letters.
    #[test]
    fn every_character_is_split_as_the_tokenizer_of_the_training_does() {
        let list = list();
        let (vocabulary, tokenizer) = (Vocabulary::new(&list).unwrap(), other(&list));
        let places = (0..0x3500).chain(0x9f00..0xac10).chain(0xd780..0x12000).chain(0x1d000..0x20010);
        let (mut same, mut other) = (0, 0);
        for c in places.filter_map(char::from_u32) {
            let text = format!("a{c}b");
            let is_same =
                vocabulary.tokens(&text, usize::MAX) == tokenizer.encode(text.as_str(), false).unwrap().get_ids();
            *if is_same { &mut same } else { &mut other } += 1;
            assert!(is_same || c >= '\u{500}' && (is_accent(c) || is_punctuation(c) || later(c)), "{c:?}");
        }
        assert!(same > 35_000 && other < 700, "{same} and {other}");
    }

    /// What has changed its category or came later, and is neither accent nor punctuation: vowel signs, and the sign of Canadian chi.
    fn later(c: char) -> bool {
        is_dropped(c) || c == '\u{166d}' || c.general_category() == GeneralCategory::SpacingMark
    }

    #[test]
    fn no_more_tokens_than_asked_for() {
        let list = list();
        let vocabulary = Vocabulary::new(&list).unwrap();
        let all = vocabulary.tokens("kubernetes backups, unbelievably", usize::MAX);
        for most in 0..=all.len() + 1 {
            assert_eq!(vocabulary.tokens("kubernetes backups, unbelievably", most), all[..most.min(all.len())]);
        }
    }

    #[test]
    fn tokens_have_the_numbers_of_their_lines() {
        let vocabulary = Vocabulary::new("[UNK]\ndata\n##base\nbase").unwrap();
        assert_eq!(vocabulary.tokens("database base data ##base baseball", 9), [1, 2, 3, 1, 0, 0, 3, 0]);
        assert_eq!((vocabulary.find("##base"), vocabulary.find("ball")), (Some(2), None));
        assert!(vocabulary.is_unknown(0) && !vocabulary.is_unknown(1));
        assert!(Vocabulary::new("data\nbase").is_none());
    }
}
