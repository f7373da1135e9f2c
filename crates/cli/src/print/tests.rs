//! Shapes for programs: exact, and fit for a terminal.

use serde_json::{Value, json};

use super::stderr::LONGEST_LINE;
use super::*;

/// Everything at once that a terminal must not get.
const HOSTILE: &str =
    "a\u{1b}[31m\u{7}\r\n\t\u{9b}2J\u{7f}\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{e0041}\u{61c}é😀\"\\: - #";

#[test]
fn yaml_is_exact_and_holds_nothing_that_deceives() {
    let values = [
        json!({"name": "plain", "labels": {"app": "web"}, "score": 0.5, "none": null}),
        json!({"name": HOSTILE, "labels": {"app": HOSTILE}}),
        json!([{"two": "lines\nof text", "tab": "\tx"}, HOSTILE]),
    ];
    for value in values {
        let yaml = yaml_text(&value).unwrap();
        assert!(!yaml.chars().any(|c| c != '\n' && foreign::deceives(c)), "{yaml}");
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), value, "{yaml}");
    }
    assert_eq!(yaml_text(&json!({"name": "plain"})).unwrap(), "name: plain");
}

#[test]
fn a_line_is_one_line_and_has_an_end() {
    assert!(!shown(HOSTILE).contains('\n'));
    assert_eq!(shown(&"x".repeat(LONGEST_LINE)).chars().count(), LONGEST_LINE);
    assert_eq!(shown(&"\u{7}".repeat(1_000_000)).chars().count(), LONGEST_LINE);
}

#[test]
fn words_of_the_command_line_that_may_be_secret_are_known() {
    for word in ["u:pw@h", "host=h password=x", "--voyage-api-key=pa", "--token=x", "my-secret"] {
        assert!(may_hold_a_password(word), "{word}");
    }
    for word in ["serch", "--password", "a/b", "--limit=x"] {
        assert!(!may_hold_a_password(word), "{word}");
    }
}
