import subprocess
import sys

from typer.testing import CliRunner

from lsedu import __version__
from lsedu.cli import app

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
    assert failed.exit_code == 1 and "no data set is called 'minst'" in failed.output


def test_run_list_and_unknown_names():
    assert "overconfidence" in CLI.invoke(app, ["run", "--list"]).output
    failed = CLI.invoke(app, ["run", "undreconfidence"])
    assert failed.exit_code == 2 and "there are overconfidence" in failed.output


def test_importing_the_package_and_its_command_is_light():
    code = "import sys, lsedu.cli; print([m for m in ('torch', 'numpy', 'jupytext', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_training_needs_no_jupyter_plotting_or_download_packages():
    code = (
        "import sys, lsedu.experiments, lsedu.training;"
        "print([m for m in ('IPython', 'jupytext', 'matplotlib', 'pooch', 'scipy', 'sklearn') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
