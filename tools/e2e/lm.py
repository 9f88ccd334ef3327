#!/usr/bin/env python3
"""Asks rcvae serve the demo's questions and prints what it chose, and where the time went.

    tools/e2e/lm.py GATEWAY MODEL K QUESTIONS POOL

Needs only Python's standard library.
"""
import gzip
import json
import re
import sys
import time
import urllib.request

gateway, model, k, questions, pool = sys.argv[1:]
k, questions = int(k), int(questions)


def ask(question):
    body = {"model": model, "messages": [{"role": "user", "content": question + "\nPlease reason step by step, and put your final answer within \\boxed{}."}],
            "temperature": 0.7, "top_p": 0.9, "max_tokens": 512, "rcvae": {"return_candidates": True}}
    request = urllib.request.Request(gateway + "/v1/chat/completions", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=1800) as response:
        return json.load(response)


def seconds(name):
    """The sum of a histogram of the gateway's, over its labels."""
    with urllib.request.urlopen(gateway + "/metrics", timeout=30) as response:
        return sum(float(v) for v in re.findall(rf"^{name}_sum(?:\{{[^}}]*\}})? (\S+)$", response.read().decode(), re.M))


def right(text, gold):
    boxes = re.findall(r"\\boxed\{([^{}]*)\}", text)
    return bool(boxes) and boxes[-1].replace(",", "").strip("$ .").split(" ")[0] == gold


def main():
    chosen, one, tokens, start = 0, 0.0, 0, time.time()
    with gzip.open(pool, "rt", encoding="utf-8") as file:
        problems = [json.loads(line) for line in file][:questions]
    for problem in problems:
        answer = ask(problem["question"])
        details, text = answer["rcvae"], answer["choices"][0]["message"]["content"]
        candidates = [c["text"] if "text" in c else c["message"]["content"] for c in details["candidates"]]
        if len(candidates) != k:
            sys.exit(f"FAILED: {len(candidates)} candidates for {k}: {json.dumps(details)[:600]}")
        if "entropy" not in json.dumps(details):
            sys.exit(f"FAILED: no candidate has an entropy: {json.dumps(details)[:600]}")
        tokens += answer["usage"]["completion_tokens"]
        rate = sum(right(c, problem["answer"]) for c in candidates) / k
        chosen, one = chosen + right(text, problem["answer"]), one + rate
        print(f"    {problem['id']}: {rate:.0%} of {k} right, {'the chosen one too' if right(text, problem['answer']) else 'the chosen one is not'}: {details.get('reason', '')}", flush=True)
    total, upstream = time.time() - start, seconds("rcvae_upstream_duration_seconds")
    waited, early = seconds("rcvae_embedding_duration_seconds"), seconds("rcvae_early_embedding_duration_seconds")
    print(f"ok  {chosen} of {len(problems)} right, one sample {one:.1f}; {tokens} tokens in {total:.0f} s: llama.cpp wrote for {upstream:.0f} s, "
          f"meanwhile {early:.1f} s of embedding, and clients waited for {waited:.1f} s of it after the last candidate")


main()
