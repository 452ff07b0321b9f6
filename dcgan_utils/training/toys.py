"""Short training runs in memory, to try one change at a time (lesson 07)."""

import mindspore as ms
import numpy as np
from mindspore import nn

from ..taught.networks import LeakyReLU
from ..taught.training import discriminator_loss, generator_loss


def train_briefly(
    generator,
    discriminator,
    real,
    steps,
    rates=(4e-4, 4e-4),
    losses=(discriminator_loss, generator_loss),
    latent=(100, 1, 1),
    batch_size=16,
    seed=1,
):
    """Train G and D on real [N, ...] and yield the losses (of D, of G) of each step.

    In the published tutorial's order: G's gradient and D's at the same weights.
    rates: the learning rates of G and D. losses: the loss functions of D and G.
    """
    loss_d, loss_g = losses
    adam_g = nn.Adam(generator.trainable_params(), rates[0], beta1=0.5)
    adam_d = nn.Adam(discriminator.trainable_params(), rates[1], beta1=0.5)
    adam_g.update_parameters_name("g.")  # one compiled step wants distinct names
    adam_d.update_parameters_name("d.")

    def forward_g(z):
        fakes = generator(z)
        return loss_g(discriminator(fakes)), fakes

    def forward_d(x, fakes):
        p_real, p_fake = discriminator(x), discriminator(fakes)
        return loss_d(p_real, p_fake)

    grad_g = ms.value_and_grad(forward_g, None, adam_g.parameters, has_aux=True)
    grad_d = ms.value_and_grad(forward_d, None, adam_d.parameters)

    @ms.jit
    def train_step(x, z):
        (value_g, fakes), grads_g = grad_g(z)
        value_d, grads_d = grad_d(x, fakes)
        adam_g(grads_g)
        adam_d(grads_d)
        return value_d, value_g

    generator.set_train()
    discriminator.set_train()
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        x = real[rng.integers(len(real), size=batch_size)]
        z = rng.standard_normal((batch_size, *latent), np.float32)
        value_d, value_g = train_step(ms.Tensor(x), ms.Tensor(z))
        yield float(value_d.asnumpy()), float(value_g.asnumpy())


ANGLES = np.arange(8) * np.pi / 4


MODES = 2 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def draw_ring(count, seed=1):
    """Points [count, 2] float32 from eight Gaussians, sigma 0.05, on a circle."""
    rng = np.random.default_rng(seed)
    centres = MODES[rng.integers(len(MODES), size=count)]
    return (centres + 0.05 * rng.standard_normal((count, 2))).astype(np.float32)


def ring_networks(seed=1, width=64):
    """G: noise [N, 16] to points [N, 2]. D: points [N, 2] to probabilities [N, 1]."""

    def dense(sizes, activation):
        layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [nn.Dense(inputs, outputs), activation()]
        return layers[:-1]

    ms.set_seed(seed)
    generator = dense((16, width, width, 2), nn.ReLU)
    discriminator = [*dense((2, width, width, 1), LeakyReLU), nn.Sigmoid()]
    return nn.SequentialCell(generator), nn.SequentialCell(discriminator)
