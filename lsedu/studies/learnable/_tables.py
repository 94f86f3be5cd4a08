"""Tables of photographs and digits, read: beside people's confusions, within groups, and beside each other."""

import numpy as np
import torch
from torch import Tensor

from lsedu import data
from lsedu.studies._loaded import loaded
from lsedu.studies._scores import under
from lsedu.studies.learnable._groups import entry, within_group
from lsedu.studies.learnable._reading import likeness, row_likeness, row_unevenness

#: Rows of CIFAR-100's Q that the paper reads, and what it finds there.
PUBLISHED = {
    "maple_tree": {"oak_tree": 0.45, "pine_tree": 0.2, "willow_tree": 0.2, "forest": 0.02},
    "woman": {"girl": 0.3, "man": 0.2, "boy": 0.13, "baby": 0.07},
}


def mean_predictions(logits: Tensor, labels: Tensor) -> np.ndarray:
    """Return the mean probabilities (K, K) of the pictures of each class, a row; of a class without any, 0."""
    k = logits.shape[1]
    sums = torch.zeros(k, k, dtype=torch.float64, device=logits.device)
    sums.index_add_(0, labels, logits.double().softmax(1))
    return (sums / torch.bincount(labels, minlength=k).clamp_min(1)[:, None]).cpu().numpy()


def people() -> np.ndarray:
    """Return how often people say which class (a column) of CIFAR-10's test pictures of each class, counts (10, 10)."""
    test = loaded("cifar10", "test")
    found = np.zeros((len(test.classes), len(test.classes)))
    np.add.at(found, test.labels, data.annotations("cifar10h")["counts"])
    return found


def tables(part: str, name: str, table: np.ndarray) -> dict[str, float]:
    """Return what a table (K, K) of a set says by itself: of CIFAR-10 about people, of CIFAR-100 about the groups."""
    found = {"unevenness": row_unevenness(table)} if name in ("published", "own") else {}
    if part == "cifar10":
        same, shuffled = row_likeness(table, people())
        found |= {"people": same, "strangers": shuffled, "people-likeness": likeness(table, people())}
    if part == "cifar100":
        found["group"] = within_group(table)
    return under(f"{part}/{name}", found)


def diagonal(table: np.ndarray) -> dict[str, float]:
    """Return the mean Q_yy, and the share of rows of which it is the least entry."""
    own = table.diagonal()
    return {"own": float(own.mean()), "least": float((own <= table.min(1)).mean())}


def compared(part: str, found: dict[str, np.ndarray]) -> dict[str, float]:
    """Return how alike tables of a set are; of CIFAR-100, in place of rank correlations, the rows the paper reads."""
    results = {}
    for arm in ("published", "own"):
        for title, other in (("confusion", "one-hot-confusion"), ("own-confusion", f"{arm}-confusion")):
            results[f"{arm}/{title}/likeness"] = likeness(found[arm], found[other])
    results["agreement/likeness"] = likeness(found["own"], found["twin"])
    if part == "cifar100":
        for arm in ("published", "own"):
            for label, row in PUBLISHED.items():
                results |= {f"{arm}/{label}/{other}": entry(found[arm], label, other) for other in row}
    else:
        for name, a, b in (
            ("own/confusion", "own", "one-hot-confusion"),
            ("own/own-confusion", "own", "own-confusion"),
            ("own/mean", "own", "mean"),
            ("published/confusion", "published", "one-hot-confusion"),
            ("agreement", "own", "twin"),
        ):
            same, shuffled = row_likeness(found[a], found[b])
            results |= {f"{name}/same": same, f"{name}/strangers": shuffled}
    return under(part, results)
