"""Checkpoints: written whole or not at all, and refused when they belong to another run."""

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lsedu import _write
from lsedu._errors import LseduError
from lsedu.training.config import Config


class CheckpointError(LseduError, RuntimeError):
    """A checkpoint cannot be read, or was made by another recipe."""


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to `path` so that a kill at any moment leaves the old file or the new one, never half a file.

    Raises
    ------
    OSError
        If it cannot be written; the old file stays.
    """
    whole = io.BytesIO()  # where a disk is full, torch.save by itself raises an error of its own that hides why
    torch.save(state, whole)
    _write.write(path, whole.getbuffer())


def _shapes(state: dict[str, Any]) -> dict[str, tuple[int, ...] | None]:
    return {name: tuple(value.shape) if isinstance(value, Tensor) else None for name, value in state.items()}


def load(
    path: Path, config: Config, parts: dict[str, dict[str, Any]], *, device: torch.device | str
) -> dict[str, Any] | None:
    """Return the state saved at `path`, or None if there is none.

    Parameters
    ----------
    path : Path
    config : Config
        The recipe that the state must have been made with.
    parts : dict of str to dict
        By name in the state, the state dicts of the modules that it is for; names and shapes must agree.
    device : torch.device or str
        Where the state's tensors are put.

    Raises
    ------
    CheckpointError
        If the file is damaged, or was made with another recipe or for other modules.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        kept = {part: _shapes(state[part]) for part in parts}
    except Exception as error:
        raise CheckpointError(f"{path} cannot be read ({error}); remove it to start this run again") from error
    if state.get("config") != asdict(config):
        raise CheckpointError(
            f"{path} was made with {state.get('config')}, this run wants {asdict(config)}; "
            "give another checkpoint path or remove the file"
        )
    for part, wanted in parts.items():
        ours, theirs = _shapes(wanted), kept[part]
        odd = sorted(
            name for name in ours.keys() | theirs.keys() if ours.get(name, "absent") != theirs.get(name, "absent")
        )
        if odd:
            raise CheckpointError(
                f"{path} was made for another {part}: {odd[0]} is {theirs.get(odd[0], 'absent')} there and "
                f"{ours.get(odd[0], 'absent')} here; give another checkpoint path or remove the file"
            )
    return state
