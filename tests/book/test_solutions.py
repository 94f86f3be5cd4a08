"""The code in the solutions of exercises runs, after the code of its page, and prints what the text says."""

import re
from pathlib import Path

import jupytext
import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
SOLUTION = re.compile(r"^(?P<fence>`{3,})\{solution\} (?P<label>\S+)\n(?P<body>.*?)^(?P=fence)$", re.S | re.M)
CODE = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)

# What the solution's text states of its output.
STATED = {
    "ex-useless": ["ece 0.0", "accuracy 0.1", "nll 2.303", "brier 0.9"],
    "ex-floor-loss": ["0.500"],
    "ex-floor": [],
    "ex-unmix": ["0.7142", "0.1428"],
    "ex-two-rests": ["3.925", "0.1675"],
}


def solutions(page):
    """The code of each solution that has some, by label."""
    found = {}
    for solution in SOLUTION.finditer(page.read_text(encoding="utf-8")):
        if code := CODE.search(solution["body"]):
            found[solution["label"]] = code[1]
    return found


PAGES = [page for page in sorted((BOOK / "principles").glob("*.md")) if solutions(page)]


def test_every_solution_with_code_has_its_expectation():
    assert {label for page in PAGES for label in solutions(page)} == set(STATED)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_solutions_run_and_print_what_the_text_says(page, capsys):
    namespace = {}
    for cell in jupytext.read(page).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, str(page), "exec"), namespace)
    for label, code in solutions(page).items():
        capsys.readouterr()
        exec(compile(code, label, "exec"), namespace)
        printed = capsys.readouterr().out
        assert printed.strip(), label
        for stated in STATED[label]:
            assert stated in printed, label
