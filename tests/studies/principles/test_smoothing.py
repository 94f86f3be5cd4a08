import numpy as np
import pytest
import torch

from lsedu.experiments import get
from lsedu.studies.principles.smoothing import gaps


def test_gaps_of_a_row_computed_by_hand():
    logits = torch.tensor([[4.0, 1.0, 3.0], [0.0, 2.0, -2.0]])
    mean, largest = gaps(logits, torch.tensor([0, 1]))
    assert mean == pytest.approx((2.0 + 3.0) / 2)
    assert largest == pytest.approx((1.0 + 2.0) / 2)


def test_gap_to_the_largest_is_never_above_the_gap_to_the_mean():
    rng = torch.Generator().manual_seed(0)
    mean, largest = gaps(torch.randn(50, 7, generator=rng), torch.arange(50) % 7)
    assert largest < mean


@pytest.mark.parametrize("name", ["smoothing", "gaps"])
def test_one_seed_gives_finite_results_for_every_contrast(name, tmp_path):
    experiment = get(name)
    outcome = experiment.measure(experiment.configs["smoke"], 0, device="cpu", workdir=tmp_path, progress=False)
    assert all(np.isfinite(value) for value in outcome.results.values())
    assert {part for c in experiment.contrasts for part in (c.plus, c.minus) if part} <= outcome.results.keys()
    for profile, config in experiment.configs.items():
        alphas = {str(alpha) for alpha in config.alphas}
        named = {part for c in experiment.contrasts for part in (c.plus, c.minus) if part}
        assert {part.split("/")[0] for part in named} <= alphas, profile


def test_temperature_does_not_change_accuracy(tmp_path):
    experiment = get("smoothing")
    results = experiment.measure(experiment.configs["smoke"], 1, device="cpu", workdir=None, progress=False).results
    for alpha in experiment.configs["smoke"].alphas:
        assert results[f"{alpha}/before/accuracy"] == results[f"{alpha}/after/accuracy"]
