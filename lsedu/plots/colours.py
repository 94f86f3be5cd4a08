"""One colour for one meaning, in light and dark: the table that matplotlib and the moving figures both read.

The build writes it for the browser (`css`), so a colour is said nowhere else. Those who see colours otherwise tell the
meanings of a figure apart too, as lines differ in dash and areas in hatch.
"""

import re
from collections.abc import Iterable
from itertools import cycle

LIGHT_AND_DARK = {
    # what is measured
    "accuracy": ("#2f6db3", "#79b4ea"),
    "confidence": ("#b94714", "#f2935f"),
    "ece": ("#b3262e", "#ff8f8a"),
    "nll": ("#14788a", "#5cc8da"),
    "memorised": ("#6d5a45", "#cdb797"),
    # the gap between accuracy and confidence, by its sign: line and ground
    "too-sure": ("#b94714", "#f2935f"),
    "too-sure-ground": ("#f6d5c6", "#5b3524"),
    "too-timid": ("#7a4fa0", "#c6a1e6"),
    "too-timid-ground": ("#e3d6ee", "#43315a"),
    # how the network was trained
    "one-hot": ("#8a6200", "#e0b64a"),
    "smoothed": ("#1b7f5c", "#63cfa6"),
    # what is marked
    "guess": ("#b1327a", "#f08cc0"),
    "seed": ("#5d6675", "#a3adbb"),
    "mean": ("#1f2430", "#e6e9ef"),
    # classes of pictures, and lines without a meaning of their own: no colour that means something
    "first": ("#4449ad", "#a6abf7"),
    "second": ("#66761a", "#bccb5e"),
    "third": ("#8d4a63", "#dba3b8"),
    "fourth": ("#4d6a75", "#a5c3cf"),
    # the picture itself
    "text": ("#1f2430", "#e6e9ef"),
    "muted": ("#5d6675", "#a3adbb"),
    "grid": ("#e3e6eb", "#363d49"),
    "paper": ("#ffffff", "#1a1e26"),
    "panel": ("#f7f8fa", "#20252e"),
    "border": ("#d5dae1", "#3b4350"),
    "accent": ("#2b5f93", "#8fc1f0"),
    "on-accent": ("#ffffff", "#12161d"),
}
"""By meaning: the colour on a light page and on a dark one."""

COLOURS = {meaning: light for meaning, (light, _) in LIGHT_AND_DARK.items()}
DARK = {light: dark for light, dark in LIGHT_AND_DARK.values()}
SAME = {"too-sure": "confidence", "seed": "muted", "mean": "text"}
"""What shares a colour on purpose: the gap is what the confidence has above the accuracy; seeds and their mean are grey
and black, as axes and letters are, whatever was measured."""

CYCLE = tuple(COLOURS[name] for name in ("first", "second", "third", "fourth", "muted"))


_LABELS = (
    ("accuracy", r"(.* )?accuracy"),
    ("nll", r"(training )?loss"),
    ("text", r"closed form"),
    ("confidence", r"(.* )?confidence"),
    ("one-hot", r"one-hot"),
    ("smoothed", r"(alpha|\u03b1) = 0\.[13]|smoothed"),
    ("memorised", r"(wrong labels learnt|memorised)"),
)


def of_labels(labels: Iterable[str]) -> dict[str, str]:
    """Return a colour for each label of a figure: that of its meaning if it has one, else the next that is free.

    Examples
    --------
    >>> found = of_labels(["train", "mean confidence", "one-hot"])
    >>> found["mean confidence"] == COLOURS["confidence"], found["train"] == COLOURS["first"]
    (True, True)
    """
    labels = list(dict.fromkeys(labels))
    found: dict[str, str] = {}
    for label in labels:
        for meaning, pattern in _LABELS:
            if re.fullmatch(pattern, label) and COLOURS[meaning] not in found.values():
                found[label] = COLOURS[meaning]
    free = cycle([colour for colour in CYCLE if colour not in found.values()])
    return {label: found.get(label) or next(free) for label in labels}


def css() -> str:
    """Return the table as a style sheet: ``--figure-MEANING`` on every page, light and dark.

    Examples
    --------
    >>> css().splitlines()[:2]
    [':root {', '  --figure-accuracy: #2f6db3;']
    """
    rules = []
    for selector, shade in ((":root", 0), ('html[data-theme="dark"]', 1)):
        lines = [f"  --figure-{meaning}: {pair[shade]};" for meaning, pair in LIGHT_AND_DARK.items()]
        rules.append("\n".join([f"{selector} {{", *lines, "}"]))
    return "\n\n".join(rules) + "\n"
