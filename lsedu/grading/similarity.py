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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice, product

K, WINDOW = 9, 4
_MOST_TOKENS, _MOST_TEXT = 20_000, 60_000
_COMMON = 0.5
_SKIP = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NEWLINE}


@dataclass(frozen=True)
class Pair:
    """Two texts, how much of the smaller one's fingerprints they share, from 0 to 1, and the cluster they are in.

    Clusters are numbered from 1, the largest first; 0 where one of the two is a published text.
    """

    first: str
    second: str
    share: float
    shared: int
    cluster: int = 0


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


@lru_cache(maxsize=256)
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
    most: int = 20_000,
) -> list[Pair]:
    """Return the pairs that resemble each other most; of students who share one source, every pair.

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
        How many pairs are reported at most, those who share most first.

    Notes
    -----
    A fingerprint that more than half of a class of ten or more has is the task's own shape, and is passed over between
    students. Students whose fingerprints are equal are compared with others once, so that the time stays close to
    linear in a class that copied from one source. A cluster are the students whom pairs connect.
    """
    common = frozenset().union(*(fingerprints(text) for text in boilerplate))
    prints = {name: fingerprints(text) - common for name, text in students.items()}
    groups: dict[frozenset[int], list[str]] = defaultdict(list)
    for name, own in prints.items():
        if own:
            groups[own].append(name)
    members = {names[0]: names for names in groups.values()}
    near = [pair for pair in _between({names[0]: own for own, names in groups.items()}) if pair.share >= least]
    cluster = _clusters(members, near)
    found = [
        Pair(a, b, 1.0, len(own), cluster[a]) for own, names in groups.items() for a, b in _limited(names, names, most)
    ]
    for pair in sorted(near, key=lambda pair: -pair.share):
        if len(found) > 2 * most:  # more than can be reported, and none of the rest shares more
            break
        both = _limited(members[pair.first], members[pair.second], most)
        found += [Pair(a, b, pair.share, pair.shared, cluster[a]) for a, b in both]
    sources = {name: fingerprints(text) - common for name, text in known.items()}
    for own, names in groups.items():
        for source, theirs in sources.items():
            shared = len(own & theirs)
            if shared >= 3 and shared / len(own) >= least:
                found += [Pair(name, source, shared / len(own), shared) for name in names]
    return sorted(found, key=lambda pair: (-pair.share, -pair.shared, pair.first, pair.second))[:most]


def _limited(first: Sequence[str], second: Sequence[str], most: int) -> Iterable[tuple[str, str]]:
    """Return the pairs across two lists, or within one, as many as could be reported."""
    every = combinations(first, 2) if first is second else product(first, second)
    return islice(every, most)


def _clusters(members: Mapping[str, list[str]], near: Iterable[Pair]) -> dict[str, int]:
    """Return for each student the number of the cluster, the largest being 1."""
    head = {name: name for name in members}

    def root(name: str) -> str:
        while head[name] != name:
            head[name] = name = head[head[name]]
        return name

    for pair in near:
        head[root(pair.first)] = root(pair.second)
    joined: dict[str, list[str]] = defaultdict(list)
    for name, names in members.items():
        joined[root(name)] += names
    order = sorted(joined.values(), key=lambda names: (-len(names), min(names)))
    return {name: number for number, names in enumerate(order, start=1) for name in names}


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
