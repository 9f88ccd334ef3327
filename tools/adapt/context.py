"""Questions and solutions as a language model reads them: one text, the question first, so that a solution is read in context.

    tokens = question's tokens, then the tokens of "\\n\\n" + solution; no special tokens, the two are tokenised apart
    at most LENGTH tokens: the last LENGTH/2 of the question; of a longer solution the first quarter of the room and the end

A causal model's states of the question do not depend on what follows. So a question is run once for all of its candidates:
Batch lays the tokens of questions and solutions out without padding, and says who attends to whom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

LENGTH = 512
SEPARATOR = "\n\n"
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)  # Qwen2's


def tokenizer(vocabulary: list[str], merges: list[str]) -> Tokenizer:
    """Qwen2's byte-level BPE, from the lists that a GGUF file holds. Names of special tokens in a text are plain text."""
    bpe = models.BPE(vocab={t: i for i, t in enumerate(vocabulary)}, merges=[tuple(m.split(" ")) for m in merges])
    t = Tokenizer(bpe)
    t.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(WORDS), "isolated")
    t.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    return t


def encode(t: Tokenizer, texts: list[str], block: int = 2000) -> list[np.ndarray]:
    out = []
    for a in range(0, len(texts), block):
        out += [np.array(e.ids, np.int32) for e in t.encode_batch(texts[a : a + block], add_special_tokens=False)]
    return out


def encode_solutions(t: Tokenizer, texts: list[str]) -> list[np.ndarray]:
    return encode(t, [SEPARATOR + text for text in texts])


def cut_question(q: np.ndarray, length: int = LENGTH) -> np.ndarray:
    return q[-(length // 2) :]


def cut_solution(r: np.ndarray, question: int, length: int = LENGTH) -> np.ndarray:
    """Cuts a solution to the room that a question of that many tokens (already cut) leaves, keeping both ends."""
    room = length - question
    if len(r) <= room:
        return r
    head = room // 4
    return np.concatenate([r[:head], r[len(r) - (room - head) :]])


@dataclass
class Batch:
    """Q questions and their C solutions as T tokens. Arrays of NumPy, or tensors after `to`."""

    ids: np.ndarray  # (T)
    places: np.ndarray  # (T) position of each token in its own text
    rows: np.ndarray  # (C, L) which of the T tokens stands where in the text of a solution; anything after its end
    home: np.ndarray  # (T) the place in the flattened rows where a token's attention is taken from
    owner: np.ndarray  # (T) question 0…Q-1, or Q + solution
    counts: np.ndarray  # (Q + C) tokens of each owner
    group: np.ndarray  # (C) question of each solution

    def to(self, device: str) -> Batch:
        move = lambda x: torch.from_numpy(x).to(device, non_blocking=True)
        return Batch(**{name: move(value) for name, value in vars(self).items()})


def batch(questions: list[np.ndarray], solutions: list[list[np.ndarray]], length: int = LENGTH) -> Batch:
    """Lays out uncut questions, each with at least one uncut solution."""
    ids, places, owner, home, texts, group = [], [], [], [], [], []
    at, c = 0, 0
    for g, (q, own) in enumerate(zip(questions, solutions)):
        q = cut_question(q, length)
        q_rows = np.arange(at, at + len(q))
        ids.append(q), places.append(np.arange(len(q))), owner.append(np.full(len(q), g))
        home.append((c, 0, len(q)))
        at += len(q)
        for r in own:
            r = cut_solution(r, len(q), length)
            ids.append(r), places.append(np.arange(len(q), len(q) + len(r))), owner.append(np.full(len(r), len(questions) + c))
            texts.append(np.concatenate([q_rows, np.arange(at, at + len(r))]))
            home.append((c, len(q), len(r)))
            group.append(g)
            at, c = at + len(r), c + 1
    width = -(-max(map(len, texts)) // 16) * 16
    rows = np.arange(c * width).reshape(c, width) % at  # padding spread over all tokens: its gradient is zero
    for row, text in zip(rows, texts):
        row[: len(text)] = text
    owner = np.concatenate(owner)
    return Batch(
        np.concatenate(ids).astype(np.int64), np.concatenate(places), rows, np.concatenate([row * width + a + np.arange(n) for row, a, n in home]),
        owner, np.bincount(owner, minlength=len(questions) + c), np.array(group),
    )
