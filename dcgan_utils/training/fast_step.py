"""One training step that draws its fakes once, with the results of the taught step.

The step of lesson 03 draws the same fakes twice: once for D, and once more for the
gradient of G, which is to be judged by the D that has just been trained. Here D is
trained in the middle of G's own forward pass, between the fakes and their judgement.
By the chain rule G's gradient is the sum, over all pixels, of what the new D says of a
pixel times what moves that pixel.
"""

import mindspore as ms
from mindspore import ops

from ..taught.training import discriminator_loss, generator_loss


def make_fast_step(generator, discriminator, optimizer_g, optimizer_d, real_label=1.0):
    """Return ``train_step(real, z)`` as make_train_step does; equal but for rounding.

    G's moving batch-norm statistics take a batch in once here and twice there.
    """

    def discriminator_forward(real, fakes):
        p_real, p_fake = discriminator(real), discriminator(fakes)
        return discriminator_loss(p_real, p_fake, real_label)

    def judge(fakes):
        return generator_loss(discriminator(fakes))

    grad_d = ms.value_and_grad(discriminator_forward, None, optimizer_d.parameters)
    grad_pixels = ms.value_and_grad(judge)

    def generator_forward(real, z):
        fakes = generator(z)
        seen = ops.stop_gradient(fakes)
        loss_d, grads_d = grad_d(real, seen)
        optimizer_d(grads_d)
        loss_g, pixels = grad_pixels(seen)
        # Its gradient for the weights of G is that of loss_g; its value means nothing.
        passed_on = ops.matmul(fakes.reshape(1, -1), pixels.reshape(-1, 1)).sum()
        return passed_on, loss_d, loss_g

    grad_g = ms.value_and_grad(
        generator_forward, None, optimizer_g.parameters, has_aux=True
    )

    @ms.jit
    def train_step(real, z):
        (_, loss_d, loss_g), grads_g = grad_g(real, z)
        optimizer_g(grads_g)
        return loss_d, loss_g

    return train_step
