"""The network: for each unit of a text, how probably it is part of the question; and the file it is kept in."""

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save

from units import BUCKETS, FLAGS, MOST_PIECES

FORMAT = "clusterlore-talk-1"
DIMENSIONS, PIECE, WIDTH, SPAN = 256, 16, 56, 5
DILATIONS = (1, 2, 4, 8)
POOLED = 2  # behind so many layers each unit learns of the most that any other shows


def fresh(rng):
    """Weights to begin with."""

    def map_of(inputs, outputs):
        return (rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32)

    weights = {
        "pieces": (rng.standard_normal((BUCKETS, PIECE)) * 0.3).astype(np.float32),
        "input": map_of(DIMENSIONS + PIECE + FLAGS, WIDTH),
        "all": map_of(2 * WIDTH, WIDTH) * 0.7,
        "last": map_of(WIDTH, WIDTH),
        "output": map_of(WIDTH, 1),
    }
    # Vectors have length 1: their numbers are small.
    weights["input"][:DIMENSIONS] *= 6
    for layer in range(len(DILATIONS)):
        weights[f"layer.{layer}"] = map_of(SPAN * WIDTH, WIDTH) * 0.7
    for name in [name for name in weights if name != "pieces"]:
        weights[name + ".bias"] = np.zeros(weights[name].shape[1], np.float32)
    return weights


def forward(weights, batch, dropout=None):
    """Logits [texts, units]. `dropout` is a random key and a rate, in training."""
    mask = batch["mask"][..., None]

    def thinned(x, place, rate, whole=False):
        if dropout is None:
            return x
        shape = (*x.shape[:-1], 1) if whole else x.shape
        kept = jax.random.bernoulli(jax.random.fold_in(dropout, place), 1 - rate, shape)
        return jnp.where(kept, x / (1 - rate), 0)

    def linear(name, x):
        return x @ weights[name] + weights[name + ".bias"]

    pieces = (weights["pieces"][batch["pieces"]] * batch["weights"][..., None]).sum(-2)
    x = jnp.concatenate(
        [thinned(batch["vectors"], 0, 0.1, True), thinned(pieces, 1, 0.2, True), batch["flags"]], -1
    )
    x = jax.nn.relu(linear("input", x)) * mask
    for layer, dilation in enumerate(DILATIONS):
        if layer == POOLED:
            most = jnp.broadcast_to(x.max(1, keepdims=True), x.shape)
            x = (x + jax.nn.relu(linear("all", thinned(jnp.concatenate([x, most], -1), 9, 0.15)))) * mask
        reach = SPAN // 2 * dilation
        padded = jnp.pad(thinned(x, 2 + layer, 0.1), ((0, 0), (reach, reach), (0, 0)))
        around = [padded[:, n * dilation : n * dilation + x.shape[1]] for n in range(SPAN)]
        x = (x + jax.nn.relu(linear(f"layer.{layer}", jnp.concatenate(around, -1)))) * mask
    x = jax.nn.relu(linear("last", x))
    return linear("output", x)[..., 0]


predict = jax.jit(forward)


def batch_of(texts, labels=None):
    """Texts as rectangles whose width is a multiple of 16."""
    width = -(-max(len(text.units) for text in texts) // 16) * 16
    shape = (len(texts), width)
    batch = {
        "vectors": np.zeros((*shape, DIMENSIONS), np.float32),
        "pieces": np.zeros((*shape, MOST_PIECES), np.int32),
        "weights": np.zeros((*shape, MOST_PIECES), np.float32),
        "flags": np.zeros((*shape, FLAGS), np.float32),
        "mask": np.zeros(shape, np.float32),
        "labels": np.full(shape, -1, np.float32),
    }
    for row, text in enumerate(texts):
        count = len(text.units)
        batch["vectors"][row, :count], batch["flags"][row, :count], batch["mask"][row, :count] = text.vectors, text.flags, 1
        for n, pieces in enumerate(text.pieces):
            batch["pieces"][row, n, : len(pieces)] = pieces
            batch["weights"][row, n, : len(pieces)] = 1 / len(pieces)
        if labels is not None:
            batch["labels"][row, :count] = labels[row]
    return batch


def logits_of(weights, texts):
    """For each text, the logits of its units."""
    found = []
    for begin in range(0, len(texts), 64):
        some = texts[begin : begin + 64]
        out = np.asarray(predict(weights, batch_of(some)))
        found += [row[: len(text.units)] for row, text in zip(out, some)]
    return found


def rounded(weights):
    """Weights as the file keeps them: of the pieces, whole numbers and a factor for each row."""
    scale = np.abs(weights["pieces"]).max(1) / 127
    values = np.rint(weights["pieces"] / scale[:, None]).astype(np.int8)
    rest = {name: np.asarray(value, np.float32) for name, value in weights.items() if name != "pieces"}
    return {**rest, "pieces": values, "pieces.scale": scale.astype(np.float32)}


def read(kept):
    """The weights of such a file, to compute with."""
    rest = {name: value for name, value in kept.items() if not name.startswith("pieces")}
    return {**rest, "pieces": kept["pieces"].astype(np.float32) * kept["pieces.scale"][:, None]}


def write(file, kept):
    file.write_bytes(save(kept, {"format": FORMAT}))
