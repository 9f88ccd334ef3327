"""Golden files for cvae: ten training steps in PyTorch, and a model trained with PyTorch.

    python tools/golden/cvae.py FIXTURE.npz OUTDIR

FIXTURE.npz is contrastive-seed0.npz (a trained contrastive model with worked
examples). OUTDIR gets step-contrastive.safetensors, step-paper.safetensors and
fixture.safetensors. The first two hold the inputs, the noise of z (the same in every
step), the parameters before and after ten full-batch steps of clipped AdamW with a
cosine schedule, the loss before each step, and the gradient of the first; the
parameters' names are those of model files.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

D, LATENT, HIDDEN, QUESTIONS, EACH = 24, 4, 16, 6, 5
STEPS, RATE, DECAY, CLIP = 10, 1e-2, 0.05, 0.5


def unit(x):
    return x / x.norm(dim=1, keepdim=True)


def linear(params, name, n_in, n_out):
    bound = n_in**-0.5
    params[name + ".weight"] = (torch.rand(n_out, n_in) * 2 - 1) * bound
    params[name + ".bias"] = (torch.rand(n_out) * 2 - 1) * bound


def step(objective, path):
    torch.manual_seed(1 if objective == "paper" else 2)
    n = QUESTIONS * EACH
    questions, solutions, noise = unit(torch.randn(QUESTIONS, D)), unit(torch.randn(n, D)), torch.randn(n, LATENT)
    group = torch.arange(QUESTIONS).repeat_interleave(EACH)
    correct, answered = torch.rand(n) < 0.4, torch.rand(n) < 0.8
    params = {}
    linear(params, "encoder.0", 2 * D, HIDDEN)
    linear(params, "encoder.1", HIDDEN, 2 * LATENT)
    linear(params, "decoder.0", D + LATENT, HIDDEN)
    linear(params, "decoder.1", HIDDEN, D)
    if objective == "contrastive":
        params["decoder.log_variance"] = torch.tensor(-0.3)
        params["score.log_scale"] = torch.tensor(0.8)
    for p in params.values():
        p.requires_grad_()

    q, r = questions[group], solutions
    if objective == "contrastive":
        stats = {"q.mean": q.mean(0), "q.scale": q.std(0).clamp(min=0.01), "r.mean": r.mean(0), "r.scale": r.std(0).clamp(min=0.01)}
    else:
        stats = {"q.mean": torch.zeros(D), "q.scale": torch.ones(D), "r.mean": torch.zeros(D), "r.scale": torch.ones(D)}
    q, r = (q - stats["q.mean"]) / stats["q.scale"], (r - stats["r.mean"]) / stats["r.scale"]

    def layer(name, x):
        return F.linear(x, params[name + ".weight"], params[name + ".bias"])

    tensors = {"questions": questions, "solutions": solutions, "noise": noise, "group": group,
               "correct": correct.to(torch.uint8), "answered": answered.to(torch.uint8)}
    tensors |= {"standardize." + k: v for k, v in stats.items()}
    tensors |= {"param." + k: v.detach().clone() for k, v in params.items()}
    optimizer = torch.optim.AdamW(params.values(), RATE, weight_decay=DECAY)
    losses = []
    for i in range(STEPS):
        for g in optimizer.param_groups:
            g["lr"] = RATE * 0.5 * (1 + np.cos(np.pi * i / STEPS))
        loss = loss_of(objective, layer, params, q, r, noise, group, correct, answered)
        optimizer.zero_grad()
        loss.backward()
        if i == 0:
            tensors |= {"grad." + k: v.grad.clone() for k, v in params.items()}
        torch.nn.utils.clip_grad_norm_(list(params.values()), CLIP)
        optimizer.step()
        losses.append(loss.item())
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    tensors |= {"final." + k: v.detach() for k, v in params.items()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, path)


def loss_of(objective, layer, params, q, r, noise, group, correct, answered):
    out = layer("encoder.1", F.relu(layer("encoder.0", torch.cat([q, r], 1))))
    mu, logvar = out[:, :LATENT], out[:, LATENT:].clamp(-10, 5)
    z = mu + noise * (0.5 * logvar).exp()
    rebuilt = layer("decoder.1", F.relu(layer("decoder.0", torch.cat([q, z], 1))))
    square, kl = ((r - rebuilt) ** 2).sum(1), 0.5 * (logvar.exp() + mu * mu - 1 - logvar).sum(1)
    if objective == "paper":
        return (square / 2 + kl).mean()
    ls = params["decoder.log_variance"]
    elbo = -square * (-ls).exp() / 2 - D / 2 * ls - kl
    score = -(params["score.log_scale"].exp() / 5) * 0.5 * logvar.sum(1)
    same = (group[:, None] == group[None]) & answered[None]
    right = same & correct[None]
    mixed = (right.sum(1) > 0) & (right.sum(1) < same.sum(1))
    nothing = torch.full((), -1e9)
    scores = score[None].expand(len(score), -1)
    listwise = torch.logsumexp(torch.where(same, scores, nothing), 1) - torch.logsumexp(torch.where(right, scores, nothing), 1)
    return (listwise * mixed).sum() / mixed.sum() - elbo[correct].mean() / D


def fixture(source, path):
    z = np.load(source)
    names = {"enc_0_weight": "encoder.0.weight", "enc_0_bias": "encoder.0.bias", "enc_3_weight": "encoder.1.weight", "enc_3_bias": "encoder.1.bias",
             "dec_0_weight": "decoder.0.weight", "dec_0_bias": "decoder.0.bias", "dec_3_weight": "decoder.1.weight", "dec_3_bias": "decoder.1.bias",
             "ls": "decoder.log_variance", "a": "score.log_scale",
             "q_mean": "standardize.q.mean", "q_std": "standardize.q.scale", "r_mean": "standardize.r.mean", "r_std": "standardize.r.scale"}
    save_file({names.get(k, k): torch.tensor(z[k]).contiguous() for k in z.files}, path)


def main():
    source, out = sys.argv[1:]
    step("contrastive", out + "/step-contrastive.safetensors")
    step("paper", out + "/step-paper.safetensors")
    fixture(source, out + "/fixture.safetensors")


main()
