"""Reading Q: ranks, relations and guesses; a control without relations; and what the record keeps belongs together."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import stats

from lsedu.studies.learnable import _control, _reading, learning_q, loss_scale


def test_ranks_and_their_correlation_are_scipy_s():
    rng = np.random.default_rng(0)
    for _ in range(5):
        a, b = rng.integers(5, size=9), rng.normal(size=9)
        assert (_reading.ranks(a) == stats.rankdata(a)).all()
        assert _reading.rank_correlation(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    assert _reading.rank_correlation(np.ones(9), b) == 0.0


def test_rows_that_share_popular_classes_alone_are_no_more_alike_than_shuffled_ones():
    rng = np.random.default_rng(1)
    popular = np.tile(rng.random(10), (10, 1))
    assert _reading.row_likeness(popular, 3 * popular) == (pytest.approx(1.0), pytest.approx(1.0))
    table = rng.random((10, 10))
    same, shuffled = _reading.row_likeness(table, table**2 + np.diag(np.full(10, 9.0)))
    assert same == pytest.approx(1.0) and abs(shuffled) < 0.15
    expected = [
        stats.spearmanr(np.delete(table[i], [i, j]), np.delete(table[j], [i, j])).statistic
        for i in range(10)
        for j in range(10)
        if i != j
    ]
    assert shuffled == pytest.approx(np.mean(expected))


def test_unevenness_is_of_rows_and_not_of_their_sizes():
    off = 1 - np.eye(4)
    assert _reading.row_unevenness(np.arange(1, 5)[:, None] * off + 9 * np.eye(4)) == pytest.approx(0, abs=1e-12)
    table = off.copy()
    table[0, 1:] = 0, 0, 3
    assert _reading.row_unevenness(table) == pytest.approx(np.sqrt((1 + 1 + 4) / 12))


def test_what_is_meant_by_a_wrong_answer():
    logits = torch.tensor([[3.0, 2, 1], [3, 1, 2], [0, 3, 2], [1, 3, 2], [0, 1, 9]])
    labels = torch.tensor([1, 1, 0, 1, 2])  # wrong: the first three, answered 0, 0 and 1
    table = np.array([[0.8, 0.2, 0.0], [0.1, 0.4, 0.5], [0.3, 0.3, 0.4]])
    seen = np.array([[9, 1, 0], [3, 9, 0], [5, 1, 9]])  # missed: 1, 3 and 6; of answer 0 most are 2, of 1 as many
    found = _reading.meant(table, logits, labels, seen)
    assert found == {
        "q": pytest.approx(2 / 3),
        "prior": 0.0,
        "table": pytest.approx(1 / 3),
        "second": pytest.approx(1 / 3),
    }
    nothing = _reading.meant(table, logits[4:], labels[4:], seen)
    assert set(nothing.values()) == {0.0} and nothing.keys() == found.keys()


def test_patterns_of_the_control_are_equally_far_and_its_best_answer_has_no_relations():
    patterns = _control.patterns(10)
    assert (patterns @ patterns.T == 256 * np.eye(10)).all() and set(np.unique(patterns)) == {-1.0, 1.0}
    x, y = _control.control(20_000, strength=0.1, num_classes=10, seed=5)
    assert x.shape == (20_000, 1, 16, 16) and (torch.bincount(y) == 2000).all()
    noise = (x.flatten(1).double() - 0.5) / 0.25 - 0.1 * torch.from_numpy(patterns)[y]
    assert noise.mean().item() == pytest.approx(0, abs=0.002) and noise.std().item() == pytest.approx(1, abs=0.002)
    logits = (x.flatten(1).double() - 0.5) @ torch.from_numpy(patterns).T
    confusion = _reading.confusion(logits, y)
    # the error rate of ten orthogonal signals at a distance of 1.6 standard deviations, and all errors alike
    at = np.linspace(-8, 10, 4001)
    right = np.trapezoid(stats.norm.pdf(at - 1.6) * stats.norm.cdf(at) ** 9, at)
    assert np.trace(confusion) / confusion.sum() == pytest.approx(right, abs=0.015)
    expected = 20_000 * (1 - right) / 90
    off = confusion[~np.eye(10, dtype=bool)]
    assert ((off - expected) ** 2 / expected).sum() < stats.chi2.ppf(0.999, 89)


def test_the_control_of_a_seed_is_its_own_and_its_test_pictures_are_everyone_s():
    scale = learning_q.EXPERIMENT.configs["smoke"]
    a, b = (_control.unlike(scale, strength=0.2, seed=seed, device="cpu") for seed in (0, 1))
    assert torch.equal(a.x_test, b.x_test) and not torch.equal(a.x, b.x)
    assert not torch.equal(a.x[:200], a.x_val) and not torch.equal(a.x_val, b.x[:200])


def test_relations_of_clothes_are_read_from_their_rows():
    table = np.full((10, 10), 0.02)
    table[2, [4, 6]] = 0.3, 0.35
    table[6, [0, 2, 4]] = 0.5, 0.2, 0.15
    found = learning_q.of_clothes(table)
    assert found == {
        "pullover": pytest.approx(0.05), "t-shirt": pytest.approx(0.3), "coat": pytest.approx(0.05),
        "one-way": pytest.approx(0.15),
    }  # fmt: skip


def test_only_the_arms_that_are_said_to_have_groups_of_their_own(smoke):
    made = {name: maker() for name, maker in learning_q.makers(10).items()}
    groups = {name: made[name].parameter_groups(lr=0.05, weight_decay=1e-4)[0] for name in made if name != "one-hot"}
    rates = {name: (group["lr"] / 0.05, group["weight_decay"]) for name, group in groups.items()}
    assert rates == {
        "1": (1, 1e-4), "half": (1, 1e-4), "fixed": (1, 1e-4), "5": (5, 0), "20": (20, 0), "80": (80, 0),
        "fce-only": (20, 0), "forward": (20, 0),
    }  # fmt: skip
    assert made["half"].half and made["fce-only"].variant == "fce-only" and made["forward"].variant == "forward-kl"


def test_the_way_of_q_begins_even_and_ends_where_q_is(smoke):
    found = smoke("learning_q")
    for name in learning_q.FACTORS:
        q, confusion = (found.arrays[f"{name}/path/{kind}"] for kind in ("q", "confusion"))
        assert q.shape == confusion.shape == (3, 10, 10) and q.dtype == np.float16
        assert (q[0] == np.float16(0.1)).all() and (q[1] != q[0]).any()
        end, counts = found.arrays[f"{name}/q"], found.arrays[f"{name}/confusion"]
        assert q[-1] == pytest.approx(end, abs=1e-3) and end.sum(1) == pytest.approx(1, abs=1e-5)
        assert confusion[-1] == pytest.approx(counts / counts.sum(1, keepdims=True), abs=1e-3)
        assert counts.sum() == 200
        assert np.trace(counts) / 200 == pytest.approx(found.results[f"{name}/accuracy"])
    # before training every rate sees the same network
    assert (found.arrays["1/path/confusion"][0] == found.arrays["80/path/confusion"][0]).all()
    assert np.abs(found.arrays["80/q"] - 0.1).max() > np.abs(found.arrays["1/q"] - 0.1).max()
    assert "control/fixed/q" not in found.arrays and "control/forward/q" in found.arrays


def test_two_rates_of_one_recipe_differ_in_the_rate_alone(smoke, monkeypatch):
    seen = []

    def noted(factory, loss, x, y, *, recipe, **options):
        seen.append(recipe)
        return loss_scale_trained(factory, loss, x, y, recipe=recipe, **options)

    loss_scale_trained = loss_scale.trained
    monkeypatch.setattr(loss_scale, "trained", noted)
    config = loss_scale.EXPERIMENT.configs["smoke"]
    found = loss_scale.measure(config, 0, device="cpu", workdir=None, progress=False)
    rates = [recipe.lr / config.training.lr for recipe in seen]
    assert rates == [1.0] * 4 + [0.25] * 3
    assert all(dataclasses.replace(recipe, lr=config.training.lr) == config.training for recipe in seen)
    # the same confusion that the other study has of the same network
    assert (found.arrays["whole/1/confusion"] == smoke("learning_q").arrays["control/1/confusion"]).all()
    z = torch.randn(4, 3, generator=torch.manual_seed(0))
    y = torch.tensor([0, 1, 2, 0])
    assert loss_scale.doubled(z, y).item() == pytest.approx(2 * torch.nn.functional.cross_entropy(z, y).item())
