"""Measures of what a generator draws. Lesson 04 counts hair colours."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .figures import to_pixels


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
