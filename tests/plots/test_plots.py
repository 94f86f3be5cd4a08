import matplotlib
import numpy as np
import pytest

from lsedu import plots
from lsedu.calibration import apply_temperature, reliability, risk_coverage
from lsedu.plots.colours import CYCLE


def bars(axes, label):
    (container,) = [c for c in axes.containers if c.get_label() == label]
    return np.array([bar.get_height() for bar in container])


def test_reliability_diagram_outlines_accuracy_and_hatches_each_sign_of_the_gap_its_own_way():
    rng = np.random.default_rng(3)
    logits = 12 * rng.normal(size=(400, 5)) * rng.choice([0.05, 1.0], size=(400, 1))
    labels = np.where(rng.random(400) < 0.8, logits.argmax(1), rng.integers(0, 5, size=400))
    table = reliability(apply_temperature(logits, 4.0), labels, bins=10)
    assert table.gap.min() < 0 < table.gap.max()
    figure = plots.reliability_diagram({"T = 4": table, "again": table})
    assert len(figure.axes) == 4
    drawn = {c.get_label(): list(c) for c in figure.axes[0].containers}
    outline = drawn["accuracy"]
    np.testing.assert_allclose([bar.get_height() for bar in outline], np.nan_to_num(table.accuracy))
    assert not any(bar.get_fill() for bar in outline)
    hatched = {}
    for name, sign in (("too sure", 1), ("too timid", -1)):
        here = sign * table.gap > 0
        np.testing.assert_allclose([bar.get_height() for bar in drawn[name]], table.gap[here])
        np.testing.assert_allclose([bar.get_y() for bar in drawn[name]], table.accuracy[here])
        np.testing.assert_allclose([bar.get_x() for bar in drawn[name]], table.edges[:-1][here])
        assert all(bar.get_zorder() < outline[0].get_zorder() for bar in drawn[name])
        hatched[name] = {(bar.get_hatch(), bar.get_edgecolor()) for bar in drawn[name]}
    assert len(hatched["too sure"] | hatched["too timid"]) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["accuracy", "too sure", "too timid"]


def test_curves_draw_the_mean_and_the_range_over_seeds():
    values = np.array([[1.0, 2.0], [3.0, 6.0]])
    axes = plots.curves([0, 1], {"loss": {"train": values, "test": values[0]}}, xlabel="epoch").axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [2.0, 4.0])
    corners = axes.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == 1.0 and corners[:, 1].max() == 6.0
    assert len(axes.collections) == 1


def test_what_is_no_measurement_is_dashed_and_black_whatever_it_is_called():
    axes = plots.curves(
        [0, 1], {"a": {"ours": np.zeros(2), "formula": np.ones(2)}}, xlabel="t", dashed=["formula"]
    ).axes[0]
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--"]
    assert axes.lines[1].get_color() == plots.COLOURS["text"]


def test_names_stand_beside_their_lines_in_their_colours_and_on_nothing_else():
    x = np.linspace(0, 1, 50)
    lines = {"steep": 20 * x**4, "level": np.full(50, 4.0), "low": np.sin(3 * x), "wavy": 9 + np.sin(40 * x)}
    (axes,) = plots.curves(x, {"four": lines}, xlabel="x").axes
    assert axes.get_legend() is None
    axes.figure.draw_without_rendering()
    drawn = {line.get_label(): axes.transData.transform(line.get_xydata()) for line in axes.lines}
    boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert boxes.keys() == lines.keys()
    for text in axes.texts:
        name, box = text.get_text(), boxes[text.get_text()]
        assert text.get_color() == next(line.get_color() for line in axes.lines if line.get_label() == name)
        far = {
            other: np.hypot(*np.maximum(np.maximum(box.min - points, points - box.max), 0).T).min()
            for other, points in drawn.items()
        }
        assert far[name] > 0 and min(far, key=far.get) == name
        assert axes.bbox.contains(*box.min) and axes.bbox.contains(*box.max)
        assert not any(box.overlaps(boxes[other]) for other in boxes.keys() - {name})


def test_lines_that_cannot_be_told_apart_have_a_legend():
    (axes,) = plots.curves([0, 1], {"a": {"one": np.zeros(2), "other": np.zeros(2)}}, xlabel="t").axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "other"] and not axes.texts


@pytest.mark.parametrize("many", [2, 5])
def test_a_legend_lies_on_no_line(many):
    x = np.linspace(0, 1, 60)
    lines = {f"a long name {n}": 1 + 0.02 * np.sin(40 * x + n) for n in range(many)}
    lines["one through all"] = 1 - 0.2 * np.sin(7 * x)
    (axes,) = plots.curves(x, {"close": lines}, xlabel="x").axes
    axes.figure.draw_without_rendering()
    box = axes.get_legend().get_window_extent()
    for line in axes.lines:
        path = axes.transData.transform_path(line.get_path())
        assert not path.intersects_bbox(box, filled=False), line.get_label()
    assert (axes.bbox.min - 1 <= box.min).all() and (box.max <= axes.bbox.max + 1).all()


