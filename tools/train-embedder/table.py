"""The Model2Vec files: what is written, and how a text becomes a vector from them."""

import json

import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import save as save_tensors
from tokenizers import Tokenizer


def free_places(vocabulary):
    """The word pieces that no English text has: the unused ones, and other scripts."""
    return [i for i, w in enumerate(vocabulary) if w.startswith("[unused") or not w.isascii()]


def compact_tokenizer(teacher_json, vocabulary):
    """The teacher's tokenizer with this vocabulary, without what belongs to a
    transformer: no special tokens around a text, no truncation, no padding."""
    model = teacher_json["model"]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": teacher_json["normalizer"],
        "pre_tokenizer": teacher_json["pre_tokenizer"],
        "post_processor": None,
        "decoder": None,
        "model": {key: model[key] for key in sorted(model) if key != "vocab"}
        | {"vocab": {word: i for i, word in enumerate(vocabulary)}},
    }


def quantized(table):
    """Each row as 8-bit numbers, and the step between them as the token's weight."""
    steps = np.abs(table).max(1) / 127
    rows = np.round(table / np.maximum(steps, 1e-12)[:, None])
    return rows.astype(np.int8), steps.astype(np.float32)


def save(folder, tokenizer, table):
    folder.mkdir(parents=True, exist_ok=True)
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, **compact), encoding="utf-8")
    rows, steps = quantized(table)
    # Not save_file: it makes the file readable for its owner only.
    tensors = save_tensors({"embeddings": rows, "weights": steps})
    (folder / "model.safetensors").write_bytes(tensors)
    config = {"model_type": "model2vec", "hidden_dim": table.shape[1], "normalize": True}
    (folder / "config.json").write_text(json.dumps(config) + "\n")


class Table:
    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tensors = load_file(folder / "model.safetensors")
        self.rows = tensors["embeddings"] * tensors["weights"][:, None]
        self.unknown = self.tokenizer.token_to_id("[UNK]")

    def vectors(self, texts):
        """One unit vector for each text; zeros where no word is known."""
        out = np.zeros((len(texts), self.rows.shape[1]), np.float32)
        for row, encoding in enumerate(self.tokenizer.encode_batch(texts)):
            ids = [i for i in encoding.ids if i != self.unknown]
            if ids:
                mean = self.rows[ids].mean(0)
                out[row] = mean / max(np.linalg.norm(mean), 1e-12)
        return out
