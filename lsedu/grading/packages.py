"""What the sandbox shows: the interpreter, the packages that a lab allows, and a generated view of lsedu."""

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

PACKAGES, COURSE, LINKS = "/packages", "/course", "packages"
"""Where the sandbox finds third-party packages, and the worker with the view of lsedu; and, where nothing can be
mounted, the folder of links to the packages inside the latter."""

_HERE = Path(__file__).resolve().parent
_LIBRARIES = ("/lib", "/lib64", "/usr/lib64", "/usr/lib")
_FILES = ("/etc/ld.so.cache", "/proc/cpuinfo", "/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


class NotAllowedError(LseduError, ValueError):
    """A lab allows a module that holds an answer, or one that is not to be had."""


@dataclass
class View:
    """The parts of the file tree: pairs (source, target), symbolic links (target, points to), and hidden folders."""

    binds: list[tuple[str, str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)

    @property
    def sources(self) -> list[str]:
        """What must be readable where nothing is bound: the sources themselves."""
        return [source for source, _ in self.binds]


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
    view = _base()
    own = [name for name in allow if name.split(".")[0] == "lsedu"]
    for source, name in _packages(name for name in allow if name.split(".")[0] != "lsedu"):
        view.binds.append((source, f"{PACKAGES}/{name}"))
        link = folder / LINKS / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(source)
    lsedu_view(own, answers, folder)
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
        path = _modules._path(name)
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


def _base() -> View:
    """Return what any Python needs: its standard library, the system's shared libraries, a few system files."""
    view = View()
    python = interpreter()
    stdlib = sysconfig.get_path("stdlib")
    view.binds += [(python, python), (stdlib, stdlib)]
    view.hidden += [f"{stdlib}/site-packages", f"{stdlib}/dist-packages", "/usr/lib/python3/dist-packages"]
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
    view.binds = sorted(dict.fromkeys(view.binds), key=lambda pair: pair[1].count("/"))
    return view


def _packages(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs (path, name) of what modules and the distributions they require have put on the module path.

    Raises
    ------
    NotAllowedError
        If a module is not installed.
    """
    homes = importlib.metadata.packages_distributions()
    found: dict[str, str] = {}
    queue, seen = [], set()
    for name in dict.fromkeys(name.split(".")[0] for name in names):
        if name in sys.stdlib_module_names:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise NotAllowedError(f"the lab allows {name!r}, which is not installed here: pip install {name}")
        origin = Path(spec.origin)
        place = origin.parent if spec.submodule_search_locations else origin
        found[place.name] = str(place)
        queue += homes.get(name, [])
    while queue:
        name = queue.pop()
        if (key := re.sub(r"[-_.]+", "-", name).lower()) in seen or key in ("lsedu", "setuptools", "pip"):
            continue
        seen.add(key)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in ("..", ".", "__pycache__") and not top.endswith(".pth"):
                found.setdefault(top, str(distribution.locate_file(top)))
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement:
                queue.append(re.split(r"[^A-Za-z0-9._-]", requirement.strip())[0])
    return [(path, name) for name, path in sorted(found.items()) if os.path.exists(path)]
