r"""Label Smoothing++: learnable label smoothing with a label whose share is fixed.

Only the other classes are learned: :math:`s = (1-\alpha)\delta_y + \alpha C_y` with :math:`C_{yy} = 0`.
"""

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu.losses._lls import Options
from lsedu.losses._logs import class_weights
from lsedu.losses._reduce import Reduction
from lsedu.losses.learnable import Variant, coefficients, smoothed_loss
from lsedu.losses.learnable_module import LearnedTargets, factory
from lsedu.losses.lls_gradients import TERMS


class LabelSmoothingPlusPlus(LearnedTargets):
    r"""Label Smoothing++: the label keeps exactly 1 - alpha, the other classes' shares are learned.

    Parameters
    ----------
    num_classes : int
        Number of classes K >= 2.
    alpha : float
        Share of the other classes, in (0, 1).
    variant : str, optional
        A row of LLS's ablation table, see `VARIANTS`: both the network and the shares then descend that loss. As
        published when None: the loss is H(s, q) + H(q, s), the network descends the first term alone and the shares
        the second alone.
    half : bool
        Halve the loss, as the released code does.
    weight, ignore_index, reduction
        As in `lsedu.losses.learnable_smoothing`.
    device, dtype
        Of the shares' logits; PyTorch's defaults when None.

    Attributes
    ----------
    c_logits : Parameter, shape (K, K)
        Logits of the other classes' shares, zero at the start; the diagonal takes no part.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    :cite:p:`chhabra2025`. At the start the network descends smoothing with the convention "others". As published, the
    gradients are :math:`q - s` on the network's logits and that of "rce" in `lls_gradients` on the shares' logits: no
    gradient of one scalar function, so finite differences of the value show neither.

    Examples
    --------
    >>> LabelSmoothingPlusPlus(3).c().tolist()[0]
    [0.0, 0.5, 0.5]
    """

    def __init__(
        self,
        num_classes: int,
        *,
        alpha: float = 0.1,
        variant: Variant | None = None,
        half: bool = False,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        _check.real_in("alpha", alpha, 0.0, 1.0, open_low=True, open_high=True)
        super().__init__(alpha, half=half, weight=weight, ignore_index=ignore_index, reduction=reduction)
        if variant is not None:
            coefficients(variant, self.alpha)
        self.variant = variant
        num_classes = _check.whole("num_classes", num_classes, low=2)
        self.c_logits = nn.Parameter(torch.empty(num_classes, num_classes, **factory(device, dtype)))
        if weight is not None:
            class_weights(weight, self.c_logits.detach().float())
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Go back to even shares."""
        nn.init.zeros_(self.c_logits)

    def c(self) -> Tensor:
        """Return the matrix of shares (K, K), detached, with a zero diagonal."""
        return self.c_logits.detach().clone().fill_diagonal_(-torch.inf).softmax(1)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        batch = self._batch(logits, labels, len(self.c_logits))
        if self.variant is not None:
            options = Options(self.alpha, coefficients(self.variant, self.alpha), others=True)
            return smoothed_loss(batch, self.c_logits, None, options, **self._options())
        of_network, of_shares = (Options(self.alpha, TERMS[name], others=True) for name in ("fce", "rce"))
        network = smoothed_loss(batch, self.c_logits.detach(), None, of_network, **self._options())
        fixed = batch._replace(logits=batch.logits.detach())
        return network + smoothed_loss(fixed, self.c_logits, None, of_shares, **self._options())

    def extra_repr(self) -> str:
        """Show what was chosen."""
        return f"num_classes={len(self.c_logits)}, alpha={self.alpha}, variant={self.variant!r}, half={self.half}"
