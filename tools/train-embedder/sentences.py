"""Composes the training sentences from public texts and the lists in this folder.

Every choice hangs on a hash of the text it concerns and on no running random
state: a package more or less in the index changes its own sentences only.
"""

import hashlib
import re
import subprocess
import tarfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from words import as_words

HERE = Path(__file__).parent
LONGEST = 60  # words; the teacher was trained on short texts

# Packages taken from a section of the Debian index, at most. A section with
# server software gives everything, one full of libraries a taste.
SECTIONS = {
    **dict.fromkeys("database net admin web httpd mail utils vcs comm misc".split(), 9999),
    **dict.fromkeys("news shells embedded education metapackages tasks".split(), 9999),
    **dict.fromkeys("science devel text kernel otherosfs interpreters math".split(), 500),
    **dict.fromkeys("graphics video sound editors electronics hamradio".split(), 200),
    **dict.fromkeys("python golang java php ruby javascript rust perl libs".split(), 400),
    **dict.fromkeys("games gnome kde x11 haskell lisp ocaml gnu-r tex".split(), 100),
}
SERVER_SECTIONS = set("database net admin web httpd mail utils vcs comm misc news".split())

NAMESPACES = (
    "default production prod staging dev test qa platform infra ops tools shared core apps web "
    "backend frontend data analytics monitoring logging security database databases cache "
    "messaging storage backup ci delivery identity payments shop sales finance billing team-a "
    "team-blue customer internal edge media iot ml legacy sandbox kube-system"
).split()
WORKLOADS = [
    ("Deployment", "apps/v1"),
    ("Deployment", "apps/v1"),
    ("Deployment", "apps/v1"),
    ("StatefulSet", "apps/v1"),
    ("StatefulSet", "apps/v1"),
    ("Service", "v1"),
    ("Service", "v1"),
    ("DaemonSet", "apps/v1"),
    ("Pod", "v1"),
    ("CronJob", "batch/v1"),
    ("Job", "batch/v1"),
    ("ConfigMap", "v1"),
    ("Secret", "v1"),
    ("Ingress", "networking.k8s.io/v1"),
    ("PersistentVolumeClaim", "v1"),
    ("HorizontalPodAutoscaler", "autoscaling/v2"),
    ("NetworkPolicy", "networking.k8s.io/v1"),
    ("ServiceAccount", "v1"),
    ("Namespace", "v1"),
]
NAME_FORMS = (
    "{0}",
    "{0}",
    "{0}",
    "{0}-main",
    "{0}-0",
    "prod-{0}",
    "{0}-server",
    "{0}-service",
    "my-{0}",
    "{0}-worker",
    "{0}-config",
    "{0}-staging",
)
LABEL_FORMS = (
    "app={0}",
    "app.kubernetes.io/name={0}",
    "app.kubernetes.io/name={0}, app.kubernetes.io/component={1}",
    "app={0}, tier={1}",
    "app={0}, environment=production",
    "app.kubernetes.io/instance={0}, app.kubernetes.io/managed-by=Helm",
    "app={0}, team=platform",
    "k8s-app={0}",
    "",
)
QUESTIONS = (
    "which {0} are running",
    "where is {0}",
    "what do we use for {0}",
    "is there {0}",
    "show me the {0}",
    "I need {0}",
    "what is responsible for {0}",
    "who provides {0}",
    "find {0}",
    "how many {0} do we have",
    "{0} in production",
    "{0}",
)
SERVICE_QUESTIONS = (
    "which service does this: {0}",
    "{0}, where does that run",
    "which app deals with {0}",
    "is there something for {0}",
    "do we have software for {0}",
    "{0}",
)
COMPONENTS = ["backend", "api", "worker", "frontend", "service"]
TYPE_QUESTIONS = (
    "which resource type {0}",
    "what kind of object {0}",
    "what do I create for {0}",
    "how can I declare {0}",
    "I want {0}",
    "{0}",
)


# Code names as teams give their services; they say nothing about what a service does.
CODE_NAMES = (
    "falcon badger stork walnut cedar maple juniper granite cobalt amber onyx saturn orion "
    "apollo athena odin freya loki phoenix dragon unicorn kraken titan atlas compass anchor "
    "lighthouse harbor beacon bridge canyon glacier meadow orchard tundra delta rocket comet nova "
    "quartz topaz violet crimson indigo copper iron velvet pepper basil ginger mocha nutmeg pancake "
    "biscuit waffle puzzle domino juggler wizard pirate ninja viking"
).split()
LISTS = ("software.tsv", "services.tsv", "business.tsv", "kinds.tsv")
# Dictionary words: senses that are read, by part of speech.
SENSES = {"noun": 2, "verb": 2, "adj": 1, "adv": 1}


