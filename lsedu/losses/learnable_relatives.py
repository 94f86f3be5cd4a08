r"""Relatives of learnable label smoothing: fewer parameters, and a label whose share is fixed.

Top-N smoothing keeps, for each class, logits for the N most similar classes and one logit for all the rest together.
Label Smoothing++ learns the other classes only: :math:`s = (1-\alpha)\delta_y + \alpha C_y` with :math:`C_{yy} = 0`.
"""

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu.losses._lls import Coefficients, Options
from lsedu.losses._reduce import Reduction
from lsedu.losses.learnable import LearnableLabelSmoothing, Variant, coefficients, smoothed_loss
from lsedu.losses.lls_gradients import TERMS


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


class _Relative(nn.Module):
    """Options shared by the criteria below."""

    def __init__(self, alpha: float, half: bool, ignore_index: int, reduction: Reduction):
        super().__init__()
        self.alpha = _check.real_in("alpha", alpha, 0.0, 1.0, open_low=True)
        self.half, self.ignore_index = half, _check.whole("ignore_index", ignore_index)
        self.reduction = _check.one_of("reduction", reduction, ("mean", "sum", "none"))

    def _loss(
        self, logits: Tensor, labels: Tensor, table: Tensor, row: Tensor | None, c: Coefficients, *, others: bool
    ) -> Tensor:
        options = Options(self.alpha, c, others)
        return smoothed_loss(
            logits,
            labels,
            table,
            row,
            options,
            None,
            self.ignore_index,
            reduction=self.reduction,
            half=self.half,
            sparse=False,
        )

    def _checked(self, logits: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        _check.logits("logits", logits)
        if logits.shape[1] != num_classes:
            raise ValueError(f"logits must have {num_classes} classes, got {logits.shape[1]}")
        _check.labels("labels", labels, num_classes, size=len(logits), ignore_index=self.ignore_index)
        labels = labels.long()
        return torch.where(labels == self.ignore_index, 0, labels)


class TopNSmoothing(_Relative):
    r"""Learnable label smoothing with N logits a class, and one for the rest, in place of K.

    Parameters
    ----------
    q_logits : Tensor, shape (K, K)
        Logits of a Q learned so far, K >= 2. The most similar other classes of each row are kept; the rest, the
        class itself included, are merged into one logit that holds their mass and spreads it evenly.
    n : int
        Number of classes kept, in [1, K - 1].
    alpha, variant, half
        As in `lsedu.losses.learnable_smoothing`, alpha in (0, 1].

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
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ):
        super().__init__(alpha, half, ignore_index, reduction)
        coefficients(variant, self.alpha)
        self.variant = variant
        _check.logits("q_logits", q_logits)
        k = q_logits.shape[1]
        if len(q_logits) != k or k < 2:
            raise ValueError(f"q_logits must be square with K >= 2, got shape {tuple(q_logits.shape)}")
        if not 1 <= _check.whole("n", n) < k:
            raise ValueError(f"n must be in [1, {k - 1}], got {n}")
        table = q_logits.detach()
        similar = table.clone().fill_diagonal_(-torch.inf)
        self.register_buffer("kept", similar.topk(n, 1).indices)
        self.kept_logits = nn.Parameter(table.gather(1, self.kept))
        self.rest_logits = nn.Parameter(table.scatter(1, self.kept, -torch.inf).logsumexp(1, keepdim=True))

    def rows(self, labels: Tensor) -> Tensor:
        """Return the logits (N, K) of Q's rows for labels (N,), differentiable in both parameters."""
        k, n = self.kept.shape
        labels = _check.labels("labels", labels, k).long()
        rest = self.rest_logits[labels] - torch.log(self.rest_logits.new_tensor(float(k - n)))
        return rest.expand(-1, k).scatter(1, self.kept[labels], self.kept_logits[labels])

    def q(self) -> Tensor:
        """Return the whole Q-matrix (K, K), detached."""
        return self.rows(torch.arange(len(self.kept), device=self.kept.device)).detach().softmax(1)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        label = self._checked(logits, labels, len(self.kept))
        row = torch.arange(len(label), device=label.device)
        return self._loss(logits, labels, self.rows(label), row, coefficients(self.variant, self.alpha), others=False)


class LabelSmoothingPlusPlus(_Relative):
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
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
    ):
        _check.real_in("alpha", alpha, 0.0, 1.0, open_low=True, open_high=True)
        super().__init__(alpha, half, ignore_index, reduction)
        if variant is not None:
            coefficients(variant, self.alpha)
        self.variant = variant
        num_classes = _check.whole("num_classes", num_classes, low=2)
        dtype = _check.floating("dtype", dtype)
        device = None if device is None else _check.device("device", device)
        self.c_logits = nn.Parameter(torch.zeros(num_classes, num_classes, device=device, dtype=dtype))

    def c(self) -> Tensor:
        """Return the matrix of shares (K, K), detached, with a zero diagonal."""
        return self.c_logits.detach().clone().fill_diagonal_(-torch.inf).softmax(1)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        self._checked(logits, labels, len(self.c_logits))
        if self.variant is not None:
            c = coefficients(self.variant, self.alpha)
            return self._loss(logits, labels, self.c_logits, None, c, others=True)
        network = self._loss(logits, labels, self.c_logits.detach(), None, TERMS["fce"], others=True)
        return network + self._loss(logits.detach(), labels, self.c_logits, None, TERMS["rce"], others=True)
