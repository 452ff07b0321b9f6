"""Two workers of a job train as one process would with the mean of two halves.

Two jobs write down all that happens in them, and many tests read that.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from tiny_job import STEPS, TINY, running, start_job

from dcgan_utils import CourseError
from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.show.grids import read_frames
from dcgan_utils.taught.data import create_dataset
from dcgan_utils.taught.distributed import Place, share
from dcgan_utils.taught.training import (
    discriminator_loss,
    generator_loss,
    make_average_step,
)
from dcgan_utils.training.checkpoint import newest_checkpoint
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.noise import epoch_order, step_noise

PROGRAM = Path(__file__).with_name("tiny_job.py")
linux = pytest.mark.skipif(sys.platform != "linux", reason="msrun runs on Linux only")


def read_both(out, name):
    """What rank 0 and rank 1 wrote down under a name."""
    return [dict(np.load(out / f"{name}-rank-{rank}.npz")) for rank in (0, 1)]


@pytest.fixture(scope="module")
def killed(tmp_path_factory, faces_20):
    """Rank 1 is killed in the second epoch, at the fifth of six steps."""
    out = tmp_path_factory.mktemp("job")
    job = start_job(out, PROGRAM, faces_20, out, 1, 4)
    job.out, (_, job.errors) = out, job.communicate()
    job.left = running(out)
    job.lasted = time.time() - (out / "step-3-rank-1.npz").stat().st_mtime
    job.fourth = read_both(out, "step-3")  # the step after the checkpoint
    return job


@pytest.fixture(scope="module")
def resumed(killed, faces_20):
    """The same job again, to the end: from the checkpoint after the third step."""
    job = start_job(killed.out, PROGRAM, faces_20, killed.out)
    job.out, (job.printed, job.errors) = killed.out, job.communicate()
    job.steps = [read_both(job.out, f"step-{step}") for step in range(STEPS)]
    job.ends = read_both(job.out, "end")
    return job


@pytest.fixture(scope="module")
def batches(faces_20):
    """The batches [8, 3, 32, 32] of one process that trains TINY alone."""
    whole = create_dataset(look_at_folder(faces_20, TINY.image_size), 1)
    pictures = [p.asnumpy()[0] for p in whole]
    orders = [np.reshape(epoch_order(TINY, 20, epoch), (-1, 8)) for epoch in (0, 1)]
    return [np.stack([pictures[i] for i in batch]) for batch in np.concatenate(orders)]


def gradients_of(model, real, z):
    """Of one batch: how to ask for D's gradients, and then for G's; nothing moves."""

    def loss_of_g():
        return generator_loss(model.discriminator(model.generator(z)))

    def loss_of_d():
        answers = model.discriminator(real), model.discriminator(fakes)
        return discriminator_loss(*answers, TINY.real_label)

    fakes = model.generator(z)
    pairs = (loss_of_d, model.optimizer_d), (loss_of_g, model.optimizer_g)
    return [ms.value_and_grad(f, None, adam.parameters) for f, adam in pairs]


@pytest.fixture(scope="module")
def simulated(batches):
    """All parameters after each step of one process: two halves, the mean gradient.

    Two models, since each has its own moving statistics of batch norm.
    """
    models = build_dcgan(TINY), build_dcgan(TINY)
    for model in models:
        model.generator.set_train()
        model.discriminator.set_train()
    decay, states = TINY.average_decay, []
    averages = [make_average_step(m.generator, m.average, decay) for m in models]
    for step, real in enumerate(batches):
        z, halves = step_noise(TINY, step), []
        for rank, model in enumerate(models):
            half = [share(whole, Place(rank, 2)) for whole in (ms.Tensor(real), z)]
            halves.append(gradients_of(model, *half))
        for number, name in enumerate(("optimizer_d", "optimizer_g")):
            both = [half[number]()[1] for half in halves]
            means = tuple((a + b) / 2 for a, b in zip(*both))
            for model in models:
                getattr(model, name)(means)
        for average_step in averages:
            average_step(step)
        states.append({p.name: p.asnumpy().copy() for p in models[0].parameters})
    return states


def compare(found, expected):
    """All but the moving statistics, which gradients_of has moved more often."""
    for name, value in expected.items():
        if "moving" not in name:
            np.testing.assert_allclose(found[name], value, 1e-4, 1e-6, err_msg=name)


@pytest.mark.parametrize(("batch", "workers"), [(8, 3), (8, 8), (2, 2)])
def test_a_batch_that_cannot_be_shared_is_refused(batch, workers):
    """A share of one picture neither: BCELoss of a single number is wrong on a CPU."""
    with pytest.raises(CourseError, match=f"batch of {batch}.* by {workers} workers"):
        build_dcgan(replace(TINY, batch_size=batch), Place(0, workers))


@linux
def test_each_step_takes_the_whole_batch_once(resumed, batches):
    """Pictures and noise: the shares are disjoint and complete, in every epoch."""
    for step, (pair, whole) in enumerate(zip(resumed.steps, batches, strict=True)):
        shown, noise = (np.concatenate([r[n] for r in pair]) for n in ("real", "z"))
        np.testing.assert_array_equal(shown, whole)
        np.testing.assert_array_equal(noise, step_noise(TINY, step).asnumpy())


@linux
def test_it_trains_what_one_process_would_with_the_mean_of_two_halves(
    resumed, simulated
):
    for (record, _), expected in zip(resumed.steps, simulated, strict=True):
        compare(record, expected)


@linux
def test_weights_are_the_same_on_both_ranks_after_every_step(resumed):
    for first, second in resumed.steps:
        for name in first.keys() - {"real", "z", "losses"}:
            same = np.array_equal(first[name], second[name])
            # Batch norm's statistics are each worker's own, and only those.
            own = "moving" in name and not name.startswith("average")
            assert same != own, name


@linux
def test_the_losses_kept_are_the_means(resumed):
    kept = [end["history"] for end in resumed.ends]
    losses = np.array([[r["losses"] for r in pair] for pair in resumed.steps])
    assert (losses[:, 0] != losses[:, 1]).all()
    np.testing.assert_array_equal(*kept)
    np.testing.assert_allclose(kept[0], losses.mean(1), rtol=1e-6)


@linux
def test_only_worker_0_writes(resumed):
    assert not (resumed.out / "rank-1").exists()
    saved = newest_checkpoint(resumed.out / "rank-0")
    for name, value in resumed.ends[0].items():
        kept = saved[name] if name == "history" else saved[name].asnumpy()
        np.testing.assert_array_equal(kept, value)
    assert len(read_frames(resumed.out / "rank-0" / "frames")) == 2


@linux
def test_a_killed_worker_ends_the_job_with_its_name(killed):
    log = killed.out / "logs" / "worker_1.log"
    sentence = "Worker 1 was killed by signal 9 (SIGKILL), so the whole job was ended"
    assert (killed.returncode, killed.errors) == (1, f"{sentence}: see {log}.\n")
    assert killed.left == []
    assert killed.lasted < 30  # seconds: MindSpore alone takes twice as long


@linux
def test_a_resumed_job_ends_as_an_unbroken_one(resumed, simulated):
    assert (resumed.returncode, resumed.errors) == (0, "")
    for end in resumed.ends:
        compare(end, simulated[-1])
    assert "Going on from step 3 of 6" in resumed.printed
    assert "end of worker 0" in resumed.printed
    log = (resumed.out / "logs" / "worker_1.log").read_text()
    assert "worker 1 of 2" in log and "end of worker 1" in log


@linux
def test_a_resumed_job_repeats_to_the_bit_what_the_killed_one_did(killed, resumed):
    """The fourth step was trained twice: before the kill, and after the resume."""
    for rank, (before, after) in enumerate(zip(killed.fourth, resumed.steps[3])):
        for name in before:
            # Worker 1 went on with worker 0's statistics of batch norm.
            if rank == 0 or "moving" not in name:
                np.testing.assert_array_equal(before[name], after[name], name)


def test_a_worker_leaves_before_the_clean_up_that_crashes(run_program):
    program = """
import atexit, os, sys
from dcgan_utils.training.workers import leave_job

class Late:
    def __del__(self):
        print("too late")

late = Late()
atexit.register(print, "left the job")
if len(sys.argv) > 1:
    os.environ["MS_ROLE"] = "MS_WORKER"
print("trained", end=", ")
leave_job()
"""
    assert run_program(program, "in a job") == "trained, left the job\n"
    assert run_program(program) == "trained, left the job\ntoo late\n"
