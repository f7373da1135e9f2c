//! Good input, edited at random: what breaks programs is seldom noise and mostly something good with something odd in it.

use fastrand::Rng;
use serde_json::{Value, json};

/// Pieces that are put in anywhere.
const PIECES: [&str; 24] = [
    "\"", "{", "}", "[", "]", ":", ",", "\\", "\\u0000", "\\ud800", "null", "true", "-", "0", "1e400", "\u{0}", "\u{1b}[31m",
    "\u{202e}", "\u{feff}", "é", "🦀", "\n", "\r", " ",
];

/// The text with so many edits, the same for the same number. May be no text any more.
pub fn edited(seed: &str, edits: usize, random: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(random);
    let mut text = seed.to_owned();
    for _ in 0..edits {
        // Of JSON a value is replaced half of the time, so that what comes out is still JSON.
        match serde_json::from_str::<Value>(&text) {
            Ok(mut value) if rng.bool() => {
                replace(&mut value, &mut rng);
                text = value.to_string();
            }
            _ => text = cut_and_paste(&text, &mut rng),
        }
    }
    let mut bytes = text.into_bytes();
    if edits > 0 && rng.u8(..16) == 0 && !bytes.is_empty() {
        let at = rng.usize(..bytes.len());
        bytes[at] = rng.u8(..);
    }
    bytes
}

/// Lines, each of which may be edited, left out, put in twice or in another place.
pub fn edited_lines(seed: &str, edits: usize, random: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(random);
    let mut lines: Vec<Vec<u8>> = seed.lines().map(|line| line.as_bytes().to_vec()).collect();
    for _ in 0..edits {
        if lines.is_empty() {
            break;
        }
        let (at, other) = (rng.usize(..lines.len()), rng.usize(..lines.len()));
        match rng.u8(..6) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[other].clone()),
            2 => lines.swap(at, other),
            _ => {
                let line = String::from_utf8_lossy(&lines[at]).into_owned();
                lines[at] = edited(&line, 1, rng.u64(..));
            }
        }
    }
    let mut all = lines.join(&b'\n');
    if rng.u8(..8) != 0 {
        all.push(b'\n');
    }
    all
}

fn cut_and_paste(text: &str, rng: &mut Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let a = rng.usize(..=chars.len());
    let b = (a + rng.usize(..=12)).min(chars.len());
    match rng.u8(..8) {
        0 => drop(chars.drain(a..b)),
        1 => {
            let twice: Vec<char> = chars[a..b].to_vec();
            let many = if rng.u8(..8) == 0 { 2_000 } else { 1 };
            (0..many).for_each(|_| drop(chars.splice(a..a, twice.iter().copied())));
        }
        2 => chars.truncate(a),
        3 => {
            let many = rng.usize(1..3_000);
            chars.splice(a..a, std::iter::repeat_n('[', many)).for_each(drop);
        }
        4 => {
            let odd = char::from_u32(rng.u32(..0x11_0000)).unwrap_or('\u{fffd}');
            chars.splice(a..b, [odd]).for_each(drop);
        }
        _ => {
            let piece = PIECES[rng.usize(..PIECES.len())];
            chars.splice(a..a, piece.chars()).for_each(drop);
        }
    }
    chars.into_iter().collect()
}

/// Puts another value in the place of one somewhere inside.
fn replace(value: &mut Value, rng: &mut Rng) {
    let deeper = rng.u8(..4) != 0;
    match value {
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = rng.usize(..items.len());
            replace(&mut items[at], rng);
        }
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let at = rng.usize(..fields.len());
            let key = fields.keys().nth(at).cloned().unwrap_or_default();
            if rng.u8(..4) == 0 {
                let value = fields.remove(&key).unwrap_or_default();
                if rng.bool() {
                    fields.insert(format!("{key}x"), value);
                }
            } else if let Some(value) = fields.get_mut(&key) {
                replace(value, rng);
            }
        }
        _ => *value = another(rng),
    }
}

fn another(rng: &mut Rng) -> Value {
    match rng.u8(..16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(u64::MAX),
        5 => json!(i64::MIN),
        6 => json!(1e39),
        7 => json!(-1e308),
        8 => json!(""),
        9 => json!("a\u{0}\u{1b}[2J\u{202e}\n/b"),
        10 => json!("x".repeat(rng.usize(1..20_000))),
        11 => json!([]),
        12 => json!({}),
        13 => json!([[[[]]]]),
        14 => json!({"": {"": null}}),
        _ => json!(vec![0.5; rng.usize(1..300)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_repeated_and_none_leave_all_as_it_was() {
        let seed = r#"{"a":[1,{"b":"c"}]}"#;
        assert_eq!(edited(seed, 0, 7), seed.as_bytes());
        assert_eq!(edited(seed, 5, 7), edited(seed, 5, 7));
        let different = (0..200).filter(|n| edited(seed, 2, *n) != seed.as_bytes()).count();
        assert!(different > 190, "{different}");
        assert_eq!(edited_lines("a\nb", 0, 1), b"a\nb\n");
    }
}
