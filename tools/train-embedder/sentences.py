"""Composes the training sentences from public texts and the lists in this folder.

Every choice hangs on a hash of the text it concerns and on no running random
state: a package more or less in the index changes its own sentences only.
"""

import hashlib
import re
import subprocess
import tarfile
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
TYPE_QUESTIONS = (
    "which resource type {0}",
    "what kind of object {0}",
    "what do I create for {0}",
    "how can I declare {0}",
    "I want {0}",
    "{0}",
)


class Sentence(NamedTuple):
    text: str
    about: str = ""  # what the text means, free of its form
    scope: str = ""  # where in the cluster it stands


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


def object_line(choice, name, component, description):
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
    if choice.number() % 5 < 3:
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
            component = choice.of(["backend", "api", "worker", "frontend", "service"])
            yield object_line(choice, name, component, description)
        for _ in range(4):
            yield Sentence(choice.of(QUESTIONS).format(lower_first(description)))
        yield Sentence(choice.of(QUESTIONS).format(name), about)


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


def debian_index(lists):
    """Section and full description of each package, from an index of our own in
    `lists`: many machines leave the long descriptions out of theirs."""
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (lists / "cache").mkdir(exist_ok=True)
    options = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={lists / 'cache'}"]
    options += ["-o", "Acquire::Languages=en"]
    if not any(lists.glob("*_InRelease")):
        apt("apt-get", "update", *options)
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


def shortened(text):
    return " ".join(as_words(text).split()[:LONGEST])


def compose(lists, crate):
    """The sentences in the words the embedder receives, in a fixed order, each once."""
    sources = {
        "software": from_software(),
        "services": from_services(),
        "kinds": from_kinds(),
        "kubernetes": from_kubernetes(crate),
        "debian": from_debian(lists),
    }
    sentences, counts = {}, {}
    for source, found in sources.items():
        before = len(sentences)
        for sentence in found:
            sentence = Sentence(*map(shortened, sentence))
            for part in (sentence, Sentence(sentence.scope)):
                if part.text:
                    sentences.setdefault(part.text, part)
        counts[source] = len(sentences) - before
    return list(sentences.values()), counts
