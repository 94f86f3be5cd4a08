"""The information bottleneck on a 10,000 x 10 table of annotator counts: exact MI, a curve, and the alternatives.

Claim: a whole curve of 30 betas costs less than the paper's Adam for one beta at the same accuracy.
Run:   python benchmarks/bottleneck.py [--repeats 3] [--rows 10000]      (LSEDU_DATA: real CIFAR-10H counts)

"Same accuracy": each solver runs until its Lagrangian at one beta is within `--accuracy` nats of the reference, which
is plain Blahut-Arimoto (no acceleration, another code path) at a tolerance of 1e-12. Contenders are interleaved:
every repeat runs all of them once, and the ratios printed are medians over the repeats of the ratio within a repeat.
"""

import argparse
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch

from lsedu import bottleneck, information

# xarray, which dit needs, imports a package called bottleneck where it finds one: this file must not be it.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]


def counts(rows: int) -> tuple[np.ndarray, str]:
    """Return the counts and where they come from."""
    folder = os.environ.get("LSEDU_DATA")
    path = Path(folder) / "cifar10h" / "cifar10h-counts.npy" if folder else None
    if path is not None and path.is_file():
        return np.load(path)[:rows], "CIFAR-10H counts from LSEDU_DATA"
    rng = np.random.default_rng(0)
    centre = np.full(10, 0.02) + 3.0 * np.eye(10)[rng.integers(10, size=rows)]
    shares = np.stack([rng.dirichlet(row) for row in centre])
    return np.stack([rng.multinomial(51, row) for row in shares]), "synthetic Dirichlet-multinomial counts"


def clock(call) -> tuple[float, object]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def adam_until(table: np.ndarray, beta: float, goal: float, accuracy: float, start: str) -> tuple[float, float, int]:
    """Return seconds, gap and steps of the shortest Adam run (doubling steps; only the last is timed) that gets there.

    One row of logits for each input, as in the paper.
    """
    for steps in (125, 250, 500, 1000, 2000):
        seconds, found = clock(
            lambda n=steps: bottleneck.adam(
                table, beta=beta, steps=n, start=start, merge=False, unit="nats",
                generator=torch.Generator().manual_seed(0),
            )
        )  # fmt: skip
        gap = found.objective - goal
        if gap <= accuracy:
            break
    return seconds, gap, steps


def embo_once(rows: np.ndarray, p_x: np.ndarray, beta: float, goal: float, accuracy: float) -> tuple[float, float, int]:
    """Return seconds, gap and iterations of embo; its beta times 1 / ln 2 is the beta of the Lagrangian."""
    from embo import InformationBottleneck

    for iterations in (100, 200, 400, 800, 1600):

        def call(n=iterations):
            np.random.seed(0)
            return InformationBottleneck.beta_iter(
                1, beta * np.log(2.0), p_x, p_x @ rows, rows.T.copy(), 10, 1, n, rtol=0, atol=0
            )

        seconds, (i_x, i_y, _, _) = clock(call)
        gap = (i_x - beta * i_y) * np.log(2.0) - goal
        if gap <= accuracy:
            break
    return seconds, gap, iterations


