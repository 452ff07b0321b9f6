"""A small encoder: pictures to 64 features, trained on the labels of the sample faces.

``python -m dcgan_utils.encoder`` trains it and writes ``weights/encoder``. Lesson 06
measures in its features; other lessons ask it which hair or eyes a made face has.
"""

import csv
import sys
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn, ops
from scipy.ndimage import gaussian_filter

from . import CourseError
from .checkpoint import restore
from .config import course_root
from .dataset import create_dataset, list_pictures
from .drawing import (
    ACCESSORIES,
    BACKGROUNDS,
    EXPRESSIONS,
    EYE_COLOURS,
    HAIR_COLOURS,
    HAIR_STYLES,
    SKINS,
)
from .faces import draw_sample_faces

ATTRIBUTES = {
    "hair_colour": tuple(HAIR_COLOURS),
    "hair_style": HAIR_STYLES,
    "eye_colour": tuple(EYE_COLOURS),
    "expression": EXPRESSIONS,
    "skin": tuple(SKINS),
    "accessory": ACCESSORIES,
    "background": BACKGROUNDS,
    "tilt": ("left", "upright", "right"),  # the number in labels.csv, split at ±5°
}
SIZE = 64  # side of the pictures it looks at
STORED = "encoder.ckpt"


def labelled_faces(root, limit=None, skip=0):
    """Pictures [N, 3, 64, 64] float32 in [-1, 1] and their labels, by attribute.

    The labels are a dict from the names of ATTRIBUTES to arrays [N] of text, in the
    order of the pictures, which is that of root's labels.csv; empty where root has no
    labels.csv. The pictures are read as training reads them. limit: how many at most,
    skip: how many to leave out before.
    """
    root = Path(root)
    names = [path.name for path in list_pictures(root)]
    labels = {}
    if (root / "labels.csv").exists():
        with (root / "labels.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[skip:][:limit]
        place = {name: i for i, name in enumerate(names)}
        order = [place[Path(row["file"]).name] for row in rows]
        labels = {a: np.array([row[a] for row in rows]) for a in ATTRIBUTES}
        degrees = labels["tilt"].astype(float)
        sides = np.array(ATTRIBUTES["tilt"])
        labels["tilt"] = sides[1 + (degrees > 5).astype(int) - (degrees < -5)]
    else:
        order = list(range(len(names)))[skip:][:limit]
    whole = np.resize(order, -(-len(order) // 256) * 256).tolist()
    batches = create_dataset(root, SIZE, 256, whole)
    pictures = [b[0] for b in batches.create_tuple_iterator(output_numpy=True)]
    return np.concatenate(pictures)[: len(order)], labels


def held_out_faces(settings, count):
    """As labelled_faces: count faces that the lessons' generators were not trained on.

    Sample faces are drawn with a seed of their own, once, into data/held-out-<count>.
    Of downloaded faces there are no others: the last ones come, and a line says so.
    """
    if settings.data == "sample":
        root = settings.data_dir.parent / f"held-out-{count}"
        return labelled_faces(draw_sample_faces(root, count, seed=2))
    print(
        "These are pictures that training may have seen: the test of memory at the end "
        "of the lesson says nothing about your own generator here."
    )
    total = len(list_pictures(settings.data_dir))
    return labelled_faces(settings.data_dir, count, total - count)


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


def augment(pictures, rng):
    """Pictures [N, 3, S, S] shifted, blurred, in other light, with noise; how much.

    The second value, [N, 2] in [0, 1], says how blurred and how noisy each one is. A
    generator's pictures are never as clean as drawings: an encoder that has seen only
    clean ones would be sure of nonsense.
    """

    def chance(low, high):  # one number a picture
        return rng.uniform(low, high, (len(pictures), 1, 1, 1)).astype(np.float32)

    side = pictures.shape[-1]
    wide = np.pad(pictures, ((0, 0), (0, 0), (4, 4), (4, 4)), mode="edge")
    corners = rng.integers(0, 9, (len(pictures), 2))
    moved = np.stack(
        [p[:, y : y + side, x : x + side] for p, (y, x) in zip(wide, corners)]
    )
    blurred = gaussian_filter(moved, (0, 0, 1.5, 1.5))
    blur, noise = (np.maximum(chance(-1, 1), 0) for _ in range(2))  # half of them: 0
    moved = moved + blur * (blurred - moved)
    moved = chance(0.85, 1.15) * moved + chance(-0.12, 0.12)
    moved += 0.2 * noise * rng.standard_normal(moved.shape, np.float32)
    amounts = np.concatenate([blur, noise], axis=1).reshape(-1, 2)
    return np.clip(moved, -1, 1), amounts


def _answers(labels) -> list[np.ndarray]:
    """For each attribute an array [N, values]: 1 at the label, else 0.

    All 0 for the eye colour of closed eyes, which nobody can see.
    """
    answers = [
        (labels[a][:, None] == np.array(values)).astype(np.float32)
        for a, values in ATTRIBUTES.items()
    ]
    closed = labels["expression"] == "closed eyes"
    answers[list(ATTRIBUTES).index("eye_colour")][closed] = 0
    return answers


def train_encoder(root, epochs=20, batch_size=64, rate=2e-3, held_out=512, seed=1):
    """Train on the labelled faces of root; returns the encoder and its accuracies.

    The last held_out faces are kept back for the accuracies, a dict from attribute to
    share. A step of 64 faces takes about 0.1 s on one core. Raises CourseError where
    root has no labels or too few faces.
    """
    pictures, labels = labelled_faces(root)
    count = len(pictures) - held_out
    if not labels or count < batch_size:
        raise CourseError(
            f"{root} has no labels.csv or fewer than {held_out + batch_size} faces: "
            "draw more sample faces to train an encoder."
        )
    ms.set_seed(seed)
    rng = np.random.default_rng([seed, 6])
    answers = _answers(labels)
    encoder = Encoder()
    steps = count // batch_size * epochs
    rates = nn.cosine_decay_lr(rate / 100, rate, steps, 1, steps)
    optimizer = nn.Adam(encoder.trainable_params(), rates)

    def loss(x, amounts, *targets):
        features = encoder(x)
        total = 5 * ((encoder.damage(features) - amounts) ** 2).sum()
        for logits, target in zip(encoder.logits(features), targets):
            total -= (target * ops.log_softmax(logits)).sum()
        return total / x.shape[0]

    gradient = ms.value_and_grad(loss, None, optimizer.parameters)

    @ms.jit
    def step(*batch):
        value, gradients = gradient(*batch)
        optimizer(gradients)
        return value

    encoder.set_train(True)
    for _ in range(epochs):
        order = rng.permutation(count)
        for i in range(0, count - batch_size + 1, batch_size):
            chosen = order[i : i + batch_size]
            batch = [*augment(pictures[chosen], rng), *(a[chosen] for a in answers)]
            step(*map(ms.Tensor, batch))
    encoder.set_train(False)
    test = {name: values[count:] for name, values in labels.items()}
    return encoder, accuracies(encoder, pictures[count:], test)


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

    Raises CourseError where there is none, or it is damaged.
    """
    path = Path(folder or course_root() / "weights" / "encoder") / STORED
    encoder = Encoder()
    try:
        saved = ms.load_checkpoint(str(path), crc_check=True)
        restore(saved, encoder.get_parameters())
    except Exception:
        raise CourseError(
            f"There is no usable encoder in {path.parent}: make it with "
            "`python -m dcgan_utils.encoder` (about five minutes)."
        ) from None
    return encoder.set_train(False)


CARD = """# The encoder of lesson 06

64 features of a face of 64×64 pixels, and a linear head for each label. Made by
`python -m dcgan_utils.encoder`, which draws {count:,} sample faces of its own (none of
those that generators are trained on), trains on all but the last {held_out} in
{epochs} epochs, and tests on these:

| attribute | values | right | always the most frequent |
| --- | --- | --- | --- |
{rows}

The eye colour is judged where the eyes are open. Nothing else went into the weights.
Numbers measured in these features cannot be compared with those of another encoder.
"""


def save_encoder(encoder, card, folder) -> Path:
    """Write the weights and, beside them, the card, a text that says what they are."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "writing.ckpt"
    ms.save_checkpoint(encoder, str(part), crc_check=True)
    part.chmod(0o644)
    part.replace(folder / STORED)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return folder / STORED


def main() -> int:
    """Draw faces, train the encoder on them, and store it with its card."""
    from .config import load_settings
    from .device import choose_device

    choose_device()
    count, held_out, epochs = 8192, 512, 20
    try:
        # Other faces than a generator's: an encoder is surer of pictures that it was
        # trained on, and the memorisation test would see that.
        root = load_settings().data_dir.parent / f"encoder-{count}"
        draw_sample_faces(root, count, seed=3)
        encoder, right = train_encoder(root, epochs, held_out=held_out)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    labels = labelled_faces(root)[1]
    rows = []
    for name, values in ATTRIBUTES.items():
        top = max((labels[name] == value).mean() for value in values)
        rows.append(f"| {name} | {len(values)} | {right[name]:.0%} | {top:.0%} |")
    print("\n".join(rows))
    card = CARD.format(
        count=count, held_out=held_out, epochs=epochs, rows="\n".join(rows)
    )
    print(save_encoder(encoder, card, course_root() / "weights" / "encoder"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
