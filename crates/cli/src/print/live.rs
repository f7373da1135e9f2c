//! What a watch tells on standard error: lines, and on a terminal one below them that says how it is.

use clusterlore_pipeline::{LiveState, Progress, Turn, TypeState};

use super::progress::{Moving, is_quiet};
use super::stderr::note_as;

/// Draws a watch of one cluster or of several.
pub(crate) struct Watching {
    line: Moving,
    /// Whether lines say of which cluster they are.
    several: bool,
}

impl Watching {
    pub(crate) fn new(several: bool) -> Self {
        Self { line: Moving::new(), several }
    }

    /// A line, of those that are worth one.
    pub(crate) fn hear(&self, cluster: Option<&str>, progress: &Progress) {
        match progress {
            Progress::Listing { number, of, .. } => self.line.say(&format!("Listing type {number} of {of}")),
            Progress::Inferring { .. } | Progress::Listed(_) | Progress::Stored(_) => {}
            told if told.is_trouble() => self.tell_as("WARN", cluster, &told.to_string()),
            told => self.tell(cluster, &told.to_string()),
        }
    }

    pub(crate) fn tell(&self, cluster: Option<&str>, line: &str) {
        if !is_quiet() {
            self.tell_as("INFO", cluster, line);
        }
    }

    fn tell_as(&self, level: &str, cluster: Option<&str>, line: &str) {
        self.hidden(|| note_as(level, cluster.filter(|_| self.several), line));
    }

    /// Prints something while the line is away.
    pub(crate) fn hidden(&self, print: impl FnOnce()) {
        self.line.hidden(print);
    }

    /// How all clusters are.
    pub(crate) fn show(&self, states: &[LiveState]) {
        if states.iter().any(|state| state.ready) {
            self.line.say(&summed_up(states));
        }
    }

    pub(crate) fn finish(&self) {
        self.line.finish();
    }
}

fn summed_up(states: &[LiveState]) -> String {
    let all = |turn| states.iter().all(|state| state.turn == turn);
    if all(Turn::StandsBy) {
        return "Standing by: another process keeps the index".to_owned();
    }
    if all(Turn::Interrupted) {
        return "The index is not kept up to date now, which is tried again".to_owned();
    }
    let of =
        |wanted: fn(&TypeState) -> bool| states.iter().flat_map(|s| s.types.values()).filter(|t| wanted(t)).count();
    let watched = of(|state| matches!(state, TypeState::Watching));
    let polled = of(|state| matches!(state, TypeState::Polling { .. }));
    let down = of(|state| matches!(state, TypeState::BackingOff { forbidden: false, .. }));
    let (written, deleted) = states.iter().fold((0, 0), |(w, d), state| (w + state.written, d + state.deleted));
    let also = [(polled, "polled"), (down, "interrupted")].into_iter().filter(|(number, _)| *number > 0);
    let also: String = also.map(|(number, what)| format!(", {number} {what}")).collect();
    format!("{watched} types watched{also}; {written} stored, {deleted} deleted since the first sync")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_sums_up_all_clusters() {
        let state = |types: &[TypeState], written| LiveState {
            ready: true,
            types: types.iter().enumerate().map(|(n, state)| (n.to_string(), state.clone())).collect(),
            written,
            ..LiveState::default()
        };
        let down = TypeState::BackingOff { reason: "cut".to_owned(), forbidden: false };
        let states = [state(&[TypeState::Watching, down], 3), state(&[TypeState::Watching, TypeState::Gone], 4)];
        assert_eq!(summed_up(&states), "2 types watched, 1 interrupted; 7 stored, 0 deleted since the first sync");
        for (turn, line) in [
            (Turn::StandsBy, "Standing by: another process keeps the index"),
            (Turn::Interrupted, "The index is not kept up to date now, which is tried again"),
        ] {
            assert_eq!(summed_up(&[LiveState { turn, ..state(&[], 0) }]), line);
        }
    }
}
