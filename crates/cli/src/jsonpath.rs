//! Templates as `kubectl -o jsonpath` takes them, and columns as `-o custom-columns` does. Paths are rewritten as RFC 9535 has them,
//! which is what the library reads: `.labels.app\.kubernetes\.io/name` is `$['labels']['app.kubernetes.io/name']`.

use jsonpath_rust::{JsonPath, parser::parse_json_path};
use serde_json::Value;

/// What a template is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Path(Path),
    /// `{range PATH}…{end}`: the rest once for each value.
    Range(Path, Vec<Part>),
}

/// A path, from the value in hand or from the root.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    /// As it was said.
    said: String,
    query: String,
    from_root: bool,
}

/// A path that leads to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missed<'p> {
    pub(crate) said: &'p str,
    /// The path to what Kubernetes keeps under it, where that may be here.
    pub(crate) ours: Option<String>,
    /// The field of an object that it needs.
    pub(crate) field: Option<&'static str>,
}

/// What is here of what Kubernetes keeps of every object: its name there, in `metadata` or beside it, and here.
const KEPT: [(&str, &str); 7] = [
    ("name", "name"),
    ("namespace", "namespace"),
    ("labels", "labels"),
    ("annotations", "annotations"),
    ("creationTimestamp", "createdAt"),
    ("kind", "kind"),
    ("apiVersion", "apiVersion"),
];

/// A template of kubectl's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

/// Columns, each with its title and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns(Vec<(String, Path)>);

impl Template {
    /// Reads a template such as `{range .hits[*]}{.name}{"\n"}{end}`; a path may stand without braces.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if !text.contains('{') {
            return Ok(Self(vec![Part::Path(relaxed(text)?)]));
        }
        let mut rest = text;
        let (parts, closed) = parts(&mut rest)?;
        match closed {
            true => Err("{end} stands without {range …}".to_owned()),
            false => Ok(Self(parts)),
        }
    }

    /// The text for a value; `clean` makes strings of the value fit to be shown.
    pub(crate) fn text(&self, value: &Value, clean: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        write(&self.0, value, value, &clean, &mut text);
        text
    }

    /// The paths that lead to nothing in a value, whose objects are in `list`.
    pub(crate) fn missed(&self, value: &Value, list: &str) -> Vec<Missed<'_>> {
        let mut missed = Vec::new();
        miss(&self.0, value, &[value], list, &mut missed);
        missed
    }
}

impl Columns {
    /// Reads `NAME:.name,KIND:.kind`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let column = |text: &str| {
            let both = text.split_once(':').filter(|(title, path)| !title.is_empty() && !path.is_empty());
            let (title, path) = both.ok_or("expected TITLE:PATH, joined by commas, such as NAME:.name,KIND:.kind")?;
            Ok::<_, String>((title.to_owned(), relaxed(path)?))
        };
        text.split(',').map(column).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn titles(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(title, _)| title.as_str())
    }

    /// The cells of a row; `<none>` where the path leads to nothing.
    pub(crate) fn cells(&self, value: &Value) -> Vec<String> {
        let cell = |(_, path): &(String, Path)| {
            let found: Vec<String> = path.values(value, value).into_iter().map(told).collect();
            if found.is_empty() { "<none>".to_owned() } else { found.join(",") }
        };
        self.0.iter().map(cell).collect()
    }

    /// The paths that lead to nothing in all of these, which are in `list`.
    pub(crate) fn missed(&self, rows: &[Value], list: &str) -> Vec<Missed<'_>> {
        let rows: Vec<&Value> = rows.iter().collect();
        let paths = self.0.iter().map(|(_, path)| path);
        paths.filter(|path| path.misses(&Value::Null, &rows)).map(|path| path.missed(list, true)).collect()
    }
}

impl Path {
    /// Whether it leads to nothing in all of these, and not because it chooses among them.
    fn misses(&self, root: &Value, values: &[&Value]) -> bool {
        !values.is_empty() && !self.said.contains('?') && values.iter().all(|v| self.values(root, v).is_empty())
    }

