"""Risk-coverage curves: the error rate among the answers that are kept, when the least sure are set aside."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure

from lsedu.plots.labels import name_lines
from lsedu.plots.style import WIDTH, style

if TYPE_CHECKING:
    from lsedu.calibration import RiskCoverage


def risk_coverage_curve(curves: "Mapping[str, RiskCoverage]") -> Figure:
    """Return the risk-coverage curves of several models on the same axes.

    Parameters
    ----------
    curves : mapping of str to RiskCoverage
        By label, what `lsedu.calibration.risk_coverage` returned; the area under each stands beside its name.

    Raises
    ------
    ValueError
        If there is no curve.

    Notes
    -----
    :cite:p:`geifman2017`. A lower curve is better; at coverage 1 it ends at the error rate.

    Examples
    --------
    >>> from lsedu.calibration import risk_coverage
    >>> figure = risk_coverage_curve({"four samples": risk_coverage([[0.9, 0.1], [0.6, 0.4]], [0, 1])})
    >>> figure.axes[0].get_xlabel()
    'coverage: share of the samples kept'
    """
    if not curves:
        raise ValueError("risk_coverage_curve needs at least one curve, got an empty mapping")
    with rc_context(style()):
        figure = Figure(figsize=(WIDTH, 3.2))
        axes = figure.subplots()
        for (label, curve), line in zip(curves.items(), ("-", "--", ":", "-.") * len(curves)):
            axes.plot(curve.coverage, curve.risk, line, label=f"{label} (area {curve.area:.4f})")
        axes.set(xlabel="coverage: share of the samples kept", ylabel="error rate", xlim=(0, 1))
        axes.set_ylim(bottom=0)
        name_lines(axes)
    return figure
