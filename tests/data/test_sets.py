"""Reading sets: the embedded one always, the real ones where LSEDU_DATA has them."""

import hashlib
import io
import os
import pickle
import re
import tarfile

import numpy as np
import pytest
from PIL import Image

from lsedu import data
from lsedu.data.cifar import read_archive
from lsedu.data.idx import read_idx, write_idx


def here(name):
    source = data.at_hand(data.source(name))
    return all(data.locate(source, file) for part in source.files.values() for file in part)


def test_the_embedded_set_is_balanced_and_real():
    for split, each in (("train", 1000), ("test", 200)):
        found = data.load("fashion-mnist-mini", split=split, download=False)
        assert found.images.shape == (10 * each, 28, 28)
        assert np.bincount(found.labels).tolist() == [each] * 10
        assert len(np.unique(found.images.reshape(len(found), -1), axis=0)) > 0.99 * len(found)


def test_all_test_pictures_are_embedded_once_and_begin_with_the_balanced_ones():
    few, every = (data.load("fashion-mnist-mini", split=split, download=False) for split in ("test", "test-all"))
    assert np.bincount(every.labels).tolist() == [1000] * 10 and every.images.shape == (10_000, 28, 28)
    assert (every.images[:2000] == few.images).all() and (every.labels[:2000] == few.labels).all()
    assert len(np.unique(every.images.reshape(10_000, -1), axis=0)) > 9_990
    with pytest.raises(ValueError, match="'train', 'test', got 'test-all'"):
        data.load("mnist", split="test-all", download=False)


@pytest.mark.skipif(not os.environ.get("LSEDU_DATA") or not here("fashion-mnist"), reason="needs Fashion-MNIST")
def test_the_embedded_images_are_images_of_the_full_set():
    full = {image.tobytes(): label for image, label in zip(*_pair("fashion-mnist", "test"))}
    mini = data.load("fashion-mnist-mini", split="test-all")
    assert all(full[image.tobytes()] == label for image, label in zip(mini.images, mini.labels))


def _pair(name, split):
    found = data.load(name, split=split, download=False)
    return found.images, found.labels


@pytest.mark.parametrize("name, shape", [("mnist", (28, 28)), ("cifar10", (32, 32, 3)), ("cifar100", (32, 32, 3))])
def test_real_sets_have_their_published_form(name, shape):
    if not here(name):
        pytest.skip(f"{name} is not on this machine")
    images, labels = _pair(name, "test")
    assert images.shape == (10_000, *shape)
    counts = np.bincount(labels)
    if name != "mnist":
        assert set(counts) == {10_000 // len(counts)}
    else:
        assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_human_labels_belong_to_their_images():
    if not all(map(here, ("cifar10", "cifar10h", "cifar10n"))):
        pytest.skip("CIFAR-10 and its human labels are not on this machine")
    human = data.annotations("cifar10h")
    np.testing.assert_allclose(human["probs"], human["counts"] / human["counts"].sum(1, keepdims=True))
    assert (human["counts"].argmax(1) == _pair("cifar10", "test")[1]).sum() == 9921
    noisy = data.annotations("cifar10n")
    labels = _pair("cifar10", "train")[1]
    assert round(float((noisy["worst"] != labels).mean()), 3) == 0.402
    with pytest.raises(ValueError, match="annotations"):
        data.load("cifar10n")


def make_archive(path, *, payload=None):
    rng = np.random.default_rng(0)
    pixels = rng.integers(256, size=(5, 3072), dtype=np.uint8)
    batch = {b"data": pixels, b"labels": [3, 1, 4, 1, 5]} if payload is None else payload
    raw = pickle.dumps(batch, protocol=2)
    with tarfile.open(path, "w:gz") as archive:
        for name in ("data_batch_1", "data_batch_2", "test_batch"):
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return pixels


def test_an_official_archive_is_read_in_order(tmp_path):
    pixels = make_archive(tmp_path / "a.tar.gz")
    images, labels = read_archive(tmp_path / "a.tar.gz", split="train", labels="labels")
    assert labels.tolist() == [3, 1, 4, 1, 5] * 2
    np.testing.assert_array_equal(images[1, :, :, 2].ravel(), pixels[1, 2048:])
    assert len(read_archive(tmp_path / "a.tar.gz", split="test", labels="labels")[1]) == 5


PIXELS = np.zeros((5, 3072), dtype=np.uint8)


@pytest.mark.parametrize(
    "payload",
    [
        [1, 2],
        "pictures",
        {b"data": PIXELS[:, :100], b"labels": [0] * 5},
        {b"data": PIXELS, b"labels": [0]},
        {b"data": PIXELS, b"labels": ["a"] * 5},
        {b"data": PIXELS.astype(float), b"labels": [0] * 5},
        {b"data": [1], b"labels": [0]},
    ],
)
def test_what_an_archive_holds_instead_of_pictures_is_refused(tmp_path, payload):
    path = tmp_path / "a.tar.gz"
    make_archive(path, payload=payload)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))} is no CIFAR archive: "):
        read_archive(path, split="test", labels="labels")


def test_a_byte_that_changed_in_an_archive_is_told_or_changes_no_shape(tmp_path):
    path = tmp_path / "a.tar.gz"
    make_archive(path)
    packed = path.read_bytes()
    for place in range(0, len(packed), len(packed) // 80):
        path.write_bytes(packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :])
        try:
            assert read_archive(path, split="test", labels="labels")[0].shape == (5, 32, 32, 3)
        except ValueError as error:
            assert str(error).startswith(f"{path} is no CIFAR archive: ")


def test_an_archive_that_wants_to_run_something_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "run"),)

    make_archive(tmp_path / "a.tar.gz", payload={b"data": Evil()})
    with pytest.raises(ValueError, match=r"names (posix|nt)\.mkdir"):
        read_archive(tmp_path / "a.tar.gz", split="test", labels="labels")
    assert not (tmp_path / "run").exists()


