"""The gate of questions answered by a file: the solved release writes a right one, and wrong ones are known."""

import io
from collections.abc import Mapping, Sequence

import numpy as np

from lsedu.authoring import variant
from lsedu.authoring.finding import Finding
from lsedu.authoring.lab import Lab
from lsedu.authoring.scoring import Score, score
from lsedu.labs.arrays import ArtefactError, read
from lsedu.labs.spec import Question


def hold(lab: Lab, files: Mapping[str, bytes], seeds: Sequence[int], *, solved: bool) -> list[Finding]:
    """Hold the files that a run of the release has written to what the lab's questions ask.

    Parameters
    ----------
    lab
        The lab.
    files
        What the run has written, by name.
    seeds
        Secrets; each is tried with a student of its own.
    solved
        Whether the answers were filled in: then each file must earn full marks, and what each declared wrong answer
        makes of it its mark and message. Else none may earn anything.
    """
    found = []
    for question in lab.questions:
        if question.kind == "artefact":
            data = files.get(question.file)
            found += _right_and_wrong(lab, question, data, seeds) if solved else [_nothing(lab, question, data, seeds)]
    return found


def marks(lab: Lab, question: Question, data: bytes, seeds: Sequence[int]) -> list[Score]:
    """Return what a file earns with each secret, of a student who was handed the public release."""
    try:
        arrays = read(data, question.arrays)
    except ArtefactError as error:
        return [Score(0.0, [str(error)]) for _ in seeds]
    own = variant.default(lab.manifest)
    return [score(question, arrays, student=f"student{seed}", seed=seed, variant=own) for seed in seeds]


def _nothing(lab: Lab, question: Question, data: bytes | None, seeds: Sequence[int]) -> Finding:
    points = max(got.points for got in marks(lab, question, data, seeds)) if data is not None else 0.0
    what = f"{question.id}: what the untouched release writes has 0"
    return Finding(what, points == 0, f"{points:g} points" if points else "")


def _right_and_wrong(lab: Lab, question: Question, data: bytes | None, seeds: Sequence[int]) -> list[Finding]:
    what = f"{question.id}: the file that the solved release writes has full marks"
    if data is None:
        return [Finding(what, False, f"it writes no {question.file}")]
    low = [got for got in marks(lab, question, data, seeds) if got.points < question.points]
    found = [Finding(what, not low, "; ".join(low[0].reasons) if low else "")]
    for wrong in question.wrong if not low else ():
        file = io.BytesIO()
        arrays = {name: array.copy() for name, array in read(data, question.arrays).items()}
        np.savez(file, **wrong.function(arrays))
        said = ""
        for seed, got in zip(seeds, marks(lab, question, file.getvalue(), seeds)):
            told = "; ".join(got.reasons)
            if abs(got.points - wrong.points) > 0.005:
                said = f"seed {seed}: {got.points:g} points instead of {wrong.points:g}: {told}"
            elif not any(wrong.message in line for line in got.reasons):
                said = f"seed {seed}: the feedback lacks its message: {told}"
        found.append(Finding(f"{wrong.name}: gets its mark ({wrong.points:g}) and its message", not said, said))
    return found
