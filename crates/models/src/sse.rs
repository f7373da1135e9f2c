//! Server-sent events, <https://html.spec.whatwg.org/multipage/server-sent-events.html>: of an event, what its lines `data:` hold.

/// Takes bytes as they come and gives events.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// The beginning of a line.
    line: Vec<u8>,
    data: String,
    /// The last line ended with a carriage return: a line feed after it ends no other.
    returned: bool,
}

impl Events {
    /// The events that end with these bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.returned, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_of_line()),
                _ => self.line.push(byte),
            }
        }
        events
    }

    /// What is left at the end of a body: servers leave the last empty line out.
    pub(crate) fn rest(&mut self) -> Option<String> {
        let ended = self.end_of_line();
        ended.or_else(|| self.end_of_line())
    }

    fn end_of_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return Some(std::mem::take(&mut self.data)).filter(|data| !data.is_empty());
        }
        if let Some(data) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            let data = data.strip_prefix(b" ").unwrap_or(data);
            self.data.push_str(&String::from_utf8_lossy(data));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_in_pieces_of_any_size() {
        let text = ": a comment\r\nevent: x\r\ndata: {\"a\":\r\ndata:1}\r\n\r\ndata: é\n\nid: 3\n\ndata: [DONE]";
        for size in 1..=text.len() {
            let mut events = Events::default();
            let mut all: Vec<String> = text.as_bytes().chunks(size).flat_map(|piece| events.take(piece)).collect();
            all.extend(events.rest());
            assert_eq!(all, ["{\"a\":\n1}", "é", "[DONE]"], "{size}");
            assert_eq!(events.rest(), None);
        }
        assert!(Events::default().take(b"<html>\n\n").is_empty());
    }
}
