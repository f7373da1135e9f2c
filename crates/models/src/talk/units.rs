//! A text as the tagger reads it: its units (words, and marks each on its own), their sentences, and what can be seen of each.
//! `tools/train-talk/units.py` does the same.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Units that are read; what stands behind them is not.
const MOST: usize = 512;
/// Between two letters they part no word.
const JOINERS: &str = "'-_./@";
const ENDS: &str = ".?!;:…。？！；：—–";
const ASKS: &str = "?？";
const COMMAS: &str = ",，、";
const OPENS: &str = "([{<\"“«„`'";
const CLOSES: &str = ")]}>\"”»`'";
const IDEOGRAPHS: [(u32, u32); 4] = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F)];
/// Numbers that are seen of a unit, beside its classes of words.
const SEEN: usize = 21;
const CLASSES: usize = 13;
pub(super) const FLAGS: usize = SEEN + CLASSES;
/// A class a line: words that make a sentence talk or a question.
const WORDS: &str = include_str!("words.txt");
/// Characters of a piece of a word.
const PIECE: usize = 3;
const MOST_PIECES: usize = 24;

/// Where a unit stands, and the number of its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) span: Range<usize>,
    pub(super) sentence: usize,
}

/// The units of a text.
pub(super) fn units(text: &str) -> Vec<Unit> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let is = |n: usize, of: fn(char) -> bool| chars.get(n).is_some_and(|(_, c)| of(*c));
    let mut units: Vec<Unit> = Vec::new();
    let (mut at, mut sentence, mut newline) = (0, 0, false);
    while at < chars.len() && units.len() < MOST {
        let (start, c) = chars[at];
        if c.is_whitespace() {
            newline |= c == '\n';
            at += 1;
            continue;
        }
        let mut end = at + 1;
        if is_letter(c) {
            while is(end, is_letter)
                || is(end, |c| JOINERS.contains(c)) && is(end - 1, is_letter) && is(end + 1, is_letter)
            {
                end += 1;
            }
        } else if !is_ideograph(c) {
            while chars.get(end).is_some_and(|(_, next)| *next == c) {
                end += 1;
            }
        }
        if newline && units.last().is_some_and(|unit| unit.sentence == sentence) {
            sentence += 1;
        }
        newline = false;
        let stop = chars.get(end).map_or(text.len(), |(stop, _)| *stop);
        units.push(Unit { span: start..stop, sentence });
        if ENDS.contains(c) && (!c.is_ascii() || end == chars.len() || is(end, char::is_whitespace)) {
            sentence += 1;
        }
        at = end;
    }
    units
}

/// What can be seen of each unit, as numbers from 0 to 1.
pub(super) fn flags(text: &str, units: &[Unit]) -> Vec<[f32; FLAGS]> {
    let first = |n: usize| text[units[n].span.clone()].chars().next().unwrap_or_default();
    let asks = |sentence: usize| (0..units.len()).any(|n| units[n].sentence == sentence && ASKS.contains(first(n)));
    let asked: Vec<bool> = (0..=units.last().map_or(0, |last| last.sentence)).map(asks).collect();
    let flags = |n: usize| {
        let Unit { span, sentence } = &units[n];
        let (unit, c) = (&text[span.clone()], first(n));
        let gap = if n == 0 { "" } else { &text[units[n - 1].span.end..span.start] };
        let word = is_word(unit);
        let low = unit.to_lowercase().replace('’', "'");
        let one = [
            word,
            c.is_uppercase(),
            unit.chars().nth(1).is_some() && unit.to_uppercase() == unit && unit.to_lowercase() != unit,
            unit.chars().any(|c| c.general_category_group() == GeneralCategoryGroup::Number),
            word && unit.contains(|c| JOINERS[1..].contains(c)),
            ENDS.contains(c),
            ASKS.contains(c),
            COMMAS.contains(c),
            OPENS.contains(c),
            CLOSES.contains(c),
            gap.contains('\n'),
            n == 0 || !gap.is_empty(),
            !unit.is_ascii(),
            n == 0 || units[n - 1].sentence != *sentence,
            units.get(n + 1).is_none_or(|next| next.sentence != *sentence),
            *sentence == 0,
            units.last().is_some_and(|last| last.sentence == *sentence),
            asked[*sentence],
            asked.contains(&true),
        ];
        let mut seen = [0.0; FLAGS];
        seen.iter_mut().zip(one).for_each(|(seen, is)| *seen = f32::from(u8::from(is)));
        seen[SEEN - 2] = 1.0 / (1 + n) as f32;
        seen[SEEN - 1] = 1.0 / (units.len() - n) as f32;
        for class in classes().get(low.as_str()).into_iter().flatten() {
            seen[SEEN + class] = 1.0;
        }
        seen
    };
    (0..units.len()).map(flags).collect()
}

/// The classes of each word that has any.
fn classes() -> &'static HashMap<&'static str, Vec<usize>> {
    static CLASSES: OnceLock<HashMap<&'static str, Vec<usize>>> = OnceLock::new();
    CLASSES.get_or_init(|| {
        let mut classes: HashMap<&str, Vec<usize>> = HashMap::new();
        for (class, line) in WORDS.lines().filter(|line| !line.starts_with('#')).enumerate() {
            let words = line.split_once(": ").map_or("", |(_, words)| words);
            words.split_whitespace().for_each(|word| classes.entry(word).or_default().push(class));
        }
        classes
    })
}

/// Whether a unit is a word and no mark.
pub(super) fn is_word(unit: &str) -> bool {
    unit.chars().next().is_some_and(|c| is_letter(c) || is_ideograph(c))
}

/// The numbers of a unit's pieces: itself and its runs of three characters, with "<" before and ">" behind.
pub(super) fn pieces(unit: &str, rows: u32) -> Vec<u32> {
    let low: Vec<char> = format!("<{}>", unit.to_lowercase()).chars().collect();
    let runs = std::iter::once(&low[..]).chain(low.windows(PIECE)).take(MOST_PIECES);
    runs.map(|run| hash(&run.iter().collect::<String>()) % rows).collect()
}

/// FNV-1a.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn is_ideograph(c: char) -> bool {
    IDEOGRAPHS.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)))
}

fn is_letter(c: char) -> bool {
    let group = c.general_category_group();
    matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number) && !is_ideograph(c)
}
