//! A question as it is sent: in the address, or as JSON.

use std::fmt::Display;
use std::str::FromStr;

use bytes::Bytes;
use clusterlore_agent::Turn;
use clusterlore_core::{Collection, Selector};
use clusterlore_index::Request;
use clusterlore_search::{GroupBy, Wanted};
use http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// Hits of one answer.
const MOST_HITS: u16 = 1_000;
/// Hits where no number is said.
const HITS: u16 = 10;
/// Turns of a conversation.
const MOST_TURNS: usize = 50;
/// Elements of a list.
const MOST_VALUES: usize = 1_000;

/// What is asked of search, count and ask. In an address lists are given by repeating the key, or with commas.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Question {
    /// The question, in plain words: "what databases are running?"
    q: String,
    /// `instances` (what runs) or `capabilities` (what resource types are for).
    #[param(required = false)]
    collection: String,
    /// Names of clusters; none: all.
    #[param(required = false)]
    cluster: Vec<String>,
    /// Namespaces; none: all.
    #[param(required = false)]
    namespace: Vec<String>,
    /// Kinds, plurals, short names or `plural.group`; none: all.
    #[param(required = false)]
    kind: Vec<String>,
    /// Conditions on labels: `app=web,tier in (a,b)`.
    #[param(required = false)]
    selector: String,
    /// Conditions on annotations, of those that are kept.
    #[param(required = false)]
    annotations: String,
    /// The most hits, 1 to 1000.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: u16,
    /// Count by `kind`, `namespace`, `owner`, `cluster` or `label:KEY`.
    #[param(required = false)]
    group_by: String,
    /// Whether each hit tells how its score came about.
    #[param(required = false)]
    explain: bool,
    /// Whether the cluster may be asked for what it alone knows, if the caller may see everything.
    #[param(required = false)]
    live: bool,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            q: String::new(),
            collection: String::new(),
            cluster: Vec::new(),
            namespace: Vec::new(),
            kind: Vec::new(),
            selector: String::new(),
            annotations: String::new(),
            limit: HITS,
            group_by: String::new(),
            explain: false,
            live: true,
        }
    }
}

/// What is asked of capabilities.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct AboutTypes {
    /// What a type is for, in plain words: "databases".
    q: String,
    /// Names of clusters; none: all.
    #[param(required = false)]
    cluster: Vec<String>,
    /// Kinds, plurals, short names or `plural.group`; none: all.
    #[param(required = false)]
    kind: Vec<String>,
    /// The most hits, 1 to 1000.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: u16,
    /// Whether each hit tells how its score came about.
    #[param(required = false)]
    explain: bool,
}

impl Default for AboutTypes {
    fn default() -> Self {
        Self { q: String::new(), cluster: Vec::new(), kind: Vec::new(), limit: HITS, explain: false }
    }
}

/// What is asked of similar.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Like {
    /// The object: its stored id, or `kind/name` with namespace and cluster saying where it is.
    pub(crate) id: String,
    /// Names of clusters; none: all.
    #[param(required = false)]
    cluster: Vec<String>,
    /// Namespaces; none: all.
    #[param(required = false)]
    namespace: Vec<String>,
    /// Kinds, plurals, short names or `plural.group`; none: all.
    #[param(required = false)]
    kind: Vec<String>,
    /// Conditions on labels: `app=web,tier in (a,b)`.
    #[param(required = false)]
    selector: String,
    /// The most hits, 1 to 1000.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: u16,
    /// Whether each hit tells how its score came about.
    #[param(required = false)]
    explain: bool,
}

impl Default for Like {
    fn default() -> Self {
        Self {
            id: String::new(),
            cluster: Vec::new(),
            namespace: Vec::new(),
            kind: Vec::new(),
            selector: String::new(),
            limit: HITS,
            explain: false,
        }
    }
}

/// What is asked of changes.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Lately {
    /// What to look for, in plain words: "databases"; empty: everything.
    #[param(required = false)]
    q: String,
    /// Names of clusters; none: all.
    #[param(required = false)]
    cluster: Vec<String>,
    /// Namespaces; none: all.
    #[param(required = false)]
    namespace: Vec<String>,
    /// Kinds, plurals, short names or `plural.group`; none: all.
    #[param(required = false)]
    kind: Vec<String>,
    /// From this time on (RFC 3339), or from so long ago on: `90m`, `12h`, `7d`.
    #[param(required = false)]
    pub(crate) since: String,
    /// Before this time, or before so long ago.
    #[param(required = false)]
    pub(crate) until: String,
    /// The most changes, 1 to 1000.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: u16,
}

