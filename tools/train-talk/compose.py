"""Composes texts: questions with talk around them, each character labelled with whether it asks."""

import re
from collections import Counter

HOLE = "…"
WORD = re.compile(r"[^\W\d_]{4,}")
TALK, ASKS, UNSAID, DESCRIBES = 0, 1, -1, 2
# What the labelled corpora's own questions are wrapped in. It is not said which of it is talk: nothing is learned from it.
BEGINNINGS = re.compile(
    r"""((hey|hi|hello|hallo|hola|bonjour|ok|okay|so|and|well|btw|um|hm+|sorry|please|pls|good\ (morning|evening)|there|folks|all|team|quick\ question)\b[\s,!.:]*
    |(can|could|would|will)\ (you|u|someone|anyone|somebody)\b(\ (please|kindly|also))?(\ (help|tell|show|give|find|list|look|check|point|pull|explain)\b)?(\ (me|us)\b)?(\ (up|to|out)\b)?\s*
    |do(es)?\ (you|anyone|anybody|somebody|we)\ (happen\ to\ )?know\b[\s,]*
    |(i|we)(\ would|'d)\ (like|love)(\ to\ (know|see|have|find))?\b\s*
    |(i|we)\ (just\ |only\ )?(need|want|have)\b(\ to\ (know|see|find)\b)?\s*
    |(i'm|i\ am|we're)\ (just\ )?(looking\ for|after|searching\ for|wondering|curious)\b\s*
    |(tell|show|give|find|list)(\ (me|us))?\b(\ about)?\s*|let\ me\ (see|know)\b\s*
    |the\ user\ (would\ like|wants)\ to\ know\b\s*
    |(security|finance|audit|my\ boss|management)\ (wants|asks)(\ to\ know)?\b\s*)+""",
    re.IGNORECASE | re.VERBOSE,
)
ENDINGS = re.compile(
    r"""([\s,.;:!?-]*(\b(please|pls|plz|thanks|thx|thank\ you|bitte|por\ favor|svp|s'il\ (vous|te)\ pla[iî]t|any\ idea|any\ ideas|got\ one
    |if\ i'm\ not\ mistaken|i\ guess|i\ think|i\ mean|i\ believe|or\ so|or\ whatever|afaik|asap|right)\b
    |\b(i|we)\ need\ (it|them|this|that)\ for\b.*|\bit's\ for\b.*|\bit\ is\ for\b.*|\basking\ for\ a\b.*|\bbecause\b.*)[\s.!?]*)+$""",
    re.IGNORECASE | re.VERBOSE,
)


# With these what a thing does, or what it is, is asked for.
OPENERS_DOES = (
    "what ", "who ", "which service ", "which app ", "the thing that ", "something that ", "where is what ", "what here ",
    "the team that ", "is there anything that ", "I need something that ", "we want a program that ", "any tool that ",
    "do we have a service that ", "how many programs here do that: ", "find what ", "whatever ",
)  # fmt: skip
OPENERS_IS = (
    "", "", "", "where is the ", "which ", "the ", "our ", "all ", "any ", "is there a ", "do we have a ", "who owns the ",
    "what runs the ", "I need a ", "how many ", "what is the name of the ", "show the ", "logs of the ", "pods of ",
)  # fmt: skip
CLOSERS = ("", "", "", "", "?", "?", " in production", ", but not the test one", " and where does it run", ", the newest one",
           ", if there is one", " here", ", by name", " and who owns it?", ", not what watches it", " without a backup")  # fmt: skip


def asked(text, draw):
    """A question for what a description says."""
    low = text[0].lower() + text[1:] if text[1:2].islower() else text
    does = text.split()[0].rstrip(",").endswith("s")
    return draw.choice(OPENERS_DOES if does else OPENERS_IS) + low.rstrip(".") + draw.choice(CLOSERS)


def read(file):
    """The lines of a file that are no comment."""
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]


