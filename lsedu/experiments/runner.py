"""Running an experiment: one single-thread process a seed, every finished seed kept, any machine the same path."""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import closing, nullcontext
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from lsedu import _check, _modules
from lsedu.experiments.answers import needed
from lsedu.experiments.apart import measure_apart
from lsedu.experiments.concluding import conclude
from lsedu.experiments.experiment import PROFILES, Experiment
from lsedu.experiments.measuring import add, default_cache, run_key, run_seed
from lsedu.experiments.provenance import provenance
from lsedu.experiments.record import Record
from lsedu.experiments.registry import get

Report = Callable[[str], None]


def run(
    name: str,
    *,
    profile: str = "smoke",
    seeds: Iterable[int] | None = None,
    device: str = "cpu",
    jobs: int = 1,
    scheduler: str = "",
    cache: Path | None = None,
    fresh: bool = False,
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
    fresh : bool
        Whether everything is measured now: what was kept here or on a worker does not count, nothing is kept.
    report : callable, optional
        Told of each finished seed in a line.

    Returns
    -------
    Record, dict of arrays
        Not written; see `save_record`. Arrays are named ``SEED/NAME``.

    Raises
    ------
    KeyError
        For an unknown study, and after its first seed where a contrast asks for a result that is not there.
    ValueError
        For an unknown profile or one the experiment does not have, a device that is not there, or results that are
        not finite.
    ConnectionError
        If no scheduler answers at its address.
    OtherCodeError
        If a worker's code is not ours.

    Notes
    -----
    At an interrupt, and where a seed fails, the processes of the other seeds are ended at once. They have kept their
    state after each epoch; the same call goes on from there.
    """
    experiment = get(name)
    _check.one_of("profile", profile, PROFILES)
    if profile not in experiment.configs:
        raise ValueError(f"experiment {name} has no profile {profile!r}; it has {', '.join(experiment.configs)}")
    chosen = sorted(set(experiment.seeds[profile] if seeds is None else seeds))
    if not chosen:
        raise ValueError("seeds must name at least one seed, got none")
    tell = report or (lambda line: None)
    digest = _modules.digest([experiment.module], docstrings=False)
    kept: dict[int, dict[str, Any]] = {}
    with TemporaryDirectory() if fresh else nullcontext(cache or default_cache()) as root:
        folder = Path(root) / name / f"{profile}-{run_key(experiment, profile, device)}"
        if scheduler:
            found = measure_apart(experiment, profile, chosen, scheduler, device=device, folder=folder, fresh=fresh)
        else:
            found = _measure_here(name, profile, chosen, jobs, device=device, folder=folder)
        with closing(found):  # what is raised here ends the other seeds at once
            for seed, outcome in found:
                if not kept:
                    experiment.require_answers(outcome["results"])
                kept[seed] = outcome
                tell(f"{name}: seed {seed} done in {outcome['seconds']:.1f} s ({len(kept)} of {len(chosen)})")
                if any(one["digest"] != digest for one in outcome["origins"]):
                    tell(f"{name}: seed {seed} was kept from other code than this; --fresh measures it again")
        return _assemble(experiment, profile, chosen, kept)


def _start_worker() -> None:
    """Leave interrupts to whoever started us, who ends us then, and hold nothing that would outlive that end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())  # the lock it makes by itself lives in the system


def _measure_here(
    name: str, profile: str, seeds: list[int], jobs: int, *, device: str, folder: Path
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Measure seeds in processes of this machine, or one after the other in this one; give each as it is done."""
    if jobs == 0:
        for seed in seeds:
            yield seed, run_seed(name, profile, seed, device=device, folder=str(folder))
        return
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start_worker) as pool:
        pending: dict[Future, int] = {
            pool.submit(run_seed, name, profile, seed, device=device, folder=str(folder)): seed for seed in seeds
        }
        try:
            while pending:
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    yield pending.pop(future), future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()
            raise


def _assemble(
    experiment: Experiment, profile: str, seeds: list[int], kept: dict[int, dict[str, Any]]
) -> tuple[Record, dict[str, np.ndarray]]:
    results = {str(seed): kept[seed]["results"] for seed in seeds}
    arrays: dict[str, np.ndarray] = {}
    for seed in seeds:
        for path in kept[seed]["arrays"]:
            with np.load(path, allow_pickle=False) as found:
                add(arrays, {f"{seed}/{key}": found[key] for key in found.files})
    wanted = needed(experiment.contrasts, arrays)
    arrays = {key: array for key, array in arrays.items() if key.partition("/")[2] in wanted}
    configs = json.loads(json.dumps(asdict(experiment.configs[profile])))
    record = Record(
        name=experiment.name,
        claim=experiment.claim,
        source=experiment.source,
        profile=profile,
        reduction=experiment.reduction[profile],
        configs=configs,
        seeds=seeds,
        results=results,
        contrasts=conclude(experiment, configs, results, arrays=arrays, planned=len(experiment.seeds[profile])),
        provenance=provenance(
            data=experiment.data,
            seconds={str(seed): kept[seed]["seconds"] for seed in seeds},
            origins={str(seed): kept[seed]["origins"] for seed in seeds},
        ),
    )
    return record, arrays


def default_jobs(device: str = "cpu", *, quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return how many seeds to run at once: one a core that this process may use, or one where they would share a GPU.

    Parameters
    ----------
    device : str
        Torch device of the runs.
    quota : Path
        Where Linux says how much of its cores a container may use: microseconds of work in a period, and the period.
    """
    if device != "cpu":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        work, period = quota.read_text(encoding="ascii").split()
        cores = cores if work == "max" else min(cores, -(-int(work) // int(period)))
    except (OSError, ValueError):
        pass  # no such limit, or none that we can read
    return max(1, cores)
