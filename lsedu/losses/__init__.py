"""Losses of the three papers, one family a file: logits in, loss (nats) out.

Every loss takes logits (K,), (N, K) or (N, K, d1, ...) and integer labels (), (N,) or (N, d1, ...), as
`torch.nn.functional.cross_entropy` does, widens half precision to float32, inside `torch.autocast` too, leaves out
samples with label `ignore_index`, and reduces like PyTorch, but for one thing: the mean over no sample is 0 with zero
gradient, not NaN. Functions have a form as module with their options given once, of the same name in capitals.

Dtypes and shapes are checked in each call. Values (a label out of range, a row that is no distribution) are checked
where looking costs nothing: on a CPU, outside `torch.compile`, `torch.func`, forward-mode differentiation and tracing.
On a GPU a look would make every step wait; ``with checked_values():`` asks for it.
"""

from lsedu._look import looking as checked_values
from lsedu.losses.confidence import ConfidencePenalty, confidence_penalty, prior_kl
from lsedu.losses.cross_entropy import CrossEntropy, cross_entropy
from lsedu.losses.distillation import Distillation, KnowledgeDistillation, distillation
from lsedu.losses.focal import Focal, FocalSampleDependent, focal, focal_sample_dependent
from lsedu.losses.learnable import VARIANTS, learnable_smoothing
from lsedu.losses.learnable_module import LearnableLabelSmoothing, restrict
from lsedu.losses.lls_gradients import TERMS, Term, lls_gradients
from lsedu.losses.online import OnlineLabelSmoothing, online_smoothing
from lsedu.losses.plus_plus import LabelSmoothingPlusPlus
from lsedu.losses.smoothing import LabelSmoothing, label_smoothing, logit_gap
from lsedu.losses.substitute import SubstituteTeacher
from lsedu.losses.teacher_free import TfKdReg, TfKdSelf, tf_kd_reg, tf_kd_self, virtual_teacher
from lsedu.losses.top_n import TopNSmoothing
from lsedu.losses.variational import StochasticEncoder, Vib, gaussian_kl, reparametrise, vib
from lsedu.losses.variational_discrete import Bounds, VibDiscrete, vib_bounds, vib_discrete
from lsedu.losses.zipf import ZipfSmoothing, zipf_smoothing

__all__ = [
    "TERMS",
    "VARIANTS",
    "Bounds",
    "ConfidencePenalty",
    "CrossEntropy",
    "Distillation",
    "Focal",
    "FocalSampleDependent",
    "KnowledgeDistillation",
    "LabelSmoothing",
    "LabelSmoothingPlusPlus",
    "LearnableLabelSmoothing",
    "OnlineLabelSmoothing",
    "StochasticEncoder",
    "SubstituteTeacher",
    "Term",
    "TfKdReg",
    "TfKdSelf",
    "TopNSmoothing",
    "Vib",
    "VibDiscrete",
    "ZipfSmoothing",
    "checked_values",
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
