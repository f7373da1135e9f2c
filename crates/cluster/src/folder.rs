//! Manifests, read whole when they are opened and served like a cluster.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use clusterlore_core::{
    AnnotationChoice, Coverage, Identity, ResourceInstance, ResourceType, SourceIdentity, TypeSchema,
};
use kube::core::Version;

use crate::crds::{self, JsonDefinition, Versions};
use crate::documents::{self, Found, NoManifest, Object, Unread};
use crate::error::ClusterError;
use crate::files::{self, Files};
use crate::source::{
    ClusterSource, Discovery, EventSink, ListEnd, ListScope, SchemaRead, Schemas, SkipReason, Skipped, SourceEvent,
    Warning,
};
use crate::{builtin, kinds, schema};

/// Larger files are no manifests that anybody wrote.
const LARGEST_FILE: u64 = 256 << 20;

/// All files of a folder together: what is kept of them stays in memory.
const LARGEST_FOLDER: u64 = 4 << 30;

/// Objects a page.
const PAGE: usize = 500;

/// What is wrong is named one by one up to here, and counted from there.
const NAMED: usize = 20;

/// Files that are no manifests are named up to here for each reason, and counted from there.
const NAMED_FILES: usize = 10;

/// A folder of manifests, one file of them, or a stream. Only metadata survives the reading.
#[derive(Debug)]
pub struct FolderSource {
    /// What it is known by: the absolute path, or [`SourceIdentity::STANDARD_INPUT`].
    path: String,
    annotations: AnnotationChoice,
    types: Vec<ResourceType>,
    /// By the type's name; sorted by namespace and name.
    objects: HashMap<String, Vec<ResourceInstance>>,
    definitions: HashMap<String, Versions>,
    schemas: HashMap<String, TypeSchema>,
    warnings: Vec<Warning>,
    /// Whether every manifest could be read: if not, nothing counts as listed to the end.
    whole: bool,
}

impl FolderSource {
    /// Why no type counts as listed, where a manifest is broken.
    pub const NOT_WHOLE: &str = "not every manifest could be read";

    /// Reads all `.yaml`, `.yml` and `.json` files below a folder, or one file of any name, which may be a pipe. Below a folder what
    /// begins with a dot is passed over, links are followed, and no file is read twice.
    ///
    /// # Errors
    /// It is not there, cannot be read, or no manifest in it can.
    pub fn open(named: &Path) -> Result<Self, ClusterError> {
        Self::open_keeping(named, &AnnotationChoice::default())
    }

