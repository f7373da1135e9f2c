//! How the crates of this workspace are built: no circles of imports, no crate in the wrong room, and no words of the command line
//! below it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clusterlore_testkit::structure::{self, Code};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folders of the workspace's crates, from its root.
fn crates() -> BTreeSet<String> {
    let mut crates = BTreeSet::from(["testing", "testing/bench", "tools/evaluate", "tools/man"].map(str::to_owned));
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        crates.insert(format!("crates/{}", entry.unwrap().file_name().to_str().unwrap()));
    }
    crates
}

#[test]
fn no_two_files_of_a_crate_import_each_other() {
    let mut circles = Vec::new();
    let mut count = 0;
    for folder in crates() {
        let imports = structure::imports(&root().join(&folder).join("src")).unwrap();
        count += imports.values().map(BTreeSet::len).sum::<usize>();
        if let Some(circle) = structure::circle(&imports) {
            circles.push(format!("{folder}: {circle:?}"));
        }
    }
    assert!(count > 500, "only {count} imports: are they read?");
    assert!(circles.is_empty(), "files that import each other:\n{}", circles.join("\n"));
}

/// What the two tests of imports cannot see through.
#[test]
fn no_crate_and_no_module_goes_by_another_name() {
    for folder in crates() {
        let manifest = fs::read_to_string(root().join(&folder).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("package ="), "{folder} renames a dependency");
        for (file, code) in structure::files(&root().join(&folder).join("src")).unwrap() {
            assert!(!code.text.contains("#[path"), "{folder}/src/{} has a module elsewhere", file.display());
        }
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!workspace.contains("package = \""), "the workspace renames a dependency");
}

#[test]
fn circles_are_found() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write("lib.rs", "mod a;\nmod b;\npub use b::B;\n");
    write("a.rs", "use crate::b::{\n    B as Other,\n    c::{C, D as E},\n};\n");
    write("b/mod.rs", "mod c;\npub(crate) use c::C;\n");
    write("b/c.rs", "// use super::B;\n#[cfg(test)]\nmod tests {\n    use super::super::B;\n    use crate::a::A;\n}\n");
    let imports = || structure::imports(folder.path()).unwrap();
    let circle = || structure::circle(&imports());
    let found = imports();
    let names = |file: &str| found[Path::new(file)].iter().map(|f| f.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!((names("a.rs"), names("b/c.rs")), (vec!["b/c.rs", "b/mod.rs"], vec![]));
    assert_eq!(circle(), None);

    write("b/c.rs", "fn f() {\n    super::super::a::f();\n}\n");
    assert_eq!(circle(), Some(vec!["a.rs".into(), "b/c.rs".into()]));
    write("b/c.rs", "use super::B;\n");
    assert_eq!(circle(), Some(vec!["b/c.rs".into(), "b/mod.rs".into()]));
    write("b/c.rs", "");
    write("b/mod.rs", "mod c;\nfn f(x: crate::B) {\n    c::f(x)\n}\n");
    assert_eq!(circle(), Some(vec!["b/mod.rs".into(), "lib.rs".into()]));
    write("b/mod.rs", "#[cfg(test)]\nmod c;\n");
    write("b/c.rs", "use super::B;\nuse crate::b;\n");
    assert_eq!(circle(), None);
    assert!(!imports().contains_key(Path::new("b/c.rs")));
}

/// What a crate is called in the code map: the last part of its folder.
fn short(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap()
}

/// The crates of ours that a manifest names, but for those that only its tests need.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for section in manifest.split("\n[").filter(|section| !section.starts_with("dev-")) {
        let Some((header, lines)) = section.split_once("]\n") else { continue };
        if !header.ends_with("dependencies") {
            continue;
        }
        let names = lines.lines().filter_map(|line| line.strip_prefix("clusterlore")?.split(['.', ' ']).next());
        // The package of the program has no second name.
        found.extend(names.map(|name| called(name.strip_prefix('-').unwrap_or("cli"))));
    }
    found
}

/// The crates of ours that code names in its paths.
fn used(code: &str) -> BTreeSet<String> {
    let names = code.split("clusterlore_").skip(1).map(|rest| rest.split("::").next().unwrap_or_default());
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
    names.filter(is_name).map(called).collect()
}

fn called(name: &str) -> String {
    if name == "testkit" { "testing".to_owned() } else { name.to_owned() }
}

