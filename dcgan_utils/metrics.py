"""Measures of what a generator draws: how far, how true, how varied, how new.

Lesson 04 counts hair colours. Lesson 06 derives the others; a test keeps both texts the
same. Features are arrays [N, d], one row for each picture, from any encoder.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from . import CourseError
from .figures import to_pixels


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


def distances(a, b) -> np.ndarray:
    """All distances [N, M] between the rows of a [N, d] and of b [M, d].

    By |x − y|² = |x|² + |y|² − 2 x·y, which is one matrix product.
    """
    a, b = as_features(a), as_features(b)
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0))


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


@dataclass(frozen=True)
class HairShares:
    """Shares of the hair colours, in the order of names, and how far to trust them."""

    names: tuple[str, ...]
    real: np.ndarray  # shares among the labelled real faces
    made: np.ndarray  # shares among the made faces
    accuracy: float  # how often the method is right on real faces it has not seen


def hair_colour_shares(root, made, limit=1000) -> HairShares | None:
    """Compare the hair colours of made faces [N, 3, 64, 64] with the labelled ones.

    A face's hair is the median colour at the top of the head. It gets the name whose
    labelled faces have the nearest mean. The first half of at most ``limit`` labelled
    faces gives the means, the second half the accuracy. None where root has no
    labels.csv.
    """
    labels = Path(root) / "labels.csv"
    if not labels.exists():
        return None
    with labels.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:limit]
    given = np.array([row["hair_colour"] for row in rows])
    pictures = [Image.open(Path(root) / "faces" / Path(r["file"]).name) for r in rows]
    side = made.shape[-1]
    tops = _hair(np.stack([np.asarray(p.resize((side, side))) for p in pictures]))
    half = len(rows) // 2
    names = np.unique(given[:half])
    means = np.stack([tops[:half][given[:half] == n].mean(axis=0) for n in names])

    def name(colours):
        distance = ((colours[:, None] - means[None]) ** 2).sum(axis=2)
        return names[distance.argmin(axis=1)]

    found = name(_hair(to_pixels(made)))
    return HairShares(
        names=tuple(names.tolist()),
        real=np.array([(given == n).mean() for n in names]),
        made=np.array([(found == n).mean() for n in names]),
        accuracy=float((name(tops[half:]) == given[half:]).mean()),
    )


def _hair(pixels) -> np.ndarray:
    """The median colour [N, 3] at the top of the head of pictures [N, S, S, 3]."""
    s = pixels.shape[1]
    top = pixels[:, s * 5 // 64 : s * 16 // 64, s * 22 // 64 : s * 42 // 64]
    return np.median(top.reshape(len(pixels), -1, 3), axis=1)
