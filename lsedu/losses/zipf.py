r"""Zipf's label smoothing: the other classes' prediction is pulled to Zipf's law in its own order.

.. math:: L = -\log q_y + \lambda\,\mathrm{KL}(p^{\mathrm{Zipf}} \,\|\, \tilde q), \qquad
    \tilde q_k = q_k / (1 - q_y), \; k \ne y
"""

import math

import torch
from torch import Tensor

from lsedu import _check
from lsedu.losses._reduce import Reduction, kept_labels, reduce_kept
from lsedu.losses.cross_entropy import log_softmax
from lsedu.targets import zipf
from lsedu.targets.zipf import Ranking


def zipf_smoothing(
    logits: Tensor,
    labels: Tensor,
    *,
    strength: float = 0.1,
    power: float = 1.0,
    ranking: Ranking = "others",
    scores: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the cross-entropy plus the divergence from Zipf's law over the other classes, in nats.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Unnormalised log-probabilities, finite; half precision is widened to float32.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    strength : float
        Multiplier lambda >= 0 of the divergence.
    power, ranking
        As in `lsedu.targets.zipf`.
    scores : Tensor, shape (N, K), optional
        What ranks the classes, such as votes of the positions of a feature map (the paper's dense ranking); the
        logits themselves when None.
    ignore_index : int
        Label of samples left out.
    reduction : {"mean", "sum", "none"}
        The mean is over the samples kept; over none of them it is 0.

    Returns
    -------
    Tensor
        Loss in nats, float32 or float64.

    Raises
    ------
    ValueError
        For hyper-parameters, shapes or labels out of range.

    Notes
    -----
    :cite:p:`liang2022`. The released code can also restrict the divergence to samples predicted correctly.

    Examples
    --------
    >>> z, y = torch.zeros(1, 3), torch.tensor([0])
    >>> round(zipf_smoothing(z, y, strength=5.0).item(), 4)
    1.0986
    """
    label, kept = kept_labels(logits, labels, ignore_index)
    strength = _check.real_in("strength", strength, 0.0, math.inf, open_high=True)
    if scores is not None and _check.logits("scores", scores).shape != logits.shape:
        raise ValueError(f"scores must have shape {tuple(logits.shape)}, got {tuple(scores.shape)}")
    log_q = log_softmax(logits)
    target = zipf(logits if scores is None else scores, label, power=power, ranking=ranking).to(log_q)
    others = torch.log_softmax(log_q.scatter(1, label[:, None], -torch.inf), 1)
    divergence = torch.where(target > 0, target * (target.log() - others), 0.0).sum(1)
    own = -log_q.gather(1, label[:, None]).squeeze(1)
    return reduce_kept(own + strength * divergence, kept, reduction=reduction)
