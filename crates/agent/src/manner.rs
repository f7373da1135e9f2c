//! How a question is put, as far as the answer depends on it: whether it is about types, whether it is answered by yes or no, and
//! whether it points at something that only the asker sees ("this deployment", "it").

use clusterlore_core::ResourceType;

/// How a question is put.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// It asks what could be used, or which types there are.
    pub(crate) of_types: bool,
    /// It asks how something is done, or what something is.
    pub(crate) for_advice: bool,
    /// The types that it asks to be explained, as `plural.group`.
    pub(crate) explains: Vec<String>,
    /// It can be answered by yes or no.
    pub(crate) yes_or_no: bool,
    /// What it points at.
    pub(crate) points_at: Option<Pointing>,
}

/// Something that a question points at without naming it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pointing {
    /// In the words of the question: `this deployment`, `it`.
    pub(crate) said: String,
    /// What it is called: `deployment`; empty where that is not said.
    pub(crate) noun: String,
    /// The types of that name, as `plural.group`.
    pub(crate) types: Vec<String>,
    /// Whether the words can hardly mean anything but one thing that the asker has in mind: "this", not "the".
    pub(crate) surely: bool,
}

/// What asks for something that could be used.
const COULD: &str = "could can should may might shall";
const WHOM: &str = "i we one you somebody people developers teams";
/// What is done with a type.
const USED: &str = "use pick choose take create request order provision apply deploy run offer";
/// What asks what must be done, and what is made then.
const MUST: &str = "do must need have";
const MADE: &str = "create define apply request order provision";
/// What asks for something by its use.
const WHAT: &str = "what which anything something whatever";
/// What asks for an explanation.
const WHAT_IS: [&str; 8] =
    ["explain a", "explain an", "explain", "what is a", "what is an", "what's a", "what's an", "what are"];
/// Words for types.
const TYPES: [&str; 12] = [
    "crd",
    "crds",
    "custom resource",
    "custom resources",
    "resource type",
    "resource types",
    "resource kind",
    "resource kinds",
    "api type",
    "api types",
    "kind of resource",
    "kinds of resources",
];
/// Nouns for things of any kind.
const THINGS: &str = "app application service workload thing object resource component program container one guy";
/// What is no object that could be named instead.
const NO_THINGS: &str = "cluster clusters kubernetes k8s environment company week month year day morning evening night time moment way \
                         question list kind type page hour minute order case point";
/// What follows a thing that is described or named, and not pointed at.
const DESCRIBED: &str = "that which who whose called named for with";
/// Pronouns for what was spoken of before.
const PRONOUNS: &str = "it its them they";
/// What begins a question that is answered by yes or no.
const YES_NO: [&str; 12] = [
    "is there",
    "are there",
    "do we have",
    "do we run",
    "do we use",
    "do you have",
    "have we",
    "does anything",
    "is anything",
    "is any",
    "are any",
    "any",
];

fn is(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|w| w == word)
}

