"""One contestant of a race: builds its step, then trains as often as it is told.

    python benchmarks/contestant.py NAME IMAGE_SIZE MAPS_OF_G MAPS_OF_D BATCH

It prints the seconds that its first step took, then waits. For each line with a number
n on its input it trains n steps and prints the seconds of one. ``bench.py`` starts the
contestants and lets them run in turn, so that all see the same machine. Each is a
process of its own, because MindSpore reads its environment once.
"""

import sys
import time

import numpy as np

LATENT, RATE, BETA1 = 100, 2e-4, 0.5


def published(image_size, maps_g, maps_d, batch):
    """The step of MindSpore's tutorial "Generating Cartoon Head Portrait via DCGAN".

    Its layers, losses, order of updates and noise; nothing is set in the environment.
    Written anew from its description, for images of 64 or 32 pixels.
    """
    import mindspore as ms
    from mindspore import nn, ops
    from mindspore.common.initializer import Normal

    ms.set_device("CPU")
    ms.set_seed(1)
    weight, gamma = Normal(0.02, 0), Normal(0.02, 1)
    depth = {32: 3, 64: 4}[image_size]
    widths = [maps_g * 2**i for i in range(depth)]

    def up(inputs, outputs, stride, *pad):
        return nn.Conv2dTranspose(inputs, outputs, 4, stride, *pad, weight_init=weight)

    layers = [up(LATENT, widths[-1], 1, "valid")]
    for inputs, outputs in zip(widths[::-1], [*widths[-2::-1], 3]):
        layers += [nn.BatchNorm2d(inputs, gamma_init=gamma), nn.ReLU()]
        layers.append(up(inputs, outputs, 2, "pad", 1))
    generator = nn.SequentialCell(*layers, nn.Tanh())

    layers, widths = [], [maps_d * 2**i for i in range(depth)]
    for inputs, outputs in zip([3, *widths], widths):
        layers.append(nn.Conv2d(inputs, outputs, 4, 2, "pad", 1, weight_init=weight))
        if inputs != 3:
            layers.append(nn.BatchNorm2d(outputs, gamma_init=gamma))
        layers.append(nn.LeakyReLU(0.2))
    layers.append(nn.Conv2d(widths[-1], 1, 4, 1, "valid", weight_init=weight))
    critic = nn.SequentialCell(*layers)
    sigmoid = nn.Sigmoid()
    loss = nn.BCELoss(reduction="mean")
    generator.update_parameters_name("g.")
    critic.update_parameters_name("d.")
    optimizer_d = nn.Adam(critic.trainable_params(), RATE, BETA1)
    optimizer_g = nn.Adam(generator.trainable_params(), RATE, BETA1)
    optimizer_g.update_parameters_name("optim_g.")
    optimizer_d.update_parameters_name("optim_d.")

    def judge(pictures):
        out = critic(pictures)
        return sigmoid(out.reshape(out.shape[0], -1))

    def generator_forward(real, valid):
        z = ops.standard_normal((real.shape[0], LATENT, 1, 1))
        fakes = generator(z)
        return loss(judge(fakes), valid), fakes

    def discriminator_forward(real, fakes, valid, fake):
        return (loss(judge(real), valid) + loss(judge(fakes), fake)) / 2

    grad_g = ms.value_and_grad(
        generator_forward, None, optimizer_g.parameters, has_aux=True
    )
    grad_d = ms.value_and_grad(discriminator_forward, None, optimizer_d.parameters)

    @ms.jit
    def train_step(real):
        valid = ops.ones((real.shape[0], 1), ms.float32)
        fake = ops.zeros((real.shape[0], 1), ms.float32)
        (loss_g, fakes), grads_g = grad_g(real, valid)
        optimizer_g(grads_g)
        loss_d, grads_d = grad_d(real, fakes, valid, fake)
        optimizer_d(grads_d)
        return loss_g, loss_d, fakes

    generator.set_train()
    critic.set_train()

    def step(real):
        loss_g, loss_d, _ = train_step(ms.Tensor(real))
        return float(loss_d.asnumpy()), float(loss_g.asnumpy())

    return step


