"""The course's labs: what each promises, and that its solved notebook runs and can be handed in.

The untouched one is run by the gate (`lsedu labs test`) and, to its report of no points, in JupyterLab.
"""

import ast
import json
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from matplotlib import pyplot
from nbclient import NotebookClient
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from lsedu._project import link
from lsedu.authoring import load_lab, variant
from lsedu.authoring.gate import examine
from lsedu.authoring.release import build, release
from lsedu.book.pages import Book
from lsedu.experiments import load_record, t_quantile
from lsedu.labs import Checks
from lsedu.labs.submit import submit
from lsedu.studies.bottleneck import remembered

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "solutions").glob("lab*.md"))
NUMBER = r"([+-]?\d+(?:\.\d+)?)"


@pytest.fixture(scope="module", params=SOURCES, ids=lambda path: path.stem)
def source(request):
    return request.param


@pytest.fixture(scope="module")
def lab(source):
    return load_lab(source)


def test_the_committed_release_is_what_the_source_gives(source):
    assert release(source, out=ROOT / "labs", check=True) == []


def test_gate(source):  # which `lsedu labs test` holds the labs to with the release run, too
    assert [(finding.what, finding.said) for finding in examine(source, run=False) if not finding.passed] == []


def test_links_to_the_book_lead_to_pages_that_are_there(source):
    asked = re.findall(r"\{book\}/([\w/]+)\.html", source.read_text(encoding="utf-8"))
    assert set(asked) <= set(Book(ROOT).pages())
    released = (ROOT / f"labs/{source.stem}.ipynb").read_text(encoding="utf-8")
    assert released.count(f"({link('Book')}/") == len(asked)
    assert "{book}" not in released


def quoted(lab):
    """The dictionary RECORD that a lab shows where nobody can run the study behind it."""
    (text,) = re.findall(r"^RECORD = (\{.*?^\})", (ROOT / f"solutions/{lab}.md").read_text(), flags=re.M | re.S)
    return ast.literal_eval(text)


def test_numbers_that_labs_quote_are_those_of_the_records():
    planes, vib = load_record("planes"), load_record("vib")
    looked_at = ("train/i_x", "train/i_y", "test/i_x", "test/i_y", "test/accuracy")
    for alpha, values in quoted("lab03").items():
        assert values == pytest.approx([planes.mean(f"{alpha}/{name}") for name in looked_at], abs=6e-4)
    names = {"one-hot": "one-hot", "smoothing": "smoothing", "discrete": "bottleneck, 10 codes"}
    for method, name in {**names, "gaussian": "bottleneck, 64 numbers"}.items():
        due = [vib.mean(f"{method}/right/before/accuracy"), vib.mean(f"{method}/sure/before/ece")]
        assert quoted("lab04")[name] == pytest.approx(due, abs=6e-5)


def test_what_lab_7_says_of_its_record_is_there():
    record, text = load_record("remembered"), (ROOT / "solutions/lab07.md").read_text()
    text = " ".join(text.split())
    corner, read, judged = record.effect("probe"), record.configs["train_size"], record.configs["test_size"]
    for said in (
        f"the course's record of {2 * len(record.results)} networks",
        f"keeps the features of {record.configs['kept']} test scenes",
        f"learnt on {read:,} training scenes and was judged on all {judged:,} test scenes",
        f"{record.mean('0.0/probe/corner'):.1%} and, with smoothing, {record.mean('0.1/probe/corner'):.1%}",
        f"the interval, {100 * corner.low:.1f} to {100 * corner.high:+.1f} points, lies within the margin",
        f"from an untrained network {record.mean('untrained/probe/corner'):.1%} can be read",
        f"falls from {record.mean('0.0/share'):.1%} to {record.mean('0.1/share'):.1%}",
        f"{record.mean('0.0/clutter/drop'):.1%} without and {record.mean('0.1/clutter/drop'):.1%} with smoothing",
    ):
        assert said in text, said


def test_what_the_model_answer_of_lab_7_counts_is_what_its_solutions_find():
    record, lab = load_record("remembered"), load_lab(ROOT / "solutions/lab07.md")
    does = {question.id: question.reference for question in lab.questions}
    (words,) = [" ".join(cell.solution.split()) for cell in lab.cells if cell.role == "manual"]
    t = np.array([np.inf, np.inf, *(t_quantile(0.95, n - 1) for n in range(2, 201))])
    needed = {}
    for name, margin in (("probe/corner", 0.02), ("share", 0.02), ("clutter/drop", 0.01)):
        differences = record.values(f"0.1/{name}") - record.values(f"0.0/{name}")
        needed[name] = does["seeds-needed"](differences, 2 * margin, margin, t)
        if name == "probe/corner":
            assert does["misled"](differences, margin)[1] == pytest.approx(1 / 4, abs=0.03)
    assert "Every fourth pair of seeds would have shown forgetting" in words
    probe, share, drop = needed.values()
    assert f"(c) {probe} for the probe, {share} for the share, {drop} for the swap" in words
    scenes = remembered.scenes(remembered.held_out(record.configs["test_size"]), seed=remembered.TEST_SEED)
    read, steps = record.over_seeds("0.0/features"), record.over_seeds("0.0/steps").astype(float)
    half, corners = read.shape[1] // 2, scenes.corners[: read.shape[1]]
    found = [
        does["probe"](features[:half], corners[:half], features[half:], 0.1).argmax(axis=1) == corners[half:]
        for features in (kept * step for kept, step in zip(read, steps))
    ]
    assert f"my probe reads the corner's class {np.mean(found):.0%} of the time" in words


