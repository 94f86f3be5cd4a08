"""What the sandbox shows: the interpreter, the packages that a lab allows, and a generated view of lsedu."""

import csv
import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lsedu import _modules
from lsedu._errors import LseduError
from lsedu.labs.imports import ALWAYS

PACKAGES, SUPPORT, COURSE = "/packages", "/support", "/course"
"""Where the sandbox finds the packages that may be imported, those that only they may import, and the worker with the
view of lsedu. Where nothing can be mounted, folders of links by the first two names stand inside the latter."""

HOME = "home"
"""The empty folder in the view of lsedu that is named as home where nothing can be written; it must be there."""

_IDLE = {"torch": ("filelock", "fsspec", "jinja2", "networkx", "setuptools")}
"""What a package requires and no answer makes it use (compiling, remote files): not shown at all."""

_HERE = Path(__file__).resolve().parent
_LIBRARIES = ("/lib", "/lib64", "/usr/lib64", "/usr/lib")
_UNUSED = ("test", "idlelib", "turtledemo", "ensurepip")
_HEADERS = ("torch/include", "torch/share")
"""Parts of the standard library and of packages that no answer can use, and that are many files."""
_FILES = ("/etc/ld.so.cache",)
_STILL = (
    "/proc/cpuinfo",
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/possible",
    "/sys/devices/system/cpu/present",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
)
"""Of these a copy is shown, made once: the files themselves change with what the machine does."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


class NotAllowedError(LseduError, ValueError):
    """A lab allows a module that holds an answer, or one that is not to be had."""


@dataclass
class View:
    """The parts of the file tree: pairs (source, target), symbolic links (target, points to), and hidden folders.

    `guarded` names the packages that only other packages may import.
    """

    binds: list[tuple[str, str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    guarded: list[str] = field(default_factory=list)

    @property
    def readable(self) -> list[str]:
        """What must be readable where nothing is bound: the sources, or what is in them where some of it is hidden.

        A folder of which some is hidden can then not be listed; the zygote has listed it before, to import from it.
        """
        hidden = self._hidden_sources()
        return [path for source, _ in self.binds for path in _without(source, hidden)]

    def _hidden_sources(self) -> frozenset[str]:
        pairs = [(source, target + "/") for source, target in self.binds]
        inside = [
            f"{source}/{name[len(top) :]}" for name in self.hidden for source, top in pairs if name.startswith(top)
        ]
        return frozenset(inside)


def _without(path: str, hidden: frozenset[str]) -> list[str]:
    """Return paths that hold all that is below `path` but what is hidden."""
    if path in hidden:
        return []
    if not any(name.startswith(path + "/") for name in hidden):
        return [path]
    with os.scandir(path) as entries:
        return [found for entry in entries for found in _without(entry.path, hidden)]


def interpreter() -> str:
    """Return the path of the interpreter proper, behind the links of a virtual environment."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix) / "bin" / name
    return str(base if base.is_file() else Path(os.path.realpath(sys.executable)))


