"""Where a record comes from: time, machine, versions, code and data."""

import datetime
import hashlib
import json
import os
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
    """Return the commit of the checkout that the code runs from, "+" if it was changed since, "" outside one.

    A copy that travels without its history is told by LSEDU_REVISION what it is a copy of.
    """
    if told := os.environ.get("LSEDU_REVISION"):
        return told
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


def origin(module: str, device: str) -> dict[str, Any]:
    """Return where a measurement is made: device, versions, revision, and a digest of what `module` makes use of."""
    return {
        "device": device_name(device),
        "versions": {
            "lsedu": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "revision": revision(),
        "digest": _modules.digest([module], docstrings=False),
    }


def provenance(
    *, data: tuple[str, ...], seconds: dict[str, float], origins: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """Return what a record states of its origin.

    Parameters
    ----------
    data : tuple of str
        Names of the data sets read.
    seconds : dict
        Seconds by seed.
    origins : dict
        By seed, the origins of its parts. The latest seed's stands for all; where they are several, as when seeds came
        from several cards, each is listed in ``origins`` with its seeds.
    """
    different: list[dict[str, Any]] = []
    for seed, found in origins.items():
        for one in found:
            place = next((known for known in different if {**known, "seeds": None} == {**one, "seeds": None}), None)
            if place is None:
                different.append(place := {**one, "seeds": []})
            if seed not in place["seeds"]:
                place["seeds"].append(seed)
    last = {key: value for key, value in different[-1].items() if key != "seeds"}
    return {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": {seed: round(value, 2) for seed, value in seconds.items()},
        **last,
        **({"origins": different} if len(different) > 1 else {}),
        "data": {name: hashes(name) for name in data},
    }