impl Default for Lately {
    fn default() -> Self {
        Self {
            q: String::new(),
            cluster: Vec::new(),
            namespace: Vec::new(),
            kind: Vec::new(),
            since: String::new(),
            until: String::new(),
            limit: HITS,
        }
    }
}

/// Which object is meant.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct One {
    /// Its stored id: NAMESPACE/APIVERSION/KIND/NAME, `_cluster` for objects without a namespace; after CLUSTER: where the cluster has a
    /// name.
    id: String,
}

impl One {
    /// The id.
    pub(crate) fn id(&self) -> Result<&str, Problem> {
        match self.id.trim() {
            "" => Err(Problem::wrong("the id is missing; expected id=NAMESPACE/APIVERSION/KIND/NAME")),
            id => Ok(id),
        }
    }
}

const LISTS: [&str; 3] = ["cluster", "namespace", "kind"];
const FLAGS: [&str; 2] = ["explain", "live"];

/// Reads the query of an address.
pub(crate) fn of_query<T: DeserializeOwned>(query: Option<&str>) -> Result<T, Problem> {
    let mut fields: Map<String, Value> = Map::new();
    for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let (key, value) = (key.into_owned(), value.into_owned());
        if LISTS.contains(&key.as_str()) {
            let list = fields.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                // The unnamed cluster has an empty name.
                list.extend(value.split(',').map(|name| Value::from(name.trim())));
            }
            continue;
        }
        let read = match key.as_str() {
            "limit" => value.parse::<u16>().map(Value::from).ok(),
            key if FLAGS.contains(&key) => match value.as_str() {
                "" | "true" | "1" => Some(Value::Bool(true)),
                "false" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            _ => Some(Value::from(value)),
        };
        let read = read.ok_or_else(|| {
            let expected = if key == "limit" { "a number from 1 to 1000" } else { "true or false" };
            Problem::wrong(format!("parameter {key:?} cannot be read; expected {expected}"))
        })?;
        if fields.contains_key(&key) {
            return Err(Problem::wrong(format!("parameter {key:?} is there twice; expected it once")));
        }
        fields.insert(key, read);
    }
    of_json(fields)
}

/// Reads a body.
pub(crate) fn of_body<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Problem> {
    of_json(object(headers, body, "{\"q\": \"…\"}")?)
}

/// Reads the body of a conversation: a question, and the turns before it.
pub(crate) fn question_and_turns(headers: &HeaderMap, body: &Bytes) -> Result<(Question, Vec<Turn>), Problem> {
    let expected = "{\"question\": {\"q\": \"…\"}, \"turns\": []}";
    let mut fields = object(headers, body, expected)?;
    let wrong = |what: &str| Problem::wrong(format!("{what}; expected {expected}"));
    let Some(Value::Object(question)) = fields.remove("question") else {
        return Err(wrong("the question is missing, or no object"));
    };
    let turns = match fields.remove("turns") {
        None => Vec::new(),
        Some(Value::Array(turns)) => turns,
        Some(_) => return Err(wrong("turns is no list")),
    };
    if let Some((unknown, _)) = fields.iter().next() {
        return Err(wrong(&format!("unknown field `{unknown}`")));
    }
    if turns.len() > MOST_TURNS {
        return Err(Problem::wrong(format!("there are {} turns; expected the last {MOST_TURNS} at most", turns.len())));
    }
    let turn = |value: Value| serde_json::from_value::<Turn>(value).ok().filter(Turn::is_known);
    let turns: Option<Vec<Turn>> = turns.into_iter().map(turn).collect();
    let turns = turns.ok_or_else(|| Problem::wrong("a turn cannot be read; expected turns as answers gave them"))?;
    Ok((of_json(question)?, turns))
}

fn object(headers: &HeaderMap, body: &Bytes, expected: &str) -> Result<Map<String, Value>, Problem> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let status = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "expected a body of Content-Type: application/json"));
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::wrong(format!("the body is not JSON ({error}); expected {expected}")))?;
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Problem::wrong(format!("the body is no JSON object; expected {expected}"))),
    }
}

fn of_json<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Problem> {
    let limit = fields.get("limit").and_then(Value::as_u64).unwrap_or(u64::from(HITS));
    if !(1..=u64::from(MOST_HITS)).contains(&limit) {
        return Err(Problem::wrong(format!("limit is {limit}; expected 1 to {MOST_HITS}")));
    }
    let lists = fields.values().filter_map(Value::as_array);
    if lists.clone().any(|list| list.len() > MOST_VALUES) {
        return Err(Problem::wrong(format!("a list has more than {MOST_VALUES} values")));
    }
    if fields.values().chain(lists.flatten()).filter_map(Value::as_str).any(|text| text.contains('\0')) {
        return Err(Problem::wrong("a text holds the character U+0000; expected none"));
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| Problem::wrong(error.to_string()))
}

