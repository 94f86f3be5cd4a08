"""The page that lists the labs is made from the labs."""

import json

from lsedu.book.labs import card, cards


def test_a_card_says_what_the_first_cell_says(tmp_path):
    text = """# Lab 9 · A title

[Open in Colab](https://example.org) · 20 points · about 60 minutes · data: two
lines of it

An introduction.

**You will be able to**

- do one thing,
  at length;
- do another.

More."""
    path = tmp_path / "lab09.ipynb"
    path.write_text(json.dumps({"cells": [{"source": text}]}))
    assert (
        card(path)
        == """:::{grid-item-card} Lab 9: A title
:link: lab09
:link-type: doc

20 points · about 60 minutes · data: two
lines of it

- do one thing,
  at length;
- do another.
:::
"""
    )
    path.write_text(json.dumps({"cells": [{"source": ["no heading\n"]}]}))
    assert card(path).startswith(":::{grid-item-card} lab09\n:link: lab09\n")


def test_every_lab_has_a_card_and_the_page_asks_for_them(root):
    made = cards(root / "labs")
    for path in (root / "labs").glob("*.ipynb"):
        title = json.loads(path.read_text())["metadata"]["lsedu"]["title"]
        assert f": {title}\n:link: {path.stem}\n" in made
    assert "\n@LABS@\n" in (root / "book" / "labs" / "index.md").read_text()
