"""What holds for every loss alike: reductions, ignored samples, dtypes, stability, gradients, symmetry."""

import math

import pytest
import torch
from every_loss import LOSSES
from hypothesis import given
from hypothesis import strategies as st

from lsedu import losses as L
from lsedu.targets import smooth

F64 = torch.float64


def _wide(dtype):
    return torch.promote_types(dtype, torch.float32)


@pytest.fixture(params=LOSSES)
def loss(request):
    return LOSSES[request.param]


def test_reductions_agree(loss, batch):
    z, y, _ = batch
    each = loss(z, y, reduction="none")
    assert each.shape == (6,)
    torch.testing.assert_close(loss(z, y, reduction="sum"), each.sum(), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(loss(z, y, reduction="mean"), each.mean(), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(loss(z, y), each.mean(), rtol=1e-12, atol=1e-14)
    with pytest.raises(ValueError, match=r"^reduction must be one of 'mean', 'sum', 'none', got 'x'$"):
        loss(z, y, reduction="x")


@pytest.mark.parametrize("name", [n for n in LOSSES if n != "label smoothing++"])  # stops gradients on purpose
def test_finite_differences(name, batch):
    loss = LOSSES[name]
    z, y, _ = batch
    z.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, y, reduction="none"), z)
    (want,) = torch.autograd.grad(loss(z, y, reduction="none").sum(), z)
    for reduction, count in (("sum", 1), ("mean", len(y))):
        (slope,) = torch.autograd.grad(loss(z, y, reduction=reduction), z)
        torch.testing.assert_close(count * slope, want, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("ignore_index", [-100, 2])
def test_ignored_samples_count_for_nothing(loss, batch, ignore_index):
    z, y, _ = batch
    y = y.clone()
    y[[1, 4]] = ignore_index
    kept = [0, 2, 3, 5]
    z.requires_grad_()
    if loss is LOSSES["distillation"] or loss in (LOSSES["tf_kd_self paper"], LOSSES["tf_kd_self code"]):
        parts = loss(z, torch.where(y == ignore_index, 0, y), reduction="none")[kept]
    else:
        parts = loss(z[kept], y[kept], reduction="none")
    each = loss(z, y, ignore_index=ignore_index, reduction="none")
    torch.testing.assert_close(each[kept], parts)
    assert each[1] == 0 and each[4] == 0
    mean = loss(z, y, ignore_index=ignore_index)
    torch.testing.assert_close(mean, parts.mean())
    (gradient,) = torch.autograd.grad(mean, z)
    assert gradient[[1, 4]].abs().max() == 0
    torch.testing.assert_close(gradient, torch.autograd.grad(parts.mean(), z)[0])


def test_no_sample_gives_zero(loss):
    z = torch.zeros(3, 4, requires_grad=True)
    y = torch.full((3,), -100)
    value = loss(z, y)
    value.backward()
    assert value.item() == 0 and z.grad.abs().max() == 0
    assert loss(z, y, reduction="none").tolist() == [0, 0, 0]
    empty = torch.zeros(0, 4, requires_grad=True)
    for reduction in ("mean", "sum"):
        value = loss(empty, torch.zeros(0, dtype=torch.long), reduction=reduction)
        value.backward()
        assert value.item() == 0 and empty.grad.shape == (0, 4)
    assert loss(empty, torch.zeros(0, dtype=torch.long), reduction="none").shape == (0,)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [(torch.float32, 1e4), (torch.bfloat16, 1e4), (torch.float16, 1e4), (torch.float16, 6e4), (torch.float64, 1e4)],
)
def test_extreme_logits_stay_finite(loss, dtype, size):
    corner = torch.tensor([[1, -1, 0, 0], [-1, 1, 1, -1], [0, 0, 0, 1], [1, 1, 1, 1], [-1, 1, 0, 0]])
    # the Gaussian encoder's rate is quadratic in the mean
    scale = min(size, 1e2) if loss is LOSSES["vib"] and dtype is torch.float16 else size
    z = (corner * scale).to(dtype).requires_grad_()
    value = loss(z, torch.tensor([0, 0, 1, 2, 3]))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(z.grad).all()
    assert value.dtype == _wide(dtype) and z.grad.dtype == dtype


def test_half_inputs_are_widened(loss, batch):
    z, y, _ = batch
    for dtype in (torch.float16, torch.bfloat16):
        half = z.to(dtype)
        torch.testing.assert_close(loss(half, y), loss(half.float(), y), rtol=2e-3, atol=2e-3)
        assert loss(half, y).dtype == torch.float32
    torch.testing.assert_close(loss(z.float(), y), loss(z, y).float(), rtol=1e-5, atol=1e-6)


