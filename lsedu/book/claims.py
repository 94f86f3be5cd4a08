"""The claims of the book: data beside their chapters, from which the ledger and the score are made.

``book/PART/claims.yml`` holds the claims of a part, each with `key`, `text`, `source`, `anchor`, and either `record`
and `contrast`, whose verdict it has, or `finding`: "exact", where the page proves or computes it, or "not yet run",
where we have no test of it and the page says why. `figure` names the moving figure whose prediction goes with it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import yaml

from lsedu._errors import LseduError
from lsedu.experiments import Interval, Record, RecordError, Verdict, load_record, load_replication
from lsedu.experiments.record import book_dir, cell

FINDINGS = (Verdict.EXACT, Verdict.NOT_YET_RUN)


class ClaimError(LseduError):
    """A claim is incomplete or points at what does not exist; the message says which and what there is."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A row of the ledger.

    Attributes
    ----------
    key : str
        How other pages name the row.
    text, source : str
        The claim, and where it is made.
    anchor : str
        Label of the section that treats it.
    record, contrast : str
        Where its verdict comes from; both empty where nothing was measured.
    finding : str
        What is found where nothing was measured: one of `FINDINGS`.
    figure : str
        The moving figure whose prediction goes with it; empty for none.
    verdict : Verdict
        That of its contrast in the record, or its finding.
    beside : tuple of str
        What belongs beside the verdict: that its contrast is exploratory, and the flags of the record.
    effect : Interval or None
        The effect measured, with its interval.
    over : str
        What that interval is over: so many seeds, and test pictures or not; empty where nothing was measured.
    again, effect_again, over_again : Verdict and Interval, or None, and str
        The same from the replication with fresh seeds, where there is one.
    """

    key: str
    text: str
    source: str
    anchor: str
    record: str = ""
    contrast: str = ""
    finding: str = ""
    figure: str = ""
    verdict: Verdict = field(default=Verdict.NOT_YET_RUN, metadata={"derived": True})
    beside: tuple[str, ...] = field(default=(), metadata={"derived": True})
    effect: Interval | None = field(default=None, metadata={"derived": True})
    over: str = field(default="", metadata={"derived": True})
    again: Verdict | None = field(default=None, metadata={"derived": True})
    effect_again: Interval | None = field(default=None, metadata={"derived": True})
    over_again: str = field(default="", metadata={"derived": True})

    @property
    def cell(self) -> str:
        """The text as a cell of a table in Markdown."""
        return cell(self.text)


WRITTEN = {part.name for part in fields(Claim) if not part.metadata}


def files(book: Path | None = None) -> list[Path]:
    """Return the files of claims in the order in which the table of contents comes to their parts."""
    book = book or book_dir()
    contents = (book / "_toc.yml").read_text(encoding="utf-8")
    found = sorted(book.glob("*/claims.yml"))
    at = {path: contents.find(f" {path.parent.name}/") for path in found}
    return sorted(found, key=lambda path: at[path] if at[path] >= 0 else len(contents))


def load(book: Path | None = None, *, anchors: Collection[str] | None = None) -> tuple[Claim, ...]:
    """Return all claims, part by part.

    Parameters
    ----------
    book : Path, optional
        Folder with the parts and the table of contents; by default the book's.
    anchors : collection of str, optional
        The labels there are; without them, anchors are not looked at.

    Raises
    ------
    ClaimError
        If a claim lacks something, has something unknown, shares its key, or names a record, a contrast or an anchor
        that does not exist.
    """
    claims: dict[str, Claim] = {}
    records: dict[str, Record] = {}
    for path in files(book):
        place = f"{path.parent.name}/{path.name}"
        try:
            rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise ClaimError(f"{place} is not YAML: {error}") from error
        if not isinstance(rows, list):
            raise ClaimError(f"{place} must be a list of claims, got {type(rows).__name__}")
        for number, row in enumerate(rows, start=1):
            claim = _read(row, f"{place}, claim {number}")
            where = f"{place}, claim {claim.key!r}"
            if claim.key in claims:
                raise ClaimError(f"{where}: another claim has this key")
            if anchors is not None and claim.anchor not in anchors:
                raise ClaimError(f"{where}: no page has the label {claim.anchor!r}")
            claims[claim.key] = _judged(claim, records, where)
    return tuple(claims.values())


def _read(row: object, where: str) -> Claim:
    if not isinstance(row, dict):
        raise ClaimError(f"{where} must hold names and values, got {row!r}")
    where += f" ({row.get('key', 'without a key')})"
    if strange := sorted(map(str, row.keys() - WRITTEN)):
        raise ClaimError(f"{where}: {', '.join(strange)} is unknown; a claim has {', '.join(sorted(WRITTEN))}")
    for name, value in row.items():
        if not isinstance(value, str) or not value.strip():
            raise ClaimError(f"{where}: {name} must be text (in quotes where it looks like a number), got {value!r}")
    if missing := sorted({"key", "text", "source", "anchor"} - row.keys()):
        raise ClaimError(f"{where}: {', '.join(missing)} is missing")
    given = sorted(row.keys() & {"record", "contrast", "finding"})
    if given not in (["contrast", "record"], ["finding"]):
        raise ClaimError(
            f"{where} needs either `record` and `contrast`, or `finding`; got {', '.join(given) or 'none'}"
        )
    if "finding" in row and row["finding"] not in FINDINGS:
        raise ClaimError(f"{where}: finding must be one of {', '.join(FINDINGS)}, got {row['finding']!r}")
    return Claim(**row)


def _judged(claim: Claim, records: dict[str, Record], where: str) -> Claim:
    """Return a claim with its verdict; `records` keeps those that were read."""
    if not claim.record:
        return replace(claim, verdict=Verdict(claim.finding))
    try:
        record = records.get(claim.record) or load_record(claim.record)
    except RecordError as error:
        raise ClaimError(f"{where}: {error}") from error
    records[claim.record] = record
    if claim.contrast not in record.contrasts:
        known = ", ".join(record.contrasts)
        raise ClaimError(f"{where}: record {claim.record} has no contrast {claim.contrast!r}; there are {known}")
    name = claim.contrast
    found = replace(
        claim,
        verdict=record.verdict(name),
        beside=tuple(record.beside(name)),
        effect=record.effect(name),
        over=record.over(name),
    )
    fresh = load_replication(claim.record)
    if fresh is None or name not in fresh.contrasts:
        return found
    return replace(found, again=fresh.verdict(name), effect_again=fresh.effect(name), over_again=fresh.over(name))
