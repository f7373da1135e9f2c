//! What the clusters print of hits now: the columns of their own tables, with the caller's rights and within a second.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clusterlore_cluster::tables::{Objects, TableLimits, Wanted};
use clusterlore_core::{ResourceInstance, ResourceType, SourceIdentity};
use clusterlore_index::{Index, Reply};
use clusterlore_search::Noun;

use crate::build;
use crate::print;

/// Columns that the table of hits has by itself.
const OWN: [&str; 2] = ["Name", "Age"];

/// `READY 1/1, STATUS Running` of each hit, by its stored id. What could not be read is told.
pub(crate) async fn columns(index: &Index, reply: &Reply) -> anyhow::Result<HashMap<String, String>> {
    let types = index.types(&build::OWN_STORE).await?;
    let mut clusters: BTreeMap<&str, Vec<(&str, &ResourceInstance, &ResourceType)>> = BTreeMap::new();
    for hit in &reply.hits {
        let Noun::Instance(instance) = &hit.noun else { continue };
        let cluster = instance.cluster.as_deref().unwrap_or_default();
        let is_it = |(of, ty): &&(String, ResourceType)| {
            of == cluster && ty.kind == instance.kind && ty.group == instance.api_group
        };
        if let Some((_, ty)) = types.iter().find(is_it) {
            clusters.entry(cluster).or_default().push((&hit.id, instance, ty));
        }
    }
    // Of manifests no cluster prints anything.
    let folder = |cluster: &str| {
        reply.bases.iter().any(|b| b.cluster == cluster && matches!(b.source, SourceIdentity::Folder { .. }))
    };
    let mut now = HashMap::new();
    for (cluster, objects) in clusters.into_iter().filter(|(cluster, _)| !folder(cluster)) {
        let source = match index.cluster(&build::OWN_STORE, cluster).await? {
            Ok(source) => source,
            Err(why) => {
                print::note(&format!("Not read from the cluster: {why}."));
                continue;
            }
        };
        let mut wanted: BTreeMap<String, (ResourceType, BTreeSet<(String, String)>)> = BTreeMap::new();
        for (_, instance, ty) in &objects {
            let (_, named) = wanted.entry(ty.name()).or_insert_with(|| ((*ty).clone(), BTreeSet::new()));
            named.insert((instance.namespace.clone(), instance.name.clone()));
        }
        let wanted: Vec<Wanted> =
            wanted.into_values().map(|(ty, named)| Wanted { ty, objects: Objects::Named(named) }).collect();
        let read = source.tables(&wanted, &TableLimits::default()).await;
        for missing in read.iter().flat_map(|table| &table.missing).map(|m| m.why.to_string()).collect::<BTreeSet<_>>()
        {
            print::note(&format!("Not read from the cluster: {missing}."));
        }
        for (wanted, read) in wanted.iter().zip(&read) {
            let Some(table) = &read.table else { continue };
            for (id, instance, _) in objects.iter().filter(|(_, _, ty)| ty.name() == wanted.ty.name()) {
                let Some(row) = table.row(&instance.namespace, &instance.name) else {
                    now.insert((*id).to_owned(), "no longer there".to_owned());
                    continue;
                };
                let cells = table.columns.iter().zip(&row.cells);
                let told = cells.filter(|(column, cell)| {
                    !OWN.contains(&column.name.as_str()) && !["", "<none>"].contains(&cell.as_str())
                });
                let told: Vec<String> =
                    told.map(|(column, cell)| format!("{} {cell}", column.name.to_uppercase())).collect();
                now.insert((*id).to_owned(), told.join(", "));
            }
        }
    }
    Ok(now)
}
