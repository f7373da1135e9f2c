//! What a person sees and does who looks for something at the terminal: a question that finds anew with each key, hits below it, and one of
//! them opened. Keys go in, lines come out; who asks the index is `commands/pick`.

use clusterlore_agent::Details;
use clusterlore_core::{ResourceInstance, age};
use clusterlore_index::{Reply, explain_command, get_command};
use clusterlore_search::{Hit, Noun};
use jiff::Timestamp;

use crate::print::full_screen::{Key, Line, Look, columns};
use crate::print::hits;

/// Stands before the question.
const PROMPT: &str = "> ";
/// Lines that are no hits: the question, what is said of the answer, titles, and keys.
const AROUND: usize = 4;
/// Characters that a question may have here.
const LONGEST: usize = 1_000;

/// What Enter does with a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Opens it.
    Look,
    /// Ends with it.
    Pick,
}

/// What is to be done after a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
    /// Nothing but to show it.
    Show,
    /// To ask.
    Ask,
    /// To read all of a hit.
    Open(Box<Hit>),
    /// To end.
    End(End),
}

/// How it ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// With nothing.
    Nothing,
    /// With a hit.
    Hit(Box<Hit>),
    /// With a command to type.
    Command(String),
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// What was found. Nothing before a question.
    pub(crate) reply: Reply,
    /// What is said of it in a line.
    pub(crate) said: String,
}

impl Found {
    /// Before a question.
    pub(crate) fn nothing() -> Self {
        Self { reply: Reply::default(), said: "Type a question, such as: what databases are running?".to_owned() }
    }
}

/// A hit that was opened.
#[derive(Debug, Clone)]
struct Opened {
    hit: Box<Hit>,
    /// What its cluster adds, as soon as that is known.
    details: Option<Result<Details, String>>,
    /// The command that is chosen.
    chosen: usize,
    /// Lines that are above the screen.
    above: usize,
}

/// The state of it.
#[derive(Debug)]
pub(crate) struct Picker {
    aim: Aim,
    question: Vec<char>,
    /// Where the cursor stands in it.
    at: usize,
    found: Found,
    /// Whether there is an answer to come.
    waits: bool,
    /// Whether Enter was pressed meanwhile: it is meant for that answer.
    entered: bool,
    chosen: usize,
    /// Hits that are above the screen.
    above: usize,
    opened: Option<Opened>,
    width: usize,
    height: usize,
}

impl Picker {
    pub(crate) fn new(aim: Aim, question: &str) -> Self {
        let question: Vec<char> = question.chars().take(LONGEST).collect();
        let at = question.len();
        Self {
            aim,
            question,
            at,
            found: Found::nothing(),
            waits: true,
            entered: false,
            chosen: 0,
            above: 0,
            opened: None,
            width: 80,
            height: 24,
        }
    }

    pub(crate) fn question(&self) -> String {
        self.question.iter().collect()
    }

    /// Takes the size of the terminal.
    pub(crate) fn resize(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.keep_in_sight();
    }

    /// Takes an answer. What is opened stays.
    pub(crate) fn found(&mut self, found: Found) -> Next {
        let same = |hits: &[Hit]| hits.iter().map(|hit| hit.id.clone()).collect::<Vec<_>>();
        if same(&self.found.reply.hits) != same(&found.reply.hits) {
            (self.chosen, self.above) = (0, 0);
        }
        (self.found, self.waits) = (found, false);
        if std::mem::take(&mut self.entered) { self.press(Key::Enter) } else { Next::Show }
    }

    /// Takes what was read of the hit that is opened.
    pub(crate) fn read(&mut self, id: &str, details: Result<Details, String>) -> Next {
        if let Some(opened) = self.opened.as_mut().filter(|opened| opened.hit.id == id) {
            opened.details = Some(details);
        }
        Next::Show
    }

