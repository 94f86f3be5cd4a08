"""Kernels forked from one process: each is as fresh as one of its own, and ends."""

import os
import select
import signal
import threading

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from lsedu.book import execute, expected, nursery
from lsedu.book.pages import BookError

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="kernels are forked on Linux only")

CELL = """
import builtins, os, sys
from pathlib import Path
print(Path.cwd().name, "numpy" in sys.modules, getattr(builtins, "left", None), os.getppid(), end=" ")
print("LSEDU_READS" in os.environ)
builtins.left = "by another page"
Path("record.json").read_text()
"""


DRAWN = """
```{code-cell} ipython3
---
mystnb:
  figure:
    caption: A line.
    name: fig-line
---
import matplotlib.pyplot as plt
plt.plot([0, 1]);
```
"""


@pytest.fixture(autouse=True)
def few_imports(monkeypatch):
    monkeypatch.setattr(nursery, "IMPORTED", ("ipykernel.kernelapp", "matplotlib"))


def test_each_page_has_a_kernel_of_its_own_in_its_folder_that_notes_what_it_reads(toy, monkeypatch):
    text, pages = (toy.source / "page.md").read_text(), ["a/first", "b/second", "b/third"]
    before, _, end = text.rpartition("from lsedu.information import entropy\nprint(profile, seed + 41)\n")
    toc = [f"  - file: {page}\n" for page in pages]
    (toy.source / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n" + "".join(toc))
    for page in pages:
        (toy.source / page).parent.mkdir(exist_ok=True)
        (toy.source / page).with_suffix(".md").write_text(before + CELL + end + DRAWN)
        (toy.source / page).with_name("record.json").write_text("{}")
    folder, parents, sent = os.getcwd(), set(), []
    send = nursery.LocalProvisioner.send_signal

    def note(self, number):
        sent.append(number)
        return send(self, number)

    monkeypatch.setattr(nursery.LocalProvisioner, "send_signal", note)
    for page, path in execute.execute(toy, expected.PARAMETERS).items():
        notebook = nbformat.read(path, as_version=4)
        *said, parent, watched = notebook.cells[-2].outputs[0].text.split()
        assert (said, watched) == ([page[0], "True", "None"], "True")
        assert "image/png" in notebook.cells[-1].outputs[-1].data, "pyplot draws into the page"
        assert f"book/{page[0]}/record.json" in notebook.metadata["lsedu"]["reads"]
        parents.add(parent)
    assert len(parents) == 1 and str(os.getpid()) not in parents, "one process, and not this one, forks them"
    assert os.getcwd() == folder
    assert signal.SIGINT not in sent, "a kernel that is interrupted while it answers says so where the reader builds"


def test_a_kernel_can_be_interrupted_and_ends_with_the_nursery_or_before(tmp_path):
    with nursery.Nursery(nursery.FEWEST) as forks:
        stays, killed = (
            forks.fork(["-f", str(tmp_path / name), "--transport=ipc"], str(tmp_path), dict(os.environ))
            for name in "ab"
        )
        assert stays.poll() is None and killed.poll() is None
        killed.kill()
        assert killed.wait() == 0
        killed.send_signal(signal.SIGINT)  # of one that has ended: nothing to do
    assert stays.poll(30) == 0


def test_a_program_finds_a_forked_kernel_by_its_name_and_ends_it_with_its_stand_in(tmp_path, monkeypatch):
    (tmp_path / "page").mkdir()
    with nursery.Nursery(nursery.FEWEST) as forks, forks.listed() as listed:
        for name, value in listed.items():
            monkeypatch.setenv(name, value)
        manager, client = start_new_kernel(kernel_name=nursery.NAME, cwd=str(tmp_path / "page"), startup_timeout=60)
        said = []

        def run(code):
            def note(message):
                said.append(message["content"].get("text") or message["content"].get("ename"))

            said.clear()
            client.execute_interactive(code, timeout=60, output_hook=note, allow_stdin=False)
            return [word for word in said if word]

        (first,) = run(
            "import os, sys; print(os.getpid(), os.getppid(), os.path.basename(os.getcwd()), 'numpy' in sys.modules)"
        )
        pid, parent, folder, imported = first.split()
        assert (folder, imported) == ("page", "True")
        assert parent == str(forks._process.pid), "it was forked where the libraries are"
        descriptor = os.pidfd_open(int(pid))
        threading.Timer(0.5, manager.interrupt_kernel).start()
        assert run("import time; time.sleep(60)") == ["KeyboardInterrupt"]
        assert run("print(1)") == ["1\n"], "it goes on after an interrupt"
        client.stop_channels()
        manager.shutdown_kernel(now=True)  # kills what it has started
        assert select.select([descriptor], [], [], 30)[0], "and the kernel is gone"
        os.close(descriptor)


def test_a_kernel_that_ends_by_itself_ends_its_stand_in(tmp_path, monkeypatch):
    with nursery.Nursery(nursery.FEWEST) as forks, forks.listed() as listed:
        for name, value in listed.items():
            monkeypatch.setenv(name, value)
        manager, client = start_new_kernel(kernel_name=nursery.NAME, cwd=str(tmp_path), startup_timeout=60)
        client.execute("import os; os._exit(3)")
        manager.provisioner.process.wait(30)
        client.stop_channels()
        manager.cleanup_resources()


def test_where_none_can_be_forked_none_is_listed():
    with nursery.Nursery(nursery.FEWEST - 1) as forks, forks.listed() as listed:
        assert listed is None


def test_where_the_call_for_a_descriptor_is_forbidden_kernels_are_started_as_jupyter_does(monkeypatch):
    def forbidden(pid):
        raise PermissionError(1, "Operation not permitted")

    assert nursery.Nursery(nursery.FEWEST)._forks
    monkeypatch.setattr(os, "pidfd_open", forbidden)
    assert not nursery.Nursery(nursery.FEWEST)._forks


def test_a_nursery_that_cannot_import_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(nursery, "IMPORTED", ("no_such_module",))
    with (
        nursery.Nursery(nursery.FEWEST) as forks,
        pytest.raises(RuntimeError, match="kernels are forked from has ended"),
    ):
        forks.fork([], str(tmp_path), {})


def test_a_figure_without_a_picture_is_refused(toy):
    page = toy.source / "page.md"
    page.write_text(page.read_text() + DRAWN.replace("plt.plot([0, 1]);", "plt.plot([0, 1]); plt.close()"))
    with pytest.raises(
        BookError, match=r"book/page.md: no picture from the cell of figure fig-line; see .*page.out.ipynb"
    ):
        execute.execute(toy, expected.PARAMETERS)