impl Manner {
    /// Reads a question; `types` are those that are known.
    pub(crate) fn of(question: &str, types: &[(String, ResourceType)]) -> Self {
        let words: Vec<String> = question
            .split_whitespace()
            .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace('’', "'"))
            .filter(|word| !word.is_empty())
            .collect();
        let at = |n: usize| words.get(n).map_or("", String::as_str);
        let how = at(0) == "how"
            && (at(1) == "to" || is(COULD, at(1)) || at(1) == "do" || at(1) == "would")
            && !is("many much", at(1));
        let what = WHAT_IS.iter().find(|begin| begins(&words, begin)).map(|begin| begin.split(' ').count());
        let explained = what.and_then(|n| Some((n, named(&words, n, types)?)));
        let explains =
            explained.filter(|(n, (_, _, phrase))| n + phrase.len() == words.len()).map(|(_, (_, types, _))| types);
        let could = (0..words.len()).any(|n| {
            is(COULD, at(n))
                && (is(WHOM, at(n + 1)) || n > 0 && is(WHOM, at(n - 1)))
                && (n + 1..n + 5).any(|m| is(USED, at(m)))
        }) && words.iter().any(|word| is(WHAT, word));
        let must =
            (0..words.len()).any(|n| is(MUST, at(n)) && is(WHOM, at(n + 1)) && (n + 2..n + 6).any(|m| is(MADE, at(m))));
        let text = format!(" {} ", words.join(" "));
        let stands = |before: &[&str], middle: &[&str], after: &[&str]| {
            (0..words.len())
                .any(|n| before.contains(&at(n)) && middle.contains(&at(n + 1)) && after.contains(&at(n + 2)))
        };
        let sorts = ["type", "kind", "resource", "object", "api"];
        let which_type = stands(
            &["which", "what"],
            &sorts,
            &["do", "does", "should", "can", "could", "would", "must", "lets", "limits"],
        ) || (0..words.len())
            .any(|n| ["type", "kind"].contains(&at(n)) && ["that", "which"].contains(&at(n + 1)));
        let of_kind = ["type", "kind", "resource", "api"]
            .iter()
            .any(|word| text.contains(&format!(" {word} for ")) || text.contains(&format!(" {word} is for ")));
        Self {
            of_types: could
                || must && words.iter().any(|word| is(WHAT, word))
                || which_type
                || is(MADE, at(0))
                || of_kind
                || TYPES.iter().any(|name| text.contains(&format!(" {name} "))),
            for_advice: how || what.is_some(),
            explains: explains.unwrap_or_default(),
            yes_or_no: YES_NO.iter().any(|begin| begins(&words, begin)),
            points_at: pointing(&words, types),
        }
    }
}

fn begins(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.len() >= phrase.len() && words.iter().zip(&phrase).all(|(word, expected)| word == expected)
}

/// The types that a word, or two words, name in the singular.
fn named<'w>(
    words: &'w [String],
    at: usize,
    types: &[(String, ResourceType)],
) -> Option<(String, Vec<String>, &'w [String])> {
    for count in [2, 1] {
        let Some(phrase) = words.get(at..at + count) else { continue };
        let joined = phrase.concat();
        if count == 1 && is(NO_THINGS, &joined) {
            continue;
        }
        let same = |ty: &&(String, ResourceType)| {
            let singular = ty.1.kind.to_lowercase();
            singular == joined || ty.1.short_names.contains(&joined) || ty.1.plural == joined || ty.1.name() == joined
        };
        let mut found: Vec<String> = types.iter().filter(same).map(|(_, ty)| ty.name()).collect();
        found.sort();
        found.dedup();
        if !found.is_empty() {
            return Some((phrase.join(" "), found, phrase));
        }
    }
    let thing = words.get(at).filter(|word| is(THINGS, word) || is(THINGS, word.trim_end_matches('s')))?;
    Some((thing.clone(), Vec::new(), &words[at..=at]))
}

