"""Labelled faces: pictures and what they show, from labels.csv."""

import csv
from dataclasses import dataclass

import numpy as np

from .. import CourseError
from .folder import look_at_folder
from .portrait import LABEL_VALUES
from .sample import draw_sample_faces

ATTRIBUTES = {
    **LABEL_VALUES,
    "tilt": ("left", "upright", "right"),  # the number in labels.csv, split at ±5°
}


def labelled_faces(pictures, limit=None, skip=0):
    """Faces [N, 3, S, S] float32 in [-1, 1] of Pictures and their labels, by attribute.

    The labels are a dict from the names of ATTRIBUTES to arrays [N] of text, in the
    order of the faces, which is that of the folder's labels.csv; empty where it has
    none. limit: how many at most, skip: how many to leave out before.
    """
    rows = _labels_of(pictures)
    if rows:
        number = {name: i for i, name in enumerate(pictures.names)}
        rows = [row for row in rows if row["file"] in number][skip:][:limit]
        chosen = np.array([number[row["file"]] for row in rows])
        labels = {a: np.array([row[a] for row in rows]) for a in ATTRIBUTES}
        degrees = labels["tilt"].astype(float)
        sides = np.array(ATTRIBUTES["tilt"])
        labels["tilt"] = sides[1 + (degrees > 5).astype(int) - (degrees < -5)]
    else:
        chosen, labels = np.arange(len(pictures))[skip:][:limit], {}
    return (pictures[chosen].astype(np.float32) - 127.5) / 127.5, labels


def _labels_of(pictures) -> list[dict]:
    try:
        with open(pictures.root / "labels.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError):
        return []
    known = {"file", *ATTRIBUTES}  # the folder may hold another table of this name
    return rows if rows and known <= set(rows[0]) else []


def held_out_faces(settings, pictures, count):
    """As labelled_faces: count faces that the lessons' generators were not trained on.

    Sample faces are drawn with a seed of their own, once, into data/held-out-<count>.
    Of other pictures there are no others: the last ones come, half of all at most, and
    a line says so.
    """
    if settings.data == "sample":
        root = settings.data_dir.parent / f"held-out-{count}"
        drawn = draw_sample_faces(root, count, seed=2)
        return labelled_faces(look_at_folder(drawn, settings.image_size))
    print(
        "These are pictures that training may have seen: the test of memory at the end "
        "of the lesson says nothing about your own generator here."
    )
    count = min(count, len(pictures) // 2)
    return labelled_faces(pictures, count, len(pictures) - count)


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


def hair_colour_shares(pictures, made, limit=1000) -> HairShares | None:
    """Compare the hair colours of made faces [N, 3, S, S] with those of Pictures.

    A face's hair is the median colour at the top of the head. It gets the name whose
    labelled faces have the nearest mean. The first half of at most ``limit`` labelled
    faces gives the means, the second half the accuracy. None where there are no labels.
    """
    real, labels = labelled_faces(pictures, limit)
    if not labels:
        return None
    given, tops, half = labels["hair_colour"], _hair(real), len(real) // 2
    names = np.unique(given[:half])
    means = np.stack([tops[:half][given[:half] == n].mean(axis=0) for n in names])

    def name(colours):
        distance = ((colours[:, None] - means[None]) ** 2).sum(axis=2)
        return names[distance.argmin(axis=1)]

    found = name(_hair(made))
    return HairShares(
        names=tuple(names.tolist()),
        real=np.array([(given == n).mean() for n in names]),
        made=np.array([(found == n).mean() for n in names]),
        accuracy=float((name(tops[half:]) == given[half:]).mean()),
    )


def _hair(faces) -> np.ndarray:
    """The median colour [N, 3] at the top of the head of faces [N, 3, S, S]."""
    s = faces.shape[-1]
    top = faces[:, :, s * 5 // 64 : s * 16 // 64, s * 22 // 64 : s * 42 // 64]
    return np.median(top.reshape(len(faces), 3, -1), axis=2)
