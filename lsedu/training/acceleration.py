"""What makes training fast, or exactly repeatable: precision, memory layout, compiled and recorded networks."""

import contextlib
import os
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from lsedu.training.config import Config


def check(config: Config, device: torch.device) -> None:
    """Raise ValueError if the device cannot do what the recipe asks of it; the message says what to change."""
    if config.cuda_graphs and device.type != "cuda":
        raise ValueError(f"cuda_graphs needs a CUDA device, this one is {device}; train with cuda_graphs=False")
    # a card without units for bfloat16 emulates it, more slowly than it computes in float32
    if config.precision == "bfloat16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(False):
        raise ValueError(f"{torch.cuda.get_device_name(device)} has no bfloat16; train with precision='float32'")


@contextlib.contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Allow only operations that give the same bits each time, within the block; settings are restored after it.

    Parameters
    ----------
    wanted : bool
        False leaves everything as it is.

    Raises
    ------
    RuntimeError
        Within the block, by PyTorch, at an operation that has no such form; the message names it.
    """
    if not wanted:
        yield
        return
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )
    try:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # matrix products on CUDA ask for it
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before[2], before[3]
        if before[4] is None:
            del os.environ["CUBLAS_WORKSPACE_CONFIG"]


@contextlib.contextmanager
def fastest() -> Iterator[None]:
    """Let cuDNN try its algorithms for each shape and keep the fastest, within the block; of no effect elsewhere."""
    before = torch.backends.cudnn.benchmark
    try:
        torch.backends.cudnn.benchmark = True
        yield
    finally:
        torch.backends.cudnn.benchmark = before


class _Forward(nn.Module):
    """The network in the recipe's precision."""

    def __init__(self, model: nn.Module, config: Config) -> None:
        super().__init__()
        self.model = model
        self.half = config.precision == "bfloat16"

    def forward(self, x: Tensor) -> Tensor:
        if not self.half:
            return self.model(x)
        # weights are not cached in bfloat16: a replayed graph would go on with old ones
        with torch.autocast(x.device.type, torch.bfloat16, cache_enabled=False):
            return self.model(x)


def _replayed(forward: nn.Module, sample: Tensor) -> Callable[[Tensor], Tensor]:
    """Return `forward`, recorded for batches shaped like `sample`, and as it is for others."""
    kept = [(buffer, buffer.clone()) for buffer in forward.buffers()]
    with torch.random.fork_rng(devices=[sample.device] if sample.is_cuda else []):
        replay = torch.cuda.make_graphed_callables(_Copy(forward), (sample,))
    for buffer, value in kept:  # recording runs the network some times, which moves the statistics of its norms
        buffer.copy_(value)
    return lambda x: replay(x) if x.shape == sample.shape else forward(x)


class _Copy(nn.Module):
    """The same network under another name: recording replaces the forward of what it is given."""

    def __init__(self, forward: nn.Module) -> None:
        super().__init__()
        self.inner = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


def prepare(model: nn.Module, config: Config, sample: Tensor) -> Callable[[Tensor], Tensor]:
    """Return what maps training images to logits, the model's own parameters inside.

    Parameters
    ----------
    model : nn.Module
        In training mode; with ``channels_last`` its parameters are moved.
    config : Config
    sample : Tensor, shape (B, C, H, W)
        A batch as the network will see it; recorded networks replay for this shape only.
    """
    if config.channels_last:
        model.to(memory_format=torch.channels_last)
    forward = _Forward(model, config)  # the parts of the model keep their modes
    if config.compile:
        return torch.compile(forward, mode="reduce-overhead" if config.cuda_graphs else "default")
    return _replayed(forward, sample) if config.cuda_graphs else forward
