"""Records: the results of experiments, one JSON each, with their arrays in a hashed npz beside it."""

import hashlib
import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lsedu import _write
from lsedu._errors import LseduError, UnknownNameError
from lsedu.experiments.verdict import Interval, interval, verdict

FORMAT = 1


class RecordError(LseduError, RuntimeError):
    """A record is missing, damaged or contradicts itself."""


def records_dir() -> Path:
    """Return the folder of the records: the book's in a checkout, the package's copy where lsedu was installed."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "book" / "records"
    return checkout if checkout.is_dir() else package / "_records"


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
        By contrast: claim, sign claimed, margin, interval and verdict.
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

    def verdict(self, contrast: str) -> str:
        """Return the verdict on a contrast."""
        return self.contrasts[contrast]["verdict"]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays kept with the record, by name.

        Raises
        ------
        RecordError
            If the file is missing or is not the one the record names.
        """
        if not self.arrays_sha256:
            return {}
        path = (self.folder or records_dir()) / f"{self.name}.npz"
        if not path.is_file():
            raise RecordError(f"{path} is missing; `lsedu run {self.name}` makes it again")
        raw = path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != self.arrays_sha256:
            raise RecordError(f"{path} is not the file that {self.name}.json names: its sha256 differs")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return dict(arrays)


def conclude(contrasts: tuple, results: dict[str, dict[str, float]]) -> dict[str, dict[str, Any]]:
    """Return interval and verdict of each contrast: what `Record.contrasts` holds."""
    concluded = {}
    for contrast in contrasts:
        found = interval(contrast.values(results))
        concluded[contrast.name] = {
            "claim": contrast.claim,
            "plus": contrast.plus,
            "minus": contrast.minus,
            "claimed": contrast.claimed,
            "margin": contrast.margin,
            "interval": {"mean": found.mean, "low": found.low, "high": found.high, "sd": found.sd, "n": found.n},
            "verdict": verdict(found, claimed=contrast.claimed, margin=contrast.margin),
        }
    return concluded


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
    folder = folder or records_dir()
    plain = {key: value for key, value in asdict(record).items() if key != "folder"}
    if arrays:
        raw = npz_bytes(arrays)
        plain["arrays_sha256"] = hashlib.sha256(raw).hexdigest()
        _write.write(folder / f"{record.name}.npz", raw)
    path = folder / f"{record.name}.json"
    _write.write(path, (json.dumps(plain, indent=1, allow_nan=True) + "\n").encode())
    return path


def load_record(name: str, *, folder: Path | None = None) -> Record:
    """Return the record called `name`.

    Raises
    ------
    RecordError
        If there is none, or it cannot be read.
    """
    folder = folder or records_dir()
    path = folder / f"{name}.json"
    if not path.is_file():
        have = ", ".join(sorted(p.stem for p in folder.glob("*.json"))) or "none yet"
        raise RecordError(f"there is no record {name!r} (there are: {have}); `lsedu run {name}` makes it")
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Record(**plain, folder=folder)
    except (ValueError, TypeError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
