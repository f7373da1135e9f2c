//! Conversations over the shared corpus: what each question is read as, and which objects answer it. The dialogues are a file, `>` a
//! question, `~` what was taken over, `?` a question back, `!` an error, `=` the objects (or `N of Kind` where they are many).
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

use common::{Home, Ran};
use serde_json::Value;

const DIALOGUES: &str = include_str!("dialogues/corpus.txt");

/// A question, and what is expected of its answer.
#[derive(Debug, Default)]
struct Turn {
    question: &'static str,
    took: Option<&'static str>,
    back: Option<&'static str>,
    error: Option<&'static str>,
    objects: &'static str,
}

fn read() -> Vec<Vec<Turn>> {
    let mut dialogues: Vec<Vec<Turn>> = Vec::new();
    for block in DIALOGUES.split("\n\n").filter(|block| block.starts_with('>')) {
        let mut turns: Vec<Turn> = Vec::new();
        for line in block.lines() {
            let (sign, text) = line.split_once(' ').unwrap();
            match (sign, turns.last_mut()) {
                (">", _) => turns.push(Turn { question: text, ..Turn::default() }),
                ("~", Some(turn)) => turn.took = Some(text),
                ("?", Some(turn)) => turn.back = Some(text),
                ("!", Some(turn)) => turn.error = Some(text),
                ("=", Some(turn)) => turn.objects = text,
                _ => panic!("{line}"),
            }
        }
        dialogues.push(turns);
    }
    dialogues
}

/// `namespace/Kind/name` of an id; of a type its name.
fn short(id: &str) -> String {
    let parts: Vec<&str> = id.split('/').collect();
    match parts[..] {
        [namespace, .., kind, name] if parts.len() > 3 => format!("{namespace}/{kind}/{name}"),
        _ => id.to_owned(),
    }
}

fn check(turn: &Turn, answer: &Value) {
    let told = |path: &str| answer.pointer(path).and_then(Value::as_str);
    let Turn { question, took, back, error, objects } = turn;
    assert_eq!(told("/question"), Some(*question), "{answer}");
    assert_eq!(told("/error"), *error, "{question}");
    if error.is_some() {
        return;
    }
    assert_eq!(told("/took/text"), *took, "{question}");
    assert_eq!(told("/asks/text"), *back, "{question}");
    let hits = answer["hits"].as_array().unwrap();
    let answers = hits.iter().filter(|hit| back.is_some() || hit["answers"] == true);
    let found: BTreeSet<String> = answers.map(|hit| short(hit["id"].as_str().unwrap())).collect();
    match objects.split_once(" of ") {
        Some((number, kind)) => {
            let expected = number.parse::<u64>().map_or(Value::Null, Value::from);
            assert_eq!(answer["number"], expected, "{question}");
            assert!(found.len() > 8, "{question}: {found:?}");
            let of_kind = |id: &String| kind == "all" || id.split('/').nth(1) == Some(kind);
            assert!(found.iter().all(of_kind), "{question}: {found:?}");
        }
        None => {
            let expected: BTreeSet<String> = objects.split(' ').filter(|id| *id != "-").map(str::to_owned).collect();
            assert_eq!(found, expected, "{question}");
        }
    }
}

#[test]
fn what_a_question_takes_over() {
    let Some(corpus) = clusterlore_testkit::shared("corpus/manifests") else { return };
    let home = Home::new();
    home.run(&["index", "--from", corpus.to_str().unwrap()]).ok();
    let dialogues = read();
    assert!(dialogues.len() >= 90, "{}", dialogues.len());
    for turns in dialogues {
        let lines: String = turns.iter().map(|turn| format!("{}\n", turn.question)).collect();
        let ran = talk(&home, &["--limit", "50", "-o", "json"], &lines);
        let answers: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), turns.len(), "{lines}{}{}", ran.out, ran.err);
        for (turn, answer) in turns.iter().zip(&answers) {
            check(turn, answer);
        }
        let refused = turns.iter().any(|turn| turn.error.is_some());
        assert_eq!(ran.status, if refused { 3 } else { 0 }, "{lines}{}", ran.err);
    }
}

/// Runs `ask -i` with these lines on its standard input.
fn talk(home: &Home, args: &[&str], lines: &str) -> Ran {
    let mut command = home.command(&[&["ask", "-i"], args].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}