def ours(image_size, maps_g, maps_d, batch, average_decay=0.0):
    """As ``train`` of lesson 03 runs it: noise, both updates, the average."""
    from dcgan_utils.device import choose_device
    from dcgan_utils.settings import Settings

    choose_device("cpu")
    import mindspore as ms

    from dcgan_utils.taught.training import make_average_step
    from dcgan_utils.training.model import build_dcgan
    from dcgan_utils.training.noise import step_noise

    settings = Settings(
        image_size=image_size,
        generator_maps=maps_g,
        discriminator_maps=maps_d,
        batch_size=batch,
        average_decay=average_decay,
    )
    model = build_dcgan(settings)
    model.generator.set_train()
    model.discriminator.set_train()
    train_step = model.train_step()
    average_step = make_average_step(model.generator, model.average, average_decay)
    done = 0

    def step(real):
        nonlocal done
        loss_d, loss_g = train_step(ms.Tensor(real), step_noise(settings, done))
        average_step(done)
        done += 1
        return float(loss_d.asnumpy()), float(loss_g.asnumpy())

    return step


def pytorch(image_size, maps_g, maps_d, batch, layout="contiguous_format"):
    """The same networks, losses, order and optimizers in PyTorch, eager.

    layout: in which order the numbers of a picture lie in memory.
    """
    import torch
    from torch import nn

    torch.manual_seed(1)
    depth = {32: 3, 64: 4}[image_size]
    widths = [maps_g * 2**i for i in range(depth)]
    layers = [nn.ConvTranspose2d(LATENT, widths[-1], 4, 1, 0, bias=False)]
    for inputs, outputs in zip(widths[::-1], [*widths[-2::-1], 3]):
        layers += [nn.BatchNorm2d(inputs), nn.ReLU(True)]
        layers.append(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False))
    generator = nn.Sequential(*layers, nn.Tanh())
    layers, widths = [], [maps_d * 2**i for i in range(depth)]
    for inputs, outputs in zip([3, *widths], widths):
        layers.append(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False))
        if inputs != 3:
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    layers += [nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False), nn.Flatten()]
    critic = nn.Sequential(*layers, nn.Sigmoid())
    for layer in [*generator.modules(), *critic.modules()]:
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
    layout = getattr(torch, layout)
    generator.to(memory_format=layout)
    critic.to(memory_format=layout)
    loss = nn.BCELoss()
    adam_g = torch.optim.Adam(generator.parameters(), RATE, (BETA1, 0.999))
    adam_d = torch.optim.Adam(critic.parameters(), RATE, (BETA1, 0.999))
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)

    def step(real):
        real = torch.from_numpy(real).to(memory_format=layout)
        fakes = generator(torch.randn(batch, LATENT, 1, 1))
        real_loss = loss(critic(real), ones)
        fake_loss = loss(critic(fakes.detach()), zeros)
        loss_d = (real_loss + fake_loss) / 2
        adam_d.zero_grad()
        loss_d.backward()
        adam_d.step()
        for weight in critic.parameters():  # G's gradient needs none of D's weights
            weight.requires_grad_(False)
        loss_g = loss(critic(fakes), ones)
        adam_g.zero_grad()
        loss_g.backward()
        adam_g.step()
        for weight in critic.parameters():
            weight.requires_grad_(True)
        return loss_d.item(), loss_g.item()

    return step


def pytorch_channels_last(image_size, maps_g, maps_d, batch):
    """The same with the layout that PyTorch's convolutions like best."""
    return pytorch(image_size, maps_g, maps_d, batch, "channels_last")


CONTESTANTS = {
    "published": published,
    "ours": ours,
    "pytorch": pytorch,
    "channels_last": pytorch_channels_last,
}


def main():
    """Build the step, then train as often as the input says."""
    name, image_size, maps_g, maps_d, batch = sys.argv[1], *map(int, sys.argv[2:6])
    rng = np.random.default_rng(1)
    shape = (batch, 3, image_size, image_size)
    real = rng.uniform(-1, 1, shape).astype(np.float32)
    step = CONTESTANTS[name](image_size, maps_g, maps_d, batch)

    def run(count):
        started = time.perf_counter()
        for _ in range(count):
            losses = step(real)
        seconds = (time.perf_counter() - started) / count
        if not np.isfinite(losses).all():
            raise SystemExit(f"{name}: losses {losses}")
        return seconds

    print(run(1), flush=True)
    for line in sys.stdin:
        print(run(int(line)), flush=True)


if __name__ == "__main__":
    main()
