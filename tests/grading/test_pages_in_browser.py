"""A feedback page made from a submission full of scripts, opened in Chromium: nothing runs, nothing is asked for."""

import shutil
import sys

import pytest

hostile = sys.modules["hostile"]
pytestmark = pytest.mark.browser

ATTACK = (
    "<script>document.title = 'owned'</script>\n\n<img src=x onerror=\"document.title='owned'\">\n\n"
    "<svg onload=\"document.title='owned'\"></svg> <iframe srcdoc=\"<script>parent.document.title='owned'</script>\">"
    "</iframe> [click](javascript:document.title='owned') ![i](http://127.0.0.1:9/x) <style>*{display:none}</style>"
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>"
)


@pytest.fixture
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield opened
        opened.close()


def test_a_page_made_from_a_hostile_submission_does_nothing(browser, classroom):
    def poison(notebook):
        for cell in notebook["cells"]:
            if cell["id"] == "words":
                cell["source"] = ATTACK
        return notebook

    case = hostile.Case("<b onmouseover=alert(1)>x<b>", "html", notebook=poison)
    outcome = classroom([case])
    (page_path,) = outcome.out.glob("feedback/*.html")
    assert "owned" in page_path.read_text(), "the text itself must be there to be marked by hand"
    page = browser.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(page_path.as_uri())
    page.wait_for_load_state("networkidle")
    for element in page.query_selector_all("td, p, blockquote"):
        element.hover()
    assert page.title() != "owned"
    assert page.query_selector_all("script, img, svg, iframe, a, form, object, embed") == []
    assert [url for url in asked if not url.startswith("file:")] == []
    assert said == []
    assert page.query_selector("table").is_visible()
