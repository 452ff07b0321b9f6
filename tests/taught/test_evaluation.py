"""FID, KID, precision, recall and the memorisation test on cases with known answers."""

import mindspore as ms
import numpy as np
import pytest
from scipy.linalg import sqrtm

from dcgan_utils import CourseError
from dcgan_utils.taught.evaluation import (
    coverage,
    distances,
    fid,
    kid,
    learn_by_heart,
    memorisation,
    precision_recall,
    standard_error,
)
from dcgan_utils.taught.latent_space import draw
from dcgan_utils.taught.networks import Generator


def normal(seed, n, d=8, mean=0.0, scale=1.0):
    return mean + scale * np.random.default_rng(seed).standard_normal((n, d))


def skewed(seed, n, d=8):
    """Features whose covariance is not the identity and not diagonal."""
    mix = np.random.default_rng(77).normal(size=(d, d))
    return normal(seed, n, d) @ mix


# --- FID --------------------------------------------------------------------------


def test_fid_of_equal_covariances_is_the_squared_distance_of_the_means():
    x, shift = skewed(1, 200), np.array([1.0, -2, 0, 0.5, 0, 0, 3, 0])
    assert fid(x, x + shift) == pytest.approx(shift @ shift, rel=1e-6)


def test_fid_of_a_scaled_set():
    # cov(3x) = 9 cov(x), so the roots commute: trace(cov) · (3 − 1)².
    x = skewed(2, 300)
    x -= x.mean(axis=0)
    assert fid(x, 3 * x) == pytest.approx(4 * np.trace(np.cov(x.T)), rel=1e-6)


def test_fid_in_one_dimension_by_the_formula():
    a, b = normal(1, 50, 1), normal(2, 70, 1, mean=2, scale=3)
    want = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert fid(a, b) == pytest.approx(want, rel=1e-9)


def test_fid_agrees_with_the_matrix_root_of_scipy():
    a, b = skewed(1, 300), normal(2, 200, mean=0.3)
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    shift = a.mean(axis=0) - b.mean(axis=0)
    want = shift @ shift + np.trace(cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real)
    assert fid(a, b) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("n", [300, 5], ids=["full rank", "fewer rows than columns"])
def test_fid_of_a_set_with_itself_is_zero_and_a_real_number(n):
    x = skewed(3, n)
    assert fid(x, x) == pytest.approx(0, abs=1e-5)
    assert fid(x.astype(np.float32), x[::-1].astype(np.float32)) < 1e-3


@pytest.mark.parametrize("metric", [fid, kid])
def test_neither_order_nor_sides_matter(metric):
    a, b = skewed(1, 120), skewed(2, 80) + 0.5
    rng = np.random.default_rng(0)
    shuffled = metric(rng.permutation(a), rng.permutation(b))
    assert shuffled == pytest.approx(metric(a, b), rel=1e-9)
    assert metric(b, a) == pytest.approx(metric(a, b), rel=1e-9)


@pytest.mark.parametrize(
    "rows", [np.zeros((4, 3, 8, 8)), np.zeros((1, 8)), np.full((4, 8), np.nan)]
)
@pytest.mark.parametrize("metric", [fid, kid, distances])
def test_what_is_no_set_of_features_gets_a_sentence(metric, rows):
    with pytest.raises(CourseError, match="encode the pictures first"):
        metric(rows, normal(1, 10))


# --- KID --------------------------------------------------------------------------


def test_kid_by_hand():
    # k(x, y) = (xy + 1)³: within a 1, within b 27, between them (1 + 1 + 8 + 27) / 4.
    assert kid([[0.0], [1]], [[1.0], [2]]) == pytest.approx(1 + 27 - 2 * 9.25)


