//! What a release is made of, as the scripts of `packaging` make it: archives, Debian packages, the krew manifest, the Homebrew formula,
//! checksums; and the workflows that call them. The programs in them are stand-ins, scripts that say their name.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use clusterlore_testkit::real::{actionlint_or_skip, krew_or_skip, packers_or_skip};

/// What a release is made for: target, and the form of its archive.
const TARGETS: [(&str, &str); 5] = [
    ("x86_64-unknown-linux-musl", "tar.gz"),
    ("aarch64-unknown-linux-musl", "tar.gz"),
    ("x86_64-apple-darwin", "tar.gz"),
    ("aarch64-apple-darwin", "tar.gz"),
    ("x86_64-pc-windows-msvc", "zip"),
];
/// The same to krew: system and architecture.
const PLATFORMS: [(&str, &str); 5] =
    [("linux", "amd64"), ("linux", "arm64"), ("darwin", "amd64"), ("darwin", "arm64"), ("windows", "amd64")];
const VERSION: &str = env!("CARGO_PKG_VERSION");
const WORKFLOWS: [&str; 3] = ["advisories.yml", "ci.yml", "release.yml"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn ran(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// What it writes to standard output. It has to end well.
fn ok(command: &mut Command) -> String {
    let (status, out, err) = ran(command);
    assert_eq!(status, Some(0), "{command:?}\n{out}{err}");
    out
}

fn script<I: AsRef<std::ffi::OsStr>>(name: &str, args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(root().join("packaging").join(name));
    command.args(args).env("SOURCE_DATE_EPOCH", "1700000000");
    command
}

fn program(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The files of a folder and below it, and whether they are executable.
fn files(folder: &Path) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, mode & 0o111 != 0);
            }
        }
    }
    found
}

fn sha256(file: &Path) -> String {
    ok(Command::new("sha256sum").arg(file)).split_whitespace().next().unwrap().to_owned()
}

/// A release of stand-ins.
struct Release {
    folder: tempfile::TempDir,
}

