"""Every page of the built site, each opened once: needs `make book` to have run.

It opens as on a phone by day, is then wide and dark, and last wide and light. All that is asked of it is looked at in
this one visit, and each thing fails under a name of its own.
"""

import functools
import html
import re
from collections import defaultdict
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import visits
from playwright.sync_api import Error, expect

from lsedu.book.pages import Book

pytestmark = pytest.mark.browser

BOOK = Book(Path(__file__).resolve().parents[2])
PAGES = [f"{page}.html" for page in BOOK.pages()]  # as the site names them
MADE = ["search.html", "genindex.html"]  # what Sphinx adds to them
PLACED = [(f"{page}.html", name) for name, pages in BOOK.figures().items() for page in pages]
PHONE, SCREEN = (390, 796), (1280, 850)

CUT = """[...document.querySelectorAll(".cell_input pre, .cell_output pre, div.math:has(.eqno) mjx-container")]
    .filter((one) => one.scrollWidth > one.clientWidth + 1)
    .map((one) => `${one.tagName}: ${(one.closest("div.math") ?? one).textContent.slice(0, 60)}`)"""

# Rectangles of an equation's number, of its formula and of the box around both; how much of the formula is unseen.
EQUATIONS = """() => [...document.querySelectorAll("div.math .eqno")].map((number) => {
    const rectangle = (element) => {
        const r = element.getBoundingClientRect();
        return [r.left, r.top, r.right, r.bottom];
    };
    const box = number.closest("div.math");
    const formula = box.querySelector("mjx-container");
    return {text: number.textContent, number: rectangle(number), formula: rectangle(formula), box: rectangle(box),
        hidden: formula.scrollWidth - formula.clientWidth};
})"""

PICTURES = """(width) => [...document.querySelectorAll(".bd-article .cell_output img")]
    .map((img) => [img.alt, img.getBoundingClientRect().right]).filter(([_, right]) => right > width)"""

# Where the pictures and a control are, what covers the control's middle, and where the page's header ends.
IN_VIEW = """(control) => {
    const {top, bottom, left, right} = control.getBoundingClientRect();
    const pictures = control.closest("figure").querySelector(".moving-figure-panels").getBoundingClientRect();
    const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const header = document.querySelector(".bd-header-article").getBoundingClientRect();
    return {top, bottom, pictures: [pictures.top, pictures.bottom], header: header.bottom,
        over: at === control ? "" : at?.outerHTML.slice(0, 80)};
}"""


# Words of the moving figures' drawings that leave their panel or lie on each other, and bars whose hatch has no ground.
LETTERS = """() => [...document.querySelectorAll(".moving-figure-panel:not(.is-sealed)")].flatMap((panel) => {
    const name = `${panel.closest("figure").dataset.figure}, ${panel.dataset.panel}`;
    const box = panel.getBoundingClientRect();
    const words = [...panel.querySelectorAll("svg.main-svg text")].map((word) => [word.textContent.trim(),
        word.getBoundingClientRect()]).filter(([text, {width}]) => text && width > 0);
    const out = words.filter(([_, r]) => r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1
        || r.bottom > box.bottom + 1).map(([text]) => `${name}: ${text} is cut`);
    const shared = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]);
    const over = words.flatMap(([text, a], i) => words.slice(i + 1)
        .filter(([_, b]) => shared(a, b, "left", "right") > 2 && shared(a, b, "top", "bottom") > 3)
        .map(([other]) => `${name}: ${text} lies on ${other}`));
    const hatched = panel.querySelector(".js-plotly-plot").data.filter(({type, marker}) => type === "bar"
        && marker.pattern?.shape);
    const bare = hatched.filter(({marker}) => !marker.pattern.bgcolor)
        .map((bar) => `${name}: ${bar.name} cannot be seen`);
    return [...out, ...over, ...bare];
})"""


def letters(page):
    return page.evaluate(LETTERS)


def opened(page):
    expect(page.locator(".bd-article h1, .bd-search-container h1").first).to_be_visible()
    visits.typeset(page)


