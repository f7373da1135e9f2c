"""Composes documents from the catalogue and the lists of `tools/train-embedder`, each with what it is about."""

import hashlib
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools" / "train-embedder"))
import sentences  # noqa: E402
from sentences import Choice, Sentence  # noqa: E402

CATALOGUE = ROOT / "crates" / "catalogue" / "data"
OBJECTS = 6  # composed of a product or kind; an alias gets one
KINDS = [kind for kind, _ in sentences.WORKLOADS]
NAMES = "main example default prod shop web orders internal public nightly".split()
TEAMS = "payments platform search orders data web identity growth ops core".split()


def catalogue_files():
    return sorted(CATALOGUE.rglob("*.toml"))


def read_catalogue():
    tables = {"software": {}, "groups": {}, "kinds": {}, "categories": {}}
    for file in catalogue_files():
        for name, entries in tomllib.loads(file.read_text(encoding="utf-8")).items():
            tables[name] |= entries
    return tables


class Composer:
    def __init__(self):
        self.tables = read_catalogue()
        self.kind_about = {
            key: entry["about"] for key, entry in self.tables["kinds"].items() if "." not in key
        } | {key.partition(".")[0]: entry["about"] for key, entry in self.tables["kinds"].items()}

    def categories(self, names):
        words = (self.tables["categories"].get(name, {"phrases": [name]})["phrases"][0] for name in names)
        return ", ".join(words)

    def object(self, choice, name, middle, about, kind=None, purpose=None):
        """An object as the product describes it to the encoder: `middle` is the product or the description."""
        kind = kind or choice.of(KINDS)
        name = name.lower().replace(" ", "-")
        namespace = choice.of([name, *[choice.of(sentences.NAMESPACES)] * 4])
        labels = choice.of([[], [name], [name, choice.of(TEAMS)], [choice.of(TEAMS)]])
        parts = [f"{kind} {choice.of(sentences.NAME_FORMS).format(name)}"]
        parts += [] if kind == "Namespace" else [f"namespace {namespace}"]
        parts += [middle, purpose or self.kind_about[kind], *labels]
        scope = sentences.scope(kind, namespace)
        return Sentence(". ".join(part for part in parts if part), about, scope, own=0.4)

    def from_software(self):
        for key, entry in self.tables["software"].items():
            product = f"{entry['title']}: {self.categories(entry['categories'])}. {entry['about']}"
            yield Sentence(product, product)
            choice = Choice("encoder software", key)
            for name in dict.fromkeys([key, *entry.get("aliases", ()), *entry.get("ambiguous", ())]):
                yield Sentence(name, product)
                for _ in range(OBJECTS if name == key else 1):
                    called = choice.of([name, name, *sentences.CODE_NAMES[:4]])
                    known = product if called != name or choice.number() % 4 else ""
                    yield self.object(choice, called, known, product)

    def from_kinds(self):
        listed = []
        for key, entry in self.tables["kinds"].items():
            kind, _, group = key.partition(".")
            listed.append((kind, group, entry, "", ""))
        for group, held in self.tables["groups"].items():
            product = f"{held['title']}: {self.categories(held['categories'])}. {held['about']}"
            for kind, entry in held.get("kinds", {}).items():
                listed.append((kind, group, entry, product, held["title"]))
        for kind, group, entry, product, title in listed:
            asked = ", ".join([*entry.get("capabilities", ()), *entry.get("synonyms", ())])
            about = f"{kind}: {entry['about']} {asked}. {title}"
            yield Sentence(about, about)
            known = [f"{kind} {group}", entry["about"], asked.replace("-", " "), entry.get("use_case", "")]
            yield Sentence(". ".join(part for part in known if part), about, own=0.6)
            choice = Choice("encoder kind", kind, group)
            for _ in range(OBJECTS):
                yield self.object(choice, choice.of(NAMES), product, about, kind, entry["about"])

    def from_services(self):
        for name, description in sentences.rows("services.tsv"):
            choice = Choice("encoder service", name)
            about = f"{name}: {description}"
            yield Sentence(about, about)
            yield Sentence(name, about)
            for _ in range(OBJECTS):
                yield self.object(choice, name, choice.of([description, description, ""]), about)
        for description, asked in sentences.rows("business.tsv"):
            choice = Choice("encoder business", description)
            yield Sentence(description, asked, own=0.6)
            yield Sentence(asked, description, own=0.6)
            for _ in range(OBJECTS):
                yield self.object(choice, choice.of(sentences.CODE_NAMES), description, description)

    def from_lists(self):
        for name, component, description in sentences.rows("software.tsv"):
            choice = Choice("encoder list", name)
            about = f"{name}: {description}"
            yield Sentence(about, about)
            yield Sentence(f"{name} {component}", about)
            for _ in range(OBJECTS):
                yield self.object(choice, name, choice.of([about, description, ""]), about)
        for kind, version, purpose in sentences.rows("kinds.tsv"):
            choice = Choice("encoder listed kind", kind, version)
            about = f"{kind}: {purpose}"
            yield Sentence(f"{kind} {version.rpartition('/')[0]}. {purpose}", about)
            for _ in range(2):
                yield self.object(choice, choice.of(NAMES), "", about, kind, purpose)


def compose():
    """The documents, in a fixed order and each once, and the SHA-256 of the files they were made from."""
    composer, found = Composer(), {}
    for source in (composer.from_software(), composer.from_kinds(), composer.from_services(), composer.from_lists()):
        for sentence in source:
            for part in (sentence, Sentence(sentence.about), Sentence(sentence.scope)):
                if part.text:
                    found.setdefault(part.text, part)
    files = [*catalogue_files(), *(sentences.HERE / name for name in sentences.LISTS)]
    facts = {str(file.resolve().relative_to(ROOT)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    return list(found.values()), facts
