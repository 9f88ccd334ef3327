"""Signals beside an embedding that is adapted: the columns that `rcvae eval` writes for every candidate.

    rcvae eval --pool NAME.jsonl.gz --sampler top_p --selector vote:signals --details NAME.details.jsonl.gz
    python signals.py NAME.details.jsonl.gz... --out DIR

DIR/NAME.npz holds the columns' names, the questions' ids, where each question's candidates begin, and the values, (candidates, columns).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

COPIES = 6  # of each column beside the embedding: one among a thousand is lost
LARGEST = 8.0  # standard deviations
DROP = 0.3  # share of the questions that have no columns of a kind that can be missing in service
KINDS = (("logprob_",), ("agree_", "alone"))


@dataclass
class Signals:
    columns: list[str]
    rows: dict[str, np.ndarray]  # by question: (candidates, columns), standardised, 0 where a column does not apply

    def of(self, ids: np.ndarray, at: np.ndarray) -> np.ndarray:
        """The rows of a pool's candidates, (candidates, columns)."""
        out = np.zeros((at[-1], len(self.columns)), np.float32)
        for i, name in enumerate(ids):
            n = at[i + 1] - at[i]
            rows = self.rows.get(str(name), out[:0])
            if n and len(rows) != n:
                raise ValueError(f"question {name} has {n} candidates and signals of {len(rows)}: were they made from another pool?")
            out[at[i] : at[i + 1]] = rows[:n]
        return out


def load(folder: Path, names: list[str]) -> list[Signals]:
    """Reads the signals of pools and standardises them by all of their candidates."""
    files = [np.load(folder / f"{name}.npz") for name in names]
    columns = [list(f["columns"]) for f in files]
    if any(c != columns[0] for c in columns):
        raise ValueError(f"{folder}: the pools have signals of different columns")
    every = np.concatenate([f["values"] for f in files]).astype(np.float32)
    mean, deviation = np.nanmean(every, 0), np.nanstd(every, 0) + 1e-6

    def standard(f) -> dict[str, np.ndarray]:
        x = np.nan_to_num(((f["values"].astype(np.float32) - mean) / deviation).clip(-LARGEST, LARGEST))
        return {str(name): x[a:b] for name, a, b in zip(f["ids"], f["at"][:-1], f["at"][1:])}

    return [Signals(columns[0], standard(f)) for f in files]


def kept(columns: list[str], rng: random.Random) -> np.ndarray:
    """Which columns a question shows in training: (columns) of 0 and 1."""
    keep = np.ones(len(columns), np.float32)
    for prefixes in KINDS:
        if rng.random() < DROP:
            keep[[c.startswith(prefixes) for c in columns]] = 0
    return keep


def read(path: Path) -> dict[str, np.ndarray]:
    """Reads a file of --details."""
    columns, ids, at, values = None, [], [0], []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            columns = columns or item["signals"]
            ids.append(item["id"]), at.append(at[-1] + len(item["candidates"]))
            values += [c["signals"] for c in item["candidates"]]
    return {"columns": np.array(columns), "ids": np.array(ids), "at": np.array(at), "values": np.array(values, np.float32)}


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("details", nargs="+", type=Path)
    flags.add_argument("--out", type=Path, required=True)
    a = flags.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for path in a.details:
        table = read(path)
        np.savez(a.out / (path.name.split(".details")[0] + ".npz"), **table)
        print(path.name, table["values"].shape)


if __name__ == "__main__":
    main()
