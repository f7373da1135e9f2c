//! A file of manifests, cut into its documents before anything is parsed, so that a broken one takes none of the others along.

use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    crds::JsonDefinition,
    decode::{self, JsonMeta},
};

/// One document and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Document<'a> {
    text: &'a str,
    form: Form,
    /// Line of the file, counted from 1.
    pub(crate) line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Yaml,
    Json,
}

/// What is wrong with a document, and on which line of the file. Never says what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) line: usize,
    pub(crate) reason: String,
}

/// An object, or what claims to be one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    pub(crate) api_version: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) metadata: Option<JsonMeta>,
}

/// An object found in a document, and its definition where it is that of a custom resource.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) header: Header,
    pub(crate) definition: Option<JsonDefinition>,
}

/// Cuts YAML where a line begins with `---` or is `...`: in a valid document neither can stand at the left edge.
pub(crate) fn split_yaml(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let (mut begin, mut begin_line, mut at) = (0, 1, 0);
    let mut push = |from: usize, to: usize, line: usize| {
        let text = &text[from..to];
        if text.lines().any(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#') && !l.starts_with('%')) {
            documents.push(Document { text, form: Form::Yaml, line });
        }
    };
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_end();
        let marks = bare == "---" || bare == "..." || line.starts_with("--- ") || line.starts_with("---\t");
        if marks {
            push(begin, at, begin_line);
            // What follows the marker on its line belongs to the document.
            (begin, begin_line) = (at + 3, number + 1);
        }
        at += line.len();
    }
    push(begin, at, begin_line);
    documents
}

/// Cuts a stream of JSON values; what follows a broken one cannot be found and is broken with it.
pub(crate) fn split_json(text: &str) -> (Vec<Document<'_>>, Option<Broken>) {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let (mut documents, mut begin) = (Vec::new(), 0);
    let line_of = |offset: usize| text[..offset].matches('\n').count() + 1;
    loop {
        let next = values.next();
        let end = values.byte_offset();
        match next {
            Some(Ok(_)) => {
                let blank = text[begin..end].len() - text[begin..end].trim_start().len();
                let document = Document { text: &text[begin..end], form: Form::Json, line: line_of(begin + blank) };
                documents.push(document);
                begin = end;
            }
            Some(Err(e)) => {
                return (documents, Some(Broken { line: e.line(), reason: "it is not valid JSON".to_owned() }));
            }
            None => return (documents, None),
        }
    }
}

impl Document<'_> {
    /// The objects of the document: itself, or the items of a list.
    pub(crate) fn objects(&self) -> Result<Vec<Found>, Broken> {
        #[derive(Deserialize)]
        struct Items {
            items: Option<Vec<Option<Header>>>,
        }
        let Some(header) = self.parse::<Option<Header>>()? else { return Ok(Vec::new()) };
        let kind = header.kind.clone().unwrap_or_default();
        let is_list = kind.ends_with("List") && header.metadata.as_ref().is_none_or(|m| m.name.is_none());
        if !is_list {
            let definition = if is_definition(&header) { Some(self.parse::<JsonDefinition>()?) } else { None };
            return Ok(vec![Found { header, definition }]);
        }
        let mut items: Vec<Header> =
            self.parse::<Items>()?.items.unwrap_or_default().into_iter().map(Option::unwrap_or_default).collect();
        // Items of a typed list (`PodList`) may leave out what the list says.
        for item in items.iter_mut().filter(|_| kind != "List") {
            item.kind.get_or_insert_with(|| kind.trim_end_matches("List").to_owned());
            item.api_version = item.api_version.take().or_else(|| header.api_version.clone());
        }
        let mut definitions = if items.iter().any(is_definition) { self.definitions()? } else { Vec::new() };
        definitions.resize_with(items.len(), || None);
        Ok(items
            .into_iter()
            .zip(definitions)
            .map(|(header, definition)| Found { definition: definition.filter(|_| is_definition(&header)), header })
            .collect())
    }

    /// The definitions in a list, each in the place of its item.
    fn definitions(&self) -> Result<Vec<Option<JsonDefinition>>, Broken> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Item {
            Definition(Box<JsonDefinition>),
            Other(serde::de::IgnoredAny),
        }
        #[derive(Deserialize)]
        struct Items {
            items: Vec<Item>,
        }
        let items = self.parse::<Items>()?.items.into_iter();
        Ok(items.map(|item| if let Item::Definition(d) = item { Some(*d) } else { None }).collect())
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, Broken> {
        match self.form {
            Form::Json => decode::from_json(self.text.as_bytes())
                .map_err(|_| Broken { line: self.line, reason: "a field has not the form it must have".to_owned() }),
            Form::Yaml => serde_saphyr::from_str_with_options(self.text, yaml_options()).map_err(|e| {
                let line = e.location().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1));
                Broken { line: self.line + line.max(1) - 1, reason: "it is not a valid manifest".to_owned() }
            }),
        }
    }
}

fn is_definition(header: &Header) -> bool {
    header.kind.as_deref() == Some("CustomResourceDefinition")
        && header.api_version.as_deref().is_some_and(|v| v.starts_with("apiextensions.k8s.io/"))
}

/// Like kubectl: the last of two equal keys counts. Lists of a whole cluster are larger than the parser's usual bounds.
fn yaml_options() -> serde_saphyr::Options {
    let bound = 64 << 20;
    serde_saphyr::options! {
        with_snippet: false,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        budget: serde_saphyr::budget! {
            max_events: bound,
            max_nodes: bound,
            max_depth: 200,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Vec<(usize, &str)> {
        split_yaml(text).into_iter().map(|d| (d.line, d.text.trim())).collect()
    }

    #[test]
    fn yaml_is_cut_at_its_markers() {
        assert_eq!(yaml("a: 1\n---\nb: 2\n...\n---\n# nothing\n---\nc: 3"), [(1, "a: 1"), (2, "b: 2"), (7, "c: 3")]);
        assert_eq!(yaml("%YAML 1.2\n---\na: |\n  ---\n  x\n"), [(2, "a: |\n  ---\n  x")]);
        assert_eq!(yaml("--- {a: 1}\r\n---\r\n----: x\r\n"), [(1, "{a: 1}"), (2, "----: x")]);
        assert_eq!(yaml(""), []);
        assert_eq!(yaml("---"), []);
    }

    #[test]
    fn json_is_cut_value_by_value() {
        let (documents, broken) = split_json("{\"a\":1}\n\n{\"b\":2}\n{oops}\n{}");
        assert_eq!(
            documents.iter().map(|d| (d.line, d.text.trim())).collect::<Vec<_>>(),
            [(1, "{\"a\":1}"), (3, "{\"b\":2}")]
        );
        assert_eq!(broken.unwrap().line, 4);
    }

    #[test]
    fn a_broken_document_says_on_which_line_of_the_file() {
        let documents = split_yaml("a: 1\n---\nkind: A\nmetadata:\n  name: [x\n");
        assert!(documents[0].objects().is_ok());
        let broken = documents[1].objects().unwrap_err();
        assert!((5..=6).contains(&broken.line), "{broken:?}");
    }
}
