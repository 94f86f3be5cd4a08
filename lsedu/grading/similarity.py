"""Which answers resemble each other: winnowing over normalised tokens. A hint to look, never a penalty.

The algorithm is that of MOSS (bib key `schleimer2003`): the text is turned into tokens, every run of `K` tokens is
hashed, and of every `WINDOW` neighbouring hashes the smallest is kept. Two texts that share a run of at least
``K + WINDOW - 1`` tokens share a kept hash, wherever it stands.
"""

import io
import keyword
import tokenize
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

K, WINDOW = 9, 4
_MOST_TOKENS, _MOST_TEXT = 20_000, 60_000
_COMMON = 0.5
_SKIP = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NEWLINE}


@dataclass(frozen=True)
class Pair:
    """Two texts and how much of the smaller one's fingerprints they share, from 0 to 1."""

    first: str
    second: str
    share: float
    shared: int


def tokens(code: str) -> list[str]:
    """Return a program's tokens with names, numbers and texts made alike; comments, layout and docstrings are gone.

    Examples
    --------
    >>> tokens("x = 3  # three") == tokens("total = 4")
    True
    """
    found: list[str] = []
    start_of_line = True
    try:
        for token in tokenize.generate_tokens(io.StringIO(code[:_MOST_TEXT]).readline):
            if token.type in _SKIP:
                start_of_line = start_of_line or token.type in (tokenize.NEWLINE, tokenize.NL)
                continue
            if token.type in (tokenize.INDENT, tokenize.DEDENT):
                continue
            if token.type == tokenize.NAME:
                word = token.string if keyword.iskeyword(token.string) else "N"
            elif token.type == tokenize.NUMBER:
                word = "0"
            elif token.type == tokenize.STRING:
                word = "S"
            else:
                word = token.string
            if not (word == "S" and start_of_line):
                found.append(word)
            start_of_line = False
            if len(found) >= _MOST_TOKENS:
                break
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        pass  # what could be read up to here counts
    return found


def fingerprints(code: str) -> frozenset[int]:
    """Return the kept hashes of a program."""
    words = tokens(code)
    hashes = [zlib.crc32("\0".join(words[i : i + K]).encode()) for i in range(len(words) - K + 1)]
    if len(hashes) <= WINDOW:
        return frozenset(hashes[:1] if not hashes else [min(hashes)])
    return frozenset(min(hashes[i : i + WINDOW]) for i in range(len(hashes) - WINDOW + 1))


def pairs(
    students: Mapping[str, str],
    known: Mapping[str, str],
    *,
    boilerplate: Iterable[str] = (),
    least: float = 0.6,
    most: int = 500,
) -> list[Pair]:
    """Return the pairs that resemble each other most.

    Parameters
    ----------
    students
        The answers' code by student.
    known
        Code that could have been copied, by a name: the published solution, modules of the library.
    boilerplate
        Code that everybody was given; what it shares counts for nothing.
    least
        The smallest share that is reported.
    most
        How many pairs are reported at most.

    Notes
    -----
    A fingerprint that more than half of a class of ten or more has is the task's own shape, and is passed over between
    students. Students whose fingerprints are equal are compared once, and reported against the first of them, so that
    the time stays close to linear in a class that copied from one source.
    """
    common = frozenset().union(*(fingerprints(text) for text in boilerplate))
    prints = {name: fingerprints(text) - common for name, text in students.items()}
    groups: dict[frozenset[int], list[str]] = defaultdict(list)
    for name, own in prints.items():
        if own:
            groups[own].append(name)
    found = [Pair(names[0], other, 1.0, len(own)) for own, names in groups.items() for other in names[1:]]
    heads = {names[0]: own for own, names in groups.items()}
    found += _between(heads)
    sources = {name: fingerprints(text) - common for name, text in known.items()}
    for own, names in groups.items():
        for source, theirs in sources.items():
            shared = len(own & theirs)
            if shared >= 3 and shared / len(own) >= least:
                found += [Pair(name, source, shared / len(own), shared) for name in names]
    found = [pair for pair in found if pair.share >= least]
    return sorted(found, key=lambda pair: (-pair.share, -pair.shared, pair.first, pair.second))[:most]


def _between(prints: Mapping[str, frozenset[int]]) -> list[Pair]:
    owners: dict[int, list[str]] = defaultdict(list)
    for name, own in prints.items():
        for value in own:
            owners[value].append(name)
    limit = max(10, _COMMON * len(prints)) if len(prints) >= 10 else len(prints)
    counts: Counter[tuple[str, str]] = Counter()
    for names in owners.values():
        if 2 <= len(names) <= min(limit, 200):
            counts.update((a, b) for i, a in enumerate(names) for b in names[i + 1 :])
    return [
        Pair(a, b, shared / min(len(prints[a]), len(prints[b])), shared)
        for (a, b), shared in counts.items()
        if shared >= 3
    ]
