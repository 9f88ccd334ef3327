"""Writes one part of pools, as pools.py divides them:  python split.py --part second --limit 500 --out DIR POOL...

With --mixed only questions with right and wrong answered samples are kept: a CVAE learns from no others.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

from pools import candidate, open_text, part


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--part", choices=("adapt", "second", "dev"), required=True)
    flags.add_argument("--second", type=float, default=0.2)
    flags.add_argument("--dev", type=float, default=0.07)
    flags.add_argument("--mixed", action="store_true")
    flags.add_argument("--limit", type=int, default=0, help="questions of a pool; 0: all")
    flags.add_argument("--out", type=Path, required=True)
    flags.add_argument("pools", nargs="+", type=Path)
    a = flags.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for path in a.pools:
        name, kept = path.name.split(".jsonl")[0], 0
        with gzip.GzipFile(a.out / f"{name}-{a.part}.jsonl.gz", "wb", mtime=0) as out, open_text(path) as lines:
            for line in lines:
                item = json.loads(line)
                if part(item["id"], a.second, a.dev) != a.part or a.mixed and not mixed(item):
                    continue
                out.write(line.encode())
                kept += 1
                if kept == a.limit:
                    break
        print(f"{name}: {kept} questions of part {a.part}")


def mixed(item: dict) -> bool:
    verdicts = {c.correct for c in map(candidate, item["candidates"]) if c.answer}
    return verdicts == {True, False}


if __name__ == "__main__":
    main()
