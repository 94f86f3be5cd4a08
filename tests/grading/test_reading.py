"""Notebooks, matching, artefacts, secrets, tables, pages, similarity: what needs no sandbox."""

import csv
import io
import json
import os
import zipfile

import numpy as np
import pytest
from markdown_it import MarkdownIt

from lsedu.grading import artefacts, inbox, matching, notebooks, packages, pages, released, results, secret, similarity
from lsedu.grading.row import Row
from lsedu.labs.spec import ArraySpec, Question


def as_bytes(notebook):
    return json.dumps(notebook).encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(encoding):
    text = json.dumps({"cells": [{"cell_type": "code", "source": "# déjà"}]}, ensure_ascii=False)
    assert notebooks.parse(text.encode(encoding)).items[0].text == "# déjà"


NOT_NOTEBOOKS = [b"", b"\0\0", b"[]", b"{}", b'{"cells": 3}', b"{" * 100_000, b"[" * 10**6, b"\xff\xfe\xff"]


@pytest.mark.parametrize("data", [*NOT_NOTEBOOKS, b'{"a": ' + b"9" * 9999 + b"}"], ids=range(9))
def test_what_is_no_notebook_is_said_to_be_none(data):
    with pytest.raises(notebooks.UnreadableError):
        notebooks.parse(data)


def test_links_devices_and_giants_are_not_read(tmp_path):
    (tmp_path / "real").write_text("x")
    os.symlink(tmp_path / "real", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "giant").open("wb") as file:
        file.truncate(notebooks.MAX_BYTES + 1)
    for name in ("link", "pipe", "giant", "absent"):
        with pytest.raises(notebooks.UnreadableError):
            notebooks.read_file(tmp_path / name)


def test_answers_are_found_by_id_then_by_name(tiny, solved):
    given = released.of(tiny)
    whole = matching.match(tiny, notebooks.parse(as_bytes(solved)), given)
    assert [name for name, _ in whole.cells] == ["double", "mean-square", "count"]
    assert whole.written["words"].strip() == "Doubling is linear."
    bare = {"cells": [{"cell_type": c["cell_type"], "source": c["source"]} for c in solved["cells"]]}
    named = matching.match(tiny, notebooks.parse(as_bytes(bare)), given)
    assert [text for _, text in named.cells] == [text for _, text in whole.cells]
    assert named.missing == ()


def test_what_is_too_long_to_be_read_is_said(tiny, solved):
    notebook = json.loads(json.dumps(solved))
    (cell,) = [cell for cell in notebook["cells"] if cell["id"] == "double"]
    cell["source"] += "\n#" + "x" * notebooks.MAX_CELL_TEXT
    read = notebooks.parse(as_bytes(notebook))
    assert "1 cell too long to be read" in read.flags
    found = matching.match(tiny, read, released.of(tiny))
    assert found.unread == {"double": "it is longer than 1 MiB"}
    rest = {"cell_type": "code", "source": "#" + "y" * (notebooks.MAX_CELL_TEXT - 10)}
    whole = notebooks.parse(as_bytes({"cells": [*[rest] * 6, solved["cells"][0]]}))
    assert sum(len(item.text) for item in whole.items) <= notebooks.MAX_TEXT
    assert "more than 4 MiB" in whole.items[-1].left_out


def test_test_cells_are_never_answers(tiny, solved):
    given = released.of(tiny)
    cells = [c for c in solved["cells"] if c["id"] != "double"]
    for cell in cells:
        if cell["id"] == "double-check":
            cell["source"] = "def double(x):\n    return 2 * x"
    found = matching.match(tiny, notebooks.parse(as_bytes({"cells": cells})), given)
    assert found.missing == ("double",)
    assert "def double" not in "".join(text for _, text in found.all_cells)


