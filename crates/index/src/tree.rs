//! The family of one object: what controls it, and what it controls.
//!
//! ```json
//! {"owners": [{"id", "kind", "apiVersion", "namespace", "name", "cluster", "indexed"}], "object": {…},
//!  "owned": [{…, "owned": […], "more": 0}], "more": 0, "whole": true}
//! ```
//!
//! `owners` begins with the outermost. `indexed` is false of an owner that the index does not hold. `more` counts what is not shown of what
//! an object controls. `whole` is false where the namespace has more objects than are looked at.

use std::collections::{BTreeSet, HashMap};

use clusterlore_core::{CLUSTER_SCOPE, Collection, ObjectKey, ResourceInstance, stored_id};
use clusterlore_store::{StoreError, View};
use serde::Serialize;

/// Levels above an object, and below it.
const LEVELS: usize = 8;
/// Objects that are looked at for what they are controlled by.
const LOOKED_AT: usize = 20_000;
/// Records that are read at once.
const AT_ONCE: usize = 1_000;
/// Objects of one answer.
const SHOWN: usize = 200;

/// An object with what controls it and what it controls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    /// What controls it, the outermost first.
    pub owners: Vec<Member>,
    /// The object.
    pub object: Member,
    /// What it controls.
    pub owned: Vec<Branch>,
    /// How many more it controls.
    pub more: usize,
    /// Whether everything that it may control was looked at.
    pub whole: bool,
}

/// An object of a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Stored id.
    pub id: String,
    /// `Deployment`.
    pub kind: String,
    /// `apps/v1`.
    pub api_version: String,
    /// Namespace, or `_cluster`.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Name of its cluster, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Whether the index holds it.
    pub indexed: bool,
}

/// An object that is controlled, with what it controls itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// The object.
    #[serde(flatten)]
    pub member: Member,
    /// What it controls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owned: Vec<Self>,
    /// How many more it controls.
    pub more: usize,
}

impl Member {
    fn of(object: &ResourceInstance) -> Self {
        Self {
            id: object.stored_id(),
            kind: object.kind.clone(),
            api_version: object.api_version.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            cluster: object.cluster.clone(),
            indexed: true,
        }
    }

    /// The owner of an object, by what the object says of it. In which namespace it is that does not tell: in the object's own, as nearly all.
    fn owner_of(object: &ResourceInstance) -> Option<Self> {
        let owner = object.owner.as_ref()?;
        let id = format!("{}/{}/{}/{}", object.namespace, owner.api_version, owner.kind, owner.name);
        Some(Self {
            id: stored_id(object.cluster.as_deref(), &id),
            kind: owner.kind.clone(),
            api_version: owner.api_version.clone(),
            namespace: object.namespace.clone(),
            name: owner.name.clone(),
            cluster: object.cluster.clone(),
            indexed: false,
        })
    }
}

/// The family of an object, by its stored id; `None`: there is none within the view.
pub(crate) async fn of(view: &dyn View, id: &str) -> Result<Option<Tree>, StoreError> {
    let Some(key) = ObjectKey::of_stored_id(id) else { return Ok(None) };
    let Some(object) = objects(view, &[key]).await?.pop() else { return Ok(None) };
    let owners = owners(view, &object).await?;
    let (children, whole) = children(view, &object).await?;
    let mut family = Family { children, seen: BTreeSet::from([key]), left: SHOWN };
    let (owned, more) = family.below(&key, LEVELS);
    Ok(Some(Tree { owners, object: Member::of(&object), owned, more, whole }))
}

async fn objects(view: &dyn View, keys: &[ObjectKey]) -> Result<Vec<ResourceInstance>, StoreError> {
    let records = view.records(Collection::Instances, keys).await?;
    Ok(records.values().filter_map(|record| serde_json::from_str(record).ok()).collect())
}

/// What controls an object, the outermost first. One that the view does not show has a name only where the view shows everything.
async fn owners(view: &dyn View, object: &ResourceInstance) -> Result<Vec<Member>, StoreError> {
    let mut owners = Vec::new();
    let mut owned = object.clone();
    while owners.len() < LEVELS
        && let Some(keys) = ObjectKey::of_owner(&owned)
    {
        let Some(owner) = objects(view, &keys).await?.pop() else {
            owners.extend(Member::owner_of(&owned).filter(|_| view.shows_all()));
            break;
        };
        owners.push(Member::of(&owner));
        owned = owner;
    }
    owners.reverse();
    Ok(owners)
}

