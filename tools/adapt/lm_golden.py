"""Golden vectors for the Go tests: r and q of questions and their solutions, by the base and by the adapted model, in float32.

    python lm_golden.py --base model.gguf --adapters lm.safetensors --pool POOL --questions 20 --each 2 --out golden.safetensors

Tensors: tokens and offsets of the texts as the model read them (cut), where each solution begins, and base.r, base.q, adapted.r, adapted.q,
(solutions, D). Questions and texts are in a .jsonl file of the same name. The last two are longer than the model reads: all of the solutions
as one under a question, and under all of the questions as one. The pool must be free to copy.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

from context import batch, cut_question, cut_solution, encode, encode_solutions, tokenizer
from int8 import dequantized
from pools import read_pool
from qwen2 import File, Qwen2, pooled


@torch.no_grad()
def vectors(model: Qwen2, q: list[np.ndarray], r: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Each solution runs alone with its question."""
    out = [pooled(model.states(b), b) for b in (batch([x], [[y]]).to("cpu") for x, y in zip(q, r))]
    return torch.cat([r for r, _ in out]).numpy(), torch.cat([q for _, q in out]).numpy()


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("base", "adapters", "pool", "out"):
        flags.add_argument("--" + name, type=Path, required=True)
    flags.add_argument("--questions", type=int, default=20)
    flags.add_argument("--each", type=int, default=2)
    a = flags.parse_args()
    file = File(a.base)
    t = tokenizer(file.setting("tokenizer.ggml.tokens"), file.setting("tokenizer.ggml.merges"))
    pairs = [(q.text, c.text) for q in read_pool(a.pool, limit=a.questions) for c in q.candidates[: a.each]]
    questions, solutions = ("\n".join(dict.fromkeys(texts)) for texts in zip(*pairs))
    pairs += [(pairs[0][0], solutions), (questions, solutions)]
    q, r = encode(t, [x for x, _ in pairs]), encode_solutions(t, [y for _, y in pairs])
    stored = dequantized(load_file(a.adapters))
    rank = next(iter(stored.values())).shape[0]
    model = Qwen2(file, rank).eval()  # adapters start as nothing: B is zero
    out = dict(zip(("base.r", "base.q"), vectors(model, q, r)))
    model.load_adapters(stored)
    out |= dict(zip(("adapted.r", "adapted.q"), vectors(model, q, r)))
    begins = [len(cut_question(x)) for x in q]
    texts = [np.concatenate([cut_question(x), cut_solution(y, n)]) for x, y, n in zip(q, r, begins)]
    out |= {"tokens": np.concatenate(texts).astype(np.int32), "offsets": np.cumsum([0] + [len(x) for x in texts]).astype(np.int32)}
    save_file(out | {"begins": np.array(begins, np.int32)}, a.out)
    lines = [json.dumps({"question": x, "solution": y}, ensure_ascii=False) for x, y in pairs]
    a.out.with_suffix(".jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(pairs), "solutions,", len(out["tokens"]), "tokens; cut:", sum(len(y) > 512 - n for y, n in zip(r, begins)))


if __name__ == "__main__":
    main()
