"""No loss, criterion or table of targets makes the program wait for the device inside a step."""

import pytest
import torch
from every_loss import LOSSES, criteria, probabilities, table
from waits import Device

from lsedu import _look, losses, targets

K = 5
CRITERIA = criteria(K)


def batch(n=12):
    z, y = torch.randn(n, K), torch.arange(n) % K
    y[4] = -100
    return z, y


def step(device, loss, z, y, **options):
    """Return the value and the slopes of a step on the device, and what made the program wait."""
    z, y = device.put(z).requires_grad_(), device.put(y)
    device.waits.clear()
    value = loss(z, y, **options)
    value.backward()
    if hasattr(loss, "end_of_epoch"):
        loss.end_of_epoch()
    return list(device.waits), device.values(value), device.values(z.grad)


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("name", [*LOSSES, *(f"module: {name}" for name in CRITERIA)])
def test_no_loss_waits_and_its_value_is_the_cpus(name, trusted):
    z, y = batch()
    y = y.clamp(min=0) if trusted else y
    make = CRITERIA.get(name.removeprefix("module: "), lambda: LOSSES[name])
    plain, live = make(), z.clone().requires_grad_()
    wanted = plain(live, y)
    wanted.backward()
    with Device() as device:
        loss = make()
        loss = device.put(loss) if isinstance(loss, torch.nn.Module) else loss
        if trusted:
            with _look.trusted():
                waits, value, slope = step(device, loss, z, y)
        else:
            waits, value, slope = step(device, loss, z, y)
    assert waits == []
    torch.testing.assert_close(value, wanted.detach(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(slope, live.grad, rtol=1e-3, atol=1e-6)


def test_nothing_else_of_a_step_waits():
    z, y = batch()
    y = y.clamp(min=0)
    p, prior = z.softmax(1), torch.full((K,), 1 / K)
    with Device() as device:
        z, y, p, prior = (device.put(x) for x in (z, y, p, prior))
        t = table(K, z)
        teacher = device.put(torch.nn.Linear(K, K))
        device.waits.clear()
        losses.Distillation(teacher)(z, y, inputs=z)
        losses.StochasticEncoder(K, 2, device=z.device)(z)
        losses.cross_entropy(z, p, weight=prior)
        losses.learnable_smoothing(z, p, t, weight=prior)
        losses.label_smoothing(z, y, alpha=0.1, convention="others", prior=prior, weight=prior)
        losses.confidence_penalty(z, y, alpha=0.1, prior=prior)
        losses.zipf_smoothing(z, y, scores=z.flip(1))
        losses.lls_gradients(z, y, t, alpha=0.1)
        losses.vib_discrete(z, probabilities(z), y, beta=0.1, prior=prior)
        losses.vib_bounds(p, probabilities(z), device.put(torch.full((12, K), 1 / (12 * K))), prior)
        losses.gaussian_kl(z, z)
        for direction in ("prior||q", "q||prior"):
            losses.prior_kl(z, direction=direction, prior=prior)
        targets.one_hot(y, K)
        targets.smooth(y, K, alpha=0.1, convention="others", prior=prior)
        targets.q_targets(y, t, alpha=0.1)
        targets.zipf(z, y)
        online = targets.OnlineTable(K, keep_above=0.9, device=z.device)
        online.update(z, y)
        online.end_of_epoch()
        assert device.waits == []


def test_values_on_a_device_are_checked_when_asked():
    z, y = torch.zeros(2, 3), torch.tensor([0, 3])
    with Device() as device:
        there, labels, odd = device.put(z), device.put(y), device.put(torch.full((2, 3), 0.4))
        for call, message in (
            (lambda: losses.label_smoothing(there, labels, alpha=0.1), r"labels must be integers in \[0, 3\).*, got 3"),
            (lambda: losses.cross_entropy(there, odd), "target must sum to 1 along its last axis"),
            (
                lambda: losses.cross_entropy(there, labels.clamp(max=2), weight=-odd[0]),
                "weight must be finite and >= 0",
            ),
            (
                lambda: targets.q_targets(labels, odd[[0, 0, 1]], alpha=0.1),
                r"labels must be integers in \[0, 3\), got 3",
            ),
        ):
            with losses.checked_values(), pytest.raises(ValueError, match=message):
                call()
        assert device.waits
        # types and shapes are checked everywhere
        with pytest.raises(ValueError, match=r"labels must have shape \(2,\), got \(1,\)"):
            losses.focal(there, labels[:1])


def test_values_are_looked_at_where_that_is_free():
    x = torch.zeros(2)
    assert _look.looks_at(x) and _look.looks_at(torch.nn.Parameter(x))
    assert not _look.looks_at(x.to("meta"))
    torch.func.vmap(lambda x: x if not _look.looks_at(x) else None)(x)
    with _look.trusted():
        assert not _look.looks_at(x) and _look.takes_for_good()
        with _look.looking():
            assert _look.looks_at(x) and not _look.takes_for_good()
    assert _look.looks_at(x)
