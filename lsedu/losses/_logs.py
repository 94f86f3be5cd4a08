"""Logarithms of probabilities in full precision, and sums in which 0 times a logarithm of 0 is 0."""

import torch
from torch import Tensor

from lsedu._look import looks_at, readable, transformed


def log_softmax(logits: Tensor) -> Tensor:
    """Return log-probabilities of shape (N, K), in float32 at least: half inputs are widened first."""
    wide = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    return torch.log_softmax(wide, dim=-1)


def own(log_q: Tensor, label: Tensor) -> Tensor:
    """Return the labels' entries (M,) of log-probabilities (M, K)."""
    return log_q.gather(1, label.unsqueeze(1)).squeeze(1)


def expected(p: Tensor, log_q: Tensor) -> Tensor:
    """Return the sums (M,) of p log q over the classes, 0 where p = 0; differentiable in p there too.

    A mask after the product would leave the value right and make the gradient NaN.
    """
    plain = (p * log_q).sum(1)
    # 0 times infinity is rare: where a look is free, the mask is made only if it is needed
    if readable(plain) and not plain.isnan().any():
        return plain
    return (p * log_q.masked_fill((p == 0) & (log_q == -torch.inf), 0.0)).sum(1)


def logarithm(p: Tensor, log_q: Tensor) -> Tensor:
    """Return log p of probabilities in the dtype of `log_q`, taken in the wider of both: 1e-50 is 0 in float32.

    At 0 it is minus infinity with gradient 0.
    """
    wide = p.to(torch.promote_types(p.dtype, log_q.dtype))
    if wide.requires_grad or transformed():
        return torch.where(wide > 0, torch.where(wide > 0, wide, 1.0).log(), -torch.inf).to(log_q)
    return wide.log().to(log_q)


def mixed(a: float, x: Tensor, b: float, y: Tensor) -> Tensor:
    """Return a x + b y, where a term of weight 0 adds nothing, be it infinite."""
    if a == 0.0 == b:
        return torch.zeros_like(x)
    if b == 0.0:
        return x if a == 1.0 else a * x
    return b * y if a == 0.0 else a * x + b * y


def class_weights(weight: Tensor, log_q: Tensor) -> Tensor:
    """Return class weights of shape (K,) in the dtype and on the device of `log_q`, or raise ValueError."""
    k = log_q.shape[1]
    if not isinstance(weight, Tensor) or tuple(weight.shape) != (k,):
        got = tuple(weight.shape) if isinstance(weight, Tensor) else type(weight).__name__
        raise ValueError(f"weight must be a tensor of shape ({k},), got {got}")
    if weight.is_complex():
        raise ValueError(f"weight must be a tensor of real numbers, got {weight.dtype}")
    if looks_at(weight) and not (good := (weight >= 0) & torch.isfinite(weight)).all():
        raise ValueError(f"weight must be finite and >= 0, got {weight[~good][0].item():g}")
    return weight.to(log_q)


def rate(p: Tensor, ratio: Tensor) -> Tensor:
    """Return KL (M,) of probabilities and their log-ratios (M, K), at least 0; where p = 0 a term is 0."""
    plain = (p * ratio).sum(1)
    # where a look is free, one look spares both mends: the least is a NaN if any is
    if readable(plain) and plain.numel() and plain.amin().item() >= 0.0:
        return plain
    return nonnegative((p * ratio.masked_fill(p == 0, 0.0)).sum(1))


def nonnegative(divergence: Tensor) -> Tensor:
    """Return divergences with 0 for those that rounding made negative; the gradient is left as it is."""
    return divergence - divergence.detach().clamp(max=0.0)


def divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return KL(p || q) (M,) of log-probabilities (M, K) to the digits of its dtype, at least 0.

    Where the two are alike the terms of p log(p / q) cancel. Each term plus q - p, which sums to 0, is of second order
    instead, and never negative. The gradient needs no such care.
    """
    p, ratio = log_p.exp(), log_p - log_q
    plain = (p * ratio.masked_fill(p == 0, 0.0)).sum(1)
    with torch.no_grad():
        near = p * (torch.expm1(-ratio) + ratio)
        far = log_q.exp() - p + torch.where(p > 0, p * ratio, 0.0)
        exact = torch.where(ratio.abs() < 1.0, near, far).sum(1).relu()
        # where q = 0 < p both are infinite
        correction = (exact - plain).nan_to_num(nan=0.0)
    return plain + correction
