//! All that can be told of one object: what is kept of it, what the cluster prints of it now, and the commands that tell more.

use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};

use clusterlore_catalogue::Catalogue;
use clusterlore_cluster::tables::{Objects, TableLimits, Wanted};
use clusterlore_core::{CLUSTER_SCOPE, ResourceType, Scope};
use clusterlore_index::{Index, Request};
use clusterlore_search::{Noun, SearchError};
use serde::Serialize;

use crate::answer::{Item, Step, Verb};
use crate::steps::about;
use crate::things::things;

/// An object and what is known of it. What the cluster printed is in `columns` alone.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// The object.
    #[serde(flatten)]
    pub item: Item,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations, of those that are kept.
    pub annotations: BTreeMap<String, String>,
    /// When it was created, RFC 3339; empty where that is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created: String,
    /// Columns and cells as the cluster prints them now; none where it was not asked.
    pub columns: Vec<(String, String)>,
    /// Why the cluster could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// What to look at next.
    pub next: Vec<Step>,
    /// The same, as lines of kubectl.
    pub commands: Vec<String>,
}

/// Tells all of an object, by its stored id; nothing where the index does not hold it.
///
/// # Errors
/// As [`Index::ask`].
pub fn details<'f>(
    index: &'f Index,
    catalogue: &'f Catalogue,
    scope: &'f Scope,
    request: &'f Request,
    id: &'f str,
) -> BoxFuture<'f, Result<Option<Details>, SearchError>> {
    Box::pin(async move {
        let one = Request { question: String::new(), objects: vec![id.to_owned()], limit: 1, ..request.clone() };
        let reply = index.ask(scope, &one).await?;
        let types = index.types(scope).await?;
        let Some(Noun::Instance(instance)) = reply.hits.first().map(|hit| &hit.noun) else { return Ok(None) };
        let Some(thing) = things(&reply, &types, catalogue).into_iter().next() else { return Ok(None) };
        let mut item = thing.item;
        item.about = instance.description();
        let cluster = item.cluster.clone().unwrap_or_default();
        let served = |(of, ty): &&(String, ResourceType)| *of == cluster && ty.name() == item.type_name;
        let ty = types.iter().find(served).map(|(_, ty)| ty.clone());
        let mut columns = Vec::new();
        let unread = match (index.cluster(scope, &cluster).await?, ty) {
            (Ok(source), Some(ty)) => {
                let namespace = item.namespace.clone().unwrap_or_else(|| CLUSTER_SCOPE.to_owned());
                let objects = Objects::Named(BTreeSet::from([(namespace.clone(), item.name.clone())]));
                let read = source.tables(&[Wanted { ty, objects }], &TableLimits::default()).await;
                let table = read.iter().find_map(|read| read.table.as_ref());
                if let Some((table, row)) = table.and_then(|table| Some((table, table.row(&namespace, &item.name)?))) {
                    let cells =
                        table.columns.iter().zip(&row.cells).map(|(column, cell)| (column.name.clone(), cell.clone()));
                    columns.extend(cells.filter(|(name, _)| name != "Name"));
                }
                read.iter().flat_map(|read| &read.missing).next().map(|missing| missing.why.to_string())
            }
            (Err(why), _) => Some(why),
            (Ok(_), None) => Some("the index does not know its type".to_owned()),
        };
        let logs = (item.type_name == "pods").then_some(Verb::Logs);
        let verbs = [Verb::Describe, Verb::Get, Verb::Events].into_iter().chain(logs);
        let context = reply.context(item.cluster.as_deref()).map(str::to_owned);
        let next: Vec<Step> = verbs.map(|verb| about(verb, &item, catalogue, context.clone())).collect();
        Ok(Some(Details {
            labels: instance.labels.clone(),
            annotations: instance.kept_annotations.clone(),
            created: instance.created_at.clone(),
            item,
            columns,
            unread,
            commands: next.iter().map(Step::command).collect(),
            next,
        }))
    })
}
