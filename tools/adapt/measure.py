"""Accuracy of votes and picks over a pool, as the Go package eval measures them."""

from __future__ import annotations

import numpy as np

from pools import Question


def measure(questions: list[Question], scores: np.ndarray, taus=(0.25, 0.5, 1.0), ks=(4, 8, 16), seed: int = 0) -> dict:
    """Means over questions in points; differences to majority with a 95 % paired bootstrap interval."""
    result, at = {"questions": len(questions)}, np.cumsum([0] + [len(q.candidates) for q in questions])
    for k in ks:
        if all(len(q.candidates) < k for q in questions) and k != ks[0]:
            continue
        rng, rows = np.random.default_rng(seed), []
        for i, q in enumerate(questions):
            rows.append(one(q, scores[at[i] : at[i + 1]], min(k, len(q.candidates)), taus, rng))
        table = {name: np.array([r[name] for r in rows]) for name in rows[0]}
        summary = {name: round(100 * float(v.mean()), 2) for name, v in table.items()}
        for name in [f"vote{t}" for t in taus]:
            summary[name + "-majority"] = interval(table[name] - table["majority"], rng)
        summary["pick-mean"] = interval(table["pick"] - table["mean"], rng)
        result[f"k{k}"] = summary
    result["auroc"] = auroc(questions, scores, at)
    return result


def one(q: Question, s: np.ndarray, k: int, taus, rng, draws: int = 4) -> dict:
    """One question: averages over `draws` subsets of k candidates."""
    n, names = len(q.candidates), ["mean", "majority", "pick", "oracle"] + [f"vote{t}" for t in taus]
    total = dict.fromkeys(names, 0.0)
    subsets = [np.arange(n)] if k >= n else [rng.choice(n, k, replace=False) for _ in range(draws)]
    for ix in subsets:
        y = np.array([float(q.candidates[i].correct) for i in ix])
        answers = [q.candidates[i].answer if q.candidates[i].votes else None for i in ix]
        t = s[ix]
        total["mean"] += y.mean()
        total["oracle"] += y.max()
        total["pick"] += y[np.argmax(t)]
        total["majority"] += vote(answers, np.ones(len(ix)), y)
        for tau in taus:
            total[f"vote{tau}"] += vote(answers, np.exp(tau * (t - t.max())), y, t)
    return {name: value / len(subsets) for name, value in total.items()}


def vote(answers, weights, y, t=None) -> float:
    total, correct = {}, {}
    for a, w, c in zip(answers, weights, y):
        if a is not None:
            total[a] = total.get(a, 0.0) + w
            correct[a] = max(correct.get(a, 0.0), c)
    if not total:
        return float(y[np.argmax(t)]) if t is not None else 0.0
    top = max(total.values())
    return float(np.mean([correct[a] for a, w in total.items() if w >= top - 1e-9]))


def interval(d: np.ndarray, rng, rounds: int = 1000) -> list[float]:
    means = [d[rng.integers(0, len(d), len(d))].mean() for _ in range(rounds)]
    return [round(100 * float(x), 2) for x in (d.mean(), np.percentile(means, 2.5), np.percentile(means, 97.5))]


def auroc(questions, scores, at) -> float:
    values = []
    for i, q in enumerate(questions):
        s, y = scores[at[i] : at[i + 1]], np.array([c.correct for c in q.candidates])
        if y.any() and not y.all():
            p, n = s[y], s[~y]
            values.append((p[:, None] > n).mean() + 0.5 * (p[:, None] == n).mean())
    return round(float(np.mean(values)), 4) if values else float("nan")
