"""Predictions as real networks and votes give them: most confidences tie, many lie on the edge of a bin."""

from fractions import Fraction

import numpy as np
import pytest
import sklearn.metrics
import torch

from lsedu import _check
from lsedu.analysis import membership_auc
from lsedu.calibration import (
    accuracy,
    adaptive_ece,
    classwise_ece,
    ece,
    error_auroc,
    mce,
    reliability,
    risk_coverage,
)
from lsedu.calibration.binned import bin_index


@pytest.fixture(scope="module", params=[4, 10, 20, 50])
def votes(request):
    """Shares of so many votes over three classes, as counts; unanimity is the commonest, and a label."""
    rng = np.random.default_rng(request.param)
    counts = np.stack([rng.multinomial(request.param, row) for row in rng.dirichlet(np.full(3, 0.4), size=300)])
    labels = np.array([rng.choice(3, p=row / row.sum()) for row in counts + 0.2])
    assert len(np.unique(counts.max(1))) < 40
    return counts, request.param, labels


def place(count, of, bins, edges):
    """Return the bin of count / of, in whole numbers."""
    scaled = count * bins
    return min(scaled // of, bins - 1) if edges == "left" else max(-(-scaled // of) - 1, 0)


def gaps(counts, of, hits, bins, edges):
    """Return by bin the number of samples and the sum of confidence minus hits, as fractions."""
    number, gap = [0] * bins, [Fraction(0)] * bins
    for count, hit in zip(counts.tolist(), hits.tolist()):
        m = place(count, of, bins, edges)
        number[m] += 1
        gap[m] += Fraction(count, of) - int(hit)
    return number, gap


@pytest.mark.parametrize("edges", ["left", "right"])
@pytest.mark.parametrize("bins", [1, 4, 5, 10, 15, 20])
def test_confidences_on_the_edges_go_where_whole_numbers_put_them(votes, bins, edges):
    counts, of, labels = votes
    probs = counts / of
    hits = counts.argmax(1) == labels
    number, gap = gaps(counts.max(1), of, hits, bins, edges)
    table = reliability(probs, labels, bins=bins, edges=edges)
    assert table.count.tolist() == number
    assert ece(probs, labels, bins=bins, edges=edges) == pytest.approx(float(sum(map(abs, gap)) / 300), abs=1e-13)
    largest = max(abs(g / n) for g, n in zip(gap, number) if n)
    assert mce(probs, labels, bins=bins, edges=edges) == pytest.approx(float(largest), abs=1e-13)
    each = [sum(map(abs, gaps(counts[:, k], of, labels == k, bins, edges)[1])) / 300 for k in range(3)]
    assert classwise_ece(probs, labels, bins=bins, edges=edges) == pytest.approx(float(sum(each) / 3), abs=1e-13)


def test_ranks_with_ties_count_pairs(votes):
    counts, of, labels = votes
    probs, top = counts / of, counts.max(1)
    hits = counts.argmax(1) == labels
    above, level = (top[hits][:, None] > top[~hits]).mean(), (top[hits][:, None] == top[~hits]).mean()
    assert level > 0.02
    assert error_auroc(probs, labels) == pytest.approx(above + level / 2, abs=1e-13)
    assert error_auroc(probs, labels) == pytest.approx(sklearn.metrics.roc_auc_score(hits, top), abs=1e-13)
    assert membership_auc(-top[hits], -top[~hits]) == pytest.approx(above + level / 2, abs=1e-13)


def test_risk_keeps_or_rejects_ties_together(votes):
    counts, of, labels = votes
    probs, top = counts / of, counts.max(1)
    wrong = counts.argmax(1) != labels
    curve = risk_coverage(probs, labels)
    levels = sorted(set(top.tolist()), reverse=True)
    assert curve.coverage == pytest.approx([(top >= level).mean() for level in levels], abs=1e-15)
    assert curve.risk == pytest.approx([wrong[top >= level].mean() for level in levels], abs=1e-15)
    assert curve.area == pytest.approx(np.mean([wrong[top >= level].mean() for level in top]), abs=1e-13)
    assert curve.risk[-1] == pytest.approx(1 - accuracy(probs, labels), abs=1e-15)


def test_the_order_of_samples_decides_nothing_but_the_adaptive_bins(votes):
    counts, of, labels = votes
    probs, order = counts / of, np.random.default_rng(0).permutation(300)
    for score in (ece, mce, classwise_ece, error_auroc):
        assert score(probs[order], labels[order]) == pytest.approx(score(probs, labels), abs=1e-13)
    assert risk_coverage(probs[order], labels[order]).area == pytest.approx(
        risk_coverage(probs, labels).area, abs=1e-13
    )
    ranked = sorted(range(300), key=lambda i: (counts[i].max(), i))
    gap = [Fraction(int(counts[i].max()), of) - int(counts[i].argmax() == labels[i]) for i in ranked]
    want = sum(abs(sum(gap[20 * m : 20 * m + 20])) for m in range(15)) / 300
    assert adaptive_ece(probs, labels) == pytest.approx(float(want), abs=1e-13)


def test_saturated_confidences():
    """Softmax of large logits in float32: most confidences are exactly 1, some of those wrong."""
    z = 40 * torch.randn(400, 5, generator=torch.Generator().manual_seed(0))
    probs, labels = z.softmax(1), z.argmax(1)
    labels[::7] = (labels[::7] + 1) % 5
    sure = (probs.max(1).values == 1).numpy()
    wrong = (probs.argmax(1) != labels).numpy()
    assert sure.mean() > 0.5
    table = reliability(probs, labels, bins=10)
    assert table.count[-1] >= sure.sum()
    curve = risk_coverage(probs, labels)
    assert curve.coverage[0] == sure.mean() and curve.risk[0] == pytest.approx(wrong[sure].mean(), abs=1e-15)
    want = sklearn.metrics.roc_auc_score(~wrong, probs.max(1).values.numpy())
    assert error_auroc(probs, labels) == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int32, np.uint64, torch.uint8, torch.int16, list, tuple])