class Sentence(NamedTuple):
    text: str
    about: str = ""  # what the text means, free of its form
    scope: str = ""  # where in the cluster it stands
    own: float = 0.2  # the share of its own vector in what it is drawn to


class Choice:
    """Draws that depend on the key alone."""

    def __init__(self, *key):
        self.key = "\0".join(key)
        self.drawn = 0

    def number(self):
        self.drawn += 1
        digest = hashlib.sha256(f"{self.key}\0{self.drawn}".encode()).digest()
        return int.from_bytes(digest[:8], "big")

    def of(self, options):
        return options[self.number() % len(options)]


def object_line(choice, name, component, description, always=False):
    """An object in the form the program gives its documents, and what it is about."""
    about = f"{name}: {description}"
    kind, version = choice.of(WORKLOADS)
    name = name.lower().replace(" ", "-")
    named = choice.of(NAME_FORMS).format(name)
    namespace = choice.of([name, component, *[choice.of(NAMESPACES)] * 4])
    parts = [f"{kind} {named}"]
    if kind != "Namespace":
        parts.append(f"namespace: {namespace}")
    parts.append(f"apiVersion: {version}")
    labels = choice.of(LABEL_FORMS).format(name, component)
    if labels:
        parts.append(f"labels: {labels}")
    if choice.number() % 5 < 3 or always:
        parts.append(description)
    return Sentence(" | ".join(parts), about, scope(kind, namespace))


def scope(kind, namespace):
    """How one asks for all objects of a kind in a namespace."""
    if kind.endswith("y"):
        plural = kind[:-1] + "ies"
    else:
        plural = kind + ("es" if kind.endswith("s") else "s")
    return f"{plural} in the {namespace} namespace"


def lower_first(text):
    """`Web server` within a sentence; `HTTP proxy` stays."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def rows(name):
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        yield line.split("\t")


def from_software():
    for name, component, description in rows("software.tsv"):
        phrase, role = lower_first(description), component.replace("-", " ")
        about = f"{name}: {description}"
        yield Sentence(about, about)
        yield Sentence(f"{name} is a {phrase}", about)
        yield Sentence(description)
        yield Sentence(name, about)
        yield Sentence(f"{name} {role}", about)
        choice = Choice("software", name)
        for _ in range(12):
            yield object_line(choice, name, component, description)
        for _ in range(3):
            yield Sentence(choice.of(QUESTIONS).format(phrase))
        yield Sentence(choice.of(QUESTIONS).format(name), about)
        yield Sentence(choice.of(QUESTIONS).format(f"{role} {name}"), about)
        yield Sentence(choice.of(QUESTIONS).format(f"{role} in {choice.of(NAMESPACES)}"))


def from_services():
    for name, description in rows("services.tsv"):
        about = f"{name}: {description}"
        yield Sentence(about, about)
        yield Sentence(description)
        yield Sentence(name, about)
        choice = Choice("service", name)
        for _ in range(12):
            component = choice.of(COMPONENTS)
            yield object_line(choice, name, component, description)
        for _ in range(4):
            yield Sentence(choice.of(QUESTIONS).format(lower_first(description)))
        yield Sentence(choice.of(QUESTIONS).format(name), about)


def from_business():
    """What companies' services do, beside the words in which people ask for it."""
    for description, asked in rows("business.tsv"):
        yield Sentence(description, asked, own=0.6)
        yield Sentence(asked, description, own=0.6)
        choice = Choice("business", description)
        for _ in range(2):
            yield Sentence(choice.of(SERVICE_QUESTIONS).format(asked), description)
        for _ in range(4):
            name, component = choice.of(CODE_NAMES), choice.of(COMPONENTS)
            line = object_line(choice, name, component, description, always=True)
            yield line._replace(about=description)


