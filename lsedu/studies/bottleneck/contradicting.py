"""Labels that contradict each other: smoothing against the curve on CIFAR-10H, and what closes the gap.

Claims: where people gave a picture several labels, there are better encoders than those of uniform smoothing
(pragmatic-ib, section 5.2.2 and figure 4), likely because the uniform distribution ignores which classes are alike. The
paper leaves other distributions to the future: here are class means, confusions, the best matrix there is, and the
relatives of smoothing; and the paper's own solver, Adam from random logits.
Set-up: the 511,000 labels that people gave the 10,000 test pictures of CIFAR-10 (peterson2019), each picture equally
likely; no network, the answers are those of one that can represent anything. All is exact, and the same for every
seed, but for Adam from random logits. "At the rate of alpha" is at the I(X;Z) that uniform smoothing has there;
"closed" is the share of uniform smoothing's gap to the curve that is gone. On one thread of a laptop core: two minutes,
and seconds a seed more. Needs CIFAR-10H.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from lsedu import bottleneck, data, information
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.information import Merged
from lsedu.studies.bottleneck import _families


@dataclass(frozen=True, kw_only=True)
class Config:
    """Scale of the study.

    `alphas` are the strengths whose points are kept, `references` those whose rates are compared at, `betas` draw the
    curve; `matrix_betas` and `matrix_steps` are of the best matrix, `learn_alphas` and `learn_steps` of learnable
    smoothing, `adam_betas` and `adam_steps` of the paper's solver, `passes` of online smoothing.
    """

    alphas: tuple[float, ...]
    references: tuple[float, ...]
    betas: tuple[float, ...]
    matrix_betas: tuple[float, ...]
    matrix_steps: int
    learn_alphas: tuple[float, ...]
    learn_steps: int
    adam_betas: tuple[float, ...]
    adam_steps: int
    passes: int


def annotators() -> Merged:
    """Return CIFAR-10H as a table p(y|x) with equal rows merged."""
    p_y_given_x, p_x = information.from_counts(data.annotations("cifar10h")["counts"])
    return information.merge_rows(p_y_given_x, p_x=p_x)


@cache
def exact(config: Config) -> Outcome:
    """Return all that no chance has a part in, computed once a process."""
    table = annotators()
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    kinds = _families.families(table, passes=config.passes)

    found = bottleneck.curve(table.rows, p_x=table.p_x, betas=config.betas, unit="bits")
    arrays |= {"curve/beta": found.betas, "curve/i_x": found.i_x, "curve/i_y": found.i_y}
    history = bottleneck.blahut_arimoto(table.rows, p_x=table.p_x, beta=config.betas[0], unit="bits").history
    results["curve/rise"] = float(np.diff(history).max(initial=-np.inf)) if len(history) > 1 else 0.0
    results["entropy/label"] = information.entropy(table.p_x @ table.rows, unit="bits")
    results["entropy/within"] = float(table.p_x @ information.entropy(table.rows, unit="bits"))

    for name, family in kinds.items():
        strengths = family.least + (family.most - family.least) * np.array(config.alphas)
        points = [_families.point(table, family.encoder(float(s))) for s in strengths]
        arrays[f"{name}/strength"] = strengths
        arrays[f"{name}/i_x"] = np.array([at.i_x for at in points])
        arrays[f"{name}/i_y"] = np.array([at.i_y for at in points])
    arrays |= {"matrix/means": _families.class_means(table), "matrix/confusion": _families.confusion(table)}

    points, matrices = _families.best_matrix(table, betas=config.matrix_betas, steps=config.matrix_steps)
    arrays["best/i_x"] = np.array([at.i_x for at in points])
    arrays["best/i_y"] = np.array([at.i_y for at in points])
    arrays["best/matrix"] = np.stack(matrices)

    for alpha in config.references:
        at = _families.point(table, kinds["uniform"].encoder(alpha))
        top = _families.curve_at(table, at.i_x)
        gap = top - at.i_y
        results |= {f"uniform/{alpha}/i_x": at.i_x, f"uniform/{alpha}/i_y": at.i_y, f"uniform/{alpha}/gap": gap}
        for name, family in kinds.items():
            if name != "uniform" and (held := _families.at_rate(table, family, at.i_x)) is not None:
                results |= _closed(f"{name}/{alpha}", top - held[1].i_y, gap) | {f"{name}/{alpha}/strength": held[0]}
        best = np.interp(at.i_x, arrays["best/i_x"][::-1], arrays["best/i_y"][::-1])
        results |= _closed(f"best/{alpha}", top - float(best), gap)

    for alpha in config.learn_alphas:
        at, q = _families.learnable(table, alpha=alpha, steps=config.learn_steps)
        results |= {f"learnable/{alpha}/i_x": at.i_x, f"learnable/{alpha}/i_y": at.i_y}
        if (held := _families.at_rate(table, kinds["uniform"], at.i_x)) is not None:
            top = _families.curve_at(table, at.i_x)
            results |= _closed(f"learnable/{alpha}", top - at.i_y, top - held[1].i_y)
        arrays[f"learnable/{alpha}/q"] = q

    majority = _families.point(table, kinds["majority"].encoder(0.0))
    results |= {"majority/i_x": majority.i_x, "majority/i_y": majority.i_y}
    results["majority/gap"] = _families.curve_at(table, majority.i_x) - majority.i_y
    for beta in config.adam_betas:
        least = bottleneck.blahut_arimoto(table.rows, p_x=table.p_x, beta=beta, unit="bits").objective
        options = {"beta": beta, "steps": config.adam_steps, "p_x": table.p_x, "unit": "bits"}
        from_labels = bottleneck.adam(table.rows, **options)
        results[f"blahut/{beta}/objective"] = least
        results[f"adam-labels/{beta}/excess"] = from_labels.objective - least
    return Outcome(results, arrays)


def _closed(name: str, gap: float, uniform: float) -> dict[str, float]:
    return {f"{name}/gap": gap, f"{name}/closed": 1.0 - gap / uniform}


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Add Adam from the random logits of a seed to what is exact.

    `above` is over uniform smoothing at the same I(X;Z), or over no smoothing where that is more than smoothing has.
    """
    table, fixed = annotators(), exact(config)
    uniform = _families.families(table, passes=1)["uniform"]
    results, arrays = dict(fixed.results), dict(fixed.arrays)
    for beta in config.adam_betas:
        found = bottleneck.adam(
            table.rows, p_x=table.p_x, beta=beta, start="random", steps=config.adam_steps, device=device,
            generator=torch.Generator().manual_seed(seed), unit="bits",
        )  # fmt: skip
        held = _families.at_rate(table, uniform, found.point.i_x)
        smoothed = held[1] if held is not None else _families.point(table, table.rows)
        results |= {
            f"adam/{beta}/i_x": found.point.i_x,
            f"adam/{beta}/i_y": found.point.i_y,
            f"adam/{beta}/excess": found.objective - results[f"blahut/{beta}/objective"],
            f"adam/{beta}/above": found.point.i_y - smoothed.i_y,
        }
    return Outcome(results, arrays)


