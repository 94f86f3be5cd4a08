"""Every seed with the mean and its interval: what a table of means leaves out."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from lsedu.plots.colours import COLOURS
from lsedu.plots.style import WIDTH, style


def seeds_with_interval(
    rows: Mapping[str, tuple[Sequence[float], tuple[float, float]]], *, xlabel: str, zero: bool = True
) -> Figure:
    """Return one row a quantity: a dot for each seed, the mean, and the interval of the mean.

    Parameters
    ----------
    rows : mapping of str to tuple
        By label: values of shape (seeds,) and the ends (low, high) of the interval, as
        `lsedu.experiments.interval` has them.
    xlabel : str
        Name and unit of the quantity.
    zero : bool
        Whether to mark 0, where the values are differences.

    Raises
    ------
    ValueError
        If there is no row, or an interval does not hold its mean.

    Examples
    --------
    >>> figure = seeds_with_interval({"gain": ([0.1, 0.2, 0.3], (-0.05, 0.45))}, xlabel="points")
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['gain']
    """
    if not rows:
        raise ValueError("seeds_with_interval needs at least one row, got an empty mapping")
    with rc_context(style()):
        figure = Figure(figsize=(WIDTH, 0.9 + 0.45 * len(rows)))
        axes = figure.subplots()
        for place, (label, (values, (low, high))) in enumerate(rows.items()):
            mean = float(np.mean(values))
            if not low <= mean <= high:
                raise ValueError(f"{label!r}: the interval ({low}, {high}) does not hold the mean {mean}")
            axes.plot([low, high], [place, place], color=COLOURS["mean"], linewidth=2.5, solid_capstyle="butt")
            axes.plot(mean, place, "D", color=COLOURS["mean"], markersize=7)
            axes.plot(
                values, np.full(len(values), place + 0.22), "o", color=COLOURS["seed"], markersize=4.5, alpha=0.75
            )
        if zero:
            axes.axvline(0, color=COLOURS["muted"], linewidth=1)
        axes.set(xlabel=xlabel, yticks=range(len(rows)), yticklabels=list(rows), ylim=(len(rows) - 0.4, -0.6))
        axes.grid(axis="y", visible=False)
    return figure
