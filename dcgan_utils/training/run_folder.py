"""The folder of a training: its lock, its checkpoints, frames and ladder."""

import os
from contextlib import contextmanager

from .. import CourseError
from ..files import delete_partial_files, lock_file
from ..show.grids import make_grid, save_picture
from .checkpoint import KEEP, list_checkpoints, newest_checkpoint, save_checkpoint
from .history_file import HistoryFile
from .settings_file import NAME, options_of, write_options

RUNGS = 1, 3, 10, 30, 100  # after these epochs a generator is kept, for comparing


class RunFolder:
    """The folder of one training, and what it keeps there for going on and to show.

    ``step-NNNNNNN.ckpt`` are the newest checkpoints, so many as ``keep``;
    ``frames/epoch-*.png`` what fixed noise gave after each epoch;
    ``ladder/step-NNNNNNN.ckpt`` the averaged generator after the epochs in RUNGS;
    ``settings.toml`` what it is trained with; ``history.jsonl`` the losses. Whatever
    else lies there is never touched.
    """

    def __init__(self, path, keep=KEEP):
        self.path, self.keep = path, keep
        self.frames, self.ladder = path / "frames", path / "ladder"
        self.history = HistoryFile(path / "history.jsonl")

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
                self.history.path,
            ):
                path.unlink(missing_ok=True)

    def begin(self, state, workers, steps_per_epoch):
        """Write what is known before the next step: settings.toml, history.jsonl."""
        with self.explain_write_errors():
            write_options(self.path, options_of(state.settings, workers, self.keep))
            self.history.start(state.history, steps_per_epoch)

    def write_history(self):
        """Write what waits to be written to history.jsonl."""
        with self.explain_write_errors():
            self.history.write()

    def newest(self) -> dict | None:
        """What read_checkpoint gives of the newest whole checkpoint; None without."""
        return newest_checkpoint(self.path)

    def save(self, state):
        """Write a checkpoint of a TrainingState."""
        state.recalibrate()
        self._write(state)

    def save_epoch(self, epoch, state) -> list[str]:
        """Keep the picture that the fixed noise gives after an epoch, and save.

        Returns what the detectors of lesson 07 say of it.
        """
        state.recalibrate()
        made = state.draw()
        warnings = state.judge(made)
        self.history.add_warnings(warnings)
        with self.explain_write_errors():
            self.frames.mkdir(parents=True, exist_ok=True)
            path = self.frames / f"epoch-{epoch:04d}.png"
            save_picture(make_grid(made), path)
        if epoch in RUNGS:
            average = state.model.average.get_parameters()
            save_checkpoint(self.ladder, average, *_notes(state), keep=None)
        # Last, so that an epoch whose checkpoint stands has its picture, too.
        self._write(state)
        return warnings

    def _write(self, state):
        self.write_history()  # first, so that it lacks no step of a checkpoint
        parameters = state.model.parameters
        save_checkpoint(self.path, parameters, *_notes(state), keep=self.keep)

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
