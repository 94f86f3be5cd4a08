"""Wrong labels: what smoothing does to accuracy, to memorisation and to calibration when a share of them is wrong.

Claim: smoothing makes a network more robust to wrong labels, as it assumes that any label may be wrong (textbook,
Benefits). Against it we hold four questions: how strong must it be, does it stop the network from learning the wrong
labels by heart, is the best strength the noise rate, and what does a temperature do that is fitted on labels which are
as wrong as those of the training set?
Set-up: 2,000 Fashion-MNIST images, symmetric noise (a wrong label is any other class with equal chance) in training and
held-out labels, clean test labels; one MLP, the same images, initial weights and batches for every rate and strength,
trained for so long that with one-hot targets it learns nearly all wrong labels by heart.
On one thread of a laptop core: two minutes a seed.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lsedu import calibration, data, models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.losses import label_smoothing
from lsedu.studies._training import pictures

SCORES = (calibration.overconfidence, calibration.ece, calibration.nll)
STATES = ("before", "noisy", "clean")


@dataclass(frozen=True)
class Config:
    """Scale of the experiment; `followed` are the strengths whose training is followed at the rate `followed_at`."""

    train_size: int
    validation_size: int
    test_size: int
    rates: tuple[float, ...]
    alphas: tuple[float, ...]
    followed_at: float
    followed: tuple[float, ...]
    training: training.Config


def shares(predicted: torch.Tensor, given: torch.Tensor, true: torch.Tensor) -> dict[str, float]:
    """Return what became of the wrong labels: the shares of them `memorised` and `recovered`.

    Parameters
    ----------
    predicted, given, true : Tensor, shape (N,)
        Classes predicted for the training images, their labels in training, and their true ones.

    Returns
    -------
    dict
        Of the images whose given label is wrong, the share for which it is predicted, and that for which the true one
        is. Empty if no label is wrong.
    """
    wrong = given != true
    if not wrong.any():
        return {}
    predicted, given, true = predicted[wrong], given[wrong], true[wrong]
    return {
        "memorised": (predicted == given).double().mean().item(),
        "recovered": (predicted == true).double().mean().item(),
    }


def calibrated(logits: torch.Tensor, labels: torch.Tensor, temperatures: dict[str, float]) -> dict[str, float]:
    """Return accuracy, and by state (a name of a temperature) the scores on clean labels."""
    found = {}
    for state, temperature in temperatures.items():
        probs = calibration.apply_temperature(logits, temperature)
        found["accuracy"] = calibration.accuracy(probs, labels)
        found |= {f"{state}/{score.__name__}": score(probs, labels) for score in SCORES}
    return found


def choose(results: dict[str, float], rate: float, alphas: tuple[float, ...], score: str) -> float:
    """Return the strength with the largest `score` at this rate; the smallest of them in a tie."""
    return max(alphas, key=lambda alpha: (results[f"{rate}/{alpha}/{score}"], -alpha))


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Train the network at each rate with each strength; test on clean labels."""
    sizes = (config.train_size, config.validation_size, config.test_size)
    p = pictures(sizes, seed=seed, device=device)
    recipe = replace(config.training, seed=seed)
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for rate in config.rates:
        noisy, noisy_val = (
            torch.from_numpy(data.symmetric_noise(given, p.num_classes, rate=rate, seed=2 * seed + i)).to(device)
            for i, given in enumerate((p.y.cpu().numpy(), p.y_val.cpu().numpy()))
        )

        def watch(model: models.Classifier, noisy: torch.Tensor = noisy) -> dict[str, float]:
            right = (training.predict(model, p.x_test).argmax(1) == p.y_test).double().mean().item()
            return {"test_accuracy": right} | shares(training.predict(model, p.x).argmax(1), noisy, p.y)

        for alpha in config.alphas:
            follow = rate == config.followed_at and alpha in config.followed
            model = models.build(models.mlp, seed=seed).to(device)
            history = training.fit(
                model,
                partial(label_smoothing, alpha=alpha),
                p.x,
                noisy,
                config=recipe,
                metrics=watch if follow else None,
                checkpoint=workdir / f"{rate}-{alpha}.pt" if workdir else None,
                progress=progress,
            )
            held = training.predict(model, p.x_val)
            temperatures = dict(
                zip(
                    STATES,
                    (1.0, calibration.fit_temperature(held, noisy_val), calibration.fit_temperature(held, p.y_val)),
                )
            )
            found = calibrated(training.predict(model, p.x_test), p.y_test, temperatures)
            found |= {f"{state}/temperature": temperatures[state] for state in STATES[1:]}
            found |= shares(training.predict(model, p.x).argmax(1), noisy, p.y)
            found["held_out_accuracy"] = (held.argmax(1) == noisy_val).double().mean().item()
            results |= {f"{rate}/{alpha}/{name}": value for name, value in found.items()}
            if follow:
                for column in ("test_accuracy", "memorised"):
                    arrays[f"{alpha}/{column}"] = history.column(column).astype(np.float32)
        chosen = choose(results, rate, config.alphas, "held_out_accuracy")
        results[f"{rate}/chosen/alpha"] = chosen
        results[f"{rate}/chosen/accuracy"] = results[f"{rate}/{chosen}/accuracy"]
        for alpha in config.alphas[1:]:
            gain = results[f"{rate}/{alpha}/accuracy"] - results[f"{rate}/{config.alphas[0]}/accuracy"]
            results[f"{rate}/{alpha}/gain"] = gain
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="noise",
    claim="Smoothing makes a network more robust to wrong labels.",
    source="textbook, Benefits and Practical Considerations; lukasik2020",
    reduction={
        "smoke": "300 training images and 3 epochs: tests the code, not the claim.",
        "cpu": "2,000 Fashion-MNIST images, one MLP and symmetric noise: says nothing of deep networks on natural "
        "images, nor of noise that follows the content of the image.",
    },
    configs={
        "smoke": Config(
            300, 300, 300, (0.0, 0.2, 0.4), (0.0, 0.1, 0.2, 0.4, 0.6), 0.4, (0.0, 0.6),
            training.Config(epochs=3, batch_size=64),
        ),
        "cpu": Config(
            2000, 2000, 2000, (0.0, 0.2, 0.4, 0.6), (0.0, 0.1, 0.2, 0.4, 0.6, 0.8), 0.4, (0.0, 0.1, 0.6),
            training.Config(epochs=80, lr=0.1),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        Contrast(
            "accuracy-0.1", "With 40% of the labels wrong, alpha = 0.1 raises accuracy",
            "0.4/0.1/accuracy", "0.4/0.0/accuracy", claimed="positive", margin=0.005,
        ),
        Contrast(
            "accuracy-0.6", "With 40% of the labels wrong, alpha = 0.6 raises accuracy",
            "0.4/0.6/accuracy", "0.4/0.0/accuracy", claimed="positive", margin=0.005,
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
            "0.4/0.6/gain", "0.0/0.6/gain", claimed="positive", margin=0.005,
        ),
        Contrast(
            "memorised-0.1", "With 40% of the labels wrong, alpha = 0.1 lowers the share of them learnt by heart",
            "0.4/0.1/memorised", "0.4/0.0/memorised", claimed="negative", margin=0.02,
        ),
        Contrast(
            "memorised-0.6", "With 40% of the labels wrong, alpha = 0.6 lowers the share of them learnt by heart",
            "0.4/0.6/memorised", "0.4/0.0/memorised", claimed="negative", margin=0.02,
        ),
        Contrast(
            "ece-0.1", "With 40% of the labels wrong, alpha = 0.1 lowers the ECE",
            "0.4/0.1/before/ece", "0.4/0.0/before/ece", claimed="negative", margin=0.005,
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
    data=("fashion-mnist-mini",),
)  # fmt: skip
