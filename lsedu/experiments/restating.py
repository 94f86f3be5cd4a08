"""Drawing a record's conclusions anew from its own results, as study and rule now are, and telling what changed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from lsedu.experiments.concluding import conclude
from lsedu.experiments.interval import Interval
from lsedu.experiments.record import cell, load_record, rewrite
from lsedu.experiments.registry import get
from lsedu.experiments.verdict import Verdict, verdict

#: The head of the table of changes, in Markdown.
HEAD = "| contrast | claim | was | is | why |\n|---|---|---|---|---|"


def restate(name: str, *, folder: Path | None = None) -> list[str]:
    """Write a record with its contrasts drawn from its results anew; return a row of `HEAD` for each that changed.

    Nothing is measured: results, arrays and provenance stay as they are.

    Raises
    ------
    RecordError
        If there is no such record.
    KeyError
        If the study has no such name, or a contrast asks for a result that the record does not have.
    """
    record, study = load_record(name, folder=folder), get(name)
    for row in record.results.values():
        study.require_answers(row)
    planned = len(study.seeds[record.profile])
    fresh = conclude(study, record.configs, record.results, arrays=record.arrays(), planned=planned)
    rows = []
    for key in [*fresh, *(set(record.contrasts) - set(fresh))]:
        was, now = (found.get(key, {}).get("verdict", "-") for found in (record.contrasts, fresh))
        if was != now:
            one = fresh.get(key) or record.contrasts[key]
            why = reason(one) if key in fresh else "no longer asked"
            rows.append(f"| {name}: `{key}` | {cell(one['claim'])} | {was} | {now} | {why} |")
    rewrite(replace(record, contrasts=fresh), folder=folder)
    return rows


def reason(contrast: dict[str, Any]) -> str:
    """Return why a contrast of a record has its verdict, in a sentence without capital and full stop."""
    at, margin, now = Interval(**contrast["interval"]), contrast["margin"], Verdict(contrast["verdict"])
    plain = {
        Verdict.NEGLIGIBLE: "within the margin",
        Verdict.SHOWN: "within the margin" if contrast["claimed"] == "none" else "beyond the margin",
        Verdict.REVERSED: "beyond the margin on the other side",
        Verdict.REFUTED: "beyond the margin",
        Verdict.SHOWN_UNCLEAR: "excludes 0, reaches into the margin",
        Verdict.REVERSED_UNCLEAR: "excludes 0 on the other side, reaches into the margin",
        Verdict.INCONCLUSIVE: "too wide to tell",
    }[now]
    alone = verdict(at, claimed=contrast["claimed"], margin=margin)
    if alone != now:
        plain = f"alone {alone}, and fails Holm's test beside the other primary contrasts"
    return "; ".join([f"{at.text(digits=4, sign='+')}, margin {margin:g}: {plain}", *contrast["flags"]])
