//! Label selectors with the grammar of kubectl: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>.

use std::str::FromStr;

use thiserror::Error;

/// One condition on the labels of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// `key=value`, `key==value`, `key in (a, b)`.
    In(String, Vec<String>),
    /// `key!=value`, `key notin (a, b)`: also true of objects without the key.
    NotIn(String, Vec<String>),
    /// `key`.
    Exists(String),
    /// `!key`.
    DoesNotExist(String),
    /// `key>5`: the value is an integer above it.
    GreaterThan(String, i64),
    /// `key<5`: the value is an integer below it.
    LessThan(String, i64),
}

/// Conditions that must all hold. The empty selector selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(pub Vec<Requirement>);

/// Conditions of a selector, and values of all of them: each is looked at for every document.
const MOST_CONDITIONS: usize = 100;
const MOST_VALUES: usize = 1_000;
/// Characters of a text that stand in a message.
const SHOWN: usize = 100;

/// Text that is no selector.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} selector {selector:?}: {problem}; expected conditions such as {}, joined by commas", .of.called(), .of.example())]
pub struct SelectorError {
    of: Of,
    selector: String,
    problem: String,
}

/// What a selector is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Labels,
    /// Their values hold any text. One that holds a comma, or a parenthesis, stands in double quotes.
    Annotations,
}

impl Of {
    fn called(self) -> &'static str {
        match self {
            Self::Labels => "label",
            Self::Annotations => "annotation",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Labels => "app=nginx, tier!=cache, env in (dev,test), team, !canary",
            Self::Annotations => {
                "example.org/owner=payments, oncall!=nobody, tier in (1,2), note=\"one, two\", team, !canary"
            }
        }
    }

    fn value(self, value: &str) -> Result<String, String> {
        match self {
            Self::Labels => label_value(value),
            Self::Annotations => {
                let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                match inner.unwrap_or(value) {
                    text if text.contains('"') => Err(format!("a quotation mark within {:?}", shortened(value))),
                    text => Ok(text.to_owned()),
                }
            }
        }
    }
}

impl Requirement {
    fn holds<'a>(&self, get: impl Fn(&str) -> Option<&'a str>) -> bool {
        let number = |key: &str| get(key).and_then(|v| v.parse::<i64>().ok());
        match self {
            Self::In(key, values) => get(key).is_some_and(|v| values.iter().any(|x| x == v)),
            Self::NotIn(key, values) => get(key).is_none_or(|v| values.iter().all(|x| x != v)),
            Self::Exists(key) => get(key).is_some(),
            Self::DoesNotExist(key) => get(key).is_none(),
            Self::GreaterThan(key, bound) => number(key).is_some_and(|n| n > *bound),
            Self::LessThan(key, bound) => number(key).is_some_and(|n| n < *bound),
        }
    }
}

impl Selector {
    /// Whether labels, looked up by `get`, satisfy every condition.
    pub fn matches<'a>(&self, get: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|r| r.holds(&get))
    }

    /// Whether there are more conditions, or values, than one selector may have.
    pub fn is_too_long(&self) -> bool {
        let values = |r: &Requirement| match r {
            Requirement::In(_, values) | Requirement::NotIn(_, values) => values.len(),
            _ => 0,
        };
        self.0.len() > MOST_CONDITIONS || self.0.iter().map(values).sum::<usize>() > MOST_VALUES
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads conditions on annotations. The grammar is that of labels, with any text as a value.
    ///
    /// # Errors
    /// The text is none.
    pub fn of_annotations(text: &str) -> Result<Self, SelectorError> {
        Self::read(text, Of::Annotations)
    }

    fn read(text: &str, of: Of) -> Result<Self, SelectorError> {
        let fail = |problem: String| SelectorError { of, selector: shortened(text), problem };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let parts = split_at_commas(text, of).map_err(|p| fail(p.to_owned()))?;
        let conditions = parts.into_iter().map(|part| parse_requirement(part.trim(), of).map_err(&fail));
        let selector = Self(conditions.collect::<Result<_, _>>()?);
        if selector.is_too_long() {
            return Err(fail(format!(
                "it has more than {MOST_CONDITIONS} conditions, or {MOST_VALUES} values in them"
            )));
        }
        Ok(selector)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text, Of::Labels)
    }
}

