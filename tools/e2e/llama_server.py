#!/usr/bin/env python3
"""Serves a GGUF file with the llama.cpp of the package xllamacpp until it is ended.

    tools/e2e/llama_server.py GGUF NAME PORT [--slots 1] [--template FILE] [--pooling mean|cls|last] [--tokens 2048]

With --pooling it embeds (llama-server's --embeddings) instead of writing text. THREADS is from the environment, 1.
"""
import argparse
import os
import signal

import xllamacpp

parser = argparse.ArgumentParser()
parser.add_argument("gguf")
parser.add_argument("name")
parser.add_argument("port", type=int)
parser.add_argument("--slots", type=int, default=1)
parser.add_argument("--template")
parser.add_argument("--pooling", choices=["mean", "cls", "last"])
parser.add_argument("--tokens", type=int, default=2048, help="of a slot, and of a text that is embedded")
a = parser.parse_args()
params = xllamacpp.CommonParams()
params.model.path = a.gguf
params.model_alias = {a.name}
params.hostnames = ["127.0.0.1"]
params.port = a.port
params.n_parallel = a.slots
params.n_ctx = a.tokens * a.slots
params.cpuparams.n_threads = int(os.environ.get("THREADS", "1"))
if a.pooling:
    params.embedding = True
    params.pooling_type = getattr(xllamacpp.llama_pooling_type, f"LLAMA_POOLING_TYPE_{a.pooling.upper()}")
    params.n_batch = params.n_ubatch = a.tokens  # a text must fit
params.use_jinja = not a.pooling  # the model's own chat template, unless another is named
if a.template:
    with open(a.template, encoding="utf-8") as file:
        params.chat_template = file.read()
server = xllamacpp.Server(params)
print("listening at", server.listening_address, flush=True)
signal.sigwait({signal.SIGINT, signal.SIGTERM})
os._exit(0)
