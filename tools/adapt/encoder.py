"""BERT as the Go package embed/encoder runs it, in PyTorch, for training.

Weights come from the product's own quantised file (int8 with bfloat16 scales) or from an original float32 safetensors file;
names are Hugging Face's. An embedding is the mean of the last layer over the tokens, of unit length.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers.implementations import BertWordPieceTokenizer
from torch import nn

HEADS = 12
CLS, SEP = 101, 102


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Reads float32 tensors; an int8 matrix NAME is multiplied by its scales NAME.scale, (rows, columns/G)."""
    stored = load_file(path)
    weights = {}
    for name, value in stored.items():
        if name.endswith(".scale") or name.startswith("pooler.") or name.endswith("position_ids"):
            continue
        if value.dtype == torch.int8:
            scale = stored[name + ".scale"].float()
            groups = value.float().reshape(*scale.shape, -1)
            value = (groups * scale.unsqueeze(-1)).reshape(value.shape)
        weights[name] = value.float()
    return weights


def group_size(name: str) -> int:
    """Values of a row that share a scale in the product's file."""
    return 32 if name.startswith("encoder.") else 64


def rounded(name: str, w: torch.Tensor) -> torch.Tensor:
    """Returns a layer's matrix as the product stores it: int8 with one bfloat16 scale, rounded up, for each group."""
    if w.ndim != 2:
        return w
    groups = w.float().reshape(w.shape[0], -1, group_size(name))
    exact = groups.abs().amax(-1, keepdim=True) / 127
    bits = exact.contiguous().view(torch.int32)
    scale = ((bits + 0xFFFF) & ~0xFFFF).view(torch.float32)
    n = torch.where(scale > 0, torch.round(groups / scale.clamp(min=1e-38)), torch.zeros(()).to(w.device))
    return (n * scale).reshape(w.shape)


class Layer(nn.Module):
    def __init__(self, d: int, inner: int, dropout: float):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(d, d) for _ in range(4))
        self.up, self.down = nn.Linear(d, inner), nn.Linear(inner, d)
        self.norm1, self.norm2 = nn.LayerNorm(d, eps=1e-12), nn.LayerNorm(d, eps=1e-12)
        self.dropout = dropout

    def forward(self, x, mask):  # x (B, L, D), mask (B, 1, 1, L)
        b, l, d = x.shape
        split = lambda y: y.view(b, l, HEADS, d // HEADS).transpose(1, 2)
        p = self.dropout if self.training else 0.0
        a = F.scaled_dot_product_attention(split(self.query(x)), split(self.key(x)), split(self.value(x)), mask, p)
        x = self.norm1(x + F.dropout(self.out(a.transpose(1, 2).reshape(b, l, d)), p))
        return self.norm2(x + F.dropout(self.down(F.gelu(self.up(x))), p))


# Names in the file of what a Layer calls otherwise.
NAMES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value", "out": "attention.output.dense",
    "norm1": "attention.output.LayerNorm", "up": "intermediate.dense", "down": "output.dense", "norm2": "output.LayerNorm",
}


