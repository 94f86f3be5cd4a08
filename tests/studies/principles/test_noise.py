"""Wrong labels, separable data and the alternatives: their measures by hand, and each experiment at the smoke scale."""

import numpy as np
import pytest
import torch

from lsedu import calibration, data
from lsedu.experiments import get
from lsedu.studies._scores import SCORES, scored
from lsedu.studies._wrong_labels import calibrated, shares
from lsedu.studies.principles import alternatives, noise, real_noise, separable


def test_the_share_of_wrong_labels_is_that_of_the_annotators(smoke):
    results = smoke("real_noise").results
    assert results["clean/rate"] == results["aggregate/rate"] == 0
    assert results["worst/rate"] == pytest.approx(0.4, abs=0.07)


@pytest.mark.usefixtures("made_up")
def test_annotators_labels_go_with_their_images():
    train, human = data.load("cifar10"), data.annotations("cifar10n")
    config = get("real_noise").configs["smoke"]
    seen = []
    for part, sets in real_noise.parts(train, human, config, 3):
        colours = part.images[:, 0, 0, 0] // 25
        assert (colours == part.labels).all() and (sets["clean"] == part.labels).all()
        step = (sets["worst"] - part.labels) % 10
        assert set(step) == {0, 1} and 0.3 < step.mean() < 0.5
        assert np.mean(sets["symmetric"] != part.labels) == pytest.approx(step.mean(), abs=0.08)
        seen.append(part)
    assert [len(part) for part in seen] == [config.train_size, config.validation_size]


def test_shares_of_wrong_labels_counted_by_hand():
    true = torch.tensor([0, 0, 1, 1, 2, 2])
    given = torch.tensor([0, 1, 1, 0, 0, 1])
    predicted = torch.tensor([1, 1, 1, 1, 1, 2])
    assert shares(predicted, given, true) == {"memorised": 0.25, "recovered": 0.5}
    assert shares(predicted, true, true) == {}


def test_the_choice_looks_at_the_score_named_and_prefers_less_smoothing():
    results = {"0.4/0.0/held": 0.4, "0.4/0.1/held": 0.5, "0.4/0.6/held": 0.5, "0.4/0.6/accuracy": 0.9}
    assert noise.choose(results, 0.4, (0.0, 0.1, 0.6), "held") == 0.1


def test_a_temperature_fitted_on_noisy_labels_states_the_accuracy_on_noisy_labels():
    """Where all answers are equally sure: right answers 8 times in 10, labels wrong 4 times in 10."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 10, size=40_000)
    answers = data.symmetric_noise(true, 10, rate=0.2, seed=1)
    given = data.symmetric_noise(true, 10, rate=0.4, seed=2)
    logits = torch.from_numpy(8.0 * np.eye(10)[answers])
    temperature = calibration.fit_temperature(logits, given)
    found = calibrated(logits, torch.from_numpy(true), {"noisy": temperature})
    assert found["accuracy"] == pytest.approx(0.8, abs=0.01)
    assert found["noisy/overconfidence"] == pytest.approx(0.8 * (1 - 4 / 9) + 0.4 / 9 - 0.8, abs=0.015)


@pytest.mark.parametrize("radius", [0.3, 0.99])
def test_discs_lie_apart_and_hold_their_points(radius):
    points, labels = separable.discs(5000, 10, radius=radius, seed=0)
    angle = 2 * np.pi * np.arange(10) / 10
    centres = torch.from_numpy(np.stack([np.cos(angle), np.sin(angle)], 1)).float()
    distances = torch.cdist(points.flatten(1), centres)
    assert (distances.argmin(1) == labels).all()
    assert distances.min(1).values.max() <= radius * np.sin(np.pi / 10) + 1e-6
    # Even over the area: half of the points lie within 1 / sqrt 2 of the radius.
    inner = distances.min(1).values < radius * np.sin(np.pi / 10) / np.sqrt(2)
    assert inner.double().mean().item() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("classes", "radius"), [(1, 0.5), (10, 0.0), (10, 1.0)])
def test_discs_that_would_touch_are_refused(classes, radius):
    with pytest.raises(ValueError, match="radius in"):
        separable.discs(10, classes, radius=radius, seed=0)


def test_a_right_network_is_as_underconfident_as_its_targets_ask(smoke):
    results = smoke("separable").results
    assert results["0.4/predicted"] == pytest.approx(-0.36)
    assert results["0.4/accuracy"] == 1.0


def test_area_under_the_risk_curve_and_the_risks_drawn_by_hand():
    logits = torch.log(torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], dtype=torch.float64))
    labels = torch.tensor([0, 0, 0, 1])
    found = scored(logits, labels, {"before": 1.0}, scores=(*SCORES, alternatives.aurc))
    assert found["before/aurc"] == pytest.approx(0.0625)
    assert found["before/error_auroc"] == 1.0 and found["before/accuracy"] == 0.75
    drawn = alternatives.risks(logits, labels)
    assert drawn[-1] == 0.25 and drawn[0] == 0.0


def test_each_method_chooses_among_its_own_candidates():
    config = get("alternatives").configs["cpu"]
    found = alternatives.candidates(config)
    assert {method: len(losses) for method, losses in found.items()} == {
        "one-hot": 1, "smoothing": len(config.alphas), "focal": len(config.gammas), "flsd-53": 1,
        "penalty": len(config.betas),
    }  # fmt: skip
    # The label is unlikely: FLSD-53 takes its exponent 5 there, and differs from the focal loss with 3.
    logits, labels = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([2])
    values = [loss(logits, labels).item() for losses in found.values() for loss in losses.values()]
    assert len(set(values)) == len(values)
