"""The stand-in for Colab: what a lab finds there, and that a lab which would fail on Colab fails here."""

import json
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from lsedu import _project
from lsedu.authoring import colab, load_lab
from lsedu.authoring.source import LabError
from lsedu.cli._on_colab import rehearse, unearned, working
from lsedu.grading.row import Row

ROOT = Path(__file__).resolve().parents[2]
IMAGE = colab.Image(Path("/usr/bin/python3"), Path("/x/home"), Path("/x/given"), {"numpy": "2.1.3", "torch": "2.11.0"})


def pinned():
    lines = colab.LIST.read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def numbers(version):
    return [int(part) for part in re.findall(r"\d+", version)]


def test_colabs_packages_are_others_than_those_of_the_project_and_are_enough():
    there, ours = pinned(), dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert all(there[name] != ours[name] for name in ("numpy", "matplotlib", "ipykernel", "ipython", "nbclient"))
    for name, line in _project.requirements().items():
        if name != "torch":
            assert numbers(there[name]) >= numbers(line.partition(">=")[2]), line


def test_the_kernel_knows_nothing_of_this_environment(monkeypatch):
    for name in ("LSEDU_DATA", "PYTHONPATH", "VIRTUAL_ENV", "JPY_SESSION_NAME"):
        monkeypatch.setenv(name, "/here")
    for bubblewrap in (None, "/usr/bin/bwrap"):
        words = colab.command(IMAGE, Path("/x/content"), hide=Path("/x"), bubblewrap=bubblewrap)
        assert words[:2] == ["/usr/bin/env", "-i"] and words[-1] == "/usr/bin/python3"
        assert not [word for word in words if "/here" in word]
        # what the first cell installs goes into the stand-in's home, not into the machine's Python
        assert {"PIP_USER=1", "HOME=/colab" if bubblewrap else "HOME=/x/home"} <= set(words)
    # nothing is bound below the checkout after it is hidden
    hidden = words.index("--tmpfs")
    assert words[hidden + 1] == "/x" and not [word for word in words[hidden + 4 : -1 :] if word == "/x"]


def test_a_folder_with_something_in_it_and_a_lab_that_installs_nothing_are_refused(toy, toy_text, tmp_path):
    options = {"hide": tmp_path, "bubblewrap": None}
    (tmp_path / "checks.json").touch()
    with pytest.raises(LabError, match="is not empty: on Colab the notebook is alone"):
        colab.rehearse(load_lab(toy), IMAGE, tmp_path, **options)
    toy.write_text(toy_text.replace(":tags: [colab]\n", ""))
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "lsedu-0-py3-none-any.whl").touch()
    image = colab.Image(IMAGE.python, tmp_path, tmp_path / "given", {})
    content = tmp_path / "content"
    content.mkdir()
    with pytest.raises(LabError, match="toy has no cell tagged 'colab'"):
        colab.rehearse(load_lab(toy), image, content, **options)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"folder": "/home/ada"}, "was not run as on Colab"),
        ({"venv": True}, "was not run as on Colab"),
        ({"lsedu": "/checkout/lsedu/__init__.py"}, "was not run as on Colab"),
        ({"versions": {"numpy": "2.4.0", "torch": "2.11.0"}}, "changes packages.*numpy 2.1.3 to 2.4.0$"),
    ],
)
def test_what_was_not_as_on_colab_is_told(changes, said):
    place = "/colab/.local/lib/python3.11/site-packages/lsedu/__init__.py"
    found = {"folder": "/content", "venv": False, "lsedu": place, "versions": IMAGE.versions, **changes}
    look = {"outputs": [{"text": f"{colab._MARK}{json.dumps(found)}\n"}]}
    assert re.search(said, colab._moved(look, IMAGE, folder="/content")) if said else not colab._moved(
        look, IMAGE, folder="/content"
    )  # fmt: skip


def test_points_that_are_lost_between_colab_and_the_mark_are_told():
    kinds = [("loss", "function", 2.0), ("file", "artefact", 3.0), ("words", "manual", 4.0)]
    lab = SimpleNamespace(questions=[SimpleNamespace(id=a, kind=b, points=c) for a, b, c in kinds])
    assert unearned(lab, Row("ada", points={"loss": 2.0, "file": 3.0, "words": None})) == ""
    lacking = Row("ada", points={"loss": 2.0}, reasons={"file": ["there is no file"]})
    assert unearned(lab, lacking) == "file earned None of 3 points: there is no file"


@pytest.mark.slow
def test_what_a_lab_on_colab_cannot_have_is_missed_here(toy, toy_text, tmp_path):
    """Its file of checks beside it, the checkout, and the numpy under the kernel exchanged by the first cell."""
    image = colab.image(ROOT / "build" / "colab", project=ROOT)
    assert "FileNotFoundError" in rehearse(load_lab(toy), image, tmp_path / "a", hide=ROOT)
    told = [*colab.command(image, tmp_path / "a", hide=ROOT, bubblewrap=working(image, tmp_path / "a", ROOT)), "-c"]
    look = f"import os; print(os.getcwd(), os.path.exists({str(ROOT / 'README.md')!r}))"
    said = subprocess.run([*told, look], capture_output=True, text=True, check=True, cwd=tmp_path / "a").stdout.split()
    assert said == ["/content", "False"] or working(image, tmp_path / "a", ROOT) is None
