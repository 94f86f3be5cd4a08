"""Lines over one axis, each with the spread over seeds where there is one."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from lsedu.plots.colours import COLOURS, of_labels
from lsedu.plots.labels import name_lines
from lsedu.plots.style import WIDTH, style


def curves(
    x: Sequence[float],
    panels: Mapping[str, Mapping[str, np.ndarray]],
    *,
    xlabel: str,
    logx: bool = False,
    logy: bool = False,
    ylim: tuple[float, float] | None = None,
    dashed: Collection[str] = (),
    meanings: Mapping[str, str] | None = None,
) -> Figure:
    """Return panels of lines over the same axis, one below the other: side by side, a phone shrinks them.

    Parameters
    ----------
    x : array-like, shape (X,)
        Positions.
    panels : mapping of str to mapping of str to ndarray
        By title, by label: values of shape (X,), or (seeds, X), drawn as mean with the range over seeds.
    xlabel : str
        Name of the axis.
    logx, logy : bool
        Whether an axis is logarithmic.
    ylim : tuple of float, optional
        Ends of the upright axis of all panels.
    dashed : collection of str
        Labels of lines that are no measurement (a closed form, say): dashed, and black as letters are.
    meanings : mapping of str to str, optional
        By label, what in `COLOURS` it has the colour of, where its words do not tell.

    Raises
    ------
    ValueError
        If values and positions differ in number.

    Examples
    --------
    >>> figure = curves([1, 2, 3], {"loss": {"train": np.array([3.0, 2.0, 1.0])}}, xlabel="epoch")
    >>> figure.axes[0].get_title(loc="left")
    'loss'
    """
    x = np.asarray(x)
    with rc_context(style()):
        figure = Figure(figsize=(WIDTH, 0.6 + 2.2 * len(panels)))
        column = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        labels = (label for lines in panels.values() for label in lines if label not in dashed)
        colours = of_labels(labels)  # a label has one in all panels
        meanings = {label: "text" for label in dashed} | dict(meanings or {})
        colours |= {label: COLOURS[meaning] for label, meaning in meanings.items()}
        for axes, (title, lines) in zip(column, panels.items()):
            for label, values in lines.items():
                values = np.atleast_2d(values)
                if values.shape[1] != len(x):
                    raise ValueError(f"{label!r} has {values.shape[1]} values for {len(x)} positions")
                colour = colours[label]
                axes.plot(x, values.mean(0), "--" if label in dashed else "-", label=label, color=colour)
                if len(values) > 1:
                    axes.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
            axes.set(title=title)
            if logx:
                axes.set_xscale("log")
            if logy:
                axes.set_yscale("log")
            if ylim:
                axes.set_ylim(ylim)
        column[-1].set_xlabel(xlabel)
        for axes in column:
            name_lines(axes)
    return figure
