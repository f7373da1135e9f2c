"""Trains the encoder: a document's vector lies towards those of the questions that it answers."""

import argparse
import json
import random
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "train-embedder"))

import compose  # noqa: E402
import encoder  # noqa: E402
import scores  # noqa: E402
from corpus import Corpus  # noqa: E402
from encoder import DIMENSIONS, unit  # noqa: E402
from start import Start, adam, counts_of, places_of  # noqa: E402
from words import as_words  # noqa: E402

SEED = 7
EPOCHS, QUESTIONS = 8, 8  # questions a step
POOL = 192  # composed documents a step, which keep the words that no corpus has in their place
RATES = {"question": 2e-5, "projection": 1e-4, "table": 5e-4, "line": 2e-2}
WARM = 0.1  # the part of the steps in which the rates rise; after it they fall to 0
DROPOUT, WORDS_DROPPED = 0.1, 0.1
HARD, CROSS, KEPT = 22, 2.5, 2.0  # wrong documents in the cross-entropy, its weight, the weight of distillation
SCALE, OFFSET = 15.0, -6.0
BEFORE = (
    "can you tell me", "please show me", "hi, quick question:", "I need to know", "do we have", "where is",
    "which of our things is", "hey", "could you find", "for the audit:", "I am new here,", "what is",
)  # fmt: skip
AFTER = (
    "please", "thanks", "in our cluster", "if there is one", "and where does it run", "asap", "?", "again",
    "I forgot", "that we run", "today",
)  # fmt: skip
VARIED = 0.4  # the part of the questions that get a phrase before or after


class Bench:
    """A corpus ready for training: its documents' tokens and goals."""

    def __init__(self, corpus, question_tokens, document_tokens, goals):
        self.corpus, self.tokens, self.goals = corpus, question_tokens, goals
        self.ids = document_tokens.of_documents(corpus.texts())

    def varied(self, row, draw):
        text = draw.choice(self.corpus.forms(row))
        if draw.random() < VARIED:
            text = f"{draw.choice(BEFORE)} {text}" if draw.random() < 0.5 else f"{text} {draw.choice(AFTER)}"
        (ids,) = self.tokens.of_questions([text])
        kept = [token for token in ids[1:-1] if draw.random() > WORDS_DROPPED]
        return [ids[0], *(kept or ids[1:-1]), ids[-1]]


def loss(weights, line, rows, batch, key):
    questions = encoder.forward(weights, batch["words"], batch["mask"], (key, DROPOUT))
    documents = unit(batch["counts"] @ rows)
    logits = line[0] * questions @ documents[: batch["allowed"].shape[1]].T + line[1]
    allowed, gains = batch["allowed"], batch["gains"]
    # One more candidate stands for "nothing fits".
    nothing = jnp.zeros((len(logits), 1))
    spread = jnp.concatenate([jnp.where(allowed, logits, -1e9), nothing], 1)
    share = jnp.concatenate([gains, 1.0 * (gains.sum(1, keepdims=True) == 0)], 1)
    share = share / share.sum(1, keepdims=True)
    listwise = -(share * jax.nn.log_softmax(spread)).sum(1).mean()
    # The right documents, and the wrong ones that are nearest.
    wrong = jnp.where(allowed & (gains == 0), logits, -1e9)
    edge = jax.lax.top_k(jax.lax.stop_gradient(wrong), HARD)[0][:, -1:]
    counted = allowed & ((gains > 0) | (wrong >= edge))
    target = batch["grades"] / 3
    cross = jnp.maximum(logits, 0) - logits * target + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    cross = (cross * counted).sum() / counted.sum()
    away = ((1 - (documents * batch["goals"]).sum(1)) * batch["real"]).sum() / batch["real"].sum()
    return listwise + CROSS * cross + KEPT * away, (listwise, cross, away)


@jax.jit
def update(question, line, table, batch, key, step, rate):
    weights = {name: state[0] for name, state in question.items()}
    slope = jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True)
    (_, parts), (of_question, of_line, of_table) = slope(weights, line[0], table[0], batch, key)
    question = {
        name: adam(state, of_question[name], step,
                   rate * RATES["projection" if name.endswith("projection") else "question"])
        for name, state in question.items()
    }  # fmt: skip
    line = adam(line, of_line, step, rate * RATES["line"])
    table = adam(table, of_table, step, rate * RATES["table"])
    return question, line, table, parts


