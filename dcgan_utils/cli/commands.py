"""What the commands of ``dcgan`` do; the words they take stand in __main__.py.

Each function takes what argparse has read and returns the exit code. Bad input is
refused, by a CourseError, before anything is written.
"""

import contextlib
import math
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from .. import CourseError
from ..device import choose_device, find_device
from ..pictures.decoded import leave_damaged_out, list_pictures, sound_pictures
from ..pictures.get import get_faces
from ..pictures.sample import draw_sample_faces, make_stand_in
from ..settings import PRESETS, load_settings, recipe, settings_table
from ..show.grids import make_grid, save_picture
from ..taught.data import EXTENSIONS
from ..taught.networks import layer_widths
from ..taught.results import generate
from ..training.checkpoint import (
    DamagedCheckpoint,
    list_checkpoints,
    newest_checkpoint,
    read_checkpoint,
)
from ..training.job import LAUNCHER, check_job, in_job, launch, read_rank_table
from ..training.model import build_dcgan
from ..training.randomness import epoch_order, fixed_noise
from ..training.run import refuse_changes, train
from ..training.sampling import load_generator
from ..training.workers import join_job, mean_over_workers

STAND_IN = 512  # sample faces: enough for a few steps of the largest preset


def faces(given) -> int:
    """Draw or download the pictures of the course, or make the stand-in."""
    if not given.stand_in:
        changes = {"face_count": given.count} if given.count else {}
        get_faces(load_settings(data=given.data, **changes))
        return 0
    if given.data == "anime":
        raise CourseError("--stand-in is made of sample faces: leave out --data anime.")
    root, count = Path(given.stand_in).expanduser(), given.count or STAND_IN
    with _writable(root, "--stand-in"), tempfile.TemporaryDirectory() as folder:
        drawn = draw_sample_faces(Path(folder) / "sample", count)
        classes = make_stand_in(drawn, root)
    count, kinds = len(list_pictures(classes)), len(os.listdir(classes))
    print(f"{count:,} pictures in {kinds} class folders of {classes}")
    return 0


def train_command(given) -> int:
    """Train alone, as a worker of a job, or start a job of several workers."""
    settings, workers = settings_of(given), _workers(given)
    find_device()  # refuses one that is not there
    if workers != 1 or given.port:
        check_job(workers, given.port, rank_table=given.workers is None)
    if not in_job():
        _prepare(settings, given, workers)
    if workers > 1 and not in_job():
        own = ("--workers", "--port", "--rank-table")
        command = ["-m", "dcgan_utils", *_without(given.words, own)]
        return launch(command, workers, given.port, settings.run_dir / "logs")
    choose_device()
    place = join_job()
    if in_job() and LAUNCHER not in os.environ:  # msrun was called by hand
        if place.rank == 0:
            _prepare(settings, given, place.size)
        mean_over_workers([0], place)  # the others wait
    settings = replace(settings, batch_size=settings.batch_size * place.size)
    return _train_here(settings, given, place)


class _Start:
    """A view that shows nothing, but knows whether training has begun."""

    begun = False

    def start(self):
        self.begun = True

    def is_due(self):
        return False

    def update(self, *shown):
        """A shell has no place for pictures; they are in the folder ``frames``."""


def _train_here(settings, given, place) -> int:
    model = build_dcgan(settings, place)
    count = len(sound_pictures(settings.data_dir, settings))
    steps = len(epoch_order(settings, count, 0)) // settings.batch_size
    total = steps * settings.epochs
    if place.rank == 0:
        print(settings_table(settings))
        print(f"{count:,} pictures: {steps:,} steps an epoch, {total:,} in all")
        print(f"results in {settings.run_dir}", flush=True)
    start = _Start()
    try:
        history = train(model, settings.data_dir, start, given.fresh)
    except CourseError as error:
        error.while_running = start.begun
        raise
    # A worker that was stopped has done what it was asked to.
    return 130 if len(history) < total and place.size == 1 else 0


def settings_of(given):
    """The preset, with what was given on the command line in its place.

    Raises CourseError where the data or the image size cannot be.
    """
    settings = PRESETS[given.preset]
    words = {name: getattr(given, name, None) for name in recipe(settings)}
    pairs = {
        "feature_maps": ("generator_maps", "discriminator_maps"),
        "learning_rate": ("generator_rate", "discriminator_rate"),
    }
    changes = {n: getattr(given, both) for both, pair in pairs.items() for n in pair}
    changes |= {name: word for name, word in words.items() if word is not None}
    changes = {name: word for name, word in changes.items() if word is not None}
    changes["out"] = str(Path(given.out).expanduser()) if given.out else ""
    data = given.data or settings.data
    if data == "folder" and not given.data:
        raise CourseError(
            f"--preset {given.preset} needs --data FOLDER, a folder of class folders: "
            "`dcgan faces --stand-in photos` makes one to try it with."
        )
    if data not in ("sample", "anime"):
        changes["pictures"] = str(_class_folders(Path(data).expanduser()))
        changes = {"face_count": 0, **changes, "data": "folder"}
    elif data == "sample" and not settings.face_count:
        changes = {"face_count": 4096, **changes, "data": data}
    settings = replace(settings, **{"data": data, **changes})
    try:
        layer_widths(1, settings.image_size)
    except ValueError:
        raise CourseError(
            f"--image-size {settings.image_size} cannot be: halved again and again it "
            "must come to 4, 5, 6 or 7, as 32, 64, 96 and 128 do."
        ) from None
    return settings


