"""Compares embed/encoder with Hugging Face transformers on one model with real weights.

    python tools/e2e/encoders.py VECTORS MODEL LEAST [--pooling mean] [--max-tokens 256] [--in-context] [--texts 200]

VECTORS is the built command embed/encoder/internal/vectors, MODEL a folder or a GGUF file,
LEAST the least cosine that passes. The texts are the bundled samples of internal/demo.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

SAMPLES = "internal/demo/test.jsonl.gz"


def samples(n):
    """The first questions with two of their solutions each."""
    out = []
    with gzip.open(SAMPLES, "rt", encoding="utf-8") as f:
        for line in f:
            p = json.loads(line)
            out.append({"role": "question", "text": p["question"]})
            for c in p["candidates"][:2]:
                out.append({"role": "solution", "text": c["text"], "question": p["question"]})
            if len(out) >= n:
                return out[:n]
    return out


def load(path):
    if path.suffix == ".gguf":
        where, kind = str(path.parent), {"gguf_file": path.name}
    else:
        where, kind = str(path), {}
    tokenizer = AutoTokenizer.from_pretrained(where, **kind)
    return tokenizer, AutoModel.from_pretrained(where, dtype=torch.float32, **kind).eval()


def cut(ids, n):
    """At most n ids, a quarter from the start and the rest from the end."""
    return ids if len(ids) <= n else ids[: n // 4] + ids[len(ids) - (n - n // 4) :]


def reference(tokenizer, model, text, o):
    """The ids of a text and the range of those whose states are averaged."""
    if not o.in_context:
        ids = tokenizer(text["text"], truncation=True, max_length=o.max_tokens)["input_ids"]
        return ids, 0, len(ids)
    encode = lambda s: tokenizer(s, add_special_tokens=False)["input_ids"]
    q = encode(text["question"] if text["role"] == "solution" else text["text"])[-(o.max_tokens // 2) :]
    if text["role"] == "question":
        return q, 0, len(q)
    r = cut(encode("\n\n" + text["text"]), o.max_tokens - len(q))
    return q + r, len(q), len(q) + len(r)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("vectors")
    p.add_argument("model", type=Path)
    p.add_argument("least", type=float)
    p.add_argument("--pooling", default="mean", choices=["mean", "cls", "last"])
    p.add_argument("--max-tokens", type=int, default=256)
    p.add_argument("--in-context", action="store_true")
    p.add_argument("--texts", type=int, default=200)
    o = p.parse_args()
    torch.set_num_threads(int(os.environ.get("THREADS", "1")))
    texts = samples(o.texts)
    command = [o.vectors, "-model", str(o.model), "-pooling", o.pooling, "-max-tokens", str(o.max_tokens)] + ["-in-context"] * o.in_context
    run = subprocess.run(command, input="\n".join(map(json.dumps, texts)).encode(), stdout=subprocess.PIPE, check=True)
    got = np.frombuffer(run.stdout, np.float32).reshape(len(texts), -1)
    tokenizer, model = load(o.model)
    cosines = []
    for text, vector in zip(texts, got):
        ids, start, end = reference(tokenizer, model, text, o)
        with torch.no_grad():
            states = model(input_ids=torch.tensor([ids])).last_hidden_state[0, start:end].double()
        want = {"mean": states.mean(0), "cls": states[0], "last": states[-1]}[o.pooling].numpy()
        cosines.append(float(want @ vector / np.linalg.norm(want)))
    worst = int(np.argmin(cosines))
    print(f"{o.model.name}: {len(texts)} texts, cosine with transformers: mean {np.mean(cosines):.7f}, least {cosines[worst]:.7f}")
    if not min(cosines) >= o.least:
        sys.exit(f"FAILED: text {worst} is below {o.least}: {texts[worst]['text'][:80]!r}")


if __name__ == "__main__":
    main()
