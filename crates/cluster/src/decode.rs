//! A list, in whichever form the server chose, read while it arrives, down to the fields that are kept. Whether it is the list that
//! was asked for, and whole, is decided here: what is no list of the type says nothing of what exists.

mod manager;
pub(crate) mod watch;

use std::collections::BTreeMap;

use bytes::Bytes;
use clusterlore_core::{
    ANNOTATION_BYTES, AnnotationChoice, OwnerReference, ResourceInstance, ResourceType, is_description_key, is_managed,
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    bounds::OBJECT_BYTES,
    json_list::{self, Elements},
    line::one_line,
    protobuf::{self, Frames, Value, fields},
    schema::Text,
};

/// Bytes of one description, or of one label's value; Kubernetes allows 63 for a label.
const TEXT_BYTES: usize = 4 << 10;
/// Bytes of a label's key; Kubernetes allows 317. A longer one is left out.
const KEY_BYTES: usize = 512;
/// Bytes of all descriptions, or of all labels, of one object.
const TEXTS_BYTES: usize = 32 << 10;
/// Bytes of the annotations of one object among which those are that are kept: Kubernetes allows as many of all of them.
const CANDIDATES_BYTES: usize = 256 << 10;
/// Bytes of a uid, a time, or a part of what names the owner.
const SHORT_BYTES: usize = 1 << 10;
/// Bytes of a name, or a namespace; Kubernetes allows 253. What has a longer one cannot be read.
const NAME_BYTES: usize = 1 << 10;
/// Bytes of a continue token.
const TOKEN_BYTES: usize = 16 << 10;
/// Bytes of labels and descriptions that wait to be handed on.
pub(crate) const WAITING_BYTES: usize = 1 << 20;
/// Objects that wait for the list to say what it is, where it says so at its end.
const UNKNOWN_OBJECTS: usize = 20_000;

/// What a list was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'a> {
    group: &'a str,
    kind: &'a str,
    plural: &'a str,
    api_version: String,
    namespaced: bool,
    namespace: Option<&'a str>,
    /// The annotations that are kept beside descriptions, if any.
    keep: Option<&'a AnnotationChoice>,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(ty: &'a ResourceType, namespace: Option<&'a str>) -> Self {
        Self {
            group: &ty.group,
            kind: &ty.kind,
            plural: &ty.plural,
            api_version: ty.api_version(),
            namespaced: ty.namespaced,
            namespace,
            keep: None,
        }
    }

    /// The same, with the annotations that are kept where the type is one of which any may be.
    pub(crate) fn keeping(self, choice: &'a AnnotationChoice) -> Self {
        Self { keep: choice.of_kind(self.kind), ..self }
    }

    /// Whether this is a list of what was asked for; a plain `List` leaves that to its items.
    fn list(&self, api_version: &str, kind: &str) -> Result<ListKind, String> {
        match (group_of(api_version), kind) {
            ("meta.k8s.io", "PartialObjectMetadataList") => Ok(ListKind::OfType),
            ("meta.k8s.io", "Table") => Ok(ListKind::Table),
            ("", "List") => Ok(ListKind::Plain),
            (group, kind) if group == self.group && kind.strip_suffix("List") == Some(self.kind) => {
                Ok(ListKind::OfType)
            }
            (_, "Status") => Err("the answer is a Status and no list".to_owned()),
            _ => Err(self.no_list()),
        }
    }

    /// Whether an object says that it is what was asked for; `None`: it says that it is something else.
    pub(crate) fn is_said(&self, api_version: Option<&str>, kind: Option<&str>) -> Option<bool> {
        let group = api_version.map(group_of);
        let fits = kind.is_none_or(|kind| kind == self.kind || kind == "PartialObjectMetadata")
            && group.is_none_or(|group| group == self.group || group == "meta.k8s.io");
        fits.then_some(kind == Some(self.kind) && group == Some(self.group))
    }

    fn no_list(&self) -> String {
        let (plural, kind) = (self.plural, self.kind);
        format!("the answer is not a list of {plural}; expected a PartialObjectMetadataList or a {kind}List")
    }

    pub(crate) fn instance(&self, namespace: &str, name: &str) -> Result<ResourceInstance, String> {
        let instance = new_instance(&self.api_version, self.kind, namespace, name)?;
        if self.namespaced == namespace.is_empty() {
            let wrong = if self.namespaced { "is missing" } else { "is there, though the type has none" };
            return Err(format!("metadata.namespace {wrong}"));
        }
        if self.namespace.is_some_and(|asked| asked != namespace) {
            return Err("metadata.namespace is another than was asked for".to_owned());
        }
        Ok(instance)
    }
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListKind {
    /// It says of what it is a list.
    OfType,
    /// Its rows hold the objects.
    Table,
    /// `List`: its items have to say what they are, and one without items says nothing.
    Plain,
}

