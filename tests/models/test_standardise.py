import pytest
import torch

from lsedu import models


def test_inputs_are_standardised_channel_by_channel_and_bytes_count_as_levels():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (20, 3, 8, 8), generator=generator, dtype=torch.uint8)
    images[:, 1] //= 3
    floats = images.float() / 255
    model = models.build(models.mlp, seed=0, shape=(3, 8, 8))
    plain = model(torch.zeros(1, 3, 8, 8))
    same = models.standardised(models.build(models.mlp, seed=0, shape=(3, 8, 8)), floats)
    assert models.standardised(model, images) is model
    seen = model.body[0](floats)
    assert torch.allclose(seen.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(seen.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5)
    assert torch.allclose(model(floats), same(floats), atol=1e-5)
    mean = floats.mean((0, 2, 3), keepdim=True).expand(1, 3, 8, 8)
    assert torch.allclose(model(mean), plain, atol=1e-5)
    assert model.features(floats).shape == (20, 256)


def test_a_channel_that_never_varies_is_refused():
    with pytest.raises(ValueError, match=r"must vary, got standard deviations \[0\.0\]"):
        models.standardised(models.softmax_regression(), torch.ones(2, 1, 28, 28))


@pytest.mark.parametrize("level", [77, 200])
def test_what_rounding_leaves_of_one_level_is_no_variation(level):
    images = torch.full((33, 1, 8, 8), level, dtype=torch.uint8)
    assert (images.double() / 255).std(correction=0) > 0
    for same in (images, images.float() / 255, images.double() / 255):
        with pytest.raises(ValueError, match="every channel must vary, got standard deviations"):
            models.standardised(models.softmax_regression(shape=(1, 8, 8)), same)