/// The column "imports" of the code map, by the crate's folder.
fn code_map(text: &str) -> BTreeMap<String, String> {
    let header = "| crate | holds | imports |\n";
    let (_, table) =
        text.split_once(header).expect("ARCHITECTURE.md has a table with this header: crate, holds, imports");
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [first, .., last] = cells[..] else { panic!("a row of the code map has no cells: {line}") };
        (first.to_owned(), last.to_owned())
    };
    table.lines().skip(1).take_while(|line| line.starts_with('|')).map(row).collect()
}

/// What is wrong with a row of the code map, held against what the crate depends on and names.
fn wrong_imports(folder: &str, row: Option<&str>, depends: &BTreeSet<String>, uses: &BTreeSet<String>) -> Vec<String> {
    let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let mut wrong = Vec::new();
    if depends != uses {
        wrong.push(format!("{folder}/Cargo.toml depends on [{}], its code names [{}]", list(depends), list(uses)));
    }
    let Some(row) = row else {
        wrong.push(format!("{folder} has no row in the code map of ARCHITECTURE.md; it imports {}", list(depends)));
        return wrong;
    };
    let but = row.strip_prefix("all but ");
    let may = match row {
        "all" => true,
        "–" => depends.is_empty(),
        _ => match but {
            Some(but) => but.split(',').all(|name| !depends.contains(name.trim())),
            None => *depends == row.split(',').map(|name| name.trim().to_owned()).collect(),
        },
    };
    if !may {
        wrong.push(format!("{folder} imports [{}]; the code map of ARCHITECTURE.md says \"{row}\"", list(depends)));
    }
    wrong
}

