//! Tables as kubectl prints them: no lines, capitals above. Only a last column that says so yields where the terminal is narrow; what
//! stands in the others, such as a name, is whole.

use clusterlore_core::words::cut;
use clusterlore_http::masked;
use comfy_table::{ColumnConstraint, ContentArrangement, Table as Grid, Width, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::foreign::visible;
use super::screen;

/// Characters of a cell: room for a score with all its summands.
const LONGEST_CELL: usize = 1_000;
/// Columns between two columns of a table.
const GAP: u16 = 3;
/// The fewest columns in which the last column says something.
const NARROWEST: usize = 10;

/// What happens to a last column that yields, where there is no room for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// It is cut, with an ellipsis: a row is a line. Where nearly nothing would be left of it, it is left out.
    Cut,
    /// It goes on in the next line.
    Folded,
}

/// A table, column by column, so that what no row has is left out.
pub(crate) struct Table {
    rows: usize,
    /// Columns of the terminal, where there is one.
    width: Option<usize>,
    columns: Vec<(String, Vec<String>)>,
    headed: bool,
}

impl Table {
    /// A table of so many rows.
    pub(crate) fn of(rows: usize) -> Self {
        Self { rows, width: screen::width(), columns: Vec::new(), headed: true }
    }

    /// The same for so many columns of a terminal.
    pub(crate) fn fitting(self, width: usize) -> Self {
        Self { width: Some(width), ..self }
    }

    /// The same without what stands above.
    pub(crate) fn headed(self, headed: bool) -> Self {
        Self { headed, ..self }
    }

    /// Adds a column, unless all of it is empty.
    pub(crate) fn column(&mut self, title: &str, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            self.columns.push((title.to_owned(), cells));
        }
    }

    /// The lines, for standard output. No column yields.
    pub(crate) fn lines(self) -> Vec<String> {
        self.within(None, Last::Folded)
    }

    /// The lines with a last column that yields.
    pub(crate) fn ending(mut self, title: &str, cells: impl IntoIterator<Item = String>, last: Last) -> Vec<String> {
        let before = self.columns.len();
        self.column(title, cells);
        // The column before it is whole where it is left out.
        match self.columns.len() > before {
            true => {
                let width = self.width;
                self.within(width, last)
            }
            false => self.lines(),
        }
    }

    fn within(mut self, width: Option<usize>, last: Last) -> Vec<String> {
        // Before the columns are measured.
        let clean = |text: &str| cut(&visible(&masked(text)), LONGEST_CELL).into_owned();
        let grid = |columns: &[(String, Vec<String>)]| {
            let mut grid = Grid::new();
            grid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
            if self.headed {
                grid.set_header(columns.iter().map(|(title, _)| clean(title)));
            }
            grid.add_rows(
                (0..self.rows).map(|row| columns.iter().map(|(_, cells)| clean(&cells[row])).collect::<Vec<_>>()),
            );
            grid
        };
        let mut drawn = grid(&self.columns);
        let widths: Vec<usize> = drawn.column_max_content_widths().into_iter().map(usize::from).collect();
        if let (Some(width), Some((own, before))) = (width, widths.split_last()) {
            let before: usize = before.iter().map(|column| column + usize::from(GAP)).sum();
            let room = width.saturating_sub(before);
            match last {
                _ if *own <= room => {}
                Last::Cut if room < NARROWEST && self.columns.len() > 1 => {
                    self.columns.pop();
                    drawn = grid(&self.columns);
                }
                Last::Cut => {
                    if let Some((_, cells)) = self.columns.last_mut() {
                        cells.iter_mut().for_each(|cell| *cell = shortened(&clean(cell), room.max(NARROWEST)));
                    }
                    drawn = grid(&self.columns);
                }
                Last::Folded if room >= NARROWEST => {
                    if let Some(column) = drawn.column_iter_mut().last() {
                        let room = u16::try_from(room).unwrap_or(u16::MAX);
                        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(room)));
                    }
                }
                Last::Folded => {}
            }
        }
        let columns = self.columns.len();
        for (n, column) in drawn.column_iter_mut().enumerate() {
            column.set_padding((0, if n + 1 == columns { 0 } else { GAP }));
        }
        drawn.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// A text of at most so many columns; what is cut off leaves an ellipsis.
pub(super) fn shortened(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let fits = |c: &char| {
        let rest = left.checked_sub(c.width().unwrap_or_default());
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{}…", kept.trim_end_matches([' ', ',', '·']))
}

/// The lines of a table whose last column is folded.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> Vec<String> {
    let mut table = Table::of(rows.len());
    let columns = header.iter().enumerate();
    table.columns =
        columns.map(|(n, title)| ((*title).to_owned(), rows.iter().map(|row| row[n].clone()).collect())).collect();
    table.within(screen::width(), Last::Folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let mut table = Table::of(2);
        table.column("KIND", ["Pod", "Deployment"].map(str::to_owned));
        table.column("AGE", ["", ""].map(str::to_owned));
        table.column("NAME", ["a", "日本"].map(str::to_owned));
        table.column("WHY", ["", "PostgreSQL · relational database, name matches"].map(str::to_owned));
        table
    }

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        insta::assert_snapshot!(example().within(None, Last::Cut).join("\n"), @r"
        KIND         NAME   WHY
        Pod          a
        Deployment   日本   PostgreSQL · relational database, name matches
        ");
        assert_eq!(example().headed(false).within(None, Last::Cut).len(), 2);
    }

    #[test]
    fn a_name_is_whole_where_nothing_stands_behind_it() {
        let name = "n".repeat(253);
        let mut table = Table::of(1);
        table.column("NAME", [name.clone()]);
        assert_eq!(table.ending("WHY", [String::new()], Last::Cut), ["NAME", &name]);
    }

    #[test]
    fn only_the_last_column_yields() {
        insta::assert_snapshot!(example().within(Some(40), Last::Cut).join("\n"), @r"
        KIND         NAME   WHY
        Pod          a
        Deployment   日本   PostgreSQL · relati…
        ");
        insta::assert_snapshot!(example().within(Some(40), Last::Folded).join("\n"), @r"
        KIND         NAME   WHY
        Pod          a
        Deployment   日本   PostgreSQL ·
                            relational database,
                            name matches
        ");
        insta::assert_snapshot!(example().within(Some(25), Last::Cut).join("\n"), @r"
        KIND         NAME
        Pod          a
        Deployment   日本
        ");
        for width in 1..200 {
            for line in example().within(Some(width), Last::Cut) {
                assert!(line.chars().count() <= width.max(19), "{width}: {line}");
            }
        }
    }
}
