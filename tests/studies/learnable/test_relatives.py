"""The relatives of LLS: how labels are made wrong, and what is read from a table of targets, by hand."""

import numpy as np
import pytest
import torch

from lsedu import losses
from lsedu.studies.learnable import relatives


def test_wrong_labels_stay_within_the_kind_or_go_anywhere():
    labels = np.arange(40_000) % 10
    kind = {y: number for number, kind in enumerate(relatives.KINDS) for y in kind}
    for place in relatives.PLACES:
        wrong = relatives.given(labels, place, 10, rate=0.2, seed=1)
        moved = wrong != labels
        assert moved.mean() == pytest.approx(0.2, abs=0.01)
        within = np.mean([kind[a] == kind[b] for a, b in zip(labels[moved], wrong[moved])])
        # by chance: 4, 2 and 1 others of nine, of five, three and two classes
        assert within == (1.0 if place == "near" else pytest.approx((5 * 4 + 3 * 2 + 2 * 1) / 90, abs=0.02))
    shirts = relatives.given(np.full(40_000, 6), "near", 10, rate=0.2, seed=2)
    assert np.bincount(shirts, minlength=10) / 40_000 == pytest.approx(
        np.array([5, 0, 5, 5, 5, 0, 80, 0, 0, 0]) / 100, abs=0.01
    )


def test_the_targets_are_what_each_loss_pulls_to():
    """At logits whose softmax is the target, a cross-entropy with that target has no gradient."""
    made = {name: make() for name, make in relatives.makers(10).items() if name in ("ols", "lls", "half", "own")}
    table = torch.rand(10, 10, generator=torch.manual_seed(0)) + 0.1
    table /= table.sum(1, keepdim=True)
    for name, criterion in made.items():
        if name == "ols":
            criterion.online.table.copy_(table)
        else:
            criterion.q_logits.data.copy_(table.log())
        targets = torch.from_numpy(relatives.targets_of(criterion))
        logits = targets.log().requires_grad_()
        criterion(logits, torch.arange(10)).backward()
        assert logits.grad.abs().max() < 1e-6, name
    passed = relatives.of_targets(relatives.targets_of(made["ols"]))["passed"]
    assert passed == pytest.approx(0.5 * (1 - table.diagonal().mean().item()))


def test_half_of_lls_has_the_gradient_of_smoothing_near_its_target():
    smoothed = torch.full((10,), 0.01, dtype=torch.float64)
    smoothed[0] = 0.91
    logits = (smoothed.log() + 1e-4 * torch.randn(10, generator=torch.manual_seed(1)).double())[None].requires_grad_()
    label, even = torch.tensor([0]), torch.zeros(10, 10, dtype=torch.float64)
    (of_half,) = torch.autograd.grad(losses.learnable_smoothing(logits, label, even, half=True), logits)
    (of_smoothing,) = torch.autograd.grad(losses.label_smoothing(logits, label, alpha=0.1), logits)
    assert of_half[0].tolist() == pytest.approx(of_smoothing[0].tolist(), rel=1e-3, abs=1e-9)


def test_what_is_passed_on_is_counted_by_kind():
    targets = np.eye(10) * 0.6
    targets[:, 5] += 0.4
    targets[5, 5], targets[5, 0] = 0.6, 0.4
    found = relatives.of_targets(targets)
    assert found["passed"] == pytest.approx(0.4)
    assert found["kind"] == pytest.approx(2 / 10)  # sneakers and boots


def test_the_table_is_followed_from_even_to_the_last_epoch(smoke):
    outcome = smoke("relatives")
    passed, path = outcome.arrays["ols/passed"], outcome.arrays["ols/path"]
    assert passed[0] == pytest.approx(0.45) and len(passed) == len(path) + 1
    assert outcome.results["ols/passed"] == pytest.approx(passed[-1])
    assert outcome.results["ols/early"] == pytest.approx(passed[1])
    assert outcome.results["ols/sure"] == pytest.approx(path[-1][0])
