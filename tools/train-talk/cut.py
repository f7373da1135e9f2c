"""What is left of a text, as crates/search/src/query/sentences.rs decides it: to measure with."""

from units import is_word

MOST, DOUBT, CUT, BETWEEN = 6.0, 1.0, (1.0, 2.0), -3.0


def cost(text, n):
    """What a cut before a unit costs."""
    if n in (0, len(text.units)):
        return 0.0
    (start, before), (after, end) = text.units[n - 1], text.units[n]
    words = is_word(text.text[start:before]) and is_word(text.text[after:end])
    inside = words and text.sentences[n - 1] == text.sentences[n] and "\n" not in text.text[before:after]
    return CUT[inside]


def cut(text, logits):
    """Which units stay."""
    worth = [max(-MOST, min(MOST, float(logit))) + DOUBT for logit in logits]
    best, start, end, total, begin = None, 0, 0, float("-inf"), 0
    for n, number in enumerate(worth):
        if -cost(text, n) > total:
            total, begin = -cost(text, n), n
        total += number
        if best is None or total - cost(text, n + 1) > best:
            best, start, end = total - cost(text, n + 1), begin, n + 1
    kept = [start <= n < end for n in range(len(worth))]
    for sentence in set(text.sentences):
        inside = [n for n, other in enumerate(text.sentences) if other == sentence]
        if all(kept[n] for n in inside) and sum(worth[n] for n in inside) < BETWEEN:
            for n in inside:
                kept[n] = False
    return kept
