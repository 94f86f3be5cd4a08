"""Reliability diagrams: accuracy by bin of confidence, and how many samples each bin holds."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from lsedu.plots.style import COLOURS, WIDTH, style

if TYPE_CHECKING:
    from lsedu.calibration import Reliability


def reliability_diagram(tables: "dict[str, Reliability]") -> Figure:
    """Return one reliability diagram a table, side by side on the same axes.

    Parameters
    ----------
    tables : dict of str to Reliability
        By title, what `lsedu.calibration.reliability` returned.

    Returns
    -------
    Figure
        Solid bars are accuracy, hatched ones the gap to confidence; the share of the samples by bin is below.

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
            accuracy = np.nan_to_num(table.accuracy)
            edge = {"align": "edge", "linewidth": 0.8}
            upper.bar(left, accuracy, width, color=COLOURS["first"], edgecolor="white", label="accuracy", **edge)
            upper.bar(
                left, table.gap, width, accuracy, color=COLOURS["gap"], edgecolor=COLOURS["second"], hatch="//",
                label="gap to confidence", **edge,
            )  # fmt: skip
            upper.plot([0, 1], [0, 1], "--", color=COLOURS["muted"], linewidth=1.2)
            upper.set(title=title, xlim=(0, 1), ylim=(0, 1.02), xticks=(0, 0.5, 1))
            lower.bar(left, table.share, width, color=COLOURS["muted"], edgecolor="white", **edge)
            lower.set(xlabel="confidence", ylim=(0, 1))
        grid[0, 0].set_ylabel("accuracy")
        grid[1, 0].set_ylabel("share")
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
