import pytest
import torch

from lsedu import models


def size(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("depth, published", [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032), (101, 44_549_160)])
def test_wide_resnets_have_the_published_sizes(depth, published):
    assert size(models.resnet(depth=depth, stem="imagenet", num_classes=1000)) == published


@pytest.mark.parametrize("depth, millions", [(20, 0.27), (56, 0.85)])
def test_thin_resnets_have_the_published_sizes(depth, millions):
    assert round(size(models.thin_resnet(depth=depth)) / 1e6, 2) == millions


@pytest.mark.parametrize("depth, table9, globally_pooled", [(18, 11_578_632, 11_271_432), (101, 44_131_080, None)])
def test_table_9_fits_a_flattened_2_by_2_map(depth, table9, globally_pooled):
    assert size(models.resnet(depth=depth, map_size=2, num_classes=200)) == table9
    if globally_pooled:
        assert size(models.resnet(depth=depth, num_classes=200)) == globally_pooled


def test_other_published_sizes():
    assert size(models.lenet()) == 61_706
    assert size(models.mobilenet_v2(stem="imagenet", num_classes=1000)) == 3_504_872
    assert round(size(models.cct7(kernel=3, convolutions=1, size=32, num_classes=10)) / 1e6, 2) == 3.76


@pytest.mark.parametrize(
    "factory, options, shape",
    [
        (models.softmax_regression, {}, (1, 28, 28)),
        (models.mlp, {}, (1, 28, 28)),
        (models.small_cnn, {}, (1, 28, 28)),
        (models.lenet, {"size": 28}, (1, 28, 28)),
        (models.alexnet, {"channels": 1}, (1, 28, 28)),
        (models.thin_resnet, {"depth": 8}, (3, 32, 32)),
        (models.resnet, {}, (3, 32, 32)),
        (models.mobilenet_v2, {}, (3, 32, 32)),
        (models.cct7, {"size": 64, "num_classes": 10}, (3, 64, 64)),
    ],
)
def test_logits_are_the_head_of_the_features_and_every_parameter_learns(factory, options, shape):
    model = models.build(factory, seed=0, **options)
    x = torch.randn(4, *shape, generator=torch.Generator().manual_seed(1))
    model.eval()
    torch.testing.assert_close(model.head(model.features(x)), model(x))
    assert model(x).shape == (4, 10)
    model.train()
    model(x).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_the_seed_decides_the_weights_and_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    a, b, c = (models.build(models.mlp, seed=s).head.weight for s in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert torch.equal(before, torch.get_rng_state())


def test_weights_of_the_user_are_taken_whole_or_refused():
    source, target = (models.build(models.thin_resnet, seed=s, depth=8) for s in (0, 1))
    models.load_weights(target, source.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(source.state_dict().values(), target.state_dict().values()))
    with pytest.raises(ValueError, match=r"head\.bias"):
        models.load_weights(models.thin_resnet(depth=8, num_classes=3), source.state_dict())


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: models.thin_resnet(depth=19), "6 n \\+ 2"),
        (lambda: models.resnet(depth=19), "18, 34, 50, 101"),
        (lambda: models.resnet(stem="small"), "'cifar', 'imagenet'"),
        (lambda: models.resnet(map_size=0), "at least 1"),
        (lambda: models.lenet(size=20), "at least 28"),
        (lambda: models.mobilenet_v2(stem="small"), "got 'small'"),
        (lambda: models.mlp(hidden=()), "at least one width"),
    ],
)
def test_bad_options_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