def fresh(value):
    """What Adam keeps of a value at the start."""
    return value, np.zeros_like(value), np.zeros_like(value)


class Training:
    """Both towers while they are trained. `pool` are the tokens and goals of composed documents."""

    def __init__(self, begin, benches, pool):
        self.begin, self.benches, self.pool = begin, benches, pool
        self.draw, self.rng = random.Random(SEED), np.random.default_rng(SEED)
        self.question = {name: fresh(value) for name, value in begin.weights.items()}
        self.line = fresh(np.array([SCALE, OFFSET], np.float32))
        self.table = [part.copy() for part in fresh(begin.table)]
        self.most = max(len(bench.ids) for bench in benches)
        steps = sum(-(-len(bench.corpus.questions) // QUESTIONS) for bench in benches)
        self.step, self.last = 0, EPOCHS * steps

    def batches(self):
        """Questions of one corpus each."""
        found = []
        for bench in self.benches:
            count = len(bench.corpus.questions)
            order = self.draw.sample(range(count), count)
            found += [(bench, order[i : i + QUESTIONS]) for i in range(0, count, QUESTIONS)]
        self.draw.shuffle(found)
        return found

    def take(self, bench, chosen):
        """One step."""
        self.step += 1
        tokens, mask = encoder.padded([bench.varied(row, self.draw) for row in chosen], QUESTIONS)
        pool_ids, pool_goals = self.pool
        drawn = self.rng.integers(len(pool_ids), size=POOL)
        # Every corpus as many documents as the largest, so that there are few shapes.
        ids = bench.ids + [[]] * (self.most - len(bench.ids)) + [pool_ids[i] for i in drawn]
        met, places, columns = places_of(ids, len(self.begin.table), 4096)
        counts = counts_of(ids, places, columns, lambda count: self.rng.random(count) >= WORDS_DROPPED)
        goals = np.zeros((len(ids), DIMENSIONS), np.float32)
        goals[: len(bench.goals)], goals[self.most :] = bench.goals, pool_goals[drawn]
        grades = np.zeros((QUESTIONS, self.most), np.float32)
        allowed = np.zeros((QUESTIONS, self.most), bool)
        grades[: len(chosen), : len(bench.ids)] = bench.corpus.grades[chosen]
        allowed[: len(chosen), : len(bench.ids)] = bench.corpus.allowed[chosen]
        batch = {
            "words": self.begin.words[tokens], "mask": mask, "counts": counts, "goals": goals, "grades": grades,
            "gains": scores.gain(grades).astype(np.float32), "allowed": allowed,
            "real": counts.any(1).astype(np.float32),
        }  # fmt: skip
        # Only the rows of these documents take part, and move.
        spare = ((0, columns - len(met)), (0, 0))
        rows = tuple(np.pad(part[met], spare) for part in self.table)
        rate = min(self.step / (WARM * self.last), (self.last - self.step) / ((1 - WARM) * self.last))
        key = jax.random.key(SEED * 100000 + self.step)
        self.question, self.line, rows, parts = update(
            self.question, self.line, rows, batch, key, float(self.step), rate
        )
        for part, new in zip(self.table, rows):
            part[met] = np.asarray(new)[: len(met)]
        return np.array(parts)

    def encoder(self):
        weights = {name: np.asarray(state[0]) for name, state in self.question.items()}
        weights |= {"question.words": self.begin.words, "document.table": self.table[0]}
        scale, offset = map(float, self.line[0])
        return encoder.Encoder(weights, self.begin.question_tokens, self.begin.document_tokens, scale, offset)

    def run(self, watch):
        for epoch in range(1, EPOCHS + 1):
            began, batches = time.monotonic(), self.batches()
            listwise, cross, away = sum(self.take(*batch) for batch in batches) / len(batches)
            took = time.monotonic() - began
            print(f"epoch {epoch}: listwise {listwise:.3f}, cross {cross:.3f}, away {away:.3f}, {took:.0f} s", flush=True)
            watch(epoch, self.encoder())
        return self.encoder()


def similarity(questions, documents):
    return np.asarray(questions) @ np.asarray(documents).T


def report(corpora, columns):
    """What each way to find documents is worth on `corpora`; a way gives the vectors of questions and documents."""
    for corpus in corpora:
        values, apart = {}, []
        for name, (questions, documents) in columns.items():
            near = similarity(questions(corpus.asked()), documents(corpus.texts()))
            values[name], separation = scores.score(corpus, near)
            apart.append(f"{name} {separation:.3f}")
        print(f"{corpus.name}: nDCG@10 by cosine alone\n{scores.table(values)}")
        print(f"highest of an answerable question above that of one nothing answers: {', '.join(apart)}\n", flush=True)


def reference(file, model, corpora):
    """Writes vectors that another reader of the file can be compared with."""
    questions = [q for c in corpora for q in c.asked()[::40]]
    documents = [d for c in corpora for d in c.texts()[::60]]
    ids, tokens = model.question_tokens.of_questions(questions), model.question_tokens.vocabulary
    held = {
        "questions": [
            {"text": text, "tokens": [tokens[i] for i in row], "vector": vector.tolist()}
            for text, row, vector in zip(questions, ids, model.questions(questions).round(6))
        ],
        "documents": [
            {"text": text, "vector": vector.tolist()}
            for text, vector in zip(documents, model.documents(documents).round(6))
        ],
    }
    file.write_text(json.dumps(held, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "corpora", type=Path, nargs="+", metavar="CORPUS.json", help="what `clusterlore-evaluate dump` printed"
    )
    arguments.add_argument(
        "--without", action="append", default=[], metavar="NAME", help="a corpus to hold out and to score on; may be repeated"
    )
    arguments.add_argument("--out", type=Path, metavar="FILE", help="the encoder to write")
    arguments.add_argument("--check", type=Path, metavar="FILE", help="score this encoder and train nothing")
    given = arguments.parse_args()
    if (given.out is None) == (given.check is None):
        arguments.error("give either --out or --check")
    corpora = [Corpus(file) for file in given.corpora]
    unknown = set(given.without) - {corpus.name for corpus in corpora}
    if unknown:
        arguments.error(f"--without {' '.join(unknown)}: no such corpus among {[c.name for c in corpora]}")
    held_out = [corpus for corpus in corpora if corpus.name in given.without]

    composed, facts = compose.compose()
    base = Start(composed)
    file = given.check or given.out
    if given.out:
        learnt = [corpus for corpus in corpora if corpus not in held_out]
        facts |= base.facts | {f"corpus {corpus.name}": corpus.sha256() for corpus in learnt}
        texts = [text for corpus in learnt for text in corpus.texts()]
        begin, own, goals = base.encoder(texts)
        ends = np.cumsum([0, *(len(corpus.documents) for corpus in learnt)])
        benches = [
            Bench(corpus, base.question_tokens, base.document_tokens, own[a:b])
            for corpus, a, b in zip(learnt, ends, ends[1:])
        ]
        filled = [i for i, ids in enumerate(base.ids) if ids]
        pool = [base.ids[i] for i in filled], goals[filled]

        def watch(epoch, now):
            means = []
            for corpus in held_out:
                near = similarity(now.questions(corpus.asked()), now.documents(corpus.texts()))
                values, _ = scores.score(corpus, near)
                means.append(f"{corpus.name} {np.mean([value for *_, value in values]):.3f}")
            if means:
                print(f"  after epoch {epoch}: {', '.join(means)}", flush=True)

        watch(0, begin)  # to see what the training adds; nothing is chosen by it
        encoder.save(file, Training(begin, benches, pool).run(watch))
        file.with_suffix(".inputs.json").write_text(json.dumps(facts, indent=2) + "\n")
        print(f"{file}: {file.stat().st_size} bytes, {len(base.kept)} tokens of questions, {len(base.rows)} of documents")
    model = encoder.load(file, base.teacher.tokenizer_json)
    reference(file.with_suffix(".reference.json"), model, corpora)
    present = lambda texts: base.present.vectors([as_words(text) for text in texts])  # noqa: E731
    columns = {
        "table": (present, present),
        "MiniLM": (base.vectors, base.vectors),
        "encoder": (model.questions, model.documents),
    }
    report(held_out or corpora, columns)


if __name__ == "__main__":
    main()
