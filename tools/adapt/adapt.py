"""Adapts the sentence encoder to graded samples, end to end through the CVAE's entropy.

    python adapt.py --train POOL... --weights minilm.safetensors --vocabulary vocab.txt --out DIR [--run key=value,...]...

Each --run is one experiment with the settings of class Settings that it changes; without --run the product's settings are used.
DIR/NAME.safetensors gets the adapted layers, DIR/NAME.json the settings, the losses, the AUROC on held-out (dev) questions, and
what the run was made from. What an encoder is worth is measured by the product: `quantize -layers`, `rcvae train`, `rcvae eval`
(docs/adapt.md).
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import random
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from encoder import Encoder, Tokens, embed, load_weights, pooled
from pools import Question, part, read_pool
from score import Joint, auroc, listwise, pairwise
from signals import COPIES, kept
from signals import load as load_signals
from style import plain, program


@dataclass
class Settings:
    name: str = "product"
    pools: str = ""  # substrings of the training pools' names, joined by "+"; "" means all
    epochs: float = 4.0
    rate: float = 2e-4  # AdamW's, at its highest
    batch: int = 32  # questions a step
    length: int = 448  # tokens of a text
    ends: bool = True  # keep both ends of a longer text
    entropy: float = 1.0  # weight of the listwise loss of −H
    pair: float = 1.0  # weight of the pair head's loss
    elbo: float = 0.1  # weight of −ELBO / D of correct samples
    signals: bool = False  # the columns of --signals stand beside the embedding
    plain: float = 0.25  # share of the texts that are seen without boxes, headings and other marks
    program: float = 0.1  # share of the texts whose equations are seen as a program
    second: float = 0.2  # share of the questions kept for the second stage
    dev: float = 0.07
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> Settings:
        s = cls()
        for item in filter(None, text.split(",")):
            key, value = item.split("=")
            kind = type(getattr(s, key))
            setattr(s, key, value == "true" if kind is bool else kind(value))
        return s


class Pool:
    """A pool with the tokens of its questions and candidates."""

    def __init__(self, path: Path, questions: list[Question], tokens: Tokens, styles: bool):
        self.name, self.questions = path.name.split(".jsonl")[0], questions
        texts = [c.text for q in questions for c in q.candidates]
        self.of_question = tokens([q.text for q in questions])
        self.of_text = tokens(texts)
        answers = [c.answer for q in questions for c in q.candidates]
        self.of_plain = tokens(in_parallel(plain, zip(texts))) if styles else []
        self.of_program = tokens(in_parallel(program, zip(texts, answers))) if styles else []
        self.at = np.cumsum([0] + [len(q.candidates) for q in questions])
        self.columns: list[str] = []
        self.signals: np.ndarray | None = None  # (candidates, columns), see signals.py

    def beside(self, i: int, rng: random.Random | None = None) -> np.ndarray:
        """The signals of a question's samples in copies, (candidates, copies of the columns); with rng some kinds are left out."""
        rows = self.signals[self.at[i] : self.at[i + 1]]
        return np.tile(rows * kept(self.columns, rng) if rng else rows, COPIES)

    def rows(self, i: int) -> range:
        return range(self.at[i], self.at[i + 1])

    def styled(self, row: int, s: Settings, rng: random.Random) -> np.ndarray:
        """The tokens of a candidate in a style drawn at random, independently of its label, so that style cannot tell right from wrong."""
        x = rng.random()
        return (self.of_plain if x < s.plain else self.of_program if x < s.plain + s.program else self.of_text)[row]


def in_parallel(change, texts) -> list[str]:
    with multiprocessing.get_context("fork").Pool() as workers:
        return workers.starmap(change, texts, chunksize=500)


