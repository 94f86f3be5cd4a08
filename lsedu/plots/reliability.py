"""Reliability diagrams: accuracy by bin of confidence, and how many samples each bin holds."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lsedu.plots.colours import COLOURS
from lsedu.plots.style import WIDTH, style

if TYPE_CHECKING:
    from lsedu.calibration import Reliability


GAPS = (("too sure", 1, "too-sure", "///"), ("too timid", -1, "too-timid", "\\\\\\"))
"""By the sign of confidence minus accuracy: what it is called, its colour and its hatch."""


def _legend() -> list[Patch]:
    """Return the signs, all three whether or not a diagram has both kinds of gap."""
    accuracy = Patch(facecolor=to_rgba(COLOURS["accuracy"], 0.35), edgecolor=COLOURS["accuracy"], label="accuracy")
    gaps = [
        Patch(facecolor=COLOURS[f"{meaning}-ground"], edgecolor=COLOURS[meaning], hatch=hatch, label=label)
        for label, _, meaning, hatch in GAPS
    ]
    return [accuracy, *gaps]


def reliability_diagram(tables: "dict[str, Reliability]") -> Figure:
    """Return one reliability diagram a table, side by side on the same axes.

    Parameters
    ----------
    tables : dict of str to Reliability
        By title, what `lsedu.calibration.reliability` returned.

    Returns
    -------
    Figure
        Outlined bars are accuracy. A gap to confidence is hatched above the outline where the model is too sure, and
        within it, the other way, where it is too timid; the share of the samples by bin is below.

    Raises
    ------
    ValueError
        If there is no table.

    Notes
    -----
    After :cite:p:`niculescu2005` and :cite:p:`guo2017`.

    Examples
    --------
    >>> from lsedu.calibration import reliability
    >>> figure = reliability_diagram({"two samples": reliability([[0.9, 0.1], [0.8, 0.2]], [0, 1], bins=5)})
    >>> len(figure.axes)
    2
    """
    if not tables:
        raise ValueError("reliability_diagram needs at least one table, got an empty dict")
    with rc_context(style()):
        figure = Figure(figsize=(max(WIDTH * min(len(tables), 2) / 2, 4.2), 4.0))
        grid = figure.subplots(2, len(tables), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 1))
        for (title, table), (upper, lower) in zip(tables.items(), grid.T):
            left, width = table.edges[:-1], np.diff(table.edges)
            accuracy, gap = np.nan_to_num(table.accuracy), np.nan_to_num(table.gap)
            edge = {"align": "edge", "linewidth": 0.8}
            upper.bar(left, accuracy, width, color=to_rgba(COLOURS["accuracy"], 0.35), align="edge")
            for label, sign, meaning, hatch in GAPS:
                here = sign * gap > 0
                # from the accuracy to the confidence, whichever is higher: the outline of the accuracy stays on top
                upper.bar(
                    left[here], gap[here], width[here], accuracy[here], color=COLOURS[f"{meaning}-ground"],
                    edgecolor=COLOURS[meaning], hatch=hatch, label=label, zorder=2, **edge,
                )  # fmt: skip
            upper.bar(
                left, accuracy, width, fill=False, edgecolor=COLOURS["accuracy"], label="accuracy", align="edge",
                linewidth=np.where(table.count > 0, 1.6, 0), zorder=3,
            )  # fmt: skip
            upper.plot([0, 1], [0, 1], "--", color=COLOURS["text"], linewidth=1.2, zorder=4)
            upper.set(title=title, xlim=(0, 1), ylim=(0, 1.02), xticks=(0, 0.5, 1))
            lower.bar(left, table.share, width, color=COLOURS["muted"], edgecolor="white", **edge)
            lower.set(xlabel="confidence", ylim=(0, 1))
        grid[0, 0].set_ylabel("accuracy")
        grid[1, 0].set_ylabel("share")
        figure.legend(handles=_legend(), loc="outside upper center", ncols=3)
    return figure
