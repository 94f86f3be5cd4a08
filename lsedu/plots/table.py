"""A conditional table to look at: a row of bars for each input, with its picture where there is one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lsedu.plots.colours import COLOURS
from lsedu.plots.style import WIDTH, style

LEAST = 0.005
"""Probabilities below it are drawn, but their number is left out."""


def conditional_table(
    rows: Any,
    *,
    columns: Sequence[str],
    names: Sequence[str] | None = None,
    pictures: Any = None,
    marked: Sequence[int] | None = None,
    meaning: str = "first",
) -> Figure:
    """Return a table p(z|x), each cell a bar as wide as its probability, with the percentage in it.

    Parameters
    ----------
    rows : array-like, shape (N, M)
        Distributions along the last axis, in [0, 1].
    columns : sequence of str, length M
        Names of the values of Z.
    names : sequence of str, length N, optional
        Name of each row.
    pictures : array-like, shape (N, height, width), optional
        A grey picture for each row.
    marked : sequence of int, length N, optional
        The column to outline in each row: its label, say.
    meaning : str
        What in `COLOURS` the bars have the colour of.

    Raises
    ------
    ValueError
        If `rows` is no table, or names, pictures or marks are not one for each row.

    Examples
    --------
    >>> figure = conditional_table([[0.75, 0.25], [0.0, 1.0]], columns=["shirt", "coat"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['75', '25', '100']
    """
    table = np.asarray(rows, dtype=float)
    if table.ndim != 2 or table.shape[1] != len(columns):
        raise ValueError(f"rows must be a table with {len(columns)} columns, got shape {table.shape}")
    for name, value in (("names", names), ("pictures", pictures), ("marked", marked)):
        if value is not None and len(value) != len(table):
            raise ValueError(f"{name} must be {len(table)}, one for each row, got {len(value)}")
    size, width = table.shape
    with rc_context(style()):
        figure = Figure(figsize=(WIDTH, 0.75 + 0.42 * size))
        axes = figure.subplots()
        for i, j in np.ndindex(size, width):
            bar = Rectangle((j + 0.04, i + 0.08), 0.92 * table[i, j], 0.84, alpha=0.45, linewidth=0)
            bar.set_facecolor(COLOURS[meaning])
            axes.add_patch(bar)
            outlined = marked is not None and marked[i] == j
            axes.add_patch(
                Rectangle(
                    (j + 0.04, i + 0.08), 0.92, 0.84, fill=False, linewidth=1.8 if outlined else 0.6,
                    edgecolor=COLOURS["text" if outlined else "border"], zorder=3 if outlined else 2,
                )
            )  # fmt: skip
            if table[i, j] >= LEAST:
                axes.text(
                    j + 0.5, i + 0.5, f"{100 * table[i, j]:.0f}", ha="center", va="center",
                    fontsize=9 if width <= 10 else 7, color=COLOURS["text"], zorder=4,
                )  # fmt: skip
        if pictures is not None:
            for i, picture in enumerate(pictures):
                axes.imshow(picture, cmap="gray", extent=(-0.25 - 0.84 * width / 10, -0.25, i + 0.92, i + 0.08))
        axes.set(
            xlim=(-0.3 - (0.84 * width / 10 if pictures is not None else 0), width + 0.05),
            ylim=(size, 0),
            xticks=np.arange(width) + 0.5,
            yticks=np.arange(size) + 0.5,
        )
        axes.set_aspect("auto")
        axes.set_xticklabels(columns, rotation=55 if width > 4 else 0, ha="left" if width > 4 else "center", fontsize=9)
        axes.set_yticklabels(names if names is not None else [""] * size, fontsize=9.5)
        axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure
