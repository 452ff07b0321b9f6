"""The discriminator's features: pooling, the linear classifier, guided gradients."""

import mindspore as ms
import numpy as np
import pytest

from dcgan_utils.taught.features import (
    GuidedReLU,
    feature_maps,
    guided_gradient,
    linear_answers,
    max_pool,
    pooled_features,
)
from dcgan_utils.taught.networks import Discriminator


@pytest.fixture(scope="module")
def discriminator():
    ms.set_seed(3)
    return Discriminator(8, 32).set_train(False)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).uniform(-1, 1, (70, 3, 32, 32)).astype(np.float32)


def test_maps_of_every_layer(discriminator, pictures):
    shapes = [m.shape for m in feature_maps(discriminator, pictures[:2])]
    assert shapes == [(2, 8, 16, 16), (2, 16, 8, 8), (2, 32, 4, 4)]


def test_max_pool_by_hand():
    maps = np.arange(64.0).reshape(1, 1, 8, 8)
    assert max_pool(maps, 2).tolist() == [[27, 31, 59, 63]]
    np.testing.assert_array_equal(max_pool(maps, 8), maps.reshape(1, 64))


def test_pooled_features_of_many_are_those_of_each(discriminator, pictures):
    layers = pooled_features(discriminator, pictures)
    assert [layer.shape for layer in layers] == [(70, 128), (70, 256), (70, 512)]
    alone = pooled_features(discriminator, pictures[66:67])
    for layer, one in zip(layers, alone):
        np.testing.assert_allclose(layer[66:67], one, rtol=1e-4, atol=1e-6)


def ridge(x, y, decay):
    """The same by the textbook's formula, d × d, with the means taken off."""
    x = (x - x.mean(axis=0)) / x.std(axis=0) / x.shape[1] ** 0.5
    return np.linalg.inv(x.T @ x + decay * np.eye(x.shape[1])) @ x.T @ (y - y.mean(0))


@pytest.mark.parametrize("shape", [(50, 7), (9, 30)], ids=["N > d", "N < d"])
def test_linear_answers_are_those_of_the_textbook(shape):
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal(shape) * 3 + 1, rng.standard_normal((shape[0], 2))
    scaled = (x - x.mean(axis=0)) / x.std(axis=0) / x.shape[1] ** 0.5
    want = scaled @ ridge(x, y, 0.3) + y.mean(axis=0)
    np.testing.assert_allclose(linear_answers(x, y, x, 0.3), want, rtol=1e-3, atol=1e-4)


def test_a_huge_decay_answers_the_mean_and_a_small_one_learns():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((400, 20))
    y = np.sign(x[:, :1] + 2 * x[:, 1:2])
    flat = linear_answers(x[:300], y[:300], x[300:], 1e9)
    np.testing.assert_allclose(flat, y[:300].mean(), atol=1e-3)
    found = linear_answers(x[:300], y[:300], x[300:], 0.1)
    assert (np.sign(found) == y[300:]).mean() > 0.9


def test_a_constant_feature_does_no_harm():
    x = np.random.default_rng(5).standard_normal((40, 3))
    x[:, 1] = 7
    assert np.isfinite(linear_answers(x, x[:, :1], x, 0.1)).all()


def test_guided_relu_passes_what_is_positive_both_ways():
    x = ms.Tensor([-1.0, -1.0, 2.0, 2.0])
    sign = ms.Tensor([-1.0, 1.0, -1.0, 1.0])
    guided = GuidedReLU()
    np.testing.assert_allclose(guided(x).asnumpy(), [-0.2, -0.2, 2, 2])
    gradient = ms.grad(lambda v: (guided(v) * sign).sum())(x)
    assert gradient.asnumpy().tolist() == [0, 0, 0, 1]


def test_guided_gradients_belong_to_their_own_picture(discriminator, pictures):
    both = guided_gradient(discriminator, pictures[:2], 5)
    assert both.shape == (2, 3, 32, 32)
    assert np.abs(both).max(axis=(1, 2, 3)).min() > 0
    alone = guided_gradient(discriminator, pictures[1:2], 5)
    np.testing.assert_allclose(both[1:], alone, rtol=1e-3, atol=1e-9)


def test_following_the_guided_gradient_excites_the_map(discriminator, pictures):
    def response(x):
        return feature_maps(discriminator, x)[-1].asnumpy()[:, 5].max(axis=(1, 2))

    x = pictures[:16]
    gradient = guided_gradient(discriminator, x, 5)
    moved = x + 0.1 * gradient / np.abs(gradient).max(axis=(1, 2, 3), keepdims=True)
    assert (response(moved) > response(x)).all()
