import math
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from lsedu._errors import CheckFailedError
from lsedu.authoring import checkfile, load_lab
from lsedu.labs.checks import Checks
from lsedu.labs.imports import missing
from lsedu.labs.limit import TooSlowError, within
from lsedu.labs.spec import ArraySpec, Question


@pytest.fixture
def checks(toy, tmp_path):
    (tmp_path / "toy.checks.json").write_text(checkfile.dump(checkfile.build(load_lab(toy))))
    return Checks("toy", folder=tmp_path)


def test_right(checks):
    result = checks.check("double", lambda x: 2 * x)
    assert result.status == "right" and checks.ready("double")
    assert repr(result).startswith("Doubling: 3 of 3 public cases pass")


def test_a_stub_is_not_a_failure(checks):
    def double(x):
        raise NotImplementedError

    result = checks.check("double", double)
    assert result.status == "open" and "not answered yet" in repr(result) and "not answered yet" in result._repr_html_()
    assert not checks.ready("double")


def test_what_torch_has_not_implemented_is_a_failure(checks):
    result = checks.check("double", lambda x: torch.log_softmax(torch.tensor([[1, 2]]), 1))
    assert result.status == "wrong" and "not implemented for 'Long'" in result.lines[0].message


def test_a_name_that_no_longer_is_a_function(checks):
    result = checks.check("double", np.ones(3))
    assert result.lines[0].message.startswith("this name belongs to a value of type ndarray now, not to a function")


def test_usual_mistakes_are_known_again(checks):
    result = checks.check("double", lambda x: x * x)
    assert [line.message for line in result.lines] == ["this is the square", "this is the square", ""]
    assert checks.check("double", lambda x: abs(2 * x)).lines[1].message == "the sign was dropped"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: None, "is None: is a `return` missing?"),
        (lambda x: (2 * x)[:1], "has shape (1,), expected (3,)"),
        (lambda x: (2 * x).astype(int), "has dtype int64, expected floating-point numbers"),
        (lambda x: x * np.nan, "holds NaN"),
        (lambda x: x * 2.5, "is wrong in 3 of 3 values; first at index 0: got"),
        (lambda x: undefined * x, "stops with NameError: name 'undefined' is not defined"),  # noqa: F821
        (lambda: 1, "stops with TypeError"),
    ],
)
def test_messages(checks, function, said):
    result = checks.check("double", function)
    assert result.status == "wrong" and said in result.lines[0].message
    assert "(twice)" in result.lines[0].message or "stops" in said or "is None" in said


def test_a_result_of_a_kind_that_cannot_be_compared_is_wrong_and_no_error_of_the_check():
    result = Checks("lab01").check("overconfidence", lambda probs, labels: torch.ones(()).to(torch.float8_e4m3fn))
    assert result.status == "wrong" and "cannot be compared with a right one (TypeError" in result.lines[0].message


def test_a_failure_names_the_line(checks):
    def double(x):
        y = x + 1
        return y.nonsense()

    said = checks.check("double", double).lines[0].message
    assert "`return y.nonsense()`" in said and "on line" in said


def test_a_function_that_changes_its_input_cannot_spoil_other_cases(checks):
    def double(x):
        x *= 2
        return x

    assert checks.check("double", double).status == "right"
    assert checks.check("double", double).status == "right"


def test_html_of_a_message_is_escaped(checks):
    def double(x):
        raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in checks.check("double", double)._repr_html_()


def test_a_case_has_the_time_that_it_has_when_it_is_marked(checks, monkeypatch):
    monkeypatch.setattr("lsedu.labs.checks.GRACE", 0.0)
    checks._content["questions"]["double"]["seconds"] = 0.05

    def double(x):
        while True:
            try:
                math.sqrt(2)
            except Exception:
                pass

    before = signal.getsignal(signal.SIGALRM)
    said = [line.message for line in checks.check("double", double).lines]
    assert said[:2] == ["your function took longer than 0.05 s; when it is marked, it is stopped then"] * 2
    assert said[2] == "not tried: two cases before it took too long"
    assert signal.getsignal(signal.SIGALRM) is before and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_where_a_call_cannot_be_stopped_it_is_told_afterwards():
    def slow():
        with within(0.01):
            begin = time.monotonic()
            while time.monotonic() - begin < 0.02:
                pass

    with ThreadPoolExecutor(1) as pool, pytest.raises(TooSlowError):
        pool.submit(slow).result()


def test_modules_that_will_be_missing_when_marked_are_named(checks):
    space = {"np": np}
    exec("import scipy.special, matplotlib.pyplot", space)  # before the calls, which have a limited time
    exec("def helper(x):\n    return scipy.special.exp2(x) * 0 + 2 * x\n", space)
    exec("def double(x):\n    import json, matplotlib.pyplot, tqdm\n    return helper(x)\n", space)
    result = checks.check("double", space["double"])
    note = "not there when this is marked, so that what needs it fails then: scipy; there are numpy and Python's own modules"
    assert result.status == "right" and result.notes == (note,)
    assert note in repr(result) and "scipy" in result._repr_html_()
    assert checks.check("double", lambda x: np.add(x, x)).notes == ()


def test_what_is_missing_is_looked_for_by_what_the_code_names():
    def uses_lsedu(x):
        from lsedu.losses import smoothing
        from lsedu.targets import one_hot

        return torch.softmax(x), smoothing, one_hot, [torch.exp(y) for y in x]

    assert missing(uses_lsedu, ["numpy"]) == ["lsedu.losses", "lsedu.targets", "torch"]
    assert missing(uses_lsedu, ["torch", "lsedu.targets"]) == ["lsedu.losses"]
    assert missing(np.add, ["numpy"]) == [] and missing(3, ["numpy"]) == []