def test_kid_by_loops_over_pairs():
    a, b = normal(1, 7, 3), normal(2, 5, 3, mean=0.4)

    def kernel(x, y):
        return (sum(x * y) / 3 + 1) ** 3

    def mean(pairs):
        return np.mean([kernel(x, y) for x, y in pairs])

    within = [
        mean([(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j])
        for s in (a, b)
    ]
    want = sum(within) - 2 * mean([(x, y) for x in a for y in b])
    assert kid(a, b) == pytest.approx(want)


def test_kid_is_right_on_average_for_a_shifted_normal():
    # In one dimension (xy + 1)³ compares the first three moments, with weights 3, 3, 1.
    m = 0.5
    truth = 3 * m**2 + 3 * (m**2) ** 2 + (m**3 + 3 * m) ** 2
    found = [
        kid(normal([1, s], 40, 1), normal([2, s], 60, 1, mean=m)) for s in range(2000)
    ]
    assert np.mean(found) == pytest.approx(truth, abs=3 * np.std(found) / 2000**0.5)
    assert 3 * np.std(found) / 2000**0.5 < 0.15 * truth  # or it would say little


def test_fid_grows_with_fewer_pictures_and_kid_does_not():
    def mean_and_error(metric, n, rounds=60):
        found = [metric(normal([n, s], n), normal([n, s, 1], n)) for s in range(rounds)]
        return np.mean(found), np.std(found) / rounds**0.5

    fids = [mean_and_error(fid, n) for n in (50, 100, 200)]
    for (small, error), (large, _) in zip(fids, fids[1:]):
        assert small > 10 * error  # surely above the truth, which is 0
        assert small / large == pytest.approx(2, abs=0.3)  # like 1 / n
    for n in (50, 100, 200):
        mean, error = mean_and_error(kid, n)
        assert abs(mean) < 3 * error


# --- error bars -------------------------------------------------------------------


def test_standard_error_of_a_difference_of_means():
    a, b = normal(1, 100, 1), normal(2, 400, 1, scale=3)

    def difference(x, y):
        return x.mean() - y.mean()

    found = standard_error(difference, a, b, rounds=2000)
    assert found == pytest.approx((1 / 100 + 9 / 400) ** 0.5, rel=0.1)
    assert standard_error(difference, a, b) == standard_error(difference, a, b)


def test_two_standard_errors_hold_the_truth_19_times_in_20():
    truth, rounds = 3 * 0.25 + 3 * 0.0625 + (0.125 + 1.5) ** 2, 150
    hits = 0
    for s in range(rounds):
        a, b = normal([1, s], 80, 1), normal([2, s], 80, 1, mean=0.5)
        error = standard_error(kid, a, b, rounds=60)
        hits += abs(kid(a, b) - truth) < 2 * error
    assert 0.88 <= hits / rounds <= 0.99


# --- precision and recall ---------------------------------------------------------


def test_distances():
    a, b = normal(1, 6, 3), normal(2, 4, 3)
    want = [[np.linalg.norm(x - y) for y in b] for x in a]
    np.testing.assert_allclose(distances(a, b), want)
    assert distances(a, a).diagonal().max() < 1e-6  # never the root of a negative


def two_islands(seed, n):
    return np.concatenate([normal([seed, 1], n), normal([seed, 2], n, mean=50)])


def test_half_of_the_faces_missing_costs_recall_only():
    real, made = two_islands(1, 300), normal(3, 300)
    precision, recall = precision_recall(real, made)
    assert precision > 0.6
    assert 0.3 < recall <= 0.5


def test_nonsense_among_the_faces_costs_precision_only():
    real = two_islands(1, 300)
    nonsense = normal(4, 300, mean=-50, scale=3)
    made = np.concatenate([normal(5, 150), normal(6, 150, mean=50), nonsense])
    precision, recall = precision_recall(real, made)
    assert 0.3 < precision <= 0.5
    assert recall > 0.6


def test_precision_and_recall_at_the_ends():
    real = normal(1, 100)
    assert precision_recall(real, real) == (1, 1)
    assert precision_recall(real, real + 100) == (0, 0)
    # One good face again and again: all of it is true, nearly nothing is covered.
    assert precision_recall(real, real[:1].repeat(100, axis=0)) == (1, 0.01)


def test_precision_counts_with_the_kth_neighbour():
    real, made = [[0.0], [1], [2], [3]], [[4.5], [-1.5], [5.1], [1.5], [9]]
    # k = 1: radius 1 everywhere; k = 2: radii 2, 1, 1, 2.
    assert precision_recall(real, made, k=1)[0] == 0.2
    assert precision_recall(real, made, k=2)[0] == 0.6


# --- coverage ---------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 5])
def test_as_many_rows_of_the_same_kind_cover_all_but_a_known_share(k):
    # Of the M + N − 1 other rows, the k nearest must not all be real ones.
    n, m = 60, 90
    missed = np.prod([(n - i) / (m + n - i) for i in range(1, k + 1)])
    found = [coverage(normal([1, s], n), normal([2, s], m), k) for s in range(200)]
    error = np.std(found) / 200**0.5
    assert np.mean(found) == pytest.approx(1 - missed, abs=4 * error)
    assert error < 0.01  # or it would say little


def test_coverage_by_hand():
    real = [[0.0], [1], [2], [10]]  # k = 1: radii 1, 1, 1, 8
    assert coverage(real, [[0.5], [0.6]], k=1) == 0.5  # 0 and 1
    assert coverage(real, [[2.5], [2.5]], k=1) == 0.5  # 2 and 10
    assert coverage(real, [[30.0], [-30]], k=1) == 0


def test_half_of_the_faces_missing_halves_the_coverage():
    real = two_islands(1, 300)
    assert coverage(real, normal(3, 600)) == pytest.approx(0.47, abs=0.04)
    copies = real[:1].repeat(600, axis=0)
    assert coverage(real, copies) < 0.05


# --- memorisation -----------------------------------------------------------------


def test_copies_are_caught():
    trained, others = normal(1, 64), normal(2, 64)
    made = trained[np.random.default_rng(3).integers(0, 64, 200)]
    for noise in (0.0, 0.3):
        copies = made + noise * normal(4, 200)
        share, expected, p_value = memorisation(copies, trained, others)
        assert share > 0.95
        assert expected == 0.5
        assert p_value == 0.001


def test_a_quarter_of_copies_is_caught():
    trained, others = normal(1, 500), normal(2, 500)
    made = np.concatenate([trained[:100], normal(3, 300)])
    share, _, p_value = memorisation(made, trained, others)
    assert 0.55 < share < 0.75
    assert p_value < 0.01


def test_fresh_faces_raise_no_alarm():
    alarms, shares = 0, []
    for s in range(200):
        trained, others, made = (normal([i, s], n) for i, n in enumerate((64, 192, 64)))
        share, expected, p_value = memorisation(made, trained, others, rounds=199)
        assert expected == 0.25
        shares.append(share)
        alarms += p_value < 0.01
    assert np.mean(shares) == pytest.approx(0.25, abs=0.02)
    assert alarms <= 6  # at most one in 100 is expected


def test_blur_is_no_copying():
    # Shrunk towards the mean, faces come nearer to all real ones, trained on or not.
    trained, others = normal(1, 200, 32), normal(2, 200, 32)
    blurred = 0.3 * normal(3, 400, 32)
    to_trained = distances(blurred, trained).min(axis=1).mean()
    assert to_trained < 0.8 * distances(others, trained).min(axis=1).mean()
    assert memorisation(blurred, trained, others)[2] > 0.01


def test_a_network_trained_by_heart_is_caught_and_its_like_is_not():
    # 64 faces are learnt, 64 others are not; then the other way round: each time the
    # test must point at those that were, and it must be silent about third ones.
    rng = np.random.default_rng(1)
    shades = rng.uniform(-0.9, 0.9, (192, 3, 4, 4, 1, 1))
    faces = np.broadcast_to(shades, (192, 3, 4, 4, 8, 8)).swapaxes(3, 4)
    faces = faces.reshape(192, 3, 32, 32).astype(np.float32)
    first, second, third = (f.reshape(64, -1) for f in np.split(faces, 3))
    ms.set_seed(1)
    generator = Generator(16, 8, 32)
    z = rng.standard_normal((64, 16))
    differences = learn_by_heart(generator, faces[:64], z, 120, rate=5e-3)
    assert differences[-1] < 0.5 * differences[0]
    near = 0.95 * z + 0.3 * rng.standard_normal(z.shape)
    made = draw(generator, near).reshape(64, -1)
    share, expected, p_value = memorisation(made, first, second)
    assert share > 0.9 and expected == 0.5 and p_value == 0.001
    assert memorisation(made, second, first)[2] > 0.5  # learnt ones are held out
    assert memorisation(made, second, third)[2] > 0.01
