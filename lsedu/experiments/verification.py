"""Checking a record by measuring one of its seeds again."""

from pathlib import Path

from lsedu.experiments.provenance import revision
from lsedu.experiments.record import load_record
from lsedu.experiments.runner import run


def verify(
    name: str,
    *,
    seed: int | None = None,
    folder: Path | None = None,
    tolerance: float = 0.0,
    device: str = "cpu",
    scheduler: str = "",
) -> dict[str, tuple[float, float]]:
    """Recompute one seed of a record and return the results that differ: name to (recorded, recomputed).

    Parameters
    ----------
    name : str
        Name of a record.
    seed : int, optional
        The seed; chosen from the commit of the checkout when None, so that nobody knows beforehand which.
    folder : Path, optional
        Folder of the records.
    tolerance : float
        Largest difference that counts as none. Other processors may round differently.
    device, scheduler : str
        As for `run`.

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
        seed = record.seeds[int((revision() or "0").rstrip("+")[:8], 16) % len(record.seeds)]
    if seed not in record.seeds:
        raise ValueError(f"record {name} has no seed {seed}; it has {record.seeds}")
    again, _ = run(name, profile=record.profile, seeds=[seed], jobs=1, device=device, scheduler=scheduler, fresh=True)
    old, new = record.results[str(seed)], again.results[str(seed)]
    return {
        key: (old.get(key, float("nan")), new.get(key, float("nan")))
        for key in sorted(old.keys() | new.keys())
        if not abs(old.get(key, float("nan")) - new.get(key, float("nan"))) <= tolerance
    }
