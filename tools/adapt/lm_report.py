"""Tables of what lm_score.py scored:  python lm_report.py --tokens TOKENS --train NAME... -- DIR/NAME.scores.npz...

τ of the weighted vote is chosen on dev questions: the best mean difference to majority over the training pools, at k = 8 or what there is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from measure import measure
from prepared import Prepared

TAUS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)


def largest(result: dict) -> dict:
    return result[[k for k in result if k in ("k4", "k8", "k16")][-1]]


def best_tau(dev: list[dict]) -> float:
    gain = lambda tau: np.mean([largest(result)[f"vote{tau}-majority"][0] for result in dev])
    return max(TAUS, key=gain)


def line(name: str, result: dict, tau: float) -> str:
    cells = []
    for k in ("k4", "k8", "k16"):
        if k in result:
            gain, low, high = result[k][f"vote{tau}-majority"]
            cells.append(f"{result[k]['majority']:.1f} {gain:+.2f} [{low:+.1f}, {high:+.1f}]")
        else:
            cells.append("")
    last = largest(result)
    return " | ".join([name, str(result["questions"]), f"{result['auroc']:.3f}", *cells, f"{last['pick']:.1f} ({last['mean']:.1f})"])


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--tokens", type=Path, required=True)
    flags.add_argument("--train", nargs="+", required=True)
    flags.add_argument("--only", nargs="*", default=[], help="pools; none: all")
    flags.add_argument("scores", nargs="+", type=Path)
    a = flags.parse_args()
    pools: dict[str, Prepared] = {}
    for path in a.scores:
        scores = np.load(path)
        for variant in dict.fromkeys(key.split("/")[2] for key in scores):
            results, tau = {}, None
            for kind in ("dev", "test"):
                for key in (k for k in scores if k.startswith(kind + "/") and k.endswith("/" + variant)):
                    name = key.split("/")[1]
                    if kind == "test" and a.only and name not in a.only:
                        continue
                    pool = pools.setdefault(name, Prepared.load(a.tokens / f"{name}.npz"))
                    questions = pool.questions(pool.of_part("dev" if kind == "dev" else ""))
                    results[f"{kind} {name}"] = measure(questions, scores[key], TAUS if kind == "dev" else (tau,))
                if kind == "dev":
                    tau = best_tau(list(results.values()))
            print(f"\n{path.name.split('.')[0]}, {variant}, τ = {tau}: pool | questions | AUROC | k = 4 | 8 | 16 (majority, vote − majority) | pick (mean@1)")
            for name, result in results.items():
                print(line(name, result, tau), flush=True)


if __name__ == "__main__":
    main()
