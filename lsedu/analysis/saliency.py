"""Grad-CAM, and the share of a map that falls in a region."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lsedu import _check
from lsedu._evaluating import evaluating


def grad_cam(model: nn.Module, images: Tensor, *, layer: nn.Module | str, classes: Tensor | None = None) -> Tensor:
    """Return Grad-CAM maps at the size of the images.

    Parameters
    ----------
    model : nn.Module
        Images to logits (N, K). It is run in evaluation mode; afterwards each of its modules is in the mode it was in,
        frozen ones too, and no gradient of a parameter has changed.
    images : Tensor, shape (N, C, H, W)
        A batch as the model takes it, of floats.
    layer : nn.Module or str
        The module of `model` whose output, maps (N, F, h, w), is weighed, or its name.
    classes : Tensor of integers, shape (N,), optional
        Class to explain for each image; the predicted one by default.

    Returns
    -------
    Tensor, shape (N, H, W)
        Not negative, at the activations' scale: each map is normalised by who reads it. Resized bilinearly.

    Raises
    ------
    ValueError
        For images that are no floats or without four axes, an empty batch, classes that do not fit, or a layer that is
        not in the model, is not used, or gives no maps.

    Notes
    -----
    Each of the F maps is weighed by the mean over its places of the gradient of the class's logit, and of their sum
    the positive part is shown :cite:p:`selvaraju2017`. A picture is not a measurement: see `swap_test`.

    Examples
    --------
    >>> conv = nn.Conv2d(1, 2, 1, bias=False)
    >>> conv.weight.data = torch.tensor([2.0, -1.0]).reshape(2, 1, 1, 1)
    >>> model = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> grad_cam(model, torch.ones(1, 1, 2, 2), layer="0", classes=torch.tensor([0])).tolist()
    [[[0.5, 0.5], [0.5, 0.5]]]
    """
    if not isinstance(images, Tensor) or images.ndim != 4 or len(images) == 0:
        got = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(f"images must be a tensor of shape (N, C, H, W) with N >= 1, got {got}")
    if not images.is_floating_point():
        raise ValueError(f"images must have a floating-point dtype, got {images.dtype}")
    found: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Any, ...], output: Tensor) -> Tensor:
        found.append(output)
        return output.clone()  # what follows may work in place

    # whoever calls may have switched gradients off, by either way
    with evaluating(model), torch.inference_mode(False), torch.enable_grad():
        hook = _module(model, layer).register_forward_hook(keep)
        try:
            scores = model(images.detach().clone().requires_grad_())
        finally:
            hook.remove()
        if not found or found[-1].ndim != 4:
            got = tuple(found[-1].shape) if found else "none: the model does not use it"
            raise ValueError(f"layer must give maps of shape (N, F, h, w), got {got}")
        chosen = scores.argmax(1) if classes is None else classes
        _check.labels("classes", chosen, scores.shape[1], size=len(images))
        # a copy: what was made in inference mode cannot be kept for gradients
        index = chosen.to(scores.device, torch.int64, copy=True)
        score = scores.gather(1, index[:, None]).sum()
        (slope,) = torch.autograd.grad(score, found[-1])
        maps = (slope.mean((2, 3), keepdim=True) * found[-1].detach()).sum(1, keepdim=True).clamp_min(0.0)
    resized = functional.interpolate(maps, size=tuple(images.shape[2:]), mode="bilinear", align_corners=False)
    return resized[:, 0]


def _module(model: nn.Module, layer: nn.Module | str) -> nn.Module:
    """Return the module that is meant, if the model has it."""
    modules = dict(model.named_modules())
    chosen = modules.get(layer) if isinstance(layer, str) else layer
    if chosen is None or all(chosen is not module for module in modules.values()):
        got = repr(layer) if isinstance(layer, str) else type(layer).__name__
        raise ValueError(f"layer must be a module of the model or its name, such as {list(modules)[-1]!r}, got {got}")
    return chosen


def saliency_share(maps: Any, region: Any) -> np.ndarray:
    """Return the share of each saliency map that falls in a region.

    Parameters
    ----------
    maps : array-like or Tensor, shape (N, H, W)
        Saliency >= 0.
    region : array-like or Tensor of bool, shape (H, W) or (N, H, W)
        True inside the region.

    Returns
    -------
    ndarray, shape (N,)
        In [0, 1]; NaN for a map without any saliency. A map spread evenly gives the region's share of the area.

    Raises
    ------
    ValueError
        For negative saliency, shapes that differ, or a region that is not boolean.

    Examples
    --------
    >>> saliency_share([[[1.0, 3.0], [0.0, 0.0]]], [[True, False], [True, False]]).tolist()
    [0.25]
    """
    values = _check.array("maps", maps, ndim=3)
    if (values < 0).any():
        raise ValueError(f"maps must be >= 0, got {values.min():g}")
    mask = _check.plain("region", region)
    if mask.dtype != np.bool_:
        raise ValueError(f"region must be boolean, got {mask.dtype}")
    if mask.shape not in (values.shape, values.shape[1:]):
        raise ValueError(f"region must have shape {values.shape[1:]} or {values.shape}, got {mask.shape}")
    total = values.sum((1, 2))
    inside = (values * mask).sum((1, 2))
    return np.where(total > 0, inside / np.where(total > 0, total, 1.0), np.nan)