BETAS = tuple(1.0 + round(1.06**i * 1e-3, 6) for i in range(230))

EXPERIMENT = Experiment(
    name="contradicting",
    claim="Where labels contradict each other, uniform smoothing is below the bottleneck curve.",
    source="pragmatic-ib, section 5.2.2 and figure 4",
    reduction={
        "smoke": "Few betas, few steps: tests the code, not the claim.",
        "cpu": "Exact for these labels and a network that can represent anything: says nothing of trained networks or "
        "of new pictures. The curve is of ten codes, found by Blahut-Arimoto: a lower bound of the true one.",
    },
    configs={
        "smoke": Config(
            alphas=(0.0, 0.5, 1.0), references=(0.0, 0.02, 0.1, 0.4), betas=(1.2, 2.0, 8.0),
            matrix_betas=(20.0, 2.0, 1.3, 1.1, 1.05), matrix_steps=20, learn_alphas=(0.1,), learn_steps=80,
            adam_betas=(1.1, 1.25, 2.0), adam_steps=30, passes=20,
        ),
        "cpu": Config(
            alphas=tuple(round(0.025 * i, 3) for i in range(41)), references=(0.0, 0.02, 0.1, 0.4), betas=BETAS,
            matrix_betas=(20.0, 5.0, 3.0, 2.0, 1.7, 1.5, 1.4, 1.3, 1.25, 1.2, 1.18, 1.16, 1.14, 1.12, 1.1, 1.09, 1.08,
            1.07, 1.06, 1.05), matrix_steps=400, learn_alphas=(0.1, 0.3), learn_steps=1500,
            adam_betas=(1.1, 1.25, 2.0), adam_steps=600, passes=200,
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 110))},
    measure=measure,
    contrasts=(
        *(
            Contrast(
                f"better-{alpha}", f"The curve lies above uniform smoothing (alpha = {alpha}), bits at equal I(X;Z)",
                f"uniform/{alpha}/gap", margin=0.01,
            )
            for alpha in (0.0, 0.1, 0.4)
        ),
        Contrast(
            "prior-opens", "The gap is larger with the uniform prior (alpha = 0.1) than without any (alpha = 0), bits",
            "uniform/0.1/gap", "uniform/0.0/gap", margin=0.01,
        ),
        *(
            Contrast(
                f"{name}-{alpha}", f"{said} closes more than half of the gap at the rate of alpha = {alpha}",
                f"{name}/{alpha}/closed", 0.5, margin=0.05,
            )
            for name, said in (
                ("best", "The best smoothing matrix"), ("confusion", "Smoothing towards what people confuse"),
            )
            for alpha in (0.02, 0.1, 0.4)
        ),
        *(
            Contrast(
                f"{name}-{alpha}", f"{said} closes part of the gap at the rate of alpha = {alpha}",
                f"{name}/{alpha}/closed", margin=0.1,
            )
            for name, said, alpha in (
                ("means", "Smoothing towards class means", 0.02),
                ("means-others", "Smoothing towards the other entries of class means", 0.1),
                ("online", "Online smoothing", 0.1),
                ("zipf", "Zipf's law on the rank of each class", 0.1),
                ("majority", "Smoothing the majority's label instead of each annotator's", 0.1),
                ("temperature", "A higher temperature", 0.02),
                ("sharper-confusion", "Sharper answers, smoothed towards what people confuse,", 0.02),
            )
        ),
        Contrast(
            "learnable-0.1", "Learnable smoothing (alpha = 0.1) closes more than half of the gap at its own rate",
            "learnable/0.1/closed", 0.5, margin=0.05,
        ),
        Contrast(
            "majority-on-curve", "The majority's label without smoothing lies on the curve, bits",
            "majority/gap", claimed="none", margin=0.005,
        ),
        *(
            Contrast(
                name, f"Adam from random logits ends above Blahut-Arimoto's Lagrangian (beta = {beta:g}), bits",
                f"adam/{beta}/excess", margin=0.001,
            )
            for name, beta in (("adam-local", 1.25), ("adam-local-2", 2.0))
        ),
        Contrast(
            "adam-labels", "Adam from log p(y|x) ends at Blahut-Arimoto's Lagrangian (beta = 1.25), bits",
            "adam-labels/1.25/excess", claimed="none", margin=0.001,
        ),
        Contrast(
            "adam-better", "Adam from random logits ends above uniform smoothing (beta = 1.25), bits at equal I(X;Z)",
            "adam/1.25/above", margin=0.01,
        ),
    ),
    primary=("better-0.1", "prior-opens", "best-0.1", "confusion-0.1", "adam-better",),
    plans=(Plan("adam-local", 0.0027, margins=5.0), Plan("adam-better", 0.0009),),
    data=("cifar10h",),
)  # fmt: skip
