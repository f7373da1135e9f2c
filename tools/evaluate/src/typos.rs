//! Slips of the finger: one edit in one word of a question, the same for the same question and seed.

use fastrand::Rng;

/// Shorter words are seldom looked at for a slip by anybody, and often become other words by one.
const SHORTEST: usize = 5;

/// The question with one slip, or `None` where no word is long enough.
pub(crate) fn with_one(text: &str, id: &str, seed: u64) -> Option<String> {
    // Each question has its own chance, so that one more question leaves the others as they were.
    let own = id.bytes().fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = Rng::with_seed(own);
    let letters: Vec<char> = text.chars().collect();
    let mut words: Vec<(usize, usize)> = Vec::new();
    let mut begin = 0;
    for at in 0..=letters.len() {
        if letters.get(at).is_none_or(|c| !c.is_alphabetic()) {
            if at - begin >= SHORTEST {
                words.push((begin, at));
            }
            begin = at + 1;
        }
    }
    let (begin, end) = random.choice(words)?;
    let mut slipped = letters;
    slip(&mut slipped, begin, end, &mut random);
    Some(slipped.into_iter().collect())
}

fn slip(letters: &mut Vec<char>, begin: usize, end: usize, random: &mut Rng) {
    let at = random.usize(begin..end);
    match random.u8(0..4) {
        0 => {
            // Two equal letters would stay what they are.
            let unequal: Vec<usize> = (begin..end - 1).filter(|at| letters[*at] != letters[at + 1]).collect();
            match random.choice(unequal) {
                Some(at) => letters.swap(at, at + 1),
                None => drop(letters.remove(at)),
            }
        }
        1 => drop(letters.remove(at)),
        2 => letters.insert(at, letters[at]),
        _ => {
            let others: Vec<char> = ('a'..='z').filter(|c| *c != letters[at].to_ascii_lowercase()).collect();
            if let Some(other) = random.choice(others) {
                letters[at] = other;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Insertions, deletions, replacements and swaps of neighbours between two texts.
    fn edits(a: &str, b: &str) -> usize {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let changed = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let best = changed.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    if swapped { best.min(table[i - 2][j - 2] + 1) } else { best }
                };
            }
        }
        table[a.len()][b.len()]
    }

    #[test]
    fn one_edit_in_a_long_word_and_always_the_same() {
        let text = "which aaaaa keeps the Größenordnung of deploy/checkout-api";
        for seed in 0..500 {
            let slipped = with_one(text, "q1", seed).unwrap();
            assert_eq!(edits(text, &slipped), 1, "{slipped}");
            assert_eq!(with_one(text, "q1", seed).unwrap(), slipped);
            for short in ["the", "of", "api"] {
                assert!(slipped.split(|c: char| !c.is_alphabetic()).any(|w| w == short), "{slipped}");
            }
        }
        assert_ne!(with_one(text, "q1", 1), with_one(text, "q2", 1));
    }

    #[test]
    fn short_words_have_no_slips() {
        for text in ["", "sts in iot", "a-b_c 12345"] {
            assert_eq!(with_one(text, "q", 1), None, "{text}");
        }
    }
}
