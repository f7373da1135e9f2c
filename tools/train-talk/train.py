"""Trains the tagger that tells talk from what a question asks."""

import argparse
import json
import random
import time
import zlib
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import compose
import network
from compose import ASKS, DESCRIBES, TALK, Composer, labels_of, wrapped
from cut import cut
from units import Text, Vectors

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SEED, BATCH, RATE, WARM, DECAY = 7, 64, 2e-3, 0.05, 1e-4
FOLDS = 5


def loss(weights, batch, key):
    logits = network.forward(weights, batch, key)
    labels = batch["labels"]
    counted = labels >= 0
    cross = jnp.maximum(logits, 0) - logits * labels + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return jnp.where(counted, cross, 0).sum() / counted.sum()


@partial(jax.jit, donate_argnums=0)
def update(state, batch, key, step, rate):
    """A step of Adam, with the weights drawn to zero."""
    value, slopes = jax.value_and_grad(loss)({name: part[0] for name, part in state.items()}, batch, key)
    scale = rate * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    new = {}
    for name, (weight, first, second) in state.items():
        first = 0.9 * first + 0.1 * slopes[name]
        second = 0.999 * second + 0.001 * slopes[name] ** 2
        drawn = 0 if name.endswith("bias") else rate * DECAY * 50 * weight
        new[name] = (weight - scale * first / (jnp.sqrt(second) + 1e-8) - drawn, first, second)
    return new, value


def texts_of(composer, vectors, count, wrappings=None):
    texts = []
    while len(texts) < count:
        text, labels = composer.text(wrappings)
        read = Text(text, vectors)
        if read.units and len(read.units) <= 192:
            texts.append((read, labels_of(read.units, labels)))
    return texts


def train(composer, vectors, count):
    """The weights after so many composed texts, each seen once."""
    state = {name: (value, np.zeros_like(value), np.zeros_like(value))
             for name, value in network.fresh(np.random.default_rng(SEED)).items()}  # fmt: skip
    steps, step, key, begun = count // BATCH, 0, jax.random.key(SEED), time.time()
    mean = None
    while step < steps:
        # Texts of about the same length share a batch.
        some = sorted(texts_of(composer, vectors, BATCH * 16), key=lambda text: len(text[0].units))
        batches = [some[n : n + BATCH] for n in range(0, len(some), BATCH)]
        composer.draw.shuffle(batches)
        for texts in batches:
            step += 1
            rate = RATE * min(step / (WARM * steps), max(0.0, 1 - step / steps) / (1 - WARM))
            batch = network.batch_of([text for text, _ in texts], [labels for _, labels in texts])
            state, value = update(state, batch, jax.random.fold_in(key, step), float(step), rate)
            mean = float(value) if mean is None else 0.98 * mean + 0.02 * float(value)
        print(f"step {step} of {steps}, {time.time() - begun:.0f} s, loss {mean:.4f}", flush=True)
    return {name: np.asarray(part[0]) for name, part in state.items()}


def measure(weights, texts):
    """How often exactly the question is left, how many of its words go, how many of talk stay."""
    exact = lost = asked = stays = said = empty = 0
    worst = []
    for (text, labels), logits in zip(texts, network.logits_of(weights, [text for text, _ in texts])):
        kept = cut(text, logits)
        word = [text.text[begin].isalnum() for begin, _ in text.units]
        gone = [n for n, label in enumerate(labels) if label == ASKS and word[n] and not kept[n]]
        left = [n for n, label in enumerate(labels) if label == TALK and word[n] and kept[n]]
        asks = sum(1 for n, label in enumerate(labels) if label == ASKS and word[n])
        lost, asked = lost + len(gone), asked + asks
        stays, said = stays + len(left), said + sum(1 for n, label in enumerate(labels) if label == TALK and word[n])
        exact += not gone and not left
        empty += asks > 0 and len(gone) > asks / 2
        if gone or left:
            shown = " ".join(
                ("" if kept[n] else "~") + text.text[begin:end] for n, (begin, end) in enumerate(text.units)
            )
            worst.append((len(gone) * 3 + len(left), shown))
    worst.sort(reverse=True)
    share = {
        "exact": exact / len(texts),
        "lost": lost / max(asked, 1),
        "stays": stays / max(said, 1),
        "half lost": empty / len(texts),
    }
    return share, [shown for _, shown in worst]


