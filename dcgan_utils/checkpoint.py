"""Checkpoints: everything that training needs to go on, in one file, never half a file.

A checkpoint holds both networks, the averaged generator, both optimizers (moments and
step counts), the losses so far and the settings. Noise and the order of the pictures
are functions of the seed and the step (see training.py), so nothing else is needed.
"""

import json
import os
from dataclasses import asdict, fields
from pathlib import Path

import mindspore as ms
from mindspore import ops

from . import CourseError
from .config import Settings

KEEP = 2  # the newest and, should that one be damaged, the one before


def save_checkpoint(folder, parameters, history, settings, pictures, keep=KEEP):
    """Write ``folder/step-NNNNNNN.ckpt`` and keep the last two; returns its path.

    keep=None deletes none of the earlier ones.

    parameters: MindSpore parameters with distinct names. history: the losses of D and
    G, [steps, 2] float32. pictures: how many were trained on. The file is written
    beside, flushed to the disk and then renamed, so a file under its final name is
    always whole. Raises CourseError where the disk is full or the folder cannot be
    written.
    """
    folder = Path(folder)
    path = folder / f"step-{len(history):07d}.ckpt"
    part = folder / f"writing-{os.getpid()}.ckpt"
    entries = [{"name": p.name, "data": p} for p in parameters]
    entries.append({"name": "history", "data": ms.Tensor(history, ms.float32)})
    notes = {"pictures": pictures, "settings": json.dumps(asdict(settings))}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ms.save_checkpoint(entries, str(part), append_dict=notes, crc_check=True)
        os.chmod(part, 0o644)
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError, ValueError) as error:
        raise CourseError(
            f"The checkpoint could not be saved in {folder} ({error}): make room or "
            "make the folder writable, then run the cell again; it goes on from the "
            "last checkpoint."
        ) from None
    finally:
        for rest in folder.glob(f"{part.stem}.*"):  # MindSpore's own .tmp too
            rest.unlink()
    if keep is None:
        return path
    # Those of later steps are damaged ones, or training would have gone on from them.
    found = list_checkpoints(folder)
    newest = found.index(path) + 1
    for old in found[: max(newest - keep, 0)] + found[newest:]:
        old.unlink(missing_ok=True)
    return path


def list_checkpoints(folder) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(Path(folder).glob("step-*.ckpt"))


def read_checkpoint(path) -> dict:
    """The entries of one checkpoint: names to parameters, and three more.

    ``settings`` comes back as Settings, ``pictures`` (how many were trained on) as int,
    ``history`` as an array [steps, 2]. Raises CourseError if the file is missing,
    damaged or not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise CourseError(f"There is no checkpoint {path}: run lesson 03 first.")
    try:
        entries = ms.load_checkpoint(str(path), crc_check=True)
        written = json.loads(entries["settings"])
        known = {f.name for f in fields(Settings)}  # an older course had fewer
        entries["settings"] = Settings(**{k: written[k] for k in known & set(written)})
        entries["pictures"] = int(entries["pictures"].asnumpy())
        entries["history"] = entries["history"].asnumpy()
    except Exception:
        raise CourseError(
            f"{path} is damaged or is not a checkpoint of this course: delete it; "
            "the one before it is used instead, if there is one."
        ) from None
    return entries


def newest_checkpoint(folder) -> dict | None:
    """The newest readable checkpoint of a folder, or None where there is none.

    A damaged one is named on the screen and the one before it is tried.
    """
    for path in reversed(list_checkpoints(folder)):
        try:
            return read_checkpoint(path)
        except CourseError as error:
            print(error)
    return None


def restore(entries, parameters):
    """Put a checkpoint's values into parameters of the same names and shapes.

    Raises CourseError, with nothing changed, where one is missing or of another shape.
    """
    parameters = list(parameters)  # it may be an iterator, and is walked twice
    for p in parameters:
        saved = entries.get(p.name)
        if saved is None or saved.shape != p.shape:
            found = "is missing" if saved is None else f"has the shape {saved.shape}"
            raise CourseError(
                f"The checkpoint is of another network: {p.name} {found} there, and "
                f"has the shape {p.shape} here. Use the same DCGAN_PROFILE for both."
            )
    for p in parameters:
        # Not set_data: a function that ms.jit has compiled would not see the change.
        ops.assign(p, ms.Tensor(entries[p.name].asnumpy()))
