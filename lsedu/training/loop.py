"""The training loop: seeded, resumable, with progress and history.

Batch order, augmentation and noise of an epoch depend on the seed and the epoch alone, so that a checkpoint holds no
generator state and a run killed at any moment ends, after its resumption, in the same bits (on CPU with the same number
of threads).
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lsedu import _look
from lsedu._errors import LseduError
from lsedu.training import acceleration
from lsedu.training import checkpoint as checkpoints
from lsedu.training.augmentation import Batch, augment, mixed_loss
from lsedu.training.config import Config
from lsedu.training.history import History
from lsedu.training.predict import as_floats
from lsedu.training.schedule import factor
from lsedu.training.watch import LossWatch

Metrics = Callable[[nn.Module], dict[str, float]]


class DivergedError(LseduError, RuntimeError):
    """The loss became NaN or infinite; the message names the step and the last good checkpoint."""


def _optimizer(model: nn.Module, criterion: Any, config: Config) -> torch.optim.Optimizer:
    groups: list[dict[str, Any]] = [{"params": list(model.parameters()), "weight_decay": config.weight_decay}]
    if hasattr(criterion, "parameter_groups"):
        groups += criterion.parameter_groups(lr=config.lr, weight_decay=config.weight_decay)
    elif isinstance(criterion, nn.Module) and (own := list(criterion.parameters())):
        groups.append({"params": own, "weight_decay": config.weight_decay})
    if config.optimizer != "sgd":
        return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.optimizer](groups, lr=config.lr)
    on_card = all(parameter.is_cuda for group in groups for parameter in group["params"])
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, fused=on_card)


def _classes_needed(labels: Tensor) -> float:
    """Return the least number of classes with which a loss need not look at its labels, inf where it has to.

    It need not where looking makes the program wait and all labels are classes.
    """
    if labels.device.type == "cpu":
        return math.inf
    low, high = torch.stack(labels.aminmax()).tolist()
    return high + 1 if low >= 0 else math.inf


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
        Maps images (N, C, H, W) to logits (N, K); trained on the device it is on. In training mode, a part of it that
        is in evaluation mode, such as frozen batch normalisation, stays so; in evaluation mode, all of it is trained.
    criterion : callable
        ``criterion(logits, labels)`` gives a scalar loss. If it is a module, its own parameters are trained too (by
        ``criterion.parameter_groups(lr=, weight_decay=)`` where it has that), and ``criterion.end_of_epoch()`` is
        called where it exists. With the attribute ``needs_inputs`` true it is given ``inputs=images`` as well. Where
        samples are mixed it is called for both labels.
    images : Tensor, shape (N, C, H, W)
        Training images on the model's device; bytes are taken as 256 levels of [0, 1], batch by batch.
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
        A row an epoch: mean training loss and accuracy (against the first label of mixed samples) while training,
        learning rate, seconds, and the metrics.

    Raises
    ------
    ValueError
        If there are no samples, as many labels as images are not given, or the device cannot do what the recipe asks.
    DivergedError
        At the first loss that is NaN or infinite.
    CheckpointError
        If the checkpoint is damaged or belongs to another recipe, model or criterion; the model is left as it was.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(f"images and labels must be equally many and not empty, got {len(images)} and {len(labels)}")
    acceleration.check(config, images.device)
    with acceleration.deterministic(True) if config.deterministic else acceleration.fastest():
        run = _Run(model, criterion, images, labels, config, checkpoint)
        with tqdm(total=config.epochs * run.steps, disable=not progress, unit="step") as bar:
            bar.update(len(run.rows) * run.steps)
            for epoch in range(len(run.rows), config.epochs):
                run.rows.append(run.epoch(epoch, bar))
                if hasattr(criterion, "end_of_epoch"):
                    criterion.end_of_epoch()
                if metrics is not None:
                    model.eval()
                    with torch.inference_mode():
                        run.rows[-1].update(metrics(model))
                run.save()
    model.eval()
    return History(tuple(run.rows))


class _Run:
    """A training run: what it holds between epochs."""

    def __init__(
        self,
        model: nn.Module,
        criterion: Any,
        images: Tensor,
        labels: Tensor,
        config: Config,
        checkpoint: Path | None,
    ) -> None:
        self.model, self.criterion, self.config = model, criterion, config
        self.frozen = [module for module in model.modules() if not module.training] if model.training else []
        self.images, self.labels, self.checkpoint = images, labels, checkpoint
        self.classes_needed = _classes_needed(labels)
        self.steps = -(-len(images) // config.batch_size)
        self.optimizer = _optimizer(model, criterion, config)
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.rows: list[dict[str, float]] = []
        state = None
        if checkpoint is not None:
            parts = {"model": model.state_dict(), "criterion": self._state_of_criterion()}
            state = checkpoints.load(checkpoint, config, parts, device=images.device)
        if state is not None:
            model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            if isinstance(criterion, nn.Module):
                criterion.load_state_dict(state["criterion"])
            self.rows = state["rows"]
        sample = self._batch(torch.arange(min(config.batch_size, len(images))), self._augmenting(0)).images
        self._train()
        self.forward = acceleration.prepare(model, config, sample)

    def _train(self) -> None:
        """Put the model in training mode, but for the parts that are frozen."""
        self.model.train()
        for module in self.frozen:
            module.training = False

    def _state_of_criterion(self) -> dict[str, Any]:
        return self.criterion.state_dict() if isinstance(self.criterion, nn.Module) else {}

    def save(self) -> None:
        """Keep the state, if it is to be kept."""
        if self.checkpoint is None:
            return
        state = {
            "config": asdict(self.config),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "criterion": self._state_of_criterion(),
            "rows": self.rows,
        }
        checkpoints.save(self.checkpoint, state)

    def _augmenting(self, seed: int) -> torch.Generator:
        return torch.Generator(self.images.device).manual_seed(seed)

    def _batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """Return the samples at `index` as the network sees them."""
        batch = Batch(as_floats(self.images[index]), self.labels[index])
        batch = augment(batch, self.config.augment, generator=generator)
        if self.config.channels_last:
            batch = batch._replace(images=batch.images.to(memory_format=torch.channels_last))
        return batch

    def epoch(self, epoch: int, bar: tqdm) -> dict[str, float]:
        """Run one epoch and return its row of the history."""
        start = time.perf_counter()
        config, optimizer, device = self.config, self.optimizer, self.images.device
        self._train()
        generator = _epoch_generator(config, epoch)
        order = torch.randperm(len(self.images), generator=generator).to(device)
        needs_inputs = getattr(self.criterion, "needs_inputs", False)
        watch = LossWatch(device)
        hits = torch.zeros((), dtype=torch.int64, device=device)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
            augmenting = self._augmenting(int(torch.randint(2**31, (1,), generator=generator)))
            for i, index in enumerate(order.split(config.batch_size)):
                scale = factor(config, epoch * self.steps + i, self.steps)
                for group, peak in zip(optimizer.param_groups, self.peaks):
                    group["lr"] = peak * scale
                batch = self._batch(index, augmenting)
                logits = self.forward(batch.images)
                with _look.trusted() if logits.shape[1] >= self.classes_needed else _look.looking():
                    options = {"inputs": batch.images} if needs_inputs else {}
                    loss = mixed_loss(self.criterion, logits, batch, **options)
                self._stop_if_diverged(watch.add(loss, len(index)), watch, epoch)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                with torch.no_grad():
                    hits += (logits.argmax(1) == batch.labels).sum()
                bar.update()
        self._stop_if_diverged(watch.look(), watch, epoch)
        row = {
            "epoch": float(epoch + 1),
            "loss": watch.total() / len(self.images),
            "accuracy": hits.item() / len(self.images),
            "lr": self.peaks[0] * scale,
        }
        bar.set_description(f"epoch {epoch + 1}/{config.epochs}")
        bar.set_postfix(loss=f"{row['loss']:.4f}", accuracy=f"{row['accuracy']:.3f}")
        return {**row, "seconds": time.perf_counter() - start}

    def _stop_if_diverged(self, bad: int | None, watch: LossWatch, epoch: int) -> None:
        if bad is None:
            return
        kept = (
            f"the last good checkpoint is {self.checkpoint}" if self.checkpoint and epoch else "there is no checkpoint"
        )
        step = epoch * self.steps + bad
        raise DivergedError(
            f"the loss is {watch.values[bad]} at step {step} (epoch {epoch + 1} of {self.config.epochs}, "
            f"learning rate {self.peaks[0] * factor(self.config, step, self.steps):g}); {kept}"
        )
