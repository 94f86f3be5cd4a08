"""The figure of beta: what its page says of it holds of the numbers that it shows."""

import numpy as np
import pytest

from lsedu import information
from lsedu.book.figures import beta


def shown(price, mix, sweeps=400.0):
    return beta.compute({"beta": price, "mix": mix, "sweeps": sweeps}, {})


@pytest.mark.parametrize("mix", [0.0, 0.1, 0.3])
def test_as_many_labels_contradict_as_the_slider_says(mix):
    rows = beta.table(mix)
    assert rows.sum(1) == pytest.approx(1) and (rows >= 0).all()
    assert 1 - rows[np.arange(8), np.arange(8) // 2].mean() == pytest.approx(mix)
    assert (rows.argmax(1) == np.arange(8) // 2).all()


def test_without_contradiction_every_price_ends_in_the_corner():
    for price in (1.02, 1.2, 3.0, 12.0):
        found = shown(price, 0.0)
        assert (found["i_x"], found["i_y"]) == (pytest.approx(2, abs=1e-9), pytest.approx(2, abs=1e-9))
        assert found["clusters"] == 4


def test_with_contradiction_unlike_pairs_part_before_like_classes():
    found = [shown(price, 0.15) for price in (1.05, 1.5, 3.0)]
    assert [one["clusters"] for one in found] == [1, 2, 4]
    assert found[1]["stands"] == pytest.approx([found[1]["stands"][0]] * 2 + [found[1]["stands"][2]] * 2, abs=1e-3)
    assert found[0]["i_x"] < found[1]["i_x"] < found[2]["i_x"]


def test_smoothing_lies_below_the_curve_once_labels_contradict():
    rows = beta.table(0.15)
    for price in (1.3, 2.0, 4.0):
        found = shown(price, 0.15)
        alphas = np.linspace(0, 1, 2001)
        smoothed = [information.smoothed_point(rows, alpha=a, unit="bits") for a in alphas]
        nearest = min(smoothed, key=lambda point: abs(point.i_x - found["i_x"]))
        assert found["i_y"] > nearest.i_y + 0.005