def _class_folders(data) -> Path:
    """The folder of class folders that --data names: itself, or ``train`` in it."""
    try:
        inside = list(data.iterdir())
    except OSError as error:
        what = {
            FileNotFoundError: "is not there",
            NotADirectoryError: "is a file, not a folder",
        }.get(type(error), f"cannot be read ({error.strerror})")
        raise CourseError(
            f"--data {data} {what}: name a folder of class folders, or make one to try "
            "with `dcgan faces --stand-in photos`."
        ) from None
    for folder in (data, data / "train"):
        if list_pictures(folder):
            return folder
    if any(path.suffix in EXTENSIONS for path in inside):
        raise CourseError(
            f"--data {data} holds pictures but no class folder: move them into a "
            f"folder inside, such as {data / 'all'}."
        )
    raise CourseError(
        f"--data {data} holds no .jpg or .png picture in a class folder: it should "
        f"look like {data / 'cats' / '1.jpg'} or {data / 'train' / 'cats' / '1.jpg'}."
    )


def _workers(given) -> int:
    """How many processes train: --workers, else the devices of a rank table, else 1."""
    if not given.rank_table:
        return 1 if given.workers is None else given.workers
    devices = read_rank_table(given.rank_table)
    print(
        f"{given.rank_table} lists {devices} devices. Nothing else in it is needed: "
        "MindSpore's scheduler hands out the ranks now, as with --workers."
    )
    return devices if given.workers is None else given.workers


def _without(words, names) -> list[str]:
    """A command line without some options, each of which takes one value."""
    kept, skip = [], False
    for word in words:
        if not skip and word.split("=")[0] not in names:
            kept.append(word)
        skip = word in names
    return kept


def _prepare(settings, given, workers):
    """Refuse bad input while nothing has been written; then get the pictures ready."""
    settings = replace(settings, batch_size=settings.batch_size * workers)
    out, root = settings.run_dir, settings.data_dir
    saved = list_checkpoints(out)
    if saved and not (given.resume or given.fresh):
        raise CourseError(
            f"{out} holds a training already, up to {saved[-1].stem}: say --resume to "
            "go on with it, --fresh to delete it and start anew, or name another --out."
        )
    if given.resume and not saved:
        raise CourseError(
            f"There is no checkpoint in {out} to go on from: leave out --resume."
        )
    # Several workers would say it after half a minute.
    if given.resume and workers > 1 and (newest := newest_checkpoint(out)):
        refuse_changes(newest, settings)
    if 0 < settings.face_count < settings.batch_size:
        raise CourseError(
            f"--face-count {settings.face_count} is less than one batch of "
            f"{settings.batch_size}: take more pictures or lower --batch-size."
        )
    if settings.pictures:
        sound_pictures(root, settings)
    with _writable(out):
        if not settings.pictures:
            get_faces(settings)
        elif left_out := leave_damaged_out(root, out):
            more = " …" if len(left_out) > 3 else ""
            print(
                f"{len(left_out):,} of the pictures cannot be read as JPEG or PNG and "
                f"will be left out: {', '.join(left_out[:3])}{more}"
            )
        sound_pictures(root, settings)


@contextlib.contextmanager
def _writable(folder, option="--out"):
    """Make sure that a folder can be written; leave none behind if the rest fails."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise CourseError(
            f"Nothing can be written to {folder} ({error.strerror}): make room or make "
            f"it writable, or name another folder with {option}."
        ) from None
    try:
        yield
    except BaseException:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


def _load(given):
    """The generator of --checkpoint, and its settings."""
    path = Path(given.checkpoint).expanduser()
    if not path.exists():
        raise CourseError(
            f"There is no checkpoint {path}: name a .ckpt file, or the --out folder of "
            "`dcgan train`."
        )
    choose_device()
    try:
        saved = newest_checkpoint(path) if path.is_dir() else read_checkpoint(path)
    except DamagedCheckpoint:
        saved = None
    if saved is None:
        what = "holds no checkpoint" if path.is_dir() else "is no whole checkpoint"
        raise CourseError(
            f"{path} {what} of `dcgan train` or of lesson 03: name a step-….ckpt file "
            "that one of them has written, or its folder."
        )
    return load_generator(saved), saved["settings"]


def generate_command(given) -> int:
    """Write generate.png, a grid of pictures of noise that follows from the seed."""
    generator, settings = _load(given)
    if given.seed is not None:
        settings = replace(settings, seed=given.seed)
    folder = Path(given.out).expanduser()
    with _writable(folder):
        pictures = generate(generator, fixed_noise(settings, given.count))
        columns = given.columns or math.ceil(given.count**0.5)
        save_picture(make_grid(pictures, columns), folder / "generate.png")
    size = settings.image_size
    print(f"{folder / 'generate.png'}: {given.count:,} pictures of {size} × {size}")
    return 0


def export(given) -> int:
    """Write generator.mindir, .onnx or .air, and compare what it draws."""
    from ..training.saved import export_generator  # onnxruntime is not light

    generator, settings = _load(given)
    beside = Path(given.checkpoint).expanduser()
    beside = beside if beside.is_dir() else beside.parent
    folder = Path(given.out).expanduser() if given.out else beside
    with _writable(folder):
        path, difference = export_generator(
            generator, settings.latent_size, folder, given.format
        )
    print(f"{path}, {path.stat().st_size / 1e6:.1f} MB")
    if difference is not None:
        print(f"loaded back: its pictures differ by at most {difference:.1g}")
    return 0
