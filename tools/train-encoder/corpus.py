"""A corpus as `clusterlore-evaluate dump` prints it."""

import hashlib
import json
from pathlib import Path

import numpy as np


class Corpus:
    def __init__(self, file):
        held = json.loads(Path(file).read_text(encoding="utf-8"))
        self.name, self.documents = held["name"], held["documents"]
        # Without labels, and yet not labelled as having no answer: what metadata cannot say.
        self.questions = [q for q in held["questions"] if q["grades"] or q["class"] == "none"]
        place = {(d["collection"], d["id"]): i for i, d in enumerate(self.documents)}
        collections = np.array([d["collection"] for d in self.documents])
        # What a question may be answered with, and how well each document answers it.
        self.allowed = np.array([collections == q["collection"] for q in self.questions])
        self.grades = np.zeros(self.allowed.shape, np.int8)
        for row, question in enumerate(self.questions):
            for name, grade in question["grades"].items():
                self.grades[row, place[question["collection"], name]] = grade

    def texts(self):
        return [document["text"] for document in self.documents]

    def sha256(self):
        """Over what training reads; a dump holds more."""
        read = [[d["collection"], d["id"], d["text"]] for d in self.documents]
        read += [[*self.forms(row), q["collection"], q["grades"]] for row, q in enumerate(self.questions)]
        return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()

    def asked(self):
        """The questions as they were typed."""
        return [question["q"] for question in self.questions]

    def forms(self, row):
        """A question as it was typed, and what the product leaves of it."""
        question = self.questions[row]
        return [text for text in (question["q"], question.get("text")) if text]
