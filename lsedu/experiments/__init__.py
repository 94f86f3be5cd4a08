"""Experiments: one file a claim, run by one runner, kept as records, judged by one rule."""

from lsedu.experiments.apart import OtherCodeError
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.experiments.flags import Choice
from lsedu.experiments.interval import Interval, interval, t_quantile
from lsedu.experiments.record import Record, RecordError, load_record, records_dir, save_record
from lsedu.experiments.registry import get, names
from lsedu.experiments.restating import restate
from lsedu.experiments.runner import default_jobs, run
from lsedu.experiments.verdict import Verdict, holm, rule, verdict
from lsedu.experiments.verification import differing, verify

__all__ = [
    "Choice",
    "Contrast",
    "Experiment",
    "Interval",
    "OtherCodeError",
    "Outcome",
    "Record",
    "RecordError",
    "Verdict",
    "default_jobs",
    "differing",
    "get",
    "holm",
    "interval",
    "load_record",
    "names",
    "records_dir",
    "restate",
    "rule",
    "run",
    "save_record",
    "t_quantile",
    "verdict",
    "verify",
]
