r"""Learnable label smoothing's symmetric loss in few kernels, where a row of Q serves many samples.

A GPU spends more time on starting a kernel than on a small batch's numbers. Here all that depends on the label alone is
made once for each of the K labels, and what is left goes by PyTorch's own fused kernels: with :math:`d = q - s` and
:math:`a = \log q - \log s`,

.. math::

    L = \langle d, a\rangle, \qquad
    \partial L / \partial z = J_q^\top (q a - s), \qquad
    \partial L / \partial t = -J_r^\top \rho (d + s a), \qquad J_p^\top u = u - p \langle u, 1\rangle

where :math:`\rho = \alpha r_y / s_y` at the label and 1 elsewhere depends on the label alone as well, so that the
samples of one label are added up before it.
"""

import math

import torch
from torch import Tensor


class Labels:
    """What the labels' targets are made of: log r, log s and s, each (K, K); and alpha r / s at the label, (K,)."""

    def __init__(self, table: Tensor, alpha: float):
        self.log_r = torch.log_softmax(table, 1)
        self.log_s = self.log_r + math.log(alpha)
        self.s = self.log_s.exp()
        self.own: Tensor | None = None
        if alpha < 1.0:
            learned = self.s.diagonal()
            whole = learned + (1.0 - alpha)
            self.own = learned / whole
            self.log_s.diagonal().copy_(whole.log())
            learned.copy_(whole)


def shared_block(
    z: Tensor, labels: Labels, label: Tensor, *, want_z: bool, want_t: bool
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return losses (n, 1) and, where wanted, the negative gradients on logits and what `of_table` adds up, (n, K)."""
    log_q, q = torch.log_softmax(z, 1), torch.softmax(z, 1)
    s = labels.s.index_select(0, label)
    a = log_q - labels.log_s.index_select(0, label)
    d = q - s
    losses = (d * a).sum(1, keepdim=True)
    dz = jacobian(torch.addcmul(s, q, a, value=-1.0), log_q) if want_z else None
    return losses, dz, torch.addcmul(d, s, a) if want_t else None


def of_table(each: Tensor, label: Tensor, log_r: Tensor, own: Tensor | None) -> Tensor:
    """Return the negative gradient on Q's logits (K, K) of what `shared_block` gave for the samples."""
    total = torch.zeros_like(log_r).index_add_(0, label, each)
    if own is not None:
        total.diagonal().mul_(own)
    return jacobian(total, log_r)


def jacobian(u: Tensor, log_p: Tensor) -> Tensor:
    """Return u - p <u, 1> of rows: the slope on logits of what has the slope u on their log-softmax."""
    return torch._log_softmax_backward_data(u, log_p, 1, u.dtype)
