"""What surrounds the training loop: its batches, where it stands, what it keeps."""

import time
from contextlib import ExitStack, suppress

import numpy as np

from .. import CourseError
from ..pictures.get import need_a_batch
from ..progress import progress_bar
from ..taught.data import create_dataset
from ..taught.distributed import share
from .checkpoint import KEEP
from .noise import epoch_order, step_noise, steps_per_epoch
from .run_folder import RunFolder
from .state import TrainingState, agree_on_pictures
from .stop import StopSignals
from .workers import mean_over_workers


class TrainingRun:
    """What surrounds a training loop: its batches, where it stands, what it keeps.

    The loop is ``train`` in taught/training.py::

        with run:
            for epoch in run.epochs():
                for real in run.batches(epoch):
                    run.record(*train_step(real, run.noise()))
                run.end_epoch(epoch)

    Entered, a run goes on from the newest checkpoint in ``settings.run_dir``, or with
    ``fresh=True`` deletes that training and starts anew from the seed. It saves at the
    end of every epoch, every five minutes and on an interrupt; keeps the picture that
    the fixed noise gives after each epoch; and stops at a loss that is not finite.
    keep: how many checkpoints stay, the newest. warns: whether to print what the
    detectors of lesson 07 say after an epoch; history.jsonl has it in any case.
    CourseError is raised where the checkpoint was made with other settings, and where
    another process is training into the same folder.

    Several workers of a job each take their share of every batch. Worker 0 alone reads
    and writes the folder; at the start the others take over all that it has. Batch
    norm's moving statistics are each worker's own; those of worker 0 are saved.
    """

    save_seconds = 300

    def __init__(self, model, pictures, view=None, fresh=False, warns=False, keep=KEEP):
        self.model, self.settings, self.place = model, model.settings, model.place
        self.view, self.fresh = view, fresh
        self.warned = [] if warns else None  # what was said after the last epoch
        self.pictures = agree_on_pictures(pictures, self.place)
        need_a_batch(self.pictures, self.settings.batch_size)
        self.state = TrainingState(model, self.pictures)
        self.folder = RunFolder(self.settings.run_dir, keep)
        self.signals = StopSignals(in_job=self.place.size > 1)
        self.steps_per_epoch = steps_per_epoch(self.settings, len(self.pictures))
        self.total_steps = self.steps_per_epoch * self.settings.epochs
        self.begun = False  # whether it was entered, and nothing was in the way

    @property
    def step(self) -> int:
        """How many steps have been trained."""
        return self.state.step

    @property
    def history(self) -> np.ndarray:
        """The losses of D and G, [steps, 2] float32."""
        return self.state.history

    @property
    def stops(self) -> bool:
        """Whether an interrupt ends the loop: alone at once, else when all know it."""
        return self.all_stop or (self.place.size == 1 and self.signals.asked)

    @property
    def writes(self) -> bool:
        """Whether this process writes files: alone, or as worker 0."""
        return self.place.rank == 0

    def epochs(self):
        """The numbers of the epochs that are left, counted from 0."""
        for epoch in range(self.step // self.steps_per_epoch, self.settings.epochs):
            if self.stops:
                return
            now = f"epoch {epoch + 1}/{self.settings.epochs}  "
            self.bar.set_description_str(now, refresh=False)
            yield epoch

    def batches(self, epoch):
        """What is left of an epoch, as batches [batch_size, 3, S, S] in [-1, 1].

        With several workers: this one's share of each batch.
        """
        order = epoch_order(self.settings, len(self.pictures), epoch)
        batches = np.reshape(order, (self.steps_per_epoch, -1))
        left = batches[self.step - epoch * self.steps_per_epoch :]
        mine = [share(batch, self.place) for batch in left]
        size = self.settings.batch_size // self.place.size
        for real in create_dataset(self.pictures, size, np.ravel(mine)):
            if self.stops:
                return
            yield real

    def noise(self):
        """The noise [batch_size, latent_size, 1, 1] of the next step.

        With several workers: this one's share of it.
        """
        return share(step_noise(self.settings, self.step), self.place)

    def record(self, loss_d, loss_g):
        """Note the losses of one step; save and show from time to time.

        They are the mean over the workers, who agree here, too, whether to stop.
        """
        here = loss_d.asnumpy(), loss_g.asnumpy(), self.signals.asked
        *losses, asked = mean_over_workers(here, self.place)
        self.all_stop = asked > 0
        if not np.isfinite(losses).all():
            raise CourseError(
                f"Training stopped at step {self.step + 1}: loss D {losses[0]}, loss G "
                f"{losses[1]}. Lower the learning rates and start anew with "
                "fresh=True (in a shell: --fresh). What was saved before is kept in "
                f"{self.folder.path}."
            )
        self.state.losses.append(losses)
        if self.writes:
            seconds = time.monotonic() - self.recorded_at
            speed = self.settings.batch_size / max(seconds, 1e-9)
            self.folder.history.add(self.step, losses, speed)
        self.bar.update()
        self.bar.set_postfix_str("D {:.2f}  G {:.2f}".format(*losses), refresh=False)
        # Not at the end of an epoch: its picture comes first, and end_epoch saves.
        between = self.step % self.steps_per_epoch
        if between and time.monotonic() - self.saved_at > self.save_seconds:
            self.save()
        elif between and self.writes and self.folder.history.is_due():
            self.folder.write_history()
        if self.view and self.view.is_due():
            self._show()
        self.recorded_at = time.monotonic()

    def end_epoch(self, epoch):
        """Keep the picture of the fixed noise and save, if the epoch is over."""
        over = self.step == (epoch + 1) * self.steps_per_epoch  # not interrupted
        if over and self.writes:
            warnings = self.folder.save_epoch(epoch + 1, self.state)
            self.saved_at = self.recorded_at = time.monotonic()
            if self.warned is not None:
                self._warn(epoch, warnings)

    def _warn(self, epoch, warnings):
        """Print what the detectors did not say already after the epoch before."""
        named = {warning.partition(":")[0]: warning for warning in warnings}
        for failure, warning in named.items():
            if failure not in self.warned:
                self.bar.write(f"WARNING after epoch {epoch + 1}: {warning}")
        self.warned = list(named)

    def save(self):
        """Write a checkpoint of this moment."""
        if self.writes:
            self.folder.save(self.state)
            self.saved_at = time.monotonic()

    def __enter__(self):
        with ExitStack() as undo:  # also where something is in the way
            if self.writes:
                undo.enter_context(self.folder.locked())
            self._find_start()
            if self.writes:
                self.folder.begin(self.state, self.place.size, self.steps_per_epoch)
            self.all_stop = False  # whether every worker has heard of an interrupt
            if self.view:
                self.view.start()
            undo.enter_context(self.signals)
            total = max(self.total_steps, self.step)  # fewer epochs than were trained
            bar = progress_bar(total, "step", initial=self.step)
            self.bar = undo.enter_context(bar)
            self.model.generator.set_train()
            self.model.discriminator.set_train()
            self.saved_at = self.recorded_at = time.monotonic()
            self.begun = True
            self._undo = undo.pop_all()
        return self

    def __exit__(self, kind, error, trace):
        with self._undo:
            if kind is None:
                self._finish()
            elif self.writes:
                with suppress(CourseError):  # what went wrong is told already
                    self.folder.write_history()

    def _find_start(self):
        self.state.losses = []
        if self.fresh:
            if self.writes:
                self.folder.delete_training()
            self.state.reset()
            self.fresh = False  # entered again, it goes on
        elif self.writes and (saved := self.folder.newest()):
            self.state.load(saved)
            step, total = self.step, self.total_steps
            print(
                f"Going on from step {step:,} of {total:,}."
                if step < total
                else f"All {step:,} steps are done.",
                "To start anew: fresh=True (in a shell: --fresh).",
            )
        elif self.writes and self.state.is_used:
            self.state.reset()  # trained here before, but nothing of it was saved
        if self.place.size > 1:
            self.state.take_over()

    def _finish(self):
        stopped = self.step < self.total_steps
        if stopped and self.step:
            self.save()  # before anything is printed: the terminal may be gone
        mean_over_workers([0], self.place)  # nobody leaves before worker 0 has saved
        self.bar.close()
        if stopped and self.step:
            print(
                f"Stopped after step {self.step:,} of {self.total_steps:,}, all saved. "
                "Run the cell again (in a shell: with --resume) to go on."
            )
        elif stopped:
            print(
                "Stopped before the first step; nothing to save. Run the cell again "
                "(in a shell: the same command) to start."
            )
        if self.view and self.step:
            self._show()

    def _show(self):
        self.state.recalibrate(128)  # quicker, and close enough to look at
        self.view.update(self.history, self.steps_per_epoch, self.state.draw(24))
