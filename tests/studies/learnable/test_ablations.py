"""The nine losses: which are one to the network or to Q, what their gradients are where all is even, and the arms."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from lsedu import losses
from lsedu.studies.learnable import _ablations, ablations, ablations_cifar

ROWS = _ablations.ROWS


def gradients(row):
    rng = torch.Generator().manual_seed(0)
    z, t = (torch.randn(n, 5, generator=rng, dtype=torch.float64).requires_grad_() for n in (8, 5))
    losses.learnable_smoothing(z, torch.arange(8) % 5, t, alpha=0.3, variant=row).backward()
    return z.grad.numpy(), t.grad.numpy()


def test_rows_have_one_gradient_where_their_terms_on_that_side_agree_and_nowhere_else():
    sides = (_ablations.on_network, _ablations.on_q)
    found = {row: gradients(row) for row in ROWS}
    for a, b in itertools.combinations(ROWS, 2):
        for side, (x, y) in zip(sides, zip(found[a], found[b])):
            assert np.allclose(x, y, atol=1e-14, rtol=0) == (side(a) == side(b)), (a, b)
    assert [len({side(row) for row in ROWS}) for side in sides] == [5, 6]
    for a, b in ablations.PAIRS:
        assert _ablations.on_network(a) == _ablations.on_network(b)


@pytest.mark.parametrize("k", [2, 10, 100, 200])
def test_at_the_start_the_reverse_divergence_pulls_less_the_more_classes_there_are(k):
    forward, reverse = (_ablations.at_start(k, row) for row in ("fce-only", "reverse-kl"))
    assert forward[0] == pytest.approx(-0.9 * (k - 1) / k)
    assert reverse[0] / forward[0] == pytest.approx(np.log(1 + 9 * k) / (0.9 * k))
    assert reverse[1:] == pytest.approx(np.full(k - 1, -reverse[0] / (k - 1)))


def test_the_best_answer_to_uncertain_labels_is_a_softmax_of_their_probabilities():
    k, alpha = 6, 0.1
    share = torch.tensor([0.4, 0.3, 0.1, 0.1, 0.05, 0.05], dtype=torch.float64)
    z = np.log(1 + k * (1 - alpha) / alpha) * share.expand(k, k)
    found = losses.lls_gradients(z, torch.arange(k), torch.zeros(k, k, dtype=torch.float64), alpha=alpha)["reverse-kl"]
    assert (share @ found.on_logits).abs().max() < 1e-14


def test_labels_with_less_than_a_tenth_of_an_even_share_are_stuck():
    probs = torch.tensor([[0.04, 0.96 / 2, 0.96 / 2], [0.03, 0.9, 0.07], [0.1, 0.2, 0.7]])
    found = _ablations.sureness(probs.log(), torch.tensor([0, 0, 2]))
    assert found == {"accuracy": pytest.approx(1 / 3), "sure": pytest.approx((0.48 + 0.9 + 0.7) / 3), "stuck": 1 / 3}


def test_q_moves_at_one_rate_in_all_arms_and_rates_of_the_network_lie_within_those_that_were_tried():
    for arm, (maker, lr) in ablations.arms(4, 0.05).items():
        (group,) = maker().parameter_groups(lr=lr, weight_decay=0.1)
        scale = {"lls-half": 0.5, "fce-twice": 2.0}.get(arm, 1.0)
        assert group["lr"] * scale == pytest.approx(ablations.Q_RATE) and group["weight_decay"] == 0, arm
    for row, tried in ablations.TRIED.items():
        assert min(tried) < ablations.best_rate(row) < max(tried)
    for a, b in ablations.PAIRS:
        assert ablations.best_rate(a) == ablations.best_rate(b)


def test_a_doubled_loss_is_twice_as_large_and_its_q_is_trained():
    made = losses.LearnableLabelSmoothing(3, variant="fce-only")
    twice, z, y = ablations.Doubled(made), torch.tensor([[1.0, 0.0, -2.0]]), torch.tensor([1])
    assert twice(z, y).item() == pytest.approx(2 * made(z, y).item())
    assert [p.shape for p in twice.parameters()] == [(3, 3)]


def test_an_arm_whose_rate_is_the_common_one_is_trained_once(smoke, monkeypatch):
    config = ablations.EXPERIMENT.configs["smoke"]
    monkeypatch.setattr(ablations, "best_rate", lambda row: config.training.lr)
    found = ablations.measure(config, 0, device="cpu", workdir=None, progress=False).results
    for row in ROWS:
        assert (
            found[f"{row}/tuned/accuracy"] == found[f"{row}/accuracy"] == smoke("ablations").results[f"{row}/accuracy"]
        )


def test_the_card_s_profile_runs_on_a_few_pictures(made_up):
    gpu = ablations_cifar.EXPERIMENT.configs["gpu"]
    few = replace(
        gpu.many, train_size=20, test_size=20, warm=(1, 1),
        training=replace(gpu.many.training, epochs=1, warmup=0, batch_size=20, cuda_graphs=False),
    )  # fmt: skip
    found = ablations_cifar.measure(
        replace(gpu, many=few), 0, part="many", device="cpu", workdir=None, progress=False
    ).results
    assert {key.split("/")[1] for key in found} == {"fine", "coarse", "fast", "early", "late"}
    assert 0 <= found["many/early/start/training/sure"] <= 1
