"""Every moving figure worked on a phone by keyboard, mouse and finger, its values held to the library's after each.

Needs `make book` to have run.
"""

from pathlib import Path

import pytest
from visits import drawn, skip

from lsedu.book import figures
from lsedu.book.pages import Book

pytestmark = pytest.mark.browser

BOOK = Book(Path(__file__).resolve().parents[2])
PHONE = {"width": 390, "height": 796}

# What the controls of a figure say, by what they are: the parameters from which it has to compute.
PARAMETERS = """(figure, name) => Object.fromEntries(lsedu.spec(name).controls.map((control) => {
    const inputs = [...figure.querySelectorAll(`.moving-figure-controls [id^="${name}-${control.key}"]`)]
        .filter(({id}) => id.replace(/-\\d+$/, "") === `${name}-${control.key}`);
    const value = Number(inputs[0].value);
    if (control.choices) return [control.key, control.choices[inputs[0].selectedIndex][0]];
    if (control.cells) return [control.key, inputs.map((input) => input.value).join(" ")];
    if (control.steps) return [control.key, control.steps[value]];
    const reached = control.scale === "log" ? 10 ** value : value;
    return [control.key, Math.min(control.max, Math.max(control.min, reached))];
}))"""
READ = """(figure) => Object.fromEntries([...figure.querySelectorAll("dd[data-value]")]
    .map((shown) => [shown.dataset.key, Number(shown.dataset.value)]))"""


def by_keyboard(page, control):
    control.focus()
    at_end = control.evaluate("({value, max, step}) => max && Number(value) + Number(step) > Number(max)")
    page.keyboard.press("ArrowLeft" if at_end else "ArrowRight" if control.get_attribute("type") else "ArrowDown")


def ends(control):
    """From where a slider's handle is to the middle of its longer side."""
    control.scroll_into_view_if_needed()
    box = control.bounding_box()
    at = control.evaluate("({value, min, max}) => (value - min) / (max - min)")
    x = [box["x"] + 8 + (box["width"] - 16) * share for share in (at, at / 2 if at > 0.5 else (1 + at) / 2)]
    return *x, box["y"] + box["height"] / 2


def by_mouse(page, control):
    start, end, y = ends(control)
    page.mouse.move(start, y)
    page.mouse.down()
    page.mouse.move((start + end) / 2, y)
    page.mouse.move(end, y)
    page.mouse.up()


def by_finger(page, control):
    start, end, y = ends(control)
    finger = page.context.new_cdp_session(page)
    for kind, x in (("touchStart", start), ("touchMove", (start + end) / 2), ("touchMove", end), ("touchEnd", None)):
        points = [] if x is None else [{"x": x, "y": y}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.fixture(scope="module")
def phone(chromium):
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", figures.names())
def test_a_figure_is_worked_by_keyboard_mouse_and_finger_and_shows_the_librarys_values(phone, origin, name):
    phone.goto(f"{origin}{BOOK.figures()[name][-1]}.html")
    figure, data = drawn(phone, name), figures.get(name).payload()
    skip(figure)
    sliders = figure.locator(".moving-figure-controls input[type=range]").all()
    for move in (by_keyboard, by_mouse, by_finger):
        for control in sliders:
            before = control.input_value()
            move(phone, control)
            assert control.input_value() != before, f"{control.get_attribute('id')} stays, moved {move.__name__}"
        parameters, shown = figure.evaluate(PARAMETERS, name), figure.evaluate(READ)
        wanted = figures.get(name).compute(parameters, data)
        held = {key: wanted[key] for key in shown if isinstance(wanted.get(key), (int, float))}
        assert held or name == "sure", f"{name} shows nothing that the library computes"
        assert {key: shown[key] for key in held} == pytest.approx(held, abs=1e-6), (move.__name__, parameters)
    for select in figure.locator(".moving-figure-controls select").all():
        before = select.input_value()
        by_keyboard(phone, select)
        assert select.input_value() != before
