//! A file of manifests: its text, cut into documents before anything is parsed, so that a broken one takes none of the others along,
//! and what each document is: objects, a broken manifest, or no manifest at all.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_saphyr::{Error, budget::BudgetBreach};

use crate::{
    crds::{JsonDefinition, JsonSpec},
    decode::{self, JsonMeta},
    schema::Text,
};

/// YAML that is nested deeper is not read: its parser recurses. kubectl stops at 10,000.
const DEPTH: usize = 200;

/// What the aliases of one document may unfold to, in nodes and in bytes. They are bounded by what they come to, not by how many
/// there are: a manifest may well name one anchor a thousand times.
const UNFOLDED_NODES: usize = 1_000_000;
const UNFOLDED_BYTES: usize = 64 << 20;

/// Nodes, bytes and whatever else grows with the file, which is bounded itself.
const AS_LARGE_AS_THE_FILE: usize = 1 << 30;

/// Bytes of a name: what Kubernetes allows of an object's, and more than kinds and versions have.
const LONGEST_NAME: usize = 253;

/// Why a list is broken that was cut off before its items.
pub(crate) const NO_ITEMS: &str = "its items are missing; expected items: [] in an empty list";

/// What could not be read as an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It claims to be an object, and is none that can be read. Says what is wrong, never what stands there.
    Broken(String),
    /// It has an apiVersion and no kind, for this reason: half of an object, unless it is a chart's own file, which is `Self::NoManifest`.
    Kindless(&'static str, NoManifest),
    /// It cannot be parsed, for this reason, and does not claim to be one. Among manifests it is a broken one.
    Garbled(&'static str),
    /// It is none, and does not claim to be.
    NoManifest(NoManifest),
}

/// What a document is that is no manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NoManifest {
    /// Values, charts, workflows, lists, plain text.
    NoObject,
    /// Neither YAML nor JSON.
    Garbled,
    /// Text that something fills in before it is applied.
    Template,
    /// What kustomize reads itself.
    Kustomize,
    /// An object whose name is made up when it is created.
    Generated,
    /// A tool's own configuration: `kind: Config`.
    Nameless,
    /// A file without content.
    Empty,
}

impl NoManifest {
    /// Why it is none.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NoObject => "no apiVersion and kind",
            Self::Garbled => "neither YAML nor JSON, and no apiVersion and kind",
            Self::Template => "templates, still to be filled in",
            Self::Kustomize => "read by kustomize itself",
            Self::Generated => "generateName: named when they are created",
            Self::Nameless => "no metadata: the configuration of a tool",
            Self::Empty => "empty",
        }
    }
}

/// An object as it was found, before its type is known. Its name may be missing.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    /// `None`: there is none at all.
    pub(crate) metadata: Option<JsonMeta<true>>,
}

/// What a document holds.
#[derive(Debug)]
pub(crate) enum Found {
    Object(Object),
    /// Of a custom resource. Its object comes, too.
    Definition(JsonDefinition),
    Unread(Unread),
}

/// One document and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Document<'a> {
    text: &'a str,
    /// Line of the file, counted from 1.
    line: usize,
}

/// The text of a file as kubectl reads it: UTF-16 where a byte order mark says so, else UTF-8 with what is none replaced. UTF-16 is
/// recognised without a mark, too, as YAML has it: the first character of a document is always an ASCII one. No line
/// ends with a carriage return alone, and marks are left out.
pub(crate) fn text(bytes: Vec<u8>) -> String {
    const MARK: char = '\u{feff}';
    let mut text = decoded(bytes);
    // What YAML takes for the end of a line, and nothing else here does.
    let is_lone = |at: usize| text.as_bytes().get(at + 1) != Some(&b'\n');
    if text.match_indices('\r').any(|(at, _)| is_lone(at)) {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    // Files with marks that were put behind each other have some in the middle.
    if text.contains(MARK) {
        text = text.replace(&format!("\n{MARK}"), "\n").trim_start_matches(MARK).to_owned();
    }
    text
}

/// What a file is that holds something else in place of its text, as its first bytes say, and what to do.
pub(crate) fn stand_in(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 2] = [
        (
            b"version https://git-lfs.github.com/spec/",
            "it is a Git LFS pointer, not the file itself; fetch the file with git lfs pull",
        ),
        (b"\0GITCRYPT\0", "it is encrypted by git-crypt; decrypt it with git-crypt unlock"),
    ];
    KNOWN.iter().find(|(first, _)| bytes.starts_with(first)).map(|(_, what)| *what)
}

