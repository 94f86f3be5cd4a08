"""The information plane: points, curves, and the region that no encoder reaches."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.path import Path

from lsedu.plots.colours import COLOURS, of_labels
from lsedu.plots.labels import name_lines
from lsedu.plots.style import WIDTH, style

MARKERS = "osD^vP*X"


def information_plane(
    points: Mapping[str, Any],
    *,
    ceiling: float,
    curves: Mapping[str, tuple[Any, Any]] | None = None,
    dashed: Collection[str] = (),
    meanings: Mapping[str, str] | None = None,
) -> Figure:
    r"""Return the plane in bits, I(X;Z) to the right and I(Y;Z) up, with the region beyond min(I(X;Z), I(X;Y)) hatched.

    Parameters
    ----------
    points : mapping of str to array-like, shape (2,) or (P, 2)
        By label, pairs of I(X;Z) and I(Y;Z) in bits; a label beyond 200 points gets small ones.
    ceiling : float
        I(X;Y) in bits, which I(Y;Z) cannot pass; H(Y) where labels do not contradict.
    curves : mapping of str to pair of array-like, shape (C,), optional
        By label, I(X;Z) and I(Y;Z) along a line.
    dashed : collection of str
        Labels of curves to be dashed.
    meanings : mapping of str to str, optional
        By label, what in `COLOURS` it has the colour of.

    Raises
    ------
    ValueError
        If there is nothing to draw, or `points` are no pairs.

    Examples
    --------
    >>> figure = information_plane({"smoothed": [0.5, 0.5]}, ceiling=1.0)
    >>> figure.axes[0].get_ylabel()
    'I(Y;Z) in bits'
    """
    lines = {label: np.asarray(line, dtype=float) for label, line in (curves or {}).items()}
    clouds = {label: np.atleast_2d(np.asarray(pairs, dtype=float)) for label, pairs in points.items()}
    if not clouds and not lines:
        raise ValueError("information_plane needs at least one point or curve, got none")
    for label, cloud in clouds.items():
        if cloud.ndim != 2 or cloud.shape[1] != 2:
            raise ValueError(f"points of {label!r} must be pairs of shape (P, 2), got shape {cloud.shape}")
    right = max(
        [ceiling, *(cloud[:, 0].max() for cloud in clouds.values()), *(line[0].max() for line in lines.values())]
    )
    right *= 1.06
    with rc_context(style()):
        figure = Figure(figsize=(WIDTH, 3.7))
        axes = figure.subplots()
        edge = [0.0, ceiling, right]
        top = 1.12 * ceiling
        axes.fill_between(
            edge, [0.0, ceiling, ceiling], top, facecolor=COLOURS["panel"], edgecolor=COLOURS["border"], hatch="//",
            linewidth=0,
        )  # fmt: skip
        border = np.column_stack([edge, [0.0, ceiling, ceiling]])
        axes.add_collection(LineCollection([border], color=COLOURS["muted"], linewidth=1))
        axes.text(0.03 * right, 0.97 * top, "no encoder is here", va="top", color=COLOURS["text"], fontsize=9.5)
        colours = of_labels([*lines, *clouds]) | {k: COLOURS[meaning] for k, meaning in (meanings or {}).items()}
        for label, line in lines.items():
            axes.plot(*line, "--" if label in dashed else "-", label=label, color=colours[label])
        for number, (label, cloud) in enumerate(clouds.items()):
            many = len(cloud) > 200
            axes.plot(
                *cloud.T, MARKERS[number % len(MARKERS)], label=label, color=colours[label],
                markersize=2 if many else 6, alpha=0.5 if many else 1.0, markeredgewidth=0, rasterized=False,
            )  # fmt: skip
        axes.set(xlim=(0, right), ylim=(0, top), xlabel="I(X;Z) in bits", ylabel="I(Y;Z) in bits")
        name_lines(axes, closed=Path([(0.0, top), *border, (right, top)]), alone=True)
    return figure
