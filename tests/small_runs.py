"""Small trainings for the tests: of 20 pictures in three steps an epoch."""

import resource
from contextlib import contextmanager
from dataclasses import replace

import mindspore as ms

from dcgan_utils.settings import PROFILES

SMALL = replace(PROFILES["smoke"], face_count=20, batch_size=8)
TINY = replace(SMALL, image_size=32, generator_maps=4, discriminator_maps=4)


def feed(run, steps, losses=(0.5, 0.5)):
    """Record steps of the same losses in a run, epoch by epoch, without training."""
    for epoch in run.epochs():
        left = (epoch + 1) * run.steps_per_epoch - run.step
        for _ in range(min(steps, left)):
            run.record(*(ms.Tensor(loss, ms.float32) for loss in losses))
        run.end_epoch(epoch)
        steps -= left
        if steps <= 0:
            return


@contextmanager
def full_disk(room=100):
    """The system refuses to write more than so many bytes into any one file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
