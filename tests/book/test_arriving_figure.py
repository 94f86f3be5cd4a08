"""The figure of arriving seeds: every order passes each seed once, and the shares of agreeing ones are all orders'."""

from itertools import permutations

import pytest

from lsedu.book.figures import arriving


def test_every_order_passes_each_seed_once_and_the_first_is_the_records():
    assert arriving.arrival(1, 20) == list(range(20))
    orders = {tuple(arriving.arrival(order, 20)) for order in range(1, 101)}
    assert len(orders) > 70 and all(sorted(order) == list(range(20)) for order in orders)
    assert arriving.GRID["order"][-1] == arriving.PRIME - 1 and len(arriving.payload()["t"]) + 1 < arriving.PRIME


@pytest.mark.parametrize("first", [2, 3])
def test_shares_of_agreement_are_those_over_all_orders(first):
    values = [-1.0, 2.0, -0.5, -3.0, 0.0]
    orders = list(permutations(values))
    below, above = (
        sum(all(sign * v > 0 for v in order[:first]) for order in orders) / len(orders) for sign in (-1, 1)
    )  # fmt: skip
    assert arriving.agreeing(values, first) == pytest.approx((below, above))


def test_the_seeds_are_the_records_and_the_last_interval_is_its_finding():
    data = arriving.payload()
    shown = arriving.compute({"alpha": 0.1, "probe": "linear", "order": 7, "seeds": 20}, data)
    effect = arriving.load_record("occluded").effect("linear-0.1")
    assert (shown["mean"], shown["low"], shown["high"]) == pytest.approx(
        (100 * effect.mean, 100 * effect.low, 100 * effect.high), abs=1e-3
    )
    assert shown["all_mean"] == shown["mean"] and shown["below"] == 0.0