def allowed_view(allow: Iterable[str], answers: Iterable[str], folder: Path) -> View:
    """Return the view for a lab, and write the copies of the lsedu modules it allows into `folder`.

    Parameters
    ----------
    allow
        Names of modules; those of lsedu one by one.
    answers
        lsedu modules that hold an answer.
    folder
        An empty folder, which becomes `/course` in the sandbox.

    Raises
    ------
    NotAllowedError
        If an allowed module reaches an answer, or is not installed.
    """
    allow = list(allow)
    view = _base(folder)
    own = [name for name in allow if name.split(".")[0] == "lsedu"]
    others = [name for name in allow if name.split(".")[0] != "lsedu"]
    besides = [name for name in ALWAYS if name not in others and importlib.util.find_spec(name) is not None]
    open_, guarded = _packages([*others, *besides])
    for place, packages in ((PACKAGES, open_), (SUPPORT, guarded)):
        (folder / place[1:]).mkdir()
        for source, name in packages:
            view.binds.append((source, f"{place}/{name}"))
            (folder / place[1:] / name).symlink_to(source)
    view.guarded = sorted({name.partition(".")[0] for _, name in guarded if not name.endswith((".dist-info", ".libs"))})
    lsedu_view(own, answers, folder)
    (folder / HOME).mkdir()
    shutil.copytree(_HERE / "child", folder / "grading_child", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("calling.py", "watch.py"):  # a function is called there as it is in the notebook's checks
        shutil.copyfile(_HERE.parent / "labs" / name, folder / "grading_child" / name)
    view.binds.append((str(folder), COURSE))
    return view


def lsedu_view(allow: Iterable[str], answers: Iterable[str], folder: Path) -> list[str]:
    """Copy the modules that `allow` reaches into `folder/lsedu`; return their names.

    Raises
    ------
    NotAllowedError
        If there is no such module, or an answer would come along.
    """
    allow, answers = list(allow), tuple(answers)
    modules = _modules.reached(allow)
    for name in allow:
        if name not in modules:
            raise NotAllowedError(f"the lab allows {name!r}, but lsedu has no such module")
    barred = [name for name in modules if any(name == held or name.startswith(held + ".") for held in answers)]
    if barred:
        raise NotAllowedError(
            f"the lab allows {', '.join(allow)}, and that reaches {', '.join(barred)}, which its manifest calls answers"
        )
    root = _modules.ROOT
    for name in modules:
        path = _modules.path_of(name)
        target = folder / "lsedu" / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        if path.name == "__init__.py" and name != "lsedu":
            _copy_data(path.parent, target.parent)
    return modules


def _copy_data(source: Path, target: Path) -> None:
    """Copy what a package holds beside its modules (embedded data), not its modules and not other packages."""
    for path in source.iterdir():
        if path.is_dir() and not any(path.rglob("*.py")) and path.name != "__pycache__":
            shutil.copytree(path, target / path.name, dirs_exist_ok=True)
        elif path.is_file() and path.suffix not in (".py", ".pyc"):
            shutil.copyfile(path, target / path.name)


def _base(folder: Path) -> View:
    """Return what any Python needs: its standard library, the system's shared libraries, a few system files."""
    view = View()
    python = interpreter()
    stdlib = sysconfig.get_path("stdlib")
    view.binds += [(python, python), (stdlib, stdlib)]
    view.hidden += [f"{stdlib}/{name}" for name in ("site-packages", "dist-packages", *_UNUSED)]
    view.hidden += ["/usr/lib/python3/dist-packages", *(f"{PACKAGES}/{name}" for name in _HEADERS)]
    for pattern in ("libpython*.so*", "*.so", "*.so.*"):
        for path in (Path(sys.base_prefix) / "lib").glob(pattern):
            if not str(path).startswith(_LIBRARIES):
                view.binds.append((os.path.realpath(path), str(path)))
    for name in _LIBRARIES:
        if os.path.islink(name):
            view.links.append((name, os.readlink(name)))
        elif os.path.isdir(name):
            view.binds += [
                (str(path), str(path))
                for path in sorted(Path(name).iterdir())
                if (path.is_dir() and re.fullmatch(r"[a-z0-9_]+-linux-gnu.*", path.name))
                or (path.is_file() and ".so" in path.name)
            ]
    if not any(target.endswith("-linux-gnu") or "/lib64" in target for _, target in view.binds + view.links):
        view.binds += [(name, name) for name in _LIBRARIES if os.path.isdir(name) and not os.path.islink(name)]
    view.binds += [(name, name) for name in _FILES if os.path.exists(name)]
    view.binds += [(str(copy), name) for name in _STILL if (copy := _still(name, folder / "system")) is not None]
    view.binds = sorted(dict.fromkeys(view.binds), key=lambda pair: pair[1].count("/"))
    return view


def _still(name: str, folder: Path) -> Path | None:
    """Copy a system file without what changes in it from moment to moment, the speed of the processors."""
    try:
        text = Path(name).read_text()
    except OSError:
        return None
    copy = folder / name[1:]
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("cpu MHz")))
    return copy


def _packages(names: Iterable[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return pairs (path, name) of what is to be imported, and of what comes along because that requires it.

    Raises
    ------
    NotAllowedError
        If a module is not installed.
    """
    homes = [(found, {top.partition(".")[0] for top in _tops(found)}) for found in importlib.metadata.distributions()]
    open_: dict[str, str] = {}
    queue, seen, guarded = [], set(), {}
    for name in dict.fromkeys(name.split(".")[0] for name in names):
        if name in sys.stdlib_module_names:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise NotAllowedError(f"the lab allows {name!r}, which is not installed here: pip install {name}")
        origin = Path(spec.origin)
        place = origin.parent if spec.submodule_search_locations else origin
        open_[place.name] = str(place)
        queue += [(home.name, open_) for home, own in homes if name in own]
    while queue:
        name, found = queue.pop(0)  # what is named comes first: what others require is then found to be there
        if (key := _key(name)) in seen or key in ("lsedu", "pip"):
            continue
        seen.add(key)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for top in sorted(_tops(distribution)):
            if top not in ("..", ".", "__pycache__") and not top.endswith(".pth") and top not in open_:
                found.setdefault(top, str(distribution.locate_file(top)))
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement:
                wanted = re.split(r"[^A-Za-z0-9._-]", requirement.strip())[0]
                queue += [(wanted, guarded)] if _key(wanted) not in _IDLE.get(key, ()) else []
    return tuple(
        [(path, name) for name, path in sorted(part.items()) if os.path.exists(path)] for part in (open_, guarded)
    )


def _tops(distribution: importlib.metadata.Distribution) -> set[str]:
    """Return the first parts of the paths of a distribution's files, read from its list without a path for each."""
    record = distribution.read_text("RECORD")
    if record is None:
        return {file.parts[0] for file in distribution.files or ()}
    return {row[0].partition("/")[0] for row in csv.reader(record.splitlines()) if row}


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def environment(home: str) -> dict[str, str]:
    """Return all of the environment that a zygote gets: nothing of the grader's own.

    Memory comes from malloc, and in huge pages where the kernel grants them on request: a fork copies page tables, and
    with huge pages there are far fewer to copy.
    """
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {
        **dict.fromkeys(threads, "1"),
        "HOME": home,
        "TMPDIR": home,
        "MPLCONFIGDIR": home,
        "TORCHINDUCTOR_CACHE_DIR": home,  # PyTorch makes one when it loads its optimisers, and fails where it cannot
        "MPLBACKEND": "agg",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONMALLOC": "malloc",
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        "PATH": "/nonexistent",
    }
