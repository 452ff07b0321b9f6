"""Lesson 01: from pictures to batches [N, 3, S, S] float32 in [-1, 1]."""

import mindspore as ms
import numpy as np


def create_dataset(pictures, batch_size, order=None):
    """Batches [batch_size, 3, S, S] float32 in [-1, 1] of the pictures, one by one.

    order: the numbers of the pictures, in the order wanted; without it, every picture
    once. An incomplete last batch is left out.
    """
    numbers = np.arange(len(pictures)) if order is None else np.asarray(order)
    for start in range(0, len(numbers) - batch_size + 1, batch_size):
        pixels = pictures[numbers[start : start + batch_size]]
        yield ms.Tensor((pixels.astype(np.float32) - 127.5) / 127.5)
