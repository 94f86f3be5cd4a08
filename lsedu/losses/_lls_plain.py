r"""Learnable label smoothing in a dozen lines of plain PyTorch: what the fast kernels of `_lls` are held to.

.. math:: L = c_1 H(s, q) + c_2 H(q, s) - c_3 H(q) - c_4 H(s), \qquad s = (1-\alpha)\delta_y + \alpha Q_y

PyTorch differentiates it itself, as often as it is asked to, and it may be compiled, mapped and traced: it takes the
kernels' place in `torch.compile`, `torch.func` and forward-mode differentiation.
"""

import math

import torch
from torch import Tensor

from lsedu.losses._lls import Coefficients, Options
from lsedu.losses._logs import mixed


def losses(z: Tensor, t: Tensor, label: Tensor, options: Options) -> Tensor:
    """Return the losses (n,) of logits (n, K), each sample's row of Q's logits (n, K) and its label (n, 1)."""
    if options.others:
        t = t.scatter(1, label, -torch.inf)
    log_s = torch.log_softmax(t, 1) + math.log(options.alpha)
    if options.alpha < 1.0:
        share = log_s.new_full((), math.log1p(-options.alpha))
        mine = share.expand(label.shape) if options.others else torch.logaddexp(log_s.gather(1, label), share)
        log_s = log_s.scatter(1, label, mine)
    return of_logs(torch.log_softmax(z, 1), log_s, options.c)


def of_logs(log_q: Tensor, log_s: Tensor, c: Coefficients) -> Tensor:
    """Return the losses (n,) of log-probabilities and the logarithms of the targets (n, K)."""
    # 0 times an infinite logarithm is 0
    on_target = mixed(c.fce, log_q, -c.target_em, log_s).masked_fill(log_s == -torch.inf, 0.0)
    on_prediction = mixed(c.pred_em, log_q, -c.rce, log_s).masked_fill(log_q == -torch.inf, 0.0)
    return (log_q.exp() * on_prediction - log_s.exp() * on_target).sum(1)
