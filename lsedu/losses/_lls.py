r"""The arithmetic of learnable label smoothing: value and both closed-form gradients in one pass over blocks of rows.

With :math:`q = \mathrm{softmax}(z)`, :math:`r = \mathrm{softmax}(t)` and :math:`s = (1-\alpha)\delta_y + \alpha r`,

.. math::

    L &= c_1 H(s, q) + c_2 H(q, s) - c_3 H(q) - c_4 H(s) = \langle q, B\rangle - \langle s, A\rangle \\
    A &= c_1 \log q - c_4 \log s, \qquad B = c_3 \log q - c_2 \log s \\
    \partial L / \partial z_j &= c_1 (q_j - s_j) + q_j (B_j - \langle q, B\rangle) \\
    \partial L / \partial t_j &= \alpha r_j (\langle r, A\rangle - A_j) + c_2 (r_j \langle a, 1\rangle - a_j),
    \qquad a_j = \alpha r_j q_j / s_j

and :math:`a_j = q_j` off the label, so that nothing is divided by a target that may underflow. Both gradients stay the
same when a constant is added to A or B, and so does the loss when it is added to both: where A = B, log q may carry the
rounding error of its row's log-sum-exp, and one subtraction makes it.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from lsedu._look import ordinary, readable
from lsedu.losses._lls_edge import SLIGHT, edge_block, shut_out
from lsedu.losses._lls_near import NARROW, NEAR, near, near_block, number, softmax
from lsedu.losses._lls_shared import Labels, of_table, shared_block

# elements of one block on the CPU: its half-dozen buffers stay in the cache
_BLOCK = 1 << 19


class Coefficients(NamedTuple):
    """Multipliers of H(s, q), H(q, s), -H(q) and -H(s)."""

    fce: float
    rce: float
    pred_em: float
    target_em: float


def is_divergence(c: Coefficients) -> bool:
    """Return whether the loss is a sum of KL(s || q) and KL(q || s), which is never negative."""
    return c.fce == c.target_em and c.rce == c.pred_em


class Options(NamedTuple):
    """What is fixed for one call: alpha, the multipliers, and whether Q's row leaves its own label out."""

    alpha: float
    c: Coefficients
    others: bool = False


class Rows(NamedTuple):
    """Logarithm and value of the softmax of each row, both (M, K)."""

    log_p: Tensor
    p: Tensor


def fused(x: Tensor) -> bool:
    """Return whether a tensor lies where few large kernels are faster than many small ones: not on a CPU."""
    return not x.is_cpu


def rows_of(x: Tensor, *, own: bool, shift: float = 0.0, loose_below: float = 0.0) -> Rows:
    """Return the rows of logits (M, K), with `shift` added to the logarithms.

    `own` says that `x` may be overwritten. Where no row's maximum is as large as `loose_below`, a row's logarithms may
    all be off by the same rounding error of its log-sum-exp.
    """
    if fused(x):
        log_p = torch.log_softmax(x, 1)
        return Rows(_shifted(log_p, shift), torch.softmax(x, 1))
    top = x.amax(1, keepdim=True)
    if x.shape[1] < NARROW:
        log_p = x.sub_(top) if own else x - top
        p = log_p.exp()
        total = p.sum(1, keepdim=True)
        p.div_(total)
        return Rows(log_p.sub_(_shifted(total.log_(), -shift)), p)
    p = torch.softmax(x, 1)
    log_p_top = _shifted(p.amax(1, keepdim=True).log_(), shift)
    loose = loose_below == math.inf or (loose_below > 0.0 and readable(x) and top.abs().amax().item() < loose_below)
    if loose:
        less = top.sub_(log_p_top)
        return Rows(x.sub_(less) if own else x - less, p)
    return Rows((x.sub_(top) if own else x - top).add_(log_p_top), p)


def _shifted(log_p: Tensor, shift: float) -> Tensor:
    return log_p.add_(shift) if shift else log_p


def q_rows(t: Tensor, label: Tensor | None, options: Options) -> Rows:
    """Return log(alpha r) and r of rows of Q's logits (M, K), which are overwritten; without the label if `others`."""
    if options.others:
        t.scatter_(1, label, -torch.inf)
    return rows_of(t, own=True, shift=math.log(options.alpha), loose_below=NEAR)


