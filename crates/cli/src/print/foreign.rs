//! What came from outside, made fit to be shown: names, descriptions, messages of servers, file names, answers of models. A terminal
//! obeys control characters and hides or turns round what bidi and format characters surround, so these are shown as what they are;
//! lengths have an end. What is masked in it is `clusterlore_http`'s to say.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// What a terminal obeys, hides, or lets change the order of others: Unicode's controls (Cc), format characters (Cf, bidi controls and
/// tags among them), line and paragraph separators, and what is ignored by default. Each range with its ends.
const DECEIVING: &[(char, char)] = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character must not reach a terminal as it is.
pub(crate) fn deceives(c: char) -> bool {
    // Nearly everything is printable ASCII.
    !(' '..='~').contains(&c) && DECEIVING.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// One line with nothing in it that deceives: what would is written as in `\n` or `\u{1b}`. Spaces at the ends stay.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(deceives) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            // Chooses how an emoji looks; behind a letter it would only make two names look alike.
            '\u{fe0e}' | '\u{fe0f}' if before > '\u{2000}' && !deceives(before) => shown.push(c),
            c if deceives(c) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
        before = c;
    }
    Cow::Owned(shown)
}

/// At most so many characters; what is left out shows as `…`.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some(_) => {
            let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
            Cow::Owned(format!("{}…", text[..end].trim_end()))
        }
        None => Cow::Borrowed(text),
    }
}

/// How JSON or YAML writes a character that lies beyond the first 65,536.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Far {
    /// JSON: as two halves.
    Pair,
    /// YAML: as `\U` and eight digits.
    Long,
}

/// JSON with the same values and nothing in it that deceives. What is below U+007F was escaped by whoever wrote it; outside of strings
/// there is nothing of the kind.
pub(crate) fn escaped(json: &str, far: Far) -> Cow<'_, str> {
    let raw = |c: char| c > '~' && deceives(c);
    if json.is_ascii() && !json.contains('\u{7f}') || !json.chars().any(raw) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        let _ = match (raw(c), far) {
            (false, _) => shown.write_char(c),
            (true, Far::Long) if c > '\u{ffff}' => write!(shown, "\\U{:08x}", u32::from(c)),
            (true, _) => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|half| write!(shown, "\\u{half:04x}")),
        };
    }
    Cow::Owned(shown)
}

/// Lets JSON through as [`escaped`] writes it.
pub(crate) struct Escaping<W> {
    out: W,
    /// The beginning of a character whose end has not come yet.
    begun: Vec<u8>,
}

impl<W: Write> Escaping<W> {
    pub(crate) fn into(out: W) -> Self {
        Self { out, begun: Vec::new() }
    }

    /// What was written to; with what was begun and never ended.
    pub(crate) fn into_inner(mut self) -> io::Result<W> {
        self.out.write_all(&self.begun)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let (true, Ok(text)) = (self.begun.is_empty(), std::str::from_utf8(bytes)) {
            self.out.write_all(escaped(text, Far::Pair).as_bytes())?;
            return Ok(bytes.len());
        }
        self.begun.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.begun) {
            Ok(text) => text.len(),
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            Err(e) => return Err(io::Error::new(io::ErrorKind::InvalidData, e)),
        };
        let text = String::from_utf8_lossy(&self.begun[..whole]);
        self.out.write_all(escaped(&text, Far::Pair).as_bytes())?;
        self.begun.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use fancy_regex::Regex;
    use proptest::prelude::*;

    use super::*;

    /// Unicode's own tables, as another library has them.
    fn deceiving() -> Regex {
        Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]").unwrap()
    }

    #[test]
    fn every_control_and_format_character_of_unicode_is_made_visible() {
        let rule = deceiving();
        let mut found = 0;
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            if rule.is_match(&text).unwrap() {
                found += 1;
                assert!(deceives(c), "U+{:04X} goes through", u32::from(c));
            }
            if deceives(c) {
                let shown = visible(&text);
                assert!(shown.starts_with('\\') && shown.is_ascii() && shown.len() > 1, "{shown}");
            } else {
                assert_eq!(visible(&text), text);
            }
        }
        assert!(found > 4_000, "{found}");
    }

    #[test]
    fn what_people_write_stays_what_it_is() {
        for text in ["größe", "日本語", "שלום", "مرحبا", "a\u{a0}b", "❤\u{fe0f}", "e\u{301}", " spaces ", "👍🏽"]
        {
            assert_eq!(visible(text), text);
        }
        for (text, shown) in [
            ("a\r\nerror: b\t", r"a\r\nerror: b\t"),
            ("\u{1b}[2J\u{7}\u{9b}31m\u{7f}", r"\u{1b}[2J\u{7}\u{9b}31m\u{7f}"),
            ("pay\u{202e}gnp.exe", r"pay\u{202e}gnp.exe"),
            ("ad\u{fe0f}min ad\u{200b}min", r"ad\u{fe0f}min ad\u{200b}min"),
            ("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}\\u{fe0f}"),
            ("x\u{e0041}", r"x\u{e0041}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("größe", 5), "größe");
        assert_eq!(cut("größer", 5), "größ…");
        assert_eq!(cut("one two", 5), "one…");
        assert_eq!(cut("", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_that_deceives_is_shown(text in "(\\PC|\\p{Cc}|\\p{Cf}|\u{fe0f}|\u{2028}|://|@|password=){0,60}") {
            let shown = super::super::shown(&text);
            let left: Vec<char> = shown.chars().filter(|c| deceives(*c) && *c != '\u{fe0f}' && *c != '\u{fe0e}').collect();
            prop_assert!(left.is_empty(), "{left:?}");
        }

        #[test]
        fn escaped_json_holds_the_same_in_whatever_pieces_it_comes(
            text in "(\\PC|\\p{Cf}|\\p{Cc}|\u{2028}|\u{e0041}|\"|\\\\){0,40}",
            cuts in proptest::collection::vec(1_usize..7, 1..50),
        ) {
            let json = serde_json::to_string(&[&text]).unwrap();
            let shown = escaped(&json, Far::Pair);
            prop_assert!(!shown.chars().any(deceives));
            prop_assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [text]);
            let mut out = Escaping::into(Vec::new());
            let mut rest = json.as_bytes();
            for cut in cuts.iter().cycle() {
                let (piece, others) = rest.split_at((*cut).min(rest.len()));
                out.write_all(piece).unwrap();
                rest = others;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(out.into_inner().unwrap(), shown.as_bytes());
        }
    }
}
