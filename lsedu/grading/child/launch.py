"""Build the sandbox around the zygote: namespaces and a file tree that holds the interpreter and allowed packages.

Started by the grader as a program of its own, with a plan (JSON) on standard input and a socket to the grader:

- `namespaces`: whether to build everything here; else nothing is built (the zygote is inside bubblewrap already, or
  Landlock must hold the files).
- `binds`: pairs (source, target), shown read-only; `links`: pairs (target, what it points to); `devices`.
- `mapped`: whether the grader maps this process to another user (only root can).
- `command`, `environment`: the zygote.
"""

import json
import os
import socket
import sys
import tempfile
from pathlib import Path

from . import confine

TMP_MB, TMP_FILES = 64, 4096
_ALL = (
    confine.NEWUSER
    | confine.NEWNS
    | confine.NEWPID
    | confine.NEWNET
    | confine.NEWIPC
    | confine.NEWUTS
    | confine.NEWCGROUP
)


def main() -> None:
    """Become the zygote, or say why not on standard error and end with status 3."""
    plan = json.loads(sys.stdin.read())
    control = socket.socket(fileno=plan["control"])
    try:
        confine.die_with_parent()
        if plan["namespaces"]:
            _namespaces(plan, control)
            return
        if plan.get("uid") is not None:
            os.setgroups([])
            os.setresgid(plan["uid"], plan["uid"], plan["uid"])
            os.setresuid(plan["uid"], plan["uid"], plan["uid"])
            confine.die_with_parent()
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}\n")
        sys.stderr.flush()
        os._exit(3)
    _become(plan, control)


def _namespaces(plan: dict, control: socket.socket) -> None:
    user, group = os.getuid(), os.getgid()
    if plan["mapped"]:
        confine.unshare(confine.NEWNS)
        _view(plan)
        confine.unshare(_ALL)
        control.send(b"map")
        if control.recv(16) != b"mapped":
            raise OSError(1, "the grader could not map the user")
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    else:
        procfs = os.open("/proc/self", os.O_DIRECTORY)
        confine.unshare(_ALL)
        for name, text in (("setgroups", "deny"), ("gid_map", f"0 {group} 1"), ("uid_map", f"0 {user} 1")):
            with open(os.open(name, os.O_WRONLY, dir_fd=procfs), "w") as file:
                file.write(text)
        os.close(procfs)
        _view(plan)
    confine.die_with_parent()
    child = os.fork()
    if child == 0:
        confine.die_with_parent()
        _become(plan, control)
    control.close()
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _view(plan: dict) -> None:
    """Put together the file tree and make it the root."""
    procfs = os.open("/proc", os.O_DIRECTORY)
    os.set_inheritable(procfs, True)
    plan["procfs"] = procfs
    confine.make_mounts_private()
    root = tempfile.gettempdir()
    keep = [os.open(source, os.O_PATH) for source, _ in plan["binds"]]
    confine.mount_tmpfs(root, megabytes=8, files=8192)
    for (_, target), descriptor in zip(plan["binds"], keep):
        source = f"/proc/self/fd/{descriptor}"
        place = Path(root + target)
        place.parent.mkdir(parents=True, exist_ok=True)
        if os.path.isdir(source):
            place.mkdir(exist_ok=True)
        else:
            place.touch()
        confine.bind_read_only(source, str(place))
        os.close(descriptor)
    for target, points_to in plan["links"]:
        place = Path(root + target)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(points_to)
    for name in plan["hidden"]:
        if os.path.isdir(root + name):
            confine.mount_tmpfs(root + name, megabytes=1, files=2)
            confine.make_read_only(root + name)
    for name in plan["devices"]:
        place = Path(root + name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        confine.bind_read_only(name, str(place), device=True)
    for name in ("/tmp", "/dev/shm"):
        Path(root + name).mkdir(parents=True, exist_ok=True)
    confine.make_read_only(root)
    confine.enter_root(root)


def _become(plan: dict, control: socket.socket) -> None:
    os.set_inheritable(control.fileno(), True)
    environment = {**plan["environment"], "GRADING_PROCFS": str(plan.get("procfs", -1))}
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.execve(plan["command"][0], plan["command"], environment)


if __name__ == "__main__":
    main()
