r"""Targets of learnable label smoothing: the label mixed with its row of the Q-matrix.

.. math:: s = (1 - \alpha)\,\delta_y + \alpha\, Q_y, \qquad Q_y = \mathrm{softmax}(t_y)
"""

import torch
from torch import Tensor

from lsedu import _check
from lsedu._samples import full_precision


def q_targets(labels: Tensor, q_logits: Tensor, *, alpha: float) -> Tensor:
    r"""Return the targets that a Q-matrix gives labels.

    Parameters
    ----------
    labels : Tensor, shape (N,) integer or (N, K) floating point
        Integer labels in [0, K); or distributions p, such as those of mixed samples, whose targets are
        :math:`s = (1-\alpha)p + \alpha\,pQ`.
    q_logits : Tensor, shape (K, K)
        Logits t of the rows of Q; half precision is widened to float32.
    alpha : float
        Share of Q in the target, in [0, 1].

    Returns
    -------
    Tensor, shape (N, K)
        Distributions in float32 or float64, differentiable in `q_logits`.

    Raises
    ------
    ValueError
        For a matrix that is not square, a label or alpha out of range.

    Notes
    -----
    :cite:p:`lls`, eq. 4. With `q_logits` zero it is smoothing with the uniform prior.

    Examples
    --------
    >>> q_targets(torch.tensor([1]), torch.zeros(2, 2), alpha=0.5).tolist()
    [[0.25, 0.75]]
    """
    _check.logits("q_logits", q_logits)
    k = q_logits.shape[1]
    if len(q_logits) != k:
        raise ValueError(f"q_logits must be square, got shape {tuple(q_logits.shape)}")
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    wide = torch.promote_types(q_logits.dtype, torch.float32)
    if isinstance(labels, Tensor) and labels.is_floating_point():
        p = _check.distributions("labels", labels)
        if p.ndim != 2 or p.shape[1] != k:
            raise ValueError(f"labels must have shape (N,) or (N, {k}), got {tuple(p.shape)}")
        return mixed_targets(p.to(wide), q_logits, alpha)
    _check.labels("labels", labels, k)
    index = labels.long()
    rows = alpha * torch.softmax(q_logits[index], 1, dtype=wide)
    return rows.scatter_add(1, index[:, None], torch.full_like(rows[:, :1], 1.0 - alpha))


def mixed_targets(p: Tensor, q_logits: Tensor, alpha: float) -> Tensor:
    """Return the targets (N, K) of distributions (N, K) that are checked, in their dtype."""
    with full_precision(p):
        return (1.0 - alpha) * p + alpha * (p @ torch.softmax(q_logits, 1, dtype=p.dtype))
