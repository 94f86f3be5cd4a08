"""Losses of the three papers, one family a file: logits in, loss (nats) out."""

from lsedu.losses.cross_entropy import cross_entropy
from lsedu.losses.smoothing import label_smoothing, logit_gap

__all__ = ["cross_entropy", "label_smoothing", "logit_gap"]
