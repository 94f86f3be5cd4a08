"""Inside autocast, where mixed precision puts the loss, every loss is what it is outside, in float32."""

import pytest
import torch
from every_loss import LOSSES, criteria

from lsedu import losses as L
from lsedu.targets import q_targets, smooth, zipf

CRITERIA = criteria(5)


def value_and_slopes(loss, z, y, *, dtype=None):
    z = z.clone().requires_grad_()
    with torch.autocast("cpu", dtype, enabled=dtype is not None):
        value = loss(z, y)
    value.backward()
    own = [p.grad.to_dense() for p in loss.parameters()] if isinstance(loss, torch.nn.Module) else []
    return [value.detach(), z.grad, *own]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", [*LOSSES, *(f"module: {name}" for name in CRITERIA)])
def test_autocast_changes_nothing(name, dtype):
    z, y = 3 * torch.randn(12, 5), torch.arange(12) % 5
    y[4] = -100
    # rows of Q for each sample, and each row once
    for n in (4, 12):
        for logits in (z[:n], z[:n].to(dtype)):
            loss, again = (
                (LOSSES[name],) * 2 if name in LOSSES else (CRITERIA[name.removeprefix("module: ")]() for _ in "ab")
            )
            got = value_and_slopes(again, logits, y[:n], dtype=dtype)
            want = value_and_slopes(loss, logits, y[:n])
            assert got[0].dtype == torch.float32 and got[1].dtype == logits.dtype
            for a, b in zip(got, want):
                assert torch.equal(a, b)


def test_autocast_changes_nothing_else():
    z, t, y = torch.randn(6, 4), torch.randn(4, 4), torch.tensor([0, 1, 1, 3, 0, 2])
    p = torch.randn(6, 4).softmax(1)
    calls = {
        "closed forms": lambda: torch.stack(
            [x for term in L.lls_gradients(z, y, t, alpha=0.3).values() for x in term[1:]]
        ),
        "probability targets": lambda: L.cross_entropy(z, p, weight=torch.ones(4)),
        "mixed labels": lambda: L.learnable_smoothing(z, p, t),
        "prior": lambda: L.prior_kl(z, direction="q||prior"),
        "bounds": lambda: torch.stack(L.vib_bounds(p, t.softmax(1), torch.full((6, 4), 1 / 24), p[0])),
        "rate": lambda: L.gaussian_kl(z, z.tanh()),
        "targets": lambda: smooth(y, 4, alpha=0.1, convention="others"),
        "targets of Q": lambda: q_targets(y, t, alpha=0.3),
        "mixed targets of Q": lambda: q_targets(p, t, alpha=0.3),
        "targets of Zipf": lambda: zipf(z, y),
    }
    for name, call in calls.items():
        with torch.autocast("cpu", torch.bfloat16):
            found = call()
        assert found.dtype == torch.float32 and torch.equal(found, call()), name


def test_an_online_table_counts_in_full_precision():
    z, y = torch.randn(12, 4), torch.arange(12) % 4
    inside, outside = L.OnlineLabelSmoothing(4), L.OnlineLabelSmoothing(4)
    with torch.autocast("cpu", torch.bfloat16):
        inside(z, y)
        inside.end_of_epoch()
    outside(z, y)
    outside.end_of_epoch()
    assert torch.equal(inside.online.table, outside.online.table)


def test_a_stochastic_encoder_draws_in_float32():
    encoder = L.StochasticEncoder(4, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert {x.dtype for x in encoder(torch.randn(3, 4))} == {torch.float32}