fn decoded(bytes: Vec<u8>) -> String {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes[..] {
        [0xff, 0xfe, ..] | [1..=0x7f, 0, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] => utf16(u16::from_be_bytes),
        _ => String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
    }
}

/// Cuts where a line begins with `---` or is `...`: in a valid document neither can stand at the left edge. Documents of nothing but
/// comments are left out.
pub(crate) fn split(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let (mut begin, mut begin_line, mut at) = (0, 1, 0);
    let mut push = |from: usize, to: usize, line: usize| {
        let text = &text[from..to];
        if text.lines().any(|l| is_content(l) && !l.starts_with('%')) {
            documents.push(Document { text, line });
        }
    };
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let marker = line.strip_prefix("---").or_else(|| line.strip_prefix("...").filter(|rest| !is_content(rest)));
        if let Some(rest) = marker.filter(|rest| rest.starts_with(char::is_whitespace) || !is_content(rest)) {
            push(begin, at, begin_line);
            // What follows the marker on its line belongs to the document.
            (begin, begin_line) = (at + line.len() - rest.len(), number + 1);
        }
        at += line.len();
    }
    push(begin, at, begin_line);
    documents
}

/// Whether anything but a comment stands on a line.
fn is_content(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

impl<'a> Document<'a> {
    /// Line of the file, counted from 1.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// Whether it holds characters that neither YAML nor JSON allows, as a binary or an encrypted file does.
    pub(crate) fn is_binary(&self) -> bool {
        self.text.bytes().any(|b| b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r' | b'\x0c'))
    }

    /// Tells of everything in the document, each with its line in the file.
    pub(crate) fn read(&self, tell: &mut dyn FnMut(usize, Found)) {
        let (values, rest) = if is_json(self.text) { self.values() } else { (Vec::new(), Some(*self)) };
        for value in &values {
            value.read_one(tell);
        }
        match rest {
            Some(rest) if values.is_empty() => rest.read_one(tell),
            Some(rest) if rest.text.lines().any(is_content) => {
                tell(rest.line, Found::Unread(unparsed(self.text, "this is not valid JSON")));
            }
            _ => {}
        }
    }

    /// The JSON values of a stream, and what stands behind the last one that could be read.
    fn values(&self) -> (Vec<Document<'a>>, Option<Document<'a>>) {
        let mut values = Vec::new();
        let mut stream = serde_json::Deserializer::from_str(self.text).into_iter::<IgnoredAny>();
        let (mut begin, mut line) = (0, self.line);
        loop {
            let gap = self.text[begin..].len() - self.text[begin..].trim_start().len();
            line += newlines(&self.text[begin..begin + gap]);
            let from = begin + gap;
            match stream.next() {
                Some(Ok(_)) => {
                    let text = &self.text[from..stream.byte_offset()];
                    values.push(Document { text, line });
                    (begin, line) = (stream.byte_offset(), line + newlines(text));
                }
                Some(Err(_)) => return (values, Some(Document { text: &self.text[from..], line })),
                None => return (values, None),
            }
        }
    }

    fn read_one(&self, tell: &mut dyn FnMut(usize, Found)) {
        match self.parse::<Option<Header>>() {
            Ok(None) => {}
            Ok(Some(header)) => {
                let mut found = Vec::new();
                let is_one = is_definition(header.api_version.text(), header.kind.text());
                let is_defining = header.objects(None, &mut found);
                if let Err(fault) = self.definitions(is_one, is_defining, &mut |d| found.push(Found::Definition(d))) {
                    let broken = "the definition of a custom resource is malformed";
                    return tell(self.line_of(&fault), Found::Unread(Unread::Broken(broken.to_owned())));
                }
                found.into_iter().for_each(|found| tell(self.line, found));
            }
            Err(fault) => tell(self.line_of(&fault), Found::Unread(self.unread(&fault))),
        }
    }

    /// The definitions of custom resources, where the document is one or a list with some.
    fn definitions(&self, is_one: bool, is_any: bool, take: &mut dyn FnMut(JsonDefinition)) -> Result<(), Fault> {
        if is_one {
            take(self.parse()?);
        } else if is_any {
            self.parse::<Definitions>()?.each(false, take);
        }
        Ok(())
    }

    /// What a document is that has not the form of an object.
    fn unread(&self, fault: &Fault) -> Unread {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[derive(Default)]
        struct Sketch {
            api_version: Text,
            kind: Text,
        }
        if fault.is_bound {
            return unparsed(self.text, fault.reason);
        }
        if is_template(self.text) {
            return Unread::NoManifest(NoManifest::Template);
        }
        if let Ok(sketch) = self.parse::<Sketch>() {
            return match (given(Some(&sketch.api_version.0)), given(Some(&sketch.kind.0))) {
                (Some(_), Some(_)) => Unread::Broken("its metadata is malformed".to_owned()),
                (Some(_), None) => Unread::Kindless("kind is missing", NoManifest::NoObject),
                _ => Unread::NoManifest(NoManifest::NoObject),
            };
        }
        if self.parse::<IgnoredAny>().is_ok() {
            return Unread::NoManifest(NoManifest::NoObject);
        }
        unparsed(self.text, if is_json(self.text) { "it is not valid JSON" } else { fault.reason })
    }

    /// As JSON where it looks like that, else as YAML: also where JSON is refused that is good YAML, as that with a key twice is.
    fn parse<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        if is_json(self.text)
            && let Ok(value) = decode::from_json(whole_characters(self.text).as_bytes())
        {
            return Ok(value);
        }
        serde_saphyr::from_str_with_options(self.text, yaml_options()).map_err(|e| Fault::of(&e))
    }

    fn line_of(&self, fault: &Fault) -> usize {
        self.line + fault.line.saturating_sub(1)
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// JSON in which half of a surrogate pair, which is no character, is replaced as Go does it.
fn whole_characters(json: &str) -> Cow<'_, str> {
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return Cow::Borrowed(json);
    }
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let is_pair = |high| {
            matches!(high, 0xd800..=0xdbff)
                && escape.get(6..).and_then(unit).is_some_and(|low| matches!(low, 0xdc00..=0xdfff))
        };
        let length = match unit(escape) {
            Some(high) if is_pair(high) => 12,
            Some(0xd800..=0xdfff) => {
                whole.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            // The backslash and what it escapes.
            _ => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        whole.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

fn unparsed(text: &str, reason: &'static str) -> Unread {
    let [api_version, kind, metadata] = marks_in_text(text);
    match usize::from(api_version) + usize::from(kind) + usize::from(metadata) {
        2.. => Unread::Broken(reason.to_owned()),
        1 if api_version && !is_numbered(text) => Unread::Kindless(reason, NoManifest::Garbled),
        _ => Unread::Garbled(reason),
    }
}

/// Whether the version is a number, as in the configuration of some tools; no version of Kubernetes is.
fn is_numbered(text: &str) -> bool {
    let value = text.split_once("apiVersion").map(|(_, rest)| rest.trim_start_matches(['"', '\'']).trim_start());
    let value = value.and_then(|rest| rest.strip_prefix(':')).map(str::trim_start).unwrap_or_default();
    let word = value.split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default();
    word.parse::<f64>().is_ok()
}

/// Why text could not be parsed, and on which of its lines, counted from 1.
#[derive(Debug)]
struct Fault {
    line: usize,
    reason: &'static str,
    /// Whether it may be good YAML all the same.
    is_bound: bool,
}

impl Fault {
    fn of(error: &Error) -> Self {
        let (reason, is_bound) = match error.without_snippet() {
            Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => ("it is nested deeper than 200 levels", true),
            Error::Budget { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
            | Error::AliasReplayCounterOverflow { .. } => ("its aliases unfold to more than is read", true),
            Error::AliasError { .. } => ("what an alias stands for cannot be read, or is too much", true),
            _ => ("it is not valid YAML", false),
        };
        Self { line: error.location().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1)), reason, is_bound }
    }
}

/// Like kubectl: the last of two equal keys counts. Lists of a whole cluster are larger than the parser's usual bounds.
fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        with_snippet: false,
        // Of comments nothing is wanted, and a hundred of them before the first item of a list are too many for the parser.
        emit_comments: false,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: UNFOLDED_NODES,
            max_replay_stack_depth: DEPTH,
        },
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            // The scanner is ahead of the parser by a key at most; it must not be the first to give up.
            flow_nesting_limit: DEPTH + 2_048,
            max_recorded_anchor_events: UNFOLDED_NODES,
            max_recorded_anchor_bytes: UNFOLDED_BYTES,
            enforce_alias_anchor_ratio: false,
            max_aliases: AS_LARGE_AS_THE_FILE,
            max_anchors: AS_LARGE_AS_THE_FILE,
            max_merge_keys: AS_LARGE_AS_THE_FILE,
            max_events: AS_LARGE_AS_THE_FILE,
            max_nodes: AS_LARGE_AS_THE_FILE,
            max_total_scalar_bytes: AS_LARGE_AS_THE_FILE,
        },
    }
}

