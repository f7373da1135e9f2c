//! A user's own file: what it adds, and what is said of its errors.

use std::path::Path;

use clusterlore_catalogue::{Catalogue, Meaning};

const OWN: &str = r#"
[categories.trading]
about = "Buys and sells."
phrases = ["trading system", "order matching"]
parents = ["business-application"]

[software.matcher]
title = "Matcher"
aliases = ["px-matcher"]
categories = ["trading"]
about = "Our order matching engine."

[software.redis]
title = "Redis"
categories = ["message-broker"]
about = "Here it is only a queue."

[groups."trade.example.org"]
title = "Trading desk"
software = "matcher"
categories = ["trading"]
about = "Desks and their books."

[groups."trade.example.org".kinds]
Book = { role = "workload", about = "One order book.", synonyms = ["order book"] }
"#;

#[test]
fn entries_are_added_and_replaced() {
    let own = Catalogue::with_text("own.toml", OWN).unwrap();
    assert_eq!(own.software("matcher").unwrap().title, "Matcher");
    assert_eq!(own.software("redis").unwrap().categories.len(), 1);
    assert_eq!(own.software("postgresql"), Catalogue::builtin().software("postgresql"));
    assert_eq!(own.kind("trade.example.org", "Book").unwrap().about, "One order book.");
    assert!(own.is_a("trading", "business-application"));
    let asked = own.asked("which order matching do we run, and who has order books?");
    assert!(matches!(asked[0].meaning, Meaning::Category(c) if c.id == "trading"));
    assert!(asked.iter().any(|a| matches!(a.meaning, Meaning::Kind(k) if k.kind == "Book")));
}

#[test]
fn a_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    std::fs::write(&path, OWN).unwrap();
    assert!(Catalogue::with_file(&path).unwrap().software("matcher").is_some());
    let missing = Catalogue::with_file(Path::new("/nonexistent/own.toml")).unwrap_err();
    assert!(std::error::Error::source(&missing).is_some(), "{missing:?}");
    assert_eq!(missing.to_string(), "cannot read the catalogue /nonexistent/own.toml");
}

#[test]
fn errors_name_the_file_the_entry_and_what_was_expected() {
    let software = |fields: &str| format!("[software.x-thing]\ntitle = \"X thing\"\nabout = \"A thing.\"\n{fields}");
    let cases = [
        ("a = [".to_owned(), "own.toml, line 1: "),
        (
            "[softwares.x]".to_owned(),
            "own.toml, softwares: unknown section; expected categories, software, groups or kinds",
        ),
        ("software = 3".to_owned(), "own.toml, software: is not a table; expected [categories.ID]"),
        (
            software("categories = [\"databse\"]"),
            "own.toml, software.x-thing: \"databse\" is not a known category; define it under [categories] or use an existing one",
        ),
        (
            software("categories = [\"relational\"]"),
            "own.toml, software.x-thing: \"relational\" is not a known category; is it \"relational-database\"?",
        ),
        (software(""), "own.toml, software.x-thing: 0 categories; expected 1 to 4, the best one first"),
        (
            software("categories = [\"cache\"]\ncategory = 1"),
            "own.toml, software.x-thing: unknown field `category`, expected one of ",
        ),
        (
            software("categories = [\"cache\"]\naliases = [\"postgres\"]"),
            "own.toml, software.postgresql and software.x-thing: both have the alias \"postgres\"; expected it in one",
        ),
        (
            software("categories = [\"cache\"]").replace("x-thing", "X_Thing"),
            "own.toml, software.X_Thing: the id is not kebab-case; expected something like \"cert-manager\"",
        ),
        (
            "[software.x]\ntitle = \"X\"\ncategories = [\"cache\"]".to_owned(),
            "own.toml, software.x: about is missing; expected one short sentence",
        ),
        (
            "[categories.x]\nabout = \"X.\"\nphrases = [\"x\"]\nparents = [\"x\"]".to_owned(),
            "own.toml, categories.x: is among its own ancestors; expected parents that lead to broader categories",
        ),
        (
            "[groups.x]\ntitle = \"X\"\nabout = \"X.\"\ncategories = [\"cache\"]".to_owned(),
            "own.toml, groups.\"x\": is not a group; expected a domain such as \"example.org\"",
        ),
    ];
    for (text, expected) in cases {
        let message = Catalogue::with_text("own.toml", &text).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}\nexpected {expected}");
        assert!(!message.contains('\n'), "{message}");
    }
}
