"""Grad-CAM by torchcam, and the share of a map that falls in a region."""

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
        The convolutional layer whose activations are weighed, or its name.
    classes : Tensor, shape (N,), optional
        Class to explain for each image; the predicted one by default.

    Returns
    -------
    Tensor, shape (N, H, W)
        Not negative, at the activations' scale: each map is normalised by who reads it. Resized bilinearly.

    Raises
    ------
    ValueError
        For images that are no floats or without four axes, an empty batch, or classes that do not fit.
    ImportError
        If torchcam is not installed.

    Notes
    -----
    :cite:p:`selvaraju2017`. A picture is not a measurement: see `swap_test`.
    """
    if not isinstance(images, Tensor) or images.ndim != 4 or len(images) == 0:
        got = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(f"images must be a tensor of shape (N, C, H, W) with N >= 1, got {got}")
    if not images.is_floating_point():
        raise ValueError(f"images must have a floating-point dtype, got {images.dtype}")
    try:
        from torchcam.methods import GradCAM
    except ImportError as error:
        raise ImportError("grad_cam needs torchcam: pip install torchcam") from error
    cam = GradCAM(model, target_layer=layer, input_shape=tuple(images.shape[1:]))
    # whoever calls may have switched gradients off, by either way
    with evaluating(model), cam as extractor, torch.inference_mode(False), torch.enable_grad():
        scores = model(images.detach().clone().requires_grad_())
        chosen = scores.argmax(1) if classes is None else classes
        _check.labels("classes", chosen, scores.shape[1], size=len(images))
        maps = extractor(chosen.tolist(), scores, normalized=False)[0]
    resized = functional.interpolate(
        maps.detach()[:, None], size=tuple(images.shape[2:]), mode="bilinear", align_corners=False
    )
    return resized[:, 0].clamp_min(0.0)


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