impl Release {
    fn new() -> Self {
        let release = Self { folder: tempfile::tempdir().unwrap() };
        for programs in ["programs", "programs.exe", "made"] {
            fs::create_dir(release.path(programs)).unwrap();
        }
        for name in ["clusterlore", "kubectl-lore"] {
            program(&release.path("programs").join(name), &format!("echo {name} \"$@\""));
            program(&release.path("programs.exe").join(format!("{name}.exe")), &format!("echo {name} \"$@\""));
        }
        let man = release.path("made/man");
        program(&man, "for page in clusterlore clusterlore-search; do echo \".TH $page 1\" >\"$1/$page.1\"; done");
        ok(&mut script("share", [&release.path("programs/clusterlore"), &man, &release.path("share")]));
        fs::write(release.path("share/THIRD-PARTY-LICENSES"), "licences\n").unwrap();
        release
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The archive of a target, in a folder of this name.
    fn archive(&self, target: &str, dist: &str) -> PathBuf {
        let programs = if target.contains("windows") { "programs.exe" } else { "programs" };
        let mut archive = script("archive", [target]);
        PathBuf::from(ok(archive.args([programs, "share", dist].map(|name| self.path(name)))).trim_end())
    }

    fn deb(&self, architecture: &str, dist: &str) -> PathBuf {
        let mut build = script("deb/build", [architecture]);
        PathBuf::from(ok(build.args(["programs", "share", dist].map(|name| self.path(name)))).trim_end())
    }

    /// All of it, in the folder `dist`.
    fn dist(&self) -> PathBuf {
        for (target, _) in TARGETS {
            self.archive(target, "dist");
        }
        self.deb("amd64", "dist");
        ok(&mut script("manifests", [self.path("dist")]));
        self.path("dist")
    }
}

/// A template of binstall's metadata, filled in as binstall does.
fn binstall(key: &str, target: &str, form: &str, bin: &str) -> String {
    let manifest = read("crates/cli/Cargo.toml");
    let (_, metadata) = manifest.split_once("\n[package.metadata.binstall]\n").unwrap();
    let value = metadata.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
    let exe = if target.contains("windows") { ".exe" } else { "" };
    let known = [
        ("{ repo }", env!("CARGO_PKG_REPOSITORY")),
        ("{ version }", VERSION),
        ("{ target }", target),
        ("{ archive-suffix }", &format!(".{form}")),
        ("{ bin }", bin),
        ("{ binary-ext }", exe),
    ];
    let text = value.unwrap().trim_end_matches('"').to_owned();
    let text = known.iter().fold(text, |text, (name, value)| text.replace(name, value));
    assert!(!text.contains('{'), "{key} of binstall's metadata has a name that binstall does not know: {text}");
    text
}

#[test]
fn an_archive_holds_what_binstall_looks_for_and_is_the_same_each_time() {
    if packers_or_skip().is_none() {
        return;
    }
    let release = Release::new();
    for (target, form) in TARGETS {
        let archive = release.archive(target, "dist");
        let url = binstall("pkg-url", target, form, "");
        let released = format!("{}/releases/download/v{VERSION}/", env!("CARGO_PKG_REPOSITORY"));
        assert_eq!(url, format!("{released}{}", archive.file_name().unwrap().to_str().unwrap()));

        let unpacked = release.path(&format!("unpacked-{target}"));
        fs::create_dir(&unpacked).unwrap();
        let mut unpack = Command::new(if form == "zip" { "unzip" } else { "tar" });
        unpack.args(if form == "zip" { ["-q"] } else { ["-xzf"] }).arg(&archive).current_dir(&unpacked);
        ok(&mut unpack);
        let exe = if form == "zip" { ".exe" } else { "" };
        let expected = [
            ("LICENSE", false),
            ("README.md", false),
            ("THIRD-PARTY-LICENSES", false),
            (&format!("clusterlore{exe}"), true),
            (&format!("kubectl-lore{exe}"), true),
            ("completions/_clusterlore", false),
            ("completions/clusterlore.bash", false),
            ("completions/clusterlore.fish", false),
            ("completions/kubectl_complete-lore", true),
            ("man/clusterlore-search.1", false),
            ("man/clusterlore.1", false),
        ];
        let inside = format!("clusterlore-{VERSION}-{target}");
        let expected = expected.map(|(name, runs)| (format!("{inside}/{name}"), runs));
        assert_eq!(files(&unpacked), BTreeMap::from(expected));
        for bin in ["clusterlore", "kubectl-lore"] {
            let found = unpacked.join(binstall("bin-dir", target, form, bin));
            assert_eq!(ok(Command::new(&found).arg("version")), format!("{bin} version\n"), "{}", found.display());
        }
        let shell = fs::read_to_string(unpacked.join(format!("{inside}/completions/clusterlore.fish"))).unwrap();
        assert_eq!(shell, "clusterlore completions fish\n");

        let first = fs::read(&archive).unwrap();
        ok(Command::new("touch")
            .arg(release.path("share/man/clusterlore.1"))
            .arg(release.path("programs/clusterlore")));
        assert!(
            first == fs::read(release.archive(target, "again")).unwrap(),
            "{target}: other bytes of the same files"
        );
    }
    // Binstall knows the form by these two lines.
    let manifest = read("crates/cli/Cargo.toml");
    assert!(manifest.contains("\npkg-fmt = \"tgz\"\n"));
    assert!(manifest.contains("\n[package.metadata.binstall.overrides.x86_64-pc-windows-msvc]\npkg-fmt = \"zip\"\n"));
}

#[test]
fn krew_installs_every_archive_by_the_manifest() {
    let Some(krew) = krew_or_skip() else { return };
    if packers_or_skip().is_none() {
        return;
    }
    let release = Release::new();
    let dist = release.dist();
    let validator = || Command::new(krew.join("validate-krew-manifest"));
    let manifest = dist.join("lore.yaml");
    ok(validator().arg("-skip-install").arg("-manifest").arg(&manifest));
    // The validator would say it.
    let wrong = release.path("lore.yaml");
    fs::write(&wrong, fs::read_to_string(&manifest).unwrap().replace("arch: arm64", "arch: amd64")).unwrap();
    assert_ne!(ran(validator().arg("-skip-install").arg("-manifest").arg(&wrong)).0, Some(0));

    let install = |system: &str, architecture: &str, archive: &Path| {
        let home = tempfile::tempdir().unwrap();
        let mut krew = Command::new(krew.join("krew"));
        krew.args(["install", "--manifest"]).arg(&manifest).arg("--archive").arg(archive);
        krew.env("KREW_ROOT", home.path()).env("KREW_OS", system).env("KREW_ARCH", architecture);
        krew.env("KREW_NO_UPGRADE_CHECK", "1");
        (ran(&mut krew), home)
    };
    for ((target, form), (system, architecture)) in TARGETS.into_iter().zip(PLATFORMS) {
        let archive = dist.join(format!("clusterlore-{VERSION}-{target}.{form}"));
        let url = format!(
            "{}/releases/download/v{VERSION}/clusterlore-{VERSION}-{target}.{form}",
            env!("CARGO_PKG_REPOSITORY")
        );
        assert!(fs::read_to_string(&manifest).unwrap().contains(&format!("uri: {url}\n")), "{url}");
        let ((status, out, err), home) = install(system, architecture, &archive);
        assert_eq!(status, Some(0), "{out}{err}");
        let exe = if system == "windows" { ".exe" } else { "" };
        let store = files(&home.path().join(format!("store/lore/v{VERSION}")));
        let licences = ["LICENSE", "THIRD-PARTY-LICENSES"].map(|name| (name.to_owned(), false));
        let expected = licences.into_iter().chain([(format!("kubectl-lore{exe}"), true)]).collect();
        assert_eq!(store, expected, "{target}");
        let plugin = home.path().join(format!("bin/kubectl-lore{exe}"));
        assert_eq!(ok(Command::new(&plugin).arg("search")), "kubectl-lore search\n");
    }
    let other = dist.join(format!("clusterlore-{VERSION}-aarch64-apple-darwin.tar.gz"));
    let ((status, _, err), _) = install("linux", "amd64", &other);
    assert!(status != Some(0) && err.contains("checksum"), "{err}");
}

#[test]
fn the_formula_names_each_archive_with_its_checksum() {
    if packers_or_skip().is_none() {
        return;
    }
    let release = Release::new();
    let dist = release.dist();
    let formula = fs::read_to_string(dist.join("clusterlore.rb")).unwrap();
    let lines: Vec<&str> = formula.lines().map(str::trim).collect();
    let mut named = BTreeSet::new();
    for pair in lines.windows(2).filter(|pair| pair[0].starts_with("url ")) {
        let url = pair[0].trim_start_matches("url ").trim_matches('"');
        let file =
            url.strip_prefix(&format!("{}/releases/download/v{VERSION}/", env!("CARGO_PKG_REPOSITORY"))).unwrap();
        assert_eq!(pair[1], format!("sha256 \"{}\"", sha256(&dist.join(file))));
        named.insert(file.to_owned());
    }
    let unix = TARGETS.iter().filter(|(_, form)| *form == "tar.gz");
    assert_eq!(named, unix.map(|(target, form)| format!("clusterlore-{VERSION}-{target}.{form}")).collect());
    assert!(lines.contains(&format!("version \"{VERSION}\"").as_str()));
    let begun =
        lines.iter().filter(|line| line.ends_with(" do") || line.starts_with("def ") || line.starts_with("class "));
    assert_eq!(begun.count(), lines.iter().filter(|line| **line == "end").count(), "{formula}");
    match Command::new("ruby").arg("-c").arg(dist.join("clusterlore.rb")).output() {
        Ok(checked) => assert!(checked.status.success(), "{checked:?}"),
        Err(_) => println!("ruby is missing: the syntax of the formula is not checked"),
    }
}

#[test]
fn checksums_tell_of_every_file_and_of_every_change() {
    if packers_or_skip().is_none() {
        return;
    }
    let release = Release::new();
    let dist = release.dist();
    let check =
        || ran(Command::new("sha256sum").args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(&dist)).0;
    assert_eq!(check(), Some(0));
    let sums = fs::read_to_string(dist.join("SHA256SUMS")).unwrap();
    let named: BTreeSet<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    let there = files(&dist);
    assert_eq!(named.len(), there.len() - 1, "{sums}");
    assert!(there.keys().all(|file| file == "SHA256SUMS" || named.contains(file.as_str())), "{sums}\n{there:?}");
    // Once more, and they still do not name themselves.
    ok(&mut script("manifests", [&dist]));
    assert_eq!(fs::read_to_string(dist.join("SHA256SUMS")).unwrap(), sums);
    fs::write(dist.join("lore.yaml"), "other").unwrap();
    assert_eq!(check(), Some(1));
}

#[test]
fn the_debian_package_comes_and_goes_without_a_trace() {
    if packers_or_skip().is_none() {
        return;
    }
    let release = Release::new();
    let field = |package: &Path, name: &str| ok(Command::new("dpkg-deb").arg("--field").arg(package).arg(name));
    for architecture in ["amd64", "arm64"] {
        let package = release.deb(architecture, "dist");
        assert_eq!(field(&package, "Architecture").trim_end(), architecture);
        assert_eq!(
            package.file_name().unwrap().to_str(),
            Some(format!("clusterlore_{VERSION}_{architecture}.deb").as_str())
        );
        assert_eq!(field(&package, "Version").trim_end(), VERSION.replace('-', "~"));
        assert_eq!(field(&package, "Depends").trim_end(), "");
        let again = release.deb(architecture, "again");
        assert!(fs::read(&package).unwrap() == fs::read(again).unwrap(), "other bytes of the same files");
        let unpacked = release.path(&format!("control-{architecture}"));
        ok(Command::new("dpkg-deb").arg("--control").arg(&package).arg(&unpacked));
        assert_eq!(files(&unpacked).into_keys().collect::<Vec<_>>(), ["control", "md5sums"]);
    }

    let machine = ok(Command::new("dpkg").arg("--print-architecture"));
    let package = release.deb(machine.trim_end(), "dist");
    let empty = release.path("root");
    fs::create_dir_all(empty.join("var/lib/dpkg/info")).unwrap();
    fs::create_dir_all(empty.join("var/lib/dpkg/updates")).unwrap();
    fs::write(empty.join("var/lib/dpkg/status"), "").unwrap();
    let dpkg = || {
        let mut dpkg = Command::new("dpkg");
        // Who runs this test may be nobody; its log belongs to the machine.
        dpkg.arg("--root").arg(&empty).args(["--force-not-root", "--log=/dev/null"]);
        // What dpkg itself wants on its path lies there.
        dpkg.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        dpkg
    };
    ok(dpkg().arg("--install").arg(&package));
    let expected = [
        ("bin/clusterlore", true),
        ("bin/kubectl-lore", true),
        ("bin/kubectl_complete-lore", true),
        ("share/bash-completion/completions/clusterlore", false),
        ("share/doc/clusterlore/THIRD-PARTY-LICENSES.gz", false),
        ("share/doc/clusterlore/changelog.gz", false),
        ("share/doc/clusterlore/copyright", false),
        ("share/fish/vendor_completions.d/clusterlore.fish", false),
        ("share/man/man1/clusterlore-search.1.gz", false),
        ("share/man/man1/clusterlore.1.gz", false),
        ("share/zsh/vendor-completions/_clusterlore", false),
    ];
    assert_eq!(files(&empty.join("usr")), BTreeMap::from(expected.map(|(name, runs)| (name.to_owned(), runs))));
    assert_eq!(fs::read_link(empty.join("usr/bin/kubectl-lore")).unwrap(), Path::new("clusterlore"));
    assert_eq!(ok(dpkg().args(["--verify", "clusterlore"])), "");
    assert_eq!(ok(Command::new(empty.join("usr/bin/clusterlore")).arg("version")), "clusterlore version\n");
    let page = ok(Command::new("gzip").arg("-dc").arg(empty.join("usr/share/man/man1/clusterlore.1.gz")));
    assert_eq!(page, ".TH clusterlore 1\n");
    ok(dpkg().args(["--remove", "clusterlore"]));
    let left: Vec<_> = fs::read_dir(&empty).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["var"], "beside what dpkg keeps");
    assert!(!ran(dpkg().args(["--status", "clusterlore"])).1.contains("installed"));
}

