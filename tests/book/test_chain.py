"""The notebook chain: what is executed, when again, and what holds the outputs."""

import json
import shutil

import nbformat
import pytest

from lsedu import _modules
from lsedu.book import execute, expected, pages
from lsedu.book.expected import PARAMETERS
from lsedu.book.pages import BookError, page_key


def executed_pages(book, parameters=PARAMETERS):
    lines = []
    done = execute.execute(book, parameters, say=lines.append)
    return done, [line for line in lines if line.endswith("executing")]


def test_a_page_runs_once_and_again_only_when_it_changes(toy):
    (toy.source / "other.md").write_text((toy.source / "page.md").read_text().replace("A page", "Another"))
    (toy.source / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: page\n  - file: other\n")
    assert len(executed_pages(toy)[1]) == 2
    assert executed_pages(toy)[1] == []
    (toy.source / "other.md").write_text((toy.source / "other.md").read_text().replace("+ 41", "+ 42"))
    assert executed_pages(toy)[1] == ["[2/2] other: executing"]


def test_parameters_reach_the_page(toy):
    done, _ = executed_pages(toy, {**PARAMETERS, "seed": 1})
    notebook = nbformat.read(done["page"], as_version=4)
    assert notebook.cells[-1].outputs[0].text == "smoke 42\n"
    assert notebook.metadata["lsedu"]["parameters"]["seed"] == 1


def test_the_key_covers_text_modules_constraints_and_parameters(toy, monkeypatch):
    page = toy.source / "page.md"
    keys = [page_key(toy, "page", PARAMETERS)]

    def changed():
        keys.append(page_key(toy, "page", PARAMETERS))
        return keys[-1] != keys[-2]

    assert not changed()
    page.write_text(page.read_text() + "\nMore.\n")
    assert changed()
    (toy.source / "records" / "other.json").write_text("{}")
    assert not changed()
    (toy.root / "constraints.txt").write_text("numpy==2.4.7\n")
    assert changed()
    monkeypatch.setattr(_modules, "digest", lambda **options: "another library")
    assert changed()
    assert page_key(toy, "page", {**PARAMETERS, "seed": 7}) != keys[-1]


# One page, several ways to come to the records `first` and `absent`; `second` is nobody's.
READING = """
from pathlib import Path
from lsedu.experiments import RecordError, load_record
folder = Path.cwd() / "records"
for name in ["first"]:
    load_record(name=name, folder=folder)
(read,) = (load_record,)
try:
    read("absent", folder=folder)
except RecordError:
    pass
"""


def test_a_page_runs_again_when_a_record_that_it_came_to_changes_and_for_no_other(toy):
    def written(name, text="{}"):
        (toy.source / "records" / name).write_text(text)

    page, fields = toy.source / "page.md", "claim source profile reduction configs seeds results contrasts provenance"
    record = json.dumps({"name": "first", **dict.fromkeys(fields.split(), "")})
    page.write_text(page.read_text() + f"\n```{{code-cell}} ipython3\n{READING}\n```\n")
    written("first.json", record)
    written("second.json")
    done, first = executed_pages(toy)
    reads = nbformat.read(done["page"], as_version=4).metadata["lsedu"]["reads"]
    assert first and reads.keys() == {"book/records", "book/records/first.json", "book/records/absent.json"}
    written("second.json", "[]")
    assert executed_pages(toy)[1] == []
    written("first.json", record + " ")
    assert not execute.is_current(toy, done["page"])
    written("first.json", record)
    assert execute.is_current(toy, done["page"])
    written("absent.json", record)
    assert executed_pages(toy)[1]


def kept(folder, **metadata):
    """A notebook as the cache holds it."""
    notebook = nbformat.v4.new_notebook(metadata=metadata)
    nbformat.write(notebook, folder / "kept.ipynb")
    return folder / "kept.ipynb"


def test_a_notebook_that_does_not_say_what_it_read_is_made_again(toy, tmp_path):
    assert not execute.is_current(toy, tmp_path / "none.ipynb")
    assert not execute.is_current(toy, kept(tmp_path, lsedu={"seconds": 1.0}))
    assert execute.is_current(toy, kept(tmp_path, lsedu={"reads": {}}))


def test_a_page_that_noted_nothing_is_taken_to_have_read_every_record_and_claim(toy):
    for name in ("records/a.json", "records/a.npz", "part/claims.yml"):
        (toy.source / name).parent.mkdir(exist_ok=True)
        (toy.source / name).touch()
    names = {path.relative_to(toy.source).as_posix() for path in execute.read_by(toy, None)}
    assert names == {"records/a.json", "records/a.npz", "part/claims.yml"}
    assert execute.read_by(toy, set()) == set()


def test_the_modules_of_a_page_are_those_it_reaches(toy):
    found = _modules.reached(_modules.imports(pages.code(pages.read_notebook(toy.source / "page.md"))))
    assert "lsedu.information._inputs" in found and "lsedu.data.registry" not in found


def test_a_failing_cell_is_named_and_kept(toy):
    page = toy.source / "page.md"
    page.write_text(page.read_text().replace("seed + 41", "1 / 0"))
    with pytest.raises(BookError, match=r"page\.md: cell \d+ failed with ZeroDivisionError.*page\.out\.ipynb"):
        executed_pages(toy)


def test_a_missing_page_is_named(toy):
    (toy.source / "page.md").unlink()
    with pytest.raises(BookError, match=r"book/page\.md does not exist"):
        toy.pages()


@pytest.fixture
def stored(toy, executed_once):
    shutil.copytree(executed_once, toy.build)
    done, again = executed_pages(toy)
    assert not again
    return expected.refresh(toy, done)[0]


def test_nbval_fails_on_a_tampered_output_wherever_it_stands(toy, stored):
    text, other = stored.read_text(), toy.expected / "other.ipynb"
    assert "smoke 41" in text
    other.write_text(text.replace("smoke 41", "smoke 43"))
    with pytest.raises(BookError, match=r"(?s)nbval found a difference.*smoke 4[13].*smoke 4[13]"):
        expected.check(toy, notebooks=[stored, other])


def test_a_notebook_without_outputs_fails(toy, stored):
    notebook = nbformat.read(stored, as_version=4)
    for cell in expected.marked(notebook):
        cell.outputs = []
    nbformat.write(notebook, stored)
    with pytest.raises(BookError, match="has no output"):
        expected.check(toy)


def test_a_stale_missing_or_left_over_notebook_fails(toy, stored):
    shutil.copy(stored, stored.with_name("gone.ipynb"))
    with pytest.raises(BookError, match="has no page"):
        expected.check_stored(toy)
    stored.with_name("gone.ipynb").unlink()
    page = toy.source / "page.md"
    page.write_text(page.read_text().replace("A page", "A new page"))
    with pytest.raises(BookError, match="not the present text"):
        expected.check_stored(toy)
    stored.unlink()
    with pytest.raises(BookError, match="no expected outputs"):
        expected.check_stored(toy)


def test_a_page_that_marks_nothing_fails(toy, executed_once):
    page = toy.source / "page.md"
    shutil.copytree(executed_once, toy.build)
    done, _ = executed_pages(toy)
    page.write_text(page.read_text().replace(":tags: [check]\n", ""))
    with pytest.raises(BookError, match="marks no cell"):
        expected.refresh(toy, done)


def test_outputs_of_the_build_are_compared(toy, stored):
    done, _ = executed_pages(toy)
    expected.compare(toy, done)
    stored.write_text(stored.read_text().replace("smoke 41", "smoke 43"))
    with pytest.raises(BookError, match="is not the stored one"):
        expected.compare(toy, done)


def output(kind, **data):
    return nbformat.v4.new_output(kind, **data)


PLAIN = "<IPython.core.display.Markdown object>"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (("stream", {"name": "stdout", "text": "1"}), ("stream", {"name": "stderr", "text": "1"}), False),
        *(
            (("execute_result", {"data": {"text/plain": PLAIN, form: "1"}}),
             ("execute_result", {"data": {"text/plain": PLAIN, form: "2"}}), form == "image/png")
            for form in ("text/markdown", "text/html", "text/latex", "image/svg+xml", "image/png")
        ),
        (("display_data", {"data": {"text/plain": "1"}}), ("display_data", {"data": {}}), False),
        (("execute_result", {"data": {"text/plain": "1"}, "execution_count": 1}),
         ("execute_result", {"data": {"text/plain": "1"}, "execution_count": 7}), True),
    ],
)  # fmt: skip
def test_an_output_is_held_in_every_form_but_as_a_picture(toy, stored, old, new, same):
    done, _ = executed_pages(toy)
    for path, (kind, data) in ((stored, old), (done["page"], new)):
        notebook = nbformat.read(path, as_version=4)
        expected.marked(notebook)[0].outputs = [output(kind, **data)]
        nbformat.write(notebook, path)
    if same:
        return expected.compare(toy, done)
    with pytest.raises(BookError, match="is not the stored one"):
        expected.compare(toy, done)


def test_the_stored_notebooks_of_the_book_are_fit(root):
    assert expected.check_stored(pages.Book(root))


def test_pieces_of_a_stream_are_joined():
    def stream(name, text):
        return nbformat.v4.new_output("stream", name=name, text=text)

    merged = execute.merge_streams([stream("stdout", "a"), stream("stdout", "b"), stream("stderr", "c")])
    assert [(output.name, output.text) for output in merged] == [("stdout", "ab"), ("stderr", "c")]