def width(page):
    found, room = page.evaluate("document.documentElement.scrollWidth"), page.viewport_size["width"]
    return [f"{found} pixels wide, in a window of {room}"] if found > room else []


def equations(page):
    wrong = []
    for equation in page.evaluate(EQUATIONS):
        text, number, formula, box = (equation[key] for key in ("text", "number", "formula", "box"))
        beside = number[0] >= formula[2] - 1 or number[2] <= formula[0] + 1
        stacked = number[1] >= formula[3] - 1 or number[3] <= formula[1] + 1
        if not (beside or stacked):
            wrong.append(f"{text} lies on its formula: {number}, {formula}")
        if not (formula[0] >= 0 and max(number[2], formula[2]) <= PHONE[0]):
            wrong.append(f"{text} leaves the page")
        whole = formula[0] <= box[0] + 1 and formula[2] >= box[2] - 1
        if not (equation["hidden"] <= 1 or whole):
            wrong.append(f"the number takes room that the formula of {text} needs")
    return wrong


def sliders(name, page):
    """Move each control of a figure; say where the pictures that it moves are then not in view."""
    figure, wrong = page.locator(f".moving-figure[data-figure={name}]"), []
    visits.skip(figure)
    controls = figure.locator(".moving-figure-controls :is(input, select)").all()
    if not controls:
        return ["nothing can be moved"]
    for control in controls:
        control.focus()
        if control.get_attribute("type") == "range":
            page.keyboard.press("ArrowRight")
        seen = control.evaluate(IN_VIEW)
        top, bottom = seen["pictures"]
        if not (max(seen["header"], 0) - 1 <= top and bottom <= seen["top"] + 1 and seen["bottom"] <= PHONE[1]):
            wrong.append(f"not in view with {control.get_attribute('id')}: {seen}")
        if seen["over"] != "":
            wrong.append(f"something lies over the slider {control.get_attribute('id')}: {seen['over']}")
    if figure.locator(".moving-figure-readout").bounding_box()["y"] <= controls[-1].bounding_box()["y"]:
        wrong.append("what is read must come after what is moved")
    return wrong


def accessible(scheme, page, *, again=False):
    page.mouse.move(0, 0)  # off every link, which has another colour under it
    visits.in_theme(page, scheme)
    return visits.serious(page, again=again)


def phone(path):
    moved = {f"sliders-{name}": partial(sliders, name) for placed, name in PLACED if placed == path}
    return {
        "opened": opened, "equations": equations, "pictures": lambda page: page.evaluate(PICTURES, PHONE[0]),
        "still": visits.still, **moved, "revealed": visits.reveal, "letters": letters, "width": width,
    }  # fmt: skip


WIDE = {
    "opened": opened, "still": partial(visits.in_theme, scheme="dark"), "letters": letters, "width": width,
    "code": lambda page: page.evaluate(CUT), "thin": visits.thin, "dark": partial(accessible, "dark"),
    "light": partial(accessible, "light", again=True),
}  # fmt: skip


def look(page, looks):
    """Return what each look at an open page finds wrong; one that cannot be had is wrong itself."""
    found = {}
    for name, one in looks.items():
        try:
            found[name] = one(page) or []
        except Exception as error:
            found[name] = [f"{type(error).__name__}: {error}"]
    return found


@pytest.fixture(scope="module")
def wrong(reader):
    """What is wrong with a page, by screen and what is looked at; each page is opened when it is first asked for."""

    def seen(page, looks):
        found = look(page, looks)
        outside, errors = reader.noted()
        return {**found, "outside": outside, "errors": errors}

    @functools.cache
    def of(path):
        try:
            page = reader.open(path, size=PHONE, still=True)
            narrow = seen(page, phone(path))
            page.set_viewport_size(dict(zip(("width", "height"), SCREEN)))
            return {"phone": narrow, "wide": seen(page, WIDE)}
        except Error as error:
            said = f"it does not open: {error}"
            return defaultdict(lambda: defaultdict(lambda: [said]))

    return of


on_both_screens = pytest.mark.parametrize("screen", ["wide", "phone"])
on_every_page = pytest.mark.parametrize("path", PAGES)
also_on_what_sphinx_adds = pytest.mark.parametrize("path", [*PAGES, *MADE])