def test_released_cells_are_not_suspicious(tiny, solved):
    given = released.of(tiny)
    assert matching.suspicions(notebooks.parse(as_bytes(solved)), given) == []
    for text in ("import os\nos._exit(0)", "np.allclose = None", "import ctypes", "open('/proc/1/mem')"):
        bad = {"cells": [{"cell_type": "code", "source": text}]}
        assert matching.suspicions(notebooks.parse(as_bytes(bad)), given)


SPECS = {"labels": ArraySpec("i", (10,), 0, 9), "probs": ArraySpec("f", (10, None), 0.0, 1.0)}


def npz(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


GOOD = {"labels": np.arange(10), "probs": np.full((10, 3), 0.5)}


def test_a_good_artefact_is_read(tmp_path):
    (tmp_path / "a.npz").write_bytes(npz(**GOOD, extra=np.array([object()])))
    read = artefacts.load(tmp_path / "a.npz", SPECS)
    assert np.array_equal(read["labels"], np.arange(10))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a whole .npz"),
        (b"PK\3\4" + b"\0" * 50, "not a whole .npz"),
        (npz(labels=GOOD["labels"]), "no array 'probs'"),
        (npz(**GOOD)[:-40], "not a whole .npz"),
        (npz(**{**GOOD, "labels": np.arange(10.0)}), "must hold integers"),
        (npz(**{**GOOD, "labels": np.arange(11)}), "shape"),
        (npz(**{**GOOD, "probs": np.zeros((10, 0))}), "empty"),
        (npz(**{**GOOD, "labels": np.arange(1, 11)}), "range"),
        (npz(**{**GOOD, "probs": np.full((10, 3), np.nan)}), "NaN"),
        (npz(**{**GOOD, "probs": np.array([[object()]] * 10)}), "objects"),
        (npz(**{**GOOD, "probs": np.zeros((10, 10**7), dtype="f2")}), "larger than"),
    ],
)
def test_bad_artefacts_are_refused_with_a_reason(tmp_path, data, said):
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(artefacts.ArtefactError, match=said):
        artefacts.load(tmp_path / "a.npz", SPECS)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (5, 0)])
def test_an_array_without_rows_meets_no_demand(tmp_path, shape):
    (tmp_path / "a.npz").write_bytes(npz(a=np.zeros(shape)))
    with pytest.raises(artefacts.ArtefactError, match="it is empty"):
        artefacts.load(tmp_path / "a.npz", {"a": ArraySpec("f", (None,) * len(shape))})


def test_an_artefact_of_which_nothing_is_scored_says_so(tmp_path):
    (tmp_path / "a.npz").write_bytes(npz(a=np.zeros(3)))
    spec = {"a": ArraySpec("f", (None,))}
    question = Question("a", "A file", 2, kind="artefact", file="a.npz", arrays=spec, score=lambda arrays: ())
    mark, _ = artefacts.mark(question, tmp_path / "a.npz", student="ada", seed=[1])
    assert mark.points == 0 and mark.reasons == ["nothing in the file could be scored"]


def test_a_header_that_lies_about_the_size_allocates_nothing(tmp_path):
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10, 2**50)}
    np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("labels.npy", npz_member(np.arange(10)))
        archive.writestr("probs.npy", file.getvalue())
    with pytest.raises(artefacts.ArtefactError, match="as long as"):
        artefacts.load(tmp_path / "a.npz", SPECS)


def npz_member(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_pickled_artefacts_are_never_loaded(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "loaded"),))

    (tmp_path / "a.npz").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(artefacts.ArtefactError):
        artefacts.load(tmp_path / "a.npz", SPECS)
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        array = io.BytesIO()
        np.save(array, np.array([Evil()] * 10), allow_pickle=True)
        archive.writestr("labels.npy", array.getvalue())
        archive.writestr("probs.npy", array.getvalue())
    with pytest.raises(artefacts.ArtefactError, match="objects"):
        artefacts.load(tmp_path / "b.npz", SPECS)
    assert not (tmp_path / "loaded").exists()


