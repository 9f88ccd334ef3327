"""Verdicts a second of package grade beside Math-Verify's, on the same candidates.

    python tools/bench/grade.py SHARED/data/pools [--rounds 3] [--every 10] [--go go]

Runs in the repository's root. Each round runs BenchmarkJudgeMATH of package grade on one
core, over all candidates of the MATH pools, and then Math-Verify in one process over
every tenth of them. Both extract an answer from the whole text and compare it with the
gold answer; both parse each gold answer once. Prints a Markdown table. Needs
math-verify.
"""

import argparse
import functools
import glob
import gzip
import importlib.metadata
import json
import logging
import os
import re
import statistics
import subprocess
import time

from math_verify import parse, verify


def candidates(folder, every):
    texts = []
    for path in sorted(glob.glob(os.path.join(folder, "math-*.jsonl.gz"))):
        with gzip.open(path, "rt") as lines:
            for line in map(json.loads, lines):
                texts += [(line["answer"], c["text"]) for c in line["candidates"]]
    return texts[::every], len(texts)


def math_verify(texts):
    gold_of = functools.cache(lambda gold: parse("\\boxed{" + gold + "}"))
    start = time.perf_counter()
    for gold, text in texts:
        verify(gold_of(gold), parse(text))
    return len(texts) / (time.perf_counter() - start)


def rcvae(go, folder):
    env = dict(os.environ, RCVAE_SHARED=os.path.abspath(os.path.join(folder, "..", "..")))
    command = [go, "test", "./grade", "-run", "^$", "-bench", "^BenchmarkJudgeMATH$", "-cpu", "1", "-benchtime", "3s"]
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"([\d.e+]+) verdicts/s", out).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pools")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=10, help="Math-Verify sees one candidate in so many")
    parser.add_argument("--go", default="go", help="the go command")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    texts, total = candidates(args.pools, args.every)
    print(f"Math-Verify {importlib.metadata.version('math-verify')} on {len(texts)} of {total} candidates, rcvae on all, one core each\n")
    print("| round | Math-Verify, verdicts/s | rcvae, verdicts/s | ratio |\n|---|---|---|---|", flush=True)
    ratios = []
    for i in range(args.rounds):
        ours, theirs = rcvae(args.go, args.pools), math_verify(texts)
        ratios.append(ours / theirs)
        print(f"| {i + 1} | {theirs:.0f} | {ours:.0f} | {ours / theirs:.0f} |", flush=True)
    print(f"\nmedian ratio {statistics.median(ratios):.0f}")


if __name__ == "__main__":
    main()
