"""Tables of what adapt.py scored:  python report.py --pools POOL... DIR/NAME.scores.npz..."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from measure import measure
from pools import part, read_pool


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--pools", nargs="+", type=Path, required=True)
    flags.add_argument("scores", nargs="+", type=Path)
    a = flags.parse_args()
    pools = {p.name.split(".jsonl")[0]: read_pool(p) for p in a.pools}
    for path in a.scores:
        settings = json.loads(path.with_name(path.name.replace(".scores.npz", ".json")).read_text())
        for name, scores in np.load(path).items():
            kind, pool, scorer = name.split("/")
            if pool not in pools:
                continue
            questions = [q for q in pools[pool] if q.candidates and (kind == "test" or part(q.id, settings["second"], settings["dev"]) == "dev")]
            print(settings["name"], kind, pool, scorer, json.dumps(measure(questions, scores)), flush=True)


if __name__ == "__main__":
    main()