/// What a list is read for.
pub(crate) trait Item: Sized + Send {
    /// Reads an object from protobuf.
    fn from_protobuf(bytes: Bytes, asked: &Asked<'_>) -> Result<Self, Unfit>;
    /// Reads an element from JSON; also whether it said itself that it is what was asked for.
    fn from_json(bytes: &[u8], asked: &Asked<'_>) -> Result<(Self, bool), Unfit>;
    /// Bytes that it holds beside its own size, roughly.
    fn weight(&self) -> usize;
}

/// What an element is that cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Broken; the others may be read all the same.
    Broken(String),
    /// Of another type: this is not the list that was asked for.
    Strange,
}

impl From<String> for Unfit {
    fn from(reason: String) -> Self {
        Self::Broken(reason)
    }
}

/// Objects that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unreadable {
    count: usize,
    first: String,
}

impl Unreadable {
    fn add(&mut self, reason: String) {
        if self.count == 0 {
            self.first = one_line(&reason);
        }
        self.count += 1;
    }

    pub(crate) fn and(&mut self, other: Self) {
        if self.count == 0 {
            self.first = other.first;
        }
        self.count += other.count;
    }

    /// Why the list does not count as whole.
    pub(crate) fn reason(&self) -> Option<String> {
        self.said().map(|said| format!("{said}; the others are indexed"))
    }

    /// How many they are, and what is wrong with the first.
    pub(crate) fn said(&self) -> Option<String> {
        let objects = if self.count == 1 { "1 object".to_owned() } else { format!("{} objects", self.count) };
        (self.count > 0).then(|| format!("{objects} cannot be read ({})", self.first))
    }
}

/// Reads one answer to a list request while it arrives.
#[derive(Debug)]
pub(crate) struct ListReader<'a, I> {
    asked: Asked<'a>,
    form: Form,
    api_version: Option<String>,
    kind: Option<String>,
    list: Option<ListKind>,
    /// The array that was found.
    items_in: Option<&'static str>,
    described: bool,
    seen: usize,
    /// Elements that said themselves what they are.
    said: usize,
    items: Vec<I>,
    weight: usize,
    /// Token of the page after this one; empty on the last.
    pub(crate) next: String,
    /// The list's `resourceVersion`.
    pub(crate) version: String,
    /// The `columnDefinitions` of a table, as they came.
    pub(crate) columns: Vec<u8>,
    pub(crate) unreadable: Unreadable,
}

#[derive(Debug)]
enum Form {
    Protobuf(Frames),
    Json(Elements),
}

impl<'a, I: Item> ListReader<'a, I> {
    /// A reader for an answer of this content type. Errors, here and below, name what is wrong with the form, never what stood in an
    /// object.
    pub(crate) fn new(content_type: &str, asked: Asked<'a>) -> Result<Self, String> {
        let form = match is_protobuf(content_type)? {
            true => Form::Protobuf(Frames::default()),
            false => Form::Json(Elements::default()),
        };
        Ok(Self {
            asked,
            form,
            api_version: None,
            kind: None,
            list: None,
            items_in: None,
            described: false,
            seen: 0,
            said: 0,
            items: Vec::new(),
            weight: 0,
            next: String::new(),
            version: String::new(),
            columns: Vec::new(),
            unreadable: Unreadable::default(),
        })
    }

