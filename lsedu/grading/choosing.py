"""Which of several notebooks is graded: one of this lab, with most answers, handed in by the command, the newest."""

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lsedu.authoring.lab import Lab
from lsedu.grading import matching
from lsedu.grading.notebooks import UnreadableError, read, read_file
from lsedu.grading.released import Released
from lsedu.labs.cells import plain

MAX_RATED = 20
_NAMED = 3


@dataclass(frozen=True)
class Candidate:
    """A notebook that may be the one: its file, how it is called to people, and the file whose time counts."""

    path: Path
    label: str
    dated: Path | None = None


@dataclass(frozen=True)
class Rating:
    """What a notebook is: of this lab or not, questions answered (-1: unreadable), hand-in stamp, its cells' texts."""

    ours: bool
    answered: int
    stamp: str = ""
    texts: tuple[str, ...] = ()


def rate(path: Path, lab: Lab, released: Released) -> Rating:
    """Return what a notebook is, for the choice among several."""
    try:
        notebook = read(path)
    except UnreadableError:
        return Rating(False, -1)
    answers = matching.match(lab, notebook, released)
    words = [name for name, text in answers.written.items() if text or name in answers.near]
    answered = len(set(answers.own) - answers.untouched) + len(words)
    ours = notebook.about.get("lab", lab.name) == lab.name and bool(answered or answers.own)
    texts = tuple(text for item in notebook.items if (text := plain(item.text)))
    return Rating(ours, answered, notebook.about.get("handed_in", ""), texts)


def best(candidates: list[Candidate], lab: str, rate: Callable[[Path], Rating] | None) -> tuple[Candidate, str]:
    """Return the notebook to grade, and what to say where others were there that differ from it."""
    if len(candidates) == 1:
        return candidates[0], ""
    first = sorted(candidates, key=lambda c: c.path.name != f"{lab}.ipynb")[:MAX_RATED]
    ratings = {c: rate(c.path) if rate else Rating(True, 0) for c in first}
    ours = [c for c in ratings if ratings[c].ours] or list(ratings)

    def rank(c: Candidate) -> tuple:
        rating = ratings[c]
        return rating.answered, rating.stamp, c.path.name == f"{lab}.ipynb", _seconds(c.dated or c.path)

    chosen = max(ours, key=rank)
    others = [c for c in ours if c != chosen and (not rate or ratings[c].texts != ratings[chosen].texts)]
    if not others:
        return chosen, ""
    rest = [f"{c.label}{_count(ratings[c], rate)}" for c in others[:_NAMED]]
    rest += [f"{len(others) - _NAMED} more"] if len(others) > _NAMED else []
    return chosen, f"several notebooks: {chosen.label} was graded{_count(ratings[chosen], rate)}, not {', '.join(rest)}"


def _count(rating: Rating, rate: Any) -> str:
    if rate is None:
        return ""
    return " (unreadable)" if rating.answered < 0 else f" ({rating.answered or 'nothing'} answered)"


def _seconds(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def moment(chosen: Candidate) -> str:
    """Return when a notebook was handed in: by nbgrader's note beside it, else by its file's time; "" if unknown."""
    with contextlib.suppress(UnreadableError):
        text = read_file(chosen.path.parent / "timestamp.txt", limit=4096).decode("utf-8", "replace")
        found = re.match(r"\s*(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?[ \t]*([\w/+:-]*)", text)
        with contextlib.suppress(ValueError, KeyError, OSError):
            zone = found and (UTC if found[3] in ("", "UTC", "Z") else ZoneInfo(found[3]))
            if zone is not None:
                return _iso(datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=zone))
    seconds = _seconds(chosen.dated or chosen.path)
    return _iso(datetime.fromtimestamp(seconds, UTC)) if seconds else ""


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")
