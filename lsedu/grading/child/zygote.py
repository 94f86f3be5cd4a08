"""The zygote: imports what submissions may import, runs the lab's preamble, and forks one locked child for each order.

It holds no secret: no test, no reference, no input and no student's code ever reaches it, and the preamble stands in
every student's notebook. Orders come over a socket as JSON, with the child's own channel as a file descriptor; the
answer carries a pidfd, by which the grader ends it.
"""

import array
import contextlib
import gc
import importlib
import json
import os
import socket
import sys
import tempfile
import time
from typing import Any

from . import alone, confine, imports, seccomp, wire, worker

_LONG = 60.0
_LATE = ("numpy.random", "numpy.linalg", "numpy.fft", "numpy.ma")


def main() -> None:
    """Serve orders until the grader is gone."""
    setup = json.loads(sys.argv[1])
    control = socket.socket(fileno=setup["control"])
    procfs = int(os.environ.pop("GRADING_PROCFS", "-1"))
    begin = time.monotonic()
    missing = []
    tempfile.tempdir = os.environ["TMPDIR"]  # named, not tried: at level 3 and below no file can be written there
    imports.Guard(setup["guarded"], setup["support"], setup["libraries"]).install()
    for name in [*setup["preload"], *(_LATE if "numpy" in setup["preload"] else ())]:
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing.append(f"{name}: {error}")
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        torch.set_num_interop_threads(1)
    with open(setup["preamble"], encoding="utf-8") as file:
        space = worker.prepare(file.read(), setup["forbidden"])
    alone.end()
    gc.collect()
    gc.freeze()
    zygote = Zygote(control, procfs, setup, space)
    control.send(
        json.dumps(
            {
                "ready": True,
                "seconds": time.monotonic() - begin,
                "missing": missing,
                "landlock": confine.landlock_version(),
                "new_namespaces": zygote.own_pids >= 0,
            }
        ).encode()
    )
    zygote.serve()


class Zygote:
    """Forks children and tells how they ended."""

    def __init__(self, control: socket.socket, procfs: int, setup: dict[str, Any], space: dict[str, Any]) -> None:
        self.control, self.procfs, self.setup, self.space = control, procfs, setup, space
        self.own_pids = -1
        if setup["namespaces"]:
            self.own_pids = os.open("self/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=procfs)
            if setup["seccomp"]:
                seccomp.program(1)  # kept for the children, each of which is the first process of its namespace
        self.rules = -1
        self.late_rules = setup["landlock"] and self.own_pids >= 0
        if setup["landlock"] and not self.late_rules:
            self.rules = self._rules()
        self.ended: dict[int, int] = {}

    def _rules(self) -> int:
        return confine.landlock_rules(read=self.setup["read"], write=self.setup["write"])

    def serve(self) -> None:
        """Take orders one after the other."""
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.control, 65536, 4)
            if not data:
                os._exit(0)
            order = json.loads(data)
            self._reap()
            if order["do"] == "status":
                self.control.send(json.dumps({"status": self._status(order["pid"])}).encode())
                continue
            try:
                child = self._fork(order, descriptors)
                watch = os.pidfd_open(child)
            except OSError as error:
                self.control.send(json.dumps({"error": str(error)}).encode())
            else:
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [watch]))]
                self.ended.pop(child, None)  # of an earlier process of this number, for which nobody asked
                self.control.sendmsg([json.dumps({"pid": child}).encode()], ancillary)
                os.close(watch)
            for number in descriptors:
                os.close(number)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self.ended[found[0]] = found[1]

    def _status(self, child: int) -> int | None:
        """Return the exit code of a child that has ended, negative for a signal."""
        if child not in self.ended:
            with contextlib.suppress(ChildProcessError):
                self.ended[child] = os.waitpid(child, 0)[1]
        status = self.ended.pop(child, None)
        return None if status is None else os.waitstatus_to_exitcode(status)

    def _fork(self, order: dict[str, Any], descriptors: list[int]) -> int:
        if self.own_pids < 0:
            child = os.fork()
            if child:
                return child
            self._child(order, descriptors)
        parent = os.getpid()
        confine.unshare(confine.NEWPID)
        try:
            child = os.fork()
            if child == 0:
                self._child(order, descriptors)
            return child
        finally:
            if os.getpid() == parent:
                confine.setns(self.own_pids, confine.NEWPID)

    def _child(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """Lock this fresh process in, then let the worker serve; never returns."""
        status = 70
        try:
            channel = socket.socket(fileno=os.dup(descriptors[0]))
            failed = self._lock(order, channel)
            if failed is None:
                worker.serve(channel, self.space)
                status = 0
            else:
                wire.send(channel, wire.pack("unlocked", step=failed), until=time.monotonic() + _LONG)
        finally:
            os._exit(status)

    def _lock(self, order: dict[str, Any], channel: socket.socket) -> str | None:
        """Take every right away, in an order in which each step is still possible; return the step that failed."""
        try:
            if self.procfs >= 0:
                with open(os.open("self/oom_score_adj", os.O_WRONLY, dir_fd=self.procfs), "w") as file:
                    file.write("1000")
            wire.close_all_but({channel.fileno(), self.rules})
            if self.own_pids >= 0:
                confine.unshare(confine.NEWNS | confine.NEWIPC | confine.NEWUTS)
                confine.mount_tmpfs("/tmp", megabytes=order["tmp_mb"], files=4096, mode="700")
                confine.mount_tmpfs("/dev/shm", megabytes=order["tmp_mb"], files=256, mode="700")
                os.chdir("/tmp")
                if self.late_rules:  # they must name the memory file systems mounted just now
                    self.rules = self._rules()
                # a user namespace of its own, in which processes are counted apart from other submissions'
                confine.unshare(confine.NEWUSER)
            os.umask(0o077)
            for number in (0, 1, 2):  # opened anew: what the zygote opened, all children would share, flags included
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, number)
                os.close(null)
            if order["processors"]:
                os.sched_setaffinity(0, order["processors"])
            if order["strict"]:
                confine.drop_capabilities()
                confine.die_with_parent()
            else:
                confine.no_new_privileges()
            confine.set_limits(
                address_space=order["address_space"],
                seconds=order["cpu_seconds"],
                file_size=order["tmp_mb"] * 2**20,
                files=256,
                processes=order["processes"],
            )
            if self.rules >= 0:
                confine.landlock_enter(self.rules)
                os.close(self.rules)
            if self.setup["seccomp"]:
                seccomp.enter(seccomp.program(os.getpid()))
        except Exception as error:
            return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        return None


if __name__ == "__main__":
    main()
