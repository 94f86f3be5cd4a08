"""Zygotes and children as the grader sees them: started, spoken to over a socket, ended."""

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsedu._errors import LseduError
from lsedu.grading import packages, warm
from lsedu.grading.children import Child, LostError
from lsedu.grading.isolation import OTHER_USER, Isolation, bwrap_path

_START_SECONDS, _ORDER_SECONDS = 120.0, 30.0
_PREAMBLE = "grading_child/preamble.txt"


class SandboxError(LseduError, RuntimeError):
    """No isolation of the level asked for can be had here; the message names what to change."""


@dataclass
class Limits:
    """What one child may use: MiB beyond the libraries', CPU seconds, MiB of temporary files."""

    memory_mb: int = 2048
    cpu_seconds: int = 120
    tmp_mb: int = 64


@dataclass
class Setting:
    """What all zygotes of a run share.

    Parameters
    ----------
    view, folder
        The view of the file tree, and the folder behind it.
    preload
        The modules to import.
    limits
        What one child may use.
    forbidden
        The calls that are watched for, a list for each question that has some; see `lsedu.labs.watch`.
    when_read
        Returns when all that submissions may read has been read once, see `warm`; no child is made before.
    """

    view: packages.View
    preload: list[str]
    folder: Path
    limits: Limits = field(default_factory=Limits)
    forbidden: list[list[str]] = field(default_factory=list)
    when_read: Callable[[], None] = lambda: None


