"""A class as it comes in: forty submissions, each with a mess of its own, to be handed in as folders, files or zips.

Every entry is a student's name, the files of the hand-in (the first is the one to grade), the points that the tiny lab
gives for it by code, and words that must be among the flags and the reason; nothing else may be flagged.
"""

import copy
import io
import json
import zipfile
from dataclasses import dataclass, field

STUB = "    raise NotImplementedError  # replace this line by your answer"
BLANK = "*Write your answer here.*"
WORDS = "Doubling twice is doubling by four."


@dataclass(frozen=True)
class Messy:
    """A student: files by path, points by code, and what the row must say (pieces of flags; the reason's beginning)."""

    student: str
    files: dict[str, bytes]
    total: float = 9.0
    flags: tuple[str, ...] = ()
    reason: str = ""
    shown: str = WORDS
    several: bool = field(default=False)  # more than one file matters: as a file alone it cannot be handed in


def messy(solved, blank, *, other):
    """Return the forty; `solved`, `blank` are notebooks of the lab, `other` is one of another lab."""
    made = []

    def add(student, change=None, *, name="tiny.ipynb", start=solved, data=None, files=None, **expected):
        notebook = copy.deepcopy(start)
        cells = notebook["cells"]
        at = {cell.get("id"): cell for cell in cells}
        if "words" in at and start is solved:
            at["words"]["source"] = WORDS
        if change is not None:
            change(cells, at)
        content = data if data is not None else json.dumps(notebook, ensure_ascii=False).encode()
        if callable(content):
            content = content(notebook)
        several = files is not None
        made.append(Messy(student, {name: content} | (files or {}), several=several, **expected))

    def text(notebook):
        return json.dumps(notebook, ensure_ascii=False)

    def source(name, value):
        return lambda cells, at: at[name].update(source=value)

    def insert(after, *new):
        def change(cells, at):
            place = cells.index(at[after]) + 1
            cells[place:place] = [cell(kind, value) for kind, value in new]

        return change

    def both(*changes):
        return lambda cells, at: [change(cells, at) for change in changes]

    def cell(kind, value):
        made = {"cell_type": kind, "id": f"x{len(value)}", "metadata": {}, "source": value}
        return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})

    # how it was saved
    add("plain", flags=("named like 'Plain' (the submission), but differs in capitals", "in CYRILLIC SMALL LETTER ER"))
    add("d.o'brien@school.example.edu", data=lambda n: b"\xef\xbb\xbf" + text(n).encode())
    add("O'Neil, Dara", data=lambda n: text(n).encode("utf-16"), flags=("encoding utf-16",))
    add(
        "Müller",
        source("words", "Übung: " + WORDS),
        data=lambda n: text(n).encode("cp1252"),
        flags=("encoding cp1252",),
    )
    add("राम", data=lambda n: text(n).replace("\n", "\r\n").encode())
    add("สมชาย", lambda cells, at: [c.update(source=c["source"].splitlines(keepends=True)) for c in cells])
    add("zoe\u0308", lambda cells, at: [c.pop("id") for c in cells])
    add(
        "format three",
        data=lambda n: json.dumps({"worksheets": [{"cells": [old(c) for c in n["cells"]]}], "nbformat": 3}).encode(),
        flags=("old notebook format",),
    )
    add(
        "large outputs",
        lambda cells, at: at["double"].update(
            outputs=[{"output_type": "stream", "name": "stdout", "text": "x" * 5_000_000}]
        ),
    )
    # what cannot be read
    add(
        "half",
        data=lambda n: text(n).encode()[:900],
        total=0,
        flags=("unreadable",),
        reason="the file is not a whole notebook",
        shown="",
    )
    add("empty", data=b"", total=0, flags=("unreadable",), reason="the file is empty", shown="")
    add(
        "login page",
        data=b"<!DOCTYPE html><title>Please log in</title>",
        total=0,
        flags=("unreadable",),
        reason="the file is not a whole notebook",
        shown="",
    )
    add(
        "merge",
        data=lambda n: text(n).replace('"cells"', '<<<<<<< HEAD\n>>>>>>> mine\n"cells"', 1).encode(),
        total=0,
        flags=("unreadable",),
        reason="the file is not a whole notebook: it holds two versions",
        shown="",
    )
    # what was answered, and where
    add("untouched", start=blank, total=0, flags=("nothing is answered", "not answered in words"), shown="")
    add("one question", source("double", f"def double(x):\n{STUB}"), total=5)
    add(
        "no ids, no metadata",
        lambda cells, at: [(c.pop("id"), c.update(metadata={})) for c in cells],
        flags=(
            "double: found by its name",
            "mean-square: found by its name",
            "count: found by its name",
            "text found near question 5",
        ),
    )
    add(
        "copied cell",
        lambda cells, at: cells.insert(
            cells.index(at["double"]), copy.deepcopy({**at["double"], "source": f"def double(x):\n{STUB}"})
        ),
        flags=("double: found 2 times",),
    )
    add(
        "turned into text",
        lambda cells, at: at["double"].update(cell_type="markdown"),
        flags=("double: a code cell turned into text",),
    )
    add("deleted checks", lambda cells, at: [cells.remove(at[f"{name}-check"]) for name in ("double", "count")])
    add("shuffled", lambda cells, at: cells.sort(key=lambda c: c["source"]))
    add("magics and prints", insert("double", ("code", "%matplotlib inline\n!ls\nprint('x' * 10**5)\ndisplay(3)")))
    add(
        "helper in a new cell",
        both(
            insert("count", ("code", "def helper(x):\n    return 2 * x")),
            source("double", "def double(x):\n    return helper(x)"),
        ),
        flags=("double: needs cells outside the answer",),
    )
    add("syntax error", source("count", "def count(x, above):\n    return int((x > above).sum()"), total=7)
    add("conflicting name", insert("double", ("code", "np = None")))
    # words
    add(
        "words below",
        both(source("words", BLANK), insert("words", ("markdown", WORDS))),
        flags=("text found near question 5",),
    )
    add(
        "words in a code cell",
        both(source("words", BLANK), insert("words", ("code", WORDS))),
        flags=("text found near question 5",),
    )
    add("words as raw", lambda cells, at: at["words"].update(cell_type="raw"), flags=("words: not in a text cell",))
    add(
        "words without metadata",
        lambda cells, at: at["words"].update(id="7", metadata={}),
        flags=("text found near question 5",),
    )
    add(
        "words split",
        lambda cells, at: cells.append({**copy.deepcopy(at["words"]), "id": "8", "source": "And so on."}),
        flags=("words: found 2 times",),
    )
    add("no words", source("words", BLANK), flags=("words: not answered in words",), shown="")
    # which notebook
    add(
        "other lab",
        start=other,
        total=0,
        flags=("this is the notebook of 'other', not of 'tiny'", "words: not answered in words"),
        reason="this is the notebook of 'other'",
        shown="",
    )
    add(
        "older release",
        data=lambda n: text({**n, "metadata": {"lsedu": {**n["metadata"]["lsedu"], "release": "0" * 16}}}).encode(),
        flags=("of release 0000000000000000, not of",),
    )
    add(
        "plain2",
        data=lambda n: text({**n, "metadata": {"lsedu": {**n["metadata"]["lsedu"], "student": "plain"}}}).encode(),
        flags=("made for plain: the variant of another student",),
    )
    # where it lies
    full, none = json.dumps(solved_with(solved)).encode(), json.dumps(blank).encode()
    add(
        "browser copy",
        name="tiny (1).ipynb",
        data=full,
        files={"tiny.ipynb": none},
        flags=("tiny (1).ipynb was graded (4 answered), not ",),
    )
    add(
        "submission folder",
        name="submission/tiny.ipynb",
        data=full,
        files={"tiny.ipynb": none, ".ipynb_checkpoints/tiny-checkpoint.ipynb": none},
        flags=("submission/tiny.ipynb was graded (4 answered), not ",),
    )
    add(
        "archive inside",
        name="homework.zip",
        data=packed({"work/tiny.ipynb": full, "__MACOSX/._tiny.ipynb": b"\0"}),
        files={},
    )
    add("text ending", name="tiny.ipynb.txt", data=full, files={}, flags=("other file name",))
    add(
        "only a pdf",
        name="answers.pdf",
        data=b"%PDF",
        files={},
        total=0,
        flags=("no notebook",),
        reason="no notebook tiny.ipynb was found, but",
        shown="",
    )
    add("Plain", flags=("named like 'plain' (the submission), but differs in capitals", "in CYRILLIC SMALL LETTER ER"))
    add("рlain", flags=("but differs in CYRILLIC SMALL LETTER ER",))
    return made


def solved_with(solved):
    notebook = copy.deepcopy(solved)
    next(cell for cell in notebook["cells"] if cell["id"] == "words")["source"] = WORDS
    return notebook


def old(cell):
    """Return a cell as format 3 had it."""
    kept = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
    return kept | {"input" if cell["cell_type"] == "code" else "source": cell["source"]}


def packed(files):
    """Return the bytes of a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def write(students, root, how):
    """Write the class under `root`: "folder", "file" or "zip"; return who could be handed in that way."""
    root.mkdir(parents=True)
    there = []
    for item in students:
        if how == "file":
            if item.several:
                continue
            (root / f"{item.student}.ipynb").write_bytes(next(iter(item.files.values())))
        elif how == "zip":
            (root / f"{item.student}.zip").write_bytes(packed(item.files))
        else:
            for name, content in item.files.items():
                path = root / item.student / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        there.append(item)
    return there
