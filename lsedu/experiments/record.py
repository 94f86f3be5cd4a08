"""Records: the results of experiments, one JSON each, with their arrays in a hashed npz beside it."""

import hashlib
import io
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lsedu import _reads, _write
from lsedu._errors import LseduError, UnknownNameError
from lsedu.experiments.answers import PICTURES
from lsedu.experiments.experiment import Contrast
from lsedu.experiments.interval import Interval, interval
from lsedu.experiments.verdict import Verdict

FORMAT = 1

#: The folder within that of the records with those made again from fresh seeds.
REPLICATIONS = "replications"


class RecordError(LseduError, RuntimeError):
    """A record is missing, damaged or contradicts itself."""


class MissingRecordError(RecordError):
    """There is no such record."""


def book_dir() -> Path:
    """Return the folder of records and claims: the book's in a checkout, the package's copy where it was installed."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "book"
    return checkout if (checkout / "records").is_dir() else package / "_book"


def records_dir() -> Path:
    """Return the folder of the records."""
    folder = book_dir() / "records"
    sys.audit(_reads.LOOKED_FOR, str(folder))  # whoever asks for it may make use of which records there are
    return folder


@dataclass(frozen=True)
class Record:
    """Results of an experiment, seed by seed, and what follows from them.

    Attributes
    ----------
    name, claim, source, profile, reduction : str
        What was asked, where the claim is made, at which scale, and what that scale does not test.
    configs : dict
        The configuration of the profile.
    seeds : list of int
    results : dict of str to dict of str to float
        By seed (as text), the named results.
    contrasts : dict of str to dict
        By contrast: claim, what it is read from, sign claimed, margin, whether it is primary, interval, what that
        covers, verdict, and flags (sentences that belong beside the verdict).
    provenance : dict
        See `lsedu.experiments.provenance`.
    arrays_sha256 : str
        Hash of the npz beside the JSON; empty if there is none.
    """

    name: str
    claim: str
    source: str
    profile: str
    reduction: str
    configs: dict[str, Any]
    seeds: list[int]
    results: dict[str, dict[str, float]]
    contrasts: dict[str, dict[str, Any]]
    provenance: dict[str, Any]
    arrays_sha256: str = ""
    format: int = FORMAT
    folder: Path | None = field(default=None, compare=False, repr=False)

    def values(self, name: str) -> np.ndarray:
        """Return one result over the seeds, shape (seeds,).

        Raises
        ------
        KeyError
            If the record has no such result; the message lists what there is.
        """
        first = self.results[str(self.seeds[0])]
        if name not in first:
            raise UnknownNameError(f"record {self.name} has no result {name!r}; there are {', '.join(first)}")
        return np.array([self.results[str(seed)][name] for seed in self.seeds])

    def interval(self, name: str) -> Interval:
        """Return mean and 95% interval of one result over the seeds."""
        return interval(self.values(name))

    def mean(self, name: str) -> float:
        """Return the mean of one result over the seeds."""
        return self.interval(name).mean

    def columns(self, names: Iterable[str]) -> np.ndarray:
        """Return several results over the seeds, shape (seeds, names): a line of a picture for each seed."""
        return np.stack([self.values(name) for name in names], axis=1)

    def text(self, name: str, scale: float = 1.0, digits: int = 2, *, sign: str = "") -> str:
        """Return mean and 95% interval of one result over the seeds, as pages print them; see `Interval.text`."""
        return self.interval(name).text(scale, digits, sign=sign)

    def contrast(self, name: str) -> dict[str, Any]:
        """Return what is known of a contrast.

        Raises
        ------
        KeyError
            If the record has no such contrast; the message lists what there is.
        """
        if name not in self.contrasts:
            known = ", ".join(self.contrasts)
            raise UnknownNameError(f"record {self.name} has no contrast {name!r}; there are {known}")
        return self.contrasts[name]

    def question(self, contrast: str) -> Contrast:
        """Return a contrast as it was asked."""
        known = self.contrast(contrast)
        asked = {part.name: known[part.name] for part in fields(Contrast) if part.name in known}
        return Contrast(name=contrast, **{**asked, "plain": tuple(known["plain"])})

    def verdict(self, contrast: str) -> Verdict:
        """Return the verdict on a contrast."""
        return Verdict(self.contrast(contrast)["verdict"])

    def beside(self, contrast: str) -> list[str]:
        """Return what belongs beside the verdict on a contrast: whether it is exploratory, and its flags."""
        known = self.contrast(contrast)
        return [*([] if known["primary"] else ["exploratory"]), *known["flags"]]

    def finding(self, contrast: str) -> str:
        """Return the verdict on a contrast as pages print it, with what belongs beside it, as Markdown."""
        return "; ".join([f"**{self.verdict(contrast)}**", *self.beside(contrast)])

    def over(self, contrast: str) -> str:
        """Return what the interval of a contrast is over, as pages print it: so many seeds, and pictures or not."""
        pictures = self.contrast(contrast)["covers"] == PICTURES
        return f"{self.effect(contrast).n} seeds" + (" and pictures" if pictures else "")

    def effect(self, contrast: str) -> Interval:
        """Return mean and 95% interval of a contrast, paired by seed."""
        return Interval(**self.contrast(contrast)["interval"])

    def table(self, *contrasts: str, scale: float = 1.0, digits: int = 4, seeds: bool = True) -> str:
        """Return a table of contrasts as Markdown: claim, effect with its 95% interval, and verdict.

        Parameters
        ----------
        *contrasts : str
            Names of contrasts, in the order of the rows; all of them where none is named.
        scale, digits
            As for `Interval.text`.
        seeds : bool
            Whether a column says what an interval is over.
        """
        n = " interval over |" if seeds else ""
        rows = [f"| claim | effect |{n} verdict |", "|---" * (4 if seeds else 3) + "|"]
        for name in contrasts or self.contrasts:
            effect = self.effect(name)
            shown = effect.text(scale, digits, sign="+") + (f" | {self.over(name)}" if seeds else "")
            rows.append(f"| {cell(self.contrast(name)['claim'])} | {shown} | {self.finding(name)} |")
        return "\n".join(rows)

    def over_seeds(self, name: str) -> np.ndarray:
        """Return an array that was kept of each seed, stacked in the order of the seeds, shape (seeds, ...).

        Raises
        ------
        KeyError
            If no such array was kept; the message lists what was.
        """
        kept = self._kept
        if f"{self.seeds[0]}/{name}" not in kept:
            own = [key.partition("/")[2] for key in kept if key.startswith(f"{self.seeds[0]}/")]
            raise UnknownNameError(f"record {self.name} has no array {name!r}; there are {', '.join(own) or 'none'}")
        return np.stack([kept[f"{seed}/{name}"] for seed in self.seeds])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays kept with the record, called ``SEED/NAME``.

        Raises
        ------
        RecordError
            If the file is missing or is not the one the record names.
        """
        return dict(self._kept)

    @cached_property
    def _kept(self) -> dict[str, np.ndarray]:
        """The arrays, read and checked once."""
        if not self.arrays_sha256:
            return {}
        path = (self.folder or book_dir() / "records") / f"{self.name}.npz"
        if not path.is_file():
            raise RecordError(f"{path} is missing; `lsedu run {self.name}` makes it again")
        raw = path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != self.arrays_sha256:
            raise RecordError(f"{path} is not the file that {self.name}.json names: its sha256 differs")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return dict(arrays)


