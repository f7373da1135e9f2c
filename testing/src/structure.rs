//! What the files of a crate import of each other, and what stands in their string literals: for tests of how a crate is built.
//!
//! Expects code that rustfmt has formatted. Test modules are not read: tests may import and say what they like.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What each file of a `src` folder imports of the others. Paths are relative to that folder.
pub type Imports = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// A file's text, taken apart.
#[derive(Debug, Default)]
pub struct Code {
    /// The text without comments and test modules; of string literals the quotes are left.
    pub text: String,
    /// The string literals, normal, raw and of bytes.
    pub literals: Vec<Literal>,
    /// The modules in other files that are for tests only.
    test_modules: Vec<String>,
}

/// A string literal.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    /// The line that it begins in, from one.
    pub line: usize,
    /// What stands between its quotes, escapes and all.
    pub text: String,
    /// The attribute that it stands in, such as `serde`; empty outside attributes.
    pub attribute: String,
    /// Where its quotes are in the code.
    at: usize,
}

impl Code {
    /// Takes a text apart.
    pub fn of(text: &str) -> Self {
        let mut code = Self::default();
        let (mut rest, mut line) = (text, 1);
        while let Some(first) = rest.chars().next() {
            let before = code.text.chars().next_back().unwrap_or(' ');
            let length = match first {
                '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                '/' if rest.starts_with("/*") => comment(rest),
                '"' => code.literal(rest, 0, line),
                'r' | 'b' | 'c' if !is_word(before) => match opening(rest) {
                    Some(opening) => code.literal(rest, opening, line),
                    None => code.same(rest, 1),
                },
                '\'' => code.same(rest, character(rest)),
                other => code.same(rest, other.len_utf8()),
            };
            line += rest[..length].matches('\n').count();
            rest = &rest[length..];
        }
        code.name_attributes();
        code.leave_out_tests();
        code
    }

    fn same(&mut self, rest: &str, length: usize) -> usize {
        self.text.push_str(&rest[..length]);
        length
    }

    /// Takes the literal that begins at the text's beginning, with so many characters before its quote; returns its length.
    fn literal(&mut self, rest: &str, opening: usize, line: usize) -> usize {
        let (prefix, inside) = (&rest[..opening], &rest[opening + 1..]);
        let closing = format!("\"{}", "#".repeat(prefix.matches('#').count()));
        let length = match prefix.contains('r') {
            true => inside.find(&closing),
            false => ends(inside, '"'),
        };
        let length = length.unwrap_or(inside.len());
        let (text, attribute) = (inside[..length].to_owned(), String::new());
        self.literals.push(Literal { line, text, attribute, at: self.text.len() });
        self.text.push_str("\"\"");
        (opening + 1 + length + closing.len()).min(rest.len())
    }

    fn name_attributes(&mut self) {
        for literal in &mut self.literals {
            let before = &self.text[..literal.at];
            let Some(inside) = before.rfind("#[").map(|at| &before[at + 2..]) else { continue };
            let mut depth = 1_usize;
            let inside_still = inside.chars().all(|c| {
                depth += usize::from(c == '[');
                depth -= usize::from(c == ']');
                depth > 0
            });
            if inside_still {
                literal.attribute = word(inside).to_owned();
            }
        }
    }

    fn leave_out_tests(&mut self) {
        const TEST: &str = "#[cfg(test)]\n";
        let mut from = 0;
        while let Some(at) = self.text[from..].find(TEST).map(|at| from + at) {
            let item = &self.text[at + TEST.len()..];
            let declared = item.trim_start().trim_start_matches("pub(crate) ").strip_prefix("mod ");
            let Some(name) = declared.map(word) else {
                from = at + TEST.len();
                continue;
            };
            let length = match item.find(['{', ';']) {
                Some(open) if item[open..].starts_with('{') => block(&item[open..]).map(|length| open + length),
                Some(end) => {
                    self.test_modules.push(name.to_owned());
                    Some(end + 1)
                }
                None => None,
            };
            let left_out = at..at + TEST.len() + length.unwrap_or(item.len());
            self.literals.retain(|literal| !left_out.contains(&literal.at));
            for literal in self.literals.iter_mut().filter(|literal| literal.at >= left_out.end) {
                literal.at -= left_out.len();
            }
            self.text.replace_range(left_out, "");
            from = at;
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The word at the text's beginning.
fn word(text: &str) -> &str {
    &text[..text.find(|c| !is_word(c)).unwrap_or(text.len())]
}

/// The length of the comment at the text's beginning; comments may stand in comments.
fn comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0);
    while let Some(next) = text[at..].chars().next() {
        let here = &text[at..];
        if here.starts_with("/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if here.starts_with("*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                break;
            }
        } else {
            at += next.len_utf8();
        }
    }
    at
}