class Encoder(nn.Module):
    def __init__(self, weights: dict[str, torch.Tensor], dropout: float = 0.1):
        super().__init__()
        words = weights["embeddings.word_embeddings.weight"]
        d = words.shape[1]
        self.words = nn.Embedding.from_pretrained(words.clone(), freeze=True)
        self.positions = nn.Embedding.from_pretrained(weights["embeddings.position_embeddings.weight"].clone(), freeze=True)
        self.token_type = nn.Parameter(weights["embeddings.token_type_embeddings.weight"][0].clone(), requires_grad=False)
        self.norm = nn.LayerNorm(d, eps=1e-12)
        self.norm.weight.data.copy_(weights["embeddings.LayerNorm.weight"])
        self.norm.bias.data.copy_(weights["embeddings.LayerNorm.bias"])
        self.norm.requires_grad_(False)  # all of the tables' part is shared with the published model
        depth = 1 + max(int(n.split(".")[2]) for n in weights if n.startswith("encoder.layer."))
        inner = weights["encoder.layer.0.intermediate.dense.weight"].shape[0]
        self.layers = nn.ModuleList(Layer(d, inner, dropout) for _ in range(depth))
        for i, layer in enumerate(self.layers):
            for ours, theirs in NAMES.items():
                getattr(layer, ours).weight.data.copy_(weights[f"encoder.layer.{i}.{theirs}.weight"])
                getattr(layer, ours).bias.data.copy_(weights[f"encoder.layer.{i}.{theirs}.bias"])
        self.dropout = dropout

    def forward(self, ids, mask):  # (B, L) → (B, D), not yet of unit length
        x = self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]] + self.token_type)
        x = F.dropout(x, self.dropout if self.training else 0.0)
        for layer in self.layers:
            x = layer(x, mask[:, None, None, :])
        m = mask.unsqueeze(-1).to(x.dtype)
        return ((x * m).sum(1) / m.sum(1)).float()

    def stored(self) -> dict[str, torch.Tensor]:
        """The trained layers under their names in the file, float32."""
        out = {}
        for i, layer in enumerate(self.layers):
            for ours, theirs in NAMES.items():
                module = getattr(layer, ours)
                out[f"encoder.layer.{i}.{theirs}.weight"], out[f"encoder.layer.{i}.{theirs}.bias"] = module.weight, module.bias
        return {k: v.detach().float().cpu().contiguous() for k, v in out.items()}

    @torch.no_grad()
    def round_weights(self):
        """Replaces the layers' matrices by what the product's int8 file holds."""
        for i, layer in enumerate(self.layers):
            for ours, theirs in NAMES.items():
                module = getattr(layer, ours)
                module.weight.copy_(rounded(f"encoder.layer.{i}.{theirs}.weight", module.weight))


class Tokens:
    """Texts as token ids, cut to `length` with both ends kept: a quarter from the start, the rest from the end."""

    def __init__(self, vocabulary: Path, length: int, ends: bool = True):
        self.tokenizer = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
        self.length, self.ends = length, ends

    def __call__(self, texts: list[str]) -> list[np.ndarray]:
        out = []
        for e in self.tokenizer.encode_batch(texts, add_special_tokens=False):
            ids, room = e.ids, self.length - 2
            if len(ids) > room:
                head = room // 4 if self.ends else room
                ids = ids[:head] + ids[len(ids) - (room - head) :] if self.ends else ids[:room]
            out.append(np.array([CLS, *ids, SEP], np.int32))
        return out


def padded(seqs: list[np.ndarray], device: str):
    length = -(-max(len(s) for s in seqs) // 16) * 16
    ids = np.zeros((len(seqs), length), np.int64)
    mask = np.zeros((len(seqs), length), bool)
    for i, s in enumerate(seqs):
        ids[i, : len(s)], mask[i, : len(s)] = s, True
    return torch.from_numpy(ids).to(device, non_blocking=True), torch.from_numpy(mask).to(device, non_blocking=True)


def pooled(encoder: Encoder, seqs: list[np.ndarray], device: str, chunks: int) -> torch.Tensor:
    """Embeds texts in chunks of about equal length; unit length, input order, with gradients. (n, D)"""
    order = sorted(range(len(seqs)), key=lambda i: len(seqs[i]))
    size = -(-len(order) // chunks)
    parts = []
    for a in range(0, len(order), size):
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            parts.append(encoder(*padded([seqs[i] for i in order[a : a + size]], device)))
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return F.normalize(torch.cat(parts)[back.to(device)], dim=1)


@torch.no_grad()
def embed(encoder: Encoder, seqs: list[np.ndarray], device: str, exact: bool = False) -> np.ndarray:
    """Embeds many texts without gradients; float32 throughout when exact. (n, D)"""
    encoder.eval()
    order = sorted(range(len(seqs)), key=lambda i: len(seqs[i]))
    out = np.zeros((len(seqs), encoder.words.weight.shape[1]), np.float32)
    a = 0
    while a < len(order):
        n = max(1, (131072 if device == "cuda" else 8192) // (len(seqs[order[min(a + 256, len(order) - 1)]]) + 16))
        ix = order[a : a + n]
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda" and not exact):
            e = encoder(*padded([seqs[i] for i in ix], device))
        out[ix] = F.normalize(e, dim=1).cpu().numpy()
        a += n
    encoder.train()
    return out
