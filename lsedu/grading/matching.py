"""Find a student's answers among the cells of a notebook: by id, then by the name of the function asked for."""

import re
from dataclasses import dataclass

from lsedu.authoring.lab import Lab
from lsedu.grading import words
from lsedu.grading.notebooks import Item, Notebook
from lsedu.grading.released import Released
from lsedu.labs.cells import defines
from lsedu.labs.cells import plain as _plain


@dataclass(frozen=True)
class Answers:
    """What is loaded for a student.

    Parameters
    ----------
    cells
        Pairs (name, text) of the cells that hold answers, in the notebook's order.
    own
        The same by question.
    all_cells
        The same among the student's other code: cells added, and released cells that were changed. Used when an answer
        calls something that is defined there.
    elsewhere
        By question, the other code that defines its function, too: other answers, and cells that the student added.
    untouched
        Questions whose cells are all as released.
    written, near
        Text answers by question, and text that was found near a question, see `words.find`.
    missing
        Questions for which no cell was found.
    unread
        Questions whose cell was too long to be read, and why.
    flags
        What was odd.
    """

    cells: tuple[tuple[str, str], ...]
    own: dict[str, tuple[tuple[str, str], ...]]
    all_cells: tuple[tuple[str, str], ...]
    elsewhere: dict[str, tuple[tuple[str, str], ...]]
    untouched: frozenset[str]
    written: dict[str, str]
    near: dict[str, tuple[str, str]]
    missing: tuple[str, ...]
    unread: dict[str, str]
    flags: tuple[str, ...]

    @property
    def code(self) -> str:
        """The text of all cells that hold answers."""
        return "\n".join(text for _, text in self.cells)


def match(lab: Lab, notebook: Notebook, released: Released) -> Answers:
    """Match a notebook's cells with the questions of a lab.

    A cell belongs to a question if it carries the question's id (in nbgrader's metadata or as cell id), or, where no
    such cell is left, if it defines the function that the question asks for. Test cells are never taken. An answer
    whose cell was turned into text by a slip of the keyboard is still the answer.
    """
    functions = {q.id: q.function for q in lab.questions if q.kind == "function"}
    wanted = {cell.id: cell for cell in lab.cells if cell.role == "student"}
    checks = {cell.id for cell in lab.cells if cell.role == "check"}
    owner: dict[int, str] = {}
    flags: list[str] = []
    for index, item in enumerate(notebook.items):
        if (item.graded and not item.solution) or item.id in checks or item.grade_id in checks:
            continue
        for name in (item.grade_id, item.id):
            if name not in wanted:
                continue
            asked = functions.get(wanted[name].question)
            if wanted[name].kind == item.kind:
                owner[index] = name
                break
            if asked and item.kind in ("markdown", "raw") and defines(item.text, asked):
                owner[index] = name
                flags.append(f"{name}: a code cell turned into text")
                break
    missing = []
    for question, function in functions.items():
        own = [i for i, name in owner.items() if wanted[name].question == question]
        if any(defines(notebook.items[i].text, function) for i in own):
            continue
        found = [
            i
            for i, item in enumerate(notebook.items)
            if i not in owner
            and item.kind == "code"
            and not (item.graded and not item.solution)
            and item.id not in checks
            and defines(item.text, function)
            and _plain(item.text) not in released
        ]
        for index in found:
            owner[index] = f"{question}"
        if found:
            flags.append(f"{question}: found by its name")
        elif not own:
            missing.append(question)
    _drop_stubs(notebook, owner, wanted, released, flags)
    cells, everything, used = [], [], {}
    own: dict[str, tuple[tuple[str, str], ...]] = {}
    foreign: dict[str, tuple[tuple[str, str], ...]] = {}
    touched, unread = set(), {}
    for index, item in enumerate(notebook.items):
        name = owner.get(index)
        question = wanted[name].question if name in wanted else name
        if item.left_out and question in functions:
            unread[question] = item.left_out
        if not item.text.strip() or (question not in functions if name is not None else item.kind != "code"):
            continue
        if name is not None:
            used[name] = used.get(name, 0) + 1
            label = name if used[name] == 1 else f"{name} (copy {used[name]})"
            cells.append((label, item.text))
            own[question] = (*own.get(question, ()), cells[-1])
            everything.append(cells[-1])
            if _plain(item.text) not in released:
                touched.add(question)
        elif _is_extra(item, checks, released):
            everything.append((f"cell {index + 1}", item.text))
        if everything and _plain(item.text) not in released:
            for asked, function in functions.items():
                if asked != question and everything[-1][1] == item.text and defines(item.text, function):
                    foreign[asked] = (*foreign.get(asked, ()), everything[-1])
    for question in [name for name in foreign if name not in touched]:  # the answer stands in another's cell
        stubs = own.get(question, ())
        own[question] = foreign[question]
        touched.add(question)
        flags.append(f"{question}: found in another cell")
        cells = [cell for cell in cells if cell not in stubs]
        everything = [cell for cell in everything if cell not in stubs]
    texts = words.find(lab, notebook, released)
    return Answers(
        cells=tuple(cells),
        own=own,
        all_cells=tuple(everything),
        elsewhere=foreign,
        untouched=frozenset(own) - touched,
        written=texts.own,
        near=texts.near,
        unread=unread,
        missing=tuple(question for question in missing if question not in own),
        flags=tuple(dict.fromkeys([*flags, *texts.flags])),
    )


