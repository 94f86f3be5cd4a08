"""Choosing a strength: on validation pictures, the smallest of equals, and what it costs to look at the test."""

import pytest
import torch

from lsedu import losses
from lsedu.studies.learnable import strengths
from lsedu.studies.learnable._photographs import photographs


def made(validation, tested):
    names = [f"lls/{alpha}" for alpha in strengths.STRENGTHS]
    return dict(zip([f"{name}/validation" for name in names], validation)) | dict(
        zip([f"{name}/before/accuracy" for name in names], tested)
    )


def test_the_strength_is_chosen_on_validation_pictures_and_the_best_on_the_test_is_another():
    found = strengths.chosen(made([0.1, 0.2, 0.3, 0.3, 0.2, 0.1], [0.5, 0.6, 0.4, 0.8, 0.7, 0.9]), "lls")
    assert found == {
        "strength": 0.2, "inside": 1.0, "accuracy": 0.4, "best": 0.9, "range": pytest.approx(2.5 / 4)
    }  # fmt: skip
    at_the_end = strengths.chosen(made([0.9, 0.2, 0.3, 0.3, 0.2, 0.1], [0.5] * 6), "lls")
    assert (at_the_end["strength"], at_the_end["inside"]) == (0.05, 0.0)


def test_a_method_has_the_strength_that_it_is_given():
    logits, labels = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])
    whole, half = (strengths.maker(method, 3, 0.3)(logits, labels) for method in ("lls", "lls-half"))
    assert whole.item() == pytest.approx(2 * half.item()) == pytest.approx(0.0545, abs=1e-4)
    smoothed = strengths.maker("ls", 3, 0.3)(logits, labels)
    assert smoothed.item() == pytest.approx(losses.label_smoothing(logits, labels, alpha=0.3).item())


def test_pictures_of_a_seed_are_its_own_and_those_of_the_test_are_everybody_s():
    scale = strengths.EXPERIMENT.configs["smoke"]
    one, two = (photographs(scale, scale.pictures, seed=seed, device="cpu", test_part="test-all") for seed in (0, 1))
    assert [len(x) for x in (one.x, one.x_val, one.x_test)] == [150, 100, 200]
    assert not torch.equal(one.x, two.x) and torch.equal(one.x_test, two.x_test)
