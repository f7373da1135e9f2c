//! The whole terminal, taken for as long as something is shown on it, and given back however the program ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clusterlore_core::words::cut;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{
    DisableBracketedPaste, EnableBracketedPaste, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read,
};
use crossterm::queue;
use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use tokio::sync::mpsc;
use unicode_width::UnicodeWidthStr;

use super::screen::is_dumb;
use super::stderr::{LONGEST_LINE, shown};
use super::table::shortened;

/// Whether the terminal is taken.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// How long keys are waited for until it is looked whether anybody still wants them.
const PATIENCE: Duration = Duration::from_millis(100);
/// Keys that wait.
const WAITING: usize = 256;
/// Of a terminal that does not tell its size.
const SIZE: (u16, u16) = (80, 24);

/// How a line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Look {
    /// As it is.
    #[default]
    Plain,
    /// What stands above others.
    Heading,
    /// What is chosen.
    Chosen,
    /// What stands beside.
    Faint,
}

/// A line of the screen. What is too long for it is cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) look: Look,
}

impl Line {
    pub(crate) fn new(look: Look, text: impl Into<String>) -> Self {
        Self { text: text.into(), look }
    }
}

/// What a person does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// Types, or pastes.
    Text(String),
    Erase,
    EraseWord,
    EraseAll,
    Left,
    Right,
    Start,
    End,
    Up,
    Down,
    PageUp,
    PageDown,
    Enter,
    Tab,
    Escape,
    /// Ctrl-C, or Ctrl-D.
    Quit,
    /// Makes the terminal larger or smaller.
    Resize,
}

/// The terminal, while it is taken.
pub(crate) struct FullScreen {
    out: File,
    plain: bool,
}

impl FullScreen {
    /// Takes the terminal that the program was started from, whatever standard output is.
    ///
    /// # Errors
    /// There is none, or it can do nothing but write; then `otherwise` says what to do.
    pub(crate) fn take(otherwise: &'static str) -> anyhow::Result<Self> {
        let no_terminal = || otherwise;
        if is_dumb() {
            return Err(anyhow!("TERM is \"dumb\"").context(no_terminal()));
        }
        let mut out = terminal().with_context(no_terminal)?;
        enable_raw_mode().with_context(no_terminal)?;
        TAKEN.store(true, Ordering::SeqCst);
        let plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
        let taken = queue!(out, EnterAlternateScreen, EnableBracketedPaste, DisableLineWrap).and_then(|()| out.flush());
        let screen = Self { out, plain };
        taken.context("the terminal cannot be written")?;
        Ok(screen)
    }

    /// Columns and lines.
    pub(crate) fn size() -> (usize, usize) {
        let (columns, lines) = size().ok().filter(|(columns, lines)| *columns > 0 && *lines > 0).unwrap_or(SIZE);
        (columns.into(), lines.into())
    }

    /// What a person does from now on. Keys end when nobody takes them.
    pub(crate) fn keys() -> mpsc::Receiver<Key> {
        let (tell, keys) = mpsc::channel(WAITING);
        std::thread::spawn(move || {
            while !tell.is_closed() && TAKEN.load(Ordering::SeqCst) {
                match poll(PATIENCE) {
                    Ok(false) => continue,
                    Ok(true) => {}
                    Err(_) => return,
                }
                let Ok(event) = read() else { return };
                if let Some(key) = key(event)
                    && tell.blocking_send(key).is_err()
                {
                    return;
                }
            }
        });
        keys
    }

    /// Shows these lines from the top, with the cursor behind so many columns of the first.
    pub(crate) fn draw(&mut self, lines: &[Line], cursor: usize) -> anyhow::Result<()> {
        if !TAKEN.load(Ordering::SeqCst) {
            return Ok(());
        }
        let (columns, rows) = Self::size();
        self.drawn(lines, cursor, columns, rows).context("the terminal cannot be written")
    }

