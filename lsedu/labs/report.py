"""The self-report at the end of a lab: score table, environment, file to hand in."""

import html
import platform
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

_PACKAGES = ("lsedu", "numpy", "torch")


def stamp(lab: str, release: str) -> dict[str, str]:
    """Return what a result depends on: lab, release, Python, packages and system."""
    found = {"lab": lab, "release": release, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return {**found, "system": f"{platform.system()} {platform.machine()}"}


class ReportRow(NamedTuple):
    """A question in the score table: what it is, how it stands, points on the public cases (None: none are checked)."""

    title: str
    state: str
    earned: float | None
    points: float


@dataclass(frozen=True)
class Report:
    """The state of a lab: a row a question, and what it was run with."""

    title: str
    rows: tuple[ReportRow, ...]
    environment: dict[str, str]

    @property
    def earned(self) -> float:
        """Points on the public cases."""
        return sum(row.earned or 0.0 for row in self.rows)

    @property
    def _lines(self) -> tuple[str, str]:
        automatic = sum(row.points for row in self.rows if row.earned is not None)
        later = sum(row.points for row in self.rows if row.earned is None)
        total = f"{self.earned:g} of {automatic:g} points on the public cases, and {later:g} that are not checked here"
        stamp = ", ".join(f"{key} {value}" for key, value in self.environment.items())
        return total, stamp

    @property
    def _hand_in(self) -> str:
        lab = self.environment["lab"]
        return f"To hand in: submission/{lab}.ipynb, written by `lsedu submit {lab}.ipynb` or by the cell below."

    def __repr__(self) -> str:
        width = max(len(row.title) for row in self.rows)
        rows = [f"{title:<{width}}  {_points(a, b):>9}  {state}" for title, state, a, b in self.rows]
        total, environment = self._lines
        note = "The grader draws other inputs of the same kinds."
        return "\n".join([self.title, *rows, f"{total}. {note}", environment, self._hand_in])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="text-align: left">{html.escape(title)}</td><td>{_points(a, b)}</td>'
            f'<td style="text-align: left">{html.escape(state)}</td></tr>'
            for title, state, a, b in self.rows
        )
        total, environment = self._lines
        hand_in = re.sub(r"`(.*?)`", r"<code>\1</code>", html.escape(self._hand_in))
        return (
            f"<table><thead><tr><th>Question</th><th>Points</th><th>State</th></tr></thead><tbody>{rows}</tbody></table>"
            f"<p>{html.escape(total)}. The grader draws other inputs of the same kinds.</p>"
            f"<p><small>{html.escape(environment)}</small></p><p>{hand_in}</p>"
        )


def _points(earned: float | None, points: float) -> str:
    return f"- / {points:g}" if earned is None else f"{earned:g} / {points:g}"
