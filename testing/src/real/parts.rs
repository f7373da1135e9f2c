//! Where the real parts lie, and what happens where they do not.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
};

/// As `testing/kube/build` builds it.
const KUBE_VERSION: &str = "1.34.4";

/// As `testing/chroma/build` installs it.
const CHROMA_VERSION: &str = "1.5.9";

/// As `testing/schemathesis/build` installs it.
const SCHEMATHESIS_VERSION: &str = "4.32.5";

/// As `testing/browser/build` installs what drives browsers.
const BROWSER_VERSION: &str = "25.16.0";

/// As `testing/helm/build` builds it.
const HELM_VERSION: &str = "4.3.1";

/// As `testing/actionlint/build` builds it.
const ACTIONLINT_VERSION: &str = "1.7.12";

/// As `testing/krew/build` builds it.
const KREW_VERSION: &str = "0.5.0";

/// As `testing/mcp-sdks/build` installs them.
const MCP_SDKS_VERSION: &str = "1";

/// Where the build scripts beside this crate put what they make.
pub(crate) fn cache() -> Option<PathBuf> {
    env::var_os("CLUSTERLORE_TOOLS").map(PathBuf::from).or_else(|| {
        let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        Some(caches.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))?.join("clusterlore"))
    })
}

/// The program `chroma`, in the cache folder of `testing/chroma/build`.
pub(super) fn chroma() -> Result<PathBuf, String> {
    installed("chroma", CHROMA_VERSION)
}

/// The program `schemathesis`, in the cache folder of `testing/schemathesis/build`; where it is absent the test is to return, and a line
/// says why.
///
/// # Panics
/// It is absent and this is CI (`CI=true`).
pub fn schemathesis_or_skip() -> Option<PathBuf> {
    installed("schemathesis", SCHEMATHESIS_VERSION).map_or_else(|missing| skip(&missing), Some)
}

/// The folder of `testing/browser/build`, with what drives the browsers of this machine; where it or a browser is absent the test is to
/// return, and a line says why.
///
/// # Panics
/// Something is absent and this is CI (`CI=true`).
pub fn browsers_or_skip() -> Option<PathBuf> {
    match missing_of(&["node", "chromium", "firefox-esr"]) {
        Some(missing) => skip(&format!("{missing} is missing; run testing/browser/build, which says how to get it")),
        None => folder("browser", BROWSER_VERSION).map_or_else(|missing| skip(&missing), Some),
    }
}

/// Whether bash, zsh and fish are there; where one is absent the test is to return, and a line says why.
///
/// # Panics
/// One is absent and this is CI (`CI=true`).
pub fn shells_or_skip() -> Option<()> {
    match missing_of(&["bash", "zsh", "fish"]) {
        Some(missing) => skip(&format!("{missing} is missing; run testing/shells/build, which says how to get it")),
        None => Some(()),
    }
}

/// The first of these programs that is not on the PATH.
fn missing_of<'p>(programs: &[&'p str]) -> Option<&'p str> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &&&str| env::split_paths(&path).any(|dir| dir.join(program).is_file());
    programs.iter().find(|program| !is_there(program)).copied()
}

/// The program `helm`, in the cache folder of `testing/helm/build`; where it is absent the test is to return, and a line says why.
///
/// # Panics
/// It is absent and this is CI (`CI=true`).
pub fn helm_or_skip() -> Option<PathBuf> {
    installed("helm", HELM_VERSION).map_or_else(|missing| skip(&missing), Some)
}

/// The program `actionlint`, in the cache folder of `testing/actionlint/build`; where it is absent the test is to return, and a line says
/// why.
///
/// # Panics
/// It is absent and this is CI (`CI=true`).
pub fn actionlint_or_skip() -> Option<PathBuf> {
    installed("actionlint", ACTIONLINT_VERSION).map_or_else(|missing| skip(&missing), Some)
}

/// The folder with the programs `krew` and `validate-krew-manifest`, in the cache folder of `testing/krew/build`; where it is absent the test
/// is to return, and a line says why.
///
/// # Panics
/// It is absent and this is CI (`CI=true`).
pub fn krew_or_skip() -> Option<PathBuf> {
    folder("krew", KREW_VERSION).map_or_else(|missing| skip(&missing), |dir| Some(dir.join("bin")))
}

/// Whether `dpkg`, `zip` and `unzip` are there, with which releases are packed; where one is absent the test is to return, and a line says
/// why.
///
/// # Panics
/// One is absent and this is CI (`CI=true`).
pub fn packers_or_skip() -> Option<()> {
    match missing_of(&["dpkg", "dpkg-deb", "zip", "unzip"]) {
        Some(missing) => skip(&format!("{missing} is missing; install dpkg, zip and unzip")),
        None => Some(()),
    }
}

/// The folder with the SDKs of the Model Context Protocol, that of `testing/mcp-sdks/build`; where it is absent the test is to return, and
/// a line says why.
///
/// # Panics
/// It is absent and this is CI (`CI=true`).
pub fn mcp_sdks_or_skip() -> Option<PathBuf> {
    folder("mcp-sdks", MCP_SDKS_VERSION).map_or_else(|missing| skip(&missing), Some)
}

fn installed(name: &str, version: &str) -> Result<PathBuf, String> {
    Ok(folder(name, version)?.join("bin").join(name))
}

fn folder(name: &str, version: &str) -> Result<PathBuf, String> {
    let dir = cache().unwrap_or_default().join(format!("{name}-{version}"));
    if dir.join("whole").is_file() {
        return Ok(dir);
    }
    Err(format!("{name} {version} is not in {}; run testing/{name}/build (minutes, once)", dir.display()))
}

/// The folder with the three programs: `KUBEBUILDER_ASSETS`, else the cache folder of `testing/kube/build`.
pub(super) fn find() -> Result<PathBuf, String> {
    let given = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let built = cache().map(|dir| dir.join(format!("kube-{KUBE_VERSION}")));
    let places: Vec<PathBuf> = [given, built].into_iter().flatten().collect();
    let whole = |dir: &Path| ["kube-apiserver", "etcd", "kubectl"].iter().all(|program| dir.join(program).is_file());
    places.iter().find(|dir| whole(dir)).cloned().ok_or_else(|| {
        let places: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
        format!(
            "kube-apiserver, etcd and kubectl are not all in {}; run testing/kube/build (about four minutes, once), or set \
             KUBEBUILDER_ASSETS to a folder that holds them",
            places.join(" nor in ")
        )
    })
}

/// What others keep beside the checkout (`../shared`, or `shared` in it): `shared("corpus/manifests")`. Where it is absent the test is to
/// return, and a line says why.
///
/// # Panics
/// It is absent and this is CI (`CI=true`).
pub fn shared(path: &str) -> Option<PathBuf> {
    // Cargo tells tests where they belong; a program run by hand knows where it was built.
    let here = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let checkout = here.ancestors().filter(|dir| dir.join("Cargo.lock").is_file()).last().unwrap_or(&here);
    let places = [checkout.join("../shared").join(path), checkout.join("shared").join(path)];
    match places.iter().find(|place| place.exists()) {
        Some(place) => Some(place.clone()),
        None => skip(&format!("shared/{path} is missing beside the checkout {}", checkout.display())),
    }
}

/// In CI nothing is skipped.
pub(crate) fn skip<T>(missing: &str) -> Option<T> {
    assert!(env::var("CI").as_deref() != Ok("true"), "{missing}");
    // Not eprintln!, which the test harness swallows: whoever runs the tests has to see that a part of them did not run.
    let _ = writeln!(std::io::stderr(), "skipped: {missing}");
    None
}
