"""Wrong answers that nobody declared: faults put into every solution of a lab, one at a time.

Claim: none earns full marks with any of 20 secrets, but those that `lab_mutants.toml` explains to be equal.
Run:   python benchmarks/lab_mutants.py [LAB ...] [--question ID] [--secrets 20] [--sample N] [--seed 0] [--show]

Three kinds of faults are tried. Edits of the text: operators, constants, comparisons, axes, swapped and dropped
arguments, dropped terms, calls and statements, functions and names taken for each other, off by one (`_faults.py`).
Changes of what goes in and comes out: rounded, in half precision, clipped, sorted, without a sign, a parameter fixed at
the value of a public case. And parrots, which compute nothing: they know the public cases' outcomes, or their places in
an argument, by the shapes of the arguments. A mutant is marked as the grader would, in this process; it survives if all
cases of any one secret are right.
"""

import argparse
import contextlib
import random
import resource
import signal
import time
import tomllib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _faults import faults

from lsedu.authoring import Lab, load_lab
from lsedu.labs.compare import is_tensor
from lsedu.labs.evaluate import evaluate
from lsedu.labs.feedback import judge
from lsedu.labs.spec import PUBLIC_SEED, Case, Question

ROOT = Path(__file__).resolve().parent.parent
EQUAL = Path(__file__).with_suffix(".toml")
SECONDS, MEMORY = 2.0, 4 * 2**30

