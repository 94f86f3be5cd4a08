"""The kernel's locks, called through ctypes: namespaces, mounts, capabilities, Landlock, limits.

Every function here acts on the calling process and raises OSError with the name of the step that failed. References:
the manual pages unshare(2), mount(2), capabilities(7), landlock(7) and setrlimit(2).
"""

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Iterable

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 38, 47
_MACHINE = platform.machine()
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(_MACHINE, -1)


def check(result: int, step: str) -> int:
    """Return the result of a system call; raise OSError with the name of the step if it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{step}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` name for new ones."""
    check(libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace."""
    check(libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)), "setns")


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind, data)]
    result = libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3])
    check(result, f"mount {kind or source} on {target}")


def make_mounts_private() -> None:
    """Keep what is mounted from now on to this namespace."""
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)


def mount_tmpfs(target: str, *, megabytes: int, files: int, mode: str = "755") -> None:
    """Mount an empty memory file system with a size and a number of files at most."""
    _mount("tmpfs", target, "tmpfs", _MS_NOSUID | _MS_NODEV, f"size={megabytes}m,nr_inodes={files},mode={mode}")


def bind_read_only(source: str, target: str, *, device: bool = False) -> None:
    """Show a file or folder at `target`, read-only."""
    _mount(source, target, None, _MS_BIND | _MS_REC)
    flags = _MS_NOSUID | (0 if device else _MS_NODEV | _MS_RDONLY)
    try:
        _mount(None, target, None, _MS_BIND | _MS_REMOUNT | flags)
    except OSError:  # flags that the source's own mount has locked must be repeated
        _mount(None, target, None, _MS_BIND | _MS_REMOUNT | flags | _locked(target))


def _locked(path: str) -> int:
    """Return the mount flags that statvfs reports, as mount(2) writes them."""
    found = os.statvfs(path).f_flag
    names = {os.ST_NOEXEC: _MS_NOEXEC, os.ST_NOATIME: 1024, os.ST_RELATIME: 1 << 21, os.ST_NODEV: _MS_NODEV}
    return sum(flag for bit, flag in names.items() if found & bit)


def make_read_only(target: str) -> None:
    """Remount a memory file system read-only."""
    _mount(None, target, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def enter_root(root: str) -> None:
    """Make `root` the root of the file tree, and let go of the old one."""
    os.chdir(root)
    check(libc.syscall(ctypes.c_long(_PIVOT_ROOT), b".", b"."), "pivot_root")
    check(libc.umount2(b".", ctypes.c_int(2)), "umount of the old root")
    os.chdir("/")


def die_with_parent() -> None:
    """Ask the kernel for a SIGKILL when the parent ends."""
    check(libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl(PDEATHSIG)")


def drop_capabilities() -> None:
    """Give up every capability for good, and every way to gain one."""
    libc.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)
    for number in range(64):
        if libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) < 0 and ctypes.get_errno() == errno.EINVAL:
            break
    header = struct.pack("<Ii", 0x20080522, 0)
    check(libc.capset(header, bytes(24)), "capset")
    no_new_privileges()
    check(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl(DUMPABLE)")


def no_new_privileges() -> None:
    """No program run from here on can have more rights than its caller."""
    check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(NO_NEW_PRIVS)")


def set_limits(*, address_space: int, seconds: int, file_size: int, files: int, processes: int | None) -> None:
    """Set hard limits on this process: address space and file size in bytes, CPU time in seconds.

    `processes` counts all of a user's within the user namespace, so it is left out (None) where that is shared.
    """
    wanted = {
        resource.RLIMIT_AS: address_space,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: file_size,
        resource.RLIMIT_NOFILE: files,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: 0,  # counted by user: how many more can be queued would tell of others
        resource.RLIMIT_MEMLOCK: 0,
    }
    if processes is None:
        del wanted[resource.RLIMIT_NPROC]
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


# Landlock

_READ = 1 << 0 | 1 << 2 | 1 << 3  # execute (which mapping a library needs), read a file, list a folder
_WRITE = sum(1 << bit for bit in (1, 4, 5, 7, 8, 14))  # write, remove, make folders and files, truncate
_FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}


def landlock_version() -> int:
    """Return the version of Landlock that the kernel offers, 0 for none."""
    return max(0, libc.syscall(ctypes.c_long(_LANDLOCK_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def landlock_rules(*, read: Iterable[str], write: Iterable[str] = ()) -> int:
    """Return a rule set, as a file descriptor: files below `read` can be read, below `write` also written.

    TCP is shut altogether from version 4 on, signals and abstract sockets to the outside from version 6 on.
    """
    version = landlock_version()
    if not version:
        raise OSError(errno.ENOSYS, "landlock: the kernel does not offer it")
    handled = (1 << _FS_BITS.get(version, 16)) - 1
    attributes = struct.pack("<QQQ", handled, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = libc.syscall(ctypes.c_long(_LANDLOCK_CREATE), attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    check(rules, "landlock_create_ruleset")
    for paths, rights in ((read, _READ), (write, _READ | _WRITE)):
        for path in paths:
            allowed = rights & handled
            if not os.path.isdir(path):
                allowed &= 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            rule = struct.pack("<Qi", allowed, place)
            result = libc.syscall(
                ctypes.c_long(_LANDLOCK_ADD), ctypes.c_int(rules), ctypes.c_int(1), rule, ctypes.c_uint(0)
            )
            os.close(place)
            check(result, f"landlock_add_rule {path}")
    return rules


def landlock_enter(rules: int) -> None:
    """Restrict this process by a rule set."""
    result = libc.syscall(ctypes.c_long(_LANDLOCK_RESTRICT), ctypes.c_int(rules), ctypes.c_uint(0))
    check(result, "landlock_restrict_self")