@on_every_page
@on_both_screens
def test_every_page_opens(wrong, path, screen):
    assert wrong(path)[screen]["opened"] == []


@also_on_what_sphinx_adds
@on_both_screens
def test_no_page_has_an_error_in_its_console_or_asks_for_anything_outside(wrong, path, screen):
    assert {name: wrong(path)[screen][name] for name in ("errors", "outside")} == {"errors": [], "outside": []}


@also_on_what_sphinx_adds
@on_both_screens
def test_every_figure_is_drawn(wrong, path, screen):
    assert wrong(path)[screen]["still"] == []


@also_on_what_sphinx_adds
def test_what_is_folded_opens(wrong, path):
    assert wrong(path)["phone"]["revealed"] == []


@on_every_page
@on_both_screens
def test_every_page_fits(wrong, path, screen):
    assert wrong(path)[screen]["width"] == []


@on_every_page
def test_no_code_no_output_and_no_equation_is_cut_at_the_edge(wrong, path):
    assert wrong(path)["wide"]["code"] == []


@on_every_page
def test_on_a_phone_equations_fit(wrong, path):
    assert wrong(path)["phone"]["equations"] == []


@on_every_page
def test_on_a_phone_pictures_fit(wrong, path):
    assert wrong(path)["phone"]["pictures"] == []


@pytest.mark.parametrize(("path", "name"), PLACED)
def test_on_a_phone_the_pictures_are_in_view_with_each_slider_that_moves_them(wrong, path, name):
    assert wrong(path)["phone"][f"sliders-{name}"] == []


@pytest.mark.parametrize("path", sorted({path for path, _ in PLACED}))
@on_both_screens
def test_the_words_of_a_moving_figure_are_whole_and_lie_on_no_other(wrong, path, screen):
    assert wrong(path)[screen]["letters"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@also_on_what_sphinx_adds
def test_accessibility_of_the_whole_page(wrong, path, scheme):
    assert wrong(path)["wide"][scheme] == []


@functools.cache
def anchors(file):
    return set(map(html.unescape, re.findall(r'\s(?:id|name)="([^"]*)"', file.read_text(encoding="utf-8"))))


@also_on_what_sphinx_adds
def test_every_link_within_the_site_has_its_target(path):
    page, dead = (BOOK.site / path).resolve(), []
    for link in set(re.findall(r'<a\b[^>]*?\shref="([^"]*)"', page.read_text(encoding="utf-8"))):
        to = urlsplit(html.unescape(link))
        if to.scheme or to.netloc:
            continue
        file = (page.parent / unquote(to.path)).resolve() if to.path else page
        if not file.is_file():
            dead.append(f"{link}: there is no such file")
        elif to.fragment and file.suffix == ".html" and unquote(to.fragment) not in anchors(file):
            dead.append(f"{link}: {file.name} has no such place")
    assert dead == []


def typed(page):
    """Return what is left of formulas and roles, as they were typed, in a page's text outside code and formulas."""
    (article,) = re.findall(r"<article\b.*?</article>", page, flags=re.S) or ("",)
    text = re.sub(r"<(script|style|pre|code)\b.*?</\1>", "", article, flags=re.S)
    text = re.sub(r'<(span|div) class="math\b.*?</\1>', "", text, flags=re.S)
    text = html.unescape(re.sub(r"<[^>]*>", "", text))
    return [
        text[max(0, at.start() - 30) : at.end() + 30] for at in re.finditer(r"\$|\\[a-zA-Z]+|\{(?:ref|eq|cite)\b", text)
    ]


def test_a_formula_that_a_list_cut_in_two_is_found():
    cut = r"<article><p>pictures have $p = 1</p><ul><li>\alpha for <em>o</em></li></ul><code>$HOME</code></article>"
    assert len(typed(cut)) == 2
    assert typed(r'<article><span class="math notranslate">\(\alpha\)</span> is small</article>') == []


@also_on_what_sphinx_adds
def test_no_formula_stands_as_it_was_typed(path):
    assert typed((BOOK.site / path).read_text(encoding="utf-8")) == []
