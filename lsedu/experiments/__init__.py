"""Experiments: one file a claim, run by one runner, kept as records, judged by one rule."""

from lsedu.experiments.apart import OtherCodeError
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.experiments.record import Record, RecordError, load_record, records_dir, save_record
from lsedu.experiments.registry import get, names
from lsedu.experiments.runner import default_jobs, run
from lsedu.experiments.verdict import Interval, interval, t_quantile, verdict
from lsedu.experiments.verification import differing, verify

__all__ = [
    "Contrast",
    "Experiment",
    "Interval",
    "OtherCodeError",
    "Outcome",
    "Record",
    "RecordError",
    "default_jobs",
    "differing",
    "get",
    "interval",
    "load_record",
    "names",
    "records_dir",
    "run",
    "save_record",
    "t_quantile",
    "verdict",
    "verify",
]
