"""Embeds pools with an adapted language model, and scores them by CVAEs fitted on questions that it has not seen.

    python lm_score.py --base model.gguf --tokens TOKENS --adapters NAME.safetensors --train NAME... --test NAME... --out DIR

DIR/NAME.scores.npz gets the scores of dev questions and test pools, for lm_report.py; DIR/NAME.embeddings.npz the embeddings in float16.
Without --adapters the base itself is embedded. With --rounded the adapters are those of the int8 file. --signals names a file of columns
beside the embedding: an array (candidates, columns) for each pool, and their names as `columns`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from context import batch
from int8 import dequantized, rounded
from measure import auroc
from prepared import Prepared
from qwen2 import File, Qwen2, pooled
from score import fit_entropy

COPIES = 6  # of each signal beside the embedding: one column in a thousand is lost among the rest
SEEDS = (0, 1)


@dataclass
class Embedded:
    """Some questions of a pool with r (n, D), q (n, D) and signals (n, columns) of their candidates."""

    pool: Prepared
    index: list[int]
    r: np.ndarray
    q1: np.ndarray  # (questions, D)
    signals: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        return np.concatenate([np.arange(self.pool.at[i], self.pool.at[i + 1]) for i in self.index])

    @property
    def group(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.index)), [len(self.pool.rows(i)) for i in self.index])


@torch.no_grad()
def embedded(model: Qwen2, pool: Prepared, index: list[int], signals: np.ndarray, device: str, limit: int) -> Embedded:
    r, q, a = [], [], 0
    while a < len(index):
        b, tokens = a, 0
        while b < len(index) and (b == a or tokens < limit):
            tokens += sum(len(pool.styles["text"][row]) for row in pool.rows(index[b]))
            b += 1
        own = index[a:b]
        laid = batch([pool.question[i] for i in own], [[pool.styles["text"][row] for row in pool.rows(i)] for i in own]).to(device)
        of_r, of_q = pooled(model.states(laid), laid)
        r.append(of_r.half().cpu().numpy()), q.append(of_q.half().cpu().numpy())
        a = b
    rows = np.concatenate([np.arange(pool.at[i], pool.at[i + 1]) for i in index])
    return Embedded(pool, index, np.concatenate(r), np.concatenate(q), signals[rows])


def joined(sets: list[Embedded]) -> tuple:
    """Questions of several pools as one training set: r, q, signals, group, right, votes."""
    offsets = np.cumsum([0] + [len(e.index) for e in sets])
    group = np.concatenate([e.group + o for e, o in zip(sets, offsets)])
    of = lambda field: np.concatenate([getattr(e.pool, field)[e.rows] for e in sets])
    parts = lambda field: np.concatenate([getattr(e, field) for e in sets])
    return parts("r"), np.concatenate([e.q1[e.group] for e in sets]), parts("signals"), group, of("correct"), of("votes")


class Scorer:
    """CVAEs of some seeds on [r; signals], which are standardised and repeated."""

    def __init__(self, sets: list[Embedded], columns: list[int], device: str):
        r, q, signals, group, right, votes = joined(sets)
        self.columns = columns
        self.mean, self.deviation = signals.mean(0), signals.std(0) + 1e-6
        self.fits = [fit_entropy(self.beside(r, signals), q.astype(np.float32), group, right, votes, device, seed) for seed in SEEDS]

    def beside(self, r, signals):
        standard = ((signals - self.mean) / self.deviation)[:, self.columns]
        return np.concatenate([r, np.repeat(standard, COPIES, 1)], 1).astype(np.float32)

    def __call__(self, e: Embedded) -> np.ndarray:
        r, q = self.beside(e.r, e.signals), e.q1[e.group].astype(np.float32)
        return np.mean([f(r, q) for f in self.fits], 0).astype(np.float32)


def variants(names: list[str]) -> dict[str, list[int]]:
    """Which signals stand beside the embedding: none; those of one text; all."""
    alone = "n_eq n_wrong frac_wrong any_wrong last_ok any_ok cov int neg ans_in_q n_nums".split()
    if not names:
        return {"embedding": []}
    return {"embedding": [], "+signals": [names.index(n) for n in alone], "+all": list(range(len(names)))}


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--base", type=Path, required=True)
    flags.add_argument("--tokens", type=Path, required=True)
    flags.add_argument("--adapters", type=Path)
    flags.add_argument("--rounded", action="store_true")
    flags.add_argument("--signals", type=Path)
    flags.add_argument("--train", nargs="+", required=True)
    flags.add_argument("--test", nargs="*", default=[])
    flags.add_argument("--name", required=True)
    flags.add_argument("--out", type=Path, required=True)
    flags.add_argument("--depth", type=int, default=0)
    flags.add_argument("--limit", type=int, default=0, help="questions of a part, for a trial")
    a = flags.parse_args()
    start = time.time()
    log = lambda *x: print(f"[{time.time() - start:5.0f}] {a.name}:", *x, flush=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    stored = dequantized(load_file(a.adapters)) if a.adapters else {}
    if a.rounded:
        stored = {name: rounded(w) for name, w in stored.items()}
    rank = next(iter(stored.values())).shape[0] if stored else 0
    model = Qwen2(File(a.base), rank, torch.bfloat16 if device == "cuda" else torch.float32, a.depth).to(device).eval()
    if stored:
        model.load_adapters(stored)
    table = np.load(a.signals) if a.signals else {}
    names = list(table["columns"]) if a.signals else []

    def embed(name: str, part: str) -> Embedded:
        pool = Prepared.load(a.tokens / f"{name}.npz")
        signals = table[name].astype(np.float32) if a.signals else np.zeros((len(pool.correct), 0), np.float32)
        index = pool.of_part(part)
        return embedded(model, pool, index[: a.limit or None], signals, device, 60000 if device == "cuda" else 8000)

    second = [embed(name, "second") for name in a.train]
    told = {f"dev/{n}": embed(n, "dev") for n in a.train} | {f"test/{n}": embed(n, "") for n in a.test}
    log("embedded")
    everything = {f"second/{e.pool.name}": e for e in second} | told
    np.savez(a.out / f"{a.name}.embeddings.npz", **{f"{k}/{f}": getattr(e, x) for k, e in everything.items() for f, x in (("r", "r"), ("q", "q1"))})
    scores = {}
    for variant, columns in variants(names).items():
        scorer = Scorer(second, columns, device)
        for key, e in told.items():
            scores[f"{key}/{variant}"] = s = scorer(e)
            at = np.cumsum([0] + [len(e.pool.rows(i)) for i in e.index])
            log(key, variant, "auroc", auroc(e.pool.questions(e.index), s, at))
    np.savez(a.out / f"{a.name}.scores.npz", **scores)


if __name__ == "__main__":
    main()