#[test]
fn a_program_that_needs_more_than_a_kernel_is_found() {
    let (status, _, err) = ran(&mut script("static", ["/bin/ls"]));
    assert!(status == Some(1) && err.contains("linked dynamically"), "{err}");
    let Some(linter) = actionlint_or_skip() else { return };
    // Only root may change what the root folder is.
    if ok(Command::new("id").arg("-u")).trim_end() != "0" {
        println!("not root: that a static program runs in an empty root is not tried");
        return;
    }
    let alone = |argument: &str| ran(script("static", [&linter]).arg(argument));
    let (status, out, err) = alone("-version");
    assert!(status == Some(0) && out.contains("1."), "{out}{err}");
    let (status, _, err) = alone("-no-such-flag");
    assert!(status == Some(1) && err.contains("does not run in an empty root"), "{err}");
}

#[test]
fn the_licences_of_what_the_programs_are_made_of_go_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("licences");
    ok(script("notices", [&file]).env_remove("CARGO_TARGET_DIR"));
    let text = fs::read_to_string(&file).unwrap();
    let (list, licences) = text.split_once(&format!("\n{}\n", "-".repeat(100))).unwrap();
    let listed: BTreeSet<&str> =
        list.lines().filter_map(|line| line.split_once(": ")?.0.split_once(' ')).map(|p| p.0).collect();
    // Linked, of Windows alone, only tested with, and ours.
    assert!(listed.contains("rusqlite") && listed.contains("ring") && listed.contains("windows-sys"), "{listed:?}");
    assert!(
        !listed.contains("proptest")
            && !listed.contains("insta")
            && !listed.iter().any(|name| name.starts_with("clusterlore"))
    );
    for said in ["Permission is hereby granted", "Apache License", "Redistributions in binary form"] {
        assert!(licences.contains(said), "no licence says \"{said}\"");
    }
    // It looks at all that is released.
    let targets = read("packaging/notices");
    assert!(TARGETS.iter().all(|(target, _)| targets.contains(&format!("\"{target}\""))));
}

