//! What flags name and the index does not have, with the nearest name that it has.

use clusterlore_core::Requirement;
use clusterlore_index::{Index, Request};
use clusterlore_search::{GroupBy, Wanted};
use clusterlore_store::ClusterNames;

use crate::build;

/// How alike two names must be (Jaro) for one to be meant by the other; clap's own bound.
const ALIKE: f64 = 0.7;

/// The known name that is most like what was said, if any is alike.
pub(crate) fn nearest<'a>(
    said: &str,
    known: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>,
) -> Option<&'a str> {
    let near = known.into_iter().map(|name| (strsim::jaro(said, name.as_ref()), name.as_ref()));
    let near = near.filter(|(alike, _)| *alike > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0));
    near.map(|(_, name)| name)
}

/// A line for each namespace, cluster and label that the flags name and no document has. Asked only where nothing was found. Where it was
/// `told` which namespace or cluster that is, only the nearest name is.
pub(crate) async fn lines(index: &Index, request: &Request, told: bool) -> anyhow::Result<Vec<String>> {
    let already = told;
    let mut lines = Vec::new();
    let mut told = |what: String, said: &str, known: &[String], where_to: &str| {
        let near = nearest(said, known).map(|name| format!("Did you mean \"{name}\"?"));
        let what = (!already || where_to == "-l").then(|| format!("the index has no {what} \"{said}\"."));
        let said: Vec<String> = what.into_iter().chain(near).collect();
        if !said.is_empty() {
            lines.push(format!("{where_to}: {}", said.join(" ")));
        }
    };
    if !request.namespaces.is_empty() {
        let known = known(index, request, GroupBy::Namespace).await?;
        for name in request.namespaces.iter().filter(|name| !known.contains(name)) {
            told("namespace".to_owned(), name, &known, "-n");
        }
    }
    if !request.clusters.is_empty() {
        let names = ClusterNames::of(&index.sources(&build::OWN_STORE).await?);
        let known: Vec<String> = names.iter().map(|(_, shown)| shown.to_owned()).collect();
        for name in request.clusters.iter().filter(|name| names.meant(name).is_none()) {
            told("cluster".to_owned(), name, &known, "--cluster");
        }
    }
    for requirement in &request.selector.0 {
        let (key, values): (_, &[String]) = match requirement {
            Requirement::In(key, values) => (key, values),
            Requirement::Exists(key) | Requirement::GreaterThan(key, _) | Requirement::LessThan(key, _) => (key, &[]),
            Requirement::NotIn(..) | Requirement::DoesNotExist(_) => continue,
        };
        let known = known(index, request, GroupBy::Label(key.clone())).await?;
        if known.is_empty() {
            told("label".to_owned(), key, &[], "-l");
        }
        for value in values.iter().filter(|value| !known.is_empty() && !known.contains(value)) {
            told(format!("label {key} with the value"), value, &known, "-l");
        }
    }
    Ok(lines)
}

/// The names by which all documents can be told apart, the most frequent first.
async fn known(index: &Index, request: &Request, by: GroupBy) -> anyhow::Result<Vec<String>> {
    let all = Request {
        hits: false,
        number: Wanted::Always,
        group_by: Some(by),
        collection: request.collection,
        now: request.now.clone(),
        ..Request::default()
    };
    let reply = index.ask(&build::OWN_STORE, &all).await?;
    Ok(reply.groups.into_iter().map(|group| group.name).filter(|name| name != "(none)").collect())
}
