"""Write tests/taught/parity.npz: what PyTorch makes of the same weights and noise.

    pip install torch==2.13.0 "numpy<2"
    python tools/make_reference.py

The networks are written here a second time, in PyTorch and from the DCGAN paper
(Radford et al. 2015, section 3) and the published tutorials, without a look at
dcgan_utils: transposed convolutions of kernel 4 and stride 2, batch norm on all but
G's last and D's first and last layer, ReLU and tanh in G, leaky ReLU 0.2 in D, binary
cross entropy, Adam with beta1 0.5. D is trained first, then G against the new D on the
same fakes, which are drawn once more for it.

All is computed in float64, so that what the test measures is MindSpore's rounding in
float32 and not PyTorch's. The file holds results only (as float32; of the pictures the
first two): weights, noise and pictures are drawn by NumPy from a seed (``draw``), here
and in the test alike, which needs no PyTorch.
"""

from pathlib import Path

import numpy as np

# (image size, latent size, G's maps, D's maps, label of a real picture, batch)
CASES = {
    "64": (64, 12, 3, 4, 1.0, 8),
    "48": (48, 12, 4, 3, 0.9, 6),
    "32": (32, 10, 6, 6, 0.9, 8),
}
RATE_G, RATE_D = 2e-3, 1e-3  # wide enough for a wrong step to show in the weights


def draw(case, shapes_g, shapes_d):
    """Weights of G, of D, noise and real pictures of a case, as float32 arrays.

    The shapes come in the order of the layers: each weight, then its batch norm's
    gamma and beta. The spread is wider than that of a fresh network, so that D's
    answers differ, no gradient is lost in the rounding, and no beta is 0.
    """
    image_size, latent_size, _, _, _, batch = CASES[case]
    rng = np.random.default_rng([2015, image_size])

    def weights(shapes):
        drawn, gamma = [], False
        for shape in shapes:
            gamma = len(shape) == 1 and not gamma
            mean, spread = (1, 0.2) if gamma else (0, 0.2 if len(shape) == 1 else 0.1)
            drawn.append(rng.normal(mean, spread, shape).astype(np.float32))
        return drawn

    drawn_g, drawn_d = weights(shapes_g), weights(shapes_d)
    noise = rng.standard_normal((batch, latent_size, 1, 1)).astype(np.float32)
    real = rng.uniform(-1, 1, (batch, 3, image_size, image_size)).astype(np.float32)
    return drawn_g, drawn_d, noise, real


def build(case):
    """The two networks of a case in PyTorch."""
    from torch import nn

    image_size, latent_size, ngf, ndf, _, _ = CASES[case]
    # 64: 4, 8, 16, 32 · 48: 6, 12, 24 · 32: 4, 8, 16
    depth = {64: 4, 48: 3, 32: 3}[image_size]
    smallest = {64: 4, 48: 6, 32: 4}[image_size]

    maps = ngf * 2 ** (depth - 1)
    g = [nn.ConvTranspose2d(latent_size, maps, smallest, 1, 0, bias=False)]
    g += [nn.BatchNorm2d(maps), nn.ReLU()]
    for _ in range(depth - 1):
        g += [nn.ConvTranspose2d(maps, maps // 2, 4, 2, 1, bias=False)]
        g += [nn.BatchNorm2d(maps // 2), nn.ReLU()]
        maps //= 2
    g += [nn.ConvTranspose2d(maps, 3, 4, 2, 1, bias=False), nn.Tanh()]

    d = [nn.Conv2d(3, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    maps = ndf
    for _ in range(depth - 1):
        d += [nn.Conv2d(maps, 2 * maps, 4, 2, 1, bias=False)]
        d += [nn.BatchNorm2d(2 * maps), nn.LeakyReLU(0.2)]
        maps *= 2
    d += [nn.Conv2d(maps, 1, smallest, 1, 0, bias=False), nn.Sigmoid()]
    return nn.Sequential(*g).double(), nn.Sequential(*d).double()


def compute(case):
    """All results of one case by name."""
    import torch
    from torch import nn, optim

    label = CASES[case][4]
    g, d = build(case)
    drawn_g, drawn_d, noise, real = draw(
        case, [p.shape for p in g.parameters()], [p.shape for p in d.parameters()]
    )
    for p, value in zip([*g.parameters(), *d.parameters()], drawn_g + drawn_d):
        p.data = torch.from_numpy(value).double()
    noise, real = torch.from_numpy(noise).double(), torch.from_numpy(real).double()
    step_g = optim.Adam(g.parameters(), RATE_G, betas=(0.5, 0.999), eps=1e-8)
    step_d = optim.Adam(d.parameters(), RATE_D, betas=(0.5, 0.999), eps=1e-8)
    bce = nn.BCELoss()

    def update(network, loss, optimizer):
        grads = torch.autograd.grad(loss, list(network.parameters()))
        for p, grad in zip(network.parameters(), grads):
            p.grad = grad
        optimizer.step()
        return grads

    fakes = g(noise)
    ones = torch.ones(len(real), 1, 1, 1, dtype=torch.float64)
    p_real, p_fake = d(real), d(fakes.detach())
    loss_d = (bce(p_real, label * ones) + bce(p_fake, 0 * ones)) / 2
    grads_d = update(d, loss_d, step_d)
    loss_g = bce(d(g(noise)), ones)
    grads_g = update(g, loss_g, step_g)

    found = {"fakes": fakes[:2], "p_real": p_real, "p_fake": p_fake}
    found |= {"loss_g": loss_g, "loss_d": loss_d}
    for side, network, grads in (("g", g, grads_g), ("d", d, grads_d)):
        found |= {f"grad_{side}{i}": grad for i, grad in enumerate(grads)}
        found |= {f"new_{side}{i}": p for i, p in enumerate(network.parameters())}
        norms = [layer for layer in network if isinstance(layer, nn.BatchNorm2d)]
        for i, norm in enumerate(norms):
            found[f"mean_{side}{i}"] = norm.running_mean
            found[f"variance_{side}{i}"] = norm.running_var
    # What G draws afterwards, in eval mode, from the moving statistics.
    found["drawn"] = g.eval()(noise)[:2]
    return {k: v.detach().numpy().astype(np.float32) for k, v in found.items()}


if __name__ == "__main__":
    results = {f"{c}/{k}": v for c in CASES for k, v in compute(c).items()}
    path = Path(__file__).parents[1] / "tests" / "taught" / "parity.npz"
    np.savez_compressed(path, **results)
    print(f"{path}: {len(results)} arrays, {path.stat().st_size:,} bytes")
