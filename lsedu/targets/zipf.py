r"""Zipf targets: the mass off the label follows the rank that the network gives each class.

.. math:: p(k) \propto r_k^{-s}, \quad k \ne y, \qquad r_k = 1 + \#\{j : z_j > z_k\}
"""

from typing import Literal

import torch
from torch import Tensor

from lsedu import _check

Ranking = Literal["others", "all"]


def zipf(logits: Tensor, labels: Tensor, *, power: float = 1.0, ranking: Ranking = "others") -> Tensor:
    r"""Return Zipf's law over the classes other than the label, ranked by the network's own logits.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Scores that rank the classes; no gradient flows through them. Equal scores share the best rank of their tie.
    labels : Tensor, shape (N,)
        Integer labels in [0, K).
    power : float
        Exponent s >= 0 of the law; 0 is uniform over the other classes.
    ranking : {"others", "all"}
        Whether ranks count only the other classes, so that they start at 1 (the paper), or count the label's class
        too (the released code, where a correct prediction leaves the ranks to start at 2).

    Returns
    -------
    Tensor, shape (N, K)
        Distributions with 0 on the label, float32 or float64.

    Raises
    ------
    ValueError
        If power is negative, K < 2, or a shape, dtype or label is wrong.

    Notes
    -----
    :cite:p:`liang2022`.

    Examples
    --------
    >>> zipf(torch.tensor([[3.0, 1.0, 2.0]]), torch.tensor([0])).round(decimals=3).tolist()
    [[0.0, 0.3330000042915344, 0.6669999957084656]]
    """
    _check.logits("logits", logits)
    n, k = logits.shape
    if k < 2:
        raise ValueError(f"Zipf targets need at least 2 classes, got K = {k}")
    _check.labels("labels", labels, k, size=n)
    power = _check.real_in("power", power, 0.0, float("inf"), open_high=True)
    _check.one_of("ranking", ranking, ("others", "all"))
    scores = logits.detach().contiguous()
    scores = scores.float() if scores.dtype in (torch.float16, torch.bfloat16) else scores
    label = labels.long()[:, None]
    if ranking == "others":
        scores = scores.scatter(1, label, -torch.inf)
    ordered = scores.sort(dim=1, descending=True).values
    # in descending order a score's first position is the number of scores above it
    rank = 1 + torch.searchsorted(-ordered, -scores).to(scores.dtype)
    if ranking == "all":
        # against the best rank of the others: where they start at 2, a power of 150 would make all of r^-s underflow
        rank = rank / rank.scatter(1, label, torch.inf).amin(1, keepdim=True)
    mass = rank.pow(-power).scatter(1, label, 0.0)
    return mass / mass.sum(1, keepdim=True)
