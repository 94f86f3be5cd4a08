"""A contest: who teaches whom, which networks are trained twice, whose rate was chosen, and who is nearest."""

import numpy as np
import pytest
import torch

from lsedu import losses, models
from lsedu.studies._pictures import Pictures
from lsedu.studies.learnable import _contestants, _own_rates, contest, contest_large


def test_the_votes_of_the_nearest_pictures():
    at = torch.tensor([0.0, 1.0, 2.0, 9.0, 10.0]).view(-1, 1, 1, 1)
    asked = torch.tensor([0.4, 2.1, 8.0]).view(-1, 1, 1, 1)
    none = torch.zeros(0, 1, 1, 1)
    p = Pictures(at, torch.tensor([0, 0, 1, 2, 1]), none, torch.zeros(0), asked, torch.tensor([0, 1, 2]), num_classes=3)
    assert _contestants.nearest(p, neighbours=1).tolist() == [True, True, True]
    # of three: 0, 0, 1 for the first two; 2, 1, 1 for the last
    assert _contestants.nearest(p, neighbours=3).tolist() == [True, False, False]


def test_a_self_taught_network_learns_from_the_pictures_it_is_given():
    teacher = models.build(models.mlp, seed=0, shape=(1, 2, 2), hidden=(3,), num_classes=3)
    x, logits, labels = torch.rand(4, 1, 2, 2), torch.randn(4, 3, requires_grad=True), torch.tensor([0, 1, 2, 0])
    found = _contestants.self_taught(teacher)(logits, labels, inputs=x)
    assert torch.allclose(found, losses.tf_kd_self(logits, teacher(x).detach(), labels, alpha=0.1))
    found.backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_the_rate_of_a_method_is_the_best_of_those_that_were_tried():
    shared = contest.EXPERIMENT.configs["cpu"].mlp
    assert dict(shared.rates) == _own_rates.RATES
    for method, rate in shared.rates:
        tried = _own_rates.TRIED[method]
        assert method in shared.methods and shared.training.lr in tried
        assert tried[rate] == max(tried.values()) and 0 < tried[rate] < 1


def test_a_rate_that_is_the_shared_one_trains_no_second_network(smoke):
    found = smoke("contest")
    rates = dict(found.study.configs["smoke"].mlp.rates)
    for method, rate in rates.items():
        same = [
            found.results[f"mlp/{method}/{score}"] == found.results[f"own/{method}/{score}"]
            for score in ("before/nll", "before/overconfidence")
        ]
        assert same == ([rate == 0.05] * 2), method
        assert (f"own-{method}" in found.kept) == (rate != 0.05)


def test_hits_and_accuracies_belong_together(smoke):
    found = smoke("contest")
    size = found.study.configs["smoke"].mlp.test_size
    for place in ("mlp", "own", "lenet", "cnn"):
        for method in _own_rates.RATES if place == "own" else contest.FEW:
            hits = np.unpackbits(found.arrays[f"{place}/{method}/hits"], count=size)
            assert hits.mean() == pytest.approx(found.results[f"{place}/{method}/accuracy"])


def test_a_family_of_claims_is_about_lls_alone():
    named = {contrast.name: contrast for contrast in contest.EXPERIMENT.contrasts}
    primary = [named[name] for name in contest.EXPERIMENT.primary]
    assert {one.plus.split("/")[1] for one in primary} == {"lls"}
    assert {one.claimed for one in primary} == {"positive"} and {one.margin for one in primary} == {contest.MARGIN}


def test_on_a_card_each_part_is_one_method_and_holds_no_other(made_up):
    study = contest_large.EXPERIMENT
    config = study.configs["smoke"]
    assert len(set(study.parts(config))) == len(contest_large.SETS) * len(_contestants.METHODS)
    one, taught = (
        study.measure(config, 0, part=f"fashion-{method}", device="cpu", workdir=None, progress=False)
        for method in ("one-hot", "tf-kd-self")
    )
    for found, method in ((one, "one-hot"), (taught, "tf-kd-self")):
        assert {name.split("/")[1] for name in (*found.results, *found.arrays)} == {method}
    assert one.results["fashion/one-hot/before/nll"] != taught.results["fashion/tf-kd-self/before/nll"]
