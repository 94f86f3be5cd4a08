"""Colours that cannot be read: of links under the mouse, which axe does not see, and in a page that is thinned for it.

Needs `make book` to have run.
"""

import pytest
import visits

pytestmark = pytest.mark.browser

# The contrast of an element's letters with what lies under them, as WCAG counts it.
CONTRAST = """(link) => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgba = (text) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = text;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (colour) => {
        const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = colour.map((v) => linear(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let under = [255, 255, 255];
    const grounds = [];
    for (let at = link; at; at = at.parentElement) grounds.unshift(rgba(getComputedStyle(at).backgroundColor));
    for (const [r, g, b, a] of grounds) under = [r, g, b].map((v, i) => (v * a + under[i] * (255 - a)) / 255);
    const [low, high] = [rgba(getComputedStyle(link).color).slice(0, 3), under].map(luminance).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
}"""
LINKS = {
    "contents": ".bd-links li:not(.current) > a", "this page": ".bd-links li.current > a", "section": ".page-toc a",
    "badge": ".page-badges a", "text": ".bd-article section p > a.reference", "next": ".prev-next-area a",
    "row": ".bd-article tr.row-even td a.reference", "tinted": ".bd-article .admonition a.reference",
}  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_link_under_the_mouse_can_be_read(visit, theme):
    page = visit("bottleneck/plane.html", scheme=theme)
    page.set_viewport_size({"width": 1500, "height": 900})  # wide enough for the contents of the page beside it
    page.add_style_tag(content="* { transition: none !important; }")
    seen = {}
    for name, selector in LINKS.items():
        link = page.locator(selector).first
        link.scroll_into_view_if_needed()
        page.mouse.move(0, 0)
        before = link.evaluate("(link) => getComputedStyle(link).color")
        link.hover()
        seen[name] = round(link.evaluate(CONTRAST), 2)
        if name in ("contents", "text"):
            assert link.evaluate("(link) => getComputedStyle(link).color") != before, "the mouse changes nothing"
    assert {name: ratio for name, ratio in seen.items() if ratio < 4.5} == {}


PALE = """<!DOCTYPE html><html lang="en"><title>Pale</title><main><h1>Pale</h1>
<pre><span>good</span> <span>good</span> <span class="pale">bad</span> <span class="pale">bad</span></pre>
<dl><dt class="sig"><em><span>good</span></em> <em><span>good</span></em> <em class="pale"><span>bad</span></em></dt>
<dd>Text.</dd></dl></main><style>.pale { color: #bbb; }</style></html>"""


def test_a_pale_word_is_found_in_a_page_that_was_thinned(chromium):
    page = chromium.new_page()
    page.set_content(PALE)
    before = page.locator("pre span, dt span").count()
    visits.thin(page)
    assert page.locator("pre span, dt span").count() < before
    found = visits.serious(page)
    assert len(found) == 2 and all(line.startswith("color-contrast") and "bad" in line for line in found)
    page.close()
