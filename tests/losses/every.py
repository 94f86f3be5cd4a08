"""Every loss as a function of logits, labels and options, and every criterion: what the tests of this folder share.

The tables they need are made by arithmetic: inside torch.compile and torch.func nothing may be drawn.
"""

import runpy
from pathlib import Path

import torch

from lsedu import losses as L


def table(k, like):
    """Return a K x K table of logits, in float32 at least and where `like` is."""
    dtype = torch.promote_types(like.dtype, torch.float32)
    at = torch.arange(k * k, device=like.device).to(torch.float64)
    return torch.sin(2.0 * at * at + 1.0).mul(1.5).reshape(k, k).to(dtype)


def classes(z):
    return z.shape[min(1, z.ndim - 1)]


def teacher(z):
    """Return a teacher's logits, the same for all samples, of the shape of the student's."""
    row = table(classes(z), z)[0].to(z.dtype)
    return (row if z.ndim == 1 else row.reshape(-1, *[1] * (z.ndim - 2))).expand_as(z)


def probabilities(z):
    return table(classes(z), z).softmax(1)


def module(criterion, logits, labels, **options):
    for name, value in options.items():
        setattr(criterion, name, value)
    return criterion(logits, labels)


def _plus_plus(z, y, options, **chosen):
    return module(L.LabelSmoothingPlusPlus(classes(z), device=z.device, **chosen), z, y, **options)


LOSSES = {
    "cross_entropy": lambda z, y, **o: L.cross_entropy(z, y, **o),
    "label_smoothing": lambda z, y, **o: L.label_smoothing(z, y, alpha=0.1, **o),
    "label_smoothing others": lambda z, y, **o: L.label_smoothing(z, y, alpha=0.1, convention="others", **o),
    "confidence beta": lambda z, y, **o: L.confidence_penalty(z, y, beta=0.3, **o),
    "confidence alpha": lambda z, y, **o: L.confidence_penalty(z, y, alpha=0.3, **o),
    "focal": lambda z, y, **o: L.focal(z, y, **o),
    "focal half": lambda z, y, **o: L.focal(z, y, gamma=0.5, **o),
    "flsd": lambda z, y, **o: L.focal_sample_dependent(z, y, **o),
    "distillation": lambda z, y, **o: L.distillation(z, teacher(z), y, temperature=3.0, beta=0.4, **o),
    "tf_kd_reg paper": lambda z, y, **o: L.tf_kd_reg(z, y, **o),
    "tf_kd_reg code": lambda z, y, **o: L.tf_kd_reg(z, y, form="code", **o),
    "tf_kd_self paper": lambda z, y, **o: L.tf_kd_self(z, teacher(z), y, **o),
    "tf_kd_self code": lambda z, y, **o: L.tf_kd_self(z, teacher(z), y, form="code", **o),
    "online": lambda z, y, **o: L.online_smoothing(z, y, probabilities(z), **o),
    "zipf": lambda z, y, **o: L.zipf_smoothing(z, y, strength=0.5, **o),
    "vib": lambda z, y, **o: L.vib(z, y, z, z.tanh(), beta=0.1, **o),
    "vib discrete": lambda z, y, **o: L.vib_discrete(z, probabilities(z), y, beta=0.1, **o),
    "substitute": lambda z, y, **o: module(L.SubstituteTeacher(table(classes(z), z), beta=0.2), z, y, **o),
    **{
        f"lls {v}": lambda z, y, v=v, **o: L.learnable_smoothing(z, y, table(classes(z), z), variant=v, **o)
        for v in L.VARIANTS
    },
    "top n": lambda z, y, **o: module(L.TopNSmoothing(table(classes(z), z), 2), z, y, **o),
    "label smoothing++": lambda z, y, **o: _plus_plus(z, y, o),
    "label smoothing++ lls": lambda z, y, **o: _plus_plus(z, y, o, variant="lls"),
}
# A loss with a test file of its own declares its calls there, as SUITE.
for path in sorted(Path(__file__).parent.glob("test_*.py")):
    if "\nSUITE = " in path.read_text(encoding="utf-8"):
        LOSSES |= runpy.run_path(str(path))["SUITE"]
#: those that take logits of more than two axes: VIB's third is that of its draws
OF_ANY_SHAPE = [name for name in LOSSES if name != "vib"]
#: those that are functions throughout: a module is made outside what is compiled
FUNCTIONS = [name for name in LOSSES if name not in ("substitute", "top n") and "++" not in name]


def criteria(k):
    """Return makers of every criterion of logits and labels, for k classes."""
    t = table(k, torch.zeros(1))
    weight, prior = torch.linspace(0.5, 2.0, k), torch.linspace(1.0, 2.0, k) / torch.linspace(1.0, 2.0, k).sum()
    return {
        "cross entropy": lambda: L.CrossEntropy(weight=weight),
        "label smoothing": lambda: L.LabelSmoothing(alpha=0.1),
        "label smoothing, weights": lambda: L.LabelSmoothing(alpha=0.1, weight=weight),
        "label smoothing, prior": lambda: L.LabelSmoothing(alpha=0.1, prior=prior, convention="others"),
        "confidence penalty": lambda: L.ConfidencePenalty(beta=0.3),
        "confidence penalty, prior": lambda: L.ConfidencePenalty(alpha=0.3, prior=prior),
        "focal": lambda: L.Focal(weight=weight, reduction="sum"),
        "focal by sample": lambda: L.FocalSampleDependent(),
        "tf-kd": lambda: L.TfKdReg(),
        "tf-kd, code": lambda: L.TfKdReg(form="code"),
        "zipf": lambda: L.ZipfSmoothing(strength=0.5),
        "zipf, all": lambda: L.ZipfSmoothing(ranking="all", power=2.0),
        "online": lambda: L.OnlineLabelSmoothing(k),
        "substitute": lambda: L.SubstituteTeacher(t, beta=0.2),
        "substitute, cooled": lambda: L.SubstituteTeacher(t, temperature=3.0, divergence="kl"),
        "lls": lambda: L.LearnableLabelSmoothing(k),
        "lls, weights": lambda: L.LearnableLabelSmoothing(k, weight=weight, half=True),
        "lls, sparse": lambda: L.LearnableLabelSmoothing(k, sparse=True),
        "lls, alpha 0": lambda: L.LearnableLabelSmoothing(k, alpha=0.0, variant="no-rce"),
        "top n": lambda: L.TopNSmoothing(t, 2),
        "label smoothing++": lambda: L.LabelSmoothingPlusPlus(k),
        "label smoothing++, lls": lambda: L.LabelSmoothingPlusPlus(k, variant="lls", weight=weight),
    }