def reference(weights, vectors):
    """What another reader of the weights must compute."""
    texts = [Text(text, vectors) for text in compose.read(HERE / "reference.txt")]
    lines = []
    for text, logits in zip(texts, network.logits_of(weights, texts)):
        units = zip(text.units, text.sentences, logits)
        units = [[text.text[begin:end], sentence, round(float(logit), 4)] for (begin, end), sentence, logit in units]
        lines.append(json.dumps({"text": text.text, "units": units}, ensure_ascii=False))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def corpus(file):
    return [json.loads(line)["q"] for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def described():
    """What services, programs and types do, from the lists that the embedding table is trained with."""
    lines = [
        line.split("\t")[column]
        for name, column in (("business", 0), ("business", 1), ("services", 1), ("software", 2), ("kinds", 2))
        for line in compose.read(HERE.parent / f"train-embedder/{name}.tsv")
    ]
    return [[(line, DESCRIBES)] for line in dict.fromkeys(lines)]


def fold_of(text):
    return zlib.crc32(text.encode()) % FOLDS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", nargs="+", type=Path, help="labelled questions of corpora (.jsonl)")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--count", type=int, default=96_000, help="texts to compose")
    parser.add_argument("--without", action="append", default=[], help="a corpus to hold out, by a part of its path")
    parser.add_argument("--fold", type=int, help="the fifth of the phrases to hold out")
    parser.add_argument("--show", type=int, default=0, help="how many wrong cuts to print")
    args = parser.parse_args()

    vectors = Vectors(ROOT / "crates/models/data/builtin/encoder.safetensors")
    lines = [line for name in ("phrases.txt", "../evaluate/data/neutral.txt")
             for line in compose.read(HERE / name) if line.count(compose.HOLE) == 1]  # fmt: skip
    phrases = list(dict.fromkeys(lines))
    held = [file for file in args.questions if any(name in str(file) for name in args.without)]
    seen = [wrapped(q) for file in args.questions if file not in held for q in corpus(file)]
    hard = [[(line, ASKS)] for line in compose.read(HERE / "questions.txt")]
    known_hard = [q for q in hard if args.fold is None or fold_of(q[0][0]) != args.fold]
    known = [phrase for phrase in phrases if args.fold is None or fold_of(phrase) != args.fold]
    composer = Composer(known, [seen, known_hard, described()], vectors.words, random.Random(SEED))
    print(f"{len(known)} phrases of {len(phrases)}, {len(seen)} questions and {len(known_hard)} hard ones")
    kept = network.rounded(train(composer, vectors, args.count))
    weights = network.read(kept)

    if args.fold is not None or held:
        others = [phrase for phrase in phrases if phrase not in known] or known
        of_held = [wrapped(q) for file in held for q in corpus(file)]
        of_hard = [q for q in hard if q not in known_hard]
        for name, questions in (("held corpora", of_held), ("held hard ones", of_hard)):
            if not questions:
                continue
            plain = [Text("".join(text for text, _ in q), vectors) for q in questions]
            labels = [labels_of(t.units, [label for text, label in q for _ in text]) for t, q in zip(plain, questions)]
            tests = {"plain": list(zip(plain, labels))}
            draw = Composer(others, [questions], vectors.words, random.Random(SEED))
            draw.kept = composer.kept
            tests["with a phrase"] = texts_of(draw, vectors, 1500, 1)
            tests["with two"] = texts_of(draw, vectors, 500, 2)
            for kind, texts in tests.items():
                share, wrong = measure(weights, texts)
                print(f"{name}, {kind}: " + ", ".join(f"{key} {value:.3f}" for key, value in share.items()))
                print("".join(f"    {shown}\n" for shown in wrong[: args.show]), end="")
    if args.out:
        network.write(args.out, kept)
        args.out.with_suffix(".reference.json").write_text(reference(weights, vectors), encoding="utf-8")


if __name__ == "__main__":
    main()