def test_an_axis_has_the_ends_that_are_asked_for():
    axes = plots.curves([0, 1], {"a": {"x": np.ones(2)}, "b": {"x": np.zeros(2)}}, xlabel="t", ylim=(0, 2)).axes
    assert [one.get_ylim() for one in axes] == [(0, 2), (0, 2)]


def test_a_label_has_one_colour_in_all_panels():
    values = {name: np.zeros(2) for name in ("none", "some", "all")}
    upper, lower = plots.curves([0, 1], {"a": values, "b": {"all": np.ones(2), "some": np.ones(2)}}, xlabel="t").axes
    colour = {line.get_label(): line.get_color() for line in upper.lines}
    assert list(colour.values()) == list(CYCLE[:3])
    assert all(line.get_color() == colour[line.get_label()] for line in lower.lines)


def test_panels_stand_below_each_other_and_letters_are_ten_pixels_high_on_a_phone():
    figure = plots.curves([0, 1], {name: {"x": np.zeros(2)} for name in "abc"}, xlabel="t")
    assert len({axes.get_subplotspec().colspan.start for axes in figure.axes}) == 1
    points = figure.axes[-1].get_xticklabels()[0].get_fontsize()
    assert points * 342 / (72 * figure.get_figwidth()) >= 10  # a page of 390 pixels leaves 342 to a picture


def test_curves_refuse_values_of_another_length():
    with pytest.raises(ValueError, match="3 values for 2 positions"):
        plots.curves([0, 1], {"loss": {"train": np.zeros(3)}}, xlabel="epoch")


def test_confidence_histogram_stacks_right_and_wrong_answers_to_the_share_of_each_bin():
    probs, labels = [[0.9, 0.1], [0.95, 0.05], [0.6, 0.4], [0.7, 0.3]], [0, 1, 0, 0]
    table = reliability(probs, labels, bins=4)
    axes = plots.confidence_histogram({"all": (probs, labels)}, bins=4).axes[0]
    np.testing.assert_allclose(bars(axes, "right"), [0, 0, 0.5, 0.25])
    np.testing.assert_allclose(bars(axes, "right") + bars(axes, "wrong"), table.share)
    assert {line.get_label(): line.get_xdata()[0] for line in axes.lines} == {
        "mean confidence": pytest.approx(0.7875),
        "accuracy": pytest.approx(0.75),
    }


def test_risk_coverage_curves_end_at_the_error_rate_and_name_their_area():
    curve = risk_coverage([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], [0, 0, 0, 1])
    axes = plots.risk_coverage_curve({"a": curve, "b": curve}).axes[0]
    for line in axes.lines:
        np.testing.assert_allclose(line.get_ydata(), [0, 0, 0, 0.25])
        np.testing.assert_allclose(line.get_xdata(), [0.25, 0.5, 0.75, 1])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a (area 0.0625)", "b (area 0.0625)"]
    worse = risk_coverage([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], [1, 0, 0, 0])
    apart = plots.risk_coverage_curve({"a": curve, "b": worse}).axes[0]
    assert [text.get_text() for text in apart.texts] == ["a (area 0.0625)", f"b (area {worse.area:.4f})"]
    assert len({line.get_linestyle() for line in axes.lines}) == 2


def test_seeds_are_all_drawn_beside_their_mean_and_interval():
    rows = {"first": ([1.0, 2.0, 3.0], (0.5, 3.5)), "second": ([-1.0, 0.0], (-2.0, 1.0))}
    axes = plots.seeds_with_interval(rows, xlabel="gain").axes[0]
    drawn = [line.get_xdata().tolist() for line in axes.lines[:6]]
    assert drawn == [[0.5, 3.5], [2.0], [1.0, 2.0, 3.0], [-2.0, 1.0], [-0.5], [-1.0, 0.0]]
    assert len(axes.lines) == 7 and axes.lines[-1].get_xdata() == [0, 0]
    assert len(plots.seeds_with_interval(rows, xlabel="gain", zero=False).axes[0].lines) == 6


def test_an_interval_that_misses_its_mean_is_refused():
    with pytest.raises(ValueError, match="does not hold the mean"):
        plots.seeds_with_interval({"gain": ([1.0, 3.0], (2.5, 3.5))}, xlabel="gain")


@pytest.mark.parametrize("draw", [plots.reliability_diagram, plots.confidence_histogram, plots.risk_coverage_curve])
def test_no_figures_without_content(draw):
    with pytest.raises(ValueError, match="at least one"):
        draw({})
    with pytest.raises(ValueError, match="at least one"):
        plots.seeds_with_interval({}, xlabel="gain")


def test_drawing_leaves_the_readers_style_alone():
    before = dict(matplotlib.rcParams)
    plots.curves([0, 1], {"loss": {"train": np.zeros(2)}}, xlabel="epoch")
    assert dict(matplotlib.rcParams) == before
