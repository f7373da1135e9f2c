//! The cluster that tools read: which one it is, and what it serves. It is connected to when a tool first needs it.

use std::sync::Arc;

use clusterlore_cluster::{ClusterSource, LiveSource};
use clusterlore_core::{ResourceType, Scope};
use clusterlore_index::{Door, Index};
use clusterlore_search::resolve_kinds;
use tokio::sync::OnceCell;

/// A cluster and the types it serves.
pub(super) struct Opened {
    pub(super) source: Arc<LiveSource>,
    /// Its name in the index; empty for an unnamed one.
    pub(super) name: String,
    types: Vec<(String, ResourceType)>,
}

/// The way to the cluster.
pub(super) struct Live<'a> {
    pub(super) door: Arc<dyn Door>,
    /// If the index is asked too, only the cluster that filled it is read.
    pub(super) index: Option<(&'a Index, &'a Scope)>,
    /// Its name, where the user said it.
    pub(super) named: Option<String>,
    /// Namespaces that the user asks about; none: all.
    pub(super) namespaces: Vec<String>,
    pub(super) opened: OnceCell<Opened>,
}

impl Live<'_> {
    /// The cluster, or why there is none.
    pub(super) async fn open(&self) -> Result<&Opened, String> {
        self.opened.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Opened, String> {
        let (name, source) = match self.index {
            None => (self.named.clone().unwrap_or_default(), self.door.open().await.map_err(unread)?),
            Some((index, scope)) => self.of_index(index, scope).await?,
        };
        let found = source.discover().await.map_err(unread)?;
        let types = found.types.into_iter().map(|ty| (name.clone(), ty)).collect();
        Ok(Opened { source, name, types })
    }

    /// The cluster in use, under the name that it has in the index.
    async fn of_index(&self, index: &Index, scope: &Scope) -> Result<(String, Arc<LiveSource>), String> {
        let types = index.types(scope).await.map_err(unread)?;
        let mut names: Vec<String> = match &self.named {
            Some(name) => vec![name.clone()],
            None => types.iter().map(|(name, _)| name.clone()).collect(),
        };
        names.sort();
        names.dedup();
        if names.is_empty() {
            names.push(String::new());
        }
        let mut why = String::new();
        for name in names {
            match index.cluster(scope, &name).await.map_err(unread)? {
                Ok(source) => return Ok((name, source)),
                Err(reason) => why = reason,
            }
        }
        Err(unread(why))
    }

    /// Where a call looks: `None` is everywhere. The user's own conditions are never widened.
    pub(super) fn place(&self, asked: Option<&str>, opened: &Opened) -> Result<Option<String>, String> {
        let asked = asked.map(str::trim).filter(|namespace| !namespace.is_empty());
        let within = &self.namespaces;
        match asked {
            _ if within.is_empty() => match asked {
                Some("all") => Ok(None),
                Some(namespace) => Ok(Some(namespace.to_owned())),
                None => Ok(Some(opened.source.default_namespace().to_owned())),
            },
            Some(namespace) if within.iter().any(|of| of == namespace) => Ok(Some(namespace.to_owned())),
            None if within.len() == 1 => Ok(Some(within[0].clone())),
            _ => Err(format!("The user asks about namespace {} only; name one of these.", within.join(", "))),
        }
    }
}

impl Opened {
    /// The type that a word means, as kubectl reads it.
    pub(super) fn resolve(&self, word: &str) -> Result<&ResourceType, String> {
        if word.contains([',', '/']) {
            return Err(format!("resource is {word:?}; expected one resource type, such as pods or deployments.apps."));
        }
        // kubectl takes TYPE.VERSION.GROUP too.
        let plain = word.to_lowercase();
        let names = match resolve_kinds(&[plain], &self.types) {
            Ok(names) => names,
            Err(unknown) if unknown.near.is_empty() => {
                return Err(format!("the server doesn't have a resource type {word:?}."));
            }
            Err(unknown) => {
                let near = unknown.near.join(", ");
                return Err(format!("the server doesn't have a resource type {word:?}; there is {near}."));
            }
        };
        let named: Vec<&ResourceType> =
            self.types.iter().map(|(_, ty)| ty).filter(|ty| names.contains(&ty.name())).collect();
        // Kubernetes' own types come first, as they do with kubectl.
        let own = |ty: &&&ResourceType| ty.group.is_empty() || !ty.group.contains('.') || ty.group.ends_with(".k8s.io");
        let core = named.iter().find(|ty| ty.group.is_empty());
        match (core, &named[..]) {
            (Some(ty), _) => Ok(ty),
            (None, [ty]) => Ok(ty),
            (None, many) => match many.iter().filter(own).collect::<Vec<_>>()[..] {
                [ty] => Ok(ty),
                _ => Err(format!(
                    "{word:?} is the name of several resource types; name one of {}.",
                    many.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(", ")
                )),
            },
        }
    }

    /// The type of an object in a manifest.
    pub(super) fn of_kind(&self, api_version: &str, kind: &str) -> Option<&ResourceType> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let mut types = self.types.iter().map(|(_, ty)| ty);
        types.find(|ty| ty.group == group && ty.kind == kind && ty.version == version)
    }
}

fn unread(why: impl std::fmt::Display) -> String {
    format!("The cluster cannot be read: {why}.")
}