def test_idx_files_are_read_whole_or_refused(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "a.xz", array)
    np.testing.assert_array_equal(read_idx(tmp_path / "a.xz"), array)
    whole = (tmp_path / "a.xz").read_bytes()
    (tmp_path / "b.xz").write_bytes(whole[:-5])
    (tmp_path / "c").write_bytes(b"\0\0\x08\x01\0\0\0\x05ab")
    for name in ("b.xz", "c"):
        with pytest.raises(ValueError, match=name):
            read_idx(tmp_path / name)


def test_a_split_is_disjoint_balanced_and_seeded():
    train = data.load("fashion-mnist-mini")
    a, b = data.split(train, sizes=(500, 200), seed=3)
    assert np.bincount(a.labels).tolist() == [50] * 10 and np.bincount(b.labels).tolist() == [20] * 10
    assert not {x.tobytes() for x in a.images} & {x.tobytes() for x in b.images}
    np.testing.assert_array_equal(a.images, data.split(train, sizes=(500, 200), seed=3)[0].images)
    with pytest.raises(ValueError, match="at most 10000"):
        data.split(train, sizes=(10_001,), seed=0)


def tree(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            Image.new("RGB", (70, 50), (10, 20, 30)).save(path)
        else:
            path.write_text(content)
    return root


FOLDERS = {
    "tiny-imagenet": {
        "wnids.txt": "n2\nn1\n", "train/n1/images/a.JPEG": None, "train/n2/images/b.JPEG": None,
        "val/images/v.JPEG": None, "val/val_annotations.txt": "v.JPEG\tn2\t0\t0\t9\t9\n",
    },
    "cub-200": {
        "classes.txt": "1 001.A\n2 002.B\n", "images.txt": "1 001.A/x.jpg\n2 002.B/y.jpg\n3 002.B/z.jpg\n",
        "image_class_labels.txt": "1 1\n2 2\n3 2\n", "train_test_split.txt": "1 1\n2 1\n3 0\n",
        "images/001.A/x.jpg": None, "images/002.B/y.jpg": None, "images/002.B/z.jpg": None,
    },
    "animals-10n": {"training/0_a.jpg": None, "training/1_b.jpg": None, "testing/1_c.jpg": None},
    "imagenet-100": {"train/n1/a.JPEG": None, "train/n2/b.JPEG": None, "val/n1/d.JPEG": None, "val/n2/c.JPEG": None},
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_are_read_in_their_authors_layout(name, tmp_path):
    root = tree(tmp_path, FOLDERS[name])
    train = data.load_folder(name, root, split="train", size=16, check_counts=False)
    assert train.images.shape == (2, 16, 16, 3) and train.labels.tolist() == [0, 1]
    test = data.load_folder(name, root, split="test", size=16, check_counts=False)
    assert test.labels[-1] == 1
    with pytest.raises(ValueError, match="must have"):
        data.load_folder(name, root, split="test")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(data.DataUnavailableError, match=f"does not hold {name} as its authors unpack it"):
        data.load_folder(name, empty)


def test_matlab_sets(tmp_path):
    savemat = pytest.importorskip("scipy.io").savemat
    pixels = np.random.default_rng(0).integers(256, size=(32, 32, 3, 4), dtype=np.uint8)
    savemat(tmp_path / "train_32x32.mat", {"X": pixels, "y": np.array([[10], [1], [2], [9]])})
    found = data.load_folder("svhn", tmp_path, check_counts=False)
    assert found.labels.tolist() == [0, 1, 2, 9]
    np.testing.assert_array_equal(found.images[2], pixels[..., 2])
    savemat(tmp_path / "imagelabels.mat", {"labels": np.array([[5, 102, 1]])})
    savemat(tmp_path / "setid.mat", {"trnid": [[2]], "valid": [[1]], "tstid": [[3]]})
    tree(tmp_path, {f"jpg/image_0000{i}.jpg": None for i in (1, 2, 3)})
    flowers = data.load_folder("flowers-102", tmp_path, split="train", size=16, check_counts=False)
    assert flowers.labels.tolist() == [101]


def test_a_picture_known_by_its_pixels_may_be_encoded_anyhow_and_other_pixels_are_refused(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    file = data.File("a.webp", pixels=hashlib.sha256(pixels.tobytes()).hexdigest())
    source = data.Source("toy", "Toy", {"train": (file,)}, None, ("a",), "none", "none")
    monkeypatch.setenv("LSEDU_DATA", str(tmp_path))
    (tmp_path / "toy").mkdir()
    path, encoded = tmp_path / "toy" / "a.webp", set()
    for method in (0, 6):
        Image.fromarray(pixels).save(path, "WEBP", lossless=True, method=method)
        encoded.add(path.read_bytes())
        assert data.fetch(source, file, download=False) == path
    assert len(encoded) == 2
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(path, "WEBP", lossless=True)
    with pytest.raises(data.CorruptDataError, match=r"its pixels is \w+, expected"):
        data.fetch(source, file, download=False)


def test_the_first_repacked_form_that_is_whole_is_read(tmp_path, monkeypatch):
    def form(name, then=None):
        return data.Source("toy", name, {"train": (data.File(name),)}, None, ("a",), "none", "none", repacked=then)

    source = form("archive", form("first", form("second")))
    monkeypatch.setenv("LSEDU_DATA", str(tmp_path))
    (tmp_path / "toy").mkdir()
    found = [data.at_hand(source).title]
    for name in ("second", "first"):
        (tmp_path / "toy" / name).touch()
        found.append(data.at_hand(source).title)
    assert found == ["archive", "second", "first"]