type Children = HashMap<ObjectKey, Vec<ResourceInstance>>;

/// All that is controlled where an object may control something, by the keys that its owner may have; and whether that is all.
async fn children(view: &dyn View, object: &ResourceInstance) -> Result<(Children, bool), StoreError> {
    let everywhere = object.namespace == CLUSTER_SCOPE;
    let (mut keys, mut whole) = (Vec::new(), true);
    let cluster = object.cluster.as_deref().unwrap_or_default();
    view.scan(Collection::Instances, cluster, &mut |scanned| {
        if everywhere || scanned.namespace == object.namespace {
            match keys.len() < LOOKED_AT {
                true => keys.push(scanned.key),
                false => whole = false,
            }
        }
    })
    .await?;
    let mut children = Children::new();
    for keys in keys.chunks(AT_ONCE) {
        for child in objects(view, keys).await? {
            for key in ObjectKey::of_owner(&child).into_iter().flatten() {
                children.entry(key).or_default().push(child.clone());
            }
        }
    }
    for of_one in children.values_mut() {
        of_one.sort_by(|a, b| (&a.kind, &a.namespace, &a.name).cmp(&(&b.kind, &b.namespace, &b.name)));
    }
    Ok((children, whole))
}

struct Family {
    children: Children,
    /// Owners may be written in a circle.
    seen: BTreeSet<ObjectKey>,
    left: usize,
}

impl Family {
    /// What an object controls, and how many of it are left out.
    fn below(&mut self, key: &ObjectKey, levels: usize) -> (Vec<Branch>, usize) {
        let all = self.children.remove(key).unwrap_or_default();
        let keyed = |child: &ResourceInstance| Some((ObjectKey::of_stored_id(&child.stored_id())?, Member::of(child)));
        let all: Vec<(ObjectKey, Member)> =
            all.iter().filter_map(keyed).filter(|(key, _)| !self.seen.contains(key)).collect();
        let number = all.len();
        let mut branches = Vec::new();
        for (key, member) in all {
            if levels == 0 || self.left == 0 {
                break;
            }
            self.seen.insert(key);
            self.left -= 1;
            let (owned, more) = self.below(&key, levels - 1);
            branches.push(Branch { member, owned, more });
        }
        let more = number - branches.len();
        (branches, more)
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_core::OwnerReference;

    use super::*;

    fn pod(name: &str, owner: &str) -> ResourceInstance {
        let mut pod = ResourceInstance::new("v1", "Pod", Some("shop"), name).unwrap();
        pod.owner = Some(OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: owner.to_owned(),
            uid: String::new(),
        });
        pod
    }

    /// What is below the first of these: names with dots for levels, and how many of the first are left out.
    fn below(objects: &[ResourceInstance]) -> (Vec<String>, usize) {
        let mut children = Children::new();
        for child in objects {
            let [key, _] = ObjectKey::of_owner(child).unwrap();
            children.entry(key).or_default().push(child.clone());
        }
        let key = ObjectKey::of_stored_id(&objects[0].stored_id()).unwrap();
        let mut family = Family { children, seen: BTreeSet::from([key]), left: SHOWN };
        let (branches, more) = family.below(&key, LEVELS);
        fn told(branches: &[Branch], level: usize, into: &mut Vec<String>) {
            for branch in branches {
                into.push(format!("{}{}", ".".repeat(level), branch.member.name));
                told(&branch.owned, level + 1, into);
            }
        }
        let mut names = Vec::new();
        told(&branches, 0, &mut names);
        (names, more)
    }

    #[test]
    fn a_circle_of_owners_ends() {
        let (names, more) = below(&[pod("a", "c"), pod("b", "a"), pod("c", "b"), pod("d", "a")]);
        assert_eq!((names, more), (vec!["b".to_owned(), ".c".to_owned(), "d".to_owned()], 0));
        assert_eq!(below(&[pod("a", "a")]).0, Vec::<String>::new());
    }

    #[test]
    fn a_large_family_is_shown_in_part_and_counted() {
        let all: Vec<ResourceInstance> = (0..=500).map(|n| pod(&format!("p{n}"), "p0")).collect();
        let (names, more) = below(&all[..]);
        // The first owns itself, and is no child of its own.
        assert_eq!((names.len(), more), (SHOWN, 500 - SHOWN));
        let chain: Vec<ResourceInstance> =
            (0..20).map(|n| pod(&format!("p{n}"), &format!("p{}", n.max(1) - 1))).collect();
        assert_eq!(below(&chain).0.len(), LEVELS);
    }
}
