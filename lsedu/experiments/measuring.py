"""Measuring one seed of an experiment, and keeping what was found under a key of everything it depends on."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from lsedu import _check, _modules, _write
from lsedu.experiments.experiment import Experiment, Outcome
from lsedu.experiments.provenance import config_hash
from lsedu.experiments.record import npz_bytes
from lsedu.experiments.registry import get


def default_cache() -> Path:
    """Return the folder where finished seeds and checkpoints are kept."""
    from lsedu.data import cache_dir

    return cache_dir() / "experiments"


def run_key(experiment: Experiment, profile: str, device: str) -> str:
    """Return the key of a run's cache: configuration, data, kind of device, and the text of every module reached."""
    parts = [config_hash(experiment.configs[profile]), _modules.digest([experiment.module]), device.split(":")[0]]
    return config_hash([*parts, list(experiment.data)])[:20]


@contextmanager
def _one_thread(device: str) -> Iterator[None]:
    """On a CPU, sums take their order from the number of threads: one, so that every machine adds in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if device == "cpu" else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run_seed(name: str, profile: str, seed: int, *, device: str, folder: str) -> dict:
    """Measure one seed, on a CPU with one thread, or return what is kept of it.

    Returns
    -------
    dict
        ``results``, ``seconds`` and ``arrays`` (path of an npz, or "").

    Raises
    ------
    ValueError
        If this machine has no such device, or a result is not finite.
    """
    home = Path(folder) / f"seed-{seed}"
    done = home / "done.json"
    if done.exists():
        kept = json.loads(done.read_text(encoding="utf-8"))
        return {**kept, "arrays": str(home / "arrays.npz") if kept["arrays"] else ""}  # the folder may have moved
    _check.device("device", device)
    experiment = get(name)
    start = time.perf_counter()
    with _one_thread(device):
        outcome: Outcome = experiment.measure(
            experiment.configs[profile], seed, device=device, workdir=home / "work", progress=False
        )
    bad = {key: value for key, value in outcome.results.items() if not np.isfinite(value)}
    if bad:
        raise ValueError(f"experiment {name}, seed {seed}: results are not finite: {bad}")
    arrays = home / "arrays.npz"
    if outcome.arrays:
        _write.write(arrays, npz_bytes(outcome.arrays))
    kept = {
        "results": {key: float(value) for key, value in outcome.results.items()},
        "seconds": time.perf_counter() - start,
        "arrays": str(arrays) if outcome.arrays else "",
    }
    _write.write(done, json.dumps(kept).encode())
    return kept
