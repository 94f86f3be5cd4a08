"""The sets of small grey images: Fashion-MNIST, its part that ships with the package, and MNIST."""

from pathlib import Path

import numpy as np

from lsedu.data.idx import read_idx
from lsedu.data.source import File, Source


def _read_idx_pair(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    return read_idx(paths[0]), read_idx(paths[1]).astype(np.int64)


def _read_idx_pairs(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    images, labels = zip(*(_read_idx_pair(paths[i : i + 2]) for i in range(0, len(paths), 2)))
    return np.concatenate(images), np.concatenate(labels)


FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
DIGITS = tuple("0123456789")

_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"


def _idx_files(base: str, hashes: dict[str, tuple[str, str]]) -> dict[str, tuple[File, ...]]:
    prefix = {"train": "train", "test": "t10k"}
    return {
        part: tuple(
            File(name, sha, base + name)
            for kind, sha in zip(("images-idx3", "labels-idx1"), pair)
            for name in [f"{prefix[part]}-{kind}-ubyte.gz"]
        )
        for part, pair in hashes.items()
    }


SOURCES = (
    Source(
        name="fashion-mnist-mini",
        title="Fashion-MNIST, class-balanced subset (10,000 train, 2,000 test), and all 10,000 test pictures",
        files={
            "train": (
                File("train-images.idx.xz", "cbd5027c9033d98af750bd0188bd4cee3f4e5a0bf24d92cd9540e57e9b5d3f47"),
                File("train-labels.idx.xz", "80b9b07cec4746c2e40647ede1fa22ffaac8f1203bc4a75224aebe26b033c417"),
            ),
            "test": (
                File("test-images.idx.xz", "81eadd546199dc6f4c8e79aa1cd2f983914dd0132ae4a52c749782df08c4de17"),
                File("test-labels.idx.xz", "8c33efd09468445006968ab6bcc10d506ba6d615233de7470e8fcf4ae9733bc4"),
            ),
            "test-all": (
                File("test-images.idx.xz", "81eadd546199dc6f4c8e79aa1cd2f983914dd0132ae4a52c749782df08c4de17"),
                File("test-labels.idx.xz", "8c33efd09468445006968ab6bcc10d506ba6d615233de7470e8fcf4ae9733bc4"),
                File("test-rest-images.idx.xz", "b5d9c161c39373c242f380859949c21a07380c2a37230bff297f137223c4c4cc"),
                File("test-rest-labels.idx.xz", "2328e6a052621e8aacda056e0456015d85a11a2c2afa2ed3c9f53cb6b134075b"),
            ),
        },
        read={"train": _read_idx_pair, "test": _read_idx_pair, "test-all": _read_idx_pairs},
        classes=FASHION_CLASSES,
        licence="MIT, (c) 2017 Zalando SE",
        citation="xiao2017",
        embedded=True,
    ),
    Source(
        name="fashion-mnist",
        title="Fashion-MNIST (60,000 train, 10,000 test)",
        files=_idx_files(
            _FASHION,
            {
                "train": (
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                ),
                "test": (
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                ),
            },
        ),
        read=_read_idx_pair,
        classes=FASHION_CLASSES,
        licence="MIT, (c) 2017 Zalando SE",
        citation="xiao2017",
    ),
    Source(
        name="mnist",
        title="MNIST (60,000 train, 10,000 test)",
        files=_idx_files(
            _MNIST,
            {
                "train": (
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                ),
                "test": (
                    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                ),
            },
        ),
        read=_read_idx_pair,
        classes=DIGITS,
        licence="not stated by its authors",
        citation="lecun1998",
    ),
)