fn pointing(words: &[String], types: &[(String, ResourceType)]) -> Option<Pointing> {
    let at = |n: usize| words.get(n).map_or("", String::as_str);
    for n in 0..words.len() {
        let word = at(n);
        let surely = is("this that these those", word);
        let definite = is("the my our your", word);
        if surely || definite {
            let Some((noun, types, phrase)) = named(words, n + 1, types) else { continue };
            let many = noun.ends_with('s') && !noun.ends_with("ss");
            // "Pods that need it" and "the pods" say which they are.
            if surely && many == is("this that", word) || definite && many {
                continue;
            }
            // "This app that sends mails" is described.
            if is(DESCRIBED, at(n + 1 + phrase.len())) {
                continue;
            }
            let said = std::iter::once(word).chain(phrase.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
            return Some(Pointing { said, noun, types, surely });
        }
    }
    // "The it department" is none.
    let spoken_of = |n: &usize| match at(*n) {
        "this" | "that" => n + 1 == words.len() && *n > 0,
        word => {
            is(PRONOUNS, word)
                && (*n == 0 || !is("the a an of", at(n - 1)) || at(n - 1) == "of" && n + 1 == words.len())
        }
    };
    let n = (0..words.len()).find(spoken_of)?;
    Some(Pointing { said: at(n).to_owned(), noun: String::new(), types: Vec::new(), surely: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Vec<(String, ResourceType)> {
        let ty = |group: &str, kind: &str, plural: &str| {
            let of = ResourceType {
                group: group.into(),
                version: "v1".into(),
                kind: kind.into(),
                plural: plural.into(),
                ..ResourceType::default()
            };
            (String::new(), of)
        };
        vec![
            ty("apps", "Deployment", "deployments"),
            ty("apps", "StatefulSet", "statefulsets"),
            ty("", "Pod", "pods"),
            ty("x.org", "Cluster", "clusters"),
        ]
    }

    fn manner(question: &str) -> Manner {
        Manner::of(question, &types())
    }

    #[test]
    fn what_could_be_used_is_asked_of_types() {
        for question in [
            "what could I use for a database?",
            "which type is for a certificate?",
            "what can we use to store files",
            "self service S3 bucket, which CRD is it?",
            "Which resource types deal with certificates?",
            "kind for a one-off cleanup",
            "is there anything that I could use for queues?",
            "what do I have to create so that my pods get scraped",
            "which type do I use to give a user permissions",
            "kind that limits how many pods may be down",
            "create a bucket",
        ] {
            assert!(manner(question).of_types, "{question}");
        }
        for question in [
            "what databases are running?",
            "what do we use for messaging",
            "who can delete pods",
            "can we use port 80",
            "what runs this",
            "which kind of database do we run",
            "what do we have in shop",
        ] {
            assert!(!manner(question).of_types, "{question}");
        }
        for question in
            ["how do I get a certificate", "how to write a Dockerfile", "what is an ingress?", "how can we scale"]
        {
            assert!(manner(question).for_advice, "{question}");
        }
        assert!(!manner("how many pods are there").for_advice && !manner("what is running").for_advice);
        assert_eq!(manner("what is a stateful set?").explains, ["statefulsets.apps"]);
        assert_eq!(manner("what are deployments").explains, ["deployments.apps"]);
        assert!(manner("what is a pod of mine called").explains.is_empty());
    }

    #[test]
    fn what_is_pointed_at() {
        let at = |question: &str| manner(question).points_at.map(|p| (p.said, p.types.join(","), p.surely));
        let found = |said: &str, types: &str, surely: bool| Some((said.to_owned(), types.to_owned(), surely));
        assert_eq!(at("why does this deployment fail"), found("this deployment", "deployments.apps", true));
        assert_eq!(at("Fetch the logs of this stateful set"), found("this stateful set", "statefulsets.apps", true));
        assert_eq!(at("what about that pod?"), found("that pod", "pods", true));
        assert_eq!(at("are those pods ok"), found("those pods", "pods", true));
        assert_eq!(at("is it healthy"), found("it", "", true));
        assert_eq!(at("what's wrong with it?"), found("it", "", true));
        assert_eq!(at("who deployed this?"), found("this", "", true));
        assert_eq!(at("why is my app slow"), found("my app", "", false));
        for question in [
            "that app which sends mails",
            "the operator that pods need",
            "which pods are ready",
            "what runs in this cluster",
            "where is the it department",
            "pods of the week",
        ] {
            assert_eq!(at(question), None, "{question}");
        }
    }

    #[test]
    fn what_is_answered_by_yes_or_no() {
        assert!(manner("is there a cache?").yes_or_no && manner("do we have a cache").yes_or_no);
        assert!(!manner("which caches are there").yes_or_no);
        assert!(!manner("can you check shop").yes_or_no && !manner("is checkout ready").yes_or_no);
    }
}
