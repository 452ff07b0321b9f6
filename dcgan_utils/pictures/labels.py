"""Labelled faces: pictures and what they show, from labels.csv."""

import csv

import numpy as np

from .. import CourseError
from .folder import look_at_folder
from .portrait import LABEL_VALUES
from .sample import draw_sample_faces

ATTRIBUTES = {
    **LABEL_VALUES,
    "tilt": ("left", "upright", "right"),  # the number in labels.csv, split at ±5°
}


def labelled_faces(pictures, limit=None):
    """Faces [N, 3, S, S] float32 in [-1, 1] of Pictures and their labels, by attribute.

    The labels are a dict from the names of ATTRIBUTES to arrays [N] of text, in the
    order of the faces, which is that of the folder's labels.csv; empty where it has
    none. limit: how many at most.
    """
    rows = _labels_of(pictures)[:limit]
    if rows:
        number = {name: i for i, name in enumerate(pictures.names)}
        chosen = np.array([number[row["file"]] for row in rows])
        labels = {a: np.array([row[a] for row in rows]) for a in ATTRIBUTES}
        degrees = labels["tilt"].astype(float)
        sides = np.array(ATTRIBUTES["tilt"])
        labels["tilt"] = sides[1 + (degrees > 5).astype(int) - (degrees < -5)]
    else:
        chosen, labels = np.arange(len(pictures))[:limit], {}
    return (pictures[chosen].astype(np.float32) - 127.5) / 127.5, labels


def _labels_of(pictures) -> list[dict]:
    try:
        with open(pictures.root / "labels.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError):
        return []
    if not rows or not {"file", *ATTRIBUTES} <= set(rows[0]):
        return []  # the folder may hold another table of this name
    there = set(pictures.names)
    return [row for row in rows if row["file"] in there]


def hold_out(settings, pictures, count):
    """Two Pictures without one in common: those to learn from, and ``count`` others.

    To sample faces new ones are drawn with a seed of their own, once, into
    data/held-out-<count>; no generator of the lessons was trained on them. Of other
    pictures there are no new ones: so many are drawn from them by lot, half of all at
    most, and a line says what that means.
    """
    if settings.data == "sample":
        root = settings.data_dir.parent / f"held-out-{count}"
        drawn = draw_sample_faces(root, count, seed=2)
        return pictures, look_at_folder(drawn, settings.image_size)
    count = min(count, len(pictures) // 2)
    print(
        f"Held out are {count:,} of these pictures, drawn by lot. Training may have "
        "seen them, so nothing below says what your own generator remembers."
    )
    lot = np.random.default_rng(0).permutation(len(pictures))
    held_out = pictures.only(lot[:count], "not held out")
    return pictures.only(lot[count:], "held out"), held_out


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
