"""The two files of lab 8 in a class: right ones earn all, and every way round a plan is told, mended as it may be."""

import html
import json

import numpy as np
import pytest

from lsedu.authoring import variant
from lsedu.authoring.release import build
from lsedu.grading import Options, grade


@pytest.fixture(scope="module")
def experiment(lab_8, space_8, trials_8):
    """Make somebody's experiment at the smallest scale, by the lab's own functions; a plan of so many seeds if said."""

    def made(student, *, margin=0.005, effect=0.025, n=None, pilot=None):
        seed = variant.of_student(lab_8.manifest, student)["seed"]
        pilot = trials_8("privacy", "smoke", space_8["pilot_seeds"](seed)) if pilot is None else pilot
        sd = space_8["CAUTION"] * (pilot[:, 0] - pilot[:, 1]).std(ddof=1)
        due = space_8["planned"](space_8["power"], effect, sd, margin, "positive")
        plan = {"seed": seed, "scale": 0, "project": space_8["PROJECTS"].index("privacy"), "claimed": 1, "n": n or due}
        plan |= {"margin": margin, "effect": effect, "pilot": pilot}
        return plan, run_under(plan)

    def run_under(plan):
        found = trials_8("privacy", "smoke", space_8["seeds_of"](plan))
        low, high, word = space_8["judge"](found[:, 0], found[:, 1], "positive", plan["margin"], space_8["T"])
        return coded(plan) | {"seeds": np.array(space_8["seeds_of"](plan)), "plus": found[:, 0], "minus": found[:, 1],
                              "low": low, "high": high, "word": space_8["WORDS"].index(word)}  # fmt: skip

    def coded(plan):
        return plan | {"code": np.array(list(bytes.fromhex(space_8["code_of"](plan))))}

    made.coded = coded
    return made


def numbers(space, *, low, size):
    """Results that somebody has made up."""
    found = np.random.default_rng(5).uniform(low, low + 0.05, size=(size, 2))
    lower, upper, word = space["judge"](found[:, 0], found[:, 1], "positive", 0.005, space["T"])
    return {"plus": found[:, 0], "minus": found[:, 1], "low": lower, "high": upper, "word": space["WORDS"].index(word)}


@pytest.mark.slow
def test_every_way_round_a_plan_is_told(lab_8, space_8, experiment, tmp_path):
    plan, run = experiment("ada")
    ben = variant.of_student(lab_8.manifest, "ben")["seed"]
    coarse = plan | {"margin": 0.015}
    best = np.sort(np.argsort(run["minus"] - run["plus"])[:-1])
    few = experiment("ada", n=4, pilot=plan["pilot"])
    own = {"seeds": np.array(space_8["pilot_seeds"](plan["seed"]))} | numbers(space_8, low=0.5, size=8)
    made_up = numbers(space_8, low=0.5, size=plan["n"])
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
        "piloted": ("ada", plan, run | own, 3, 0, "seeds of the pilot"),
        "made-up": ("ada", plan, run | made_up, 3, 0, "run again, gives other numbers"),
        "few": ("ada", *few, 2, 3, "the plan has 4 seeds; margin, effect and pilot ask for"),
        "said": ("ada", plan, run | {"word": (run["word"] + 1) % 7}, 3, 3, "by the rule the verdict is"),
    }  # fmt: skip
    for student, (owner, first, second, *_) in cases.items():
        folder = tmp_path / "submitted" / student
        folder.mkdir(parents=True)
        (folder / "lab08.ipynb").write_text(json.dumps(build(lab_8, student=owner)), encoding="utf-8")
        np.savez(folder / "plan.npz", **first)
        np.savez(folder / "results.npz", **second)
    grade(lab_8.path, tmp_path / "submitted", tmp_path / "out", Options(jobs=1, secret_file=tmp_path / "secret"))
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
