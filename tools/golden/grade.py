"""Verdicts of Math-Verify on candidates of the MATH pools.

    python tools/golden/grade.py SHARED/data/pools grade/testdata/mathverify.json.gz [--workers 2]

Each row of the output is [pool, question, candidate, hash, text, answer]: the pool's name, the
problem's id, the index of the candidate, the first 16 hex digits of the SHA-256 of its
text, and two verdicts (1 correct, 0 not). The first is on the whole text, from which Math-Verify
extracts an answer itself; the second on the answer that the pool records, given as
\\boxed{answer}, -1 if there is none. The gold answer is given as \\boxed{gold}. No text of a
problem or a solution is written. Small pools are taken whole and of large ones a part that
depends on hashes alone. Needs math-verify (0.9.0 made the file in the repository).
"""

import argparse
import glob
import gzip
import hashlib
import importlib.metadata
import json
import logging
import multiprocessing
import os

from math_verify import parse, verify

SHARE = {"math-test-l5-zeroeval-greedy": 0.22, "math-math500-qwen2.5-coder-0.5b": 0.25}


def chosen(pool, row):
    key = f"{pool} {row[1]} {row[2]}".encode()
    return int.from_bytes(hashlib.sha256(key).digest()[:4], "big") < SHARE.get(pool, 1) * 2**32


def verdict(gold, text):
    try:
        return int(verify(parse("\\boxed{" + gold + "}"), parse(text)))
    except Exception:
        return 0


def judge(job):
    row, gold, text, answer = job
    return row + [verdict(gold, text), -1 if answer is None else verdict(gold, "\\boxed{" + answer + "}")]


def jobs(folder):
    for path in sorted(glob.glob(os.path.join(folder, "math-*.jsonl.gz"))):
        pool = os.path.basename(path).removesuffix(".jsonl.gz")
        with gzip.open(path, "rt") as lines:
            for line in map(json.loads, lines):
                for i, c in enumerate(line["candidates"]):
                    row = [pool, line["id"], i, hashlib.sha256(c["text"].encode()).hexdigest()[:16]]
                    if chosen(pool, row):
                        yield row, line["answer"], c["text"], c["answer"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pools")
    parser.add_argument("out")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with multiprocessing.Pool(args.workers) as workers:
        rows = []
        for row in workers.imap(judge, jobs(args.pools), chunksize=8):
            rows.append(row)
            if len(rows) % 500 == 0:
                print(len(rows), flush=True)
    head = {"math_verify": importlib.metadata.version("math-verify"), "columns": ["pool", "question", "candidate", "hash", "text", "answer"]}
    body = ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows)
    data = json.dumps(head)[:-1] + ',"rows":[\n' + body + "\n]}\n"
    with open(args.out, "wb") as f:
        f.write(gzip.compress(data.encode(), mtime=0))


if __name__ == "__main__":
    main()
