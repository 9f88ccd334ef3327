"""The scores that adaptation trains: the CVAE's negative posterior entropy, and a pair head.

The entropy score is that of docs/model.md, s = −(e^α / 5) · ½ Σⱼ ln σⱼ², of the encoder q(z|r,q) over standardised embeddings; here it
is trained through the embeddings. The pair head on [r, q, r·q, |r−q|] only helps the encoder to learn and is thrown away.
"""

from __future__ import annotations


import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

LATENT, HIDDEN = 32, 256


class Entropy(nn.Module):
    """The CVAE of docs/model.md on standardised inputs. Scores n pairs and keeps their ELBO, (n)."""

    def __init__(self, d: int, input_dropout: float = 0.2, hidden_dropout: float = 0.1, of_question: int = 0):
        super().__init__()
        of_question = of_question or d  # dimensions of q, where r has more: signals beside the embedding
        self.enc0, self.enc1 = nn.Linear(of_question + d, HIDDEN), nn.Linear(HIDDEN, 2 * LATENT)
        self.dec0, self.dec1 = nn.Linear(of_question + LATENT, HIDDEN), nn.Linear(HIDDEN, d)
        self.log_variance, self.alpha = nn.Parameter(torch.tensor(-0.3)), nn.Parameter(torch.tensor(0.0))
        self.input_dropout, self.hidden_dropout = input_dropout, hidden_dropout
        self.elbo = None

    def forward(self, r, q):
        h = F.dropout(torch.cat([q, r], 1), self.input_dropout, self.training)
        h = F.dropout(F.relu(self.enc0(h)), self.hidden_dropout, self.training)
        mu, log_var = self.enc1(h).split(LATENT, 1)
        log_var = log_var.clamp(-10, 5)
        if self.training:
            z = mu + torch.randn_like(mu) * (log_var / 2).exp()
            rebuilt = self.dec1(F.relu(self.dec0(torch.cat([q, z], 1))))
            kl = 0.5 * (log_var.exp() + mu * mu - 1 - log_var).sum(1)
            d = r.shape[1]
            # The target is detached: embeddings must not be pulled to what is easy to rebuild.
            self.elbo = -((r.detach() - rebuilt) ** 2).sum(1) * (-self.log_variance).exp() / 2 - d / 2 * self.log_variance - kl
        return -(self.alpha.exp() / 5) * 0.5 * log_var.sum(1)


class Joint(nn.Module):
    """Standardisation by running statistics, the entropy score on top, and the pair head beside it."""

    def __init__(self, d: int, beside: int = 0):
        """Takes embeddings of d dimensions, and so many columns beside a solution's."""
        super().__init__()
        self.standard_r = nn.BatchNorm1d(d, affine=False, momentum=0.02, eps=1e-6)
        self.standard_q = nn.BatchNorm1d(d, affine=False, momentum=0.02, eps=1e-6)
        self.entropy = Entropy(d + beside, input_dropout=0.1, of_question=d)
        self.pair = nn.Sequential(nn.Linear(4 * d, d), nn.GELU(), nn.Linear(d, 1))

    def forward(self, r, q, beside=None):  # (n, D) twice, (n, columns) → entropy score (n), pair logit (n)
        with torch.autocast(r.device.type, enabled=False):
            x = self.standard_r(r)
            s = self.entropy(x if beside is None else torch.cat([x, beside], 1), self.standard_q(q))
            a, b = 20 * r, 20 * q
            return s, self.pair(torch.cat([a, b, a * b / 20, (a - b).abs()], 1)).squeeze(1)


def listwise(s, group, right, votes):
    """−ln [Σ_right e^s / Σ_votes e^s] inside each question that has both kinds, averaged over those questions."""
    n = int(group.max()) + 1
    mask = lambda m: torch.where(m, s, torch.full_like(s, -1e9))

    def logsum(m):
        x = mask(m)
        top = torch.full((n,), -1e9, device=s.device, dtype=s.dtype).scatter_reduce(0, group, x.detach(), "amax")
        total = torch.zeros(n, device=s.device, dtype=s.dtype).scatter_add(0, group, torch.where(m, (x - top[group]).exp(), torch.zeros_like(x)))
        return total.clamp(min=1e-30).log() + top

    count = lambda m: torch.zeros(n, device=s.device).scatter_add(0, group, m.float())
    good = right & votes
    mixed = (count(good) > 0) & (count(good) < count(votes))
    loss = torch.where(mixed, logsum(votes) - logsum(good), torch.zeros(n, device=s.device))
    return loss.sum() / mixed.sum().clamp(min=1)


def pairwise(logit, group, right):
    """Cross-entropy of each pair's label, plus softplus(wrong − right) over the pairs of a question."""
    loss = F.binary_cross_entropy_with_logits(logit, right.float())
    both = (group[:, None] == group[None]) & (right[:, None] & ~right[None])
    if both.any():
        gap = F.softplus(logit[None] - logit[:, None])
        loss = loss + (gap * both).sum() / both.sum()
    return loss


def auroc(scores: np.ndarray, group: np.ndarray, right: np.ndarray) -> float:
    """Mean over the questions with both kinds of P(score of a correct sample > score of an incorrect one); ties count half."""
    values = []
    for g in np.unique(group):
        s, y = scores[group == g], right[group == g]
        if y.any() and not y.all():
            good, bad = s[y][:, None], s[~y]
            values.append((good > bad).mean() + 0.5 * (good == bad).mean())
    return round(float(np.mean(values)), 4) if values else float("nan")
