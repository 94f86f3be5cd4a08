r"""Knowledge distillation with temperature, from a teacher network or from a frozen Q-matrix.

.. math:: L_{\mathrm{KD}} = \beta H(p, q) + (1-\beta)\,T^2\,\mathrm{KL}(q^{\mathrm{teacher}}_T \,\|\, q_T)
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu.losses._reduce import Reduction, kept_labels, reduce_kept
from lsedu.losses.cross_entropy import log_softmax

Divergence = Literal["kl", "cross-entropy"]


def _soft(log_teacher: Tensor, log_student: Tensor, divergence: Divergence) -> Tensor:
    teacher = log_teacher.exp()
    against = log_teacher - log_student if divergence == "kl" else -log_student
    losses = torch.where(teacher > 0, teacher * against, 0.0).sum(1)
    if divergence == "cross-entropy":
        return losses
    # a high temperature makes the two alike: the sum's terms cancel, and T squared lifts what rounding leaves of it;
    # each term plus q - p, which sums to 0, is of second order instead; the gradient needs no such care
    return losses + (_kl(teacher, log_student.detach().exp(), against.detach()) - losses.detach())


def _kl(p: Tensor, q: Tensor, log_ratio: Tensor) -> Tensor:
    near = p * (torch.expm1(-log_ratio) + log_ratio)
    far = q - p + torch.where(p > 0, p * log_ratio, 0.0)
    return torch.where(log_ratio.abs() < 1.0, near, far).sum(1)


def distillation(
    logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor | None = None,
    *,
    temperature: float = 1.0,
    beta: float = 0.0,
    divergence: Divergence = "kl",
    scaled: bool = True,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the loss of a student that matches its teacher's softened prediction, in nats.

    Parameters
    ----------
    logits, teacher_logits : Tensor, shape (N, K)
        Logits of student and teacher, finite; no gradient flows to the teacher.
    labels : Tensor, shape (N,), optional
        Integer labels in [0, K) or `ignore_index`; needed for beta > 0.
    temperature : float
        T > 0, finite; divides both logits.
    beta : float
        Weight of the labels' cross-entropy (at temperature 1), in [0, 1].
    divergence : {"kl", "cross-entropy"}
        Which the soft term uses; they differ by the teacher's entropy, a constant for the student.
    scaled : bool
        Multiply the soft term by T squared, so that its gradient does not shrink with T. The LLS paper does not.
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
    :cite:p:`hinton2015`. :cite:p:`lls`, eq. 6, writes the arguments the other way round from its eq. 1; read literally
    the labels' term would be infinite.

    Examples
    --------
    >>> z = torch.tensor([[1.0, 0.0]])
    >>> distillation(z, z, temperature=4.0).item()
    0.0
    """
    _check.logits("logits", logits)
    _check.logits("teacher_logits", teacher_logits)
    if teacher_logits.shape != logits.shape:
        raise ValueError(f"teacher_logits must have shape {tuple(logits.shape)}, got {tuple(teacher_logits.shape)}")
    temperature = _check.real_in("temperature", temperature, 0.0, math.inf, open_low=True, open_high=True)
    beta = _check.real_in("beta", beta, 0.0, 1.0)
    _check.one_of("divergence", divergence, ("kl", "cross-entropy"))
    if labels is None:
        if beta > 0:
            raise ValueError(f"labels must be given for beta > 0, got None with beta={beta}")
        labels = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    label, kept = kept_labels(logits, labels, ignore_index)
    log_q = log_softmax(logits)
    log_teacher = log_softmax(teacher_logits.detach()).to(log_q)
    losses = _soft(log_softmax(log_teacher / temperature), log_softmax(log_q / temperature), divergence)
    losses = (1.0 - beta) * (temperature**2 if scaled else 1.0) * losses
    if beta > 0:
        losses = losses - beta * log_q.gather(1, label[:, None]).squeeze(1)
    return reduce_kept(losses, kept, reduction=reduction)