/// The text as a message shows it.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Cuts at the commas that stand neither in parentheses nor, where a value may hold any text, in double quotes.
fn split_at_commas(text: &str, of: Of) -> Result<Vec<&str>, &'static str> {
    let (mut parts, mut depth, mut start, mut is_quoted) = (Vec::new(), 0, 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if of == Of::Annotations => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' => depth += 1,
            ')' if depth == 0 => return Err("a \")\" without \"(\""),
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if depth > 1 {
            return Err("\"(\" within \"(\"");
        }
    }
    if is_quoted {
        return Err("a quotation mark without a second one");
    }
    if depth > 0 {
        return Err("a \"(\" without \")\"");
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn parse_requirement(part: &str, of: Of) -> Result<Requirement, String> {
    if part.is_empty() {
        return Err("an empty condition".to_owned());
    }
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement::DoesNotExist(label_key(key.trim())?));
    }
    let operator = part.find(['!', '=', '<', '>']);
    if let Some(open) = part.find('(').filter(|open| operator.is_none_or(|operator| *open < operator)) {
        let values =
            part[open + 1..].strip_suffix(')').ok_or_else(|| format!("text after \")\" in {:?}", shortened(part)))?;
        let mut head = part[..open].split_whitespace();
        let (Some(key), Some(operator), None) = (head.next(), head.next(), head.next()) else {
            return Err(format!("{:?} is not a condition", shortened(part)));
        };
        let values = split_at_commas(values, of)?.into_iter().map(|v| of.value(v.trim()));
        let values: Vec<String> = values.collect::<Result<_, _>>()?;
        return match operator {
            "in" => Ok(Requirement::In(label_key(key)?, values)),
            "notin" => Ok(Requirement::NotIn(label_key(key)?, values)),
            other => Err(format!("unknown operator {:?}", shortened(other))),
        };
    }
    let Some(operator) = operator else { return Ok(Requirement::Exists(label_key(part)?)) };
    let (key, rest) = (part[..operator].trim(), &part[operator..]);
    let one = |value: &str| of.value(value.trim()).map(|value| vec![value]);
    let bound =
        |value: &str| value.trim().parse().map_err(|_| format!("{:?} is not an integer", shortened(value.trim())));
    let key = label_key(key)?;
    if let Some(value) = rest.strip_prefix("!=") {
        return Ok(Requirement::NotIn(key, one(value)?));
    }
    if let Some(value) = rest.strip_prefix("==").or_else(|| rest.strip_prefix('=')) {
        return Ok(Requirement::In(key, one(value)?));
    }
    if let Some(value) = rest.strip_prefix('>') {
        return Ok(Requirement::GreaterThan(key, bound(value)?));
    }
    if let Some(value) = rest.strip_prefix('<') {
        return Ok(Requirement::LessThan(key, bound(value)?));
    }
    Err(format!("{:?} is not a condition", shortened(part)))
}

fn label_key(key: &str) -> Result<String, String> {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(p, n)| (Some(p), n));
    let prefix_ok = prefix.is_none_or(|p| {
        !p.is_empty()
            && p.len() <= 253
            && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c))
    });
    if !name.is_empty() && prefix_ok && is_label_name(name) {
        Ok(key.to_owned())
    } else {
        Err(format!("{:?} is not a key", shortened(key)))
    }
}

fn label_value(value: &str) -> Result<String, String> {
    if value.is_empty() || is_label_name(value) {
        Ok(value.to_owned())
    } else {
        Err(format!("{:?} is not a label value", shortened(value)))
    }
}

