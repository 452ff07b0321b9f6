"""Checkpoints: everything that training needs to go on, in one file, never half a file.

A checkpoint holds both networks, the averaged generator, both optimizers (moments and
step counts), the losses so far and the settings. Noise and the order of the pictures
follow from the seed and the step (see noise.py), so nothing else is needed.
"""

import json
import os
import re
import zlib
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import ops

from .. import CourseError
from ..files import delete_partial_files, whole_file
from ..settings import Settings, recipe

KEEP = 2  # the newest and, should that one be damaged, the one before


class DamagedCheckpoint(CourseError):
    """A file that is not as it was written, or that this course did not write."""


def save_checkpoint(
    folder, parameters, history, settings, pictures, fingerprint="none", keep=KEEP
):
    """Write ``folder/step-NNNNNNN.ckpt`` and keep the last two; returns its path.

    parameters: MindSpore parameters with distinct names. history: the losses of D and
    G, [steps, 2] float32. pictures: how many were trained on; fingerprint: a word that
    tells them from others. keep=None deletes none of the earlier ones. Raises
    CourseError where the disk is full, where the folder cannot be written, and where a
    value is not finite; the earlier ones are then left alone.
    """
    folder, parameters = Path(folder), list(parameters)
    _refuse_infinite(parameters, len(history), folder)
    path = folder / f"step-{len(history):07d}.ckpt"
    entries = [{"name": p.name, "data": p} for p in parameters]
    entries.append({"name": "history", "data": ms.Tensor(history, ms.float32)})
    notes = {"pictures": pictures, "fingerprint": fingerprint}
    notes["settings"] = json.dumps(recipe(settings))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            ms.save_checkpoint(entries, str(part), append_dict=notes, crc_check=True)
            os.chmod(part, 0o644)
    except (OSError, RuntimeError, ValueError) as error:
        raise CourseError(
            f"The checkpoint could not be saved in {folder} ({_reason(error)}): make "
            "room or make the folder writable, then run the cell again (in a shell: "
            "with --resume); it goes on from the last checkpoint."
        ) from None
    finally:
        delete_partial_files(folder)  # MindSpore leaves a .tmp of its own
    if keep is not None:
        _delete_others(path, keep)
    return path


def _refuse_infinite(parameters, step, folder):
    """A loss tells of such numbers one step late, when they may have been saved."""
    for p in parameters:
        if not np.isfinite(p.asnumpy()).all():
            raise CourseError(
                f"After step {step}, {p.name} holds numbers that are not finite, so "
                "nothing was saved: lower the learning rates and start anew with "
                "fresh=True (in a shell: --fresh). What was saved before is kept in "
                f"{folder}."
            )


def _reason(error) -> str:
    """What went wrong, without what MindSpore tells its own developers below it."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return reason.strip().splitlines()[0]


def _delete_others(path, keep):
    """Delete all but so many up to this one; a later one is damaged, or it was used."""
    found = list_checkpoints(path.parent)
    newest = found.index(path) + 1
    for other in found[: max(newest - keep, 0)] + found[newest:]:
        with suppress(OSError):  # one that will not go does no harm
            other.unlink()


def list_checkpoints(folder) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    found = [p for p in Path(folder).glob("step-*.ckpt") if p.is_file()]
    found = [p for p in found if re.fullmatch(r"step-\d{7,}", p.stem)]
    return sorted(found, key=lambda path: int(path.stem[5:]))


def read_checkpoint(path) -> dict:
    """The entries of one checkpoint: names to parameters, and four more.

    ``settings`` comes back as Settings, ``pictures`` (how many were trained on) as int,
    ``fingerprint`` as text and ``history`` as an array [steps, 2]. Raises CourseError
    if the file is missing or cannot be read, and DamagedCheckpoint if it is damaged or
    not one of ours.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        # MindSpore ends a file with this word and a sum, and lets one without it pass.
        body, word, total = content[:-17], content[-17:-10], content[-10:]
        whole = word == b"crc_num" and zlib.crc32(body) == int.from_bytes(total, "big")
        entries = ms.load_checkpoint(str(path)) if whole else {}
    except FileNotFoundError:
        raise CourseError(
            f"There is no checkpoint {path}: run lesson 03 first."
        ) from None
    except (OSError, ValueError, MemoryError) as error:
        # It may be sound: training must not go on without it, and then delete it.
        raise CourseError(
            f"{path} cannot be read ({_reason(error)}): put that right, then start "
            "again."
        ) from None
    try:
        written = json.loads(entries["settings"])
        known = {f.name for f in fields(Settings)}  # an older course had fewer
        entries["settings"] = Settings(**{k: written[k] for k in known & set(written)})
        entries["pictures"] = int(entries["pictures"].asnumpy())
        entries["history"] = entries["history"].asnumpy()
        entries.setdefault("fingerprint", "none")
    except Exception:
        raise DamagedCheckpoint(
            f"{path} is damaged or is not a checkpoint of this course: delete it; "
            "the one before it is used instead, if there is one."
        ) from None
    return entries


def newest_checkpoint(folder) -> dict | None:
    """The newest readable checkpoint of a folder, or None where there is none.

    A damaged one is named on the screen and the one before it is tried. Raises
    CourseError where one cannot be read, which is no damage.
    """
    for path in reversed(list_checkpoints(folder)):
        try:
            return read_checkpoint(path)
        except DamagedCheckpoint as error:
            print(error)
    return None


def refuse_changes(saved, settings, pictures=None):
    """Raise CourseError if a checkpoint was made with other settings or pictures.

    saved: from read_checkpoint. pictures: those of now, if they are known already.
    Other ``epochs`` are no change.
    """
    now, then = recipe(settings), recipe(saved["settings"])
    changed = [
        f"{name} was {then[name]} and is {now[name]}"
        for name in now
        if now[name] != then[name] and name != "epochs"
    ]
    if pictures is not None:
        changed += _changes_of_pictures(saved, settings, pictures)
    if changed:
        raise CourseError(
            f"The training in {settings.run_dir} cannot go on: {'; '.join(changed)}. "
            "Set that back, or start anew with fresh=True (in a shell: --fresh)."
        )


def _changes_of_pictures(saved, settings, pictures):
    before, now = saved["pictures"], len(pictures)
    then, epochs, each = saved["settings"].epochs, settings.epochs, settings.face_count
    # Of a large folder, no more are looked at than so many epochs take.
    of_many = each and (before == each * then or now == each * epochs)
    if before != now and not (of_many and epochs != then):
        return [f"there were {before:,} pictures and now {now:,}"]
    # More from a large folder begin with the same ones; all of it are in another order.
    same_order = now == before or (now > before and pictures.skipped)
    known = same_order and saved["fingerprint"] != "none"
    if known and saved["fingerprint"] != pictures.fingerprint(before):
        return ["the pictures are not the same ones"]
    return []


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
                f"has the shape {p.shape} here. Use the same DCGAN_PROFILE for "
                "both, or train anew with fresh=True (in a shell: --fresh)."
            )
    for p in parameters:
        # Not set_data: a function that ms.jit has compiled would not see the change.
        ops.assign(p, ms.Tensor(entries[p.name].asnumpy()))
