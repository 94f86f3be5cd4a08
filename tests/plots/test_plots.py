import matplotlib
import numpy as np
import pytest

from lsedu import plots
from lsedu.calibration import reliability


def bars(axes, label):
    (container,) = [c for c in axes.containers if c.get_label() == label]
    return np.array([bar.get_height() for bar in container])


def test_reliability_diagram_draws_accuracy_and_gap_of_each_bin():
    probs = [[0.9, 0.1], [0.95, 0.05], [0.6, 0.4], [0.7, 0.3]]
    table = reliability(probs, [0, 1, 0, 0], bins=4)
    figure = plots.reliability_diagram({"before": table, "after": table})
    upper = figure.axes[0]
    np.testing.assert_allclose(bars(upper, "accuracy"), np.nan_to_num(table.accuracy))
    np.testing.assert_allclose(bars(upper, "gap to confidence"), table.gap)
    assert len(figure.axes) == 4


def test_curves_draw_the_mean_and_the_range_over_seeds():
    values = np.array([[1.0, 2.0], [3.0, 6.0]])
    axes = plots.curves([0, 1], {"loss": {"train": values, "test": values[0]}}, xlabel="epoch").axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [2.0, 4.0])
    corners = axes.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == 1.0 and corners[:, 1].max() == 6.0
    assert len(axes.collections) == 1


def test_a_closed_form_is_dashed():
    axes = plots.curves(
        [0, 1], {"a": {"ours": np.zeros(2), "formula": np.ones(2)}}, xlabel="t", dashed=["formula"]
    ).axes[0]
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--"]


def test_curves_refuse_values_of_another_length():
    with pytest.raises(ValueError, match="3 values for 2 positions"):
        plots.curves([0, 1], {"loss": {"train": np.zeros(3)}}, xlabel="epoch")


def test_no_figures_without_tables():
    with pytest.raises(ValueError, match="at least one"):
        plots.reliability_diagram({})


def test_drawing_leaves_the_readers_style_alone():
    before = dict(matplotlib.rcParams)
    plots.curves([0, 1], {"loss": {"train": np.zeros(2)}}, xlabel="epoch")
    assert dict(matplotlib.rcParams) == before
