//! A question as it is sent: in the address, or as JSON.

use bytes::Bytes;
use clusterlore_core::{Collection, Selector};
use clusterlore_index::Request;
use clusterlore_search::{GroupBy, Wanted};
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// Hits of one answer.
const MOST_HITS: u16 = 1_000;
/// Elements of a list.
const MOST_VALUES: usize = 1_000;

/// What is asked. In an address lists are given by repeating the key, or with commas.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Question {
    /// The question, in plain words: "what databases are running?"
    pub(crate) q: String,
    /// Stored id of an object, for `similar`.
    #[param(required = false)]
    pub(crate) id: String,
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
    /// For `changes`: from this time on, or from so long ago on (`1h`).
    #[param(required = false)]
    pub(crate) since: String,
    /// For `changes`: before this time, or before so long ago.
    #[param(required = false)]
    pub(crate) until: String,
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
            id: String::new(),
            collection: String::new(),
            cluster: Vec::new(),
            namespace: Vec::new(),
            kind: Vec::new(),
            selector: String::new(),
            annotations: String::new(),
            limit: 10,
            group_by: String::new(),
            since: String::new(),
            until: String::new(),
            explain: false,
            live: true,
        }
    }
}

const LISTS: [&str; 3] = ["cluster", "namespace", "kind"];
const FLAGS: [&str; 2] = ["explain", "live"];

impl Question {
    /// Of the query of an address.
    pub(crate) fn of_query(query: Option<&str>) -> Result<Self, Problem> {
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
        Self::of_json(Value::Object(fields))
    }

    /// Of a body.
    pub(crate) fn of_body(headers: &HeaderMap, body: &Bytes) -> Result<Self, Problem> {
        let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            let status = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "expected a body of Content-Type: application/json"));
        }
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| Problem::wrong(format!("the body is not JSON ({error}); expected {{\"q\": \"…\"}}")))?;
        if !value.is_object() {
            return Err(Problem::wrong("the body is no JSON object; expected {\"q\": \"…\"}"));
        }
        Self::of_json(value)
    }

    fn of_json(value: Value) -> Result<Self, Problem> {
        let read: Self = serde_json::from_value(value).map_err(|error| Problem::wrong(error.to_string()))?;
        if !(1..=MOST_HITS).contains(&read.limit) {
            return Err(Problem::wrong(format!("limit is {}; expected 1 to {MOST_HITS}", read.limit)));
        }
        let lists = [&read.cluster, &read.namespace, &read.kind];
        if lists.iter().any(|list| list.len() > MOST_VALUES) {
            return Err(Problem::wrong(format!("a list has more than {MOST_VALUES} values")));
        }
        let texts = [&read.q, &read.id, &read.selector, &read.annotations, &read.group_by];
        if texts.into_iter().chain(lists.into_iter().flatten()).any(|text| text.contains('\0')) {
            return Err(Problem::wrong("a text holds the character U+0000; expected none"));
        }
        Ok(read)
    }

    /// As the index is asked.
    pub(crate) fn request(self) -> Result<Request, Problem> {
        let wrong = |error: String| Problem::wrong(error);
        let collection: Collection = match self.collection.as_str() {
            "" => Collection::default(),
            name => name.parse().map_err(|error| wrong(format!("{error}")))?,
        };
        let group_by: Option<GroupBy> = match self.group_by.as_str() {
            "" => None,
            by => Some(by.parse().map_err(|error| wrong(format!("{error}")))?),
        };
        Ok(Request {
            question: self.q,
            collection,
            clusters: self.cluster,
            namespaces: self.namespace,
            kinds: self.kind,
            selector: self.selector.parse::<Selector>().map_err(|error| wrong(format!("{error}")))?,
            annotations: Selector::of_annotations(&self.annotations).map_err(|error| wrong(format!("{error}")))?,
            limit: usize::from(self.limit),
            now: jiff::Timestamp::now().to_string(),
            number: if group_by.is_some() { Wanted::Always } else { Wanted::IfAsked },
            group_by,
            explain: self.explain,
            live: self.live,
            ..Request::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_json_says() {
        let of = |query: &str| Question::of_query(Some(query)).and_then(Question::request).map_err(|p| p.detail);
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
        ] {
            let told = of(query).unwrap_err();
            assert!(told.contains(reason), "{query}: {told}");
        }
    }
}
