//! Child processes that never outlive their test.

use std::{
    fs::{self, File},
    io::Write,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Reads process ids, a line each. `bye` means that they are gone and the folder is somebody's care; the end of the input without it means
/// that the test process died (killed, aborted, or left with the server in a static), which no destructor sees.
const GUARD: &str = r#"pids=
while read -r line; do
  if [ "$line" = bye ]; then exit 0; fi
  pids="$pids $line"
done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
sleep 0.2
rm -rf "$1""#;

/// Processes that end with this value, or with this process.
#[derive(Debug)]
pub(crate) struct Processes {
    dir: PathBuf,
    children: Vec<(String, Child)>,
    guard: Child,
    guard_input: ChildStdin,
}

impl Processes {
    /// Logs go to `dir`, which is removed when this process dies before the value is dropped.
    pub(crate) fn new(dir: &Path) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(GUARD).arg("guard").arg(dir);
        // Its own group: the terminal's Ctrl-C must not take it before it has done its work.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut guard = command.spawn().expect("sh can be started");
        let guard_input = guard.stdin.take().expect("the guard's input is a pipe");
        Self { dir: dir.to_owned(), children: Vec::new(), guard, guard_input }
    }

    pub(crate) fn start(&mut self, program: &Path, args: &[String]) {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.args(args);
        self.start_command(&name, command);
    }

    pub(crate) fn start_command(&mut self, name: &str, mut command: Command) {
        let log = File::create(self.log(name)).expect("a log file in the temporary folder");
        let errors = log.try_clone().expect("a second handle of the log file");
        command.process_group(0).stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}", command.get_program().display()));
        writeln!(self.guard_input, "{}", child.id()).expect("the guard reads");
        self.children.push((name.to_owned(), child));
    }

    /// Ends a process at once, as a crash does.
    pub(crate) fn kill(&mut self, name: &str) {
        for (_, child) in self.children.extract_if(.., |(known, _)| known == name).collect::<Vec<_>>().iter_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Waits until `ready`; the error is the log's end of the process that ended, or of the last one when time is up.
    pub(crate) fn wait_for(&mut self, deadline: Instant, mut ready: impl FnMut() -> bool) -> Result<(), String> {
        loop {
            for (name, child) in &mut self.children {
                if let Ok(Some(status)) = child.try_wait() {
                    let name = name.clone();
                    return Err(format!("{name} ended with {status}\n{}", self.last_words(&name)));
                }
            }
            if ready() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let name = self.children.last().map(|(name, _)| name.clone()).unwrap_or_default();
                return Err(format!("{name} was not ready in time\n{}", self.last_words(&name)));
            }
            pause();
        }
    }

    /// Lets the processes end by themselves on a signal (`QUIT`, `TERM`), for some seconds; what is left ends with this value.
    pub(crate) fn ask_to_end(&mut self, signal: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        for (_, child) in &mut self.children {
            let _ = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
                pause();
            }
        }
    }

    pub(crate) fn ids(&self) -> Vec<u32> {
        self.children.iter().map(|(_, child)| child.id()).collect()
    }

    fn log(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.log"))
    }

    fn last_words(&self, name: &str) -> String {
        let log = fs::read(self.log(name)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // The last one first: an API server without its etcd fills its log with complaints.
        for (_, child) in self.children.iter_mut().rev() {
            // Fails only when it has ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = writeln!(self.guard_input, "bye");
        let _ = self.guard.wait();
    }
}

/// Ports that were free a moment ago, all different.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|l| l.local_addr().expect("a bound address").port())
}

/// Waits between two looks at something that takes a second or so.
pub(crate) fn pause() {
    thread::sleep(Duration::from_millis(50));
}
