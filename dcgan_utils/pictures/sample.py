"""Draw the sample faces, with their labels, and a stand-in for ImageNet."""

import csv
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from .. import CourseError
from .folder import CLASS, DRAWN_BY, LABELS, in_parts
from .portrait import DRAWING_VERSION, FaceLabels, draw_face, random_labels

TITLES = ["file", *(field.name for field in fields(FaceLabels))]  # of labels.csv


# What drawn-by.txt says. The faces of students say so too: another name would have them
# drawn anew, although no pixel differs.
DRAWER = f"drawing.py {DRAWING_VERSION}"


FEW_FACES = 256  # fewer than these are drawn sooner than two processes have started


def draw_sample_faces(root: Path, count: int, seed: int = 1) -> Path:
    """Draw ``count`` faces, JPEG RGB 96×96, and their labels; return ``root``.

    Face ``i`` depends on ``(seed, i)`` only and becomes ``root/faces/i.jpg``;
    ``root/labels.csv`` has a row for each. Faces that are there are kept. Raises
    CourseError where ``root`` holds other pictures, also such as an older version of
    the course drew, or cannot be written.
    """
    if count < 1:
        raise CourseError(f"{count} sample faces cannot be drawn: ask for at least 1.")
    root = Path(root)
    folder = root / CLASS
    present = set(os.listdir(folder)) if folder.is_dir() else set()
    if present and not _labels_are_of(root / LABELS, count, seed):
        raise CourseError(
            f"{folder} holds other pictures than the {count:,} sample faces of seed "
            f"{seed}: move {root} away, or set DCGAN_DATA_DIR to another folder."
        )
    if present and _drawer(root) != DRAWER:
        raise CourseError(
            f"{folder} holds sample faces as another version of this course draws "
            f"them: delete {root}, and they are drawn anew."
        )
    missing = [i for i in range(count) if f"{i}.jpg" not in present]
    if not missing:
        return root
    with folder_beside(root) as made:
        (made / CLASS).mkdir()
        _draw(made / CLASS, missing, seed)
        with open(made / LABELS, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(TITLES)
            table.writerows(_label_row(i, seed) for i in range(count))
        (made / DRAWN_BY).write_text(f"{DRAWER}\n", encoding="utf-8")
        root.mkdir(exist_ok=True)
        for name in (LABELS, DRAWN_BY):
            (made / name).replace(root / name)
        if present:
            for face in (made / CLASS).iterdir():
                face.replace(folder / face.name)
        else:
            move_in(made / CLASS, folder)
    return root


def _label_row(i: int, seed: int) -> list[str]:
    """The row of labels.csv for face ``i``."""
    labels = asdict(random_labels(np.random.default_rng([seed, i])))
    labels["tilt"] = f"{labels['tilt']:.2f}"
    return [f"{CLASS}/{i}.jpg", *labels.values()]


def _labels_are_of(path: Path, count: int, seed: int) -> bool:
    """Whether a labels.csv was written for ``count`` faces of this seed."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError):
        return False
    ends = [TITLES, _label_row(0, seed), _label_row(count - 1, seed)]
    return len(rows) == count + 1 and [rows[0], rows[1], rows[-1]] == ends


def _drawer(root: Path) -> str:
    """Which drawing.py drew the faces in ``root``; the first one left no note."""
    note = root / DRAWN_BY
    if not note.is_file():
        return "drawing.py 1"
    return note.read_text(encoding="utf-8", errors="replace").strip()


def _draw(folder: Path, numbers: Sequence[int], seed: int) -> None:
    """Draw the faces of these numbers into ``folder``; many, on all cores."""
    parts = [numbers[i : i + 32] for i in range(0, len(numbers), 32)]
    cores = min(os.cpu_count() or 1, 8)
    if len(numbers) >= FEW_FACES and cores > 1:
        # "spawn" on every system: a forked copy of MindSpore's threads would hang.
        pool = ProcessPoolExecutor(cores, get_context("spawn"), _leave_interrupts_alone)
        try:
            in_parts(pool, _draw_part, parts, "Drawing faces", folder, seed)
            return
        except BrokenProcessPool:
            print("No second process can be started here: drawing in this one.")
    in_parts(ThreadPoolExecutor(1), _draw_part, parts, "Drawing faces", folder, seed)


def _draw_part(numbers: Sequence[int], folder: Path, seed: int) -> Sequence[int]:
    """Draw some faces; runs in a process of its own, so it stands at the top level."""
    for i in numbers:
        rng = np.random.default_rng([seed, i])
        labels = random_labels(rng)
        face = draw_face(labels, rng, size=96)
        face.convert("RGB").save(folder / f"{i}.jpg", quality=95)
    return numbers


def _leave_interrupts_alone() -> None:
    """Ctrl-C reaches every process: let the first one alone answer, without noise."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def make_stand_in(faces: Path, root: Path) -> Path:
    """Copy sample faces into class folders, as ImageNet is laid out; return the folder.

    faces: a folder from draw_sample_faces. Face 12 with black hair becomes
    ``root/train/black/12.JPEG``. A stand-in that is there is kept. Raises CourseError
    where other files are in the way or ``root`` cannot be written.
    """
    root = Path(root)
    with open(faces / LABELS, encoding="utf-8", newline="") as file:
        hair = {row["file"]: row["hair_colour"] for row in csv.DictReader(file)}
    copies = {f"{hair[f]}/{Path(f).stem}.JPEG": faces / f for f in hair}
    train = root / "train"
    if train.exists() and {
        p.relative_to(train).as_posix() for p in train.glob("*/*")
    } != set(copies):
        raise CourseError(
            f"{train} is there already and holds other files: name another folder."
        )
    if not train.exists():
        with folder_beside(root) as made:
            for name, face in copies.items():
                (made / "train" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(face, made / "train" / name)
            root.mkdir(exist_ok=True)
            move_in(made / "train", train)
    return train


@contextmanager
def folder_beside(root: Path) -> Iterator[Path]:
    """A temporary folder of our own on root's disk, gone afterwards."""
    root = root.absolute()
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        for left in root.parent.glob(f".{root.name}-*"):  # by a kernel that was killed
            if time.time() - left.stat().st_mtime > 24 * 3600:
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise CourseError(
            f"{root} cannot be written ({error.strerror or error}): make room there, "
            "or set DCGAN_DATA_DIR to a folder of your own."
        ) from error


def move_in(finished: Path, target: Path) -> None:
    """Rename ``finished`` to ``target``, unless another kernel was first."""
    with suppress(OSError):
        target.rmdir()  # an empty folder is in the way on Windows
    try:
        finished.rename(target)
    except OSError:
        if not (target.is_dir() and os.listdir(target)):
            raise
