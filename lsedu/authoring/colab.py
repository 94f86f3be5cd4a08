"""Rehearse labs as on Colab: no virtual environment, its versions of packages, and the notebook alone in /content.

What Colab has before a notebook runs stands in ``colab.txt``. lsedu comes by the notebook's own first cell, from a
wheel of this checkout in place of the published repository. Where bubblewrap works, the kernel sees the machine's
programs, an empty home folder and an empty ``/content``, and nothing of the checkout; elsewhere an empty folder stands
in for that.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

from filelock import FileLock

from lsedu import _project
from lsedu._errors import LseduError
from lsedu.authoring.lab import Lab
from lsedu.authoring.notebook import build
from lsedu.authoring.rehearsal import SMALL, STATES, judged
from lsedu.authoring.source import LabError

LIST = Path(__file__).with_name("colab.txt")
#: Longest time of one cell, in seconds; the first one installs.
SECONDS = 900.0
_HOME, _GIVEN, _CONTENT = "/colab", "/given", "/content"
#: These must be the same after a lab as before it: whoever exchanges them under a running kernel breaks it.
_STAY = ("torch", "numpy", "matplotlib")
_MARK = "colab: "
_LOOK = f"""\
import importlib.metadata as _metadata
import json as _json
import os as _os
import sys as _sys
import lsedu as _lsedu
_versions = {{_name: _metadata.version(_name) for _name in {_STAY!r}}}
_found = {{"folder": _os.getcwd(), "lsedu": _lsedu.__file__, "venv": _sys.prefix != _sys.base_prefix}}
print({_MARK!r} + _json.dumps({{**_found, "versions": _versions}}))"""
# What lsedu asks of Colab's own package: the notebook as the browser holds it, which is in no folder.
_MESSAGE = """\
import json
import os


def blocking_request(what, request="", timeout_sec=5):
    if what != "get_ipynb":
        raise ValueError(what)
    with open(os.environ["COLAB_NOTEBOOK"], encoding="utf-8") as file:
        return {"ipynb": json.load(file)}
