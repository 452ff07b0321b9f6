"""Lesson 04: new faces, a smooth loss curve, the film of training."""

from pathlib import Path

import numpy as np
from PIL import Image


def generate(generator, noise) -> np.ndarray:
    """Pictures [N, 3, S, S] float32 in [-1, 1] from noise [N, latent_size, 1, 1].

    Batch norm uses its moving statistics, so a picture depends on its own noise only.
    """
    was_training = generator.training
    generator.set_train(False)
    chunks = [generator(noise[i : i + 64]).asnumpy() for i in range(0, len(noise), 64)]
    generator.set_train(was_training)
    return np.concatenate(chunks)


def smooth(values, window=50):
    """The mean of each value and the window − 1 before it (fewer at the start)."""
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, np.float64))])
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def save_gif(frames, path, seconds=0.6, hold=3.0):
    """Write frames [H, W, 3] uint8 as an endless GIF; the last one stays for hold s.

    A bar below shows how far training has come. It also keeps two equal frames apart,
    which the GIF writer would merge into one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = []
    for number, frame in enumerate(frames, 1):
        bar = np.full((4, frame.shape[1], 3), 255, np.uint8)
        bar[1:, : frame.shape[1] * number // len(frames)] = (0x00, 0x72, 0xB2)
        pictures.append(Image.fromarray(np.concatenate([frame, bar])))
    times = [int(1000 * seconds)] * (len(pictures) - 1) + [int(1000 * hold)]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=times, loop=0
    )
    return path
