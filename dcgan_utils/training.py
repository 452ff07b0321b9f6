"""Training: the losses, one step, and the loop that can be stopped and resumed.

The losses and the step are taught in lesson 03; a test keeps both texts the same.
"""

import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import mindspore as ms
import numpy as np
import psutil
from mindspore import nn, ops
from tqdm import tqdm

from . import CourseError
from .checkpoint import (
    list_checkpoints,
    newest_checkpoint,
    read_checkpoint,
    restore,
    save_checkpoint,
)
from .config import Settings, course_root
from .dataset import count_pictures, create_dataset
from .figures import make_grid, save_picture
from .networks import Discriminator, Generator

binary_cross_entropy = nn.BCELoss(reduction="mean")


def discriminator_loss(p_real, p_fake, real_label=1.0):
    """Mean of −log D(x) and −log(1 − D(G(z))); p_real, p_fake: D's answers [N, 1]."""
    real = binary_cross_entropy(p_real, real_label * ops.ones_like(p_real))
    fake = binary_cross_entropy(p_fake, ops.zeros_like(p_fake))
    return (real + fake) / 2


def generator_loss(p_fake):
    """The non-saturating loss −log D(G(z)); p_fake: D's answers [N, 1]."""
    return binary_cross_entropy(p_fake, ops.ones_like(p_fake))


def make_train_step(generator, discriminator, optimizer_g, optimizer_d, real_label=1.0):
    """Return ``train_step(real, z)``, which trains G, then D, and gives both losses."""

    def generator_forward(z):
        fakes = generator(z)
        return generator_loss(discriminator(fakes)), fakes

    def discriminator_forward(real, fakes):
        p_real, p_fake = discriminator(real), discriminator(fakes)
        return discriminator_loss(p_real, p_fake, real_label)

    grad_g = ms.value_and_grad(
        generator_forward, None, optimizer_g.parameters, has_aux=True
    )
    grad_d = ms.value_and_grad(discriminator_forward, None, optimizer_d.parameters)

    @ms.jit
    def train_step(real, z):
        (loss_g, fakes), grads_g = grad_g(z)
        loss_d, grads_d = grad_d(real, fakes)
        optimizer_g(grads_g)
        optimizer_d(grads_d)
        return loss_d, loss_g

    return train_step


def make_average_step(generator, average, decay):
    """Return ``average_step()``: average = decay · average + (1 − decay) · weights."""
    pairs = list(zip(average.trainable_params(), generator.trainable_params()))

    @ms.jit
    def average_step():
        for mean, weight in pairs:
            ops.assign(mean, decay * mean + (1 - decay) * weight)
        return True  # a compiled function must return something

    return average_step


# Every random number is a function of the seed and of where training stands, so a
# resumed run sees the very numbers that an unbroken one would have seen.
FIXED, NOISE, ORDER, SETTLE = 0, 1, 2, 3


def fixed_noise(settings, count=64):
    """The noise [count, latent_size, 1, 1] float32 that is the same to the end."""
    return _normal(settings, count, FIXED, 0)


def step_noise(settings, step):
    """The noise [batch_size, latent_size, 1, 1] float32 of one training step."""
    return _normal(settings, settings.batch_size, NOISE, step)


def _normal(settings, count, stream, number):
    rng = np.random.default_rng([settings.seed, stream, number])
    noise = rng.standard_normal((count, settings.latent_size, 1, 1), np.float32)
    return ms.Tensor(noise)


