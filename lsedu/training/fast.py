"""A small network that reaches 94% on CIFAR-10 in seconds on one card: data and steps stay there, nothing waits.

What takes the time, and what is done about it:

1. Reading pictures: all of them lie on the device, standardised, in the precision of the network.
2. Augmenting: once an epoch, for the whole set, in one gather that mirrors, shifts and shuffles.
3. Starting kernels: on CUDA a whole step (batch, network, loss, gradients, update, learning rate) is recorded once and
   replayed; the network may be compiled besides. The ragged batch at the end of an epoch is dropped.
4. Learning: a first layer that whitens patches and is not trained, identity initialisation, a high learning rate for
   the biases, weights pulled back to their average every five steps, mirroring in turns.

The recipe is that of :cite:t:`jordan2024`, who build on :cite:t:`page2018`; the code is ours. All draws come from the
CPU's generator by seed and epoch: any device sees the same pictures in the same order.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn
from tqdm import tqdm

from lsedu import _check
from lsedu.training import acceleration
from lsedu.training.predict import as_floats

_LAST = torch.channels_last
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class FastConfig:
    """The recipe; the defaults are the published ones, but for two epochs more.

    Attributes
    ----------
    epochs, batch_size : int
    lr, momentum, weight_decay : float
        Of SGD with Nesterov's momentum, for the gradient of the mean loss.
    bias_factor : float
        Multiple of the learning rate for the biases of the norms; their weight decay is divided by it.
    start, peak, end : float
        The learning rate rises from `start` at first to 1 at the share `peak` of all steps, then falls to `end`, each
        as a multiple of `lr`.
    whitening_epochs : int
        Epochs after which the bias of the first layer is kept as it is.
    shift : int
        Pictures are shifted by up to so many pixels each way.
    average_every, average_decay : int, float
        Every so many steps the weights become their running average, whose decay grows to `average_decay`.
    widths : tuple of int
        Channels of the three blocks.
    precision : {"float32", "bfloat16", "float16"}
        Of data, convolutions and their gradients; parameters and losses stay float32.
    compile, record : bool
        Whether the network is compiled, and whether a step is recorded and replayed where the device is CUDA.
    """

    epochs: int = 12
    batch_size: int = 1024
    lr: float = 1.5
    momentum: float = 0.85
    weight_decay: float = 1.33e-3
    bias_factor: float = 64.0
    start: float = 0.2
    peak: float = 0.23
    end: float = 0.07
    whitening_epochs: int = 3
    shift: int = 2
    average_every: int = 5
    average_decay: float = 0.95**5
    widths: tuple[int, int, int] = (64, 256, 256)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    compile: bool = False
    record: bool = True

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "average_every"):
            _check.whole(name, getattr(self, name), low=1)
        for name in ("shift", "whitening_epochs"):
            _check.whole(name, getattr(self, name), low=0)
        _check.real_in("lr", self.lr, 0.0, float("inf"), open_low=True, open_high=True)
        _check.one_of("precision", self.precision, tuple(_DTYPES))


def _block(before: int, width: int) -> nn.Sequential:
    """Two convolutions that begin as the identity on the first channels, each with a norm that learns only its bias."""
    convs = [nn.Conv2d(n, width, 3, padding=1, bias=False) for n in (before, width)]
    norms = [nn.BatchNorm2d(width, eps=1e-12, momentum=0.4) for _ in convs]
    for conv, norm in zip(convs, norms):
        nn.init.dirac_(conv.weight.data[: conv.in_channels])
        norm.weight.requires_grad_(False)
    return nn.Sequential(convs[0], nn.MaxPool2d(2), norms[0], nn.GELU(), convs[1], norms[1], nn.GELU())


class FastNet(nn.Module):
    """Eight layers, two million weights: whitened patches, three blocks, the largest answer of each channel, a head.

    Parameters
    ----------
    channels, num_classes : int
    widths : tuple of int
        Channels of the three blocks; the first at least ``8 * channels``.
    """

    def __init__(self, *, channels: int = 3, num_classes: int = 10, widths: tuple[int, ...] = (64, 256, 256)) -> None:
        super().__init__()
        self.whiten = nn.Conv2d(channels, 8 * channels, 2)
        self.whiten.weight.requires_grad_(False)
        nn.init.zeros_(self.whiten.bias)
        self.blocks = nn.Sequential(*(_block(a, b) for a, b in zip((8 * channels, *widths), widths)))
        self.head = nn.Linear(widths[-1], num_classes, bias=False)

    def features(self, images: Tensor) -> Tensor:
        """Return the input of the head, shape (N, F), for images (N, C, H, W)."""
        return self.blocks(functional.gelu(self.whiten(images))).amax((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (N, K), for images (N, C, H, W); the factor keeps the first ones small."""
        return self.head(self.features(images)) / 9.0


