import pytest
import torch

from lsedu import models


@pytest.mark.parametrize(
    ("factory", "parameters"),
    [
        (models.softmax_regression, 784 * 10 + 10),
        (models.mlp, 784 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10),
        (models.small_cnn, 16 * 9 + 16 + 32 * 16 * 9 + 32 + 32 * 49 * 128 + 128 + 128 * 10 + 10),
    ],
)
def test_shapes_and_parameter_counts(factory, parameters):
    model = models.build(factory, seed=0)
    assert sum(p.numel() for p in model.parameters()) == parameters
    images = torch.rand(3, 1, 28, 28)
    logits = model(images)
    assert logits.shape == (3, 10)
    assert torch.equal(model.head(model.features(images)), logits)


def test_a_seed_gives_the_weights_and_leaves_the_global_generators_alone(monkeypatch):
    state = torch.random.get_rng_state()
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    first, again, other = (models.build(models.mlp, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(state, torch.random.get_rng_state()) and not seeded
    torch.manual_seed(1)
    torch.testing.assert_close(models.mlp().state_dict(), first.state_dict(), atol=0, rtol=0)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters()))
    assert not torch.equal(first.head.weight, other.head.weight)


def test_an_mlp_without_hidden_layers_is_refused():
    with pytest.raises(ValueError, match="at least one width"):
        models.mlp(hidden=())