DETOURS = """
import functools, importlib
import numpy as np, scipy.special
from scipy.special import expit, softmax as s

def made():
    from scipy.special import softmax
    return lambda z: softmax(z, axis=1)

class Answer:
    @staticmethod
    def static(z): return s(z, axis=1)
    def method(self, z): return s(z, axis=1)
    def __call__(self, z): return s(z, axis=1)

def wrapping(function):
    @functools.wraps(function)
    def inner(*args): return function(*args)
    return inner

answer, table, each = Answer(), {"softmax": s}, np.vectorize(expit)
closure, partial, static, method, instance = made(), functools.partial(s, axis=1), Answer.static, answer.method, answer
def default(z, s=s): return s(z, axis=1)
def keyword(z, *, s=s): return s(z, axis=1)
def ufunc(z): return expit(z)
def in_a_loop(z): return [expit(row) for row in z]
def by_name(z): return importlib.import_module("scipy.special").softmax(z, axis=1)
def through_a_class(z): return Answer()(z)
def through_an_object(z): return answer.method(z)
def through_a_container(z): return table["softmax"](z, axis=1)
def through_a_wrapper(z): return each(z)
cached, decorated = functools.lru_cache(keyword), wrapping(keyword)
def fair(z: scipy.special.expit, log=np.log): return [np.exp(log(z)), functools.partial(np.add, 1), wrapping, "scipy"]
"""


def test_detours_to_what_is_missing_are_followed():
    space = {}
    exec(DETOURS, space)
    names = [name for name in space if name not in ("made", "Answer", "wrapping", "table", "each", "s", "expit")]
    ways = [name for name in names[names.index("closure") :] if callable(space[name])]
    assert len(ways) == 17 and {name: missing(space[name], ["numpy"]) for name in ways} == {
        **dict.fromkeys(ways, ["scipy"]),
        "fair": [],
    }


def test_what_shows_is_stood_in_for_in_marking_too():
    from lsedu.grading.child import standins
    from lsedu.labs.imports import SHOWN

    assert {name.partition(".")[0] for name in standins._SHOWING} == set(SHOWN)


def test_report(checks):
    assert "check not run" in repr(checks.report())
    checks.check("double", lambda x: abs(2 * x))
    report = checks.report()
    assert report.earned == 3 and report.rows[0][1] == "2 of 3 cases" and report.rows[1][2] is None
    assert "3 of 4 points on the public cases, and 1 that are not checked here" in repr(report)
    assert "numpy " in repr(report) and "submission/toy.ipynb" in report._repr_html_()


def test_another_release_is_noticed(toy, tmp_path, checks):
    assert Checks("toy", release=load_lab(toy).digest[:16], folder=tmp_path).notice == ""
    assert "update lsedu or the notebook" in repr(Checks("toy", release="0" * 16, folder=tmp_path))


def test_unknown_question_and_unknown_lab(checks, tmp_path):
    with pytest.raises(KeyError, match="no automatic check for 'why'"):
        checks.check("why", lambda: 1)
    with pytest.raises(FileNotFoundError, match="install a current lsedu"):
        Checks("no-such-lab", folder=tmp_path)


def test_the_file_holds_no_code(toy):
    text = checkfile.dump(checkfile.build(load_lab(toy)))
    assert "FACTOR" not in text and "lambda" not in text and "def " not in text


@pytest.fixture
def by_file(toy, tmp_path, monkeypatch):
    """The checks of a lab that asks for a file, in the folder where students work."""
    content = checkfile.build(load_lab(toy))
    specs = {"q": ArraySpec("f", (2,), 0, 1), "seed": ArraySpec("i", ())}
    table = Question("table", "A table", 2, kind="artefact", file="table.npz", arrays=specs)
    content["questions"]["table"] = checkfile.entry(table, (), (), ())
    (tmp_path / "toy.checks.json").write_text(checkfile.dump(content))
    monkeypatch.chdir(tmp_path)
    return Checks("toy", folder=tmp_path)


def test_the_form_of_a_file_is_looked_at_before_it_is_handed_in(by_file):
    result = by_file.file("table")
    assert result.status == "open" and repr(result) == "A table: there is no table.npz yet: run the cells that write it"
    assert "table.npz is not there yet" in repr(by_file.report())
    np.savez("table.npz", q=np.array([0.5, 1.5]), seed=1)
    result = by_file.file("table")
    assert result.status == "wrong" and [line.message for line in result.lines] == ["array 'q' leaves the range [0, 1]", ""]
    assert "table.npz: array 'q' leaves the range [0, 1]" in repr(by_file.report())
    np.savez("table.npz", q=np.array([0.5, 0.5]), seed=1)
    result = by_file.file("table")
    assert result.status == "right" and by_file.ready("table")
    assert "2 of 2 arrays of table.npz have the form asked for" in repr(result) + result._repr_html_()
    Path("table.npz").write_bytes(b"PK")
    assert [line.message for line in by_file.file("table").lines] == ["the file is not a whole .npz file as numpy.savez writes it"] * 2


def test_which_question_is_answered_by_a_file_is_told(by_file, monkeypatch):
    with pytest.raises(KeyError, match=r"answered by a file, look at it with checks.file\('table'\)"):
        by_file.check("table", lambda x: x)
    with pytest.raises(KeyError, match="no question 'double' that is answered by a file"):
        by_file.file("double")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(CheckFailedError, match="there is no table.npz yet"):
        by_file.file("table")
