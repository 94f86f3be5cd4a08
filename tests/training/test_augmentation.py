"""Augmentation: each value against its definition, draws against their distribution, Pillow as the judge of colours."""

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from lsedu import losses, targets
from lsedu.training import augmentation as aug
from lsedu.training.augmentation import colours, mixing, randaugment


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


def ramp(n=64, height=8, width=8):
    """Every pixel its own value, every sample too: where it came from can be read off."""
    return torch.arange(n * 3 * height * width, dtype=torch.float64).view(n, 3, height, width) + 1.0


def batch(images, labels=None):
    return aug.Batch(images, torch.arange(len(images)) if labels is None else labels)


EVERY = [
    aug.RandomCrop(2),
    aug.RandomResizedCrop(8),
    aug.HorizontalFlip(),
    aug.Cutout(4),
    aug.Mixup(),
    aug.CutMix(),
    aug.RandAugment(),
]


@pytest.mark.parametrize("step", EVERY, ids=lambda step: step.kind)
def test_the_generator_alone_decides_and_the_batch_is_left_alone(step):
    x = torch.rand(16, 3, 8, 8, generator=drawn(5))
    before, state = x.clone(), torch.random.get_rng_state()
    first, second = (step(batch(x), generator=drawn(1)) for _ in range(2))
    other = step(batch(x), generator=drawn(2))
    assert torch.equal(first.images, second.images) and not torch.equal(first.images, other.images)
    assert torch.equal(x, before) and torch.equal(torch.random.get_rng_state(), state)
    assert first.images.shape == x.shape and first.images.dtype == x.dtype
    assert first.images.min() >= 0 and first.images.max() <= 1


@pytest.mark.parametrize("step", EVERY, ids=lambda step: step.kind)
def test_grey_images_and_single_ones_work(step):
    assert step(batch(torch.rand(1, 1, 8, 8)), generator=drawn()).images.shape == (1, 1, 8, 8)


def test_every_crop_is_a_window_and_every_window_is_drawn():
    x = ramp(n=2000, height=4, width=4)
    out = aug.RandomCrop(padding=1)(batch(x), generator=drawn()).images
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    windows = torch.stack([padded[:, :, i : i + 4, j : j + 4] for i in range(3) for j in range(3)])
    same = (windows == out).all(dim=4).all(dim=3).all(dim=2)
    assert (same.sum(0) == 1).all()
    counts = same.sum(1).numpy()
    assert scipy.stats.chisquare(counts).pvalue > 0.01


def test_a_crop_of_another_size():
    x = ramp(n=3, height=6, width=7)
    assert aug.RandomCrop(padding=0, size=5)(batch(x), generator=drawn()).images.shape == (3, 3, 5, 5)
    with pytest.raises(ValueError, match="window of 8 x 8 does not fit in 6 x 7 and 0 around"):
        aug.RandomCrop(padding=0, size=8)(batch(x), generator=drawn())


def test_flips_mirror_half_of_the_images():
    x = ramp(n=2000, height=2, width=3)
    out = aug.HorizontalFlip()(batch(x), generator=drawn()).images
    mirrored = (out == x.flip(3)).flatten(1).all(1)
    assert ((out == x).flatten(1).all(1) ^ mirrored).all()
    assert scipy.stats.binomtest(int(mirrored.sum()), 2000).pvalue > 0.01


@pytest.mark.parametrize("size", [1, 4, 5])
def test_cutout_fills_one_square_around_every_pixel_alike(size):
    x = torch.ones(4000, 1, 8, 8)
    out = aug.Cutout(size, fill=0.25)(batch(x), generator=drawn()).images[:, 0]
    gone = out == 0.25
    assert ((out == 1) | gone).all()
    rows, columns = gone.any(2), gone.any(1)
    assert torch.equal(gone, rows[:, :, None] & columns[:, None, :])
    assert rows.sum(1).max() == size and rows.sum(1).min() == (size + 1) // 2
    # a row is missing when the centre is one of `size` rows around it: 1/8 each, cut off at the edge
    starts = np.arange(8) - size // 2
    wanted = np.mean([(at >= starts) & (at < starts + size) for at in range(8)], axis=1)
    assert np.allclose(rows.double().mean(0), wanted, atol=0.03)