    /// Takes what arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        match &mut self.form {
            Form::Protobuf(frames) => frames.push(bytes),
            Form::Json(elements) => elements.push(bytes),
        }
        while self.step()? {}
        Ok(())
    }

    /// Bytes that wait for more.
    pub(crate) fn held(&self) -> usize {
        match &self.form {
            Form::Protobuf(frames) => frames.held(),
            Form::Json(elements) => elements.held(),
        }
    }

    /// Whether the token of the next page is known before the objects: the API server writes protobuf so.
    pub(crate) fn is_token_early(&self) -> bool {
        matches!(self.form, Form::Protobuf(_))
    }

    /// The token of the next page, once it is known.
    pub(crate) fn token(&self) -> Option<&str> {
        self.described.then_some(&*self.next)
    }

    /// Whether so many objects wait that they should be handed on; only of a list that is what was asked for.
    pub(crate) fn is_full(&self, page: usize) -> bool {
        let known = matches!(self.list, Some(ListKind::OfType | ListKind::Table)) || self.said == self.seen;
        known && (self.items.len() >= page || self.weight >= WAITING_BYTES)
    }

    /// Whether it is a table; `None`: it has not said yet.
    pub(crate) fn is_table(&self) -> Option<bool> {
        self.list.map(|list| list == ListKind::Table)
    }

    /// Whether it is one object of the type, and no list.
    pub(crate) fn is_object(&self) -> bool {
        self.kind.as_deref() == Some(self.asked.kind)
    }

    /// The objects read since the last time.
    pub(crate) fn take(&mut self) -> Vec<I> {
        self.weight = 0;
        std::mem::take(&mut self.items)
    }

    /// Whether the answer was whole, and the list that was asked for.
    pub(crate) fn end(&self) -> Result<(), String> {
        match &self.form {
            Form::Protobuf(frames) => frames.end()?,
            Form::Json(elements) => elements.end()?,
        }
        let there = match self.list {
            None => return Err(self.asked.no_list()),
            Some(ListKind::Table) => self.items_in == Some("rows"),
            Some(ListKind::OfType) => self.items_in == Some("items"),
            Some(ListKind::Plain) if self.seen == 0 || self.said < self.seen => {
                return Err("the answer is a plain List whose items do not say what they are".to_owned());
            }
            Some(ListKind::Plain) => self.items_in == Some("items"),
        };
        if !there {
            return Err("the answer is not a list: it has no \"items\"".to_owned());
        }
        if !self.described {
            return Err("the answer is not a list: it has no \"metadata\" of its own".to_owned());
        }
        Ok(())
    }

    /// Takes one part; `false`: no part has arrived whole.
    fn step(&mut self) -> Result<bool, String> {
        match &mut self.form {
            Form::Protobuf(frames) => match frames.next()? {
                None => return Ok(false),
                Some(protobuf::Part::Kind { api_version, kind }) => {
                    (self.api_version, self.kind) = (Some(api_version), Some(kind));
                    self.identify()?;
                }
                Some(protobuf::Part::Metadata { version, next }) => {
                    // What holds no objects is no list, and what does not say what it is before them neither.
                    if self.list != Some(ListKind::OfType) {
                        return Err(self.asked.no_list());
                    }
                    self.items_in = Some("items");
                    self.continues(version, next)?;
                }
                Some(protobuf::Part::Item(None)) => self.took(Err(too_large()))?,
                Some(protobuf::Part::Item(Some(bytes))) => {
                    let item = I::from_protobuf(bytes, &self.asked).map(|item| (item, false));
                    self.took(item)?;
                }
            },
            Form::Json(elements) => match elements.next()? {
                None => return Ok(false),
                Some(json_list::Part::Member(key, value)) => self.member(&key, value.as_deref())?,
                Some(json_list::Part::List(key)) => self.has_items(if key == "rows" { "rows" } else { "items" })?,
                Some(json_list::Part::End) => return Ok(false),
                Some(json_list::Part::Element(None)) => self.took(Err(too_large()))?,
                Some(json_list::Part::Element(Some(bytes))) => {
                    let item = I::from_json(&bytes, &self.asked);
                    self.took(item)?;
                }
            },
        }
        Ok(true)
    }

    fn member(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), String> {
        let read = |known: &Option<String>| match value {
            Some(value) if known.is_none() => from_json::<Option<String>>(value),
            _ => Err(format!("broken JSON: {key:?} twice, or too large")),
        };
        match key {
            "kind" => self.kind = read(&self.kind)?,
            "apiVersion" => self.api_version = read(&self.api_version)?,
            "metadata" => {
                let value = value.filter(|_| !self.described).ok_or("broken JSON: \"metadata\" twice, or too large")?;
                if let Some(metadata) = from_json::<Option<JsonListMeta>>(value)? {
                    self.continues(metadata.resource_version.unwrap_or_default(), metadata.next.unwrap_or_default())?;
                }
            }
            // As Go writes an empty list.
            "items" if value == Some(b"null") => self.has_items("items")?,
            "rows" if value == Some(b"null") => self.has_items("rows")?,
            "items" | "rows" => return Err(self.asked.no_list()),
            _ => {
                value.map(from_json::<IgnoredAny>).transpose()?;
                if key == "columnDefinitions" {
                    self.columns = value.unwrap_or_default().to_vec();
                }
            }
        }
        if self.list.is_none() && self.kind.is_some() && self.api_version.is_some() {
            self.identify()?;
        }
        Ok(())
    }

    fn identify(&mut self) -> Result<(), String> {
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        self.list = Some(self.asked.list(&said(&self.api_version), &said(&self.kind))?);
        Ok(())
    }

    fn has_items(&mut self, array: &'static str) -> Result<(), String> {
        match self.items_in.replace(array) {
            None => Ok(()),
            Some(_) => Err("broken JSON: \"items\" twice".to_owned()),
        }
    }

    fn continues(&mut self, version: String, next: String) -> Result<(), String> {
        for (what, text, most) in [("continue token", &next, TOKEN_BYTES), ("resourceVersion", &version, SHORT_BYTES)] {
            if text.len() > most {
                return Err(format!("the {what} has more than {} KiB", most >> 10));
            }
        }
        (self.version, self.next, self.described) = (version, next, true);
        Ok(())
    }

    fn took(&mut self, item: Result<(I, bool), Unfit>) -> Result<(), String> {
        self.seen += 1;
        match item {
            Ok((item, said)) => {
                self.said += usize::from(said);
                self.weight = self.weight.saturating_add(item.weight());
                self.items.push(item);
            }
            Err(Unfit::Strange) => return Err(self.asked.no_list()),
            Err(Unfit::Broken(reason)) => {
                // What it said of itself is not known; it is no reason to doubt the list.
                self.said += 1;
                self.unreadable.add(reason);
            }
        }
        if self.list.is_none() && self.said < self.seen && self.items.len() > UNKNOWN_OBJECTS {
            return Err("the answer says only at its end what it lists, and is too large to wait for that".to_owned());
        }
        Ok(())
    }
}

