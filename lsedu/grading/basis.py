"""What marks rest on besides the submissions: how right answers are worked out, and a key of all that decides."""

import contextlib
import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from lsedu import _modules
from lsedu.authoring.lab import Lab

CODE = ("lsedu.grading.classroom", "lsedu.grading.child.launch", "lsedu.grading.child.zygote")
"""The modules from which all code that a mark depends on is reached; the child's are started, not imported."""


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch, if it is there, work by one thread as it does in the sandbox.

    The arrays of a lab are small, and where other programs want the processors, threads burn them waiting for another.
    """
    torch = sys.modules.get("torch")
    before = 1 if torch is None else torch.get_num_threads()
    if torch is not None:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch is not None:
            torch.set_num_threads(before)


def key(lab: Lab, secret: str) -> str:
    """Return what a mark depends on besides the submission: lab, secret (by its fingerprint), libraries, our code."""
    versions = []
    for name in ("numpy", "torch"):
        with contextlib.suppress(PackageNotFoundError):
            versions.append(f"{name} {version(name)}")
    sha = hashlib.sha256("\n".join([lab.digest, secret, *versions]).encode())
    for name in _modules.reached(CODE):
        sha.update(name.encode() + b"\0" + _modules.path_of(name).read_bytes())
    return sha.hexdigest()[:16]
