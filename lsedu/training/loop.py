"""The training loop: seeded, resumable, with progress and history.

Batch order and noise of an epoch depend on the seed and the epoch alone, so that a checkpoint holds no generator state
and a run killed at any moment ends, after its resumption, in the same bits (on CPU with the same number of threads).
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from lsedu.training import checkpoint as checkpoints
from lsedu.training.config import Config
from lsedu.training.history import History
from lsedu.training.schedule import factor

Metrics = Callable[[nn.Module], dict[str, float]]


class DivergedError(RuntimeError):
    """The loss became NaN or infinite; the message names the step and the last good checkpoint."""


def _optimizer(model: nn.Module, criterion: Any, config: Config) -> torch.optim.Optimizer:
    groups: list[dict[str, Any]] = [{"params": list(model.parameters()), "weight_decay": config.weight_decay}]
    if hasattr(criterion, "parameter_groups"):
        groups += criterion.parameter_groups(lr=config.lr, weight_decay=config.weight_decay)
    elif isinstance(criterion, nn.Module) and (own := list(criterion.parameters())):
        groups.append({"params": own, "weight_decay": config.weight_decay})
    if config.optimizer == "adam":
        return torch.optim.Adam(groups, lr=config.lr)
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum)


def _epoch_generator(config: Config, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed((config.seed + 1) * 1_000_003 + epoch)


def fit(
    model: nn.Module,
    criterion: Callable[[Tensor, Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    *,
    config: Config,
    metrics: Metrics | None = None,
    checkpoint: Path | None = None,
    progress: bool = True,
) -> History:
    """Train `model` in place and return what happened, epoch by epoch.

    Parameters
    ----------
    model : nn.Module
        Maps images (N, C, H, W) to logits (N, K); trained on the device it is on.
    criterion : callable
        ``criterion(logits, labels)`` gives a scalar loss. If it is a module, its own parameters are trained too (by
        ``criterion.parameter_groups(lr=, weight_decay=)`` where it has that), and ``criterion.end_of_epoch()`` is
        called where it exists. With the attribute ``needs_inputs`` true it is given ``inputs=images`` as well.
    images : Tensor, shape (N, C, H, W)
        Training images on the model's device.
    labels : Tensor, shape (N,)
        Training labels, there too.
    config : Config
        The recipe.
    metrics : callable, optional
        ``metrics(model)`` is called after each epoch, in evaluation mode without gradients, and gives named floats
        for the history.
    checkpoint : Path, optional
        Where the state is kept after each epoch. If the file exists, the run goes on from it.
    progress : bool
        Whether to show a bar with loss, accuracy and remaining time.

    Returns
    -------
    History
        A row an epoch: mean training loss and accuracy while training, learning rate, seconds, and the metrics.

    Raises
    ------
    ValueError
        If there are no samples or as many labels as images are not given.
    DivergedError
        At the first loss that is NaN or infinite.
    CheckpointError
        If the checkpoint is damaged or belongs to another recipe.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(f"images and labels must be equally many and not empty, got {len(images)} and {len(labels)}")
    device = images.device
    steps = -(-len(images) // config.batch_size)
    optimizer = _optimizer(model, criterion, config)
    peaks = [group["lr"] for group in optimizer.param_groups]
    rows: list[dict[str, float]] = []
    state = checkpoints.load(checkpoint, config, device=device) if checkpoint is not None else None
    if state is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        if isinstance(criterion, nn.Module):
            criterion.load_state_dict(state["criterion"])
        rows = state["rows"]

    with tqdm(total=config.epochs * steps, initial=len(rows) * steps, disable=not progress, unit="step") as bar:
        for epoch in range(len(rows), config.epochs):
            rows.append(
                _epoch(model, criterion, images, labels, config, epoch, steps, optimizer, peaks, checkpoint, bar)
            )
            if hasattr(criterion, "end_of_epoch"):
                criterion.end_of_epoch()
            if metrics is not None:
                model.eval()
                with torch.inference_mode():
                    rows[-1].update(metrics(model))
            if checkpoint is not None:
                checkpoints.save(
                    checkpoint,
                    {
                        "config": asdict(config),
                        "model": model.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "criterion": criterion.state_dict() if isinstance(criterion, nn.Module) else {},
                        "rows": rows,
                    },
                )
    model.eval()
    return History(tuple(rows))


def _epoch(
    model: nn.Module,
    criterion: Any,
    images: Tensor,
    labels: Tensor,
    config: Config,
    epoch: int,
    steps: int,
    optimizer: torch.optim.Optimizer,
    peaks: list[float],
    checkpoint: Path | None,
    bar: tqdm,
) -> dict[str, float]:
    """Run one epoch and return its row of the history."""
    start = time.perf_counter()
    model.train()
    generator = _epoch_generator(config, epoch)
    order = torch.randperm(len(images), generator=generator).to(images.device)
    needs_inputs = getattr(criterion, "needs_inputs", False)
    loss_sum = torch.zeros((), dtype=torch.float64, device=images.device)
    hits = torch.zeros((), dtype=torch.int64, device=images.device)
    devices = [images.device] if images.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        for i, batch in enumerate(order.split(config.batch_size)):
            scale = factor(config, epoch * steps + i, steps)
            for group, peak in zip(optimizer.param_groups, peaks):
                group["lr"] = peak * scale
            x, y = images[batch], labels[batch]
            logits = model(x)
            loss = criterion(logits, y, inputs=x) if needs_inputs else criterion(logits, y)
            if not torch.isfinite(loss):
                kept = f"the last good checkpoint is {checkpoint}" if checkpoint and epoch else "there is no checkpoint"
                raise DivergedError(
                    f"the loss is {loss.item()} at step {epoch * steps + i} (epoch {epoch + 1} of {config.epochs}, "
                    f"learning rate {peaks[0] * scale:g}); {kept}"
                )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                loss_sum += loss.detach().double() * len(y)
                hits += (logits.argmax(1) == y).sum()
            bar.update()
    row = {
        "epoch": float(epoch + 1),
        "loss": loss_sum.item() / len(images),
        "accuracy": hits.item() / len(images),
        "lr": peaks[0] * scale,
    }
    bar.set_description(f"epoch {epoch + 1}/{config.epochs}")
    bar.set_postfix(loss=f"{row['loss']:.4f}", accuracy=f"{row['accuracy']:.3f}")
    return {**row, "seconds": time.perf_counter() - start}


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor, *, batch_size: int = 1024) -> Tensor:
    """Return the logits of all images, shape (N, K), float32, on their device, the model in evaluation mode."""
    was_training = model.training
    model.eval()
    logits = torch.cat([model(batch).float() for batch in images.split(batch_size)])
    model.train(was_training)
    return logits
