"""Checkpoints: written whole or not at all, and refused when they belong to another run."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from lsedu import _write
from lsedu.training.config import Config


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read, or was made by another recipe."""


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to `path` so that a kill at any moment leaves the old file or the new one, never half a file."""
    with _write.replacing(path) as out:
        torch.save(state, out)


def load(path: Path, config: Config, *, device: torch.device | str) -> dict[str, Any] | None:
    """Return the state saved at `path`, or None if there is none.

    Raises
    ------
    CheckpointError
        If the file is damaged, or the recipe in it is not `config`.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} cannot be read ({error}); remove it to start this run again") from error
    if state.get("config") != asdict(config):
        raise CheckpointError(
            f"{path} was made with {state.get('config')}, this run wants {asdict(config)}; "
            "give another checkpoint path or remove the file"
        )
    return state
