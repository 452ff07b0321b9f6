"""The settings that follow from what was typed, and from the training to go on with."""

from dataclasses import replace
from pathlib import Path

from .. import CourseError
from ..settings import PRESETS, recipe
from ..taught.networks import layer_widths
from ..training.checkpoint import newest_checkpoint
from ..training.launcher import read_rank_table
from ..training.settings_file import NAME, read_options
from .values import PAIRS


def find_training(args):
    """The checkpoint to go on from, with --resume and the like; None to start.

    What the run's settings.toml knows and the checkpoint does not (--data, --workers,
    --keep) is put into args, unless it was typed.
    """
    folder = Path(args.out).expanduser() if args.out else settings_of(args).run_dir
    going_on = args.resume or args.resume_or_start
    saved = newest_checkpoint(folder) if going_on else None
    if saved:
        args.out = str(folder)
        noted = read_options(folder / NAME) if (folder / NAME).exists() else {}
        args.data = args.data or noted.get("data")
        args.keep = args.keep or noted.get("keep")
        if args.workers is None and not args.rank_table:
            args.workers = noted.get("workers")
    return saved


def settings_of(args, saved=None, workers=1):
    """The preset, or what was saved, with what was typed in its place.

    The batch is that of all workers. Raises CourseError where the data, the image size
    or the batch cannot be.
    """
    settings = saved["settings"] if saved else PRESETS[args.preset or "class"]
    given = {name: word for name, word in vars(args).items() if word is not None}
    changes = {n: given[both] for both in PAIRS if both in given for n in PAIRS[both]}
    changes |= {name: given[name] for name in recipe(settings) if name in given}
    changes |= {"profile": args.preset or settings.profile, **_data_of(args, settings)}
    changes["out"] = str(Path(args.out).expanduser()) if args.out else ""
    if changes["data"] == "folder" and not saved:
        changes.setdefault("face_count", 0)
    elif changes["data"] == "sample":  # all there are would be none
        count = changes.get("face_count", settings.face_count)
        changes["face_count"] = count or 4096
    if not saved or "batch_size" in changes:  # --batch-size is that of each worker
        changes["batch_size"] = workers * changes.get("batch_size", settings.batch_size)
    settings = replace(settings, **changes)
    _refuse_sizes(settings, workers)
    return settings


def _data_of(args, settings):
    data = args.data or settings.data
    if data in ("sample", "anime"):
        return {"data": data}
    if args.data:
        return {"data": "folder", "pictures": str(Path(data).expanduser())}
    raise CourseError(
        "This training needs --data FOLDER, a folder of pictures: `dcgan faces "
        "--stand-in photos` makes one to try it with."
    )


def _refuse_sizes(settings, workers):
    try:
        layer_widths(1, settings.image_size)
    except ValueError:
        raise CourseError(
            f"--image-size {settings.image_size} cannot be: halved again and again it "
            "must come to 4, 5, 6 or 7, as 32, 64, 96 and 128 do."
        ) from None
    if settings.batch_size % workers:
        raise CourseError(
            f"{workers} workers cannot share {settings.batch_size} pictures, which a "
            "step of this training takes: name another number with --workers."
        )


def workers_of(args) -> int:
    """How many processes train: --workers, else the devices of a rank table, else 1."""
    if not args.rank_table:
        return 1 if args.workers is None else args.workers
    devices = read_rank_table(args.rank_table)
    print(
        f"{args.rank_table} lists {devices} devices. Nothing else in it is needed: "
        "MindSpore's scheduler hands out the ranks now, as with --workers."
    )
    return devices if args.workers is None else args.workers
