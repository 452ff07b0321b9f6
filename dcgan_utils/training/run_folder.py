"""The folder of a training: its lock, its checkpoints, frames and ladder."""

import os
from contextlib import contextmanager

from .. import CourseError
from ..files import delete_partial_files, lock_file
from ..show.grids import make_grid, save_picture
from .checkpoint import list_checkpoints, newest_checkpoint, save_checkpoint
from .settings_file import NAME, options_of, write_options

RUNGS = 1, 3, 10, 30, 100  # after these epochs a generator is kept, for comparing


class RunFolder:
    """The folder of one training, and what it keeps there for going on and to show.

    ``step-NNNNNNN.ckpt`` are the newest checkpoints, ``frames/epoch-*.png`` what fixed
    noise gave after each epoch, ``ladder/step-NNNNNNN.ckpt`` the averaged generator
    after the epochs in RUNGS, ``settings.toml`` what it is trained with. Whatever else
    lies there is never touched.
    """

    def __init__(self, path):
        self.path = path
        self.frames, self.ladder = path / "frames", path / "ladder"

    @contextmanager
    def locked(self):
        """Hold the folder for this process, and delete what a killed one half wrote.

        It is free again afterwards, and when the process ends in whatever way. Raises
        CourseError where another one holds it, and where it cannot be written.
        """
        path = self.path / "training.pid"
        with self.explain_write_errors():
            self.path.mkdir(parents=True, exist_ok=True)
            file = lock_file(path)
        if file is None:
            raise CourseError(
                f"Process {path.read_text(errors='replace')} is training into "
                f"{self.path}: end it first (a notebook: shut its kernel down), or set "
                "DCGAN_BUILD_DIR (in a shell: --out) to another folder."
            )
        with file:
            with self.explain_write_errors():
                file.truncate(0)
                file.write(b"%d" % os.getpid())
            for folder in (self.path, self.frames, self.ladder):
                delete_partial_files(folder)
            yield

    def delete_training(self):
        """Delete what a training has left here, and nothing else."""
        with self.explain_write_errors():
            for path in (
                *list_checkpoints(self.path),
                *list_checkpoints(self.ladder),
                *self.frames.glob("epoch-*.png"),
                self.path / NAME,
            ):
                path.unlink(missing_ok=True)

    def save_settings(self, settings, workers):
        """Write settings.toml, which another run and --resume can read."""
        with self.explain_write_errors():
            write_options(self.path, options_of(settings, workers))

    def newest(self) -> dict | None:
        """What read_checkpoint gives of the newest whole checkpoint; None without."""
        return newest_checkpoint(self.path)

    def save(self, state):
        """Write a checkpoint of a TrainingState."""
        state.recalibrate()
        self._write(state)

    def save_epoch(self, epoch, state):
        """Keep the picture that the fixed noise gives after an epoch, and save."""
        state.recalibrate()
        with self.explain_write_errors():
            self.frames.mkdir(parents=True, exist_ok=True)
            path = self.frames / f"epoch-{epoch:04d}.png"
            save_picture(make_grid(state.draw()), path)
        if epoch in RUNGS:
            average = state.model.average.get_parameters()
            save_checkpoint(self.ladder, average, *_notes(state), keep=None)
        # Last, so that an epoch whose checkpoint stands has its picture, too.
        self._write(state)

    def _write(self, state):
        save_checkpoint(self.path, state.model.parameters, *_notes(state))

    @contextmanager
    def explain_write_errors(self):
        """Turn an error of the system's into a sentence on what a student can do."""
        try:
            yield
        except OSError as error:
            raise CourseError(
                f"Nothing can be written to {self.path} ({error.strerror}): make room "
                "or make it writable, or set DCGAN_BUILD_DIR (in a shell: --out) to "
                "another folder."
            ) from None


def _notes(state):
    """What save_checkpoint takes after the parameters."""
    pictures = state.pictures
    return state.history, state.settings, len(pictures), pictures.fingerprint()
