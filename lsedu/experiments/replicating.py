"""Measuring a record's study again with seeds that nobody has looked at, beside the record."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lsedu.experiments.record import REPLICATIONS, Record, load_record, records_dir, save_record
from lsedu.experiments.registry import get
from lsedu.experiments.runner import run

#: The first of the fresh seeds, where none are named.
FRESH = 2000


def _still(then: Any, now: Any) -> bool:
    """Return whether all that a configuration said then holds now; fields that came later have their defaults."""
    if isinstance(then, dict) and isinstance(now, dict):
        return all(key in now and _still(value, now[key]) for key, value in then.items())
    return then == now


def replicate(
    name: str, *, seeds: Iterable[int] | None = None, folder: Path | None = None, **options: Any
) -> tuple[Record, Path]:
    """Measure with fresh seeds at the scale of the record, and write what came out beside it, without arrays.

    Parameters
    ----------
    name : str
        Name of a record.
    seeds : iterable of int, optional
        None of the study's own; as many as the record has from `FRESH` on, where none are named.
    folder : Path, optional
        Folder of the records.
    **options
        As for `run`: device, jobs, scheduler, cache, fresh, report.

    Returns
    -------
    Record, Path
        The replication, and where it was written.

    Raises
    ------
    RecordError
        If there is no such record.
    ValueError
        If a seed is one of the study's, or the study is no longer configured as the record was.
    """
    record, study = load_record(name, folder=folder), get(name)
    if not _still(record.configs, json.loads(json.dumps(asdict(study.configs[record.profile])))):
        raise ValueError(f"{name} is no longer configured as its record was: make the record anew first")
    chosen = sorted(set(range(FRESH, FRESH + len(record.seeds)) if seeds is None else seeds))
    known = {*record.seeds, *(seed for own in study.seeds.values() for seed in own)}
    if seen := sorted(known & set(chosen)):
        raise ValueError(f"{name}: seeds of a replication must be fresh, and the study has {seen[0]} to {seen[-1]}")
    found, _ = run(name, profile=record.profile, seeds=chosen, **options)
    return found, save_record(found, {}, folder=(folder or records_dir()) / REPLICATIONS)
