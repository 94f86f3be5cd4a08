"""What code makes use of: names are followed to the module that defines them, and what cannot be told counts whole."""

import ast
import shutil
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from lsedu import _modules, _uses, experiments
from lsedu.experiments import registry

STUDIES = registry.modules()
PAGE = "from lsedu import losses, targets\nprint(losses.label_smoothing, targets.smooth)"


def forget():
    of_uses = (_uses._tree, _uses.bindings, _uses.passes_on, _uses._module_uses)
    for kept in (*of_uses, _modules._module_imports, _modules._what_runs):
        kept.cache_clear()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A copy of the package's source, to be changed: a function that adds text to a file of it."""
    root = tmp_path / "lsedu"
    shutil.copytree(
        _uses.ROOT, root, ignore=lambda folder, names: [n for n in names if n in ("__pycache__", "embedded")]
    )
    monkeypatch.setattr(_uses, "ROOT", root)

    def change(name, text="\n# changed\n", *, old=""):
        path = root / name
        was = path.read_text() if path.exists() else ""
        assert old in was
        path.write_text(was.replace(old, text) if old else was + text)
        forget()

    forget()
    yield change
    monkeypatch.undo()
    forget()


def digests(*names):
    found = {name: _modules.digest([STUDIES[name]]) for name in names or STUDIES}
    return found | {"a page": _modules.digest(source=PAGE)}


def test_a_new_loss_changes_the_digest_of_nothing_that_was_there(tree):
    before = digests()
    tree(
        "losses/throw_away.py",
        '"""A loss."""\n\n\ndef throw_away(logits, labels):\n    """Return 0."""\n    return 0\n',
    )
    tree("losses/__init__.py", "from lsedu.losses.throw_away import throw_away\n__all__ = [", old="__all__ = [")
    tree("losses/__init__.py", '    "throw_away",\n    "zipf_smoothing",', old='    "zipf_smoothing",')
    assert _modules.digest(source="from lsedu.losses import throw_away") and digests() == before


def test_a_module_that_is_used_changes_it_for_those_who_use_it(tree):
    before = digests("comparison", "gaps")
    tree("losses/zipf.py")
    after = digests("comparison", "gaps")
    assert {name for name in before if after[name] != before[name]} == {"comparison"}
    tree("losses/_reduce.py")
    again = digests("comparison", "gaps")
    assert all(again[name] != after[name] for name in before)


def test_what_is_measured_does_not_hang_on_docstrings(tree):
    def of_study(docstrings):
        return _modules.digest([STUDIES["gaps"]], docstrings=docstrings)

    before, with_words = of_study(False), of_study(True)
    tree("losses/_reduce.py", '"""Reductions of the losses', old='"""Reductions shared by the losses')
    assert of_study(False) == before and of_study(True) != with_words
    tree("losses/_reduce.py", "losses.sum() + 0.0", old="losses.sum()")
    assert of_study(False) != before


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ('"""One."""\nx = """two"""', '\nx = """two"""'),
        ('class A:\n    """One\n    two é."""; x = 1', "class A:\n\n    ; x = 1"),
        ("async def f():\n    'é'\n    return 'a'", "async def f():\n    \n    return 'a'"),
        ("x = 1\n'no docstring'", "x = 1\n'no docstring'"),
    ],
)
def test_docstrings_alone_are_taken_out(source, left):
    assert _modules.undocumented(source) == left


def test_a_name_that_leads_elsewhere_changes_it(tree):
    before = _modules.digest(source=PAGE)
    tree("losses/__init__.py", " logit_gap as label_smoothing, logit_gap", old=" label_smoothing, logit_gap")
    assert _modules.digest(source=PAGE) != before


def test_a_package_that_does_more_than_pass_names_on_counts(tree):
    tree("losses/__init__.py", "\nprint('imported')\n")
    before = _modules.digest(source=PAGE)
    tree("losses/__init__.py")
    assert _modules.digest(source=PAGE) != before


