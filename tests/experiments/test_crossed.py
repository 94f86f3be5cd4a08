"""Intervals over seeds and pictures: against simulation, against each other, and from what records keep."""

import numpy as np
import pytest
import torch

from lsedu import calibration
from lsedu.experiments import weighted
from lsedu.experiments.answers import answers, needed, over_pictures
from lsedu.experiments.crossed import crossed, resampled
from lsedu.experiments.experiment import Contrast
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
        resampled(lambda weights: np.zeros((len(weights), 1)), 5)


@pytest.mark.parametrize("parts", [(0.0, 2.0, 1.0), (0.2, 0.3, 1.0), (0.3, 0.0, 1.0)])
def test_drawing_again_agrees_with_the_table_for_a_mean(parts):
    values = table(np.random.default_rng(3), *parts)
    drawn = resampled(lambda weights: weights @ values.T / SIZE, SIZE, draws=2000)
    exact = crossed(values)
    assert drawn.mean == pytest.approx(exact.mean) and drawn.se == pytest.approx(exact.se, rel=0.08)


def networks(rng, gain=0.0, n=4, size=300):
    """Logits (n, N, K) of networks that share what is hard, and labels (N,)."""
    labels = torch.arange(size) % 5
    right = torch.from_numpy(rng.normal(1.0 + gain, 1.0, size=(1, size)) + rng.normal(0, 0.5, size=(n, size)))
    logits = torch.from_numpy(rng.normal(size=(n, size, 5)))
    return logits.scatter_add(2, labels.expand(n, size)[..., None], right[..., None].double()), labels


@pytest.fixture(scope="module")
def kept():
    """What four networks of each of two methods answered, as a record keeps it, with their logits and the labels."""
    rng, arrays, logits = np.random.default_rng(0), {}, {}
    for name, gain in (("a", 0.5), ("b", 0.0)):
        logits[name], labels = networks(rng, gain)
        for seed, row in enumerate(logits[name]):
            arrays |= {f"{seed}/{key}": value for key, value in per_picture(name, row, labels).items()}
    return arrays, logits, labels


def test_answers_are_those_of_the_networks(kept):
    arrays, logits, labels = kept
    a = answers(arrays, range(4), "a")
    probs = [row.softmax(1) for row in logits["a"]]
    assert a.hits.mean(1).tolist() == [calibration.accuracy(p, labels) for p in probs]
    assert -a.label.mean(1) == pytest.approx([calibration.nll(p, labels) for p in probs], rel=1e-3)
    assert (a.top - a.hits).mean(1) == pytest.approx([calibration.overconfidence(p, labels) for p in probs], abs=1e-3)
    with pytest.raises(KeyError, match="0/c/hits"):
        answers(arrays, range(4), "c")
    bits = {key: value for key, value in arrays.items() if key.endswith("hits")}  # 300 pictures are 38 bytes
    assert answers(bits, range(4), "a").hits.sum(1).tolist() == a.hits.sum(1).tolist()


SCORES = {
    "ece": calibration.ece,
    "error_auroc": calibration.error_auroc,
    "aurc": lambda probs, labels: calibration.risk_coverage(probs, labels).area,
}


@pytest.mark.parametrize("name", SCORES)
def test_a_weighted_score_is_that_of_pictures_repeated(name):
    rng = np.random.default_rng(5)
    probs = np.round(rng.dirichlet(np.ones(4), 60), 2)  # with ties
    probs[:, 0] = np.maximum(probs[:, 0] + 1 - probs.sum(1), 0)
    labels, weights = rng.integers(4, size=60), rng.integers(0, 4, size=(3, 60))
    found = getattr(weighted, name)(probs.max(1), probs.argmax(1) == labels, weights.astype(float))
    by_hand = [SCORES[name](np.repeat(probs, row, axis=0), np.repeat(labels, row)) for row in weights]
    assert found == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize("score", ["accuracy", "nll", "overconfidence", "ece", "error_auroc", "aurc"])
