"""The course's encoder: pictures to 64 features, and the labels of a face."""

from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from .. import CourseError
from ..settings import course_root
from .labels import ATTRIBUTES

STORED = "encoder.ckpt"
SIZE = 64  # side of the pictures it looks at


class Encoder(nn.Cell):
    """Pictures [N, 3, 64, 64] in [-1, 1] to features [N, 64], and answers from these.

    Four convolutions halve the side, a dense layer makes the features, batch norm gives
    each the mean 0 and variance 1 over the training pictures. One linear head for each
    attribute turns them into logits, one for each value. One more says how blurred and
    how noisy a picture is: an encoder that is only asked for labels learns to look past
    both, and a metric in its features would not see them.
    """

    def __init__(self, maps=24, features=64):
        super().__init__()
        widths = (3, maps, 2 * maps, 64, 64)
        layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            conv = nn.Conv2d(inputs, outputs, 4, 2, "pad", 1, weight_init="HeUniform")
            layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
        side = SIZE // 16
        self.layers = nn.SequentialCell(layers)
        self.dense = nn.Dense(widths[-1] * side * side, features)
        self.norm = nn.BatchNorm1d(features, affine=False)
        self.heads = nn.CellList(
            [nn.Dense(features, len(values)) for values in ATTRIBUTES.values()]
        )
        self.damage = nn.Dense(features, 2)

    def construct(self, pictures):
        maps = self.layers(pictures)
        return self.norm(self.dense(maps.reshape(maps.shape[0], -1)))

    def logits(self, features):
        """A tuple of logits [N, values], in the order of ATTRIBUTES."""
        return tuple([head(features) for head in self.heads])


def accuracies(encoder, pictures, labels) -> dict[str, float]:
    """The share of right answers by attribute; of the eye colour, where it shows."""
    found = classify(encoder, pictures)
    seen = {a: np.full(len(pictures), True) for a in ATTRIBUTES}
    seen["eye_colour"] = labels["expression"] != "closed eyes"
    return {a: float((found[a] == labels[a])[seen[a]].mean()) for a in ATTRIBUTES}


def encode(encoder, pictures) -> np.ndarray:
    """The features [N, 64] float32 of pictures [N, 3, S, S] float32 in [-1, 1].

    Pictures of another side than 64 are resized first.
    """
    return np.concatenate([f.asnumpy() for f in _features(encoder, pictures)])


def probabilities(encoder, pictures) -> dict[str, np.ndarray]:
    """For each attribute an array [N, values], each row with the sum 1."""
    parts = [
        [ops.softmax(logits).asnumpy() for logits in encoder.logits(features)]
        for features in _features(encoder, pictures)
    ]
    return {a: np.concatenate(p) for a, p in zip(ATTRIBUTES, zip(*parts))}


def classify(encoder, pictures) -> dict[str, np.ndarray]:
    """For each attribute an array [N] of the most probable values' names."""
    found = probabilities(encoder, pictures)
    return {a: np.array(ATTRIBUTES[a])[p.argmax(axis=1)] for a, p in found.items()}


def _features(encoder, pictures):
    was_training = encoder.training
    encoder.set_train(False)
    try:
        for i in range(0, len(pictures), 256):
            batch = ms.Tensor(np.asarray(pictures[i : i + 256], np.float32))
            if batch.shape[-1] != SIZE:
                batch = ops.interpolate(batch, size=(SIZE, SIZE), mode="bilinear")
            yield encoder(batch)
    finally:
        encoder.set_train(was_training)


def load_encoder(folder=None) -> Encoder:
    """The encoder stored in folder (the course's own: ``weights/encoder``).

    Raises CourseError where there is none, or it is damaged or another network.
    """
    path = Path(folder or course_root() / "weights" / "encoder") / STORED
    encoder = Encoder()
    try:
        saved = ms.load_checkpoint(str(path), crc_check=True)
        usable = ms.load_param_into_net(encoder, saved) == ([], [])  # nothing is left
    except (ValueError, RuntimeError):  # no file, a damaged one, or other shapes
        usable = False
    if not usable:
        raise CourseError(
            f"There is no usable encoder in {path.parent}: make it with "
            "`python tools/make_encoder.py` (about five minutes)."
        )
    return encoder.set_train(False)
