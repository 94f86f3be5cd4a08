from pathlib import Path

import pytest

from lsedu.book.pages import Book

ROOT = Path(__file__).resolve().parents[2]

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

from lsedu.data.dataset import Dataset
print(profile, seed + 41)
```
"""


@pytest.fixture
def root():
    return ROOT


@pytest.fixture
def toy(tmp_path):
    """A book of one text notebook and one plain page."""
    (tmp_path / "book" / "records").mkdir(parents=True)
    (tmp_path / "constraints.txt").write_text("numpy==2.4.6\n")
    (tmp_path / "book" / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: page\n")
    (tmp_path / "book" / "index.md").write_text("# First\n\nSee [the page](page.md#there).\n")
    (tmp_path / "book" / "page.md").write_text(FRONT + CELLS)
    return Book(tmp_path)
