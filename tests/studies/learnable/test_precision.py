import pytest
import torch

from lsedu import losses, models, training
from lsedu.studies.learnable.precision import FromTheEnd


def test_with_pixels_in_reverse_it_is_the_same_network_and_stays_it():
    draws = torch.Generator().manual_seed(0)
    x = torch.rand(60, 1, 28, 28, generator=draws, dtype=torch.float64)
    y = torch.arange(60) % 10
    plain = models.build(models.mlp, seed=3).double()
    turned = FromTheEnd(models.build(models.mlp, seed=3).double())
    torch.testing.assert_close(turned(x), plain(x), rtol=0, atol=1e-12)
    recipe = training.Config(epochs=2, batch_size=16)
    for network in (plain, turned):
        criterion = losses.LearnableLabelSmoothing(10, dtype=torch.float64)
        training.fit(network, criterion, x, y, config=recipe, progress=False)
    first = [network.body[1].weight for network in (plain, turned.network)]
    torch.testing.assert_close(first[1].flip(1), first[0], rtol=0, atol=1e-10)
    assert not torch.equal(first[1], first[0])


@pytest.mark.parametrize("target", ["one-hot", "lls"])
def test_the_ways_are_compared_with_float32(smoke, target):
    found = smoke("precision").results
    assert found[f"{target}/float32/changed"] == 0.0
    assert found[f"{target}/elsewhere/changed"] > max(
        found[f"{target}/{way}/changed"] for way in ("reversed", "bfloat16")
    )
