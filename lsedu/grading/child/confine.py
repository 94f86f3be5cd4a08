"""The kernel's locks, called through ctypes: namespaces, mounts, capabilities, Landlock, seccomp, limits.

Every function here acts on the calling process and raises OSError with the name of the step that failed. References:
the manual pages unshare(2), mount(2), capabilities(7), landlock(7), seccomp(2) and setrlimit(2).
"""

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Iterable

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_DROP = 1, 4, 22, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 38, 47
_MACHINE = platform.machine()
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(_MACHINE, -1)


def _check(result: int, step: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{step}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` name for new ones."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace."""
    _check(_libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)), "setns")


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind, data)]
    result = _libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3])
    _check(result, f"mount {kind or source} on {target}")


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
    _check(_libc.syscall(ctypes.c_long(_PIVOT_ROOT), b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", ctypes.c_int(2)), "umount of the old root")
    os.chdir("/")


def die_with_parent() -> None:
    """Ask the kernel for a SIGKILL when the parent ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl(PDEATHSIG)")


def drop_capabilities() -> None:
    """Give up every capability for good, and every way to gain one."""
    _libc.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)
    for number in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) < 0 and ctypes.get_errno() == errno.EINVAL:
            break
    header = struct.pack("<Ii", 0x20080522, 0)
    _check(_libc.capset(header, bytes(24)), "capset")
    no_new_privileges()
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl(DUMPABLE)")


def no_new_privileges() -> None:
    """No program run from here on can have more rights than its caller."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(NO_NEW_PRIVS)")


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
        resource.RLIMIT_SIGPENDING: 64,
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
    return max(0, _libc.syscall(ctypes.c_long(_LANDLOCK_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint(1)))


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
    rules = _libc.syscall(ctypes.c_long(_LANDLOCK_CREATE), attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    _check(rules, "landlock_create_ruleset")
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
            result = _libc.syscall(
                ctypes.c_long(_LANDLOCK_ADD), ctypes.c_int(rules), ctypes.c_int(1), rule, ctypes.c_uint(0)
            )
            os.close(place)
            _check(result, f"landlock_add_rule {path}")
    return rules


def landlock_enter(rules: int) -> None:
    """Restrict this process by a rule set."""
    result = _libc.syscall(ctypes.c_long(_LANDLOCK_RESTRICT), ctypes.c_int(rules), ctypes.c_uint(0))
    _check(result, "landlock_restrict_self")


# seccomp

_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CLONE_THREAD = 0x00010000

# name: (number on x86_64, number on aarch64); None where the machine has no such call.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "open": (2, None), "close": (3, 57), "stat": (4, None), "fstat": (5, 80),
    "lstat": (6, None), "poll": (7, None), "lseek": (8, 62), "mmap": (9, 222), "mprotect": (10, 226),
    "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "pread64": (17, 67), "pwrite64": (18, 68), "readv": (19, 65), "writev": (20, 66),
    "access": (21, None), "pipe": (22, None), "select": (23, None), "sched_yield": (24, 124), "mremap": (25, 216),
    "msync": (26, 227), "mincore": (27, 232), "madvise": (28, 233), "dup": (32, 23), "dup2": (33, None),
    "nanosleep": (35, 101), "getitimer": (36, 102), "alarm": (37, None), "setitimer": (38, 103), "getpid": (39, 172),
    "sendto": (44, 206), "recvfrom": (45, 207), "sendmsg": (46, 211), "recvmsg": (47, 212), "shutdown": (48, 210),
    "getsockname": (51, 204), "socketpair": (53, 199), "setsockopt": (54, 208), "getsockopt": (55, 209),
    "exit": (60, 93), "wait4": (61, 260), "uname": (63, 160), "flock": (73, 32), "fsync": (74, 82),
    "fdatasync": (75, 83), "truncate": (76, 45), "ftruncate": (77, 46), "getdents": (78, None), "getcwd": (79, 17),
    "chdir": (80, 49), "rename": (82, None), "mkdir": (83, None), "rmdir": (84, None), "unlink": (87, None),
    "readlink": (89, None), "umask": (95, 166), "gettimeofday": (96, 169), "getrlimit": (97, 163),
    "getrusage": (98, 165), "sysinfo": (99, 179), "times": (100, 153), "getuid": (102, 174), "getgid": (104, 176),
    "geteuid": (107, 175), "getegid": (108, 177), "getppid": (110, 173), "getpgrp": (111, None),
    "getgroups": (115, 158), "getresuid": (118, 148), "getresgid": (120, 150), "getpgid": (121, 155),
    "getsid": (124, 156), "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132), "statfs": (137, 43), "fstatfs": (138, 44), "getpriority": (140, 141),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "arch_prctl": (158, None), "gettid": (186, 178), "time": (201, None),
    "futex": (202, 98), "sched_setaffinity": (203, 122), "sched_getaffinity": (204, 123), "getdents64": (217, 61),
    "set_tid_address": (218, 96), "restart_syscall": (219, 128), "fadvise64": (221, 223),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "exit_group": (231, 94),
    "epoll_wait": (232, None), "epoll_ctl": (233, 21), "utimes": (235, None), "waitid": (247, 95),
    "openat": (257, 56), "mkdirat": (258, 34), "newfstatat": (262, 79), "unlinkat": (263, 35), "renameat": (264, 38),
    "readlinkat": (267, 78), "faccessat": (269, 48), "pselect6": (270, 72), "ppoll": (271, 73),
    "set_robust_list": (273, 99), "get_robust_list": (274, 100), "sync_file_range": (277, 84),
    "utimensat": (280, 88), "epoll_pwait": (281, 22), "fallocate": (285, 47), "eventfd2": (290, 19),
    "epoll_create1": (291, 20), "dup3": (292, 24), "pipe2": (293, 59), "preadv": (295, 69), "pwritev": (296, 70),
    "getcpu": (309, 168), "renameat2": (316, 276), "getrandom": (318, 278), "membarrier": (324, 283),
    "copy_file_range": (326, 285), "preadv2": (327, 286), "pwritev2": (328, 287), "statx": (332, 291),
    "rseq": (334, 293), "close_range": (436, 436), "faccessat2": (439, 439), "epoll_pwait2": (441, 441),
}  # fmt: skip
_CLONE, _CLONE3 = {"x86_64": 56, "aarch64": 220}, 435
_FCNTL, _IOCTL = {"x86_64": 72, "aarch64": 25}, {"x86_64": 16, "aarch64": 29}
_PRCTL, _PRLIMIT = {"x86_64": 157, "aarch64": 167}, {"x86_64": 302, "aarch64": 261}
_KILLS = {"x86_64": (62, 200, 234), "aarch64": (129, 130, 131)}  # kill, tkill, tgkill
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # terminal and size queries, blocking, close on exec
_FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)  # duplicate, flags, locks, size of a pipe; not owners and signals
_PRCTLS = (15, 16, 21)  # the thread's name, the state of seccomp


def _statement(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value & 0xFFFFFFFF)


def _argument(index: int) -> bytes:
    return _statement(_LOAD, 16 + 8 * index)


def seccomp_program() -> bytes:
    """Return the filter: a list of allowed calls; no new process, program, socket, tracing, mount or key.

    Signals can be sent to the calling process only. What is refused fails with EPERM, so that Python raises
    PermissionError; a call for another architecture ends the process.

    Raises
    ------
    OSError
        On a machine whose calls are not known here.
    """
    if _MACHINE not in _ARCH:
        raise OSError(errno.ENOSYS, f"seccomp: no list of calls for {_MACHINE}")
    column = 0 if _MACHINE == "x86_64" else 1
    allow, refuse = _statement(_RETURN, _ALLOW), _statement(_RETURN, _ERRNO | errno.EPERM)
    missing = _statement(_RETURN, _ERRNO | errno.ENOSYS)
    program = [_statement(_LOAD, 4), _statement(_EQUAL, _ARCH[_MACHINE], 1, 0), _statement(_RETURN, _KILL)]
    program.append(_statement(_LOAD, 0))
    if _MACHINE == "x86_64":
        program += [_statement(_AT_LEAST, 0x40000000, 0, 1), _statement(_RETURN, _KILL)]
    program += [_statement(_EQUAL, _CLONE3, 0, 1), missing]
    program += _when(_CLONE[_MACHINE], [_argument(0), _statement(_ANY_BIT, _CLONE_THREAD, 0, 1), allow, refuse])
    for number, values in ((_IOCTL, _IOCTLS), (_FCNTL, _FCNTLS)):
        program += _when(number[_MACHINE], [_argument(1), *_among(values, allow), refuse])
    program += _when(_PRCTL[_MACHINE], [_argument(0), *_among(_PRCTLS, allow), refuse])
    new_limit = [_argument(2), _statement(_EQUAL, 0, 0, 3), _statement(_LOAD, 16 + 8 * 2 + 4)]
    program += _when(_PRLIMIT[_MACHINE], [*new_limit, _statement(_EQUAL, 0, 0, 1), allow, refuse])
    for number in _KILLS[_MACHINE]:
        target = [_argument(0), *_among((os.getpid(),), allow), refuse]
        program += _when(number, target)
    for numbers in _CALLS.values():
        if numbers[column] is not None:
            program += [_statement(_EQUAL, numbers[column], 0, 1), allow]
    program.append(refuse)
    return b"".join(program)


def _when(number: int, block: list[bytes]) -> list[bytes]:
    """Run `block`, which must end in a return, for one call."""
    return [_statement(_EQUAL, number, 0, len(block)), *block]


def _among(values: Iterable[int], result: bytes) -> list[bytes]:
    found = []
    for value in values:
        found += [_statement(_EQUAL, value, 0, 1), result]
    return found


def seccomp_enter(program: bytes) -> None:
    """Install the filter on this process; no_new_privileges must be set."""
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    _check(_libc.prctl(_PR_SET_SECCOMP, 2, head, 0, 0), "seccomp")