@pytest.fixture(scope="module")
def played():
    """What the preamble, the solutions and the set-up cells of a lab define, and its model answer in words."""

    @cache
    def play(name):
        lab, space = load_lab(ROOT / f"solutions/{name}.md"), {}
        for cell in lab.cells:
            if cell.role in ("preamble", "student") or "setup" in cell.metadata.get("tags", ()):
                exec(variant.fill(cell.solution, variant.default(lab.manifest)), space)
        (words,) = [" ".join(cell.solution.split()) for cell in lab.cells if cell.role == "manual"]
        return SimpleNamespace(**space, words=words)

    yield play
    pyplot.close("all")


def numbers(text, pattern):
    """The numbers that stand in the one place where a pattern is found in a text."""
    (found,) = re.findall(pattern, text)
    return [float(number) for number in ([found] if isinstance(found, str) else found)]


@pytest.mark.slow
def test_the_numbers_of_lab_4s_model_answer_are_those_of_its_cells_and_of_its_record(played, capsys):
    lab = played("lab04")
    lab.show_descent(lab.descend)
    ends = re.findall(NUMBER, capsys.readouterr().out.partition("in order:")[2])
    assert len(ends) == 6 and len(set(ends)) == 2 and "the six of section 4 had two ends" in lab.words
    lab.show_gap(lab.descend, lab.below, lab.made_up())
    printed = capsys.readouterr().out
    everyone, majority = (
        numbers(printed, rf"{name} +gap in bits at 0: {NUMBER}")[0] for name in ("everyone's labels", "the majority's")
    )
    assert f"lie {everyone:.2f} bit below the curve" in lab.words
    assert majority < everyone / 20 and "the majority's label almost on it" in lab.words
    right = {method: accuracy for method, (accuracy, _) in quoted("lab04").items()}
    said = f"({right['bottleneck, 10 codes']:.1%} against {right['smoothing']:.1%}), with 64 numbers as often"
    assert said in lab.words and load_record("vib").verdict("accuracy-gaussian") == "negligible"


@pytest.mark.slow
def test_the_numbers_of_lab_5s_model_answer_are_those_of_its_cells(played, capsys):
    lab = played("lab05")
    mine = lab.pull_penalty, lab.pull_focal, lab.pull_tf_kd, lab.disguise, lab.pull_zipf
    ways = lab.pulls(np.full((10, 10), 0.1), *mine)
    at = {name: lab.resting(way) for name, way in ways.items()}
    rests = [float(at[name]) for name in ("smoothing", "penalty", "TF-KD", "TF-KD, released")]
    assert "at gaps of {:.1f}, {:.1f}, {:.1f} and {:.1f}".format(*rests) in lab.words
    assert [at[name] for name in ("one-hot", "focal", "Zipf")] == ["none"] * 3
    times, strength = lab.disguise(10, 0.99, 20.0, 0.1, 100.0)
    assert f"smoothing of {strength:.2f} whose pull is {times:.1f} times as large" in lab.words

    # of trainings, whose last digits are another processor's
    curves = lab.run_all(lab.next_table, *mine)
    printed = capsys.readouterr().out
    rows = {
        name: numbers(printed, rf"(?m)^{name} +[\d.]+%  \( *[\d.]+%\) +{NUMBER} +\(.*?\) +{NUMBER} +{NUMBER}$")
        for name in lab.NAMES
    }
    smoothing, one_hot = numbers(lab.words, rf"smoothing stands at {NUMBER}, one-hot at {NUMBER}\.")
    (zipf,) = numbers(lab.words, rf"the gap to their mean is smaller \({NUMBER}\)")
    gaps = {"smoothing": smoothing, "one-hot": one_hot, "Zipf": zipf}
    assert {name: rows[name][0] for name in gaps} == pytest.approx(gaps, abs=0.1)
    sure, surer = numbers(lab.words, rf"a little less overconfident \({NUMBER} against {NUMBER}\)")
    assert [rows["Zipf"][1], rows["one-hot"][1]] == pytest.approx([sure, surer], abs=0.01)
    (left,) = numbers(printed, rf"OLS's table has {NUMBER} off the label")
    assert numbers(lab.words, rf"here {NUMBER} is left after thirty") == pytest.approx([left], abs=0.01)
    picture = " ".join((ROOT / "solutions/lab05.md").read_text().split())
    ends = {name: gap[-1] for name, gap in curves.items()}
    assert "One-hot and TF-KD as published rise to above 12, focal and Zipf to about 8, OLS to above 6." in picture
    assert min(ends["one-hot"], ends["TF-KD"]) > 12 and ends["OLS"] > 6
    assert [ends["focal"], ends["Zipf"]] == pytest.approx([8, 8], abs=0.75)
    assert "level early, at about 4.5, 5 and 2." in picture
    level = [ends[name] for name in ("smoothing", "penalty", "TF-KD, released")]
    assert level == pytest.approx([4.5, 5, 2], abs=0.5)


