"""Analysis: what a trained model's features, pictures and losses give away."""

from lsedu.analysis.centres import Compactness, centre_distances, class_centres, compactness, distance_spread
from lsedu.analysis.membership import membership_auc
from lsedu.analysis.probes import Probe, linear_probe, mlp_probe
from lsedu.analysis.saliency import grad_cam, saliency_share
from lsedu.analysis.swap import Swap, swap_test

__all__ = [
    "Compactness",
    "Probe",
    "Swap",
    "centre_distances",
    "class_centres",
    "compactness",
    "distance_spread",
    "grad_cam",
    "linear_probe",
    "membership_auc",
    "mlp_probe",
    "saliency_share",
    "swap_test",
]
