"""Opening the built site in headless Chromium with no network: one browser, and one window a way of reading."""

import functools
import http.server
import threading
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
expect.set_options(timeout=30_000)  # a busy machine draws late

# What a browser with blocked cookies does: the mere name throws.
FORBID = """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name,
    {configurable: true, get() { throw new DOMException("Access is denied for this document.", "SecurityError"); }});"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """The built site, each file of which a window asks for once."""

    protocol_version = "HTTP/1.1"

    def end_headers(self):
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def serving(site):
    """Serve the site on a free port; give its address."""
    assert (site / "index.html").is_file(), "there is no site: run `make book` first"
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def running(executable):
    """Run a browser. Only for one module: while it runs, no other asyncio can run in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


class Reader:
    """Opens pages as somebody who comes for the first time, and notes what they ask of others and what goes wrong.

    A window stays from page to page, so that the scripts that all pages share are fetched and compiled once.
    """

    def __init__(self, browser, origin, site):
        self.browser, self.homes = browser, {"http": origin, "file": f"{site.as_uri()}/"}
        self.windows, self.outside, self.errors = {}, [], []

    def open(self, path, *, by="http", storage=True, scripts=True, size=(1280, 720), scheme="light", still=False):
        page, (width, height) = self._window(storage, scripts), size
        page.set_viewport_size({"width": width, "height": height})
        motion = "reduce" if still else "no-preference"
        page.emulate_media(media="screen", color_scheme=scheme, reduced_motion=motion)
        page.goto(self.homes[by] + path)
        return page

    def noted(self):
        """Return what was asked of others and the errors since the last time."""
        for page in self.windows.values():
            page.title()  # what was said before is here when this is answered
        noted = self.outside, self.errors
        self.outside, self.errors = [], []
        return noted

    def _window(self, storage, scripts):
        page = self.windows.get((storage, scripts))
        if page is None:
            context = self.browser.new_context(java_script_enabled=scripts)
            if not storage:
                context.add_init_script(FORBID)
            context.on("request", self._asked)
            context.on("console", self._said)
            context.on("weberror", lambda failed: self.errors.append(str(failed.error)))
            page = self.windows[storage, scripts] = context.new_page()
        elif storage and scripts:
            page.evaluate("localStorage.clear(), sessionStorage.clear()")
        return page

    def _asked(self, request):
        if not request.url.startswith((*self.homes.values(), "data:", "blob:")):
            self.outside.append(request.url)

    def _said(self, message):
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location}")


def typeset(page):
    """Wait until every formula is set: before, it is text of another width."""
    page.evaluate("() => window.MathJax?.startup?.promise.then(() => null)")


def drawn(page, name="temperature"):
    """Bring a page's figure into view and wait until it is drawn."""
    figure = page.locator(f".moving-figure[data-figure={name}]")
    figure.scroll_into_view_if_needed()
    expect(figure).to_have_attribute("data-drawn", "true")
    return figure


def skip(figure):
    """Go on without a prediction, where the page asks for one."""
    button = figure.locator(".moving-figure-skip")
    if button.is_visible():
        button.click()


def still(page):
    """Wait until nothing on a page moves by itself any more: all figures are drawn, and nothing fades in."""
    page.add_style_tag(content="* { animation: none !important; transition: none !important; }")
    for name in page.eval_on_selector_all("figure.moving-figure", "(all) => all.map((one) => one.dataset.figure)"):
        drawn(page, name)


def reveal(page):
    """Open what a reader can open: predictions are skipped, answers and data tables unfolded."""
    for figure in page.locator("figure.moving-figure").all():
        skip(figure)
    page.evaluate("document.querySelectorAll('.bd-article details').forEach((part) => { part.open = true; })")


# The page has the theme, and so has each drawing of its figures.
IN_THEME = """(scheme) => document.documentElement.dataset.theme === scheme
    && [...document.querySelectorAll(".moving-figure-frame")].every((frame) => {
        const colour = getComputedStyle(frame).getPropertyValue("--figure-text").trim();
        return [...frame.querySelectorAll(".js-plotly-plot")].every((plot) => plot.layout.font.color === colour);
    })"""


def in_theme(page, scheme):
    """Give an open page this theme, as when a reader's system changes at dusk."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(IN_THEME, arg=scheme)


# axe looks at each element many times over, so it is spared those that tell nothing new. MathJax makes all formulas
# alike: in the place of all but the first stands a letter, as wide. Of the words of a piece of code those that look
# like an earlier one stay as bare text, and what holds only such words is a word itself.
THIN = """() => {
    for (const formula of [...document.querySelectorAll("mjx-container")].slice(1)) {
        const letter = document.createElement("span");
        const width = Math.max(formula.scrollWidth, formula.getBoundingClientRect().width);
        letter.style.cssText = `display: inline-block; width: ${width}px`;
        letter.textContent = "x";
        formula.replaceChildren(letter);
    }
    const looks = (one) => {
        const style = getComputedStyle(one);
        return [style.color, style.background, style.opacity, style.fontSize, style.fontWeight, style.textShadow];
    };
    for (const code of document.querySelectorAll("pre, code, dt.sig")) {
        const seen = new Set();
        const kept = new Set();
        let alike;
        do {
            alike = [...code.querySelectorAll("span, em")].filter((word) => {
                if (word.childElementCount > 0 || word.id !== "" || kept.has(word)) return false;
                const both = [word, word.parentElement].map(looks).join();
                if (!seen.has(both)) kept.add(word);
                return seen.has(both) || !seen.add(both);
            });
            for (const word of alike) word.replaceWith(word.textContent);
        } while (alike.length > 0);
    }
}"""


def thin(page):
    """Take out of a page what axe need not see; after this only axe may look at it."""
    page.evaluate(THIN)
    page.evaluate(Axe().axe_script)


# `again` is for the page in its other theme: that changes colours, and which version of a drawing is shown.
SERIOUS = """async (again) => {
    const BY_COLOUR = ["color-contrast", "link-in-text-block"];
    const found = [];
    const run = async (context, rules) => {
        const {violations} = await axe.run(context, {preload: false, resultTypes: ["violations"], ...rules});
        for (const {id, impact, nodes} of violations) {
            if (!["serious", "critical"].includes(impact)) continue;
            found.push(...nodes.map(({html, failureSummary}) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
        }
    };
    await run(document, again ? {runOnly: BY_COLOUR} : {});
    const shown = [...document.querySelectorAll(".in-light, .in-dark, .only-light, .only-dark")]
        .filter((one) => one.checkVisibility());
    const others = {rules: Object.fromEntries(BY_COLOUR.map((rule) => [rule, {enabled: false}]))};
    if (again && shown.length > 0) await run({include: shown}, others);
    return found;
}"""


def serious(page, *, again=False):
    """Return what axe finds on the page as it stands that is serious or critical."""
    return page.evaluate(SERIOUS, again)
