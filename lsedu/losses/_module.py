"""Losses as modules: a function of the library with its options given once."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class Criterion(nn.Module):
    """A loss function as a module; made by ``class Focal(Criterion, of=focal)``.

    The function's options are keyword-only arguments of the constructor, and attributes afterwards; tensors among them
    are buffers, which move with the module. A wrong option is named at once: the loss is tried on one sample.
    """

    _loss: ClassVar[Callable[..., Tensor]]
    _names: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, *, of: Callable[..., Tensor], per_call: tuple[str, ...] = (), **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._loss = staticmethod(of)
        keywords = [p for p in inspect.signature(of).parameters.values() if p.kind is p.KEYWORD_ONLY]
        keywords = [p for p in keywords if p.name not in per_call]
        cls._names = tuple(p.name for p in keywords)
        cls.__signature__ = inspect.Signature(keywords)

    def __init__(self, **options: Any):
        super().__init__()
        given = self.__signature__.bind(**options)
        given.apply_defaults()
        for name, value in given.arguments.items():
            if isinstance(value, Tensor):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)
        self._loss(*self._trial(given.arguments), **given.arguments)

    def _trial(self, options: dict[str, Any]) -> Iterator[Tensor]:
        """Yield one sample of each input that the loss takes."""
        held = [value for value in options.values() if isinstance(value, Tensor) and value.ndim]
        k, device = (held[0].shape[-1], held[0].device) if held else (2, torch.device("cpu"))
        of_classes = torch.zeros(1, max(k, 1), device=device)
        special = {
            "labels": torch.zeros(1, dtype=torch.long, device=device),
            "target": torch.zeros(1, dtype=torch.long, device=device),
            "classifier": torch.full((max(k, 1), 1), 1.0, device=device),
        }
        for parameter in inspect.signature(self._loss).parameters.values():
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                yield special.get(parameter.name, of_classes)

    def forward(self, *inputs: Tensor, **options: Any) -> Tensor:
        """Return the loss of what the function takes, such as logits (N, K) and labels (N,), in nats."""
        return self._loss(*inputs, **{name: getattr(self, name) for name in self._names} | options)

    def extra_repr(self) -> str:
        """Show what was chosen."""
        defaults = self.__signature__.parameters
        chosen = {name: getattr(self, name) for name in self._names}
        return ", ".join(
            f"{name}={value!r}"
            for name, value in chosen.items()
            if not isinstance(value, Tensor) and value is not None and value != defaults[name].default
        )
