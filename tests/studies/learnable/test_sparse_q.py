"""Rows of Q that are cut on the way: what is kept, what moves afterwards, and how a row's largest entries are read."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lsedu import losses, models, training
from lsedu.studies.learnable import sparse_q
from lsedu.studies.learnable._methods import ALPHA

K = 5


def fitted(criterion, epochs):
    generator = torch.Generator().manual_seed(3)
    x, y = torch.rand(60, 1, 4, 4, generator=generator), torch.arange(60) % K
    model = models.build(models.mlp, seed=0, shape=(1, 4, 4), hidden=(8,), num_classes=K)
    recipe = training.Config(epochs=epochs, batch_size=20, schedule="constant")
    training.fit(model, criterion, x, y, config=recipe, progress=False)
    return model


def test_until_the_cut_it_is_the_whole_matrix_and_afterwards_that_one_rests():
    whole = losses.LearnableLabelSmoothing(K, alpha=ALPHA, lr_factor=sparse_q.RATE * K, weight_decay=0.0)
    cut = sparse_q.CutSmoothing(K, 2, after=2)
    fitted(whole, 2)
    fitted(cut, 4)
    torch.testing.assert_close(cut.whole.q_logits, whole.q_logits)
    assert not torch.allclose(cut.q(), cut.whole.q())


@pytest.mark.parametrize("lot", [None, 7])
def test_a_cut_keeps_the_shares_of_the_classes_kept_and_spreads_the_rest(lot):
    criterion = sparse_q.CutSmoothing(K, 2, after=1, lot=lot)
    table = torch.randn(K, K, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        criterion.whole.q_logits.copy_(table)
    criterion.end_of_epoch()
    before, after = table.softmax(1), criterion.q()
    assert criterion.now() is criterion.rest
    for y in range(K):
        kept = criterion.rest.kept[y].tolist()
        left = [c for c in range(K) if c not in kept]
        assert y in left
        torch.testing.assert_close(after[y, kept], before[y, kept])
        torch.testing.assert_close(after[y, left], before[y, left].mean().expand(len(left)))
    if lot is None:
        assert np.array_equal(criterion.rest.kept.numpy(), sparse_q.top(table.numpy(), 2))


def test_the_largest_entries_of_a_row_leave_its_own_label_out():
    table = np.array([[0.7, 0.2, 0.1, 0.0], [0.4, 0.2, 0.1, 0.3], [0.0, 0.1, 0.8, 0.1], [0.3, 0.3, 0.2, 0.2]])
    assert sparse_q.top(table, 2).tolist() == [[1, 2], [0, 3], [1, 3], [0, 1]]
    assert sparse_q.overlap(table, table, 2) == 1
    assert sparse_q.overlap(table, table[:, [0, 2, 1, 3]], 1) == 0.75


def test_what_the_largest_hold_is_a_share_of_what_goes_to_other_classes():
    found = sparse_q.concentration(np.tile(np.arange(6.0), (6, 1)))
    assert found["top-1"] == pytest.approx((sum(5 / (15 - y) for y in range(5)) + 4 / 10) / 6)
    assert found["top-5"] == pytest.approx(1)


def test_the_cut_costs_numbers_by_the_row():
    made = sparse_q.arms(100, after=1, seed=0)
    assert sum(p.numel() for p in made["whole"].parameters()) == 10_000
    assert sum(p.numel() for p in made["top-3"].rest.parameters()) == 400
    assert made["whole"].lr_factor == 200 and made["published"].lr_factor == 1
    assert made["top-3"].parameter_groups(lr=0.1, weight_decay=1.0)[0]["lr"] == pytest.approx(20)
    assert not made["fixed"].q_logits.requires_grad


def test_the_card_s_profile_runs_on_a_few_pictures(made_up):
    gpu = sparse_q.EXPERIMENT.configs["gpu"]
    recipe = replace(gpu.training, epochs=2, warmup=0, batch_size=100, cuda_graphs=False)
    few = replace(gpu, train_size=100, validation_size=100, test_size=100, cut=1, training=recipe)
    found = sparse_q.measure(few, 0, device="cpu", workdir=None, progress=False)
    assert found.arrays["whole/q"].shape == (100, 100) and found.arrays["whole/q"].dtype == np.float16
    assert 0 <= found.results["top-3/accuracy"] <= 1
