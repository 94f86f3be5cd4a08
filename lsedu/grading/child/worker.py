"""Inside the sandbox: load a student's cells, then answer calls with values.

Everything here runs in the same process as the student's code and is at its mercy, so nothing here is believed: the
grader takes what arrives as this student's answer to the question it asked, and compares it in its own process.
"""

import ast
import builtins
import contextlib
import importlib.util
import inspect
import linecache
import math
import os
import random
import re
import signal
import socket
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from . import calling, standins, wire

_MAGIC = re.compile(r"^([ \t]*)(?:[%!?](?:[^\n]*\\\n)*[^\n]*|[\w.]+\?{1,2}[ \t]*$)", re.MULTILINE)
_TIMED = re.compile(r"^([ \t]*)%time[ \t]+(?=\S)", re.MULTILINE)
_FROM_MAGIC = re.compile(r"^([ \t]*[\w., \t]+=[ \t]*)[%!][^\n]*", re.MULTILINE)
_OTHER_LANGUAGE = re.compile(
    r"\s*%%(?:bash|sh|script|html|javascript|js|svg|latex|markdown|writefile|file|perl|ruby)\b", re.I
)

# What may fail here though it ran in the student's notebook, for want of a package, a name from a set-up cell, a file
# or a keyboard: the statements after it are still run. So they are after one that used a stand-in.
_ABSENT = (ImportError, NameError, OSError, EOFError)


def serve(channel: socket.socket, space: dict[str, Any]) -> None:
    """Answer the grader's orders until it hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    while True:
        header, body = wire.receive(channel, until=math.inf)
        kind = header["kind"]
        if kind == "load":
            _load(channel, header, space)
        elif kind == "call":
            frame = _call(header, body, space)
            wire.send(channel, frame, until=math.inf)
        elif kind == "probe":
            _say(channel, "probed", held=_probe(header))


def _say(channel: socket.socket, kind: str, **fields: Any) -> None:
    wire.send(channel, wire.pack(kind, **fields), until=math.inf)


def prepare(preamble: str, forbidden: Iterable[Iterable[str]]) -> dict[str, Any]:
    """Return a namespace like that of a notebook's kernel, in which the lab's own preamble has been run.

    The zygote does so before it forks, and finds what the forbidden calls of the lab's questions are known by, so that
    no child has to.
    """
    space = _space()
    _seed(0)
    _run("preamble", preamble, space)
    for names in forbidden:
        calling.follow()  # a thread may be started when the cells are loaded, and used when a function is called
        calling.call(_touch, (), {}, forbid=names)
    return space


def _touch() -> None:
    """Do what a function does at least, for what is looked up at the first call."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.ones(1) + 1


def _space() -> dict[str, Any]:
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    builtins.display = lambda *items, **options: None
    builtins.get_ipython = standins.Inert
    standins.install()
    if importlib.util.find_spec("tqdm") is not None:
        import tqdm

        for name in ("notebook", "auto"):  # bars for browsers, which need what is absent here
            sys.modules[f"tqdm.{name}"] = tqdm
            setattr(tqdm, name, tqdm)
    return module.__dict__


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch = sys.modules.get("torch")
    if torch is not None:
        # all that torch.manual_seed does where there is no accelerator, but that it notes who calls, by reading sources
        torch.default_generator.manual_seed(seed)


def _load(channel: socket.socket, header: dict[str, Any], space: dict[str, Any]) -> None:
    """Run the student's cells, and report on each when it has run."""
    _say(channel, "ready")
    _seed(header["seed"])
    for number, (name, text) in enumerate(header["cells"], start=1):
        error = _run(name, text, space)
        _say(channel, "ran", cell=number, error=error)


