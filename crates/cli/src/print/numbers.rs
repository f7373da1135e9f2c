//! Numbers of hits, in every shape.

use clusterlore_index::{Group, Reply};
use clusterlore_search::GroupBy;
use serde::Serialize;

use super::table::table;
use crate::args::Output;

#[derive(Serialize)]
struct JsonCount<'a, D, N> {
    /// `null` where only the cluster could tell it, and was not asked.
    total: Option<usize>,
    groups: &'a [Group],
    /// What metadata cannot say of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<D>,
    /// What could not be read of the cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unread: Vec<&'a str>,
    /// Why the number may not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<N>,
}

pub(crate) fn print(reply: &Reply, output: Output, explain: bool) -> anyhow::Result<()> {
    super::understood(reply, explain);
    let notes = || (!reply.doubts.is_empty()).then(|| reply.told_doubts());
    let json = || JsonCount {
        total: reply.number,
        groups: &reply.groups,
        needs: reply.told_needs(),
        unread: reply.unread().collect(),
        notes: notes(),
    };
    match output {
        Output::Json => super::json(&json()),
        Output::Yaml => super::yaml(&json()),
        Output::Name if reply.number.is_none() => Err(super::unchecked(reply)),
        Output::Name if reply.group_by.is_none() => super::line(&reply.number.unwrap_or_default().to_string()),
        Output::Name => reply.groups.iter().try_for_each(|group| super::line(&group.name)),
        Output::Table => {
            if let Some(problem) = reply.problems.first() {
                super::note(&format!("No results: {problem}."));
            }
            super::lines(text(reply))
        }
    }
}

/// "12 matches.", or the groups under their header.
pub(crate) fn text(reply: &Reply) -> Vec<String> {
    match reply.number {
        Some(number) => lines(number, &reply.groups, reply.group_by.as_ref()),
        None => vec!["Not counted: the index does not know which of them match.".to_owned()],
    }
}

fn lines(number: usize, groups: &[Group], by: Option<&GroupBy>) -> Vec<String> {
    let fit = if number == 1 { "1 match.".to_owned() } else { format!("{number} matches.") };
    let Some(by) = by.filter(|_| !groups.is_empty()) else { return vec![fit] };
    let header = header(by);
    let rows = groups.iter().map(|group| vec![group.name.clone(), group.count.to_string()]).collect();
    let mut lines = table(&[&header, "COUNT"], rows);
    lines.push(fit);
    lines
}

/// What stands above groups.
pub(super) fn header(by: &GroupBy) -> String {
    match by {
        GroupBy::Label(key) => key.clone(),
        other => other.to_string().to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_groups() {
        let groups = [("shop", 2), ("(none)", 1)].map(|(name, count)| Group { name: name.to_owned(), count });
        assert_eq!(lines(1, &[], None), ["1 match."]);
        assert_eq!(lines(3, &groups, None), ["3 matches."]);
        insta::assert_snapshot!(lines(3, &groups, Some(&GroupBy::Namespace)).join("\n"), @r"
        NAMESPACE   COUNT
        shop        2
        (none)      1
        3 matches.
        ");
    }
}
