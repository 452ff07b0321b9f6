"""Both networks, the averaged generator and both optimizers, as the settings say."""

from dataclasses import dataclass

import mindspore as ms
from mindspore import nn

from .. import CourseError
from ..settings import Settings
from ..taught.distributed import MeanGradients, Place
from ..taught.networks import Discriminator, Generator
from ..taught.training import make_train_step
from .fast_layers import use_fast_layers
from .fast_step import make_fast_step
from .workers import ALONE


@dataclass
class DCGAN:
    """Both networks, the averaged generator and both optimizers."""

    settings: Settings
    generator: Generator
    discriminator: Discriminator
    average: Generator
    optimizer_g: nn.Adam
    optimizer_d: nn.Adam
    place: Place = ALONE  # which worker of a job this is

    @property
    def parameters(self):
        """All that training changes, under distinct names."""
        parts = (self.average, self.optimizer_g, self.optimizer_d)
        networks = (self.generator, self.discriminator)
        found = [p for part in networks + parts for p in part.get_parameters()]
        return list({p.name: p for p in found}.values())

    def train_step(self):
        """The step ``train_step(real, z)`` of lesson 03, on a CPU in its quicker form.

        Workers take it as it is taught: all of them must send the same gradients in
        the same order.
        """
        cpu = ms.get_context("device_target") == "CPU"
        make = make_fast_step if cpu and self.place.size == 1 else make_train_step
        networks = self.generator, self.discriminator
        optimizers = self.optimizer_g, self.optimizer_d
        return make(*networks, *optimizers, self.settings.real_label)


def build_dcgan(settings, place=ALONE) -> DCGAN:
    """Networks and optimizers as the settings say, weights drawn from the seed.

    place: from workers.join_job. Where there are several workers, the optimizers take
    the mean of all workers' gradients. Raises CourseError where the batch cannot be
    shared equally.
    """
    s = settings
    if s.batch_size % place.size or s.batch_size < 2 * place.size:
        raise CourseError(
            f"A batch of {s.batch_size} cannot be shared by {place.size} workers: make "
            f"it a multiple of {place.size}, at least 2 pictures for each."
        )
    ms.set_seed(s.seed)
    generator = Generator(s.latent_size, s.generator_maps, s.image_size)
    discriminator = Discriminator(s.discriminator_maps, s.image_size)
    average = Generator(s.latent_size, s.generator_maps, s.image_size)
    generator.update_parameters_name("generator.")
    discriminator.update_parameters_name("discriminator.")
    average.update_parameters_name("average.")
    for mean, weight in zip(average.get_parameters(), generator.get_parameters()):
        mean.set_data(ms.Tensor(weight.asnumpy()))
    if ms.get_context("device_target") == "CPU":
        use_fast_layers(generator)
        use_fast_layers(discriminator)
    weights_g, weights_d = (
        generator.trainable_params(),
        discriminator.trainable_params(),
    )
    optimizer_g = nn.Adam(weights_g, s.generator_rate, s.beta1)
    optimizer_d = nn.Adam(weights_d, s.discriminator_rate, s.beta1)
    # An optimizer lists the network's weights among its own parameters. Only what it
    # owns is renamed, so that the weights keep their names in the checkpoint.
    _rename(optimizer_g, weights_g, "optimizer_g.")
    _rename(optimizer_d, weights_d, "optimizer_d.")
    if place.size > 1:
        optimizer_g = MeanGradients(optimizer_g, place.size)
        optimizer_d = MeanGradients(optimizer_d, place.size)
    return DCGAN(s, generator, discriminator, average, optimizer_g, optimizer_d, place)


def _rename(optimizer, weights, prefix):
    weight_names = {p.name for p in weights}
    for p in optimizer.get_parameters():
        if p.name not in weight_names:
            p.name = prefix + p.name