VALUES: dict[str, Callable[[Any], Any]] = {
    "negated": lambda x: -x,
    "without its sign": abs,
    "rounded": lambda x: x.round(decimals=2),
    "in half precision": lambda x: (
        x.half().to(x.dtype) if is_tensor(x) else np.asarray(x, np.float16).astype(float)[()]
    ),
    "one per cent too large": lambda x: x * 1.01,
    "clipped at 1": lambda x: x.clip(-1, 1),
    "clipped at 50": lambda x: x.clip(-50, 50),
    "clipped at 700": lambda x: x.clip(-700, 700),
}
"""Changes of what is in floating point."""
PLACES: dict[str, Callable[[Any], Any]] = {
    "zero": lambda x: x * 0,
    "its first row throughout": lambda x: x * 0 + x[:1],
    "its first half twice": lambda x: x[np.arange(len(x)) % (len(x) // 2 + 1)],
    "backwards": lambda x: x[np.arange(len(x))[::-1].copy()],
    "sorted": lambda x: x.sort(dim=-1).values if is_tensor(x) else np.sort(x, axis=-1),
}
"""Changes of arrays of numbers of any kind."""


class LateError(BaseException):
    """A mutant runs too long."""


@dataclass(frozen=True)
class Mutant:
    """A changed solution: of which question, what was changed, and the function."""

    question: str
    change: str
    make: Callable[[], Callable]


class Answers:
    """The solutions of a lab in a namespace, as a student's notebook has them, and mutants of them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.space: dict[str, Any] = {"__name__": f"lab:{lab.name}"}
        for text in (lab.preamble, *(cell.solution for cell in lab.student_cells())):
            exec(text, self.space)

    def mutants(self, question: Question) -> Iterator[Mutant]:
        """Give all mutants of a question."""
        for cell in self.lab.student_cells(question.id):
            for change, text in faults(cell.solution).items():
                yield Mutant(question.id, change, lambda text=text: self._run(text)[question.function])
        public = question.draw(PUBLIC_SEED)
        right = self.space[question.function]
        for i, value in enumerate(public[0].args):
            for name, change in _changes(value).items():
                yield Mutant(question.id, f"argument {i} {name}", lambda i=i, f=change: _with_argument(right, i, f))
            values = [item.args[i] for item in public]
            for fixed in {repr(value): value for value in values if isinstance(value, (int, float, str))}.values():
                made = lambda i=i, fixed=fixed: _with_argument(right, i, lambda _: fixed)  # noqa: E731
                yield Mutant(question.id, f"argument {i} fixed at {fixed!r}", made)
        for name in ("negated", "without its sign", "rounded", "in half precision", "one per cent too large"):
            yield Mutant(question.id, f"result {name}", lambda f=VALUES[name]: _with_result(right, f))
        known = [(item, evaluate(question.reference, question, item)) for item in public]
        yield Mutant(question.id, "parrot of the public outcomes", lambda: _parrot(known, dict))
        yield Mutant(question.id, "parrot of their places in an argument", lambda: _parrot(known, _places))

    def _run(self, text: str) -> dict[str, Any]:
        space = dict(self.space)
        exec(text, space)
        return space


def _changes(value: Any) -> dict[str, Callable[[Any], Any]]:
    """Return the changes that fit an argument."""
    if isinstance(value, float):
        few = [name for name in VALUES if name not in ("clipped at 50", "clipped at 700")]
        return {name: lambda x, f=VALUES[name]: float(f(np.float64(x))) for name in few}
    if not hasattr(value, "dtype"):
        return {}
    return PLACES | (VALUES if (is_tensor(value) and value.is_floating_point()) or value.dtype == float else {})


def _with_argument(function: Callable, place: int, change: Callable) -> Callable:
    return lambda *args: function(*(change(item) if i == place else item for i, item in enumerate(args)))


def _with_result(function: Callable, change: Callable) -> Callable:
    def apply(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(apply, value))
        if isinstance(value, (str, int)) or (isinstance(value, np.ndarray) and value.dtype.kind != "f"):
            return value
        return change(np.float64(value) if isinstance(value, float) else value)

    return lambda *args: apply(function(*args))


def _shape(args: Sequence[Any]) -> tuple:
    return tuple(tuple(item.shape) if hasattr(item, "shape") else type(item) for item in args)


def _parrot(known: list[tuple[Case, Any]], learn: Callable) -> Callable:
    """Answer with the public outcome whose arguments have the same shape, or with what is at the same places."""

    def answer(*args: Any) -> Any:
        for item, outcome in known:
            if _shape(item.args) == _shape(args):
                value = outcome["value"] if isinstance(outcome, dict) else outcome
                return value if learn is dict else learn(item.args, value, args)
        raise NotImplementedError

    return answer


def _places(known: Sequence[Any], outcome: Any, args: Sequence[Any]) -> Any:
    """Return what stands in the arguments where `outcome` stands in the known ones."""
    if isinstance(outcome, tuple):
        return tuple(_places(known, part, args) for part in outcome)
    for before, now in zip(known, args):
        if isinstance(before, np.ndarray) and (found := np.argwhere(before == outcome)).size:
            return type(outcome)(now[tuple(found[0])])
    return outcome


class Marks:
    """The cases of a question for many secrets, with what is expected."""

    def __init__(self, question: Question, secrets: Sequence[Any]) -> None:
        self.question, self.drawn = question, []
        for secret in secrets:
            cases = question.draw(secret)
            self.drawn.append([(item, evaluate(question.reference, question, item)) for item in cases])

    def survives(self, function: Callable) -> bool:
        """Whether all cases of any secret are right."""
        return any(all(self._right(function, item, expected) for item, expected in cases) for cases in self.drawn)

    def _right(self, function: Callable, item: Case, expected: Any) -> bool:
        try:
            with _limit(SECONDS), np.errstate(all="ignore"):
                got = evaluate(function, self.question, item)
                return judge(got, expected, self.question, item) is None
        except (Exception, LateError):  # a mutant may do anything
            return False


@contextlib.contextmanager
def _limit(seconds: float) -> Iterator[None]:
    def late(*_: Any) -> None:
        raise LateError

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def explained() -> dict[str, dict[str, str]]:
    """Return the reason of each mutant that is known to be equal, by "lab/question" and change."""
    table = tomllib.loads(EQUAL.read_text(encoding="utf-8"))
    return {
        f"{lab}/{question}": {change: entry["reason"] for entry in entries for change in entry["changes"]}
        for lab, questions in table.items()
        for question, entries in questions.items()
    }


def search(
    lab: Lab,
    questions: Sequence[Question],
    *,
    secrets: Sequence[Any],
    draw: random.Random | None = None,
    sample: int = 0,
) -> Iterator[tuple[Question, list[Mutant], list[Mutant]]]:
    """Give each question with the mutants tried and those that survived; `sample` mutants a question, or all."""
    answers = Answers(lab)
    for question in questions:
        tried = list(answers.mutants(question))
        if draw is not None and sample < len(tried):
            tried = draw.sample(tried, sample)
        marks = Marks(question, secrets)
        if not marks.survives(answers.space[question.function]):
            raise SystemExit(f"{lab.name}/{question.id}: the solution itself does not earn full marks")
        survivors = []
        for mutant in tried:
            with contextlib.suppress(Exception), warnings.catch_warnings():  # it may not even be defined
                warnings.simplefilter("ignore")
                if marks.survives(mutant.make()):
                    survivors.append(mutant)
        yield question, tried, survivors


def automatic(lab: Lab, only: str | None = None) -> list[Question]:
    """Return the questions that are marked by calling a function."""
    return [question for question in lab.questions if question.kind == "function" and only in (None, question.id)]


def main() -> None:
    """Try them and print a table by question; end with status 1 if a survivor is not explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labs", nargs="*", help="paths to sources; all in solutions/ if none")
    parser.add_argument("--question", help="this question only")
    parser.add_argument("--secrets", type=int, default=20)
    parser.add_argument("--sample", type=int, help="mutants drawn of each question; all of them by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print the explained survivors too")
    args = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (16 * 2**30, resource.RLIM_INFINITY))
    draw = random.Random(args.seed)
    secrets = [[draw.getrandbits(32) for _ in range(4)] for _ in range(args.secrets)]
    known, unexplained = explained(), 0
    print(f"{'question':28}{'mutants':>9}{'survive':>9}{'equal':>7}")
    for path in [Path(name) for name in args.labs] or sorted((ROOT / "solutions").glob("lab*.md")):
        lab = load_lab(path)
        sampled = {"draw": draw, "sample": args.sample} if args.sample is not None else {}
        for question, tried, survivors in search(lab, automatic(lab, args.question), secrets=secrets, **sampled):
            name = f"{lab.name}/{question.id}"
            equal = [mutant for mutant in survivors if mutant.change in known.get(name, {})]
            print(f"{name:28}{len(tried):9}{len(survivors):9}{len(equal):7}", flush=True)
            for mutant in survivors:
                if mutant not in equal:
                    unexplained += 1
                    print(f"    earns full marks: {mutant.change}")
                elif args.show:
                    print(f"    equal: {mutant.change}: {known[name][mutant.change]}")
    print(f"{unexplained} wrong answers earn full marks, {time.process_time():.0f} s of CPU time")
    raise SystemExit(unexplained > 0)


if __name__ == "__main__":
    main()
