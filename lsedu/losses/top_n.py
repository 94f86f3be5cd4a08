r"""Top-N smoothing: learnable label smoothing with fewer parameters.

For each class there are logits for the N most similar classes, and one logit for all the rest together.
"""

import math

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu.losses._lls import Options
from lsedu.losses._logs import class_weights
from lsedu.losses._reduce import Reduction
from lsedu.losses.learnable import Variant, coefficients, smoothed_loss
from lsedu.losses.learnable_module import LearnedTargets, factory


class TopNSmoothing(LearnedTargets):
    r"""Learnable label smoothing with N logits a class, and one for the rest, in place of K.

    Parameters
    ----------
    q_logits : Tensor, shape (K, K)
        Logits of a Q learned so far, K >= 2. The most similar other classes of each row are kept; the rest, the
        class itself included, are merged into one logit that holds their mass and spreads it evenly.
    n : int
        Number of classes kept, in [1, K - 1].
    alpha, variant, half, weight, ignore_index, reduction
        As in `lsedu.losses.learnable_smoothing`, alpha in (0, 1].
    device, dtype
        Of the logits; those of `q_logits` when None.

    Attributes
    ----------
    kept : Tensor, shape (K, n)
        Classes kept.
    kept_logits : Parameter, shape (K, n)
        Their logits.
    rest_logits : Parameter, shape (K, 1)
        The logit of all other classes together.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    The future work of :cite:p:`lls`, section 6. K (n + 1) parameters. The rest must keep a mass of its own: with none,
    KL(q || s) would be infinite. A row is spread out for the batch's labels only.

    Examples
    --------
    >>> criterion = TopNSmoothing(torch.tensor([[0.0, 2.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]), 1)
    >>> criterion.kept.tolist()[0], sum(p.numel() for p in criterion.parameters())
    ([1], 6)
    """

    def __init__(
        self,
        q_logits: Tensor,
        n: int,
        *,
        alpha: float = 0.1,
        variant: Variant = "lls",
        half: bool = False,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(alpha, half=half, weight=weight, ignore_index=ignore_index, reduction=reduction)
        coefficients(variant, self.alpha)
        self.variant = variant
        _check.logits("q_logits", q_logits)
        k = q_logits.shape[1]
        if len(q_logits) != k or k < 2:
            raise ValueError(f"q_logits must be square with K >= 2, got shape {tuple(q_logits.shape)}")
        if not 1 <= _check.whole("n", n) < k:
            raise ValueError(f"n must be in [1, {k - 1}], got {n}")
        table = q_logits.detach().to(**factory(device, dtype))
        if weight is not None:
            class_weights(weight, table.float())
        similar = table.clone().fill_diagonal_(-torch.inf)
        self.register_buffer("kept", similar.topk(n, 1).indices)
        self.kept_logits = nn.Parameter(table.gather(1, self.kept))
        self.rest_logits = nn.Parameter(table.scatter(1, self.kept, -torch.inf).logsumexp(1, keepdim=True))

    def reset_parameters(self) -> None:
        """Go back to uniform smoothing; the classes kept stay the same."""
        k, n = self.kept.shape
        nn.init.zeros_(self.kept_logits)
        nn.init.constant_(self.rest_logits, math.log(k - n))

    def rows(self, labels: Tensor) -> Tensor:
        """Return the logits (N, K) of Q's rows for labels (N,), differentiable in both parameters."""
        return self._rows(_check.labels("labels", labels, len(self.kept)).long())

    def _rows(self, label: Tensor) -> Tensor:
        k, n = self.kept.shape
        wide = torch.promote_types(self.rest_logits.dtype, torch.float32)
        rest = self.rest_logits[label].to(wide) - math.log(k - n)
        return rest.expand(-1, k).scatter(1, self.kept[label], self.kept_logits[label].to(wide))

    def q(self) -> Tensor:
        """Return the whole Q-matrix (K, K), detached."""
        return self._rows(torch.arange(len(self.kept), device=self.kept.device)).detach().softmax(1)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        batch = self._batch(logits, labels, len(self.kept))
        row = torch.arange(batch.label.shape[0], device=batch.label.device)
        options = Options(self.alpha, coefficients(self.variant, self.alpha))
        return smoothed_loss(batch, self._rows(batch.label), row, options, **self._options())

    def extra_repr(self) -> str:
        """Show what was chosen."""
        k, n = self.kept.shape
        return f"num_classes={k}, n={n}, alpha={self.alpha}, variant={self.variant!r}, half={self.half}"
