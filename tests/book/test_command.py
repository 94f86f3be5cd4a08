"""The commands of the book: what they print, and how they fail."""

import threading
import urllib.request
from pathlib import Path

import nbformat
from typer.testing import CliRunner

from lsedu.book.serve import server
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


def test_the_server_tells_types_by_its_own_list_and_takes_a_port_that_is_free(tmp_path, monkeypatch):
    import mimetypes

    monkeypatch.setattr(mimetypes, "guess_type", lambda *_, **__: ("text/plain", None))
    for name in ("a.js", "b.mjs", "c.css", "d.svg", "e.json", "f.html", "g.unknown"):
        (tmp_path / name).write_text("x")
    with server(tmp_path, 0) as first, server(tmp_path, first.server_port) as second:
        assert second.server_port != first.server_port
        threading.Thread(target=second.serve_forever, daemon=True).start()
        types = {}
        for path in sorted(tmp_path.iterdir()):
            with urllib.request.urlopen(f"http://127.0.0.1:{second.server_port}/{path.name}") as answer:
                types[path.suffix] = answer.headers["Content-Type"].partition(";")[0]
        second.shutdown()
    assert types == {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".json": "application/json",
        ".html": "text/html",
        ".unknown": "application/octet-stream",
    }
