"""What the commands of ``dcgan`` do; the words they take stand in parser.py.

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
from ..pictures.folder import load_pictures
from ..pictures.get import get_faces, refuse_results_among_pictures
from ..pictures.sample import draw_sample_faces, make_stand_in
from ..settings import load_settings, settings_table
from ..show.grids import make_grid, save_picture, to_pixels
from ..taught.results import generate
from ..taught.training import train
from ..training.checkpoint import (
    KEEP,
    DamagedCheckpoint,
    list_checkpoints,
    newest_checkpoint,
    read_checkpoint,
    refuse_changes,
)
from ..training.launcher import check_job, in_job, launch
from ..training.model import build_dcgan
from ..training.noise import fixed_noise
from ..training.run import TrainingRun
from ..training.sampling import load_generator
from ..training.settings_file import options_of, words_of
from ..training.workers import ALONE, join_job, mean_over_workers
from .typed import find_training, settings_of, workers_of

PICTURES = "DCGAN_PICTURES"  # in a worker's environment: the index it loads
STAND_IN = 512  # sample faces: enough for a few steps of the largest preset


def faces(args) -> int:
    """Draw or download the pictures of the course, or make the stand-in."""
    if not args.stand_in:
        changes = {"face_count": args.count} if args.count else {}
        few = {"batch_size": 1}  # no training yet, so a single face is enough
        get_faces(load_settings(data=args.data, **few, **changes))
        return 0
    if args.data == "anime":
        raise CourseError("--stand-in is made of sample faces: leave out --data anime.")
    root, count = Path(args.stand_in).expanduser(), args.count or STAND_IN
    with _writable(root, "--stand-in"), tempfile.TemporaryDirectory() as folder:
        drawn = draw_sample_faces(Path(folder) / "sample", count)
        classes = make_stand_in(drawn, root)
    print(
        f"{count:,} pictures in {len(os.listdir(classes))} class folders of {classes}"
    )
    return 0


def train_command(args) -> int:
    """Train alone, as a worker of a job, or start a job of several workers."""
    find_device()  # refuses one that is not there
    saved = find_training(args)
    if in_job():
        choose_device()
        place = join_job()
        settings = settings_of(args, saved, place.size)
        pictures = _pictures_of_worker(settings, args, saved, place)
        return _train_here(settings, args, pictures, place)
    workers = workers_of(args)
    if workers != 1 or args.port:
        check_job(workers, args.port, rank_table=args.workers is None)
    settings = settings_of(args, saved, workers)
    pictures = _prepare(settings, args, saved)
    if workers > 1:
        os.environ[PICTURES] = str(pictures.index)
        words = words_of(options_of(settings, workers, args.keep or KEEP))
        words += [f"--out={settings.run_dir}", *(["--fresh"] if args.fresh else [])]
        command = ["-m", "dcgan_utils", "train", *words]
        return launch(command, workers, args.port, settings.run_dir / "logs")
    choose_device()
    return _train_here(settings, args, pictures)


def _pictures_of_worker(settings, args, saved, place):
    if PICTURES in os.environ:
        return load_pictures(os.environ[PICTURES])
    # msrun was called by hand: worker 0 looks first, the others wait.
    pictures = _prepare(settings, args, saved) if place.rank == 0 else None
    mean_over_workers([0], place)
    return pictures or get_faces(settings)


def _train_here(settings, args, pictures, place=ALONE) -> int:
    model = build_dcgan(settings, place)
    options = {"fresh": args.fresh, "warns": True, "keep": args.keep or KEEP}
    run = TrainingRun(model, pictures, **options)
    count, steps, total = len(run.pictures), run.steps_per_epoch, run.total_steps
    if place.rank == 0:
        print(settings_table(settings))
        print(f"{count:,} pictures: {steps:,} steps an epoch, {total:,} in all")
        print(f"results in {settings.run_dir}", flush=True)
    try:
        train(model, run)
    except CourseError as error:
        error.while_running = run.begun
        raise
    # A worker that was stopped has done what it was asked to.
    return 130 if run.step < total and place.size == 1 else 0


def _prepare(settings, args, saved):
    """Refuse bad input while nothing has been written; then get the pictures."""
    out = settings.run_dir
    refuse_results_among_pictures(settings)
    there = list_checkpoints(out)
    if there and not (args.resume or args.resume_or_start or args.fresh):
        raise CourseError(
            f"{out} holds a training already, up to {there[-1].stem}: say --resume or "
            "--resume-or-start to go on with it, --fresh to delete it and start anew, "
            "or name another --out."
        )
    if args.resume and not saved:
        raise CourseError(
            f"There is no whole checkpoint in {out} to go on from: leave out --resume, "
            "or say --resume-or-start, which starts then."
        )
    if saved:
        refuse_changes(saved, settings)
    if 0 < settings.face_count < settings.batch_size:
        raise CourseError(
            f"--face-count {settings.face_count} is less than one batch of "
            f"{settings.batch_size}: take more pictures or lower --batch-size."
        )
    with _writable(out):
        return get_faces(settings)


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


def _load(args):
    """The generator of --checkpoint, and its settings."""
    path = Path(args.checkpoint).expanduser()
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


def generate_command(args) -> int:
    """Write pictures of noise that follows from the seed: one grid, or single ones."""
    generator, settings = _load(args)
    if args.seed is not None:
        settings = replace(settings, seed=args.seed)
    folder = Path(args.out).expanduser()
    with _writable(folder):
        pictures = generate(generator, fixed_noise(settings, args.count))
        if args.single:
            files = folder / "picture-00001.png …"
            for number, pixels in enumerate(to_pixels(pictures), 1):
                save_picture(pixels, folder / f"picture-{number:05d}.png")
        else:
            files = folder / "generate.png"
            columns = args.columns or math.ceil(args.count**0.5)
            save_picture(make_grid(pictures, columns), files)
    size = settings.image_size
    print(f"{files}: {args.count:,} pictures of {size} × {size}")
    return 0


def export(args) -> int:
    """Write generator.mindir, .onnx or .air, and compare what it draws."""
    from ..training.saved import export_generator  # onnxruntime is not light

    generator, settings = _load(args)
    beside = Path(args.checkpoint).expanduser()
    beside = beside if beside.is_dir() else beside.parent
    folder = Path(args.out).expanduser() if args.out else beside
    with _writable(folder):
        path, difference = export_generator(
            generator, settings.latent_size, folder, args.format
        )
    print(f"{path}, {path.stat().st_size / 1e6:.1f} MB")
    if difference is not None:
        print(f"loaded back: its pictures differ by at most {difference:.1g}")
    return 0
