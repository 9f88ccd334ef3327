"""Verdicts of Math-Verify on near-misses of gold answers.

    RCVAE_NEARMISSES=misses.jsonl go test -run NearMisses ./grade
    python tools/golden/nearmiss.py misses.jsonl grade/testdata/nearmisses.json.gz [--workers 2] [--most 40000]

The test writes the near-misses, one JSON object per line with the fields kind, gold, miss and
hash. The output maps the hash of a near-miss to a verdict (1 correct, 0 not); no text of a
problem is written. If there are more than --most, a part is taken that depends on hashes
alone, and all of the last ones, which are made of our own gold answers. Needs math-verify
(0.9.0 made the file in the repository).
"""

import argparse
import gzip
import importlib.metadata
import json
import logging
import multiprocessing

from math_verify import parse, verify


def judge(row):
    try:
        same = verify(parse("\\boxed{" + row["gold"] + "}"), parse("\\boxed{" + row["miss"] + "}"))
    except Exception:
        same = False
    return row["hash"], int(same)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("misses")
    parser.add_argument("out")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--most", type=int, default=40000)
    parser.add_argument("--own", type=int, default=400, help="how many of the last lines are always taken")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with open(args.misses) as lines:
        rows = [json.loads(line) for line in lines]
    chosen = sorted(rows[: -args.own], key=lambda row: row["hash"])[: args.most - args.own] + rows[-args.own :]
    verdicts = {}
    with multiprocessing.Pool(args.workers) as workers:
        for hashed, same in workers.imap(judge, chosen, chunksize=16):
            verdicts[hashed] = same
            if len(verdicts) % 1000 == 0:
                print(len(verdicts), flush=True)
    head = {"math_verify": importlib.metadata.version("math-verify"), "rows": dict(sorted(verdicts.items()))}
    with open(args.out, "wb") as f:
        f.write(gzip.compress(json.dumps(head, indent=0, separators=(",", ":")).encode(), mtime=0))


if __name__ == "__main__":
    main()
