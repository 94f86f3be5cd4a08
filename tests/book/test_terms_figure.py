"""The figure of the nine losses: its flow is that of each loss with all its classes, and what its page says holds."""

import pytest
import torch

from lsedu import losses
from lsedu.book.figures import terms


def shown(row, *, classes=10, alike=1.0, time=40.0):
    return terms.compute({"row": row, "classes": classes, "alike": alike, "time": time}, {})


@pytest.mark.parametrize("row", losses.VARIANTS)
def test_the_flow_follows_the_gradients_of_the_loss_with_all_classes(row):
    z, t = (0.4, 2.0, -1.0), (-1.0, 0.3, 0.5)
    on_z, on_t = terms.push(z, t, row=row, rest=4)
    logits, q_logits = (
        torch.tensor([[*values, *values[2:] * 3]] * n, dtype=torch.float64).requires_grad_()
        for values, n in ((z, 1), (t, 6))
    )
    losses.learnable_smoothing(logits, torch.tensor([0]), q_logits, alpha=terms.ALPHA, variant=row).backward()
    assert on_z == pytest.approx((-logits.grad[0, :3]).tolist(), abs=1e-12)
    assert on_t == pytest.approx((-terms.FACTOR * q_logits.grad[0, :3]).tolist(), abs=1e-12)


def test_shares_of_all_classes_sum_to_one_at_any_time():
    for row in losses.VARIANTS:
        found = shown(row, classes=50, time=3.0)
        for key in ("prediction", "target", "row"):
            assert terms.weighted(found[key], (1.0, 1.0, 1.0), 48) == pytest.approx(1)


def test_among_many_classes_the_reverse_divergence_hardly_leaves_the_start():
    for row in ("reverse-kl", "no-fce"):
        assert shown(row, classes=3, time=5.0)["prediction"][0] > 0.8
        assert shown(row, classes=200, time=5.0)["prediction"][0] < 0.01
    for row in ("lls", "fce-only"):
        assert shown(row, classes=200, time=5.0)["prediction"][0] > 0.2


def test_what_each_loss_makes_of_the_row_at_last():
    label, alike, other = shown("lls")["row"]
    assert alike > 1.5 * other > 10 * label
    assert shown("no-rce")["row"][1] < 1.1 * shown("no-rce")["row"][2]
    for row in ("fce-only", "symmetric-ce", "no-targets-em", "no-pred-em"):
        assert shown(row)["row"][0] > 0.9
