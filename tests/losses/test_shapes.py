"""Logits (K,), (N, K) and (N, K, d1, ...), labels and probability targets, as `F.cross_entropy` takes them."""

import pytest
import torch
from every_loss import LOSSES, OF_ANY_SHAPE, criteria
from torch.nn import functional

from lsedu import losses as L
from lsedu.targets import OnlineTable

F64 = torch.float64


def places(*shape, k=4):
    g = torch.Generator().manual_seed(1)
    z = torch.randn(*shape[:1], k, *shape[1:], generator=g, dtype=F64)
    y = torch.randint(k, shape, generator=g)
    y.view(-1)[1] = -100
    return z, y


@pytest.mark.parametrize("name", OF_ANY_SHAPE)
def test_each_place_is_a_sample(name):
    loss = LOSSES[name]
    for shape in ((3, 5), (2, 3, 2), (2, 0)):
        if 0 in shape:
            z, y = torch.zeros(2, 4, 0, dtype=F64), torch.zeros(2, 0, dtype=torch.long)
        else:
            z, y = places(*shape)
        flat, labels = z.movedim(1, -1).reshape(-1, 4), y.reshape(-1)
        live, row = z.clone().requires_grad_(), flat.clone().requires_grad_()
        each = loss(live, y, reduction="none")
        assert each.shape == y.shape
        torch.testing.assert_close(each.reshape(-1), loss(flat, labels, reduction="none"))
        mean = loss(live, y)
        torch.testing.assert_close(mean, loss(row, labels))
        mean.backward()
        loss(row, labels).backward()
        torch.testing.assert_close(live.grad.movedim(1, -1).reshape(-1, 4), row.grad)


@pytest.mark.parametrize("name", [n for n in LOSSES if n != "vib"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_one_sample_without_a_batch(name, reduction):
    z, loss = torch.randn(4, dtype=F64), LOSSES[name]
    one = loss(z, torch.tensor(2), reduction=reduction)
    assert one.shape == ()
    torch.testing.assert_close(one, loss(z[None], torch.tensor([2]), reduction="sum"))
    assert loss(z, torch.tensor(-100), reduction=reduction) == 0
    with pytest.raises(ValueError, match=r"(labels|target) must have shape \(\), got \(1,\)"):
        loss(z, torch.tensor([2]))
    with pytest.raises(ValueError, match=r"(labels|target) must be integers in \[0, 4\) or ignore_index=-100, got 4"):
        loss(z, torch.tensor(4))


def test_one_sample_of_the_variational_bottleneck():
    z, mean = torch.randn(4, dtype=F64), torch.randn(2, dtype=F64)
    one = L.vib(z, torch.tensor(1), mean, -mean, beta=0.3, reduction="none")
    assert one.shape == ()
    torch.testing.assert_close(one, L.vib(z[None], torch.tensor([1]), mean[None], -mean[None], beta=0.3))


@pytest.mark.parametrize("shape", [(), (3,), (2, 5), (2, 3, 2)])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, torch.tensor([0.5, 2.0, 0.0, 1.5], dtype=F64)])
def test_shapes_agree_with_torch(shape, reduction, weight):
    z = torch.randn(*shape[:1], 4, *shape[1:], dtype=F64)
    y = torch.randint(4, shape)
    options = {"reduction": reduction, "weight": weight, "ignore_index": 3}
    torch.testing.assert_close(L.cross_entropy(z, y % 3, **options), functional.cross_entropy(z, y % 3, **options))
    torch.testing.assert_close(
        L.label_smoothing(z, y % 3, alpha=0.2, **options),
        functional.cross_entropy(z, y % 3, label_smoothing=0.2, **options),
    )
    p = torch.randn_like(z).softmax(1 if shape else 0)
    options = {"reduction": reduction, "weight": weight}
    ours, theirs = p.clone().requires_grad_(), p.clone().requires_grad_()
    got, want = L.cross_entropy(z, ours, **options), functional.cross_entropy(z, theirs, **options)
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(torch.autograd.grad(got.sum(), ours)[0], torch.autograd.grad(want.sum(), theirs)[0])
    if shape:
        with pytest.raises(ValueError, match=r"^target must have shape"):
            L.cross_entropy(z, p[..., 0])


def test_criteria_take_every_shape():
    z, y = places(3, 5)
    flat, labels = z.movedim(1, -1).reshape(-1, 4), y.reshape(-1)
    for name, make in criteria(4).items():
        criterion, other = make(), make()
        torch.testing.assert_close(criterion(z, y), other(flat, labels), msg=name)
        for a, b in zip(criterion.buffers(), other.buffers()):
            assert torch.equal(a, b)
    table, other = OnlineTable(4), OnlineTable(4)
    table.update(z, y)
    other.update(flat, labels)
    assert torch.equal(table.counts, other.counts) and table.counts.sum() > 0


def test_logits_without_classes_are_named():
    for z, y in ((torch.zeros(()), torch.tensor(0)), (torch.zeros(2, 0, 3), torch.zeros(2, 3, dtype=torch.long))):
        for make in criteria(4).values():
            with pytest.raises(
                ValueError, match=r"^logits must have shape \(K,\), \(N, K\) or \(N, K, d1, ...\) with K"
            ):
                make()(z, y)
