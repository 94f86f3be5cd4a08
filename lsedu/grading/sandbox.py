"""Probe the machine: start the best sandbox it can hold, and see that it holds."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from lsedu.grading.child import wire
from lsedu.grading.isolation import ACCEPTED, Isolation, offered, refusal
from lsedu.grading.zygotes import LostError, SandboxError, Setting, Zygote


@dataclass
class Probe:
    """What the machine can do: the isolation chosen, what it was seen to hold back, and why better ones failed."""

    isolation: Isolation
    held: dict[str, bool]
    failures: dict[str, str]

    @property
    def level(self) -> int:
        """The isolation level reached."""
        return self.isolation.level

    def describe(self) -> str:
        """Return one line for the screen and the record."""
        return f"level {self.level} ({self.isolation.name})"


def probe(setting: Setting, *, at_most: int = 4, accept: int = ACCEPTED) -> tuple[Probe, Zygote]:
    """Start the best sandbox that this machine can hold, and see that it holds.

    Returns
    -------
    Probe, Zygote
        What was found, and the zygote it was found with, ready for use.

    Raises
    ------
    SandboxError
        If no isolation of level `accept` or better works; the message names the settings to change.
    """
    failures: dict[str, str] = {}
    for isolation in offered():
        if isolation.level > at_most or isolation.level < accept:
            continue
        try:
            zygote = Zygote(isolation, setting)
        except SandboxError as error:
            failures[isolation.name] = str(error)
            continue
        try:
            held = _try(zygote)
        except (wire.ClosedError, wire.LateError, wire.WireError, LostError, SandboxError) as error:
            failures[isolation.name] = str(error)
        else:
            leaks = [name for name, ok in held.items() if not ok]
            if not leaks or isolation.level < ACCEPTED:
                return Probe(isolation, held, failures), zygote
            failures[isolation.name] = f"it did not hold back {', '.join(leaks)}"
        zygote.close()
    raise SandboxError(refusal(failures))


def _try(zygote: Zygote) -> dict[str, bool]:
    with tempfile.TemporaryDirectory(prefix="lsedu-canary-") as folder, zygote.child() as child:
        canary = Path(folder) / "canary"
        canary.write_text("a file that no submission may read")
        child.send(wire.pack("probe", canary=str(canary)), seconds=10)
        header, _ = child.receive(seconds=30)
    if header["kind"] == "unlocked":
        raise SandboxError(header["step"])
    return {str(name): bool(ok) for name, ok in header["held"].items()}