def trained(pools: list[Pool], s: Settings, weights, device: str, log) -> tuple[Encoder, Joint, list[float]]:
    torch.manual_seed(s.seed)
    rng = random.Random(s.seed)
    encoder = Encoder(weights).to(device)
    joint = Joint(encoder.words.weight.shape[1], COPIES * len(pools[0].columns) if s.signals else 0).to(device)
    groups = [(p, i) for p in pools for i, q in enumerate(p.questions) if part(q.id, s.second, s.dev) == "adapt" and q.candidates]
    steps = int(s.epochs * (len(groups) // s.batch))
    if not steps:
        raise ValueError(f"{len(groups)} questions to adapt on make no batch of {s.batch}: give more, or a smaller batch")
    parameters = [p for m in (encoder, joint) for p in m.parameters() if p.requires_grad]
    decay = lambda wide: [p for p in parameters if (p.ndim >= 2) == wide]
    optimiser = torch.optim.AdamW(
        [{"params": decay(True), "weight_decay": 0.01}, {"params": decay(False), "weight_decay": 0.0}],
        lr=s.rate, betas=(0.9, 0.98), fused=device == "cuda",
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda n: min(1.0, (n + 1) / (0.06 * steps + 1)) * max(0.0, 1 - n / max(1, steps)))
    encoder.train(), joint.train()
    start, step, losses = time.time(), 0, []
    while step < steps:
        rng.shuffle(groups)
        for a in range(0, len(groups) - s.batch + 1, s.batch):
            loss = batch_loss(groups[a : a + s.batch], encoder, joint, s, rng, device)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            step += 1
            losses.append(loss.detach())
            if step % 100 == 0 or step == steps:
                log(f"{s.name}: step {step}/{steps}, loss {torch.stack(losses[-100:]).mean():.4f}, {time.time() - start:.0f} s")
            if step >= steps:
                break
    return encoder, joint, [round(float(x), 4) for x in torch.stack(losses)[::20]]


def batch_loss(groups, encoder, joint, s: Settings, rng: random.Random, device: str):
    """The loss of some questions with all their samples."""
    rows = [(g, pool, row, c) for g, (pool, i) in enumerate(groups) for row, c in zip(pool.rows(i), pool.questions[i].candidates)]
    seqs = [pool.styled(row, s, rng) for _, pool, row, _ in rows]
    group, right, votes = [g for g, *_ in rows], [c.correct for *_, c in rows], [bool(c.answer) for *_, c in rows]
    questions = [pool.of_question[i] for pool, i in groups]
    r = pooled(encoder, seqs, device, 4)
    q = pooled(encoder, questions, device, 1)
    group, right, votes = (torch.tensor(x, device=device) for x in (group, right, votes))
    beside = on_device([pool.beside(i, rng) for pool, i in groups], device) if s.signals else None
    entropy, logit = joint(r, q[group], beside)
    loss = torch.zeros((), device=device)
    if s.entropy:
        loss = loss + s.entropy * listwise(entropy, group, right, votes)
        if s.elbo and right.any():
            loss = loss - s.elbo * joint.entropy.elbo[right].mean() / r.shape[1]
    if s.pair:
        loss = loss + s.pair * pairwise(logit, group, right)
    return loss


def on_device(rows: list[np.ndarray], device: str) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(rows)).to(device)


@torch.no_grad()
def held_out_auroc(pools: list[Pool], s: Settings, encoder, joint, device: str) -> dict[str, float]:
    """AUROC of the entropy inside the dev questions, by pool."""
    joint.eval()
    out = {}
    for p in pools:
        index = [i for i, q in enumerate(p.questions) if part(q.id, s.second, s.dev) == "dev" and q.candidates]
        if not index:
            continue
        group = np.repeat(np.arange(len(index)), [len(p.rows(i)) for i in index])
        r = embed(encoder, [p.of_text[row] for i in index for row in p.rows(i)], device)
        q = embed(encoder, [p.of_question[i] for i in index], device)[group]
        beside = on_device([p.beside(i) for i in index], device) if s.signals else None
        scores, _ = joint(torch.as_tensor(r).to(device), torch.as_tensor(q).to(device), beside)
        out[p.name] = auroc(scores.cpu().numpy(), group, np.array([c.correct for i in index for c in p.questions[i].candidates]))
    return out


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--train", nargs="+", type=Path, required=True, help="pools of graded samples of training questions")
    flags.add_argument("--weights", type=Path, required=True)
    flags.add_argument("--vocabulary", type=Path, required=True)
    flags.add_argument("--signals", type=Path, help="folder that signals.py wrote, for runs with signals=true")
    flags.add_argument("--out", type=Path, required=True)
    flags.add_argument("--run", action="append", default=[], help="key=value,… of one experiment")
    flags.add_argument("--limit", type=int, default=0, help="questions of a pool, for a trial")
    flags.add_argument("--seconds", type=float, default=1e9, help="start no run after so many seconds")
    a = flags.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    device, start = "cuda" if torch.cuda.is_available() else "cpu", time.time()
    torch.backends.cuda.matmul.allow_tf32 = True
    log = lambda *x: print(f"[{time.time() - start:5.0f}]", *x, flush=True)
    weights = load_weights(a.weights)
    questions = {path: read_pool(path, limit=a.limit) for path in a.train}
    log("read", {p.name: len(q) for p, q in questions.items()})
    cache, failed = {}, False
    for text in a.run or [""]:
        s = Settings.parse(text)
        if time.time() - start > a.seconds:
            log("no time for", s.name)
            continue
        try:
            run(s, a, questions, weights, cache, device, log)
        except Exception:  # the other experiments of a long list still run
            traceback.print_exc()
            failed = True
    raise SystemExit(failed)


def run(s: Settings, a, questions, weights, cache: dict, device: str, log):
    styles = s.plain + s.program > 0
    key = (s.length, s.ends, styles)
    if key not in cache:
        cache.clear()
        tokens = Tokens(a.vocabulary, s.length, s.ends)
        cache[key] = [Pool(path, q, tokens, styles) for path, q in questions.items()]
        log("tokens", key)
        if a.signals:
            for p, signals in zip(cache[key], load_signals(a.signals, [p.name for p in cache[key]])):
                p.columns, p.signals = signals.columns, signals.of(np.array([q.id for q in p.questions]), p.at)
    train = [p for p in cache[key] if not s.pools or any(n in p.name for n in s.pools.split("+"))]
    encoder, joint, losses = trained(train, s, weights, device, log)
    save_file({k: v.half() for k, v in encoder.stored().items()}, a.out / f"{s.name}.safetensors")
    encoder.round_weights()  # what is measured is the product's int8 weights
    areas = held_out_auroc(cache[key], s, encoder, joint, device)
    (a.out / f"{s.name}.json").write_text(json.dumps(dataclasses.asdict(s) | {"losses": losses, "dev_auroc": areas} | card(a, s, questions), indent=1))
    log(s.name, "done, AUROC on dev questions:", areas)


def card(a, s: Settings, questions) -> dict:
    """What the run was made from, for its model card: files with their hashes and sizes, the software, the licences."""
    digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
    layers = a.out / f"{s.name}.safetensors"
    return {
        "data": {p.name: {"sha256": digest(p), "questions": len(questions[p]), "candidates": sum(len(q.candidates) for q in questions[p])} for p in a.train},
        "parts": {name: sum(part(q.id, s.second, s.dev) == name for p in a.train for q in questions[p]) for name in ("adapt", "second", "dev")},
        "start": {"weights": a.weights.name, "sha256": digest(a.weights)},
        "layers": {"sha256": digest(layers)} if layers.exists() else {},
        "torch": torch.__version__,
        "licences": {"all-MiniLM-L6-v2": "Apache-2.0", "GSM8K and MATH": "MIT", "samples": "Qwen2.5-Coder's, Apache-2.0"},
    }


if __name__ == "__main__":
    main()
