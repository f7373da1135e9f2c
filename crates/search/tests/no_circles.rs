//! No two files of this crate import each other, directly or by way of others, and the folders import in the order of a question.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each file of a crate's `src` folder imports of the others. Paths are relative to that folder.
type Imports = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// Reads all paths that begin with `crate::`, `super::` or a module that the file declares, in `use` lines and elsewhere. Inline test
/// modules are not read: tests may import what they like. Expects code that rustfmt has formatted.
fn imports(src: &Path) -> Imports {
    let mut files = BTreeSet::new();
    collect(src, Path::new(""), &mut files);
    let of = |file: &PathBuf| {
        let text = std::fs::read_to_string(src.join(file)).unwrap();
        let paths = paths(&code(&text), &module_of(file));
        let imported = paths.iter().filter_map(|path| file_of(path, &files));
        (file.clone(), imported.filter(|other| other != file).collect())
    };
    files.iter().map(of).collect()
}

fn collect(src: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(src.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            collect(src, &path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.insert(path);
        }
    }
}

/// The module that a file is: `query/parse.rs` is `[query, parse]`, and `query/mod.rs` is `[query]`.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// The file of the innermost module that a path goes through.
fn file_of(path: &[String], files: &BTreeSet<PathBuf>) -> Option<PathBuf> {
    (0..=path.len()).rev().find_map(|length| {
        let module: PathBuf = path[..length].iter().collect();
        let names = match length {
            0 => vec![PathBuf::from("lib.rs"), PathBuf::from("main.rs")],
            _ => vec![module.with_extension("rs"), module.join("mod.rs")],
        };
        names.into_iter().find(|name| files.contains(name))
    })
}

/// A file without comments and inline test modules.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let begins = |next: &&str| next.starts_with("mod ") && next.ends_with('{');
        if line == "#[cfg(test)]" && lines.peek().is_some_and(begins) {
            lines.by_ref().find(|line| *line == "}");
            continue;
        }
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push('\n');
    }
    code
}

/// The paths in a module's code, from the crate's root.
fn paths(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let mut starts = vec![("crate::".to_owned(), Vec::new())];
    if let Some((_, parent)) = module.split_last() {
        starts.push(("super::".to_owned(), parent.to_vec()));
    }
    for line in code.lines() {
        let declared = line.strip_suffix(';').and_then(|line| line.rsplit_once("mod "));
        if let Some((_, name)) = declared.filter(|(before, _)| before.is_empty() || before.starts_with("pub")) {
            starts.push((format!("{name}::"), [module, &[name.to_owned()]].concat()));
        }
    }
    let mut found = Vec::new();
    for (start, base) in starts {
        for (at, _) in code.match_indices(&start) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let (mut rest, mut base) = (&code[at + start.len()..], base.clone());
            while let Some(further) = rest.strip_prefix("super::") {
                base.pop();
                rest = further;
            }
            tree(rest, base, &mut found);
        }
    }
    found
}

/// Reads `a::b`, `a::{b, c::d}` and so on; returns the length of what was read.
fn tree(text: &str, mut base: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if rest.starts_with('{') {
            at += 1;
            while let Some(next) = text[at..].chars().next() {
                match next {
                    '}' => return at + 1,
                    c if c.is_whitespace() || c == ',' => at += c.len_utf8(),
                    _ => at += tree(&text[at..], base.clone(), found).max(1),
                }
            }
            return at;
        }
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        at += name.len();
        base.push(name);
        if let Some(alias) = text[at..].strip_prefix(" as ") {
            at += " as ".len() + alias.find([',', ';', '}']).unwrap_or_default();
        }
        if !text[at..].starts_with("::") {
            found.push(base);
            return at;
        }
        at += 2;
    }
}

/// A circle of imports, if there is one: each file imports the next, and the last the first.
fn circle(imports: &Imports) -> Option<Vec<PathBuf>> {
    let mut left = imports.clone();
    // A file that imports none of those left is in no circle.
    while let Some(file) = left.iter().find(|(_, of)| !of.iter().any(|o| left.contains_key(o))).map(|(f, _)| f.clone())
    {
        left.remove(&file);
    }
    let mut way = vec![left.keys().next()?.clone()];
    loop {
        let next = left[way.last()?].iter().find(|file| left.contains_key(*file))?.clone();
        if let Some(begin) = way.iter().position(|file| *file == next) {
            return Some(way.split_off(begin));
        }
        way.push(next);
    }
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn no_two_files_import_each_other() {
    assert_eq!(circle(&imports(&src())), None);
}

#[test]
fn folders_import_in_the_order_of_a_question() {
    let order = ["yardstick.rs", "query", "retrieve", "rank", "error.rs", "answer", "lib.rs", "tests.rs"];
    let place = |file: &Path| {
        let first = file.iter().next().unwrap();
        order.iter().position(|name| *name == first).unwrap_or_else(|| panic!("{file:?} has no place in the order"))
    };
    let imports = imports(&src());
    for (file, imported) in &imports {
        for other in imported {
            assert!(place(other) <= place(file), "{file:?} imports {other:?}");
        }
    }
    let count: usize = imports.values().map(BTreeSet::len).sum();
    assert!(count > 50, "only {count} imports: are they read?");
}

#[test]
fn circles_are_found() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    write("lib.rs", "mod a;\nmod b;\npub use b::B;\n");
    write("a.rs", "use crate::b::{\n    B as Other,\n    c::{C, D as E},\n};\n");
    write("b/mod.rs", "mod c;\npub(crate) use c::C;\n");
    write("b/c.rs", "// use super::B;\n#[cfg(test)]\nmod tests {\n    use super::super::B;\n    use crate::a::A;\n}\n");
    let found = imports(folder.path());
    let names = |file: &str| found[Path::new(file)].iter().map(|f| f.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!((names("a.rs"), names("b/c.rs")), (vec!["b/c.rs", "b/mod.rs"], vec![]));
    assert_eq!(circle(&found), None);

    write("b/c.rs", "fn f() {\n    super::super::a::f();\n}\n");
    assert_eq!(circle(&imports(folder.path())), Some(vec!["a.rs".into(), "b/c.rs".into()]));
    write("b/c.rs", "use super::B;\n");
    assert_eq!(circle(&imports(folder.path())), Some(vec!["b/c.rs".into(), "b/mod.rs".into()]));
    write("b/c.rs", "");
    write("b/mod.rs", "mod c;\nfn f(x: crate::B) {\n    c::f(x)\n}\n");
    assert_eq!(circle(&imports(folder.path())), Some(vec!["b/mod.rs".into(), "lib.rs".into()]));
}
