"""Running an experiment: one single-thread process a seed, every finished seed kept, any machine the same path."""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lsedu import _check, _modules, _write
from lsedu.experiments.experiment import PROFILES, Experiment, Outcome
from lsedu.experiments.provenance import config_hash, provenance
from lsedu.experiments.record import Record, conclude, load_record, npz_bytes
from lsedu.experiments.registry import get

Report = Callable[[str], None]


def default_cache() -> Path:
    """Return the folder where finished seeds and checkpoints are kept."""
    from lsedu.data import cache_dir

    return cache_dir() / "experiments"


def run_key(experiment: Experiment, profile: str, device: str) -> str:
    """Return the key of a run's cache: configuration, data, kind of device, and the text of every module reached."""
    parts = [config_hash(experiment.configs[profile]), _modules.digest([experiment.module]), device.split(":")[0]]
    return config_hash([*parts, list(experiment.data)])[:20]


def run_seed(name: str, profile: str, seed: int, *, device: str, folder: str, threads: int | None = 1) -> dict:
    """Measure one seed, or return what is kept of it. Runs in its own process.

    Returns
    -------
    dict
        ``results``, ``seconds`` and ``arrays`` (path of an npz, or "").
    """
    home = Path(folder) / f"seed-{seed}"
    done = home / "done.json"
    if done.exists():
        return json.loads(done.read_text(encoding="utf-8"))
    if threads is not None:
        torch.set_num_threads(threads)
    experiment = get(name)
    start = time.perf_counter()
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


def run_seed_apart(name: str, profile: str, seed: int, *, device: str, run_name: str) -> tuple[dict, bytes]:
    """Measure one seed on a worker that may share no disk with us: its own cache there, the arrays' bytes back."""
    kept = run_seed(name, profile, seed, device=device, folder=str(default_cache() / name / run_name))
    return kept, Path(kept["arrays"]).read_bytes() if kept["arrays"] else b""


def _keep(folder: Path, seed: int, kept: dict, arrays: bytes) -> dict:
    """Keep here what a worker measured, arrays first."""
    home = folder / f"seed-{seed}"
    if arrays:
        _write.write(home / "arrays.npz", arrays)
    kept = {**kept, "arrays": str(home / "arrays.npz") if arrays else ""}
    _write.write(home / "done.json", json.dumps(kept).encode())
    return kept


def _connect(address: str) -> Any:
    """Return a client of the dask scheduler at `address`.

    Raises
    ------
    ConnectionError
        If distributed is not installed or nothing answers there.
    """
    try:
        from distributed import Client

        return Client(address, timeout=10, set_as_default=False)
    except ImportError as error:
        raise ConnectionError("a scheduler needs dask.distributed: pip install 'lsedu[cluster]'") from error
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"no dask scheduler answers at {address} ({error}); start one with `dask scheduler`, "
            "or leave the address out to run on this machine"
        ) from error


