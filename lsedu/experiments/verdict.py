"""The one rule by which an experiment's numbers become a verdict, and the one list of its words."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, get_args

from lsedu import _check
from lsedu.experiments.interval import Interval

Claimed = Literal["positive", "negative", "none"]

#: The chance of an error that the intervals, and Holm's test of the primary contrasts of a record, allow.
LEVEL = 0.05


class Verdict(StrEnum):
    """What a claim can come to, with what it means: library, records, ledger, pages and glossary use these words."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> "Verdict":
        """Return the member whose value is the word."""
        member = str.__new__(cls, word)
        member._value_, member.meaning = word, meaning
        return member

    SHOWN = "shown", "the whole interval lies beyond the margin on the side claimed; for a claim of equality, within it"
    SHOWN_UNCLEAR = (
        "shown, size unclear",
        "the interval excludes 0 on the side claimed and reaches into the margin: there is an effect, perhaps too "
        "small to matter",
    )
    REVERSED = "reversed", "the whole interval lies beyond the margin on the other side"
    REVERSED_UNCLEAR = (
        "reversed, size unclear",
        "the interval excludes 0 on the other side and reaches into the margin",
    )
    NEGLIGIBLE = "negligible", "the whole interval lies within the margin: the effect, if any, is too small to matter"
    REFUTED = "refuted", "equality was claimed, and the whole interval lies beyond the margin"
    INCONCLUSIVE = "inconclusive", "the interval is too wide to tell"
    NOT_YET_RUN = "not yet run", "we have no measurement, and the page says why"
    EXACT = "exact", "proved or computed on the page"


def rule() -> str:
    """Return the verdicts with their meanings as a list in Markdown, for pages."""
    return "\n".join(f"- **{verdict}**: {verdict.meaning}" for verdict in Verdict)


def verdict(found: Interval | None, *, claimed: Claimed, margin: float) -> Verdict:
    """Return the verdict on a claim about an effect; the first that fits counts.

    Parameters
    ----------
    found : Interval or None
        The effect with its 95% interval; None if the experiment was not run.
    claimed : {"positive", "negative", "none"}
        The sign that the claim gives the effect, or that it claims there is none: equality.
    margin : float
        Effects smaller than this do not matter in practice; fixed before the record is made.

    Returns
    -------
    Verdict
        Of a sign: negligible if the interval lies within the margin around 0, shown or reversed if it lies beyond the
        margin, the same with "size unclear" if it only excludes 0, else inconclusive. Of equality: shown if it lies
        within the margin, refuted if beyond, else inconclusive.

    Raises
    ------
    ValueError
        For another claim, or a margin that is no number >= 0.

    Examples
    --------
    >>> from lsedu.experiments.interval import interval
    >>> str(verdict(interval([0.1, 0.2, 0.15]), claimed="positive", margin=0.01))
    'shown'
    >>> str(verdict(interval([0.1, 0.2, 0.15]), claimed="positive", margin=0.1))
    'shown, size unclear'
    """
    _check.one_of("claimed", claimed, get_args(Claimed))
    _check.real_in("margin", margin, 0.0, math.inf, open_high=True)
    if found is None:
        return Verdict.NOT_YET_RUN
    sign = -1.0 if claimed == "negative" else 1.0
    low, high = sorted((sign * found.low, sign * found.high))
    within = -margin <= low and high <= margin
    if claimed == "none":
        beyond = low > margin or high < -margin
        return Verdict.SHOWN if within else Verdict.REFUTED if beyond else Verdict.INCONCLUSIVE
    if within:
        return Verdict.NEGLIGIBLE
    if low > 0:
        return Verdict.SHOWN if low > margin else Verdict.SHOWN_UNCLEAR
    if high < 0:
        return Verdict.REVERSED if high < -margin else Verdict.REVERSED_UNCLEAR
    return Verdict.INCONCLUSIVE


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Return Holm's adjusted p-values: those that stay below a level err together no more often than the level.

    Notes
    -----
    The smallest of m is multiplied by m, the next by m - 1, and so on; none is below one before it (Holm, 1979).

    Examples
    --------
    >>> {name: round(value, 3) for name, value in holm({"a": 0.01, "b": 0.04, "c": 0.03}).items()}
    {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    adjusted, so_far = {}, 0.0
    for i, name in enumerate(sorted(p, key=p.__getitem__)):
        so_far = max(so_far, min(1.0, (len(p) - i) * p[name]))
        adjusted[name] = so_far
    return adjusted


_SIZE_UNCLEAR = {Verdict.SHOWN: Verdict.SHOWN_UNCLEAR, Verdict.REVERSED: Verdict.REVERSED_UNCLEAR}


def together(found: Mapping[str, tuple[Interval, Claimed, float]], primary: tuple[str, ...]) -> dict[str, Verdict]:
    """Return the verdicts on the contrasts of a record, the primary ones held to Holm's test.

    Parameters
    ----------
    found : mapping
        By name, interval, sign claimed and margin.
    primary : tuple of str
        The contrasts that the study is about. Among those that claim a sign, *shown* and *reversed* have to pass
        Holm's test against their margin, else the size is unclear; and with an unclear size against 0, else they are
        inconclusive.
    """
    alone = {name: verdict(at, claimed=claimed, margin=margin) for name, (at, claimed, margin) in found.items()}
    family = {name: found[name] for name in primary if found[name][1] != "none"}
    beyond = holm(
        {name: at.p(margin if at.mean > 0 else -margin) for name, (at, _, margin) in family.items()}
    )  # fmt: skip
    nonzero = holm({name: at.p() for name, (at, _, _) in family.items()})
    for name in family:
        if alone[name] in _SIZE_UNCLEAR and beyond[name] > LEVEL:
            alone[name] = _SIZE_UNCLEAR[alone[name]]
        if alone[name] in _SIZE_UNCLEAR.values() and nonzero[name] > LEVEL:
            alone[name] = Verdict.INCONCLUSIVE
    return alone