def test_windows_have_the_area_and_the_shape_that_were_asked_for():
    step = aug.RandomResizedCrop(8, scale=(0.2, 0.9), ratio=(0.5, 2.0))
    top, left, tall, wide = step.windows(4000, 60, 80, generator=drawn()).T.double()
    assert (top >= 0).all() and (left >= 0).all() and (top + tall <= 60).all() and (left + wide <= 80).all()
    share = tall * wide / 4800
    assert 0.18 < share.min() < 0.22 and 0.8 < share.max() < 0.93
    assert 0.47 < (wide / tall).min() < 0.53 and 1.85 < (wide / tall).max() < 2.15


def test_a_window_that_never_fits_is_the_whole_image():
    step = aug.RandomResizedCrop(4, scale=(0.99, 1.0), ratio=(3.0, 3.0))
    assert step.windows(5, 6, 6, generator=drawn()).tolist() == [[0, 0, 6, 6]] * 5
    x = torch.rand(5, 1, 4, 4)
    assert torch.allclose(step(batch(x), generator=drawn()).images, x, atol=1e-6)


def test_a_scaled_window_of_a_plane_is_that_plane(monkeypatch):
    at = torch.arange(12, dtype=torch.float32) + 0.5
    x = (2 * at[:, None] + at)[None, None]
    step = aug.RandomResizedCrop(5)
    window = torch.tensor([[2.0, 3.0, 8.0, 6.0]])
    monkeypatch.setattr(aug.RandomResizedCrop, "windows", lambda *sizes, generator: window)
    steps = (torch.arange(5) + 0.5) / 5
    wanted = 2 * (2 + 8 * steps)[:, None] + (3 + 6 * steps)
    assert torch.allclose(step(batch(x), generator=drawn()).images[0, 0], wanted, atol=1e-4)


@pytest.mark.parametrize("alpha", [0.2, 0.4, 0.7, 1.0])
def test_shares_have_the_beta_distribution(alpha):
    generator = drawn()
    values = np.array([mixing.beta(alpha, generator=generator).item() for _ in range(3000)])
    assert scipy.stats.kstest(values, scipy.stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_mixup_is_the_formula():
    x = torch.rand(32, 3, 4, 4)
    found = aug.Mixup(0.4)(batch(x), generator=drawn(3))
    assert torch.equal(found.labels, torch.arange(32)) and sorted(found.others.tolist()) == list(range(32))
    wanted = found.share * x + (1 - found.share) * x[found.others]
    assert torch.allclose(found.images, wanted, atol=1e-6)


@given(seed=st.integers(0, 200), height=st.integers(1, 9), width=st.integers(1, 9))
def test_cutmix_pastes_one_rectangle_and_its_area_is_the_share(seed, height, width):
    x = ramp(n=6, height=height, width=width)
    found = aug.CutMix()(batch(x), generator=drawn(seed))
    pasted = (found.images == x[found.others]) & (found.images != x)
    kept = found.images == x
    assert (pasted | kept).all()
    moved = found.others != torch.arange(6)
    if moved.any():
        mask = pasted[moved][0, 0]
        assert torch.equal(mask, mask.any(1)[:, None] & mask.any(0))
        assert (pasted[moved] == mask).all()
        assert found.share.item() == pytest.approx(1 - mask.double().mean().item(), abs=1e-6)


def test_the_area_that_stays_follows_its_distribution_inside_a_large_image():
    shares = [aug.CutMix()(batch(torch.zeros(1, 1, 64, 64)), generator=drawn(seed)).share.item() for seed in range(600)]
    # side^2 is even on [0, 1]; of a side s around an even centre the part inside is s (1 - s / 4) on average
    side = np.sqrt(np.linspace(0, 1, 10_001))
    assert np.mean(shares) == pytest.approx(1 - np.mean((side * (1 - side / 4)) ** 2), abs=0.03)


@pytest.mark.parametrize("step", [aug.Mixup(chance=0.25), aug.CutMix(chance=0.25)], ids=lambda step: step.kind)
def test_a_chance_leaves_batches_as_they_are(step):
    x = torch.rand(8, 1, 16, 16)
    found = [step(batch(x), generator=drawn(seed)) for seed in range(400)]
    same = [torch.equal(one.images, x) and one.share.item() == 1.0 for one in found]
    assert 0.68 < np.mean(same) < 0.86


def test_a_batch_is_mixed_once():
    found = aug.Mixup()(batch(torch.rand(4, 1, 2, 2)), generator=drawn())
    with pytest.raises(ValueError, match="mixed once"):
        aug.CutMix()(found, generator=drawn())


@given(share=st.floats(0, 1), alpha=st.floats(0, 1), seed=st.integers(0, 50))
def test_the_shared_loss_of_smoothing_is_the_loss_of_the_mixed_smoothed_target(share, alpha, seed):
    generator = drawn(seed)
    z = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    y, other = (torch.randint(4, (6,), generator=generator) for _ in range(2))
    one = aug.Batch(torch.zeros(6, 1, 1, 1), y, other, torch.tensor(share, dtype=torch.float64))
    found = aug.mixed_loss(lambda logits, labels: losses.label_smoothing(logits, labels, alpha=alpha), z, one)
    p, q = (targets.smooth(labels, 4, alpha=alpha, dtype=torch.float64) for labels in (y, other))
    target = aug.mixed_targets(p, q, share)
    assert torch.allclose(target.sum(1), torch.ones(6, dtype=torch.float64))
    assert found.item() == pytest.approx(losses.cross_entropy(z, target).item(), abs=1e-12)


def picture(seed=0, side=32):
    rng = np.random.default_rng(seed)
    plane = np.linspace(20, 180, side)[:, None, None] + np.linspace(0, 30, side)[None, :, None] + [0, 10, 25]
    return Image.fromarray((plane + rng.integers(0, 20, (side, side, 3))).astype(np.uint8))


def tensor(image):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].double() / 255


