"""Names beside lines: where they stand is a matter of the line, not of how many values it was drawn from."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from lsedu.plots.labels import STEP, _path, name_lines


def drawn(values):
    """Three lines from so many values each."""
    x = np.linspace(0, 9, values)
    axes = Figure(dpi=110).subplots()
    for name, y in {"falls": np.exp(-x), "straight": 0.3 - 0.1 * x, "level": 0 * x}.items():
        axes.plot(x, y, label=name)
    return axes


def places(axes):
    assert name_lines(axes)
    return np.array([axes.transData.transform(text.get_position()) for text in axes.texts])


def test_thousands_of_values_put_the_names_where_a_few_hundred_do():
    assert places(drawn(4001)) == pytest.approx(places(drawn(201)), abs=6 * STEP)


@pytest.mark.parametrize("values", [2, 3, 50, 4001])
def test_a_path_has_its_ends_no_gap_and_no_more_points_than_its_length_asks_for(values):
    axes = drawn(values)
    axes.figure.draw_without_rendering()
    for line in axes.get_lines():
        path = _path(line, axes.get_window_extent())
        corners = line.get_transform().transform(np.column_stack(line.get_data()))
        assert path[0] == pytest.approx(corners[0]) and path[-1] == pytest.approx(corners[-1])
        steps = np.hypot(*np.diff(path, axis=0).T)
        assert steps.max() < 2 * STEP + 1 and len(path) < 3 * steps.sum() / STEP
