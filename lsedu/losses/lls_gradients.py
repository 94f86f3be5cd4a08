r"""Every term of learnable label smoothing by itself: its value, and its gradients in closed form.

With :math:`q = \mathrm{softmax}(z)`, :math:`r = \mathrm{softmax}(t_y)`, :math:`s = (1-\alpha)\delta_y + \alpha r`:

================  ==========================================  ================================================
term              on the network's logits z_j                 on Q's logits t_j
================  ==========================================  ================================================
H(s, q)           :math:`q_j - s_j`                           :math:`\alpha r_j(\sum_i r_i\log q_i - \log q_j)`
H(q, s)           :math:`q_j(\sum_i q_i\log s_i - \log s_j)`  :math:`\alpha r_j(\sum_i r_i q_i/s_i - q_j/s_j)`
-H(q)             :math:`q_j(\log q_j - \sum_i q_i\log q_i)`  0
-H(s)             0                                           :math:`\alpha r_j(\log s_j - \sum_i r_i\log s_i)`
KL(s || q)        :math:`q_j - s_j`                           sum of the first and the fourth
KL(q || s)        :math:`q_j(\log(q_j/s_j) - \mathrm{KL})`    that of the second
================  ==========================================  ================================================
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lsedu import _check
from lsedu._look import readable
from lsedu._samples import full_precision
from lsedu.losses._lls import Coefficients, Options, block, q_rows
from lsedu.losses._lls_edge import SLIGHT, edge_block, shut_out

#: Multipliers of H(s, q), H(q, s), -H(q) and -H(s) that make up each term.
TERMS: dict[str, Coefficients] = {
    "fce": Coefficients(1.0, 0.0, 0.0, 0.0),
    "rce": Coefficients(0.0, 1.0, 0.0, 0.0),
    "pred-em": Coefficients(0.0, 0.0, 1.0, 0.0),
    "targets-em": Coefficients(0.0, 0.0, 0.0, 1.0),
    "forward-kl": Coefficients(1.0, 0.0, 0.0, 1.0),
    "reverse-kl": Coefficients(0.0, 1.0, 1.0, 0.0),
    "lls": Coefficients(1.0, 1.0, 1.0, 1.0),
}


class Term(NamedTuple):
    """Value (N,) of a term, its gradient on the logits (N, K), and that on each sample's row of Q's logits (N, K)."""

    value: Tensor
    on_logits: Tensor
    on_q_logits: Tensor


def lls_gradients(logits: Tensor, labels: Tensor, q_logits: Tensor, *, alpha: float) -> dict[str, Term]:
    r"""Return every term's value and closed-form gradients, sample by sample and unreduced, in nats.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        The network's logits z; half precision is widened to float32.
    labels : Tensor, shape (N,)
        Integer labels in [0, K).
    q_logits : Tensor, shape (K, K)
        Logits of Q.
    alpha : float
        Share of Q in the target, in (0, 1].

    Returns
    -------
    dict of Term
        By name, see `TERMS`: "fce" = H(s, q), "rce" = H(q, s), "pred-em" = -H(q), "targets-em" = -H(s), "forward-kl",
        "reverse-kl" and their sum "lls".

    Raises
    ------
    ValueError
        For hyper-parameters, shapes or labels out of range.

    Notes
    -----
    :cite:p:`lls`, appendix B, which leaves out the gradient of the reverse KL on the logits. That gradient vanishes as
    :math:`q_y \to 0`, which is why the variants without H(s, q) fail to train. The gradient of the reverse KL on Q off
    the label is :math:`r_j(1 - q_y(1-\alpha)/s_y) - q_j`, and does not vanish with :math:`r_j`; that of the forward KL
    does. In sums of absolute values it is at most that of the forward KL on the logits.

    Examples
    --------
    >>> terms = lls_gradients(torch.zeros(1, 2), torch.tensor([0]), torch.zeros(2, 2), alpha=0.5)
    >>> terms["forward-kl"].on_logits.tolist()
    [[-0.25, 0.25]]
    """
    _check.logits("logits", logits)
    n, k = logits.shape
    _check.labels("labels", labels, k, size=n)
    _check.logits("q_logits", q_logits)
    if tuple(q_logits.shape) != (k, k):
        raise ValueError(f"q_logits must have shape ({k}, {k}), got {tuple(q_logits.shape)}")
    alpha = _check.real_in("alpha", alpha, 0.0, 1.0, open_low=True)
    dtype = torch.promote_types(torch.promote_types(logits.dtype, q_logits.dtype), torch.float32)
    label = labels.long()[:, None]
    # logarithms of large logits cancel in the gradients, and on a CPU float64 is at hand
    wide = torch.float64 if logits.is_cpu else dtype
    z = logits.detach().to(wide)
    rows = q_logits.detach().to(wide)[label[:, 0]]
    edge = alpha < SLIGHT or (readable(z) and (shut_out(z) or shut_out(rows)))
    terms = {}
    for name, c in TERMS.items():
        options = Options(alpha, c)
        dz, dt = torch.empty_like(z), torch.empty_like(z)
        with full_precision(z):
            if edge:
                value = edge_block(z, rows, label, **options._asdict(), dz=dz, dt=dt, factor=1.0)
            else:
                value = block(z, q_rows(rows.clone(), label, options), label, options, dz, dt, 1.0)
        terms[name] = Term(*(x.to(dtype) for x in (value.squeeze(1), dz, dt)))
    return terms