ONE, ALL = {"lsedu.losses.focal"}, {"lsedu.losses.focal", "lsedu.losses.zipf"}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("from lsedu.losses import focal", ONE),
        ("from lsedu.losses import focal as f", ONE),
        ("from lsedu.losses.focal import focal", ONE),
        ("from lsedu import losses\nlosses.focal(1)", ONE),
        ("from lsedu import losses as l\ndef f():\n    return l.focal.__doc__", ONE),
        ("import lsedu.losses as l\nl.focal", ONE),
        ("import lsedu\nlsedu.losses.focal", ONE),
        ("def f():\n    from lsedu import losses\n    return losses.focal", ONE),
        ("from lsedu import losses\nlosses.focal\ndef f(losses):\n    return losses", ONE),
        ("from lsedu import losses\nlosses.focal\nf = lambda losses: losses.x", ONE),
        ("from lsedu import losses\nlosses.focal\nx = [losses for losses in range(3)]", ONE),
        ("from lsedu import losses\nlosses.focal\ndef f():\n    losses = 1\n    return losses", ONE),
        ("from lsedu import losses\nlosses.focal\ndef f(x: losses.zipf_smoothing, losses=1):\n    return x", ALL),
        ("from lsedu import losses\nlosses.focal\ndef f():\n    def g():\n        losses = 1\n    return losses", ALL),
        ("from lsedu import losses\nlosses.focal\ndef f():\n    global losses\n    return losses", ALL),
        ("from lsedu import losses\nlosses.focal\nx = [1 for _ in losses]", ALL),
        ("from lsedu import losses", ALL),
        ("from lsedu import losses\ngetattr(losses, 'focal')", ALL),
        ("from lsedu import losses\nvars(losses)['focal']", ALL),
        ("from lsedu import losses\nlosses.nothing_of_that_name", ALL),
        ("from lsedu import losses\nlosses.__all__", ALL),
        ("from lsedu.losses import *", ALL),
        ("import lsedu.losses", ALL),
        ("from torch import nn\nlosses.focal", set()),
    ],
)
def test_uses_are_told_where_they_can_be_and_all_counts_where_they_cannot(source, wanted):
    found = _uses.Closure(_uses.uses(source)).modules
    assert found & ALL == wanted
    assert ("lsedu.losses" in found) == (wanted == ALL and "zipf_smoothing" not in source)


def test_relative_imports_are_resolved():
    assert _uses.uses("from .focal import focal\nfrom . import zipf\nzipf.x", package="lsedu.losses") == {
        ("lsedu.losses.focal", ("focal",)), ("lsedu.losses.zipf", ("x",)),
    }  # fmt: skip


def test_what_runs_in_a_study_is_among_what_it_is_found_to_use():
    study, root, ran = experiments.get("separable"), str(_uses.ROOT), set()
    config = study.configs["smoke"]
    config = replace(config, alphas=(0.1,), training=replace(config.training, epochs=1))

    def note(frame, event, argument):
        if frame.f_code.co_filename.startswith(root):
            ran.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        study.measure(config, 0, device="cpu", workdir=None, progress=False)
    finally:
        sys.setprofile(None)
    found = {str(_uses.path_of(name)) for name in _uses.Closure([(study.module, ())]).modules}
    assert len(ran) > 15 and ran <= found


def test_imports_are_found_in_every_block_and_no_expression_is_read(monkeypatch):
    without = {name: value for name, value in vars(ast).items() if name != "walk"}  # which reads every expression
    monkeypatch.setattr(_modules, "ast", SimpleNamespace(**without))
    source = "\n".join(
        [
            "def f(x):",
            "    try:",
            "        from lsedu import losses",
            "    except ImportError:",
            "        match x:",
            "            case 1:",
            "                import lsedu.targets",
            "    else:",
            "        import lsedu.calibration as c",
            "    finally:",
            "        with x:",
            "            import lsedu.data",
            "class C:",
            "    while True:",
            "        pass",
            "    else:",
            "        import lsedu.models",
        ]
    )
    expected = {f"lsedu.{name}" for name in ("losses", "targets", "calibration", "data", "models")} | {"lsedu"}
    assert _modules.imports(source) == expected