    pub(crate) fn press(&mut self, key: Key) -> Next {
        self.entered = self.opened.is_none() && self.waits && key == Key::Enter;
        if self.entered {
            return Next::Show;
        }
        match (&mut self.opened, key) {
            (_, Key::Quit) => Next::End(End::Nothing),
            (Some(opened), key) => match (key, self.aim) {
                (Key::Escape | Key::Left | Key::Tab, _) => {
                    self.opened = None;
                    Next::Show
                }
                (Key::Enter, Aim::Pick) => Next::End(End::Hit(opened.hit.clone())),
                (Key::Enter, Aim::Look) => {
                    let command = opened.commands(&self.found.reply).into_iter().nth(opened.chosen);
                    command.map_or(Next::Show, |command| Next::End(End::Command(command)))
                }
                (key, aim) => {
                    opened.scroll(&key, aim, &self.found.reply, self.width, self.height);
                    Next::Show
                }
            },
            (None, Key::Escape) => Next::End(End::Nothing),
            (None, Key::Enter) if self.aim == Aim::Pick => {
                let chosen = self.found.reply.hits.get(self.chosen).cloned();
                chosen.map_or(Next::Show, |hit| Next::End(End::Hit(Box::new(hit))))
            }
            (None, Key::Enter | Key::Tab) => {
                let Some(hit) = self.found.reply.hits.get(self.chosen).cloned().map(Box::new) else {
                    return Next::Show;
                };
                self.opened = Some(Opened { hit: hit.clone(), details: None, chosen: 0, above: 0 });
                Next::Open(hit)
            }
            (None, Key::Up) => self.choose(self.chosen.saturating_sub(1)),
            (None, Key::Down) => self.choose(self.chosen + 1),
            (None, Key::PageUp) => self.choose(self.chosen.saturating_sub(self.room())),
            (None, Key::PageDown) => self.choose(self.chosen + self.room()),
            (None, key) => self.edit(key),
        }
    }

    /// Changes the question. Only what changes it asks anew.
    fn edit(&mut self, key: Key) -> Next {
        let before = self.question.clone();
        match key {
            Key::Text(text) => {
                let room = LONGEST.saturating_sub(self.question.len());
                let typed: Vec<char> = text.chars().take(room).collect();
                let many = typed.len();
                self.question.splice(self.at..self.at, typed);
                self.at += many;
            }
            Key::Erase if self.at > 0 => {
                self.at -= 1;
                self.question.remove(self.at);
            }
            Key::EraseWord => {
                let kept: String = self.question[..self.at].iter().collect();
                let kept = kept.trim_end().rfind(' ').map_or(0, |at| kept[..=at].chars().count());
                self.question.drain(kept..self.at);
                self.at = kept;
            }
            Key::EraseAll => {
                self.question.drain(..self.at);
                self.at = 0;
            }
            Key::Left => self.at = self.at.saturating_sub(1),
            Key::Right => self.at = (self.at + 1).min(self.question.len()),
            Key::Start => self.at = 0,
            Key::End => self.at = self.question.len(),
            _ => {}
        }
        if self.question == before {
            return Next::Show;
        }
        self.waits = true;
        Next::Ask
    }

    fn choose(&mut self, wanted: usize) -> Next {
        self.chosen = wanted.min(self.found.reply.hits.len().saturating_sub(1));
        self.keep_in_sight();
        Next::Show
    }

    fn keep_in_sight(&mut self) {
        let last = (self.chosen + 1).saturating_sub(self.room());
        self.above = self.above.clamp(last, self.chosen.max(last));
    }

    /// Hits that the screen shows at once.
    fn room(&self) -> usize {
        self.height.saturating_sub(AROUND).max(1)
    }

    /// The screen, and the column of the cursor in its first line.
    pub(crate) fn lines(&self) -> (Vec<Line>, usize) {
        match &self.opened {
            Some(opened) => (opened.lines(self.aim, &self.found.reply, self.width, self.height), 0),
            None => self.list(),
        }
    }

    fn list(&self) -> (Vec<Line>, usize) {
        // Of a question that is too long, what is before the cursor is seen.
        let room = self.width.saturating_sub(PROMPT.len() + 1);
        let mut from = 0;
        let text = |from: usize, to: usize| self.question[from..to].iter().collect::<String>();
        while columns(&text(from, self.at)) > room {
            from += 1;
        }
        let before = format!("{PROMPT}{}", text(from, self.at));
        let cursor = columns(&before);
        let mut lines = vec![Line::new(Look::Plain, format!("{before}{}", text(self.at, self.question.len())))];
        let first = self.waits && !self.question.is_empty() && self.found.reply.hits.is_empty();
        let said = if first { "Searching..." } else { &self.found.said };
        lines.push(Line::new(Look::Faint, format!("  {said}")));
        let table = hits::listed(&self.found.reply, self.width.saturating_sub(PROMPT.len()));
        for (n, row) in table.iter().enumerate() {
            match n.checked_sub(1) {
                None => lines.push(Line::new(Look::Heading, format!("  {row}"))),
                Some(hit) if hit < self.above || hit >= self.above + self.room() => {}
                Some(hit) if hit == self.chosen => lines.push(Line::new(Look::Chosen, format!("{PROMPT}{row}"))),
                Some(_) => lines.push(Line::new(Look::Plain, format!("  {row}"))),
            }
        }
        let keys = match self.aim {
            Aim::Look => "↑↓ choose · Enter open · Esc quit",
            Aim::Pick => "↑↓ choose · Enter pick · Tab look · Esc quit",
        };
        (with_keys(lines, keys, self.height), cursor)
    }
}

