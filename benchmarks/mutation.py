"""Mutation testing of the formulas: small faults put into losses, targets, information and calibration, one at a time.

Claim: the tests notice at least 90% of them.
Run:   python benchmarks/mutation.py [--sample 600] [--seed 0] [--only lsedu.losses.focal ...] [--jobs 1] [--show]

mutmut makes the mutants; `[tool.mutmut]` of pyproject.toml says of which files, and which tests are held against them
(`mutmut run` tries them all, and collects the tests anew for each). Here the tests are collected once. A first pass
notes which tests reach which function, and how long each takes; then every mutant is a fork of that process that runs
the tests reaching its function, the quickest first, until one fails. A mutant that takes far longer than the tests
should counts as killed; a fork without any mutant must pass all tests. `--sample` draws as many mutants of all, by
`--seed`; survivors are printed, with `--show` as diffs.
"""

import argparse
import contextlib
import difflib
import fnmatch
import math
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import get_mutant_name, mangled_name_from_mutant_name

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]


def plant(folder: Path) -> dict[str, Path]:
    """Copy package and tests to a folder, put all mutants into its files, and return each mutant's file by its name."""
    for name in SETTINGS["also_copy"]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    files = {}
    for path in sorted((folder / "lsedu").rglob("*.py")):
        relative = path.relative_to(folder)
        if any(fnmatch.fnmatch(relative.as_posix(), pattern) for pattern in SETTINGS["only_mutate"]):
            mutated = mutate_file_contents(str(relative), path.read_text())
            path.write_text(mutated.code)
            files |= {get_mutant_name(relative, name): relative for name in mutated.mutant_names}
    return files


class Mutate:
    """A pytest plugin that replaces the run of the collected tests by one run for each mutant."""

    def __init__(self, mutants: list[str], jobs: int):
        self.mutants, self.jobs = mutants, jobs
        self.seconds: dict[str, float] = {}
        self.reached_by: dict[str, list[pytest.Item]] = defaultdict(list)
        self.verdicts: dict[str, str] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Note which tests reach what; then try the mutants."""
        set_mutant_under_test("stats")
        for item in session.items:
            start = time.perf_counter()
            run(item)
            self.seconds[item.nodeid] = time.perf_counter() - start
            for function in state()._stats:
                self.reached_by[function].append(item)
            state()._stats.clear()
        self.fork(session, "", session.items, {})
        if session.testsfailed or os.wait()[1]:
            raise SystemExit("all tests must pass, twice in a row, before a mutant is tried")
        running: dict[int, str] = {}
        for mutant in self.mutants:
            items = sorted(self.reached_by[mangled_name_from_mutant_name(mutant)], key=lambda i: self.seconds[i.nodeid])
            if len(running) == self.jobs:
                self.collect(running)
            self.fork(session, mutant, items, running)
        while running:
            self.collect(running)
        return True

    def fork(self, session: pytest.Session, mutant: str, items: list[pytest.Item], running: dict[int, str]) -> None:
        """Try a mutant (none where its name is empty) in a child."""
        limit = math.ceil(10 + 5 * sum(self.seconds[i.nodeid] for i in items))
        pid = os.fork()
        if pid == 0:
            attempt(session, mutant, items, limit=limit)
        running[pid] = mutant

    def collect(self, running: dict[int, str]) -> None:
        """Wait for one of the children and note its verdict."""
        pid, status = os.wait()
        mutant = running.pop(pid)
        self.verdicts[mutant] = "survived" if status == 0 else "killed"
        print(f"{len(self.verdicts)}/{len(self.mutants)} {self.verdicts[mutant]} {mutant}", file=sys.stderr, flush=True)


def run(item: pytest.Item) -> None:
    """Run one test, with set-up and tear-down of its own."""
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


def attempt(session: pytest.Session, mutant: str, items: list[pytest.Item], *, limit: int) -> None:
    """Run the tests on a mutant within `limit` seconds of CPU time; leave the process with 0 if all pass, else 1."""
    code = 1
    with contextlib.suppress(BaseException):
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        session.config.pluginmanager.unregister(name="terminalreporter")
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        set_mutant_under_test(mutant)
        for item in items:
            run(item)
            if session.testsfailed:
                break
        else:
            code = 0
    os._exit(code)


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Return the Wilson interval of a share, 95%."""
    z, p = 1.959964, killed / tried
    middle, half = p + z * z / (2 * tried), z * math.sqrt(p * (1 - p) / tried + z * z / (4 * tried * tried))
    return (middle - half) / (1 + z * z / tried), (middle + half) / (1 + z * z / tried)


