"""Where a training stands: all that the steps change, and the losses so far."""

import zlib

import mindspore as ms
import numpy as np
from mindspore import ops

from .. import CourseError
from ..taught.results import generate
from .checkpoint import refuse_changes, restore
from .model import build_dcgan
from .noise import calibration_noise, fixed_noise
from .sampling import recalibrate_batch_norm
from .warnings import warnings_of
from .workers import gather, take_from_first


class TrainingState:
    """A model in training, the losses that led to it, and the pictures it is shown."""

    def __init__(self, model, pictures):
        self.model, self.settings, self.pictures = model, model.settings, pictures
        self.losses = []
        self.drawn = None  # what was judged last

    @property
    def step(self) -> int:
        """How many steps have been trained."""
        return len(self.losses)

    @property
    def history(self) -> np.ndarray:
        """The losses of D and G, [steps, 2] float32."""
        return np.asarray(self.losses, np.float32).reshape(-1, 2)

    def reset(self):
        """Go back to before the first step: the weights are drawn from the seed."""
        start = {p.name: p for p in build_dcgan(self.settings).parameters}
        restore(start, self.model.parameters)
        self.losses, self.drawn = [], None

    @property
    def is_used(self) -> bool:
        """Whether the model has been trained, by this run or by an earlier one."""
        counts = self.model.optimizer_d.get_parameters()
        return any(p.name.endswith("global_step") and p.asnumpy()[0] for p in counts)

    def load(self, saved):
        """Go to where a checkpoint (from read_checkpoint) stands.

        Raises CourseError if it was made with other settings or pictures.
        """
        refuse_changes(saved, self.settings, self.pictures)
        restore(saved, self.model.parameters)
        self.losses = saved["history"].tolist()

    def take_over(self):
        """As one of several workers: go to where worker 0 stands."""
        for p in self.model.parameters:
            ops.assign(p, take_from_first(p))
        (steps, *_) = gather([self.step]).ravel().tolist()
        if steps:
            history = np.resize(self.history, (steps, 2))
            history = take_from_first(ms.Tensor(history, ms.float32))
            self.losses = history.asnumpy().tolist()

    def recalibrate(self, count=512):
        """Measure the average's batch norm on pictures of so many noises."""
        noise = calibration_noise(self.settings, count)
        recalibrate_batch_norm(self.model.average, noise)

    def draw(self, count=64) -> np.ndarray:
        """What the average makes of the fixed noise, [count, 3, S, S] in [-1, 1]."""
        return generate(self.model.average, fixed_noise(self.settings, count))

    def judge(self, made) -> list[str]:
        """What the detectors of lesson 07 say of pictures that draw has just made."""
        real = self.pictures[np.arange(min(64, len(self.pictures)))] / 127.5 - 1
        before, self.drawn = self.drawn, made
        label = self.settings.real_label
        found = warnings_of(self.history, real, made, before, label)
        return [warning.removeprefix("WARNING").strip() for warning in found]


def agree_on_pictures(pictures, place):
    """The pictures that all workers can read, where a host has a damaged one.

    Raises CourseError, on all of them, if their folders hold different pictures.
    """
    if place.size == 1 or _is_everywhere(pictures.fingerprint()):
        return pictures
    seen = sorted([*pictures.names, *pictures.left_out])
    if _is_everywhere(f"{zlib.crc32(repr(seen).encode(errors='replace')):08x}"):
        number = {name: i for i, name in enumerate(pictures.names)}
        usable = gather([name in number for name in seen]).all(axis=0)
        both = [number[name] for name, good in zip(seen, usable) if good]
        pictures = pictures.only(both, "not whole on every host")
        if _is_everywhere(pictures.fingerprint()):
            return pictures
    raise CourseError(
        f"Not all workers see the same pictures in {pictures.root}: give every host "
        "the same."
    )


def _is_everywhere(fingerprint) -> bool:
    """Whether every worker has these eight hex digits; each has to ask."""
    return len(set(gather([int(fingerprint, 16) >> 1]).ravel())) == 1  # fits an int32
