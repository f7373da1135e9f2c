//! Whether a condition holds of an object, by the cells of its row. Which columns decide it, and what their cells say, is data
//! (`clusterlore_core::conditions`); how a cell is read is `cells`.

use clusterlore_core::conditions::{Conditions, Deciding, Derived, Finding, Read, Sign, Verdict, is_of_an_operator};
use clusterlore_core::{Limit, LiveCondition, Replicas, words::one_line};

use super::cells;
use super::table::{Row, Table};
use crate::decode::cut;

/// Bytes of a cell that are shown.
const SHOWN: usize = 120;

/// What one rule, or all of them, came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Holds,
    Fails,
    /// Nor does the opposite.
    Neither,
}

/// What was decided, and from what.
#[derive(Debug, Default)]
struct Decided {
    decision: Option<Decision>,
    number: Option<u64>,
    column: Option<usize>,
}

impl Table {
    /// Whether a condition holds, of each of its rows. Where one object of an operator has the word in a column, the cells of that column
    /// tell of the others that they are not so.
    pub fn findings(&self, condition: &LiveCondition) -> Vec<Finding> {
        let condition = &self.plain(condition);
        let asked = words_of(condition);
        let says = self.rows.iter().find_map(|row| self.somewhere(&asked, row));
        self.rows.iter().map(|row| self.find(condition, row, says)).collect()
    }

    /// The condition with what is printed of these objects in place of what words might mean: where one of them is "Degraded", only such are.
    fn plain(&self, condition: &LiveCondition) -> LiveCondition {
        match condition {
            LiveCondition::Said { words, or } => {
                let asked: Vec<&String> = words.iter().collect();
                let printed = self.rows.iter().any(|row| self.somewhere(&asked, row).is_some());
                if printed { LiveCondition::Status(words.clone()) } else { self.plain(or) }
            }
            LiveCondition::Not(other) => LiveCondition::Not(Box::new(self.plain(other))),
            LiveCondition::Any(all) => LiveCondition::Any(all.iter().map(|one| self.plain(one)).collect()),
            other => other.clone(),
        }
    }

    /// `says`: the column that has the words that are asked for.
    fn find(&self, condition: &LiveCondition, row: &Row, says: Option<usize>) -> Finding {
        let decided = self.decide(condition, row, says);
        let verdict = match decided.decision {
            Some(Decision::Holds) => Verdict::Yes,
            Some(Decision::Fails | Decision::Neither) => Verdict::No,
            None => Verdict::NotSaid,
        };
        Finding { verdict, number: decided.number, text: self.text(row, decided.column) }
    }

    fn decide(&self, condition: &LiveCondition, row: &Row, says: Option<usize>) -> Decided {
        match condition {
            LiveCondition::Not(other) => return opposite(self.decide(other, row, says)),
            LiveCondition::Any(all) => return any(all.iter().map(|one| self.decide(one, row, says))),
            _ => {}
        }
        let by_columns = |name: &str| self.decide_by_columns(name, condition, row, says);
        match Conditions::get().derived.get(condition.name()) {
            None => by_columns(condition.name()),
            Some(Derived::Not(name)) => opposite(by_columns(name)),
            Some(Derived::Any(names)) => any(names.iter().map(|name| by_columns(name))),
        }
    }

    fn decide_by_columns(&self, name: &str, condition: &LiveCondition, row: &Row, says: Option<usize>) -> Decided {
        let mut fails = Decided::default();
        for rule in rules(name).filter(|rule| rule.is_of(&self.type_name)) {
            let Some((column, cell, of)) = self.cells(rule, row) else { continue };
            let (decision, number) = decision(rule, condition, &self.type_name, cell, of);
            match decision {
                // A word that is not here may stand in another column.
                Some(Decision::Fails) if rule.read == Read::Words => {
                    fails = Decided { decision, number, column: fails.column.or(Some(column)) };
                }
                Some(_) => return Decided { decision, number, column: Some(column) },
                None => {}
            }
        }
        match condition {
            LiveCondition::Status(asked) => {
                let asked: Vec<&String> = asked.iter().collect();
                let flag = self.flag(&asked, row);
                if let Some((column, true)) = flag {
                    return Decided { decision: Some(Decision::Holds), number: None, column: Some(column) };
                }
                let is_filled = |column: &usize| row.cells.get(*column).is_some_and(|cell| !cells::is_missing(cell));
                match (self.somewhere(&asked, row), says.filter(is_filled)) {
                    (Some(column), _) => {
                        Decided { decision: Some(Decision::Holds), number: None, column: Some(column) }
                    }
                    (None, Some(column)) if fails.decision.is_none() => {
                        Decided { decision: Some(Decision::Fails), number: None, column: Some(column) }
                    }
                    (None, _) if fails.decision.is_none() => match flag {
                        Some((column, _)) => {
                            Decided { decision: Some(Decision::Fails), number: None, column: Some(column) }
                        }
                        None => fails,
                    },
                    (None, _) => fails,
                }
            }
            _ => fails,
        }
    }