def test_layout_and_integer_type_do_not_matter(loss, batch):
    z, y, _ = batch
    want = loss(z, y)
    torch.testing.assert_close(loss(z.t().contiguous().t(), y), want, rtol=1e-12, atol=0)
    torch.testing.assert_close(loss(torch.stack([z, -z], 2)[..., 0], y.int()), want, rtol=1e-12, atol=0)


def test_labels_of_every_integer_type(loss):
    z = torch.randn(3, 200, generator=torch.Generator().manual_seed(0), dtype=F64)
    y = torch.tensor([3, 100, 127])
    want = loss(z, y, reduction="none")
    for dtype in (torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.uint32, torch.uint64):
        torch.testing.assert_close(loss(z, y.to(dtype), reduction="none"), want, rtol=1e-12, atol=0)
    # to uint8 the default ignore_index, -100, is 156: a class like any other
    y = torch.tensor([3, 156, 199])
    torch.testing.assert_close(loss(z, y.to(torch.uint8)), loss(z, y), rtol=1e-12, atol=0)
    with pytest.raises(ValueError, match=r"integers in \[0, 150\) or ignore_index=-100, got 156"):
        loss(z[:, :150], y.to(torch.uint8))


@pytest.mark.parametrize("name", [n for n in LOSSES if n not in ("vib", "distillation")])
def test_a_shift_of_the_logits_changes_nothing(name):
    z, y = torch.randn(200, 4, dtype=F64), torch.randint(4, (200,))
    shift = torch.linspace(-50, 50, 200, dtype=F64)[:, None]
    moved, still = (LOSSES[name](x, y, reduction="none") for x in (z + shift, z))
    torch.testing.assert_close(moved, still, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", [n for n in LOSSES if n != "vib"])
def test_one_class_leaves_nothing_to_learn(name):
    z = torch.randn(3, 1, requires_grad=True)
    y = torch.tensor([0, -100, 0])
    if name in ("zipf", "top n", "label_smoothing others") or name.startswith(("tf_kd_reg", "label smoothing++")):
        with pytest.raises(ValueError, match=r"at least 2|K >= 2|on a class other than the label"):
            LOSSES[name](z, y)
        return
    value = LOSSES[name](z, y)
    value.backward()
    assert abs(value.item()) < 1e-6 and z.grad.abs().max() < 1e-6


@pytest.mark.parametrize("name", LOSSES)
def test_wrong_shapes_are_named(name):
    z = torch.zeros(2, 4)
    loss = LOSSES[name]
    with pytest.raises(ValueError, match=r"^(labels|target) must be integers in \[0, 4\) or ignore_index=-100, got 4"):
        loss(z, torch.tensor([0, 4]))
    with pytest.raises(ValueError, match=r"^(labels|target) must have shape \(2,\), got \(3,\)"):
        loss(z, torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match=r"^(labels|target) must be integers in \[0, 4\) or ignore_index=9, got -100"):
        loss(z, torch.tensor([0, -100]), ignore_index=9)


@given(alpha=st.floats(0.01, 0.99), k=st.integers(2, 8))
def test_the_minimum_of_smoothing_is_its_target(alpha, k):
    y = torch.arange(k)
    p = smooth(y, k, alpha=alpha, dtype=F64)
    z = p.log().requires_grad_()
    value = L.label_smoothing(z, y, alpha=alpha)
    (gradient,) = torch.autograd.grad(value, z)
    assert gradient.abs().max() < 1e-14
    assert value.item() == pytest.approx(-(p * p.log()).sum(1).mean().item(), rel=1e-12)
    assert (z[0, 0] - z[0, 1]).item() == pytest.approx(L.logit_gap(k, alpha), abs=1e-9)


def test_logit_gap_closed_forms():
    assert L.logit_gap(10, 0.1) == pytest.approx(math.log(91), rel=1e-15)
    assert L.logit_gap(10, 0.1, convention="others") == pytest.approx(math.log(81), rel=1e-15)
    assert L.logit_gap(10, 1.0) == 0
    assert L.logit_gap(10, 1.0, convention="others") == -math.inf
    assert L.logit_gap(2, 0.5, convention="others") == 0
    for call, message in [
        (lambda: L.logit_gap(2.5, 0.1), "^num_classes must be an integer, got 2[.]5$"),
        (lambda: L.logit_gap(1, 0.1), "^num_classes must be at least 2, got 1$"),
        (lambda: L.logit_gap(2, 0), r"^alpha must be in \(0, 1\], got 0$"),
        (lambda: L.logit_gap(2, 1.1), r"^alpha must be in \(0, 1\], got 1.1$"),
        (lambda: L.logit_gap(2, 0.1, convention="x"), "^convention must be one of 'all', 'others', got 'x'$"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