def _run(name: str, text: str, space: dict[str, Any]) -> list[Any] | None:
    """Run a cell; what the sandbox lacks does not stop it, any other error does. Return [type, line] of the first."""
    first = None
    text = plain_python(text)
    label = f"<cell {name}>"
    linecache.cache[label] = (len(text), None, text.splitlines(keepends=True), label)
    try:
        tree = ast.parse(text, label)
        flags = _future(tree) | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        for statement in tree.body:
            before = standins.Inert.used
            code = compile(ast.Module([statement], []), label, "exec", dont_inherit=True, flags=flags)
            try:
                waiting = eval(code, space)
                if code.co_flags & inspect.CO_COROUTINE:
                    import asyncio

                    asyncio.run(waiting)
            except Exception as error:
                first = first or _describe(error, label)
                if not isinstance(error, _ABSENT) and standins.Inert.used == before:
                    return first
    except BaseException as error:  # a cell may raise anything, SystemExit and KeyboardInterrupt included
        return first or _describe(error, label)
    return first


def _future(tree: ast.Module) -> int:
    """Return the flags of the `from __future__` imports of a cell, for its statements are compiled one by one."""
    import __future__

    names = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    ]
    return sum({getattr(__future__, name).compiler_flag for name in names if hasattr(__future__, name)})


def plain_python(text: str) -> str:
    r"""Blank out the lines that are IPython's (magics and shell commands); line numbers stay.

    Examples
    --------
    >>> plain_python("%matplotlib inline\nx = 1")
    'pass\nx = 1'
    >>> plain_python("%time x = 1\nfiles = !ls")
    'x = 1\nfiles = get_ipython()'
    """
    if _OTHER_LANGUAGE.match(text):
        return ""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ")
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        text = _FROM_MAGIC.sub(r"\1get_ipython()", _TIMED.sub(r"\1", text))
        return _MAGIC.sub(lambda match: match[1] + "pass" + "\n" * match[0].count("\n"), text).expandtabs(8)
    return text


def _describe(error: BaseException, label: str = "<cell ") -> list[Any]:
    """Return the type of an error and the line of the student's cell; never its text, which could hold an input."""
    kind = type(error)
    known = kind.__module__ in ("builtins", "numpy", "numpy.linalg", "numpy.exceptions", "torch")
    if isinstance(error, SyntaxError):
        return ["SyntaxError" if not known else kind.__name__, error.lineno or 0, ""]
    trace, line, place = error.__traceback__, 0, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith("<cell "):
            line, place = trace.tb_lineno, name[6:-1]
        trace = trace.tb_next
    return [kind.__name__ if known else "", line, place]


def _call(header: dict[str, Any], body: bytes, space: dict[str, Any]) -> bytes:
    """Call the student's function on a fresh copy of the arguments and return the frame of the answer."""
    name = header["function"]
    if name not in space or not callable(space[name]):
        return wire.pack("missing")
    try:
        _seed(header["seed"])
        outcomes = []
        for _ in range(2 if header["twice"] else 1):
            args, kwargs = wire.build(header["tree"], header["buffers"], body)
            said = calling.call(space[name], args, kwargs, grad=header["grad"], forbid=header["forbid"])
            if said.lack:
                return wire.pack("gradient", what=said.lack)
            outcomes.append(said)
        done = {"calls": [list(said.calls) for said in outcomes], "changed": [list(said.changed) for said in outcomes]}
        room = wire.Room(*header["most"])
        return wire.pack("value", value=[said.value for said in outcomes], has_value=True, room=room, **done)
    except wire.UnsendableError as error:
        return wire.pack("unsendable", what=str(error))
    except BaseException as error:  # the student's function may raise anything
        with contextlib.suppress(Exception):
            return wire.pack("error", error=_describe(error))
        return wire.pack("error", error=["", 0, ""])


def _probe(header: dict[str, Any]) -> dict[str, bool]:
    """Try what must not work, and return for each attempt whether the sandbox held."""
    attempts = {
        "reading a file of the grader's user": lambda: open(header["canary"]).close(),
        "writing beside it": lambda: open(header["canary"] + ".written", "w").close(),
        "listing the folder of the submissions": lambda: os.listdir(os.path.dirname(header["canary"])),
        "opening a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
        "starting a process": _forked,
        "running a program": lambda: os.posix_spawn(sys.executable, [sys.executable, "-c", "0"], {}),
        "signalling the parent": lambda: os.kill(os.getppid() or -1, 0),
        "reading another process": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    }
    held = {}
    for name, attempt in attempts.items():
        try:
            attempt()
        except (OSError, ValueError):
            held[name] = True
        else:
            held[name] = False
    return held


def _forked() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
