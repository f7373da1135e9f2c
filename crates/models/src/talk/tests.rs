//! Against what the training program computed (`tools/train-talk` writes the reference with the weights).

use super::*;

#[derive(serde::Deserialize)]
struct Reference {
    text: String,
    /// Each unit, the number of its sentence, and its logit.
    units: Vec<(String, usize, f32)>,
}

#[test]
fn the_network_computes_what_its_training_did() {
    let lines: Vec<Reference> = serde_json::from_str(include_str!("reference.json")).unwrap();
    assert!(lines.len() > 10);
    for Reference { text, units } in lines {
        let read = said(&text);
        let found: Vec<(&str, usize)> = read.iter().map(|unit| (&text[unit.span.clone()], unit.sentence)).collect();
        let expected: Vec<(&str, usize)> = units.iter().map(|(unit, sentence, _)| (unit.as_str(), *sentence)).collect();
        assert_eq!(found, expected, "{text:?}");
        for (unit, (word, _, logit)) in read.iter().zip(&units) {
            assert!((unit.asks - logit).abs() < 2e-3, "{text:?}: {word:?} {}, expected {logit}", unit.asks);
        }
    }
}

#[test]
fn a_greeting_is_told_from_the_question() {
    let text = "Hi everyone, I hope you are well. Which databases do we run? Thanks a lot, Martin";
    let read = said(text);
    let of = |word: &str| read.iter().find(|unit| &text[unit.span.clone()] == word).unwrap().asks;
    assert!(["everyone", "hope", "Thanks", "Martin"].iter().all(|word| of(word) < -1.0), "{read:?}");
    assert!(["Which", "databases", "run"].iter().all(|word| of(word) > 1.0), "{read:?}");
}

#[test]
fn a_long_text_is_read_to_a_bound() {
    assert_eq!(said(&"pods ".repeat(9000)).len(), 512);
    assert!(said("").is_empty() && said(" \n ").is_empty());
}

#[test]
fn weights_that_do_not_fit_are_told() {
    assert!(Talk::from_bytes(WEIGHTS).is_ok());
    for length in [0, 8, 100, WEIGHTS.len() - 1] {
        assert!(matches!(Talk::from_bytes(&WEIGHTS[..length]), Err(EncoderError::Unreadable { .. })));
    }
    let other = include_bytes!("../../data/builtin/encoder.safetensors");
    let problem = Talk::from_bytes(other).unwrap_err().to_string();
    assert_eq!(problem, "the weights have the format \"clusterlore-encoder-1\"; expected clusterlore-talk-1");
}
