"""The commands of the book: what they print, and how they fail."""

from pathlib import Path

import nbformat
from typer.testing import CliRunner

from lsedu.cli import app


def command(toy, *words):
    return CliRunner().invoke(app, ["book", *words, "--root", str(toy.root)])


def test_execute_names_the_notebooks_with_outputs(toy):
    done = command(toy, "execute", "--seed", "1")
    assert done.exit_code == 0
    path = Path(done.output.splitlines()[-1])
    assert nbformat.read(path, as_version=4).cells[-1].outputs[0].text == "smoke 42\n"


def test_expected_then_check_pass_and_a_changed_page_fails_in_one_line(toy):
    refreshed = command(toy, "expected")
    assert "tests/book/expected/page.ipynb: 1 marked cells" in refreshed.output
    assert "every marked output is as expected" in command(toy, "check").output
    page = toy.source / "page.md"
    page.write_text(page.read_text().replace("+ 41", "+ 42"))
    for words in (["check"], ["build"]):
        done = command(toy, *words)
        assert done.exit_code == 1
        assert "is not the present text of book/page.md; run `make expected`" in done.output
        assert "Traceback" not in done.output


def test_serve_without_a_site_says_what_to_do(toy):
    done = command(toy, "serve")
    assert done.exit_code == 2 and "run `make book` first" in done.output
