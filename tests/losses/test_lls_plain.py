"""Learnable smoothing for mixed labels, and the plain lines that the kernels are held to."""

import pytest
import torch

from lsedu import _look
from lsedu import losses as L
from lsedu.losses import _lls_plain
from lsedu.losses._lls import LearnableSmoothing, Options
from lsedu.targets import q_targets

F64 = torch.float64


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("alpha", [0.1, 0.7, 1.0])
@pytest.mark.parametrize("variant", L.VARIANTS)
def test_mixed_labels_of_learnable_smoothing(batch, variant, alpha):
    z, y, t = (x.clone() for x in batch)
    hot = torch.nn.functional.one_hot(y, 4).to(F64)
    z.requires_grad_(), t.requires_grad_()
    options = {"alpha": alpha, "variant": variant}
    for one, other in (
        (L.learnable_smoothing(z, hot, t, **options), L.learnable_smoothing(z, y, t, **options)),
        (
            L.learnable_smoothing(z, hot, t, weight=torch.arange(4.0), half=True, **options),
            L.learnable_smoothing(z, y, t, weight=torch.arange(4.0), half=True, **options),
        ),
    ):
        close(one, other)
        for a, b in zip(*(torch.autograd.grad(x, (z, t)) for x in (one, other))):
            close(a, b)
    # mixed: the definition in probabilities, and the terms that are linear in the target share out
    p = 0.3 * hot + 0.7 * hot.flip(0)
    s, q = q_targets(p, t, alpha=alpha), z.softmax(1)
    close(s, 0.3 * q_targets(y, t, alpha=alpha) + 0.7 * q_targets(y.flip(0), t, alpha=alpha))
    terms = (-(s * q.log()).sum(1), -(q * s.log()).sum(1), (q * q.log()).sum(1), (s * s.log()).sum(1))
    want = sum(c * term for c, term in zip(L.VARIANTS[variant], terms) if c)
    got = L.learnable_smoothing(z, p, t, reduction="none", **options)
    close(got, want)
    for a, b in zip(*(torch.autograd.grad(x.sum(), (z, t)) for x in (got, want))):
        close(a, b)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_labels_in_half_precision(dtype, reduction):
    # their sums miss 1 by what the dtype rounds; nothing else is lost, be it by the weights
    z, t, w = torch.randn(64, 10), torch.randn(10, 10), torch.linspace(0.1, 1.9, 10)
    p = torch.randn(64, 10).softmax(1).to(dtype)
    found = L.learnable_smoothing(z, p, t, weight=w, reduction=reduction)
    assert found.dtype == torch.float32
    with _look.trusted():
        want = L.learnable_smoothing(z.double(), p.double(), t.double(), weight=w.double(), reduction=reduction)
    torch.testing.assert_close(found.double(), want, rtol=1e-6, atol=0)


def test_mixed_labels_at_the_edges():
    z, t = 1e4 * torch.eye(3), -1e4 * torch.eye(3)
    p = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.2, 0.3, 0.5]])
    live, q = z.requires_grad_(), t.requires_grad_()
    criterion = L.LearnableLabelSmoothing(3, alpha=0.2)
    with torch.no_grad():
        criterion.q_logits.copy_(q)
    value = criterion(live, p)
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(live.grad).all() and torch.isfinite(criterion.q_logits.grad).all()
    assert torch.isfinite(L.learnable_smoothing(z, p, t, alpha=0.0, variant="forward-kl"))
    torch.testing.assert_close(criterion.targets(p), q_targets(p, q, alpha=0.2))
    for call, message in (
        (lambda: L.learnable_smoothing(z, p, t, sparse=True), "sparse needs integer labels, got probability targets"),
        (lambda: L.learnable_smoothing(z, p[:2], t), r"labels must have shape \(3, 3\), got \(2, 3\)"),
        (lambda: L.learnable_smoothing(z, 2 * p, t), "labels must sum to 1 along its last axis, got a sum of 2"),
        (
            lambda: q_targets(p[:, :2].softmax(1), t, alpha=0.1),
            r"labels must have shape \(N,\) or \(N, 3\), got \(3, 2\)",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("variant", L.VARIANTS)
def test_the_kernels_equal_the_plain_lines(batch, variant, others):
    z, y, t = batch
    for size in (1.0, 40.0):  # the way of small logits, and the general one
        for n in (2, 6, 18):  # rows of Q for each sample, and each row once
            for alpha in (0.1, 0.9) if others else (0.1, 1.0):
                options = Options(alpha, L.VARIANTS[variant], others)
                label = y.repeat(3)[:n]
                found = []
                for plain in (False, True):
                    a, b = (size * z.repeat(3, 1)[:n]).requires_grad_(), (size * t).requires_grad_()
                    if plain:
                        losses = _lls_plain.losses(a, b[label], label[:, None], options)
                    else:
                        losses = LearnableSmoothing.apply(a, b, label, label, options, 1.0, False, False)
                    found.append((losses, *torch.autograd.grad(losses.sum(), (a, b))))
                for fast, readable in zip(*found):
                    torch.testing.assert_close(fast, readable, rtol=1e-9, atol=1e-10)