def test_an_artefact_is_scored_on_a_split_of_the_students_own(tmp_path, tiny):
    question = tiny.question("predictions")
    (tmp_path / "p.npz").write_bytes(npz(labels=np.arange(10), probs=np.full((10, 3), 0.5)))
    mark, digest = artefacts.mark(question, tmp_path / "p.npz", student="ada", seed=[1])
    assert mark.points == 1 and digest
    half = np.arange(10)
    half[0] = 5
    (tmp_path / "p.npz").write_bytes(npz(labels=half, probs=np.eye(3)[half % 3]))
    marks = [artefacts.mark(question, tmp_path / "p.npz", student=name, seed=[1])[0] for name in map(str, range(20))]
    assert {mark.points for mark in marks} == {0.5, 1.0}
    assert all("exactly 0 or 1" in mark.flags[0] for mark in marks)
    assert artefacts.mark(question, None, student="ada", seed=[1])[0].points == 0


def test_secrets_are_made_once_and_for_their_owner(tmp_path):
    path = tmp_path / "deep" / "x.secret"
    first = secret.load_or_make(path, make=True)
    assert secret.load_or_make(path, make=False) == first
    assert path.stat().st_mode & 0o077 == 0
    assert secret.seed(first, "a") != secret.seed(first, "b")
    assert first.hex() not in secret.fingerprint(first)
    (tmp_path / "bad").write_text("short")
    with pytest.raises(secret.SecretError, match="64 hexadecimal"):
        secret.load_or_make(tmp_path / "bad", make=True)


