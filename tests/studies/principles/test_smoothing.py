import pytest
import torch

from lsedu.experiments import get
from lsedu.studies._scores import gaps


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
def test_every_profile_has_the_strengths_that_contrasts_name(name):
    study = get(name)
    named = {key for contrast in study.contrasts for key in contrast.keys}
    for profile, config in study.configs.items():
        assert {part.split("/")[0] for part in named if "/" in part} <= {str(alpha) for alpha in config.alphas}, profile


def test_temperature_does_not_change_accuracy(smoke):
    found = smoke("smoothing")
    for alpha in found.study.configs["smoke"].alphas:
        assert found.results[f"{alpha}/before/accuracy"] == found.results[f"{alpha}/after/accuracy"]
