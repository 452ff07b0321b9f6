"""TEMP"""

import hashlib
import json
import math
import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np

from .. import CourseError
from ..taught.data import EXTENSIONS, create_dataset
from .folder import judge_pictures, progress

ROOM = 2e9  # bytes on the disk; a larger set is decoded anew in every epoch


def decode_once(root, image_size, folder, numbers=None):
    """All pictures of root's class folders as one array on the disk, or None.

    The array [count, 3, S, S] uint8 is kept as ``decoded-….npy`` in folder and mapped
    into memory: a picture is read when it is used. numbers: those of the pictures to
    take, in this order; all, if None. The name of the file follows from the names,
    sizes and times of the pictures, so changed pictures are decoded anew. None where
    the array would take more than 2 GB or half of the free disk, or where it cannot be
    written: then read from the files.
    """
    folder = Path(folder)
    paths = list_pictures(root)
    numbers = range(len(paths)) if numbers is None else list(numbers)
    mark = _mark([paths[i] for i in numbers], image_size)
    path, part = folder / f"decoded-{mark[:16]}.npy", folder / "decoding.npy"
    with suppress(OSError, ValueError, EOFError):  # none yet, or one that was cut
        return np.load(path, mmap_mode="r")
    shape = (len(numbers), 3, image_size, image_size)
    try:
        if math.prod(shape) > min(ROOM, shutil.disk_usage(folder).free / 2):
            return None
        for old in folder.glob("decoded-*.npy"):
            old.unlink()
        # Written as a file and not through the map: a full disk is an OSError here, and
        # would be a fatal signal there.
        with part.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for batch in _decoded(root, image_size, numbers):
                file.write(batch.tobytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        return np.load(path, mmap_mode="r")
    except OSError:
        return None
    finally:
        with suppress(OSError):  # it has its final name, unless something went wrong
            part.unlink()


def _decoded(root, image_size, numbers):
    """Batches uint8 of the pictures of these numbers, by create_dataset itself."""
    whole = np.resize(numbers, -(-len(numbers) // 64) * 64).tolist()
    dataset = create_dataset(root, image_size, 64, whole)
    with progress("Decoding pictures", len(numbers)) as bar:
        for (batch,) in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True):
            batch = batch[: len(numbers) - bar.n]  # the last one was filled up
            yield np.rint(batch * 127.5 + 127.5).astype(np.uint8)
            bar.update(len(batch))


def to_range(pixels) -> np.ndarray:
    """Pixels uint8 as float32 in [-1, 1], to the digit as in create_dataset."""
    return (pixels.astype(np.float32) - 127.5) / 127.5


def list_pictures(root) -> list[Path]:
    """The pictures of root's class folders, in the order of create_dataset."""
    # Not by the suffix: MindSpore takes a file called ".jpg", too.
    endings = tuple(EXTENSIONS)
    return sorted(p for p in Path(root).glob("*/*") if p.name.endswith(endings))


LEFT_OUT = "left-out.json"  # in the run folder


def leave_damaged_out(root, folder) -> list[str]:
    """Find the pictures in root's class folders that MindSpore cannot read.

    For pictures that are not ours: nothing in root is touched. The names are noted in
    folder, which is made, so that sound_pictures leaves them out; the note holds until
    a picture changes. Raises CourseError where none can be read, and OSError where the
    note cannot be written.
    """
    root, note, paths = Path(root), Path(folder) / LEFT_OUT, list_pictures(root)
    mark = _mark(paths)
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["mark"] == mark:
            return known["names"]
    names = [p.relative_to(root).as_posix() for p in paths]
    verdicts = judge_pictures(root, names)
    damaged = [name for name, word in zip(names, verdicts) if word != "good"]
    if len(damaged) == len(names):
        raise CourseError(
            f"None of the {len(names):,} pictures in {root} can be read as JPEG or "
            f"PNG: get them again."
        )
    note.parent.mkdir(parents=True, exist_ok=True)
    part = note.with_suffix(".part")
    part.write_text(json.dumps({"mark": mark, "names": damaged}), encoding="utf-8")
    part.replace(note)
    return damaged


def _mark(paths, *more) -> str:
    """A word that changes when a name, a size or a time of these files does."""
    seen = []
    for path in map(str, paths):
        try:
            info = os.stat(path)
            seen.append((path, info.st_size, info.st_mtime_ns))
        except OSError:  # a link that leads nowhere
            seen.append(path)
    return hashlib.sha256(repr((seen, *more)).encode()).hexdigest()


def sound_pictures(root, settings) -> np.ndarray:
    """The numbers of the pictures in root to train on, [count] int.

    All of them, but for those that leave_damaged_out has noted in the run folder.
    Raises CourseError where there are fewer than one batch.
    """
    paths, left_out = list_pictures(root), []
    with suppress(OSError, ValueError, KeyError, TypeError):  # no note, or nonsense
        note = (settings.run_dir / LEFT_OUT).read_text(encoding="utf-8")
        left_out = {Path(root) / name for name in json.loads(note)["names"]}
    numbers = [i for i, path in enumerate(paths) if path not in left_out]
    _need_a_batch(len(numbers), root, settings)
    return np.array(numbers)


def count_pictures(root, settings):
    """How many pictures lie in root's class folders.

    Raises CourseError where there are fewer than one batch.
    """
    count = len(list_pictures(root))
    _need_a_batch(count, root, settings)
    return count


def _need_a_batch(count, root, settings):
    if count < settings.batch_size:
        raise CourseError(
            f"{root} holds {count} pictures, fewer than one batch of "
            f"{settings.batch_size}: add pictures or lower batch_size."
        )
