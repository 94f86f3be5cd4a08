"""Figures in one style: arrays in, a matplotlib Figure out, never shown, no global state touched."""

from lsedu.plots.colours import COLOURS
from lsedu.plots.confidence import confidence_histogram
from lsedu.plots.curves import curves
from lsedu.plots.plane import information_plane
from lsedu.plots.reliability import reliability_diagram
from lsedu.plots.seeds import seeds_with_interval
from lsedu.plots.selective import risk_coverage_curve
from lsedu.plots.style import style
from lsedu.plots.table import conditional_table

__all__ = [
    "COLOURS",
    "conditional_table",
    "confidence_histogram",
    "curves",
    "information_plane",
    "reliability_diagram",
    "risk_coverage_curve",
    "seeds_with_interval",
    "style",
]
