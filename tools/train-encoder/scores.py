"""Scores an order of documents against labelled questions."""

from collections import defaultdict

import numpy as np

HITS = 10


def gain(grade):
    return 2.0**grade - 1


def ndcg(grades, order):
    discount = 1 / np.log2(np.arange(2, HITS + 2))
    found = gain(np.array([grades[i] for i in order[:HITS]]))
    best = gain(np.sort(grades)[::-1][:HITS])
    return (found * discount[: len(found)]).sum() / (best * discount[: len(best)]).sum()


def auc(right, wrong):
    """How often a value of `right` is above one of `wrong`."""
    pairs = np.subtract.outer(np.asarray(right), np.asarray(wrong))
    return float(((pairs > 0) + 0.5 * (pairs == 0)).mean()) if pairs.size else float("nan")


def score(corpus, similarity):
    """nDCG@10 of every answerable question and the highest similarity of all: `similarity` [questions, documents]."""
    values, highest = [], []
    for row, question in enumerate(corpus.questions):
        allowed = np.flatnonzero(corpus.allowed[row])
        near = similarity[row, allowed]
        highest.append(near.max())
        grades = corpus.grades[row, allowed]
        if grades.any():
            values.append((question["set"], question["class"], ndcg(grades, (-near).argsort(kind="stable"))))
    none = np.array([question["class"] == "none" for question in corpus.questions])
    highest = np.array(highest)
    return values, auc(highest[~none], highest[none])


def table(columns):
    """Means by set and class; `columns` maps a name to the values of `score`."""
    lines, groups = [], defaultdict(list)
    names = list(columns)
    for row in zip(*columns.values()):
        of, kind, _ = row[0]
        groups[of, kind].append([value for *_, value in row])
        groups[of, "ALL"].append([value for *_, value in row])
    lines.append(f"{'set':10} {'class':11} {'n':>4}  " + "  ".join(f"{name:>9}" for name in names))
    for (of, kind), rows in sorted(groups.items()):
        means = "  ".join(f"{mean:9.3f}" for mean in np.mean(rows, 0))
        lines.append(f"{of:10} {kind:11} {len(rows):4}  {means}")
    return "\n".join(lines)