#[test]
fn the_tag_of_a_release_is_its_version() {
    assert_eq!(ok(&mut script("version", [""; 0])), format!("{VERSION}\n"));
    assert_eq!(ok(&mut script("version", [format!("v{VERSION}")])), format!("{VERSION}\n"));
    for tag in [VERSION, "v9.9.9", "", "main"] {
        let (status, out, err) = ran(&mut script("version", [tag]));
        assert!(status == Some(1) && out.is_empty() && err.contains(&format!("expected the tag v{VERSION}")), "{err}");
    }
}

#[test]
fn wrong_usage_of_the_scripts_is_refused_and_nothing_written() {
    let release = Release::new();
    let path = |name: &str| release.path(name).to_str().unwrap().to_owned();
    let (programs, share, dist, none) = (path("programs"), path("share"), path("dist"), path("none"));
    fs::write(release.path("made/text"), "text").unwrap();
    fs::create_dir_all(release.path("no-pages/man")).unwrap();
    let (text, no_pages, made) = (path("made/text"), path("no-pages"), path("made"));
    let usage: [(&str, &[&str]); 14] = [
        ("archive", &[]),
        ("archive", &["--help"]),
        ("archive", &["x86_64-apple-darwin", &programs, &share]),
        ("deb/build", &[]),
        ("deb/build", &["amd64", &programs, &share, &dist, "more"]),
        ("manifests", &[]),
        ("manifests", &[&dist, "more"]),
        ("notices", &[]),
        ("notices", &["--help"]),
        ("share", &[&programs]),
        ("static", &[]),
        ("sbom", &[]),
        ("sbom", &[&dist, "more"]),
        ("version", &["v1", "v2"]),
    ];
    for (name, args) in usage {
        let (status, out, err) = ran(&mut script(name, args));
        assert!(
            status == Some(2) && out.is_empty() && err.contains(&format!("packaging/{name} ")),
            "{name} {args:?}: {err}"
        );
    }
    let windows = "x86_64-pc-windows-msvc";
    let wrong: [(&str, &[&str], &str); 12] = [
        ("archive", &["x86_64-unknown-linux-gnu", &programs, &share, &dist], "expected {x86_64,aarch64}-"),
        ("archive", &["../x", &programs, &share, &dist], "no release is made for"),
        ("archive", &[windows, &programs, &share, &dist], "clusterlore.exe is missing or empty; build it with"),
        ("archive", &["x86_64-apple-darwin", &none, &share, &dist], "clusterlore is missing or empty"),
        ("archive", &["x86_64-apple-darwin", &programs, &no_pages, &dist], "make it with packaging/share"),
        ("deb/build", &["x86_64", &programs, &share, &dist], "expected amd64 or arm64"),
        ("deb/build", &["amd64", &made, &share, &dist], "is missing or empty; build it with"),
        ("deb/build", &["amd64", &programs, &none, &dist], "make it with packaging/share"),
        ("manifests", &[&none], "is no folder"),
        ("manifests", &[&programs], "has no archive of"),
        ("share", &[&text, &text, &dist], "is no program; build it with"),
        ("static", &[&text], "is no program for Linux"),
    ];
    for (name, args, said) in wrong {
        let (status, out, err) = ran(&mut script(name, args));
        assert!(status == Some(1) && out.is_empty() && err.contains(said), "{name} {args:?}: {err}");
    }
    assert!(!release.path("dist").exists());
    assert_eq!(files(&release.path("programs")).len(), 2);
}

