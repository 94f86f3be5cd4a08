"""The networks of the course, as the papers use them."""

from lsedu.models.small import Classifier, build, mlp, small_cnn, softmax_regression

__all__ = ["Classifier", "build", "mlp", "small_cnn", "softmax_regression"]
