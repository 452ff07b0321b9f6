"""The plumbing around the training loop: where it stands, what it saves and shows."""

import io
import os
import signal
import threading
import time
import zlib
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import ops

from .. import CourseError
from ..pictures.decoded import decode_once, list_pictures, sound_pictures, to_range
from ..progress import progress_bar
from ..settings import recipe
from ..show.grids import make_grid, save_picture
from ..taught.data import create_dataset
from ..taught.distributed import share
from ..taught.results import generate
from ..taught.training import make_average_step, make_train_step
from .checkpoint import hold, newest_checkpoint, restore, save_checkpoint, sweep
from .job import STOP
from .model import build_dcgan
from .randomness import CALIBRATE, epoch_order, fixed_noise, normal_noise, step_noise
from .sampling import recalibrate_batch_norm
from .workers import gather, mean_over_workers, take_from_first

# What a new start deletes: never more, for the folder may hold other things.
OWN_FILES = "step-*.ckpt", "ladder/step-*.ckpt", "frames/epoch-*.png"


RUNGS = 1, 3, 10, 30, 100  # after these epochs a generator is kept, for comparing


def sum_of_pictures(root) -> str:
    """Eight digits that follow from the names and sizes of root's pictures."""
    total = 0
    for path in list_pictures(root):
        with suppress(OSError):  # a link that leads nowhere
            seen = f"{path.relative_to(root).as_posix()} {path.stat().st_size}\n"
            total = zlib.crc32(seen.encode(errors="surrogateescape"), total)
    return f"{total:08x}"


def refuse_changes(saved, settings, now=None, then=None):
    """Raise CourseError where a checkpoint was made with settings other than these.

    now, then: what else must be the same, by name: as it is, and as it was.
    """
    now = {**recipe(settings), **(now or {})}
    then = {**recipe(saved["settings"]), **(then or {})}
    changed = [
        f"{name} was {then[name]} and is {now[name]}"
        for name in now
        if now[name] != then[name] and name != "epochs"
    ]
    if changed:
        raise CourseError(
            f"The training in {settings.run_dir} cannot go on, because the settings "
            f"have changed: {'; '.join(changed)}. Set them back, or start anew with "
            "fresh=True."
        )