def test_labels_of_every_integer_kind_and_arrays_of_every_layout(kind):
    rng = np.random.default_rng(0)
    probs, y = rng.dirichlet(np.ones(3), size=300), rng.integers(0, 3, 300)
    if isinstance(kind, torch.dtype):
        labels = torch.from_numpy(y).to(kind)
    else:
        labels = kind(y.tolist()) if kind in (list, tuple) else y.astype(kind)
    want = [score(probs, y) for score in (ece, adaptive_ece, error_auroc, accuracy)]
    padded = np.zeros((600, 6))
    padded[::2, ::2] = probs
    backwards = np.array(probs[::-1, ::-1])[::-1, ::-1]
    for given in (probs, probs.tolist(), np.asfortranarray(probs), padded[::2, ::2], backwards, list(probs),
                  torch.from_numpy(padded)[::2, ::2], list(torch.from_numpy(probs).requires_grad_())):  # fmt: skip
        assert [score(given, labels) for score in (ece, adaptive_ece, error_auroc, accuracy)] == want


@pytest.mark.parametrize("edges", ["left", "right"])
@pytest.mark.parametrize("bins", [5, 10, 15, 20])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16, np.float32, np.float16])
def test_edges_are_edges_in_every_precision(votes, kind, bins, edges):
    counts, of, labels = votes
    exact = counts / of
    probs = torch.from_numpy(exact).to(kind) if isinstance(kind, torch.dtype) else exact.astype(kind)
    found, wanted = (reliability(p, labels, bins=bins, edges=edges) for p in (probs, exact))
    hits = counts.argmax(1) == labels
    assert found.count.tolist() == wanted.count.tolist() == gaps(counts.max(1), of, hits, bins, edges)[0]
    last = _check.unit_of(probs.dtype)
    assert ece(probs, labels, bins=bins, edges=edges) == pytest.approx(
        ece(exact, labels, bins=bins, edges=edges), abs=last
    )
    assert classwise_ece(probs, labels, bins=bins, edges=edges) == pytest.approx(
        classwise_ece(exact, labels, bins=bins, edges=edges), abs=last
    )


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_a_number_beside_the_edge_is_not_on_it(kind):
    for m in (5, 6):
        edge = kind(m / 10)
        values = np.array([np.nextafter(edge, kind(0)), edge, np.nextafter(edge, kind(1))]).astype(float)
        unit = _check.unit_of(np.dtype(kind))
        assert bin_index(values, 10, "right", unit=unit).tolist() == [m - 1, m - 1, m]
        assert bin_index(values, 10, "left", unit=unit).tolist() == [m - 1, m, m]
