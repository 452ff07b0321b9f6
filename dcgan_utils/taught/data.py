"""Lesson 01: from a folder of pictures to batches [N, 3, S, S] float32 in [-1, 1]."""

import mindspore.dataset as ds
from mindspore.dataset import vision

EXTENSIONS = [".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"]


def create_dataset(root, image_size, batch_size, order=None):
    """Batches [N, 3, S, S] float32 in [-1, 1] of the pictures in root's class folders.

    order lists the pictures' numbers in the order wanted; without it, every picture
    once, as the folder has them. An incomplete last batch is left out.
    """
    faces = ds.ImageFolderDataset(
        str(root),
        sampler=order,
        shuffle=None if order else False,
        extensions=EXTENSIONS,
        num_parallel_workers=2,
    )
    transforms = [
        vision.Decode(),
        vision.Resize(image_size),
        vision.CenterCrop(image_size),
        vision.Normalize(mean=[127.5] * 3, std=[127.5] * 3),
        vision.HWC2CHW(),
    ]
    faces = faces.project("image").map(transforms, "image", num_parallel_workers=2)
    return faces.batch(batch_size, drop_remainder=True)