@pytest.mark.slow
def test_the_numbers_of_lab_6s_model_answer_are_those_of_its_cells(played, capsys):
    lab = played("lab06")
    runs = lab.run_all(lab.groups, lab.train)
    (network, q) = numbers(capsys.readouterr().out.replace(",", ""), rf"a network of {NUMBER} numbers; Q adds {NUMBER}")
    assert f"Q has {q:.0f} numbers, beside {round(network, -5):,.0f} of the network" in lab.words
    table, logits, _ = runs["lls"]
    confusion = lab.confusion_of(logits, lab.test_labels)
    alike, moved = numbers(lab.words, rf"the likeness is about {NUMBER} and falls to about {NUMBER} if rows are moved")
    found = [lab.likeness(table, confusion), lab.likeness(np.roll(table, 1, axis=0), confusion)]
    assert found == pytest.approx([alike, moved], abs=0.1)
    assert (table.argmin(axis=1) == np.arange(10)).sum() >= 5 and "its own entry is often the least" in lab.words
    forward, reverse = (np.ptp(runs[name][0], axis=1).mean() for name in ("forward-kl", "reverse-kl"))
    assert forward < reverse and "Q came out more even with forward KL" in lab.words


def by_run(lab):
    """The questions that are answered by a function, and the points that they give in all."""
    found = [question for question in lab.questions if question.kind == "function"]
    return found, sum(question.points for question in found)


def test_size(lab):
    automatic, points = by_run(lab)
    assert 0 < points < lab.points, "some points are for words"
    assert all(question.wrong for question in automatic)
    assert any("picture" in cell.metadata.get("lsedu", {}) for cell in lab.cells)
    assert (ROOT / f"labs/{lab.name}.ipynb").stat().st_size < 200_000
    assert (ROOT / f"labs/{lab.name}.checks.json").stat().st_size < 300_000


def test_the_table_of_contents_lists_every_lab():
    pages = Book(ROOT).pages()
    assert [page for page in pages if page.startswith("labs/lab")] == [f"labs/{path.stem}" for path in SOURCES]


def test_the_checks_accept_the_solution_and_know_every_wrong_answer(lab):
    checks = Checks(lab.name, release=lab.digest[:16], folder=ROOT / "labs")
    assert checks.notice == ""
    for question in lab.questions:
        if question.kind == "function":
            assert checks.check(question.id, question.reference).status == "right"
            for wrong in question.wrong:
                with np.errstate(all="ignore"):
                    result = checks.check(question.id, wrong.function)
                assert any(wrong.message in line.message for line in result.lines), wrong.name


def written_by_students(cell):
    """The lines of a solution that are long enough to be somebody's work and that students do not get."""
    return {line.strip() for line in cell.solution.splitlines() if len(line.strip()) > 12} - {
        line.strip() for line in cell.source.splitlines()
    }


def test_the_released_notebook_holds_no_reference(lab):
    released = nbformat.read(ROOT / f"labs/{lab.name}.ipynb", as_version=4)
    code = "\n".join(cell.source for cell in released.cells if cell.cell_type == "code")
    secrets = set().union(*map(written_by_students, lab.student_cells()))
    assert secrets
    assert {line for line in secrets if line in code} == set()


def test_a_kernel_without_widgets_imports_the_course_in_silence():
    code = "import sys; sys.modules['ipywidgets'] = None\nimport lsedu.training, lsedu.data.download"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    done = NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert done.cells[0].outputs == []


def shown(notebook):
    return "\n".join(json.dumps(cell.get("outputs", [])) for cell in notebook.cells)


@pytest.fixture(scope="module")
def handed_in(lab, tmp_path_factory):
    """What handing in the solved notebook, at the smallest scale, says, and the notebook as it was run for it."""
    folder = tmp_path_factory.mktemp(lab.name)
    nbformat.write(build(lab, solved=True), folder / "whole.ipynb")
    notebook = parameterize_notebook(load_notebook_node(str(folder / "whole.ipynb")), {"scale": "smoke"})
    nbformat.write(notebook, folder / f"{lab.name}.ipynb")
    done = submit(folder / f"{lab.name}.ipynb", out=folder / "submission")
    return done, nbformat.read(folder / f"submission/{lab.name}.ipynb", as_version=4)


@pytest.mark.slow
def test_the_solved_notebook_is_handed_in_without_a_note(handed_in):
    assert handed_in[0].notes == ()


@pytest.mark.slow
def test_the_solved_notebook_runs_and_earns_everything(lab, handed_in):
    text = shown(handed_in[1])
    points = by_run(lab)[1]
    said = f"{points:g} of {points:g} points on the public cases, and {lab.points - points:g} that are not checked here"
    assert said in text
    assert "first." not in text
    assert "image/png" in text or not any("matplotlib" in cell.source for cell in lab.cells)
