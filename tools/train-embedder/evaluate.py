"""Searches a corpus with labelled questions by the table alone and scores it."""

import json
import subprocess
import sys
import tempfile

import yaml

from table import Table
from words import as_words

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
HITS = 20


def purpose(crd):
    """What the schema says about the type."""
    for version in crd["spec"].get("versions", []):
        schema = version.get("schema", {}).get("openAPIV3Schema", {})
        if schema.get("description"):
            return schema["description"]
    return ""


def documents(corpus):
    """Identifier and text of the objects, and of the types."""
    manifests = [
        manifest
        for file in sorted((corpus / "manifests").glob("*.yaml"))
        for manifest in yaml.load_all(file.read_text(encoding="utf-8"), Loader=LOADER)
    ]
    objects, types, purposes = {}, {}, {}
    for crd in manifests:
        if crd["kind"] == "CustomResourceDefinition":
            spec, name = crd["spec"], crd["metadata"]["name"]
            kind = spec["names"]["kind"]
            purposes[kind, spec["group"]] = purpose(crd)
            types[name] = f"{kind} | {name} | {purpose(crd)}"
    for manifest in manifests:
        meta, kind, version = manifest["metadata"], manifest["kind"], manifest["apiVersion"]
        if kind == "CustomResourceDefinition":
            continue
        namespace = meta.get("namespace")
        parts = [f"{kind} {meta['name']}"]
        if namespace:
            parts.append(f"namespace: {namespace}")
        parts.append(f"apiVersion: {version}")
        if meta.get("labels"):
            parts.append("labels: " + ", ".join(f"{k}={v}" for k, v in meta["labels"].items()))
        annotations = meta.get("annotations") or {}
        parts += [str(v) for k, v in annotations.items() if k.endswith("description")]
        about = purposes.get((kind, version.partition("/")[0]))
        if about:
            parts.append(about)
        objects[f"{namespace or '_cluster'}/{version}/{kind}/{meta['name']}"] = " | ".join(parts)
    return {"instances": objects, "types": types}


def evaluate(corpus, encode):
    """What the corpus's own program says about a search with `encode`."""
    questions = [json.loads(line) for line in (corpus / "queries.jsonl").open(encoding="utf-8")]
    found = {}
    for target, texts in documents(corpus).items():
        names = list(texts)
        vectors = encode([as_words(text) for text in texts.values()])
        asked = [q for q in questions if q["target"] == target]
        scores = encode([as_words(q["q"]) for q in asked]) @ vectors.T
        for question, row in zip(asked, scores):
            found[question["id"]] = [names[i] for i in (-row).argsort(kind="stable")[:HITS]]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as run:
        for question in questions:
            run.write(json.dumps({"id": question["id"], "hits": found[question["id"]]}) + "\n")
        run.flush()
        command = [sys.executable, str(corpus / "score"), run.name]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{corpus / 'score'} failed: {done.stderr.strip()}")
    return done.stdout


def check(corpus, folder):
    for part in ("manifests", "queries.jsonl", "score"):
        if not (corpus / part).exists():
            raise SystemExit(f"{corpus} is no corpus: it has no {part}")
    return evaluate(corpus, Table(folder).vectors)
