"""Figures in one style: arrays in, a matplotlib Figure out, never shown, no global state touched."""

from lsedu.plots.curves import curves
from lsedu.plots.reliability import reliability_diagram
from lsedu.plots.style import COLOURS, style

__all__ = ["COLOURS", "curves", "reliability_diagram", "style"]
