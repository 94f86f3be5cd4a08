"""Measuring one seed of an experiment, part by part, and keeping each part under a key of what it means."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lsedu import _check, _write
from lsedu.experiments.experiment import Experiment, Outcome
from lsedu.experiments.provenance import config_hash, origin
from lsedu.experiments.record import npz_bytes
from lsedu.experiments.registry import get

#: What a finished seed or part leaves in its folder; the first is written last.
DONE, ARRAYS = "done.json", "arrays.npz"


def default_cache() -> Path:
    """Return the folder where finished seeds and checkpoints are kept."""
    from lsedu.data import cache_dir

    return cache_dir() / "experiments"


def run_key(experiment: Experiment, profile: str, device: str) -> str:
    """Return the key of a run's cache: protocol, configuration, data and kind of device.

    The code is not part of it: seeds from a card stay when a later commit touches what they reached. Each says in its
    origin which code made it, and whoever changes what a measurement means raises the protocol.
    """
    parts = [experiment.protocol, config_hash(experiment.configs[profile]), device.split(":")[0]]
    return config_hash([*parts, list(experiment.data)])[:20]


def parts(experiment: Experiment, profile: str) -> tuple[str, ...]:
    """Return the names of the parts of a seed; a seed that is measured in one go has one part without a name."""
    return experiment.parts(experiment.configs[profile]) if experiment.parts else ("",)


def part_folder(folder: Path | str, seed: int, part: str) -> Path:
    """Return where a part of a seed is kept."""
    home = Path(folder) / f"seed-{seed}"
    return home / f"part-{part}" if part else home


def kept(home: Path) -> dict[str, Any] | None:
    """Return what is kept in the folder of a seed or part, the arrays by their path, or None if it is not done."""
    if not (home / DONE).exists():
        return None
    found = json.loads((home / DONE).read_text(encoding="utf-8"))
    return {**found, "arrays": str(home / ARRAYS) if found["arrays"] else ""}  # the folder may have moved


def keep(home: Path, found: dict[str, Any], arrays: bytes) -> dict[str, Any]:
    """Keep what a seed or part gave in its folder, arrays first, and return it as `kept` would."""
    if arrays:
        _write.write(home / ARRAYS, arrays)
    found = {**found, "arrays": str(home / ARRAYS) if arrays else ""}
    _write.write(home / DONE, json.dumps(found).encode())
    return found


@contextmanager
def _one_thread(device: str) -> Iterator[None]:
    """On a CPU, sums take their order from the number of threads: one, so that every machine adds in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if device == "cpu" else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run_part(
    name: str, profile: str, seed: int, part: str, *, device: str, folder: str, checkpoints: bool = True
) -> dict[str, Any]:
    """Measure a part of one seed, on a CPU with one thread, or return what is kept of it.

    Parameters
    ----------
    name, profile, seed, device
        As for `lsedu.experiments.run`.
    part : str
        One of `parts`.
    folder : str
        Where it is kept.
    checkpoints : bool
        Whether training keeps its state too, to be resumed; a part of seconds does without.

    Returns
    -------
    dict
        ``results``, ``seconds``, ``origin`` and ``arrays`` (path of an npz, or "").

    Raises
    ------
    ValueError
        If this machine has no such device, or a result is not finite.
    """
    home = part_folder(folder, seed, part)
    if (found := kept(home)) is not None:
        return found
    _check.device("device", device)
    experiment = get(name)
    options: dict[str, Any] = {"part": part} if part else {}
    start = time.perf_counter()
    with _one_thread(device):
        outcome: Outcome = experiment.measure(
            experiment.configs[profile],
            seed,
            device=device,
            workdir=home / "work" if checkpoints else None,
            progress=False,
            **options,
        )
    bad = {key: value for key, value in outcome.results.items() if not np.isfinite(value)}
    if bad:
        raise ValueError(f"experiment {name}, seed {seed}{f', {part}' if part else ''}: results are not finite: {bad}")
    found = {
        "results": {key: float(value) for key, value in outcome.results.items()},
        "seconds": time.perf_counter() - start,
        "origin": origin(experiment.module, device),
    }
    return keep(home, found, npz_bytes(outcome.arrays) if outcome.arrays else b"")


def run_seed(name: str, profile: str, seed: int, *, device: str, folder: str) -> dict[str, Any]:
    """Measure the parts of one seed that are not kept, and return them all as one.

    Returns
    -------
    dict
        ``results`` of all parts, their ``seconds`` added up, and their ``origins`` and ``arrays`` (paths) in lists.

    Raises
    ------
    ValueError
        As `run_part`, and if two parts have a result of the same name.
    """
    chosen = parts(get(name), profile)
    return joined([run_part(name, profile, seed, part, device=device, folder=folder) for part in chosen])


def joined(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the parts of a seed as one: see `run_seed`."""
    results: dict[str, float] = {}
    for one in found:
        add(results, one["results"])
    return {
        "results": results,
        "seconds": sum(one["seconds"] for one in found),
        "origins": [one["origin"] for one in found],
        "arrays": [one["arrays"] for one in found if one["arrays"]],
    }


def add(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Add what a part gave to what the others gave.

    Raises
    ------
    ValueError
        If a name is there already.
    """
    if twice := sorted(into.keys() & more.keys()):
        raise ValueError(f"two parts of a seed give {', '.join(twice)}; put the part's name before")
    into.update(more)