def whitening(images: Tensor, *, eps: float = 5e-4) -> Tensor:
    """Return filters (8 C, C, 2, 2) whose answers to patches are uncorrelated and of one size, and their negatives.

    Parameters
    ----------
    images : Tensor, shape (N, C, H, W)
    eps : float
        Added to the variances.
    """
    channels = images.shape[1]
    patches = functional.unfold(images.float(), 2).transpose(1, 2).reshape(-1, 4 * channels)
    variances, directions = torch.linalg.eigh((patches.T @ patches / len(patches)).double().cpu())
    filters = (directions / (variances + eps).sqrt()).T.reshape(-1, channels, 2, 2)
    return torch.cat([filters, -filters]).float()


class FastTrainer:
    """Training one network after another on the same pictures, with one recorded step.

    Parameters
    ----------
    images : Tensor, shape (N, C, H, W)
        On the device of the training; bytes are taken as 256 levels of [0, 1]. N at least the batch size.
    labels : Tensor of int, shape (N,)
    criterion : callable
        As for `lsedu.training.fit`, ``needs_inputs`` aside; its own parameters learn at `lr`.
    config : FastConfig
    num_classes : int

    Raises
    ------
    ValueError
        If there are fewer images than a batch takes, or not as many labels.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        criterion: Callable[[Tensor, Tensor], Tensor],
        *,
        config: FastConfig,
        num_classes: int = 10,
    ) -> None:
        if len(images) < config.batch_size or len(images) != len(labels):
            raise ValueError(
                f"images must be at least batch_size={config.batch_size} and as many as labels, "
                f"got {len(images)} and {len(labels)}"
            )
        self.config, self.criterion, self.num_classes = config, criterion, num_classes
        self.labels, device, dtype = labels, images.device, _DTYPES[config.precision]
        pictures = as_floats(images)
        self.mean = pictures.mean((0, 2, 3), keepdim=True)
        self.deviation = pictures.std((0, 2, 3), keepdim=True, correction=0)
        padded = functional.pad(self._standard(images).to(dtype), (config.shift,) * 4, mode="reflect")
        self.padded = padded.permute(0, 2, 3, 1).contiguous()
        self.net = FastNet(channels=images.shape[1], num_classes=num_classes, widths=config.widths)
        self.net = self.net.to(device, memory_format=_LAST).train()
        self.steps = len(images) // config.batch_size
        self.x = self.padded.new_empty(self.steps * config.batch_size, *images.shape[2:], images.shape[1])
        self.y = labels[: len(self.x)].clone()
        self.within = torch.arange(config.batch_size, device=device)
        self.moment = torch.zeros(1, dtype=torch.int64, device=device)
        self.loss = torch.zeros((), device=device)
        self.autocast = (
            torch.autocast(device.type, dtype, cache_enabled=False) if dtype != torch.float32 else nullcontext()
        )
        self.forward = torch.compile(self.net) if config.compile else self.net
        self.optimizer, self.rates = self._optimizer()
        self.first = self._state() if isinstance(criterion, nn.Module) else None
        self.slow = [tensor.detach().clone() for tensor in self._averaged()]
        self.step = self._recorded() if config.record and device.type == "cuda" else self._step

    def _standard(self, images: Tensor) -> Tensor:
        return ((as_floats(images) - self.mean) / self.deviation).contiguous(memory_format=_LAST)

    def _optimizer(self) -> tuple[torch.optim.SGD, list[Tensor]]:
        """Return SGD and, for each of its groups, the learning rate of every step, for the summed loss of a batch."""
        c, total = self.config, self.config.epochs * self.steps
        at = torch.arange(total, dtype=torch.float64) / total
        rate = torch.where(
            at < c.peak, c.start + (1 - c.start) * at / c.peak, 1 - (1 - c.end) * (at - c.peak) / (1 - c.peak)
        )
        rate, trained = rate * c.lr / c.batch_size, at < c.whitening_epochs / c.epochs
        biases = [p for name, p in self.net.blocks.named_parameters() if p.requires_grad and p.ndim == 1]
        others = [p for p in (*self.net.blocks.parameters(), self.net.head.weight) if p.ndim > 1]
        others += list(self.criterion.parameters()) if isinstance(self.criterion, nn.Module) else []
        parts = [
            (others, rate, 1.0),
            (biases, rate * c.bias_factor, c.bias_factor),
            ([self.net.whiten.bias], rate * trained, 1.0),
        ]
        groups = [
            {"params": p, "lr": self.loss.new_zeros(1), "weight_decay": c.weight_decay * c.batch_size / factor}
            for p, _, factor in parts
        ]
        fused = self.loss.device.type in ("cpu", "cuda")  # reads the learning rates where they are
        optimizer = torch.optim.SGD(groups, lr=0.0, momentum=c.momentum, nesterov=True, fused=fused)
        return optimizer, [r.float().to(self.loss.device) for _, r, _ in parts]

    def _averaged(self) -> list[Tensor]:
        return [tensor for tensor in self.net.state_dict().values() if tensor.is_floating_point()]

    def _state(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self.criterion.state_dict().items()}

    def _step(self) -> None:
        """One step; which one it is the device counts itself."""
        rows = self.within + self.moment.remainder(self.steps) * self.config.batch_size
        images, labels = self.x.index_select(0, rows).permute(0, 3, 1, 2), self.y.index_select(0, rows)
        for group, rates in zip(self.optimizer.param_groups, self.rates):
            group["lr"].copy_(rates.index_select(0, self.moment))
        with self.autocast:
            logits = self.forward(images)
        with _check.trusted():
            loss = self.criterion(logits.float(), labels)
        self.optimizer.zero_grad(set_to_none=True)
        (loss * self.config.batch_size).backward()  # the sum: in half precision the mean's gradients would vanish
        self.optimizer.step()
        self.loss += loss.detach()
        self.moment += 1

    def _recorded(self) -> Callable[[], None]:
        side, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
        side.wait_stream(torch.cuda.current_stream())
        self._begin(0)
        self._shuffle(0, 0)
        with acceleration.fastest():
            with torch.cuda.stream(side):
                for _ in range(3):  # what is compiled or chosen at the first steps must not be recorded
                    self._step()
            torch.cuda.current_stream().wait_stream(side)
            self.optimizer.zero_grad(set_to_none=True)
            with torch.cuda.graph(graph):
                self._step()
        return graph.replay

    @torch.no_grad()
    def _begin(self, seed: int) -> None:
        """Put everything that a run changes back in its place: what was recorded goes on from there."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = FastNet(channels=self.x.shape[-1], num_classes=self.num_classes, widths=self.config.widths)
        c = self.config.shift
        inner = self.padded[:5000].permute(0, 3, 1, 2)
        inner = inner[:, :, c : inner.shape[2] - c, c : inner.shape[3] - c]
        fresh.whiten.weight.copy_(whitening(inner))
        self.net.load_state_dict(fresh.state_dict())
        if self.first is not None:
            self.criterion.load_state_dict(self.first)
        for state in self.optimizer.state.values():
            state["momentum_buffer"].zero_()
        for slow, now in zip(self.slow, self._averaged()):
            slow.copy_(now)
        self.moment.zero_()
        self.loss.zero_()
        self.mirrored = torch.rand(len(self.padded), generator=torch.Generator().manual_seed(seed)) < 0.5

    def _shuffle(self, seed: int, epoch: int) -> None:
        """Lay out an epoch: the pictures mirrored in turns, shifted and shuffled, and their labels."""
        draws = torch.Generator().manual_seed((seed + 1) * 1_000_003 + epoch)
        order = torch.randperm(len(self.padded), generator=draws)[: len(self.x)]
        shift = torch.randint(2 * self.config.shift + 1, (2, len(order), 1), generator=draws)
        height, width = (torch.arange(n) for n in self.x.shape[1:3])
        columns = torch.where(self.mirrored[order, None] ^ bool(epoch % 2), width.flip(0), width)
        order, rows, columns = (i.to(self.x.device) for i in (order, shift[0] + height, shift[1] + columns))
        torch.index_select(self.labels, 0, order, out=self.y)
        self.x.copy_(self.padded[order[:, None, None], rows[:, :, None], columns[:, None, :]])

    def run(self, seed: int, *, progress: bool = False) -> list[float]:
        """Train from the start, in place of what `net` was, and return the mean loss of each epoch.

        Raises
        ------
        FloatingPointError
            If the loss became NaN or infinite.
        """
        c, total, losses = self.config, self.config.epochs * self.steps, []
        with acceleration.fastest():
            self._begin(seed)
            self.net.train()
            for epoch in tqdm(range(c.epochs), disable=not progress, unit="epoch"):
                self._shuffle(seed, epoch)
                for step in range(epoch * self.steps + 1, (epoch + 1) * self.steps + 1):
                    self.step()
                    if step % c.average_every == 0:
                        self._average(c.average_decay * (step / total) ** 3)
                if hasattr(self.criterion, "end_of_epoch"):
                    self.criterion.end_of_epoch()
                losses.append(self.loss.clone())
            self._average(1.0)  # ends at the average itself
        sums = torch.stack(losses).tolist()
        if not all(map(torch.isfinite, torch.tensor(sums))):
            raise FloatingPointError(f"the loss is not finite; summed over the steps of each epoch so far: {sums}")
        return [(after - before) / self.steps for before, after in zip([0.0, *sums], sums)]

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        now = self._averaged()
        get_ema_multi_avg_fn(decay)(self.slow, now, 0)
        for tensor, slow in zip(now, self.slow):
            tensor.copy_(slow)

    @torch.inference_mode()
    def features(self, images: Tensor, *, batch_size: int = 2000) -> Tensor:
        """Return the input of the head, shape (N, F), in evaluation mode and float32."""
        self.net.eval()
        return torch.cat([self.net.features(self._standard(part)) for part in images.split(batch_size)])

    @torch.inference_mode()
    def predict(self, images: Tensor, *, views: bool = False, batch_size: int = 2000) -> Tensor:
        """Return the logits (N, K) of images as given to the trainer, in evaluation mode and float32.

        With `views`, the mean over the picture and its mirror image (half of the weight) and both of these shifted by
        a pixel up and left, and down and right (the other half).
        """
        self.net.eval()
        found = []
        for part in images.split(batch_size):
            x = self._standard(part)
            shown: list[tuple[float, Tensor]] = [(1.0, x)]
            if views:
                h, w = x.shape[2:]
                wide = functional.pad(x, (1, 1, 1, 1), mode="reflect")
                shown = [(0.5, x), (0.25, wide[:, :, :h, :w]), (0.25, wide[:, :, 2:, 2:])]
                shown = [(share / 2, view) for share, one in shown for view in (one, one.flip(-1))]
            found.append(sum(share * self.net(view.contiguous(memory_format=_LAST)) for share, view in shown))
        return torch.cat(found)
