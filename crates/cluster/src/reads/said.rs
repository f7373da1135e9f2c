//! What others wrote, made fit to be read: passwords of addresses masked, nothing in it that a terminal obeys or hides, and no end of it cut
//! off unseen.

use clusterlore_core::words;
use clusterlore_http::masked;

/// One line of at most so many characters: white space folded, escape sequences and characters without a shape gone.
pub fn clean(text: &str, most: usize) -> String {
    // What is cut off anyway is not looked at; a mask needs the end of an address.
    let text: String = text.chars().take(most.saturating_mul(4).max(4_096)).collect();
    let text = masked(&shapes(&text)).into_owned();
    words::cut(&words::one_line(&text), most).into_owned()
}

/// All its lines, with what stands before them: escape sequences and characters without a shape gone, passwords of addresses masked.
pub fn clean_text(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| masked(&shapes(line)).trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Its last lines, each as [`clean`] gives it; empty ones are left out.
pub fn clean_lines(text: &str, lines: usize, most: usize) -> Vec<String> {
    let mut last: Vec<String> =
        text.lines().rev().map(|line| clean(line, most)).filter(|line| !line.is_empty()).take(lines).collect();
    last.reverse();
    last
}

/// The text without escape sequences (ECMA-48) and without characters that have no shape or change the order of others.
fn shapes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                while chars.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
                chars.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
            }
            c if c.is_whitespace() => kept.push(' '),
            c if has_no_shape(c) => {}
            c => kept.push(c),
        }
    }
    kept
}

/// Controls, bidi and format characters, tags, variation selectors, and what is private.
fn has_no_shape(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        )
        || matches!(c, '\u{600}'..='\u{605}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_deceives_is_gone() {
        for (said, clean_text) in [
            ("\u{1b}[31mred\u{1b}[0m and \u{1b}]0;title\u{7}plain", "red and ]0;titleplain"),
            ("two\nlines\tand\r more", "two lines and more"),
            ("a\u{202e}b\u{200b}c\u{feff}", "abc"),
            ("\u{1b}[2J\u{1b}[1;1H", ""),
            ("\u{1b}[12", ""),
            ("dial postgres://me:s3cret@db/x failed", "dial postgres://…@db/x failed"),
            ("größe 日本", "größe 日本"),
        ] {
            assert_eq!(clean(said, 200), clean_text);
        }
        assert_eq!(clean(&"x".repeat(1_000_000), 10), "xxxxxxxxx…");
        assert_eq!(clean_lines("a\n\n\u{1b}[0m\nb\nc\n", 2, 10), ["b", "c"]);
    }

    proptest! {
        #[test]
        fn fuzz_said(text in any::<String>(), most in 1_usize..300) {
            let shown = clean(&text, most);
            prop_assert!(shown.chars().count() <= most);
            prop_assert!(!shown.chars().any(has_no_shape));
            prop_assert!(!shown.contains('\n'));
        }
    }
}
