"""The networks of the course, as the papers use them."""

from lsedu.models.cct import cct7
from lsedu.models.classic import alexnet, lenet, mobilenet_v2
from lsedu.models.fast import FastNet, whitening
from lsedu.models.resnet import load_weights, resnet, thin_resnet
from lsedu.models.small import Classifier, build, mlp, small_cnn, softmax_regression
from lsedu.models.standardise import standardised

__all__ = [
    "Classifier",
    "FastNet",
    "alexnet",
    "build",
    "cct7",
    "lenet",
    "load_weights",
    "mlp",
    "mobilenet_v2",
    "resnet",
    "small_cnn",
    "softmax_regression",
    "standardised",
    "thin_resnet",
    "whitening",
]
