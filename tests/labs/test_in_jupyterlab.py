"""A student's hour in a real browser: open the lab, answer wrongly, mend it, hand in."""

import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect, sync_playwright
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


LABS = [path.stem for path in sorted((ROOT / "solutions").glob("lab*.md"))]


@pytest.fixture(scope="module")
def jupyterlab(tmp_path_factory, chromium_path):
    """A browser with a JupyterLab on a free port, in which each lab has a folder with its smallest scale."""
    place = tmp_path_factory.mktemp("jupyterlab")
    work, config = place / "work", place / "config"
    for lab in LABS:
        notebook = json.loads((ROOT / f"labs/{lab}.ipynb").read_text())
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"]).replace('scale = "cpu"', 'scale = "smoke"')
        (work / lab).mkdir(parents=True)
        (work / lab / f"{lab}.ipynb").write_text(json.dumps(notebook))
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
        "--ServerApp.disable_check_xsrf=True",
        "--LabApp.news_url=None",
        f"--notebook-dir={work}",
    ]
    # Settings, password and open documents of whoever runs this stay out of it, and their workspace as it was.
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(config), "JUPYTER_PREFER_ENV_PATH": "1"}
    with (place / "server.log").open("w") as log, sync_playwright() as playwright:
        server = subprocess.Popen([*command, *options], stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
            window = browser.new_context(viewport={"width": 1280, "height": 900})
            window.set_default_timeout(120_000)
            expect.set_options(timeout=120_000)
            wait_for(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}", work, window
            browser.close()
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture
def page(jupyterlab):
    """A page of that browser; what runs for it ends with it."""
    address, _, window = jupyterlab
    page = window.new_page()
    yield page
    page.close()
    for session in window.request.get(f"{address}/api/sessions").json():
        window.request.delete(f"{address}/api/sessions/{session['id']}")


def wait_for(address, server):
    """Ask until the server answers or has ended."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
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


@pytest.mark.parametrize("lab", LABS)
def test_wrong_then_right_then_handed_in_then_graded(jupyterlab, page, lab, tmp_path):
    address, work, _ = jupyterlab
    work = work / lab
    todo = hour(load_lab(ROOT / f"solutions/{lab}.md"))
    check_line = f'checks.check("{todo.question}", {todo.function})'
    page.goto(f"{address}/doc/tree/{lab}/{lab}.ipynb")
    page.locator(".jp-Notebook").wait_for()
    # Cells that are run before the kernel is there are dropped, or a dialog asks for one. The notebook's own
    # indicator calls itself idle from the first moment on; the status bar tells the kernel's state.
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_text("Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    report = cell(page, r"checks\.report\(\)").locator(".jp-OutputArea-output")
    expect(report).to_contain_text(f"0 of {todo.of:g} points on the public cases")
    expect(page.locator(".jp-OutputArea-output", has_text="Traceback")).to_have_count(0)
    expect(page.get_by_alt_text(todo.picture, exact=True)).to_be_visible()

    check, answer = cell(page, rf'check\("{todo.question}"'), cell(page, f"def {todo.function}")
    put(page, answer, todo.wrong)
    put(page, check, check_line)
    expect(check.locator(".jp-OutputArea")).to_contain_text(todo.message)
    put(page, answer, todo.right)
    put(page, check, check_line)
    expect(check.locator(".jp-OutputArea")).to_contain_text(todo.passed)

    page.keyboard.press("Control+S")
    wait_until_saved(work / f"{lab}.ipynb", MENDED, page)
    submit = cell(page, r"checks\.submit")
    put(page, submit, "checks.submit(ready=True)")
    expect(submit.locator(".jp-OutputArea")).to_contain_text("Hand in this one file")
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