    /// As [`Self::open`], with annotations that are kept beside descriptions.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_keeping(named: &Path, annotations: &AnnotationChoice) -> Result<Self, ClusterError> {
        let unreadable =
            |e: std::io::Error| ClusterError::FolderUnreadable { path: named.to_owned(), reason: e.to_string() };
        let kind = match std::fs::metadata(named) {
            Ok(kind) => kind,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(ClusterError::FolderMissing { path: named.to_owned() });
            }
            Err(e) => return Err(unreadable(e)),
        };
        let is_stream = !kind.is_dir() && !kind.is_file();
        let path = match named.canonicalize() {
            // What a shell hands over as /dev/fd/63 is a pipe without a name that stays.
            Ok(path) if is_stream && path.starts_with("/dev") => {
                return Self::read_keeping(File::open(named).map_err(unreadable)?, annotations);
            }
            Err(_) if is_stream => return Self::read_keeping(File::open(named).map_err(unreadable)?, annotations),
            Ok(path) => path,
            Err(e) => return Err(unreadable(e)),
        };
        let mut reading = Reading { annotations: annotations.clone(), ..Reading::default() };
        if kind.is_dir() {
            let Files { manifests, unreadable, passed_over } = files::below(&path).map_err(unreadable)?;
            let shown = |file: &Path| file.strip_prefix(&path).unwrap_or(file).display().to_string();
            for (file, reason) in unreadable {
                reading.broken(&shown(&file), None, &reason);
            }
            for (file, reason) in passed_over {
                reading.passed_over.push(Warning(format!("{} skipped: {reason}", shown(&file))));
            }
            for file in manifests {
                reading.file(&file, &shown(&file));
            }
        } else {
            reading.file(&path, &named.display().to_string());
        }
        reading.finish(path.display().to_string(), &named.display().to_string())
    }

    /// Manifests that are part of a program: each with its file's name, all of them known by one name.
    ///
    /// # Errors
    /// No manifest in them can be read.
    pub fn of_texts<'a>(name: &str, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ClusterError> {
        let mut reading = Reading::default();
        for (file, text) in files {
            reading.text(text.as_bytes().to_vec(), file, Role::Any);
        }
        reading.finish(name.to_owned(), name)
    }

    /// Reads manifests from a stream to its end. All streams are one source: what one says takes the place of what the one before
    /// said, as with a folder whose files were exchanged.
    ///
    /// # Errors
    /// It cannot be read, or no manifest in it can.
    pub fn read(stream: impl Read) -> Result<Self, ClusterError> {
        Self::read_keeping(stream, &AnnotationChoice::default())
    }

    /// As [`Self::read`], with annotations that are kept beside descriptions.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_keeping(stream: impl Read, annotations: &AnnotationChoice) -> Result<Self, ClusterError> {
        const SHOWN: &str = "standard input";
        let bytes =
            bytes_of(stream).map_err(|reason| ClusterError::FolderUnreadable { path: PathBuf::from(SHOWN), reason })?;
        let mut reading = Reading { annotations: annotations.clone(), ..Reading::default() };
        reading.text(bytes, SHOWN, Role::Any);
        reading.finish(SourceIdentity::STANDARD_INPUT.to_owned(), SHOWN)
    }
}

/// Everything that a file or a stream holds, unless that is too much.
fn bytes_of(stream: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    stream.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("it has more than {} MiB; split it", LARGEST_FILE >> 20));
    }
    Ok(bytes)
}

/// What helm takes a file for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `Chart.yaml`, which says what the chart is: an object with an apiVersion and no kind.
    Chart,
    /// Below `templates`, beside a `Chart.yaml`.
    Template,
    Any,
}

impl Role {
    const CHART: &str = "Chart.yaml";

    fn of(path: &Path) -> Self {
        let mut folders = path.ancestors().skip(1).filter(|dir| dir.ends_with("templates"));
        if path.file_name().is_some_and(|name| name == Self::CHART) {
            Self::Chart
        } else if folders.any(|dir| dir.with_file_name(Self::CHART).is_file()) {
            Self::Template
        } else {
            Self::Any
        }
    }
}

/// An object and where it stands.
#[derive(Debug)]
struct Raw {
    object: Object,
    file: String,
    line: usize,
}

impl Raw {
    fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// An object of a known type, and where it stands.
#[derive(Debug)]
struct Placed {
    instance: ResourceInstance,
    place: String,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Reading {
    /// Annotations that are kept.
    annotations: AnnotationChoice,
    objects: Vec<Raw>,
    definitions: Vec<JsonDefinition>,
    /// Because of these nothing counts as read to the end.
    broken: Vec<Warning>,
    /// Pipes, devices, links in circles.
    passed_over: Vec<Warning>,
    /// Files that are no manifests, by the reason.
    no_manifests: BTreeMap<NoManifest, BTreeSet<String>>,
    bytes: u64,
}

impl Reading {
    fn broken(&mut self, file: &str, line: Option<usize>, reason: &str) {
        let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
        self.broken.push(Warning(format!("{place} is not read: {reason}")));
    }

    fn file(&mut self, path: &Path, shown: &str) {
        if self.bytes > LARGEST_FOLDER {
            return self.broken(
                shown,
                None,
                &format!("the files before it have more than {} GiB", LARGEST_FOLDER >> 30),
            );
        }
        match File::open(path).map_err(|e| e.to_string()).and_then(bytes_of) {
            Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => self.no_manifest(shown, NoManifest::Empty),
            Ok(bytes) => self.text(bytes, shown, Role::of(path)),
            Err(reason) => self.broken(shown, None, &reason),
        }
    }

