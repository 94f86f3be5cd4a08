"""What students were given: what stands in a notebook as it was handed out is nobody's own."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lsedu.authoring.lab import Lab
from lsedu.authoring.notebook import build
from lsedu.grading.notebooks import Notebook, UnreadableError, parse, read_file
from lsedu.labs.cells import defines, plain

_PLACE = re.compile(r"\\\{release\\\}|\\\{variant:([\w\\-]+?)\\\}")
_RELEASE = re.compile(rb'"release":\s*"([0-9a-f]{16})"')


@dataclass(frozen=True)
class Released:
    """The texts of released cells, as `lsedu.labs.cells.plain` gives them.

    Parameters
    ----------
    texts
        Texts of code cells, and what else was handed out.
    patterns
        The same for texts in which a release or a student's variant has its place.
    given
        The texts of all the lab's cells, in order, in the public variant.
    """

    texts: frozenset[str] = frozenset()
    patterns: tuple[re.Pattern[str], ...] = ()
    given: tuple[str, ...] = ()

    def __contains__(self, text: str) -> bool:
        """Whether `text` was handed out, in whatever release and variant."""
        return text in self.texts or any(pattern.fullmatch(text) for pattern in self.patterns)


def of(lab: Lab, *, also: Iterable[str] = ()) -> Released:
    """Return what a lab's students receive.

    Parameters
    ----------
    lab
        The lab.
    also
        Texts that were given out besides; see `handed_out`.
    """
    cells = build(lab)["cells"]
    sources = {plain(cell.source) for cell in lab.cells if cell.kind == "code"}
    texts = {plain(cell["source"]) for cell in cells if cell["cell_type"] == "code"}
    patterns = tuple(pattern(text, lab) for text in sources if varies(text))
    return Released(frozenset(texts | sources | set(also)), patterns, tuple(plain(cell["source"]) for cell in cells))


def varies(text: str) -> bool:
    """Whether a text of the lab's source has places for a release or a variant."""
    return "{release}" in text or "{variant:" in text


def pattern(text: str, lab: Lab) -> re.Pattern[str]:
    """Return a pattern of a text of the lab's source, with any release and any of the variants' values in their places.

    Examples
    --------
    >>> from lsedu.authoring import Manifest
    >>> lab = Lab(Manifest("lab", "A lab", variants={"seed": [0, 1]}), (), ())
    >>> [bool(pattern("seed = {variant:seed}", lab).fullmatch(text)) for text in ("seed = 1", "seed = 2")]
    [True, False]
    """

    def place(match: re.Match[str]) -> str:
        if match[1] is None:
            return "[0-9a-f]{16}"
        values = lab.manifest.variants.get(match[1].replace("\\", ""), ())
        if isinstance(values, range):
            return r"\d+"
        return f"(?:{'|'.join(re.escape(str(value)) for value in values)})"

    return re.compile(_PLACE.sub(place, re.escape(text)))


def release_of(data: bytes) -> str:
    """Return the release that a notebook's metadata names, without reading all of it; "" if none."""
    found = _RELEASE.search(data)
    return found[1].decode() if found else ""


def handed_out(paths: Iterable[Path], lab: Lab) -> set[str]:
    """Return the cells' texts that half of the notebooks of another release have in common, apart from answers.

    A lab that was released anew while a class worked on it has set-up cells that this source does not know: whoever
    has the earlier release would seem to have written them. At least two must share them.
    """
    counts: dict[str, Counter[str]] = {}
    sizes: Counter[str] = Counter()
    functions = [question.function for question in lab.questions if question.kind == "function"]
    answers = {cell.id for cell in lab.cells if cell.role in ("student", "manual")}
    for path in paths:
        try:
            data = read_file(path)
            if (release := release_of(data)) in ("", lab.digest[:16]):
                continue
            own = _apart_from_answers(parse(data), answers, functions)
        except UnreadableError:
            continue
        sizes[release] += 1
        counts.setdefault(release, Counter()).update(own)
    return {
        text
        for release, texts in counts.items()
        for text, count in texts.items()
        if count >= max(2, sizes[release] / 2)
    }


def _apart_from_answers(notebook: Notebook, answers: set[str], functions: list[str]) -> set[str]:
    return {
        plain(item.text)
        for item in notebook.items
        if item.id not in answers
        and item.grade_id not in answers
        and not any(defines(item.text, function) for function in functions)
    }