    /// The column that has one of these words. What operators print of their objects may stand in a column of any name.
    fn somewhere(&self, asked: &[&String], row: &Row) -> Option<usize> {
        if !is_of_an_operator(&self.type_name) && !asked.iter().any(|asked| asked.parse::<std::net::IpAddr>().is_ok()) {
            return None;
        }
        let says = |cell: &String| {
            let words = cells::words(cell);
            asked.iter().any(|asked| words.contains(&cells::plain(asked)))
                || is_of_an_operator(&self.type_name) && cells::ends_with(cell, asked)
        };
        // The first column is the name.
        row.cells.iter().enumerate().skip(1).find(|(_, cell)| says(cell)).map(|(column, _)| column)
    }

    /// What a column says that is called as what is asked for: "active", where it is `True` or `False` of objects of an operator.
    fn flag(&self, asked: &[&String], row: &Row) -> Option<(usize, bool)> {
        let called = |key: &String| asked.iter().any(|asked| cells::plain(asked) == *key);
        let column = self.columns.iter().position(|column| called(&column.key))?;
        let is_so = cells::flag(row.cells.get(column)?).filter(|_| is_of_an_operator(&self.type_name))?;
        Some((column, is_so))
    }

    /// What a rule reads: the column that decides with its cell, and where the rule needs one the cell that says how many there should be.
    fn cells<'a>(&self, rule: &Deciding, row: &'a Row) -> Option<(usize, &'a str, Option<&'a str>)> {
        let (column, cell) = self.first(&rule.columns, row)?;
        let of = if rule.of.is_empty() { None } else { Some(self.first(&rule.of, row)?.1) };
        Some((column, cell, of))
    }

    /// The first of these columns that the table has, and what stands there.
    fn first<'a>(&self, names: &[String], row: &'a Row) -> Option<(usize, &'a str)> {
        let index = names.iter().find_map(|name| {
            let key = cells::plain(name);
            self.columns.iter().position(|column| column.key == key)
        })?;
        row.cells.get(index).map(|cell| (index, cell.as_str()))
    }

    /// Replicas and status, restarts, and the cell that decided where it is none of these.
    fn text(&self, row: &Row, decided: Option<usize>) -> String {
        let shown = |cell: &str| one_line(cut(cell, SHOWN));
        let mut used = Vec::new();
        let mut parts = Vec::new();
        let ready = self.ready(row);
        let status = rules("status").next().and_then(|rule| self.first(&rule.columns, row));
        let status = status.filter(|(_, cell)| !cells::is_missing(cell));
        match (ready, status) {
            (Some((column, have, want)), Some((other, word))) => {
                used.extend([column, other]);
                parts.push(format!("{have}/{want} {}", shown(word)));
            }
            (Some((column, have, want)), None) => {
                used.push(column);
                parts.push(format!("{have}/{want} ready"));
            }
            (None, Some((column, word))) => {
                used.push(column);
                parts.push(shown(word));
            }
            (None, None) => {}
        }
        let restarts = rules("restarted").next().and_then(|rule| self.first(&rule.columns, row));
        if let Some((column, cell)) = restarts {
            used.push(column);
            match cells::number(cell) {
                None => {}
                Some(0) if decided != Some(column) => {}
                Some(0) => parts.push("never restarted".to_owned()),
                Some(1) => parts.push("restarted once".to_owned()),
                Some(times) => parts.push(format!("restarted {times} times")),
            }
        }
        if let Some(column) = decided.filter(|column| !used.contains(column))
            && let (Some(cell), Some(column)) = (row.cells.get(column), self.columns.get(column))
        {
            parts.push(shown(&format!("{} {cell}", column.name)));
        }
        parts.join(", ")
    }

    /// How many of its replicas, or containers, are ready.
    fn ready(&self, row: &Row) -> Option<(usize, u64, u64)> {
        rules("not-ready").filter(|rule| rule.is_of(&self.type_name)).find_map(|rule| {
            let (column, cell, of) = self.cells(rule, row)?;
            counts(cell, of).map(|(have, want)| (column, have, want))
        })
    }
}

