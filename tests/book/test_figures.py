"""The moving figures' `compute` in JavaScript against their Python side, over a grid of parameters."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from lsedu.book import figures, stage
from lsedu.book.figures import clusters, seeds, temperature
from lsedu.book.pages import Book
from lsedu.plots.style import WIDTH

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "book" / "_static" / "figures"
TOLERANCE = 1e-6


def logits_and_labels(size=300, classes=7, *, seed=3):
    rng = np.random.default_rng(seed)
    logits = np.round(rng.normal(size=(size, classes)) * rng.choice([0.5, 3.0, 12.0], size=(size, 1)), 3)
    labels = np.where(rng.random(size) < 0.7, logits.argmax(1), rng.integers(0, classes, size=size))
    logits[:4] = 0.0  # all classes tie: confidence 1/K exactly
    return {"logits": logits.tolist(), "labels": labels.tolist(), "fitted": 1.5}


def none_wrong(data):
    """All answers right: there is no error to detect, so AUROC is not a number in both languages."""
    return data | {"labels": np.argmax(data["logits"], axis=1).tolist()}


def a_record_of_noise(*, seed=5, seeds=3):
    """Values as a record would have them, with ties of the best strength and no memorised share where none is wrong."""
    rng = np.random.default_rng(seed)
    rates, alphas = [0.0, 0.4], [0.0, 0.1, 0.8]

    def table():
        return np.round(rng.random((2, 3, seeds)), 4).tolist()

    scores = {
        state: {name: table() for name in ("overconfidence", "ece", "nll")} for state in ("before", "noisy", "clean")
    }
    accuracy = table()
    accuracy[1][2] = accuracy[1][0]
    return {
        "rates": rates, "alphas": alphas, "accuracy": accuracy, "memorised": [None, table()[1]], "scores": scores,
    }  # fmt: skip


def a_record_of_clusters(*, seed=7, seeds=2, each=4):
    """Points of two classes on a plane by seed, and tightness as a record would have it."""
    rng = np.random.default_rng(seed)

    def nested(draw):
        return {part: {name: draw() for name in ("plain", "smoothed")} for part in ("test", "train")}

    return {
        "seeds": [100, 104][:seeds],
        "classes": ["a", "b"],
        "points": nested(lambda: np.round(rng.normal(size=(seeds, 2 * each, 2)), 3).tolist()),
        "within": nested(lambda: rng.uniform(1, 20, seeds).tolist()),
        "ratio": nested(lambda: rng.uniform(0.1, 1, seeds).tolist()),
    }


#: Data on which the two sides are compared, where those of the page do not have every case.
MADE_UP = {
    "temperature": lambda: [logits_and_labels(), none_wrong(logits_and_labels(seed=4))],
    "noise": lambda: [a_record_of_noise(), a_record_of_noise(seed=6, seeds=1)],
    "clusters": lambda: [a_record_of_clusters(), clusters.payload()],
}

# JSON has neither NaN nor infinity: they cross as text.
RUN = """({name, grid, data}) => JSON.stringify(grid.map((parameters) => lsedu.spec(name).compute(parameters, data)),
    (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value))"""


def grid(name):
    axes = figures.get(name).GRID
    return [dict(zip(axes, values)) for values in itertools.product(*axes.values())]


def cases(name):
    return MADE_UP[name]() if name in MADE_UP else [figures.get(name).payload()]


def compare(name, data, found):
    """Hold what a page computes to the library; it may compute more, for its drawing."""
    for parameters, shown in zip(grid(name), found, strict=True):
        expected = figures.get(name).compute(parameters, data)
        assert shown.keys() >= expected.keys()
        for key, value in expected.items():
            np.testing.assert_allclose(
                np.array(shown[key], dtype=float),
                value,
                rtol=0,
                atol=TOLERANCE,
                err_msg=f"{name}.{key} at {parameters}",
            )


def test_every_figure_has_both_its_sides():
    drawn = {path.stem for path in FIGURES.glob("*.js") if f'\nlsedu.figure("{path.stem}"' in path.read_text()}
    assert drawn == set(figures.names())


def test_a_figure_has_a_question_where_a_page_asks_it_and_only_there(node):
    asked = Book(ROOT).asked()
    for name in figures.names():
        has = node(name, "(name) => JSON.stringify(Boolean(lsedu.spec(name).question))", name)
        assert has == (name in asked), name


def test_an_unknown_figure_lists_the_known_and_a_part_that_is_missing_is_named(monkeypatch):
    with pytest.raises(KeyError, match="no moving figure is called 'noises'; there are annotators, clusters"):
        figures.get("noises")
    monkeypatch.delattr(seeds, "GRID")
    with pytest.raises(ValueError, match=r"lsedu\.book\.figures\.seeds has no GRID"):
        figures.get("seeds")


def test_a_figure_is_drawn_again_when_what_it_reads_changes_and_for_nothing_else(toy, monkeypatch):
    drawn = []

    def payload():
        drawn.append(json.loads((toy.source / "records" / "one.json").read_text()))
        return drawn[-1]

    figure = SimpleNamespace(__name__="lsedu.book.figures.seeds", payload=payload, fallback=Figure)
    monkeypatch.setattr(stage, "figures", SimpleNamespace(names=lambda: ("tea",), get=lambda name: figure))
    for name, value in (("one", 1), ("two", 1), ("two", 2), ("one", 2)):
        (toy.source / "records" / f"{name}.json").write_text(str(value))
        stage._figures(toy)
    assert drawn == [1, 2]
    assert (toy.staged / "_static" / "figures" / "tea.data.js").read_text() == 'lsedu.data("tea", 2);\n'


@pytest.mark.parametrize("name", figures.names())
def test_the_picture_without_scripts_can_be_read_on_a_phone(name):
    figure = figures.get(name).fallback()
    assert figure.axes and figure.get_figwidth() <= WIDTH


@pytest.fixture
def node(tmp_path):
    """Run an expression of JavaScript with the figures' scripts loaded, under node, and return its value."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node on this machine; the browser gate holds the same")

    def run(name, expression, given):
        parts = "".join(f"require({json.dumps(str(FIGURES / part))});\n" for part in ("base.js", f"{name}.js"))
        (tmp_path / "run.cjs").write_text(f"{parts}process.stdout.write(({expression})({json.dumps(given)}));")
        done = subprocess.run([found, str(tmp_path / "run.cjs")], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("name", figures.names())
def test_compute_equals_the_library_under_node(name, node):
    for data in cases(name):
        compare(name, data, node(name, RUN, {"name": name, "grid": grid(name), "data": data}))


# At T = 4 a network is too timid; the data have bins with both signs.
BOTH_SIGNS = {"temperature": 4.0, "bins": 15}
TRACES = """({name, parameters, data}) => {
    const {compute, panels} = lsedu.spec(name);
    const theme = new Proxy({}, {get: (_, meaning) => meaning});
    const [{traces}] = panels(compute(parameters, data), {parameters, data, theme, revealed: true});
    return JSON.stringify(traces.filter(({type}) => type === "bar"));
}"""


def hold_the_diagram(traces, data):
    """The outline of the accuracy ends at the accuracy and hides under no hatch; each sign has a hatch of its own."""
    shown = temperature.compute(BOTH_SIGNS, data)
    accuracy, gap = (
        {m: value for m, value in enumerate(values) if shown["counts"][m]}
        for values in (shown["bin_accuracy"], np.subtract(shown["bin_confidence"], shown["bin_accuracy"]))
    )
    assert min(gap.values()) < 0 < max(gap.values())
    drawn = {trace["name"]: trace for trace in traces}
    at = {name: [int(15 * x) for x in trace["x"]] for name, trace in drawn.items()}
    heights = {name: dict(zip(at[name], trace["y"], strict=True)) for name, trace in drawn.items()}
    assert heights["accuracy"] == pytest.approx(accuracy)
    for name, sign in (("too sure", 1), ("too timid", -1)):
        assert heights[name] == pytest.approx({m: value for m, value in gap.items() if sign * value > 0})
        assert drawn[name]["base"] == pytest.approx([accuracy[m] for m in at[name]])
    order = [trace["name"] for trace in traces]
    assert order.index("accuracy") > max(order.index("too sure"), order.index("too timid"))
    assert (
        drawn["accuracy"]["marker"]["line"]["color"] == "accuracy" and drawn["accuracy"]["marker"]["line"]["width"] > 1
    )
    looks = [drawn[name]["marker"]["pattern"] for name in ("too sure", "too timid")]
    assert looks[0]["shape"] != looks[1]["shape"] and looks[0]["fgcolor"] != looks[1]["fgcolor"]


def test_the_moving_diagram_tells_too_timid_from_too_sure_under_node(node):
    data = logits_and_labels()
    hold_the_diagram(node("temperature", TRACES, {"name": "temperature", "parameters": BOTH_SIGNS, "data": data}), data)


@pytest.fixture(scope="module")
def page(chromium_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.add_script_tag(path=FIGURES / "base.js")
        yield page
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", figures.names())
def test_compute_equals_the_library_in_a_browser(name, page):
    page.add_script_tag(path=FIGURES / f"{name}.js")
    for data in cases(name):
        given = {"name": name, "grid": grid(name), "data": data}
        compare(name, data, json.loads(page.evaluate(RUN, given)))


@pytest.mark.browser
def test_the_moving_diagram_tells_too_timid_from_too_sure_in_a_browser(page):
    page.add_script_tag(path=FIGURES / "temperature.js")
    data = logits_and_labels()
    given = {"name": "temperature", "parameters": BOTH_SIGNS, "data": data}
    hold_the_diagram(json.loads(page.evaluate(TRACES, given)), data)


def test_without_a_gain_the_shares_are_what_theory_says():
    data = seeds.payload()
    for count in (2, 5, 20):
        shown = seeds.compute({"seeds": count, "threshold": 0.2, "draw": 1}, data)
        # 1,000 experiments: four standard errors
        for key, chance in (("ahead", 0.5), ("interval", 0.025), ("threshold", shown["exact_threshold"])):
            assert abs(shown[key] - chance) < 4 * (chance * (1 - chance) / seeds.DRAWS) ** 0.5, (key, count)
        assert shown["peeking"] >= shown["interval"]
    assert shown["peeking"] > 2 * shown["interval"]
