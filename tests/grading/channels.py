"""Ways in which one submission might tell another something while both are marked, or after it.

`CHANNELS` holds pairs of cells. The second defines `hear()`, which returns 1 if it heard what the first did when it was
loaded; what it needs to know beforehand it notes when it is loaded itself, which comes first. `SIGHTS` are ways to see
how others fare: `hear()` returns 1 if it sees anything that is not the process's own.
"""

_LIBC = """
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(x86, arm, *words):
    number = x86 if os.uname().machine == "x86_64" else arm
    return libc.syscall(ctypes.c_long(number), *[ctypes.c_long(word) if type(word) is int else word for word in words])
"""

CHANNELS = {
    "whole-file locks": (
        "import fcntl, os\nheld = open(os.__file__)\nfcntl.flock(held, fcntl.LOCK_EX)\n",
        """
import fcntl, os
mine = open(os.__file__)
def hear():
    try:
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 1
    return 0
""",
    ),
    "record locks": (
        "import fcntl\nheld = open('/dev/null', 'r+')\nfcntl.lockf(held, fcntl.LOCK_EX, 5, 7)\n",
        """
import fcntl, errno
mine = open('/dev/null', 'r+')
def hear():
    try:
        fcntl.lockf(mine, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 7)
    except OSError as error:
        return int(error.errno in (errno.EAGAIN, errno.EACCES))
    return 0
""",
    ),
    "record locks asked for": (
        "import fcntl\nheld = open('/dev/null', 'r+')\nfcntl.lockf(held, fcntl.LOCK_EX, 5, 7)\n",
        """
import fcntl, struct
mine = open('/dev/null', 'r+')
def hear():
    try:
        answer = fcntl.fcntl(mine, fcntl.F_GETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 7, 5, 0))
    except OSError:
        return 0
    return int(struct.unpack_from('h', answer)[0] != fcntl.F_UNLCK)
""",
    ),
    "locks of open files": (
        """
import fcntl, struct
held = open('/dev/null', 'r+')
fcntl.fcntl(held, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 3, 1, 0))
""",
        """
import errno, fcntl, struct
mine = open('/dev/null', 'r+')
def hear():
    try:
        fcntl.fcntl(mine, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 3, 1, 0))
    except OSError as error:
        return int(error.errno in (errno.EAGAIN, errno.EACCES))
    return 0
""",
    ),
    "leases": (
        "import fcntl, os\nheld = open(os.__file__)\nfcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_RDLCK)\n",
        """
import fcntl, os
def hear():
    with open(os.__file__) as file:
        try:
            return int(fcntl.fcntl(file, fcntl.F_GETLEASE) != fcntl.F_UNLCK)
        except OSError:
            return 0
""",
    ),
    "times of a file": (
        "import os\nos.utime('/dev/null')\n",
        """
import os
before = os.stat('/dev/null').st_mtime_ns
def hear():
    return int(os.stat('/dev/null').st_mtime_ns != before)
""",
    ),
    "the time of the last reading": (
        """
import os
for name in ('wave.py', 'chunk.py', 'this.py'):
    open(os.path.dirname(os.__file__) + '/' + name).read(1)
""",
        """
import os
def times():
    return [os.stat(os.path.dirname(os.__file__) + '/' + name).st_atime_ns for name in ('wave.py', 'this.py')]
before = times()
def hear():
    return int(times() != before)
""",
    ),
    "flags of descriptors that were there before": (
        """
import fcntl, os
fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) ^ os.O_APPEND)
""",
        """
import fcntl
before = [fcntl.fcntl(number, fcntl.F_GETFL) for number in range(3)]
def hear():
    return int([fcntl.fcntl(number, fcntl.F_GETFL) for number in range(3)] != before)
""",
    ),
    "datagrams to an address": (
        """
import socket
one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.setsockopt(socket.SOL_SOCKET, 16, 1)
one.send(b'a name is given')
""",
        """
import socket
def hear():
    try:
        one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    except PermissionError:
        return 0
    return 1
""",
    ),
    "abstract sockets": (
        "import socket\nheld = socket.socket(socket.AF_UNIX)\nheld.bind('\\0a name')\nheld.listen()\n",
        """
import socket
def hear():
    try:
        socket.socket(socket.AF_UNIX).connect('\\0a name')
    except OSError:
        return 0
    return 1
""",
    ),
    "descriptors on their way": (
        """
import os, socket
one, two = socket.socketpair()
number = os.open('/dev/null', os.O_RDONLY)
for _ in range(100):
    socket.send_fds(one, [b'x'], [number] * 5)
""",
        """
import errno, os, socket
def hear():
    one, two = socket.socketpair()
    number = os.open('/dev/null', os.O_RDONLY)
    try:
        for _ in range(40):
            socket.send_fds(one, [b'x'], [number] * 5)
    except OSError as error:
        return int(error.errno == errno.ETOOMANYREFS)
    return 0
""",
    ),
    "queued signals": (
        """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {40})
for _ in range(100):
    os.kill(os.getpid(), 40)
""",
        """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {41})
def lost():
    os.kill(os.getpid(), 41)
    return signal.sigtimedwait({41}, 1).si_pid == 0
before = lost()
def hear():
    return int(lost() != before)
""",
    ),
    "the number of threads": (
        """
import threading
held = threading.Event()
threading.stack_size(65536)
try:
    for _ in range(600):
        threading.Thread(target=held.wait, daemon=True).start()
except RuntimeError:
    pass
""",
        """
import threading
def hear():
    try:
        threading.Thread(target=int).start()
    except RuntimeError:
        return 1
    return 0
""",
    ),
    "a word of a file on which threads wait": (
        _LIBC
        + """
import mmap, threading
file = mmap.mmap(os.open(os.__file__, os.O_RDONLY), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ)
import numpy
address = numpy.frombuffer(file, 'u1').ctypes.data
def wake():
    for _ in range(500):
        call(202, 98, address, 1, 1, 0, 0, 0)
        time.sleep(0.002)
threading.Thread(target=wake, daemon=True).start()
""",
        _LIBC
        + """
import mmap, numpy
file = mmap.mmap(os.open(os.__file__, os.O_RDONLY), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ)
words = numpy.frombuffer(file, 'u4')
def hear():
    limit = (ctypes.c_long * 2)(0, 300_000_000)
    return int(call(202, 98, words.ctypes.data, 0, int(words[0]), ctypes.byref(limit), 0, 0) == 0)
""",
    ),
    "memory of System V": (
        _LIBC + "found = call(29, 194, 4711, 4096, 0o1666)\n",
        _LIBC + "def hear():\n    return int(call(29, 194, 4711, 4096, 0) >= 0)\n",
    ),
    "memory by name": (
        "open('/dev/shm/told', 'w').write('x')\n",
        "import os\ndef hear():\n    return int(os.path.exists('/dev/shm/told'))\n",
    ),
    "temporary files": (
        "import tempfile\nopen(tempfile.gettempdir() + '/told', 'w').write('x')\n",
        "import os, tempfile\ndef hear():\n    return int(os.path.exists(tempfile.gettempdir() + '/told'))\n",
    ),
    "watching a file": (
        "import os\nopen(os.__file__).read()\n",
        _LIBC
        + """
watch = call(294, 26, os.O_NONBLOCK)
if watch >= 0:
    call(254, 27, watch, ctypes.c_char_p(os.__file__.encode()), 0x20)
def hear():
    try:
        return int(watch >= 0 and len(os.read(watch, 100)) > 0)
    except OSError:
        return 0
""",
    ),
    "the processors of others": (
        "import os, time\nos.sched_setaffinity(os.getpid(), {min(os.sched_getaffinity(0))})\n",
        """
import os
def others():
    found = []
    for pid in range(1, 70000):
        try:
            found += [(pid, os.sched_getaffinity(pid))] if pid != os.getpid() else []
        except OSError:
            pass
    return found
def hear():
    return int(bool(others()))
""",
    ),
}