    /// Of the templates of a chart only what is a manifest already can be read.
    fn text(&mut self, bytes: Vec<u8>, file: &str, role: Role) {
        self.bytes += bytes.len() as u64;
        if let Some(what) = documents::stand_in(&bytes) {
            return self.broken(file, None, what);
        }
        let before = (self.objects.len(), self.broken.len());
        let mut garbled = Vec::new();
        for document in documents::split(&documents::text(bytes)) {
            if document.is_binary() {
                self.broken(
                    file,
                    Some(document.line()),
                    "it is binary or encrypted, not text; decrypt it, or move it away",
                );
                continue;
            }
            document.read(&mut |line, found| match found {
                Found::Object(mut object) => {
                    if let Some(metadata) = &mut object.metadata {
                        metadata.keep(self.annotations.of_kind(&object.kind));
                    }
                    self.objects.push(Raw { object, file: file.to_owned(), line });
                }
                Found::Definition(definition) => self.definitions.push(definition),
                Found::Unread(Unread::Broken(_) | Unread::Kindless(..) | Unread::Garbled(_))
                    if role == Role::Template =>
                {
                    self.no_manifest(file, NoManifest::Template);
                }
                Found::Unread(Unread::Kindless(_, reason)) if role == Role::Chart => self.no_manifest(file, reason),
                Found::Unread(Unread::Kindless(reason, _)) => self.broken(file, Some(line), reason),
                Found::Unread(Unread::Broken(reason)) => self.broken(file, Some(line), &reason),
                Found::Unread(Unread::Garbled(reason)) => garbled.push((line, reason)),
                Found::Unread(Unread::NoManifest(reason)) => self.no_manifest(file, reason),
            });
        }
        let holds_manifests = (self.objects.len(), self.broken.len()) != before;
        for (line, reason) in garbled {
            if holds_manifests {
                self.broken(file, Some(line), reason);
            } else {
                self.no_manifest(file, NoManifest::Garbled);
            }
        }
    }

    fn no_manifest(&mut self, file: &str, reason: NoManifest) {
        self.no_manifests.entry(reason).or_default().insert(file.to_owned());
    }

    /// Everything with its type. `path` is what the source is known by, `shown` how the user calls it.
    fn finish(mut self, path: String, shown: &str) -> Result<FolderSource, ClusterError> {
        let mut types = Types::new(std::mem::take(&mut self.definitions));
        let mut guesses = Vec::new();
        types.guess(&self.objects, &mut guesses);
        // By type, then by namespace and name; each with its place.
        let mut objects: HashMap<String, BTreeMap<(String, String), Placed>> = HashMap::new();
        let mut twice = Vec::new();
        for raw in std::mem::take(&mut self.objects) {
            let place = raw.place();
            let ty = types.of(&raw.object.api_version, &raw.object.kind);
            if ty.is_none() && !raw.object.is_named() {
                let Object { api_version, kind, metadata } = &raw.object;
                if kind.strip_suffix("List").is_some_and(|of_items| types.of(api_version, of_items).is_some()) {
                    self.broken(&raw.file, Some(raw.line), documents::NO_ITEMS);
                    continue;
                }
                if metadata.is_none() {
                    if types.is_for_tools(api_version, kind) {
                        self.no_manifest(&raw.file, NoManifest::Nameless);
                    } else {
                        let reason = format!("{api_version} has no kind {kind:?}, and it has no metadata");
                        self.broken(&raw.file, Some(raw.line), &reason);
                    }
                    continue;
                }
            }
            let meant = types.like(&raw.object.api_version, &raw.object.kind);
            let instance = match instance(raw.object, ty, meant) {
                Ok(instance) => instance,
                Err(reason) => {
                    self.broken(&raw.file, Some(raw.line), &reason);
                    continue;
                }
            };
            let of_type = objects.entry(ty.map(ResourceType::name).unwrap_or_default()).or_default();
            let id = instance.id.clone();
            let key = (instance.namespace.clone(), instance.name.clone());
            if let Some(Placed { place: first, .. }) = of_type.insert(key, Placed { instance, place: place.clone() }) {
                twice.push(Warning(format!("{id} stands twice, at {first} and {place}; the second counts")));
            }
        }
        if objects.is_empty() {
            return Err(self.nothing(shown));
        }
        let whole = self.broken.is_empty();
        let mut warnings = summed_up(self.broken, "cannot be read");
        if !whole {
            let stays = "nothing that is indexed is deleted in this run";
            warnings.push(Warning(format!("{}: {stays}", FolderSource::NOT_WHOLE)));
        }
        warnings.extend(self.no_manifests.iter().map(|(reason, files)| named_once(*reason, files)));
        warnings.extend(summed_up(self.passed_over, "are skipped"));
        warnings.extend(summed_up(guesses, "kinds are described by nothing"));
        warnings.extend(summed_up(twice, "stand twice"));
        let objects = objects
            .into_iter()
            .map(|(ty, objects)| (ty, objects.into_values().map(|o| o.instance).collect()))
            .collect();
        let Types { by_kind, definitions, schemas, .. } = types;
        let mut types: Vec<ResourceType> = by_kind.into_values().collect();
        types.sort_by_cached_key(ResourceType::name);
        Ok(FolderSource { path, annotations: self.annotations, types, objects, definitions, schemas, warnings, whole })
    }