/// Whether an answer is protobuf rather than JSON.
fn is_protobuf(content_type: &str) -> Result<bool, String> {
    if content_type.starts_with("application/vnd.kubernetes.protobuf") {
        return Ok(true);
    }
    if content_type.starts_with("application/json") {
        return Ok(false);
    }
    let content_type = one_line(content_type);
    Err(format!("the answer is {content_type:?}; expected JSON or Kubernetes protobuf"))
}

fn too_large() -> Unfit {
    Unfit::Broken(format!("it has more than {} MiB", OBJECT_BYTES >> 20))
}

impl Item for ResourceInstance {
    fn from_protobuf(bytes: Bytes, asked: &Asked<'_>) -> Result<Self, Unfit> {
        let mut metadata: &[u8] = &[];
        for field in fields(&bytes) {
            if let (1, Value::Bytes(found)) = field? {
                metadata = found;
                // The rest of a whole object follows, and is not looked at.
                break;
            }
        }
        Ok(instance(metadata, asked)?)
    }

    fn from_json(bytes: &[u8], asked: &Asked<'_>) -> Result<(Self, bool), Unfit> {
        match asked.keep {
            None => instance_of_json::<false>(bytes, asked),
            Some(_) => instance_of_json::<true>(bytes, asked),
        }
    }

    fn weight(&self) -> usize {
        let size = |map: &BTreeMap<String, String>| map.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>();
        size(&self.labels) + size(&self.annotations) + size(&self.kept_annotations)
    }
}

