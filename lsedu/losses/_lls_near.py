r"""Learnable label smoothing's symmetric loss where all logits are small: the same arithmetic in fewer passes.

Off the label :math:`\log q_j - \log s_j` differs from :math:`z_j - t_j` by a constant of the row, and the loss and both
gradients do not change when a constant is added to the row. So no logarithm of a row is ever made: only the label's own
entry needs one, and all entries are taken relative to it,

.. math::

    a_j = (z_j - t_j) - a_y^0, \quad a_y = 0, \qquad a_y^0 = z_y - t_y - \log\frac{s_y}{\alpha r_y} .

Where q is close to s, so is :math:`a` to 0, and a small loss keeps its digits.
"""

import functools

import torch
from torch import Tensor

#: Largest size of a logit, z or t, for which z - t rounds no worse than the two logarithms would.
NEAR = 16.0
#: Below this many classes PyTorch's softmax over the last axis is slower than its parts.
NARROW = 64


def near(x: Tensor) -> bool:
    """Return whether all entries of a tensor are at most `NEAR` in size; a NaN is not."""
    if x.numel() == 0:
        return False
    low, high = x.aminmax()
    return low.item() >= -NEAR and high.item() <= NEAR


@functools.lru_cache(maxsize=256)
def number(value: float, dtype: torch.dtype) -> Tensor:
    """Return a number as a tensor on the CPU: PyTorch makes one of a Python float at every call, which takes longer.

    It must not be written to.
    """
    return torch.tensor(value, dtype=dtype, device="cpu")


def softmax(x: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the softmax of rows that are `near`: no exponential of theirs overflows."""
    if x.shape[1] >= NARROW:
        return torch.softmax(x, 1) if out is None else torch.softmax(x, 1, out=out)
    p = torch.exp(x, out=out)
    return p.div_(p.sum(1, keepdim=True))


def near_block(
    z: Tensor,
    t: Tensor,
    share: Tensor,
    label: Tensor,
    alpha: float,
    factor: float,
    dz: Tensor | None,
    dt: Tensor | None,
) -> Tensor:
    """Return losses (n, 1) times `factor`; write the gradients on the logits and on each sample's row into dz, dt.

    `t` holds the row of Q's logits for each sample and is overwritten, `share` that row's softmax times
    ``-factor * alpha`` and is overwritten at the label; else as `_lls.block`.
    """
    q, dtype = softmax(z, out=dt), z.dtype
    learned = share.gather(1, label)
    whole = learned - number(factor * (1.0 - alpha), dtype)
    a = torch.sub(z, t, out=t)
    a.sub_(a.gather(1, label).sub_(whole.div(learned).log_())).scatter_(1, label, 0.0)
    q_dot_a = torch.mul(q, a, out=dz).sum(1, keepdim=True)
    share_dot_a = torch.mul(share, a, out=dz).sum(1, keepdim=True)
    share.scatter_(1, label, whole)
    loss = torch.add(share_dot_a, q_dot_a, alpha=factor)
    shift = 0.0
    if dz is not None:
        shift = q_dot_a.sub_(number(1.0, dtype))
        torch.addcmul(share, q, a.sub_(shift), value=factor, out=dz)
    if dt is not None:
        q_y = q.gather(1, label)
        # the label's share that Q does not decide is (1 - alpha) / s_y
        fixed = q_y.div(whole).mul_(number(-factor * factor * (1.0 - alpha), dtype))
        level = fixed.add(share_dot_a).sub_(number(factor, dtype)).mul_(number(-1.0 / (factor * alpha), dtype))
        at_label = torch.addcmul(fixed, learned, level, value=-1.0).sub_(q_y, alpha=factor)
        dt.mul_(number(-factor, dtype)).addcmul_(share, a.sub_(level.sub_(shift))).scatter_(1, label, at_label)
    return loss