/// The text of a key. `None`: there is no such key; one without a value has an empty text.
#[derive(Debug, Default)]
struct Key(Option<String>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Text::deserialize(from).map(|text| Self(Some(text.0)))
    }
}

impl Key {
    fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// An object or a list of some, or what may be one: whatever is no text where `apiVersion` and `kind` stand counts as missing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Header {
    api_version: Key,
    kind: Key,
    metadata: Option<JsonMeta<true>>,
    items: Option<Vec<Option<Header>>>,
}

impl Header {
    /// Adds the object, or those of the list; says whether a definition of a custom resource is among them. `list` is apiVersion and
    /// kind of the list that this is an item of.
    fn objects(self, list: Option<(&str, &str)>, found: &mut Vec<Found>) -> bool {
        let Self { api_version: Key(api_version), kind: Key(kind), metadata, items } = self;
        let has_key = api_version.is_some() || kind.is_some();
        let (mut api_version, mut kind) = (api_version.unwrap_or_default(), kind.unwrap_or_default());
        // Items of a typed list (`PodList`) may leave out what the list says.
        if let Some((of_list, of_items)) = list.and_then(|(v, k)| Some((v, k.strip_suffix("List")?)))
            && !of_items.is_empty()
        {
            let fill = |text: &mut String, from: &str| {
                if text.is_empty() {
                    from.clone_into(text);
                }
            };
            fill(&mut api_version, of_list);
            fill(&mut kind, of_items);
        }
        let has_name = metadata.as_ref().is_some_and(|m| given(m.name.as_deref()).is_some());
        if kind == "List" && !has_name && items.is_none() {
            found.push(Found::Unread(Unread::Broken(NO_ITEMS.to_owned())));
            return false;
        }
        if let Some(items) = items
            && kind.ends_with("List")
            && !has_name
        {
            let mut is_defining = false;
            for item in items {
                is_defining |= item.unwrap_or_default().objects(Some((&api_version, &kind)), found);
            }
            return is_defining;
        }
        let object = Object { api_version, kind, metadata };
        let is_defining = is_definition(&object.api_version, &object.kind);
        found.push(object.judged(list.is_some(), has_key).map_or_else(Found::Unread, Found::Object));
        is_defining
    }
}