/// The object in an element of a list, or in a table's row, and whether it said itself what it is.
fn instance_of_json<const ALL: bool>(bytes: &[u8], asked: &Asked<'_>) -> Result<(ResourceInstance, bool), Unfit> {
    let mut element: JsonObject<ALL> = from_json(bytes)?;
    if let Some(object) = element.object.take() {
        element = *object;
    }
    let said = asked.is_said(element.api_version.as_deref(), element.kind.as_deref()).ok_or(Unfit::Strange)?;
    let mut meta = element.metadata.unwrap_or_default();
    meta.keep(asked.keep);
    let instance = asked.instance(meta.namespace.as_deref().unwrap_or_default(), meta.name())?;
    Ok((meta.fill(instance), said))
}

/// JSON without the values that serde quotes in its messages.
pub(crate) fn from_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body)
        .map_err(|e| format!("broken JSON at line {} column {} ({:?})", e.line(), e.column(), e.classify()))
}

/// The object of this metadata (`ObjectMeta`).
fn instance(metadata: &[u8], asked: &Asked<'_>) -> Result<ResourceInstance, String> {
    let (mut name, mut namespace): (&[u8], &[u8]) = (&[], &[]);
    let (mut uid, mut resource_version): (&[u8], &[u8]) = (&[], &[]);
    let (mut labels, mut descriptions, mut candidates) = (Texts::default(), Texts::default(), Texts::default());
    let (mut created_at, mut owner, mut generation) = (String::new(), None, 0);
    for field in fields(metadata) {
        match field? {
            (1, Value::Bytes(bytes)) => name = bytes,
            (3, Value::Bytes(bytes)) => namespace = bytes,
            (5, Value::Bytes(bytes)) => uid = bytes,
            (6, Value::Bytes(bytes)) => resource_version = bytes,
            (7, Value::Number(number)) => generation = number.cast_signed(),
            (8, Value::Bytes(time)) => {
                let seconds = fields(time).find_map(|field| match field {
                    Ok((1, Value::Number(seconds))) => Some(seconds.cast_signed()),
                    _ => None,
                });
                created_at = rfc3339(seconds.unwrap_or_default());
            }
            (11, Value::Bytes(entry)) => {
                let (key, value) = pair(entry)?;
                labels.put(utf8(key)?, utf8(value)?);
            }
            (12, Value::Bytes(entry)) => {
                let (key, value) = pair(entry)?;
                let Ok(key) = std::str::from_utf8(key) else { continue };
                if is_description_key(key) {
                    descriptions.put(key, &String::from_utf8_lossy(beginning(value, TEXT_BYTES)));
                }
                if asked.keep.is_some_and(|choice| choice.keeps(key)) {
                    candidates.put_candidate(key, &String::from_utf8_lossy(beginning(value, ANNOTATION_BYTES)));
                }
            }
            (13, Value::Bytes(reference)) if owner.is_none() => owner = controller(reference)?,
            _ => {}
        }
    }
    let mut instance = asked.instance(utf8(namespace)?, utf8(name)?)?;
    instance.labels = labels.map;
    instance.annotations = descriptions.map;
    instance.kept_annotations = asked.keep.map(|choice| choice.kept(candidates.map)).unwrap_or_default();
    instance.uid = short(utf8(uid)?);
    instance.resource_version = short(utf8(resource_version)?);
    instance.created_at = created_at;
    instance.generation = generation;
    instance.owner = owner;
    Ok(instance)
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "its metadata is not UTF-8".to_owned())
}

/// So many bytes, and as many more as the last character may need: [`cut`] then finds its end.
fn beginning(text: &[u8], most: usize) -> &[u8] {
    &text[..text.len().min(most + 4)]
}

