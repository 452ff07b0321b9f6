"""Which recipe gives the best faces for the time? One recipe, trained and judged.

    python benchmarks/recipes.py RECIPE TRAINING_FOLDER OTHER_FOLDER [--minutes 8]

Trains for so many minutes of processor time, which other programs hardly disturb, and
prints a line of JSON after each quarter: steps, seconds a step, and how the drawn faces
compare with those of OTHER_FOLDER in the features of the course's encoder. --sheets
DIR keeps a sheet of 32 faces each time. RECIPES names what can be tried.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from dcgan_utils.device import choose_device
from dcgan_utils.settings import PROFILES

RECIPES = {  # what differs from the class profile
    "class": {},
    "batch 8": {"batch_size": 8},
    "batch 32": {"batch_size": 32},
    "batch 64": {"batch_size": 64},
    "24 maps": {"generator_maps": 24, "discriminator_maps": 24},
    "48 maps": {"generator_maps": 48, "discriminator_maps": 48},
    "D of 16 maps": {"discriminator_maps": 16},
    "G 4e-4, D 2e-4": {"discriminator_rate": 2e-4},
    "G 2e-4, D 4e-4": {"generator_rate": 2e-4},
    "both 2e-4": {"generator_rate": 2e-4, "discriminator_rate": 2e-4},
    "both 8e-4": {"generator_rate": 8e-4, "discriminator_rate": 8e-4},
    "real label 1": {"real_label": 1.0},
    "real label 0.8": {"real_label": 0.8},
    "beta1 0": {"beta1": 0.0},
    "decay 0.99": {"average_decay": 0.99},
    "no average": {"average_decay": 0.0},
    "D first": {},
    "48 pixels": {"image_size": 48},
    "published": {
        "generator_maps": 64,
        "discriminator_maps": 64,
        "batch_size": 128,
        "generator_rate": 2e-4,
        "discriminator_rate": 2e-4,
        "real_label": 1.0,
        "average_decay": 0.0,
    },
}


def make_d_first_step(model):
    """As make_train_step, but D is trained before G is judged by it."""
    import mindspore as ms

    from dcgan_utils.taught.training import discriminator_loss, generator_loss

    g, d = model.generator, model.discriminator

    def judge(real, fakes):
        return discriminator_loss(d(real), d(fakes), model.settings.real_label)

    def deceive(z):
        return generator_loss(d(g(z)))

    grad_d = ms.value_and_grad(judge, None, model.optimizer_d.parameters)
    grad_g = ms.value_and_grad(deceive, None, model.optimizer_g.parameters)

    @ms.jit
    def learn_d(real, fakes):
        loss, gradients = grad_d(real, fakes)
        model.optimizer_d(gradients)
        return loss

    @ms.jit
    def learn_g(z):
        loss, gradients = grad_g(z)
        model.optimizer_g(gradients)
        return loss

    def train_step(real, z):
        return learn_d(real, g(z)), learn_g(z)

    return train_step


def sharpness(pictures):
    """The mean absolute Laplacian of pictures [N, 3, S, S], in steps of 0 to 255."""
    p = 127.5 * pictures
    inner = 4 * p[..., 1:-1, 1:-1] - p[..., :-2, 1:-1] - p[..., 2:, 1:-1]
    return float(np.abs(inner - p[..., 1:-1, :-2] - p[..., 1:-1, 2:]).mean())


def main():
    """Train one recipe and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", choices=RECIPES, metavar="RECIPE")
    parser.add_argument("training")
    parser.add_argument("others")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    choose_device("cpu")
    import mindspore as ms

    from dcgan_utils.pictures.encoder import encode, load_encoder
    from dcgan_utils.pictures.folder import look_at_folder
    from dcgan_utils.show.grids import make_grid, save_picture
    from dcgan_utils.taught.evaluation import coverage, fid, kid
    from dcgan_utils.taught.results import generate
    from dcgan_utils.taught.training import make_average_step, make_train_step
    from dcgan_utils.training.model import build_dcgan
    from dcgan_utils.training.noise import epoch_order, step_noise
    from dcgan_utils.training.sampling import recalibrate_batch_norm

    s = replace(PROFILES["class"], seed=given.seed, **RECIPES[given.recipe])

    def load(folder, size):
        pictures = look_at_folder(folder, size)
        return pictures[np.arange(len(pictures))]

    def in_range(pixels):
        return pixels.astype(np.float32) / 127.5 - 1

    encoder = load_encoder()
    others = in_range(load(given.others, 64)[:1000])
    real = encode(encoder, others)
    pictures = load(given.training, s.image_size)
    model = build_dcgan(s)
    parts = model.generator, model.discriminator, model.optimizer_g, model.optimizer_d
    if given.recipe == "D first":
        step = make_d_first_step(model)
    else:
        step = make_train_step(*parts, s.real_label)
    average = make_average_step(model.generator, model.average, s.average_decay)
    noise = ms.Tensor(
        np.random.default_rng(7).standard_normal((1000, 100, 1, 1)), ms.float32
    )

    def judge(steps, seconds):
        recalibrate_batch_norm(model.average, noise[:512])
        made = generate(model.average, noise)
        features = encode(encoder, made)
        found = {"steps": steps, "step": seconds / steps}
        found |= {"kid": kid(real, features), "fid": fid(real, features)}
        found |= {"coverage": coverage(real, features), "sharpness": sharpness(made)}
        found = {name: round(value, 4) for name, value in found.items()}
        print(json.dumps({"recipe": given.recipe, **found}), flush=True)
        if given.sheets:
            given.sheets.mkdir(parents=True, exist_ok=True)
            name = f"{given.recipe} {steps}.png".replace(" ", "-")
            save_picture(make_grid(made[:32]), given.sheets / name)

    print(json.dumps({"real faces": {"sharpness": round(sharpness(others), 2)}}))
    model.generator.set_train()
    model.discriminator.set_train()
    steps, seconds, quarter = 0, 0.0, given.minutes * 15
    for epoch in range(1_000_000):
        order = epoch_order(s, len(pictures), epoch)
        for i in range(0, len(order), s.batch_size):
            began = time.process_time()
            batch = ms.Tensor(in_range(pictures[order[i : i + s.batch_size]]))
            loss = step(batch, step_noise(s, steps))[0]
            average()
            loss.asnumpy()
            steps += 1
            spent = time.process_time() - began
            seconds += spent if steps > 1 else 0  # the first step compiles
            if seconds >= quarter:
                judge(steps, seconds)
                model.generator.set_train()
                quarter += given.minutes * 15
                if quarter > given.minutes * 60 + 1:
                    return


if __name__ == "__main__":
    main()
