"""The figure of seeds and differences: it plans as studies do, from numbers that stand in the paper's tables."""

import pytest

from lsedu.book.figures import powered
from lsedu.experiments.planning import planned


def shown(which="cifar10", *, spread=0.3, margin=0.0, seeds=20):
    given = {"which": which, "spread": spread, "margin": margin, "seeds": seeds}
    return powered.compute(given, powered.payload())


def test_the_seeds_needed_are_those_that_a_study_would_plan():
    for which in powered.CHOSEN:
        found = shown(which, spread=0.25, margin=0.2)
        assert found["needed"] == (planned(effect=found["difference"], sd=0.25, margin=0.2) or 501)
    assert shown(seeds=20)["chance"] < 0.8 < shown(seeds=60, spread=0.2)["chance"]


def test_a_difference_within_the_margin_is_to_be_shown_as_such():
    within, beyond = shown(margin=0.2, seeds=60), shown(margin=0.05, seeds=60)
    assert (within["beyond"], beyond["beyond"]) == (False, True)
    assert within["chance"] > 0.7


def test_without_spread_to_speak_of_the_order_does_not_turn_and_with_much_it_does():
    assert shown(spread=0.05)["turned"] < 1e-6
    assert shown("cub", spread=1.0, seeds=2)["turned"] == pytest.approx(0.438, abs=1e-3)


def test_the_numbers_are_those_of_the_tables():
    chosen = powered.payload()["chosen"]
    assert {key: one["difference"] for key, one in chosen.items() if key in ("cub", "svhn", "cifar100")} == {
        "cub": -0.11, "svhn": 0.09, "cifar100": 2.31,
    }  # fmt: skip
    assert chosen["cifar10"]["printed"] == pytest.approx((0.04**2 + 0.17**2) ** 0.5, abs=1e-3)
    assert chosen["cifar100"]["printed"] == 0.0