def _drop_stubs(notebook: Notebook, owner: dict[int, str], wanted: dict, released: Released, flags: list[str]) -> None:
    """Where a cell occurs twice, leave out the copies that are still as released; the last of the rest counts."""
    groups: dict[str, list[int]] = {}
    for index, name in owner.items():
        groups.setdefault(name, []).append(index)
    for name, indices in groups.items():
        if len(indices) < 2 or name not in wanted:
            continue
        flags.append(f"{name}: found {len(indices)} times")
        stubs = [i for i in indices if _plain(notebook.items[i].text) in released]
        if len(stubs) < len(indices):
            for index in stubs:
                del owner[index]


def _is_extra(item: Item, checks: set[str], released: Released) -> bool:
    check = item.graded or item.id in checks or item.grade_id in checks
    return not check and _plain(item.text) not in released


def nature(lab: Lab, notebook: Notebook, answers: Answers) -> tuple[list[str], str]:
    """Return flags on what a notebook is, and why it can earn nothing as a whole or an empty string."""
    flags, reason = [], ""
    words = any(answers.written.values()) or answers.near
    other = notebook.about.get("lab", lab.name)
    if other != lab.name:
        flags.append(f"this is the notebook of {other!r}, not of {lab.name!r}")
    if not answers.own and not words:
        ours = {cell.id for cell in lab.cells}
        if other != lab.name:
            reason = flags[0]
        elif not any(item.id in ours or item.grade_id in ours for item in notebook.items):
            reason = "the notebook holds no cell of this lab"
    elif answers.untouched >= set(answers.own) and not words:
        flags.append("nothing is answered: the notebook is as it was handed out")
    return flags, reason


_LOOKED_THROUGH = 2**19
_SUSPICIOUS = {
    "os._exit or a signal": r"os\._exit|os\.kill|os\.abort|signal\.(SIG|signal|pthread)",
    "another process": r"\bsubprocess\b|os\.fork|os\.system|os\.popen|multiprocessing|os\.exec|posix_spawn|pty\.",
    "network": r"\bsocket\b|urllib|requests\.(get|post)|http\.client|httpx",
    "interpreter internals": r"_getframe|gc\.get_|\bctypes\b|\binspect\.(stack|currentframe)|f_(back|locals|globals)",
    "other processes' or system files": r"/proc/|/etc/|/root|/home/|\.ssh|os\.environ",
    "patching": r"\b(np|numpy|torch|builtins)(\.\w{1,40}){1,5}\s?=[^=]|\bsetattr\(\s?(np|numpy|torch|builtins|sys)",
    "import hooks": r"sys\.meta_path|sys\.path_hooks|sys\.modules|sitecustomize|usercustomize|__import__",
    "objects that lie": r"def __(eq|array__|array_ufunc__|array_function__|torch_function__|reduce|reduce_ex|getstate)",
    "pickle": r"\bpickle\b|\bdill\b|\bmarshal\b|__reduce",
    "the grader": r"nbgrader|gradebook|lsedu\.(labs|authoring|grading)|results\.jsonl|grades\.csv|autograde"
    r"|hidden.?tests?",
    "raw file descriptors": r"os\.(write|read|dup2?|closerange|open)\(",
}


def suspicions(notebook: Notebook, released: Released) -> list[str]:
    """Return what in a student's own code an instructor may want to look at; never a reason to take points."""
    own = [item for item in notebook.items if item.kind == "code" and _plain(item.text) not in released]
    code = "\n".join(item.text for item in own)[:_LOOKED_THROUGH]
    found = [f"code mentions {name}" for name, pattern in _SUSPICIOUS.items() if re.search(pattern, code)]
    prose = "\n".join(item.text for item in notebook.items if item.kind != "code")[:_LOOKED_THROUGH]
    if re.search(
        r"<\s?(?:script|iframe|object|embed|svg|form|meta|link|style)\b|\bon\w{3,20}\s?=|javascript:", prose, re.I
    ):
        found.append("text holds active HTML")
    return found
