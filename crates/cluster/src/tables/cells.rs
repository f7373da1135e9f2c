//! How a cell is read. What cannot be read so says nothing: no cell is an error.

use std::collections::HashMap;
use std::sync::LazyLock;

use clusterlore_core::conditions::{Conditions, Sign};

/// How kubectl marks what is said of an init container.
const INIT: &str = "init:";

/// A name or a word as they are compared: letters and digits in small letters.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What words say, by type (empty: any) and word.
struct Words {
    whole: HashMap<&'static str, HashMap<String, Sign>>,
    begins: Vec<(&'static [String], String, Sign)>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words { whole: HashMap::new(), begins: Vec::new() };
    for states in &Conditions::get().states {
        let types: Vec<&str> =
            if states.types.is_empty() { vec![""] } else { states.types.iter().map(String::as_str).collect() };
        for ty in types {
            let of_type = words.whole.entry(ty).or_default();
            of_type.extend(states.words.iter().map(|word| (plain(word), states.says)));
        }
        words
            .begins
            .extend(states.begins.iter().map(|begin| (states.types.as_slice(), begin.to_lowercase(), states.says)));
    }
    words
});

fn word(text: &str, type_name: &str) -> Option<Sign> {
    let key = plain(text);
    let listed = |ty: &str| WORDS.whole.get(ty)?.get(&key).copied();
    let begins = || {
        let text = text.to_lowercase();
        let of_type = |types: &[String]| types.is_empty() || types.iter().any(|ty| ty == type_name);
        WORDS.begins.iter().find(|(types, begin, _)| of_type(types) && text.starts_with(begin)).map(|(.., sign)| *sign)
    };
    listed(type_name).or_else(begins).or_else(|| listed(""))
}

/// What a cell says: one sign, or one for each of its words with commas between them.
pub(super) fn state(cell: &str, type_name: &str) -> Vec<Sign> {
    let cell = without_note(cell);
    if is_missing(cell) {
        return vec![Sign::Missing];
    }
    if let Some((have, want)) = fraction(cell) {
        return vec![part_of(have, want)];
    }
    if let Some(sign) = word(cell, type_name) {
        return vec![sign];
    }
    let one = |piece: &str| {
        let (piece, init) = without_init(piece.trim());
        match piece.to_ascii_lowercase().as_str() {
            _ if init && fraction(piece).is_some() => Sign::Waiting,
            "true" | "yes" => Sign::True,
            "false" | "no" => Sign::False,
            "<unknown>" => Sign::Unknown,
            _ => match word(piece, type_name) {
                // That an init container is done, or runs, is what the pod waits for.
                Some(Sign::Done | Sign::Running) if init => Sign::Waiting,
                Some(Sign::Failing) if init => Sign::Unstarted,
                Some(sign) => sign,
                None => Sign::Other,
            },
        }
    };
    cell.split(',').map(one).collect()
}

/// What it says of an address.
pub(super) fn address(cell: &str) -> Sign {
    match cell.trim() {
        cell if is_missing(cell) => Sign::Missing,
        "<pending>" | "<unknown>" => Sign::Awaited,
        _ => Sign::Given,
    }
}

/// So many of so many.
pub(super) fn part_of(have: u64, want: u64) -> Sign {
    match (have, want) {
        (_, 0) => Sign::Empty,
        (0, _) => Sign::None,
        _ if have < want => Sign::Part,
        _ => Sign::Full,
    }
}

/// The words of a cell as they are compared.
pub(super) fn words(cell: &str) -> Vec<String> {
    let cell = without_note(cell);
    let pieces = cell.split(',').map(|piece| without_init(piece.trim()));
    let of_piece = |(piece, init)| [plain(piece), if init { plain(INIT) } else { String::new() }];
    pieces.flat_map(of_piece).chain([plain(cell)]).filter(|word| !word.is_empty()).collect()
}

