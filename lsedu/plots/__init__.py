"""Figures in one style: arrays in, a matplotlib Figure out, never shown, no global state touched."""

from lsedu.plots.colours import COLOURS
from lsedu.plots.confidence import confidence_histogram
from lsedu.plots.curves import curves
from lsedu.plots.reliability import reliability_diagram
from lsedu.plots.seeds import seeds_with_interval
from lsedu.plots.selective import risk_coverage_curve
from lsedu.plots.style import style

__all__ = [
    "COLOURS",
    "confidence_histogram",
    "curves",
    "reliability_diagram",
    "risk_coverage_curve",
    "seeds_with_interval",
    "style",
]