#[test]
fn workflows_pass_their_linter() {
    let Some(linter) = actionlint_or_skip() else { return };
    // Without the linters of other languages, which some machines have.
    let lint = || {
        let mut lint = Command::new(&linter);
        lint.args(["-no-color", "-shellcheck=", "-pyflakes="]).current_dir(root());
        lint
    };
    let paths = WORKFLOWS.map(|name| format!(".github/workflows/{name}"));
    assert_eq!(ok(lint().args(&paths)), "");
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.yml");
    let text = read(&paths[2]).replace("github.ref_type == 'tag'", "github.no_such == 'tag'");
    fs::write(&wrong, text).unwrap();
    let (status, said, _) = ran(lint().arg(&wrong));
    assert!(status == Some(1) && said.contains("no_such"), "{said}");
}

#[test]
fn workflows_pin_what_they_use_and_may_do_little() {
    let there: BTreeSet<String> = files(&root().join(".github/workflows")).into_keys().collect();
    assert_eq!(there, WORKFLOWS.map(str::to_owned).into());
    for name in WORKFLOWS {
        let text = read(&format!(".github/workflows/{name}"));
        let (before, _) = text.split_once("\njobs:\n").unwrap();
        let permissions = before.contains("\npermissions: {}") || before.ends_with("\npermissions:\n  contents: read");
        assert!(permissions || before.contains("\npermissions:\n  contents: read\nconcurrency:"), "{name}: {before}");
        for used in text.lines().filter_map(|line| line.split_once("uses: ")) {
            let commit = used.1.split_once('@').unwrap().1;
            let (commit, tag) = commit.split_once(" # v").unwrap_or_else(|| panic!("{name}: {} names no tag", used.1));
            assert!(commit.len() == 40 && commit.bytes().all(|c| c.is_ascii_hexdigit()) && !tag.is_empty(), "{used:?}");
        }
        // What a shell would run of ours is there.
        let words = text.split(|c: char| c.is_whitespace() || "()\"".contains(c));
        for called in words.filter(|word| word.starts_with("packaging/") || word.starts_with("testing/")) {
            let mode = fs::metadata(root().join(called)).unwrap_or_else(|e| panic!("{name} calls {called}: {e}"));
            assert!(called.ends_with("Dockerfile") || mode.permissions().mode() & 0o111 != 0, "{called} is no program");
        }
    }
    let release = read(".github/workflows/release.yml");
    let built: BTreeSet<&str> = release.split("{target: ").skip(1).filter_map(|rest| rest.split(',').next()).collect();
    assert_eq!(built, TARGETS.map(|(target, _)| target).into());
    let looked_at = read("deny.toml");
    assert!(
        TARGETS.iter().all(|(target, _)| looked_at.contains(&format!("\"{target}\""))),
        "deny.toml has other targets"
    );
}
