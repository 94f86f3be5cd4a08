"""Small logits take a shorter way through the kernel, large ones a wider one: both must keep the digits."""

import pytest
import torch

from lsedu.losses import _lls, learnable_smoothing
from lsedu.losses._lls_near import NEAR, near, softmax


def both_gradients(logits, labels, table, **options):
    z, t = logits.clone().requires_grad_(), table.clone().requires_grad_()
    loss = learnable_smoothing(z, labels, t, **options)
    weight = torch.linspace(0.5, 2.0, loss.numel(), dtype=loss.dtype).reshape(loss.shape)
    (loss * weight).sum().backward()
    return loss.detach(), z.grad, t.grad


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 0.9, 1.0])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 2), (64, 10), (3, 70), (300, 100)])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_near_way_equals_general_way(monkeypatch, alpha, n, k, reduction):
    generator = torch.Generator().manual_seed(n * k)
    logits = 5 * torch.randn(n, k, generator=generator, dtype=torch.float64).clamp(-3, 3)
    table = 5 * torch.randn(k, k, generator=generator, dtype=torch.float64).clamp(-3, 3)
    labels = torch.randint(k, (n,), generator=generator)
    ways = []
    for is_near in (near, lambda x: False):
        monkeypatch.setattr(_lls, "near", is_near)
        ways.append(both_gradients(logits, labels, table, alpha=alpha, reduction=reduction))
    for short, general in zip(*ways):
        torch.testing.assert_close(short, general, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("offset", [0.0, 12.0])
@pytest.mark.parametrize("distance", [1.0, 0.1, 0.01])
def test_float32_keeps_the_digits_of_a_small_loss(offset, distance):
    """Where q is close to s the loss is of the order of the squared distance of the logits."""
    generator = torch.Generator().manual_seed(3)
    k, alpha = 20, 0.5
    table = torch.randn(k, k, generator=generator, dtype=torch.float64)
    labels = torch.arange(k)
    target = (1 - alpha) * torch.eye(k, dtype=torch.float64) + alpha * table.softmax(1)
    logits = target.log() + offset + distance * torch.randn(k, k, generator=generator, dtype=torch.float64)
    logits, table = logits.float(), table.float()
    exact = both_gradients(logits.double(), labels, table.double(), alpha=alpha)
    ours = both_gradients(logits, labels, table, alpha=alpha)
    assert near(logits)
    # a logit of size 16 is itself known to 1e-6, which the loss sees through the distance
    torch.testing.assert_close(ours[0].double(), exact[0], rtol=1e-5 + 2e-6 / distance, atol=0.0)
    for mine, right in zip(ours[1:], exact[1:]):
        torch.testing.assert_close(mine.double(), right, rtol=1e-5, atol=2e-7)


@pytest.mark.parametrize("entry", [NEAR * 1.01, -NEAR * 1.01, float("inf"), float("-inf"), float("nan")])
def test_a_large_or_missing_entry_is_not_near(entry):
    x = torch.zeros(2, 3)
    assert near(x)
    x[1, 2] = entry
    assert not near(x)
    assert not near(x[:0])


@pytest.mark.parametrize("k", [1, 3, 63, 64, 65])
def test_softmax_of_near_rows_at_the_edge(k):
    x = torch.full((2, k), NEAR)
    x[1] = torch.linspace(-NEAR, NEAR, k)
    torch.testing.assert_close(softmax(x), torch.softmax(x.double(), 1).float(), rtol=4e-6, atol=0.0)
    out = torch.empty_like(x)
    assert softmax(x, out=out) is out


@pytest.mark.parametrize("frozen", ["logits", "table"])
def test_one_gradient_alone_is_the_same(frozen):
    generator = torch.Generator().manual_seed(1)
    logits, table = torch.randn(30, 4, generator=generator), torch.randn(4, 4, generator=generator)
    labels = torch.randint(4, (30,), generator=generator)
    z, t = logits.clone().requires_grad_(frozen != "logits"), table.clone().requires_grad_(frozen != "table")
    learnable_smoothing(z, labels, t).backward()
    full = learnable_smoothing(logits.requires_grad_(), labels, table.requires_grad_())
    full.backward()
    got, want = (t.grad, table.grad) if frozen == "logits" else (z.grad, logits.grad)
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("variant", ["lls", "symmetric-ce", "reverse-kl", "no-fce"])
@pytest.mark.parametrize("scale", [30.0, 100.0])
def test_large_logits_keep_their_digits_in_float32(scale, variant):
    """Logarithms of size 1,000 cancel in the gradients down to 1e-5: float32 would leave no digit of them."""
    generator = torch.Generator().manual_seed(int(scale))
    for _ in range(10):
        logits, table = (scale * torch.randn(12, 12, generator=generator) for _ in range(2))
        labels = torch.randint(12, (12,), generator=generator)
        ours = both_gradients(logits, labels, table, alpha=0.9, variant=variant)
        exact = both_gradients(logits.double(), labels, table.double(), alpha=0.9, variant=variant)
        for mine, right in zip(ours, exact):
            assert mine.dtype == torch.float32
            torch.testing.assert_close(mine.double(), right, rtol=1e-6, atol=1e-9)
