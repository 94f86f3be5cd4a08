"""The samples of a batch as rows, whatever shape it came in, and out of autocast's reach.

As in `torch.nn.functional.cross_entropy` logits are (K,), (N, K) or (N, K, d1, ...): the classes lie along the second
axis, or the only one, and each place along the others is a sample.
"""

import contextlib
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lsedu import _check


class Samples(NamedTuple):
    """Logits (M, K) of the samples, int64 labels (M,) with 0 where left out, which are kept, and the batch's shape."""

    logits: Tensor
    label: Tensor
    kept: Tensor | None
    """A mask (M,), or None where all are known to be."""
    shape: tuple[int, ...]
    """The shape of labels and unreduced losses: (), (N,) or (N, d1, ...)."""


def rows(name: str, value: Any) -> Tensor:
    """Return logits of any shape as (M, K), or raise ValueError."""
    _check.logits(name, value, any_shape=True)
    if value.ndim <= 2:
        return value if value.ndim == 2 else value.unsqueeze(0)
    return value.movedim(1, -1).flatten(0, -2)


def shape_of_labels(logits: Tensor) -> tuple[int, ...]:
    """Return the shape that labels of logits (K,), (N, K) or (N, K, d1, ...) have."""
    return (*logits.shape[:1], *logits.shape[2:]) if logits.ndim > 1 else ()


def samples(
    logits: Any,
    labels: Any,
    ignore_index: int,
    *,
    num_classes: int | None = None,
    names: tuple[str, str] = ("logits", "labels"),
) -> Samples:
    """Check logits and integer labels and return their `Samples`; `num_classes` is the labels' where it is not K."""
    flat = rows(names[0], logits)
    shape = shape_of_labels(logits)
    classes = flat.shape[1] if num_classes is None else num_classes
    _check.whole("ignore_index", ignore_index)
    inside = _check.labels_inside(names[1], labels, classes, size=shape, ignore_index=ignore_index)
    label = labels if labels.ndim == 1 else labels.flatten()
    label = label if label.dtype is torch.int64 else label.long()
    if inside and not 0 <= ignore_index < classes:
        return Samples(flat, label, None, shape)
    kept = label != ignore_index
    return Samples(flat, torch.where(kept, label, 0), kept, shape)


def like(name: str, value: Any, logits: Tensor) -> Tensor:
    """Return a second tensor of logits, of the first's shape, as rows (M, K)."""
    flat = rows(name, value)
    if value.shape != logits.shape:
        raise ValueError(f"{name} must have shape {tuple(logits.shape)}, got {tuple(value.shape)}")
    return flat


_AS_IT_IS = contextlib.nullcontext()


def full_precision(value: Tensor) -> contextlib.AbstractContextManager[None]:
    """Switch autocast off within the block: it narrows what `torch.matmul` and `torch.linalg.vecdot` are given."""
    kind = value.device.type
    if torch._C._is_any_autocast_enabled() and torch.amp.is_autocast_available(kind):
        return torch.autocast(kind, enabled=False)
    return _AS_IT_IS
