"""Intervals over seeds and pictures: against simulation, against each other, and from what records keep."""

import numpy as np
import pytest
import torch

from lsedu import calibration, experiments
from lsedu.experiments.answers import (
    Answers,
    accuracy_effect,
    answers,
    ece_effect,
    nll_effect,
    overconfidence_effect,
)
from lsedu.experiments.crossed import crossed, resampled
from lsedu.experiments.interval import interval
from lsedu.experiments.keeping import per_picture

SIZE = 150


def table(rng, seeds, pictures, rest, n=5):
    return (
        0.3
        + seeds * rng.normal(size=(n, 1))
        + pictures * rng.normal(size=(1, SIZE))
        + rest * rng.normal(size=(n, SIZE))
    )


@pytest.mark.parametrize(
    ("seeds", "pictures", "rest"),
    [(0.0, 3.0, 1.0), (0.1, 1.0, 1.0), (0.3, 0.0, 1.0), (0.0, 0.0, 1.0), (0.3, 3.0, 1.0)],
)
def test_it_covers_the_truth_as_often_as_it_says(seeds, pictures, rest):
    rng = np.random.default_rng(1)
    found = [crossed(table(rng, seeds, pictures, rest)) for _ in range(300)]
    covered = np.mean([one.low <= 0.3 <= one.high for one in found])
    assert 0.93 < covered <= 0.995


def test_seeds_alone_miss_the_truth_where_pictures_matter():
    rng = np.random.default_rng(1)
    tables = [table(rng, 0.0, 3.0, 1.0) for _ in range(300)]
    alone = [interval(values.mean(1)) for values in tables]
    assert np.mean([one.low <= 0.3 <= one.high for one in alone]) < 0.6
    for values in tables[:20]:
        both, seeds = crossed(values), interval(values.mean(1))
        assert both.se >= seeds.se and (both.mean, both.n) == pytest.approx((seeds.mean, 5))


def test_the_mean_squares_of_a_table_by_hand():
    values = np.array([[1.0, 2.0, 6.0], [3.0, 2.0, 4.0]])  # rows 3, 3; columns 2, 2, 5; grand mean 3
    found = crossed(values)
    # S = 0, P = 2 * 3, R = (1 + 0 + 1 + 1 + 0 + 1) / 2
    assert found.se**2 == pytest.approx((0 + 6 - 2) / 6)
    assert 1 <= found.degrees <= 2 and (found.mean, found.n, found.sd) == (3.0, 2, 0.0)


def test_without_differences_between_pictures_it_is_the_interval_over_seeds():
    values = np.array([0.1, 0.4, 0.2])[:, None] + np.zeros((3, 50))
    found, alone = crossed(values), interval([0.1, 0.4, 0.2])
    assert (found.low, found.high, found.degrees) == pytest.approx((alone.low, alone.high, 2))


@pytest.mark.parametrize("bad", [np.zeros(5), np.zeros((1, 9)), np.zeros((9, 1)), np.full((3, 3), np.nan)])
def test_what_is_no_table_is_refused(bad):
    with pytest.raises(ValueError, match="two or more of both"):
        crossed(bad)
    with pytest.raises(ValueError, match="two or more, got 1"):
        resampled(lambda index: np.zeros(1), 5)


@pytest.mark.parametrize("parts", [(0.0, 2.0, 1.0), (0.2, 0.3, 1.0), (0.3, 0.0, 1.0)])
def test_drawing_again_agrees_with_the_table_for_a_mean(parts):
    values = table(np.random.default_rng(3), *parts)
    drawn = resampled(lambda index: values[:, index].mean(1), SIZE, draws=2000)
    exact = crossed(values)
    assert drawn.mean == pytest.approx(exact.mean) and drawn.se == pytest.approx(exact.se, rel=0.08)


def networks(rng, gain=0.0, n=4, size=300):
    """Logits (n, N, K) of networks that share what is hard, and labels (N,)."""
    labels = torch.arange(size) % 5
    right = torch.from_numpy(rng.normal(1.0 + gain, 1.0, size=(1, size)) + rng.normal(0, 0.5, size=(n, size)))
    logits = torch.from_numpy(rng.normal(size=(n, size, 5)))
    return logits.scatter_add(2, labels.expand(n, size)[..., None], right[..., None].double()), labels


@pytest.fixture
def record(tmp_path):
    """A record that kept the answers of two methods."""
    rng, arrays = np.random.default_rng(0), {}
    logits = {}
    for name, gain in (("a", 0.5), ("b", 0.0)):
        logits[name], labels = networks(rng, gain)
        for seed, row in enumerate(logits[name]):
            arrays |= {f"{seed}/{key}": value for key, value in per_picture(name, row, labels).items()}
    like = experiments.load_record("variance")
    made = type(like)(**{**like.__dict__, "name": "toy", "seeds": [0, 1, 2, 3], "results": {}, "folder": None})
    experiments.save_record(made, arrays, folder=tmp_path)
    return experiments.load_record("toy", folder=tmp_path), logits, labels


def test_scores_come_from_what_was_kept_of_each_picture(record):
    kept, logits, labels = record
    a = answers(kept, "a")
    probs = [row.softmax(1) for row in logits["a"]]
    assert a.hits.mean(1).tolist() == [calibration.accuracy(p, labels) for p in probs]
    assert a.ece() == pytest.approx([calibration.ece(p, labels) for p in probs], abs=0.01)  # one near an edge moves
    assert -a.label.mean(1) == pytest.approx([calibration.nll(p, labels) for p in probs], rel=1e-3)
    some = np.arange(0, 300, 3)
    part = Answers(a.hits[:, some], a.top[:, some], a.label[:, some])
    assert a.ece(some) == pytest.approx(part.ece())
    with pytest.raises(KeyError, match="no array 'c/top'"):
        answers(kept, "c")


def test_effects_are_the_paired_means_with_wider_intervals_than_over_seeds(record):
    kept, _, _ = record
    a, b = answers(kept, "a"), answers(kept, "b")
    for found, by_seed in (
        (accuracy_effect(a, b), a.hits.mean(1) - b.hits.mean(1)),
        (nll_effect(a, b), b.label.mean(1) - a.label.mean(1)),
        (overconfidence_effect(a), (a.top - a.hits).mean(1)),
        (overconfidence_effect(a, b), (a.top - a.hits - b.top + b.hits).mean(1)),
        (ece_effect(a, b, draws=100), a.ece() - b.ece()),
    ):
        alone = interval(by_seed)
        assert found.mean == pytest.approx(alone.mean) and found.se > alone.se
    assert accuracy_effect(a, b).mean > 0 > nll_effect(a, b).mean