class TrainingRun:
    """The plumbing around a training loop: where it stands, what it saves and shows.

    Use it as a context::

        with TrainingRun(model, faces) as run:
            for epoch in run.epochs():
                for real in run.batches(epoch):
                    z = run.share(step_noise(settings, run.step))
                    run.record(*train_step(real, z))
                run.end_epoch(epoch)

    It goes on from the newest checkpoint in ``settings.run_dir``; saves at the end of
    every epoch, every five minutes and on an interrupt; keeps the picture that the
    fixed noise gives after each epoch; and stops at a loss that is not finite.
    ``fresh=True`` deletes it all and starts anew from the seed. Raises CourseError
    where the checkpoint was made with other settings, and where another process is
    training into the same folder.

    Several workers of a job each take their share of every batch. Worker 0 alone reads
    and writes the folder; at the start the others take over all that it has. Batch
    norm's moving statistics are each worker's own; those of worker 0 are saved.
    """

    save_seconds = 300

    def __init__(self, model, faces, view=None, fresh=False):
        self.model, self.faces, self.view = model, Path(faces), view
        self.settings = s = model.settings
        self.place = model.place
        self.folder = s.run_dir
        with suppress(OSError):  # no folder yet, or one that is read-only
            self._hold_folder().close()
        if fresh:
            with self._told():
                for part in OWN_FILES if self.writes else ():
                    for path in self.folder.glob(part):
                        path.unlink()
            start = {p.name: p for p in build_dcgan(s).parameters}
            restore(start, model.parameters)
        self.numbers = sound_pictures(faces, s)
        self.picture_count = len(self.numbers)
        self.pictures_sum = sum_of_pictures(faces)
        order = epoch_order(s, self.picture_count, 0)
        self.steps_per_epoch = len(order) // s.batch_size
        self.total_steps = self.steps_per_epoch * s.epochs
        self.losses = []
        self.decoded = None  # or all pictures, from decode_once
        self.noise = fixed_noise(s)
        self.calibration_noise = normal_noise(s, 512, CALIBRATE, 0)
        self.asked = self.stop = False
        if self.writes:
            self._resume()
        if self.place.size > 1:
            self._start_equal()

    @property
    def writes(self) -> bool:
        """Whether this process writes files: alone, or as worker 0."""
        return self.place.rank == 0

    @property
    def step(self) -> int:
        """How many steps have been trained."""
        return len(self.losses)

    @property
    def history(self) -> np.ndarray:
        """The losses of D and G, [steps, 2] float32."""
        return np.asarray(self.losses, np.float32).reshape(-1, 2)

    def epochs(self):
        """The numbers of the epochs that are left, counted from 0."""
        for epoch in range(self.step // self.steps_per_epoch, self.settings.epochs):
            now = f"epoch {epoch + 1}/{self.settings.epochs}  "
            self.bar.set_description_str(now, refresh=False)
            yield epoch
            if self.stop:
                return

    def batches(self, epoch):
        """What is left of an epoch, as batches [batch_size, 3, S, S] in [-1, 1].

        With several workers: this one's share of each batch.
        """
        s = self.settings
        done = self.step - epoch * self.steps_per_epoch
        order = epoch_order(s, self.picture_count, epoch)[done * s.batch_size :]
        batches = np.reshape(order, (-1, s.batch_size))
        mine = np.array([self.share(batch) for batch in batches])
        with self._readable():
            for real in self._read(mine):
                yield real
                if self.stop:
                    return

    def _read(self, batches):
        if self.decoded is not None:
            for numbers in batches:
                yield ms.Tensor(to_range(self.decoded[numbers]))
            return
        dataset = create_dataset(
            self.faces,
            self.settings.image_size,
            batches.shape[1],
            self.numbers[batches.ravel()].tolist(),
        )
        for (real,) in dataset.create_tuple_iterator(num_epochs=1):
            yield real

    def share(self, batch):
        """This worker's part of a whole batch; all of it, if there is but one."""
        return share(batch, self.place)

    def record(self, loss_d, loss_g):
        """Note the losses of one step; save and show from time to time.

        They are the mean over the workers, who agree here, too, whether to stop.
        """
        here = (loss_d.asnumpy(), loss_g.asnumpy(), self.asked)
        *pair, asked = mean_over_workers(here, self.place)
        self.stop = asked > 0
        if not np.isfinite(pair).all():
            raise CourseError(
                f"Training stopped at step {self.step + 1}: loss D {pair[0]}, loss G "
                f"{pair[1]}. Lower the learning rates and start anew with fresh=True. "
                f"What was saved before is kept in {self.folder}."
            )
        self.losses.append(tuple(pair))
        self.bar.update()
        self.bar.set_postfix_str(f"D {pair[0]:.2f}  G {pair[1]:.2f}", refresh=False)
        # Not at the end of an epoch: its picture comes first, and end_epoch saves.
        between = self.step % self.steps_per_epoch
        if between and time.monotonic() - self.saved_at > self.save_seconds:
            self.save()
        if self.view and self.view.is_due():
            self._show()

    def end_epoch(self, epoch):
        """Keep the picture of the fixed noise and save, if the epoch is over."""
        if self.step < (epoch + 1) * self.steps_per_epoch:
            return  # interrupted on the way
        if not self.writes:
            return
        s = self.settings
        frames = self.folder / "frames"
        recalibrate_batch_norm(self.model.average, self.calibration_noise)
        grid = make_grid(generate(self.model.average, self.noise))
        with self._told():
            frames.mkdir(parents=True, exist_ok=True)
            save_picture(grid, frames / f"epoch-{epoch + 1:04d}.png")
        if epoch + 1 in RUNGS:
            save_checkpoint(
                self.folder / "ladder",
                self.model.average.get_parameters(),
                self.history,
                s,
                self.picture_count,
                keep=None,
            )
        # Last, so that an epoch whose checkpoint stands has its picture, too.
        self.save()

    def save(self):
        """Write a checkpoint of this moment."""
        if not self.writes:
            return
        recalibrate_batch_norm(self.model.average, self.calibration_noise)
        save_checkpoint(
            self.folder,
            self.model.parameters,
            self.history,
            self.settings,
            self.picture_count,
            pictures_sum=self.pictures_sum,
        )
        self.saved_at = time.monotonic()

    def __enter__(self):
        with ExitStack() as undo:  # also where decoding is interrupted
            with self._told():
                if self.writes:
                    self.folder.mkdir(parents=True, exist_ok=True)
                held = undo.enter_context(self._hold_folder())
                held.truncate(0)
                held.write(b"%d" % os.getpid())
            if self.writes:
                for folder in (self.folder, self.folder / "ladder"):
                    sweep(folder)
            if self.place.size == 1:
                size = self.settings.image_size
                with self._readable():
                    self.decoded = decode_once(
                        self.faces, size, self.folder, self.numbers
                    )
            if self.view:
                self.view.start()
            self._undo = undo.pop_all()
        self.saved_at = time.monotonic()
        self.model.generator.set_train()
        self.model.discriminator.set_train()
        self.bar = progress_bar(self.total_steps, "step", initial=self.step)
        if threading.current_thread() is threading.main_thread():
            # Each jitted call puts MindSpore's own handler in place of SIGINT's, and
            # that one ends the process with SIGTERM. So both are caught.
            alone = self.place.size == 1
            asking = (signal.SIGINT, signal.SIGTERM) if alone else (STOP,)
            self._old_handlers = {
                number: signal.signal(number, self._on_interrupt) for number in asking
            }
        return self

    def __exit__(self, kind, error, trace):
        try:
            self.bar.close()
            if kind is None and 0 < self.step < self.total_steps:
                self.save()
                print(
                    f"Stopped after step {self.step:,} of {self.total_steps:,}, all "
                    "saved. Run the cell again (in a shell: with --resume) to go on."
                )
            if kind is None:  # nobody leaves before worker 0 has saved
                mean_over_workers([0], self.place)
            if kind is None and self.view and self.losses:
                self._show()
        finally:
            self._undo.close()
            if threading.current_thread() is threading.main_thread():
                for number, handler in self._old_handlers.items():
                    signal.signal(number, handler)

    def _hold_folder(self):
        """A file that no second process can hold until this one closes it or ends."""
        if not self.writes:
            return io.BytesIO()
        held = hold(self.folder / "training.pid")
        if held is None:
            owner = (self.folder / "training.pid").read_text(errors="replace")
            raise CourseError(
                f"Another kernel (process {owner}) is training into {self.folder}: "
                "shut it down first, or set DCGAN_BUILD_DIR to another folder."
            )
        return held

    @contextmanager
    def _told(self):
        """In place of an error of the system's, what a student can do about it."""
        try:
            yield
        except OSError as error:
            raise CourseError(
                f"Nothing can be written to {self.folder} ({error.strerror}): make "
                "room or make it writable, or set DCGAN_BUILD_DIR to another folder."
            ) from None

    @contextmanager
    def _readable(self):
        """In place of MindSpore's error at a picture that it cannot decode."""
        try:
            yield
        except RuntimeError:
            raise CourseError(
                f"A picture in {self.faces} was damaged or taken away after it had "
                "been checked: check them again (lesson 01: get_faces), then start "
                "again."
            ) from None

    def _on_interrupt(self, signum, frame):
        if self.asked:  # asked for twice: do not wait for the step
            raise KeyboardInterrupt
        self.asked = True
        if self.place.size == 1:
            self.stop = True  # several workers stop when all know of it: see record

    def _show(self):
        recalibrate_batch_norm(self.model.average, self.calibration_noise[:128])
        faces = generate(self.model.average, self.noise[:24])
        self.view.update(self.history, self.steps_per_epoch, faces)

    def _resume(self):
        saved = newest_checkpoint(self.folder)
        if saved is None:
            return
        now, then = {"pictures": self.picture_count}, {"pictures": saved["pictures"]}
        if saved["pictures_sum"] != "none":
            name = "the sum over the pictures' names and sizes"
            now[name], then[name] = self.pictures_sum, saved["pictures_sum"]
        refuse_changes(saved, self.settings, now, then)
        restore(saved, self.model.parameters)
        self.losses = [tuple(pair) for pair in saved["history"].tolist()]
        if self.step < self.total_steps:
            print(f"Going on from step {self.step:,} of {self.total_steps:,}. ", end="")
        else:
            print(f"All {self.step:,} steps are done. ", end="")
        print("To start anew: fresh=True (in a shell: --fresh).")

    def _start_equal(self):
        mark = zlib.crc32(self.numbers.tobytes(), int(self.pictures_sum, 16))
        mark >>= 1  # fits an int32
        here = self.picture_count, mark, self.step
        counts, marks, steps = gather(here).T.tolist()
        if len(set(counts)) > 1 or len(set(marks)) > 1:
            raise CourseError(
                f"Not all workers see the same pictures in {self.faces} "
                f"({', '.join(map(str, counts))} of them): give every host the same."
            )
        for p in self.model.parameters:
            ops.assign(p, take_from_first(p))
        if steps[0]:
            history = self.history if self.writes else np.zeros((steps[0], 2))
            history = take_from_first(ms.Tensor(history, ms.float32)).asnumpy()
            self.losses = [tuple(pair) for pair in history.tolist()]


def train(model, faces, view=None, fresh=False):
    """Train until the last epoch, from where the newest checkpoint stands."""
    s = model.settings
    train_step = make_train_step(
        model.generator,
        model.discriminator,
        model.optimizer_g,
        model.optimizer_d,
        s.real_label,
    )
    average_step = make_average_step(model.generator, model.average, s.average_decay)
    with TrainingRun(model, faces, view, fresh) as run:
        for epoch in run.epochs():
            for real in run.batches(epoch):
                losses = train_step(real, run.share(step_noise(s, run.step)))
                average_step()
                run.record(*losses)
            run.end_epoch(epoch)
    return run.history
