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
    z: Tensor, log_s: Tensor, rows: Tensor, label: Tensor, options: Options, want_z: bool, want_t: bool
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return losses (n, 1) and gradients on the logits and on each sample's row of Q's logits, both (n, K).

    `z` are logits in float32 or float64, `log_s` and `rows` are log(alpha r) and alpha r for each sample; both are
    overwritten. `label` has shape (n, 1).
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
    loss = q_dot_b - rows_dot_a - (1.0 - alpha) * a.gather(1, label)
    dz = dt = None
    if want_z:
        dz = (b - (q_dot_b - c.fce)).mul_(q)
        if c.fce:
            dz.sub_(rows, alpha=c.fce)
            dz.scatter_add_(1, label, torch.full_like(own, -c.fce * (1.0 - alpha)))
    if want_t:
        level = rows_dot_a / alpha
        if c.rce:
            q_y = q.gather(1, label)
            # (1 - alpha) / s_y, the label's share that Q does not decide
            fixed = torch.exp(rest - log_s_y)
            level = level + (c.rce / alpha) * (1.0 - q_y * fixed)
        dt = torch.sub(level, a, out=log_s if b is not a else None).mul_(rows)
        if c.rce:
            dt.sub_(q, alpha=c.rce)
            dt.scatter_add_(1, label, c.rce * q_y * fixed)
    return loss, dz, dt


def _combine(log_q: Tensor, c: float, log_s: Tensor, d: float) -> Tensor:
    if d == 0.0:
        return log_q if c == 1.0 else c * log_q
    scaled = log_q if c == 1.0 else c * log_q
    return torch.sub(scaled, log_s, alpha=d)


class LearnableSmoothing(torch.autograd.Function):
    """Losses of shape (N,) from logits (N, K), a table of Q's logits (M, K), each sample's row of it, and labels."""

    @staticmethod
    def forward(ctx, z: Tensor, table: Tensor, row: Tensor, label: Tensor, options: Options, sparse: bool) -> Tensor:
        """Compute the losses, and the gradients while the block is in the cache."""
        n, k = z.shape
        dtype = torch.promote_types(torch.promote_types(z.dtype, table.dtype), torch.float32)
        want_z, want_t = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        losses = z.new_empty((n, 1), dtype=dtype)
        dz = torch.empty_like(z, memory_format=torch.contiguous_format) if want_z else None
        dt = table.new_empty((n, k)) if want_t else None
        column = label.unsqueeze(1)
        # with fewer rows than samples each row's softmax is taken once; it depends on the row only unless `others`
        shared = None
        if len(table) <= n:
            label_of_row = torch.zeros(len(table), 1, dtype=label.dtype, device=label.device)
            label_of_row[row] = column
            shared = q_rows(table.to(dtype), label_of_row, options)
        step = n if z.is_cuda else max(1, _BLOCK // k)
        for start in range(0, n, step):
            part = slice(start, start + step)
            index, y = row[part], column[part]
            if shared is None:
                log_s, rows = q_rows(table.index_select(0, index).to(dtype), y, options)
            else:
                log_s, rows = (t.index_select(0, index) for t in shared)
            loss, z_part, t_part = block(z[part].to(dtype), log_s, rows, y, options, want_z, want_t)
            losses[part] = loss
            if want_z:
                dz[part] = z_part
            if want_t:
                dt[part] = t_part
        ctx.save_for_backward(dz, dt, row)
        ctx.rows, ctx.sparse = len(table), sparse
        return losses.squeeze(1)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        """Scale the stored gradients by the losses' own; add up the rows of Q that occur in the batch."""
        dz, dt, row = ctx.saved_tensors
        column = grad.unsqueeze(1)
        grad_z = None if dz is None else (dz * column).to(dz.dtype)
        if dt is None:
            return grad_z, None, None, None, None, None
        part = (dt * column).to(dt.dtype)
        shape = (ctx.rows, dt.shape[1])
        if ctx.sparse:
            return grad_z, torch.sparse_coo_tensor(row[None], part, shape), None, None, None, None
        return grad_z, dt.new_zeros(shape).index_add_(0, row, part), None, None, None, None