impl Opened {
    /// The commands that tell more.
    fn commands(&self, reply: &Reply) -> Vec<String> {
        match (&self.details, &self.hit.noun) {
            (Some(Ok(details)), _) => details.commands.clone(),
            (_, Noun::Instance(i)) => vec![get_command(i, reply.context(i.cluster.as_deref()))],
            (_, Noun::Type(ty, _)) => vec![explain_command(ty)],
        }
    }

    fn scroll(&mut self, key: &Key, aim: Aim, reply: &Reply, width: usize, height: usize) {
        let commands = self.commands(reply).len();
        let page = height.saturating_sub(2).max(1);
        match (key, aim) {
            (Key::Up, Aim::Look) => (self.chosen, self.above) = (self.chosen.saturating_sub(1), 0),
            (Key::Down, Aim::Look) => {
                (self.chosen, self.above) = ((self.chosen + 1).min(commands.saturating_sub(1)), 0)
            }
            (Key::Up | Key::PageUp, _) => self.above = self.above.saturating_sub(page),
            (Key::Down | Key::PageDown, _) => {
                let all = self.all(aim, reply, width).len();
                self.above = (self.above + page).min(all.saturating_sub(page));
            }
            _ => {}
        }
    }

    fn lines(&self, aim: Aim, reply: &Reply, width: usize, height: usize) -> Vec<Line> {
        let lines = self.all(aim, reply, width).into_iter().skip(self.above).collect();
        let keys = match aim {
            Aim::Look => "↑↓ choose · Enter print the command · PgDn more · Esc back",
            Aim::Pick => "Enter pick · PgDn more · Esc back",
        };
        with_keys(lines, keys, height)
    }

    fn all(&self, aim: Aim, reply: &Reply, width: usize) -> Vec<Line> {
        let plain = |text: String| Line::new(Look::Plain, text);
        let heading = |text: &str| Line::new(Look::Heading, text);
        let mut lines: Vec<Line> = match &self.hit.noun {
            Noun::Instance(instance) => {
                vec![heading(&format!("{} {}", instance.kind, instance.name)), plain(place(instance, reply))]
            }
            Noun::Type(ty, _) => vec![heading(&ty.name()), plain(format!("{} · {}", ty.kind, ty.api_version()))],
        };
        let about = match &self.hit.noun {
            Noun::Instance(instance) => vec![instance.description()],
            Noun::Type(_, Some(capability)) => vec![capability.description.clone(), capability.use_case.clone()],
            Noun::Type(_, None) => Vec::new(),
        };
        lines.extend(about.iter().filter(|text| !text.is_empty()).flat_map(|text| folded(text, width)).map(plain));
        lines.extend([Line::default(), heading("COMMANDS")]);
        for (n, command) in self.commands(reply).into_iter().enumerate() {
            lines.push(match n == self.chosen && aim == Aim::Look {
                true => Line::new(Look::Chosen, format!("> {command}")),
                false => plain(format!("  {command}")),
            });
        }
        if let Noun::Instance(instance) = &self.hit.noun {
            lines.extend([Line::default(), heading("NOW")]);
            lines.extend(self.now().into_iter().flat_map(|text| folded(&text, width)).map(plain));
            let pairs = [("LABELS", &instance.labels), ("ANNOTATIONS", &instance.kept_annotations)];
            for (title, pairs) in pairs.into_iter().filter(|(_, pairs)| !pairs.is_empty()) {
                lines.extend([Line::default(), heading(title)]);
                lines.extend(
                    pairs.iter().flat_map(|(key, value)| folded(&format!("  {key}={value}"), width)).map(plain),
                );
            }
        }
        lines
    }

    /// What the cluster prints of it now, or why that is not known.
    fn now(&self) -> Vec<String> {
        match &self.details {
            None => vec!["  Reading...".to_owned()],
            Some(Err(why)) => vec![format!("  Not read from the cluster: {why}.")],
            Some(Ok(Details { unread: Some(why), .. })) => vec![format!("  Not read from the cluster: {why}.")],
            Some(Ok(details)) if details.columns.is_empty() => vec!["  It is no longer there.".to_owned()],
            Some(Ok(details)) => {
                let told = details.columns.iter().filter(|(_, cell)| !["", "<none>"].contains(&cell.as_str()));
                told.map(|(name, cell)| format!("  {}: {cell}", name.to_uppercase())).collect()
            }
        }
    }
}

