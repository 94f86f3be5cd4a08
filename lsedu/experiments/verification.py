"""Checking a record by measuring one of its seeds again."""

from collections import defaultdict
from dataclasses import replace
from math import nan
from pathlib import Path
from statistics import stdev

from lsedu import _modules
from lsedu.experiments import formerly
from lsedu.experiments.provenance import revision
from lsedu.experiments.record import Record, load_record, rewrite
from lsedu.experiments.registry import get
from lsedu.experiments.runner import Report, run

#: By how much of a margin one seed, measured again, may move the mean of a contrast.
TOLERANCE = 0.75

#: One seed counts as one of so many at most: a record of many seeds is not to hide more.
SEEDS = 5

#: A result that is no contrast may differ by this part of the tolerance, relative to the larger of its size and 1, or,
#: where that is more, by so many standard deviations over the record's seeds: a record has hundreds of results, and two
#: draws are more than two apart in some of them. Of five seeds and more a contrast may be drawn again, too: where the
#: spread is many margins no verdict hangs on one seed.
OTHERS, SPREADS = 0.05, 4.0


def verify(
    name: str,
    *,
    seed: int | None = None,
    folder: Path | None = None,
    tolerance: float = TOLERANCE,
    device: str = "cpu",
    scheduler: str = "",
    stamp: bool = False,
    report: Report | None = None,
) -> dict[str, tuple[float, float]]:
    """Recompute one seed of a record and return what differs: name to (recorded, recomputed).

    Where something does, the seed is measured on this machine with the record's own code too, which the checkout has:
    if that gives what this code gives, it is the processor that differs, and nothing is returned.

    Parameters
    ----------
    name : str
        Name of a record.
    seed : int, optional
        The seed; chosen from the commit of the checkout when None, so that nobody knows beforehand which.
    folder : Path, optional
        Folder of the records.
    tolerance : float
        How much may differ, see `differing`; 0 asks for the bits of the record, which only the same processor gives.
    device, scheduler : str
        As for `run`.
    stamp : bool
        Whether a record from which nothing differs is told so, with the digest of the code that reached it again: it is
        then no longer `owed`.
    report : callable, optional
        Told in a line where the record's own code was asked, and what it gave.

    Raises
    ------
    RecordError
        If there is no such record.
    ValueError
        If the record has no such seed.
    ConnectionError, OtherCodeError
        As for `run`.
    """
    record = load_record(name, folder=folder)
    if seed is None:
        seed = record.seeds[drawn() % len(record.seeds)]
    if seed not in record.seeds:
        raise ValueError(f"record {name} has no seed {seed}; it has {record.seeds}")
    again, _ = run(name, profile=record.profile, seeds=[seed], jobs=1, device=device, scheduler=scheduler, fresh=True)
    new, of_code = again.results[str(seed)], {}
    found = differing(record, seed, new, tolerance=tolerance)
    if found and tolerance > 0 and not scheduler:
        former = _by_own_code(record, seed, device, report or (lambda line: None))
        if former and not differing(_with(record, seed, former), seed, new, tolerance=tolerance):
            found, of_code = {}, {"otherwise_on_this_processor": sorted(found)}
    if stamp and not found:
        origin = {key: again.provenance[key] for key in ("time", "device", "versions", "revision", "digest")}
        verified = {"seed": seed, "tolerance": tolerance, **of_code, **origin}
        rewrite(replace(record, provenance={**record.provenance, "verified": verified}), folder=folder)
    return found


def _with(record: Record, seed: int, results: dict[str, float]) -> Record:
    return replace(record, results={**record.results, str(seed): results})


def _by_own_code(record: Record, seed: int, device: str, report: Report) -> dict[str, float] | None:
    """Return a seed's results on this machine by the code that made the record, or reached it last; None without it."""
    stamps = (record.provenance, record.provenance.get("verified", {}))
    told = [told for stamp in stamps if (told := stamp.get("revision")) and not told.endswith("+")]
    if not told:
        report(f"{record.name}: the record does not say which revision made it")
        return None
    report(
        f"{record.name}: seed {seed} comes out otherwise; it is measured by the record's own code, {told[0][:9]}, too"
    )
    try:
        return formerly.measured(record.name, record.profile, seed, told[0], device=device)
    except formerly.FormerCodeError as error:
        report(f"{record.name}: {error}")
        return None


def owed(record: Record) -> bool:
    """Return whether the code that the study makes use of is neither that of the record nor that of a verification.

    Its results may be the same all the same; whoever changed the code owes a verification.
    """
    seen = (record.provenance, record.provenance.get("verified", {}))
    return _modules.digest([get(record.name).module], docstrings=False) not in {one.get("digest") for one in seen}


def drawn() -> int:
    """Return a number that the commit of the checkout says, so that nobody knows beforehand what will be looked at."""
    return int((revision() or "0").rstrip("+")[:8], 16)


def differing(
    record: Record, seed: int, again: dict[str, float], *, tolerance: float = TOLERANCE
) -> dict[str, tuple[float, float]]:
    """Return what differs between a seed of a record and the same seed measured again: name to (recorded, recomputed).

    Parameters
    ----------
    record : Record
        The record.
    seed : int
        One of its seeds.
    again : dict
        The results of the seed, measured again.
    tolerance : float
        A contrast differs, as ``contrast NAME``, where the new value moves the mean over the seeds, or over `SEEDS` of
        them where there are more, by more than this share of its margin, and is itself more than four times this in
        standard deviations over the seeds from the old one; any other result where it is off by more than
        a twentieth of this, relative to its size or, below 1, absolutely, and by more than four times this in standard
        deviations over the seeds. 0 asks for the same bits.

    Notes
    -----
    Processors add in different orders, and training carries a last digit on to whole points: the same code on another
    machine gives, for one seed, an accuracy some pictures away. What must not move is what is concluded, whose unit is
    the margin. Another order of adding acts on the rest as another seed would, and those vary by their spread.
    """
    old = record.results[str(seed)]
    found = {}
    for key in sorted(old.keys() | again.keys()):
        was, now = old.get(key, nan), again.get(key, nan)
        of_seeds = [row[key] for row in record.results.values() if key in row]
        if not abs(was - now) <= tolerance * max(OTHERS * max(1.0, abs(was)), SPREADS * _spread(of_seeds)):
            found[key] = (was, now)
    for name in record.contrasts:
        contrast = record.question(name)
        was, now, *of_seeds = (
            contrast.effect(defaultdict(lambda: nan, row)) for row in (old, again, *record.results.values())
        )
        seeds = min(len(record.seeds), SEEDS)
        drawn_again = SPREADS * _spread(of_seeds) if seeds == SEEDS else 0.0  # of fewer it is no measure
        if not abs(was - now) <= tolerance * max(seeds * contrast.margin, drawn_again):
            found[f"contrast {name}"] = (was, now)
    return found


def _spread(of_seeds: list[float]) -> float:
    """Return the standard deviation over the seeds of a record, 0 for a single one."""
    return stdev(of_seeds) if len(of_seeds) > 1 else 0.0