def test_a_contrast_covers_pictures_where_answers_were_kept(kept, score):
    arrays, logits, labels = kept
    measured = {"accuracy": calibration.accuracy, "nll": calibration.nll, "overconfidence": calibration.overconfidence}
    by = {
        name: [(measured | SCORES)[score](row.softmax(1), labels) for row in logits[name]] for name in logits
    }  # fmt: skip
    alone = interval(np.subtract(by["a"], by["b"]))
    contrast = Contrast("gain", "It is larger", f"a/{score}", f"b/{score}")
    found = over_pictures(contrast, arrays, [0, 1, 2, 3], mean=alone.mean, draws=100)
    assert found.mean == alone.mean and found.se >= 0.98 * alone.se and found.n == 4
    if score == "accuracy":
        values = np.stack([(logits["a"][i].argmax(1) == labels).numpy() * 1.0 for i in range(4)])
        values -= np.stack([(logits["b"][i].argmax(1) == labels).numpy() for i in range(4)])
        exact = crossed(values)
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
        assert found.se > 1.02 * alone.se


def test_a_difference_of_differences_and_a_number_to_compare_with(kept):
    arrays, _, _ = kept
    a, b = (answers(arrays, range(4), name) for name in "ab")
    twice = Contrast("more", "It gains more", "a/accuracy", "b/accuracy", plain=("b", "a"))
    found = over_pictures(twice, arrays, [0, 1, 2, 3], mean=0.0)
    assert found.se == pytest.approx(crossed(2.0 * (a.hits * 1.0 - b.hits)).se)
    above = Contrast("right", "It is right", "a", 0.5)
    assert over_pictures(above, arrays, [0, 1, 2, 3], mean=0.1).se == pytest.approx(crossed(a.hits * 1.0).se)


def test_without_answers_of_both_sides_or_with_one_seed_there_is_no_such_interval(kept):
    arrays, _, _ = kept
    for one in (
        Contrast("x", "x", "a/accuracy", "c/accuracy"),
        Contrast("x", "x", "a/brier", "b/brier"),
        Contrast("x", "x", "a/ece", "b/nll"),
    ):
        assert over_pictures(one, arrays, [0, 1, 2, 3], mean=0.0) is None
    assert over_pictures(Contrast("x", "x", "a", "b"), arrays, [0], mean=0.0) is None


def test_a_record_keeps_the_answers_that_its_contrasts_are_read_from(kept):
    arrays, _, _ = kept
    more = {**arrays, "0/curve": np.zeros(3), "0/b/top/other": np.zeros(3)}
    for contrasts, names in (
        ((Contrast("x", "x", "a/nll", "b/accuracy"),), {"a/hits", "a/label", "b/hits"}),
        ((Contrast("x", "x", "a/ece", 0.1), Contrast("y", "y", "a")), {"a/hits", "a/top"}),
        ((), set()),
    ):
        assert needed(contrasts, more) == names | {"curve", "b/top/other"}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["ece", "error_auroc", "aurc"])
def test_weights_may_be_counts_and_draws_without_wrong_answers_do_not_count(name):
    rng = np.random.default_rng(0)
    top, hits = rng.random((3, SIZE)).round(2) / 2 + 0.5, np.ones((3, SIZE), bool)
    for seed, wrong in enumerate(([1], [1, 2], [3, 4])):
        hits[seed, wrong] = False
    score = getattr(weighted, name)

    def effects(weights):
        return np.stack([score(t, h, weights) for t, h in zip(top, hits)], 1)

    counts = np.stack([np.bincount(rng.integers(SIZE, size=SIZE), minlength=SIZE) for _ in range(50)])
    np.testing.assert_allclose(effects(counts), effects(counts.astype(float)), rtol=1e-14)
    undefined = np.isnan(effects(counts))
    assert undefined.any() == (name == "error_auroc") and not undefined.all(0).any()
    found = resampled(effects, SIZE)
    of_seeds = effects(np.ones((1, SIZE)))[0]
    assert found.mean == pytest.approx(of_seeds.mean()) and np.isfinite([found.low, found.high]).all()
    if name == "error_auroc":  # with one or two wrong answers, which they are decides as much as the seed
        assert found.se > interval(of_seeds).se * 1.05


def test_undefined_draws_leave_the_spread_of_the_others():
    def effects(weights):
        all_seeds = weights @ np.linspace(0.0, 1.0, SIZE)[:, None] / SIZE + np.array([0.0, 0.01, 0.02])
        all_seeds[3::7, 1] = np.nan
        return all_seeds

    whole = resampled(lambda weights: np.nan_to_num(effects(weights), nan=0.51), SIZE)
    found = resampled(effects, SIZE)
    assert found.se == pytest.approx(whole.se, rel=0.1) and found.se > 0.02