def block(
    z: Tensor,
    rows: Rows,
    label: Tensor,
    options: Options,
    dz: Tensor | None,
    dt: Tensor | None,
    factor: float,
) -> Tensor:
    """Return losses (n, 1) times `factor`; write the gradients on the logits and on each sample's row into dz, dt.

    `z` are logits in float32 or float64, `rows` Q's row for each sample, whose logarithms are overwritten; `label` has
    shape (n, 1); `dz` and `dt` have the shape and dtype of `z`, or are None.
    """
    alpha, c = options.alpha, options.c
    symmetric = c == (1.0, 1.0, 1.0, 1.0)
    log_q, q = rows_of(z, own=False, loose_below=math.inf if symmetric else 0.0)
    log_s, r = rows
    if alpha < 1.0:
        s_y = r.gather(1, label).mul_(alpha).add_(1.0 - alpha)
        log_s.scatter_(1, label, s_y.log())
    if symmetric:
        a = b = torch.sub(log_q, log_s, out=log_s)
    else:
        a, b = _combine(log_q, c.fce, log_s, c.target_em), _combine(log_q, c.pred_em, log_s, c.rce)
    scratch = torch.empty_like(a)
    q_dot_b, r_dot_a = (torch.mul(p, x, out=scratch).sum(1, keepdim=True) for p, x in ((q, b), (r, a)))
    loss = torch.sub(q_dot_b, r_dot_a, alpha=alpha)
    if alpha < 1.0:
        loss.sub_(a.gather(1, label), alpha=1.0 - alpha)
    if dz is not None:
        torch.mul(r, -factor * c.fce * alpha, out=dz)
        level_z = q_dot_b.sub_(c.fce) if c.fce else q_dot_b
        dz.addcmul_(torch.sub(b, level_z, out=scratch), q, value=factor)
        if alpha < 1.0 and c.fce:
            dz.scatter_add_(1, label, torch.full_like(loss, -factor * c.fce * (1.0 - alpha)))
    if dt is not None:
        level = r_dot_a
        if c.rce:
            level = level + c.rce / alpha
        fixed = None
        if c.rce and alpha < 1.0:
            # (1 - alpha) / s_y is the label's share that Q does not decide
            fixed = q.gather(1, label).div_(s_y).mul_(factor * c.rce * (1.0 - alpha))
            level.sub_(fixed, alpha=1.0 / (factor * alpha))
        torch.mul(q, -factor * c.rce, out=dt)
        dt.addcmul_(torch.sub(level, a, out=scratch), r, value=factor * alpha)
        if fixed is not None:
            dt.scatter_add_(1, label, fixed)
    return loss if factor == 1.0 else loss.mul_(factor)


def widened(
    z: Tensor, rows: Rows, label: Tensor, options: Options, dz: Tensor | None, dt: Tensor | None, factor: float
) -> Tensor:
    """Do as `block`, for `rows` in float64: the logarithms of large logits cancel in the gradients."""
    wide = [None if g is None else torch.empty_like(g, dtype=torch.float64) for g in (dz, dt)]
    losses = block(z.double(), rows, label, options, *wide, factor)
    for narrow, exact in zip((dz, dt), wide):
        if narrow is not None:
            narrow.copy_(exact)
    return losses.to(z.dtype)


def _of(dtype: torch.dtype, x: Tensor) -> Tensor:
    # where there is nothing to do, `to` still takes as long as a small kernel
    return x if x.dtype == dtype else x.to(dtype)


def _combine(log_q: Tensor, c: float, log_s: Tensor, d: float) -> Tensor:
    return torch.sub(c * log_q, log_s, alpha=d) if c != 1.0 else torch.sub(log_q, log_s, alpha=d)


