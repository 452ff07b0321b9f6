"""Networks taken from a checkpoint, ready to draw, and batch norm's statistics."""

from mindspore import nn, ops

from ..taught.networks import Discriminator, Generator
from .checkpoint import restore


def recalibrate_batch_norm(generator, noise):
    """Set batch norm's moving statistics to those of pictures drawn from this noise.

    An average of weights never trained, so it has no statistics of its own. noise:
    [N, latent_size, 1, 1], taken in batches of 64. The result depends on the weights
    and the noise alone: the statistics start from 0, and the share of that start is
    divided out, as Adam does with its moments.
    """
    norms = [c for c in generator.cells_and_names() if isinstance(c[1], nn.BatchNorm2d)]
    statistics = [p for _, n in norms for p in (n.moving_mean, n.moving_variance)]
    for p in statistics:
        ops.assign(p, ops.zeros_like(p))
    generator.set_train(True)
    for i in range(0, len(noise), 64):
        generator(noise[i : i + 64])
    generator.set_train(False)
    batches = -(-len(noise) // 64)
    for p in statistics:
        ops.assign(p, p / (1 - 0.9**batches))  # 0.9 is BatchNorm2d's own momentum


def load_generator(saved) -> Generator:
    """The averaged generator of a checkpoint (from read_checkpoint), ready to draw."""
    s = saved["settings"]
    generator = Generator(s.latent_size, s.generator_maps, s.image_size)
    generator.update_parameters_name("average.")
    restore(saved, generator.get_parameters())
    return generator.set_train(False)


def load_discriminator(saved) -> Discriminator:
    """The discriminator of a checkpoint (from read_checkpoint), not to be trained."""
    s = saved["settings"]
    discriminator = Discriminator(s.discriminator_maps, s.image_size)
    discriminator.update_parameters_name("discriminator.")
    restore(saved, discriminator.get_parameters())
    return discriminator.set_train(False)