def run(
    name: str,
    *,
    profile: str = "smoke",
    seeds: Iterable[int] | None = None,
    device: str = "cpu",
    jobs: int = 1,
    scheduler: str = "",
    cache: Path | None = None,
    report: Report | None = None,
) -> tuple[Record, dict[str, np.ndarray]]:
    """Run an experiment and return its record and arrays.

    Parameters
    ----------
    name : str
        A name of `lsedu.experiments.names`.
    profile : {"smoke", "cpu", "gpu"}
        The scale.
    seeds : iterable of int, optional
        Seeds instead of the profile's.
    device : str
        Torch device of the runs.
    jobs : int
        Processes at once; 0 runs in this process.
    scheduler : str
        Address of a dask scheduler, as ``tcp://host:8786``; its workers measure the seeds instead of local processes.
    cache : Path, optional
        Where finished seeds are kept; a run that was interrupted goes on from there.
    report : callable, optional
        Told of each finished seed in a line.

    Returns
    -------
    Record, dict of arrays
        Not written; see `save_record`. Arrays are named ``SEED/NAME``.

    Raises
    ------
    KeyError
        For an unknown experiment.
    ValueError
        For an unknown profile or one the experiment does not have, or results that are not finite.
    ConnectionError
        If no scheduler answers at its address.
    """
    experiment = get(name)
    _check.one_of("profile", profile, PROFILES)
    if profile not in experiment.configs:
        raise ValueError(f"experiment {name} has no profile {profile!r}; it has {', '.join(experiment.configs)}")
    chosen = sorted(set(experiment.seeds[profile] if seeds is None else seeds))
    if not chosen:
        raise ValueError("seeds must name at least one seed, got none")
    folder = (cache or default_cache()) / name / f"{profile}-{run_key(experiment, profile, device)}"
    tell = report or (lambda line: None)
    kept: dict[int, dict[str, Any]] = {}

    def finished(seed: int, outcome: dict[str, Any]) -> None:
        kept[seed] = outcome
        tell(f"{name}: seed {seed} done in {outcome['seconds']:.1f} s ({len(kept)} of {len(chosen)})")

    if scheduler:
        todo = [seed for seed in chosen if not (folder / f"seed-{seed}" / "done.json").exists()]
        for seed in sorted(set(chosen) - set(todo)):
            finished(seed, run_seed(name, profile, seed, device=device, folder=str(folder)))
        with _connect(scheduler) as client:
            from distributed import as_completed

            futures = {
                client.submit(
                    run_seed_apart, name, profile, seed, device=device, run_name=folder.name, pure=False
                ): seed
                for seed in todo
            }
            for future in as_completed(futures, loop=client.loop):
                finished(futures[future], _keep(folder, futures[future], *future.result()))
    elif jobs == 0:
        for seed in chosen:
            finished(seed, run_seed(name, profile, seed, device=device, folder=str(folder), threads=None))
    else:
        threads = 1 if device == "cpu" else None
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            pending: dict[Future, int] = {
                pool.submit(run_seed, name, profile, seed, device=device, folder=str(folder), threads=threads): seed
                for seed in chosen
            }
            try:
                while pending:
                    for future in wait(pending, return_when=FIRST_COMPLETED).done:
                        finished(pending.pop(future), future.result())
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return _assemble(experiment, profile, chosen, kept, device)


def _assemble(
    experiment: Experiment, profile: str, seeds: list[int], kept: dict[int, dict[str, Any]], device: str
) -> tuple[Record, dict[str, np.ndarray]]:
    results = {str(seed): kept[seed]["results"] for seed in seeds}
    arrays: dict[str, np.ndarray] = {}
    for seed in seeds:
        if kept[seed]["arrays"]:
            with np.load(kept[seed]["arrays"], allow_pickle=False) as found:
                arrays.update({f"{seed}/{key}": found[key] for key in found.files})
    record = Record(
        name=experiment.name,
        claim=experiment.claim,
        source=experiment.source,
        profile=profile,
        reduction=experiment.reduction[profile],
        configs=json.loads(json.dumps(asdict(experiment.configs[profile]))),
        seeds=seeds,
        results=results,
        contrasts=conclude(experiment.contrasts, results),
        provenance=provenance(
            module=experiment.module,
            data=experiment.data,
            device=device,
            seconds={str(seed): kept[seed]["seconds"] for seed in seeds},
        ),
    )
    return record, arrays


def verify(
    name: str, *, seed: int | None = None, folder: Path | None = None, cache: Path | None = None, tolerance: float = 0.0
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
    cache : Path, optional
        An empty or fresh folder to compute in.
    tolerance : float
        Largest difference that counts as none. Other processors may round differently.

    Raises
    ------
    RecordError
        If there is no such record.
    ValueError
        If the record has no such seed.
    """
    from tempfile import TemporaryDirectory

    from lsedu.experiments.provenance import revision

    record = load_record(name, folder=folder)
    if seed is None:
        seed = record.seeds[int((revision() or "0").rstrip("+")[:8], 16) % len(record.seeds)]
    if seed not in record.seeds:
        raise ValueError(f"record {name} has no seed {seed}; it has {record.seeds}")
    with TemporaryDirectory() as temporary:
        again, _ = run(name, profile=record.profile, seeds=[seed], jobs=1, cache=cache or Path(temporary))
    old, new = record.results[str(seed)], again.results[str(seed)]
    return {
        key: (old.get(key, float("nan")), new.get(key, float("nan")))
        for key in sorted(old.keys() | new.keys())
        if not abs(old.get(key, float("nan")) - new.get(key, float("nan"))) <= tolerance
    }


def default_jobs() -> int:
    """Return how many seeds to run at once: one a core."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