    /// What is here of what it names in Kubernetes. `inside`: it begins at an object of the `list`, not at the root.
    fn missed(&self, list: &str, inside: bool) -> Missed<'_> {
        let said = self.said.as_str();
        let (of, rest) = match said.strip_prefix(".items") {
            Some(rest) => rest.split_at(rest.find(']').map_or(0, |end| end + 1)),
            None => ("", said),
        };
        let kept = rest.strip_prefix(".metadata").unwrap_or(rest);
        let (name, deeper) = match kept.strip_prefix('.') {
            Some(name) => name.split_at(name.find(['.', '[']).unwrap_or(name.len())),
            None => ("", kept),
        };
        let before = match said.starts_with(".items") {
            true => format!(".{list}{of}"),
            false if inside && !self.from_root => String::new(),
            false => format!(".{list}[*]"),
        };
        let field = KEPT.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours);
        let ours = match field {
            Some(field) => Some(format!("{before}.{field}{deeper}")),
            None if rest.is_empty() => Some(before),
            None => None,
        };
        Missed { said, ours: ours.filter(|ours| ours != said), field }
    }

    fn values<'v>(&self, root: &'v Value, value: &'v Value) -> Vec<&'v Value> {
        // What the library can read of it was found out when it was made.
        (if self.from_root { root } else { value }).query(&self.query).unwrap_or_default()
    }
}

fn write(parts: &[Part], root: &Value, value: &Value, clean: &impl Fn(&str) -> String, text: &mut String) {
    for part in parts {
        match part {
            Part::Text(own) => text.push_str(own),
            Part::Path(path) => {
                let found: Vec<String> = path.values(root, value).into_iter().map(|v| clean(&told(v))).collect();
                text.push_str(&found.join(" "));
            }
            Part::Range(path, inner) => {
                for each in path.values(root, value) {
                    write(inner, root, each, clean, text);
                }
            }
        }
    }
}

fn miss<'p>(parts: &'p [Part], root: &Value, values: &[&Value], list: &str, missed: &mut Vec<Missed<'p>>) {
    for part in parts {
        let (Part::Path(path) | Part::Range(path, _)) = part else { continue };
        if path.misses(root, values) {
            missed.push(path.missed(list, !matches!(values, [only] if std::ptr::eq(*only, root))));
        }
        if let Part::Range(path, inner) = part {
            let each: Vec<&Value> = values.iter().flat_map(|value| path.values(root, value)).collect();
            miss(inner, root, &each, list, missed);
        }
    }
}

fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Reads parts up to `{end}`, and whether that came.
fn parts(rest: &mut &str) -> Result<(Vec<Part>, bool), String> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let Some((text, after)) = rest.split_once('{') else {
            parts.push(Part::Text((*rest).to_owned()));
            *rest = "";
            break;
        };
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        let (inside, after) = braced(after)?;
        *rest = after;
        let inside = inside.trim();
        if inside == "end" {
            return Ok((parts, true));
        }
        if let Some(path) = inside.strip_prefix("range").filter(|path| path.starts_with([' ', '.', '[', '$'])) {
            let path = path_of(path.trim())?;
            let (inner, closed) = self::parts(rest)?;
            if !closed {
                return Err("{range …} has no {end}".to_owned());
            }
            parts.push(Part::Range(path, inner));
        } else if inside.starts_with(['"', '\'']) {
            parts.push(Part::Text(quoted(inside)?));
        } else {
            parts.push(Part::Path(path_of(inside)?));
        }
    }
    Ok((parts, false))
}

/// What stands before the brace that closes, and what comes after it. Braces in quotes are text.
fn braced(text: &str) -> Result<(&str, &str), String> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Ok((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    Err(format!("\"{{{text}\" has no closing brace"))
}

/// A text in quotes, with `\n`, `\t` and escaped quotes.
fn quoted(text: &str) -> Result<String, String> {
    let open = text.chars().next().unwrap_or('"');
    let inside = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(open));
    let inside = inside.ok_or_else(|| format!("{text} has no closing quote"))?;
    let mut said = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => said.push('\n'),
                Some('t') => said.push('\t'),
                Some('r') => said.push('\r'),
                Some(other) => said.push(other),
                None => {}
            },
            c => said.push(c),
        }
    }
    Ok(said)
}

/// A path as `-o jsonpath` takes it without braces: `.name`, `name`, `{.name}`.
fn relaxed(text: &str) -> Result<Path, String> {
    let text = text.trim();
    let inside = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    match inside.starts_with(['.', '[', '$', '@']) {
        true => path_of(inside),
        false => path_of(&format!(".{inside}")),
    }
}

