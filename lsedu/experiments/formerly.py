"""A seed measured, on this machine, with the code of an earlier revision of the checkout.

Where a record's seed comes out otherwise, either the code has changed what it computes, or another processor adds in
another order and the training makes much of it. The record's own code, run here, tells which.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from lsedu import _modules
from lsedu._errors import LseduError

_PROGRAM = """
import json, sys
from lsedu import experiments
name, profile, seed, device = sys.argv[1:]
record, _ = experiments.run(name, profile=profile, seeds=[int(seed)], device=device, jobs=0, fresh=True)
print(json.dumps(record.results[seed]))
"""


class FormerCodeError(LseduError, RuntimeError):
    """The code of an earlier revision could not be had, or did not measure; the message says why."""


def measured(name: str, profile: str, seed: int, revision: str, *, device: str = "cpu") -> dict[str, float]:
    """Return the results of one seed, measured by the lsedu of a revision with this environment's packages.

    Parameters
    ----------
    name, profile, seed, device
        As for `lsedu.experiments.run`.
    revision : str
        A commit of the checkout that this code runs from.

    Raises
    ------
    FormerCodeError
        If this code is in no checkout that has the revision, or that code fails.
    """
    package = _modules.ROOT
    git = ["git", "-C", str(package.parent), "archive", revision, package.name]
    with TemporaryDirectory() as folder:
        try:
            packed = subprocess.run(git, check=True, capture_output=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise FormerCodeError(f"the code of {revision!r} cannot be had from {package.parent}: {error}") from error
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        told = [sys.executable, "-P", "-c", _PROGRAM, name, profile, str(seed), device]
        environment = {**os.environ, "PYTHONPATH": folder, "LSEDU_REVISION": revision}
        done = subprocess.run(told, env=environment, cwd=Path(folder), capture_output=True, text=True)
    if done.returncode:
        raise FormerCodeError(f"the code of {revision} did not measure {name}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)
