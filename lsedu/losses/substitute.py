r"""A learned Q-matrix as a teacher, in place of the network it was learned with.

.. math:: L_{\mathrm{ST}} = \beta H(p, q) + (1-\beta)\,T^2\,H(s_T, q_T), \qquad s = (1-\alpha)\delta_y + \alpha Q_y
"""

import math

import torch
from torch import Tensor, nn

from lsedu import _check
from lsedu._look import transformed
from lsedu._samples import samples
from lsedu.losses._logs import log_softmax, mixed, own
from lsedu.losses._reduce import Reduction, reduce
from lsedu.losses.distillation import Divergence, checked_temperature, soft_term


class SubstituteTeacher(nn.Module):
    r"""LLS-ST: a Q-matrix learned elsewhere, frozen, teaches in place of the network it was learned with.

    Parameters
    ----------
    q_logits : Tensor, shape (K, K)
        Logits of the learned Q; a copy is kept, without gradient.
    alpha : float
        Share of Q in the targets, in [0, 1].
    beta, temperature, divergence, scaled, ignore_index, reduction
        As in `distillation`; the paper uses beta = 0 and temperature 1.
    device, dtype
        Of the table of targets; those of `q_logits`, in float32 at least, when None.

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
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        _check.logits("q_logits", q_logits)
        if len(q_logits) != q_logits.shape[1]:
            raise ValueError(f"q_logits must be square, got shape {tuple(q_logits.shape)}")
        self.alpha = _check.real_in("alpha", alpha, 0.0, 1.0)
        if dtype is not None:
            _check.floating("dtype", dtype)
        device = None if device is None else _check.device("device", device)
        # log s rather than s: a high temperature brings back shares that would underflow
        log_s = log_softmax(q_logits.detach()) + (math.log(self.alpha) if self.alpha > 0 else -math.inf)
        label = log_s.new_full((), 1.0 - self.alpha).log()
        log_s = log_s.diagonal_scatter(torch.logaddexp(log_s.diagonal(), label))
        self.register_buffer("log_targets", log_s.to(device=device, dtype=dtype))
        self.beta = _check.real_in("beta", beta, 0.0, 1.0)
        self.temperature = checked_temperature(temperature)
        self.divergence = _check.one_of("divergence", divergence, ("kl", "cross-entropy"))
        self.scaled, self.ignore_index = scaled, _check.whole("ignore_index", ignore_index)
        self.reduction = _check.one_of("reduction", reduction, ("mean", "sum", "none"))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (N, K) and labels (N,), in nats."""
        batch = samples(logits, labels, self.ignore_index)
        log_q, table = log_softmax(batch.logits), self.log_targets
        if log_q.shape[1] != len(table):
            raise ValueError(f"logits must have {len(table)} classes, got {log_q.shape[1]}")
        # under a transform the number of samples may be a symbol, which a comparison would pin down
        if transformed() or batch.label.shape[0] < table.shape[0]:
            log_teacher = self._softened(table[batch.label].to(log_q))
        else:
            log_teacher = self._softened(table.to(log_q))[batch.label]
        weight = (1.0 - self.beta) * (self.temperature**2 if self.scaled else 1.0)
        soft = soft_term(log_teacher, log_q, self.temperature, self.divergence)
        losses = mixed(self.beta, -own(log_q, batch.label), weight, soft)
        return reduce(losses, batch, reduction=self.reduction)

    def _softened(self, log_s: Tensor) -> Tensor:
        return log_s if self.temperature == 1.0 else log_softmax(log_s / self.temperature)

    def extra_repr(self) -> str:
        """Show what was chosen."""
        chosen = f"alpha={self.alpha}, beta={self.beta}, temperature={self.temperature}, divergence={self.divergence!r}"
        return f"num_classes={len(self.log_targets)}, {chosen}, scaled={self.scaled}"
