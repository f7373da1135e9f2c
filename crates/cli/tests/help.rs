//! What `--help` says, of every command that the program lists.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use common::{Home, Ran};

/// `--help` as 80 columns show it, whatever terminal this runs under.
fn help(program: &str, command: &[String]) -> String {
    let mut help = Command::new(program);
    help.args(command).arg("--help").env_clear().env("COLUMNS", "80").stdin(std::process::Stdio::null());
    Ran::of(help.output().unwrap()).ok().out
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let after = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let rows = after.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    rows.map(|row| row.split_whitespace().next().unwrap().to_owned()).filter(|name| name != "help").collect()
}

#[test]
fn help_of_every_command() {
    let mut left = vec![Vec::new()];
    let mut seen = BTreeSet::new();
    while let Some(command) = left.pop() {
        let help = help(env!("CARGO_BIN_EXE_clusterlore"), &command);
        left.extend(listed(&help).into_iter().map(|name| [&command[..], &[name]].concat()));
        let name = [&["clusterlore".to_owned()], &command[..]].concat().join("-");
        insta::assert_snapshot!(name.clone(), help);
        seen.insert(name);
    }
    assert!(seen.contains("clusterlore-config-show") && seen.len() > 14, "{seen:?}");
    // And none of a command that is gone.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        if let Some(name) = file.strip_prefix("help__clusterlore").and_then(|rest| rest.strip_suffix(".snap")) {
            assert!(seen.contains(&format!("clusterlore{name}")), "{file} is of no command; remove it");
        }
    }
}

#[test]
fn help_of_the_plugin() {
    insta::assert_snapshot!("kubectl-lore", help(env!("CARGO_BIN_EXE_kubectl-lore"), &[]));
}

#[test]
fn the_program_without_a_command_shows_its_help() {
    let home = Home::new();
    let ran = Ran::of(home.command(&[]).env("COLUMNS", "80").output().unwrap());
    insta::assert_snapshot!("no-command", home.transcript(&[], &ran));
}

#[test]
fn the_version_is_one_line() {
    let home = Home::new();
    insta::assert_snapshot!("version", home.shows(&["--version"]));
    insta::assert_snapshot!("version-of-a-command", home.shows(&["search", "--version"]));
}
