"""Is a smoothed network easier or harder to fool? It depends on the attack; the weakest one is no answer.

Claim: label smoothing reduces robustness against adversarial attacks (zantedeschi2017, as cited by pragmatic-ib).
Others find the opposite (goibert2019), and others again that what is gained is an illusion of weak attacks (fu2020).
Attacks: one step along the sign of the gradient of cross-entropy (FGSM), 20 such steps (PGD), and 20 steps against the
difference of logits. The last does not care about the scale of the logits, which smoothing changes and on which the
gradient of cross-entropy depends. Besides, pictures made against another network, and random signs as a control.
Set-up: 5,000 Fashion-MNIST images, one MLP, the same data and initial weights for each alpha. On one thread of a
laptop core: half a minute a seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lsedu import models, training
from lsedu.experiments.experiment import Contrast, Experiment, Outcome
from lsedu.studies._contrasts import at_strength
from lsedu.studies._pictures import Scale, pictures
from lsedu.studies._scores import leads
from lsedu.studies._training import accuracy, smoothed

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Config(Scale):
    """Scale of the study; `epsilon` is the size of the attack that is concluded from."""

    alphas: tuple[float, ...]
    epsilon: float
    epsilons: tuple[float, ...]
    steps: int


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the summed one-hot cross-entropy: what the usual attacks increase."""
    return functional.cross_entropy(logits, labels, reduction="sum")


def lead_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return minus the summed leads: a loss whose slope keeps its direction when all logits are rescaled."""
    return -leads(logits, labels).sum()


def slopes(model: nn.Module, x: Tensor, y: Tensor, loss: Loss) -> Tensor:
    """Return the gradient of each picture's own loss on its pixels, of the shape of `x`."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(loss(model(x), y), x)[0]


def attack(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    loss: Loss,
    epsilon: float,
    steps: int = 1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return pictures that raise `loss`, no pixel further than `epsilon` from where it was, all in [0, 1].

    One step of length epsilon is FGSM; several, of length 2.5 epsilon / steps from a random start, are PGD.
    """
    step, change = epsilon, torch.zeros_like(x)
    if steps > 1:
        step = 2.5 * epsilon / steps
        start = torch.rand(x.shape, generator=generator, dtype=x.dtype).to(x.device)
        change = (x + epsilon * (2 * start - 1)).clamp(0, 1) - x
    for _ in range(steps):
        change = (change + step * slopes(model, x + change, y, loss).sign()).clamp(-epsilon, epsilon)
        change = (x + change).clamp(0, 1) - x
    return (x + change).detach()


def distance(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return the median over pictures of the first-order estimate of the attack that turns the answer; 0 where wrong.

    The lead of the label's logit over the size (L1) of its slope, which rescaling all logits does not change.
    """
    steepness = slopes(model, x, y, lead_loss).flatten(1).abs().sum(1)
    return (leads(training.predict(model, x), y).clamp(min=0) / steepness.clamp(min=1e-12)).median().item()


def measure(config: Config, seed: int, *, device: str, workdir: Path | None, progress: bool) -> Outcome:
    """Attack a network of each alpha, and one against which pictures for all of them are made."""
    p = pictures(config, seed=seed, device=device)
    x, y = p.x_test, p.y_test

    def train(alpha: float, seed: int, name: str) -> models.Classifier:
        options = {"recipe": config.training, "workdir": workdir, "progress": progress}
        return smoothed(models.mlp, p.x, p.y, alpha=alpha, seed=seed, name=name, **options)[0]

    def made(model: nn.Module, loss: Loss, epsilon: float, steps: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return attack(model, x, y, loss=loss, epsilon=epsilon, steps=steps, generator=generator)

    elsewhere = made(train(0.0, seed + 1000, "elsewhere"), lead_loss, config.epsilon, config.steps)
    signs = 2 * torch.randint(0, 2, x.shape, generator=torch.Generator().manual_seed(seed)).to(x) - 1
    results: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for alpha in config.alphas:
        model = train(alpha, seed, str(alpha))
        changed = {
            "none": x,
            "signs": (x + config.epsilon * signs).clamp(0, 1),
            "fgsm": made(model, cross_entropy, config.epsilon, 1),
            "pgd": made(model, cross_entropy, config.epsilon, config.steps),
            "lead": made(model, lead_loss, config.epsilon, config.steps),
            "elsewhere": elsewhere,
        }
        right = {name: training.predict(model, images).argmax(1) == y for name, images in changed.items()}
        right["worst"] = torch.stack(list(right.values())).all(0)
        for name, mask in right.items():
            results[f"{alpha}/{name}"] = mask.double().mean().item()
            arrays[f"{alpha}/{name}/hits"] = np.packbits(mask.cpu().numpy())
        slope = slopes(model, x, y, cross_entropy).flatten(1).abs().sum(1)
        results[f"{alpha}/no_slope"] = (slope == 0).double().mean().item()
        results[f"{alpha}/slope"] = slope.median().item()
        results[f"{alpha}/distance"] = distance(model, x, y)
        for name, loss, steps in (("fgsm", cross_entropy, 1), ("lead", lead_loss, config.steps)):
            arrays[f"{alpha}/{name}"] = np.array(
                [accuracy(model, made(model, loss, epsilon, steps), y) for epsilon in config.epsilons], np.float32
            )
    return Outcome(results, arrays)


EXPERIMENT = Experiment(
    name="attacks",
    claim="Label smoothing makes a network less robust to adversarial pictures.",
    source="zantedeschi2017, as cited in pragmatic-ib, Introduction",
    reduction={
        "smoke": "600 training images and one epoch: tests the code, not the claim.",
        "cpu": "One MLP on 5,000 grey pictures and attacks of bounded pixel change: says nothing of deep networks on "
        "natural images, of other bounds, of adversarial training, or of attacks stronger than 20 steps.",
    },
    configs={
        "smoke": Config(
            train_size=600, validation_size=400, test_size=200, alphas=(0.0, 0.1, 0.4), epsilon=0.04,
            epsilons=(0.01, 0.04), steps=4, training=training.Config(epochs=1, batch_size=64),
        ),
        "cpu": Config(
            train_size=5000, validation_size=2000, test_size=1000, alphas=(0.0, 0.1, 0.4), epsilon=0.04,
            epsilons=(0.005, 0.01, 0.02, 0.04, 0.08), steps=20, training=training.Config(epochs=40),
        ),
    },
    seeds={"smoke": (0, 1), "cpu": (100, 101, 102, 103, 104)},
    measure=measure,
    contrasts=(
        *(
            at_strength(alpha, key, claim, margin=0.02)
            for alpha, key, claim in (
                (0.1, "fgsm", "Under FGSM a smoothed network is right less often"),
                (0.1, "pgd", "Under PGD on cross-entropy a smoothed network is right less often"),
                (0.1, "lead", "Under PGD on the lead a smoothed network is right less often"),
                (0.1, "elsewhere", "On pictures made against another network it is right less often"),
                (0.1, "worst", "A smoothed network survives all attacks less often"),
                (0.4, "worst", "A smoothed network survives all attacks less often"),
            )
        ),
        *(
            Contrast(
                f"weak-attack-{alpha}",
                f"FGSM leaves the {title} network right more often than the attack on the lead",
                f"{alpha}/fgsm", f"{alpha}/lead", claimed="positive", margin=0.02,
            )
            for alpha, title in ((0.0, "plain"), (0.1, "smoothed"))
        ),
    ),
    primary=("fgsm-0.1", "worst-0.1",),
    data=("fashion-mnist-mini",),
)  # fmt: skip
