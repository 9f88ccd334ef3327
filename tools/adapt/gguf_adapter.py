"""Writes adapters of embed/lm as the GGUF file of an adapter, for llama.cpp.

    python gguf_adapter.py embed/lm/qwen2.5-coder-0.5b.safetensors math-lm-adapter.gguf
    llama-server -m qwen2.5-coder-0.5b-instruct-q4_k_m.gguf --lora math-lm-adapter.gguf --embeddings --pooling mean

The input has PEFT's names, int8 with one scale per row (NAME.scale) or floats, and in its metadata scale, the factor of B A.
llama.cpp's factor is alpha / rank.
"""

from __future__ import annotations

import argparse
import re

import gguf
import numpy as np
from safetensors import safe_open

MODULES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}
NAME = re.compile(r"base_model\.model\.model\.layers\.(\d+)\.(\w+\.\w+)\.lora_([AB])\.weight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("adapters")
    parser.add_argument("out")
    parser.add_argument("--architecture", default="qwen2")
    a = parser.parse_args()
    with safe_open(a.adapters, "pt") as f:
        metadata, names = f.metadata(), f.keys()
        tensors = {n: f.get_tensor(n).float().numpy() for n in names}
    writer = gguf.GGUFWriter(a.out, a.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(metadata["scale"]) * int(metadata["rank"]))
    for name, values in sorted(tensors.items()):
        if name.endswith(".scale"):
            continue
        match = NAME.fullmatch(name)
        if match is None or match[2] not in MODULES:
            raise SystemExit(f"{a.adapters}: tensor {name} is no part of an adapter of {a.architecture}")
        if name + ".scale" in tensors:
            values = values * tensors[name + ".scale"]
        writer.add_tensor(f"blk.{match[1]}.{MODULES[match[2]]}.weight.lora_{match[3].lower()}", values.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