/// Key and value of a map's entry.
fn pair(entry: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    for field in fields(entry) {
        match field? {
            (1, Value::Bytes(bytes)) => key = bytes,
            (2, Value::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((key, value))
}

/// The owner of this reference, where it is the controlling one.
fn controller(reference: &[u8]) -> Result<Option<OwnerReference>, String> {
    let mut owner =
        OwnerReference { api_version: String::new(), kind: String::new(), name: String::new(), uid: String::new() };
    let mut controls = false;
    for field in fields(reference) {
        let (number, value) = field?;
        let text = |bytes: &[u8]| short(&String::from_utf8_lossy(beginning(bytes, SHORT_BYTES)));
        match (number, value) {
            (1, Value::Bytes(kind)) => owner.kind = text(kind),
            (3, Value::Bytes(name)) => owner.name = text(name),
            (4, Value::Bytes(uid)) => owner.uid = text(uid),
            (5, Value::Bytes(version)) => owner.api_version = text(version),
            (6, Value::Number(set)) => controls = set != 0,
            _ => {}
        }
    }
    Ok(controls.then_some(owner))
}

/// Labels or descriptions of one object, within their bounds.
#[derive(Debug, Default)]
struct Texts {
    map: BTreeMap<String, String>,
    size: usize,
}

impl Texts {
    fn put(&mut self, key: &str, value: &str) {
        if key.len() <= KEY_BYTES && self.size < TEXTS_BYTES {
            let value = cut(value, TEXT_BYTES);
            self.size += key.len() + value.len() + 1;
            self.map.insert(key.to_owned(), value.to_owned());
        }
    }

    /// An annotation of which it is not known yet whether it is kept.
    fn put_candidate(&mut self, key: &str, value: &str) {
        let value = cut(value, ANNOTATION_BYTES);
        self.size += key.len() + value.len() + 1;
        if key.len() <= KEY_BYTES && self.size <= CANDIDATES_BYTES {
            self.map.insert(key.to_owned(), value.to_owned());
        }
    }
}

/// At most so many bytes of the text, whole characters.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn short(text: &str) -> String {
    cut(text, SHORT_BYTES).to_owned()
}

/// A whole answer of JSON, as [`from_json`]. The smallest objects and texts become many times as large in memory: there may be so many
/// objects, and ten times as many members and elements.
pub(crate) fn from_whole_json<'a, T: Deserialize<'a>>(body: &'a [u8], objects: usize) -> Result<T, String> {
    let (mut braces, mut commas) = (0, 0);
    for byte in body {
        braces += usize::from(*byte == b'{');
        commas += usize::from(*byte == b',');
    }
    if braces > objects || commas > 10 * objects {
        return Err(format!("the answer holds more than {objects} objects"));
    }
    from_json(body)
}

fn new_instance(api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<ResourceInstance, String> {
    for (what, value) in [("name", name), ("namespace", namespace)] {
        if value.len() > NAME_BYTES {
            return Err(format!("metadata.{what} has more than {NAME_BYTES} bytes"));
        }
    }
    ResourceInstance::new(api_version, kind, Some(namespace), name).map_err(|e| e.to_string())
}

fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|t| t.to_string()).unwrap_or_default()
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JsonListMeta {
    pub(crate) resource_version: Option<String>,
    #[serde(rename = "continue")]
    pub(crate) next: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonObject<const ALL: bool = false> {
    api_version: Option<String>,
    kind: Option<String>,
    metadata: Option<JsonMeta<ALL>>,
    /// Of a table's row.
    object: Option<Box<JsonObject<ALL>>>,
}

/// `metadata` of an object in JSON or YAML; everything else is skipped while parsing. Of the annotations only those that describe are
/// read; with `ALL` also the others, until [`JsonMeta::keep`] says which of them stay.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JsonMeta<const ALL: bool = false> {
    pub(crate) name: Option<String>,
    /// What the API server makes a name of; only manifests have it without a name.
    pub(crate) generate_name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<String>,
    generation: Option<i64>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    annotations: Annotations<ALL>,
    #[serde(default)]
    owner_references: Controller,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonOwner {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    uid: String,
    controller: Option<bool>,
}

impl<const ALL: bool> JsonMeta<ALL> {
    /// Drops the annotations that are not to be kept.
    pub(crate) fn keep(&mut self, choice: Option<&AnnotationChoice>) {
        let candidates = std::mem::take(&mut self.annotations.candidates.map);
        self.annotations.candidates.map = choice.map(|choice| choice.kept(candidates)).unwrap_or_default();
    }

    /// The object of this metadata.
    pub(crate) fn instance(self, kind: &str, api_version: &str) -> Result<ResourceInstance, String> {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        let instance = new_instance(api_version, kind, namespace, self.name())?;
        Ok(self.fill(instance))
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn fill(self, mut instance: ResourceInstance) -> ResourceInstance {
        let text = |text: Option<String>| text.as_deref().map(short).unwrap_or_default();
        instance.labels = self.labels.0.map;
        instance.annotations = self.annotations.descriptions.map;
        instance.kept_annotations = self.annotations.candidates.map;
        instance.created_at = text(self.creation_timestamp);
        instance.uid = text(self.uid);
        instance.resource_version = text(self.resource_version);
        instance.generation = self.generation.unwrap_or_default();
        instance.owner = self.owner_references.0;
        instance
    }
}

/// All labels.
#[derive(Debug, Default)]
struct Labels(Texts);

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut labels = Texts::default();
        from.deserialize_option(Pairs {
            take: |_: &str| Take::Text,
            put: |key: &str, value: &str| labels.put(key, value),
        })?;
        Ok(Self(labels))
    }
}

/// Annotations of which only the describing ones are ever turned into strings; with `ALL` all but those that are never kept.
#[derive(Debug, Default)]
struct Annotations<const ALL: bool> {
    descriptions: Texts,
    candidates: Texts,
}

impl<'de, const ALL: bool> Deserialize<'de> for Annotations<ALL> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut candidates = Texts::default();
        let take = |key: &str| match is_description_key(key) {
            true => Take::Text,
            false if ALL && !is_managed(key) => Take::IfText,
            false => Take::Nothing,
        };
        let mut descriptions = Texts::default();
        from.deserialize_option(Pairs {
            take,
            put: |key: &str, value: &str| {
                if is_description_key(key) {
                    descriptions.put(key, value);
                }
                if ALL {
                    candidates.put_candidate(key, value);
                }
            },
        })?;
        Ok(Self { descriptions, candidates })
    }
}

