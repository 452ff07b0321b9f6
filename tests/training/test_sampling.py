"""Batch norm measured on given noise, and networks taken from a checkpoint."""

import mindspore as ms
import numpy as np
from mindspore import nn
from small_runs import TINY

from dcgan_utils.taught.results import generate
from dcgan_utils.training.checkpoint import read_checkpoint, save_checkpoint
from dcgan_utils.training.noise import fixed_noise
from dcgan_utils.training.sampling import (
    load_discriminator,
    load_generator,
    recalibrate_batch_norm,
)


def test_recalibrated_batch_norm_has_the_statistics_of_the_noise(tiny):
    """On one batch: exactly that batch's own, so eval mode draws what train mode does.

    Up to the variance: moving statistics keep the unbiased one, N / (N − 1) larger.
    """
    noise = fixed_noise(TINY)
    recalibrate_batch_norm(tiny.average, noise)
    cells = [cell for _, cell in tiny.average.cells_and_names()]
    norm = next(cell for cell in cells if isinstance(cell, nn.BatchNorm2d))
    first = tiny.average.layers[0](noise).asnumpy().astype(np.float64)
    mean, variance = first.mean((0, 2, 3)), first.var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(norm.moving_mean.asnumpy(), mean, atol=1e-7)
    np.testing.assert_allclose(norm.moving_variance.asnumpy(), variance, rtol=1e-4)
    drawn = generate(tiny.average, noise)
    trained = tiny.average.set_train()(noise).asnumpy()
    np.testing.assert_allclose(drawn, trained, atol=1e-2 * np.abs(trained).max())


def test_loaded_networks_answer_as_the_saved_ones_do(tiny, tmp_path):
    noise = fixed_noise(TINY, 4)
    recalibrate_batch_norm(tiny.average, noise)
    path = save_checkpoint(tmp_path, tiny.parameters, np.zeros((1, 2)), TINY, 20)
    saved = read_checkpoint(path)
    generator, discriminator = load_generator(saved), load_discriminator(saved)
    assert not generator.training and not discriminator.training
    drawn = generate(generator, noise)
    assert (drawn == generate(tiny.average, noise)).all()
    answers = discriminator(ms.Tensor(drawn)).asnumpy()
    own = tiny.discriminator.set_train(False)(ms.Tensor(drawn)).asnumpy()
    np.testing.assert_allclose(answers, own, atol=1e-6)  # faster layers round apart