    /// Why there is nothing.
    fn nothing(mut self, shown: &str) -> ClusterError {
        let place = shown.to_owned();
        if self.broken.is_empty() {
            self.passed_over.extend(self.no_manifests.iter().map(|(reason, files)| named_once(*reason, files)));
            let reasons: Vec<String> = self.passed_over.into_iter().take(NAMED_FILES).map(|w| w.0).collect();
            let reason: String = reasons.iter().map(|reason| format!("; {reason}")).collect();
            return ClusterError::FolderEmpty { place, reason };
        }
        let others = self.broken.len() - 1;
        let more = if others == 0 { String::new() } else { format!(", and {others} more like it") };
        ClusterError::FolderBroken { place, reason: format!("{}{more}", self.broken.swap_remove(0)) }
    }
}

/// The object, if an API server could have it. Nobody but an API server knows all that it refuses; this is what it refuses of every type.
/// `meant` is a kind of the same plural.
fn instance(object: Object, ty: Option<&ResourceType>, meant: Option<&str>) -> Result<ResourceInstance, String> {
    let Object { api_version, kind, metadata } = object;
    let mut metadata = metadata.unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    if name.trim().is_empty() {
        return Err("metadata.name is missing".to_owned());
    }
    let Some(ty) = ty else {
        return Err(format!("{api_version} has no kind {kind:?}; expected {}", meant.unwrap_or("another")));
    };
    if name == "." || name == ".." || name.contains(['/', '%']) || name.contains(char::is_control) {
        return Err(format!("metadata.name is {name:?}; expected a name without \"/\" and \"%\""));
    }
    let namespace = metadata.namespace.take().filter(|n| !n.is_empty());
    if ty.namespaced {
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        if !is_label(&namespace) {
            return Err(format!(
                "metadata.namespace is {namespace:?}; expected lower-case letters, digits and \"-\", 63 at most"
            ));
        }
        metadata.namespace = Some(namespace);
    }
    let mut instance = metadata.instance(&kind, &api_version)?;
    instance.resource_version.clear();
    Ok(instance)
}

/// A DNS label (RFC 1123), as which a namespace is named.
fn is_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 63 && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}

fn named_once(reason: NoManifest, files: &BTreeSet<String>) -> Warning {
    let named: Vec<&str> = files.iter().take(NAMED_FILES).map(String::as_str).collect();
    let more = match files.len().saturating_sub(NAMED_FILES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Warning(format!("skipped, not a manifest ({}): {}{more}", reason.reason(), named.join(", ")))
}

fn summed_up(mut warnings: Vec<Warning>, what: &str) -> Vec<Warning> {
    let more = warnings.len().saturating_sub(NAMED);
    if more > 0 {
        warnings.truncate(NAMED);
        warnings.push(Warning(format!("and {more} more {what}")));
    }
    warnings
}

/// Types by group and kind: built in, defined, or guessed from an object. No two have one name.
#[derive(Debug)]
struct Types {
    by_kind: BTreeMap<(String, String), ResourceType>,
    /// Group and kind of each name.
    by_name: HashMap<String, (String, String)>,
    /// Groups that Kubernetes serves itself.
    built_in: BTreeSet<String>,
    definitions: HashMap<String, Versions>,
    schemas: HashMap<String, TypeSchema>,
}

impl Types {
    fn new(definitions: Vec<JsonDefinition>) -> Self {
        let mut types = Self {
            by_kind: BTreeMap::new(),
            by_name: HashMap::new(),
            built_in: builtin::types().map(|ty| ty.group).collect(),
            definitions: HashMap::new(),
            schemas: HashMap::new(),
        };
        builtin::types().for_each(|ty| types.insert(ty));
        for definition in definitions {
            let spec = definition.spec;
            let schemas = spec.schemas();
            let mut served = spec.versions();
            served.sort_by_cached_key(|(version, _)| Reverse(Version::parse(version).priority()));
            let version = served.first().map(|(version, _)| version.clone()).unwrap_or_default();
            let ty = ResourceType {
                group: spec.group,
                kind: spec.names.kind,
                plural: spec.names.plural,
                singular: spec.names.singular.unwrap_or_default(),
                short_names: spec.names.short_names.unwrap_or_default(),
                categories: spec.names.categories.unwrap_or_default(),
                namespaced: spec.scope != "Cluster",
                verbs: builtin::VERBS.map(str::to_owned).into(),
                description: crds::description(&served, &version).to_owned(),
                version,
            };
            types.schemas.extend(schema::of_version(&schemas, &ty.version).map(|schema| (ty.name(), schema)));
            types.definitions.insert(ty.name(), served);
            types.insert(ty);
        }
        types
    }

    /// Of two types with one name the later counts, as of two manifests of one object.
    fn insert(&mut self, ty: ResourceType) {
        let key = (ty.group.clone(), ty.kind.clone());
        if let Some(other) = self.by_name.insert(ty.name(), key.clone()) {
            self.by_kind.remove(&other);
        }
        if let Some(other) = self.by_kind.insert(key.clone(), ty) {
            let name = other.name();
            if self.by_kind.get(&key).is_some_and(|ty| ty.name() != name) {
                self.by_name.remove(&name);
            }
        }
    }

    /// Whether an unknown kind without metadata may be a tool's configuration. In the groups that Kubernetes serves itself there is
    /// none but the kubeconfig: anything else there is cut off.
    fn is_for_tools(&self, api_version: &str, kind: &str) -> bool {
        (api_version, kind) == ("v1", "Config") || !self.built_in.contains(group_of(api_version))
    }

    fn of(&self, api_version: &str, kind: &str) -> Option<&ResourceType> {
        self.by_kind.get(&(group_of(api_version).to_owned(), kind.to_owned()))
    }

    /// A kind with the plural that this one would have.
    fn like(&self, api_version: &str, kind: &str) -> Option<&str> {
        let (group, plural) = (group_of(api_version).to_owned(), ResourceType::plural_of(kind));
        let name = ResourceType { group, plural, ..ResourceType::default() }.name();
        self.by_name.get(&name).map(|(_, kind)| kind.as_str())
    }

    /// Makes up a type for objects that nothing describes: namespaced when any of them names a namespace. A type whose name another
    /// has is not made up.
    fn guess(&mut self, objects: &[Raw], warnings: &mut Vec<Warning>) {
        let mut guessed: BTreeMap<(String, String), ResourceType> = BTreeMap::new();
        for Object { api_version, kind, metadata } in objects.iter().map(|raw| &raw.object) {
            if self.of(api_version, kind).is_some() {
                continue;
            }
            let group = group_of(api_version).to_owned();
            let version = api_version.rsplit('/').next().unwrap_or_default();
            if let Some(ty) = builtin::elsewhere(&group, version, kind) {
                self.insert(ty);
                continue;
            }
            // A tool's own configuration makes no type.
            let Some(metadata) = metadata.as_ref().filter(|m| m.name.is_some()) else { continue };
            let made_up = || kinds::made_up(&group, version, kind);
            let ty = guessed.entry((group.clone(), kind.clone())).or_insert_with(made_up);
            ty.namespaced |= metadata.namespace.is_some();
        }
        for ty in guessed.into_values().filter(|ty| !self.by_name.contains_key(&ty.name())).collect::<Vec<_>>() {
            warnings.push(Warning(format!(
                "no definition describes {} of {}; it is taken for {}",
                ty.kind,
                ty.api_version(),
                ty.name()
            )));
            self.insert(ty);
        }
    }
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[async_trait]
impl ClusterSource for FolderSource {
    fn annotations(&self) -> AnnotationChoice {
        self.annotations.clone()
    }

    async fn identity(&self) -> Result<Identity, ClusterError> {
        Ok(SourceIdentity::Folder { path: self.path.clone() }.into())
    }

    async fn discover(&self) -> Result<Discovery, ClusterError> {
        let groups = self.types.iter().map(|ty| ty.group.clone());
        let incomplete_groups =
            if self.whole { BTreeSet::new() } else { groups.chain([Discovery::EVERY_GROUP.to_owned()]).collect() };
        Ok(Discovery { types: self.types.clone(), warnings: self.warnings.clone(), incomplete_groups })
    }

    async fn list(&self, ty: &ResourceType, scope: &ListScope, events: &EventSink) -> Result<(), ClusterError> {
        events.begin(None).await?;
        let name = ty.name();
        let Some(known) = self.types.iter().find(|t| t.name() == name) else {
            let (reason, message) = if self.whole {
                (SkipReason::NotFound, "nothing in the folder is of this type")
            } else {
                (SkipReason::Unavailable, Self::NOT_WHOLE)
            };
            return events.send(SourceEvent::Failed(Skipped { reason, message: message.to_owned() })).await;
        };
        let coverage = match scope {
            ListScope::All => Coverage::All,
            ListScope::Namespaces(_) if !known.namespaced => {
                return events.send(SourceEvent::Done(ListEnd::default())).await;
            }
            ListScope::Namespaces(namespaces) => Coverage::of_namespaces(namespaces.iter().cloned().collect()),
        };
        let objects = self.objects.get(&name).map(Vec::as_slice).unwrap_or_default();
        let wanted: Vec<&ResourceInstance> = objects.iter().filter(|o| coverage.covers(&o.namespace)).collect();
        for page in wanted.chunks(PAGE) {
            events.send(SourceEvent::Page(page.iter().map(|o| (*o).clone()).collect())).await?;
        }
        let end = if self.whole {
            SourceEvent::Done(ListEnd { coverage, ..ListEnd::default() })
        } else {
            // Any of the objects may stand in what could not be read.
            SourceEvent::Failed(Skipped { reason: SkipReason::Unavailable, message: Self::NOT_WHOLE.to_owned() })
        };
        events.send(end).await
    }

    async fn describe(&self, types: &mut [ResourceType]) -> Vec<Warning> {
        for ty in types {
            if let Some(versions) = self.definitions.get(&ty.name()) {
                ty.description = crds::description(versions, &ty.version).to_owned();
            }
        }
        Vec::new()
    }

    async fn schemas(&self, types: &[ResourceType], known: &HashMap<String, String>) -> Result<Schemas, ClusterError> {
        let read = types.iter().filter_map(|ty| {
            let schema = self.schemas.get(&ty.name())?;
            let revision = schema.hash();
            let read = match known.get(&ty.name()) {
                Some(known) if *known == revision => SchemaRead::Unchanged,
                _ => SchemaRead::New { schema: schema.clone(), revision },
            };
            Some((ty.name(), read))
        });
        Ok(Schemas { types: read.collect(), warnings: Vec::new() })
    }

    async fn namespaces(&self) -> Result<Vec<String>, ClusterError> {
        let of_objects =
            self.objects.values().flatten().filter(|o| !o.is_cluster_scoped()).map(|o| o.namespace.clone());
        let named = self.objects.get("namespaces").into_iter().flatten().map(|o| o.name.clone());
        Ok(of_objects.chain(named).collect::<BTreeSet<_>>().into_iter().collect())
    }
}
