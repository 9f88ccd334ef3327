"""Golden vectors for the Go tests: what the recipe's own encoder makes of texts, from the product's weights.

    python golden.py --texts golden.jsonl.gz --tables minilm.safetensors --layers math.safetensors --vocabulary vocab.txt --out math.safetensors
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from encoder import Encoder, Tokens, embed, load_weights


KNOWN = "The quick brown fox jumps over the lazy dog."  # of embed/minilm/weights.go


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("texts", "tables", "layers", "vocabulary", "out"):
        flags.add_argument("--" + name, type=Path, required=True)
    a = flags.parse_args()
    texts = [json.loads(line)["text"] for line in gzip.open(a.texts, "rt", encoding="utf-8")]
    encoder = Encoder(load_weights(a.tables) | load_weights(a.layers))
    *vectors, known = embed(encoder, Tokens(a.vocabulary, 448)([*texts, KNOWN]), "cpu", exact=True)
    save_file({"embeddings": np.stack(vectors)}, a.out)
    print(len(texts), "texts; the first values of the known text:", ", ".join(f"{x:.6f}" for x in known[:8]))


if __name__ == "__main__":
    main()