impl Object {
    pub(crate) fn is_named(&self) -> bool {
        self.metadata.as_ref().is_some_and(|m| given(m.name.as_deref()).is_some())
    }

    /// The object, unless it is none. `has_key`: it has apiVersion or kind, with a value or without.
    fn judged(self, is_item: bool, has_key: bool) -> Result<Self, Unread> {
        let metadata = self.metadata.as_ref();
        let name = metadata.and_then(|m| given(m.name.as_deref()));
        let generated = metadata.and_then(|m| given(m.generate_name.as_deref()));
        let namespace = metadata.and_then(|m| m.namespace.as_deref());
        let is_filled_in_later = |text: &str| ["{{", "{%", "${", "$(", "<%"].iter().any(|mark| text.contains(mark));
        // Of the files that kustomize reads the kind may be left out.
        if self.api_version == "builtin" || self.api_version.starts_with("kustomize.config.k8s.io/") {
            return Err(Unread::NoManifest(NoManifest::Kustomize));
        }
        let missing = match (given(Some(&self.api_version)), given(Some(&self.kind))) {
            (Some(_), Some(_)) => "",
            (None, Some(_)) => "apiVersion is missing",
            (Some(_), None) => "kind is missing",
            (None, None) => "apiVersion and kind are missing",
        };
        // What has two of the three marks of an object, or stands in a list of objects, is meant to be one.
        if !missing.is_empty() {
            let is_named = name.is_some() || generated.is_some();
            return Err(match missing {
                _ if is_item || (is_named && has_key) => Unread::Broken(missing.to_owned()),
                "kind is missing" if is_filled_in_later(&self.api_version) => Unread::NoManifest(NoManifest::Template),
                "kind is missing" => Unread::Kindless(missing, NoManifest::NoObject),
                _ => Unread::NoManifest(NoManifest::NoObject),
            });
        }
        let parts = [
            ("apiVersion", Some(self.api_version.as_str())),
            ("kind", Some(self.kind.as_str())),
            ("metadata.name", name),
            ("metadata.namespace", namespace),
        ];
        if parts.iter().any(|(_, part)| part.is_some_and(is_filled_in_later)) {
            return Err(Unread::NoManifest(NoManifest::Template));
        }
        if let Some((what, _)) = parts.iter().find(|(_, part)| part.is_some_and(|p| p.len() > LONGEST_NAME)) {
            return Err(Unread::Broken(format!("{what} has more than {LONGEST_NAME} characters")));
        }
        if self.api_version.matches('/').count() > 1 {
            return Err(Unread::Broken("apiVersion has more than one \"/\"; expected group/version".to_owned()));
        }
        if name.is_none() && generated.is_some() {
            return Err(Unread::NoManifest(NoManifest::Generated));
        }
        Ok(self)
    }
}

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|t| !t.trim().is_empty())
}

