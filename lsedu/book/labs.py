"""The cards of the page that lists the labs: made from the released notebooks, so that no lab is described twice."""

import json
import re
from pathlib import Path

_CARD = """\
:::{{grid-item-card}} {title}
:link: {name}
:link-type: doc

{facts}

{objectives}
:::
"""


def card(path: Path) -> str:
    """Return a released lab as a card in MyST: title, points and time, and what one learns to do.

    All of it stands in the notebook's first cell: a heading ``# Lab 1 · Title``, a line of facts parted by `` · `` of
    which the first is the link to Colab, and the list under **You will be able to**; what is not there is left out.
    """
    text = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    heading = re.search(r"^# (.+)$", text, re.MULTILINE)
    facts = re.search(r"^\[Open in Colab\]\S+ · (.+(?:\n.+)*)$", text, re.MULTILINE)
    objectives = re.search(r"^\*\*You will be able to\*\*\n\n((?:- .+\n(?:  .+\n)*)+)", text, re.MULTILINE)
    return _CARD.format(
        name=path.stem,
        title=heading[1].replace(" · ", ": ", 1) if heading else path.stem,
        facts=facts[1] if facts else "",
        objectives=objectives[1].rstrip("\n") if objectives else "",
    )


def cards(folder: Path) -> str:
    """Return the cards of all labs released into a folder, by name."""
    return "\n".join(card(path) for path in sorted(folder.glob("*.ipynb")))
