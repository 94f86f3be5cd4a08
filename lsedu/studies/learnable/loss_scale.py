"""The scale of a loss is a learning rate: LLS on patterns without relations, whole and halved, at two rates.

Claims: the 1/2 of the pseudo-code, which equation 5 does not have, changes nothing (lls, appendix A). In the record of
`learning_q` LLS is behind one-hot targets on these patterns. Is it the method, or that the sum of two divergences has
larger gradients than a cross-entropy, at a rate that was chosen for the latter? The question came from two seeds, 10
and 12, at a quarter of the rate.
Set-up: the control of `learning_q`, ten orthogonal patterns of equal norm in noise, the same network, images, initial
weights and batches for all arms; its recipe, and a quarter of its learning rate. On one thread of a laptop core: half a
minute a seed.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from lsedu import models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome, Plan
from lsedu.losses import cross_entropy
from lsedu.studies._contrasts import accuracies
from lsedu.studies._pictures import Scale
from lsedu.studies._scores import under
from lsedu.studies._training import accuracy, trained
from lsedu.studies.learnable import _reading
from lsedu.studies.learnable._control import unlike
from lsedu.studies.learnable.learning_q import makers

#: By rate: the arms of `learning_q`, and ``doubled``, one-hot targets at twice the loss.
ARMS = {"whole": ("one-hot", "doubled", "1", "half"), "quarter": ("one-hot", "1", "20")}
SHARES = {"whole": 1.0, "quarter": 0.25}


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `strength` as in `learning_q`."""

    strength: float


def doubled(logits: Tensor, labels: Tensor) -> Tensor:
    """Return twice the cross-entropy of one-hot targets."""
    return 2.0 * cross_entropy(logits, labels)


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train every arm at its rates; at the quarter, read Q beside the confusions."""
    p = unlike(config, strength=config.strength, seed=seed, device=device)
    arms = makers(p.num_classes) | {"doubled": lambda: doubled}
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for rate, names in ARMS.items():
        recipe = replace(config.training, lr=SHARES[rate] * config.training.lr)
        for arm in names:
            made, name = arms[arm](), f"{rate}/{arm}"
            model, _ = trained(
                models.mlp, made, p.x, p.y, seed=seed, recipe=recipe, progress=progress, shape=tuple(p.x.shape[1:]),
                num_classes=p.num_classes,
            )  # fmt: skip
            found = arrays[f"{name}/confusion"] = _reading.confusion(training.predict(model, p.x_test), p.y_test)
            results[f"{name}/accuracy"] = float(np.trace(found) / found.sum())
            results[f"{name}/training"] = accuracy(model, p.x, p.y)
            if hasattr(made, "q"):
                arrays[f"{name}/q"] = made.q().cpu().numpy().astype(np.float32)
            if rate == "quarter" and hasattr(made, "q"):
                plain = arrays["quarter/one-hot/confusion"]
                for whose, other in (("plain", plain), ("itself", found)):
                    same, shuffled = _reading.row_likeness(arrays[f"{name}/q"], other)
                    results |= under(f"{name}/{whose}", {"same": same, "shuffled": shuffled})
    return Outcome(results, arrays)


_accuracy = partial(accuracies, margin=0.01)


EXPERIMENT = Experiment(
    name="loss_scale",
    claim="That LLS is behind one-hot targets on patterns without relations is due to the learning rate.",
    source="ours, for lls, equation 5 and appendix A",
    reduction={
        "smoke": "150 training pictures and two epochs: tests the code, not the claim.",
        "cpu": "Patterns in noise and one MLP, two learning rates, none of them tuned: says nothing of other sets.",
    },
    configs={
        "smoke": Config(
            train_size=150, validation_size=100, test_size=200, strength=0.6,
            training=training.Config(epochs=2, batch_size=75),
        ),
        "cpu": Config(
            train_size=5000, validation_size=1000, test_size=2000, strength=0.185,
            training=training.Config(epochs=40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 120))},
    measure=measure,
    contrasts=(
        _accuracy("behind", "At the whole rate LLS is less accurate than one-hot targets", "whole/1", "whole/one-hot",
                  "negative"),
        _accuracy("rate", "At a quarter of the rate LLS is more accurate than at the whole", "quarter/1", "whole/1"),
        _accuracy("level", "At a quarter of the rate LLS is as accurate as one-hot targets", "quarter/1",
                  "quarter/one-hot", "none"),
        _accuracy("half", "At the whole rate half of the loss is more accurate than the whole loss", "whole/half",
                  "whole/1"),
        _accuracy("half-level", "Half of the loss is as accurate as one-hot targets", "whole/half", "whole/one-hot",
                  "none"),
        _accuracy("doubled", "One-hot targets too are less accurate at twice the loss", "whole/doubled",
                  "whole/one-hot", "negative"),
        _accuracy("level-20", "At a quarter of the rate LLS with 20 times the rate for Q is as accurate as one-hot "
                  "targets", "quarter/20", "quarter/one-hot", "none"),
        *(
            Contrast(f"itself-{arm}", f"At a quarter of the rate Q's rows still follow its own network's confusion "
                     f"(Q's rate: {arm})", f"quarter/{arm}/itself/same", f"quarter/{arm}/itself/shuffled", margin=0.1)
            for arm in ("1", "20")
        ),
        *(
            Contrast(f"plain-{arm}", f"At a quarter of the rate they follow no confusion of a one-hot network "
                     f"(Q's rate: {arm})", f"quarter/{arm}/plain/same", f"quarter/{arm}/plain/shuffled",
                     claimed="none", margin=0.1)
            for arm in ("1", "20")
        ),
    ),
    primary=("rate", "level", "half", "itself-20"),
    # by seeds 10 to 13, in which Q at a quarter of the rate followed its network by less than the margin
    plans=(
        Plan("rate", 0.0379, 4.0), Plan("half", 0.0364, 4.0), Plan("level", 0.0043, 0.0),
        Plan("itself-20", 0.0209, 0.0),
    ),
    data=(),
)  # fmt: skip
