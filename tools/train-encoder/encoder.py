"""The encoder: a transformer for questions, a table for documents, and the file both are kept in."""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save as save_tensors
from safetensors import safe_open
from tokenizers import Tokenizer

sys.path.append(str(Path(__file__).parents[1] / "train-embedder"))
from words import as_words  # noqa: E402

FORMAT = "clusterlore-encoder-1"
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
DIMENSIONS, POSITIONS = 256, 64
LONGEST_QUESTION = 40  # tokens, with the two that stand around them
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
# The matrices of a layer as the file names them, and as BERT does.
MATRICES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention": "attention.output.dense",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
}
NORMS = {"attention.norm": "attention.output.LayerNorm", "output.norm": "output.LayerNorm"}


def question_weights(base, kept, axes):
    """The question tower at the start: `base` is MiniLM, of whose words only the rows `kept` remain; its output is
    turned onto `axes` [384, DIMENSIONS]."""
    positions = base["embeddings.position_embeddings.weight"][:POSITIONS]
    weights = {
        "question.words": base["embeddings.word_embeddings.weight"][kept],
        "question.positions": positions + base["embeddings.token_type_embeddings.weight"][0],
        "question.norm.weight": base["embeddings.LayerNorm.weight"],
        "question.norm.bias": base["embeddings.LayerNorm.bias"],
        "question.projection": axes.T,
    }
    for layer in range(LAYERS):
        ours, theirs = f"question.layer.{layer}.", f"encoder.layer.{layer}."
        for name, of in MATRICES.items():
            weights[ours + name] = base[f"{theirs}{of}.weight"]
            weights[f"{ours}{name}.bias"] = base[f"{theirs}{of}.bias"]
        for name, of in NORMS.items():
            for part in ("weight", "bias"):
                weights[f"{ours}{name}.{part}"] = base[f"{theirs}{of}.{part}"]
    return {name: np.array(value, np.float32) for name, value in weights.items()}


def unit(vectors):
    """Rows of length 1; a row of zeros stays."""
    return vectors / jnp.sqrt((vectors**2).sum(-1, keepdims=True) + 1e-12)


def forward(weights, words, mask, dropout=None):
    """Unit vectors [rows, DIMENSIONS] of questions: `words` [rows, width, 384] are their tokens' rows of
    `question.words`, `mask` [rows, width] is 0 behind the end. `dropout` is a random key and a rate, in training."""
    rows, width, _ = words.shape

    def linear(name, x):
        return x @ weights[name].T + weights[name + ".bias"]

    def norm(name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / jnp.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)
        return x * weights[name + ".weight"] + weights[name + ".bias"]

    def thinned(x, place):
        if dropout is None:
            return x
        key, rate = dropout
        kept = jax.random.bernoulli(jax.random.fold_in(key, place), 1 - rate, x.shape)
        return jnp.where(kept, x / (1 - rate), 0)

    x = thinned(norm("question.norm", words + weights["question.positions"][:width]), 0)
    hidden = (1 - mask)[:, None, None, :] * -1e9
    for layer in range(LAYERS):
        at = f"question.layer.{layer}."
        query, key, value = (
            linear(at + part, x).reshape(rows, width, HEADS, -1) for part in ("query", "key", "value")
        )
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / np.sqrt(query.shape[-1])
        mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores + hidden), value)
        mixed = linear(at + "attention", mixed.reshape(x.shape))
        x = norm(at + "attention.norm", x + thinned(mixed, 2 * layer + 1))
        inner = jax.nn.gelu(linear(at + "intermediate", x), approximate=False)
        x = norm(at + "output.norm", x + thinned(linear(at + "output", inner), 2 * layer + 2))
    mean = (x * mask[..., None]).sum(1) / mask.sum(1)[:, None]
    return unit(mean @ weights["question.projection"].T)


frozen_forward = jax.jit(forward)


