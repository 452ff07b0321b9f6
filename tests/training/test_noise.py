"""Random numbers: the same when asked again, others for each step, epoch and seed."""

from dataclasses import replace

import mindspore as ms
import numpy as np
import pytest
from small_runs import SMALL, TINY

from dcgan_utils.training.noise import (
    epoch_order,
    fixed_noise,
    step_noise,
    steps_per_epoch,
)


def test_fixed_noise_is_the_same_at_every_call():
    first = fixed_noise(TINY).asnumpy()
    ms.set_seed(99)
    np.random.seed(99)
    assert (fixed_noise(TINY).asnumpy() == first).all()
    assert (fixed_noise(TINY, 24).asnumpy() == first[:24]).all()
    assert first.shape == (64, 100, 1, 1) and first.dtype == np.float32
    assert abs(first.mean()) < 0.05 and abs(first.std() - 1) < 0.05


def test_every_step_has_noise_of_its_own():
    drawn = [fixed_noise(TINY, 8).asnumpy()]
    drawn += [step_noise(TINY, step).asnumpy() for step in range(4)]
    drawn += [step_noise(replace(TINY, seed=2), 0).asnumpy()]
    assert all(noise.shape == (8, 100, 1, 1) for noise in drawn)
    assert len({number for noise in drawn for number in noise[:, 0, 0, 0]}) == 6 * 8
    assert (step_noise(TINY, 3).asnumpy() == drawn[4]).all()


@pytest.mark.parametrize("count", [20, 24, 8, 9])
def test_an_epoch_has_every_picture_once_and_whole_batches(count):
    settings = replace(SMALL, face_count=0)
    order = epoch_order(settings, count, 0)
    assert len(order) == steps_per_epoch(settings, count) * SMALL.batch_size
    assert len(order) - count < SMALL.batch_size
    assert sorted(order[:count]) == list(range(count))
    assert order[count:] == order[: len(order) - count]  # filled up from the front


def test_of_many_pictures_each_epoch_takes_others():
    assert steps_per_epoch(SMALL, 1000) == 3  # face_count 20 in batches of 8
    orders = [epoch_order(SMALL, 1000, epoch) for epoch in range(3)]
    for order in orders:
        assert len(order) == 24 and len(set(order)) == 20
        assert order[20:] == order[:4]
    assert len(set().union(*orders)) > 50


def test_every_epoch_has_an_order_of_its_own():
    orders = [epoch_order(SMALL, 20, epoch) for epoch in range(3)]
    orders.append(epoch_order(replace(SMALL, seed=2), 20, 0))
    orders.append(list(range(20)) + [0, 1, 2, 3])
    assert len({tuple(order) for order in orders}) == 5
    assert epoch_order(SMALL, 20, 1) == orders[1]
