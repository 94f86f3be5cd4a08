"""Learnable label smoothing as a criterion that owns its Q-matrix, and what its relatives share with it."""

from typing import Any

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu._samples import Samples, samples
from lsedu.losses._logs import class_weights
from lsedu.losses._reduce import Reduction
from lsedu.losses.learnable import Variant, coefficients, learnable_smoothing
from lsedu.targets import q_targets


class LearnedTargets(nn.Module):
    """What the criteria with learned targets share: their options, and a weight for each label."""

    weight: Tensor | None

    def __init__(
        self,
        alpha: float,
        *,
        half: bool,
        weight: Tensor | None,
        ignore_index: int,
        reduction: Reduction,
        open_low: bool = True,
    ):
        super().__init__()
        self.alpha = _check.real_in("alpha", alpha, 0.0, 1.0, open_low=open_low)
        self.half, self.ignore_index = half, _check.whole("ignore_index", ignore_index)
        self.reduction = _check.one_of("reduction", reduction, ("mean", "sum", "none"))
        self.register_buffer("weight", weight)

    def _options(self) -> dict[str, Any]:
        return {"weight": self.weight, "reduction": self.reduction, "half": self.half}

    def _batch(self, logits: Tensor, labels: Tensor, num_classes: int) -> Samples:
        batch = samples(logits, labels, self.ignore_index)
        if batch.logits.shape[1] != num_classes:
            raise ValueError(f"logits must have {num_classes} classes, got {batch.logits.shape[1]}")
        return batch


def factory(device: torch.device | str | None, dtype: torch.dtype | None) -> dict[str, Any]:
    """Return where and of which dtype a parameter is made, checked; PyTorch's defaults for None."""
    return {
        "device": None if device is None else _check.device("device", device),
        "dtype": None if dtype is None else _check.floating("dtype", dtype),
    }


class LearnableLabelSmoothing(LearnedTargets):
    r"""Learnable label smoothing as a criterion that owns its Q-matrix.

    Parameters
    ----------
    num_classes : int
        Number of classes K >= 1.
    alpha : float
        Share of Q in the target, in (0, 1].
    variant, half, weight, sparse, ignore_index, reduction
        See `learnable_smoothing`.
    lr_factor : float
        Q's learning rate as a multiple of the network's; 1 as published.
    weight_decay : float, optional
        Q's weight decay; the network's when None, as published. Where the gradient is sparse it is 0
        when None: optimisers take sparse gradients only without decay.
    device, dtype
        Of the Q-matrix; PyTorch's defaults when None.

    Attributes
    ----------
    q_logits : Parameter, shape (K, K)
        Logits of Q, zero at the start, so that training starts from uniform smoothing.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    :cite:p:`lls`. Set ``criterion.q_logits.requires_grad_(False)`` to train with a Q that is kept as it is. Wrapped by
    ``DistributedDataParallel`` leave `sparse` out: that takes sparse gradients of `torch.nn.Embedding` only.

    Examples
    --------
    >>> criterion = LearnableLabelSmoothing(3, alpha=0.3)
    >>> round(criterion(torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])).item(), 4)
    0.0545
    """

    def __init__(
        self,
        num_classes: int,
        *,
        alpha: float = 0.1,
        variant: Variant = "lls",
        half: bool = False,
        weight: Tensor | None = None,
        sparse: bool = False,
        lr_factor: float = 1.0,
        weight_decay: float | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        num_classes = _check.whole("num_classes", num_classes, low=1)
        made = factory(device, dtype)
        super().__init__(
            alpha, half=half, weight=weight, ignore_index=ignore_index, reduction=reduction, open_low=False
        )
        coefficients(variant, self.alpha)
        self.lr_factor = _check.real_in("lr_factor", lr_factor, 0.0, float("inf"), open_high=True)
        if weight_decay is not None:
            weight_decay = _check.real_in("weight_decay", weight_decay, 0.0, float("inf"), open_high=True)
        self.weight_decay = weight_decay
        self.variant, self.sparse = variant, sparse
        self.q_logits = nn.Parameter(torch.empty(num_classes, num_classes, **made))
        if weight is not None:
            class_weights(weight, self.q_logits.detach().float())
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Go back to uniform smoothing."""
        nn.init.zeros_(self.q_logits)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), or distributions (N, K), in nats."""
        return learnable_smoothing(
            logits,
            labels,
            self.q_logits,
            alpha=self.alpha,
            variant=self.variant,
            half=self.half,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            sparse=self.sparse,
        )

    def q(self) -> Tensor:
        """Return the Q-matrix (K, K), detached; row y is class y's smoothing distribution."""
        return self.q_logits.detach().softmax(1)

    def targets(self, labels: Tensor) -> Tensor:
        """Return the current targets (N, K) of labels or distributions, differentiable in Q's logits."""
        return q_targets(labels, self.q_logits, alpha=self.alpha)

    def parameter_groups(self, *, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """Return Q's optimiser group, given the network's learning rate and weight decay.

        Where Q's gradient is sparse it has no momentum: PyTorch's SGD appends each step's rows to the momentum, which
        grows without bound.
        """
        decay = self.weight_decay
        if decay is None:
            decay = 0.0 if self.sparse else weight_decay
        group = {"params": list(self.parameters()), "lr": self.lr_factor * lr, "weight_decay": decay}
        return [group | {"momentum": 0.0} if self.sparse else group]

    def extra_repr(self) -> str:
        """Show what was chosen."""
        return f"num_classes={len(self.q_logits)}, alpha={self.alpha}, variant={self.variant!r}, half={self.half}"


def restrict(criterion: LearnableLabelSmoothing, classes: Tensor) -> LearnableLabelSmoothing:
    """Return a criterion for a subset of the classes that starts from the chosen rows and columns of Q's logits.

    Parameters
    ----------
    criterion : LearnableLabelSmoothing
        Criterion for K classes.
    classes : Tensor, shape (M,)
        Distinct classes in [0, K); class ``classes[i]`` becomes class i.

    Returns
    -------
    LearnableLabelSmoothing
        Criterion for M classes with the same options; its Q is the softmax over the chosen logits.

    Raises
    ------
    ValueError
        For another criterion, or for classes out of range or repeated, or none.

    Notes
    -----
    :cite:p:`lls`, appendix D.

    Examples
    --------
    >>> restrict(LearnableLabelSmoothing(4), torch.tensor([3, 1])).q().tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    if not isinstance(criterion, LearnableLabelSmoothing):
        raise ValueError(f"criterion must be a LearnableLabelSmoothing, got {type(criterion).__name__}")
    old = criterion.q_logits.detach()
    _check.labels("classes", classes, len(old))
    if len(classes) == 0 or len(classes.unique()) != len(classes):
        raise ValueError(f"classes must be distinct and at least one, got {classes.tolist()}")
    index = classes.to(old.device).long()
    new = LearnableLabelSmoothing(
        len(index),
        alpha=criterion.alpha,
        variant=criterion.variant,
        half=criterion.half,
        weight=None if criterion.weight is None else criterion.weight[index],
        sparse=criterion.sparse,
        lr_factor=criterion.lr_factor,
        weight_decay=criterion.weight_decay,
        ignore_index=criterion.ignore_index,
        reduction=criterion.reduction,
        device=old.device,
        dtype=old.dtype,
    )
    with torch.no_grad():
        new.q_logits.copy_(old[index][:, index])
    return new
