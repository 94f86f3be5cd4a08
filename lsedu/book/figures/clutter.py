"""Scenes of clothes among clutter, their saliency maps and answers, before and after the clutter is exchanged."""

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lsedu.experiments import load_record
from lsedu.plots.style import WIDTH, style

CLUTTER = ("own", "other")
ALPHAS = ("0.0", "0.1")
#: As many scenes, some of which turn their answer; see the study.
SHOWN = 12
GRID = {"scene": (1.0, 6.0, 12.0), "clutter": CLUTTER, "alpha": ALPHAS}


def payload() -> dict[str, Any]:
    """Return the scenes that the record keeps, with the maps and answers of its networks of the first seed.

    Pictures are 28 rows of 28 greys in 16 steps, a digit of the hexadecimal system each; maps are relative to their
    largest value, in 256 steps, two digits each. Both are lists by scene, below the kind of clutter, ``own`` or
    ``other``; maps and probabilities lie below the strength of smoothing first.
    """
    from lsedu.studies.bottleneck import remembered

    record = load_record("remembered")
    seed, kept = remembered.SHOWN_SEED, record.arrays()
    whole = remembered.held_out(record.configs["test_size"])
    chosen = kept[f"{seed}/shown/scenes"].astype(int)
    made = {
        kind: remembered.scenes(whole, seed=remembered.TEST_SEED, swapped=way)
        for kind, way in zip(CLUTTER, ("nothing", "clutter"))
    }

    def found(names: tuple[str, str], write: Any) -> dict[str, Any]:
        return {
            alpha: {
                kind: write(kept[f"{seed}/{alpha}/shown/{name}"].astype(float)) for kind, name in zip(CLUTTER, names)
            }
            for alpha in ALPHAS
        }

    return {
        "classes": list(whole.classes),
        "labels": made["own"].labels[chosen].tolist(),
        "boxes": made["own"].boxes[chosen].tolist(),
        "pictures": {kind: [digits(one >> 4, 1) for one in scenes.images[chosen]] for kind, scenes in made.items()},
        "maps": found(("maps", "swapped_maps"), lambda maps: [digits(relative(one), 2) for one in maps]),
        "probabilities": found(("probabilities", "swapped"), lambda rows: rows.round(4).tolist()),
    }


def relative(one: np.ndarray) -> np.ndarray:
    """Return a map in whole steps from 0 to 255, its largest value; one without saliency is 0 everywhere."""
    return (255 * one / max(one.max(), 1e-12)).round().astype(int)


def digits(values: np.ndarray, each: int) -> str:
    """Return whole numbers as hexadecimal digits, so many each.

    Examples
    --------
    >>> digits(np.array([[0, 255], [16, 1]]), 2)
    '00ff1001'
    """
    return "".join(f"{value:0{each}x}" for value in values.ravel().tolist())


def read(text: str, each: int) -> np.ndarray:
    """Return the picture or map (28, 28) that is written in hexadecimal digits, so many each."""
    return np.array([int(text[i : i + each], 16) for i in range(0, len(text), each)], dtype=float).reshape(28, 28)


def compute(parameters: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what the figure shows of one scene.

    Parameters
    ----------
    parameters : dict
        ``scene``, from 1; ``clutter``, ``own`` or ``other``; ``alpha``, one of `ALPHAS`.
    data : dict
        As `payload` returns it.

    Returns
    -------
    dict
        ``answer``, the likeliest class, and how ``sure`` of it the network is; the ``share`` of the map on the whole
        piece, and how ``alike`` the map is to that of the same scene with its own clutter, by the cosine; both 0 where
        a map is empty. ``turned``, how many of the scenes have another answer once the clutter is exchanged.
    """
    at, alpha = round(parameters["scene"]) - 1, parameters["alpha"]
    rows, maps = data["probabilities"][alpha], data["maps"][alpha]
    row = rows[parameters["clutter"]][at]
    here, own = (read(maps[kind][at], 2) for kind in (parameters["clutter"], "own"))
    top, left, bottom, right = data["boxes"][at]
    size = np.sqrt((here**2).sum() * (own**2).sum())
    answer = int(np.argmax(row))
    return {
        "answer": answer,
        "sure": row[answer],
        "share": here[top:bottom, left:right].sum() / max(here.sum(), 1),
        "alike": (here * own).sum() / max(size, 1),
        "turned": sum(int(np.argmax(a) != np.argmax(b)) for a, b in zip(rows["own"], rows["other"])),
        "probabilities": row,
    }


def fallback() -> Figure:
    """Return the picture for pages without scripts: one scene that turns its answer, with both clutters and maps."""
    known = payload()
    rows = known["probabilities"]["0.0"]
    turned = [np.argmax(a) != np.argmax(b) for a, b in zip(rows["own"], rows["other"])]
    scene = turned.index(True) if any(turned) else 0
    titles = ("its own crops", "others' crops")
    with rc_context(style()):
        figure = Figure(figsize=(WIDTH, 0.34 * WIDTH))
        axes = figure.subplots(1, 4)
        for i, (kind, title) in enumerate(zip(CLUTTER, titles)):
            shown = compute({"scene": scene + 1, "clutter": kind, "alpha": "0.0"}, known)
            axes[2 * i].imshow(read(known["pictures"][kind][scene], 1), cmap="gray_r", interpolation="nearest")
            axes[2 * i].set_title(title, fontsize=9)
            axes[2 * i + 1].imshow(read(known["maps"]["0.0"][kind][scene], 2), cmap="gray_r", interpolation="nearest")
            axes[2 * i + 1].set_title(f"{known['classes'][shown['answer']]}, {shown['sure']:.0%}", fontsize=9)
        top, left, bottom, right = known["boxes"][scene]
        for one in axes:
            frame = Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, edgecolor="#1f2430")
            one.add_patch(frame)
            one.set_axis_off()
    return figure
