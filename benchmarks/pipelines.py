"""Pictures a second of three ways to read the same pictures, in turn.

    python benchmarks/pipelines.py FOLDER_OF_CLASS_FOLDERS ROUNDS

Prints one JSON line: {"published": [...], "files": [...], "cached": [...]}, pictures a
second for each round, without the time to set the pipeline up.
"""

import json
import sys
import tempfile
import time
from multiprocessing import cpu_count

from dcgan_utils.device import choose_device
from dcgan_utils.pictures.decoded import decode_once, to_range
from dcgan_utils.taught.data import create_dataset

SIZE, BATCH = 64, 128


def published(root):
    """MindSpore's tutorial: decode, resize, crop, transpose, a Python lambda.

    It asks for 4 workers, which MindSpore refuses on a machine of fewer cores.
    """
    import mindspore.dataset as ds
    from mindspore.dataset import vision

    faces = ds.ImageFolderDataset(
        str(root), num_parallel_workers=min(4, cpu_count()), shuffle=True, decode=True
    )
    faces = faces.project("image").map(
        [
            vision.Resize(SIZE),
            vision.CenterCrop(SIZE),
            vision.HWC2CHW(),
            lambda x: (x / 255).astype("float32"),
        ],
        "image",
    )
    return faces.batch(BATCH).create_tuple_iterator(num_epochs=1)


def files(root, order):
    """``create_dataset`` of lesson 01: all operations in C++."""
    return create_dataset(root, SIZE, BATCH, order).create_tuple_iterator(num_epochs=1)


def cached(decoded, order):
    """What training reads: the array of decoded pictures, by NumPy."""
    import mindspore as ms

    for start in range(0, len(order) - BATCH + 1, BATCH):
        yield (ms.Tensor(to_range(decoded[order[start : start + BATCH]])),)


def rate(batches):
    """Pictures a second, from the second batch on."""
    batches = iter(batches)
    next(batches)
    started, count = time.perf_counter(), 0
    for (batch,) in batches:
        count += batch.shape[0]
    return count / (time.perf_counter() - started)


def main():
    """Read the folder in all three ways, ROUNDS times, and print the rates."""
    import numpy as np

    choose_device("cpu")
    root, rounds = sys.argv[1], int(sys.argv[2])
    rates = {"published": [], "files": [], "cached": []}
    with tempfile.TemporaryDirectory() as folder:
        decoded = decode_once(root, SIZE, folder)
        for i in range(rounds):
            order = np.random.default_rng(i).permutation(len(decoded)).tolist()
            rates["published"].append(rate(published(root)))
            rates["files"].append(rate(files(root, order)))
            rates["cached"].append(rate(cached(decoded, order)))
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
