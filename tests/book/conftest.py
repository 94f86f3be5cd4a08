import importlib.util
import sys
from pathlib import Path

import pytest

from lsedu.book import execute, expected
from lsedu.book.pages import Book

ROOT = Path(__file__).resolve().parents[2]

# what the browser tests share: `visits = sys.modules["visits"]`
_spec = importlib.util.spec_from_file_location("visits", Path(__file__).with_name("visits.py"))
sys.modules["visits"] = visits = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(visits)

FRONT = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""

CELLS = """# A page

```{code-cell} ipython3
:tags: [parameters]

profile = "smoke"
seed = 0
device = "cpu"
```

```{code-cell} ipython3
:tags: [check]

from lsedu.information import entropy
print(profile, seed + 41)
```
"""


@pytest.fixture
def root():
    return ROOT


def book_of_two(root):
    """Write a book of one text notebook and one plain page."""
    (root / "book" / "records").mkdir(parents=True)
    (root / "constraints.txt").write_text("numpy==2.4.6\n")
    (root / "book" / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: page\n")
    (root / "book" / "index.md").write_text("# First\n\nSee [the page](page.md#there).\n")
    (root / "book" / "page.md").write_text(FRONT + CELLS)
    return Book(root)


@pytest.fixture
def toy(tmp_path):
    """A book of one text notebook and one plain page."""
    return book_of_two(tmp_path)


@pytest.fixture(scope="session")
def executed_once(tmp_path_factory):
    """What the execution of that book leaves, for all who do not look at the execution itself."""
    book = book_of_two(tmp_path_factory.mktemp("executed"))
    execute.execute(book, expected.PARAMETERS)
    return book.build


@pytest.fixture(scope="module")
def origin():
    """The address of the built site."""
    with visits.serving(Book(ROOT).site) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(chromium_path):
    with visits.running(chromium_path) as browser:
        yield browser


@pytest.fixture(scope="module")
def reader(chromium, origin):
    return visits.Reader(chromium, origin, Book(ROOT).site)


@pytest.fixture
def visit(reader):
    """Open pages; at the end nothing may have gone outside and no error may stand in the console."""
    yield reader.open
    outside, errors = reader.noted()
    assert outside == []
    assert errors == []
