"""Every random number of a training: a function of the seed and of where it stands."""

import mindspore as ms
import numpy as np

# A resumed run sees the very numbers that an unbroken one would have seen.
FIXED, NOISE, ORDER, CALIBRATE = 0, 1, 2, 3


def fixed_noise(settings, count=64):
    """The noise [count, latent_size, 1, 1] float32 that is the same to the end."""
    return normal_noise(settings, count, FIXED, 0)


def step_noise(settings, step):
    """The noise [batch_size, latent_size, 1, 1] float32 of one training step."""
    return normal_noise(settings, settings.batch_size, NOISE, step)


def calibration_noise(settings, count=512):
    """The noise [count, latent_size, 1, 1] float32 that batch norm is measured on."""
    return normal_noise(settings, count, CALIBRATE, 0)


def normal_noise(settings, count, stream, number):
    """Noise [count, latent_size, 1, 1] float32: a stream's piece of this number."""
    rng = np.random.default_rng([settings.seed, stream, number])
    noise = rng.standard_normal((count, settings.latent_size, 1, 1), np.float32)
    return ms.Tensor(noise)


def steps_per_epoch(settings, picture_count):
    """How many steps an epoch has: as many as there are batches, the last filled up."""
    count = min(settings.face_count or picture_count, picture_count)
    return -(-count // settings.batch_size)


def epoch_order(settings, picture_count, epoch):
    """The shuffled numbers of the pictures of one epoch, as whole batches.

    Every picture comes once, or, where there are more than ``settings.face_count``, so
    many of them, others in each epoch. The first ones fill the last batch up.
    """
    rng = np.random.default_rng([settings.seed, ORDER, epoch])
    order = rng.permutation(picture_count)[: settings.face_count or None]
    steps = steps_per_epoch(settings, picture_count)
    return np.resize(order, steps * settings.batch_size).tolist()
