#!/usr/bin/env python3
"""Kill workers, coordinator and server at random while texts are embedded and problems drawn.

    tools/e2e/workers.py --command bin/rcvae [--nats bin/nats-server] [--texts 20000] [--kills 20] [--seed 1] [PART ...]

Parts: embed, embed-cluster (needs --nats), sample, disk (needs root), throughput. Each compares
what is left with what one undisturbed process writes, row by row and line by line, and
counts at the scripted servers how often each text was embedded and each question drawn.
Needs only Python's standard library.
"""
import argparse
import collections
import hashlib
import http.server
import json
import math
import os
import random
import re
import resource
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

DIMENSION = 64


def vector(text):
    block = b"".join(hashlib.sha256(f"{i}{text}".encode()).digest() for i in range(DIMENSION // 16))
    values = [v - 32767.5 for v in struct.unpack(f"<{DIMENSION}H", block)]
    length = math.sqrt(sum(v * v for v in values))
    return [v / length for v in values]


class Scripted(http.server.BaseHTTPRequestHandler):
    """OpenAI's embeddings and chat completions; answers are functions of their inputs."""

    protocol_version = "HTTP/1.1"
    lock, texts, questions, delay = threading.Lock(), collections.Counter(), collections.Counter(), 0.0

    def do_GET(self):
        self.reply({"object": "list", "data": [{"id": "m", "object": "model"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.delay)
        if self.path.endswith("/embeddings"):
            with self.lock:
                self.texts.update(body["input"])
            data = [{"object": "embedding", "index": i, "embedding": vector(t)} for i, t in enumerate(body["input"])]
            return self.reply({"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}})
        question, n = body["messages"][-1]["content"], body.get("n", 1)
        with self.lock:
            self.questions[question] += n
        choices = []
        for i in range(n):
            answer = int(hashlib.sha256(f"{question}{body.get('seed', 0) + i}".encode()).hexdigest(), 16) % 10
            choices.append({"index": i, "finish_reason": "stop", "message": {"role": "assistant", "content": f"Step by step. The answer is {answer}."}})
        self.reply({"id": "c", "object": "chat.completion", "model": "m", "choices": choices, "usage": {"prompt_tokens": 9, "completion_tokens": 8 * n, "total_tokens": 9 + 8 * n}})

    def reply(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            pass  # the caller was killed

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, *_):
        pass  # the caller was killed


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A process that is started again after it was killed. All its words go to one file."""

    def __init__(self, home, name, command):
        self.name, self.command, self.log = name, command, os.path.join(home, name + ".log")
        self.home, self.kills = home, 0
        self.start()

    def start(self):
        with open(self.log, "a") as log:
            env = os.environ | {"HOME": self.home, "XDG_CACHE_HOME": self.home, "XDG_CONFIG_HOME": self.home}
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=self.home)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def words(self):
        with open(self.log) as log:
            return log.read()


def rows(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("SELECT embedder, text, value FROM vector ORDER BY embedder, text").fetchall()


def alone(home, command):
    env = os.environ | {"HOME": home, "XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home}
    done = subprocess.run(command, cwd=home, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")


def disturb(rng, coordinator, victims, kills, every, limit=900):
    """Kill victims at random until the coordinator has finished, and return the seconds it took."""
    start, deck = time.time(), []
    while True:
        pause = rng.uniform(0.5, 1.5) * every
        begin = time.time()
        while time.time() - begin < pause:
            if coordinator.process.poll() is not None:
                if coordinator.process.returncode != 0:
                    sys.exit(f"the coordinator ended with {coordinator.process.returncode}: {coordinator.words()[-2000:]}")
                return time.time() - start
            if time.time() - start > limit:
                sys.exit(f"it does not end: {coordinator.words()[-2000:]}")
            time.sleep(0.05)
        if sum(v.kills for v in victims) < kills:
            deck = deck or rng.sample(victims, len(victims))  # all as often, in random order
            victim = deck.pop()
            victim.kill()
            time.sleep(rng.uniform(0, 0.5))
            victim.start()


def again(processes):
    """How often a job came to a worker that another one had before, and the most for one job."""
    lines = [m for p in processes for m in re.findall(r"job (\w+) again: delivery (\d+)", p.words())]
    return len(lines), max([int(n) for _, n in lines], default=1)


def report(part, processes, seconds, extra, most, jobs, what):
    deliveries, top = again(processes)
    killed = ", ".join(f"{p.name} {p.kills}" for p in processes if p.kills)
    print(f"{part}: {seconds:.0f} s, {sum(p.kills for p in processes)} kills ({killed}); {deliveries} redeliveries, at most {top} deliveries of one job; "
          f"{extra} of {jobs} {what} done more than once, at most {most} times; nothing missing, nothing wrong", flush=True)


def check(repeated, units, most, workers, forgotten):
    """Fail when more was done twice than came again. A server that is killed forgets at most what was in work then."""
    deliveries, top = again(workers)
    if repeated > units * (deliveries + forgotten) or most > max(2, top + (forgotten > 0)):
        sys.exit(f"{repeated} were done again, at most {most} times; {deliveries} jobs came again, and killed servers forgot at most {forgotten}")


def embed(args, rng, home, cluster):
    texts = os.path.join(home, "texts.txt")
    with open(texts, "w") as f:
        for i in range(args.texts):
            f.write(f"Solution {i}: {rng.randrange(100)} and {rng.randrange(100)} make {i}, " + "step by step " * rng.randrange(40) + "\n")
    model = f"openai+http://127.0.0.1:{args.port}/v1?model=m"
    base = [args.command, "embed", "--in", texts, "--embedder", model, "--out", os.path.join(home, "out.safetensors"), "--cache"]
    Scripted.delay = 0
    alone(home, base + [os.path.join(home, "alone.sqlite"), "--quiet"])
    Scripted.texts.clear()
    Scripted.delay = args.delay
    port, extra, victims = free_port(), [], []
    token = ["--token-file", os.path.join(home, "token")]
    if cluster:
        victims.append(Process(home, "server", [args.nats, "-js", "-sd", os.path.join(home, "js"), "-a", "127.0.0.1", "-p", str(port)]))
        time.sleep(1)
        with open(token[1], "w") as f:
            f.write("unused\n")
        where = ["--queue", f"nats://127.0.0.1:{port}"]
    else:
        where = ["--workers-listen", f"127.0.0.1:{port}", "--workers-token-file", token[1]]
    coordinator = Process(home, "coordinator", base + [os.path.join(home, "spread.sqlite"), "--no-local", "--workers-patience", "5s"] + where)
    time.sleep(1)
    workers = [Process(home, f"worker{i}", [args.command, "worker", "--connect", f"nats://127.0.0.1:{port}", "--embedder", model] + token) for i in range(3)]
    victims += [coordinator] + workers
    seconds = disturb(rng, coordinator, victims, args.kills, args.every)
    for p in workers + victims:
        p.end()
    want, got = rows(os.path.join(home, "alone.sqlite")), rows(os.path.join(home, "spread.sqlite"))
    if want != got:
        missing = len(set(want) - set(got))
        sys.exit(f"embed: {len(got)} rows, want {len(want)}; {missing} are missing or wrong")
    with open(texts) as f:
        counts = [Scripted.texts[line.rstrip("\n")] for line in f]
    repeated = sum(c > 1 for c in counts)
    report("embed-cluster" if cluster else "embed", victims, seconds, repeated, max(counts), len(counts), "texts")
    check(repeated, 64, max(counts), workers, (victims[0] if cluster else coordinator).kills * len(workers))


def sample(args, rng, home, cluster):
    problems = os.path.join(home, "problems.jsonl")
    with open(problems, "w") as f:
        for i in range(args.problems):
            f.write(json.dumps({"id": f"p{i}", "question": f"What is {i} times 1?", "answer": str(i)}) + "\n")
    base = [args.command, "sample", "--problems", problems, "--llm", "m", "-k", "4"]
    upstream = ["--upstream", f"http://127.0.0.1:{args.port}/v1"]
    Scripted.delay = 0
    alone(home, base + upstream + ["--out", os.path.join(home, "alone.jsonl"), "--quiet"])
    paid = dict(Scripted.questions)
    Scripted.questions.clear()
    Scripted.delay = args.sample_delay
    port = free_port()
    token = os.path.join(home, "token")
    coordinator = Process(home, "coordinator", base + ["--out", os.path.join(home, "spread.jsonl"), "--workers-listen", f"127.0.0.1:{port}", "--workers-token-file", token, "--workers-patience", "5s"])
    time.sleep(1)
    workers = [Process(home, f"worker{i}", [args.command, "worker", "--connect", f"nats://127.0.0.1:{port}", "--token-file", token, "--llm", "m", "--parallel", "2"] + upstream) for i in range(3)]
    seconds = disturb(rng, coordinator, [coordinator] + workers, args.kills, args.every)
    for p in workers:
        p.end()
    with open(os.path.join(home, "alone.jsonl")) as a, open(os.path.join(home, "spread.jsonl")) as b:
        want, got = sorted(a), sorted(b)
    if want != got:
        sys.exit(f"sample: {len(got)} lines, want {len(want)}; {len(set(want) - set(got))} are missing or wrong")
    times = [Scripted.questions[q] / n for q, n in paid.items()]
    repeated = sum(t > 1 for t in times)
    report("sample", [coordinator] + workers, seconds, repeated, int(max(times)), len(times), "questions")
    check(repeated, 1, max(times), workers, coordinator.kills * 2 * len(workers))


def disk(args, rng, home, _):
    """The queue and the cache on a disk of 1 MB: a clear word, and the rest when there is room."""
    mount = os.path.join(home, "small")
    os.mkdir(mount)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", mount], capture_output=True).returncode != 0:
        return print("disk: left out, it needs the right to mount")
    try:
        texts = os.path.join(home, "texts.txt")
        with open(texts, "w") as f:
            f.writelines(f"Text {i}: {'word ' * 40}\n" for i in range(4000))
        model = f"openai+http://127.0.0.1:{args.port}/v1?model=m"
        base = [args.command, "embed", "--in", texts, "--embedder", model, "--out", os.path.join(home, "out.safetensors"), "--cache"]
        Scripted.delay = 0
        alone(home, base + [os.path.join(home, "alone.sqlite"), "--quiet"])
        cache = os.path.join(mount, "c.sqlite")
        command = base + [cache, "--workers-listen", "127.0.0.1:0", "--workers-token-file", os.path.join(home, "token")]
        env = os.environ | {"HOME": home, "XDG_CACHE_HOME": home}
        full = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300)
        words = [line for line in full.stderr.splitlines() if "full" in line or "space" in line]
        if not words:
            sys.exit(f"disk: exit code {full.returncode}, and nobody said that it is full: {full.stderr[-1500:]}")
        print(f"disk: full, exit code {full.returncode}, said: {words[-1]}")
        subprocess.run(["mount", "-o", "remount,size=100m", mount], check=True)
        alone(home, command)
        if rows(cache) != rows(os.path.join(home, "alone.sqlite")):
            sys.exit("disk: with room the rows differ from those of one process")
        print("disk: with room the same command finished, and the rows are those of one process", flush=True)
    finally:
        subprocess.run(["umount", mount])


def seconds_used():
    """The processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def throughput(args, rng, home, _):
    """Two workers of one core each beside one process with two, on the built-in encoder."""
    texts = os.path.join(home, "texts.txt")
    with open(texts, "w") as f:
        for i in range(args.real_texts):
            f.write(f"Problem {i}: " + " ".join(f"first {rng.randrange(999)} plus {rng.randrange(999)} gives {rng.randrange(999)}," for _ in range(rng.randrange(4, 16))) + "\n")
    base = [args.command, "embed", "--in", texts, "--embedder", "minilm", "--out", os.path.join(home, "out.safetensors"), "--cache", "none", "--quiet"]
    for round in range(args.rounds):
        start, used = time.time(), seconds_used()
        alone(home, ["taskset", "-c", "0,1"] + base)
        one, one_used = time.time() - start, seconds_used() - used
        port, token = free_port(), os.path.join(home, "token")
        with open(token, "w") as f:
            f.write("a token\n")
        workers = [Process(home, f"worker{i}", ["taskset", "-c", str(i), args.command, "worker", "--connect", f"nats://127.0.0.1:{port}", "--token-file", token]) for i in range(2)]
        start, used = time.time(), seconds_used()
        alone(home, base + ["--no-local", "--workers-listen", f"127.0.0.1:{port}", "--workers-token-file", token])
        two = time.time() - start
        for w in workers:
            w.end()
        two_used, n = seconds_used() - used, args.real_texts
        print(f"throughput, round {round + 1}: {n} texts, one process on two cores {n / one:.1f}/s ({n / one_used:.1f} per second of processor time), "
              f"two workers on one core each {n / two:.1f}/s ({n / two_used:.1f}, with the coordinator): {one / two:.2f} x, {one_used / two_used:.2f} x", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", default="bin/rcvae")
    parser.add_argument("--nats")
    parser.add_argument("--texts", type=int, default=20000)
    parser.add_argument("--problems", type=int, default=1000)
    parser.add_argument("--real-texts", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two kills, on average")
    parser.add_argument("--delay", type=float, default=0.3, help="seconds that the scripted embedder takes for one request")
    parser.add_argument("--sample-delay", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("parts", nargs="*")
    args = parser.parse_args()
    args.command = os.path.abspath(args.command)
    server = Quiet(("127.0.0.1", 0), Scripted)
    args.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    parts = {"embed": (embed, False), "embed-cluster": (embed, True), "sample": (sample, False), "disk": (disk, False), "throughput": (throughput, False)}
    names = args.parts or [p for p in parts if p != "embed-cluster" or args.nats]
    for name in names:
        run, cluster = parts[name]
        with tempfile.TemporaryDirectory() as home:
            run(args, random.Random(args.seed), home, cluster)


if __name__ == "__main__":
    main()
