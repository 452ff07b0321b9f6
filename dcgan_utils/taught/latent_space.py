"""Lesson 05: walks, directions, calculations with noise, and the way back to z.

Noise is held here as NumPy arrays [N, latent_size], one row z for each face.
"""

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from .. import CourseError
from .results import generate


def draw(generator, z):
    """The faces [N, 3, S, S] in [-1, 1] of noise vectors z [N, latent_size]."""
    return generate(generator, ms.Tensor(z[:, :, None, None], ms.float32))


def onto_shell(z):
    """z [..., latent_size], each vector with the length √latent_size."""
    length = np.linalg.norm(z, axis=-1, keepdims=True)
    return z * np.sqrt(z.shape[-1]) / length


def slerp(first, last, shares):
    """The points [K, d] on the arc from first to last, both [d], at K shares in 0…1."""
    cosine = first @ last / np.linalg.norm(first) / np.linalg.norm(last)
    angle = np.arccos(np.clip(cosine, -1, 1))
    t = np.asarray(shares)[:, None]
    if np.sin(angle) < 1e-6:  # no arc, or every arc: take the straight road
        return (1 - t) * first + t * last
    return (np.sin((1 - t) * angle) * first + np.sin(t * angle) * last) / np.sin(angle)


def average_direction(z, has):
    """The unit vector from the mean of the z [N, d] without to that of those with it.

    has: [N] of bool. Zeros where all faces are alike: then there is nothing to find.
    """
    if has.all() or not has.any():
        return np.zeros(z.shape[1])
    difference = z[has].mean(axis=0) - z[~has].mean(axis=0)
    return difference / np.linalg.norm(difference)


def linear_probe(z, has, steps=200, rate=0.5, decay=0.01):
    """The unit vector along which a logistic regression finds has [N] in z [N, d].

    Both sides count alike, however rare one is. Zeros where all faces are alike.
    """
    if has.all() or not has.any():
        return np.zeros(z.shape[1])
    weight = np.where(has, 0.5 / has.mean(), 0.5 / (1 - has.mean()))
    w, bias = np.zeros(z.shape[1]), 0.0
    for _ in range(steps):
        p = 1 / (1 + np.exp(-(z @ w + bias)))
        pull = weight * (has - p)
        w += rate * (z.T @ pull / len(z) - decay * w)
        bias += rate * pull.mean()
    return w / np.linalg.norm(w)


def pairs_right(scores, has):
    """How often a face with the label has the higher score [N] than one without.

    0.5 is chance, 1 is always (the area under the ROC curve); nan where has [N] is the
    same for all.
    """
    if has.all() or not has.any():
        return np.nan
    return float((scores[has][:, None] > scores[~has]).mean())


def move(z, direction, amount):
    """z [N, d], moved by so many units along the direction [d], back on the shell."""
    return onto_shell(z + amount * direction)


def share_of(hits):
    """The share of True in hits [N], and its 95 % interval: share, low, high.

    The interval is Wilson's (1927), which also holds for shares near 0 and 1. Three
    nan where N is 0.
    """
    from scipy.stats import binomtest

    if not len(hits):
        return np.nan, np.nan, np.nan
    test = binomtest(int(np.sum(hits)), len(hits))
    interval = test.proportion_ci(method="wilson")
    return test.statistic, interval.low, interval.high


def calculate(plus, minus, base, averaged, trials, rng):
    """plus − minus + base, each the average of so many z out of its pool: [trials, d].

    plus, minus, base: pools of noise vectors [N, d]. Every trial draws others. Raises
    CourseError where a pool is empty.
    """
    terms = []
    for pool in (plus, minus, base):
        if not len(pool):
            raise CourseError("No face has these labels: ask for more common ones.")
        chosen = rng.integers(len(pool), size=(trials, averaged))
        terms.append(pool[chosen].mean(axis=1))
    return terms[0] - terms[1] + terms[2]


def find_noise(generator, faces, starts=3, steps=150, rate=0.2, seed=1):
    """The z whose pictures come nearest to faces [N, 3, S, S], and the distances.

    From so many random starts for each face, Adam lowers the mean squared difference;
    after each step z goes back onto the shell. Returns z [starts, N, d] and the root
    mean squared differences [starts, N]. Raises CourseError for faces of another size
    than the generator draws.
    """
    size = generator.layers[0].in_channels
    start = np.random.default_rng(seed).standard_normal((starts * len(faces), size))
    if draw(generator, start[:1]).shape[1:] != faces.shape[1:]:
        raise CourseError("The faces must be as large as the generator draws them.")
    z = ms.Parameter(ms.Tensor(start[:, :, None, None], ms.float32), name="z")
    wanted = ms.Tensor(np.tile(faces, (starts, 1, 1, 1)), ms.float32)
    optimizer = nn.Adam([z], learning_rate=rate)
    generator.set_train(False)

    def difference():
        return ((generator(z) - wanted) ** 2).mean(axis=(1, 2, 3)).sum()

    gradient = ms.value_and_grad(difference, None, [z])

    @ms.jit
    def step():
        value, gradients = gradient()
        optimizer(gradients)
        length = ops.sqrt((z**2).sum(axis=1, keepdims=True))
        ops.assign(z, z * size**0.5 / length)
        return value

    for _ in range(steps):
        step()
    found = z.asnumpy()[:, :, 0, 0]
    squared = (draw(generator, found) - wanted.asnumpy()) ** 2
    distances = np.sqrt(squared.mean(axis=(1, 2, 3)))
    return found.reshape(starts, len(faces), size), distances.reshape(starts, -1)