fn is_definition(api_version: &str, kind: &str) -> bool {
    kind == "CustomResourceDefinition" && api_version.starts_with("apiextensions.k8s.io/")
}

/// The definitions of custom resources in a document.
#[derive(Deserialize)]
#[serde(untagged)]
enum Definitions {
    One {
        #[serde(default)]
        kind: Text,
        spec: Box<JsonSpec>,
    },
    List {
        #[serde(default)]
        kind: Text,
        items: Vec<Definitions>,
    },
    Other(IgnoredAny),
}

impl Definitions {
    fn each(self, is_kind_known: bool, take: &mut dyn FnMut(JsonDefinition)) {
        match self {
            // Of other kinds, too, there are specs in this form.
            Self::One { kind, spec }
                if kind.0 == "CustomResourceDefinition" || (is_kind_known && kind.0.is_empty()) =>
            {
                take(JsonDefinition { spec: *spec });
            }
            Self::List { kind, items } => {
                let is_kind_known = kind.0 == "CustomResourceDefinitionList";
                items.into_iter().for_each(|item| item.each(is_kind_known, take));
            }
            Self::One { .. } | Self::Other(_) => {}
        }
    }
}

/// Which of the three keys that every object has stand at the left edge of text that cannot be parsed: apiVersion, kind, metadata. Text
/// with two of them is meant to be an object.
fn marks_in_text(text: &str) -> [bool; 3] {
    const MARKS: [&str; 3] = ["apiVersion", "kind", "metadata"];
    if is_json(text) {
        return MARKS.map(|mark| text.contains(mark));
    }
    let mut lines = text.lines().filter(|l| is_content(l) && !l.starts_with('%'));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(first) = lines.next() else { return [false; 3] };
    let says = |line: &str, mark: &str| {
        let key = line.trim_start().trim_start_matches(['"', '\'']);
        let rest = key.strip_prefix(mark).map(|rest| rest.trim_start_matches(['"', '\'']).trim_start());
        rest.is_some_and(|rest| rest.starts_with(':'))
    };
    let edge = indent(first);
    let mut said = [false; 3];
    for line in std::iter::once(first).chain(lines).filter(|l| indent(l) <= edge) {
        MARKS.iter().zip(&mut said).for_each(|(mark, said)| *said |= says(line, mark));
    }
    said
}

