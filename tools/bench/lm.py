"""The language model's embedding beside llama.cpp with the same GGUF file, on the same machine in the same run.

    python tools/bench/lm.py --model qwen2.5-coder-0.5b-instruct-q4_k_m.gguf --llama DIR --work DIR [--rounds 3] [--threads 2] [--processor]

--llama is a folder with llama-bench, llama-batched-bench and llama-quantize, built for this machine. In each round, one after the
other: llama-bench runs prompts of 512 tokens through the file and through the same in Q8_0, and `go test -bench Prompt ./embed/lm` does
so with rcvae; llama-batched-bench writes 16 candidates of 270 tokens behind one question, as many at once as it is told; `go test -bench
Question ./embed/lm` embeds as many, together and as they arrive. Prints Markdown tables.

--processor counts processor time of one thread instead of time: on a machine on which other work runs. Each figure is the difference
between more and less of the same work, so that loading is not in it.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
from pathlib import Path
from time import monotonic

CANDIDATES, TOKENS, QUESTION = 16, 270, 90
FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16")


class Side:
    """What is measured, in turn; times in seconds."""

    def __init__(self, a: argparse.Namespace):
        self.a, self.bench = a, a.work / "lm.test"
        subprocess.run(["go", "test", "-c", "-o", self.bench, "./embed/lm"], check=True)

    def spent(self, *command: object, **more: str) -> float:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic()
        subprocess.run([str(c) for c in command], env=os.environ | more, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if self.a.processor:
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return monotonic() - start

    def each(self, run, less: int, more: int) -> float:
        """The time of one repetition."""
        return (run(more) - run(less)) / (more - less)

    def llama_prompt(self, model: Path) -> float:
        return self.each(lambda n: self.spent(self.a.llama / "llama-bench", "-m", model, "-p", 512, "-n", 0, "-t", self.a.threads, "-r", n), 1, 4)

    def go(self, name: str, model: Path, less: int, more: int) -> float:
        return self.each(lambda n: self.spent(self.bench, "-test.run", "^$", "-test.bench", name, "-test.benchtime", f"{n}x", "-test.cpu", self.a.threads,
                                              RCVAE_QWEN_GGUF=str(model.resolve())), less, more)

    def llama_writes(self, model: Path, at_once: int) -> float:
        """The time of all candidates, from a quarter of their tokens in the middle."""
        def run(tokens: int) -> float:
            return self.spent(self.a.llama / "llama-batched-bench", "-m", model, "-c", QUESTION + at_once * TOKENS + 64, "-b", 2048, "-ub", 512,
                              "-npp", QUESTION, "-ntg", tokens, "-npl", at_once, "-pps", "-t", self.a.threads, "-tb", self.a.threads)
        return self.each(run, TOKENS * 3 // 8, TOKENS * 5 // 8) * TOKENS * CANDIDATES / at_once


def quantised(a: argparse.Namespace) -> Path:
    path = a.work / "q8_0.gguf"
    if not path.exists():
        subprocess.run([a.llama / "llama-quantize", "--allow-requantize", a.model, path, "Q8_0"], check=True, capture_output=True)
    return path


def cells(values: list[float], digits: int) -> str:
    return ", ".join(f"{v:.{digits}f}" for v in values) + f" | {statistics.median(values):.{digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--llama", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processor", action="store_true")
    a = parser.parse_args()
    if a.processor:
        a.threads = 1
    a.work.mkdir(parents=True, exist_ok=True)
    models, side = {"Q4_K_M": a.model, "Q8_0": quantised(a)}, Side(a)
    rates: dict[tuple[str, str], list[float]] = {}
    times: dict[str, list[float]] = {}
    for _ in range(a.rounds):
        for kind, model in models.items():
            rates.setdefault((kind, "llama.cpp"), []).append(512 / side.llama_prompt(model))
            rates.setdefault((kind, "rcvae"), []).append(512 / side.go("Prompt", model, 1, 6))
        for n in (1, 4, CANDIDATES):
            times.setdefault(f"llama.cpp writes, {n} at once", []).append(side.llama_writes(a.model, n))
        times.setdefault("rcvae embeds, together", []).append(side.go("Question/together", a.model, 1, 3))
        times.setdefault("rcvae embeds, as they arrive", []).append(side.go("Question/arriving", a.model, 1, 3))
    flags = Path("/proc/cpuinfo").read_text().split()
    what = "processor time" if a.processor else "time"
    print(f"{a.threads} thread(s); the processor has {', '.join(f for f in FEATURES if f in flags)}\n")
    print(f"| file | side | tokens per second of {what}, each round | median |\n|---|---|---|---|")
    for (kind, name), values in rates.items():
        print(f"| {kind} | {name} | {cells(values, 0)} |")
    for kind in models:
        ratio = statistics.median(rates[kind, "rcvae"]) / statistics.median(rates[kind, "llama.cpp"])
        print(f"\nrcvae / llama.cpp, {kind}: **{ratio:.2f}**")
    print(f"\n| {CANDIDATES} candidates of {TOKENS} tokens | seconds of {what}, each round | median |\n|---|---|---|")
    for name, values in times.items():
        print(f"| {name} | {cells(values, 1)} |")


if __name__ == "__main__":
    main()
