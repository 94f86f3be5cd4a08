"""The code in the solutions of exercises runs, after the code of its page, and prints what the text says."""

import re
from pathlib import Path

import jupytext
import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
SOLUTION = re.compile(r"^(?P<fence>`{3,})\{solution\} (?P<label>\S+)\n(?P<body>.*?)^(?P=fence)$", re.S | re.M)
CODE = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)

# What the solution's text states of its output stands behind its code: <!-- prints: one thing | another -->
PRINTS = re.compile(r"^<!-- prints: (.*) -->$", re.M)


def solutions(page):
    """The code of each solution that has some, and what it must print, by label."""
    found = {}
    for solution in SOLUTION.finditer(page.read_text(encoding="utf-8")):
        if code := CODE.search(solution["body"]):
            stated = [one.strip() for line in PRINTS.findall(solution["body"]) for one in line.split("|")]
            found[solution["label"]] = code[1], stated
    return found


PAGES = [page for page in sorted(BOOK.glob("*/*.md")) if solutions(page)]


def test_most_solutions_state_what_they_print():
    found = [stated for page in PAGES for _, stated in solutions(page).values()]
    assert len(found) >= 5 and sum(map(bool, found)) >= 0.8 * len(found)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_solutions_run_and_print_what_the_text_says(page, capsys):
    namespace = {}
    for cell in jupytext.read(page).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, str(page), "exec"), namespace)
    for label, (code, states) in solutions(page).items():
        capsys.readouterr()
        exec(compile(code, label, "exec"), namespace)
        printed = capsys.readouterr().out
        assert printed.strip(), label
        for stated in states:
            assert stated in printed, label
