"""The data sets by name: files, hashes, licence, citation and how they are read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lsedu.data.cifar import CIFAR10_CLASSES, CIFAR100_CLASSES, read_archive, read_mosaics
from lsedu.data.idx import read_idx


@dataclass(frozen=True)
class File:
    """One file of a set.

    Attributes
    ----------
    name : str
        File name within the set's folder.
    sha256 : str
        Hash of the file, checked before it is read.
    url : str
        Official address; empty for a file that ships with the package or has no address of its own.
    md5 : str
        The hash that the set's authors publish, where they publish that alone.
    """

    name: str
    sha256: str = ""
    url: str = ""
    md5: str = ""

    @property
    def hash(self) -> str:
        """The hash with its algorithm, as in ``sha256:...``."""
        return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}"


@dataclass(frozen=True)
class Source:
    """A data set: what it is, where it comes from and how its files become arrays.

    Attributes
    ----------
    name, title : str
        Key in the registry, and the name a reader knows.
    files : dict of str to tuple of File
        Files by split.
    read : callable or dict of str to callable
        Paths of a split's files to images (uint8) and labels (int64), or of annotations to arrays by name; a dict
        where the splits are read differently.
    classes : tuple of str
        Class names in label order.
    licence, citation : str
        As the set's authors state them; the citation is a bib key.
    embedded : bool
        Whether the files ship inside the package.
    folder : str
        Folder of the files where it is not `name`.
    repacked : Source, optional
        The same images in other files, used instead where they are on this machine.
    """

    name: str
    title: str
    files: dict[str, tuple[File, ...]]
    read: Any
    classes: tuple[str, ...]
    licence: str
    citation: str
    embedded: bool = False
    folder: str = ""
    repacked: "Source | None" = None


def _read_idx_pair(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    return read_idx(paths[0]), read_idx(paths[1]).astype(np.int64)


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


_CIFAR = "https://www.cs.toronto.edu/~kriz/"
_CIFAR10H = "https://github.com/jcpeterson/cifar-10h/raw/master/data/"


def _archive_files(name: str, md5: str) -> dict[str, tuple[File, ...]]:
    return {part: (File(name, url=_CIFAR + name, md5=md5),) for part in ("train", "test")}


def _archive(split: str, labels: str) -> Callable[[list[Path]], tuple[np.ndarray, np.ndarray]]:
    return lambda paths: read_archive(paths[0], split=split, labels=labels)


def _read_cifar(labels: str) -> dict[str, Callable[[list[Path]], tuple[np.ndarray, np.ndarray]]]:
    return {split: _archive(split, labels) for split in ("train", "test")}


def _read_human(paths: list[Path]) -> dict[str, np.ndarray]:
    return dict(zip(("counts", "probs"), (np.load(path, allow_pickle=False) for path in paths)))


def _read_noisy(paths: list[Path]) -> dict[str, np.ndarray]:
    with np.load(paths[0], allow_pickle=False) as found:
        return {key: found[key].astype(np.int64) for key in found.files}


SETS: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            name="fashion-mnist-mini",
            title="Fashion-MNIST, class-balanced subset (10,000 train, 2,000 test)",
            files={
                "train": (
                    File("train-images.idx.xz", "cbd5027c9033d98af750bd0188bd4cee3f4e5a0bf24d92cd9540e57e9b5d3f47"),
                    File("train-labels.idx.xz", "80b9b07cec4746c2e40647ede1fa22ffaac8f1203bc4a75224aebe26b033c417"),
                ),
                "test": (
                    File("test-images.idx.xz", "81eadd546199dc6f4c8e79aa1cd2f983914dd0132ae4a52c749782df08c4de17"),
                    File("test-labels.idx.xz", "8c33efd09468445006968ab6bcc10d506ba6d615233de7470e8fcf4ae9733bc4"),
                ),
            },
            read=_read_idx_pair,
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
        Source(
            name="cifar10",
            title="CIFAR-10 (50,000 train, 10,000 test)",
            files={
                part: (
                    File(
                        "cifar-10-python.tar.gz",
                        "",
                        _CIFAR + "cifar-10-python.tar.gz",
                        "c58f30108f718f92721af3b95e74349a",
                    ),
                )
                for part in ("train", "test")
            },
            read=_read_cifar("labels"),
            classes=CIFAR10_CLASSES,
            licence="not stated by its authors",
            citation="krizhevsky2009",
            repacked=Source(
                name="cifar10",
                title="CIFAR-10 (50,000 train, 10,000 test), repacked without loss",
                files={
                    "train": (
                        File("train-1.webp", "fdfaa308b1eacab522b5d4aaf22661529ef87c41e2bf766c716deec383838206"),
                        File("train-2.webp", "7cc0eb5787aae503fb4ebe4495f53e959d5446526ed2a5d7bbae9d03776918c4"),
                        File("train-3.webp", "ef9f227165113be0ea2760415ed48c9a0a550e6480078e2a96e5bbf466da54a7"),
                        File("train-4.webp", "3768954e4e5018f86bb4403bfe67bcac60659163a618cb605e54f28bceedd0e7"),
                        File("train-5.webp", "e3a5ba3f6b41100239740300634b7d7d7bc062f94bfab8f68589f52d2b4743cb"),
                        File("train-labels.npy", "fad921ba16b0efeebb54393d1351545d1fe1a357f6f81324c821e3e11b956c70"),
                    ),
                    "test": (
                        File("test.webp", "6510531b42839b161cbeffe8d6055211bfb4711229feee8b61f7bd055840848c"),
                        File("test-labels.npy", "19004b019bd095265b4ce6637c9ff979c66abcbc8e658a665f791b487cdea5eb"),
                    ),
                },
                read=read_mosaics,
                classes=CIFAR10_CLASSES,
                licence="not stated by its authors",
                citation="krizhevsky2009",
            ),
        ),
        Source(
            name="cifar100",
            title="CIFAR-100 (50,000 train, 10,000 test)",
            files={
                part: (
                    File(
                        "cifar-100-python.tar.gz",
                        "",
                        _CIFAR + "cifar-100-python.tar.gz",
                        "eb9058c3a382ffc7106e4002c42a8d85",
                    ),
                )
                for part in ("train", "test")
            },
            read=_read_cifar("fine_labels"),
            classes=CIFAR100_CLASSES,
            licence="not stated by its authors",
            citation="krizhevsky2009",
            repacked=Source(
                name="cifar100",
                title="CIFAR-100 (50,000 train, 10,000 test), repacked without loss",
                files={
                    "train": (
                        File("train-1.jxl", "fa0a95f504213957bb1f1dfca79d9189881a8196c7229b5dff684393cf67c729"),
                        File("train-2.jxl", "c356feff5a2d3ce39ea1b8d9bc063048c8a186fca9b9ae5d3d7cae712982954e"),
                        File("train-3.jxl", "eddcb93afceea5670b3a544cf964afb6734d1369b706de1cd2c869e30946e2a4"),
                        File("train-4.jxl", "253d7a4750738e48f416d6cb49e187fe62ad8cd35094e7bd26040ce9c327eeba"),
                        File("train-5.jxl", "fdc9370d2c9cf22f8163c896ed75b2d1e63ee5bee0adcc7b425fafed9fb3a242"),
                        File("train-labels.npy", "6034b309a18a5e30fd2b2e7c72d0d3f215eceff0c8090e65c0475e6a263572c5"),
                    ),
                    "test": (
                        File("test.jxl", "7f9222ab3dcacf48cf36ffe11a39fe72cd52624699426d48975d6698c3cf32b3"),
                        File("test-labels.npy", "93aab9ea5f997326363d9b8d2cc8c79959aea6238706af79a3a0a80fa1c61546"),
                    ),
                },
                read=read_mosaics,
                classes=CIFAR100_CLASSES,
                licence="not stated by its authors",
                citation="krizhevsky2009",
            ),
        ),
        Source(
            name="cifar10h",
            title="CIFAR-10H, human labels of the CIFAR-10 test images",
            files={
                "annotations": (
                    File(
                        "cifar10h-counts.npy",
                        "9b36b4550349af56c79083356312eb4af856cc5fd3caf1f669d40b9d0bbb69ff",
                        _CIFAR10H + "cifar10h-counts.npy",
                    ),
                    File(
                        "cifar10h-probs.npy",
                        "436ae98620e00073f9d08585ac870573b588853e7af9f54eb1647408114af77d",
                        _CIFAR10H + "cifar10h-probs.npy",
                    ),
                )
            },
            read=_read_human,
            classes=CIFAR10_CLASSES,
            licence="CC BY-NC-SA 4.0",
            citation="peterson2019",
        ),
        Source(
            name="cifar10n",
            title="CIFAR-10N, human label noise of the CIFAR-10 training images",
            files={
                "annotations": (
                    File("cifar10n.npz", "b63506077dd6f945d0ac4debf9251553f4154f2063a5f7c878b6578cc47fbec6"),
                )
            },
            read=_read_noisy,
            classes=CIFAR10_CLASSES,
            licence="CC BY-NC 4.0",
            citation="wei2022",
            folder="cifar-n",
        ),
        Source(
            name="cifar100n",
            title="CIFAR-100N, human label noise of the CIFAR-100 training images",
            files={
                "annotations": (
                    File("cifar100n.npz", "6a4b79eb8c884a330491eda0f456062356793b69c1d6baf9b475f175b334cb71"),
                )
            },
            read=_read_noisy,
            classes=CIFAR100_CLASSES,
            licence="CC BY-NC 4.0",
            citation="wei2022",
            folder="cifar-n",
        ),
    )
}


def source(name: str) -> Source:
    """Return the registered set called `name`.

    Raises
    ------
    KeyError
        If there is none; the message lists the names that exist.
    """
    if name not in SETS:
        raise KeyError(f"no data set is called {name!r}; there are {', '.join(sorted(SETS))}")
    return SETS[name]
