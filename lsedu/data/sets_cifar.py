"""CIFAR and what people said of its images: human label distributions and human label noise."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lsedu.data.cifar import CIFAR10_CLASSES, CIFAR100_CLASSES, read_archive, read_mosaics
from lsedu.data.source import File, Source

_CIFAR = "https://www.cs.toronto.edu/~kriz/"
_CIFAR10H = "https://github.com/jcpeterson/cifar-10h/raw/master/data/"

_CIFAR100_LABELS = (
    File("train-labels.npy", "6034b309a18a5e30fd2b2e7c72d0d3f215eceff0c8090e65c0475e6a263572c5"),
    File("test-labels.npy", "93aab9ea5f997326363d9b8d2cc8c79959aea6238706af79a3a0a80fa1c61546"),
)
#: Of the mosaics, the test set's first.
_CIFAR100_PIXELS = (
    "fd20c9c6b9a46396184f9a728e7cf7bcdd8c77fc19f2ddab86618fb1fdfe03fe",
    "8c293f8c80479beb553be517b0040f7e6522ab4ac9426211ae045c585b45d0df",
    "1729e131d71e8b34092cd71e7395dfe95f8d2accced0cae70a0459e7780ef668",
    "d8c58ca1cd1dbf01fd9eda07b010c13c40b7f80f7a593d505875f69ee3db4c80",
    "3ded1e7e86c5787e5c27a997c10efceefcae000d01419d9a03b5ae76233ff648",
    "87f5431089c2157eb435e1ac6f598415b1ca2bdc9d1b2834780401c6ed4b337e",
)


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


SOURCES = (
    Source(
        name="cifar10",
        title="CIFAR-10 (50,000 train, 10,000 test)",
        files=_archive_files("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
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
        files=_archive_files("cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"),
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
                    _CIFAR100_LABELS[0],
                ),
                "test": (
                    File("test.jxl", "7f9222ab3dcacf48cf36ffe11a39fe72cd52624699426d48975d6698c3cf32b3"),
                    _CIFAR100_LABELS[1],
                ),
            },
            read=read_mosaics,
            classes=CIFAR100_CLASSES,
            licence="not stated by its authors",
            citation="krizhevsky2009",
            repacked=Source(
                name="cifar100",
                title="CIFAR-100 (50,000 train, 10,000 test), repacked without loss as WebP",
                files={
                    "train": (
                        *(File(f"train-{i}.webp", pixels=_CIFAR100_PIXELS[i]) for i in range(1, 6)),
                        _CIFAR100_LABELS[0],
                    ),
                    "test": (File("test.webp", pixels=_CIFAR100_PIXELS[0]), _CIFAR100_LABELS[1]),
                },
                read=read_mosaics,
                classes=CIFAR100_CLASSES,
                licence="not stated by its authors",
                citation="krizhevsky2009",
            ),
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
            "annotations": (File("cifar10n.npz", "b63506077dd6f945d0ac4debf9251553f4154f2063a5f7c878b6578cc47fbec6"),)
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
            "annotations": (File("cifar100n.npz", "6a4b79eb8c884a330491eda0f456062356793b69c1d6baf9b475f175b334cb71"),)
        },
        read=_read_noisy,
        classes=CIFAR100_CLASSES,
        licence="CC BY-NC 4.0",
        citation="wei2022",
        folder="cifar-n",
    ),
)