    fn drawn(&mut self, lines: &[Line], cursor: usize, columns: usize, rows: usize) -> io::Result<()> {
        let out = &mut self.out;
        let mut frame: Vec<u8> = Vec::new();
        queue!(frame, BeginSynchronizedUpdate, Hide)?;
        for (row, line) in lines.iter().take(rows).enumerate() {
            queue!(frame, MoveTo(0, row.try_into().unwrap_or(u16::MAX)))?;
            let attribute = match line.look {
                Look::Plain => None,
                Look::Heading => Some(Attribute::Bold),
                Look::Chosen => Some(Attribute::Reverse),
                Look::Faint => Some(Attribute::Dim),
            };
            let attribute = attribute.filter(|_| !self.plain);
            if let Some(attribute) = attribute {
                queue!(frame, SetAttribute(attribute))?;
            }
            let text = shortened(&shown(&line.text), columns);
            queue!(frame, Print(&text))?;
            if attribute.is_some() {
                queue!(frame, SetAttribute(Attribute::Reset))?;
            }
            // Behind a line that is full the cursor stands on its last character.
            if text.width() < columns {
                queue!(frame, Clear(ClearType::UntilNewLine))?;
            }
        }
        if lines.len() < rows {
            queue!(frame, MoveTo(0, lines.len().try_into().unwrap_or(u16::MAX)), Clear(ClearType::FromCursorDown))?;
        }
        let at = cursor.min(columns.saturating_sub(1)).try_into().unwrap_or(u16::MAX);
        queue!(frame, MoveTo(at, 0), Show, EndSynchronizedUpdate)?;
        out.write_all(&frame)?;
        out.flush()
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back, if it is taken.
pub(crate) fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    if let Ok(mut out) = terminal() {
        let _ = queue!(out, DisableBracketedPaste, EnableLineWrap, Show, LeaveAlternateScreen);
        let _ = out.flush();
    }
    let _ = disable_raw_mode();
}

/// Columns that a text takes as it is shown.
pub(crate) fn columns(text: &str) -> usize {
    cut(&shown(text), LONGEST_LINE).width()
}

/// The terminal, to write to: standard output may lead elsewhere.
fn terminal() -> io::Result<File> {
    OpenOptions::new().write(true).open(if cfg!(windows) { "CONOUT$" } else { "/dev/tty" })
}

fn key(event: Event) -> Option<Key> {
    match event {
        Event::Paste(text) => Some(Key::Text(text.split_whitespace().collect::<Vec<_>>().join(" "))),
        Event::Resize(..) => Some(Key::Resize),
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(key),
        _ => None,
    }
}

fn pressed(KeyEvent { code, modifiers, .. }: KeyEvent) -> Option<Key> {
    Some(match (code, modifiers.contains(KeyModifiers::CONTROL)) {
        (KeyCode::Char('c' | 'd'), true) => Key::Quit,
        (KeyCode::Char('w'), true) => Key::EraseWord,
        (KeyCode::Char('u'), true) => Key::EraseAll,
        (KeyCode::Char('h'), true) | (KeyCode::Backspace, _) => Key::Erase,
        (KeyCode::Char('p'), true) | (KeyCode::Up, _) => Key::Up,
        (KeyCode::Char('n'), true) | (KeyCode::Down, _) => Key::Down,
        (KeyCode::Char('a'), true) | (KeyCode::Home, _) => Key::Start,
        (KeyCode::Char('e'), true) | (KeyCode::End, _) => Key::End,
        (KeyCode::Char('b'), true) | (KeyCode::Left, _) => Key::Left,
        (KeyCode::Char('f'), true) | (KeyCode::Right, _) => Key::Right,
        (KeyCode::PageUp, _) => Key::PageUp,
        (KeyCode::PageDown, _) => Key::PageDown,
        (KeyCode::Char('m' | 'j'), true) | (KeyCode::Enter, _) => Key::Enter,
        (KeyCode::Tab, _) => Key::Tab,
        (KeyCode::Esc, _) => Key::Escape,
        (KeyCode::Char(c), false) => Key::Text(c.to_string()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_a_shell() {
        let pressed = |code, modifiers| key(Event::Key(KeyEvent::new(code, modifiers)));
        for (code, modifiers, meant) in [
            (KeyCode::Char('é'), KeyModifiers::NONE, Some(Key::Text("é".to_owned()))),
            (KeyCode::Char('A'), KeyModifiers::SHIFT, Some(Key::Text("A".to_owned()))),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, Some(Key::Quit)),
            (KeyCode::Char('w'), KeyModifiers::CONTROL, Some(Key::EraseWord)),
            (KeyCode::Char('n'), KeyModifiers::CONTROL, Some(Key::Down)),
            (KeyCode::Char('k'), KeyModifiers::CONTROL, None),
            (KeyCode::F(1), KeyModifiers::NONE, None),
        ] {
            assert_eq!(pressed(code, modifiers), meant, "{code:?}");
        }
        assert_eq!(key(Event::Paste("a\nb\u{1b} c".to_owned())), Some(Key::Text("a b\u{1b} c".to_owned())));
    }
}
