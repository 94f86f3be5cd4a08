"""The pulls on Q and on the network: their sizes in a state that is known, and where Q comes to rest."""

import math

import numpy as np
import pytest
import torch

from lsedu.losses import LearnableLabelSmoothing, learnable_smoothing
from lsedu.studies.learnable import q_gradients
from lsedu.studies.learnable._resting import resting


class Answers(torch.nn.Module):
    """A network that gives the same logits whatever it is shown."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def forward(self, x):
        return self.logits


@pytest.fixture(scope="module", params=[1.0, 3.0], ids=["unsure", "sure"])
def answers(request):
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 4
    logits = 2 * torch.randn(120, 4, generator=rng, dtype=torch.float64)
    logits[torch.arange(120), labels] += 4
    return (request.param * logits).log_softmax(1), labels


@pytest.mark.parametrize("loss", ["forward-kl", "reverse-kl", "lls"])
def test_where_q_rests_no_gradient_is_left_and_no_other_loss_is_less(answers, loss):
    log_q, labels = answers
    end = torch.from_numpy(resting(log_q, labels, alpha=0.1, loss=loss))
    assert torch.allclose(end.sum(1), torch.ones(4, dtype=torch.float64), atol=1e-9)
    # a row that would give its label less than nothing has its logit there at minus infinity; so nearly
    t = (0.999999999 * end + 0.000000001 / 4).log().requires_grad_()
    value = learnable_smoothing(log_q, labels, t, alpha=0.1, variant=loss)
    value.backward()
    assert t.grad.abs().max() < 1e-7
    for step in torch.randn(20, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64):
        assert learnable_smoothing(log_q, labels, t.detach() + 0.1 * step, alpha=0.1, variant=loss) > value


def test_where_q_rests_is_a_mean_of_the_predictions():
    log_q = torch.tensor([[0.85, 0.1, 0.05], [0.91, 0.01, 0.08], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]).double().log()
    labels = torch.tensor([0, 0, 1, 2])
    # the label has less than 1 - alpha of the mean: Q gives it nothing, and shares the rest as the mean does
    arithmetic = resting(log_q, labels, alpha=0.1, loss="reverse-kl")[0]
    assert arithmetic == pytest.approx([0.0, 0.055 / 0.12, 0.065 / 0.12])
    a, b = math.sqrt(0.1 * 0.01), math.sqrt(0.05 * 0.08)
    geometric = resting(log_q, labels, alpha=0.05, loss="forward-kl")[0]
    assert geometric == pytest.approx([0.0, a / (a + b), b / (a + b)])
    # and else the target is the mean itself
    assert 0.5 + 0.5 * resting(log_q, labels, alpha=0.5, loss="reverse-kl")[0, 0] == pytest.approx(0.88)


def test_sizes_in_the_untrained_state_have_closed_forms():
    k, alpha = 10, q_gradients.ALPHA
    found = q_gradients.sizes(torch.zeros(30, k), torch.arange(30) % k, torch.zeros(k, k))
    s_y, base = 1 - alpha + alpha / k, 2 * (1 - alpha) * (1 - 1 / k)
    each = 2 / k * (1 - 1 / k)  # r_y (1 - r_y) on the label, and as much off it
    assert 10 ** found["forward"] == pytest.approx(alpha * each * math.log(s_y / (alpha / k)) / base)
    assert 10 ** found["reverse"] == pytest.approx(alpha * each * (1 / alpha - 1 / k / s_y) / base)
    assert 10 ** found["logits"] == pytest.approx(each * math.log(s_y / (alpha / k)) / base)


def test_which_pictures_are_lost_and_which_stayed():
    x, y = torch.zeros(3, 2), torch.tensor([0, 0, 1])
    watch = q_gradients.Watch(LearnableLabelSmoothing(2), x, y, (0, 3))
    before = torch.zeros(3, 2)
    early = torch.tensor([[0.0, 9.0], [0.0, 9.0], [0.0, 9.0]])  # the first two are lost
    late = torch.tensor([[0.0, 9.0], [9.0, 0.0], [9.0, 0.0]])  # one of them stays, and the third is lost later
    for logits in (before, early, early, late):
        watch(Answers(logits))
    found, kept = watch.results(), watch.arrays()
    assert found["stayed"] == 0.5 and found["lost"] == pytest.approx(2 / 3)
    assert kept["lost"] == pytest.approx([0.0, 2 / 3, 2 / 3, 2 / 3]) and kept["way"].tolist() == [0.0, 0.0]
    assert found["forward/first"] == pytest.approx(kept["forward"][1])
    assert found["forward/least"] == pytest.approx(kept["forward"][1:].min())


def test_q_decays_where_it_has_the_networks_rate():
    for arm, (loss, factor) in q_gradients.ARMS.items():
        (group,) = q_gradients.criterion(arm, 3).parameter_groups(lr=0.5, weight_decay=0.1)
        assert (group["lr"], group["weight_decay"]) == (0.5 * factor, 0.1 if factor == 1 else 0.0)
        assert q_gradients.criterion(arm, 3).variant == loss


def test_every_arm_begins_alike(smoke):
    found = smoke("q_gradients").arrays
    for name in ("forward", "reverse", "logits", "lost"):
        assert len({float(found[f"{arm}/{name}"][0]) for arm in q_gradients.ARMS}) == 1
        assert all(len(found[f"{arm}/{name}"]) == 3 for arm in q_gradients.ARMS)
    assert all(found[f"{arm}/way"][0] == pytest.approx(0.0, abs=1e-6) for arm in q_gradients.ARMS)
    assert all(np.allclose(found[f"{arm}/q"].sum(1), 1, atol=1e-5) for arm in q_gradients.ARMS)
