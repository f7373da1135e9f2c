"""Trains the table: after training, the mean of a text's token rows lies towards
others as the teacher's vector of that text does."""

import argparse
import json
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from tokenizers import Tokenizer

import evaluate
import inputs
import table

SEED = 7
DIMENSIONS = 256
EPOCHS, BATCH, RATE = 6, 512, 3e-3
FREQUENT = 1e-4  # a in a/(a+p): how far the start plays frequent tokens down
# What a sentence is drawn to: the teacher's vectors of itself, of what it is about and
# of its place. The form of an object line says little, and the teacher is misled by it.
ABOUT, SCOPE = 0.6, 0.2
TEMPERATURE, CONTRAST, SIMILARITY = 0.05, 0.3, 3.0
BUILT_IN = Path(__file__).parents[2] / "crates" / "models" / "data" / "builtin"


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-8)


def drawn_to(sentences, vectors):
    """The teacher's vectors blended; every `about` and `scope` is a sentence itself."""
    row = {sentence.text: i for i, sentence in enumerate(sentences)}
    goals = np.array([s.own for s in sentences], np.float32)[:, None] * vectors
    for i, sentence in enumerate(sentences):
        if sentence.about:
            goals[i] += ABOUT * vectors[row[sentence.about]]
        if sentence.scope:
            goals[i] += SCOPE * vectors[row[sentence.scope]]
    return unit(goals)


def principal_axes(vectors):
    """The directions that hold most of the vectors. The middle is not taken off: the
    cosines would no longer be the teacher's."""
    _, axes = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    return axes[:, ::-1][:, :DIMENSIONS].astype(np.float32)


def first_rows(tokens, axes, rare):
    """The teacher's vector of each token alone, smaller the more frequent it is;
    the vocabulary stands in the order of frequency but for some rare words."""
    share = 1 / np.arange(2, len(tokens) + 2)
    share /= share.sum()
    share[rare] = share[-1]
    return (tokens @ axes * (FREQUENT / (FREQUENT + share))[:, None]).astype(np.float32)


def loss(rows, ids, mask, goal):
    mean = (rows[ids] * mask[..., None]).sum(1) / jnp.maximum(mask.sum(1), 1)[:, None]
    mine = mean / jnp.maximum(jnp.linalg.norm(mean, axis=1, keepdims=True), 1e-8)
    near = (mine * goal).sum(1)
    across = mine @ goal.T / TEMPERATURE
    contrast = jax.nn.logsumexp(across, axis=1) - jnp.diag(across)
    similarity = ((mine @ mine.T - goal @ goal.T) ** 2).mean()
    return (1 - near).mean() + CONTRAST * contrast.mean() + SIMILARITY * similarity


@jax.jit
def step(rows, first, second, counts, ids, mask, goal):
    """One step of Adam."""
    value, slope = jax.value_and_grad(loss)(rows, ids, mask, goal)
    counts = counts + 1
    first = 0.9 * first + 0.1 * slope
    second = 0.999 * second + 0.001 * slope**2
    scale = jnp.sqrt(1 - 0.999**counts) / (1 - 0.9**counts)
    rows = rows - RATE * scale * first / (jnp.sqrt(second) + 1e-8)
    return rows, first, second, counts, value


def train(rows, ids, goals):
    """Rows that are not in a batch stand still, momentum or not: a rare word would go far
    astray after each of the few sentences it stands in."""
    rows = rows.copy()
    state = [rows, np.zeros_like(rows), np.zeros_like(rows), np.zeros((len(rows), 1), np.float32)]
    draw = np.random.default_rng(SEED)
    for epoch in range(EPOCHS):
        total, order = 0.0, draw.permutation(len(ids))
        batches = np.array_split(order, len(ids) // BATCH)
        for batch in batches:
            batch = batch[: len(ids) // len(batches)]  # one shape for all
            width = -(-max(len(ids[i]) for i in batch) // 32) * 32
            padded = np.zeros((len(batch), width), np.int32)
            mask = np.zeros((len(batch), width), np.float32)
            for row, i in enumerate(batch):
                padded[row, : len(ids[i])] = ids[i]
                mask[row, : len(ids[i])] = 1
            met, places = np.unique(padded, return_inverse=True)
            spare = -len(met) % 1024  # few shapes
            local = [np.pad(part[met], ((0, spare), (0, 0))) for part in state]
            places = places.reshape(padded.shape).astype(np.int32)
            *local, value = step(*local, places, mask, goals[batch])
            for part, new in zip(state, local):
                part[met] = np.asarray(new)[: len(met)]
            total += float(value)
        print(f"epoch {epoch + 1}: loss {total / len(batches):.4f}", flush=True)
    return rows


def build(folder, keep_lock):
    begin = time.monotonic()
    sentences, new, teacher, facts = inputs.gather()
    texts = [sentence.text for sentence in sentences]
    inputs.compare(facts)
    print(f"{len(texts)} sentences: {facts['sentences']['from']}", flush=True)
    vectors = inputs.remembered(teacher, texts, facts["teacher wheel"]["sha256"], inputs.cache_folder())
    goals = drawn_to(sentences, vectors)
    axes = principal_axes(goals)
    goals = unit(goals @ axes)
    vocabulary, tokens = teacher.vocabulary(), teacher.token_vectors()
    free = table.free_places(vocabulary)
    for place, word, vector in zip(free, new, teacher.vectors(new), strict=True):
        vocabulary[place], tokens[place] = word, vector
    rows = first_rows(tokens, axes, free)
    print(f"teacher done after {time.monotonic() - begin:.0f} s", flush=True)

    tokenizer_json = table.compact_tokenizer(teacher.tokenizer_json, vocabulary)
    tokenizer = Tokenizer.from_str(json.dumps(tokenizer_json))
    unknown = tokenizer.token_to_id("[UNK]")
    ids = [[i for i in e.ids if i != unknown] for e in tokenizer.encode_batch(texts)]
    table.save(folder, tokenizer_json, train(rows, ids, goals))
    if not keep_lock:
        inputs.save_lock(facts)
    print(f"{folder} written after {time.monotonic() - begin:.0f} s", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="score the table, train nothing")
    arguments.add_argument("--out", type=Path, help="write there, not over the committed table")
    arguments.add_argument("corpus", type=Path, nargs="?", help="folder with labelled questions")
    given = arguments.parse_args()
    if given.check and not given.corpus:
        arguments.error("--check needs the folder of a corpus")
    folder = given.out or BUILT_IN
    if not given.check:
        build(folder, keep_lock=given.out is not None)
    if given.corpus:
        print(evaluate.check(given.corpus, folder), end="")


if __name__ == "__main__":
    main()
