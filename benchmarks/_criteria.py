"""Every loss that `lsedu.losses` exports, with every choice it offers, found by the names and types of its arguments.

A loss maps a network's outputs to a tensor: an exported function that takes some of `OUTPUTS`, or a class whose
instances do. It is called with its defaults, then once for each value of each choice, each switch turned, each optional
argument given. An argument that is not known here raises, so that no loss is left out unseen.
"""

import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lsedu import losses
from lsedu.losses._module import Criterion

#: Arguments that a network computes, in the precision of its forward pass.
OUTPUTS = ("logits", "encoder_logits", "mean", "log_std")
#: What is given for numbers without a default.
NUMBERS = {"alpha": 0.1, "beta": 0.3, "n": 3, "keep_above": 0.5, "weight_decay": 0.1}
#: Numbers of which exactly one is to be given where both have no default.
ONE_OF = ("alpha", "beta")
#: Arguments that change where a loss is kept or how it is summed up rather than what it is.
LEFT = ("self", "reduction", "ignore_index", "device", "dtype", "loss", "process_group")


def tensors(num_classes: int, n: int, *, scale: float = 1.0) -> dict[str, Any]:
    """Return what is given for each argument, floats in float64, optional ones as ``@NAME``.

    `scale` is that of the logits.
    """
    k, draws = num_classes, torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draws, dtype=torch.float64)

    labels = torch.randint(k, (n,), generator=draws)
    return {
        "logits": scale * normal(n, k), "encoder_logits": scale * normal(n, k), "teacher_logits": scale * normal(n, k),
        "mean": normal(n, k), "log_std": 0.3 * normal(n, k), "labels": labels, "target": labels,
        "inputs": normal(n, k), "q_logits": normal(k, k), "table": normal(k, k).softmax(1),
        "classifier": normal(k, k).softmax(1), "num_classes": k, "teacher": lambda inputs: 2.0 * inputs,
        "@target": normal(n, k).softmax(1), "@weight": normal(k).exp(), "@prior": normal(k).softmax(0),
        "@scores": normal(n, k),
    }  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A loss with its choices made."""

    name: str
    call: Any
    chosen: dict[str, Any]

    def run(self, given: dict[str, Any], *, wide: bool = False) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, its mean where it is one a sample, and by name what it can be differentiated by.

        Parameters
        ----------
        given : dict
            As of `tensors`, all on one device; they are left alone.
        wide : bool
            Whether a module's own parameters are made float64.
        """
        leaves = {name: given[name].detach().clone().requires_grad_() for name in (*OUTPUTS, "q_logits")}
        given = given | leaves

        def arguments(function: Callable) -> dict[str, Any]:
            names = inspect.signature(function).parameters
            chosen = {name: value for name, value in self.chosen.items() if name in names}
            optional = {name: given[f"@{name}"] for name, value in chosen.items() if value == f"@{name}"}
            return {name: given[name] for name in names if name in given} | chosen | optional

        if not inspect.isclass(self.call):
            return self.call(**arguments(self.call)).mean(), leaves
        made = self.call(**arguments(self.call))
        if isinstance(made, nn.Module):
            made = made.to(given["logits"].device, torch.float64 if wide else None)
            leaves |= dict(made.named_parameters())
        if isinstance(made, Criterion):  # its options are given, its inputs are the function's
            inputs = inspect.signature(_called(self.call)).parameters.values()
            return made(*(given[p.name] for p in inputs if p.kind is p.POSITIONAL_OR_KEYWORD)).mean(), leaves
        return made(**arguments(_called(self.call))).mean(), leaves


def _called(exported: Any) -> Any:
    """Return the function that maps to the loss: what an instance of a class calls, or the function itself."""
    if not inspect.isclass(exported):
        return exported
    if issubclass(exported, Criterion):
        return exported._loss
    return getattr(exported, "forward", exported.__dict__.get("__call__"))


def is_loss(exported: Any) -> bool:
    """Return whether something maps a network's outputs to a tensor and draws nothing."""
    function = _called(exported)
    if not callable(function):
        return False
    names = inspect.signature(function).parameters
    gives = typing.get_type_hints(function).get("return")
    return gives is Tensor and "generator" not in names and any(name in OUTPUTS for name in names)


def cases() -> Iterator[Case]:
    """Yield every loss with its defaults, then with one choice after the other."""
    known = tensors(2, 1)
    for name in losses.__all__:
        call = getattr(losses, name)
        if not is_loss(call):
            continue
        own = inspect.isclass(call) and not issubclass(call, Criterion)
        hints = typing.get_type_hints(call.__init__ if own else _called(call))
        taken = inspect.signature(call).parameters
        one_of = ONE_OF if all(name in taken and taken[name].default is None for name in ONE_OF) else ()
        base: dict[str, Any] = {}
        others: list[tuple[str, Any]] = []
        for argument, parameter in taken.items():
            if argument in LEFT:
                continue
            if argument in known:
                others += [(argument, f"@{argument}")] if f"@{argument}" in known else []
                continue
            values = _choices(argument, hints[argument], parameter.default)
            if parameter.default is inspect.Parameter.empty or argument in one_of[:1]:
                base[argument], *values = values
            others += [(argument, value) for value in values]
        yield Case(name, call, base)
        for argument, value in others:
            kept = {key: old for key, old in base.items() if not {key, argument} <= set(one_of)}
            yield Case(f"{name}, {argument}={str(value).lstrip('@')}", call, kept | {argument: value})


def _choices(name: str, kind: Any, default: Any) -> list[Any]:
    """Return the values of an argument to be tried beside its default, the first of them what stands in for none."""
    found: list[Any] = []
    for part in typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, UnionType) else (kind,):
        if typing.get_origin(part) is Literal:
            found += typing.get_args(part)
        elif part is bool:
            found += [True, False]
        elif part is Tensor and f"@{name}" in tensors(2, 1):
            found.append(f"@{name}")
        elif part in (int, float) and name in NUMBERS and default in (None, inspect.Parameter.empty):
            found.append(NUMBERS[name])
        elif part is not NoneType and default in (None, inspect.Parameter.empty):
            raise TypeError(f"no value is known for an argument {name} of type {kind}")
    return [value for value in found if value != default]