#[test]
fn crates_import_what_the_code_map_says() {
    let map = code_map(&fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap());
    let mut wrong = Vec::new();
    for folder in crates() {
        let at = root().join(&folder);
        let depends = dependencies(&fs::read_to_string(at.join("Cargo.toml")).unwrap());
        let mut uses = BTreeSet::new();
        for code in structure::files(&at.join("src")).unwrap().values() {
            uses.extend(used(&code.text));
        }
        uses.remove(short(&folder));
        wrong.extend(wrong_imports(&folder, map.get(&folder).map(String::as_str), &depends, &uses));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_code_map_does_not_say_is_found() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\nclusterlore-core.workspace = true\nserde = \"1\"\n\n[build-dependencies]\n\
                    clusterlore-testkit = { path = \"a\" }\n\n[dev-dependencies]\nclusterlore-store.workspace = true\n";
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(dependencies(manifest), names(&["core", "testing"]));
    assert_eq!(dependencies("\n[dependencies]\nclusterlore.workspace = true\nclap = \"4\"\n"), names(&["cli"]));
    assert_eq!(used("use clusterlore_core::{A, B};\nfn f() { clusterlore_testkit::g() }"), names(&["core", "testing"]));

    let map = code_map(
        "# A\n\n| crate | holds | imports |\n| --- | --- | --- |\n| `crates/a` | x | core, http |\n| `b` | y | – |\n\ntext",
    );
    assert_eq!(map.len(), 2);
    let wrong = |row: Option<&str>, depends: &[&str]| wrong_imports("a", row, &names(depends), &names(depends)).len();
    assert_eq!(wrong(map.get("crates/a").map(String::as_str), &["http", "core"]), 0);
    assert_eq!(
        (wrong(Some("core, http"), &["core"]), wrong(Some("core"), &["core", "http"]), wrong(None, &[])),
        (1, 1, 1)
    );
    assert_eq!((wrong(Some("–"), &[]), wrong(Some("–"), &["core"])), (0, 1));
    assert_eq!((wrong(Some("all"), &["cli"]), wrong(Some("all but cli"), &["core"])), (0, 0));
    assert_eq!(wrong(Some("all but cli"), &["cli"]), 1);
    assert_eq!(wrong_imports("a", Some("core"), &names(&["core"]), &names(&[])).len(), 1);
}

/// The crates that know nothing of the command line.
const COMMANDS: [&str; 16] = [
    "index",
    "sync-instances",
    "sync",
    "search",
    "count",
    "similar",
    "status",
    "doctor",
    "export",
    "import",
    "demo",
    "config",
    "completions",
    "serve",
    "mcp",
    "ask",
];

/// The first words of the command line in a text: a flag, or a command by its name.
fn command_line(text: &str) -> Option<&str> {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-');
    let flag = text.match_indices('-').find_map(|(at, _)| {
        let begins = text[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "\"'`([=:;,/".contains(c));
        let name = text[at..].trim_start_matches('-');
        let length = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_flag = match text.len() - at - name.len() {
            1 => length == 1 && ends(&name[1..]),
            2 => true,
            _ => false,
        };
        (begins && is_name && is_flag).then(|| &text[at..])
    });
    let command = text.match_indices("clusterlore ").find_map(|(at, program)| {
        let rest = &text[at + program.len()..];
        COMMANDS.iter().any(|c| rest.strip_prefix(c).is_some_and(ends)).then(|| &text[at..])
    });
    flag.or(command).or_else(|| text.find("sync-instances").map(|at| &text[at..]))
}

/// The rooms that write or read lines of kubectl: they are the same in every face.
const OF_KUBECTL: [&str; 3] =
    ["crates/index/src/command.rs", "crates/agent/src/steps.rs", "crates/agent/src/converse/kubectl.rs"];

#[test]
fn nothing_below_cli_speaks_of_the_command_line() {
    let mut found = Vec::new();
    let mut count = 0;
    for folder in crates().into_iter().filter(|folder| folder.starts_with("crates/") && folder != "crates/cli") {
        let src = root().join(&folder).join("src");
        for (file, code) in structure::files(&src).unwrap() {
            if OF_KUBECTL.contains(&format!("{folder}/src/{}", file.display()).as_str()) {
                continue;
            }
            for literal in code.literals.iter().filter(|literal| literal.attribute != "serde") {
                count += 1;
                // A line that goes on after a backslash is one.
                let lines: Vec<&str> = literal.text.split("\\\n").collect();
                let text = lines.iter().map(|line| line.trim_start()).collect::<String>();
                if let Some(words) = command_line(&text) {
                    found.push(format!("{folder}/src/{}:{}: {words}", file.display(), literal.line));
                }
            }
        }
    }
    assert!(count > 2_000, "only {count} string literals: are they read?");
    assert!(found.is_empty(), "what to do is crates/cli/src/advice.rs's to say:\n{}", found.join("\n"));
}

#[test]
fn words_of_the_command_line_are_found() {
    let code = Code::of(
        r##"
        //! "--comment" and clusterlore sync
        #[serde(rename = "sync-instances")]
        #[error("wrong: {0}; try --store", x)]
        fn f<'a>(x: &'a str, c: char) -> bool { c == '"' || c == '\'' || x == b"bytes" || x == r#"raw "inside" it"# }
        /* "not this" /* nor "this" */ */
        const A: [&str; 2] = ["a \"quoted\" one", "two"]; // "no"
#[cfg(test)]
mod tests {
    const B: &str = "--only-a-test {";
}
#[cfg(test)]
mod more;
        const C: &str = "after";
        "##,
    );
    let literals: Vec<(usize, &str, &str)> =
        code.literals.iter().map(|l| (l.line, l.text.as_str(), l.attribute.as_str())).collect();
    let expected = [
        (3, "sync-instances", "serde"),
        (4, "wrong: {0}; try --store", "error"),
        (5, "bytes", ""),
        (5, "raw \"inside\" it", ""),
        (7, "a \\\"quoted\\\" one", ""),
        (7, "two", ""),
        (14, "after", ""),
    ];
    assert_eq!(literals, expected);
    assert!(!code.text.contains("mod ") && code.text.ends_with("const C: &str = \"\";\n        "), "{}", code.text);

    for said in [
        "try --store",
        "--store",
        "\"--store\"",
        "others with -n",
        "(-A)",
        "run clusterlore sync again",
        "clusterlore ask",
        "a `sync-instances` run",
        "clusterlore sync-instances",
    ] {
        assert!(command_line(said).is_some(), "{said}");
    }
    for said in [
        "a -- b",
        "-- a comment in SQL",
        "well-known",
        "a-b -1",
        "-----BEGIN",
        "clusterlore searches",
        "clusterlore store",
        "application/json",
        "clusterlore-index",
        "sync instances",
        "-",
    ] {
        assert_eq!(command_line(said), None, "{said}");
    }
}
