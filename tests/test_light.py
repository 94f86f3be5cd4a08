"""Two seconds of grammars stay out of every command; formats are checked all the same."""

import subprocess
import sys

from typer.testing import CliRunner

from lsedu import _light
from lsedu.cli import app

SHOW = """
import nbformat
print(sys.modules.get("rfc3987_syntax"), "lark" in sys.modules, sys.argv[1:])
try:
    nbformat.validate({"nbformat": 4})
except nbformat.ValidationError as error:
    print(error.message)
"""


def test_a_program_runs_with_its_arguments_and_without_the_grammars():
    done = subprocess.run([*_light.command(SHOW), "a", "b"], capture_output=True, text=True)
    assert done.stdout.splitlines()[:1] == ["None False ['a', 'b']"], done.stderr
    assert "is a required property" in done.stdout


def test_commands_leave_them_out(monkeypatch):
    monkeypatch.delitem(sys.modules, "rfc3987_syntax", raising=False)
    assert CliRunner().invoke(app, ["data", "list"]).exit_code == 0
    assert sys.modules["rfc3987_syntax"] is None
