import numpy as np
import pytest
import torch

from lsedu import data, information
from lsedu.studies.bottleneck import _families as families
from lsedu.studies.bottleneck import contradicting

COUNTS = np.array([[9, 1, 0], [3, 7, 0], [0, 0, 10], [0, 4, 6], [10, 0, 0]])


@pytest.fixture(scope="module")
def table():
    p_y_given_x, p_x = information.from_counts(COUNTS)
    return information.merge_rows(p_y_given_x, p_x=p_x)


def test_confusion_is_what_a_second_annotator_says(table):
    p = COUNTS / 10
    found = families.confusion(table)
    assert found.sum(1) == pytest.approx(np.ones(3))
    for y in range(3):
        assert found[y] == pytest.approx((p[:, y] @ p) / p[:, y].sum())
    means = families.class_means(table)
    assert means[0] == pytest.approx(p[[0, 4]].mean(0)) and means[1] == pytest.approx(p[1])
    assert families.others(means).diagonal() == pytest.approx(np.zeros(3))
    assert families.others(np.eye(3))[0] == pytest.approx([0, 0.5, 0.5])


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_smoothing_with_the_uniform_prior_is_the_library_s_point(table, alpha):
    kinds = families.families(table, passes=3)
    found = families.point(table, kinds["uniform"].encoder(alpha))
    known = information.smoothed_point(COUNTS / 10, alpha=alpha, unit="bits")
    assert (found.i_x, found.i_y) == pytest.approx((known.i_x, known.i_y), abs=1e-12)
    hard = np.eye(3)[(COUNTS / 10).argmax(1)]
    smoothed = (1 - alpha) * hard + alpha / 3
    known = information.plane_point(smoothed, COUNTS / 10, unit="bits")
    assert families.point(table, kinds["majority"].encoder(alpha)).i_y == pytest.approx(known.i_y, abs=1e-12)


def test_a_rate_is_met_or_said_to_be_out_of_reach(table):
    uniform = families.families(table, passes=1)["uniform"]
    strength, at = families.at_rate(table, uniform, 0.5)
    assert at.i_x == pytest.approx(0.5, abs=1e-9) and 0 < strength < 1
    assert families.at_rate(table, uniform, 1.5) is None


def test_online_smoothing_settles_where_its_table_is_its_own_class_means(table):
    encoder = families.online(table, passes=500)(0.4)
    right = COUNTS / 10 * table_weights() * np.eye(3)[in_order(table, encoder).argmax(1)]
    means = right.T @ in_order(table, encoder)
    means /= means.sum(1, keepdims=True)
    again = (COUNTS / 10) @ (0.6 * np.eye(3) + 0.4 * means)
    assert again == pytest.approx(in_order(table, encoder), abs=1e-9)


def table_weights():
    return np.full((5, 1), 0.2)


def in_order(table, encoder):
    return encoder[table.inverse]


def test_no_smoothing_matrix_beats_the_best_at_its_beta(table):
    (at,), (matrix,) = families.best_matrix(table, betas=(1.6,), steps=80)
    least = at.i_x - 1.6 * at.i_y
    rng = np.random.default_rng(0)
    tried = [rng.dirichlet(np.ones(3), 3) for _ in range(30)]
    tried += [(1 - a) * np.eye(3) + a / 3 for a in np.linspace(0, 1, 20)]
    for other in tried:
        found = families.point(table, table.rows @ other)
        assert found.i_x - 1.6 * found.i_y > least - 1e-4
    assert matrix.sum(1) == pytest.approx(np.ones(3))


def test_without_contradiction_every_family_of_drawn_labels_is_on_the_curve():
    table = information.merge_rows(np.eye(4))
    kinds = families.families(table, passes=5)
    for name in ("uniform", "confusion", "majority", "zipf", "online"):
        at = families.point(table, kinds[name].encoder(0.3))
        assert at.i_y == pytest.approx(at.i_x, abs=1e-9), name
    at, q = families.learnable(table, alpha=0.1, steps=60)
    assert at.i_y == pytest.approx(at.i_x, abs=1e-9) and q.sum(1) == pytest.approx(np.ones(4))


def test_what_is_exact_is_the_same_for_every_seed(smoke):
    found = smoke("contradicting")
    assert found.results["curve/rise"] <= 1e-12
    assert found.results["uniform/0.1/gap"] > 0
    closed, gap = found.results["confusion/0.1/closed"], found.results["confusion/0.1/gap"]
    assert closed == pytest.approx(1 - gap / found.results["uniform/0.1/gap"])


def test_the_points_of_the_real_annotators():
    try:
        counts = data.annotations("cifar10h", download=False)["counts"]
    except data.DataUnavailableError:
        pytest.skip("needs CIFAR-10H: set LSEDU_DATA")
    rows, p_x = information.from_counts(counts)
    table = contradicting.annotators()
    assert len(table.rows) == 2923 and table.p_x.sum() == pytest.approx(1.0)
    uniform = families.families(table, passes=1)["uniform"]
    for alpha in (0.0, 0.1):
        known = information.smoothed_point(rows, alpha=alpha, p_x=p_x, unit="bits")
        found = families.point(table, uniform.encoder(alpha))
        assert (found.i_x, found.i_y) == pytest.approx((known.i_x, known.i_y), abs=1e-9)
        assert families.curve_at(table, found.i_x) > found.i_y + 0.05
    assert torch.get_default_dtype() == torch.float32
