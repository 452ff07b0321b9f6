"""Pictures a second of three ways to read the same pictures, in turn.

    python benchmarks/pipelines.py FOLDER_OF_CLASS_FOLDERS ROUNDS

Prints one JSON line: {"published": [...], "files": [...], "cached": [...]}, pictures a
second for each round, without the time to set the pipeline up.
"""

import json
import sys
import time
from multiprocessing import cpu_count

from dcgan_utils.device import choose_device
from dcgan_utils.pictures.folder import look_at_folder
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


def in_cpp(root, order):
    """MindSpore's own operations in C++, without a lambda."""
    import mindspore.dataset as ds
    from mindspore.dataset import vision

    faces = ds.ImageFolderDataset(str(root), sampler=order, num_parallel_workers=2)
    transforms = [
        vision.Decode(),
        vision.Resize(SIZE),
        vision.CenterCrop(SIZE),
        vision.Normalize(mean=[127.5] * 3, std=[127.5] * 3),
        vision.HWC2CHW(),
    ]
    faces = faces.project("image").map(transforms, "image", num_parallel_workers=2)
    return faces.batch(BATCH, drop_remainder=True).create_tuple_iterator(num_epochs=1)


def rate(batches):
    """Pictures a second, from the second batch on."""
    batches = iter(batches)
    next(batches)
    started, count = time.perf_counter(), 0
    for batch in batches:
        batch = batch[0] if isinstance(batch, list) else batch
        count += batch.shape[0]
    return count / (time.perf_counter() - started)


def main():
    """Read the folder in all three ways, ROUNDS times, and print the rates."""
    import numpy as np

    choose_device("cpu")
    root, rounds = sys.argv[1], int(sys.argv[2])
    rates = {"published": [], "files": [], "cached": []}
    pictures = look_at_folder(root, SIZE)
    for i in range(rounds):
        order = np.random.default_rng(i).permutation(len(pictures))
        rates["published"].append(rate(published(root)))
        rates["files"].append(rate(in_cpp(root, order.tolist())))
        rates["cached"].append(rate(create_dataset(pictures, BATCH, order)))
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
