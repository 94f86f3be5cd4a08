r"""Zipf's label smoothing: the other classes' prediction is pulled to Zipf's law in its own order.

.. math:: L = -\log q_y + \lambda\,\mathrm{KL}(p^{\mathrm{Zipf}} \,\|\, \tilde q), \qquad
    \tilde q_k = q_k / (1 - q_y), \; k \ne y
"""

import math

import torch
from torch import Tensor

from lsedu import _check
from lsedu._samples import like, samples
from lsedu.losses._logs import log_softmax, mixed, nonnegative, own
from lsedu.losses._module import Criterion
from lsedu.losses._reduce import Reduction, reduce
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
    batch = samples(logits, labels, ignore_index)
    strength = _check.real_in("strength", strength, 0.0, math.inf, open_high=True)
    ranked = batch.logits if scores is None else like("scores", scores, logits)
    log_q = log_softmax(batch.logits)
    target = zipf(ranked, batch.label, power=power, ranking=ranking).to(log_q)
    others = torch.log_softmax(log_q.scatter(1, batch.label[:, None], -torch.inf), 1)
    divergence = nonnegative(torch.where(target > 0, target * (target.log() - others), 0.0).sum(1))
    losses = mixed(1.0, -own(log_q, batch.label), strength, divergence)
    return reduce(losses, batch, reduction=reduction)


class ZipfSmoothing(Criterion, of=zipf_smoothing, per_call=("scores",)):
    """Zipf's label smoothing as a module: `zipf_smoothing` with its options given once.

    Parameters
    ----------
    strength, power, ranking, ignore_index, reduction
        As in `zipf_smoothing`; the call takes ``scores=`` besides logits and labels.

    Notes
    -----
    :cite:p:`liang2022`.

    Examples
    --------
    >>> round(ZipfSmoothing(strength=5.0)(torch.zeros(1, 3), torch.tensor([0])).item(), 4)
    1.0986
    """