/// Whether the last of the words that are written as one in a cell is one of these: `SecretSynced` is "synced", and `NotSynced` is not.
pub(super) fn ends_with(cell: &str, asked: &[&String]) -> bool {
    const DENY: [&str; 5] = ["not", "non", "un", "of", "partially"];
    let cell = without_note(cell);
    let last = cell.rfind(|c: char| c.is_ascii_uppercase()).filter(|at| *at > 0 && !cell.contains([' ', ',']));
    let Some((before, last)) = last.map(|at| cell.split_at(at)) else { return false };
    let before = before.to_ascii_lowercase();
    !DENY.iter().any(|deny| before.ends_with(deny)) && asked.iter().any(|asked| plain(asked) == plain(last))
}

/// Whether a cell says that something is so: `True`, `False`, `Unknown`.
pub(super) fn flag(cell: &str) -> Option<bool> {
    match without_note(cell).to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" | "unknown" => Some(false),
        _ => None,
    }
}

/// `2/3`, and `2/1 of 3` as jobs print it that stop with the first success.
pub(super) fn fraction(cell: &str) -> Option<(u64, u64)> {
    let (have, want) = cell.trim().split_once('/')?;
    let want = want.split_once(" of ").map_or(want, |(want, _)| want);
    Some((have.parse().ok()?, want.parse().ok()?))
}

/// `3`, and `3 (5m ago)`.
pub(super) fn number(cell: &str) -> Option<u64> {
    without_note(cell).parse().ok()
}

/// A quantity of bytes as Kubernetes writes it: `10Gi`, `1.5G`, `1e9`.
pub(super) fn size(cell: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 14] = [
        ("", 1.0),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
    ];
    let cell = cell.trim();
    // `1e9` is a number, and `1E` one with a unit.
    let digits = cell
        .parse::<f64>()
        .map_or_else(|_| cell.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(cell.len()), |_| cell.len());
    let (number, unit) = cell.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let bytes = number * factor;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
    (bytes.is_finite() && (0.0..1.8e19).contains(&bytes)).then_some(bytes.round() as u64)
}

/// Whether one of the images is what was asked for, as far as that was said: parts of its path, its tag, its digest.
pub(super) fn has_image(cell: &str, asked: &str) -> bool {
    let asked = Image::of(asked.trim());
    cell.split(',').map(str::trim).filter(|image| !is_missing(image)).any(|image| asked.is_part_of(&Image::of(image)))
}

struct Image {
    path: Vec<String>,
    tag: String,
    digest: String,
}

impl Image {
    fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let (text, digest) = text.split_once('@').unwrap_or((&text, ""));
        // The colon of a port stands before a slash.
        let (path, tag) = match text.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            _ => (text, ""),
        };
        let path = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Self { path, tag: tag.to_owned(), digest: digest.to_owned() }
    }

    fn is_part_of(&self, image: &Self) -> bool {
        let path = self.path.is_empty() || image.path.windows(self.path.len()).any(|parts| parts == self.path);
        let tag = match (self.tag.as_str(), image.tag.as_str()) {
            ("", _) => true,
            ("latest", "") => image.digest.is_empty(),
            (asked, tag) => is_version(tag, asked) || has_word(tag, asked),
        };
        path && tag && image.digest.starts_with(&self.digest)
    }
}

/// Whether a tag has a word beside its numbers: `2.0.0-rc1` has "rc".
fn has_word(tag: &str, asked: &str) -> bool {
    let is_word = asked != "latest" && asked.chars().all(|c| c.is_ascii_alphabetic());
    let mut parts = tag.split(|c: char| !c.is_ascii_alphanumeric());
    is_word && parts.any(|part| part.trim_matches(|c: char| c.is_ascii_digit()) == asked)
}

/// Whether a version is the one that was asked for, as far as that was said: `v1.29.3` is `1.29`, and no `1.2`.
pub(super) fn is_version(cell: &str, asked: &str) -> bool {
    compared(cell, asked).unwrap_or_else(|| is_exactly(cell, asked))
}