/// How many characters stand before the quote of a literal such as `br#"…"#`; `None`: it is a name, or a byte.
fn opening(text: &str) -> Option<usize> {
    let quote = text.find('"')?;
    let letters = text[..quote].trim_end_matches('#');
    let known = ["r", "b", "br", "c", "cr"].contains(&letters);
    (known && (letters.contains('r') || letters.len() == quote)).then_some(quote)
}

/// Where the quote is that ends a literal.
fn ends(inside: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// The length of the character literal at the text's beginning, or one where a lifetime is there.
fn character(text: &str) -> usize {
    let inside = &text[1..];
    let closed = inside.starts_with('\\') || inside.chars().nth(1) == Some('\'');
    ends(inside, '\'').filter(|_| closed).map_or(1, |length| length + 2)
}

/// The length of the block at the text's beginning, which has no literals and comments in it.
fn block(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at + 1),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The files of a `src` folder that are not for tests only.
///
/// # Errors
/// The folder or a file in it cannot be read.
pub fn files(src: &Path) -> io::Result<BTreeMap<PathBuf, Code>> {
    let mut files = BTreeMap::new();
    collect(src, Path::new(""), &mut files)?;
    let of_tests = |(file, code): (&PathBuf, &Code)| {
        let module = module_of(file);
        code.test_modules.iter().map(|name| [&module[..], std::slice::from_ref(name)].concat()).collect::<Vec<_>>()
    };
    let of_tests: Vec<Vec<String>> = files.iter().flat_map(of_tests).collect();
    files.retain(|file, _| !of_tests.iter().any(|test| module_of(file).starts_with(test)));
    Ok(files)
}

fn collect(src: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Code>) -> io::Result<()> {
    for entry in fs::read_dir(src.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(src, &path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            let code = Code::of(&fs::read_to_string(entry.path())?);
            files.insert(path, code);
        }
    }
    Ok(())
}

/// Reads all paths that begin with `crate::`, `self::`, `super::` or a module that the file declares, in `use` lines and elsewhere.
///
/// # Errors
/// The folder or a file in it cannot be read.
pub fn imports(src: &Path) -> io::Result<Imports> {
    let files = files(src)?;
    let of = |(file, code): (&PathBuf, &Code)| {
        // `deserialize_with = "crate::…"` is an import as well.
        let named = code.literals.iter().filter(|literal| literal.attribute == "serde").map(|literal| &*literal.text);
        let text: Vec<&str> = std::iter::once(&*code.text).chain(named).collect();
        let paths = paths(&text.join("\n"), &module_of(file));
        let imported = paths.iter().filter_map(|path| file_of(path, &files));
        (file.clone(), imported.filter(|other| other != file).collect())
    };
    Ok(files.iter().map(of).collect())
}

/// The module that a file is: `query/parse.rs` is `[query, parse]`, and `query/mod.rs` is `[query]`.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// The file of the innermost module that a path goes through.
fn file_of(path: &[String], files: &BTreeMap<PathBuf, Code>) -> Option<PathBuf> {
    (0..=path.len()).rev().find_map(|length| {
        let module: PathBuf = path[..length].iter().collect();
        let names = match length {
            0 => vec![PathBuf::from("lib.rs"), PathBuf::from("main.rs")],
            _ => vec![module.with_extension("rs"), module.join("mod.rs")],
        };
        names.into_iter().find(|name| files.contains_key(name))
    })
}

/// The paths in a module's code, from the crate's root.
fn paths(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let mut starts = vec![("crate::".to_owned(), Vec::new()), ("self::".to_owned(), module.to_vec())];
    if let Some((_, parent)) = module.split_last() {
        starts.push(("super::".to_owned(), parent.to_vec()));
    }
    for line in code.lines() {
        let declared = line.trim_end().strip_suffix(';').and_then(|line| line.rsplit_once("mod "));
        if let Some((_, name)) = declared.filter(|(before, _)| before.is_empty() || before.starts_with("pub")) {
            starts.push((format!("{name}::"), [module, &[name.to_owned()]].concat()));
        }
    }
    let mut found = Vec::new();
    for (start, base) in starts {
        for (at, _) in code.match_indices(&start) {
            if code[..at].ends_with(|c: char| is_word(c) || c == ':') {
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
        let name = word(rest).to_owned();
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
pub fn circle(imports: &Imports) -> Option<Vec<PathBuf>> {
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
