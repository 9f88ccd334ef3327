"""Adapts the sentence encoder to graded samples, and measures what that is worth.

    python adapt.py --train POOL... --test POOL... --weights minilm.safetensors --vocabulary vocab.txt --out DIR [--run key=value,...]...

Each --run is one experiment with the settings of class Settings that it changes; without --run the product's settings are used. DIR/NAME.scores.npz
gets the scores of dev questions and test pools by the entropy trained end to end, by the pair head, and by CVAEs trained
afterwards (report.py makes tables of them); DIR/NAME.safetensors the layers of the runs that --keep names, DIR/NAME.json
its settings, losses, and what it was made from.
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
from measure import auroc
from pools import Question, part, read_pool, read_solutions
from score import Joint, fit_entropy, listwise, pairwise
from style import corrupt, plain, program


@dataclass
class Settings:
    name: str = "product"
    pools: str = ""  # substrings of the training pools' names, joined by "+"; "" means all
    epochs: float = 4.0
    rate: float = 2e-4  # AdamW's, at its highest
    batch: int = 32  # questions a step
    length: int = 448  # tokens of a text
    ends: bool = True  # keep both ends of a longer text
    low_rank: int = 0  # adapters of this rank in place of full layers
    words: bool = False  # train the word embeddings too
    entropy: float = 1.0  # weight of the listwise loss of −H
    pair: float = 1.0  # weight of the pair head's loss
    elbo: float = 0.1  # weight of −ELBO / D of right samples
    plain: float = 0.25  # share of the texts that are seen without boxes, headings and other marks
    program: float = 0.1  # share of the texts whose equations are seen as a program
    slips: int = 0  # corrupted copies of a right sample that join its question
    others: int = 0  # right solutions by other writers that join a question
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

    def __init__(self, path: Path, questions: list[Question], tokens: Tokens, dress: bool):
        self.name, self.questions = path.name.split(".jsonl")[0], questions
        texts = [c.text for q in questions for c in q.candidates]
        self.of_question = tokens([q.text for q in questions])
        self.of_text = tokens(texts)
        answers = [c.answer for q in questions for c in q.candidates]
        self.of_plain = tokens(in_parallel(plain, zip(texts))) if dress else []
        self.of_program = tokens(in_parallel(program, zip(texts, answers))) if dress else []
        self.at = np.cumsum([0] + [len(q.candidates) for q in questions])

    def rows(self, i: int) -> range:
        return range(self.at[i], self.at[i + 1])


    def dressed(self, row: int, s: Settings, rng: random.Random) -> np.ndarray:
        """The tokens of a candidate in a dress drawn at random: with dress drawn apart for each candidate, it says nothing."""
        x = rng.random()
        return (self.of_plain if x < s.plain else self.of_program if x < s.plain + s.program else self.of_text)[row]


def in_parallel(change, texts) -> list[str]:
    with multiprocessing.get_context("fork").Pool() as workers:
        return workers.starmap(change, texts, chunksize=500)


def trained(pools: list[Pool], s: Settings, weights, tokens: Tokens, others: dict, device: str, log) -> tuple[Encoder, Joint, list[float]]:
    torch.manual_seed(s.seed)
    rng = random.Random(s.seed)
    encoder = Encoder(weights).to(device)
    if s.low_rank:
        encoder.low_rank(s.low_rank)
        encoder.to(device)
    encoder.words.weight.requires_grad_(s.words)
    joint = Joint(encoder.words.weight.shape[1]).to(device)
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
            loss = batch_loss(groups[a : a + s.batch], encoder, joint, s, tokens, others, rng, device)
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


def batch_loss(groups, encoder, joint, s: Settings, tokens: Tokens, others: dict, rng: random.Random, device: str):
    seqs, group, right, votes, late = [], [], [], [], []
    for g, (pool, i) in enumerate(groups):
        candidates = pool.questions[i].candidates
        for row, c in zip(pool.rows(i), candidates):
            seqs.append(pool.dressed(row, s, rng))
            group.append(g), right.append(c.correct), votes.append(bool(c.answer))
        sound = [c.text for c in candidates if c.correct]
        known = others.get(pool.questions[i].id, []) if s.others else []
        for text in rng.sample(known, min(s.others, len(known))):
            late.append((g, text, True))
            late.append((g, corrupt(text, rng), False))  # or else that dress alone would mean right
        for _ in range(s.slips if sound else 0):
            slip = corrupt(rng.choice(sound), rng)
            late.append((g, plain(slip) if rng.random() < s.plain else slip, False))
    late = [x for x in late if x[1]]
    if late:
        seqs += tokens([text for _, text, _ in late])
        group += [g for g, _, _ in late]
        right += [sound for _, _, sound in late]
        votes += [True] * len(late)
    questions = [pool.of_question[i] for pool, i in groups]
    r = pooled(encoder, seqs, device, 4)
    q = pooled(encoder, questions, device, 1)
    group, right, votes = (torch.tensor(x, device=device) for x in (group, right, votes))
    entropy, logit = joint(r, q[group])
    loss = torch.zeros((), device=device)
    if s.entropy:
        loss = loss + s.entropy * listwise(entropy, group, right, votes)
        if s.elbo and right.any():
            loss = loss - s.elbo * joint.entropy.elbo[right].mean() / r.shape[1]
    if s.pair:
        loss = loss + s.pair * pairwise(logit, group, right)
    return loss


class Embedded:
    """A pool's embeddings: questions repeated for their candidates."""

    def __init__(self, pool: Pool, keep, encoder: Encoder, device: str):
        self.pool, self.index = pool, [i for i, q in enumerate(pool.questions) if keep(q) and q.candidates]
        self.questions = [pool.questions[i] for i in self.index]
        self.r = embed(encoder, [pool.of_text[row] for i in self.index for row in pool.rows(i)], device)
        self.q1 = embed(encoder, [pool.of_question[i] for i in self.index], device)
        self.group = np.repeat(np.arange(len(self.index)), [len(q.candidates) for q in self.questions])
        self.q = self.q1[self.group]
        self.right = np.array([c.correct for q in self.questions for c in q.candidates])
        self.votes = np.array([bool(c.answer) for q in self.questions for c in q.candidates])


