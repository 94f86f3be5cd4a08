"""The information bottleneck: its curve, its functionals, and solvers for a conditional table p(y|x).

Beta multiplies I(Y;Z), as in :cite:p:`tishby2000`: the Lagrangian to be made small is I(X;Z) - beta I(Y;Z), of interest
for beta > 1. Where I(X;Z) carries the multiplier instead, as in the variational bottleneck, it is 1 / beta.
"""

from lsedu.bottleneck.blahut_arimoto import blahut_arimoto, curve
from lsedu.bottleneck.constrained import Constrained, constrained
from lsedu.bottleneck.deterministic import deterministic_curve, erasure_encoder
from lsedu.bottleneck.gradient import adam
from lsedu.bottleneck.lagrangian import (
    lagrangian,
    lagrangian_gradient,
    squared_lagrangian,
    squared_lagrangian_gradient,
)
from lsedu.bottleneck.solution import Curve, Solution

__all__ = [
    "Constrained",
    "Curve",
    "Solution",
    "adam",
    "blahut_arimoto",
    "constrained",
    "curve",
    "deterministic_curve",
    "erasure_encoder",
    "lagrangian",
    "lagrangian_gradient",
    "squared_lagrangian",
    "squared_lagrangian_gradient",
]
