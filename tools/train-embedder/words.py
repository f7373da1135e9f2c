"""Splits text into the words that are embedded, in training as at run time.

The program has the same rule in Rust; `words.tsv` holds the cases both must
meet. `python words.py` checks this side.
"""

import unicodedata
from pathlib import Path

# These belong to the word before them: MongoDB, PostgreSQL, GraphQL, RabbitMQ.
ATTACHED = {"DB", "SQL", "QL", "MQ"}
# A number leaves the word before it only when that word is long enough to be
# one of its own: postgres14, but not k8s, x509 or ipv4.
LONG_WORD = 4


def is_digit(char):
    return unicodedata.category(char)[0] == "N"


def is_letter(char):
    return unicodedata.category(char)[0] == "L"


def acronym_at(run, start):
    """The upper-case letters from `start`, without the one that opens the next word."""
    end = start
    while end < len(run) and run[end].isupper():
        end += 1
    if end < len(run) and run[end].islower():
        end -= 1
    return run[start:end]


def boundaries(run):
    """The positions in a run of letters and digits before which a new word begins."""
    found = [0]
    letters = 1 if is_letter(run[0]) else 0  # without a digit or boundary between
    after_number = False  # the digits before this position stand on their own
    for i in range(1, len(run)):
        char, before = run[i], run[i - 1]
        cut = False
        if char.isupper():
            if before.islower() or is_digit(before):
                cut = acronym_at(run, i) not in ATTACHED
            elif before.isupper() and i + 1 < len(run) and run[i + 1].islower():
                plural = run[i + 1 :] == "s"
                cut = i - found[-1] >= 2 and not plural
        if is_digit(char):
            if not is_digit(before):
                after_number = letters >= LONG_WORD
                cut = after_number
        elif is_digit(before):
            cut = cut or after_number
            after_number = False
        if cut:
            found.append(i)
        if is_letter(char):
            letters = 1 if cut or is_digit(before) else letters + 1
        else:
            letters = 0
    return found


def split_words(text):
    """The lower-cased words of `text`, in order."""
    words, run = [], ""
    for char in text + " ":
        if is_letter(char) or is_digit(char):
            run += char
        elif run:
            cuts = boundaries(run) + [len(run)]
            words += [run[a:b].lower() for a, b in zip(cuts, cuts[1:])]
            run = ""
    return words


def as_words(text):
    """What the embedder receives for `text`."""
    return " ".join(split_words(text))


def check():
    cases = Path(__file__).with_name("words.tsv").read_text(encoding="utf-8").splitlines()
    wrong = 0
    for line in cases:
        given, expected = line.split("\t")
        got = as_words(given)
        if got != expected:
            wrong += 1
            print(f"{given!r}: expected {expected!r}, got {got!r}")
    if wrong:
        raise SystemExit(f"{wrong} of {len(cases)} cases in words.tsv fail")
    print(f"{len(cases)} cases in words.tsv hold")


if __name__ == "__main__":
    check()
