"""Information: entropy, KL, exact mutual information of a conditional table, points on the information plane."""

from lsedu.information.entropy import entropy, kl
from lsedu.information.mutual import Point, encoder_information, mutual_information, plane_point, target_information
from lsedu.information.optima import balanced_information, smoothed_point
from lsedu.information.stream import PlaneMeter
from lsedu.information.tables import Merged, from_counts, merge_rows
from lsedu.information.units import Unit, convert

__all__ = [
    "Merged",
    "PlaneMeter",
    "Point",
    "Unit",
    "balanced_information",
    "convert",
    "encoder_information",
    "entropy",
    "from_counts",
    "kl",
    "merge_rows",
    "mutual_information",
    "plane_point",
    "smoothed_point",
    "target_information",
]
