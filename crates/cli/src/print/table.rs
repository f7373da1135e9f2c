//! Tables as kubectl prints them: no lines, capitals above.

use clusterlore_http::masked;
use comfy_table::{ContentArrangement, Table, presets};

use super::foreign::{cut, visible};

/// Characters of a cell: room for a score with all its summands.
const LONGEST_CELL: usize = 1_000;

/// The lines of a table.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.iter().map(|h| visible(h)));
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    // Before the columns are measured.
    let cell = |text: String| cut(&visible(&masked(&text)), LONGEST_CELL).into_owned();
    table.add_rows(rows.into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>()));
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.lines().map(|l| l.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_aligned_and_nothing_else() {
        let rows = vec![vec!["Pod".to_owned(), "a".to_owned()], vec!["Deployment".to_owned(), "b".to_owned()]];
        insta::assert_snapshot!(super::table(&["KIND", "NAME"], rows).join("\n"), @r"
        KIND         NAME
        Pod          a
        Deployment   b
        ");
    }
}
