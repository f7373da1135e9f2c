//! Tables as kubectl prints them: no lines, capitals above.

use comfy_table::{ContentArrangement, Table, presets};

pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header.to_vec());
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_aligned_and_nothing_else() {
        let rows = vec![vec!["Pod".to_owned(), "a".to_owned()], vec!["Deployment".to_owned(), "b".to_owned()]];
        insta::assert_snapshot!(super::table(&["KIND", "NAME"], rows), @r"
        KIND         NAME
        Pod          a
        Deployment   b
        ");
    }
}