fn path_of(text: &str) -> Result<Path, String> {
    let from_root = text.starts_with('$');
    let steps = text.strip_prefix(['$', '@']).unwrap_or(text);
    let mut rest = steps;
    let query = format!("${}", steps_of(&mut rest)?);
    let wrong =
        || format!("\"{text}\" is no path; expected one such as .hits[0].name or .hits[?(@.kind==\"Pod\")].name");
    if !rest.is_empty() || parse_json_path(&query).is_err() {
        return Err(wrong());
    }
    Ok(Path { said: steps.to_owned(), query, from_root })
}

/// Rewrites the steps of a path, as far as they go.
fn steps_of(rest: &mut &str) -> Result<String, String> {
    let mut steps = String::new();
    loop {
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = bracketed(after)?;
            steps.push_str(&format!("[{}]", filter(inside)?));
            *rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            let (down, after) = match after.strip_prefix('.') {
                Some(after) => ("..", after),
                None => ("", after),
            };
            if down.is_empty() && (after.is_empty() || after.starts_with('[')) {
                // `.` is the value itself, `.[0]` is `[0]`.
                *rest = after;
                continue;
            }
            steps.push_str(down);
            *rest = after;
            if let Some(after) = rest.strip_prefix('*') {
                steps.push_str("[*]");
                *rest = after;
            } else if !rest.starts_with('[') {
                let name = name(rest)?;
                steps.push_str(&format!("['{}']", name.replace('\\', r"\\").replace('\'', r"\'")));
            }
        } else {
            return Ok(steps);
        }
    }
}

/// A name, in which a backslash lets a dot be one of its own.
fn name(rest: &mut &str) -> Result<String, String> {
    let mut name = String::new();
    let mut chars = rest.char_indices();
    let mut end = rest.len();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' | ']' | ' ' | '=' | '!' | '<' | '>' | ')' | '&' | '|' | '(' | ',' => {
                end = at;
                break;
            }
            c => name.push(c),
        }
    }
    *rest = &rest[end..];
    if name.is_empty() { Err("a name is missing behind a dot of the path".to_owned()) } else { Ok(name) }
}

/// What stands in brackets, and what comes after them.
fn bracketed(text: &str) -> Result<(&str, &str), String> {
    let mut depth = 1;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return Ok((&text[..at], &text[at + 1..])),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    Err(format!("\"[{text}\" has no closing bracket"))
}

