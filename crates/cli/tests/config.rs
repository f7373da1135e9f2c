//! Settings from flags, environment and file, as a user meets them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Home, Ran};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
const FILE: &str = ".config/clusterlore/clusterlore.toml";

#[test]
fn the_file_is_read_and_the_environment_and_flags_come_before_it() {
    let home = Home::new();
    home.write(FILE, "store = \"sqlite:of-the-file.db\"\n");
    home.run(&["sync-instances", "--from", EXAMPLES]).ok();
    assert!(home.path("of-the-file.db").exists() && !home.store().exists());

    let sync = ["sync-instances", "--from", EXAMPLES];
    let ran = home.command(&sync).env("CLUSTERLORE_STORE", "sqlite:of-the-environment.db").output().unwrap();
    Ran::of(ran).ok();
    assert!(home.path("of-the-environment.db").exists());

    let flags = [&sync[..], &["--store", "sqlite:of-a-flag.db"]].concat();
    let ran = home.command(&flags).env("CLUSTERLORE_CHROMA_URL", "http://127.0.0.1:9").output().unwrap();
    Ran::of(ran).ok();
    assert!(home.path("of-a-flag.db").exists());

    let other = home.write("other.toml", "store = \"sqlite:of-another-file.db\"\n");
    home.run(&[&sync[..], &["--config", other.to_str().unwrap()]].concat()).ok();
    assert!(home.path("of-another-file.db").exists());
}

#[test]
fn what_is_set_is_shown_with_where_it_is_from_and_without_secrets() {
    let home = Home::new();
    home.write(FILE, "postgres-url = \"postgres://me:hunter2@db/lore\"\nvoyage-api-key = \"pa-secret\"\n");
    let mut command = home.command(&["config", "show", "--embedder", "voyage"]);
    let ran = Ran::of(command.env("ANTHROPIC_API_KEY", "sk-secret").output().unwrap()).ok();
    assert!(!ran.out.contains("hunter2") && !ran.out.contains("secret"), "{}", ran.out);
    for line in [
        &["postgres-url", "postgres://…@db/lore", FILE][..],
        &["voyage-api-key", "********", FILE],
        &["anthropic-api-key", "********", "ANTHROPIC_API_KEY"],
        &["embedder", "voyage", "--embedder"],
        &["catalogue", "default"],
    ] {
        assert!(ran.out.lines().any(|l| line.iter().all(|part| l.contains(part))), "{line:?}\n{}", ran.out);
    }
    let json = home.run(&["config", "show", "-o", "json"]).ok().out;
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    let row = rows.as_array().unwrap().iter().find(|r| r["key"] == "postgres-url").unwrap();
    assert!(row["from"].as_str().unwrap().ends_with(FILE), "{row}");
}

#[test]
fn what_is_set_wrong_is_wrong_usage_and_says_where_it_is_set() {
    let home = Home::new();
    for (text, said) in [
        ("embedder = \"cohere\"", "embedder in "),
        ("colour = \"red\"", "there is no setting \"colour\""),
        ("store = ", ":1: "),
        ("store = \"sqlite:a\"\nchroma-url = \"http://h\"", "expected one of them"),
    ] {
        home.write(FILE, text);
        for command in [&["config", "show"][..], &["search", "x"]] {
            let ran = home.run(command);
            // A search looks at the store first, and says that it is missing.
            let missing = command[0] == "search" && ran.err.contains("nothing is indexed yet");
            assert!(ran.status == 2 && ran.err.contains(said) || missing, "{text}: {ran:?}");
        }
    }
    std::fs::remove_file(home.path(FILE)).unwrap();
    let ran = Ran::of(home.command(&["config", "show"]).env("CLUSTERLORE_STORE", "index.db").output().unwrap());
    assert!(ran.status == 2 && ran.err.contains("CLUSTERLORE_STORE: expected sqlite:PATH"), "{ran:?}");
    let ran = home.run(&["status", "--config", "nowhere.toml"]);
    assert!(ran.error().contains("nowhere.toml"), "{}", ran.err);
    assert_eq!(home.run(&["search", "x", "--chroma-url", "localhost:8000"]).status, 2);
}
