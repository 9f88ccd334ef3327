"""Embedding throughput of rcvae beside PyTorch and ONNX Runtime, on the same machine in the same run.

    go build -o rcvae ./cmd/rcvae
    python tools/bench/embed.py MODEL-FOLDER TEXTS.jsonl[.gz] --command ./rcvae [--texts 1000] [--rounds 3] [--threads 2] [--processor]

MODEL-FOLDER holds all-MiniLM-L6-v2 (model.safetensors, config.json, the tokenizer's files).
TEXTS has one object a line: a pool (every candidate's text counts) or objects with "text".
--texts of them are drawn with a fixed seed. In each round every side embeds all texts once,
tokenising included, model loading not: rcvae's time is that of its whole command less that of
embedding a single text. PyTorch (float32, and bfloat16 by autocast)
and ONNX Runtime (exported by torch, float32, and quantised to int8 dynamically) get batches sorted by
length. --processor counts processor time of one thread, for machines on which other work runs. Prints texts/s and tokens/s of all sides and how well the vectors agree, as a
Markdown table. Needs torch, transformers, onnx, onnxscript, onnxruntime.
"""

import argparse
import gzip
import json
import os
import platform
import random
import resource
import shlex
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file
from transformers import AutoModel, AutoTokenizer

MAX_TOKENS = 512


def clock(processor):
    """Seconds of this process and those that it has waited for."""
    if not processor:
        return time.perf_counter()
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in both)


def read_texts(path, n):
    opener = gzip.open if path.endswith(".gz") else open
    texts = []
    with opener(path, "rt", encoding="utf-8") as f:
        for line in f:
            item = json.loads(line)
            texts += [c["text"] for c in item["candidates"]] if "candidates" in item else [item["text"]]
    if len(texts) < n:
        raise SystemExit(f"{path} has {len(texts)} texts, want {n}")
    return random.Random(1).sample(texts, n)


class Reference:
    """Tokenises, sorts by length, pads batches, and pools what forward(ids, mask) returns."""

    def __init__(self, tokenizer, batch, forward):
        self.tokenizer, self.batch, self.forward = tokenizer, batch, forward

    def embed(self, texts):
        encoded = self.tokenizer(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        order = sorted(range(len(texts)), key=lambda i: -len(encoded[i]))
        out = [None] * len(texts)
        for first in range(0, len(order), self.batch):
            part = order[first : first + self.batch]
            longest = max(len(encoded[i]) for i in part)
            ids = np.zeros((len(part), longest), np.int64)
            mask = np.zeros_like(ids)
            for row, i in enumerate(part):
                ids[row, : len(encoded[i])] = encoded[i]
                mask[row, : len(encoded[i])] = 1
            states = self.forward(ids, mask)
            mean = (states * mask[:, :, None].astype(np.float32)).sum(1)
            for row, i in enumerate(part):
                out[i] = mean[row] / np.linalg.norm(mean[row])
        return np.stack(out)


def torch_forward(model, bfloat16=False):
    def forward(ids, mask):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).last_hidden_state.float().numpy()

    return forward


def onnx_export(model_dir, folder):
    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = AutoModel.from_pretrained(model_dir, attn_implementation="eager").eval()

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    path = os.path.join(folder, "minilm.onnx")
    example = (torch.ones(2, 16, dtype=torch.long), torch.ones(2, 16, dtype=torch.long))
    batch, length = torch.export.Dim("batch", min=1, max=256), torch.export.Dim("length", min=2, max=MAX_TOKENS)
    shape = {0: batch, 1: length}
    torch.onnx.export(
        States().eval(), example, path, input_names=["input_ids", "attention_mask"], output_names=["states"],
        dynamic_shapes={"input_ids": shape, "attention_mask": shape}, dynamo=True, verbose=False,
    )
    eight = os.path.join(folder, "minilm-int8.onnx")
    quantize_dynamic(path, eight, per_channel=True, weight_type=QuantType.QInt8)
    return path, eight


def onnx_forward(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda ids, mask: session.run(["states"], {"input_ids": ids, "attention_mask": mask})[0]


class Command:
    """Embeds through "COMMAND embed"; seconds are those of all texts less those of one."""

    def __init__(self, command, threads, folder, processor):
        self.command, self.threads, self.folder, self.processor = shlex.split(command), threads, folder, processor

    def run(self, texts):
        source, target = os.path.join(self.folder, "texts.jsonl"), os.path.join(self.folder, "vectors.safetensors")
        with open(source, "w", encoding="utf-8") as f:
            f.writelines(json.dumps({"text": t}) + "\n" for t in texts)
        arguments = ["embed", "--in", source, "--out", target, "--cache", "none"]
        start = clock(self.processor)
        subprocess.run(self.command + arguments, check=True, env=os.environ | {"GOMAXPROCS": str(self.threads)}, stderr=subprocess.DEVNULL)
        return clock(self.processor) - start, load_file(target)["embeddings"]

    def measure(self, texts):
        startup, _ = self.run(texts[:1])
        seconds, vectors = self.run(texts)
        return seconds - startup, vectors


def timed(reference, processor):
    def measure(texts):
        start = clock(processor)
        vectors = reference.embed(texts)
        return clock(processor) - start, vectors

    return measure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("texts_file")
    parser.add_argument("--command", required=True)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32, help="texts in a batch of PyTorch and ONNX Runtime")
    parser.add_argument("--processor", action="store_true")
    args = parser.parse_args()
    if args.processor:
        args.threads = 1

    torch.set_num_threads(args.threads)
    os.environ["RAYON_NUM_THREADS"] = str(args.threads)
    texts = read_texts(args.texts_file, args.texts)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    tokens = sum(map(len, tokenizer(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]))
    with tempfile.TemporaryDirectory() as folder:
        model = AutoModel.from_pretrained(args.model).eval()
        forwards = {"PyTorch": torch_forward(model), "PyTorch bfloat16": torch_forward(model, bfloat16=True)}
        for name, path in zip(("ONNX Runtime", "ONNX Runtime int8"), onnx_export(args.model, folder)):
            forwards[name] = onnx_forward(path, args.threads)
        sides = {name: timed(Reference(tokenizer, args.batch, f), args.processor) for name, f in forwards.items()}
        sides["rcvae"] = Command(args.command, args.threads, folder, args.processor).measure
        for measure in sides.values():  # warm up
            measure(texts[: args.batch])
        rates, vectors = {name: [] for name in sides}, {}
        for _ in range(args.rounds):
            for name, measure in sides.items():
                seconds, vectors[name] = measure(texts)
                rates[name].append(len(texts) / seconds)

    print("Processor time. " if args.processor else "", end="")
    print(f"{len(texts)} texts, {tokens / len(texts):.0f} tokens on average; {args.threads} threads; {platform.machine()}, "
          f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}\n")
    print("| side | texts/s, each round | median | tokens/s | least cosine with PyTorch |\n|---|---|---|---|---|")
    medians = {}
    for name, values in rates.items():
        medians[name] = statistics.median(values)
        cosine = (vectors[name] * vectors["PyTorch"]).sum(1).min()
        print(f"| {name} | {', '.join(f'{v:.1f}' for v in values)} | {medians[name]:.1f} | {medians[name] * tokens / len(texts):.0f} | {cosine:.5f} |")
    for name in forwards:
        print(f"\nrcvae / {name}: {medians['rcvae'] / medians[name]:.2f}")


if __name__ == "__main__":
    main()
