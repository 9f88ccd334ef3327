"""Adapts a language model as its own embedder: low-rank adapters at full depth, trained end to end through the CVAE's entropy.

    python lm.py prepare --base model.gguf --out TOKENS --train POOL... --test POOL...
    python lm.py train   --base model.gguf --tokens TOKENS --train NAME... --out DIR [--run key=value,...]

A solution is read in context (context.py): r is the mean of the last normalised states over its tokens, q over the question's. The
loss is adapt.py's: listwise entropy, pair head, 0.1 ELBO; `tokens` adds the outcome's cross-entropy at every token of the solution
(Liu et al. 2023, arXiv 2312.09241). DIR/NAME.safetensors gets the adapters under PEFT's names in float16, DIR/NAME.json the settings
and losses. lm_embed.py embeds with them; `rcvae train` and `rcvae eval` measure what that is worth.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import queue
import random
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from context import Batch, batch, tokenizer
from prepared import Prepared, prepare
from qwen2 import SCALE, File, Qwen2, pooled
from score import Joint, listwise, pairwise
from signals import COPIES, kept
from signals import load as load_signals


@dataclass
class Settings:
    name: str = "lm"
    rank: int = 16
    depth: int = 0  # layers; 0: all
    epochs: float = 2.0
    seconds: float = 0.0  # the rate falls to zero by then, even before the last epoch; 0: no limit
    start: str = ""  # name of a run in --out to go on from
    rate: float = 4e-4  # AdamW's for the adapters, at its highest
    head_rate: float = 5e-4
    batch: int = 16  # questions a step
    entropy: float = 1.0  # weight of the listwise loss of −H
    pair: float = 1.0  # weight of the pair head's loss
    elbo: float = 0.1  # weight of −ELBO / D of right samples
    tokens: float = 0.0  # weight of the outcome's cross-entropy at every token
    signals: bool = False  # the columns of --signals stand beside the embedding
    plain: float = 0.25  # share of the texts that are seen without boxes, headings and other marks
    program: float = 0.1  # share of the texts whose equations are seen as a program
    compile: bool = True
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> Settings:
        s = cls()
        for item in filter(None, text.split(",")):
            key, value = item.split("=")
            kind = type(getattr(s, key))
            setattr(s, key, value == "true" if kind is bool else kind(value))
        return s


@dataclass
class Step:
    """A batch with its labels: (C) each."""

    batch: Batch
    right: torch.Tensor
    votes: torch.Tensor
    beside: torch.Tensor | None  # (C, copies of the signals)

    def to(self, device: str) -> Step:
        beside = None if self.beside is None else self.beside.to(device)
        return Step(self.batch.to(device), self.right.to(device), self.votes.to(device), beside)


def step(groups: list[tuple[Prepared, int]], s: Settings, rng: random.Random) -> Step:
    """Lays out questions with all of their samples, each in a style drawn apart: so a style says nothing about the label."""

    def styled(pool: Prepared, row: int) -> np.ndarray:
        x = rng.random()
        return pool.styles["plain" if x < s.plain else "program" if x < s.plain + s.program else "text"][row]

    rows = [(pool, row) for pool, i in groups for row in pool.rows(i)]
    laid = batch([pool.question[i] for pool, i in groups], [[styled(pool, row) for row in pool.rows(i)] for pool, i in groups])
    labels = lambda field: torch.tensor([bool(getattr(pool, field)[row]) for pool, row in rows])
    return Step(laid, labels("correct"), labels("answered"), beside(groups, s, rng) if s.signals else None)


def beside(groups: list[tuple[Prepared, int]], s: Settings, rng: random.Random) -> torch.Tensor:
    """The signals of the questions' samples, some kinds left out for a question, in copies: (C, copies of the columns)."""
    rows = [pool.signals[pool.at[i] : pool.at[i + 1]] * kept(pool.columns, rng) for pool, i in groups]
    return torch.from_numpy(np.tile(np.concatenate(rows), COPIES))


def steps(pools: list[Prepared], s: Settings, device: str):
    """Yields steps without end, prepared by a thread ahead of their use."""
    groups = [(p, i) for p in pools for i in p.of_part("adapt")]
    if len(groups) < s.batch:
        raise ValueError(f"{len(groups)} questions to adapt on make no batch of {s.batch}: give more, or a smaller batch")
    ahead: queue.Queue = queue.Queue(4)

    def fill():
        rng = random.Random(s.seed)
        while True:
            rng.shuffle(groups)
            for a in range(0, len(groups) - s.batch + 1, s.batch):
                ahead.put(step(groups[a : a + s.batch], s, rng))

    threading.Thread(target=fill, daemon=True).start()
    while True:
        yield ahead.get().to(device)


