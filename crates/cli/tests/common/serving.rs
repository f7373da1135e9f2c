//! `serve` as a process, and a client of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Home;

pub struct Serving {
    child: Child,
    pub address: String,
    said: Arc<Mutex<String>>,
}

impl Serving {
    /// Starts it on a free port.
    pub fn start(home: &Home, args: &[&str]) -> Self {
        Self::start_with(home, "127.0.0.1:0", args, &[])
    }

    /// Starts it at an address, with variables in its environment.
    pub fn start_with(home: &Home, address: &str, args: &[&str], set: &[(&str, &str)]) -> Self {
        let args = [&["serve", "--listen", address], args].concat();
        let mut child = home.command(&args).envs(set.iter().copied()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut before) = (String::new(), String::new());
        while !line.contains("Serving on http") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it served: {before}");
            before.push_str(&line);
        }
        let address = line.split("://").nth(1).unwrap().split([' ', '/']).next().unwrap().to_owned();
        let said = Arc::new(Mutex::new(before));
        // Read on, so that nothing it says ever waits.
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            lines.lines().map_while(Result::ok).for_each(|line| *heard.lock().unwrap() += &(line + "\n"));
        });
        Self { child, address, said }
    }

    /// What it said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn send(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        send(&self.address, method, path, token, body).unwrap()
    }

    /// The whole answer, its head too. Each header ends with a line break.
    pub fn exchange(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        exchange(&self.address, method, path, headers, body).unwrap()
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        self.send("GET", path, "", "")
    }

    /// Waits until something holds, and tells how long that took.
    pub fn until(&self, most: Duration, holds: impl Fn() -> bool) -> Duration {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < most, "it does not hold after {most:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        began.elapsed()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Ends it by a signal and gives its status.
    pub fn end(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body of a whole answer.
pub fn send(address: &str, method: &str, path: &str, token: &str, body: &str) -> std::io::Result<(u16, String)> {
    let token = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let answer = exchange(address, method, path, &token, body)?;
    let cut = || std::io::Error::other(format!("an answer that was cut off: {answer:?}"));
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    Ok((status, answer.split_once("\r\n\r\n").ok_or_else(cut)?.1.to_owned()))
}

/// The whole answer, its head too. Each header ends with a line break.
fn exchange(address: &str, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
