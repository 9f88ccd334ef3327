"""Writes the golden files of internal/gguf and embed/encoder with gguf-py.

    python tools/golden/gguf_golden.py types internal/gguf/testdata
    python tools/golden/gguf_golden.py model ARCH TINY-FOLDER OUT.gguf [dense]
    python tools/golden/gguf_golden.py adapter TASK JINA-FOLDER OUT.gguf
    python tools/golden/gguf_golden.py pair LLAMA-FOLDER OUT-FOLDER OUT.gguf

The first writes types.gguf, random bits of every type, and types.safetensors, what the
reference makes of them. The second renames the tensors of a small model by gguf-py's own
tables and writes its sizes under the keys of that architecture; with dense, two random
dense layers behind it as EmbeddingGemma's files have them. The third writes one of
the adapters that are stacked in a file of jina-embeddings-v3, as llama.cpp's converter does. The fourth writes one random adapter of
a Llama as a PEFT folder and in GGUF's form, with the order of rows that Llama has there.
"""
import json
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import quants
from safetensors.numpy import load_file, save_file

TYPES = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q5_0, T.Q8_0, T.Q4_K, T.Q5_K, T.Q6_K]
# Bytes of a block that are half-precision scales: others would be infinite or NaN.
SCALES = {T.Q4_0: slice(0, 2), T.Q5_0: slice(0, 2), T.Q8_0: slice(0, 2), T.Q4_K: slice(0, 4), T.Q5_K: slice(0, 4), T.Q6_K: slice(208, 210)}