def cell(text: str) -> str:
    """Return a text as the cell of a table in Markdown: a bar in it, as in p(y|x), must not end the cell."""
    return text.replace("|", r"\|")


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """Return arrays as npz; the same arrays give the same bytes (NumPy stamps no time into it)."""
    out = io.BytesIO()
    np.savez_compressed(out, **{name: arrays[name] for name in sorted(arrays)})
    return out.getvalue()


def save_record(record: Record, arrays: dict[str, np.ndarray], *, folder: Path | None = None) -> Path:
    """Write a record and its arrays; the JSON last, so that it never names arrays that are not there.

    Returns
    -------
    Path
        The JSON file.
    """
    folder = folder or book_dir() / "records"
    if arrays:
        raw = npz_bytes(arrays)
        record = replace(record, arrays_sha256=hashlib.sha256(raw).hexdigest())
        _write.write(folder / f"{record.name}.npz", raw)
    return rewrite(record, folder=folder)


def rewrite(record: Record, *, folder: Path | None = None) -> Path:
    """Write the JSON of a record whose arrays stay as they are, and return it."""
    path = (folder or book_dir() / "records") / f"{record.name}.json"
    plain = {key: value for key, value in asdict(record).items() if key != "folder"}
    _write.write(path, (json.dumps(plain, indent=1, allow_nan=True) + "\n").encode())
    return path


def load_replication(name: str, *, folder: Path | None = None) -> Record | None:
    """Return the replication of a record, or None if there is none."""
    try:
        return load_record(name, folder=(folder or book_dir() / "records") / REPLICATIONS)
    except MissingRecordError:
        return None


def load_record(name: str, *, folder: Path | None = None) -> Record:
    """Return the record called `name`.

    Raises
    ------
    RecordError
        If there is none, or it cannot be read.
    """
    folder = folder or book_dir() / "records"
    path = folder / f"{name}.json"
    sys.audit(_reads.LOOKED_FOR, str(path))
    if not path.is_file():
        have = ", ".join(sorted(p.stem for p in folder.glob("*.json"))) or "none yet"
        raise MissingRecordError(f"there is no record {name!r} (there are: {have}); `lsedu run {name}` makes it")
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Record(**plain, folder=folder)
    except (ValueError, TypeError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