"""


class ColabError(LseduError, RuntimeError):
    """The stand-in for Colab cannot be made; the message says what failed."""


@dataclass(frozen=True)
class Image:
    """What there is before a notebook runs.

    Attributes
    ----------
    python : Path
        An interpreter that is of no virtual environment.
    home : Path
        The home folder, whose ``.local`` holds the packages.
    given : Path
        Folder with the wheel of lsedu.
    versions : dict of str to str
        Of the packages that must stay as they are.
    """

    python: Path
    home: Path
    given: Path
    versions: dict[str, str]

    @property
    def wheel(self) -> str:
        """The name of the wheel."""
        return next(self.given.glob("lsedu-*.whl")).name


def image(folder: Path, *, project: Path, torch: str = "", say: Callable[[str], None] = str) -> Image:
    """Make the stand-in for Colab, or take the one that is there; lsedu's wheel is made anew.

    Parameters
    ----------
    folder
        Where it is kept.
    project
        The checkout that the wheel is made of.
    torch
        The requirement of the torch to install, such as ``torch==2.11.0``; by default a copy of the one here, as
        others bring some gigabytes of packages for graphics cards.
    say
        Called with what is being done.

    Raises
    ------
    ColabError
        If something cannot be installed.
    """
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = folder.resolve()
    home, given, stamp = folder / "home", folder / "given", folder / "made"
    wanted = f"{LIST.read_text(encoding='utf-8')}{torch or version('torch')} {python} {sys.version} {_MESSAGE}"
    mark = hashlib.sha256(wanted.encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not stamp.is_file() or stamp.read_text() != mark:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            say("installing what Colab has")
            _install(python, home, ["--requirement", str(LIST), *([torch] if torch else [])])
            packages = _packages(home)
            if not torch:
                _lend("torch", packages)
            (packages / "google" / "colab").mkdir(parents=True)
            (packages / "google" / "colab" / "__init__.py").touch()
            (packages / "google" / "colab" / "_message.py").write_text(_MESSAGE, encoding="utf-8")
            stamp.write_text(mark)
        say("making the wheel of lsedu")
        shutil.rmtree(given, ignore_errors=True)
        _pip([sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(given), str(project)], {})
    told = [sys.executable, "-c", "import json, sys, importlib.metadata as m; print(json.dumps({d.name: d.version"]
    told[-1] += " for d in m.distributions(path=sys.argv[1:])}))"
    there = json.loads(subprocess.run([*told, str(_packages(home))], capture_output=True, check=True, text=True).stdout)
    return Image(python, home, given, {name: there[name] for name in _STAY})


def _packages(home: Path) -> Path:
    return home / ".local" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _install(python: Path, home: Path, words: Sequence[str]) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--user", "--ignore-installed"]
    _pip(
        [*command, "--no-warn-script-location", *words],
        {"PYTHONUSERBASE": str(home / ".local"), "PIP_BREAK_SYSTEM_PACKAGES": "1"},
    )


def _pip(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run([*command, "--quiet"], env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise ColabError(f"{' '.join(command[:6])} ... failed: {done.stderr.strip()[-1500:]}")


def _lend(name: str, packages: Path) -> None:
    """Give a folder of packages one that is installed here: its files, by hard links where that can be done."""
    installed = distribution(name)
    root = Path(str(installed.locate_file("")))
    tops = {file.parts[0] for file in installed.files or () if file.parts[0] != ".."}

    def linked(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:  # another disk
            shutil.copy2(source, target)

    for top in sorted(tops):
        if (root / top).is_dir():
            shutil.copytree(root / top, packages / top, copy_function=linked, dirs_exist_ok=True)


def command(image: Image, content: Path, *, hide: Path, bubblewrap: str | None) -> list[str]:
    """Return the words that start Colab's interpreter in a folder, with a clean environment.

    Parameters
    ----------
    image
        The stand-in.
    content
        The folder that is ``/content``.
    hide
        The checkout, of which nothing is to be seen.
    bubblewrap
        Its program; None for a run without: then home and folder are where they are, and the machine is seen whole.
    """
    home, given = (_HOME, _GIVEN) if bubblewrap else (str(image.home), str(image.given))
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name in ("LANG", "TZ")}
    settings = {
        "HOME": home, "PATH": f"{home}/.local/bin:/usr/local/bin:/usr/bin:/bin", "PIP_USER": "1",
        "PIP_BREAK_SYSTEM_PACKAGES": "1", "PYTHONUSERBASE": f"{home}/.local", "MPLBACKEND": "agg",
        "COLAB_NOTEBOOK": f"{given}/notebook.json", "OMP_NUM_THREADS": "1", "PIP_ROOT_USER_ACTION": "ignore",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }  # fmt: skip
    words = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in {**kept, **settings}.items())]
    if bubblewrap:
        # in /tmp is how to connect to the kernel
        words += [bubblewrap, "--die-with-parent", "--proc", "/proc", "--dev", "/dev", "--bind", "/tmp", "/tmp"]
        for place in sorted(Path("/").iterdir()):
            if place.is_symlink():
                words += ["--symlink", os.readlink(place), str(place)]
            elif place.name not in ("proc", "dev", "tmp", _HOME[1:], _GIVEN[1:], _CONTENT[1:]):
                words += ["--ro-bind", str(place), str(place)]
        words += ["--tmpfs", str(hide), "--bind", str(image.home), _HOME, "--bind", str(content.resolve()), _CONTENT]
        words += ["--ro-bind", str(image.given), _GIVEN, "--chdir", _CONTENT]
    return [*words, str(image.python)]


def rehearse(
    lab: Lab, image: Image, content: Path, *, hide: Path, bubblewrap: str | None, hand_in: bool = False
) -> str:
    """Return what goes wrong when a lab is done on Colab from the first cell to the last, or an empty string.

    Parameters
    ----------
    lab
        The lab; its answers are filled in.
    image, content, hide, bubblewrap
        As for `command`; `content` must be empty, and holds afterwards what the lab wrote.
    hand_in
        Whether it is handed in at the end, as Colab does: what is handed in is in `content`, in ``submission``.

    Raises
    ------
    LabError
        If the lab has no cell that installs lsedu, or `content` is not empty.
    """
    from nbformat import from_dict, v4

    from lsedu.labs.run import run

    if any(content.iterdir()):
        raise LabError(f"{content} is not empty: on Colab the notebook is alone")
    notebook = from_dict(build(lab, solved=True))
    published = f"lsedu @ git+{_project.link('Repository')}"
    given = _GIVEN if bubblewrap else str(image.given)
    cells: list[Any] = []
    for cell in notebook.cells:
        cells.append(cell)
        if "colab" in cell.metadata.get("tags", ()):
            cell.source = cell.source.replace(published, f"lsedu @ file://{given}/{image.wheel}")
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source += f"\n{SMALL}"
        if hand_in:
            cell.source = cell.source.replace(".submit(ready=False)", ".submit(ready=True)")
    if not any(image.wheel in cell.source for cell in cells):
        raise LabError(f"{lab.name} has no cell tagged 'colab' that installs lsedu")
    (image.given / "notebook.json").write_text(json.dumps(notebook), encoding="utf-8")
    notebook.cells = [*cells, v4.new_code_cell(STATES), v4.new_code_cell(_LOOK)]
    packages = _packages(image.home)
    for old in [packages / "lsedu", *packages.glob("lsedu-*.dist-info")]:  # of the lab before
        shutil.rmtree(old, ignore_errors=True)
    python = command(image, content, hide=hide, bubblewrap=bubblewrap)
    lost = run(notebook, folder=content, timeout=SECONDS, environment={}, slow=None, python=python)
    look = notebook.cells.pop()
    return (
        judged(lab, notebook, lost, solved=True)
        or _moved(look, image, folder=_CONTENT if bubblewrap else str(content))
        or (_not_handed_in(lab, content) if hand_in else "")
    )


def _moved(look: Any, image: Image, *, folder: str) -> str:
    """Return what is not as it was or as it should be after a run, or an empty string."""
    text = "".join(output.get("text", "") for output in look.get("outputs", ()))
    found = json.loads(text.partition(_MARK)[2])
    if found["folder"] != folder or found["venv"] or "site-packages" not in found["lsedu"]:
        return f"it was not run as on Colab: {text.strip()}"
    changed = [
        f"{name} {image.versions[name]} to {now}"
        for name, now in found["versions"].items()
        if now != image.versions[name]
    ]
    return f"its first cell changes packages under the running kernel: {', '.join(changed)}" if changed else ""


def _not_handed_in(lab: Lab, content: Path) -> str:
    wanted = [f"{lab.name}.ipynb", *(item.file for item in lab.questions if item.kind == "artefact")]
    missing = [name for name in wanted if not (content / "submission" / name).is_file()]
    return f"handing in wrote no {', '.join(missing)}" if missing else ""
