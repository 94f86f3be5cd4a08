"""The system-call filter: what a child may ask of the kernel. References: seccomp(2), bpf(2), the pages of the calls.

It keeps a child from leaving its place, and from telling others anything: children see the same read-only files, at
isolation levels 2 and 3 the same table of processes, and everywhere the same kernel. Whatever one child could change
there and another see is refused, or succeeds without effect where programs in good faith use it: locks and times of
files, advice on the page cache, waiting on a word in a shared file, the processors of a process. So are ways to learn
how the machine fares: its memory, other processes' limits, processors and clocks, what of a file is in memory.
"""

import ctypes
import errno
import functools
import platform
import struct
from collections.abc import Iterable

from .confine import check, libc

_MACHINE = platform.machine()
_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_CLONE_THREAD = 0x00010000
_PR_SET_SECCOMP = 22

# name: (number on x86_64, number on aarch64); None where the machine has no such call.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "open": (2, None), "close": (3, 57), "stat": (4, None), "fstat": (5, 80),
    "lstat": (6, None), "poll": (7, None), "lseek": (8, 62), "mmap": (9, 222), "mprotect": (10, 226),
    "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "pread64": (17, 67), "pwrite64": (18, 68), "readv": (19, 65), "writev": (20, 66),
    "access": (21, None), "pipe": (22, None), "select": (23, None), "sched_yield": (24, 124), "mremap": (25, 216),
    "msync": (26, 227), "dup": (32, 23), "dup2": (33, None), "nanosleep": (35, 101), "getitimer": (36, 102),
    "alarm": (37, None), "setitimer": (38, 103), "getpid": (39, 172), "sendto": (44, 206), "recvfrom": (45, 207),
    "shutdown": (48, 210), "getsockname": (51, 204), "setsockopt": (54, 208), "getsockopt": (55, 209),
    "exit": (60, 93), "wait4": (61, 260), "uname": (63, 160), "truncate": (76, 45), "ftruncate": (77, 46),
    "getdents": (78, None), "getcwd": (79, 17), "chdir": (80, 49), "rename": (82, None), "mkdir": (83, None),
    "rmdir": (84, None), "unlink": (87, None), "readlink": (89, None), "umask": (95, 166), "gettimeofday": (96, 169),
    "getrlimit": (97, 163), "getrusage": (98, 165), "times": (100, 153), "getuid": (102, 174), "getgid": (104, 176),
    "geteuid": (107, 175), "getegid": (108, 177), "getppid": (110, 173), "getpgrp": (111, None),
    "getgroups": (115, 158), "getresuid": (118, 148), "getresgid": (120, 150), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "statfs": (137, 43),
    "fstatfs": (138, 44), "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "arch_prctl": (158, None), "gettid": (186, 178), "time": (201, None), "getdents64": (217, 61),
    "set_tid_address": (218, 96), "restart_syscall": (219, 128), "exit_group": (231, 94), "epoll_wait": (232, None),
    "epoll_ctl": (233, 21), "waitid": (247, 95), "openat": (257, 56), "mkdirat": (258, 34), "newfstatat": (262, 79),
    "unlinkat": (263, 35), "renameat": (264, 38), "readlinkat": (267, 78), "faccessat": (269, 48),
    "pselect6": (270, 72), "ppoll": (271, 73), "set_robust_list": (273, 99), "epoll_pwait": (281, 22),
    "fallocate": (285, 47), "eventfd2": (290, 19), "epoll_create1": (291, 20), "dup3": (292, 24), "pipe2": (293, 59),
    "preadv": (295, 69), "pwritev": (296, 70), "getcpu": (309, 168), "renameat2": (316, 276), "getrandom": (318, 278),
    "membarrier": (324, 283), "copy_file_range": (326, 285), "statx": (332, 291), "rseq": (334, 293),
    "close_range": (436, 436), "faccessat2": (439, 439), "epoll_pwait2": (441, 441),
}  # fmt: skip

