"""The moving figures' `compute` in JavaScript against their Python side, over a grid of parameters."""

import functools
import http.server
import itertools
import json
import shutil
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from lsedu.book import figures, stage
from lsedu.book.figures import clusters, seeds
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
RUN = """async ({url, grid, data}) => {
    const {default: figure} = await import(url);
    return JSON.stringify(grid.map((parameters) => figure.compute(parameters, data)),
        (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value));
}"""


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
    assert {path.stem for path in FIGURES.glob("*.js")} - {"frame", "score"} == set(figures.names())


def test_an_unknown_figure_lists_the_known_and_a_part_that_is_missing_is_named(monkeypatch):
    with pytest.raises(KeyError, match="no moving figure is called 'noises'; there are clusters, noise"):
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
    assert (toy.staged / "_static" / "figures" / "tea.json").read_text() == "2"


@pytest.mark.parametrize("name", figures.names())
def test_the_picture_without_scripts_can_be_read_on_a_phone(name):
    figure = figures.get(name).fallback()
    assert figure.axes and figure.get_figwidth() <= WIDTH


@pytest.mark.parametrize("name", figures.names())
def test_compute_equals_the_library_under_node(name, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine; the browser gate holds the same comparison")
    module = shutil.copy(FIGURES / f"{name}.js", tmp_path / "figure.mjs")
    for path in FIGURES.glob("*.js"):
        shutil.copy(path, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for data in cases(name):
        given = {"url": Path(module).as_uri(), "grid": grid(name), "data": data}
        script = f"({RUN})({json.dumps(given)}).then((text) => process.stdout.write(text));"
        (tmp_path / "run.mjs").write_text(script)
        done = subprocess.run([node, str(tmp_path / "run.mjs")], capture_output=True, text=True, check=True)
        compare(name, data, json.loads(done.stdout))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def page(chromium_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=FIGURES))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/frame.js")
        yield page
        browser.close()
    server.shutdown()


@pytest.mark.browser
@pytest.mark.parametrize("name", figures.names())
def test_compute_equals_the_library_in_a_browser(name, page):
    for data in cases(name):
        given = {"url": f"/{name}.js", "grid": grid(name), "data": data}
        compare(name, data, json.loads(page.evaluate(RUN, given)))


def test_without_a_gain_the_shares_are_what_theory_says():
    data = seeds.payload()
    for count in (2, 5, 20):
        shown = seeds.compute({"seeds": count, "threshold": 0.2, "draw": 1}, data)
        # 1,000 experiments: four standard errors
        for key, chance in (("ahead", 0.5), ("interval", 0.025), ("threshold", shown["exact_threshold"])):
            assert abs(shown[key] - chance) < 4 * (chance * (1 - chance) / seeds.DRAWS) ** 0.5, (key, count)
        assert shown["peeking"] >= shown["interval"]
    assert shown["peeking"] > 2 * shown["interval"]
