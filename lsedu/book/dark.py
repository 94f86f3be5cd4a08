"""Drawings for a dark page: each that matplotlib wrote in our colours gets a second version beside it."""

import re
from pathlib import Path

from lsedu import _write
from lsedu.plots.colours import DARK, LIGHT_AND_DARK

_TEXT, _PAPER = (LIGHT_AND_DARK[name][1] for name in ("text", "paper"))
_SHADES = {**DARK, "#000000": _TEXT, "#ffffff": _PAPER}
_PICTURE = re.compile(r'<img [^>]*src="(?P<stem>[^":]+)\.svg"[^>]*>')


def darkened(svg: str) -> str:
    """Return a drawing as matplotlib writes it, in the colours of a dark page; photographs in it stay as they are.

    Examples
    --------
    >>> darkened('<svg><path style="stroke: #2f6db3"/></svg>')
    '<svg fill="#e6e9ef"><path style="stroke: #79b4ea"/></svg>'
    """
    recoloured = re.sub(r"#[0-9a-f]{6}\b", lambda found: _SHADES.get(found[0], found[0]), svg)
    return re.sub(r"<svg\b", f'<svg fill="{_TEXT}"', recoloured, count=1)  # letters are black unless they say otherwise


def in_both_shades(page: str, folder: Path) -> str:
    """Return a finished page that shows each drawing in its text light or dark; the dark file is written beside it.

    Parameters
    ----------
    page : str
        HTML.
    folder : Path
        Where the page lies; the drawings' addresses start there.
    """

    # the theme's own classes would hide the caption of what is hidden too, and dim what is not "dark-light"
    def pair(found: re.Match[str]) -> str:
        stem = found["stem"]
        light = folder / f"{stem}.svg"
        if re.search("in-light|in-dark", found[0]) or not light.is_file():
            return found[0]
        _write.write(light.with_suffix(".dark.svg"), darkened(light.read_text(encoding="utf-8")).encode())
        tag = found[0] if 'class="' in found[0] else found[0].replace("<img ", '<img class="" ', 1)
        return "".join(
            re.sub(r'class="([^"]*)"', rf'class="\1 {shade}"', tag, count=1).replace(f"{stem}.svg", f"{stem}{ending}")
            for shade, ending in (("in-light", ".svg"), ("in-dark dark-light", ".dark.svg"))
        )

    head, article, text = page.partition("<article")
    return head + article + _PICTURE.sub(pair, text)
