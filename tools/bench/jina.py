"""An encoder of jina-embeddings-v3's full size with random weights: memory, speed and vectors beside PyTorch.

    python tools/bench/jina.py --command bin/rcvae --tokenizer xlm-roberta.tokenizer.json.gz --work DIR [--texts 8] [--rounds 3] [--threads 2] [--processor] [--keep]

Writes a folder of 1.15 GB into --work: the published configuration, XLM-RoBERTa's tokenizer, and bfloat16 weights under the names and
shapes of the published file, adapters of five tasks among them, and removes it at the end unless --keep. The texts are solutions of the
bundled samples, cut to 256 tokens. Each round embeds them, task "separation", with PyTorch in float32 and in bfloat16, and with `rcvae
embed` in both widths of weights, whose rate is that of --texts less that of two. --processor counts processor time of one thread, for
machines on which other work runs. Prints texts/s, the peak of resident memory in all and of what is the process's own (RssAnon) and
mapped from the file (RssFile), and cosines with PyTorch in float32. Needs torch, safetensors, tokenizers and numpy.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import struct
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F

TASKS = ["retrieval.query", "retrieval.passage", "separation", "classification", "text-matching"]
TASK, TOKENS = "separation", 256
CONFIG = {
    "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096, "hidden_act": "gelu",
    "layer_norm_eps": 1e-5, "vocab_size": 250002, "type_vocab_size": 1, "max_position_embeddings": 8194, "position_embedding_type": "rotary",
    "rotary_emb_base": 20000.0, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "torch_dtype": "bfloat16", "emb_pooler": None,
    "lora_adaptations": TASKS, "lora_rank": 4, "lora_alpha": 1, "lora_dropout_p": 0.0, "task_instructions": dict.fromkeys(TASKS, ""),
}
H, LAYERS, HEADS, WIDE, WORDS, RANK = 1024, 24, 16, 4096, 250002, 4
WEIGHT, A, B = (".parametrizations.weight." + end for end in ("original", "0.lora_A", "0.lora_B"))


def shapes():
    """The tensors of the published file by name."""
    out = {}

    def adapted(name, rows, columns, table=False):
        out[name + WEIGHT] = (rows, columns)
        out[name + A] = (len(TASKS), rows, RANK) if table else (len(TASKS), RANK, columns)
        out[name + B] = (len(TASKS), RANK, columns) if table else (len(TASKS), rows, RANK)
        if not table:
            out[name + ".bias"] = (rows,)

    adapted("embeddings.word_embeddings", WORDS, H, True)
    adapted("embeddings.token_type_embeddings", 1, H, True)
    norms = ["emb_ln"]
    for i in range(LAYERS):
        p = f"encoder.layers.{i}."
        adapted(p + "mixer.Wqkv", 3 * H, H)
        adapted(p + "mixer.out_proj", H, H)
        adapted(p + "mlp.fc1", WIDE, H)
        adapted(p + "mlp.fc2", H, WIDE)
        norms += [p + "norm1", p + "norm2"]
    adapted("pooler.dense", H, H)
    for name in norms:
        out[name + ".weight"] = out[name + ".bias"] = (H,)
    return {"roberta." + name: shape for name, shape in out.items()}


def write_weights(path):
    """Random weights in pieces, so that they need no memory. Norms are near 1, adapters change a weight by a tenth or so."""
    header, at, rng = {}, 0, np.random.default_rng(1)
    for name, shape in shapes().items():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name, shape in shapes().items():
            scale = 0.1 if ".lora_" in name else 0.03
            mean = 1.0 if name.endswith(".weight") else 0.0  # of a norm
            left = int(np.prod(shape))
            while left > 0:
                values = rng.standard_normal(min(left, 1 << 22), np.float32) * np.float32(scale) + np.float32(mean)
                f.write((values.view(np.uint32) >> 16).astype("<u2").tobytes())
                left -= len(values)


def write_folder(folder, tokenizer):
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "modules.json").write_text(json.dumps([
        {"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in
        enumerate([("", "sentence_transformers.models.Transformer"), ("1_Pooling", "sentence_transformers.models.Pooling")])]))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": H, "pooling_mode_mean_tokens": True}))
    (folder / "tokenizer.json").write_bytes(gzip.open(tokenizer).read())
    write_weights(folder / "model.safetensors")


def read_texts(n):
    solutions = []
    with gzip.open("internal/demo/test.jsonl.gz", "rt", encoding="utf-8") as f:
        for line in f:
            solutions += [c["text"] for c in json.loads(line)["candidates"]]
    joined, each = [], 8  # solutions are a line or two: several make 256 tokens
    for i in range(n):
        joined.append(" ".join(solutions[each * i : each * (i + 1)]))
    return joined


class Reference:
    """The forward pass of a post-norm encoder with rotary positions; Su et al., RoFormer (2021)."""

    def __init__(self, folder, dtype):
        with safe_open(folder / "model.safetensors", "pt") as f:
            get = lambda name: f.get_tensor("roberta." + name)  # noqa: E731
            task = TASKS.index(TASK)

            def weight(name, table=False):
                base, a, b = (get(name + end) for end in (WEIGHT, A, B))
                a, b = a[task].float(), b[task].float()
                return (base.float() + (a @ b if table else b @ a) / RANK).to(dtype)

            self.words, self.words_a, self.words_b = (get("embeddings.word_embeddings" + end) for end in (WEIGHT, A, B))
            self.words_a, self.words_b = self.words_a[task].float(), self.words_b[task].float()
            self.type = weight("embeddings.token_type_embeddings", True)[0]
            norm = lambda name: (get(name + ".weight").to(dtype), get(name + ".bias").to(dtype))  # noqa: E731
            linear = lambda name: (weight(name), get(name + ".bias").to(dtype))  # noqa: E731
            self.norm = norm("emb_ln")
            self.layers = [
                [linear(p + n) for n in ("mixer.Wqkv", "mixer.out_proj", "mlp.fc1", "mlp.fc2")] + [norm(p + "norm1"), norm(p + "norm2")]
                for p in (f"encoder.layers.{i}." for i in range(LAYERS))
            ]
        self.dtype = dtype
        angles = torch.outer(torch.arange(TOKENS).float(), 20000.0 ** (-torch.arange(0, 64, 2).float() / 64))
        self.cos, self.sin = angles.cos().to(dtype), angles.sin().to(dtype)

    def rotate(self, x):  # (texts, heads, tokens, 64)
        first, second = x.chunk(2, -1)
        n = x.shape[2]
        cos, sin = self.cos[:n], self.sin[:n]
        return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)

    @torch.inference_mode()
    def embed(self, ids):
        """The vectors of texts of one length, ids (texts, tokens)."""
        texts, tokens = ids.shape
        words = self.words[ids].float() + self.words_a[ids] @ self.words_b / RANK
        x = F.layer_norm(words.to(self.dtype) + self.type, (H,), *self.norm, 1e-5)
        for qkv, out, up, down, norm1, norm2 in self.layers:
            q, k, v = F.linear(x, *qkv).view(texts, tokens, 3, HEADS, 64).permute(2, 0, 3, 1, 4)
            attention = F.scaled_dot_product_attention(self.rotate(q), self.rotate(k), v)
            x = F.layer_norm(x + F.linear(attention.transpose(1, 2).reshape(texts, tokens, H), *out), (H,), *norm1, 1e-5)
            x = F.layer_norm(x + F.linear(F.gelu(F.linear(x, *up)), *down), (H,), *norm2, 1e-5)
        return F.normalize(x.float().mean(1), dim=1).numpy()


class Command:
    """`rcvae embed` on the folder."""

    def __init__(self, a, folder, *flags):
        self.a, self.peak = a, {}
        self.arguments = [a.command, "embed", "--embedder", str(folder), "--task", TASK, "--max-tokens", str(TOKENS), "--cache", "none", *flags]

    def watch(self, pid):
        while True:
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                return
            for line in status.splitlines():
                key, _, value = line.partition(":")
                if key in ("VmHWM", "RssAnon", "RssFile"):
                    self.peak[key] = max(self.peak.get(key, 0), int(value.split()[0]) * 1024 / 1e6)
            if "VmHWM" not in status:
                return
            time.sleep(0.01)

    def run(self, texts):
        source, target = self.a.work / "texts.jsonl", self.a.work / "vectors.safetensors"
        source.write_text("".join(json.dumps(t) + "\n" for t in texts))
        start = time.perf_counter()
        process = subprocess.Popen([*self.arguments, "--in", source, "--out", target], env=os.environ | {"GOMAXPROCS": str(self.a.threads)}, stderr=subprocess.DEVNULL)
        watcher = threading.Thread(target=self.watch, args=(process.pid,))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        watcher.join()
        if status != 0:
            raise SystemExit(f"{self.arguments} failed with status {status}")
        seconds = usage.ru_utime + usage.ru_stime if self.a.processor else time.perf_counter() - start
        return seconds, load_file(target)["embeddings"]

    def measure(self, texts, _):
        less, _ = self.run(texts[:2])
        more, vectors = self.run(texts)
        return (len(texts) - 2) / (more - less), vectors


def pytorch(model, processor):
    def measure(texts, ids):
        clock = time.process_time if processor else time.perf_counter
        start = clock()
        vectors = model.embed(ids)
        return len(texts) / (clock() - start), vectors

    return measure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processor", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the folder of weights")
    a = parser.parse_args()
    if a.processor:
        a.threads = 1
    torch.set_num_threads(a.threads)
    folder = a.work / "jina-v3-random"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        write_folder(folder, a.tokenizer)
        (folder / "done").touch()
    try:
        compare(a, folder)
    finally:
        if not a.keep:
            shutil.rmtree(folder)


def compare(a, folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS)
    texts = read_texts(a.texts)
    ids = [tokenizer.encode(t).ids for t in texts]
    if {len(i) for i in ids} != {TOKENS}:
        raise SystemExit(f"a text is shorter than {TOKENS} tokens")
    ids = torch.tensor(ids)
    commands = {"rcvae": Command(a, folder), "rcvae --weight-bits 8": Command(a, folder, "--weight-bits", "8")}
    sides = {
        "PyTorch float32": pytorch(Reference(folder, torch.float32), a.processor),
        "PyTorch bfloat16": pytorch(Reference(folder, torch.bfloat16), a.processor),
    } | {name: c.measure for name, c in commands.items()}
    rates, vectors = {name: [] for name in sides}, {}
    for _ in range(a.rounds):
        for name, measure in sides.items():
            rate, vectors[name] = measure(texts, ids)
            rates[name].append(rate)
            print(f"{name}: {rate:.3f} texts/s", flush=True)
    base, base_rate = vectors["PyTorch float32"], statistics.median(rates["PyTorch float32"])
    print(f"\n{'Processor time. ' if a.processor else ''}{a.texts} texts of {TOKENS} tokens, {a.threads} threads, torch {torch.__version__}\n")
    print("| side | texts/s, each round | median | to PyTorch float32 | cosine, least | VmHWM, MB | RssAnon | RssFile |\n|---|---|---|---|---|---|---|---|")
    for name, values in rates.items():
        median = statistics.median(values)
        peak = commands[name].peak if name in commands else {}
        memory = " | ".join(f"{peak[key]:.0f}" if peak else "" for key in ("VmHWM", "RssAnon", "RssFile"))
        print(f"| {name} | {', '.join(f'{v:.2f}' for v in values)} | {median:.2f} | {median / base_rate:.2f} | {(vectors[name] * base).sum(1).min():.5f} | {memory} |")


if __name__ == "__main__":
    main()
