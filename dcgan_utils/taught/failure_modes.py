"""Lesson 07: a detector for each failure of a GAN.

Each looks at what a student has at hand (losses, pictures, a network) and gives a
Verdict.
"""

from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import nn, ops


@dataclass(frozen=True)
class Verdict:
    """What a detector says: the failure, whether it fires, and what was measured."""

    failure: str
    fires: bool
    found: str

    def __str__(self):
        word = "WARNING" if self.fires else "silent"
        return f"{word:<8} {self.failure}: {self.found}"


def modes_covered(points, modes, radius=0.3, share=0.01):
    """How many modes [M, 2] have at least this share of the points [N, 2] near them."""
    distance = np.linalg.norm(points[:, None] - modes[None], axis=2)
    return int(((distance < radius).mean(axis=0) >= share).sum())


def picture_distances(some, others):
    """Distances [N, M] between pictures [N, 3, S, S] and [M, 3, S, S].

    The root of the mean squared difference of pictures shrunk to 8 × 8 pixels, so that
    only large features count. S must be a multiple of 8.
    """

    def shrink(pictures):
        n, c, s, _ = pictures.shape
        small = pictures.reshape(n, c, 8, s // 8, 8, s // 8).mean(axis=(3, 5))
        return small.reshape(n, -1)

    a, b = shrink(some), shrink(others)
    return np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=2))


def collapsed(real, made, limit=0.2):
    """Do made pictures resemble each other far more than real ones do?

    real, made: [N, 3, S, S] in [-1, 1]. For each picture, the distance to the nearest
    other of its kind; then the median of the made ones, as a share of that of as many
    real ones. A generator that has learnt nothing yet draws alike, too.
    """

    def nearest(pictures):
        between = picture_distances(pictures, pictures)
        np.fill_diagonal(between, np.inf)
        return np.median(between.min(axis=1))

    count = min(len(real), len(made))
    share = nearest(made[:count]) / nearest(real[:count])
    found = f"nearest pictures at {share:.2f} of the real distance, limit {limit}"
    return Verdict("mode collapse", bool(share < limit), found)


def discriminator_won(history, real_label=1.0, window=100, limit=0.01):
    """Has D's loss sat on its floor for the last steps, so that G learns nothing?

    history: the losses of D and G, [steps, 2]. The floor is 0, or with label smoothing
    the entropy of the label, halved: 0.16 for 0.9.
    """
    label = np.array([real_label, 1 - real_label])
    floor = -(label * np.log(np.maximum(label, 1e-12))).sum() / 2
    above = np.median(history[-window:, 0]) - floor
    found = f"D's loss {above:.4f} above its floor, limit {limit}"
    return Verdict("D has won", bool(len(history) >= window and above < limit), found)


def labels_swapped(history, window=100):
    """Are both losses lower than right labels allow? history: of D and G, [steps, 2].

    With p = D(G(z)), G's loss is −log p, and the fakes' half of D's loss −½ log(1 − p).
    So L_D ≥ −½ log(1 − exp(−L_G)) in every step, of means too (Jensen's inequality).
    It needs the non-saturating loss; the saturating one goes below 0 and is left out.
    """
    loss_d, loss_g = history[-window:].T
    least = -0.5 * np.log(1 - np.exp(-np.maximum(loss_g, 1e-6)))
    share = 0.0 if history[:, 1].min() < 0 else (loss_d < least - 0.01).mean()
    found = f"losses too low to be true in {share:.0%} of the steps, limit 50%"
    return Verdict("labels swapped", bool(share > 0.5), found)


def wrong_range(real):
    """Do real pictures leave half of tanh's range [-1, 1] empty, or lie outside it?"""
    low, high = float(np.min(real)), float(np.max(real))
    fits = -1.01 < low < -0.5 and 0.5 < high < 1.01
    return Verdict("wrong range", not fits, f"pictures from {low:.2f} to {high:.2f}")


def noise_not_fixed(before, after, limit=0.7):
    """Are pictures of "the same" noise, before and after some steps, strangers?

    before, after: [N, 3, S, S], N of 32 or more. The share of pictures that are nearer
    to themselves, later, than to half of the others. For strangers it is a coin toss.
    """
    between = picture_distances(before, after)
    share = (np.diag(between) < np.median(between, axis=1)).mean()
    found = f"{share:.0%} stay nearer to themselves than to others, limit {limit:.0%}"
    return Verdict("noise not fixed", bool(share < limit), found)


def batch_norm_astray(generator, noise, limit=0.01):
    """Does a picture change with its neighbours, or lose its contrast?

    noise: [N, latent_size, 1, 1], N of 16 or more. The generator is asked in the mode
    that it is in. Its statistics are put back as they were.
    """
    statistics = [p for p in generator.get_parameters() if "moving_" in p.name]
    kept, mode = [p.asnumpy().copy() for p in statistics], generator.training
    few, many = generator(noise[:2]).asnumpy(), generator(noise).asnumpy()
    trained = generator.set_train(True)(noise).asnumpy()
    generator.set_train(mode)
    for p, value in zip(statistics, kept):
        ops.assign(p, ms.Tensor(value))
    moved, contrast = abs(few[0] - many[0]).mean(), many.std() / trained.std()
    if moved > limit:
        found = f"a picture moves by {moved:.2f} with its neighbours, limit {limit}"
        return Verdict("batch norm in training mode", True, found)
    found = f"contrast {contrast:.2f} of that in training mode, limit 0.5"
    return Verdict("batch norm without statistics", bool(contrast < 0.5), found)


def epsilon_too_large(network, limit=0.01):
    """Has a batch norm of this network an epsilon that squeezes what passes?"""
    norms = [c for _, c in network.cells_and_names() if isinstance(c, nn.BatchNorm2d)]
    wrong = [n.eps for n in norms if n.eps > limit]
    found = f"{len(wrong)} of {len(norms)} batch norms with eps above {limit}"
    return Verdict("momentum given as epsilon", bool(wrong), found)


def uneven_stamps(network):
    """Does a transposed convolution's stride not divide its kernel?"""
    cells = [c for _, c in network.cells_and_names()]
    layers = [c for c in cells if isinstance(c, nn.Conv2dTranspose)]
    pairs = [(c.kernel_size[0], c.stride[0]) for c in layers]
    wrong = [pair for pair in pairs if pair[0] % pair[1]]
    found = f"kernel and stride {sorted(set(wrong or pairs))}"
    return Verdict("uneven stamps", bool(wrong), found)
