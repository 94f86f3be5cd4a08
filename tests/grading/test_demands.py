"""What a lab forbids and demands of arguments holds in the sandbox as it does in the notebook's checks."""

import sys
from pathlib import Path

hostile = sys.modules["hostile"]
TINY = Path(__file__).resolve().parent / "fixtures" / "tiny.md"

# `double` warns of changed arguments, as by default; `mean-square` forbids; `count` demands that arguments stay.
CELLS = {
    "fair": {},
    "changing": {"double": "def double(x):\n    x *= 2\n    return x\n"},
    "sorting": {"count": "def count(x, above):\n    x.sort()\n    return int((x > above).sum())\n"},
    "alias": {
        "mean-square": "from torch import log_softmax as l\n"
        "def mean_square(x):\n    l(x.detach(), 0)\n    return (x * x).mean()\n"
    },
    "partial": {
        "mean-square": "import functools\nf = functools.partial(torch.softmax, dim=0)\n"
        "def mean_square(x):\n    try:\n        return f(x).nothing\n"
        "    except Exception:\n        return (x * x).mean()\n"
    },
}


def test_demands_hold_in_the_sandbox(classroom, tmp_path):
    text = TINY.read_text()
    text = text.replace("grad=(0,), seconds=2", 'grad=(0,), seconds=2, forbid=("softmax",)')
    (tmp_path / "tiny.md").write_text(text.replace("deterministic=True", 'deterministic=True, arguments="keep"'))
    cases = [hostile.Case(name, "fair", cells) for name, cells in CELLS.items()]
    run = classroom(cases, lab=tmp_path / "tiny.md")
    points = {name: [line["points"][q] for q in hostile.FULL] for name, line in run.lines.items()}
    assert points == {
        "fair": [4, 3, 2],
        "changing": [4, 3, 2],
        "sorting": [4, 3, 0],
        "alias": [4, 0, 2],
        "partial": [4, 0, 2],
    }
    assert "must stay as it was" in run.lines["sorting"]["reasons"]["count"][0]
    assert "calls torch.log_softmax, which may not be used" in run.lines["alias"]["reasons"]["mean-square"][0]
    note = "your function changes an argument: what it is given should stay as it was, so work on a copy"
    assert run.lines["changing"]["notes"] == {"double": [note]} and run.lines["fair"]["notes"] == {}
    assert note in (run.out / "feedback" / "changing.html").read_text()