def dit_once(rows: np.ndarray, p_x: np.ndarray, beta: float) -> tuple[float, float]:
    """Return seconds and gap to our solution of dit's optimiser on a small table, with one code a class of rows."""
    import dit
    from dit.rate_distortion.information_bottleneck import InformationBottleneck

    joint = rows * p_x[:, None]
    cells = [(f"{i:03d}", f"{k}") for i, k in np.argwhere(joint > 0)]
    distribution = dit.Distribution(cells, joint[joint > 0] / joint.sum())

    def call():
        solver = InformationBottleneck(distribution, beta=beta, rvs=[[0], [1]], bound=rows.shape[1])
        np.random.seed(0)
        solver.optimize(niter=3)
        pmf = solver.construct_joint(solver._optima)
        return float(solver.complexity(pmf) - beta * solver.relevance(pmf)) * np.log(2.0)

    seconds, value = clock(call)
    ours = bottleneck.blahut_arimoto(rows, beta=beta, p_x=p_x, unit="nats").objective
    return seconds, value - ours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--beta", type=float, default=1.2)
    parser.add_argument("--accuracy", type=float, default=1e-5, help="gap of the Lagrangian in nats")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    table, source = counts(options.rows)
    rows, p_x = information.from_counts(table)
    merged = information.merge_rows(rows, p_x=p_x)
    betas = np.geomspace(1.02, 50.0, 30)
    beta = options.beta
    goal = bottleneck.blahut_arimoto(
        rows, beta=beta, tolerance=1e-12, max_iterations=50_000, accelerate=False, unit="nats"
    ).objective
    print(f"{source}: {table.shape[0]} x {table.shape[1]}, {len(merged.rows)} distinct rows; 1 thread; beta = {beta}")

    times: dict[str, list[float]] = {}
    notes: dict[str, str] = {}
    for _ in range(options.repeats):
        seconds, point = clock(lambda: information.plane_point(rows, rows, unit="bits"))
        times.setdefault("exact MI", []).append(seconds)
        notes["exact MI"] = f"I(X;Z) = {point.i_x:.6f} bits, I(Y;Z) = {point.i_y:.6f} bits"
        seconds, found = clock(lambda: bottleneck.curve(rows, betas=betas, unit="nats"))
        times.setdefault("curve, 30 betas", []).append(seconds)
        sweeps = sum(len(s.history) for s in found.solutions)
        notes["curve, 30 betas"] = f"{sweeps} sweeps, all converged: {all(s.converged for s in found.solutions)}"
        seconds, found = clock(lambda: bottleneck.blahut_arimoto(rows, beta=beta, unit="nats"))
        times.setdefault("one beta, accelerated", []).append(seconds)
        notes["one beta, accelerated"] = f"{len(found.history)} sweeps, gap {found.objective - goal:.1e} nats"
        seconds, found = clock(lambda: bottleneck.blahut_arimoto(rows, beta=beta, accelerate=False, unit="nats"))
        times.setdefault("one beta, plain", []).append(seconds)
        notes["one beta, plain"] = f"{len(found.history)} sweeps, gap {found.objective - goal:.1e} nats"
        for start in ("labels", "random"):
            name = f"Adam, one beta, {start} start"
            seconds, gap, steps = adam_until(rows, beta, goal, options.accuracy, start)
            times.setdefault(name, []).append(seconds)
            notes[name] = f"{steps} steps, gap {gap:.1e} nats"
        seconds, gap, iterations = embo_once(rows, p_x, beta, goal, options.accuracy)
        times.setdefault("embo, one beta", []).append(seconds)
        notes["embo, one beta"] = f"{iterations} iterations, one restart, 10 codes, gap {gap:.1e} nats"

    print(f"{'':28s}{'seconds':>10s}{'/ curve':>10s}  note")
    curve = times["curve, 30 betas"]
    for name, values in times.items():
        ratio = statistics.median(a / b for a, b in zip(values, curve))
        print(f"{name:28s}{statistics.median(values):10.4f}{ratio:10.3f}  {notes[name]}")
    for size in (10, 20, 40):
        part = slice(0, size)
        weights = merged.p_x[:: len(merged.p_x) // size][part]
        small = merged.rows[:: len(merged.p_x) // size][part]
        seconds, gap = dit_once(small, weights / weights.sum(), 5.0)
        ours, _ = clock(lambda s=small, w=weights: bottleneck.blahut_arimoto(s, beta=5.0, p_x=w / w.sum(), unit="nats"))
        print(
            f"{f'dit, one beta, {size} rows':28s}{seconds:10.4f}  ours {ours:.4f} s; dit's Lagrangian - ours {gap:.1e}"
        )
        if seconds > 60:
            print("dit stops here: the next size would take minutes")
            break


if __name__ == "__main__":
    main()