/// Whether a version is before or behind another, `<1.30`, as far as that was said: `1.29.3` is no more than `1.29`. `None`: that is not asked.
fn compared(cell: &str, asked: &str) -> Option<bool> {
    let sign = ["<=", ">=", "<", ">"].into_iter().find(|sign| asked.starts_with(sign))?;
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let text = text.trim().trim_start_matches(['v', 'V']);
        let plain = text.find(|c: char| !c.is_ascii_digit() && c != '.').map_or(text, |end| &text[..end]);
        plain.trim_end_matches('.').split('.').map(|number| number.parse().ok()).collect()
    };
    let (cell, asked) = (numbers(cell), numbers(&asked[sign.len()..])?);
    let Some(cell) = cell else { return Some(false) };
    let order = cell.iter().take(asked.len()).cmp(asked.iter());
    Some(match sign {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    })
}

fn is_exactly(cell: &str, asked: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim().to_lowercase();
        let rest = text.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        rest.unwrap_or(&text).to_owned()
    };
    let (cell, asked) = (bare(cell), bare(asked));
    let rest = cell.strip_prefix(&asked);
    !is_missing(&cell) && rest.is_some_and(|rest| asked.is_empty() || !rest.starts_with(|c: char| c.is_alphanumeric()))
}

pub(super) fn is_missing(cell: &str) -> bool {
    matches!(cell.trim(), "" | "<none>" | "<unset>" | "<nil>" | "<no value>")
}

/// Without what stands in brackets at its end: `False (MissingEndpoints)`.
fn without_note(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_suffix(')').and_then(|cell| cell.split_once(" (")).map_or(cell, |(cell, _)| cell.trim_end())
}

