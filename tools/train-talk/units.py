"""A text as the tagger reads it: its units (words, and marks each on its own), their sentences, and what can be seen of each unit."""

import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import safe_open
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

sys.path.append(str(Path(__file__).parents[1] / "train-embedder"))
from words import as_words, is_digit, is_letter as is_alphabetic  # noqa: E402

MOST = 512  # units that are read
BUCKETS = 4096  # rows that pieces of words share
GRAM = 3  # characters of a piece
MOST_PIECES = 24
JOINERS = "'-_./@"  # between two letters they part no word
ENDS = ".?!;:…。？！；：—–"
ASKS = "?？"
OPENS, CLOSES = "([{<\"“«„`'", ")]}>\"”»`'"
IDEOGRAPHS = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F)]
SEEN = 21
CLASSES = [
    set(line.partition(": ")[2].split())
    for line in (Path(__file__).parents[2] / "crates/models/src/talk/words.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
FLAGS = SEEN + len(CLASSES)


def is_ideograph(char):
    return any(first <= ord(char) <= last for first, last in IDEOGRAPHS)


def is_letter(char):
    return (is_alphabetic(char) or is_digit(char)) and not is_ideograph(char)


def units_of(text):
    """Where the units of a text begin and end."""
    found, at = [], 0
    while at < len(text) and len(found) < MOST:
        char, end = text[at], at + 1
        if char.isspace():
            at = end
            continue
        if is_letter(char):
            while end < len(text) and (
                is_letter(text[end])
                or text[end] in JOINERS and is_letter(text[end - 1]) and end + 1 < len(text) and is_letter(text[end + 1])
            ):
                end += 1
        elif not is_ideograph(char):
            while end < len(text) and text[end] == char:
                end += 1
        found.append((at, end))
        at = end
    return found


def is_word(unit):
    return is_letter(unit[0]) or is_ideograph(unit[0])


def sentences_of(text, units):
    """The number of each unit's sentence."""
    numbers, number = [], 0
    for n, (begin, end) in enumerate(units):
        if n and "\n" in text[units[n - 1][1] : begin]:
            number += bool(numbers[-1] == number)
        numbers.append(number)
        parts = text[begin] in ENDS and (end == len(text) or text[end].isspace() or ord(text[begin]) > 127)
        number += parts
    return numbers


class Vectors:
    """Vectors of words, from the table of documents inside the binary."""

    def __init__(self, file):
        with safe_open(file, "np") as tensors:
            rows, scale = tensors.get_tensor("document.table"), tensors.get_tensor("document.table.scale")
            tokens = bytes(tensors.get_tensor("document.vocabulary")).decode().split("\n")
        self.rows = rows.astype(np.float32) * scale[:, None]
        vocabulary = {token: number for number, token in enumerate(tokens)}
        self.unknown = vocabulary["[UNK]"]
        self.words = [token for token in tokens if token.isascii() and token.isalpha() and token.islower()]
        self.tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
        self.tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        self.tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self.of = lru_cache(maxsize=None)(self._of)

    def _of(self, word):
        ids = [i for i in self.tokenizer.encode(as_words(word), add_special_tokens=False).ids if i != self.unknown]
        total = self.rows[ids].sum(0) if ids else np.zeros(self.rows.shape[1], np.float32)
        length = np.sqrt((total**2).sum())
        return total / length if length > 0 else total


def fnv(data):
    number = 0x811C9DC5
    for byte in data:
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return number


@lru_cache(maxsize=None)
def pieces_of(unit):
    """The rows of a unit: itself and its runs of three characters, with "<" before and ">" behind."""
    low = f"<{unit.lower()}>"
    runs = [low] + [low[n : n + GRAM] for n in range(len(low) - GRAM + 1)]
    return [fnv(run.encode()) % BUCKETS for run in runs[:MOST_PIECES]]


def flags_of(text, units, numbers):
    """What can be seen of each unit, as numbers from 0 to 1."""
    count = len(units)
    flags = np.zeros((count, FLAGS), np.float32)
    asks = {number for (begin, _), number in zip(units, numbers) if text[begin] in ASKS}
    for n, (begin, end) in enumerate(units):
        unit = text[begin:end]
        word = is_word(unit)
        first = n == 0 or numbers[n - 1] != numbers[n]
        last = n + 1 == count or numbers[n + 1] != numbers[n]
        low = unit.lower().replace("’", "'")
        flags[n] = (
            word,
            unit[0].isupper(),
            len(unit) > 1 and unit.upper() == unit and unit.lower() != unit,
            any(is_digit(char) for char in unit),
            word and any(char in JOINERS[1:] for char in unit),
            unit[0] in ENDS,
            unit[0] in ASKS,
            unit[0] in ",，、",
            unit[0] in OPENS,
            unit[0] in CLOSES,
            n > 0 and "\n" in text[units[n - 1][1] : begin],
            n == 0 or units[n - 1][1] < begin,
            not unit.isascii(),
            first,
            last,
            numbers[n] == 0,
            numbers[n] == numbers[-1],
            numbers[n] in asks,
            bool(asks),
            1 / (1 + n),
            1 / (count - n),
            *(low in words for words in CLASSES),
        )
    return flags


class Text:
    """A text, ready for the network."""

    def __init__(self, text, vectors):
        self.text, self.units = text, units_of(text)
        self.sentences = sentences_of(text, self.units)
        words = [text[begin:end] for begin, end in self.units]
        self.vectors = np.array([vectors.of(word) for word in words]).reshape(len(words), -1)
        self.pieces = [pieces_of(word) for word in words]
        self.flags = flags_of(text, self.units, self.sentences)
