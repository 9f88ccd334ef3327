"""Reference scores for the Go tests: what the recipe's encoder and a CVAE in PyTorch make of a pool, from the product's weights.

    python reference.py --model math.rcvae --tables minilm.safetensors --layers math.safetensors --vocabulary vocab.txt --out FILE.jsonl.gz [--limit 500] POOL

Each line has a question's id and, for its candidates in the pool's order, the scores −(e^α/5) · ½ Σⱼ ln σⱼ² and the squared
distances from the training data. No text is written.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from encoder import Encoder, Tokens, embed, load_weights
from pools import part, read_pool


class Model:
    """The encoder q(z|r,q) of a model file."""

    def __init__(self, path: Path):
        with safe_open(path, "np") as f:
            self.t = {k: f.get_tensor(k).astype(np.float64) for k in f.keys()}
            self.header = json.loads(f.metadata()["rcvae"])

    def standard(self, name: str, x: np.ndarray) -> np.ndarray:
        return (x - self.t[f"standardize.{name}.mean"]) / self.t[f"standardize.{name}.scale"]

    def scores(self, r: np.ndarray, q: np.ndarray) -> np.ndarray:  # (n, D), (D) → (n)
        t = self.t
        x = np.concatenate([np.broadcast_to(self.standard("q", q), r.shape), self.standard("r", r)], 1)
        hidden = np.maximum(x @ t["encoder.0.weight"].T + t["encoder.0.bias"], 0)
        out = hidden @ t["encoder.1.weight"].T + t["encoder.1.bias"]
        log_variance = out[:, out.shape[1] // 2 :].clip(-10, 5)
        return -self.header["calibration"]["scale"] * 0.5 * log_variance.sum(1)

    def distances(self, r: np.ndarray) -> np.ndarray:  # (n, D) → (n), of the inverse Cholesky factor's packed rows
        d = r.shape[1]
        inverse = np.zeros((d, d))
        inverse[np.tril_indices(d)] = self.t["domain.whitening"]
        return ((self.standard("r", r) @ inverse.T) ** 2).mean(1)


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "tables", "layers", "vocabulary", "out"):
        flags.add_argument("--" + name, type=Path, required=True)
    flags.add_argument("--limit", type=int, default=500)
    flags.add_argument("pool", type=Path)
    a = flags.parse_args()
    torch.set_grad_enabled(False)
    model = Model(a.model)
    encoder = Encoder(load_weights(a.tables) | load_weights(a.layers))
    tokens = Tokens(a.vocabulary, 448)
    questions = [q for q in read_pool(a.pool) if part(q.id, 0.2, 0.07) == "dev" and q.candidates][: a.limit]
    r = embed(encoder, tokens([c.text for q in questions for c in q.candidates]), "cpu", exact=True)
    q1 = embed(encoder, tokens([q.text for q in questions]), "cpu", exact=True)
    with gzip.GzipFile(a.out, "wb", mtime=0) as out:
        at = 0
        for i, q in enumerate(questions):
            own, at = r[at : at + len(q.candidates)], at + len(q.candidates)
            line = {"id": q.id, "scores": model.scores(own, q1[i]), "distances": model.distances(own)}
            rounded = {k: v if k == "id" else [round(float(x), 5) for x in v] for k, v in line.items()}
            out.write((json.dumps(rounded, separators=(",", ":")) + "\n").encode())
    print(len(questions), "questions,", len(r), "candidates")


if __name__ == "__main__":
    main()
