"""Tables 1 to 3 of lls as they stand there: accuracies in percent, by set, network and method."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes
    ----------
    number : int
        Its number.
    columns : tuple of (str, str)
        Set and network.
    rows : dict of str to tuple
        By method the accuracy in each column, None where the paper has a dash.
    spreads : dict of str to tuple
        By method what the paper gives after a plus-minus sign, for the first columns; it does not say of what.
    """

    number: int
    columns: tuple[tuple[str, str], ...]
    rows: dict[str, tuple[float | None, ...]]
    spreads: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def column(self, index: int) -> dict[str, float]:
        """Return the accuracies of a column, by method, without the dashes."""
        return {method: row[index] for method, row in self.rows.items() if row[index] is not None}

    def lead(self, index: int) -> tuple[float, str]:
        """Return by how much LLS is ahead of the best other method of a column, in points, and which that is."""
        found = self.column(index)
        best = max((name for name in found if name != "lls"), key=found.__getitem__)
        return round(found["lls"] - found[best], 2), best


def accuracy(data: str, network: str, method: str) -> float:
    """Return what tables 1 to 3 have for a set, a network and a method, in percent.

    Raises
    ------
    KeyError
        If they have no such column, no such row, or a dash there.

    Examples
    --------
    >>> accuracy("CIFAR-100", "R18", "lls")
    79.69
    """
    for table in TABLES:
        if (data, network) in table.columns:
            return table.column(table.columns.index((data, network)))[method]
    raise KeyError(f"tables 1 to 3 have no {network} on {data}")


TABLES = (
    Table(
        1,
        tuple((name, net) for name in ("CUB-200", "Flowers-102") for net in ("MobileNetV2", "R18", "R50", "R101")),
        {
            "one-hot": (77.76, 78.08, 80.81, 81.71, 91.03, 90.37, 90.69, 91.74),
            "ls": (78.67, 78.56, 81.89, 82.62, 91.94, 90.50, 92.42, 92.73),
            "tf-kd": (77.64, None, 80.96, None, 91.95, None, 91.30, None),
            "ols": (79.95, None, 82.47, None, 92.73, None, 92.86, None),
            "lls": (79.84, 78.86, 82.91, 83.48, 93.02, 91.02, 93.64, 92.89),
        },
    ),
    Table(
        2,
        (
            *(("CIFAR-100", net) for net in ("R18", "R34", "R50", "R101")),
            *(("Tiny-ImageNet", net) for net in ("R18", "R50", "R101")),
        ),
        {
            "one-hot": (75.87, 79.38, 78.79, 79.66, 63.20, 67.47, 67.93),
            "ls": (77.26, 79.06, 78.80, 79.88, 63.13, 67.63, 68.31),
            "focal": (None, None, 77.25, None, None, 50.31, 62.97),
            "flsd-53": (None, None, 76.78, None, None, 50.94, 62.96),
            "tf-kd-self": (77.10, None, None, None, None, 68.18, None),
            "tf-kd": (77.36, None, None, None, None, 67.92, None),
            "zipf": (77.38, 77.38, None, None, 59.25, None, None),
            "ols": (None, 79.96, 79.35, 80.34, None, None, None),
            "lls": (79.69, 80.71, 81.04, 81.21, 64.58, 68.28, 69.42),
        },
    ),
    Table(
        3,
        (
            ("SVHN", "LeNet"), ("CIFAR-10", "AlexNet"), ("Fashion-MNIST", "AlexNet"), ("Animals-10N", "R18"),
            ("ImageNet-100", "R18"), ("ImageNet-100", "R50"),
        ),
        {
            "one-hot": (89.40, 79.98, 80.94, 85.00, 81.72, 83.96),
            "ls": (89.35, 80.66, 81.15, 86.13, 82.22, 84.58),
            "tf-kd": (89.42, 80.78, 81.38, 85.99, 82.44, 84.72),
            "ols": (89.19, 80.71, 81.21, 86.35, 82.56, 84.71),
            "lls": (89.51, 80.88, 81.56, 86.69, 82.72, 84.90),
        },
        {
            "one-hot": (0.03, 0.17, 0.22, 0.11),
            "ls": (0.09, 0.20, 0.24, 0.19),
            "tf-kd": (0.31, 0.17, 0.24, 0.10),
            "ols": (0.43, 0.28, 0.30, 0.38),
            "lls": (0.15, 0.04, 0.23, 0.23),
        },
    ),
)  # fmt: skip
