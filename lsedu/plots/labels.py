"""Names written beside lines, in the colour of each: no legend to look up where the lines can be told apart."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

STEP, CLEAR, AWAY, FREE = 3.0, 2.0, 7.0, 40.0  # pixels of the drawing, 110 to the inch
"""Between points of a line; from a name to its own line, at least; to any other, at least; from where on more is no
better."""

SIDES = [np.array((right, up)) for up in (1, -1, 0) for right in (0, 1, -1) if right or up]


def _path(line: Line2D, box: Bbox) -> np.ndarray:
    """Return points of a line within the axes, in pixels, close enough to each other that no name slips between."""
    corners = line.get_transform().transform(np.column_stack(line.get_data()))
    corners = corners[np.isfinite(corners).all(1)]
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


def _places(number: int, paths: Sequence[np.ndarray], size: np.ndarray, box: Bbox) -> list[np.ndarray]:
    """Return where the middle of a name can be, the best first: beside its own line and away from all others."""
    found = []
    others = np.concatenate([path for n, path in enumerate(paths) if n != number])
    for point in paths[number][::4]:
        for side in SIDES:
            middle = point + side * (size / 2 + CLEAR + 2)
            low, high = middle - size / 2, middle + size / 2
            if (low < box.min + 1).any() or (high > box.max - 1).any():
                continue
            own, free = (_distance(points, middle, size) for points in (paths[number], others))
            if own >= CLEAR and free >= max(AWAY, 2 * own):
                # of places with room enough the one further right is better: there a line has come to its end
                found.append((min(free, FREE) + 10 * (middle[0] - box.x0) / box.width, middle))
    return [middle for _, middle in sorted(found, key=lambda place: -place[0])]


def name_lines(axes: Axes) -> bool:
    """Write each line's label beside it; where lines lie too close for that, draw a legend.

    Parameters
    ----------
    axes : Axes
        With all its lines and its final limits. Lines without a label of their own are left alone, and so is a single
        line, whose name is the title's.

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
    if len(lines) < 2:
        return True
    axes.figure.draw_without_rendering()  # the layout has to have settled before a distance means something
    box = axes.get_window_extent()
    paths = [_path(line, box) for line in axes.get_lines()]
    texts, taken = {}, []
    # a name may lie on no line of the axes, named or not
    offers = {}
    for number, line in enumerate(axes.get_lines()):
        if line in lines:
            text = axes.text(0, 0, line.get_label(), color=line.get_color(), ha="center", va="center", zorder=5)
            text.set_in_layout(False)
            size = text.get_window_extent().size
            texts[line], offers[line] = (text, size), _places(number, paths, size, box)
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
            axes.legend()
            return False
        text.set_position(axes.transData.inverted().transform(middle))
        taken.append((middle, size))
    return True
