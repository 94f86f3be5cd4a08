"""nbval holds each solved lab to what its checks must say: every public case passes."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output

from lsedu.authoring import load_lab
from lsedu.authoring.release import build
from lsedu.book import expected as book_expected
from lsedu.book import nursery
from lsedu.labs.checks import Line, Result, of_file
from lsedu.labs.spec import PUBLIC_SEED

SOURCES = sorted((Path(__file__).parents[2] / "solutions").glob("lab*.md"))
pytestmark = pytest.mark.slow


def expected(lab):
    """The solved notebook at the smallest scale, with the outputs that its check cells must show."""
    notebook = build(lab, solved=True)
    asked = {cell.id: cell.question for cell in lab.cells if cell.role == "check"}
    for cell in notebook.cells:
        cell.source = cell.source.replace('scale = "cpu"', 'scale = "smoke"')
        if cell.id in asked:
            question = lab.question(asked[cell.id])
            names = question.arrays or [item.name for item in question.draw(PUBLIC_SEED)]
            lines = tuple(Line(name, True) for name in names)
            if question.kind == "artefact":
                result = of_file(question.id, question.title, question.file, lines)
            else:
                result = Result(question.id, question.title, lines, "right")
            data = {"text/plain": repr(result), "text/html": result._repr_html_()}
            cell.execution_count = 1
            cell.outputs = [new_output("execute_result", data, execution_count=1)]
            cell.metadata["tags"] = ["nbval-check-output"]
    return notebook


@pytest.fixture(scope="module")
def nbval():
    """Run a notebook under nbval; kernels are forked where that can be, and started by Jupyter where not."""
    with nursery.Nursery(len(SOURCES)) as forks, forks.listed() as listed:

        def run(notebook, path):
            nbformat.write(notebook, path)
            return book_expected.nbval([path], folder=path.parent, listed=listed)

        yield run


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_solved(nbval, source, tmp_path):
    done = nbval(expected(load_lab(source)), tmp_path / f"{source.stem}.ipynb")
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_wrong_answer_is_noticed(nbval, tmp_path):
    notebook = expected(load_lab(SOURCES[0]))
    for cell in notebook.cells:
        if cell.id == "ece":
            cell.source = cell.source.replace("np.abs(accuracy - confidence)", "(accuracy - confidence)")
    asked = next(i for i, cell in enumerate(notebook.cells) if cell.get("outputs") and '"ece"' in cell.source)
    del notebook.cells[asked + 1 :]
    done = nbval(notebook, tmp_path / "lab01.ipynb")
    assert done.returncode == 1 and "1 failed" in done.stdout