def types(out):
    rng = np.random.default_rng(1)
    w = gguf.GGUFWriter(out + "/types.gguf", "bert")
    w.add_block_count(1)
    w.add_array("tokenizer.ggml.tokens", ["a", "b", "▁c"])
    w.add_array("tokenizer.ggml.scores", [0.0, -1.5, 2.25])
    w.add_array("tokenizer.ggml.token_type", [1, 3, 6])
    w.add_float32("bert.attention.layer_norm_epsilon", 1e-5)
    w.add_bool("bert.attention.causal", False)
    values, rows, cols = {}, 2, 512
    for t in TYPES:
        normal = rng.standard_normal((rows, cols)).astype(np.float32)
        if t == T.F32:
            raw, values[t.name] = normal, normal
        elif t == T.F16:
            raw = normal.astype(np.float16)
            values[t.name] = raw.astype(np.float32)
        elif t == T.BF16:
            raw = quants.quantize(normal, t)
            values[t.name] = quants.dequantize(raw, t)
        else:
            count, size = gguf.GGML_QUANT_SIZES[t]
            raw = rng.integers(0, 256, (rows, cols // count, size), dtype=np.uint8)
            at = SCALES[t]
            scales = (rng.standard_normal((rows, cols // count, (at.stop - at.start) // 2)) * 0.1).astype(np.float16)
            raw[..., at] = scales.view(np.uint8).reshape(rows, cols // count, -1)
            raw = raw.reshape(rows, -1)
            values[t.name] = quants.dequantize(raw, t).astype(np.float32)
        w.add_tensor(t.name, raw, raw_dtype=None if t in (T.F32, T.F16) else t)
    finish(w)
    save_file(values, out + "/types.safetensors")


def finish(w):
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def permuted(w, heads):
    """Order of llama's q and k rows in GGUF: neighbours instead of halves."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def model(arch, folder, out, dense=None):
    c = json.load(open(folder + "/config.json"))
    tensors = load_file(folder + "/model.safetensors")
    layers, heads = c["num_hidden_layers"], c["num_attention_heads"]
    names = gguf.get_tensor_name_map(next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == arch), layers)
    w = gguf.GGUFWriter(out, arch)
    w.add_block_count(layers)
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_feed_forward_length(c["intermediate_size"])
    w.add_head_count(heads)
    if kv := c.get("num_key_value_heads"):
        w.add_head_count_kv(kv)
    if width := c.get("head_dim"):
        w.add_key_length(width)
        w.add_value_length(width)
    if "rms_norm_eps" in c:
        w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    else:
        w.add_layer_norm_eps(c.get("layer_norm_eps", c.get("norm_eps")))
    rope = c.get("rope_parameters") or {}
    if "full_attention" in rope:
        w.add_rope_freq_base(rope["full_attention"]["rope_theta"])
        w.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
    elif rope:
        w.add_rope_freq_base(rope["rope_theta"])
    if window := c.get("sliding_window") or c.get("local_attention"):
        w.add_sliding_window(window)
    if "layer_types" in c and "sliding_attention" in c["layer_types"]:
        w.add_sliding_window_pattern([t == "sliding_attention" for t in c["layer_types"]])
    w.add_pooling_type(gguf.PoolingType.MEAN)
    w.add_vocab_size(c["vocab_size"])
    w.add_tokenizer_model("none")
    for name, x in tensors.items():
        if name.startswith("pooler."):
            continue
        if name.endswith("embeddings.position_embeddings.weight") and c["model_type"] == "xlm-roberta":
            x = x[c["pad_token_id"] + 1 :]
        if arch == "llama" and ("q_proj" in name or "k_proj" in name):
            x = permuted(x, heads if "q_proj" in name else c["num_key_value_heads"])
        if c["model_type"] == "gemma3_text" and name.endswith("norm.weight"):
            x = x + 1
        if name.endswith("token_type_embeddings.weight"):
            x = x[0]
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if new is None:
            sys.exit(f"{arch} has no name for {name}")
        w.add_tensor(new, np.ascontiguousarray(x))
    if dense:
        rng = np.random.default_rng(2)
        for name, shape in (("dense_2.weight", (40, c["hidden_size"])), ("dense_3.weight", (24, 40))):
            w.add_tensor(name, rng.standard_normal(shape).astype(np.float32))
    finish(w)


def adapter(task, folder, out):
    c = json.load(open(folder + "/config.json"))
    tensors = load_file(folder + "/model.safetensors")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.JINA_BERT_V3, c["num_hidden_layers"])
    w = gguf.GGUFWriter(out, "jina-bert-v3")
    w.add_type(gguf.GGUFType.ADAPTER)
    w.add_string(gguf.Keys.Adapter.TYPE, "lora")
    w.add_float32(gguf.Keys.Adapter.LORA_ALPHA, c["lora_alpha"])
    w.add_string(gguf.Keys.Adapter.LORA_TASK_NAME, task)
    for name, x in tensors.items():
        if ".lora_" not in name or "pooler" in name:
            continue
        module, part = name.removeprefix("roberta.").split(".parametrizations.weight.0.lora_")
        part, x = part.lower(), x[c["lora_adaptations"].index(task)]
        new = names.get_name(module + ".weight", try_suffixes=(".weight",))
        if new == "token_embd.weight" and part == "b":
            x = x.T
        if new == "token_types.weight":
            part = {"a": "b", "b": "a"}[part]
        w.add_tensor(f"{new}.lora_{part}", np.ascontiguousarray(x))
    finish(w)


def pair(folder, peft, out):
    c = json.load(open(folder + "/config.json"))
    rng, rank, alpha = np.random.default_rng(3), 3, 6.0
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, c["num_hidden_layers"])
    w = gguf.GGUFWriter(out, "llama")
    w.add_type(gguf.GGUFType.ADAPTER)
    w.add_string(gguf.Keys.Adapter.TYPE, "lora")
    w.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    tensors = {}
    for module, x in load_file(folder + "/model.safetensors").items():
        module = module.removesuffix(".weight")
        if not module.endswith(("q_proj", "k_proj", "o_proj", "down_proj")):
            continue
        a = rng.standard_normal((rank, x.shape[1])).astype(np.float32) / 8
        b = rng.standard_normal((x.shape[0], rank)).astype(np.float32) / 8
        tensors[f"base_model.model.model.{module}.lora_A.weight"], tensors[f"base_model.model.model.{module}.lora_B.weight"] = a, b
        if module.endswith(("q_proj", "k_proj")):
            b = permuted(b, c["num_attention_heads"] if module.endswith("q_proj") else c["num_key_value_heads"])
        new = names.get_name(module + ".weight", try_suffixes=(".weight",))
        w.add_tensor(new + ".lora_a", a)
        w.add_tensor(new + ".lora_b", np.ascontiguousarray(b))
    finish(w)
    save_file(tensors, peft + "/adapter_model.safetensors")
    with open(peft + "/adapter_config.json", "w") as f:
        json.dump({"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "bias": "none", "target_modules": ["q_proj", "k_proj", "o_proj", "down_proj"]}, f)


if __name__ == "__main__":
    if sys.argv[1:2] == ["types"] and len(sys.argv) == 3:
        types(sys.argv[2])
    elif sys.argv[1:2] == ["model"] and len(sys.argv) in (5, 6):
        model(*sys.argv[2:])
    elif sys.argv[1:2] == ["adapter"] and len(sys.argv) == 5:
        adapter(*sys.argv[2:])
    elif sys.argv[1:2] == ["pair"] and len(sys.argv) == 5:
        pair(*sys.argv[2:])
    else:
        sys.exit(__doc__)
