"""Lesson 03: the losses by hand, and the average of G's weights."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import ops
from small_runs import TINY

from dcgan_utils.taught.training import (
    discriminator_loss,
    generator_loss,
    make_average_step,
)
from dcgan_utils.training.model import build_dcgan


def column(*numbers):
    return ms.Tensor(np.array(numbers, np.float32)[:, None])


# Two rows: of a single number, MindSpore's BCELoss on CPU gives twice the loss.
@pytest.mark.parametrize(
    ("real", "fake", "label", "loss"),
    [
        ((0.8, 0.5), (0.4, 0.1), 1.0, 0.383119),
        ((0.8, 0.8), (0.4, 0.4), 0.9, 0.436299),
        ((0.5, 0.5), (0.5, 0.5), 1.0, np.log(2)),  # a coin toss
    ],
)
def test_discriminator_loss_by_hand(real, fake, label, loss):
    of_real = -np.mean(label * np.log(real) + (1 - label) * np.log1p(np.negative(real)))
    of_fake = -np.mean(np.log1p(np.negative(fake)))
    found = discriminator_loss(column(*real), column(*fake), label).asnumpy()
    assert found == pytest.approx((of_real + of_fake) / 2, rel=1e-5)
    assert found == pytest.approx(loss, abs=1e-6)


@pytest.mark.parametrize("fake", [(0.4, 0.1), (0.5, 0.5, 0.5)])
def test_generator_loss_by_hand(fake):
    loss = generator_loss(column(*fake)).asnumpy()
    assert loss == pytest.approx(-np.mean(np.log(fake)), rel=1e-5)


def test_losses_stay_finite_where_d_is_certain():
    assert np.isfinite(generator_loss(column(0.0)).asnumpy())
    assert np.isfinite(discriminator_loss(column(0.0), column(1.0)).asnumpy())


@pytest.mark.parametrize("decay", [0.15, 0.0])  # 0: it is the generator itself
def test_average_step_is_the_moving_average_that_starts_fast(decay):
    model = build_dcgan(TINY)
    average_step = make_average_step(model.generator, model.average, decay)
    means = model.average.trainable_params()
    weights = model.generator.trainable_params()
    assert len(means) == len(weights) == 10
    hand = [p.asnumpy().astype(np.float64) for p in means]
    for step, d in ((0, min(decay, 0.1)), (1, decay)):  # 0.15 < 2/11
        for p in weights:
            ops.assign(p, ms.Tensor(p.asnumpy() + np.float32(step + 1)))
        average_step(step)
        pairs = zip(hand, weights)
        hand = [d * h + (1 - d) * w.asnumpy() for h, w in pairs]
    for p, expected in zip(means, hand):
        np.testing.assert_allclose(p.asnumpy(), expected, rtol=1e-6, atol=1e-7)
