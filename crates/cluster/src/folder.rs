//! A folder of manifests, read whole when it is opened and served like a cluster.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use clusterlore_core::{Coverage, Identity, ResourceInstance, ResourceType, SourceIdentity, TypeSchema};
use kube::core::Version;

use crate::{
    ClusterError, ClusterSource, Discovery, ListScope, Listing, PageSink, SchemaRead, Schemas, SkipReason, Skipped,
    Warning, builtin,
    crds::{self, JsonDefinition, Versions},
    decode::JsonMeta,
    documents::{self, Broken},
    schema,
};

/// Larger files are no manifests that anybody wrote.
const LARGEST_FILE: u64 = 256 << 20;

/// Objects a page.
const PAGE: usize = 500;

/// Documents that could not be read are named one by one up to here, and counted from there.
const NAMED: usize = 20;

/// A folder of manifests. Only metadata survives the reading.
#[derive(Debug)]
pub struct FolderSource {
    path: PathBuf,
    types: Vec<ResourceType>,
    /// By the type's name; sorted by id.
    objects: HashMap<String, Vec<ResourceInstance>>,
    definitions: HashMap<String, Versions>,
    schemas: HashMap<String, TypeSchema>,
    warnings: Vec<Warning>,
    /// Whether every document could be read: if not, nothing counts as listed to the end.
    whole: bool,
}

impl FolderSource {
    /// Reads all `.yaml`, `.yml` and `.json` files below the folder; what begins with a dot is passed over.
    ///
    /// # Errors
    /// It is not there, cannot be read, or holds no manifest.
    pub fn open(dir: &Path) -> Result<Self, ClusterError> {
        let path = match dir.canonicalize() {
            Ok(path) => path,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(ClusterError::FolderMissing { path: dir.to_owned() });
            }
            Err(e) => return Err(ClusterError::FolderUnreadable { path: dir.to_owned(), reason: e.to_string() }),
        };
        let mut reading = Reading::default();
        for file in files(&path, &mut reading)? {
            let shown = file.strip_prefix(&path).ok().filter(|p| !p.as_os_str().is_empty()).unwrap_or(&file);
            reading.file(&file, &shown.display().to_string());
        }
        if reading.objects.is_empty() && reading.skipped.is_empty() {
            return Err(ClusterError::FolderEmpty { path: dir.to_owned() });
        }
        Ok(reading.finish(path))
    }
}