# These succeed and do nothing. What they would change is seen by all who can open the file: locks, times, what of it is
# held in memory or written to disk. A child's own files are in memory and its own alone, so nothing is lost.
_WITHOUT_EFFECT: dict[str, tuple[int | None, int | None]] = {
    "flock": (73, 32), "fsync": (74, 82), "fdatasync": (75, 83), "utime": (132, None), "sched_setaffinity": (203, 122),
    "fadvise64": (221, 223), "utimes": (235, None), "futimesat": (261, None), "sync_file_range": (277, 84),
    "utimensat": (280, 88),
}  # fmt: skip

# These look into the page cache with a flag; without it C libraries fall back on what is allowed.
_MISSING: dict[str, tuple[int | None, int | None]] = {
    "preadv2": (327, 286), "pwritev2": (328, 287), "clone3": (435, 435),
}  # fmt: skip

_NUMBERS: dict[str, dict[str, int]] = {
    "clone": {"x86_64": 56, "aarch64": 220},
    "fcntl": {"x86_64": 72, "aarch64": 25},
    "ioctl": {"x86_64": 16, "aarch64": 29},
    "prctl": {"x86_64": 157, "aarch64": 167},
    "prlimit64": {"x86_64": 302, "aarch64": 261},
    "futex": {"x86_64": 202, "aarch64": 98},
    "madvise": {"x86_64": 28, "aarch64": 233},
    "socketpair": {"x86_64": 53, "aarch64": 199},
    "sched_getaffinity": {"x86_64": 204, "aarch64": 123},
}
_KILLS = {"x86_64": (62, 200, 234), "aarch64": (129, 130, 131)}  # kill, tkill, tgkill
_OF_A_PROCESS = {"x86_64": (121, 124), "aarch64": (155, 156)}  # getpgid, getsid
_CLOCKS = {"x86_64": (228, 229, 230), "aarch64": (113, 114, 115)}  # clock_gettime, clock_getres, clock_nanosleep

_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # terminal and size queries, blocking, close on exec
_FCNTLS = (0, 1, 2, 3, 4, 1030)  # duplicate, flags; not owners, signals, leases, and sizes of pipes, which users share
_FCNTL_LOCKS = (6, 7, 37, 38)
_PRCTLS = (15, 16, 21)  # the thread's name, the state of seccomp
_ADVICE = (0, 1, 2, 3, 4, 8, 14, 15, 16, 17, 18, 19, 102, 103)  # not to merge, cool or page out what others share
_OWN_CLOCKS = (0xFFFFFFFA, 0xFFFFFFFE)  # processor time of the calling process and thread
_FUTEX_PRIVATE, _FUTEX_WAITS, _FUTEX_WAKES = 0x80, (0, 9), (1, 10)
_STREAM = 1


def _statement(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value & 0xFFFFFFFF)


def _argument(index: int, *, high: bool = False) -> bytes:
    return _statement(_LOAD, 16 + 8 * index + 4 * high)


def _error(number: int) -> bytes:
    return _statement(_RETURN, _ERRNO | number)


_YES, _DONE, _REFUSE = _statement(_RETURN, _ALLOW), _error(0), _error(errno.EPERM)


