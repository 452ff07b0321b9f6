"""Lesson 03: the losses of D and G, one training step, the average of G, the loop."""

import mindspore as ms
from mindspore import nn, ops

binary_cross_entropy = nn.BCELoss(reduction="mean")


def discriminator_loss(p_real, p_fake, real_label=1.0):
    """Mean of −log D(x) and −log(1 − D(G(z))); p_real, p_fake: D's answers [N, 1]."""
    real = binary_cross_entropy(p_real, real_label * ops.ones_like(p_real))
    fake = binary_cross_entropy(p_fake, ops.zeros_like(p_fake))
    return (real + fake) / 2


def generator_loss(p_fake):
    """The non-saturating loss −log D(G(z)); p_fake: D's answers [N, 1]."""
    return binary_cross_entropy(p_fake, ops.ones_like(p_fake))


def make_train_step(generator, discriminator, optimizer_g, optimizer_d, real_label=1.0):
    """Return ``train_step(real, z)``, which trains D, then G, and gives both losses."""

    def discriminator_forward(real, z):
        p_real, p_fake = discriminator(real), discriminator(generator(z))
        return discriminator_loss(p_real, p_fake, real_label)

    def generator_forward(z):
        return generator_loss(discriminator(generator(z)))

    grad_d = ms.value_and_grad(discriminator_forward, None, optimizer_d.parameters)
    grad_g = ms.value_and_grad(generator_forward, None, optimizer_g.parameters)

    @ms.jit
    def train_discriminator(real, z):
        loss, gradients = grad_d(real, z)
        optimizer_d(gradients)
        return loss

    @ms.jit
    def train_generator(z):
        loss, gradients = grad_g(z)
        optimizer_g(gradients)
        return loss

    def train_step(real, z):
        return train_discriminator(real, z), train_generator(z)

    return train_step


def make_average_step(generator, average, decay):
    """Return ``average_step(step)``: average = d · average + (1 − d) · weights.

    d rises from 0.1 to decay as the steps go by.
    """
    pairs = list(zip(average.trainable_params(), generator.trainable_params()))

    @ms.jit
    def update(d):
        for mean, weight in pairs:
            ops.assign(mean, d * mean + (1 - d) * weight)
        return True  # a compiled function must return something

    def average_step(step):
        return update(ms.Tensor(min(decay, (1 + step) / (10 + step)), ms.float32))

    return average_step


def train(model, run, train_step=None):
    """Train until the last epoch, from where the run stands; returns all its losses.

    train_step: as make_train_step makes it; if none is given, its quicker form.
    """
    train_step = train_step or model.train_step()
    decay = model.settings.average_decay
    average_step = make_average_step(model.generator, model.average, decay)
    with run:
        for epoch in run.epochs():
            for real in run.batches(epoch):
                losses = train_step(real, run.noise())
                average_step(run.step)
                run.record(*losses)
            run.end_epoch(epoch)
    return run.history
