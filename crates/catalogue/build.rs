//! Reads and checks `data/` and writes the tables as static Rust, so that starting costs nothing.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/check.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the library")]
mod check;
#[path = "src/entry.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the library")]
mod entry;
#[path = "src/file.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the library")]
mod file;
#[path = "src/index.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the library")]
mod index;

use entry::{Category, Complexity, Component, Group, Kind, Role, Software};
use index::{Alias, Domain, Phrase, Tables, Target};

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=src");
    if let Err(message) = write() {
        for line in message.lines() {
            println!("cargo::error={line}");
        }
    }
}

fn write() -> Result<(), String> {
    let mut files = Vec::new();
    toml_files(Path::new("data"), &mut files)?;
    files.sort();
    let mut entries = file::Entries::default();
    for path in files {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let read = file::read(&path.display().to_string(), &text, true).map_err(|e| e.to_string())?;
        entries.categories.extend(read.categories);
        entries.software.extend(read.software);
        entries.groups.extend(read.groups);
        entries.kinds.extend(read.kinds);
    }
    let mut wrong: Vec<String> = check::check(&entries).iter().map(|(entry, p)| format!("{entry}: {p}")).collect();
    let tables = Tables::new(entries);
    let twice = |what: &str, ids: Vec<String>, wrong: &mut Vec<String>| {
        wrong.extend(ids.windows(2).filter(|w| w[0] == w[1]).map(|w| format!("{what}.{}: stands in two files", w[0])));
    };
    twice("categories", tables.categories.iter().map(|c| c.id.to_string()).collect(), &mut wrong);
    twice("software", tables.software.iter().map(|s| s.id.to_string()).collect(), &mut wrong);
    twice("groups", tables.groups.iter().map(|g| g.group.to_string()).collect(), &mut wrong);
    twice("kinds", tables.kinds.iter().map(Kind::name).collect(), &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let mut out = String::from("static BUILTIN: Catalogue = Catalogue(");
    tables.emit(&mut out);
    out.push_str(");\n");
    let path = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("builtin.rs");
    fs::write(&path, out).map_err(|e| format!("{}: {e}", path.display()))
}

fn toml_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            toml_files(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

/// A value as a Rust expression that a static can hold.
trait Emit {
    fn emit(&self, out: &mut String);
}

impl Emit for Cow<'static, str> {
    fn emit(&self, out: &mut String) {
        let _ = write!(out, "Cow::Borrowed({:?})", &**self);
    }
}

impl<T: Emit + Clone> Emit for Cow<'static, [T]> {
    fn emit(&self, out: &mut String) {
        out.push_str("Cow::Borrowed(&[");
        for item in self.iter() {
            item.emit(out);
            out.push(',');
        }
        out.push_str("])");
    }
}

impl<T: Emit> Emit for Option<T> {
    fn emit(&self, out: &mut String) {
        match self {
            None => out.push_str("None"),
            Some(value) => {
                out.push_str("Some(");
                value.emit(out);
                out.push(')');
            }
        }
    }
}

macro_rules! emit_plain {
    ($($type:ty => $format:literal),*) => { $(impl Emit for $type {
        fn emit(&self, out: &mut String) {
            let _ = write!(out, $format, self);
        }
    })* };
}
emit_plain!(u16 => "{}", bool => "{}", Role => "Role::{:?}", Complexity => "Complexity::{:?}", Target => "Target::{:?}");

macro_rules! emit_struct {
    ($($type:ident { $($field:ident),* })*) => { $(impl Emit for $type {
        fn emit(&self, out: &mut String) {
            out.push_str(concat!(stringify!($type), "{"));
            $(out.push_str(concat!(stringify!($field), ":")); self.$field.emit(out); out.push(',');)*
            out.push_str("}\n");
        }
    })* };
}
emit_struct! {
    Category { id, about, parents, phrases, de, fr, es, pt, zh }
    Software { id, title, aliases, ambiguous, categories, about, components }
    Component { suffix, category }
    Group { group, title, software, runs, categories, about, labels }
    Kind { group, kind, built_in, plural, about, role, capabilities, use_case, complexity, software, synonyms, de, fr, es, pt, zh }
    Alias { key, spelt, software, ambiguous }
    Phrase { words, foreign, target }
    Domain { domain, group }
    Tables { categories, software, groups, kinds, aliases, phrases, unspaced, domains, words }
}
