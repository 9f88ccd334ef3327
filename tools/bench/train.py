"""Training throughput of cvae beside PyTorch's, on the same machine in the same run.

    python tools/bench/train.py [--rounds 3] [--seconds 10] [--threads 2] [--go go] [--processor]

Runs in the repository's root. Each round measures PyTorch on the CPU (float32, and bfloat16 by
autocast; fused Adam, --threads threads) and then BenchmarkTrain of the package cvae in both
precisions under the same GOMAXPROCS: embeddings of 1024, hidden 1024-1024, z 256, batch 256, the
ELBO of objective paper. Prints samples/s of all, and the ratios of each precision, as a Markdown table. --processor counts
processor time of one thread, for machines on which other work runs.
"""

import argparse
import os
import platform
import re
import resource
import statistics
import subprocess
import tempfile
import time

import torch
from torch import nn

D, LATENT, HIDDEN, BATCH, PAIRS = 1024, 256, 1024, 256, 2048


class CVAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(2 * D, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(D + LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, D))

    def forward(self, q, r):
        mu, logvar = self.encoder(torch.cat([q, r], 1)).chunk(2, 1)
        logvar = logvar.clamp(-10, 5)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        rebuilt = self.decoder(torch.cat([q, z], 1))
        recon = ((r - rebuilt) ** 2).sum(1) / 2
        return (recon + 0.5 * (logvar.exp() + mu * mu - 1 - logvar).sum(1)).mean()


def clock(processor):
    """Seconds of this process and those that it has waited for."""
    if not processor:
        return time.perf_counter()
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in both)


def pytorch(seconds, threads, processor, bfloat16=False):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    q, r = (nn.functional.normalize(torch.randn(PAIRS, D), dim=1) for _ in range(2))
    model = CVAE()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)

    def step(i):
        at = i * BATCH % PAIRS
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = model(q[at : at + BATCH], r[at : at + BATCH])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()  # training logs its loss

    for i in range(5):
        step(i)
    steps, start = 0, clock(processor)
    while clock(processor) - start < seconds:
        step(steps)
        steps += 1
    return steps * BATCH / (clock(processor) - start)


def rcvae(binary, precision, seconds, threads, processor):
    def run(times):
        command = [binary, "-test.run", "^$", "-test.bench", f"^BenchmarkTrain$/^{precision}$", "-test.benchtime", times]
        start = clock(processor)
        out = subprocess.run(command, env=dict(os.environ, GOMAXPROCS=str(threads)), capture_output=True, text=True, check=True, cwd="cvae").stdout
        step, rate = re.search(r"([\d.e+]+) ns/op", out), re.search(r"([\d.e+]+) samples/s", out)
        return clock(processor) - start, float(step[1]) * 1e-9, float(rate[1])

    if not processor:
        return run(f"{seconds}s")[2]
    less, (more, step, rate) = run("2x")[0], run("42x")
    return 40 * step * rate / (more - less)  # step * rate: samples of a step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of measurement, for each side of a round")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--go", default="go", help="the go command")
    parser.add_argument("--processor", action="store_true")
    args = parser.parse_args()
    if args.processor:
        args.threads = 1
    print(("Processor time. " if args.processor else "") + f"PyTorch {torch.__version__}, {args.threads} threads, {platform.machine()}; D {D}, hidden {HIDDEN}-{HIDDEN}, z {LATENT}, batch {BATCH}\n")
    print("| round | PyTorch, samples/s | PyTorch bfloat16 | rcvae | rcvae bf16 | ratio in float32 | in bfloat16 |\n|---|---|---|---|---|---|---|")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "cvae.test")
        subprocess.run([args.go, "test", "-c", "-o", binary, "./cvae"], check=True)
        for i in range(args.rounds):
            theirs = [pytorch(args.seconds, args.threads, args.processor, bfloat16) for bfloat16 in (False, True)]
            ours = [rcvae(binary, precision, args.seconds, args.threads, args.processor) for precision in ("float32", "bf16")]
            ratios.append([o / t for o, t in zip(ours, theirs)])
            rates = " | ".join(f"{r:.0f}" for r in theirs + ours)
            print(f"| {i + 1} | {rates} | {ratios[-1][0]:.2f} | {ratios[-1][1]:.2f} |", flush=True)
    medians = [statistics.median(r) for r in zip(*ratios)]
    print(f"\nmedian ratios {medians[0]:.2f} in float32, {medians[1]:.2f} in bfloat16")


main()
