"""Labelled faces: pictures and what they show, from labels.csv."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .. import CourseError
from ..show.grids import to_pixels
from ..taught.data import create_dataset
from .decoded import list_pictures
from .portrait import LABEL_VALUES
from .sample import draw_sample_faces

ATTRIBUTES = {
    **LABEL_VALUES,
    "tilt": ("left", "upright", "right"),  # the number in labels.csv, split at ±5°
}


SIZE = 64  # side of the pictures it looks at


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


def having(labels, **wanted):
    """Which faces have all of these labels, as in hair_colour="blue": [N] of bool.

    labels: a dict from attribute to an array [N] of text, as ``classify`` gives it.
    Raises CourseError for an attribute or a value that does not exist.
    """
    found = True
    for attribute, value in wanted.items():
        values = ATTRIBUTES.get(attribute, ())
        if value not in values:
            raise CourseError(
                f"No face can have {attribute}={value!r}: "
                + (
                    f"{attribute} is one of {', '.join(values)}."
                    if values
                    else f"the attributes are {', '.join(ATTRIBUTES)}."
                )
            )
        found = found & (labels[attribute] == value)
    return found


@dataclass(frozen=True)
class HairShares:
    """Shares of the hair colours, in the order of names, and how far to trust them."""

    names: tuple[str, ...]
    real: np.ndarray  # shares among the labelled real faces
    made: np.ndarray  # shares among the made faces
    accuracy: float  # how often the method is right on real faces it has not seen


def hair_colour_shares(root, made, limit=1000) -> HairShares | None:
    """Compare the hair colours of made faces [N, 3, 64, 64] with the labelled ones.

    A face's hair is the median colour at the top of the head. It gets the name whose
    labelled faces have the nearest mean. The first half of at most ``limit`` labelled
    faces gives the means, the second half the accuracy. None where root has no
    labels.csv.
    """
    labels = Path(root) / "labels.csv"
    if not labels.exists():
        return None
    with labels.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:limit]
    given = np.array([row["hair_colour"] for row in rows])
    pictures = [Image.open(Path(root) / "faces" / Path(r["file"]).name) for r in rows]
    side = made.shape[-1]
    tops = _hair(np.stack([np.asarray(p.resize((side, side))) for p in pictures]))
    half = len(rows) // 2
    names = np.unique(given[:half])
    means = np.stack([tops[:half][given[:half] == n].mean(axis=0) for n in names])

    def name(colours):
        distance = ((colours[:, None] - means[None]) ** 2).sum(axis=2)
        return names[distance.argmin(axis=1)]

    found = name(_hair(to_pixels(made)))
    return HairShares(
        names=tuple(names.tolist()),
        real=np.array([(given == n).mean() for n in names]),
        made=np.array([(found == n).mean() for n in names]),
        accuracy=float((name(tops[half:]) == given[half:]).mean()),
    )


def _hair(pixels) -> np.ndarray:
    """The median colour [N, 3] at the top of the head of pictures [N, S, S, 3]."""
    s = pixels.shape[1]
    top = pixels[:, s * 5 // 64 : s * 16 // 64, s * 22 // 64 : s * 42 // 64]
    return np.median(top.reshape(len(pixels), -1, 3), axis=1)
