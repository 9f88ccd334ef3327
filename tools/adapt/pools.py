"""Pools of graded samples: reading, and the split by question.

A pool is a file of JSON Lines (.jsonl, .gz or .xz) in the project's format: one question a line with its candidates. Questions
are divided by a hash of their id, so that a question is in the same part in every pool, whoever wrote the samples:

    adapt   trains the encoder
    second  trains the CVAE on embeddings of questions that the encoder has not seen
    dev     early stopping, tau and every other choice
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Candidate:
    text: str
    answer: str  # "" when none was found
    correct: bool
    votes: bool  # has an answer, and was not cut before it gave one
    mean_logprob: float  # nats a token; 0 when unknown


@dataclass
class Question:
    id: str
    text: str
    candidates: list[Candidate]


def open_text(path: Path):
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8")
    return open(path, encoding="utf-8")


def read_pool(path: Path, samplers: tuple[str, ...] = ("top_p",), limit: int = 0) -> list[Question]:
    """Returns the questions of a pool; of candidates that name a sampler only those of `samplers`."""
    questions = []
    with open_text(path) as lines:
        for line in lines:
            item = json.loads(line)
            candidates = [candidate(c) for c in item["candidates"] if c.get("sampler", samplers[0]) in samplers]
            questions.append(Question(item["id"], item["question"], candidates))
            if len(questions) == limit:
                break
    return questions


def candidate(c: dict) -> Candidate:
    answer = c.get("answer") or ""
    cut = c.get("finish") == "length" and c.get("answer_from") == "number"
    # Math-Verify's verdict, where a pool has one, is the better label.
    correct = bool(c.get("correct_mv", c.get("correct", False)))
    mean = c.get("sum_logprob", 0.0) / max(1, c.get("n_tokens", 1))
    return Candidate(c["text"], answer, correct, bool(answer) and not cut, mean)


def part(question_id: str, second: float, dev: float) -> str:
    """Returns "dev", "second" or "adapt", in the given shares, from the id alone: dev is what HeldOut of the Go program holds out."""
    x = int.from_bytes(hashlib.sha256(question_id.encode()).digest()[:8], "big") / 2**64
    return "dev" if x < dev else "second" if x < dev + second else "adapt"
