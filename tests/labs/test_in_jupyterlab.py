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
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from lsedu.cli import app

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
WRONG = """def softmax(logits):
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)
"""
RIGHT = """def softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
"""
# Whether the server's copy of the notebook holds the answer.
SAVED = """async () => {
    const answer = await fetch('/api/contents/lab01.ipynb');
    return JSON.stringify(await answer.json()).includes('np.exp(logits - logits.max(');
}"""


@pytest.fixture
def lab_server(tmp_path):
    """A JupyterLab on a free port, in a folder with the first lab at its smallest scale."""
    notebook = json.loads((ROOT / "labs/lab01.ipynb").read_text())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).replace('scale = "cpu"', 'scale = "smoke"')
    work, settings = tmp_path / "work", tmp_path / "settings"
    work.mkdir()
    (work / "lab01.ipynb").write_text(json.dumps(notebook))
    folder = settings / "@jupyterlab/notebook-extension"
    folder.mkdir(parents=True)
    (folder / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
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
    environment = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(settings), "JUPYTER_PREFER_ENV_PATH": "1"}
    server = subprocess.Popen([*command, *options], stdout=log, stderr=subprocess.STDOUT, env=environment)
    try:
        yield f"http://127.0.0.1:{port}", work, server
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


def cell(page, text):
    """The code cell whose editor holds `text`."""
    return page.locator(".jp-CodeCell").filter(has=page.locator(".cm-content", has_text=re.compile(text)))


def put(page, place, text):
    place.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    page.keyboard.press("Shift+Enter")


def test_wrong_then_right_then_handed_in_then_graded(lab_server, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    address, work, server = lab_server
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        sync_api.expect.set_options(timeout=120_000)
        wait_for(address, server, page)
        page.goto(f"{address}/doc/tree/lab01.ipynb")
        page.locator(".jp-Notebook").wait_for()
        page.get_by_text("Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        report = cell(page, r"checks\.report\(\)").locator(".jp-OutputArea-output")
        sync_api.expect(report).to_contain_text("0 of 17 points on the public cases")
        sync_api.expect(page.locator(".jp-OutputArea-output", has_text="Traceback")).to_have_count(0)
        sync_api.expect(page.locator("img[alt^='Reliability diagram']")).to_be_visible()

        check = cell(page, r'check\("softmax"')
        put(page, cell(page, "def softmax"), WRONG)
        put(page, check, 'checks.check("softmax", softmax)')
        sync_api.expect(check.locator(".jp-OutputArea")).to_contain_text("no row maximum was subtracted")
        put(page, cell(page, "def softmax"), RIGHT)
        put(page, check, 'checks.check("softmax", softmax)')
        sync_api.expect(check.locator(".jp-OutputArea")).to_contain_text("4 of 4 public cases pass")

        page.keyboard.press("Control+S")
        page.wait_for_function(SAVED)
        submit = cell(page, r"checks\.submit")
        put(page, submit, "checks.submit(ready=True)")
        sync_api.expect(submit.locator(".jp-OutputArea")).to_contain_text("Hand in this one file")
        browser.close()
    handed = nbformat.read(work / "submission/lab01.ipynb", as_version=4)
    assert "2 of 17 points on the public cases" in json.dumps(handed.cells)

    student = tmp_path / "class/ada"
    student.mkdir(parents=True)
    shutil.copy(work / "submission/lab01.ipynb", student)
    out, secret = tmp_path / "out", tmp_path / "secret"
    command = ["grade", str(ROOT / "solutions/lab01.md"), str(student.parent), "--out", str(out)]
    done = CliRunner().invoke(app, [*command, "--secret-file", str(secret)])
    assert done.exit_code == 0, done.output
    (row,) = csv.DictReader((out / "grades.csv").open())
    assert float(row["softmax"]) == 2 == float(row["total"])
