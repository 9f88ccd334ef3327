#!/usr/bin/env python3
"""Serves a GGUF file with the llama.cpp of the package xllamacpp until it is ended.

    tools/e2e/llama_server.py GGUF NAME PORT SLOTS [TEMPLATE]

Without TEMPLATE, the file with a chat template, the model's own is used.
"""
import os
import signal
import sys

import xllamacpp

gguf, name, port, slots, *template = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = gguf
params.model_alias = {name}
params.hostnames = ["127.0.0.1"]
params.port = int(port)
params.n_parallel = int(slots)
params.n_ctx = 2048 * int(slots)
params.cpuparams.n_threads = int(os.environ.get("THREADS", "1"))
params.use_jinja = True
for path in template:
    with open(path, encoding="utf-8") as file:
        params.chat_template = file.read()
server = xllamacpp.Server(params)
print("listening at", server.listening_address, flush=True)
signal.sigwait({signal.SIGINT, signal.SIGTERM})
os._exit(0)
