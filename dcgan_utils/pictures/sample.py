"""Draw the sample faces, with their labels, and a stand-in for ImageNet."""

import csv
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

import numpy as np

from .. import CourseError
from ..files import whole_folder
from ..processes import on_all_cores
from ..progress import progress_bar
from .portrait import DRAWING_VERSION, FaceLabels, draw_face, random_labels

CLASS = "faces"  # the one folder of faces in it
LABELS = "labels.csv"  # the labels of the faces, one row each, below these titles
TITLES = ",".join(["file", *(field.name for field in fields(FaceLabels))])
DRAWN_BY = "drawn-by.txt"
DRAWER = f"drawing.py {DRAWING_VERSION}"  # what drawn-by.txt says
FEW_FACES = 256  # fewer than these are drawn sooner than more processes have started


def draw_sample_faces(root: Path, count: int, seed: int = 1) -> Path:
    """Draw ``count`` faces, JPEG RGB 96×96, and their labels; return ``root``.

    Face ``i`` depends on ``(seed, i)`` only and becomes ``root/faces/i.jpg``;
    ``root/labels.csv`` has a row for each. Faces that are there are kept. Raises
    CourseError where ``root`` holds other pictures or cannot be written.
    """
    if count < 1:
        raise CourseError(f"{count} sample faces cannot be drawn: ask for at least 1.")
    root = Path(root)
    folder = root / CLASS
    present = set(os.listdir(folder)) if folder.is_dir() else set()
    if present and not _was_drawn(root, count, seed):
        raise CourseError(
            f"{folder} holds other pictures than the {count:,} sample faces of seed "
            f"{seed} that this version of the course draws: move {root} away, and they "
            "are drawn anew, or set DCGAN_DATA_DIR to another folder."
        )
    missing = [i for i in range(count) if f"{i}.jpg" not in present]
    if missing:
        with whole_folder(root) as made:
            (made / CLASS).mkdir()
            _draw(made / CLASS, missing, seed)
            rows = [TITLES, *(_label_row(i, seed) for i in range(count)), ""]
            (made / LABELS).write_bytes("\n".join(rows).encode())
            (made / DRAWN_BY).write_text(f"{DRAWER}\n", encoding="utf-8")
    return root


def _label_row(i: int, seed: int) -> str:
    """The row of labels.csv for face ``i``; no value holds a comma."""
    labels = asdict(random_labels(np.random.default_rng([seed, i])))
    labels["tilt"] = f"{labels['tilt']:.2f}"
    return ",".join([f"{CLASS}/{i}.jpg", *labels.values()])


def _was_drawn(root: Path, count: int, seed: int) -> bool:
    """Whether root's notes are those of ``count`` faces of this seed and drawing."""
    try:
        rows = (root / LABELS).read_text(encoding="utf-8").splitlines()
        drawer = (root / DRAWN_BY).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return False
    ends = [TITLES, _label_row(0, seed), _label_row(count - 1, seed)]
    return drawer == DRAWER and len(rows) == count + 1 and rows[:2] + rows[-1:] == ends


def _draw(folder: Path, numbers: Sequence[int], seed: int) -> None:
    """Draw the faces of these numbers into ``folder``; many, on all cores."""
    parts = [numbers[i : i + 32] for i in range(0, len(numbers), 32)]
    with progress_bar(len(numbers), "face", "Drawing faces", delay=1) as bar:
        draw = partial(_draw_part, folder=folder, seed=seed)
        few = len(numbers) < FEW_FACES
        for count in map(draw, parts) if few else on_all_cores(draw, parts):
            bar.update(count)


def _draw_part(numbers: Sequence[int], folder: Path, seed: int) -> int:
    for i in numbers:
        rng = np.random.default_rng([seed, i])
        face = draw_face(random_labels(rng), rng, size=96)
        face.convert("RGB").save(folder / f"{i}.jpg", quality=95)
    return len(numbers)


def make_stand_in(faces: Path, root: Path) -> Path:
    """Copy sample faces into class folders, as ImageNet is laid out; return the folder.

    faces: a folder from draw_sample_faces. Face 12 with black hair becomes
    ``root/train/black/12.JPEG``. A stand-in that is there is kept. Raises CourseError
    where other files are in the way or ``root`` cannot be written.
    """
    train = Path(root) / "train"
    rows = csv.DictReader((faces / LABELS).read_text(encoding="utf-8").splitlines())
    copies = {
        f"{row['hair_colour']}/{Path(row['file']).stem}.JPEG": faces / row["file"]
        for row in rows
    }
    if not train.exists():
        with whole_folder(root) as made:
            for name, face in copies.items():
                (made / "train" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(face, made / "train" / name)
    elif {p.relative_to(train).as_posix() for p in train.glob("*/*")} != set(copies):
        raise CourseError(f"{train} holds other files: name another folder.")
    return train
