"""Wrong labels: what smoothing does to accuracy, to memorisation and to calibration when a share of them is wrong.

Claim: smoothing makes a network more robust to wrong labels, as it assumes that any label may be wrong (textbook,
Benefits). Against it we hold four questions: how strong must it be, does it stop the network from learning the wrong
labels by heart, is the best strength the noise rate, and what does a temperature do that is fitted on labels which are
as wrong as those of the training set? What alpha = 0.1 gains where few labels are wrong is asked by `few_wrong`.
Set-up: 2,000 Fashion-MNIST images, symmetric noise (a wrong label is any other class with equal chance) in training and
held-out labels, all 10,000 test images with their true labels; one MLP, the same images, initial weights and batches
for every rate and strength, trained for so long that with one-hot targets it learns nearly all wrong labels by heart.
On one thread of a laptop core: four minutes a seed.
"""

from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch

from lsedu import data, models, training
from lsedu.experiments.experiment import Choice, Contrast, Experiment, Outcome, Plan
from lsedu.studies._contrasts import against
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import kept, right, under
from lsedu.studies._training import accuracy, smoothed
from lsedu.studies._wrong_labels import STATES, calibrated, shares, temperatures


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `followed` are the strengths whose training is followed at the rate `followed_at`."""

    rates: tuple[float, ...]
    alphas: tuple[float, ...]
    followed_at: float
    followed: tuple[float, ...]


def choose(results: dict[str, float], rate: float, alphas: tuple[float, ...], score: str) -> float:
    """Return the strength with the largest `score` at this rate; the smallest of them in a tie."""
    return max(alphas, key=lambda alpha: (results[f"{rate}/{alpha}/{score}"], -alpha))


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the network at each rate with each strength; test on clean labels."""
    p = pictures(config, seed=seed, device=device)
    options = {"seed": seed, "recipe": config.training, "workdir": workdir, "progress": progress}
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for rate in config.rates:
        noisy, noisy_val = (
            torch.from_numpy(data.symmetric_noise(given, p.num_classes, rate=rate, seed=2 * seed + i)).to(device)
            for i, given in enumerate((p.y.cpu().numpy(), p.y_val.cpu().numpy()))
        )

        def watch(model: models.Classifier, noisy: torch.Tensor = noisy) -> dict[str, float]:
            found = {"test_accuracy": accuracy(model, p.x_test, p.y_test)}
            return found | shares(training.predict(model, p.x).argmax(1), noisy, p.y)

        for alpha in config.alphas:
            follow = rate == config.followed_at and alpha in config.followed
            model, history = smoothed(
                models.mlp, p.x, noisy, alpha=alpha, name=f"{rate}-{alpha}", metrics=watch if follow else None,
                **options,
            )  # fmt: skip
            held = training.predict(model, p.x_val)
            fitted = temperatures(held, noisy_val, p.y_val)
            logits = training.predict(model, p.x_test)
            found = calibrated(logits, p.y_test, fitted)
            found |= {f"{state}/temperature": fitted[state] for state in STATES[1:]}
            found |= shares(training.predict(model, p.x).argmax(1), noisy, p.y)
            found["held_out_accuracy"] = right(held, noisy_val)
            results |= under(f"{rate}/{alpha}", found)
            arrays |= kept(f"{rate}/{alpha}", logits, p.y_test, fitted)
            arrays[f"{rate}/{alpha}/hits"] = arrays[f"{rate}/{alpha}/before/hits"]
            if follow:
                for column in ("test_accuracy", "memorised"):
                    arrays[f"{alpha}/{column}"] = history.column(column).astype(np.float32)
        chosen = choose(results, rate, config.alphas, "held_out_accuracy")
        results[f"{rate}/chosen/alpha"] = chosen
        results[f"{rate}/chosen/accuracy"] = results[f"{rate}/{chosen}/accuracy"]
        arrays[f"{rate}/chosen/hits"] = arrays[f"{rate}/{chosen}/hits"]
        for alpha in config.alphas[1:]:
            gain = results[f"{rate}/{alpha}/accuracy"] - results[f"{rate}/{config.alphas[0]}/accuracy"]
            results[f"{rate}/{alpha}/gain"] = gain
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="noise",
    claim="Smoothing makes a network more robust to wrong labels.",
    source="textbook, Benefits and Practical Considerations; lukasik2020",
    reduction={
        "smoke": "300 training images and one epoch: tests the code, not the claim.",
        "cpu": "2,000 Fashion-MNIST images, one MLP and symmetric noise: says nothing of deep networks on natural "
        "images, nor of noise that follows the content of the image.",
    },
    configs={
        "smoke": Config(
            train_size=300, validation_size=300, test_size=300, rates=(0.0, 0.2, 0.4),
            alphas=(0.0, 0.1, 0.2, 0.4, 0.6), followed_at=0.4, followed=(0.0, 0.6),
            training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=2000, validation_size=2000, test_size=10000, rates=(0.0, 0.2, 0.4, 0.6),
            alphas=(0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95), followed_at=0.4, followed=(0.0, 0.1, 0.6),
            training=training.Config(epochs=80, lr=0.1),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": tuple(range(100, 108))},
    measure=measure,
    contrasts=(
        Contrast(
            "overfits",
            "With 40% of the labels wrong, one-hot training learns more of them by heart than guessing would give",
            "0.4/0.0/memorised", 1 / 9, claimed="positive", margin=0.02,
        ),
        against(
            "accuracy-0.6", "With 40% of the labels wrong, alpha = 0.6 raises accuracy", "accuracy", plus="0.4/0.6",
            minus="0.4/0.0", claimed="positive", margin=0.005,
        ),
        Contrast(
            "rate-is-best", "With 40% of the labels wrong, alpha = 0.4 is more accurate than alpha = 0.6",
            "0.4/0.4/accuracy", "0.4/0.6/accuracy", claimed="positive", margin=0.005,
        ),
        Contrast(
            "rate-is-best-0.2", "With 20% of the labels wrong, alpha = 0.2 is more accurate than alpha = 0.6",
            "0.2/0.2/accuracy", "0.2/0.6/accuracy", claimed="positive", margin=0.005,
        ),
        Contrast(
            "noise-gains-more", "The gain in accuracy by alpha = 0.6 is larger with 40% wrong labels than with none",
            "0.4/0.6/accuracy", "0.4/0.0/accuracy", claimed="positive", margin=0.005,
            plain=("0.0/0.6/accuracy", "0.0/0.0/accuracy"),
        ),
        *(
            against(
                f"memorised-{alpha}",
                f"With 40% of the labels wrong, alpha = {alpha} lowers the share of them learnt by heart", "memorised",
                plus=f"0.4/{alpha}", minus="0.4/0.0", margin=0.02,
            )
            for alpha in (0.1, 0.6)
        ),
        against(
            "ece-0.1", "With 40% of the labels wrong, alpha = 0.1 lowers the ECE", "before/ece", plus="0.4/0.1",
            minus="0.4/0.0", margin=0.005,
        ),
        Contrast(
            "noisy-temperature",
            "With 40% of the labels wrong, a temperature fitted on such labels makes a one-hot network underconfident",
            "0.4/0.0/noisy/overconfidence", claimed="negative", margin=0.01,
        ),
        Contrast(
            "clean-temperature",
            "With 40% of the labels wrong, one-hot training with a temperature fitted on clean labels has a lower ECE "
            "than alpha = 0.1",
            "0.4/0.0/clean/ece", "0.4/0.1/before/ece", claimed="negative", margin=0.005,
        ),
        Contrast(
            "chosen",
            "With 40% of the labels wrong, the alpha chosen on wrong held-out labels is more accurate than alpha = 0.1",
            "0.4/chosen/accuracy", "0.4/0.1/accuracy", claimed="positive", margin=0.005,
        ),
    ),
    choices=(Choice("0.4/chosen/", "alphas", itemgetter("0.4/chosen/alpha"), limits=(0.0,)),),
    primary=("overfits", "accuracy-0.6", "memorised-0.1", "rate-is-best", "noise-gains-more",),
    plans=(Plan("rate-is-best", 0.0026), Plan("memorised-0.1", 0.0116)),
    data=("fashion-mnist-mini",),
)  # fmt: skip
