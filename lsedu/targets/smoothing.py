r"""Labels to target distributions: one-hot and smoothed targets, in both published conventions.

Convention ``"all"`` (the course's default, and PyTorch's) mixes with the prior over all K classes, so the label keeps
:math:`1 - \alpha + \alpha/K` :cite:p:`szegedy2016`. Convention ``"others"`` spreads :math:`\alpha` over the other K - 1
classes, so the label keeps exactly :math:`1 - \alpha`. With a uniform prior they are one family:
``others(alpha) == all(alpha * K / (K - 1))``.
"""

from typing import Literal

import torch
from torch import Tensor

from lsedu import _check
from lsedu._look import looks_at

Convention = Literal["all", "others"]


def one_hot(labels: Tensor, num_classes: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return the one-hot targets of integer labels.

    Parameters
    ----------
    labels : Tensor, shape (N,)
        Integer class labels in [0, num_classes).
    num_classes : int
        Number of classes K >= 1.
    dtype : torch.dtype
        Floating-point dtype of the result.

    Returns
    -------
    Tensor, shape (N, K)
        Rows with a single one.

    Raises
    ------
    ValueError
        If a label is out of range or not an integer, `num_classes` below 1 or `dtype` not a floating-point one.

    Notes
    -----
    The target of :cite:p:`textbook`, "The Problem of Overconfidence with One-Hot Targets".

    Examples
    --------
    >>> one_hot(torch.tensor([2]), 5).tolist()
    [[0.0, 0.0, 1.0, 0.0, 0.0]]
    """
    num_classes = _check.whole("num_classes", num_classes, low=1)
    _check.floating("dtype", dtype)
    _check.labels("labels", labels, num_classes)
    return _one_hot(labels.long(), num_classes, dtype)


def _one_hot(label: Tensor, num_classes: int, dtype: torch.dtype) -> Tensor:
    # PyTorch's own looks at the labels, which torch.func.vmap does not allow
    return label.new_zeros((label.shape[0], num_classes), dtype=dtype).scatter(1, label[:, None], 1.0)


def smooth(
    labels: Tensor,
    num_classes: int,
    *,
    alpha: float,
    convention: Convention = "all",
    prior: Tensor | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    r"""Return smoothed targets.

    Parameters
    ----------
    labels : Tensor, shape (N,)
        Integer class labels in [0, num_classes).
    num_classes : int
        Number of classes K >= 1 (K >= 2 for ``convention="others"`` with alpha > 0).
    alpha : float
        Smoothing strength in [0, 1].
    convention : {"all", "others"}
        Where the mass alpha goes: to the prior over all classes, or to the classes other than the label.
    prior : Tensor, shape (K,) or (K, K), optional
        Smoothing distribution, or one row per label; uniform when None. Under ``"others"`` the label's own entry is
        dropped and the rest renormalised.
    dtype : torch.dtype
        Floating-point dtype of the result.

    Returns
    -------
    Tensor, shape (N, K)
        Probability distributions.

    Raises
    ------
    ValueError
        If alpha, the convention, a label or the prior is out of range, or if under ``"others"`` a prior has no mass
        off the label.

    Notes
    -----
    .. math:: p(k) = (1 - \alpha)\,\delta_{k,y} + \alpha\,u(k)

    :cite:p:`textbook`, "The Essence of Label Smoothing"; :cite:p:`szegedy2016`, section 7.

    Examples
    --------
    >>> smooth(torch.tensor([2]), 5, alpha=0.1).round(decimals=4).tolist()
    [[0.019999999552965164, 0.019999999552965164, 0.9200000166893005, 0.019999999552965164, 0.019999999552965164]]
    """
    num_classes = _check.whole("num_classes", num_classes, low=1)
    _check.floating("dtype", dtype)
    _check.labels("labels", labels, num_classes)
    return smoothed(labels.long(), num_classes, alpha=alpha, convention=convention, prior=prior, dtype=dtype)


def smoothed(
    label: Tensor,
    num_classes: int,
    *,
    alpha: float,
    convention: Convention,
    prior: Tensor | None,
    dtype: torch.dtype,
    kept: Tensor | None = None,
) -> Tensor:
    """Do as `smooth` for int64 labels that are classes; of the prior only the rows kept (M,) are asked for."""
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    _check.one_of("convention", convention, ("all", "others"))
    hard = _one_hot(label, num_classes, torch.float64)
    if alpha == 0.0:
        return hard.to(dtype)
    if prior is None:
        rows = torch.full_like(hard, 1.0 / num_classes)
    else:
        _check.distributions("prior", prior)
        if tuple(prior.shape) not in ((num_classes,), (num_classes, num_classes)):
            raise ValueError(
                f"prior must have shape ({num_classes},) or ({num_classes}, {num_classes}), got {tuple(prior.shape)}"
            )
        table = prior.to(hard)
        rows = table.expand(hard.shape[0], -1) if prior.ndim == 1 else table[label]
    if convention == "others":
        rows = rows * (1.0 - hard)
        mass = rows.sum(1, keepdim=True)
        if kept is not None:
            mass = torch.where(kept[:, None], mass, 1.0)
        if looks_at(mass) and (mass <= 0).any():
            raise ValueError(
                "convention 'others' needs prior mass on a class other than the label, "
                f"got none (num_classes={num_classes})"
            )
        rows = rows / mass
    return ((1.0 - alpha) * hard + alpha * rows).to(dtype)