def functions(text: str) -> dict[str, list[str]]:
    """Return the lines of every function of a mutated file by its mangled name."""
    lines: dict[str, list[str]] = defaultdict(list)
    name = ""
    for line in text.splitlines():
        start = line.strip().removeprefix("async ")
        if start.startswith("def ") and "__mutmut_" in start:
            name = start[4:].partition("(")[0]
            line = line.replace(name, name.partition("__mutmut_")[0])
        elif line and not line.startswith((" ", ")", "#")):
            name = ""
        if name:
            lines[name].append(line)
    return lines


def show(path: Path, mutant: str) -> None:
    """Print a mutant as a diff."""
    of_file, name = functions(path.read_text()), mutant.rpartition(".")[2]
    before = of_file[name.partition("__mutmut_")[0] + "__mutmut_orig"]
    for line in list(difflib.unified_diff(before, of_file[name], n=0, lineterm=""))[2:]:
        if line[1:].strip() and not line.startswith("@@"):
            print("    " + line)


def main() -> None:
    """Plant, draw, try, and print a table by file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="mutants drawn from all; all of them by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=["*"], help="modules or mutants to try; * stands for anything")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print survivors as diffs")
    args = parser.parse_args()
    os.chdir(ROOT)  # where mutmut looks for its settings
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = plant(folder)
        patterns = [p for only in args.only for p in (only, only + ".*")]
        population = [m for m in files if any(fnmatch.fnmatch(m, p) for p in patterns)]
        sampled = args.sample is not None and args.sample < len(population)
        mutants = random.Random(args.seed).sample(population, args.sample) if sampled else population
        os.chdir(folder)
        sys.path[0] = str(folder)  # in place of this file's folder, whose bottleneck.py some library would import
        import torch

        import lsedu

        if not Path(lsedu.__file__).is_relative_to(folder):
            raise SystemExit(f"the tests would import {lsedu.__file__}, not the mutants in {folder}")
        torch.set_num_threads(1)  # a pool of threads would not outlive the fork
        plugin = Mutate(mutants, args.jobs)
        selection = SETTINGS["pytest_add_cli_args_test_selection"]
        pytest.main(["-q", "-x", "--no-header", *SETTINGS["pytest_add_cli_args"], *selection], plugins=[plugin])
        if not plugin.verdicts:
            raise SystemExit("no mutant was tried")
        tried, killed = Counter(files[m] for m in plugin.verdicts), Counter()
        survivors = sorted(m for m, verdict in plugin.verdicts.items() if verdict == "survived")
        for mutant, verdict in plugin.verdicts.items():
            killed[files[mutant]] += verdict == "killed"
        print(f"{'file':44}{'mutants':>9}{'tried':>7}{'killed':>8}")
        for path, total in Counter(files[m] for m in population).items():
            if tried[path]:
                print(f"{path!s:44}{total:9}{tried[path]:7}{killed[path] / tried[path]:8.1%}")
        low, high = interval(killed.total(), tried.total())
        print(f"{'all':44}{len(population):9}{tried.total():7}{killed.total() / tried.total():8.1%}", end="")
        print(f"  95% interval {low:.1%} to {high:.1%}" if sampled else "")
        for mutant in survivors:
            print("survived", mutant)
            if args.show:
                show(folder / files[mutant], mutant)


if __name__ == "__main__":
    main()
