"""A finished training: find it, and take its generator out of the course."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mindspore as ms
import numpy as np

from .. import CourseError
from ..settings import course_root
from ..taught.export import (
    draw_with_mindir,
    draw_with_onnx,
    export_mindir,
    export_onnx,
    working_in,
)
from ..taught.results import generate
from .checkpoint import list_checkpoints, newest_checkpoint, read_checkpoint


@dataclass(frozen=True)
class FinishedRun:
    """A training run to look at: its newest checkpoint and the folder of its frames.

    ladder: checkpoints of the averaged generator after 1, 3, 10, … epochs (RUNGS) and,
    last, the newest one.
    """

    checkpoint: dict
    frames: Path
    ladder: list[dict]


def find_run(settings) -> FinishedRun:
    """The newest training of these settings, else the one in the course's weights/.

    Says which it is. Raises CourseError where there is neither.
    """
    for folder in (settings.run_dir, course_root() / "weights" / "class-sample"):
        saved = newest_checkpoint(folder)
        if saved is None or not list((folder / "frames").glob("epoch-*")):
            continue
        if folder == settings.run_dir:
            print(f"This is your own training: {len(saved['history']):,} steps.")
        else:
            own, sample = settings.data == "folder", settings.data == "sample"
            data = "your pictures" if own else f"{settings.data} faces"
            print(
                f"No epoch was trained here yet in the {settings.profile} profile on "
                f"{data}. These are the course's own weights, "
                f"{len(saved['history']):,} steps on sample faces."
                f"{'' if sample else f' They have never seen {data}.'} For yours, run "
                "lesson 03."
            )
        steps = len(saved["history"])
        rungs = map(read_checkpoint, list_checkpoints(folder / "ladder"))
        ladder = [rung for rung in rungs if len(rung["history"]) < steps]
        return FinishedRun(saved, folder / "frames", [*ladder, saved])
    raise CourseError(f"There is no training in {settings.run_dir}: run lesson 03.")


def export_generator(generator, latent_size, folder, file_format):
    """Write ``folder/generator.mindir`` (or .onnx, .air); returns its path and more.

    file_format: MINDIR, ONNX or AIR. Second comes the largest difference between the
    pictures of the file, loaded back, and the generator's own (None for AIR, which
    cannot be loaded back). Raises CourseError for AIR without an Ascend, and where the
    file does not draw the same pictures; then none is left.
    """
    if file_format == "AIR" and ms.get_context("device_target") != "Ascend":
        raise CourseError(
            "AIR can be written only where there is an Ascend NPU, and MindSpore is "
            "giving it up: take MINDIR, which an Ascend reads, too, or ONNX."
        )
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((8, latent_size, 1, 1), np.float32)
    folder = Path(folder)
    name = f"generator.{file_format.lower()}"
    with tempfile.TemporaryDirectory(dir=folder) as making:
        part, difference = Path(making) / name, None
        if file_format == "AIR":
            with working_in(making):
                ms.export(
                    generator, ms.Tensor(noise), file_name=name, file_format="AIR"
                )
        else:
            write, draw = {
                "MINDIR": (export_mindir, draw_with_mindir),
                "ONNX": (export_onnx, draw_with_onnx),
            }[file_format]
            write(generator, latent_size, part)
            own = generate(generator, ms.Tensor(noise))
            difference = float(np.abs(draw(part, noise) - own).max())
            if not difference < 0.01:  # an NPU may convolve in half precision
                error = CourseError(
                    f"The {file_format} file draws other pictures (they differ by "
                    f"{difference:.1g}), so it was not kept."
                )
                error.while_running = True  # nothing is wrong with what was asked for
                raise error
        os.chmod(part, 0o644)
        os.replace(part, folder / name)
    return folder / name, difference
