"""Measuring on other machines: workers of a dask scheduler, found by its address, with the same code as here."""

import platform
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lsedu import _modules
from lsedu._errors import LseduError
from lsedu.experiments.experiment import Experiment
from lsedu.experiments.measuring import default_cache, joined, keep, kept, part_folder, parts, run_part, run_seed
from lsedu.experiments.registry import get

#: Seconds to wait for a scheduler to answer.
PATIENCE = 10.0


class OtherCodeError(LseduError, RuntimeError):
    """A worker's lsedu is not ours: what it measured would not be this code's result."""


def code_digest(experiment: Experiment) -> str:
    """Return the digest of what a worker runs: what the study makes use of, and the engine that measures it."""
    return _modules.digest([experiment.module, run_seed.__module__], docstrings=False)


def run_seed_apart(
    name: str, profile: str, seed: int, *, device: str, run_name: str, digest: str, fresh: bool = False
) -> list[tuple[str, dict[str, Any], bytes]]:
    """Measure one seed on a worker that may share no disk with us: its own cache there, each part back with its arrays.

    With `fresh`, what the worker kept of an earlier run does not count.

    Raises
    ------
    OtherCodeError
        If the modules that the experiment reaches have another digest there than `digest`, before anything is run.
    """
    own = code_digest(get(name))
    if own != digest:
        raise OtherCodeError(
            f"experiment {name}: the worker on {platform.node()} runs other code than this machine (digest of the "
            f"modules reached: {own[:16]} there, {digest[:16]} here); install the same version of lsedu on both"
        )
    with TemporaryDirectory() if fresh else nullcontext(default_cache()) as cache:
        place, back = str(Path(cache) / name / run_name), []
        for part in parts(get(name), profile):
            found = run_part(name, profile, seed, part, device=device, folder=place)
            back.append((part, found, Path(found["arrays"]).read_bytes() if found["arrays"] else b""))
        return back


def connect(address: str) -> Any:
    """Return a client of the dask scheduler at `address`.

    Raises
    ------
    ConnectionError
        If distributed is not installed or nothing answers there.
    """
    try:
        from distributed import Client

        return Client(address, timeout=PATIENCE, set_as_default=False)
    except ImportError as error:
        raise ConnectionError("a scheduler needs dask.distributed: pip install 'lsedu[cluster]'") from error
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"no dask scheduler answers at {address} ({error}); start one with `dask scheduler`, "
            "or leave the address out to run on this machine"
        ) from error


def measure_apart(
    experiment: Experiment,
    profile: str,
    seeds: list[int],
    scheduler: str,
    *,
    device: str,
    folder: Path,
    fresh: bool,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Measure seeds on the workers of the scheduler at an address, keep them in `folder` here, give each as it is done.

    Raises
    ------
    ConnectionError
        If no scheduler answers.
    OtherCodeError
        If a worker's code is not ours.
    """
    name = experiment.name
    whole = parts(experiment, profile)
    todo = [seed for seed in seeds if any(kept(part_folder(folder, seed, part)) is None for part in whole)]
    for seed in sorted(set(seeds) - set(todo)):
        yield seed, run_seed(name, profile, seed, device=device, folder=str(folder))
    options = {
        "device": device,
        "run_name": folder.name,
        "digest": code_digest(experiment),
        "fresh": fresh,
    }
    with connect(scheduler) as client:
        from distributed import as_completed

        futures = {client.submit(run_seed_apart, name, profile, seed, **options, pure=False): seed for seed in todo}
        try:
            for future in as_completed(futures, loop=client.loop):
                seed = futures[future]
                yield seed, joined([keep(part_folder(folder, seed, part), *one) for part, *one in future.result()])
        except BaseException:
            client.cancel(list(futures))
            raise
