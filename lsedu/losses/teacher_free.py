r"""Teacher-free knowledge distillation: a hand-made teacher, or the network's own earlier self.

.. math:: L = (1-\alpha) H(p, q) + \alpha\,\mathrm{KL}(q^{\mathrm{teacher}}_\tau \,\|\, q_\tau)

Paper and released code differ, and both are offered by name.
"""

import math
from typing import Literal

import torch
from torch import Tensor

from lsedu import _check
from lsedu._samples import like, samples
from lsedu.losses._logs import divergence, log_softmax, mixed, own
from lsedu.losses._module import Criterion
from lsedu.losses._reduce import Reduction, reduce
from lsedu.losses.distillation import checked_temperature, soft_term

Form = Literal["paper", "code"]


def _two_logs(num_classes: int, correct: float, temperature: float, form: Form) -> tuple[float, float]:
    """Return the logarithms of the hand-made teacher's softened probabilities, of the label and of each other class."""
    if num_classes < 2:
        raise ValueError(f"teacher-free distillation needs at least 2 classes, got K = {num_classes}")
    correct = _check.real_in("correct", correct, 0.0, 1.0, open_low=True, open_high=True)
    temperature = checked_temperature(temperature)
    _check.one_of("form", form, ("paper", "code"))
    other = (1.0 - correct) / (num_classes - 1)
    if form == "paper":
        of_label, of_other = math.log(correct) / temperature, math.log(other) / temperature
    else:
        of_label, of_other = correct / temperature, other / temperature
    top = max(of_label, of_other)
    total = top + math.log(math.exp(of_label - top) + (num_classes - 1) * math.exp(of_other - top))
    return of_label - total, of_other - total


def virtual_teacher(num_classes: int, *, correct: float, temperature: float, form: Form) -> Tensor:
    r"""Return the table of the hand-made teacher's softened predictions, in float64.

    Parameters
    ----------
    num_classes : int
        Number of classes K >= 2.
    correct : float
        Probability a of the label before softening, in (0, 1); the others share the rest evenly.
    temperature : float
        Temperature > 0 that softens.
    form : {"paper", "code"}
        Whether the temperature divides the log-probabilities, as a temperature does, or the probabilities, as in the
        released code, which makes the teacher nearly uniform.

    Returns
    -------
    Tensor, shape (K, K)
        Row y is the teacher of label y.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    :cite:p:`yuan2020`, eq. 9.

    Examples
    --------
    >>> virtual_teacher(2, correct=0.9, temperature=1.0, form="paper")[0].round(decimals=3).tolist()
    [0.9, 0.1]
    """
    num_classes = _check.whole("num_classes", num_classes)
    of_label, of_other = _two_logs(num_classes, correct, temperature, form)
    table = torch.full((num_classes, num_classes), math.exp(of_other), dtype=torch.float64)
    return table.fill_diagonal_(math.exp(of_label))


def tf_kd_reg(
    logits: Tensor,
    labels: Tensor,
    *,
    alpha: float = 0.1,
    temperature: float = 20.0,
    correct: float = 0.99,
    form: Form = "paper",
    multiplier: float = 100.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the loss of teacher-free regularisation (TF-KD reg), in nats.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        Unnormalised log-probabilities, finite; half precision is widened to float32.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    alpha : float
        Weight of the teacher's term, in [0, 1].
    temperature : float
        Temperature > 0.
    correct : float
        The hand-made teacher's probability of the label, in (0, 1).
    form : {"paper", "code"}
        In the paper the temperature softens teacher and student. In the released code it divides the teacher's
        probabilities, leaves the student alone, and the KL is averaged over the K classes and multiplied.
    multiplier : float
        Of the KL averaged over classes, > 0; used by form "code" only.
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
    :cite:p:`yuan2020`, eq. 10. A multiplier of 100 undoes the average over the classes of CIFAR-100.

    Examples
    --------
    >>> z, y = torch.zeros(1, 4), torch.tensor([0])
    >>> round(tf_kd_reg(z, y, alpha=0.0).item(), 4)
    1.3863
    """
    batch = samples(logits, labels, ignore_index)
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    multiplier = _check.real_in("multiplier", multiplier, 0.0, math.inf, open_low=True, open_high=True)
    k = batch.logits.shape[1]
    of_label, of_other = _two_logs(k, correct, temperature, form)
    log_q = log_softmax(batch.logits)
    # made where the logits are: a table made on the CPU would be copied in each step
    log_teacher = torch.full_like(log_q, of_other).scatter(1, batch.label[:, None], of_label)
    if form == "paper":
        soft = soft_term(log_teacher, log_q, temperature)
    else:
        soft = divergence(log_teacher, log_q) * (multiplier / k)
    return reduce(mixed(1.0 - alpha, -own(log_q, batch.label), alpha, soft), batch, reduction=reduction)


class TfKdReg(Criterion, of=tf_kd_reg):
    """Teacher-free regularisation as a module: `tf_kd_reg` with its options given once.

    Parameters
    ----------
    alpha, temperature, correct, form, multiplier, ignore_index, reduction
        As in `tf_kd_reg`.

    Notes
    -----
    :cite:p:`yuan2020`.

    Examples
    --------
    >>> round(TfKdReg(alpha=0.0)(torch.zeros(1, 4), torch.tensor([0])).item(), 4)
    1.3863
    """


def tf_kd_self(
    logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    alpha: float = 0.1,
    temperature: float = 20.0,
    form: Form = "paper",
    multiplier: float = 1.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the loss of teacher-free self-training (TF-KD self), in nats.

    Parameters
    ----------
    logits, teacher_logits : Tensor, shape (N, K)
        Logits of the student, and of the same architecture trained before; no gradient flows to the latter.
    labels : Tensor, shape (N,)
        Integer labels in [0, K) or `ignore_index`.
    alpha : float
        Weight of the teacher's term, in [0, 1].
    temperature : float
        Temperature > 0 of both.
    form : {"paper", "code"}
        The released code averages the KL over the K classes, and multiplies it by the squared temperature and by
        `multiplier`.
    multiplier : float
        Used by form "code" only, > 0.
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
    :cite:p:`yuan2020`, eq. 8.

    Examples
    --------
    >>> z, y = torch.zeros(1, 4), torch.tensor([0])
    >>> round(tf_kd_self(z, z, y, alpha=0.5).item(), 4)
    0.6931
    """
    batch = samples(logits, labels, ignore_index)
    teacher = like("teacher_logits", teacher_logits, logits)
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
    temperature = checked_temperature(temperature)
    multiplier = _check.real_in("multiplier", multiplier, 0.0, math.inf, open_low=True, open_high=True)
    _check.one_of("form", form, ("paper", "code"))
    log_q = log_softmax(batch.logits)
    soft = soft_term(log_softmax(log_softmax(teacher.detach()).to(log_q) / temperature), log_q, temperature)
    if form == "code":
        soft = soft * (temperature**2 * multiplier / log_q.shape[1])
    return reduce(mixed(1.0 - alpha, -own(log_q, batch.label), alpha, soft), batch, reduction=reduction)


class TfKdSelf(Criterion, of=tf_kd_self):
    """Teacher-free self-training as a module: `tf_kd_self` with its options given once.

    Parameters
    ----------
    alpha, temperature, form, multiplier, ignore_index, reduction
        As in `tf_kd_self`; the call takes logits, teacher's logits and labels.

    Notes
    -----
    :cite:p:`yuan2020`.

    Examples
    --------
    >>> z, y = torch.zeros(1, 4), torch.tensor([0])
    >>> round(TfKdSelf(alpha=0.5)(z, z, y).item(), 4)
    0.6931
    """