fn without_init(piece: &str) -> (&str, bool) {
    match piece.get(..INIT.len()) {
        Some(init) if init.eq_ignore_ascii_case(INIT) => (&piece[INIT.len()..], true),
        _ => (piece, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes() {
        for (cell, expected) in [
            ("3", Some(3)),
            (" 3 (5m ago)", Some(3)),
            ("0", Some(0)),
            ("", None),
            ("x", None),
            ("-1", None),
            ("3/4", None),
        ] {
            assert_eq!(number(cell), expected, "{cell}");
        }
        for (cell, expected) in [
            ("2/3", Some((2, 3))),
            ("0/1 of 4", Some((0, 1))),
            ("x/y", None),
            ("1/", None),
            ("/1", None),
            ("99999999999999999999/1", None),
        ] {
            assert_eq!(fraction(cell), expected, "{cell}");
        }
        for (cell, expected) in [
            ("10Gi", Some(10 << 30)),
            ("1.5G", Some(1_500_000_000)),
            ("1e9", Some(1_000_000_000)),
            ("1E", Some(1_000_000_000_000_000_000)),
            ("2Ei", Some(2 << 60)),
            ("512", Some(512)),
            ("500m", Some(1)),
            ("", None),
            ("<unset>", None),
            ("Gi", None),
            ("-1Gi", None),
            ("1e400", None),
            ("10Gib", None),
            ("ü10Gi", None),
        ] {
            assert_eq!(size(cell), expected, "{cell}");
        }
    }

    #[test]
    fn images_are_met_by_their_parts() {
        let cell = "nginx:1.27.3,ghcr.io/org/app@sha256:abc, localhost:5000/redis";
        for asked in [
            "",
            "nginx",
            "NGINX:1.27",
            "nginx:1.27.3",
            "app",
            "org/app",
            "ghcr.io",
            "redis",
            "localhost:5000/redis",
            "redis:latest",
            ":latest",
        ] {
            assert!(has_image(cell, asked), "{asked}");
        }
        for asked in ["ngin", "nginx:1.2", "nginx:latest", "ghcr", "org/redis", "app@sha256:b", "apps"] {
            assert!(!has_image(cell, asked), "{asked}");
        }
        assert!(!has_image("<none>", "") && !has_image("", ""));
    }

    #[test]
    fn versions_are_met_by_their_beginning() {
        for (cell, asked) in [
            ("v1.29.3", "1.29"),
            ("v1.29.3-gke.1", "v1.29.3"),
            ("1.29", "1.29"),
            ("v1.34.0+k3s1", "1.34.0"),
            ("v1", ""),
        ] {
            assert!(is_version(cell, asked), "{cell} {asked}");
        }
        for (cell, asked) in [("v1.29.3", "1.2"), ("v1.29", "1.29.3"), ("", ""), ("<none>", ""), ("vnext", "next")] {
            assert!(!is_version(cell, asked), "{cell} {asked}");
        }
    }

    #[test]
    fn addresses() {
        for (cell, expected) in [
            ("<none>", Sign::Missing),
            ("", Sign::Missing),
            ("<pending>", Sign::Awaited),
            ("203.0.113.7,lb.example", Sign::Given),
        ] {
            assert_eq!(address(cell), expected, "{cell}");
        }
    }

    #[test]
    fn states_of_other_types() {
        for (ty, cell, expected) in [
            ("nodes", "Ready", &[Sign::Ready][..]),
            ("nodes", "Ready,SchedulingDisabled", &[Sign::Ready, Sign::Cordoned]),
            ("nodes", "NotReady", &[Sign::Unready]),
            ("persistentvolumes", "Available", &[Sign::Free]),
            ("apiservices.apiregistration.k8s.io", "False (MissingEndpoints)", &[Sign::False]),
            ("jobs.batch", "Complete", &[Sign::Done]),
            ("jobs.batch", "0/1 of 3", &[Sign::None]),
            ("things.example.org", "Not ready", &[Sign::Unready]),
            ("things.example.org", "Whatever", &[Sign::Other]),
            ("things.example.org", "CrashLoopBackOff", &[Sign::Failing]),
            ("certificatesigningrequests.certificates.k8s.io", "Approved,Issued", &[Sign::Done, Sign::Done]),
            ("certificatesigningrequests.certificates.k8s.io", "Approved,Failed", &[Sign::Done, Sign::Failing]),
        ] {
            assert_eq!(state(cell, ty), expected, "{ty} {cell}");
        }
    }

    /// What the printer of pods prints in STATUS: phases, reasons of the scheduler's gate and of the kubelet (Kubernetes 1.34 and, where
    /// they had others, before), and those of container runtimes.
    #[test]
    fn every_status_of_a_pod_is_known() {
        let table: [(Sign, &[&str]); 7] = [
            (Sign::Running, &["Running"]),
            (Sign::Unready, &["NotReady"]),
            (
                Sign::Waiting,
                &[
                    "Pending",
                    "ContainerCreating",
                    "PodInitializing",
                    "SchedulingGated",
                    "Init:0/1",
                    "Init:2/3",
                    "Init:PodInitializing",
                    "Init:ContainerCreating",
                    "Init:Completed",
                ],
            ),
            (Sign::Done, &["Completed", "Succeeded", "ExitCode:0"]),
            (
                Sign::Unknown,
                &["Unknown", "NodeLost", "ContainerStatusUnknown", "UnknownReason", "Init:ContainerStatusUnknown"],
            ),
            (
                Sign::Failing,
                &[
                    "CrashLoopBackOff",
                    "Error",
                    "OOMKilled",
                    "ContainerCannotRun",
                    "StartError",
                    "DeadlineExceeded",
                    "RunContainerError",
                    "KillContainerError",
                    "PreCreateHookError",
                    "PreStartHookError",
                    "PostStartHookError",
                    "CreatePodSandboxError",
                    "ConfigPodSandboxError",
                    "KillPodSandboxError",
                    "ResizePodInPlaceError",
                    "RunInitContainerError",
                    "VerifyNonRootError",
                    "SetupNetworkError",
                    "TeardownNetworkError",
                    "NetworkNotReady",
                    "RestartingAllContainers",
                    "RecreatingAllContainers",
                    "Failed",
                    "Evicted",
                    "Preempting",
                    "Shutdown",
                    "NodeShutdown",
                    "Terminated",
                    "TerminationByKubelet",
                    "NodeAffinity",
                    "NodeName",
                    "NodePorts",
                    "HostPortConflict",
                    "NodeUnschedulable",
                    "MatchNodeSelector",
                    "TaintToleration",
                    "UnexpectedAdmissionError",
                    "TopologyAffinityError",
                    "AppArmor",
                    "SysctlForbidden",
                    "PodOSNotSupported",
                    "PodOSSelectorNodeLabelDoesNotMatch",
                    "InvalidNodeInfo",
                    "UnexpectedPredicateFailureType",
                    "SupplementalGroupsPolicyNotSupported",
                    "InitContainerRestartPolicyForbidden",
                    "PodLevelResourcesNotSupported",
                    "VolumeAttachmentLimitExceeded",
                    "Rejected",
                    "OutOfcpu",
                    "OutOfmemory",
                    "OutOfpods",
                    "OutOfephemeral-storage",
                    "OutOfnvidia.com/gpu",
                    "ExitCode:1",
                    "ExitCode:137",
                    "Signal:9",
                ],
            ),
            (
                Sign::Unstarted,
                &[
                    "CreateContainerConfigError",
                    "CreateContainerError",
                    "ImagePullBackOff",
                    "ErrImagePull",
                    "ErrImageNeverPull",
                    "ImageInspectError",
                    "InvalidImageName",
                    "RegistryUnavailable",
                    "SignatureValidationFailed",
                    "ImageVolumeMountFailed",
                    "Init:CrashLoopBackOff",
                    "Init:Error",
                    "Init:ExitCode:1",
                    "Init:Signal:9",
                    "Init:ImagePullBackOff",
                    "Init:ErrImagePull",
                    "Init:OOMKilled",
                    "Init:CreateContainerConfigError",
                    "Init:RunContainerError",
                    "Init:StartError",
                ],
            ),
        ];
        for (sign, cells) in table {
            for cell in cells {
                assert_eq!(state(cell, "pods"), [sign], "{cell}");
            }
        }
        assert_eq!(state("Terminating", "pods"), [Sign::Ending]);
        assert_eq!(state("SomethingNew", "pods"), [Sign::Other]);
    }

    #[test]
    fn words_of_operators_and_flags() {
        let asked = "synced".to_owned();
        for (cell, ends) in [
            ("SecretSynced", true),
            ("SecretSyncedError", false),
            ("NotSynced", false),
            ("Synced", false),
            ("Not Synced", false),
            ("", false),
        ] {
            assert_eq!(ends_with(cell, &[&asked]), ends, "{cell}");
        }
        for (cell, so) in
            [("True", Some(true)), ("false (why)", Some(false)), ("Unknown", Some(false)), ("Ready", None), ("", None)]
        {
            assert_eq!(flag(cell), so, "{cell}");
        }
    }

    #[test]
    fn tags_have_words_beside_their_numbers() {
        for (cell, asked, has) in [
            ("app:2.0.0-rc1", ":rc", true),
            ("app:2.0.0.beta", ":beta", true),
            ("app:2.0.0-arc1", ":rc", false),
            ("postgres:14.9,sidecar:3", "postgres:<15", true),
            ("postgres:16.2", "postgres:<15", false),
            ("postgres:alpine", "postgres:<15", false),
        ] {
            assert_eq!(has_image(cell, asked), has, "{cell} {asked}");
        }
    }

    #[test]
    fn versions_compare_as_far_as_they_are_said() {
        for (asked, yes, no) in [
            ("<1.30", &["v1.29.3", "1.9", "v1.29.0-eks-1"][..], &["v1.30.0", "1.31", "v2", "<none>", "main"][..]),
            (">1.29", &["v1.30.0", "2.0"], &["v1.29.3", "1.29", "1.28"]),
            (">=1.29", &["v1.29.3", "1.29", "1.30"], &["1.28.9", ""]),
            ("<=1.29", &["1.29.9", "1.28"], &["1.30"]),
            ("1.29", &["v1.29.3", "1.29"], &["1.2", "1.290"]),
            // What is no version is compared as it is.
            ("<x", &["<x"], &["1.29"]),
        ] {
            assert!(yes.iter().all(|cell| is_version(cell, asked)), "{asked}");
            assert!(!no.iter().any(|cell| is_version(cell, asked)), "{asked}");
        }
    }
}
