"""Trains the encoder: a document's vector lies towards those of the questions that it answers."""

import argparse
import hashlib
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
import inputs  # noqa: E402
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


def fresh(value):
    return value, jnp.zeros_like(value), jnp.zeros_like(value)


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


def train(begin, benches, pool, watch=lambda epoch, encoder: None):
    """Trains both towers. `pool` are the tokens and goals of composed documents."""
    draw, rng = random.Random(SEED), np.random.default_rng(SEED)
    words = begin.words
    question = {name: fresh(jnp.asarray(value)) for name, value in begin.weights.items()}
    line = fresh(jnp.array([SCALE, OFFSET]))
    table = [begin.table.copy(), np.zeros_like(begin.table), np.zeros_like(begin.table)]
    pool_ids, pool_goals = pool
    most = max(len(bench.ids) for bench in benches)
    steps_an_epoch = sum(-(-len(b.corpus.questions) // QUESTIONS) for b in benches)
    step, last = 0, EPOCHS * steps_an_epoch
    for epoch in range(EPOCHS):
        began, sums = time.monotonic(), np.zeros(3)
        batches = []
        for bench in benches:
            order = draw.sample(range(len(bench.corpus.questions)), len(bench.corpus.questions))
            batches += [(bench, order[i : i + QUESTIONS]) for i in range(0, len(order), QUESTIONS)]
        draw.shuffle(batches)
        for bench, chosen in batches:
            step += 1
            tokens, mask = encoder.padded([bench.varied(row, draw) for row in chosen], QUESTIONS)
            drawn = rng.integers(len(pool_ids), size=POOL)
            ids = bench.ids + [[]] * (most - len(bench.ids)) + [pool_ids[i] for i in drawn]
            met, places, columns = places_of(ids, len(begin.table), 4096)
            counts = counts_of(ids, places, columns, lambda count: rng.random(count) >= WORDS_DROPPED)
            goals = np.zeros((len(ids), DIMENSIONS), np.float32)
            goals[: len(bench.goals)], goals[most:] = bench.goals, pool_goals[drawn]
            grades = np.zeros((QUESTIONS, most), np.float32)
            allowed = np.zeros((QUESTIONS, most), bool)
            grades[: len(chosen), : len(bench.ids)] = bench.corpus.grades[chosen]
            allowed[: len(chosen), : len(bench.ids)] = bench.corpus.allowed[chosen]
            batch = {
                "words": words[tokens], "mask": mask, "counts": counts, "goals": goals, "grades": grades,
                "gains": scores.gain(grades).astype(np.float32), "allowed": allowed,
                "real": (counts.sum(1) > 0).astype(np.float32),
            }  # fmt: skip
            spare = ((0, columns - len(met)), (0, 0))
            local = [np.pad(part[met], spare) for part in table]
            rate = min(step / (WARM * last), (last - step) / ((1 - WARM) * last))
            key = jax.random.key(SEED * 100000 + step)
            question, line, local, parts = update(question, line, tuple(local), batch, key, float(step), rate)
            for part, new in zip(table, local):
                part[met] = np.asarray(new)[: len(met)]
            sums += np.array(parts)
        weights = {name: np.asarray(state[0]) for name, state in question.items()}
        weights |= {"question.words": words, "document.table": table[0]}
        scale, offset = map(float, line[0])
        now = encoder.Encoder(weights, begin.question_tokens, begin.document_tokens, scale, offset)
        listwise, cross, away = sums / len(batches)
        print(
            f"epoch {epoch + 1}: listwise {listwise:.3f}, cross {cross:.3f}, away {away:.3f}, a {scale:.2f}, c {offset:.2f}, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )
        watch(epoch + 1, now)
    return now


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


def sha256(file):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("corpora", type=Path, nargs="+", metavar="CORPUS.json", help="what `clusterlore-evaluate dump` printed")
    arguments.add_argument("--without", nargs="*", default=[], metavar="NAME", help="corpora to hold out and to score on")
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
        facts |= {f"corpus {corpus.name}": sha256(path) for corpus, path in zip(corpora, given.corpora)}
        facts |= base.facts
        learnt = [corpus for corpus in corpora if corpus not in held_out]
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
            print(f"  after epoch {epoch}: {', '.join(means)}", flush=True)

        watch(0, begin)
        done = train(begin, benches, pool, watch)
        encoder.save(file, done)
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
