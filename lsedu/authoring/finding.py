"""One thing that the gate of a lab looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it must be, and what to say if not."""

    what: str
    passed: bool
    said: str = ""
