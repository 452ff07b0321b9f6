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
    """Return ``train_step(real, z)``, which trains G, then D, and gives both losses."""

    def generator_forward(z):
        fakes = generator(z)
        return generator_loss(discriminator(fakes)), fakes

    def discriminator_forward(real, fakes):
        p_real, p_fake = discriminator(real), discriminator(fakes)
        return discriminator_loss(p_real, p_fake, real_label)

    grad_g = ms.value_and_grad(
        generator_forward, None, optimizer_g.parameters, has_aux=True
    )
    grad_d = ms.value_and_grad(discriminator_forward, None, optimizer_d.parameters)

    @ms.jit
    def train_step(real, z):
        (loss_g, fakes), grads_g = grad_g(z)
        loss_d, grads_d = grad_d(real, fakes)
        optimizer_g(grads_g)
        optimizer_d(grads_d)
        return loss_d, loss_g

    return train_step


def make_average_step(generator, average, decay):
    """Return ``average_step()``: average = decay · average + (1 − decay) · weights."""
    pairs = list(zip(average.trainable_params(), generator.trainable_params()))

    @ms.jit
    def average_step():
        for mean, weight in pairs:
            ops.assign(mean, decay * mean + (1 - decay) * weight)
        return True  # a compiled function must return something

    return average_step


def train(model, run):
    """Train until the last epoch, from where the run stands; returns all its losses."""
    s = model.settings
    train_step = make_train_step(
        model.generator,
        model.discriminator,
        model.optimizer_g,
        model.optimizer_d,
        s.real_label,
    )
    average_step = make_average_step(model.generator, model.average, s.average_decay)
    with run:
        for epoch in run.epochs():
            for real in run.batches(epoch):
                losses = train_step(real, run.noise())
                average_step()
                run.record(*losses)
            run.end_epoch(epoch)
    return run.history
