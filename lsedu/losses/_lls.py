r"""The arithmetic of learnable label smoothing: value and both closed-form gradients in one pass over blocks of rows.

With :math:`q = \mathrm{softmax}(z)`, :math:`r = \mathrm{softmax}(t)` and :math:`s = (1-\alpha)\delta_y + \alpha r`,

.. math::

    L &= c_1 H(s, q) + c_2 H(q, s) - c_3 H(q) - c_4 H(s) = \langle q, B\rangle - \langle s, A\rangle \\
    A &= c_1 \log q - c_4 \log s, \qquad B = c_3 \log q - c_2 \log s \\
    \partial L / \partial z_j &= c_1 (q_j - s_j) + q_j (B_j - \langle q, B\rangle) \\
    \partial L / \partial t_j &= \alpha r_j (\langle r, A\rangle - A_j) + c_2 (r_j \langle a, 1\rangle - a_j),
    \qquad a_j = \alpha r_j q_j / s_j

and :math:`a_j = q_j` off the label, so that nothing is divided by a target that may underflow.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# elements of one block on the CPU: its half-dozen buffers stay in the second-level cache
_BLOCK = 1 << 16


class Coefficients(NamedTuple):
    """Multipliers of H(s, q), H(q, s), -H(q) and -H(s)."""

    fce: float
    rce: float
    pred_em: float
    target_em: float

    def scaled(self, factor: float) -> "Coefficients":
        """Return every multiplier times `factor`."""
        return Coefficients(*(factor * c for c in self))


class Options(NamedTuple):
    """What is fixed for one call: alpha, the multipliers, and whether Q's row leaves its own label out."""

    alpha: float
    c: Coefficients
    others: bool = False


def q_rows(t: Tensor, label: Tensor | None, options: Options) -> tuple[Tensor, Tensor]:
    """Return log(alpha r) and alpha r of rows of logits (M, K); the label's entry is left out under `others`."""
    if options.others:
        t = t.scatter(1, label, -torch.inf)
    log_rows = torch.log_softmax(t, 1).add_(math.log(options.alpha))
    return log_rows, log_rows.exp()


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.linalg.vecdot(a, b).unsqueeze(1)


def block(
    z: Tensor,
    log_s: Tensor,
    rows: Tensor,
    label: Tensor,
    options: Options,
    dz: Tensor | None,
    dt: Tensor | None,
    factor: float,
) -> Tensor:
    """Return losses (n, 1) times `factor`; write the gradients on the logits and on each sample's row into dz, dt.

    `z` are logits in float32 or float64, `log_s` and `rows` are log(alpha r) and alpha r for each sample; `log_s` is
    overwritten. `label` has shape (n, 1); `dz` and `dt` have the shape and dtype of `z`, or are None.
    """
    alpha, c = options.alpha, options.c
    log_q = torch.log_softmax(z, 1)
    q = log_q.exp()
    own = log_s.gather(1, label)
    rest = math.log1p(-alpha) if alpha < 1.0 else -math.inf
    log_s_y = torch.logaddexp(own, torch.full_like(own, rest))
    log_s.scatter_(1, label, log_s_y)
    a = _combine(log_q, c.fce, log_s, c.target_em)
    b = a if (c.fce, c.target_em) == (c.pred_em, c.rce) else _combine(log_q, c.pred_em, log_s, c.rce)
    q_dot_b, rows_dot_a = _dot(q, b), _dot(rows, a)
    loss = q_dot_b - rows_dot_a
    if alpha < 1.0:
        loss -= (1.0 - alpha) * a.gather(1, label)
    if dz is not None:
        torch.mul(rows, -factor * c.fce, out=dz).addcmul_(b - (q_dot_b - c.fce), q, value=factor)
        dz.scatter_add_(1, label, torch.full_like(own, -factor * c.fce * (1.0 - alpha)))
    if dt is not None:
        level = rows_dot_a / alpha
        if c.rce:
            # (1 - alpha) / s_y is the label's share that Q does not decide
            fixed = q.gather(1, label) * torch.exp(rest - log_s_y)
            level = level + (c.rce / alpha) * (1.0 - fixed)
        torch.mul(q, -factor * c.rce, out=dt).addcmul_(level - a, rows, value=factor)
        if c.rce:
            dt.scatter_add_(1, label, (factor * c.rce) * fixed)
    return loss * factor


def _combine(log_q: Tensor, c: float, log_s: Tensor, d: float) -> Tensor:
    if d == 0.0:
        return log_q if c == 1.0 else c * log_q
    scaled = log_q if c == 1.0 else c * log_q
    return torch.sub(scaled, log_s, alpha=d)


class LearnableSmoothing(torch.autograd.Function):
    """Losses of shape (N,) from logits (N, K), a table of Q's logits (M, K), each sample's row of it, and labels."""

    @staticmethod
    def forward(
        ctx, z: Tensor, table: Tensor, row: Tensor, label: Tensor, options: Options, factor: float, sparse: bool
    ) -> Tensor:
        """Compute the losses times `factor`, and the gradients while the block is in the cache."""
        n, k = z.shape
        dtype = torch.promote_types(torch.promote_types(z.dtype, table.dtype), torch.float32)
        want_z, want_t = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        dz = z.new_empty((n, k), dtype=dtype) if want_z else None
        dt = z.new_empty((n, k), dtype=dtype) if want_t else None
        column = label.unsqueeze(1)
        shared = None
        if len(table) <= n:
            # fewer rows than samples: each row's softmax once
            label_of_row = column.new_zeros((len(table), 1))
            label_of_row[row] = column
            shared = q_rows(table.to(dtype), label_of_row, options)
        step = n if z.is_cuda else max(1, _BLOCK // k)
        losses = []
        for start in range(0, n, step):
            part = slice(start, start + step)
            index, y = row[part], column[part]
            if shared is None:
                log_s, rows = q_rows(table.index_select(0, index).to(dtype), y, options)
            else:
                log_s, rows = (t.index_select(0, index) for t in shared)
            out_z, out_t = (None if g is None else g[part] for g in (dz, dt))
            losses.append(block(z[part].to(dtype), log_s, rows, y, options, out_z, out_t, factor))
        ctx.dtypes, ctx.rows, ctx.sparse = (z.dtype, table.dtype), len(table), sparse
        ctx.save_for_backward(dz, dt, row)
        return torch.cat(losses).squeeze(1) if losses else z.new_zeros(0, dtype=dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        """Scale the stored gradients by the losses' own; add up the rows of Q that occur in the batch."""
        dz, dt, row = ctx.saved_tensors
        if not (grad.is_cpu and grad.numel() and grad.stride(0) == 0 and grad[0] == 1.0):
            column = grad.unsqueeze(1)
            dz, dt = (None if g is None else g * column for g in (dz, dt))
        z_dtype, t_dtype = ctx.dtypes
        grad_z = None if dz is None else dz.to(z_dtype)
        grad_t = None
        if dt is not None:
            dt = dt.to(t_dtype)
            shape = (ctx.rows, dt.shape[1])
            if ctx.sparse:
                grad_t = torch.sparse_coo_tensor(row.unsqueeze(0), dt, shape, check_invariants=False)
            else:
                grad_t = dt.new_zeros(shape).index_add_(0, row, dt)
        return grad_z, grad_t, None, None, None, None, None
