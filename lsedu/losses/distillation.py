r"""Knowledge distillation with temperature, from a teacher network or from a frozen Q-matrix.

.. math:: L_{\mathrm{KD}} = \beta H(p, q) + (1-\beta)\,T^2\,\mathrm{KL}(q^{\mathrm{teacher}}_T \,\|\, q_T)
"""

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu._samples import Samples, like, rows, samples, shape_of_labels
from lsedu.losses._logs import divergence as kl
from lsedu.losses._logs import expected, log_softmax, mixed, own
from lsedu.losses._module import Criterion
from lsedu.losses._reduce import Reduction, reduce

Divergence = Literal["kl", "cross-entropy"]


def checked_temperature(value: Any) -> float:
    """Return a temperature > 0 as a float if float32 holds its square and the logits that it divides."""
    temperature = _check.real_in("temperature", value, 0.0, math.inf, open_low=True, open_high=True)
    return _check.real_in("temperature", temperature, 1e-18, 1e18)


def soft_term(log_teacher: Tensor, log_q: Tensor, temperature: float, divergence: Divergence = "kl") -> Tensor:
    """Return the divergences (M,) from the teacher's log-probabilities at a temperature to the student's, softened."""
    log_student = log_q if temperature == 1.0 else log_softmax(log_q / temperature)
    if divergence == "kl":
        return kl(log_teacher, log_student)
    return -expected(log_teacher.exp(), log_student)


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
        T > 0 that divides both logits, in [1e-18, 1e18].
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
    flat = rows("logits", logits)
    teacher = like("teacher_logits", teacher_logits, logits)
    temperature = checked_temperature(temperature)
    beta = _check.real_in("beta", beta, 0.0, 1.0)
    _check.one_of("divergence", divergence, ("kl", "cross-entropy"))
    if labels is not None:
        batch = samples(logits, labels, ignore_index)
    elif beta > 0:
        raise ValueError(f"labels must be given for beta > 0, got None with beta={beta}")
    else:
        batch = Samples(flat, None, None, shape_of_labels(logits))
    log_q = log_softmax(flat)
    log_teacher = log_softmax(log_softmax(teacher.detach()).to(log_q) / temperature)
    soft = soft_term(log_teacher, log_q, temperature, divergence)
    weight = (1.0 - beta) * (temperature**2 if scaled else 1.0)
    losses = weight * soft if beta == 0.0 else mixed(beta, -own(log_q, batch.label), weight, soft)
    return reduce(losses, batch, reduction=reduction)


class KnowledgeDistillation(Criterion, of=distillation):
    """Distillation from given logits as a module: `distillation` with its options given once.

    Parameters
    ----------
    temperature, beta, divergence, scaled, ignore_index, reduction
        As in `distillation`.

    Notes
    -----
    :cite:p:`hinton2015`.

    Examples
    --------
    >>> z = torch.tensor([[1.0, 0.0]])
    >>> KnowledgeDistillation(temperature=4.0)(z, z).item()
    0.0
    """


class Distillation(nn.Module):
    """Distillation from a teacher network, as a criterion called with the batch's inputs.

    Parameters
    ----------
    teacher : callable
        Inputs to logits (N, K). It is called without gradients and is not trained; a module is kept in evaluation mode
        and moves with the criterion.
    loss : callable
        ``loss(logits, teacher_logits, labels)``, such as `distillation`, `KnowledgeDistillation` or `tf_kd_self` with
        its options bound.

    Examples
    --------
    >>> criterion = Distillation(lambda x: 2 * x)
    >>> x = torch.eye(2)
    >>> criterion(2 * x, torch.tensor([0, 1]), inputs=x).item()
    0.0
    """

    needs_inputs = True

    def __init__(self, teacher: Callable[[Tensor], Tensor], loss: Callable[..., Tensor] = distillation):
        super().__init__()
        for name, value in (("teacher", teacher), ("loss", loss)):
            if not callable(value):
                raise ValueError(f"{name} must be callable, got {value!r}")
        self.teacher, self.loss = teacher, loss
        self.train(self.training)

    def forward(self, logits: Tensor, labels: Tensor, *, inputs: Tensor) -> Tensor:
        """Return the loss of the student's logits (N, K) for the batch's labels (N,) and inputs (N, ...)."""
        with torch.no_grad():
            teacher_logits = self.teacher(inputs)
        return self.loss(logits, teacher_logits, labels)

    def train(self, mode: bool = True) -> "Distillation":
        """Set the mode of the criterion; the teacher stays in evaluation mode."""
        super().train(mode)
        if isinstance(self.teacher, nn.Module):
            self.teacher.eval()
        return self

    def parameter_groups(self, *, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """Return no group for the optimiser: nothing here is trained."""
        return []
