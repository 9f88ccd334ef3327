"""Embeds pools with an adapted language model on a GPU, for the cache of `rcvae train` and `rcvae eval`.

    python lm_embed.py --base model.gguf --adapters FILE.safetensors --tokens TOKENS --pool POOL[:PART]... --out DIR

PART is a part of the questions (adapt, second, dev), all without it; TOKENS is the folder that `lm.py prepare` wrote. DIR/NNN.safetensors
hold `keys`, (n, 32) bytes, and `vectors`, (n, D) in float16: questions, and solutions in context. A key is the SHA-256 of the text and
what is embedded with it, as the cache of package embed has it; embed/lm/internal/fill puts them there. Products are TF32 on a GPU.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

from context import batch
from int8 import dequantized
from pools import Question, part, read_pool
from prepared import DEV, SECOND, Prepared
from qwen2 import File, Qwen2, pooled

ROWS = 8192  # of a file: 15 MB


def key_of_question(text: str) -> bytes:
    return hashlib.sha256(b"\0" + text.encode()).digest()


def key_of_solution(question: str, text: str) -> bytes:
    q = question.encode()
    return hashlib.sha256(b"\1" + struct.pack("<Q", len(q)) + q + text.encode()).digest()


class Writer:
    def __init__(self, folder: Path):
        self.folder, self.files, self.keys, self.vectors, self.seen = folder, 0, [], [], set()

    def add(self, key: bytes, vector: np.ndarray):
        if key in self.seen:
            return
        self.seen.add(key), self.keys.append(np.frombuffer(key, np.uint8)), self.vectors.append(vector)
        if len(self.keys) == ROWS:
            self.flush()

    def flush(self):
        if self.keys:
            save_file({"keys": np.stack(self.keys), "vectors": np.stack(self.vectors)}, self.folder / f"{self.files:03d}.safetensors")
            self.files, self.keys, self.vectors = self.files + 1, [], []


def blocks(pool: Prepared, index: list[int], limit: int):
    """Runs of questions of at most so many tokens, at least one question each."""
    run, tokens = [], 0
    for i in index:
        n = sum(len(pool.styles["text"][row]) for row in pool.rows(i))
        if run and tokens + n > limit:
            yield run
            run, tokens = [], 0
        run, tokens = run + [i], tokens + n
    if run:
        yield run


@torch.no_grad()
def embed(model: Qwen2, questions: list[Question], pool: Prepared, only: str, out: Writer, device: str):
    index = [i for i in pool.of_part("") if only in ("", part(str(pool.ids[i]), SECOND, DEV))]
    for run in blocks(pool, index, 40000 if device == "cuda" else 4000):
        laid = batch([pool.question[i] for i in run], [[pool.styles["text"][row] for row in pool.rows(i)] for i in run]).to(device)
        r, q = (x.half().cpu().numpy() for x in pooled(model.states(laid), laid))
        c = 0
        for j, i in enumerate(run):
            if questions[i].id != pool.ids[i] or len(questions[i].candidates) != len(pool.rows(i)):
                raise ValueError(f"{pool.name}: question {i} of the tokens is not that of the pool: prepare them again")
            out.add(key_of_question(questions[i].text), q[j])
            for candidate in questions[i].candidates:
                out.add(key_of_solution(questions[i].text, candidate.text), r[c])
                c += 1


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("base", "adapters", "tokens", "out"):
        flags.add_argument("--" + name, type=Path, required=True)
    flags.add_argument("--pool", nargs="+", required=True)
    flags.add_argument("--rounded", default="", help="what the base's matrices are rounded to: Q8_0, Q5_0 or Q4_0")
    flags.add_argument("--limit", type=int, default=0, help="questions of a pool, for a trial")
    a = flags.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    device, start = "cuda" if torch.cuda.is_available() else "cpu", time.time()
    torch.backends.cuda.matmul.allow_tf32 = True
    stored = dequantized(load_file(a.adapters))
    model = Qwen2(File(a.base, a.rounded), next(iter(stored.values())).shape[0]).to(device).eval()
    model.load_adapters(stored)
    out = Writer(a.out)
    for text in a.pool:
        path, _, only = text.partition(":")
        pool = Prepared.load(a.tokens / (Path(path).name.split(".jsonl")[0] + ".npz"))
        questions = read_pool(Path(path))
        if a.limit:
            pool.at = pool.at.copy()
            pool.at[a.limit :] = pool.at[a.limit]
        embed(model, questions, pool, only, out, device)
        print(f"[{time.time() - start:5.0f}] {path} {only}: {len(out.seen)} texts", flush=True)
    out.flush()


if __name__ == "__main__":
    main()
