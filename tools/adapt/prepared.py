"""Pools as tokens, in files: what lm.py trains on, so that texts are rewritten and tokenised once."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from context import encode, encode_solutions
from pools import Candidate, Question, part, read_pool
from style import plain, program

SECOND, DEV = 0.2, 0.07  # shares of the questions, see pools.py
STYLES = ("text", "plain", "program")


@dataclass
class Ragged:
    """Rows of tokens of unequal length, one after the other."""

    flat: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, rows: list[np.ndarray]) -> Ragged:
        flat = np.concatenate(rows) if rows else np.zeros(0)
        return cls(flat.astype(np.int32), np.cumsum([0] + [len(r) for r in rows]))

    def __getitem__(self, i: int) -> np.ndarray:
        return self.flat[self.ends[i] : self.ends[i + 1]]


@dataclass
class Prepared:
    """A pool's tokens. Candidates of question i are at[i] … at[i+1]−1; styles other than "text" may be empty. Equal answers have equal numbers."""

    name: str
    ids: np.ndarray
    at: np.ndarray
    correct: np.ndarray
    votes: np.ndarray
    answered: np.ndarray
    answers: np.ndarray
    question: Ragged
    styles: dict[str, Ragged]
    columns: list[str] = field(default_factory=list)  # of the signals, see signals.py; not in the file
    signals: np.ndarray | None = None  # (candidates, columns)

    def of_part(self, name: str) -> list[int]:
        """The questions of a part ("": all) that have candidates."""
        has = np.diff(self.at) > 0
        return [i for i, q in enumerate(self.ids) if has[i] and name in ("", part(q, SECOND, DEV))]

    def rows(self, i: int) -> range:
        return range(self.at[i], self.at[i + 1])

    def questions(self, index: list[int]) -> list[Question]:
        """The questions without their texts, for measure.py."""
        one = lambda j: Candidate("", str(self.answers[j]), bool(self.correct[j]), bool(self.votes[j]), 0.0)
        return [Question(str(self.ids[i]), "", [one(j) for j in self.rows(i)]) for i in index]

    def save(self, folder: Path):
        flat = {f"{k}.{side}": getattr(r, side) for k, r in (self.styles | {"question": self.question}).items() for side in ("flat", "ends")}
        plain_fields = {k: getattr(self, k) for k in ("ids", "at", "correct", "votes", "answered", "answers")}
        np.savez(folder / f"{self.name}.npz", **plain_fields, **flat)

    @classmethod
    def load(cls, path: Path) -> Prepared:
        z = np.load(path)
        ragged = lambda k: Ragged(z[k + ".flat"], z[k + ".ends"])
        fields = {k: z[k] for k in ("ids", "at", "correct", "votes", "answered", "answers")}
        return cls(path.stem, **fields, question=ragged("question"), styles={k: ragged(k) for k in STYLES if k + ".flat" in z})


def prepare(path: Path, t: Tokenizer, styled: bool, limit: int = 0) -> Prepared:
    """Reads a pool; with styled, texts of questions that adapt the model are also written in the other styles."""
    questions = read_pool(path, limit=limit)
    candidates = [c for q in questions for c in q.candidates]
    styles = {"text": Ragged.of(encode_solutions(t, [c.text for c in candidates]))}
    if styled:
        adapt = [part(q.id, SECOND, DEV) == "adapt" for q in questions for _ in q.candidates]
        rewritten = lambda change, args: in_parallel(change, [a if use else None for a, use in zip(args, adapt)])
        styles["plain"] = Ragged.of(encode_solutions(t, rewritten(plain, [(c.text,) for c in candidates])))
        styles["program"] = Ragged.of(encode_solutions(t, rewritten(program, [(c.text, c.answer) for c in candidates])))
    array = lambda of: np.array([of(c) for c in candidates])
    return Prepared(
        path.name.split(".jsonl")[0], np.array([q.id for q in questions]), np.cumsum([0] + [len(q.candidates) for q in questions]),
        array(lambda c: c.correct), array(lambda c: c.votes), array(lambda c: bool(c.answer)),
        np.unique([c.answer for c in candidates], return_inverse=True)[1],
        Ragged.of(encode(t, [q.text for q in questions])), styles,
    )


def in_parallel(change, arguments: list[tuple | None]) -> list[str]:
    with multiprocessing.get_context("fork").Pool() as workers:
        return workers.starmap(applied, [(change, a) for a in arguments], chunksize=500)


def applied(change, arguments: tuple | None) -> str:
    return "" if arguments is None else change(*arguments)
