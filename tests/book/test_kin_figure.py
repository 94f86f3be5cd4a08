"""The figure of the relatives: where each of them rests, in closed form, and what its page says of them holds."""

import math

import pytest

from lsedu.book.figures import kin

DEFAULT = {"loss": "ls", "alpha": 0.1, "gamma": 3.0, "own": 0.8, "q": 0.5}


def shown(loss, **changed):
    return kin.compute(DEFAULT | {"loss": loss} | changed, {})


@pytest.mark.parametrize(
    ("loss", "where"),
    [("ls", 0.91), ("lls", 0.91), ("ls++", 0.9), ("ols", 0.5 + 0.5 * 0.8), ("distil", 0.8)],
)
def test_a_loss_with_a_target_rests_at_it(loss, where):
    found = shown(loss)
    assert found["rest"] == pytest.approx(where, abs=1e-9)
    assert found["gap"] == pytest.approx(math.log(9 * where / (1 - where)), abs=1e-6)


@pytest.mark.parametrize("loss", ["focal", "flsd", "zipf"])
def test_a_loss_without_one_pulls_to_the_end(loss):
    assert shown(loss)["rest"] == 1.0
    assert all(pull > 0 for pull in shown(loss)["curve"])


def test_zipf_pulls_at_the_label_as_one_hot_targets_do():
    for q in (0.03, 0.5, 0.97):
        assert shown("zipf", q=q, alpha=0.9)["ratio"] == pytest.approx(1.0)


def test_the_penalty_rests_where_its_strength_times_the_gap_times_q_is_one():
    found = shown("penalty", alpha=0.3)
    assert 0.3 * found["gap"] * found["rest"] == pytest.approx(1.0, abs=1e-6)


def test_as_printed_and_as_released_teacher_free_regularisation_are_different_losses():
    assert shown("tf-kd")["rest"] > 0.999
    assert shown("tf-kd", alpha=0.9)["rest"] > 0.99
    assert shown("tf-kd-code")["rest"] < 0.6


def test_near_its_target_lls_pulls_twice_as_hard_as_smoothing():
    for q in (0.909, 0.911):
        assert shown("lls", q=q)["pull"] / shown("ls", q=q)["pull"] == pytest.approx(2, abs=0.02)
