"""The one style of the course's figures: sizes, colours, plain axes."""

from typing import Any

from lsedu.plots.colours import COLOURS, CYCLE

WIDTH = 4.8  # inches: on a phone of 390 pixels a letter of 10.5 points is still as many pixels high


def style() -> dict[str, Any]:
    """Return the style as matplotlib's rcParams.

    Examples
    --------
    >>> style()["axes.spines.top"]
    False
    """
    from matplotlib import cycler

    return {
        "figure.figsize": (WIDTH, 3.2),
        "figure.dpi": 110,
        "figure.constrained_layout.use": True,
        "savefig.dpi": 160,
        "font.size": 10.5,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=list(CYCLE)),
        "grid.color": COLOURS["grid"],
        "lines.linewidth": 2.0,
        "legend.frameon": False,
        "hatch.linewidth": 0.6,
    }
