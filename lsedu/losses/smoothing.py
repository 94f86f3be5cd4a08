r"""Label smoothing as a loss: cross-entropy to smoothed targets, without building them where there is no need.

.. math:: L_{\mathrm{LS}} = (1 - \alpha) \cdot (-\log q_y) + \alpha \cdot H(u, q)
"""

import math

from torch import Tensor

from lsedu import _check
from lsedu._samples import samples
from lsedu.losses._logs import class_weights, expected, log_softmax, mixed, own
from lsedu.losses._module import Criterion
from lsedu.losses._reduce import Reduction, reduce
from lsedu.targets.smoothing import Convention, smoothed


def label_smoothing(
    logits: Tensor,
    labels: Tensor,
    *,
    alpha: float,
    convention: Convention = "all",
    prior: Tensor | None = None,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the cross-entropy to smoothed targets, in nats.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Unnormalised log-probabilities; half precision is widened to float32.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    alpha : float
        Smoothing strength in [0, 1]; 0 is plain cross-entropy.
    convention : {"all", "others"}
        See `lsedu.targets.smooth`.
    prior : Tensor, shape (K,) or (K, K), optional
        Smoothing distribution, uniform when None.
    weight : Tensor, shape (K,), optional
        Non-negative class weights w. As in PyTorch, class k's term of the sum is multiplied by w_k, and the mean
        divides by the sum of the labels' weights.
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
        For hyper-parameters, shapes or labels out of range. PyTorch takes a negative ``label_smoothing`` for 0
        without a word; this function does not.

    Notes
    -----
    The loss is a mixture of the cross-entropies to the label and to the prior :cite:p:`textbook`. Its minimum over the
    logits is :math:`H(p_{LS})`, at :math:`q = p_{LS}`, where for the uniform prior the label's logit lies
    :math:`\log(1 + K(1-\alpha)/\alpha)` above each other one (see `logit_gap`).

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([[2.0, 0.0, -1.0]])
    >>> y = torch.tensor([0])
    >>> torch.allclose(label_smoothing(z, y, alpha=0.1),
    ...                torch.nn.functional.cross_entropy(z, y, label_smoothing=0.1))
    True
    """
    batch = samples(logits, labels, ignore_index)
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    _check.one_of("convention", convention, ("all", "others"))
    log_q = log_softmax(batch.logits)
    if prior is None and convention == "all" and weight is None:
        losses = -mixed(1.0 - alpha, own(log_q, batch.label), alpha, log_q.mean(1))
        return reduce(losses, batch, reduction=reduction)
    options = {"alpha": alpha, "convention": convention, "prior": prior}
    target = smoothed(batch.label, log_q.shape[1], **options, dtype=log_q.dtype, kept=batch.kept)
    if weight is None:
        return reduce(-expected(target, log_q), batch, reduction=reduction)
    weight = class_weights(weight, log_q)
    losses = -expected(target * weight, log_q)
    return reduce(losses, batch, reduction=reduction, share=weight[batch.label], shared=True)


class LabelSmoothing(Criterion, of=label_smoothing):
    """Label smoothing as a module: `label_smoothing` with its options given once.

    Parameters
    ----------
    alpha, convention, prior, weight, ignore_index, reduction
        As in `label_smoothing`.

    Notes
    -----
    :cite:p:`szegedy2016`.

    Examples
    --------
    >>> import torch
    >>> z, y = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])
    >>> LabelSmoothing(alpha=0.1)(z, y) == label_smoothing(z, y, alpha=0.1)
    tensor(True)
    """


def logit_gap(num_classes: int, alpha: float, *, convention: Convention = "all") -> float:
    r"""Return the gap between the label's logit and each other logit where the smoothing loss is minimal, in nats.

    Parameters
    ----------
    num_classes : int
        Number of classes K >= 2.
    alpha : float
        Smoothing strength in (0, 1].
    convention : {"all", "others"}
        See `lsedu.targets.smooth`; the prior is uniform.

    Returns
    -------
    float
        :math:`\log(1 + K(1-\alpha)/\alpha)` for "all", :math:`\log((K-1)(1-\alpha)/\alpha)` for "others"
        (minus infinity at alpha = 1).

    Raises
    ------
    ValueError
        If alpha or num_classes is out of range. At alpha = 0 no finite minimum exists.

    Notes
    -----
    From :math:`q = p_{LS}` and :math:`z_y - z_k = \log(q_y / q_k)` :cite:p:`textbook`, "Impact on Gradient Dynamics".

    Examples
    --------
    >>> round(logit_gap(10, 0.1), 4)
    4.5109
    """
    num_classes = _check.whole("num_classes", num_classes, low=2)
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0, open_low=True)
    _check.one_of("convention", convention, ("all", "others"))
    if convention == "all":
        return math.log1p(num_classes * (1.0 - alpha) / alpha)
    ratio = (num_classes - 1) * (1.0 - alpha) / alpha
    return math.log(ratio) if ratio > 0 else -math.inf
