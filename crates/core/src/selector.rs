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

/// Text that is no selector.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "label selector {selector:?}: {problem}; expected conditions such as app=nginx, tier!=cache, env in (dev,test), team, !canary, joined by commas"
)]
pub struct SelectorError {
    selector: String,
    problem: String,
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

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |problem: String| SelectorError { selector: text.to_owned(), problem };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let parts = split_outside_parentheses(text).map_err(|p| fail(p.to_owned()))?;
        parts.into_iter().map(|part| parse_requirement(part.trim()).map_err(&fail)).collect::<Result<_, _>>().map(Self)
    }
}

fn split_outside_parentheses(text: &str) -> Result<Vec<&str>, &'static str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
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
    if depth > 0 {
        return Err("a \"(\" without \")\"");
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn parse_requirement(part: &str) -> Result<Requirement, String> {
    if part.is_empty() {
        return Err("an empty condition".to_owned());
    }
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement::DoesNotExist(label_key(key.trim())?));
    }
    if let Some(open) = part.find('(') {
        let values = part[open + 1..].strip_suffix(')').ok_or_else(|| format!("text after \")\" in {part:?}"))?;
        let mut head = part[..open].split_whitespace();
        let (Some(key), Some(operator), None) = (head.next(), head.next(), head.next()) else {
            return Err(format!("{part:?} is no condition"));
        };
        let values: Vec<String> = values.split(',').map(|v| label_value(v.trim())).collect::<Result<_, _>>()?;
        return match operator {
            "in" => Ok(Requirement::In(label_key(key)?, values)),
            "notin" => Ok(Requirement::NotIn(label_key(key)?, values)),
            other => Err(format!("unknown operator {other:?}")),
        };
    }
    for (operator, build) in [
        ("!=", (|k, v| Requirement::NotIn(k, vec![v])) as fn(String, String) -> Requirement),
        ("==", |k, v| Requirement::In(k, vec![v])),
        ("=", |k, v| Requirement::In(k, vec![v])),
    ] {
        if let Some((key, value)) = part.split_once(operator) {
            return Ok(build(label_key(key.trim())?, label_value(value.trim())?));
        }
    }
    for (operator, build) in
        [(">", Requirement::GreaterThan as fn(String, i64) -> Requirement), ("<", Requirement::LessThan)]
    {
        if let Some((key, value)) = part.split_once(operator) {
            let bound = value.trim().parse().map_err(|_| format!("{:?} is no integer", value.trim()))?;
            return Ok(build(label_key(key.trim())?, bound));
        }
    }
    Ok(Requirement::Exists(label_key(part)?))
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
        Err(format!("{key:?} is no label key"))
    }
}

fn label_value(value: &str) -> Result<String, String> {
    if value.is_empty() || is_label_name(value) {
        Ok(value.to_owned())
    } else {
        Err(format!("{value:?} is no label value"))
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
    use super::*;

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
