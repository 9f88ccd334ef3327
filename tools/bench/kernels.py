"""One embedder under several sets of kernels, on the same machine in the same run.

    go build -o rcvae ./cmd/rcvae
    python tools/bench/kernels.py POOL.jsonl.gz --command ./rcvae [--embedder minilm-math] [--texts 300] [--rounds 3] [--kernels avx512 avx512-bf16 avx512-vnni]

--texts candidates of the pool are drawn with a fixed seed. In each round every set of kernels (RCVAE_KERNELS) embeds all of them with one
thread; what counts is processor time, less that of embedding one text, so that other work on the machine matters little. Prints texts a second,
their ratio to the second set's, and the mean and the least cosine to what the first set makes of the texts, as a Markdown table.
"""

import argparse
import gzip
import json
import math
import os
import random
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path


def spent(command: list[str], kernels: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env={**os.environ, "RCVAE_KERNELS": kernels, "GOMAXPROCS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cosine(a: list[float], b: list[float]) -> float:
    def dot(x: list[float], y: list[float]) -> float:
        return math.fsum(v * w for v, w in zip(x, y, strict=True))

    return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--command", default="./rcvae")
    parser.add_argument("--embedder", default="minilm-math")
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kernels", nargs="+", default=["avx512", "avx512-bf16", "avx512-vnni"])
    a = parser.parse_args()
    with gzip.open(a.pool, "rt", encoding="utf-8") as f:
        all_texts = [c["text"] for line in f for c in json.loads(line)["candidates"]]
    texts = random.Random(1).sample(all_texts, a.texts)
    rates, vectors = {k: [] for k in a.kernels}, {}
    with tempfile.TemporaryDirectory() as work:
        many, one, out = Path(work, "many"), Path(work, "one"), Path(work, "out")
        many.write_text("".join(json.dumps(t) + "\n" for t in texts))
        one.write_text(json.dumps(texts[0]) + "\n")
        for _ in range(a.rounds):
            for k in a.kernels:
                run = [a.command, "embed", "--embedder", a.embedder, "--cache", "none", "--out", str(out), "--in"]
                least = spent([*run, str(one)], k)
                rates[k].append((a.texts - 1) / (spent([*run, str(many)], k) - least))
                vectors[k] = [json.loads(line) for line in out.open()]
    print(f"{a.embedder}, {a.texts} texts\n\n| kernels | texts per second of processor time, each round | median | ratio | mean cosine | least |\n|---|---|---|---|---|---|")
    medians = {k: statistics.median(r) for k, r in rates.items()}
    for k in a.kernels:
        cosines = [cosine(x, y) for x, y in zip(vectors[k], vectors[a.kernels[0]], strict=True)]
        rounds = ", ".join(f"{r:.3g}" for r in rates[k])
        print(f"| {k} | {rounds} | {medians[k]:.3g} | {medians[k] / medians[a.kernels[1]]:.2f} | {statistics.mean(cosines):.6f} | {min(cosines):.6f} |")


if __name__ == "__main__":
    main()
