"""Qwen2 as a GGUF file holds it, in PyTorch, with adapters, over texts laid out as context.Batch does.

Adapters (LoRA, Hu et al. 2021) stand beside every matrix of every layer: y = W x + scale · B (A x). The base stays frozen.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize, quantize
from torch import nn
from torch.utils.checkpoint import checkpoint

from context import Batch

SCALE = 2.0  # of every adapter, whatever its rank
# A layer's matrices: our name → Hugging Face's, GGUF's.
MATRICES = {
    "q": ("self_attn.q_proj", "attn_q"), "k": ("self_attn.k_proj", "attn_k"), "v": ("self_attn.v_proj", "attn_v"),
    "o": ("self_attn.o_proj", "attn_output"), "gate": ("mlp.gate_proj", "ffn_gate"), "up": ("mlp.up_proj", "ffn_up"),
    "down": ("mlp.down_proj", "ffn_down"),
}


class File:
    """A GGUF file's tensors and settings; with `rounded` its matrices as a file of that type (Q8_0, Q5_0, Q4_0) would have them."""

    def __init__(self, path: Path, rounded: str = ""):
        self.reader = GGUFReader(path)
        self.rounded = GGMLQuantizationType[rounded] if rounded else None
        self.tensors = {t.name: t for t in self.reader.tensors}

    def setting(self, name: str):
        return self.reader.fields[name].contents()

    def number(self, name: str) -> float:
        return float(self.setting("qwen2." + name))

    def tensor(self, name: str) -> torch.Tensor:
        t = self.tensors[name]
        shape = [int(n) for n in reversed(t.shape)]
        values = np.array(dequantize(t.data, t.tensor_type), np.float32).reshape(shape)
        if self.rounded is not None and len(shape) == 2:
            values = dequantize(quantize(values, self.rounded), self.rounded)
        return torch.from_numpy(values)

    def has(self, name: str) -> bool:
        return name in self.tensors


class Adapted(nn.Module):
    """A frozen matrix, its bias, and an adapter of rank r: A (r, in), B (out, r)."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, rank: int):
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)
        rows, columns = weight.shape
        bound = 1 / math.sqrt(columns)
        self.a = nn.Parameter(torch.empty(rank, columns).uniform_(-bound, bound)) if rank else None
        self.b = nn.Parameter(torch.zeros(rows, rank)) if rank else None

    def forward(self, x):
        y = F.linear(x, self.weight, self.bias)
        if self.a is None:
            return y
        return y + F.linear(F.linear(x, self.a.to(x.dtype)), self.b.to(x.dtype) * SCALE)


class Layer(nn.Module):
    def __init__(self, file: File, i: int, rank: int, dtype: torch.dtype):
        super().__init__()
        name = lambda part: f"blk.{i}.{part}"
        for ours, (_, theirs) in MATRICES.items():
            bias = file.tensor(name(theirs + ".bias")).to(dtype) if file.has(name(theirs + ".bias")) else None
            setattr(self, ours, Adapted(file.tensor(name(theirs + ".weight")).to(dtype), bias, rank))
        self.norm1 = nn.Parameter(file.tensor(name("attn_norm.weight")), requires_grad=False)
        self.norm2 = nn.Parameter(file.tensor(name("ffn_norm.weight")), requires_grad=False)
        self.heads, self.kv = int(file.number("attention.head_count")), int(file.number("attention.head_count_kv"))
        self.eps, self.dtype = file.number("attention.layer_norm_rms_epsilon"), dtype

    def norm(self, x, weight):
        return F.rms_norm(x, (x.shape[-1],), weight, self.eps).to(self.dtype)

    def before(self, x, cos, sin):  # x (T, D) → (T, heads + 2 kv, head size), rotated
        h = self.norm(x, self.norm1)
        size = x.shape[1] // self.heads
        q, k, v = (m(h).view(len(h), -1, size) for m in (self.q, self.k, self.v))
        a, b = torch.cat([q, k], 1).float().chunk(2, -1)
        turned = torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
        return torch.cat([turned.to(v.dtype), v], 1)

    def attend(self, qkv, rows, home):  # → (T, D)
        c, width = rows.shape
        texts = qkv.index_select(0, rows.view(-1)).view(c, width, *qkv.shape[1:]).transpose(1, 2)
        q, k, v = texts.split([self.heads, self.kv, self.kv], 1)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return out.transpose(1, 2).reshape(c * width, -1).index_select(0, home)

    def after(self, x, attention):
        x = x + self.o(attention)
        h = self.norm(x, self.norm2)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))

    def forward(self, x, cos, sin, rows, home):
        return self.after(x, self.attend(self.before(x, cos, sin), rows, home))


class Qwen2(nn.Module):
    def __init__(self, file: File, rank: int = 0, dtype: torch.dtype = torch.float32, depth: int = 0):
        super().__init__()
        self.words = nn.Embedding.from_pretrained(file.tensor("token_embd.weight").to(dtype), freeze=True)
        depth = depth or int(file.number("block_count"))
        self.layers = nn.ModuleList(Layer(file, i, rank, dtype) for i in range(depth))
        self.norm = nn.Parameter(file.tensor("output_norm.weight"), requires_grad=False)
        size = self.words.weight.shape[1] // self.layers[0].heads
        self.register_buffer("speeds", file.number("rope.freq_base") ** (-torch.arange(0, size, 2).double() / size))
        self.checkpoint_from = 1 << 60  # tokens of a batch from which activations are computed twice

    def compiled(self):
        """Fuses what surrounds attention. Attention itself gathers and scatters, which the compiler does worse."""
        for layer in self.layers:
            layer.before = torch.compile(layer.before, dynamic=True)
            layer.after = torch.compile(layer.after, dynamic=True)

    def states(self, b: Batch) -> torch.Tensor:
        """The last normalised states, (T, D), float32."""
        angle = b.places.double()[:, None] * self.speeds
        cos, sin = angle.cos().float()[:, None], angle.sin().float()[:, None]
        x = self.words(b.ids).float()
        again = self.training and len(b.ids) > self.checkpoint_from
        for layer in self.layers:
            x = checkpoint(layer, x, cos, sin, b.rows, b.home, use_reentrant=False) if again else layer(x, cos, sin, b.rows, b.home)
        return F.rms_norm(x, (x.shape[1],), self.norm, self.layers[0].eps)

    def adapters(self) -> dict[str, nn.Parameter]:
        """The adapters under the names that PEFT gives them."""
        named = {}
        for i, layer in enumerate(self.layers):
            for ours, (theirs, _) in MATRICES.items():
                prefix = f"base_model.model.model.layers.{i}.{theirs}"
                named[prefix + ".lora_A.weight"], named[prefix + ".lora_B.weight"] = getattr(layer, ours).a, getattr(layer, ours).b
        return named

    @torch.no_grad()
    def load_adapters(self, stored: dict[str, torch.Tensor]):
        for name, parameter in self.adapters().items():
            parameter.copy_(stored[name])


def pooled(states: torch.Tensor, b: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Means of the states over the tokens of each owner, of unit length: solutions r (C, D), questions q (Q, D)."""
    sums = torch.zeros(len(b.counts), states.shape[1], device=states.device).index_add_(0, b.owner, states)
    means = F.normalize(sums / b.counts[:, None], dim=1)
    questions = len(b.counts) - len(b.group)
    return means[questions:], means[:questions]
