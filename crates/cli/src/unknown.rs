//! What flags name and the index does not have, with the nearest name that it has.

use clusterlore_core::Requirement;
use clusterlore_index::{Index, Request};
use clusterlore_search::{GroupBy, Wanted};
use clusterlore_store::ClusterNames;

use crate::build;

/// Of so many characters one may be mistyped.
const ONE_IN: usize = 3;
/// So many characters of a name are enough to mean the rest of it, too.
const BEGINNING: usize = 3;

/// The known name that is nearest to what was said, if any is near: it is mistyped, or one is the beginning of the other.
pub(crate) fn nearest<'a>(
    said: &str,
    known: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>,
) -> Option<&'a str> {
    let asked = said.to_lowercase();
    let near = known.into_iter().filter_map(|name| {
        let name = name.as_ref();
        let own = name.to_lowercase();
        let (shorter, longer) = if asked.len() < own.len() { (&asked, &own) } else { (&own, &asked) };
        let begins = shorter.chars().count() >= BEGINNING && longer.starts_with(shorter.as_str());
        let wrong = strsim::osa_distance(&asked, &own);
        let near = begins || wrong <= longer.chars().count() / ONE_IN;
        (near && !asked.is_empty() && !own.is_empty()).then_some((wrong, name))
    });
    near.min_by_key(|(wrong, _)| *wrong).map(|(_, name)| name)
}

/// What flags name in vain.
#[derive(Debug, Default)]
pub(crate) struct Unknown {
    /// Whether they name anything in vain.
    pub(crate) any: bool,
    /// What is told of it.
    pub(crate) lines: Vec<String>,
}

/// What the flags name of namespaces, clusters and labels that no document has. Asked only where nothing was found. Where it was `told` which
/// namespace or cluster that is, only the nearest name is.
pub(crate) async fn of(index: &Index, request: &Request, told: bool) -> anyhow::Result<Unknown> {
    let already = told;
    let mut unknown = Unknown::default();
    let mut told = |what: String, said: &str, known: &[String], where_to: &str| {
        unknown.any = true;
        let near = nearest(said, known).map(|name| format!("Did you mean \"{name}\"?"));
        let what = (!already || where_to == "-l").then(|| format!("the index has no {what} \"{said}\"."));
        let said: Vec<String> = what.into_iter().chain(near).collect();
        if !said.is_empty() {
            unknown.lines.push(format!("{where_to}: {}", said.join(" ")));
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
    Ok(unknown)
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

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_what_is_near_is_offered() {
        for (said, known, near) in [
            ("wset", &["east", "west"][..], Some("west")),
            ("fare", &["fares", "fairs"], Some("fares")),
            ("West", &["west"], Some("west")),
            ("est", &["east"], Some("east")),
            ("pay", &["payments"], Some("payments")),
            ("payments-prod", &["payments"], Some("payments")),
            ("north", &["east", "west"], None),
            ("nowhere", &["shop-floor", "west"], None),
            ("staging", &["testing"], None),
            ("zz", &["zzz-top"], None),
            ("x", &["y", ""], None),
            ("", &["east", ""], None),
        ] {
            assert_eq!(nearest(said, known), near, "{said}");
        }
    }
}
