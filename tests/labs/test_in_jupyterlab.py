"""A student's hour in a real browser: open the lab, answer wrongly, mend it, hand in."""

import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from lsedu.authoring import load_lab
from lsedu.authoring.source import parse
from lsedu.cli import app
from lsedu.labs.spec import PUBLIC_SEED

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
MENDED = "# mended"


@dataclass(frozen=True)
class Hour:
    """What a student does in a lab's first question, and what the page then says."""

    question: str
    function: str
    wrong: str
    message: str
    right: str
    passed: str
    earned: float
    of: float
    picture: str


def hour(lab):
    """Return the hour of a lab: its first declared wrong answer, then its solution."""
    question = next(question for question in lab.questions if question.kind == "function")
    (cell,) = lab.student_cells(question.id)
    number = len(question.draw(PUBLIC_SEED))
    source = parse(lab.path)
    return Hour(
        question=question.id,
        function=question.function,
        wrong=f"{cell.solution}\n\n\n{question.wrong[0].source}",  # it may be told as a change to the right one
        message=question.wrong[0].message,
        right=f"{cell.solution}\n\n\n{MENDED}",
        passed=f"{number} of {number} public cases pass",
        earned=question.points,
        of=sum(question.points for question in lab.questions if question.kind == "function"),
        picture=next(metadata["alt"] for tag, _, _, metadata in source.trusted if tag == "picture"),
    )


@pytest.fixture(params=[path.stem for path in sorted((ROOT / "solutions").glob("lab*.md"))])
def lab_server(tmp_path, request):
    """A JupyterLab on a free port, in a folder with one lab at its smallest scale."""
    lab = request.param
    notebook = json.loads((ROOT / f"labs/{lab}.ipynb").read_text())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).replace('scale = "cpu"', 'scale = "smoke"')
    work, config = tmp_path / "work", tmp_path / "config"
    work.mkdir()
    (work / f"{lab}.ipynb").write_text(json.dumps(notebook))
    for plugin, choice in {
        "notebook-extension/tracker": '{"windowingMode": "none"}',
        "apputils-extension/notification": '{"fetchNews": "false"}',
    }.items():
        file = config / f"lab/user-settings/@jupyterlab/{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(choice)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    options = [
        "--IdentityProvider.token=",
        "--ServerApp.port_retries=0",
        "--LabApp.news_url=None",
        f"--notebook-dir={work}",
    ]
    log = (tmp_path / "server.log").open("w")
    # Settings, password and open documents of whoever runs this stay out of it, and their workspace as it was.
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(config), "JUPYTER_PREFER_ENV_PATH": "1"}
    server = subprocess.Popen([*command, *options], stdout=log, stderr=subprocess.STDOUT, env=environment)
    try:
        yield f"http://127.0.0.1:{port}", work, server, lab
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def wait_for(address, server, page):
    """Ask until the server answers or has ended."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api", timeout=5):
                return
        except OSError:
            page.wait_for_timeout(200)
    raise RuntimeError(f"the server ended with {server.returncode}")


def wait_until_saved(path, answer, page):
    """Look at the file itself: asked for it while it is written, the server falls back to the old one."""
    for _ in range(600):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        except (OSError, json.JSONDecodeError):
            cells = []
        if any(answer in "".join(cell["source"]) for cell in cells):
            return
        page.wait_for_timeout(200)
    raise AssertionError("the notebook was not saved in two minutes")


def cell(page, text):
    """The code cell whose editor holds `text`."""
    return page.locator(".jp-CodeCell").filter(has=page.locator(".cm-content", has_text=re.compile(text)))


def put(page, place, text):
    place.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    page.keyboard.press("Shift+Enter")


def test_wrong_then_right_then_handed_in_then_graded(lab_server, chromium_path, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    address, work, server, lab = lab_server
    todo = hour(load_lab(ROOT / f"solutions/{lab}.md"))
    check_line = f'checks.check("{todo.question}", {todo.function})'
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        sync_api.expect.set_options(timeout=120_000)
        wait_for(address, server, page)
        page.goto(f"{address}/doc/tree/{lab}.ipynb")
        page.locator(".jp-Notebook").wait_for()
        # Cells that are run before the kernel is there are dropped, or a dialog asks for one. The notebook's own
        # indicator calls itself idle from the first moment on; the status bar tells the kernel's state.
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.get_by_text("Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        report = cell(page, r"checks\.report\(\)").locator(".jp-OutputArea-output")
        sync_api.expect(report).to_contain_text(f"0 of {todo.of:g} points on the public cases")
        sync_api.expect(page.locator(".jp-OutputArea-output", has_text="Traceback")).to_have_count(0)
        sync_api.expect(page.get_by_alt_text(todo.picture, exact=True)).to_be_visible()

        check, answer = cell(page, rf'check\("{todo.question}"'), cell(page, f"def {todo.function}")
        put(page, answer, todo.wrong)
        put(page, check, check_line)
        sync_api.expect(check.locator(".jp-OutputArea")).to_contain_text(todo.message)
        put(page, answer, todo.right)
        put(page, check, check_line)
        sync_api.expect(check.locator(".jp-OutputArea")).to_contain_text(todo.passed)

        page.keyboard.press("Control+S")
        wait_until_saved(work / f"{lab}.ipynb", MENDED, page)
        submit = cell(page, r"checks\.submit")
        put(page, submit, "checks.submit(ready=True)")
        sync_api.expect(submit.locator(".jp-OutputArea")).to_contain_text("Hand in this one file")
        browser.close()
    handed = nbformat.read(work / f"submission/{lab}.ipynb", as_version=4)
    assert f"{todo.earned:g} of {todo.of:g} points on the public cases" in json.dumps(handed.cells)

    student = tmp_path / "class/ada"
    student.mkdir(parents=True)
    shutil.copy(work / f"submission/{lab}.ipynb", student)
    out, secret = tmp_path / "out", tmp_path / "secret"
    command = ["grade", str(ROOT / f"solutions/{lab}.md"), str(student.parent), "--out", str(out)]
    done = CliRunner().invoke(app, [*command, "--secret-file", str(secret)])
    assert done.exit_code == 0, done.output
    (row,) = csv.DictReader((out / "grades.csv").open())
    assert float(row[todo.question]) == todo.earned == float(row["total"])
