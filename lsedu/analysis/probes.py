"""Probes: how much of a factor can be read off frozen features, by a linear map or by a small network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lsedu import _check

ROUNDING = 1e-12
"""A standard deviation below this part of the largest value is rounding."""


@dataclass(frozen=True)
class Probe:
    """A fitted probe.

    Attributes
    ----------
    train_accuracy, test_accuracy : float
        Share of right predictions.
    predict : callable
        Features (N, D), array-like or Tensor, to logits (N, K).
    """

    train_accuracy: float
    test_accuracy: float
    predict: Callable[[Any], Tensor]


def _split(name: str, features: Any, labels: Any) -> tuple[Tensor, Tensor]:
    x = _check.array(f"{name} features", features, ndim=2)
    if x.size == 0:
        raise ValueError(f"{name} features must hold at least one sample and one feature, got shape {x.shape}")
    y = _check.label_array(f"{name} labels", labels, torch.iinfo(torch.int64).max, size=len(x))
    # a copy: torch takes no view that runs backwards, and warns of one that cannot be written
    return torch.from_numpy(np.array(x)), torch.from_numpy(y)


def _prepare(train: tuple, test: tuple, device: torch.device | str) -> tuple[tuple, tuple, Callable, int]:
    device = _check.device("device", device)
    x, y = _split("train", *train)
    classes = int(y.max()) + 1
    a, b = _split("test", *test)
    if a.shape[1] != x.shape[1]:
        raise ValueError(f"test features must have {x.shape[1]} columns like the train features, got {a.shape[1]}")
    mean, scale = x.mean(0), x.std(0, unbiased=False)
    # what rounding leaves of a constant feature is no spread
    scale = torch.where(scale > ROUNDING * x.abs().amax(0), scale, torch.ones_like(scale))

    def standardise(values: Any) -> Tensor:
        given = torch.from_numpy(np.array(_check.array("features", values, ndim=2)))
        if given.shape[1] != len(mean):
            raise ValueError(f"features must have {len(mean)} columns like the train features, got {given.shape[1]}")
        return ((given - mean) / scale).to(device)

    return (x, y.to(device)), (a, b.to(device)), standardise, classes


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a layer of float64 with bias 0 and weights to be set; torch's own would draw them first."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, device="cpu", dtype=torch.float64)
    nn.init.zeros_(layer.bias)
    return layer


def _finish(model: nn.Module, train: tuple, test: tuple, standardise: Callable) -> Probe:
    @torch.no_grad()
    def predict(features: Any) -> Tensor:
        return model(standardise(features))

    def accuracy(x: Tensor, y: Tensor) -> float:
        return float((predict(x).argmax(1) == y).double().mean())

    return Probe(accuracy(*train), accuracy(*test), predict)


@torch.inference_mode(False)
@torch.enable_grad()
def linear_probe(
    train_features: Any,
    train_labels: Any,
    test_features: Any,
    test_labels: Any,
    *,
    penalty: float = 1e-3,
    max_iterations: int = 500,
    device: torch.device | str = "cpu",
) -> Probe:
    r"""Return a multinomial logistic regression on frozen features.

    Parameters
    ----------
    train_features, test_features : array-like or Tensor, shapes (N, D) and (M, D)
        Features; standardised by the training mean and standard deviation.
    train_labels, test_labels : array-like or Tensor, shapes (N,) and (M,)
        Integer labels. There are as many classes as the largest training label says; a test label beyond is wrong.
    penalty : float
        Weight > 0 of the squared norm of the coefficients, halved; the intercept is free.
    max_iterations : int
        Steps of L-BFGS at most.
    device : torch.device or str
        Where to fit, in float64.

    Returns
    -------
    Probe

    Raises
    ------
    ValueError
        For misshapen features, negative labels, or options out of range.

    Notes
    -----
    Minimises the mean cross-entropy plus ``penalty / 2`` times the squared norm, which is strictly convex in the
    coefficients: the answer does not depend on a seed :cite:p:`alain2016`.

    Examples
    --------
    >>> linear_probe([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1], [[0.2], [2.9]], [0, 1]).test_accuracy
    1.0
    """
    penalty = _check.real_in("penalty", penalty, 0.0, float("inf"), open_low=True, open_high=True)
    max_iterations = _check.whole("max_iterations", max_iterations, low=1)
    train, test, standardise, classes = _prepare((train_features, train_labels), (test_features, test_labels), device)
    model = _linear(train[0].shape[1], classes)
    nn.init.zeros_(model.weight)
    model.to(device)
    x, y = standardise(train[0]), train[1]
    optimiser = torch.optim.LBFGS(
        model.parameters(),
        max_iter=max_iterations,
        tolerance_grad=1e-9,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(x), y) + 0.5 * penalty * model.weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return _finish(model, train, test, standardise)


@torch.inference_mode(False)
@torch.enable_grad()
def mlp_probe(
    train_features: Any,
    train_labels: Any,
    test_features: Any,
    test_labels: Any,
    *,
    hidden: int = 128,
    epochs: int = 50,
    batch: int = 256,
    lr: float = 1e-3,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> Probe:
    """Return a network of one hidden layer on frozen features.

    Parameters
    ----------
    train_features, train_labels, test_features, test_labels, device
        As in `linear_probe`.
    hidden, epochs, batch : int
        Hidden units, passes over the data and batch size, >= 1.
    lr : float
        Learning rate > 0 of Adam.
    generator : torch.Generator, optional
        Source, on the CPU, of the initial weights and the order of samples; one seeded with 0 by default. torch's
        global generator is neither used nor moved, so that a probe changes nothing of the run around it.

    Returns
    -------
    Probe

    Raises
    ------
    ValueError
        As in `linear_probe`.

    Notes
    -----
    What a linear probe misses may still be there: compare the two before saying that a factor is gone.

    Examples
    --------
    >>> xor = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    >>> probe = mlp_probe(xor, [0, 1, 1, 0], xor, [0, 1, 1, 0], epochs=300, lr=0.01,
    ...                   generator=torch.Generator().manual_seed(0))
    >>> probe.test_accuracy
    1.0
    """
    lr = _check.real_in("lr", lr, 0.0, float("inf"), open_low=True, open_high=True)
    for name, value in (("hidden", hidden), ("epochs", epochs), ("batch", batch)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} must be an integer >= 1, got {value!r}")
    if generator is not None and not isinstance(generator, torch.Generator):
        raise ValueError(f"generator must be a torch.Generator, got {type(generator).__name__}")
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    train, test, standardise, classes = _prepare((train_features, train_labels), (test_features, test_labels), device)
    layers = _linear(train[0].shape[1], int(hidden)), _linear(int(hidden), classes)
    for layer in layers:
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1]).to(device)
    x, y = standardise(train[0]), train[1]
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(epochs):
        for index in torch.randperm(len(x), generator=generator, device="cpu").to(device).split(batch):
            optimiser.zero_grad()
            functional.cross_entropy(model(x[index]), y[index]).backward()
            optimiser.step()
    return _finish(model, train, test, standardise)
