//! How the crates of this workspace are built: no circles of imports, no crate in the wrong room, and no words of the command line
//! below it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clusterlore_testkit::structure::{self, Code};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folders of the workspace's crates, from its root.
fn crates() -> BTreeSet<String> {
    let mut crates = BTreeSet::from(["testing", "testing/bench", "tools/evaluate"].map(str::to_owned));
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
