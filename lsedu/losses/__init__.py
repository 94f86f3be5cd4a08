"""Losses of the three papers, one family a file: logits in, loss (nats) out.

Every loss takes logits (N, K) and integer labels (N,), widens half precision to float32, leaves out samples with label
`ignore_index`, and reduces like PyTorch, but for one thing: the mean over no sample is 0 with zero gradient, not NaN.
"""

from lsedu.losses.confidence import confidence_penalty, prior_kl
from lsedu.losses.cross_entropy import cross_entropy
from lsedu.losses.distillation import Distillation, SubstituteTeacher, distillation
from lsedu.losses.focal import focal, focal_sample_dependent
from lsedu.losses.learnable import VARIANTS, LearnableLabelSmoothing, learnable_smoothing
from lsedu.losses.learnable_relatives import LabelSmoothingPlusPlus, TopNSmoothing, restrict
from lsedu.losses.lls_gradients import TERMS, Term, lls_gradients
from lsedu.losses.online import OnlineLabelSmoothing, online_smoothing
from lsedu.losses.smoothing import label_smoothing, logit_gap
from lsedu.losses.teacher_free import tf_kd_reg, tf_kd_self, virtual_teacher
from lsedu.losses.variational import StochasticEncoder, gaussian_kl, reparametrise, vib
from lsedu.losses.variational_discrete import Bounds, vib_bounds, vib_discrete
from lsedu.losses.zipf import zipf_smoothing

__all__ = [
    "TERMS",
    "VARIANTS",
    "Bounds",
    "Distillation",
    "LabelSmoothingPlusPlus",
    "LearnableLabelSmoothing",
    "OnlineLabelSmoothing",
    "StochasticEncoder",
    "SubstituteTeacher",
    "Term",
    "TopNSmoothing",
    "confidence_penalty",
    "cross_entropy",
    "distillation",
    "focal",
    "focal_sample_dependent",
    "gaussian_kl",
    "label_smoothing",
    "learnable_smoothing",
    "lls_gradients",
    "logit_gap",
    "online_smoothing",
    "prior_kl",
    "reparametrise",
    "restrict",
    "tf_kd_reg",
    "tf_kd_self",
    "vib",
    "vib_bounds",
    "vib_discrete",
    "virtual_teacher",
    "zipf_smoothing",
]