/// Whether something has to be filled in before this is YAML: an action, as `{{ … }}`, where a key or a value begins. In quotes, within
/// words, in comments and in block scalars it is text like any other, and many a good manifest holds some.
fn is_template(text: &str) -> bool {
    // How far the line is indented that a block scalar belongs to.
    let mut block: Option<usize> = None;
    for line in text.lines() {
        let mut rest = line.trim_start();
        let mut indent = line.len() - rest.len();
        if block.is_some_and(|of| rest.is_empty() || indent > of) || rest.starts_with('#') {
            continue;
        }
        while let Some(item) = rest.strip_prefix("- ") {
            if item.trim_start().starts_with(['|', '>']) {
                break;
            }
            indent += rest.len() - item.trim_start().len();
            rest = item.trim_start();
        }
        if begins_action(rest) {
            return true;
        }
        let last = rest.split(" #").next().unwrap_or_default().split_whitespace().next_back().unwrap_or_default();
        let header = last.strip_prefix(['|', '>']);
        block = header.filter(|h| h.chars().all(|c| c.is_ascii_digit() || c == '+' || c == '-')).map(|_| indent);
    }
    false
}

/// Characters of an action of a template that are looked at.
const LONGEST_ACTION: usize = 400;

/// Whether a line, or a value on it, begins with an action, or an action in quotes holds such quotes itself.
fn begins_action(line: &str) -> bool {
    let is_action = |text: &str| text.starts_with("{{") || text.starts_with("{%");
    let mut quote = None;
    let mut is_value = true;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        let rest = &line[at..];
        match quote {
            None if is_value && is_action(rest) => return true,
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(open) if is_action(rest) => {
                // Long lines are looked at once.
                let action: String = rest.chars().take(LONGEST_ACTION).collect();
                let action = action.split("}}").next().unwrap_or_default();
                if action.replace("\\\"", "").contains(open) {
                    return true;
                }
            }
            Some(open) if c == open && !is_escaped => quote = None,
            _ => {}
        }
        is_escaped = c == '\\' && quote == Some('"') && !is_escaped;
        let is_after_colon = c == ':' && line[at + 1..].starts_with(' ');
        is_value = quote.is_none() && (is_after_colon || (is_value && c == ' '));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Vec<(usize, &str)> {
        split(text).into_iter().map(|d| (d.line, d.text.trim())).collect()
    }

    #[test]
    fn files_are_cut_at_the_markers_of_yaml() {
        assert_eq!(yaml("a: 1\n---\nb: 2\n...\n---\n# nothing\n---\nc: 3"), [(1, "a: 1"), (2, "b: 2"), (7, "c: 3")]);
        assert_eq!(yaml("%YAML 1.2\n---\na: |\n  ---\n  x\n"), [(2, "a: |\n  ---\n  x")]);
        assert_eq!(yaml("--- {a: 1}\r\n---\r\n----: x\r\n"), [(1, "{a: 1}"), (2, "----: x")]);
        assert_eq!(
            yaml("a: 1\n---# c\nb: 2\n--- # d\nc: 3\n---x: 4\n"),
            [(1, "a: 1"), (2, "# c\nb: 2"), (4, "# d\nc: 3\n---x: 4")]
        );
        assert_eq!(yaml("a: 1\n...: 2\n... # end\nb: 2\n"), [(1, "a: 1\n...: 2"), (3, "# end\nb: 2")]);
        for nothing in ["", "---", "---\n...\n", "# a\n---\n  # b"] {
            assert_eq!(yaml(nothing), []);
        }
    }

    #[test]
    fn json_is_cut_value_by_value() {
        let text = "{\"a\":1}\n\n{\"b\":2}{\"c\":\n3}\n {oops}\n{}";
        let (values, rest) = Document { text, line: 5 }.values();
        let values: Vec<_> = values.iter().map(|d| (d.line, d.text)).collect();
        assert_eq!(values, [(5, "{\"a\":1}"), (7, "{\"b\":2}"), (7, "{\"c\":\n3}")]);
        assert_eq!(rest.map(|d| (d.line, d.text)), Some((9, "{oops}\n{}")));
    }

    #[test]
    fn text_is_decoded_as_its_first_bytes_say() {
        let units = |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        for (bytes, expected) in [
            (b"a: \xc3\xbc".to_vec(), "a: \u{fc}"),
            (b"a: \xfc".to_vec(), "a: \u{fffd}"),
            (units("\u{feff}a: \u{1f600}", u16::to_le_bytes), "a: \u{1f600}"),
            (units("\u{feff}a", u16::to_be_bytes), "a"),
            (units("a: b", u16::to_le_bytes), "a: b"),
            (units("a: b", u16::to_be_bytes), "a: b"),
            ([units("\u{feff}a", u16::to_le_bytes), vec![b'b']].concat(), "a"),
            (vec![0xff, 0xfe, 0x00, 0xd8], "\u{fffd}"),
            (vec![0xff], "\u{fffd}"),
            (vec![], ""),
            (b"a\rb\r\nc\n\r".to_vec(), "a\nb\nc\n\n"),
            (b"a\r\nb".to_vec(), "a\r\nb"),
            ("\u{feff}a\n\u{feff}---\nb\u{feff}".into(), "a\n---\nb\u{feff}"),
        ] {
            assert_eq!(text(bytes), expected);
        }
    }

    #[test]
    fn two_of_three_marks_make_a_manifest_of_broken_text() {
        for (text, claims) in [
            ("apiVersion: v1\nkind: Pod\n\t", true),
            ("kind: Pod\nmetadata: [", true),
            ("apiVersion: v2\nname: [", false),
            ("a:\n  apiVersion: v1\n  kind: Pod\n  [", false),
            ("  apiVersion: v1\n  kind: Pod\n  [", true),
            ("<<<<<<< HEAD\n'apiVersion' : v1\n\"kind\": Pod", true),
            ("# apiVersion: v1\n# kind: Pod\n[", false),
            ("apiVersions: v1\nkinds: Pod\n[", false),
            ("{\"apiVersion\": \"v1\", \"kind\": \"Po", true),
            ("{\"name\": \"x\", \"kind\": \"Po", false),
        ] {
            assert_eq!(matches!(unparsed(text, ""), Unread::Broken(_)), claims, "{text}");
        }
    }

    #[test]
    fn half_of_a_surrogate_pair_is_replaced() {
        for (json, expected) in [
            (r#""\ud800""#, r#""\ufffd""#),
            (r#""\uDC00x""#, r#""\ufffdx""#),
            (r#""\ud83d\ude00\ud83d""#, r#""\ud83d\ude00\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud800 \u00e4""#, r#""\\ud800 \u00e4""#),
            (r#""\ud8"#, r#""\ud8"#),
            ("\"\\ud8\u{e4}\u{e4} \\", "\"\\ud8\u{e4}\u{e4} \\"),
        ] {
            assert_eq!(whole_characters(json), expected);
        }
    }

    #[test]
    fn an_action_where_yaml_has_keys_or_values_makes_a_template() {
        for (text, template) in [
            ("a: {{ b }}", true),
            ("{{- if a }}", true),
            ("- {{ a }}", true),
            ("- a: \"b\"\n  c:   {{ d }}", true),
            ("{% if a %}", true),
            ("a: \"{{ default \"b\" c }}\"", true),
            ("a: '{{ default 'b' c }}'", true),
            ("- |\n  b\nc: {{ d }}", true),
            ("a: 'it''s'\nb: {{ c }}", true),
            ("a: \"{{ b }}\"", false),
            ("a: \"{{ printf \\\"%s\\\" b }}\"", false),
            ("a: b {{ c }}", false),
            ("# {{ a }}", false),
            ("a: |\n  {{ b }}\n\n  c: {{ d }}\ne: f", false),
            ("- a: >-\n    {{ b }}\n- |2+ # c\n  {{ d }}", false),
            ("a: \"b: {{ c }}\"", false),
        ] {
            assert_eq!(is_template(text), template, "{text}");
        }
    }
}