SIGHTS = {
    "clocks of other processes": """
import os, time
def hear():
    for pid in range(1, 70000):
        try:
            if pid != os.getpid() and time.clock_gettime((~pid << 3) | 2) >= 0:
                return 1
        except OSError:
            pass
    return 0
""",
    "groups and sessions of other processes": """
import os
def hear():
    for pid in range(1, 70000):
        for ask in (os.getpgid, os.getsid):
            try:
                if pid != os.getpid() and ask(pid) >= 0:
                    return 1
            except PermissionError:
                pass
            except ProcessLookupError:
                return 1
    return 0
""",
    "limits of other processes": """
import os, resource
def hear():
    for pid in range(1, 70000):
        try:
            if pid != os.getpid() and resource.prlimit(pid, resource.RLIMIT_CPU):
                return 1
        except PermissionError:
            pass
        except ProcessLookupError:
            return 1
    return 0
""",
    "memory of the machine": _LIBC + "def hear():\n    return int(call(99, 179, (ctypes.c_long * 32)()) == 0)\n",
    "what of a file is in memory": _LIBC
    + """
def hear():
    number, page = os.open(os.__file__, os.O_RDONLY), bytearray(4096)
    try:
        os.preadv(number, [page], 0, os.RWF_NOWAIT)
        return 1
    except BlockingIOError:
        return 1
    except OSError:
        pass
    import mmap, numpy
    words = numpy.frombuffer(mmap.mmap(number, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ), 'u1')
    asked = [call(27, 232, words.ctypes.data, 4096, (ctypes.c_char * 1)()) == 0]
    asked.append(call(451, 451, number, (ctypes.c_long * 2)(0, 0), (ctypes.c_long * 8)(), 0) == 0)
    return int(any(asked))
""",
    "putting a file out of memory": _LIBC
    + """
def hear():
    import mmap, numpy
    number = os.open(os.__file__, os.O_RDONLY)
    words = numpy.frombuffer(mmap.mmap(number, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ), 'u1')
    return int(any(call(28, 233, words.ctypes.data, 4096, advice) == 0 for advice in (12, 20, 21)))
""",
    "counters of the system": """
import os
def hear():
    try:
        if 'MHz' in open('/proc/cpuinfo').read():
            return 1
    except OSError:
        pass
    for name in ('/proc/loadavg', '/proc/stat', '/proc/meminfo', '/sys/devices/system/cpu/cpu0/cpuidle/state0/usage',
                 '/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq',
                 '/sys/kernel/mm/transparent_hugepage/khugepaged/pages_collapsed'):
        try:
            if open(name).read():
                return 1
        except OSError:
            pass
    return 0
""",
    "another number of processors": """
import os
def hear():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {max(before)} if len(before) > 1 else {0, 1})
    except OSError:
        return 0
    return int(os.sched_getaffinity(0) != before)
""",
}