@contextlib.contextmanager
def setting(
    allow: list[str] | tuple[str, ...],
    answers: list[str] | tuple[str, ...],
    limits: Limits,
    *,
    preamble: str = "",
    forbidden: Iterable[Iterable[str]] = (),
) -> Iterator["Setting"]:
    """Prepare the view for a lab; its folder is removed at the end.

    `preamble` is trusted text that the zygote runs, once, in what becomes the namespace of the students' cells; the
    modules that may be imported and those that hold an answer are as in the lab's manifest; for the rest see `Setting`.
    """
    for stale in Path(tempfile.gettempdir()).glob("lsedu-view-*"):  # left by a grader that was killed
        owner = stale.name.split("-")[2]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"lsedu-view-{os.getpid()}-"))
    try:
        view = packages.allowed_view(allow, answers, folder)
        (folder / _PREAMBLE).write_text(preamble, encoding="utf-8")
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)
        warm.ahead(folder)
        preload = [name for name in allow if name != "lsedu"]
        with ThreadPoolExecutor(1) as beside:  # the zygote imports meanwhile
            read = beside.submit(lambda: warm.up(view.readable))
            yield Setting(view, preload, folder, limits, [list(names) for names in forbidden], read.result)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Zygote:
    """A process that has imported what the lab allows, and forks children from there; threads may share it.

    Raises
    ------
    SandboxError
        If it cannot be isolated so.
    """

    def __init__(self, isolation: Isolation, setting: Setting) -> None:
        self.isolation, self.setting = isolation, setting
        self.lock = threading.Lock()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(_START_SECONDS)
        try:
            self.process = self._launch(theirs)
        finally:
            theirs.close()
        try:
            ready = self._wait_ready()
            setting.when_read()
        except (OSError, ValueError, EOFError) as error:
            self.close()
            said = self.process.stderr.read().decode(errors="replace").strip().splitlines()
            raise SandboxError(said[-1] if said else f"the zygote did not start ({error})") from error
        self.control.settimeout(_ORDER_SECONDS)
        self.missing: list[str] = ready["missing"]
        self.seconds: float = ready["seconds"]
        self.address_space = self._address_space()

    def _launch(self, theirs: socket.socket) -> subprocess.Popen:
        view, number = self.setting.view, theirs.fileno()
        inside = self.isolation.namespaces or self.isolation.bwrap
        course = packages.COURSE if inside else str(self.setting.folder)
        open_, support = ((name if inside else course + name) for name in (packages.PACKAGES, packages.SUPPORT))
        paths = [course, open_]
        setup = {
            "control": number,
            "preload": self.setting.preload,
            "preamble": f"{course}/{_PREAMBLE}",
            "forbidden": self.setting.forbidden,
            "namespaces": self.isolation.namespaces,
            "landlock": self.isolation.landlock,
            "seccomp": self.isolation.seccomp,
            "guarded": view.guarded,
            "support": support,
            "libraries": [open_, support, f"{course}/lsedu"],
            "read": ["/"] if inside else [*view.readable, *packages.DEVICES],
            "write": ["/tmp", "/dev/shm", "/dev/null"] if self.isolation.namespaces else ["/dev/null"],
        }
        code = f"import sys; sys.path[:0] = {paths!r}; from grading_child.zygote import main; main()"
        python = packages.interpreter()
        command = [python, "-P", "-s", "-S", "-B", "-c", code, json.dumps(setup)]
        plan = {
            "control": number,
            "namespaces": self.isolation.namespaces,
            "mapped": self.isolation.mapped,
            "uid": self.isolation.uid,
            "binds": view.binds,
            "links": view.links,
            "hidden": view.hidden,
            "devices": packages.DEVICES,
            "command": command if not self.isolation.bwrap else self._bwrap(command),
            "environment": packages.environment("/tmp" if self.isolation.namespaces else f"{course}/{packages.HOME}"),
        }
        start = (
            f"import sys; sys.path.insert(0, {str(self.setting.folder)!r}); import grading_child.launch as l; l.main()"
        )
        process = subprocess.Popen(
            [python, "-P", "-s", "-S", "-B", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[number],
            env=packages.environment("/nonexistent"),
            cwd="/",
            start_new_session=True,
        )
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(plan).encode())
            process.stdin.close()
        return process

    def _bwrap(self, command: list[str]) -> list[str]:
        words = [bwrap_path(), "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
        for source, target in self.setting.view.binds:
            words += ["--ro-bind", source, target]
        for target, points_to in self.setting.view.links:
            words += ["--symlink", points_to, target]
        for name in self.setting.view.hidden:
            if any(name.startswith(target + "/") for _, target in self.setting.view.binds) and os.path.isdir(name):
                words += ["--tmpfs", name, "--remount-ro", name]
        for name in packages.DEVICES:
            words += ["--dev-bind", name, name]
        return [*words, "--dir", "/tmp", "--remount-ro", "/", "--chdir", "/", *command]

    def _wait_ready(self) -> dict[str, Any]:
        data = self.control.recv(65536)
        if data == b"map":
            user = OTHER_USER
            for name, text in (("uid_map", f"0 {user} 1"), ("gid_map", f"0 {user} 1")):
                Path(f"/proc/{self.process.pid}/{name}").write_text(text)
            self.control.send(b"mapped")
            data = self.control.recv(65536)
        if not data:
            raise EOFError("it ended at once")
        return json.loads(data)

    def _address_space(self) -> int:
        """Return the address space of the zygote in bytes, from outside."""
        pids, best = [self.process.pid], 0
        while pids:
            pid = pids.pop()
            with contextlib.suppress(OSError):
                best = max(best, int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE"))
                pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return best or 4 * 2**30

    def child(self, *, processors: Iterable[int] = ()) -> Child:
        """Fork a locked child, which keeps to `processors` if some are named.

        Raises
        ------
        LostError
            If the zygote is gone.
        """
        ours, theirs = socket.socketpair()
        limits = self.setting.limits
        order = {
            "do": "fork",
            "address_space": self.address_space + limits.memory_mb * 2**20,
            "cpu_seconds": limits.cpu_seconds,
            "tmp_mb": limits.tmp_mb,
            # without a user namespace of its own all children would be counted together, and could tell each other
            "processes": 24 if self.isolation.namespaces else None,
            "processors": sorted(processors),
            "strict": self.isolation.seccomp,
        }
        try:
            with self.lock:
                socket.send_fds(self.control, [json.dumps(order).encode()], [theirs.fileno()])
                data, descriptors, _, _ = socket.recv_fds(self.control, 65536, 1)
            answer = json.loads(data)
        except (OSError, ValueError) as error:
            ours.close()
            raise LostError(f"the zygote is gone ({error})") from error
        finally:
            theirs.close()
        if "error" in answer or not descriptors:
            ours.close()
            raise LostError(f"the zygote could not fork: {answer.get('error')}")
        return Child(descriptors[0], ours, functools.partial(self.status, answer["pid"]))

    def status(self, pid: int) -> int | None:
        """Return how a child ended.

        Raises
        ------
        LostError
            If the zygote is gone: then the child has ended with it, not by itself.
        """
        try:
            with self.lock:
                self.control.send(json.dumps({"do": "status", "pid": pid}).encode())
                return json.loads(self.control.recv(65536))["status"]
        except (OSError, ValueError) as error:
            raise LostError(f"the zygote is gone ({error})") from error

    def close(self) -> None:
        """End the zygote and everything it started."""
        self.control.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> "Zygote":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
        self.process.stderr.close()
