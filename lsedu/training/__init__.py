"""Training: a recipe in, a trained model and its history out."""

from lsedu.training.checkpoint import CheckpointError
from lsedu.training.config import Config
from lsedu.training.history import History
from lsedu.training.loop import DivergedError, fit, predict
from lsedu.training.schedule import factor

__all__ = ["CheckpointError", "Config", "DivergedError", "History", "factor", "fit", "predict"]
