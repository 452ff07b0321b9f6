"""What a discriminator has learnt besides telling real from fake (lesson 11).

Its feature maps as numbers, a linear classifier on them, and what in a picture excites
one of its maps. A test keeps these texts and the lesson's the same.
"""

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from .networks import LeakyReLU


def feature_maps(discriminator, pictures):
    """The maps after each leaky ReLU: a list of [N, maps, side, side] tensors."""
    x, maps = ms.Tensor(pictures), []
    for layer in discriminator.layers:
        x = layer(x)
        if isinstance(layer, LeakyReLU):
            maps.append(x)
    return maps


def max_pool(maps, side=4):
    """The largest number in each cell of a side × side grid: [N, maps · side²].

    maps: [N, maps, S, S], S a multiple of side.
    """
    n, c, s, _ = maps.shape
    cells = maps.reshape(n, c, side, s // side, side, s // side)
    return cells.max(axis=(3, 5)).reshape(n, -1)


def pooled_features(discriminator, pictures) -> list[np.ndarray]:
    """For each layer an array [N, maps · 16]: its maps, pooled to 4 × 4.

    pictures: [N, 3, S, S] float32 in [-1, 1]. Section 5.1 of the DCGAN paper, which
    then puts all layers side by side.
    """
    parts = []
    for i in range(0, len(pictures), 64):
        maps = feature_maps(discriminator, pictures[i : i + 64])
        parts.append([max_pool(m.asnumpy()) for m in maps])
    return [np.concatenate(layer) for layer in zip(*parts)]


def linear_answers(features, answers, new, decay):
    """Answers [M, values] for new features [M, d] by ridge regression.

    features: [N, d], answers: [N, values], such as 1 for the right value and −1 for the
    others. The weights W minimise ‖X W − Y‖² + decay ‖W‖², where the columns of X have
    mean 0 and variance 1/d. So W = Xᵀ (X Xᵀ + decay)⁻¹ Y, which inverts N × N numbers,
    not d × d.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    scale = spread * np.sqrt(features.shape[1])
    x, middle = (features - mean) / scale, answers.mean(axis=0)
    gram = x @ x.T + decay * np.eye(len(x), dtype=x.dtype)
    w = x.T @ np.linalg.solve(gram, answers - middle)
    return (new - mean) / scale @ w + middle


class GuidedReLU(nn.Cell):
    """A leaky ReLU forwards; backwards it passes only what excites, and only there.

    The gradient goes on where both the input and the gradient itself are positive
    (Springenberg et al. 2015, guided backpropagation).
    """

    def construct(self, x):
        return 0.2 * x + 0.8 * ops.relu(x)

    def bprop(self, x, out, gradient):
        return (ops.where(x > 0, ops.relu(gradient), ops.zeros_like(x)),)


def guided_gradient(discriminator, pictures, number) -> np.ndarray:
    """What in each picture excites map ``number`` of the last layer: [N, 3, S, S].

    The guided gradient of the map's largest number. pictures: [N, 3, S, S] float32.
    """
    layers = [
        GuidedReLU() if isinstance(layer, LeakyReLU) else layer
        for layer in discriminator.layers
    ]

    def excitement(x):
        for layer in layers:
            x = layer(x)
        return x[:, number].max(axis=(1, 2)).sum()

    return ms.grad(excitement)(ms.Tensor(pictures)).asnumpy()
