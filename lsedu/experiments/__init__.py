"""Experiments: one file a claim, run by one runner, kept as records, judged by one rule."""

from lsedu.experiments.apart import OtherCodeError
from lsedu.experiments.cards import Card, load_cards
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.experiments.flags import Choice
from lsedu.experiments.interval import Interval, interval, t_quantile
from lsedu.experiments.record import Record, RecordError, load_record, load_replication, records_dir, save_record
from lsedu.experiments.registry import get, names
from lsedu.experiments.replicating import replicate
from lsedu.experiments.restating import restate
from lsedu.experiments.runner import default_jobs, run
from lsedu.experiments.verdict import Verdict, holm, rule, verdict
from lsedu.experiments.verification import differing, owed, verify

__all__ = [
    "Card",
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
    "load_cards",
    "load_record",
    "load_replication",
    "names",
    "owed",
    "records_dir",
    "replicate",
    "restate",
    "rule",
    "run",
    "save_record",
    "t_quantile",
    "verdict",
    "verify",
]