/// Files in the order of their paths.
fn files(root: &Path, reading: &mut Reading) -> Result<Vec<PathBuf>, ClusterError> {
    if root.is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    let mut entered = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        // Links may lead in circles.
        if !folder.canonicalize().is_ok_and(|real| entered.insert(real)) {
            continue;
        }
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if folder == root => {
                return Err(ClusterError::FolderUnreadable { path: folder, reason: e.to_string() });
            }
            Err(e) => {
                reading.skip(&folder.display().to_string(), None, &e.to_string());
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let manifest = path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
            if !hidden && path.is_dir() {
                folders.push(path);
            } else if !hidden && manifest {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// An object as it was found, before its type is known.
#[derive(Debug)]
struct Raw {
    api_version: String,
    kind: String,
    metadata: JsonMeta,
    place: String,
}

#[derive(Debug, Default)]
struct Reading {
    objects: Vec<Raw>,
    definitions: Vec<JsonDefinition>,
    skipped: Vec<Warning>,
}

impl Reading {
    fn skip(&mut self, file: &str, line: Option<usize>, reason: &str) {
        let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
        self.skipped.push(Warning(format!("{place} is not read: {reason}")));
    }

    fn file(&mut self, path: &Path, shown: &str) {
        match std::fs::metadata(path).map(|m| m.len()) {
            Ok(size) if size > LARGEST_FILE => {
                return self.skip(
                    shown,
                    None,
                    &format!("it has {} MiB; at most {} are read", size >> 20, LARGEST_FILE >> 20),
                );
            }
            Err(e) => return self.skip(shown, None, &e.to_string()),
            Ok(_) => {}
        }
        let text = match std::fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => return self.skip(shown, None, "it is not UTF-8"),
            Err(e) => return self.skip(shown, None, &e.to_string()),
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let documents = if path.extension().is_some_and(|e| e == "json") {
            let (documents, broken) = documents::split_json(text);
            if let Some(Broken { line, reason }) = broken {
                self.skip(shown, Some(line), &reason);
            }
            documents
        } else {
            documents::split_yaml(text)
        };
        for document in documents {
            match document.objects() {
                Ok(found) => found.into_iter().for_each(|f| self.object(f, shown, document.line)),
                Err(Broken { line, reason }) => self.skip(shown, Some(line), &reason),
            }
        }
    }

    fn object(&mut self, found: documents::Found, file: &str, line: usize) {
        let given = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
        let (api_version, kind) = (given(found.header.api_version), given(found.header.kind));
        let metadata = found.header.metadata.unwrap_or_default();
        let missing = match (&api_version, &kind, &metadata.name) {
            (None, ..) => "apiVersion",
            (_, None, _) => "kind",
            (.., None) => "metadata.name",
            (Some(_), Some(_), Some(_)) => "",
        };
        let (Some(api_version), Some(kind), "") = (api_version, kind, missing) else {
            return self.skip(file, Some(line), &format!("it is no object of a cluster: {missing} is missing"));
        };
        self.definitions.extend(found.definition);
        self.objects.push(Raw { api_version, kind, metadata, place: format!("{file}:{line}") });
    }

    fn finish(self, path: PathBuf) -> FolderSource {
        let mut types = Types::new(self.definitions);
        let mut warnings = summed_up(self.skipped);
        let whole = warnings.is_empty();
        types.guess(&self.objects, &mut warnings);
        let mut objects: HashMap<String, BTreeMap<String, ResourceInstance>> = HashMap::new();
        let mut places: HashMap<String, String> = HashMap::new();
        let mut broken = Vec::new();
        for Raw { api_version, kind, mut metadata, place } in self.objects {
            let Some(ty) = types.of(&api_version, &kind) else { continue };
            if ty.namespaced {
                metadata.namespace = metadata.namespace.filter(|n| !n.is_empty()).or(Some("default".to_owned()));
            } else {
                metadata.namespace = None;
            }
            match metadata.instance(&kind, &api_version) {
                Ok(mut instance) => {
                    instance.resource_version.clear();
                    if let Some(first) = places.insert(instance.id.clone(), place.clone()) {
                        warnings.push(Warning(format!(
                            "{} stands twice, at {first} and {place}; the second counts",
                            instance.id
                        )));
                    }
                    objects.entry(ty.name()).or_default().insert(instance.id.clone(), instance);
                }
                Err(reason) => broken.push(Warning(format!("{place} is not read: {reason}"))),
            }
        }
        let whole = whole && broken.is_empty();
        warnings.extend(summed_up(broken));
        if !whole {
            warnings.push(Warning(
                "not everything could be read, so that nothing that is indexed is deleted in this run".to_owned(),
            ));
        }
        let objects = objects.into_iter().map(|(ty, objects)| (ty, objects.into_values().collect())).collect();
        let Types { by_kind, definitions, schemas } = types;
        let mut types: Vec<ResourceType> = by_kind.into_values().collect();
        types.sort_by_cached_key(ResourceType::name);
        FolderSource { path, types, objects, definitions, schemas, warnings, whole }
    }
}

fn summed_up(mut warnings: Vec<Warning>) -> Vec<Warning> {
    let more = warnings.len().saturating_sub(NAMED);
    if more > 0 {
        warnings.truncate(NAMED);
        warnings.push(Warning(format!("and {more} more that could not be read")));
    }
    warnings
}

/// Types by group and kind: built in, defined, or guessed from an object.
#[derive(Debug)]
struct Types {
    by_kind: BTreeMap<(String, String), ResourceType>,
    definitions: HashMap<String, Versions>,
    schemas: HashMap<String, TypeSchema>,
}

impl Types {
    fn new(definitions: Vec<JsonDefinition>) -> Self {
        let built_in = builtin::types().map(|ty| ((ty.group.clone(), ty.kind.clone()), ty));
        let mut types = Self { by_kind: built_in.collect(), definitions: HashMap::new(), schemas: HashMap::new() };
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
            types.by_kind.insert((ty.group.clone(), ty.kind.clone()), ty);
        }
        types
    }

    fn of(&self, api_version: &str, kind: &str) -> Option<&ResourceType> {
        self.by_kind.get(&(group_of(api_version).to_owned(), kind.to_owned()))
    }

    /// Makes up a type for objects that nothing describes: namespaced when any of them names a namespace.
    fn guess(&mut self, objects: &[Raw], warnings: &mut Vec<Warning>) {
        let mut guessed: BTreeMap<(String, String), ResourceType> = BTreeMap::new();
        for raw in objects.iter().filter(|raw| self.of(&raw.api_version, &raw.kind).is_none()) {
            let group = group_of(&raw.api_version).to_owned();
            let ty = guessed.entry((group.clone(), raw.kind.clone())).or_insert_with(|| ResourceType {
                group,
                version: raw.api_version.rsplit('/').next().unwrap_or_default().to_owned(),
                kind: raw.kind.clone(),
                plural: ResourceType::plural_of(&raw.kind),
                singular: raw.kind.to_ascii_lowercase(),
                verbs: builtin::VERBS.map(str::to_owned).into(),
                ..ResourceType::default()
            });
            ty.namespaced |= raw.metadata.namespace.is_some();
        }
        for ty in guessed.values() {
            warnings.push(Warning(format!(
                "no definition describes {} of {}; it is taken for {}",
                ty.kind,
                ty.api_version(),
                ty.name()
            )));
        }
        self.by_kind.extend(guessed);
    }
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[async_trait]
impl ClusterSource for FolderSource {
    async fn identity(&self) -> Result<Identity, ClusterError> {
        Ok(SourceIdentity::Folder { path: self.path.display().to_string() }.into())
    }

    async fn discover(&self) -> Result<Discovery, ClusterError> {
        let groups = self.types.iter().map(|ty| ty.group.clone());
        let incomplete_groups =
            if self.whole { BTreeSet::new() } else { groups.chain([Discovery::EVERY_GROUP.to_owned()]).collect() };
        Ok(Discovery { types: self.types.clone(), warnings: self.warnings.clone(), incomplete_groups })
    }

    async fn list(&self, ty: &ResourceType, scope: &ListScope, pages: &PageSink) -> Result<Listing, ClusterError> {
        let name = ty.name();
        let Some(known) = self.types.iter().find(|t| t.name() == name) else {
            let (reason, message) = if self.whole {
                (SkipReason::NotFound, "nothing in the folder is of this type")
            } else {
                (SkipReason::Unavailable, "it may stand in a document that could not be read")
            };
            let skipped = Some(Skipped { reason, message: message.to_owned() });
            return Ok(Listing { coverage: Coverage::Nothing, skipped });
        };
        let coverage = match scope {
            ListScope::All => Coverage::All,
            ListScope::Namespaces(_) if !known.namespaced => return Ok(Listing::default()),
            ListScope::Namespaces(namespaces) => Coverage::of_namespaces(namespaces.iter().cloned().collect()),
        };
        let objects = self.objects.get(&name).map(Vec::as_slice).unwrap_or_default();
        let wanted: Vec<&ResourceInstance> = objects.iter().filter(|o| coverage.covers(&o.namespace)).collect();
        for page in wanted.chunks(PAGE) {
            pages.page(page.iter().map(|o| (*o).clone()).collect()).await?;
        }
        Ok(Listing { coverage: if self.whole { coverage } else { Coverage::Nothing }, skipped: None })
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