/// What is read of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    Nothing,
    /// Its value, which is a text.
    Text,
    /// Its value, where it is a text: what nobody asked for is no reason to refuse an object.
    IfText,
}

/// Reads those entries of a map whose key is taken.
struct Pairs<T, P> {
    take: T,
    put: P,
}

impl<'de, T: Fn(&str) -> Take, P: FnMut(&str, &str)> Visitor<'de> for Pairs<T, P> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a map of texts")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match (self.take)(&key) {
                Take::Text => (self.put)(&key, &map.next_value::<Option<String>>()?.unwrap_or_default()),
                Take::IfText => (self.put)(&key, &map.next_value::<Text>()?.0),
                Take::Nothing => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }
}

/// The controlling one among the owners.
#[derive(Debug, Default)]
struct Controller(Option<OwnerReference>);

impl<'de> Deserialize<'de> for Controller {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Owners;
        impl<'de> Visitor<'de> for Owners {
            type Value = Controller;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of owners")
            }

            fn visit_unit<E>(self) -> Result<Controller, E> {
                Ok(Controller::default())
            }

            fn visit_none<E>(self) -> Result<Controller, E> {
                Ok(Controller::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Controller, D::Error> {
                from.deserialize_seq(self)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut owners: A) -> Result<Controller, A::Error> {
                let mut found = None;
                while let Some(owner) = owners.next_element::<JsonOwner>()? {
                    if found.is_none() && owner.controller == Some(true) {
                        found = Some(OwnerReference {
                            api_version: short(&owner.api_version),
                            kind: short(&owner.kind),
                            name: short(&owner.name),
                            uid: short(&owner.uid),
                        });
                    }
                }
                Ok(Controller(found))
            }
        }
        from.deserialize_option(Owners)
    }
}

/// One answer to a list request.
#[cfg(test)]
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) instances: Vec<ResourceInstance>,
    pub(crate) next: String,
    pub(crate) version: String,
    pub(crate) unreadable: Unreadable,
}

/// Reads an answer in pieces of this size.
#[cfg(test)]
pub(crate) fn page(content_type: &str, body: &[u8], asked: Asked<'_>, piece: usize) -> Result<Page, String> {
    let mut reader = ListReader::new(content_type, asked)?;
    for piece in body.chunks(piece.max(1)) {
        reader.push(piece)?;
    }
    reader.end()?;
    let instances = reader.take();
    Ok(Page { instances, next: reader.next, version: reader.version, unreadable: reader.unreadable })
}

#[cfg(test)]
pub(crate) mod tests;
