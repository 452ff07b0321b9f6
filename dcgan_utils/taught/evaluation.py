"""Lesson 06: how far, how true, how varied, how new is what a generator draws?

Features are arrays [N, d], one row for each picture, from any encoder.
"""

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from .. import CourseError


def as_features(rows) -> np.ndarray:
    """Features as an array [N, d] float64.

    Raises CourseError where it is none, has a single row, or a number is not finite.
    """
    rows = np.asarray(rows, np.float64)
    if rows.ndim != 2 or len(rows) < 2 or not np.isfinite(rows).all():
        raise CourseError(
            f"An array {list(rows.shape)} is no set of features [N, d], two rows or "
            "more, all finite: encode the pictures first."
        )
    return rows


def distances(a, b) -> np.ndarray:
    """All distances [N, M] between the rows of a [N, d] and of b [M, d].

    By |x − y|² = |x|² + |y|² − 2 x·y, which is one matrix product.
    """
    a, b = as_features(a), as_features(b)
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0))


def fid(a, b) -> float:
    """The Fréchet distance between Gaussians fitted to features [N, d] and [M, d].

    Heusel et al. 2017, equation 6. The trace of the matrix root is the sum of the roots
    of the eigenvalues, which are real and not negative except for rounding.
    """
    a, b = as_features(a), as_features(b)
    shift = a.mean(axis=0) - b.mean(axis=0)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    eigenvalues = np.linalg.eigvals(cov_a @ cov_b).real
    root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    return float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * root)


def kid(a, b) -> float:
    """The squared distance of means under the kernel (x·y / d + 1)³, without bias.

    Features [N, d] and [M, d]; Bińkowski et al. 2018, section 3 and equation 4. It can
    be a little below 0.
    """
    a, b = as_features(a), as_features(b)

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    def pairs(x):  # the mean over pairs of two different pictures
        k, n = kernel(x, x), len(x)
        return (k.sum() - np.trace(k)) / (n * (n - 1))

    return float(pairs(a) + pairs(b) - 2 * kernel(a, b).mean())


def standard_error(metric, a, b, rounds=100, seed=0) -> float:
    """How much metric(a, b) would vary with other pictures, by the bootstrap.

    The standard deviation over rounds in which as many rows as there are of a and of b
    are drawn with replacement (Efron 1979). It says nothing of another training run.
    """
    rng = np.random.default_rng(seed)
    draws = (
        metric(a[rng.integers(0, len(a), len(a))], b[rng.integers(0, len(b), len(b))])
        for _ in range(rounds)
    )
    return float(np.std(list(draws), ddof=1))


def precision_recall(real, made, k=3) -> tuple[float, float]:
    """The share of made rows among the real ones, and of real rows among the made ones.

    A row is among a set if it lies in the ball of one of its rows, whose radius is the
    distance to that row's k-th nearest neighbour in the set (Kynkäänniemi et al. 2019,
    equations 1 and 2). Features [N, d] and [M, d], more than k rows each.
    """

    def covered(points, rows):
        radius = np.sort(distances(rows, rows), axis=1)[:, k]  # [0] is the row itself
        return float((distances(points, rows) <= radius).any(axis=1).mean())

    return covered(made, real), covered(real, made)


def coverage(real, made, k=3) -> float:
    """The share of real rows that have a made row in their ball.

    A ball reaches to the row's k-th nearest neighbour among the real ones, so one set
    of balls judges every generator (Naeem et al. 2020, section 3). As many rows of the
    same kind cover all but about 2^−k. Features [N, d] and [M, d], N above k.
    """
    radius = np.sort(distances(real, real), axis=1)[:, k]  # [0] is the row itself
    nearest_made = distances(real, made).min(axis=1)
    return float((nearest_made <= radius).mean())


def memorisation(made, trained, held_out, rounds=999, seed=0):
    """Test whether made faces lie nearer to the training faces than to other real ones.

    Arrays [N, d], [T, d], [H, d]: features, or pixels. Returns three numbers: the share
    of made rows whose nearest real row was trained on; the share to be expected of a
    generator that remembers nothing; and the p-value, the probability of such a share
    by chance. For that generator, which faces were trained on is a label without
    meaning, so chance deals the labels out anew (a permutation test).
    """
    nearest = distances(made, np.concatenate([trained, held_out])).argmin(axis=1)
    is_trained = np.arange(len(trained) + len(held_out)) < len(trained)
    share = is_trained[nearest].mean()
    rng = np.random.default_rng(seed)
    chance = [rng.permutation(is_trained)[nearest].mean() for _ in range(rounds)]
    p_value = (1 + sum(c >= share for c in chance)) / (1 + rounds)
    return float(share), float(is_trained.mean()), float(p_value)


def learn_by_heart(generator, faces, z, steps, rate=1e-3):
    """Over-train G: each face [N, 3, S, S] gets its own z, a row of [N, latent_size].

    No discriminator: Adam lowers the mean absolute difference of G(z) from its face
    (Bojanowski et al. 2018). Returns this difference after each step.
    """
    noise = ms.Tensor(z[:, :, None, None], ms.float32)
    wanted = ms.Tensor(faces)
    optimizer = nn.Adam(generator.trainable_params(), rate, beta1=0.5)

    def difference():
        return ops.abs(generator(noise) - wanted).mean()

    gradient = ms.value_and_grad(difference, None, optimizer.parameters)

    @ms.jit
    def step():
        value, gradients = gradient()
        optimizer(gradients)
        return value

    generator.set_train(True)
    values = [float(step().asnumpy()) for _ in range(steps)]
    generator.set_train(False)
    return values
