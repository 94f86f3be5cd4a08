"""Where a record comes from: time, machine, versions, code and data."""

import datetime
import hashlib
import json
import platform
import subprocess
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lsedu import __version__, _modules
from lsedu.data import hashes


def config_hash(config: Any) -> str:
    """Return the sha256 (hex) of a configuration: a dataclass or anything that JSON can hold."""
    plain = asdict(config) if is_dataclass(config) else config
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def revision() -> str:
    """Return the commit of the checkout that the code runs from, "+" if it was changed since, "" outside one."""
    root = Path(__file__).resolve().parents[2]

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True).stdout

    try:
        return git("rev-parse", "HEAD").strip() + ("+" if git("status", "--porcelain", "--", "lsedu").strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def device_name(device: str) -> str:
    """Return the name of the card, or the architecture of the processor."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else f"cpu ({platform.machine()})"


def provenance(*, module: str, data: tuple[str, ...], device: str, seconds: dict[str, float]) -> dict[str, Any]:
    """Return what a record states of its origin.

    Parameters
    ----------
    module : str
        Module of the experiment; the digest covers all lsedu modules that it reaches.
    data : tuple of str
        Names of the data sets read.
    device : str
        Torch device of the runs.
    seconds : dict
        Seconds by seed.
    """
    return {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": device_name(device),
        "seconds": {seed: round(value, 2) for seed, value in seconds.items()},
        "versions": {
            "lsedu": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "revision": revision(),
        "digest": _modules.digest([module]),
        "data": {name: hashes(name) for name in data},
    }
