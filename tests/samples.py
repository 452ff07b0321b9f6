"""Noise, generators and faces, for tests of more than one room."""

import mindspore as ms
import numpy as np

from dcgan_utils.pictures.portrait import draw_face, random_labels
from dcgan_utils.taught.networks import Generator


def noise(count=64, latent_size=100, seed=0):
    """Noise vectors [count, latent_size, 1, 1] float32, an array."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, latent_size, 1, 1), np.float32)


def lively_generator(side):
    """From 20 numbers; its weights and statistics are like those after training."""
    generator = Generator(20, 8, side)
    rng = np.random.default_rng(side)
    for p in generator.get_parameters():
        spread = rng.normal(0, 0.2, p.shape)
        if "variance" in p.name or "gamma" in p.name:
            spread = 1 + np.abs(spread)
        p.set_data(ms.Tensor(spread, ms.float32))
    return generator.set_train(False)


def sample_faces(count, side):
    """Sample faces [count, 3, side, side] float32 in [-1, 1]."""
    faces = []
    for i in range(count):
        rng = np.random.default_rng([7, i])
        face = draw_face(random_labels(rng), rng, size=96).convert("RGB")
        faces.append(np.asarray(face.resize((side, side)), np.float32))
    return np.stack(faces).transpose(0, 3, 1, 2) / 127.5 - 1
