//! Numbers of hits, in every shape.

use clusterlore_search::{Count, GroupBy};
use serde::Serialize;

use super::table::table;
use crate::args::Output;

#[derive(Serialize)]
struct JsonCount<'a> {
    total: usize,
    groups: Vec<JsonGroup<'a>>,
}

#[derive(Serialize)]
struct JsonGroup<'a> {
    name: &'a str,
    count: usize,
}

pub(crate) fn print(count: &Count, output: Output, explain: bool) -> anyhow::Result<()> {
    super::understood(&count.understood, explain);
    let json = || JsonCount {
        total: count.total,
        groups: count.groups.iter().map(|(name, count)| JsonGroup { name, count: *count }).collect(),
    };
    match output {
        Output::Json => super::json(&json()),
        Output::Yaml => super::yaml(&json()),
        Output::Name if count.understood.ask.group_by.is_none() => super::line(&count.total.to_string()),
        Output::Name => count.groups.iter().try_for_each(|(name, _)| super::line(name)),
        Output::Table => {
            if let Some(why) = &count.understood.impossible {
                super::note(&format!("Nothing fits: {why}."));
            }
            super::lines(text(count))
        }
    }
}

/// "12 fit.", or the groups under their header.
pub(crate) fn text(count: &Count) -> Vec<String> {
    let fit = if count.total == 1 { "1 fits.".to_owned() } else { format!("{} fit.", count.total) };
    let Some(by) = count.understood.ask.group_by.as_ref().filter(|_| !count.groups.is_empty()) else {
        return vec![fit];
    };
    let header = match by {
        GroupBy::Label(key) => key.clone(),
        other => other.to_string().to_uppercase(),
    };
    let rows = count.groups.iter().map(|(name, count)| vec![name.clone(), count.to_string()]).collect();
    let mut lines = table(&[&header, "COUNT"], rows);
    lines.push(fit);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_groups() {
        let mut count = Count { total: 1, ..Count::default() };
        assert_eq!(text(&count), ["1 fits."]);
        count.total = 3;
        count.groups = vec![("shop".to_owned(), 2), ("(none)".to_owned(), 1)];
        assert_eq!(text(&count), ["3 fit."]);
        count.understood.ask.group_by = Some(GroupBy::Namespace);
        insta::assert_snapshot!(text(&count).join("\n"), @r"
        NAMESPACE   COUNT
        shop        2
        (none)      1
        3 fit.
        ");
    }
}
