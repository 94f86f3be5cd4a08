"""Where kernels are dear, the symmetric loss goes by few of them: the same value and gradients, to the same digits."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lsedu._look import trusted
from lsedu.losses import VARIANTS, LearnableLabelSmoothing, _lls, learnable_smoothing


class Started(TorchDispatchMode):
    """Counts what starts a kernel: all operations but those that only view, allocate or ask for a type."""

    FREE = ("detach", "view", "unsqueeze", "squeeze", "diagonal", "expand", "promote_types", "empty_like")

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::")
        self.names += [] if name in self.FREE else [name]
        return func(*args, **(kwargs or {}))


@pytest.fixture
def far(monkeypatch):
    """Take the way of other devices, where no value is looked at."""
    monkeypatch.setattr(_lls, "fused", lambda x: True)
    monkeypatch.setattr(_lls, "readable", lambda x: False)


def all_three(logits, labels, table, **options):
    z, t = logits.clone().requires_grad_(), table.clone().requires_grad_()
    loss = learnable_smoothing(z, labels, t, **options)
    (loss * torch.linspace(0.5, 2.0, loss.numel(), dtype=loss.dtype).reshape(loss.shape)).sum().backward()
    return loss.detach(), z.grad, t.grad


def inputs(size):
    g = torch.Generator().manual_seed(int(size))
    z, t = (size * torch.randn(n, 5, generator=g, dtype=torch.float64) for n in (24, 5))
    return z, torch.randint(5, (24,), generator=g), t


@pytest.mark.parametrize("size", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("alpha", [1e-3, 0.1, 0.9, 1.0])
@pytest.mark.parametrize("variant", ["lls", "no-rce", "reverse-kl"])
def test_few_kernels_equal_many(far, monkeypatch, variant, alpha, size):
    z, y, t = inputs(size)
    weight = torch.arange(1.0, 6.0)
    for options in ({}, {"reduction": "none"}, {"half": True, "weight": weight, "ignore_index": 3}):
        options |= {"alpha": alpha, "variant": variant}
        few = all_three(z, y, t, **options)
        with monkeypatch.context() as other:
            other.setattr(_lls, "fused", lambda x: False)
            many = all_three(z, y, t, **options)
        for a, b in zip(few, many):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(("size", "rtol"), [(1e-3, 1e-6), (1.0, 1e-6), (30.0, 1e-5), (1e4, 1e-5)])
def test_float32_keeps_its_digits(far, size, rtol):
    z, y, t = (x.float() if x.is_floating_point() else x for x in inputs(size))
    exact = all_three(z.double(), y, t.double(), alpha=0.1)
    for got, want in zip(all_three(z, y, t, alpha=0.1), exact):
        assert got.dtype == torch.float32
        torch.testing.assert_close(got.double(), want, rtol=rtol, atol=rtol * want.abs().max().item())


@pytest.mark.parametrize("frozen", ["logits", "table"])
def test_one_gradient_alone_is_the_same(far, frozen):
    z, y, t = inputs(1.0)
    _, of_z, of_t = all_three(z, y, t, reduction="sum")
    live, want = (t, of_t) if frozen == "logits" else (z, of_z)
    live.requires_grad_()
    loss = learnable_smoothing(z, y, t, reduction="sum")
    got = 0.5 * torch.autograd.grad(loss, live)[0]  # `all_three` weighs a single loss by half
    torch.testing.assert_close(got, want)


def test_a_step_starts_few_kernels(far):
    criterion, z, y = LearnableLabelSmoothing(5), torch.randn(24, 5, requires_grad=True), torch.arange(24) % 5
    with trusted(), Started() as step:
        criterion(z, y).backward()
    # the general way starts 55
    assert 10 < len(step.names) <= 30, step.names


def test_shapes_without_data():
    z, y = torch.zeros(24, 5, device="meta", requires_grad=True), torch.zeros(24, dtype=torch.long, device="meta")
    t = torch.zeros(5, 5, device="meta", requires_grad=True)
    for variant in VARIANTS:
        learnable_smoothing(z, y, t, variant=variant).backward()
        assert z.grad.shape == (24, 5) and t.grad.shape == (5, 5)