class _RowsOfQ:
    """Q's rows for the samples of a block; each row's softmax is made once where there are fewer rows than samples."""

    def __init__(self, table: Tensor, options: Options, factor: float, *, look: bool, row: Tensor, column: Tensor):
        shared = 2 * table.shape[0] <= row.shape[0]
        self.table, self.options, self.shared = table, options, shared
        self.scale = -factor * options.alpha
        self.label_of_row = None
        if shared and options.others:
            self.label_of_row = column.new_zeros((len(table), 1))
            self.label_of_row[row] = column
        self.near = shared and look and near(table)
        self.tables: dict[torch.dtype | str, tuple[Tensor, Tensor]] = {}

    def gather(self, row: Tensor, dtype: torch.dtype) -> Tensor | None:
        """Return the samples' logits, or None where `small` and `general` take them from a table of all rows."""
        return None if self.shared else _of(dtype, self.table.index_select(0, row))

    def small(self, row: Tensor, gathered: Tensor | None, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return the samples' logits and their scaled softmax, both to be overwritten, for `near_block`."""
        if gathered is not None:
            return gathered, softmax(gathered).mul_(number(self.scale, dtype))
        if "small" not in self.tables:
            table = _of(dtype, self.table)
            self.tables["small"] = table, softmax(table).mul_(number(self.scale, dtype))
        t, share = self.tables["small"]
        return t.index_select(0, row), share.index_select(0, row)

    def general(self, row: Tensor, column: Tensor, gathered: Tensor | None, dtype: torch.dtype) -> Rows:
        """Return the samples' rows for `block`."""
        if gathered is not None:
            return q_rows(_of(dtype, gathered), column, self.options)
        if dtype not in self.tables:
            self.tables[dtype] = q_rows(self.table.to(dtype, copy=True), self.label_of_row, self.options)
        return Rows(*(x.index_select(0, row) for x in self.tables[dtype]))


class LearnableSmoothing(torch.autograd.Function):
    """Losses from logits (N, K), a table of Q's logits (M, K), each sample's row of it, and labels; or their total.

    Not for use under a transform, see `lsedu._look.transformed`.
    """

    @staticmethod
    def forward(
        ctx,
        z: Tensor,
        table: Tensor,
        row: Tensor,
        label: Tensor,
        options: Options,
        factor: float,
        sparse: bool,
        total: bool,
    ) -> Tensor:
        """Compute the losses times `factor`, and the gradients while the block is in the cache."""
        n, k = z.shape
        ctx.dtypes, ctx.rows, ctx.sparse, ctx.factor = (z.dtype, table.dtype), len(table), sparse, None
        dtype = torch.promote_types(torch.promote_types(z.dtype, table.dtype), torch.float32)
        want_z, want_t = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        symmetric = options.c == (1.0, 1.0, 1.0, 1.0) and not options.others
        if fused(z) and symmetric and row is label and 2 * k <= n and not sparse:
            labels = Labels(table.to(dtype), options.alpha)
            losses, dz, each = shared_block(z.to(dtype), labels, label, want_z=want_z, want_t=want_t)
            ctx.factor = -factor
            ctx.save_for_backward(dz, each, label, labels.log_r, labels.own)
            losses.relu_()  # rounding may leave less
            return losses.sum().mul_(factor) if total else losses.mul_(factor).squeeze(1)
        column = label.unsqueeze(1)
        dz = torch.empty_like(z, dtype=dtype) if want_z else None
        dt = torch.empty_like(z, dtype=dtype) if want_t else None
        # elsewhere to look at a value would make the program wait
        look = ordinary(z) and table.is_cpu
        rows = _RowsOfQ(table, options, factor, look=look, row=row, column=column)

        def run(z: Tensor, row: Tensor, column: Tensor, dz: Tensor | None, dt: Tensor | None) -> Tensor:
            z, t = _of(dtype, z), rows.gather(row, dtype)
            edge = options.alpha < SLIGHT
            if look and not edge:
                if near(z) and (rows.near if t is None else near(t)):
                    if symmetric:
                        return near_block(z, *rows.small(row, t, dtype), column, options.alpha, factor, dz, dt)
                elif shut_out(z) or shut_out(table):
                    edge = True
                elif dtype != torch.float64:
                    return widened(z, rows.general(row, column, t, torch.float64), column, options, dz, dt, factor)
            if edge:
                t = table.index_select(0, row) if t is None else t
                return edge_block(z, t, column, **options._asdict(), dz=dz, dt=dt, factor=factor)
            return block(z, rows.general(row, column, t, dtype), column, options, dz, dt, factor)

        step = n if z.is_cuda else max(1, _BLOCK // k)
        if step >= n > 0:
            losses = run(z, row, column, dz, dt)
        else:
            losses = z.new_empty((n, 1), dtype=dtype)
            for start in range(0, n, step):
                part = [None if x is None else x[start : start + step] for x in (z, row, column, dz, dt)]
                losses[start : start + step] = run(*part)
        ctx.save_for_backward(dz, dt, row)
        if is_divergence(options.c):
            losses.relu_()  # rounding may leave less
        return losses.sum() if total else losses.squeeze(1)

    @staticmethod
    def backward(ctx, grad: Tensor):
        """Scale the stored gradients by the losses' own; add up the rows of Q that occur in the batch."""
        if torch.is_grad_enabled():
            raise RuntimeError("learnable label smoothing has no second derivative: leave out create_graph=True")
        z_dtype, t_dtype = ctx.dtypes
        if ctx.factor is not None:
            dz, each, label, log_r, own = ctx.saved_tensors
            upstream = grad * ctx.factor
            each_of = upstream.unsqueeze(1) if grad.ndim else upstream
            grad_z = None if dz is None else (dz * each_of).to(z_dtype)
            grad_t = None
            if each is not None:
                grad_t = of_table(each * each_of if grad.ndim else each, label, log_r, own)
                grad_t = (grad_t if grad.ndim else grad_t * upstream).to(t_dtype)
            return grad_z, grad_t, None, None, None, None, None, None
        dz, dt, row = ctx.saved_tensors
        if grad.ndim or not readable(grad) or grad.item() != 1.0:
            upstream = grad.unsqueeze(1) if grad.ndim else grad
            dz, dt = (None if g is None else g * upstream for g in (dz, dt))
        grad_z = None if dz is None else _of(z_dtype, dz)
        grad_t = None
        if dt is not None:
            dt = _of(t_dtype, dt)
            shape = (ctx.rows, dt.shape[1])
            if ctx.sparse:
                grad_t = torch.sparse_coo_tensor(row.unsqueeze(0), dt, shape, check_invariants=False)
            else:
                grad_t = dt.new_zeros(shape).index_add_(0, row, dt)
        return grad_z, grad_t, None, None, None, None, None, None
