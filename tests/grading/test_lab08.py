"""The two files of lab 8 in a class: right ones earn all, and every way round a plan is told, mended as it may be."""

import html
import json
from pathlib import Path

import numpy as np
import pytest

from lsedu.authoring import load_lab, variant
from lsedu.authoring.release import build
from lsedu.data import load
from lsedu.grading import Options, grade

SOURCE = Path(__file__).resolve().parents[2] / "solutions/lab08.md"


@pytest.fixture(scope="module")
def lab():
    return load_lab(SOURCE)


@pytest.fixture(scope="module")
def space(lab):
    return lab.question("judge").reference.__globals__


@pytest.fixture(scope="module")
def experiment(lab, space):
    """Make somebody's experiment at the smallest scale, by the lab's own functions; a plan of so many seeds if said."""
    train, test = ((part.images, part.labels) for part in (load(), load(split="test")))

    def trials(seeds):
        return np.array([space["trial"]("privacy", seed, "smoke", train, test) for seed in seeds])

    def made(student, *, margin=0.005, effect=0.025, n=None, pilot=None):
        seed = variant.of_student(lab.manifest, student)["seed"]
        pilot = trials(space["pilot_seeds"](seed)) if pilot is None else pilot
        sd = space["CAUTION"] * (pilot[:, 0] - pilot[:, 1]).std(ddof=1)
        due = space["planned"](space["power"], effect, sd, margin, "positive")
        plan = {"seed": seed, "scale": 0, "project": space["PROJECTS"].index("privacy"), "claimed": 1, "n": n or due}
        plan |= {"margin": margin, "effect": effect, "pilot": pilot}
        return plan, run_under(plan)

    def run_under(plan):
        found = trials(space["seeds_of"](plan))
        low, high, word = space["judge"](found[:, 0], found[:, 1], "positive", plan["margin"], space["T"])
        return coded(plan) | {"seeds": np.array(space["seeds_of"](plan)), "plus": found[:, 0], "minus": found[:, 1],
                              "low": low, "high": high, "word": space["WORDS"].index(word)}  # fmt: skip

    def coded(plan):
        return plan | {"code": np.array(list(bytes.fromhex(space["code_of"](plan))))}

    made.coded = coded
    return made


def numbers(space, *, low, size):
    """Results that somebody has made up."""
    found = np.random.default_rng(5).uniform(low, low + 0.05, size=(size, 2))
    lower, upper, word = space["judge"](found[:, 0], found[:, 1], "positive", 0.005, space["T"])
    return {"plus": found[:, 0], "minus": found[:, 1], "low": lower, "high": upper, "word": space["WORDS"].index(word)}


@pytest.mark.slow
def test_every_way_round_a_plan_is_told(lab, space, experiment, tmp_path):
    plan, run = experiment("ada")
    ben = variant.of_student(lab.manifest, "ben")["seed"]
    coarse = plan | {"margin": 0.015}
    best = np.sort(np.argsort(run["minus"] - run["plus"])[:-1])
    few = experiment("ada", n=4, pilot=plan["pilot"])
    own = {"seeds": np.array(space["pilot_seeds"](plan["seed"]))}
    renamed = {"seed": ben}
    cases = {  # whose notebook, both files, both marks, what is said of the results
        "ada": ("ada", plan, run, 3, 4, ""),
        "copied": ("ben", plan, run, 0, 0, f"made with seed {plan['seed']}, your notebook's is {ben}"),
        "renamed": ("ben", plan | renamed, run | renamed, 0, 0, "something in it was changed afterwards"),
        "coded": ("ben", plan | renamed, experiment.coded(run | renamed), 0, 0, "not the seeds that follow"),
        "moved": ("ada", coarse, run | coarse, 2, 0, "something in it was changed afterwards"),
        "mended": ("ada", coarse, experiment.coded(run | coarse), 2, 0, "not the seeds that follow"),
        "dropped": ("ada", plan, run | {name: run[name][best] for name in ("seeds", "plus", "minus")}, 3, 0,
                    f"1 of the {plan['n']} seeds that the plan asks for are missing"),
        "piloted": ("ada", plan, run | own | numbers(space, low=0.5, size=8), 3, 0, "seeds of the pilot"),
        "made-up": ("ada", plan, run | numbers(space, low=0.5, size=plan["n"]), 3, 0, "run again, gives other numbers"),
        "few": ("ada", *few, 2, 3, "the plan has 4 seeds; margin, effect and pilot ask for"),
        "said": ("ada", plan, run | {"word": (run["word"] + 1) % 7}, 3, 3, "by the rule the verdict is"),
    }  # fmt: skip
    for student, (owner, first, second, *_) in cases.items():
        folder = tmp_path / "submitted" / student
        folder.mkdir(parents=True)
        (folder / "lab08.ipynb").write_text(json.dumps(build(lab, student=owner)), encoding="utf-8")
        np.savez(folder / "plan.npz", **first)
        np.savez(folder / "results.npz", **second)
    grade(SOURCE, tmp_path / "submitted", tmp_path / "out", Options(jobs=1, secret_file=tmp_path / "secret"))
    rows = {row["student"]: row for row in map(json.loads, (tmp_path / "out/results.jsonl").open(encoding="utf-8"))}
    got = {name: (row["points"]["plan"], row["points"]["results"]) for name, row in rows.items()}
    assert got == {name: case[3:5] for name, case in cases.items()}
    for name, (*_, said) in cases.items():
        reasons = "; ".join(rows[name]["reasons"].get("results", ()))
        assert said in reasons if said else reasons == ""
        page = (tmp_path / f"out/feedback/{name}.html").read_text(encoding="utf-8")
        assert said in html.unescape(page)
    assert any("a quick look and no experiment" in flag for flag in rows["ada"]["flags"])
    assert any(flag.startswith("results: same") and "ada" in flag for flag in rows["copied"]["flags"])
