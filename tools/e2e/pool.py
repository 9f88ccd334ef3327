#!/usr/bin/env python3
"""Checks what rcvae sample and rcvae select have written.

    tools/e2e/pool.py KILLED POOL PROBLEMS CANDIDATES   the file that SIGKILL left, and the finished pool
    tools/e2e/pool.py --selection FILE CANDIDATES       the output of select --json
"""
import json
import sys


def ok(text):
    print("ok ", text)


def read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text.endswith("\n"), f"{path} ends in half a line"
    return [json.loads(line) for line in text.splitlines()]


def check_pool(killed_path, path, problems, candidates):
    killed, pool = read(killed_path), read(path)
    killed = [item for item in killed if "candidates" in item]  # the first line may describe the run
    assert 0 < len(killed) < problems, f"{len(killed)} problems were drawn before the kill"
    ok(f"SIGKILL left {len(killed)} whole problems of {problems} and no half line")
    assert len({item["id"] for item in pool}) == len(pool) == problems, f"the pool has {len(pool)} problems"
    counts = [len(item["candidates"]) for item in pool]
    assert set(counts) == {candidates}, f"candidates: {counts}"
    ok(f"the resumed run finished {problems} problems with {candidates} candidates each")
    by_id = {item["id"]: item for item in pool}
    for item in killed:
        assert by_id[item["id"]]["candidates"] == item["candidates"], f"{item['id']} was drawn again"
    ok("what was drawn before the kill was not drawn again")
    for item in pool:
        assert [c["sampler"] for c in item["candidates"]] == ["greedy"] + ["top_p"] * (candidates - 1), item["id"]
        assert all(c["n_tokens"] > 0 and c["sum_logprob"] < 0 and c["finish"] in ("stop", "length") for c in item["candidates"]), item["id"]
    ok("one greedy candidate comes first; all have tokens, log-probabilities and a finish reason")
    different = [len({c["text"] for c in item["candidates"][1:]}) for item in pool]
    assert min(different) > 1, f"equal samples: {different}"
    tokens = sum(c["n_tokens"] for item in pool for c in item["candidates"])
    right = sum(c["correct"] for item in pool for c in item["candidates"][1:])
    ok(f"samples differ ({sum(different)} different texts of {problems * (candidates - 1)}); {tokens} tokens, {right} of them right")


def check_selection(path, candidates):
    with open(path, encoding="utf-8") as file:
        s = json.load(file)
    assert len(s["scores"]) == len(s["answers"]) == candidates and 0 <= s["index"] < candidates and s["text"], s
    ok(f"{s['selector']} chose candidate {s['index'] + 1} of {candidates}: {s['reason']}")


if __name__ == "__main__":
    if sys.argv[1] == "--selection":
        check_selection(sys.argv[2], int(sys.argv[3]))
    else:
        check_pool(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