def from_kinds():
    for kind, version, purpose in rows("kinds.tsv"):
        group = version.rpartition("/")[0]
        about = f"{kind}: {purpose}"
        yield Sentence(about, about)
        yield Sentence(purpose)
        yield Sentence(f"{kind} {version}", about)
        yield Sentence(
            f"CustomResourceDefinition {kind.lower()}s.{group} | {kind} | {purpose}", about
        )
        yield Sentence(f"{kind} is the {purpose}", about)
        choice = Choice("kind", kind, version)
        for _ in range(4):
            yield Sentence(choice.of(TYPE_QUESTIONS).format(purpose))
        for _ in range(4):
            name = choice.of(["main", "example", "default", "prod", "shop", "web", "orders"])
            namespace = choice.of(NAMESPACES)
            line = f"{kind} {name} | namespace: {namespace} | apiVersion: {version}"
            where = scope(kind, namespace)
            yield Sentence(f"{line} | {purpose}", about, where)
            yield Sentence(line, about, where)


def apt(*arguments):
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        detail = (getattr(error, "stderr", "") or str(error)).strip()
        raise SystemExit(
            f"no Debian package index: {detail}\nrun this on Debian or in its container image"
        )
    return done.stdout


def apt_options(lists):
    """What makes apt read an index of our own in `lists`, fetched when it is missing."""
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (lists / "cache").mkdir(exist_ok=True)
    options = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={lists / 'cache'}"]
    options += ["-o", "Acquire::Languages=en"]
    if not any(lists.glob("*_InRelease")):
        apt("apt-get", "update", *options)
    return options


def debian_index(lists):
    """Section and full description of each package; many machines leave the long
    descriptions out of their own index."""
    options = apt_options(lists)
    files = apt(
        "apt-get", "indextargets", *options, "--format", "$(CREATED_BY) $(FILENAME)",
        "Origin: Debian", "Component: main",
    )  # fmt: skip
    long, packages = {}, {}
    for line in sorted(files.splitlines()):
        created, _, path = line.partition(" ")
        if created not in ("Packages", "Translations"):
            continue
        for record in apt("/usr/lib/apt/apt-helper", "cat-file", path).split("\n\n"):
            fields = dict(re.findall(r"^([\w-]+): (.*(?:\n .*)*)", record, re.M))
            if created == "Translations" and "Description-en" in fields:
                long[fields["Description-md5"]] = fields["Description-en"]
            elif created == "Packages" and "Description" in fields:
                packages[fields["Package"]] = fields
    if not long or not packages:
        raise SystemExit("the Debian index is empty: run `apt-get update` and look at its messages")
    for name, fields in sorted(packages.items()):
        text = long.get(fields.get("Description-md5"), fields["Description"])
        yield name, fields.get("Section", "").rpartition("/")[2], text


def from_debian(lists):
    index, taken, seen = list(debian_index(lists)), {}, set()
    index.sort(key=lambda package: hashlib.sha256(package[0].encode()).digest())
    for name, section, text in index:
        short, _, rest = text.partition("\n")
        if re.search(r"-(dev|dbg|dbgsym|doc|common|data|headers)$", name):
            continue
        short = re.sub(r"\s*[(\[].*?[)\]]|\s+- .*", "", short)
        if short.lower() in seen or taken.get(section, 0) >= SECTIONS.get(section, 0):
            continue
        seen.add(short.lower())
        taken[section] = taken.get(section, 0) + 1
        first = " ".join(re.split(r"\n \.", rest)[0].split())
        choice = Choice("debian", name)
        about = f"{name}: {short}"
        yield Sentence(about, about)
        if len(first) > 40:
            yield Sentence(first)
        if section in SERVER_SECTIONS:
            yield Sentence(short)
            yield object_line(choice, name, section, short)
            yield Sentence(choice.of(QUESTIONS).format(lower_first(short)))


def from_kubernetes(crate):
    """The doc comments of the newest API version in the crate."""
    with tarfile.open(crate) as files:
        sources = [m for m in files.getmembers() if re.search(r"/src/v1_\d+/.*\.rs$", m.name)]
        newest = max(m.name.split("/")[2] for m in sources)
        for member in sorted(sources, key=lambda m: m.name):
            if member.name.split("/")[2] != newest:
                continue
            code = files.extractfile(member).read().decode()
            for block in re.findall(r"(?:^ *///.*\n)+", code, re.M):
                text = " ".join(line.strip()[3:].strip() for line in block.splitlines())
                text = re.sub(r"https?://\S+|More info:|# Arguments.*", "", text)
                item = re.search(re.escape(block) + r"pub struct (\w+)", code)
                if item:
                    yield Sentence(f"{item[1]}: {text}")
                for sentence in re.split(r"(?<=[.!?]) +(?=[A-Z])", text):
                    if len(sentence) > 30:
                        yield Sentence(sentence)


