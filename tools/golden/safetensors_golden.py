"""Writes the golden file of internal/safetensors with the reference implementation.

    python safetensors_golden.py internal/safetensors/testdata/reference.safetensors
"""
import sys

import torch
from safetensors.torch import save_file

# Exactly representable in every floating-point type below.
values = torch.tensor([[0.0, -0.0, 1.0], [-2.5, 0.00006103515625, 240.0]], dtype=torch.float64)
save_file(
    {
        "f64": values,
        "f32": values.float(),
        "f16": values.half(),
        "bf16": values.bfloat16(),
        "f16_subnormal": torch.tensor([2.0**-24, -1023 * 2.0**-24], dtype=torch.float16),
        "i64": torch.tensor([-1, 2**40]),
        "i8": torch.tensor([[-128, 127]], dtype=torch.int8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(7.0),
        "empty": torch.zeros(0, 4),
    },
    sys.argv[1],
    metadata={"format": "pt", "note": 'ß "<&>"'},
)