def epoch_order(settings, picture_count, epoch):
    """The shuffled numbers of the pictures of one epoch, as whole batches.

    Every picture comes once, or, where there are more than ``settings.face_count``, so
    many of them, others in each epoch. The first ones fill the last batch up.
    """
    rng = np.random.default_rng([settings.seed, ORDER, epoch])
    order = rng.permutation(picture_count)[: settings.face_count or None]
    steps = -(-len(order) // settings.batch_size)
    return np.resize(order, steps * settings.batch_size).tolist()


@dataclass
class DCGAN:
    """Both networks, the averaged generator, both optimizers and the compiled step."""

    settings: Settings
    generator: Generator
    discriminator: Discriminator
    average: Generator
    optimizer_g: nn.Adam
    optimizer_d: nn.Adam

    @property
    def parameters(self):
        """All that training changes, under distinct names."""
        parts = (self.average, self.optimizer_g, self.optimizer_d)
        networks = (self.generator, self.discriminator)
        found = [p for part in networks + parts for p in part.get_parameters()]
        return list({p.name: p for p in found}.values())


def build_dcgan(settings) -> DCGAN:
    """Networks and optimizers as the settings say, weights drawn from the seed."""
    s = settings
    ms.set_seed(s.seed)
    generator = Generator(s.latent_size, s.generator_maps, s.image_size)
    discriminator = Discriminator(s.discriminator_maps, s.image_size)
    average = Generator(s.latent_size, s.generator_maps, s.image_size)
    generator.update_parameters_name("generator.")
    discriminator.update_parameters_name("discriminator.")
    average.update_parameters_name("average.")
    for mean, weight in zip(average.get_parameters(), generator.get_parameters()):
        mean.set_data(ms.Tensor(weight.asnumpy()))
    weights_g, weights_d = (
        generator.trainable_params(),
        discriminator.trainable_params(),
    )
    optimizer_g = nn.Adam(weights_g, s.generator_rate, s.beta1)
    optimizer_d = nn.Adam(weights_d, s.discriminator_rate, s.beta1)
    # An optimizer lists the network's weights among its own parameters. Only what it
    # owns is renamed, so that the weights keep their names in the checkpoint.
    _rename(optimizer_g, weights_g, "optimizer_g.")
    _rename(optimizer_d, weights_d, "optimizer_d.")
    return DCGAN(s, generator, discriminator, average, optimizer_g, optimizer_d)


def _rename(optimizer, weights, prefix):
    weight_names = {p.name for p in weights}
    for p in optimizer.get_parameters():
        if p.name not in weight_names:
            p.name = prefix + p.name


def settle_batch_norm(generator, noise):
    """Set batch norm's moving statistics to those of pictures drawn from this noise.

    An average of weights never trained, so it has no statistics of its own. noise:
    [N, latent_size, 1, 1], taken in batches of 64. The result depends on the weights
    and the noise alone: the statistics start from 0, and the share of that start is
    divided out, as Adam does with its moments.
    """
    norms = [c for c in generator.cells_and_names() if isinstance(c[1], nn.BatchNorm2d)]
    statistics = [p for _, n in norms for p in (n.moving_mean, n.moving_variance)]
    for p in statistics:
        ops.assign(p, ops.zeros_like(p))
    generator.set_train(True)
    for i in range(0, len(noise), 64):
        generator(noise[i : i + 64])
    generator.set_train(False)
    batches = -(-len(noise) // 64)
    for p in statistics:
        ops.assign(p, p / (1 - 0.9**batches))  # 0.9 is BatchNorm2d's own momentum


def generate(generator, noise) -> np.ndarray:
    """Pictures [N, 3, S, S] float32 in [-1, 1] from noise [N, latent_size, 1, 1].

    Batch norm uses its moving statistics, so a picture depends on its own noise only.
    """
    was_training = generator.training
    generator.set_train(False)
    chunks = [generator(noise[i : i + 64]).asnumpy() for i in range(0, len(noise), 64)]
    generator.set_train(was_training)
    return np.concatenate(chunks)


RUNGS = 1, 3, 10, 30, 100  # after these epochs a generator is kept, for comparing


def load_generator(saved) -> Generator:
    """The averaged generator of a checkpoint (from read_checkpoint), ready to draw."""
    s = saved["settings"]
    generator = Generator(s.latent_size, s.generator_maps, s.image_size)
    generator.update_parameters_name("average.")
    restore(saved, generator.get_parameters())
    return generator.set_train(False)


def load_discriminator(saved) -> Discriminator:
    """The discriminator of a checkpoint (from read_checkpoint), not to be trained."""
    s = saved["settings"]
    discriminator = Discriminator(s.discriminator_maps, s.image_size)
    discriminator.update_parameters_name("discriminator.")
    restore(saved, discriminator.get_parameters())
    return discriminator.set_train(False)


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
        if saved is None or not list((folder / "frames").glob("epoch-*.png")):
            continue
        if folder == settings.run_dir:
            print(f"This is your own training: {len(saved['history']):,} steps.")
        else:
            print(
                f"No epoch was trained here yet in the {settings.profile} profile on "
                f"{settings.data} faces. These are the course's own weights, "
                f"{len(saved['history']):,} steps on sample faces. For yours, run "
                "lesson 03."
            )
        steps = len(saved["history"])
        rungs = map(read_checkpoint, list_checkpoints(folder / "ladder"))
        ladder = [rung for rung in rungs if len(rung["history"]) < steps]
        return FinishedRun(saved, folder / "frames", [*ladder, saved])
    raise CourseError(f"There is no training in {settings.run_dir}: run lesson 03.")


class TrainingRun:
    """The plumbing around a training loop: where it stands, what it saves and shows.

    Use it as a context::

        with TrainingRun(model, faces) as run:
            for epoch in run.epochs():
                for real in run.batches(epoch):
                    run.record(*train_step(real, step_noise(settings, run.step)))
                run.end_epoch(epoch)

    It goes on from the newest checkpoint in ``settings.run_dir``; saves at the end of
    every epoch, every five minutes and on an interrupt; keeps the picture that the
    fixed noise gives after each epoch; and stops at a loss that is not finite.
    ``fresh=True`` deletes it all and starts anew from the seed. Raises CourseError
    where the checkpoint was made with other settings, and where another process is
    training into the same folder.
    """

    save_seconds = 300

    def __init__(self, model, faces, view=None, fresh=False):
        self.model, self.faces, self.view = model, Path(faces), view
        self.settings = s = model.settings
        self.folder = s.run_dir
        self._refuse_a_second_process()
        if fresh:
            shutil.rmtree(self.folder, ignore_errors=True)
            start = {p.name: p for p in build_dcgan(s).parameters}
            restore(start, model.parameters)
        self.picture_count = count_pictures(faces, s)
        order = epoch_order(s, self.picture_count, 0)
        self.steps_per_epoch = len(order) // s.batch_size
        self.total_steps = self.steps_per_epoch * s.epochs
        self.losses = []
        self.noise = fixed_noise(s)
        self.settling_noise = _normal(s, 512, SETTLE, 0)
        self.stop = False
        self._resume()

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
            yield epoch
            if self.stop:
                return

    def batches(self, epoch):
        """What is left of an epoch, as batches [batch_size, 3, S, S] in [-1, 1]."""
        s = self.settings
        done = self.step - epoch * self.steps_per_epoch
        order = epoch_order(s, self.picture_count, epoch)[done * s.batch_size :]
        dataset = create_dataset(self.faces, s.image_size, s.batch_size, order)
        for (real,) in dataset.create_tuple_iterator(num_epochs=1):
            yield real
            if self.stop:
                return

    def record(self, loss_d, loss_g):
        """Note the losses of one step; save and show from time to time."""
        pair = float(loss_d.asnumpy()), float(loss_g.asnumpy())
        if not np.isfinite(pair).all():
            raise CourseError(
                f"Training stopped at step {self.step + 1}: loss D {pair[0]}, loss G "
                f"{pair[1]}. Lower the learning rates; the last good checkpoint is "
                f"kept in {self.folder}."
            )
        self.losses.append(pair)
        self.bar.update()
        self.bar.set_postfix_str(f"D {pair[0]:.2f}  G {pair[1]:.2f}", refresh=False)
        if time.monotonic() - self.saved_at > self.save_seconds:
            self.save()
        if self.view and self.view.is_due():
            self._show()

    def end_epoch(self, epoch):
        """Keep the picture of the fixed noise and save, if the epoch is over."""
        if self.step < (epoch + 1) * self.steps_per_epoch:
            return  # interrupted on the way
        s = self.settings
        frames = self.folder / "frames"
        frames.mkdir(parents=True, exist_ok=True)
        settle_batch_norm(self.model.average, self.settling_noise)
        grid = make_grid(generate(self.model.average, self.noise))
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
        settle_batch_norm(self.model.average, self.settling_noise)
        save_checkpoint(
            self.folder,
            self.model.parameters,
            self.history,
            self.settings,
            self.picture_count,
        )
        self.saved_at = time.monotonic()

    def __enter__(self):
        self._refuse_a_second_process()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.claim.write_text(str(os.getpid()))
        except OSError as error:
            raise CourseError(
                f"Nothing can be written to {self.folder} ({error.strerror}): make "
                "room or make it writable, or set DCGAN_BUILD_DIR to another folder."
            ) from None
        self.saved_at = time.monotonic()
        self.model.generator.set_train()
        self.model.discriminator.set_train()
        if self.view:
            self.view.start()
        self.bar = tqdm(
            total=self.total_steps,
            initial=self.step,
            unit="step",
            file=sys.stdout,
            dynamic_ncols=False,
            ncols=78,
        )
        if threading.current_thread() is threading.main_thread():
            # Each jitted call puts MindSpore's own handler in place of SIGINT's, and
            # that one ends the process with SIGTERM. So both are caught.
            self._old_handlers = {
                number: signal.signal(number, self._on_interrupt)
                for number in (signal.SIGINT, signal.SIGTERM)
            }
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None and self.view and self.losses:
                self._show()
            self.bar.close()
            if kind is None and 0 < self.step < self.total_steps:
                self.save()
                print(
                    f"Stopped after step {self.step:,} of {self.total_steps:,}, all "
                    "saved. Run the cell again to go on from here."
                )
        finally:
            self.claim.unlink(missing_ok=True)
            if threading.current_thread() is threading.main_thread():
                for number, handler in self._old_handlers.items():
                    signal.signal(number, handler)

    @property
    def claim(self) -> Path:
        """The file that names the process training into this folder."""
        return self.folder / "training.pid"

    def _refuse_a_second_process(self):
        try:
            owner = psutil.Process(int(self.claim.read_text()))
            # A process younger than the file has only inherited the number.
            alive = owner.create_time() <= self.claim.stat().st_mtime
        except (OSError, ValueError, psutil.Error):
            return  # no claim, or one that a killed process has left behind
        if alive and owner.pid != os.getpid():
            raise CourseError(
                f"Another kernel (process {owner.pid}) is training into {self.folder}: "
                "shut it down first, or set DCGAN_BUILD_DIR to another folder."
            )

    def _on_interrupt(self, signum, frame):
        if self.stop:  # asked for twice: do not wait for the step
            raise KeyboardInterrupt
        self.stop = True

    def _show(self):
        settle_batch_norm(self.model.average, self.settling_noise[:128])
        faces = generate(self.model.average, self.noise[:24])
        self.view.update(self.history, self.steps_per_epoch, faces)

    def _resume(self):
        saved = newest_checkpoint(self.folder)
        if saved is None:
            return
        now = {**asdict(self.settings), "pictures": self.picture_count}
        then = {**asdict(saved["settings"]), "pictures": saved["pictures"]}
        changed = [
            f"{name} was {then[name]} and is {now[name]}"
            for name in now
            if now[name] != then[name] and name != "epochs"
        ]
        if changed:
            raise CourseError(
                f"The training in {self.folder} cannot go on, because the settings "
                f"have changed: {'; '.join(changed)}. Set them back, or start anew "
                "with fresh=True."
            )
        restore(saved, self.model.parameters)
        self.losses = [tuple(pair) for pair in saved["history"].tolist()]
        if self.step < self.total_steps:
            print(f"Going on from step {self.step:,} of {self.total_steps:,}. ", end="")
        else:
            print(f"All {self.step:,} steps are done. ", end="")
        print("To start anew: fresh=True.")


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
                losses = train_step(real, step_noise(s, run.step))
                average_step()
                run.record(*losses)
            run.end_epoch(epoch)
    return run.history
