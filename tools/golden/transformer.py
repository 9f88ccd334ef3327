"""A tiny random BERT with its outputs from Hugging Face transformers.

    python tools/golden/transformer.py embed/transformer/testdata

Writes tiny.safetensors (weights under the names of BertModel, float32) and
tiny.golden.safetensors: ids, (N) int32 of all texts one after the other; lengths, (texts)
int32; mean, (texts, H) float32, the mean of the last states, not scaled. Needs torch and
transformers.
"""

import sys

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

LENGTHS = [1, 2, 3, 7, 16, 31, 33, 40]


def main():
    (out,) = sys.argv[1:]
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=97, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=80, max_position_embeddings=40,
        layer_norm_eps=1e-12, initializer_range=0.3,
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("bias"):
                p.normal_(0, 0.2)
            elif "LayerNorm" in name:
                p.uniform_(0.5, 1.5)
    ids = [torch.randint(0, config.vocab_size, (n,)) for n in LENGTHS]
    double = BertModel(config, add_pooling_layer=False).eval().double()
    double.load_state_dict({k: v.double() for k, v in model.state_dict().items()})
    with torch.no_grad():
        means = [double(input_ids=i[None], attention_mask=torch.ones(1, len(i))).last_hidden_state[0].mean(0) for i in ids]
    weights = {"bert." + k: v.contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}
    save_file(weights, out + "/tiny.safetensors")
    save_file(
        {"ids": torch.cat(ids).int(), "lengths": torch.tensor(LENGTHS).int(), "mean": torch.stack(means).float()},
        out + "/tiny.golden.safetensors",
    )


if __name__ == "__main__":
    main()
