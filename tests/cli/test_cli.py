import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lsedu import __version__
from lsedu._errors import CheckFailedError, LseduError, UnknownNameError
from lsedu.cli import _status, app

CLI = CliRunner()


def test_version_and_help():
    assert CLI.invoke(app, ["--version"]).output.strip() == __version__
    helped = CLI.invoke(app, ["--help"]).output
    assert all(word in helped for word in ("data", "run", "labs", "grade", "book"))


def test_data_list_states_licences():
    listed = CLI.invoke(app, ["data", "list"])
    assert listed.exit_code == 0
    assert "fashion-mnist-mini" in listed.output and "MIT" in listed.output


def test_data_fetch_of_an_unknown_set():
    failed = CLI.invoke(app, ["data", "fetch", "minst"])
    assert failed.exit_code == 2 and "no data set is called 'minst'" in failed.output


def test_run_list_and_unknown_names():
    assert "overconfidence" in CLI.invoke(app, ["run", "--list"]).output
    failed = CLI.invoke(app, ["run", "undreconfidence"])
    assert failed.exit_code == 2 and "there are " in failed.output and "overconfidence" in failed.output


@pytest.mark.parametrize(
    "words, message",
    [
        (["gaps", "--profile", "huge", "--seeds", "2"], "profile must be one of 'smoke', 'cpu', 'gpu', got 'huge'"),
        (["comparison", "--profile", "cpu", "--seeds", "1"], "comparison has no profile 'cpu'; it has smoke, gpu"),
        (["gaps", "--device", "nonsense"], "device must be a device of this machine, such as 'cpu', got 'nonsense'"),
        (["gaps", "--device", "cuda:99"], "got 'cuda:99'"),
        (["gaps", "--verify", "--device", "cuda:99"], "got 'cuda:99'"),
        (["real_noise"], "CIFAR-10 (50,000 train, 10,000 test): cifar-10-python.tar.gz could not be downloaded"),
        (["gaps", "--jobs", "-1"], "greater than or equal to 0"),
        (["gaps", "--seeds", "-1"], "seeds must be how many, as 5, or which, as 200-204, got '-1'"),
        (["gaps", "--seeds", "7-5"], "got '7-5'"),
        (["gaps", "--replicate", "--seeds", "103-105"], "seeds of a replication must be fresh, and the study has 103"),
    ],
)
def test_run_says_what_is_wrong(words, message, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("LSEDU_DATA", raising=False)
    # Nothing answers there, with or without a network; the name in small letters is the one that counts.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    failed = CLI.invoke(app, ["run", *words])
    assert failed.exit_code == 2 and message in failed.stderr and "Traceback" not in failed.output


@pytest.mark.parametrize(
    "words, message",
    [
        (["submit", "no.ipynb"], "lsedu submit: there is no notebook no.ipynb"),
        (["submit", "."], "lsedu submit: there is no notebook ."),
        (["grade", "lab01", ".", "--out", "marks"], "lsedu grade: there is no lab lab01: give the path of its source"),
        (["labs", "list"], "lsedu labs: there is no lab in solutions/: run this in the course's folder"),
        (["book", "build"], "run this in a checkout, or name one by --root"),
        (["book", "execute"], "run this in a checkout"),
        (["book", "check"], "run this in a checkout"),
        (["book", "expected"], "run this in a checkout"),
        (["book", "serve"], "run `make book` first"),
    ],
)
def test_what_is_not_there_is_named_in_a_line(words, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    failed = CLI.invoke(app, words)
    assert failed.exit_code == 2 and message in failed.stderr and "Traceback" not in failed.output


def test_importing_the_package_and_its_command_is_light():
    code = "import sys, lsedu.cli; print([m for m in ('torch', 'numpy', 'jupytext', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# Every package of pyproject.toml that an import of ours could reach, but torch, numpy, tqdm and rich.
ABSENT = """IPython PIL dask distributed imagecodecs jupytext matplotlib nbclient nbformat nbgrader nh3
papermill plotly pooch scipy sklearn typer xarray"""

TRAIN = f"""
import sys
sys.modules.update(dict.fromkeys({ABSENT!r}.split()))  # importing any of them fails as if it were not installed
from lsedu import analysis, bottleneck, calibration, data, experiments, information, losses, models, training
images, labels = (x[:64] for x in data.to_tensors(data.load(split="test")))
model, criterion = models.build(models.mlp, seed=0), losses.LearnableLabelSmoothing(10)
history = training.fit(model, criterion, images, labels, config=training.Config(epochs=1))
print(len(history))
"""


def test_training_runs_where_only_torch_numpy_tqdm_and_rich_are_installed():
    done = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True)
    assert done.stdout.strip() == "1", done.stderr


STATUSES = {name: getattr(_status, name) for name in ("DONE", "NO", "NOT_DONE", "FAULT", "INTERRUPTED")}


def test_the_table_of_exit_statuses_is_the_documented_one():
    page = (Path(__file__).parents[2] / "book/appendix/troubleshooting.md").read_text()
    assert [int(row) for row in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == sorted(STATUSES.values())


@pytest.mark.parametrize(
    "error, status, said",
    [
        (None, "DONE", ""),
        (CheckFailedError("it differs"), "NO", "it differs\n"),
        (LseduError("no such thing"), "NOT_DONE", "no such thing\n"),
        (UnknownNameError("no such name"), "NOT_DONE", "no such name\n"),
        (ValueError("alpha must be in [0, 1], got 2"), "NOT_DONE", "alpha must be in [0, 1], got 2\n"),
        (
            OSError(28, "No space left on device", "a"),
            "NOT_DONE",
            "[Errno 28] No space left on device: 'a'\n",
        ),
        (
            KeyboardInterrupt(),
            "INTERRUPTED",
            "interrupted; the same command goes on from what is finished\n",
        ),
    ],
)
def test_every_command_ends_by_the_table(error, status, said):
    done = CLI.invoke(commands(error), ["act"])
    assert done.exit_code == STATUSES[status] and done.stderr == (f"lsedu act: {said}" if said else "")


def test_a_fault_of_ours_shows_where_it_is_and_is_no_failed_check():
    done = CLI.invoke(commands(KeyError("slip")), ["act"])
    assert done.exit_code == STATUSES["FAULT"]
    assert "Traceback" in done.stderr and "in act" in done.stderr and "please report it" in done.stderr


def test_the_traceback_of_a_foreseen_error_is_shown_when_asked_for(monkeypatch):
    monkeypatch.setenv("LSEDU_TRACEBACK", "1")
    done = CLI.invoke(commands(LseduError("no")), ["act"])
    assert done.exit_code == STATUSES["NOT_DONE"] and "in act" in done.stderr


def commands(error):
    """Commands like ours, of which one ends by this error."""
    app = typer.Typer(cls=_status.Commands)
    app.callback()(lambda: None)

    @app.command()
    def act():
        if error is not None:
            raise error

    return app