/// A filter with the paths in it rewritten; whatever else stands in brackets is the same in both.
fn filter(text: &str) -> Result<String, String> {
    if !text.trim_start().starts_with('?') {
        // kubectl's names in quotes may have dots that are escaped; in RFC 9535 nothing else is.
        return Ok(text.replace(r"\.", "."));
    }
    let mut said = String::new();
    let mut rest = text;
    let mut quote = None;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        said.push(c);
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '@' | '$') => said.push_str(&steps_of(&mut rest)?),
            _ => {}
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply() -> Value {
        json!({"total": 3, "hits": [
            {"name": "ledger", "kind": "Cluster", "score": 0.5, "labels": {"app.kubernetes.io/name": "pg", "tier": "db"}},
            {"name": "granite", "kind": "StatefulSet", "score": 0.25, "labels": {"tier": "db"}}
        ]})
    }

    #[test]
    fn templates_are_as_kubectl_reads_them() {
        for (template, text) in [
            ("{.hits[*].name}", "ledger granite"),
            (".hits[*].name", "ledger granite"),
            ("hits[0].name", "ledger"),
            ("{$.hits[-1:].name}", "granite"),
            ("{.hits[0]['name','kind']}", "ledger Cluster"),
            (r"{.hits[0].labels.app\.kubernetes\.io/name}", "pg"),
            (r"{.hits[0].labels['app\.kubernetes\.io/name']}", "pg"),
            ("{.hits[0].labels['app.kubernetes.io/name']}", "pg"),
            ("{range .hits[*]}{.kind}/{.name}{'\\n'}{end}", "Cluster/ledger\nStatefulSet/granite\n"),
            ("{range .hits[*]}{.name} of {$.total}{\"\\t\"}{end}", "ledger of 3\tgranite of 3\t"),
            ("{.hits[?(@.kind==\"StatefulSet\")].name}", "granite"),
            (r"{.hits[?(@.labels.app\.kubernetes\.io/name=='pg')].name}", "ledger"),
            ("{.hits[?(@.score>0.3)].name}", "ledger"),
            ("{..tier}", "db db"),
            ("{.hits[0].labels.nothing}", ""),
            ("{.hits[1].labels}", r#"{"tier":"db"}"#),
            ("total: {.total}", "total: 3"),
        ] {
            assert_eq!(Template::read(template).unwrap().text(&reply(), str::to_owned), text, "{template}");
        }
    }

    #[test]
    fn what_is_no_template_is_told() {
        for (template, said) in [
            ("{.hits", "closing brace"),
            ("{range .hits[*]}{.name}", "no {end}"),
            ("{.name}{end}", "without {range"),
            ("{.hits[0}", "closing bracket"),
            ("{\"a}", "closing brace"),
            ("{.hits[foo bar]}", "is no path"),
            ("{.hits..}", "name is missing"),
            ("{what is this}", "is no path"),
        ] {
            let error = Template::read(template).unwrap_err();
            assert!(error.contains(said), "{template}: {error}");
        }
        for columns in ["", "NAME", ":.name", "NAME:", "NAME:.name,", "NAME:.a[b c]"] {
            assert!(Columns::read(columns).is_err(), "{columns}");
        }
    }

    #[test]
    fn what_leads_to_nothing_is_told_with_what_there_is() {
        let ours = |missed: Vec<Missed<'_>>| -> Vec<(String, String)> {
            missed.into_iter().map(|m| (m.said.to_owned(), m.ours.unwrap_or_default())).collect()
        };
        for (template, said, meant) in [
            ("{.metadata.name}", ".metadata.name", ".hits[*].name"),
            ("{.items[*].metadata.namespace}", ".items[*].metadata.namespace", ".hits[*].namespace"),
            ("{.items[0].kind}", ".items[0].kind", ".hits[0].kind"),
            ("{.kind}", ".kind", ".hits[*].kind"),
            ("{range .items[*]}{.metadata.name}{end}", ".items[*]", ".hits[*]"),
            ("{range .hits[*]}{.metadata.name}{end}", ".metadata.name", ".name"),
            ("{range .hits[*]}{.metadata.creationTimestamp}{end}", ".metadata.creationTimestamp", ".createdAt"),
            (
                r"{.items[*].metadata.labels.app\.x/y}",
                r".items[*].metadata.labels.app\.x/y",
                r".hits[*].labels.app\.x/y",
            ),
            ("{.items[*].status.phase}", ".items[*].status.phase", ""),
            ("{range .hits[*]}{.status.phase}{end}", ".status.phase", ""),
            ("{.hits[*].labels.nothing}", ".hits[*].labels.nothing", ""),
        ] {
            let missed = Template::read(template).unwrap();
            assert_eq!(ours(missed.missed(&reply(), "hits")), [(said.to_owned(), meant.to_owned())], "{template}");
        }
        for found in
            ["{.hits[*].name} of {.total}", "{.hits[?(@.kind==\"Pod\")].name}", "{range .hits[*]}{$.total}{end}"]
        {
            assert_eq!(Template::read(found).unwrap().missed(&reply(), "hits"), [], "{found}");
        }
        assert_eq!(Template::read("{.metadata.name}").unwrap().missed(&json!({"hits": []}), "hits").len(), 1);
        let columns = Columns::read("A:.metadata.name,B:.name,C:.spec.replicas,D:.labels.tier").unwrap();
        let rows = reply()["hits"].as_array().unwrap().clone();
        let missed = [(".metadata.name", ".name"), (".spec.replicas", "")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(ours(columns.missed(&rows, "hits")), missed);
        assert_eq!(columns.missed(&[], "hits"), []);
    }

    #[test]
    fn columns_have_titles_and_cells() {
        let columns = Columns::read("NAME:.name,TIER:{.labels.tier},NO:.nothing").unwrap();
        assert_eq!(columns.titles().collect::<Vec<_>>(), ["NAME", "TIER", "NO"]);
        assert_eq!(columns.cells(&reply()["hits"][0]), ["ledger", "db", "<none>"]);
    }
}
