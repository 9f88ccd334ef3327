"""Writes frequencies of scaled rotary positions as Hugging Face transformers computes them.

    python tools/golden/rope.py embed/encoder/internal/block/testdata/rope.json
"""
import json
import sys

from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

CASES = [
    {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
    {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_theta": 500000.0},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768, "rope_theta": 1000000.0},
    {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 4096, "beta_fast": 16.0, "beta_slow": 2.0, "attention_factor": 1.25, "rope_theta": 10000.0},
]

out = []
for case in CASES:
    config = LlamaConfig(hidden_size=256, num_attention_heads=4, head_dim=64, max_position_embeddings=131072, rope_parameters=dict(case))
    frequencies, factor = ROPE_INIT_FUNCTIONS[case["rope_type"]](config, "cpu")
    out.append({"base": case["rope_theta"], "scaling": {k: v for k, v in case.items() if k != "rope_theta"}, "frequencies": frequencies.tolist(), "factor": factor})
with open(sys.argv[1], "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