JUDGED = {
    "brightness": (lambda x, f: colours.brightness(x, f), lambda i, f: ImageEnhance.Brightness(i).enhance(f)),
    "saturation": (lambda x, f: colours.saturation(x, f), lambda i, f: ImageEnhance.Color(i).enhance(f)),
    "contrast": (lambda x, f: colours.contrast(x, f), lambda i, f: ImageEnhance.Contrast(i).enhance(f)),
    "sharpness": (lambda x, f: colours.sharpness(x, f), lambda i, f: ImageEnhance.Sharpness(i).enhance(f)),
    "solarise": (lambda x, f: colours.solarise(x, f / 2), lambda i, f: ImageOps.solarize(i, f / 2 * 255)),
    "posterise": (
        lambda x, f: colours.posterise(x, f.ceil() + 2),
        lambda i, f: ImageOps.posterize(i, int(np.ceil(f)) + 2),
    ),
    "autocontrast": (lambda x, f: colours.autocontrast(x), lambda i, f: ImageOps.autocontrast(i)),
    "equalise": (lambda x, f: colours.equalise(x), lambda i, f: ImageOps.equalize(i)),
}  # fmt: skip


@pytest.mark.parametrize("factor", [0.1, 0.73, 1.0, 1.9])
@pytest.mark.parametrize("name", JUDGED)
def test_colours_are_pillows(name, factor):
    ours, pillows = JUDGED[name]
    for seed in range(3):
        image = picture(seed)
        found = ours(tensor(image), torch.tensor([factor], dtype=torch.float64))
        off = (found - tensor(pillows(image, factor))).abs().max().item() * 255
        assert off <= {"equalise": 0.01, "solarise": 0.01, "posterise": 0.01}.get(name, 2.6), name


def test_smoothing_is_pillows_filter():
    image = picture()
    found = colours.sharpness(tensor(image), torch.zeros(1, dtype=torch.float64))
    assert (found - tensor(image.filter(ImageFilter.SMOOTH))).abs().max() * 255 <= 1.0


def test_flat_channels_are_left_alone():
    flat = torch.full((2, 3, 8, 8), 0.4)
    assert torch.equal(colours.autocontrast(flat), flat)
    assert torch.allclose(colours.equalise(flat), flat, atol=1e-6)
    assert colours.equalise(torch.rand(1, 1, 40, 40)).max() == 1.0


def operation(name, n=1):
    return torch.full((n,), randaugment.OPERATIONS.index(name))


def test_no_strength_changes_nothing_but_the_levels_of_contrast():
    x = torch.rand(4, 3, 9, 9)
    for name in randaugment.OPERATIONS:
        found = randaugment.apply(x, operation(name, 4), torch.zeros(4), fill=0.5)
        same = torch.allclose(found, (x * 255).round() / 255 if name == "posterise" else x, atol=1e-6)
        assert same == (name not in ("autocontrast", "equalise")), name


