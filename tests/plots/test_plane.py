"""The plane and the table: what is drawn where, and what does not fit is named."""

import numpy as np
import pytest

from lsedu import plots


def test_the_hatched_region_begins_at_the_least_of_both_bounds_and_all_points_are_in_the_picture():
    figure = plots.information_plane({"a": [1.6, 0.9], "b": [[0.2, 0.2], [0.5, 0.1]]}, ceiling=0.9)
    (axes,) = figure.axes
    region, border = axes.collections
    corners = {tuple(np.round(corner, 9)) for corner in region.get_paths()[0].vertices}
    assert {(0.0, 0.0), (0.9, 0.9)} <= corners
    assert axes.get_xlim()[1] > 1.6 and axes.get_ylim()[1] > 0.9
    assert [list(line.get_xdata()) for line in axes.lines] == [[1.6], [0.2, 0.5]]
    assert [tuple(corner) for corner in border.get_segments()[0]][:2] == [(0.0, 0.0), (0.9, 0.9)]


def test_points_on_the_plane_have_their_names_beside_them_where_tables_can_be():
    points = {"corner": [0.9, 0.9], "beyond": [1.6, 0.9], "low": [[0.9, 0.2], [0.7, 0.1]]}
    (axes,) = plots.information_plane(points, ceiling=0.9).axes
    assert axes.get_legend() is None
    axes.figure.draw_without_rendering()
    region = axes.collections[0]
    closed = axes.transData.transform_path(region.get_paths()[0])
    names = {text.get_text(): text for text in axes.texts if text.get_text() in points}
    assert names.keys() == points.keys()
    for name, text in names.items():
        box = text.get_window_extent()
        far = {
            other: np.hypot(*np.maximum(np.maximum(box.min - one, one - box.max), 0).T).min()
            for other, one in ((other, axes.transData.transform(np.atleast_2d(points[other]))) for other in points)
        }
        assert 4 < far[name] < 20 and min(far, key=far.get) == name  # beside the marker, not on it
        assert not closed.intersects_bbox(box, filled=True)
    (alone,) = plots.information_plane({"only": [0.5, 0.2]}, ceiling=0.9).axes
    assert "only" in [text.get_text() for text in alone.texts]


def test_a_cell_is_as_wide_as_its_probability_and_the_label_is_outlined():
    figure = plots.conditional_table([[0.75, 0.25], [0.0, 1.0]], columns=["a", "b"], marked=[0, 1])
    (axes,) = figure.axes
    widths = [patch.get_width() / 0.92 for patch in axes.patches[::2]]
    np.testing.assert_allclose(widths, [0.75, 0.25, 0.0, 1.0])
    bold = [patch.get_linewidth() > 1 for patch in axes.patches[1::2]]
    assert bold == [True, False, False, True]
    assert axes.yaxis_inverted()  # the first row is on top


def test_pictures_stand_one_beside_each_row():
    figure = plots.conditional_table(np.eye(3), columns="abc", pictures=np.zeros((3, 4, 4)))
    assert len(figure.axes[0].images) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.information_plane({}, ceiling=1.0), "at least one point or curve, got none"),
        (lambda: plots.information_plane({"a": [1, 2, 3]}, ceiling=1.0), r"points of 'a' must be pairs .*\(1, 3\)"),
        (lambda: plots.conditional_table([0.5, 0.5], columns="ab"), r"with 2 columns, got shape \(2,\)"),
        (lambda: plots.conditional_table([[0.5, 0.5]], columns="abc"), r"with 3 columns, got shape \(1, 2\)"),
        (lambda: plots.conditional_table([[1.0]], columns="a", names="xy"), "names must be 1, .* got 2"),
    ],
)
def test_what_cannot_be_drawn_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
