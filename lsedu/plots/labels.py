"""Names written beside lines, in the colour of each: no legend to look up where the lines can be told apart."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.transforms import Bbox

STEP, CLEAR, AWAY, FREE = 3.0, 2.0, 7.0, 40.0  # pixels of the drawing, 110 to the inch
"""Between points of a line; from a name to its own line, at least; to any other, at least; from where on more is no
better."""
MANY = 100
"""Of so many points of a line, at most, the places beside are tried."""

SIDES = [np.array((right, up)) for up in (1, -1, 0) for right in (0, 1, -1) if right or up]


def _path(line: Line2D, box: Bbox) -> np.ndarray:
    """Return points of a line within the axes, in pixels, close enough to each other that no name slips between."""
    corners = line.get_transform().transform(np.column_stack(line.get_data()))
    corners = corners[np.isfinite(corners).all(1)]
    if line.get_linestyle() == "None":  # markers only: between them is nothing
        return corners[(corners >= box.min).all(1) & (corners <= box.max).all(1)]
    if len(corners) > 2:  # of thousands of values, those that a step along the line lies between: the rest is no news
        steps = np.cumsum(np.hypot(*np.diff(corners, axis=0).T)) // STEP
        corners = corners[np.r_[True, np.diff(steps[:-1], prepend=0) > 0, True]]
    lengths = np.hypot(*np.diff(corners, axis=0).T)
    pieces = [
        start + np.linspace(0, 1, max(2, int(length / STEP) + 1))[:, None] * (end - start)
        for start, end, length in zip(corners, corners[1:], np.minimum(lengths, 10 * max(box.size)))
    ]
    points = np.concatenate([corners[:1], *pieces])
    return points[(points >= box.min).all(1) & (points <= box.max).all(1)]


def _distance(points: np.ndarray, middle: np.ndarray, size: np.ndarray) -> float:
    """Return the distance of the nearest of some points from a box, 0 within it."""
    outside = np.maximum(abs(points - middle) - size / 2, 0)
    return float(np.hypot(*outside.T).min()) if len(points) else np.inf


def _radius(line: Line2D) -> float:
    """Return the radius of a line's markers in pixels, 0 where it has none."""
    drawn = line.get_marker() not in ("None", None, "", " ")
    return line.get_markersize() / 2 * line.figure.dpi / 72 if drawn else 0.0


def _within(region: Path | None, axes: Axes, box: Bbox) -> np.ndarray:
    """Return points of a region of the axes, in pixels, close enough that no name slips between."""
    if region is None:
        return np.empty((0, 2))
    grid = np.stack(np.meshgrid(*(np.arange(*ends, 2 * STEP) for ends in (box.intervalx, box.intervaly))), -1)
    points = grid.reshape(-1, 2)
    return points[axes.transData.transform_path(region).contains_points(points)]


def _places(
    number: int, paths: Sequence[np.ndarray], size: np.ndarray, box: Bbox, *, radius: float, closed: np.ndarray
) -> list[np.ndarray]:
    """Return where the middle of a name can be, the best first: beside its own line and away from all others."""
    found = []
    others = np.concatenate([path for n, path in enumerate(paths) if n != number] + [np.empty((0, 2))])
    clear = CLEAR + radius
    for point in paths[number][:: max(4 if not radius else 1, len(paths[number]) // MANY)]:
        for side in SIDES:
            middle = point + side * (size / 2 + clear + 2)
            low, high = middle - size / 2, middle + size / 2
            if (low < box.min + 1).any() or (high > box.max - 1).any() or _distance(closed, middle, size) < CLEAR:
                continue
            own, free = (_distance(points, middle, size) for points in (paths[number], others))
            if own >= clear and free >= max(AWAY, 2 * (own - radius)):
                # of places with room enough the one further right is better: there a line has come to its end
                found.append((min(free, FREE) + 10 * (middle[0] - box.x0) / box.width, middle))
    return [middle for _, middle in sorted(found, key=lambda place: -place[0])]


def _legend(axes: Axes, paths: Sequence[np.ndarray], closed: np.ndarray, box: Bbox) -> Legend:
    """Draw a legend where it lies on no line; where there is no such place, above them all, on room of its own."""
    taken = np.concatenate([*paths, closed])
    for corner in ("lower right", "upper right", "upper left", "lower left"):
        legend = axes.legend(loc=corner)
        extent = legend.get_window_extent()
        if _distance(taken, extent.min + extent.size / 2, extent.size) >= CLEAR:
            return legend
    for columns in (2, 1):
        legend = axes.legend(loc="upper left", ncols=columns, columnspacing=1.2)
        if legend.get_window_extent().width <= box.width:
            break
    share = min((legend.get_window_extent().height + 2 * AWAY) / box.height, 0.6)
    bottom, top = axes.get_ylim()
    beyond = axes.transData.inverted().transform((box.x0, box.y0 + box.height / (1 - share)))[1]
    axes.set_ylim(bottom, beyond)
    axes.set_yticks([tick for tick in axes.get_yticks() if bottom <= tick <= top])
    axes.set_ylim(bottom, beyond)
    return legend


def name_lines(axes: Axes, *, closed: Path | None = None, alone: bool = False) -> bool:
    """Write each line's label beside it; where lines lie too close for that, draw a legend that lies on none.

    Parameters
    ----------
    axes : Axes
        With all its lines and its final limits. Lines without a label of their own are left alone.
    closed : Path, optional
        A region, in the units of the axes, that no name may lie in.
    alone : bool
        Whether a single line is named too; as a rule its name is the title's.

    Returns
    -------
    bool
        Whether the names stand beside the lines.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> _ = axes.plot([0, 1], [0, 0], label="low"), axes.plot([0, 1], [1, 1], label="high")
    >>> name_lines(axes), [text.get_text() for text in axes.texts]
    (True, ['low', 'high'])
    """
    lines = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    if len(lines) < 2 and not (lines and alone):
        return True
    axes.figure.draw_without_rendering()  # the layout has to have settled before a distance means something
    box = axes.get_window_extent()
    paths = [_path(line, box) for line in axes.get_lines()]
    region = _within(closed, axes, box)
    texts, taken = {}, []
    # a name may lie on no line of the axes, named or not
    offers = {}
    for number, line in enumerate(axes.get_lines()):
        if line in lines:
            text = axes.text(0, 0, line.get_label(), color=line.get_color(), ha="center", va="center", zorder=5)
            text.set_in_layout(False)
            size = text.get_window_extent().size
            texts[line], offers[line] = (
                (text, size), _places(number, paths, size, box, radius=_radius(line), closed=region),
            )  # fmt: skip
    for line in sorted(lines, key=lambda line: len(offers[line])):
        text, size = texts[line]
        free = (
            middle
            for middle in offers[line]
            if all((abs(middle - other) > (size + room) / 2 + 2).any() for other, room in taken)
        )
        middle = next(free, None)
        if middle is None:
            for other, _ in texts.values():
                other.remove()
            _legend(axes, paths, region, box)
            return False
        text.set_position(axes.transData.inverted().transform(middle))
        taken.append((middle, size))
    return True
