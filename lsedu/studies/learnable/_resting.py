r"""Where a Q-matrix comes to rest while the predictions stand still, for each divergence and for their sum.

With :math:`G` the geometric and :math:`A` the arithmetic mean of the predictions q for a class, the target s of least
loss has :math:`\log(s_j/G_j)` equal for all j (KL(s || q)), :math:`s = A` (KL(q || s)), or :math:`\log(s_j/G_j) -
A_j/s_j` equal for all j (the sum); each with :math:`s_y \ge 1-\alpha`, for more than its share Q cannot give away.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

Loss = Literal["forward-kl", "reverse-kl", "lls"]


def resting(log_q: Tensor, labels: Tensor, *, alpha: float, loss: Loss) -> np.ndarray:
    """Return the Q-matrix (K, K) of least mean loss, for predictions that stand still.

    Parameters
    ----------
    log_q : Tensor, shape (N, K)
        Logarithms of the predictions.
    labels : Tensor, shape (N,)
        In [0, K), each class at least once.
    alpha : float
        Share of Q in the target, in (0, 1].
    loss : {"forward-kl", "reverse-kl", "lls"}

    Examples
    --------
    >>> log_q = torch.tensor([[0.8, 0.1, 0.1], [0.9, 0.02, 0.08], [0.3, 0.4, 0.3], [0.3, 0.2, 0.5]]).log()
    >>> resting(log_q, torch.tensor([0, 0, 1, 2]), alpha=0.5, loss="reverse-kl")[0].round(2).tolist()
    [0.7, 0.12, 0.18]
    """
    log_q = log_q.double().cpu()
    labels = labels.cpu()
    k = log_q.shape[1]
    mean = torch.stack([log_q[labels == y].mean(0) for y in range(k)])
    arithmetic = torch.stack([log_q[labels == y].exp().mean(0) for y in range(k)])
    own = torch.eye(k, dtype=torch.bool)
    free = _row(mean, arithmetic, torch.ones(k, dtype=torch.float64), loss)
    bound = _row(mean.masked_fill(own, -torch.inf), arithmetic.masked_fill(own, 0.0), torch.tensor(alpha), loss)
    kept = free.diagonal() >= 1 - alpha
    target = torch.where(kept[:, None], free, bound + (1 - alpha) * own)
    return ((target - (1 - alpha) * own) / alpha).clamp(min=0).numpy()


def _row(mean: Tensor, arithmetic: Tensor, total: Tensor, loss: Loss) -> Tensor:
    """Return rows s (K, K) of a given sum that are at rest; entries with mean -inf and arithmetic 0 are 0."""
    total = total.double().expand(len(mean))[:, None]
    if loss == "reverse-kl":
        return arithmetic / arithmetic.sum(1, keepdim=True) * total
    forward = mean.softmax(1) * total
    if loss == "forward-kl":
        return forward
    out = arithmetic == 0.0
    log_a = arithmetic.log().masked_fill(out, 0.0)
    apart = log_a - mean.masked_fill(out, 0.0)
    # with s = A / u the condition is u + log u = log(A / G) - level; where s is A times a number, level is known
    scale = arithmetic.sum(1, keepdim=True) / total
    level = apart - scale.log() - scale
    low = level.masked_fill(out, torch.inf).amin(1, keepdim=True)
    high = level.masked_fill(out, -torch.inf).amax(1, keepdim=True)
    s = arithmetic
    for _ in range(50):
        level = (low + high) / 2
        s = (log_a - _log_of_sum(apart - level)).exp().masked_fill(out, 0.0)
        more = s.sum(1, keepdim=True) < total
        low, high = torch.where(more, level, low), torch.where(more, high, level)
    return s


def _log_of_sum(c: Tensor) -> Tensor:
    """Return w with exp(w) + w = c, by Newton's steps from above."""
    w = torch.where(c > 1, c.clamp(min=1).log(), c)
    for _ in range(10):
        pull = w.exp()
        w = w - (pull + w - c) / (1 + pull)
    return w
