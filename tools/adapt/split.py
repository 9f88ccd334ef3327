"""Writes parts of pools, as pools.py divides them:  python split.py --part second --part dev --out DIR POOL...

With --mixed, questions of part second are kept only if they have correct and incorrect answered samples: a CVAE learns from no
others. Those of part dev, on which it is measured, are all kept.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

from pools import candidate, open_text, part


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--part", choices=("adapt", "second", "dev"), action="append", required=True)
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
        with gzip.GzipFile(a.out / f"{name}-{'-'.join(a.part)}.jsonl.gz", "wb", mtime=0) as out, open_text(path) as lines:
            for line in lines:
                item = json.loads(line)
                of = part(item["id"], a.second, a.dev)
                if of not in a.part or a.mixed and of != "dev" and not mixed(item):
                    continue
                out.write(line.encode())
                kept += 1
                if kept == a.limit:
                    break
        print(f"{name}: {kept} questions of {' and '.join(a.part)}")


def mixed(item: dict) -> bool:
    verdicts = {c.correct for c in map(candidate, item["candidates"]) if c.answer}
    return verdicts == {True, False}


if __name__ == "__main__":
    main()
