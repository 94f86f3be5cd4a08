r"""Learnable label smoothing where logits of minus infinity shut classes out: the closed forms of `_lls`, term by term.

A class that the prediction gives nothing adds nothing to :math:`\langle q, B\rangle`, and one that the target gives
nothing adds nothing to :math:`\langle s, A\rangle`, be B or A infinite there. So a loss is infinite where the target
asks for a class that is shut out, as in `torch.nn.functional.cross_entropy`, and never NaN. The slope on the logits is
finite there too; that on Q has no limit and counts as 0, lest a sample that is ignored spoil the others.

The same way, in float64 and without a division by alpha, is taken where alpha is slight.
"""

import math

import torch
from torch import Tensor

from lsedu.losses._logs import mixed

#: Below this alpha the learned shares are of the size of the smallest numbers of float32, and 1 / alpha of the largest.
SLIGHT = 1e-12


def shut_out(x: Tensor) -> bool:
    """Return whether a tensor's logits shut a class out: where one is minus infinity."""
    return x.numel() > 0 and x.amin().item() == -torch.inf


def edge_block(
    z: Tensor,
    t: Tensor,
    label: Tensor,
    *,
    alpha: float,
    c: tuple[float, float, float, float],
    others: bool,
    dz: Tensor | None,
    dt: Tensor | None,
    factor: float,
) -> Tensor:
    """Do as `_lls.block`, from logits z and each sample's row of Q's logits t."""
    fce, rce, pred_em, target_em = c
    log_q = torch.log_softmax(z.double(), 1)
    log_r = torch.log_softmax(t.double().scatter(1, label, -torch.inf) if others else t.double(), 1)
    q, r, log_s = log_q.exp(), log_r.exp(), log_r + math.log(alpha)
    label_s = alpha * r.gather(1, label) + (1.0 - alpha)
    log_s.scatter_(1, label, label_s.log())
    a = mixed(fce, log_q, -target_em, log_s).masked_fill(log_s == -torch.inf, 0.0)
    b = mixed(pred_em, log_q, -rce, log_s).masked_fill(log_q == -torch.inf, 0.0)
    q_dot_b = (q * b).sum(1, keepdim=True)
    losses = q_dot_b - (log_s.exp() * a).sum(1, keepdim=True)
    if dz is not None:
        against = (q * (b - q_dot_b)).masked_fill_(q == 0, 0.0)
        dz.copy_(factor * (fce * (q - log_s.exp()) + against))
    if dt is not None:
        # what the prediction gives the label is answered for by Q as far as the label's share is Q's
        moved = q.scatter(1, label, q.gather(1, label) * alpha * r.gather(1, label) / label_s)
        along = (r * ((r * a).masked_fill(r == 0, 0.0).sum(1, keepdim=True) - a)).masked_fill_(r == 0, 0.0)
        moving = alpha * along + rce * (r * moved.sum(1, keepdim=True) - moved)
        dt.copy_(factor * moving.masked_fill_(losses.isinf(), 0.0))
    return (factor * losses).to(z.dtype)
