"""Where the pages place moving figures, and the one rule of whether a figure asks its question there.

A page says it where it places the figure, and says nothing else about it: ``:asks: no`` leaves the question to another
page. The pages' checks, the score, and, through the page, the frame in the browser all go by `asks`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_FENCE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{moving-figure\}[ \t]+(?P<name>\S+)[ \t]*\n(?P<rest>(?:.*\n)*?)(?P=fence)", re.M
)
_OPTION = re.compile(r":(?P<key>[\w-]+):(?P<value>.*)")


@dataclass(frozen=True)
class Place:
    """A moving figure on a page.

    Attributes
    ----------
    page, figure : str
    asks : bool
        Whether the figure asks its question there.
    """

    page: str
    figure: str
    asks: bool


def asks(options: Mapping[str, str]) -> bool:
    """Return whether a figure placed with these options asks its question: it does unless they say ``asks: no``.

    Raises
    ------
    ValueError
        If they say something else than yes or no.

    Examples
    --------
    >>> asks({"alt": "A cup."}), asks({"asks": "no"})
    (True, False)
    """
    said = options.get("asks", "yes").strip()
    if said not in ("yes", "no"):
        raise ValueError(f"`:asks:` of a moving figure is yes or no, got {said!r}")
    return said == "yes"


def places(page: str, text: str) -> list[Place]:
    r"""Return the moving figures of a page, in order.

    Raises
    ------
    ValueError
        If one says something else than whether it asks.

    Examples
    --------
    >>> places("first", "```{moving-figure} tea\n:alt: A cup.\n:asks: no\n\nA caption.\n```\n")
    [Place(page='first', figure='tea', asks=False)]
    """
    found = []
    for fence in _FENCE.finditer(text):
        options = {}
        for line in fence["rest"].splitlines():
            if not (option := _OPTION.fullmatch(line)):
                break
            options[option["key"]] = option["value"]
        found.append(Place(page, fence["name"], asks(options)))
    return found
