"""Training throughput of cvae beside PyTorch's, on the same machine in the same run.

    python tools/bench/train.py [--rounds 3] [--seconds 10] [--threads 2] [--go go]

Runs in the repository's root. Each round measures PyTorch (float32 on the CPU, fused
Adam, --threads threads) and then BenchmarkTrain of the package cvae under the same
GOMAXPROCS: embeddings of 1024, hidden 1024-1024, z 256, batch 256, the ELBO of
objective paper. Prints samples/s of both, and the ratio, as a Markdown table.
"""

import argparse
import os
import platform
import re
import statistics
import subprocess
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


def pytorch(seconds, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    q, r = (nn.functional.normalize(torch.randn(PAIRS, D), dim=1) for _ in range(2))
    model = CVAE()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)

    def step(i):
        at = i * BATCH % PAIRS
        loss = model(q[at : at + BATCH], r[at : at + BATCH])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()  # training logs its loss

    for i in range(5):
        step(i)
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step(steps)
        steps += 1
    return steps * BATCH / (time.perf_counter() - start)


def rcvae(go, seconds, threads):
    env = dict(os.environ, GOMAXPROCS=str(threads))
    command = [go, "test", "./cvae", "-run", "^$", "-bench", "^BenchmarkTrain$", "-benchtime", f"{seconds}s"]
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"([\d.e+]+) samples/s", out).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of measurement, for each side of a round")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--go", default="go", help="the go command")
    args = parser.parse_args()
    print(f"PyTorch {torch.__version__}, {args.threads} threads, {platform.machine()}; D {D}, hidden {HIDDEN}-{HIDDEN}, z {LATENT}, batch {BATCH}\n")
    print("| round | PyTorch, samples/s | rcvae, samples/s | ratio |\n|---|---|---|---|")
    ratios = []
    for i in range(args.rounds):
        theirs, ours = pytorch(args.seconds, args.threads), rcvae(args.go, args.seconds, args.threads)
        ratios.append(ours / theirs)
        print(f"| {i + 1} | {theirs:.0f} | {ours:.0f} | {ours / theirs:.2f} |", flush=True)
    print(f"\nmedian ratio {statistics.median(ratios):.2f}")


main()