@torch.no_grad()
def joint_scores(joint: Joint, e: Embedded, device: str):
    joint.eval()
    s, logit = joint(torch.as_tensor(e.r).to(device), torch.as_tensor(e.q).to(device))
    return s.cpu().numpy(), logit.cpu().numpy()


def joined(sets: list[Embedded]):
    offsets = np.cumsum([0] + [len(e.questions) for e in sets])
    return tuple(np.concatenate(x) for x in (
        [e.r for e in sets], [e.q for e in sets], [e.group + o for e, o in zip(sets, offsets)], [e.right for e in sets], [e.votes for e in sets]))


def scored(s: Settings, train: list[Pool], test: list[Pool], encoder, joint, device: str, log) -> dict[str, np.ndarray]:
    """Scores dev questions and test pools: by both heads, and by CVAEs fitted on questions that the encoder has not seen, on
    as many that it has seen, and on both."""
    where = lambda name: lambda q: part(q.id, s.second, s.dev) == name
    sample, share = random.Random(1), s.second / max(1e-9, 1 - s.second - s.dev) or 1.0
    seen = [Embedded(p, lambda q: where("adapt")(q) and sample.random() < share, encoder, device) for p in train]
    fits = {"seen": seen}
    if s.second:
        fits["second"] = [Embedded(p, where("second"), encoder, device) for p in train]
        fits["both"] = fits["second"] + seen
    fitted = {name: fit_entropy(*joined(sets), device, seed=s.seed) for name, sets in fits.items()}
    scores = {}
    for kind, pools, keep in (("dev", train, where("dev")), ("test", test, lambda q: True)):
        for e in (Embedded(p, keep, encoder, device) for p in pools):
            entropy, logit = joint_scores(joint, e, device)
            row = {"end-to-end": entropy, "pair": logit} | {name: f(e.r, e.q) for name, f in fitted.items()}
            at = np.cumsum([0] + [len(q.candidates) for q in e.questions])
            log(f"{s.name} {kind} {e.pool.name} auroc:", {name: auroc(e.questions, v, at) for name, v in row.items()})
            scores |= {f"{kind}/{e.pool.name}/{name}": v.astype(np.float32) for name, v in row.items()}
    return scores


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--train", nargs="+", type=Path, required=True, help="pools of graded samples of training questions")
    flags.add_argument("--others", nargs="*", type=Path, default=[], help="files of right solutions by other writers")
    flags.add_argument("--test", nargs="*", type=Path, default=[], help="pools to report on")
    flags.add_argument("--weights", type=Path, required=True)
    flags.add_argument("--vocabulary", type=Path, required=True)
    flags.add_argument("--out", type=Path, required=True)
    flags.add_argument("--run", action="append", default=[], help="key=value,… of one experiment")
    flags.add_argument("--keep", action="append", default=[], help="names of the runs whose encoders are written")
    flags.add_argument("--limit", type=int, default=0, help="questions of a pool, for a trial")
    flags.add_argument("--seconds", type=float, default=1e9, help="start no run after so many seconds")
    a = flags.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    device, start = "cuda" if torch.cuda.is_available() else "cpu", time.time()
    torch.backends.cuda.matmul.allow_tf32 = True
    log = lambda *x: print(f"[{time.time() - start:5.0f}]", *x, flush=True)
    weights = load_weights(a.weights)
    questions = {path: read_pool(path, limit=a.limit) for path in a.train + a.test}
    others = read_solutions(a.others)
    log("read", {p.name: len(q) for p, q in questions.items()}, "others of", len(others))
    cache, failed = {}, False
    for text in a.run or [""]:
        s = Settings.parse(text)
        if time.time() - start > a.seconds:
            log("no time for", s.name)
            continue
        try:
            run(s, a, questions, others, weights, cache, device, log)
        except Exception:  # the other experiments of a long list still run
            traceback.print_exc()
            failed = True
    raise SystemExit(failed)


def run(s: Settings, a, questions, others, weights, cache: dict, device: str, log):
    tokens = Tokens(a.vocabulary, s.length, s.ends)
    dress = s.plain + s.program > 0
    key = (s.length, s.ends, dress)
    if key not in cache:
        cache.clear()
        cache[key] = {path: Pool(path, q, tokens, dress and path in a.train) for path, q in questions.items()}
        log("tokens", key)
    pools = cache[key]
    train = [pools[p] for p in a.train if not s.pools or any(n in p.name for n in s.pools.split("+"))]
    encoder, joint, losses = trained(train, s, weights, tokens, others, device, log)
    if s.name in a.keep or not a.run:
        save_file({k: v.half() for k, v in encoder.stored().items()}, a.out / f"{s.name}.safetensors")
    if not s.words and not s.low_rank:
        encoder.round_weights()  # scores are those of the product's int8 weights
    scores = scored(s, [pools[p] for p in a.train], [pools[p] for p in a.test], encoder, joint, device, log)
    np.savez_compressed(a.out / f"{s.name}.scores.npz", **scores)
    (a.out / f"{s.name}.json").write_text(json.dumps(dataclasses.asdict(s) | {"losses": losses} | card(a, s, questions), indent=1))
    log(s.name, "done")


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
