"""Exercises of lesson 10."""

import copy

import mindspore as ms
import numpy as np

from ..results import generate
from .kinds import Number


def _moved_by_rounding(generator, noise):
    rounded, noise = copy.deepcopy(generator), ms.Tensor(noise)
    for p in rounded.get_parameters():
        p.set_data(ms.Tensor(p.asnumpy().astype(np.float16).astype(np.float32)))
    apart = generate(rounded, noise) - generate(generator, noise)
    return float(127.5 * np.abs(apart).max())


EXERCISES = {
    "10.1": Number(17)
    .hint(14, "that is the graph for 64 × 64: one more halving")
    .hint(15, "the last layer is missing: it makes the picture")
    .hint(18, "the last layer has no batch norm"),
    "10.2": Number(1.0)
    .hint(4.6, "divide by the root of the variance")
    .hint(0.28, "the division is missing")
    .hint(0.9, "the shift β is missing"),
    "10.3": Number(13.801472, tolerance=0.05)
    .hint(3.448576, "a number takes more than one byte")
    .hint(27.6, "float32 has 32 bits, not 64")
    .hint(13.16, "a megabyte is 1,000,000 bytes here"),
    "10.4": Number(_moved_by_rounding, tolerance=0.02)
    .hint(0, "no difference: were the rounded weights set, and in the copy?")
    .hint((5, 255), "so much only if the pictures are of different noise"),
}