/// The words that are asked for, as they stand in cells.
fn words_of(condition: &LiveCondition) -> Vec<&String> {
    match condition {
        LiveCondition::Not(other) | LiveCondition::Said { or: other, .. } => words_of(other),
        LiveCondition::Any(all) => all.iter().flat_map(words_of).collect(),
        LiveCondition::Status(words) => words.iter().collect(),
        _ => Vec::new(),
    }
}

/// One that holds, or else one that says something.
fn any(all: impl Iterator<Item = Decided>) -> Decided {
    let mut said = Decided::default();
    for decided in all {
        if decided.decision == Some(Decision::Holds) {
            return decided;
        }
        if said.decision.is_none() {
            said = decided;
        }
    }
    said
}

fn opposite(decided: Decided) -> Decided {
    let decision = decided.decision.map(|decision| match decision {
        Decision::Holds => Decision::Fails,
        Decision::Fails => Decision::Holds,
        Decision::Neither => Decision::Neither,
    });
    Decided { decision, ..decided }
}

fn rules(condition: &str) -> impl Iterator<Item = &'static Deciding> {
    Conditions::get().decides.iter().filter(move |rule| rule.condition == condition)
}

/// `2/3`, or two cells.
fn counts(cell: &str, of: Option<&str>) -> Option<(u64, u64)> {
    match of {
        Some(of) => Some((cells::number(cell)?, cells::number(of)?)),
        None => cells::fraction(cell),
    }
}

/// `None`: the cell does not say.
fn decision(
    rule: &Deciding,
    condition: &LiveCondition,
    type_name: &str,
    cell: &str,
    of: Option<&str>,
) -> (Option<Decision>, Option<u64>) {
    let holds = |holds: bool| Some(if holds { Decision::Holds } else { Decision::Fails });
    let within = |limit: &Limit, number: Option<u64>| (number.and_then(|n| holds(limit.holds(n))), number);
    match (rule.read, condition) {
        (Read::State, _) => {
            let signs = match of {
                Some(_) => counts(cell, of).map(|(have, want)| vec![cells::part_of(have, want)]).unwrap_or_default(),
                None => cells::state(cell, type_name),
            };
            (by_signs(rule, &signs), None)
        }
        (Read::Address, _) => (by_signs(rule, &[cells::address(cell)]), None),
        (Read::Number, LiveCondition::Restarted(limit)) => within(limit, cells::number(cell)),
        (Read::Number, LiveCondition::Replicas { of: which, number: limit }) => {
            let number = match (counts(cell, of), which) {
                (Some((ready, _)), Replicas::Ready) => Some(ready),
                (Some((_, desired)), Replicas::Desired) => Some(desired),
                (None, Replicas::Desired) if of.is_none() => cells::number(cell),
                (None, _) => None,
            };
            within(limit, number)
        }
        (Read::Size, LiveCondition::Capacity(limit)) => match cells::is_missing(cell) {
            true => (Some(Decision::Fails), None),
            false => within(limit, cells::size(cell)),
        },
        (Read::Images, LiveCondition::Image(asked)) => (holds(cells::has_image(cell, asked)), None),
        (Read::Version, LiveCondition::Version(asked)) => (holds(cells::is_version(cell, asked)), None),
        (Read::Words, _) if cells::is_missing(cell) => (None, None),
        (Read::Words, LiveCondition::Status(asked)) => {
            let words = cells::words(cell);
            (holds(asked.iter().any(|asked| words.contains(&cells::plain(asked)))), None)
        }
        // A condition that is named by another's rule; a test of the table finds it.
        _ => (None, None),
    }
}

fn by_signs(rule: &Deciding, signs: &[Sign]) -> Option<Decision> {
    let any = |of: &[Sign]| signs.iter().any(|sign| of.contains(sign));
    match () {
        () if any(&rule.yes) => Some(Decision::Holds),
        () if any(&rule.no) => Some(Decision::Fails),
        () if any(&rule.neither) => Some(Decision::Neither),
        () => None,
    }
}
