"""Kernels forked from one process in which the libraries that pages use are imported already.

A kernel of its own imports torch and matplotlib for some three seconds of the processor, which is more than most pages
compute. Here one process imports them and does nothing else; each page gets a fork of it, in which nothing has run, in
a folder and with variables of its own. lsedu is not among what is imported: pages import it themselves, by the rules of
`lsedu._reads`. For a few pages, and where processes have no descriptors (anywhere but on Linux), kernels are started as
Jupyter does. A program that starts kernels by their name in Jupyter's list, as nbval does, is given such forks by
`Nursery.listed`: what it starts is `_forked`, which stands for the kernel.
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

#: No library that looks, when it is imported, for a kernel around it: matplotlib_inline does.
IMPORTED = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "scipy.optimize",
    "torch._dynamo",
)

#: Where a kernel lets pyplot draw.
INLINE = "module://matplotlib_inline.backend_inline"

FEWEST = 3

#: What a forked kernel is called in Jupyter's list.
NAME = "forked"


def _has_descriptors() -> bool:
    """Return whether processes have descriptors here; some containers forbid the call that Linux has for it."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class Kernel:
    """A forked kernel, in the words of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid, self._descriptor = pid, os.pidfd_open(pid)
        self.returncode: int | None = None

    def poll(self, seconds: float | None = 0) -> int | None:
        """Return None while it runs, then 0: how it ended only its parent could tell."""
        if self.returncode is None and select.select([self._descriptor], [], [], seconds)[0]:
            self.returncode = 0
            os.close(self._descriptor)
        return self.returncode

    def wait(self) -> int | None:
        """Wait for its end."""
        return self.poll(None)

    def ends_before(self, line: socket.socket) -> bool:
        """Wait until it has ended or something is heard on a line, and return whether it has ended."""
        if self.returncode is None and line in select.select([self._descriptor, line], [], [])[0]:
            return False
        return self.wait() is not None

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._descriptor, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that kernels are forked from, started when the first one is asked for and ended with the block.

    Parameters
    ----------
    kernels : int
        How many will be asked for. It takes some to make up for what is imported, used or not.
    """

    def __init__(self, kernels: int) -> None:
        self._forks = kernels >= FEWEST and _has_descriptors()
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        self._sockets = tempfile.TemporaryDirectory(prefix="lsedu-")

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        if self._line is not None:
            self._line.close()
            self._process.wait()
        self._sockets.cleanup()

    def fork(self, arguments: list[str], folder: str, environment: dict[str, str]) -> Kernel:
        """Return a new kernel that works in `folder`."""
        with self._lock:
            if self._line is None:
                self._line, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
                with theirs:
                    command = [sys.executable, "-P", __file__, str(theirs.fileno()), *IMPORTED]
                    self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
            try:
                self._line.send(json.dumps([arguments, folder, environment]).encode())
                pid = int(self._line.recv(32))
            except (OSError, ValueError) as error:
                raise RuntimeError("the process that kernels are forked from has ended, see what it said") from error
            return Kernel(pid)  # an ended child is not waited for before the next request: the number is its own

    @contextmanager
    def listed(self) -> Iterator[dict[str, str] | None]:
        """Give the variables by which a program finds the kernel `NAME` that is forked here, None where none can be."""
        if not self._forks:
            yield None
            return
        place = Path(self._sockets.name)
        address, spec = str(place / "door"), place / "kernels" / NAME / "kernel.json"
        spec.parent.mkdir(parents=True)
        stand_in = [sys.executable, "-I", "-S", str(Path(__file__).with_name("_forked.py")), address]
        told = {
            "argv": [*stand_in, "-f", "{connection_file}", "--log-level=ERROR"],
            "display_name": NAME,
            "language": "python",
        }
        spec.write_text(json.dumps(told), encoding="utf-8")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
            door.bind(address)
            door.listen()
            threading.Thread(target=self._answer, args=[door], daemon=True).start()
            before = os.environ.get("JUPYTER_PATH")
            try:
                yield {"JUPYTER_PATH": os.pathsep.join(filter(None, [str(place), before]))}
            finally:
                door.shutdown(socket.SHUT_RDWR)

    def _answer(self, door: socket.socket) -> None:
        """Fork a kernel for each who comes, until the door is shut."""
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=self._accompany, args=[line], daemon=True).start()

    def _accompany(self, line: socket.socket) -> None:
        """Pass interrupts on to a kernel; end it when its stand-in has ended, and the stand-in when it has."""
        with line:
            kernel = self.fork(*json.loads(line.recv(1 << 20)))
            while not kernel.ends_before(line):
                if not line.recv(16):
                    kernel.kill()
                    kernel.wait()
                    return
                kernel.send_signal(signal.SIGINT)

    def manager(self, environment: dict[str, str]) -> type[AsyncKernelManager]:
        """Return a class of kernel managers whose kernels are forked here and have these further variables."""
        nursery = self
        place = {}
        if os.name == "posix":
            # a kernel's TCP ports can be read by everyone on the machine; its sockets by the owner alone
            place = {"transport": "ipc", "ip": f"{self._sockets.name}/{uuid4()}"}

        class Provisioner(LocalProvisioner):
            async def launch_kernel(self, cmd: list[str], *, cwd: Any, env: dict[str, str], **_: Any) -> dict[str, Any]:
                self.process = nursery.fork(cmd[cmd.index("-f") :], str(cwd), env)
                self.pid = self.pgid = self.process.pid
                self.cwd = cwd
                return self.connection_info

        class Manager(AsyncKernelManager):
            def __init__(self, **options: Any) -> None:
                super().__init__(**options, **place)

            async def _async_interrupt_kernel(self) -> None:
                """Do nothing: before a kernel is told to end it is interrupted, and says so if it is answering."""

            async def _async_pre_start_kernel(self, **options: Any) -> Any:
                options["env"] = {**os.environ, **environment}
                if nursery._forks:
                    kernel_id = self.kernel_id or str(uuid4())
                    self.provisioner = Provisioner(kernel_id=kernel_id, kernel_spec=self.kernel_spec, parent=self)
                return await super()._async_pre_start_kernel(**options)

        return Manager


def _requests(line: socket.socket) -> list[Any] | None:
    """Fork at each request; return it in the fork, and None here when nobody can ask any more."""
    children: set[int] = set()
    while request := line.recv(1 << 20):
        children -= {pid for pid in children if os.waitpid(pid, os.WNOHANG)[0]}
        pid = os.fork()
        if not pid:
            line.close()
            return json.loads(request)
        children.add(pid)
        line.send(str(pid).encode())
    for pid in children:
        os.kill(pid, signal.SIGKILL)  # a zombie, if it has ended
        os.waitpid(pid, 0)
    return None


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the line's end is the sign for us
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # with which kernels end; ipykernel reads it when it is imported
    line = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # or the first collection of each fork would write to, and so copy, all of it
    request = _requests(line)
    if request is not None:
        arguments, folder, environment = request
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        if drawing := sys.modules.get(
            "matplotlib"
        ):  # it asked for its backend when it was imported: there was no kernel
            drawing.rcParams["backend"] = environment.get("MPLBACKEND") or INLINE
        importlib.import_module("ipykernel.kernelapp").launch_new_instance(argv=arguments)
        atexit._run_exitfuncs()
        os._exit(0)  # the end as Python does it takes all modules apart


if __name__ == "__main__":
    _main()
