"""Losses with a representation between picture and answer: what a network's outputs mean to them, and their answers.

Each is called as a loss by `lsedu.training.fit`, with the outputs of the network and the labels. ``answers`` turns
outputs into log-probabilities of the classes, ``rate`` into the divergence of p(z|x) from the prior r(z).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lsedu.losses import gaussian_kl, reparametrise, vib, vib_discrete

#: Draws of the representation that the answer to a picture is averaged over, as in alemi2017.
DRAWS = 12


def discrete_rate(outputs: Tensor) -> Tensor:
    """Return KL(p(z|x) || uniform) in nats, shape (N,), of a softmax over outputs (N, M)."""
    log_p = outputs.log_softmax(1)
    return math.log(outputs.shape[1]) + (log_p.exp() * log_p).sum(1)


class Softmax(nn.Module):
    """An ordinary loss on logits: the representation is the class itself, drawn from the softmax."""

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor], *, num_classes: int) -> None:
        super().__init__()
        self.loss, self.outputs = loss, num_classes

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss in nats."""
        return self.loss(outputs, labels)

    def answers(self, outputs: Tensor) -> Tensor:
        """Return log q(y|x), shape (N, K)."""
        return outputs.log_softmax(1)

    def rate(self, outputs: Tensor) -> Tensor:
        """Return the divergence from the uniform distribution in nats, shape (N,)."""
        return discrete_rate(outputs)


class Discrete(nn.Module):
    """The variational bottleneck of a discrete representation with as many values as classes and a learned classifier.

    Parameters
    ----------
    beta : float
        Price of information >= 0.
    num_classes : int
        Number of classes K, and of values of the representation.
    own : float
        The classifier begins with `own` as the logit of q(y=z|z) and 0 elsewhere: each value has a class to begin with.
    """

    def __init__(self, *, beta: float, num_classes: int, own: float = 3.0) -> None:
        super().__init__()
        self.beta, self.outputs = beta, num_classes
        self.table = nn.Parameter(own * torch.eye(num_classes))

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss in nats."""
        return vib_discrete(outputs, self.table.softmax(1), labels, beta=self.beta)

    def answers(self, outputs: Tensor) -> Tensor:
        """Return log of the mean of q(y|z) over p(z|x), shape (N, K)."""
        return torch.logsumexp(outputs.log_softmax(1)[:, :, None] + self.table.log_softmax(1), 1)

    def rate(self, outputs: Tensor) -> Tensor:
        """Return the divergence from the uniform prior in nats, shape (N,)."""
        return discrete_rate(outputs)

    def diagonal(self) -> float:
        """Return the mean of q(y=z|z): 1 is the indicator."""
        return self.table.detach().softmax(1).diagonal().mean().item()


class Gaussian(nn.Module):
    """The variational bottleneck of a Gaussian representation with a linear classifier, as in alemi2017.

    Parameters
    ----------
    beta : float
        Price of information >= 0.
    dim : int
        Width D of the representation; the network's outputs are D means and D logarithms of standard deviations.
    num_classes : int
        Number of classes K.
    draws : int
        Noise that an answer is averaged over. It is drawn once: an attacker sees the very network that answers, and
        no noise hides the slope from him.
    """

    def __init__(self, *, beta: float, dim: int, num_classes: int, draws: int = DRAWS) -> None:
        super().__init__()
        self.beta, self.outputs = beta, 2 * dim
        self.head = nn.Linear(dim, num_classes)
        self.register_buffer("noise", torch.randn(draws, dim))

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss in nats, of one draw a picture."""
        mean, log_std = outputs.chunk(2, 1)
        return vib(self.head(reparametrise(mean, log_std)[0]), labels, mean, log_std, beta=self.beta)

    def answers(self, outputs: Tensor) -> Tensor:
        """Return log of the mean of q(y|z) over the draws, shape (N, K)."""
        mean, log_std = outputs.chunk(2, 1)
        draws = self.head(mean + log_std.exp() * self.noise[:, None])
        return torch.logsumexp(draws.log_softmax(-1), 0) - math.log(len(self.noise))

    def rate(self, outputs: Tensor) -> Tensor:
        """Return the divergence from the standard normal prior in nats, shape (N,)."""
        return gaussian_kl(*outputs.chunk(2, 1))


class Answering(nn.Module):
    """A network together with the reading of its outputs: pictures in, log-probabilities of classes out."""

    def __init__(self, model: nn.Module, reading: nn.Module) -> None:
        super().__init__()
        self.model, self.reading = model, reading

    def forward(self, images: Tensor) -> Tensor:
        """Return log q(y|x), shape (N, K), of images (N, C, H, W)."""
        return self.reading.answers(self.model(images))