@functools.cache
def program(pid: int) -> bytes:
    """Return the filter for the process `pid`: a list of allowed calls; no new process, program, tracing or mount.

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
    parts = [_statement(_LOAD, 4), _statement(_EQUAL, _ARCH[_MACHINE], 1, 0), _statement(_RETURN, _KILL)]
    parts.append(_statement(_LOAD, 0))
    if _MACHINE == "x86_64":
        parts += [_statement(_AT_LEAST, 0x40000000, 0, 1), _statement(_RETURN, _KILL)]
    for name, block in _by_argument(pid).items():
        parts += _when(_NUMBERS[name][_MACHINE], block)
    own = _among((0, pid), _YES)
    for number in _KILLS[_MACHINE]:
        parts += _when(number, [_argument(0), *_among((pid,), _YES), _REFUSE])
    for number in _OF_A_PROCESS[_MACHINE]:
        parts += _when(number, [_argument(0), *own, _REFUSE])
    for number in _CLOCKS[_MACHINE]:  # a negative number names the clock of another process
        known = [*_among(_OWN_CLOCKS, _YES), _statement(_AT_LEAST, 16, 0, 1), _error(errno.EINVAL), _YES]
        parts += _when(number, [_argument(0), *known])
    for table, result in ((_CALLS, _YES), (_WITHOUT_EFFECT, _DONE), (_MISSING, _error(errno.ENOSYS))):
        for numbers in table.values():
            if numbers[column] is not None:
                parts += [_statement(_EQUAL, numbers[column], 0, 1), result]
    parts.append(_REFUSE)
    return b"".join(parts)


def _by_argument(pid: int) -> dict[str, list[bytes]]:
    """Return the calls of which some are allowed, each with statements that end in a return."""
    null = [_argument(2), _statement(_EQUAL, 0, 0, 3), _argument(2, high=True), _statement(_EQUAL, 0, 0, 1)]
    # Only waiting on memory of one's own: a word of a file that others map would wake them. The C library's waiting for
    # the end of a thread goes round in a short loop instead, until the kernel has cleared the thread's number.
    private = [_argument(1), _statement(_ANY_BIT, _FUTEX_PRIVATE, 0, 1), _YES, _statement(_AND, 0x7F)]
    kind = [_argument(1), _statement(_AND, 0xF), *_among((_STREAM,), _YES)]
    return {
        "clone": [_argument(0), _statement(_ANY_BIT, _CLONE_THREAD, 0, 1), _YES, _REFUSE],
        "fcntl": [_argument(1), *_among(_FCNTLS, _YES), *_among(_FCNTL_LOCKS, _DONE), _REFUSE],
        "ioctl": [_argument(1), *_among(_IOCTLS, _YES), _REFUSE],
        "prctl": [_argument(0), *_among(_PRCTLS, _YES), _REFUSE],
        "prlimit64": [_argument(0), *_unless((0, pid), _REFUSE), *null, _YES, _REFUSE],
        "futex": [
            *private,
            *_among(_FUTEX_WAITS, _error(errno.EAGAIN)),
            *_among(_FUTEX_WAKES, _DONE),
            _REFUSE,
        ],
        "madvise": [_argument(2), *_among(_ADVICE, _YES), _error(errno.EINVAL)],
        "socketpair": [*kind, _REFUSE],  # a datagram could be sent to another's address
        "sched_getaffinity": [_argument(0), *_among((0, pid), _YES), _error(errno.ENOSYS)],
    }


def _when(number: int, block: list[bytes]) -> list[bytes]:
    """Run `block`, which must end in a return, for one call."""
    return [_statement(_EQUAL, number, 0, len(block)), *block]


def _among(values: Iterable[int], result: bytes) -> list[bytes]:
    found = []
    for value in values:
        found += [_statement(_EQUAL, value, 0, 1), result]
    return found


def _unless(values: Iterable[int], result: bytes) -> list[bytes]:
    """Return `result` unless the argument is one of the values; else go on."""
    values = tuple(values)
    jumps = [_statement(_EQUAL, value, len(values) - index, 0) for index, value in enumerate(values)]
    return [*jumps, result]


def enter(filter_: bytes) -> None:
    """Install the filter on this process; no_new_privileges must be set."""
    buffer = ctypes.create_string_buffer(filter_, len(filter_))
    head = struct.pack("<HxxxxxxQ", len(filter_) // 8, ctypes.addressof(buffer))
    check(libc.prctl(_PR_SET_SECCOMP, 2, head, 0, 0), "seccomp")
