"""Adapters in eight bits: each row an int8 vector with a bfloat16 scale, as encoder.load_weights reads them.

    python int8.py NAME.safetensors OUT.safetensors key=value...     (metadata beside the rank and the scale)
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def eight_bits(w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns int8 rows and their scales (rows, 1), rounded up to bfloat16 so that no value leaves ±127."""
    exact = w.float().abs().amax(1, keepdim=True) / 127
    bits = exact.contiguous().view(torch.int32)
    scale = ((bits + 0xFFFF) & ~0xFFFF).view(torch.float32)
    return torch.round(w.float() / scale.clamp(min=1e-38)).to(torch.int8), scale.bfloat16()


def rounded(w: torch.Tensor) -> torch.Tensor:
    n, scale = eight_bits(w)
    return n.float() * scale.float()


def dequantized(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Returns adapters in float32, whether they were stored in eight bits or in float16."""
    value = lambda name, w: w.float() * stored[name + ".scale"].float() if w.dtype == torch.int8 else w.float()
    return {name: value(name, w) for name, w in stored.items() if not name.endswith(".scale")}


def main():
    source, out, *more = sys.argv[1:]
    with safe_open(source, "pt") as f:
        metadata = f.metadata() | dict(item.split("=", 1) for item in more)
    stored = {}
    for name, w in load_file(source).items():
        stored[name], stored[name + ".scale"] = eight_bits(w)
    save_file(stored, out, metadata)
    print(out, Path(out).stat().st_size, "bytes")


if __name__ == "__main__":
    main()
