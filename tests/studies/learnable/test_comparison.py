import numpy as np
import pytest

from lsedu.studies.learnable import _methods, _reading


def test_likeness_looks_off_the_diagonal_only_and_row_by_row():
    rng = np.random.default_rng(0)
    table = rng.random((5, 5))
    scaled = table * rng.uniform(1, 9, (5, 1)) + np.diag(rng.uniform(50, 100, 5))
    assert _reading.likeness(table, scaled) == pytest.approx(1.0)
    assert _reading.likeness(table, 1.0 - table) < 0
    assert _reading.likeness(np.ones((5, 5)), table) == 0.0
    assert abs(_reading.likeness(rng.random((60, 60)), rng.random((60, 60)))) < 0.1
    confusion = np.diag([3, 4])  # nothing is ever taken for something else
    assert _reading.likeness(table[:2, :2], confusion) == 0.0


def test_unevenness_of_points_on_a_line():
    at = np.array([0.0, 1.0, 2.0])
    distances = np.abs(at[:, None] - at)  # twice 1, 1, 2
    assert _methods.unevenness(distances) == pytest.approx(np.std([1, 1, 2]) / np.mean([1, 1, 2]))
    assert _methods.unevenness(3 * distances) == pytest.approx(_methods.unevenness(distances))


def test_what_is_kept_of_each_method_belongs_together(smoke):
    found = smoke("comparison")
    assert found.kept == set(_methods.METHODS)
    for name in _methods.METHODS:
        confusion, hits = found.arrays[f"{name}/confusion"], np.unpackbits(found.arrays[f"{name}/hits"])[:200]
        assert confusion.sum() == 200 and np.trace(confusion) == hits.sum()
        assert hits.mean() == pytest.approx(found.results[f"{name}/before/accuracy"])
        assert found.arrays[f"{name}/top"].astype(float).mean() - hits.mean() == pytest.approx(
            found.results[f"{name}/before/overconfidence"], abs=1e-3
        )
        assert -found.arrays[f"{name}/label"].astype(float).mean() == pytest.approx(
            found.results[f"{name}/before/nll"], rel=1e-3
        )
    assert np.allclose(found.arrays["lls/q"].sum(1), 1, atol=1e-5)
