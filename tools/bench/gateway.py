#!/usr/bin/env python3
"""What the gateway adds to an upstream that answers at once, beside optillm and its_hub.

    tools/bench/gateway.py --command bin/rcvae --load bin/load [--before OLD/rcvae] [--optillm VENV/bin/optillm] [--its VENV/bin/its-iaas]

All servers stand in front of the same upstream in one run. Latency is added latency: the
difference to the upstream's own, measured before and after. A peer that is not given, or
an older rcvae, is left out. Needs only Python's standard library.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request

UPSTREAM, PORT = "http://127.0.0.1:18091/v1", 18092


def run(load, url, **options):
    command = [load, "run", "--url", url] + [f"--{name}={value}" for name, value in options.items()]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def get(url, body=None):
    request = urllib.request.Request(url, data=body and json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.read().decode()


class Server:
    """A process that answers on PORT until the block ends."""

    def __init__(self, command, ready, patience=120, **environment):
        self.command, self.ready, self.patience, self.environment = command, ready, patience, environment

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | self.environment)
        end = time.time() + self.patience
        while True:
            try:
                get(self.ready)
                return self
            except OSError:
                if self.process.poll() is not None or time.time() > end:
                    self.__exit__()
                    sys.exit(f"{' '.join(self.command)} does not answer at {self.ready}")
                time.sleep(0.2)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def gateway(command, *arguments):
    return Server([command, "serve", "--upstream", UPSTREAM, "--listen", f"127.0.0.1:{PORT}", "--cache", "none", *arguments], f"http://127.0.0.1:{PORT}/healthz")


def metric(name):
    text = get(f"http://127.0.0.1:{PORT}/metrics")
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


def fast(args):
    """k = 1: 64 connections at a fixed rate, then as fast as it goes."""
    for name, command in programs(args):
        print(f"{name}, ", end="")
        fast_of(args, command)


def programs(args):
    return [("rcvae", args.command)] + ([("rcvae before", args.before)] if args.before else [])


def fast_of(args, command):
    options = dict(connections=64, rate=3000, duration=f"{args.seconds}s")
    added50, added99, direct, through = [], [], [], []
    with gateway(command, "--selector", "majority", "-k", "1"):
        for _ in range(args.rounds):
            direct.append(run(args.load, UPSTREAM, **options))
            through.append(run(args.load, f"http://127.0.0.1:{PORT}/v1", **options))
            added50.append(through[-1]["p50_ms"] - direct[-1]["p50_ms"])
            added99.append(through[-1]["p99_ms"] - direct[-1]["p99_ms"])
        most = run(args.load, f"http://127.0.0.1:{PORT}/v1", connections=64, duration=f"{args.seconds}s")
    print(f"k = 1, 64 connections, 3,000 requests/s offered ({args.rounds} rounds, each after the upstream alone)")
    print("  upstream p50 " + ", ".join(f"{r['p50_ms']:.3f}" for r in direct) + " ms; p99 " + ", ".join(f"{r['p99_ms']:.2f}" for r in direct) + " ms")
    print("  added    p50 " + ", ".join(f"{x:.3f}" for x in added50) + " ms; p99 " + ", ".join(f"{x:.2f}" for x in added99) + " ms")
    print(f"  median of the rounds: p50 +{statistics.median(added50):.3f} ms, p99 +{statistics.median(added99):.2f} ms; {most['rate']:.0f} requests/s at most;"
          f" {sum(r['errors'] for r in direct + through + [most])} errors\n")


def embedding(args):
    """k = 8 with embedding: what is left when upstream and embedding are taken away."""
    with gateway(args.command, "--selector", "consensus", "-k", "8"):
        options = dict(connections=1, model="paragraph")
        run(args.load, f"http://127.0.0.1:{PORT}/v1", duration="2s", **options)
        upstream = run(args.load, UPSTREAM, duration="3s", extra=',"n":8', **options)["mean_ms"]
        names = ("rcvae_embedding_duration_seconds_sum", "rcvae_embedding_duration_seconds_count")
        before = [metric(name) for name in names]
        client = run(args.load, f"http://127.0.0.1:{PORT}/v1", duration=f"{2 * args.seconds}s", warm="0s", **options)
        embedded, count = (after - b for after, b in zip([metric(name) for name in names], before))
    embedded = 1000 * embedded / count
    print(f"k = 8 by n, paragraphs of 80 words, selector consensus with the built-in embedder, one request at a time ({count:.0f} requests)")
    print(f"  client {client['mean_ms']:.2f} ms, upstream {upstream:.2f} ms, embedding {embedded:.2f} ms, all else {client['mean_ms'] - upstream - embedded:.2f} ms\n")


def peers(args):
    """Every server one request at a time, and with 64 connections: medians of the rounds."""
    url, health = f"http://127.0.0.1:{PORT}/v1", f"http://127.0.0.1:{PORT}/v1/models"
    its = {"endpoint": UPSTREAM, "api_key": "load", "model": "paragraph", "alg": "self-consistency", "regex_patterns": [r"answer is (\d+)"], "budget": 8}
    table = []

    def ours(k):
        for name, command in programs(args):
            table.append((f"{name}, k {k}" + (" majority" if k > 1 else ""), gateway(command, "--selector", "majority", "-k", str(k)), k, None))
    ours(1)
    if args.optillm:
        optillm = [args.optillm, "--base-url", UPSTREAM, "--port", str(PORT)]
        key = dict(OPENAI_API_KEY="load")
        table.append(("optillm none", Server(optillm + ["--approach", "none"], health, **key), 1, None))
    ours(3)
    if args.optillm:
        table.append(("optillm bon, 3", Server(optillm + ["--approach", "bon", "--best-of-n", "3"], health, **key), 3, None))
    ours(8)
    if args.its:
        table.append(("its_hub self-consistency, 8", Server([args.its, "--port", str(PORT), "--log-level", "WARNING"], health), 8, its))
    print(f"{'server':<30}{'added p50, ms':>15}{'added p99, ms':>15}{'requests/s':>12}{'errors':>8}")
    for name, server, k, configure in table:
        with server:
            if configure:
                get(f"http://127.0.0.1:{PORT}/configure", configure)
            options = dict(connections=1, duration=f"{args.seconds}s", model="paragraph")
            rounds = []
            for _ in range(args.rounds):
                direct = run(args.load, UPSTREAM, extra=f',"n":{k}' if k > 1 else "", **options)
                single = run(args.load, url, **options)
                many = run(args.load, url, **options | dict(connections=64))
                rounds.append((single["p50_ms"] - direct["p50_ms"], single["p99_ms"] - direct["p99_ms"], many["rate"], single["errors"] + many["errors"]))
        p50, p99, rate, errors = zip(*rounds)
        print(f"{name:<30}{statistics.median(p50):>15.3f}{statistics.median(p99):>15.3f}{statistics.median(rate):>12.0f}{sum(errors):>8}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default="bin/rcvae")
    parser.add_argument("--load", default="bin/load")
    parser.add_argument("--before", help="an older rcvae, to compare with")
    parser.add_argument("--optillm", help="the program optillm (pip install optillm)")
    parser.add_argument("--its", help="the program its-iaas (pip install 'its_hub[iaas]')")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--parts", nargs="+", choices=("fast", "embedding", "peers"), default=("fast", "embedding", "peers"))
    args = parser.parse_args()
    with Server([args.load, "upstream", "--listen", "127.0.0.1:18091"], f"{UPSTREAM}/models"):
        for part in args.parts:
            {"fast": fast, "embedding": embedding, "peers": peers}[part](args)


if __name__ == "__main__":
    main()
