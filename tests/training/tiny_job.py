"""A job of two workers for the tests: how it is started, and what a worker does."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
import psutil

from dcgan_utils.device import choose_device
from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.settings import PROFILES
from dcgan_utils.taught.training import make_average_step, make_train_step
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.run import TrainingRun
from dcgan_utils.training.workers import join_job, leave_job

SIZES = {"image_size": 32, "generator_maps": 4, "discriminator_maps": 4}
TINY = replace(PROFILES["smoke"], face_count=20, batch_size=8, **SIZES)
STEPS = 6  # two epochs of 20 pictures, filled up to 24
LAUNCH = """
import sys
from dcgan_utils.training.launcher import launch
sys.exit(launch(sys.argv[2:], workers=2, log_dir=sys.argv[1]))
"""


def start(*words) -> Popen:
    """Run Python with these words; what it prints can be read."""
    words = [sys.executable, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return Popen(words, env=environment, stdout=PIPE, stderr=PIPE, text=True)


def start_job(out, *command) -> Popen:
    """Launch a job in a process of its own, with its logs in out/logs."""
    return start("-c", LAUNCH, out / "logs", *command)


def running(folder) -> list[psutil.Process]:
    """All processes that have this folder in their command line."""
    everyone = psutil.process_iter(["cmdline"])
    return [p for p in everyone if str(folder) in " ".join(p.info["cmdline"] or ())]


def save_arrays(path, model, **more):
    """Write down all that training changes, and whatever else, by name."""
    np.savez(path, **{p.name: p.asnumpy() for p in model.parameters}, **more)


def work(faces, out, killed_rank=-1, killed_step=-1):
    """Train TINY as a worker and write each step down; one rank may die at a step."""
    choose_device("cpu")
    place = join_job()
    # A folder for each: it shows who writes, and that nobody needs another's disk.
    model = build_dcgan(replace(TINY, out=f"{out}/rank-{place.rank}"), place)
    parts = model.generator, model.discriminator, model.optimizer_g, model.optimizer_d
    train_step = make_train_step(*parts, TINY.real_label)
    average_step = make_average_step(parts[0], model.average, TINY.average_decay)
    with TrainingRun(model, look_at_folder(faces, TINY.image_size)) as run:
        for epoch in run.epochs():
            for real in run.batches(epoch):
                if (place.rank, run.step) == (int(killed_rank), int(killed_step)):
                    os.kill(os.getpid(), signal.SIGKILL)
                z = run.noise()
                losses = train_step(real, z)
                average_step(run.step)
                seen = {"real": real.asnumpy(), "z": z.asnumpy()}
                seen["losses"] = [loss.asnumpy() for loss in losses]
                path = f"{out}/step-{run.step}-rank-{place.rank}.npz"
                save_arrays(path, model, **seen)
                run.record(*losses)
            run.end_epoch(epoch)
    save_arrays(f"{out}/end-rank-{place.rank}.npz", model, history=run.history)
    print("end of worker", place.rank)
    leave_job()


if __name__ == "__main__":
    work(*sys.argv[1:])