class Distillation:
    """Distillation from a teacher network, as a criterion called with the batch's inputs.

    Parameters
    ----------
    teacher : callable
        Inputs to logits (N, K); put a module into eval mode first. It is called without gradients and is not trained.
    loss : callable
        ``loss(logits, teacher_logits, labels)``, such as `distillation` or `tf_kd_self` with its options bound.

    Examples
    --------
    >>> criterion = Distillation(lambda x: 2 * x)
    >>> x = torch.eye(2)
    >>> criterion(2 * x, torch.tensor([0, 1]), inputs=x).item()
    0.0
    """

    needs_inputs = True

    def __init__(self, teacher: Callable[[Tensor], Tensor], loss: Callable[..., Tensor] = distillation):
        self.teacher, self.loss = teacher, loss

    def __call__(self, logits: Tensor, labels: Tensor, *, inputs: Tensor) -> Tensor:
        """Return the loss of the student's logits (N, K) for the batch's labels (N,) and inputs (N, ...)."""
        with torch.no_grad():
            teacher_logits = self.teacher(inputs)
        return self.loss(logits, teacher_logits, labels)


class SubstituteTeacher(nn.Module):
    r"""LLS-ST: a Q-matrix learned elsewhere, frozen, teaches in place of the network it was learned with.

    Parameters
    ----------
    q_logits : Tensor, shape (K, K)
        Logits of the learned Q; a copy is kept, without gradient.
    alpha : float
        Share of Q in the targets, in [0, 1].
    beta, temperature, divergence, scaled
        As in `distillation`; the paper uses beta = 0 and temperature 1.

    Raises
    ------
    ValueError
        For a matrix that is not square, or a hyper-parameter out of range.

    Notes
    -----
    :cite:p:`lls`, section 5.3: every sample of class y has the teacher :math:`s = (1-\alpha)\delta_y + \alpha Q_y`.

    Examples
    --------
    >>> teacher = SubstituteTeacher(torch.zeros(2, 2), alpha=1.0)
    >>> round(teacher(torch.zeros(1, 2), torch.tensor([0])).item(), 4)
    0.6931
    """

    def __init__(
        self,
        q_logits: Tensor,
        *,
        alpha: float = 0.1,
        beta: float = 0.0,
        temperature: float = 1.0,
        divergence: Divergence = "cross-entropy",
        scaled: bool = True,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ):
        super().__init__()
        _check.logits("q_logits", q_logits)
        if len(q_logits) != q_logits.shape[1]:
            raise ValueError(f"q_logits must be square, got shape {tuple(q_logits.shape)}")
        self.alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
        # log s rather than s: a high temperature brings back shares that would underflow
        log_s = log_softmax(q_logits.detach()) + (math.log(self.alpha) if self.alpha > 0 else -math.inf)
        label = log_s.new_tensor(1.0 - self.alpha).log()
        log_s.diagonal().copy_(torch.logaddexp(log_s.diagonal(), label))
        self.register_buffer("log_targets", log_s)
        self.beta = _check.real_in("beta", beta, 0.0, 1.0)
        self.temperature = _check.real_in("temperature", temperature, 0.0, math.inf, open_low=True, open_high=True)
        self.divergence = _check.one_of("divergence", divergence, ("kl", "cross-entropy"))
        self.scaled, self.ignore_index = scaled, _check.whole("ignore_index", ignore_index)
        self.reduction = _check.one_of("reduction", reduction, ("mean", "sum", "none"))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        label, kept = kept_labels(logits, labels, self.ignore_index)
        log_q = log_softmax(logits)
        if logits.shape[1] != len(self.log_targets):
            raise ValueError(f"logits must have {len(self.log_targets)} classes, got {logits.shape[1]}")
        log_teacher = self.log_targets.to(log_q) / self.temperature
        teacher = torch.log_softmax(log_teacher, 1)[label]
        losses = _soft(teacher, log_softmax(log_q / self.temperature), self.divergence)
        losses = (1.0 - self.beta) * (self.temperature**2 if self.scaled else 1.0) * losses
        losses = losses - self.beta * log_q.gather(1, label[:, None]).squeeze(1)
        return reduce_kept(losses, kept, reduction=self.reduction)
