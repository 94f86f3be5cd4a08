"""Names of students: the same one in another spelling, and others that look the same."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

# Letters that are drawn like a Latin one; capitals and small letters apart, for they are not drawn alike in pairs.
_DRAWN = {
    "АВЕКМНОРСТУХІЈЅԚԜ": "ABEKMHOPCTYXIJSQW",
    "аекморстухіјѕһԁԛԝѵ": "aekmopctyxijshdqwv",
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ": "ABEZHIKMNOPTYX",
    "αιγκνορυ": "aiykvopu",
    "օհոսց": "ohnug",
    "ıɑɡǀ": "iagl",
    "’ʼʻ`´‘": "''''''",
    "‐‑‒–—−": "------",
    "01|I": "olll",
    "O": "o",
}
_LIKE = {ord(char): drawn for chars, shapes in _DRAWN.items() for char, drawn in zip(chars, shapes, strict=True)}


def normal(name: str) -> str:
    r"""Return a name in the one form in which names are compared: accents composed, no blanks or marks at its ends.

    Examples
    --------
    >>> normal(" Zoe\u0308\u200b") == "Zoë"
    True
    """
    return unicodedata.normalize("NFC", re.sub(r"^[\s\ufeff\u200b\u2060]+|[\s\ufeff\u200b\u2060]+$", "", name))


def spelling(name: str) -> str:
    """Return what a name has in common with its other spellings: capitals, accents' coding, widths, invisible marks.

    Examples
    --------
    >>> spelling("ADA") == spelling("\uff41da") == spelling("a\u00adda")
    True
    """
    text = "".join(char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", text.casefold()).split())


def looks(name: str) -> str:
    """Return what a name has in common with names that the eye takes for it.

    Examples
    --------
    >>> looks("аda") == looks("ada"), looks("user1") == looks("userl"), looks("ada") == looks("ida")
    (True, True, False)
    """
    text = unicodedata.normalize("NFKC", name).translate(_LIKE)
    return re.sub("vv", "w", re.sub("rn", "m", spelling(text)))


def difference(one: str, other: str) -> str:
    """Return in what two names that are taken for each other differ."""
    if unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other):
        return "in how accents are coded"
    if one.casefold() == other.casefold():
        return "in capitals"
    odd = [char for char in other if char not in one] + [char for char in one if char not in other]
    odd.sort(key=str.isascii)  # what no ordinary keyboard writes comes first
    return "in " + (unicodedata.name(odd[0], f"U+{ord(odd[0]):04X}") if odd else "the order of their characters")


def alike(names: Iterable[str]) -> dict[str, list[str]]:
    """Return for each name that could be taken for another one those others.

    Examples
    --------
    >>> alike(["ada", "Ada", "ben"])
    {'ada': ['Ada'], 'Ada': ['ada']}
    """
    names = list(names)
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for key in (f"spelling {spelling(name)}", f"looks {looks(name)}"):
            groups[key].append(name)
    found: dict[str, list[str]] = defaultdict(list)
    for members in groups.values():
        for name in members:
            found[name] += [other for other in members if other != name and other not in found[name]]
    return {name: found[name] for name in names if found[name]}