def padded(ids, size=None):
    """Token numbers as a rectangle whose width is a multiple of 8, and its mask; `size` rows, where given."""
    width = -(-max(map(len, ids)) // 8) * 8
    out = np.zeros((size or len(ids), width), np.int32)
    mask = np.zeros(out.shape, np.float32)
    mask[:, 0] = 1  # rows without a text: only to keep the shape
    for row, tokens in enumerate(ids):
        out[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return out, mask


class Tokens:
    """Splits texts into the numbers of their tokens. `pattern` is a tokenizer file whose vocabulary is replaced."""

    def __init__(self, pattern, vocabulary):
        self.vocabulary = vocabulary
        words = {token: i for i, token in enumerate(vocabulary)}
        self.unknown = words["[UNK]"]
        parts = {"truncation": None, "padding": None, "added_tokens": [], "post_processor": None, "decoder": None}
        parts |= {name: pattern[name] for name in ("version", "normalizer", "pre_tokenizer")}
        parts["model"] = {**pattern["model"], "vocab": words}
        self.tokenizer = Tokenizer.from_str(json.dumps(parts))

    def split(self, texts):
        return [encoding.ids for encoding in self.tokenizer.encode_batch([as_words(text) for text in texts])]

    def of_questions(self, texts):
        """With [CLS] and [SEP] around them."""
        begin, end = SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")
        return [[begin, *ids[: LONGEST_QUESTION - 2], end] for ids in self.split(texts)]

    def of_documents(self, texts):
        """Without what is unknown."""
        return [[i for i in ids if i != self.unknown] for ids in self.split(texts)]


class Encoder:
    """Both towers, ready to be asked."""

    def __init__(self, weights, question_tokens, document_tokens, scale, offset):
        self.weights = {n: v for n, v in weights.items() if n not in ("question.words", "document.table")}
        self.words, self.table = weights["question.words"], weights["document.table"]
        self.question_tokens, self.document_tokens = question_tokens, document_tokens
        self.scale, self.offset = scale, offset

    def questions(self, texts):
        ids = self.question_tokens.of_questions(texts)
        out = np.zeros((len(ids), DIMENSIONS), np.float32)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for start in range(0, len(order), 32):
            chosen = order[start : start + 32]
            tokens, mask = padded([ids[i] for i in chosen], 32)
            out[chosen] = np.asarray(frozen_forward(self.weights, self.words[tokens], mask))[: len(chosen)]
        return out

    def documents(self, texts):
        out = np.zeros((len(texts), DIMENSIONS), np.float32)
        for row, ids in enumerate(self.document_tokens.of_documents(texts)):
            if ids:
                total = self.table[ids].sum(0)
                out[row] = total / max(np.linalg.norm(total), 1e-8)
        return out

    def probabilities(self, questions, documents):
        return 1 / (1 + np.exp(-(self.scale * questions @ documents.T + self.offset)))


def is_map(name):
    """Whether a matrix is kept as [inputs, outputs], the transpose of how it is trained."""
    return name.startswith("question.layer.") or name == "question.projection"


def save(file, encoder):
    """Matrices as 8-bit numbers with one scale for each row or output, the rest as it is. What each tensor is, says
    `crates/models/src/encoder`."""
    tensors = {}
    weights = encoder.weights | {"question.words": encoder.words, "document.table": encoder.table}
    for name, value in weights.items():
        if value.ndim == 2 and name != "question.positions":
            scales = np.abs(value).max(1) / 127
            rows = np.round(value / np.maximum(scales, 1e-12)[:, None]).astype(np.int8)
            tensors[name] = np.ascontiguousarray(rows.T) if is_map(name) else rows
            tensors[name + ".scale"] = scales.astype(np.float32)
        else:
            tensors[name] = value.astype(np.float32)
    for name, tokens in (("question", encoder.question_tokens), ("document", encoder.document_tokens)):
        tensors[name + ".vocabulary"] = np.frombuffer("\n".join(tokens.vocabulary).encode(), np.uint8)
    facts = {"format": FORMAT, "layers": str(LAYERS), "heads": str(HEADS)}
    facts |= {"a": f"{encoder.scale:.6g}", "c": f"{encoder.offset:.6g}"}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    partial.write_bytes(save_tensors(tensors, facts))
    partial.replace(file)


def load(file, pattern):
    """The encoder as a reader of the file has it; `pattern` is a tokenizer's file."""
    with safe_open(file, "np") as opened:
        facts = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    if facts.get("format") != FORMAT:
        raise SystemExit(f"{file} is no encoder: its format is {facts.get('format')!r}, expected {FORMAT!r}")
    questions, documents = (
        Tokens(pattern, tensors.pop(name + ".vocabulary").tobytes().decode().split("\n"))
        for name in ("question", "document")
    )
    weights = {}
    for name, value in tensors.items():
        if value.dtype == np.int8:
            rows = value.T if is_map(name) else value
            weights[name] = rows * tensors[name + ".scale"][:, None]
        elif not name.endswith(".scale"):
            weights[name] = value
    return Encoder(weights, questions, documents, float(facts["a"]), float(facts["c"]))