class Trainer:
    def __init__(self, model: Qwen2, s: Settings, device: str, beside: int = 0):
        d = model.words.weight.shape[1]
        self.model, self.s = model, s
        self.joint, self.at_token = Joint(d, beside).to(device), nn.Linear(d, 1).to(device)
        adapters = [p for p in model.parameters() if p.requires_grad]
        heads = [*self.joint.parameters(), *self.at_token.parameters()]
        groups = [{"params": adapters, "lr": s.rate}, {"params": heads, "lr": s.head_rate}]
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01, fused=device == "cuda")
        self.rates = [g["lr"] for g in self.optimiser.param_groups]
        self.trained = adapters + heads

    def loss(self, x: Step) -> torch.Tensor:
        s, states = self.s, self.model.states(x.batch)
        r, q = pooled(states, x.batch)
        group = x.batch.group
        entropy, logit = self.joint(r, q[group], x.beside)
        loss = s.entropy * listwise(entropy, group, x.right, x.votes) + s.pair * pairwise(logit, group, x.right)
        if s.elbo and x.right.any():
            loss = loss - s.elbo * self.joint.entropy.elbo[x.right].mean() / r.shape[1]
        return loss + s.tokens * self.token_loss(states, x) if s.tokens else loss

    def token_loss(self, states: torch.Tensor, x: Step) -> torch.Tensor:
        """Cross-entropy of the outcome at each token of a solution: averaged over its tokens, then over solutions."""
        questions = len(x.batch.counts) - len(x.right)
        label = torch.cat([torch.zeros(questions, device=states.device), x.right.float()])[x.batch.owner]
        weight = (x.batch.owner >= questions) / x.batch.counts[x.batch.owner]
        each = F.binary_cross_entropy_with_logits(self.at_token(states).squeeze(1), label, reduction="none")
        return (each * weight).sum() / len(x.right)

    def update(self, x: Step, progress: float) -> torch.Tensor:
        for g, rate in zip(self.optimiser.param_groups, self.rates):
            g["lr"] = rate * min(1.0, (progress + 1e-4) / 0.05) * (1 - progress)
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(x)
        loss.backward()
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimiser.step()
        return loss.detach()


def train(trainer: Trainer, pools: list[Prepared], s: Settings, device: str, log) -> list[float]:
    model = trainer.model
    total = int(s.epochs * (sum(len(p.of_part("adapt")) for p in pools) // s.batch))
    model.train()
    losses, tokens, start = [], 0, time.time()
    for n, x in enumerate(steps(pools, s, device)):
        if n == 8:  # compiled by now
            tokens, start = 0, time.time()
        progress = max(n / total, (time.time() - start) / s.seconds if s.seconds and n >= 8 else 0.0)
        if progress >= 1:
            break
        losses.append(trainer.update(x, progress))
        tokens += len(x.batch.ids)
        if n in (20, 50) or n % 100 == 99:
            mean = torch.stack(losses[-100:]).mean().item()
            if not np.isfinite(mean):
                raise ValueError(f"{s.name}: the loss is not a number at step {n}")
            memory = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else 0
            spent = time.time() - start
            log(f"{s.name}: step {n + 1}/{total}, done {progress:.3f}, loss {mean:.4f}, {spent:.0f} s, {tokens / spent:.0f} tokens/s, {memory:.0f} GiB")
    model.eval(), trainer.joint.eval()
    log(f"{s.name}: {len(losses)} steps of {total}")
    return [round(float(x), 4) for x in torch.stack(losses)[::20]]


def run(s: Settings, a, log):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(s.seed)
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    model = Qwen2(File(a.base), s.rank, dtype, s.depth).to(device)
    if device == "cuda":  # about 1.2 MB of activations a token
        model.checkpoint_from = torch.cuda.get_device_properties(0).total_memory // 2**30 * 600
    if s.compile:
        model.compiled()
    pools = [Prepared.load(a.tokens / f"{name}.npz") for name in a.train]
    if s.signals:
        for pool, signals in zip(pools, load_signals(a.signals, a.train)):
            pool.columns, pool.signals = signals.columns, signals.of(pool.ids, pool.at)
    log(f"{s.name}: {sum(p.numel() for p in model.parameters() if p.requires_grad) / 1e6:.1f} M trained values")
    trainer = Trainer(model, s, device, COPIES * len(pools[0].columns))
    if s.start:
        model.load_adapters(load_file(a.out / f"{s.start}.safetensors"))
        trainer.joint.load_state_dict(torch.load(a.out / f"{s.start}.joint.pt"))
    losses = train(trainer, pools, s, device, log)
    half = {name: p.detach().half().cpu().contiguous() for name, p in model.adapters().items()}
    save_file(half, a.out / f"{s.name}.safetensors", {"rank": str(s.rank), "scale": str(SCALE)})
    torch.save(trainer.joint.state_dict(), a.out / f"{s.name}.joint.pt")
    (a.out / f"{s.name}.json").write_text(json.dumps(dataclasses.asdict(s) | {"losses": losses, "torch": torch.__version__}))


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("what", choices=("prepare", "train"))
    flags.add_argument("--base", type=Path, required=True, help="the model's GGUF file")
    flags.add_argument("--tokens", type=Path, help="folder that `prepare` wrote")
    flags.add_argument("--train", nargs="+", default=[], help="pools of graded samples of training questions: files, or names in --tokens")
    flags.add_argument("--test", nargs="*", default=[], help="pools to report on")
    flags.add_argument("--signals", type=Path, help="folder that signals.py wrote, for runs with signals=true")
    flags.add_argument("--out", type=Path, required=True)
    flags.add_argument("--run", action="append", default=[], help="key=value,… of one experiment")
    flags.add_argument("--limit", type=int, default=0, help="questions of a pool, for a trial")
    a = flags.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    start = time.time()
    log = lambda *x: print(f"[{time.time() - start:5.0f}]", *x, flush=True)
    if a.what == "prepare":
        file = File(a.base)
        t = tokenizer(file.setting("tokenizer.ggml.tokens"), file.setting("tokenizer.ggml.merges"))
        for path in a.train + a.test:
            prepare(Path(path), t, path in a.train, a.limit).save(a.out)
            log("tokens of", path)
    for text in (a.run or [""]) if a.what == "train" else []:
        run(Settings.parse(text), a, log)


if __name__ == "__main__":
    main()