fn is_label_name(text: &str) -> bool {
    let ends_ok = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && ends_ok(text.chars().next())
        && ends_ok(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Any text is a selector or an error in one line of bounded length, and what is a selector says the same when it is written out.
        #[test]
        fn fuzz_selectors(text in edited(), labels in prop::collection::btree_map("[a-d]", "[a-d]?", 0..4)) {
            match text.parse::<Selector>() {
                Ok(selector) => {
                    let get = |key: &str| labels.get(key).map(String::as_str);
                    let again: Selector = written(&selector).parse().unwrap();
                    prop_assert_eq!(&again, &selector);
                    prop_assert_eq!(again.matches(get), selector.0.iter().all(|r| r.holds(get)));
                }
                Err(error) => {
                    let said = error.to_string();
                    prop_assert!(said.len() < 3_000 && !said.contains('\n'), "{}", said);
                }
            }
        }
    }

    /// A good selector, edited: pieces put in, taken out, doubled, many times over.
    fn edited() -> impl Strategy<Value = String> {
        let seed = prop::sample::select(vec![
            "",
            "app=nginx,tier in (web, cache)",
            "a!=b,!c , d",
            "app.kubernetes.io/name=nginx,n>6,n<-8",
            "x notin (),y in (a,,b)",
        ]);
        let piece = prop_oneof![
            3 => prop::sample::select(vec![",", "=", "!", "(", ")", " in ", "notin", "<", ">", "/", "a", " ", "==", "."]).prop_map(str::to_owned),
            1 => any::<char>().prop_map(String::from),
            1 => (prop::sample::select(vec!["a,", "(", "a in (b),", "x", "é"]), 1..3_000_usize).prop_map(|(p, n)| p.repeat(n)),
        ];
        (seed, prop::collection::vec((any::<prop::sample::Index>(), piece, any::<bool>()), 0..6)).prop_map(
            |(seed, edits)| {
                let mut text: Vec<char> = seed.chars().collect();
                for (at, piece, replaces) in edits {
                    let at = at.index(text.len() + 1);
                    let to = if replaces { text.len().min(at + 1) } else { at };
                    text.splice(at..to, piece.chars());
                }
                text.into_iter().collect()
            },
        )
    }

    fn written(selector: &Selector) -> String {
        let one = |r: &Requirement| match r {
            Requirement::In(key, values) => format!("{key} in ({})", values.join(",")),
            Requirement::NotIn(key, values) => format!("{key} notin ({})", values.join(",")),
            Requirement::Exists(key) => key.clone(),
            Requirement::DoesNotExist(key) => format!("!{key}"),
            Requirement::GreaterThan(key, bound) => format!("{key}>{bound}"),
            Requirement::LessThan(key, bound) => format!("{key}<{bound}"),
        };
        selector.0.iter().map(one).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn a_selector_has_a_length() {
        let of = |n: usize| (0..n).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(of(100).parse::<Selector>().unwrap().0.len(), 100);
        let values = |n: usize| format!("k in ({})", vec!["v"; n].join(","));
        assert!(values(1_000).parse::<Selector>().is_ok());
        for long in [of(101), of(10_000), values(1_001)] {
            let message = long.parse::<Selector>().unwrap_err().to_string();
            assert!(message.contains("more than 100 conditions") && message.len() < 500, "{message}");
        }
    }

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let selector: Selector = selector.parse().unwrap();
        selector.matches(|key| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v))
    }

    #[test]
    fn the_whole_grammar() {
        let labels =
            [("app", "nginx"), ("tier", "web"), ("app.kubernetes.io/name", "nginx"), ("n", "7"), ("empty", "")];
        for yes in [
            "",
            "app=nginx",
            "app==nginx, tier = web",
            "app!=redis",
            "missing!=x",
            "tier in (web, cache)",
            "tier notin (cache)",
            "missing notin (a,b)",
            "app",
            "!missing",
            "! missing",
            "app.kubernetes.io/name=nginx,n>6,n<8",
            "empty=",
            "tier in (web),app in (nginx)",
        ] {
            assert!(selects(yes, &labels), "{yes}");
        }
        for no in [
            "app=redis",
            "app!=nginx",
            "missing",
            "!app",
            "tier in (cache)",
            "tier notin (web)",
            "n>7",
            "app>1",
            "missing=x",
        ] {
            assert!(!selects(no, &labels), "{no}");
        }
    }

    #[test]
    fn annotations_hold_any_text() {
        let annotations =
            [("owner", "the night owls"), ("url", "https://a.example/?b=c!=d"), ("note", "one, (two)"), ("n", "7")];
        let get = |key: &str| annotations.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        let selects = |text: &str| Selector::of_annotations(text).map(|selector| selector.matches(get));
        for yes in [
            "owner=the night owls",
            "owner == the night owls , n>6",
            "owner in (the day owls, the night owls)",
            "url=https://a.example/?b=c!=d",
            "note=\"one, (two)\"",
            "note in (\"one, (two)\",\"three\"),!missing",
            "owner!=nobody,missing!=x,url",
            "n<8,n notin (8)",
        ] {
            assert_eq!(selects(yes), Ok(true), "{yes}");
        }
        for no in ["owner=the night", "note=\"one\"", "n>7", "!url", "missing", "owner=\"\""] {
            assert_eq!(selects(no), Ok(false), "{no}");
        }
        for bad in ["", "=x", "note=\"one", "note=a\"b\"", "a b", "a=b,", "n>x", "a in (b", "ä=b"].into_iter().skip(1)
        {
            let said = selects(bad).unwrap_err().to_string();
            assert!(said.contains("annotation selector") && said.contains("expected conditions such as"), "{said}");
        }
    }

    #[test]
    fn bad_selectors_say_what_was_expected() {
        for bad in [
            ",",
            "a=b,",
            "=x",
            "a in b",
            "a in (b",
            "a in b)",
            "a in ((b))",
            "a within (b)",
            "a b",
            "a=b=c",
            "-a=b",
            "a=b c",
            "n>x",
            "/a",
            "a in (b) c",
        ] {
            let message = bad.parse::<Selector>().unwrap_err().to_string();
            assert!(message.contains("expected conditions such as"), "{message}");
        }
    }
}