def wrapped(question):
    """A question of a corpus as labelled pieces."""
    begin = BEGINNINGS.match(question)
    start = begin.end() if begin else 0
    end = ENDINGS.search(question, start)
    stop = end.start() if end and end.start() > start else len(question)
    pieces = [(question[:start], UNSAID), (question[start:stop], ASKS), (question[stop:], UNSAID)]
    return [piece for piece in pieces if piece[0]]


class Composer:
    def __init__(self, phrases, questions, words, draw):
        """`questions` are lists of lists of labelled pieces, each as often drawn from as the others; `words` may stand in
        place of others."""
        self.phrases, self.questions, self.words, self.draw = phrases, questions, words, draw
        said = Counter(word for text in phrases for word in set(WORD.findall(text.lower())))
        every = [pieces for some in questions for pieces in some]
        said.update(word for pieces in every for text, _ in pieces for word in set(WORD.findall(text.lower())))
        # Words of the language, which make a sentence what it is.
        self.kept = {word for word, count in said.items() if count >= 12}

    def swapped(self, text, rate):
        """Other words in place of some, so that nobody's things are learned by heart."""

        def other(found):
            word = found.group()
            if word.lower() in self.kept or not word.isascii() or self.draw.random() > rate:
                return word
            new = self.draw.choice(self.words)
            return new.capitalize() if word[0].isupper() else new

        return WORD.sub(other, text)

    def mistyped(self, text):
        at = self.draw.randrange(len(text))
        if not text[at].isalpha():
            return text
        kind = self.draw.random()
        if kind < 0.4 and at + 1 < len(text) and text[at + 1].isalpha():
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        return text[:at] + text[at + 1 :] if kind < 0.8 else text[: at + 1] + text[at:]

    def question(self):
        draw = self.draw
        pieces = list(draw.choice(draw.choice(self.questions)))
        if pieces[0][1] == DESCRIBES:
            pieces = [(asked(pieces[0][0], draw), ASKS)]
        rate = draw.choice((0, 0, 0.3, 0.7))
        pieces = [(self.swapped(text, rate), label) for text, label in pieces]
        text, label = pieces[-1]
        if draw.random() < 0.15:
            pieces[-1] = (text.rstrip("?. ") or text, label)
        elif draw.random() < 0.05 and text[-1].isalnum():
            pieces[-1] = (text + "?", label)
        if draw.random() < 0.08:
            text, label = pieces[0]
            pieces[0] = (text[0].upper() + text[1:], label)
        return pieces

    def wrap(self, pieces):
        draw = self.draw
        before, _, after = draw.choice(self.phrases).partition(HOLE)
        rate = 0.25 if draw.random() < 0.3 else 0
        before, after = self.swapped(before, rate), self.swapped(after, rate)
        if draw.random() < 0.15:
            before = re.sub(r"[.,:;!…-]+(\s*)$", r"\1", before)
        if draw.random() < 0.1 and after:
            text, label = pieces[-1]
            pieces = [*pieces[:-1], (text.rstrip("?.! ") or text, label)]
        if draw.random() < 0.05 and before.endswith(" "):
            before = before[:-1] + "\n"
        if draw.random() < 0.05 and after.startswith(" "):
            after = "\n" + after[1:]
        return [piece for piece in ((before, TALK), *pieces, (after, TALK)) if piece[0]]

    def text(self, wrappings=None):
        """A text, and a label for each of its characters."""
        draw = self.draw
        if wrappings is None:
            wrappings = draw.choices((0, 1, 2, 3), (0.4, 0.38, 0.18, 0.04))[0]
        pieces = self.question()
        for _ in range(wrappings):
            pieces = self.wrap(pieces)
        if draw.random() < 0.2:
            pieces = [(text.lower(), label) for text, label in pieces]
        while draw.random() < 0.12:
            at = draw.randrange(len(pieces))
            pieces[at] = (self.mistyped(pieces[at][0]), pieces[at][1])
        text = "".join(text for text, _ in pieces)
        return text, [label for text, label in pieces for _ in text]


def labels_of(units, labels):
    """The label of each unit: of its first character."""
    return [labels[begin] for begin, _ in units]
