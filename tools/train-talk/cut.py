"""What is left of a text, as crates/search/src/query/sentences.rs decides it: to measure with."""

MOST, BIAS, MIDDLE = 6.0, 0.5, -3.0


def cut(text, logits):
    """Which units stay."""
    worth = [max(-MOST, min(MOST, float(logit) + BIAS)) for logit in logits]
    best, start, end, total, begin = None, 0, 0, 0.0, 0
    for n, number in enumerate(worth):
        if total <= 0:
            total, begin = 0.0, n
        total += number
        if best is None or total > best:
            best, start, end = total, begin, n + 1
    kept = [start <= n < end for n in range(len(worth))]
    for sentence in set(text.sentences):
        inside = [n for n in range(start, end) if text.sentences[n] == sentence]
        whole = all(start <= n < end for n, other in enumerate(text.sentences) if other == sentence)
        if whole and sum(worth[n] for n in inside) < MIDDLE:
            for n in inside:
                kept[n] = False
    return kept
