"""The figure of prediction and learned target: its flow is that of the loss, and what its page says of it holds."""

import pytest
import torch

from lsedu import losses
from lsedu.book.figures import chasing


def shown(*, first=-1.0, second=1.5, alpha=0.3, factor=20.0, terms="lls", time=40.0):
    given = {"first": first, "second": second, "alpha": alpha, "factor": factor, "terms": terms, "time": time}
    return chasing.compute(given, {})


@pytest.mark.parametrize("terms", ["lls", "forward-kl", "reverse-kl"])
def test_the_flow_follows_the_gradients_of_the_loss(terms):
    z, t = (0.4, -2.0, 3.0), (-1.0, 0.3, 2.0)
    on_z, on_t = chasing.push(z, t, alpha=0.2, factor=5.0, terms=terms)
    logits, q_logits = (torch.tensor(rows, dtype=torch.float64) for rows in ([z], [t] * 3))
    found = losses.lls_gradients(logits, torch.tensor([0]), q_logits, alpha=0.2)[terms]
    assert on_z == pytest.approx((-found.on_logits[0]).tolist(), abs=1e-12)
    assert on_t == pytest.approx((-5 * found.on_q_logits[0]).tolist(), abs=1e-12)


def test_along_the_flow_the_loss_only_falls_and_small_steps_change_nothing(monkeypatch):
    times = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
    apart = [shown(time=time)["apart"] for time in times]
    assert apart == sorted(apart, reverse=True) and apart[-1] < 1e-4
    coarse = shown(first=-4.0, second=4.0, alpha=0.6, time=2.0)
    monkeypatch.setattr(chasing, "STEP", 0.0125)
    monkeypatch.setattr(chasing, "LONGEST", 2.0)
    chasing.flow.cache_clear()
    fine = shown(first=-4.0, second=4.0, alpha=0.6, time=2.0)
    chasing.flow.cache_clear()
    for key in ("prediction", "row"):
        assert coarse[key] == pytest.approx(fine[key], abs=1e-4)


def test_where_they_meet_depends_on_who_runs_and_whence():
    smoothing, equal, fast = (shown(factor=factor) for factor in (0.0, 1.0, 20.0))
    assert smoothing["prediction"] == pytest.approx([0.8, 0.1, 0.1], abs=1e-3)
    for found in (smoothing, equal, fast):
        assert found["apart"] < 1e-3
    # nearer to class 2, where the prediction began, and the label gets next to nothing of the row
    assert 1 / 3 < equal["row"][1] < fast["row"][1] and fast["row"][0] < 0.02
    assert shown(second=-1.5)["row"][2] > shown(second=-1.5)["row"][1]


def test_from_the_wrong_corner_the_reverse_divergence_alone_does_not_come_back():
    from_afar = {"first": -4.0, "second": 4.0, "factor": 1.0}
    stalled, found = (shown(terms=terms, **from_afar) for terms in ("reverse-kl", "forward-kl"))
    assert stalled["prediction"][0] < 0.01 and stalled["apart"] > 5
    assert found["prediction"][0] == pytest.approx(0.72, abs=0.01)