def test_without_a_home_folder_it_is_said_where_a_secret_can_be(monkeypatch, tmp_path):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(secret.Path, "home", no_home)
    for name in ("LSEDU_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(secret.SecretError, match="--secret-file, or a folder in LSEDU_STATE"):
        secret.folder()
    monkeypatch.setenv("LSEDU_STATE", str(tmp_path))
    assert secret.folder().is_relative_to(tmp_path)


@pytest.mark.parametrize(
    "name", ["../../x", "..", ".hidden", "a/b", "x" * 300, "名前", "a\nb", "\udcff", "con:fig", "a b"]
)
def test_file_names_stay_in_the_folder_and_differ(name, tmp_path):
    stem = results.file_stem(name)
    path = (tmp_path / f"{stem}.html").resolve()
    assert path.parent == tmp_path.resolve()
    path.write_text("x")
    assert stem != results.file_stem(name + "2")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|cmd", "%x", "\uff1d1+1"])
def test_no_cell_is_a_formula(text):
    row = next(csv.reader(io.StringIO(results._csv([[text]]))))
    assert row[0].startswith("'")


def test_a_name_stays_in_its_cell_where_semicolons_separate():
    row = next(csv.reader(io.StringIO(results._csv([["ada;=1+1", 2.0]])), delimiter=";"))
    assert row == ["ada;=1+1,2.0"]


@pytest.mark.parametrize("name", ["ada.ipynb", "ada.IPYNB"])
def test_a_heap_of_files_has_a_student_a_notebook(tmp_path, name):
    (tmp_path / name).write_text("{}")
    assert [item.student for item in inbox.find(tmp_path, "tiny")] == ["ada"]


def test_the_view_refuses_answers_and_unknown_modules(tmp_path):
    with pytest.raises(packages.NotAllowedError, match="calls answers"):
        packages.lsedu_view(["lsedu.losses"], ["lsedu.losses.smoothing"], tmp_path / "a")
    with pytest.raises(packages.NotAllowedError, match="no such module"):
        packages.lsedu_view(["lsedu.nothing"], [], tmp_path / "b")
    with pytest.raises(packages.NotAllowedError, match="not installed"):
        (tmp_path / "c").mkdir()
        packages.allowed_view(["a_module_that_is_not_there"], [], tmp_path / "c")
    names = packages.lsedu_view(["lsedu.targets"], ["lsedu.losses"], tmp_path / "d")
    held = {path.relative_to(tmp_path / "d").as_posix() for path in (tmp_path / "d").rglob("*.py")}
    assert any(name.startswith("lsedu/targets") for name in held) and len(held) == len(names)
    assert not any("losses" in name or "grading" in name or "labs" in name for name in held)


def test_pages_hold_no_active_content(tiny):
    words = "<script>x</script> <svg onload=x> [a](javascript:x) ![b](http://c) <b>bold</b> *fine* `code`"
    row = Row(
        "<img src=x onerror=alert(1)>",
        points={"double": 0.0, "mean-square": 0.0, "count": 0.0, "predictions": 0.0, "words": None},
        reasons={"double": ["<script>alert(1)</script>"]},
    )
    page = pages.page(tiny, row, {"words": words})
    body = page.split("<body>")[1]
    for bad in ("<script", "<svg", "<img", "<a ", "onerror=alert(1)>", "<b>"):
        assert bad not in body.replace("&lt;", "LT")
    assert "<em>fine</em>" in body and "default-src 'none'" in page


@pytest.mark.parametrize("text", ["[" * 20_000, "*a_" * 7000, "> " * 10_000, "`" * 20_000, "![" * 10_000, "<" * 20_000])
def test_markdown_of_any_kind_becomes_harmless_html(text):
    assert "<a" not in pages.markdown(text)


TEXTS = [
    "<iframe src=x> $a<b$ [x](JavaScript : alert(1))",
    "[x](java&#115;cript:1)",
    "[x\\](http://a)",
    "![x](http://a/b.png) !\\[x\\](http://a)",
    "![x][y]\n\n[y]: http://a/b.png",
    "[x]: http://a\n\n[x]",
    "<http://a> http://a www.example.org",
    "```\n</code></pre><script>alert(1)</script>",
    "````text\n```\n`````\n![x](http://a)\n",
    "~~~\n![x](http://a)\n~~~\n![x](http://a)",
    "\r```\r![x](http://a)",
    "    ```\n![x](http://a)",
    "$\\href{javascript:alert(1)}{x}$",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("kind", ["markdown", "raw", "heading", ""])
def test_a_safe_copy_shows_text_and_nothing_that_acts(text, kind):
    raw = {"cells": [{"cell_type": kind, "source": text, "attachments": {"a.png": {"image/png": "aGk="}}}]}
    (cell,) = json.loads(pages.safe_copy(notebooks.parse(as_bytes(raw))))["cells"]
    assert cell["cell_type"] == "markdown" and set(cell) == {"cell_type", "metadata", "source"}
    (token,) = MarkdownIt("gfm-like", {"html": True}).parse(cell["source"])
    assert token.type == "fence" and token.content.rstrip("\n") == text.replace("\r", "\n").rstrip("\n")


def test_a_safe_copy_keeps_code_and_no_outputs():
    raw = {"cells": [{"cell_type": "code", "source": "1", "outputs": [{"data": {"text/html": "<script>"}}]}]}
    (cell,) = json.loads(pages.safe_copy(notebooks.parse(as_bytes(raw))))["cells"]
    assert cell["source"] == "1" and cell["outputs"] == []


def test_similarity_sees_through_names_and_comments():
    original = (
        "def f(x):\n    total = 0\n    for value in x:\n"
        "        total += value ** 2 + 3 * value\n    return total / len(x)\n"
    )
    renamed = original.replace("total", "s").replace("value", "v") + "# my own work\n"
    other = "def f(x):\n    import numpy as np\n    return np.mean([a * (a + 3) for a in x if a is not None])\n"
    pairs = similarity.pairs({"a": original, "b": renamed, "c": other}, {"solution": original})
    found = {(pair.first, pair.second) for pair in pairs}
    assert ("a", "b") in found and ("b", "solution") in found
    assert not any("c" in pair for pair in found)
    assert similarity.pairs({"a": original, "b": renamed}, {}, boilerplate=[original]) == []


def test_similarity_reads_hostile_code():
    for code in ("(" * 50_000, "'''" + "\n" * 50_000, "\\\n" * 10_000, "x = 1\n  y", "\0"):
        assert isinstance(similarity.fingerprints(code), frozenset)
