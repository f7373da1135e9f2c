//! A real Postgres with pgvector: a fresh data folder, a free loopback port, gone when the value is dropped or the process ends.
//! Everything blocks; whatever goes wrong panics with what to look at.
//!
//! ```no_run
//! # use clusterlore_testkit::postgres::PostgresServer;
//! let Some(server) = PostgresServer::start_or_skip() else { return };
//! let url = server.create_database("shop");
//! ```

use std::{
    env, fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::real::parts;
use crate::real::processes::{Processes, free_ports};

/// How long initdb and the server may take; usually two seconds, far more while a machine compiles.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// As `testing/postgres/build` installs it.
const VERSION: &str = "0.6.0";
/// Postgres refuses to run as root; then this user and group (nobody) run it.
const NOBODY: u32 = 65_534;
/// The password of the superuser `postgres`.
const PASSWORD: &str = "postgres-secret";

/// A running server. Its superuser is `postgres`; every user logs in with a password.
#[derive(Debug)]
pub struct PostgresServer {
    // Before `dir`, since fields are dropped in order: nothing writes there any more when it is removed.
    processes: Processes,
    dir: TempDir,
    programs: PathBuf,
    port: u16,
    settings: Vec<String>,
}

impl PostgresServer {
    /// Starts one, or says on standard error why there is none and gives `None`, so that the test can return.
    ///
    /// # Panics
    /// In CI (`CI=true`), where a missing part is a failure; or it does not start.
    pub fn start_or_skip() -> Option<Self> {
        Self::start_or_skip_with(&[])
    }

    /// [`Self::start_or_skip`] with settings such as `max_connections=5`.
    ///
    /// # Panics
    /// As [`Self::start_or_skip`].
    pub fn start_or_skip_with(settings: &[&str]) -> Option<Self> {
        match installed() {
            Ok(programs) => Some(Self::start(&programs, settings)),
            Err(missing) => parts::skip(&missing),
        }
    }

    fn start(programs: &Path, settings: &[&str]) -> Self {
        let (dir, programs) = folder(programs);
        let secret = dir.path().join("password");
        fs::write(&secret, PASSWORD).expect("a file in the temporary folder");
        give(&secret);
        let mut initdb = program(&programs, "initdb", dir.path());
        initdb.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        initdb.arg("--pwfile").arg(&secret).arg("--pgdata").arg(dir.path().join("data"));
        succeeded(initdb);
        let settings = settings.iter().map(|s| (*s).to_owned()).collect();
        Self::over(dir, programs, settings)
    }

    /// Starts a server over a folder that holds a data folder.
    fn over(dir: TempDir, programs: PathBuf, settings: Vec<String>) -> Self {
        // Ports are free when they are chosen and may be taken a moment later.
        let mut reason = String::new();
        let mut server = Self { processes: Processes::new(dir.path()), dir, programs, port: 0, settings };
        for _ in 0..3 {
            [server.port] = free_ports();
            match server.launch() {
                Ok(()) => return server,
                Err(e) => reason = e,
            }
            if !reason.contains("Address already in use") {
                break;
            }
            server.processes = Processes::new(server.dir.path());
        }
        panic!("Postgres for tests did not start: {reason}");
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut command = program(&self.programs, "postgres", self.dir.path());
        let at = |name: &str| self.dir.path().join(name).display().to_string();
        command.arg("-D").arg(at("data")).args(["-p", &self.port.to_string()]);
        let sockets = format!("unix_socket_directories={}", self.dir.path().display());
        // What a test writes need not survive the machine.
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", "max_connections=60", &sockets] {
            command.args(["-c", setting]);
        }
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        self.processes.start_command("postgres", command);
        let (programs, dir, port) = (self.programs.clone(), self.dir.path().to_owned(), self.port.to_string());
        let ready = || {
            let mut command = program(&programs, "pg_isready", &dir);
            command.args(["-q", "-h", "127.0.0.1", "-p", &port]).status().is_ok_and(|status| status.success())
        };
        self.processes.wait_for(Instant::now() + START_TIMEOUT, ready)
    }

    /// The URL of a database for the superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_of("postgres", PASSWORD, database)
    }

    /// The URL of a database for a user.
    pub fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database and gives its URL for the superuser.
    ///
    /// # Panics
    /// It exists.
    pub fn create_database(&self, name: &str) -> String {
        self.psql("postgres", &format!("CREATE DATABASE \"{name}\""));
        self.url(name)
    }

    /// Runs statements as the superuser and gives what they print: rows without headings, columns parted by `|`.
    ///
    /// # Panics
    /// One of them fails; the message holds what Postgres said.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        let mut command = program(&self.programs, "psql", self.dir.path());
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", sql]);
        succeeded(command).trim_end().to_owned()
    }

    /// Ends the server at once, without a word to those who are connected, and leaves its data.
    pub fn stop(&mut self) {
        self.processes.ask_to_end("QUIT");
        self.processes = Processes::new(self.dir.path());
    }

    /// Starts it again, on the same port.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        if let Err(reason) = self.launch() {
            panic!("Postgres for tests did not start again: {reason}");
        }
    }

    /// A standby of this server that follows it and can be read.
    ///
    /// # Panics
    /// It does not start.
    pub fn standby(&self) -> Self {
        let dir = private_folder();
        let mut backup = program(&self.programs, "pg_basebackup", dir.path());
        backup.args(["--dbname", &self.url("postgres"), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        backup.arg("--pgdata").arg(dir.path().join("data"));
        succeeded(backup);
        Self::over(dir, self.programs.clone(), vec!["hot_standby=on".to_owned()])
    }

    /// The files of an extension of the server, which can be taken away and put back.
    pub fn extension_file(&self, name: &str) -> PathBuf {
        self.programs.join("share/postgresql/extension").join(name)
    }

    /// Process id of the server.
    pub fn process_ids(&self) -> Vec<u32> {
        self.processes.ids()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // A server that is killed leaves shared memory behind.
        self.processes.ask_to_end("QUIT");
    }
}

/// The folder with `bin/postgres`: `CLUSTERLORE_POSTGRES`, else the cache folder of `testing/postgres/build`.
fn installed() -> Result<PathBuf, String> {
    let given = env::var_os("CLUSTERLORE_POSTGRES").map(PathBuf::from);
    let built = parts::cache().map(|dir| dir.join(format!("postgres-{VERSION}")));
    let places: Vec<PathBuf> = [given, built].into_iter().flatten().collect();
    let whole = |dir: &Path| ["postgres", "initdb", "psql"].iter().all(|p| dir.join("bin").join(p).is_file());
    places.iter().find(|dir| whole(dir)).cloned().ok_or_else(|| {
        let places: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
        format!(
            "Postgres with pgvector is not in {}; run testing/postgres/build (a minute, once), or set CLUSTERLORE_POSTGRES to a folder \
             that holds bin/postgres",
            places.join(" nor in ")
        )
    })
}

/// The folder of a server, with the programs in it: a user who is not root may be unable to read root's cache, and a test may take
/// a part away.
fn folder(programs: &Path) -> (TempDir, PathBuf) {
    let dir = private_folder();
    let own = dir.path().join("programs");
    copy(programs, &own);
    (dir, own)
}

fn private_folder() -> TempDir {
    let dir = tempfile::Builder::new().prefix("clusterlore-pg-").tempdir().expect("a temporary folder");
    give(dir.path());
    dir
}

/// Copies what a server needs of a folder; headers and static libraries stay.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap_or_else(|e| panic!("{}: {e}", to.display()));
    for entry in fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())) {
        let entry = entry.expect("an entry of a folder");
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = fs::metadata(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        if kind.is_dir() && !["include", "pgxs", "pkgconfig"].iter().any(|name| entry.file_name() == *name) {
            copy(&path, &target);
        } else if kind.is_file() && path.extension().is_none_or(|e| e != "a") {
            fs::copy(&path, &target).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).expect("permissions of an own folder");
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// Makes the server's user the owner.
fn give(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
}

/// A program of the server, as the user that may run it.
fn program(programs: &Path, name: &str, dir: &Path) -> Command {
    let mut command = Command::new(programs.join("bin").join(name));
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    // Nothing of the caller's may change what is done.
    for name in
        ["PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGDATA", "PGOPTIONS", "PGSERVICE", "PGSSLMODE"]
    {
        command.env_remove(name);
    }
    command.env("HOME", dir).env("LC_ALL", "C").env("LD_LIBRARY_PATH", programs.join("lib")).current_dir(dir);
    command.stdin(Stdio::null());
    command
}

fn succeeded(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let name = command.get_program().to_string_lossy().into_owned();
    assert!(output.status.success(), "{name} ended with {}:\n{err}{out}", output.status);
    out.into_owned()
}
