//! Patterns in which `*` stands for any characters, none included.

/// Whether a pattern covers a text.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut in_text) = (0, 0);
    // The last star, and how much of the text it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(byte) if *byte == text[in_text] => (at, in_text) = (at + 1, in_text + 1),
            _ => {
                let Some((star_at, stood_for)) = &mut star else { return false };
                *stood_for += 1;
                (at, in_text) = (*star_at + 1, *stood_for);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, covers) in [
            ("", "", true),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*.b*", "a.ba.b", true),
            ("a*b*c", "a-b-b-c", true),
            ("ä*", "äö", true),
            ("a", "ab", false),
        ] {
            assert_eq!(glob(pattern, text), covers, "{pattern} {text}");
        }
        let many = "a*".repeat(100);
        assert!(!glob(&many, &format!("{}b", "a".repeat(200)).replace('a', "c")));
    }

    proptest! {
        #[test]
        fn patterns_cover_what_a_slow_reader_says(pattern in "[ab*]{0,6}", text in "[ab]{0,6}") {
            fn slow(pattern: &str, text: &str) -> bool {
                let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
                let Some(rest) = text.strip_prefix(head) else { return false };
                (0..=rest.len()).any(|i| slow(tail, &rest[i..]))
            }
            prop_assert_eq!(glob(&pattern, &text), slow(&pattern, &text));
        }
    }
}