@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_shift_by_whole_pixels_is_a_shift(axis):
    x = torch.rand(1, 3, 331, 331)
    strength = torch.tensor([60 / 150])
    found = randaugment.apply(x, operation(f"translate-{axis}"), strength, fill=0.5)
    wanted = torch.full_like(x, 0.5)
    if axis == "x":
        wanted[..., :-60] = x[..., 60:]
    else:
        wanted[..., :-60, :] = x[..., 60:, :]
    assert torch.allclose(found, wanted, atol=2e-4)


@pytest.mark.parametrize("strength", [-1.0, 0.4, 1.0])
def test_a_rotation_is_pillows_on_a_wide_image_too(strength):
    at = np.arange(48)
    smooth = np.outer(np.sin(at[:32] / 5) + 1.5, np.cos(at / 7) + 1.5)
    smooth = (smooth / smooth.max() * 255).astype(np.float32)
    found = randaugment.apply(
        torch.from_numpy(smooth)[None, None] / 255, operation("rotate"), torch.tensor([strength]), fill=0.5
    )
    turned = Image.fromarray(smooth).rotate(-30 * strength, Image.Resampling.BILINEAR, fillcolor=127.5)
    assert np.abs(found[0, 0].numpy() * 255 - np.array(turned))[10:-10, 16:-16].max() < 1.0


@pytest.mark.parametrize("strength", [-1.0, 0.5])
def test_a_shear_moves_each_line_by_its_distance_from_the_centre(strength):
    at = torch.arange(40) + 0.5
    x = ((at[None, :] + 0 * at[:, None]) / 100)[None, None]  # a plane along x
    found = randaugment.apply(x, operation("shear-x"), torch.tensor([strength]), fill=0.5)[0, 0]
    wanted = (at[None, :] + 0.3 * strength * (at[:, None] - 20)) / 100
    assert torch.allclose(found[:, 8:-8], wanted[:, 8:-8], atol=1e-5)
    found = randaugment.apply(x.mT, operation("shear-y"), torch.tensor([strength]), fill=0.5)[0, 0]
    assert torch.allclose(found[8:-8], wanted.T[8:-8], atol=1e-5)


def test_each_image_gets_its_own_operation():
    x = torch.rand(14, 3, 16, 16)
    strength = torch.linspace(-0.9, 0.9, 14)
    found = randaugment.apply(x, torch.arange(14), strength, fill=0.5)
    for i in range(14):
        alone = randaugment.apply(x[i : i + 1], torch.tensor([i]), strength[i : i + 1], fill=0.5)
        assert torch.allclose(found[i : i + 1], alone, atol=1e-5), randaugment.OPERATIONS[i]


def test_operations_are_drawn_evenly(monkeypatch):
    seen = []
    monkeypatch.setattr(randaugment, "apply", lambda x, drawn, strength, fill: (seen.append((drawn, strength)), x)[1])
    aug.RandAugment(operations=3, magnitude=15.0)(batch(torch.zeros(3000, 1, 2, 2)), generator=drawn())
    assert len(seen) == 3
    for operations, strength in seen:
        assert scipy.stats.chisquare(operations.bincount(minlength=14).numpy()).pvalue > 0.01
        assert strength.abs().unique().tolist() == [0.5] and abs(strength.mean()) < 0.05


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: aug.RandomCrop(-1), "at least 0, got -1"),
        (lambda: aug.RandomResizedCrop(scale=(0.5, 1.2)), r"got 224, \(0\.5, 1\.2\)"),
        (lambda: aug.HorizontalFlip(1.5), r"chance must be in \[0, 1\], got 1\.5"),
        (lambda: aug.Cutout(0), "at least 1, got 0"),
        (lambda: aug.Cutout(fill=2.0), "fill must be in"),
        (lambda: aug.Mixup(0.0), r"alpha must be in \(0, 1\], got 0"),
        (lambda: aug.CutMix(1.5), r"alpha must be in \(0, 1\], got 1\.5"),
        (lambda: aug.RandAugment(0), "operations must be at least 1"),
        (lambda: aug.RandAugment(magnitude=31), r"magnitude must be in \[0, 30\]"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
