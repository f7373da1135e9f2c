//! Tables as kubectl prints them: no lines, capitals above. Where the terminal is narrow a last column that says so yields, and columns that
//! may be left out are; what stands in the others, such as a name, is whole.

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
/// Columns that a last one gets which was asked for, as long as others may be left out for it: `READY 1/1, STATUS Running`.
const ENOUGH: usize = 26;

/// What happens to a last column that yields, where there is no room for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// It is cut, with an ellipsis: a row is a line. Where nearly nothing would be left of it, it is left out.
    Cut,
    /// The same, and columns that may be left out are left out before it.
    Asked,
    /// It goes on in the next line.
    Folded,
}

/// A table, column by column, so that what no row has is left out.
pub(crate) struct Table {
    rows: usize,
    /// Columns of the terminal, where there is one.
    width: Option<usize>,
    columns: Vec<Column>,
    headed: bool,
}

/// A column: its title, its cells, and whether it may be left out.
#[derive(Clone)]
struct Column {
    title: String,
    cells: Vec<String>,
    spare: bool,
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
        self.add(title, cells, false);
    }

    /// Adds a column that is left out where there is no room for it, those further right first.
    pub(crate) fn spare(&mut self, title: &str, cells: impl IntoIterator<Item = String>) {
        self.add(title, cells, true);
    }

    fn add(&mut self, title: &str, cells: impl IntoIterator<Item = String>, spare: bool) {
        let cells: Vec<String> = cells.into_iter().collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            self.columns.push(Column { title: title.to_owned(), cells, spare });
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
        if self.columns.len() > before {
            let width = self.width;
            return self.within(width, last);
        }
        // The column before it is whole where it is left out.
        if let Some(width) = self.width {
            self.fit(width);
        }
        self.lines()
    }

    fn within(mut self, width: Option<usize>, last: Last) -> Vec<String> {
        // Before the columns are measured.
        for column in &mut self.columns {
            let clean = |text: &str| cut(&visible(&masked(text)), LONGEST_CELL).into_owned();
            column.title = clean(&column.title);
            column.cells.iter_mut().for_each(|cell| *cell = clean(cell));
        }
        let mut folded = None;
        if let Some(width) = width {
            match last {
                Last::Folded => folded = Some(self.room(width)).filter(|room| *room >= NARROWEST),
                Last::Cut | Last::Asked => self.cut(width, last),
            }
        }
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if self.headed {
            grid.set_header(self.columns.iter().map(|column| &column.title));
        }
        grid.add_rows((0..self.rows).map(|row| self.columns.iter().map(move |column| &column.cells[row])));
        let columns = self.columns.len();
        for (n, column) in grid.column_iter_mut().enumerate() {
            let is_last = n + 1 == columns;
            column.set_padding((0, if is_last { 0 } else { GAP }));
            if let Some(room) = folded.filter(|_| is_last) {
                let room = u16::try_from(room).unwrap_or(u16::MAX);
                column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(room)));
            }
        }
        grid.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Makes the last column yield, and leaves columns out, as far as the width asks for it.
    fn cut(&mut self, width: usize, last: Last) {
        while last == Last::Asked && self.room(width) < self.width_of_last().min(ENOUGH) && self.leave_out() {}
        let room = self.room(width);
        if self.width_of_last() > room && room < NARROWEST && self.columns.len() > 1 {
            self.columns.pop();
            self.fit(width);
        } else if let Some(column) = self.columns.last_mut() {
            column.cells.iter_mut().for_each(|cell| *cell = shortened(cell, room.max(NARROWEST)));
        }
    }

    /// Leaves columns out until the last one fits.
    fn fit(&mut self, width: usize) {
        while self.width_of_last() > self.room(width) && self.leave_out() {}
    }

    /// Leaves out the column furthest right that may be; `false`: there is none.
    fn leave_out(&mut self) -> bool {
        let spare = self.columns.iter().rposition(|column| column.spare);
        spare.map(|at| self.columns.remove(at)).is_some()
    }

    /// Columns of the terminal that are left for the last one.
    fn room(&self, width: usize) -> usize {
        let before = self.columns.split_last().map_or(&[][..], |(_, before)| before);
        let taken: usize = before.iter().map(|column| self.width_of(column) + usize::from(GAP)).sum();
        width.saturating_sub(taken)
    }

    fn width_of_last(&self) -> usize {
        self.columns.last().map_or(0, |column| self.width_of(column))
    }

    fn width_of(&self, column: &Column) -> usize {
        let title = Some(&column.title).filter(|_| self.headed);
        column.cells.iter().chain(title).map(|cell| cell.width()).max().unwrap_or_default()
    }
}

/// A text of at most so many columns; what is cut off leaves an ellipsis.
pub(crate) fn shortened(text: &str, room: usize) -> String {
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
    let column = |(n, title): (usize, &&str)| Column {
        title: (*title).to_owned(),
        cells: rows.iter().map(|row| row[n].clone()).collect(),
        spare: false,
    };
    table.columns = columns.map(column).collect();
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
    fn columns_that_may_be_left_out_are_left_out_before_what_was_asked_for() {
        let table = || {
            let mut table = Table::of(2);
            table.spare("KIND", ["Pod", "Deployment"].map(str::to_owned));
            table.column("NAME", ["checkout-7d9", "orders"].map(str::to_owned));
            table.spare("AGE", ["5d", "12d"].map(str::to_owned));
            table.spare("SCORE", ["0.91", "0.87"].map(str::to_owned));
            table.column("NOW", ["READY 1/1, STATUS Running, RESTARTS 0", "READY 2/3"].map(str::to_owned));
            table
        };
        for (width, header) in [
            (200, "KIND         NAME           AGE   SCORE   NOW"),
            (70, "KIND         NAME           AGE   SCORE   NOW"),
            (65, "KIND         NAME           AGE   NOW"),
            (55, "KIND         NAME           NOW"),
            (50, "NAME           NOW"),
            (25, "NAME           NOW"),
            (24, "NAME"),
        ] {
            let lines = table().within(Some(width), Last::Asked);
            assert_eq!(lines[0], header, "{width}");
            assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:#?}");
        }
        // Where the last one is left out, what may be is left out as far as the rest has no room.
        for (width, header) in [
            (45, "KIND         NAME           AGE   SCORE"),
            (40, "KIND         NAME           AGE   SCORE"),
            (39, "KIND         NAME           AGE   SCORE"),
            (38, "KIND         NAME           AGE"),
            (30, "KIND         NAME"),
            (20, "NAME"),
            (5, "NAME"),
        ] {
            assert_eq!(table().within(Some(width), Last::Cut)[0], header, "{width}");
        }
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