/// Where it lives, what it is served by, and how old it is.
fn place(instance: &ResourceInstance, reply: &Reply) -> String {
    let namespace = (!instance.is_cluster_scoped()).then(|| format!("namespace {}", instance.namespace));
    let cluster = instance.cluster.as_ref().map(|stored| format!("cluster {}", reply.names.shown(stored)));
    let old = age(&instance.created_at, Timestamp::now()).map(|age| format!("created {} ({age})", instance.created_at));
    let all: Vec<String> =
        cluster.into_iter().chain(namespace).chain([instance.api_version.clone()]).chain(old).collect();
    all.join(" · ")
}

/// A text in lines that fit; what is longer than a line without a space is cut when it is drawn.
fn folded(text: &str, width: usize) -> Vec<String> {
    let indent = &text[..text.len() - text.trim_start().len()];
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(word) <= width => line.extend([" ", word]),
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// The lines of a screen of so many, the last of which says what keys do.
fn with_keys(mut lines: Vec<Line>, keys: &str, height: usize) -> Vec<Line> {
    lines.resize(height.saturating_sub(1).max(1), Line::default());
    if height > 1 {
        lines.push(Line::new(Look::Faint, keys));
    }
    lines
}

#[cfg(test)]
mod tests {
    use clusterlore_search::Score;

    use super::*;
    use crate::print::table::shortened;

    fn hit(name: &str) -> Hit {
        let instance = ResourceInstance::new("apps/v1", "Deployment", Some("shop"), name).unwrap();
        Hit {
            id: instance.id.clone(),
            noun: Noun::Instance(Box::new(instance)),
            score: Score { reasons: Vec::new() },
            controlled: Vec::new(),
            elsewhere: Vec::new(),
            found: Vec::new(),
        }
    }

    fn answer(names: &[&str]) -> Found {
        let mut reply = Reply::default();
        reply.hits = names.iter().map(|name| hit(name)).collect();
        Found { said: format!("{} found", names.len()), reply }
    }

    fn picker(aim: Aim, names: &[&str]) -> Picker {
        let mut picker = Picker::new(aim, "");
        picker.found(answer(names));
        picker
    }

    fn shown(picker: &Picker) -> Vec<String> {
        picker.lines().0.into_iter().map(|line| line.text).collect()
    }

    fn chosen(picker: &Picker) -> Vec<String> {
        let chosen = picker.lines().0.into_iter().filter(|line| line.look == Look::Chosen);
        chosen.map(|line| line.text.split_whitespace().last().unwrap_or_default().to_owned()).collect()
    }

    fn typed(text: &str) -> Key {
        Key::Text(text.to_owned())
    }

    #[test]
    fn a_question_is_edited_as_in_a_shell() {
        let mut picker = picker(Aim::Look, &[]);
        for (key, question, cursor) in [
            (typed("d"), "d", 3),
            (typed("atabases in shap"), "databases in shap", 19),
            (Key::Erase, "databases in sha", 18),
            (Key::EraseWord, "databases in ", 15),
            (typed("日本"), "databases in 日本", 19),
            (Key::Left, "databases in 日本", 17),
            (Key::Erase, "databases in 本", 15),
            (Key::Start, "databases in 本", 2),
            (Key::Erase, "databases in 本", 2),
            (Key::Right, "databases in 本", 3),
            (Key::EraseAll, "atabases in 本", 2),
            (Key::End, "atabases in 本", 16),
            (Key::Right, "atabases in 本", 16),
        ] {
            let before = picker.question();
            let next = picker.press(key.clone());
            assert_eq!(next, if before == question { Next::Show } else { Next::Ask }, "{key:?}");
            assert_eq!((picker.question().as_str(), picker.lines().1), (question, cursor), "{key:?}");
        }
        picker.press(typed(&"x".repeat(5_000)));
        assert_eq!(picker.question().chars().count(), LONGEST);
        assert!(picker.lines().1 < 80);
    }

    #[test]
    fn what_is_chosen_stays_in_sight() {
        let names: Vec<String> = (0..50).map(|n| format!("web-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut picker = picker(Aim::Look, &names);
        picker.resize(60, 10);
        for (key, on) in [
            (Key::Up, "web-0"),
            (Key::Down, "web-1"),
            (Key::PageDown, "web-7"),
            (Key::PageDown, "web-13"),
            (Key::Up, "web-12"),
            (Key::PageUp, "web-6"),
        ] {
            assert_eq!(picker.press(key), Next::Show);
            assert_eq!(chosen(&picker), [on]);
            assert_eq!(shown(&picker).len(), 10);
        }
        (0..20).for_each(|_| drop(picker.press(Key::PageDown)));
        for height in [40, 3, 5, 1, 24] {
            picker.resize(20, height);
            if height > AROUND {
                assert_eq!(chosen(&picker), ["web-49"], "{height}");
            }
        }
        picker.found(answer(&["api"]));
        assert_eq!(chosen(&picker), ["api"]);
        picker.found(answer(&[]));
        assert_eq!((chosen(&picker), picker.press(Key::Down)), (vec![], Next::Show));
        assert_eq!(picker.press(Key::Tab), Next::Show, "there is nothing to open");
    }

    #[test]
    fn a_name_that_is_whole_is_not_shown_as_cut() {
        let names = ["checkout", "turnstile-api-with-a-rather-long-name-of-its-own"];
        let mut found = answer(&names);
        let clusters = ["production-europe", "staging-europe"].into_iter().cycle();
        for (hit, cluster) in found.reply.hits.iter_mut().zip(clusters) {
            let Noun::Instance(instance) = &mut hit.noun else { continue };
            instance.cluster = Some(cluster.to_owned());
            instance.created_at = "2026-01-01T00:00:00Z".to_owned();
        }
        let mut picker = Picker::new(Aim::Pick, "");
        picker.found(found);
        for width in 40..160 {
            picker.resize(width, 24);
            for (row, name) in shown(&picker)[3..].iter().zip(names) {
                let seen = shortened(row, width);
                // Only what has no room is cut.
                assert!(!(seen.ends_with('…') && seen.contains(name)), "{width}: {seen}");
                assert!(seen.contains(name) || columns(row) > width, "{width}: {row}");
            }
        }
    }

    #[test]
    fn enter_is_meant_for_the_answer_to_what_was_typed() {
        let mut picker = picker(Aim::Pick, &["old"]);
        picker.press(typed("x"));
        assert_eq!(picker.press(Key::Enter), Next::Show);
        assert_eq!(picker.found(answer(&["new"])), Next::End(End::Hit(Box::new(hit("new")))));
        picker.press(typed("y"));
        picker.press(Key::Enter);
        picker.press(typed("z"));
        assert_eq!(picker.found(answer(&["new"])), Next::Show, "typing went on");
        assert_eq!(picker.press(Key::Escape), Next::End(End::Nothing));
        assert_eq!(picker.press(Key::Quit), Next::End(End::Nothing));
    }

    #[test]
    fn a_hit_is_opened_and_its_commands_are_chosen_from() {
        let mut look = picker(Aim::Look, &["api", "web"]);
        look.press(Key::Down);
        let Next::Open(opened) = look.press(Key::Enter) else { panic!("nothing was opened") };
        assert_eq!(opened.id, "shop/apps/v1/Deployment/web");
        let lines = shown(&look);
        assert_eq!(
            lines[..8],
            [
                "Deployment web",
                "namespace shop · apps/v1",
                "",
                "COMMANDS",
                "> kubectl -n shop get deployment.apps/web",
                "",
                "NOW",
                "  Reading..."
            ]
        );
        assert!(lines.len() == 24 && lines[23].contains("Esc back"), "{lines:#?}");
        let command = "kubectl -n shop get deployment.apps/web".to_owned();
        look.read("shop/apps/v1/Deployment/api", Err("of another".to_owned()));
        assert!(!shown(&look).join(" ").contains("another"));
        look.read(&opened.id, Err("it is off".to_owned()));
        assert!(shown(&look).contains(&"  Not read from the cluster: it is off.".to_owned()));
        assert_eq!(look.press(Key::Enter), Next::End(End::Command(command)));
        assert_eq!(look.press(Key::Escape), Next::Show);
        assert_eq!(chosen(&look), ["web"]);
        // Where one is picked, Tab opens and Enter picks.
        let mut pick = picker(Aim::Pick, &["api"]);
        assert!(matches!(pick.press(Key::Tab), Next::Open(_)));
        assert_eq!(pick.press(Key::Enter), Next::End(End::Hit(Box::new(hit("api")))));
    }
}
