"""Contrasts of the usual form: one result of two methods, or of two strengths of smoothing."""

from lsedu.experiments.experiment import Contrast
from lsedu.experiments.verdict import Claimed


def against(
    name: str,
    claim: str,
    key: str,
    *,
    margin: float,
    claimed: Claimed = "negative",
    plus: str | float = 0.1,
    minus: str | float = 0.0,
) -> Contrast:
    """Return the contrast of the results ``PLUS/KEY`` and ``MINUS/KEY``; by default alpha = 0.1 against none.

    Examples
    --------
    >>> found = against("ece", "It is lower", "before/ece", margin=0.01)
    >>> found.plus, found.minus
    ('0.1/before/ece', '0.0/before/ece')
    """
    return Contrast(name, claim, f"{plus}/{key}", f"{minus}/{key}", claimed=claimed, margin=margin)


def accuracies(
    name: str, claim: str, plus: str, minus: str, claimed: Claimed = "positive", *, margin: float
) -> Contrast:
    """Return the contrast of the accuracies ``PLUS/accuracy`` and ``MINUS/accuracy`` of two networks.

    Examples
    --------
    >>> found = accuracies("half", "It is as accurate", "half", "whole", "none", margin=0.003)
    >>> found.plus, found.minus, found.claimed
    ('half/accuracy', 'whole/accuracy', 'none')
    """
    return against(name, claim, "accuracy", plus=plus, minus=minus, claimed=claimed, margin=margin)


def at_strength(alpha: float, key: str, claim: str, *, margin: float, claimed: Claimed = "negative") -> Contrast:
    """Return the contrast ``KEY-ALPHA``: a result at one of several strengths against none.

    Examples
    --------
    >>> found = at_strength(0.4, "pgd", "It is fooled", margin=0.01)
    >>> found.name, found.claim, found.plus
    ('pgd-0.4', 'It is fooled (alpha = 0.4)', '0.4/pgd')
    """
    return against(
        f"{key}-{alpha}", f"{claim} (alpha = {alpha})", key, plus=alpha, margin=margin, claimed=claimed
    )  # fmt: skip