class Sense(NamedTuple):
    words: str  # the synonyms
    gloss: str
    examples: list


def wordnet_senses(folder, part):
    """The senses by their position in the file, and by word the positions, the usual
    ones first, with how often the word was met in tagged texts."""
    senses, index = {}, {}
    for line in (folder / f"data.{part}").open(encoding="utf-8"):
        if line.startswith(" "):
            continue
        data, _, meaning = line.partition(" | ")
        fields = data.split()
        words = [fields[4 + 2 * i] for i in range(int(fields[3], 16))]
        words = [re.sub(r"\(.*\)", "", word).replace("_", " ") for word in words]
        examples = re.findall(r'"([^"]+)"', meaning)
        gloss = re.sub(r"^\([^)]*\) ", "", meaning.partition('; "')[0].strip())
        senses[fields[0]] = Sense(", ".join(words[:4]), gloss, examples)
    for line in (folder / f"index.{part}").open(encoding="utf-8"):
        if not line.startswith(" "):
            fields = line.split()
            count, pointers = int(fields[2]), int(fields[3])
            index[fields[0]] = (int(fields[5 + pointers]), fields[-count:])
    return senses, index


def base_forms(word):
    """`mitten` of `mittens`; not all are words."""
    for ending, instead in (
        ("ies", "y"), ("es", ""), ("s", ""), ("ied", "y"), ("ed", "e"), ("ed", ""),
        ("ing", "e"), ("ing", ""),
    ):  # fmt: skip
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            base = word[: -len(ending)] + instead
            yield base
            if not instead and len(base) > 3 and base[-1] == base[-2]:
                yield base[:-1]


def from_wordnet(parts, vocabulary):
    """The words of the vocabulary with their meanings, and examples of their use."""
    taken = set()
    for word in vocabulary:
        if not re.fullmatch("[a-z]{3,}", word):
            continue
        for base in (word, *base_forms(word)):
            found = [part for part in parts if base in parts[part][1]]
            if found:
                break
        else:
            continue
        found.sort(key=lambda part: -parts[part][1][base][0])
        usual = True
        for part in found:
            senses, index = parts[part]
            for place in index[base][1][: SENSES[part]]:
                sense = senses[place]
                about = f"{sense.words}: {sense.gloss}"
                if usual:
                    yield Sentence(word, about, own=0.6)
                    usual = False
                if (part, place) in taken:
                    continue
                taken.add((part, place))
                yield Sentence(about)
                for example in sense.examples[:1]:
                    if example.count(" ") >= 2:
                        yield Sentence(example)


def shortened(text):
    return " ".join(as_words(text).split()[:LONGEST])


def frequent(texts, known, count):
    """The words met in the most texts that are not known."""
    met = Counter(word for text in texts for word in set(text.split()))
    new = (word for word in met if word not in known and re.fullmatch("[a-z]{4,}", word))
    return sorted(new, key=lambda word: (-met[word], word))[:count]


def compose(lists, crate, wordnet, vocabulary, places):
    """The sentences in the words the embedder receives, in a fixed order, each once;
    and the words that deserve one of the free `places` in the vocabulary: those of the
    lists, then as many frequent in the domain as in the dictionary's text."""
    parts = {part: wordnet_senses(wordnet, part) for part in SENSES}
    sentences, counts = {}, {}

    def add(source, found):
        before = len(sentences)
        for sentence in found:
            sentence = Sentence(*map(shortened, sentence[:3]), sentence.own)
            for part in (sentence, Sentence(sentence.scope)):
                if part.text:
                    sentences.setdefault(part.text, part)
        counts[source] = len(sentences) - before

    add("software", from_software())
    add("services", from_services())
    add("business", from_business())
    add("kinds", from_kinds())
    add("kubernetes", from_kubernetes(crate))
    add("debian", from_debian(lists))
    known = set(vocabulary)
    listed = (as_words(text) for name in LISTS for row in rows(name) for text in row)
    new = frequent(listed, known, places)
    plain = (sentence.text for sentence in sentences.values() if not sentence.scope)
    new += frequent(plain, known.union(new), (places - len(new)) // 2)
    dictionary = (
        as_words(text)
        for senses, _ in parts.values()
        for sense in senses.values()
        for text in (sense.gloss, *sense.examples)
    )
    new += frequent(dictionary, known.union(new), places - len(new))
    add("wordnet", from_wordnet(parts, [*vocabulary, *new]))
    return list(sentences.values()), counts, new