fn read<T: FromStr<Err: Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error| Problem::wrong(format!("{error}")))
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

impl Question {
    /// As the index is asked.
    pub(crate) fn request(self) -> Result<Request, Problem> {
        let group_by: Option<GroupBy> = if self.group_by.is_empty() { None } else { Some(read(&self.group_by)?) };
        Ok(Request {
            question: self.q,
            collection: if self.collection.is_empty() { Collection::default() } else { read(&self.collection)? },
            clusters: self.cluster,
            namespaces: self.namespace,
            kinds: self.kind,
            selector: read(&self.selector)?,
            annotations: Selector::of_annotations(&self.annotations)
                .map_err(|error| Problem::wrong(format!("{error}")))?,
            limit: usize::from(self.limit),
            now: now(),
            number: if group_by.is_some() { Wanted::Always } else { Wanted::IfAsked },
            group_by,
            explain: self.explain,
            live: self.live,
            ..Request::default()
        })
    }
}

impl AboutTypes {
    /// As the index is asked.
    pub(crate) fn request(self) -> Request {
        Request {
            question: self.q,
            collection: Collection::Capabilities,
            clusters: self.cluster,
            kinds: self.kind,
            limit: usize::from(self.limit),
            now: now(),
            explain: self.explain,
            ..Request::default()
        }
    }
}

impl Like {
    /// As the index is asked.
    pub(crate) fn request(self) -> Result<Request, Problem> {
        Ok(Request {
            clusters: self.cluster,
            namespaces: self.namespace,
            kinds: self.kind,
            selector: read(&self.selector)?,
            limit: usize::from(self.limit),
            now: now(),
            explain: self.explain,
            ..Request::default()
        })
    }
}

impl Lately {
    /// As the index is asked.
    pub(crate) fn request(self) -> Request {
        Request {
            question: self.q,
            clusters: self.cluster,
            namespaces: self.namespace,
            kinds: self.kind,
            limit: usize::from(self.limit),
            now: now(),
            ..Request::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_json_says() {
        let of = |query: &str| of_query(Some(query)).and_then(Question::request).map_err(|p| p.detail);
        let asked =
            of("q=what%20runs%3F&namespace=a,b&namespace=c&kind=deploy&limit=3&explain&live=false&selector=app%3Dweb")
                .unwrap();
        assert_eq!((asked.question.as_str(), asked.namespaces.join(" ").as_str()), ("what runs?", "a b c"));
        assert_eq!((asked.limit, asked.explain, asked.live, asked.kinds.len()), (3, true, false, 1));
        for (query, reason) in [
            ("q=a&q=b", "twice"),
            ("q=a&limit=0", "1 to 1000"),
            ("q=a&limit=x", "a number"),
            ("q=a&nonsense=1", "nonsense"),
            ("q=a&explain=maybe", "true or false"),
            ("q=a&collection=things", "there is no collection"),
            ("q=a&groupBy=colour", "cannot be grouped by"),
            ("q=a&selector=%3D%3D", "selector"),
            ("q=a%00b", "U+0000"),
            ("q=a&since=1h", "unknown field `since`"),
            ("q=a&id=x", "unknown field `id`"),
        ] {
            let told = of(query).unwrap_err();
            assert!(told.contains(reason), "{query}: {told}");
        }
    }

    #[test]
    fn what_an_endpoint_would_not_heed_is_refused() {
        let told = |refused: Result<(), Problem>| refused.unwrap_err().detail;
        for query in
            ["q=a&selector=app%3Dweb", "q=a&groupBy=kind", "q=a&live", "q=a&explain", "id=a", "collection=instances"]
        {
            let refused = told(of_query::<Lately>(Some(query)).map(|_| ()));
            assert!(refused.contains("unknown field"), "{query}: {refused}");
        }
        for query in ["id=a&q=b", "id=a&groupBy=kind", "id=a&until=1h"] {
            let refused = told(of_query::<Like>(Some(query)).map(|_| ()));
            assert!(refused.contains("unknown field"), "{query}: {refused}");
        }
        for query in ["q=a&namespace=b", "q=a&collection=instances", "q=a&live"] {
            let refused = told(of_query::<AboutTypes>(Some(query)).map(|_| ()));
            assert!(refused.contains("unknown field"), "{query}: {refused}");
        }
        assert_eq!(of_query::<Lately>(Some("since=7d")).unwrap().since, "7d");
    }
}
