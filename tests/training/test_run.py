"""training.py: losses, one step's parts, the same numbers again, stop and resume.

Training from end to end runs on 20 pictures in three steps an epoch. What only concerns
the plumbing feeds losses to TrainingRun and trains nothing.
"""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops
from rights import nobody, public_folder

from dcgan_utils import CourseError
from dcgan_utils.settings import PROFILES
from dcgan_utils.show.grids import make_grid, read_frames, save_picture
from dcgan_utils.taught import training as taught_training
from dcgan_utils.taught.data import create_dataset
from dcgan_utils.taught.results import generate
from dcgan_utils.taught.training import (
    discriminator_loss,
    generator_loss,
    make_average_step,
)
from dcgan_utils.training import run as run_module
from dcgan_utils.training import saved as saved_module
from dcgan_utils.training.checkpoint import (
    hold,
    list_checkpoints,
    newest_checkpoint,
    read_checkpoint,
    restore,
    save_checkpoint,
)
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.randomness import epoch_order, fixed_noise, step_noise
from dcgan_utils.training.run import TrainingRun, train
from dcgan_utils.training.sampling import load_generator, recalibrate_batch_norm
from dcgan_utils.training.saved import find_run

SMALL = replace(PROFILES["smoke"], face_count=20, batch_size=8)  # 3 steps an epoch
TINY = replace(SMALL, image_size=32, generator_maps=4, discriminator_maps=4)

# Trains SMALL in a fresh process and keeps all its numbers, and what it was given. It
# gets a Ctrl-C while the step of the third argument (from 0) is under way.
PROGRAM = """
import os, signal, sys, zlib
from dataclasses import replace
import numpy as np
from dcgan_utils.taught import training as taught_training
from dcgan_utils.training import model as model_module
from dcgan_utils.training import randomness
from dcgan_utils.training import run as run_module
from dcgan_utils.settings import PROFILES
from dcgan_utils.device import choose_device

choose_device("cpu")
faces, out, interrupted = sys.argv[1], sys.argv[2], int(sys.argv[3])
draw, read = randomness.step_noise, run_module.TrainingRun.batches
given = []

def step_noise(settings, step):
    if step == interrupted:
        os.kill(os.getpid(), signal.SIGINT)
    noise = draw(settings, step)
    given[-1] += (zlib.crc32(noise.asnumpy()),)
    return noise

def batches(run, epoch):
    for real in read(run, epoch):
        given.append((zlib.crc32(real.asnumpy()),))
        yield real

run_module.step_noise, run_module.TrainingRun.batches = step_noise, batches
settings = replace(PROFILES["smoke"], face_count=20, batch_size=8)
model = model_module.build_dcgan(settings)
history = run_module.train(model, faces)
numbers = {p.name: p.asnumpy() for p in model.parameters}
np.savez(out, history=history, given=given, **numbers)
"""


def feed(run, steps, loss=0.5):
    """Record steps of one loss in a run, epoch by epoch, without training."""
    left = steps
    for epoch in run.epochs():
        for _ in range(min(left, (epoch + 1) * run.steps_per_epoch - run.step)):
            run.record(ms.Tensor(loss), ms.Tensor(loss))
            left -= 1
        run.end_epoch(epoch)
        if not left:
            return


@pytest.fixture(scope="module")
def tiny():
    """A small untrained DCGAN, for tests that do not change its weights."""
    return build_dcgan(TINY)


# --- losses --------------------------------------------------------------------------


def column(*numbers):
    return ms.Tensor(np.array(numbers, np.float32)[:, None])


def test_discriminator_loss_by_hand():
    p_real, p_fake = column(0.8, 0.5), column(0.4, 0.1)
    real = -(np.log(0.8) + np.log(0.5)) / 2  # 0.458145
    fake = -(np.log(0.6) + np.log(0.9)) / 2  # 0.308093
    loss = discriminator_loss(p_real, p_fake)
    assert float(loss.asnumpy()) == pytest.approx((real + fake) / 2, rel=1e-5)
    assert float(loss.asnumpy()) == pytest.approx(0.383119, abs=1e-6)


def test_discriminator_loss_with_a_label_below_one_by_hand():
    # Two rows: of a single number, MindSpore's BCELoss on CPU gives twice the loss.
    loss = discriminator_loss(column(0.8, 0.8), column(0.4, 0.4), real_label=0.9)
    real = -(0.9 * np.log(0.8) + 0.1 * np.log(0.2))  # 0.361773
    fake = -np.log(0.6)  # 0.510826
    assert float(loss.asnumpy()) == pytest.approx((real + fake) / 2, rel=1e-5)


def test_generator_loss_by_hand():
    loss = float(generator_loss(column(0.4, 0.1)).asnumpy())
    assert loss == pytest.approx(-(np.log(0.4) + np.log(0.1)) / 2, rel=1e-5)


def test_a_coin_toss_costs_ln_2():
    half = column(0.5, 0.5, 0.5)
    assert float(discriminator_loss(half, half).asnumpy()) == pytest.approx(np.log(2))
    assert float(generator_loss(half).asnumpy()) == pytest.approx(np.log(2))


def test_losses_stay_finite_where_d_is_certain():
    assert np.isfinite(generator_loss(column(0.0)).asnumpy())
    assert np.isfinite(discriminator_loss(column(0.0), column(1.0)).asnumpy())


# --- random numbers ------------------------------------------------------------------


def test_fixed_noise_is_the_same_at_every_call():
    first = fixed_noise(TINY).asnumpy()
    ms.set_seed(99)
    np.random.seed(99)
    again = fixed_noise(TINY).asnumpy()
    assert first.shape == (64, 100, 1, 1)
    assert first.dtype == np.float32
    assert (first == again).all()
    assert (fixed_noise(TINY, 24).asnumpy() == first[:24]).all()
    assert abs(first.mean()) < 0.05
    assert abs(first.std() - 1) < 0.05


def test_every_step_has_noise_of_its_own():
    drawn = [fixed_noise(TINY, 8).asnumpy()]
    drawn += [step_noise(TINY, step).asnumpy() for step in range(4)]
    drawn += [step_noise(replace(TINY, seed=2), 0).asnumpy()]
    assert all(noise.shape == (8, 100, 1, 1) for noise in drawn)
    assert len({number for noise in drawn for number in noise[:, 0, 0, 0]}) == 6 * 8
    assert (step_noise(TINY, 3).asnumpy() == drawn[4]).all()


@pytest.mark.parametrize("count", [20, 24, 8, 9])
def test_an_epoch_has_every_picture_once_and_whole_batches(count):
    order = epoch_order(replace(SMALL, face_count=0), count, 0)
    assert len(order) % SMALL.batch_size == 0
    assert len(order) - count < SMALL.batch_size
    assert sorted(order[:count]) == list(range(count))
    assert order[count:] == order[: len(order) - count]  # filled up from the front


def test_of_many_pictures_each_epoch_takes_others():
    orders = [epoch_order(SMALL, 1000, epoch) for epoch in range(3)]
    for order in orders:
        assert len(order) == 24  # face_count 20 in batches of 8
        assert len(set(order)) == 20
        assert order[20:] == order[:4]
    assert len(set(orders[0] + orders[1] + orders[2])) > 50
    everything = epoch_order(replace(SMALL, face_count=0), 1000, 0)
    assert sorted(everything) == list(range(1000))


def test_every_epoch_has_an_order_of_its_own():
    orders = [epoch_order(SMALL, 20, epoch) for epoch in range(3)]
    orders.append(epoch_order(replace(SMALL, seed=2), 20, 0))
    orders.append(list(range(20)) + [0, 1, 2, 3])
    assert len({tuple(order) for order in orders}) == 5
    assert epoch_order(SMALL, 20, 1) == orders[1]


# --- parts ---------------------------------------------------------------------------


def test_average_step_is_the_moving_average():
    model = build_dcgan(TINY)
    average_step = make_average_step(model.generator, model.average, 0.9)
    means = model.average.trainable_params()
    weights = model.generator.trainable_params()
    assert len(means) == len(weights) == 10
    hand = [p.asnumpy().astype(np.float64) for p in means]
    for turn in (1, 2):
        for p in weights:
            ops.assign(p, ms.Tensor(p.asnumpy() + np.float32(turn)))
        average_step()
        hand = [0.9 * h + 0.1 * w.asnumpy() for h, w in zip(hand, weights)]
    for p, expected in zip(means, hand):
        np.testing.assert_allclose(p.asnumpy(), expected, rtol=1e-6, atol=1e-7)


def test_no_average_is_the_generator_itself():
    model = build_dcgan(TINY)
    for p in model.generator.trainable_params():
        p.set_data(ms.Tensor(p.asnumpy() + np.float32(1)))
    make_average_step(model.generator, model.average, 0.0)()
    pairs = zip(model.generator.trainable_params(), model.average.trainable_params())
    assert all((a.asnumpy() == b.asnumpy()).all() for a, b in pairs)


def test_settled_batch_norm_has_the_statistics_of_the_noise(tiny):
    """On one batch: exactly that batch's own, so eval mode draws what train mode does.

    Up to the variance: moving statistics keep the unbiased one, N / (N − 1) larger.
    """
    noise = fixed_noise(TINY)
    recalibrate_batch_norm(tiny.average, noise)
    norms = [
        cell
        for _, cell in tiny.average.cells_and_names()
        if isinstance(cell, nn.BatchNorm2d)
    ]
    first = tiny.average.layers[0](noise).asnumpy().astype(np.float64)
    mean, variance = first.mean((0, 2, 3)), first.var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(norms[0].moving_mean.asnumpy(), mean, atol=1e-7)
    np.testing.assert_allclose(norms[0].moving_variance.asnumpy(), variance, rtol=1e-4)
    drawn = generate(tiny.average, noise)
    tiny.average.set_train()
    trained = tiny.average(noise).asnumpy()
    np.testing.assert_allclose(drawn, trained, atol=1e-2 * np.abs(trained).max())


def test_settling_depends_on_the_weights_and_the_noise_alone(tiny):
    noise = ms.Tensor(np.random.default_rng(3).standard_normal((130, 100, 1, 1), "f"))

    def settled():
        recalibrate_batch_norm(tiny.average, noise)
        return [p.asnumpy().copy() for p in tiny.average.get_parameters()]

    first = settled()
    for p in tiny.average.get_parameters():
        if "moving" in p.name:
            p.set_data(ms.Tensor(p.asnumpy() + np.float32(3)))
    assert all((a == b).all() for a, b in zip(first, settled()))


def test_all_parameters_have_names_of_their_own(tiny):
    names = [p.name for p in tiny.parameters]
    assert len(set(names)) == len(names)
    starts = {name.split(".")[0] for name in names}
    assert starts == {
        "generator", "discriminator", "average", "optimizer_g", "optimizer_d"
    }  # fmt: skip
    for side, network in (("g", tiny.generator), ("d", tiny.discriminator)):
        for p in network.trainable_params():
            for moment in ("moment1", "moment2"):
                assert f"optimizer_{side}.{moment}.{p.name}" in names
    assert {"optimizer_g.beta1_power", "optimizer_d.global_step"} <= set(names)


def test_the_average_starts_as_the_generator(tiny):
    fresh = build_dcgan(TINY)
    pairs = zip(fresh.generator.get_parameters(), fresh.average.get_parameters())
    assert all((a.asnumpy() == b.asnumpy()).all() for a, b in pairs)


def test_generate_looks_at_each_noise_alone_and_changes_nothing(tiny):
    noise = fixed_noise(TINY, 70)  # more than one chunk of 64
    recalibrate_batch_norm(tiny.generator, noise)  # as trained ones are
    before = [p.asnumpy().copy() for p in tiny.parameters]
    tiny.generator.set_train()
    pictures = generate(tiny.generator, noise)
    assert pictures.shape == (70, 3, 32, 32)
    assert pictures.dtype == np.float32
    one = generate(tiny.generator, noise[5:6])
    np.testing.assert_allclose(one[0], pictures[5], atol=1e-6)
    last = generate(tiny.generator, noise[60:70])
    np.testing.assert_allclose(last, pictures[60:], atol=1e-6)
    assert np.abs(pictures[5] - pictures[6]).max() > 1e-2
    for p, value in zip(tiny.parameters, before):
        assert (p.asnumpy() == value).all(), p.name


def test_generate_in_the_middle_of_training_leaves_it_on(tiny):
    for training_on in (True, False):
        tiny.generator.set_train(training_on)
        generate(tiny.generator, fixed_noise(TINY, 1))
        cells = [cell for _, cell in tiny.generator.cells_and_names()]
        assert all(cell.training == training_on for cell in cells)


# --- the same numbers again ----------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory, run_program, faces_20):
    """Three fresh processes: an unbroken run, a stopped one, and its resumption.

    The stop is a real signal after jitted steps: MindSpore puts a handler of its own in
    the place of Python's there, which ends the process.
    """
    top = tmp_path_factory.mktemp("runs")
    printed, numbers = {}, {}
    for name, build, interrupted in (
        ("unbroken", "one", -1),
        ("stopped", "two", 3),  # the fourth of six: the first of the second epoch
        ("resumed", "two", -1),
    ):
        out = top / f"{name}.npz"
        printed[name] = run_program(
            PROGRAM, faces_20, out, interrupted, DCGAN_BUILD_DIR=top / build
        )
        with np.load(out) as stored:
            numbers[name] = dict(stored)
    return top, printed, numbers


def test_two_fresh_processes_give_the_same_losses(runs):
    _, _, numbers = runs
    unbroken, stopped = numbers["unbroken"]["history"], numbers["stopped"]["history"]
    assert unbroken.shape == (6, 2)
    assert unbroken.dtype == np.float32
    assert (unbroken[:4] == stopped).all()


def test_an_interrupt_waits_for_the_step_and_saves(runs):
    _, printed, numbers = runs
    assert len(numbers["stopped"]["history"]) == 4
    assert "Stopped after step 4 of 6, all saved" in printed["stopped"]
    assert "Run the cell again" in printed["stopped"]
    assert "Stopped" not in printed["unbroken"] + printed["resumed"]


def test_a_resumed_run_says_so(runs):
    _, printed, _ = runs
    assert "Going on from step 4 of 6" in printed["resumed"]
    assert "fresh=True" in printed["resumed"]
    assert "Going on" not in printed["unbroken"] + printed["stopped"]


def test_a_resumed_run_ends_bit_identical_to_an_unbroken_one(runs):
    """Weights, statistics, average, both optimizers, losses: the stop left no trace."""
    top, _, numbers = runs
    unbroken, resumed = dict(numbers["unbroken"]), dict(numbers["resumed"])
    stopped = dict(numbers["stopped"])
    given = [run.pop("given").tolist() for run in (unbroken, stopped, resumed)]
    assert [len(steps) for steps in given] == [6, 4, 2]
    assert given[0] == given[1] + given[2]  # the pictures and the noise of each step
    assert len({number for step in given[0] for number in step}) == 12
    assert unbroken.keys() == resumed.keys()
    assert len(unbroken) == len(build_dcgan(SMALL).parameters) + 1
    for kind in ("moving_mean", "moving_variance", "moment1", "moment2", "global_step"):
        assert any(kind in name for name in unbroken)
    for name, value in unbroken.items():
        assert (value == resumed[name]).all(), name
    # And there was something to lose between step 4 and 6.
    same = [n for n in unbroken if np.array_equal(unbroken[n], stopped[n])]
    assert all(n.endswith("learning_rate") for n in same), same
    for name in ("epoch-0001.png", "epoch-0002.png"):
        one, two = (top / b / "smoke-sample" / "frames" / name for b in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_the_last_checkpoint_holds_the_last_numbers(runs):
    top, _, numbers = runs
    saved = newest_checkpoint(top / "two" / "smoke-sample")
    assert saved["settings"] == SMALL
    assert saved["pictures"] == 20
    for name, value in numbers["unbroken"].items():
        if name == "given":
            continue
        kept = saved[name]
        kept = kept if name == "history" else kept.asnumpy()
        assert (kept == value).all(), name


def test_training_twice_in_one_process_gives_the_same_losses(runs, faces_20):
    """And the same as a fresh process: nothing is left over from what ran before."""
    _, _, numbers = runs
    one_epoch = replace(SMALL, epochs=1)
    model = build_dcgan(one_epoch)
    first = train(model, faces_20)
    np.random.seed(5)
    ms.set_seed(5)
    second = train(model, faces_20, fresh=True)  # the same model: trained, and anew
    assert (first == second).all()
    assert (first == numbers["unbroken"]["history"][:3]).all()


def test_a_compiled_step_sees_what_is_restored(faces_20, tmp_path):
    """As in a lesson whose cells made the step, ran it, and then load a checkpoint."""
    model = build_dcgan(TINY)
    model.generator.set_train()
    model.discriminator.set_train()
    train_step = taught_training.make_train_step(
        model.generator, model.discriminator, model.optimizer_g, model.optimizer_d
    )
    average_step = make_average_step(model.generator, model.average, 0.5)
    rng = np.random.default_rng(0)
    real = ms.Tensor(rng.uniform(-1, 1, (8, 3, 32, 32)).astype(np.float32))

    def step(number):
        losses = train_step(real, step_noise(TINY, number))
        average_step()
        return [float(loss.asnumpy()) for loss in losses]

    def state():
        return {p.name: p.asnumpy().copy() for p in model.parameters}

    step(0)
    path = save_checkpoint(tmp_path, model.parameters, np.zeros((1, 2)), TINY, 20)
    first, after = [step(1), step(2)], state()
    for _ in range(2):
        restore(read_checkpoint(path), model.parameters)
        assert [step(1), step(2)] == first
        for name, value in state().items():
            assert (value == after[name]).all(), name


def test_another_seed_gives_other_losses(runs, faces_20):
    _, _, numbers = runs
    other = train(build_dcgan(replace(SMALL, epochs=1, seed=2)), faces_20)
    assert not (other == numbers["unbroken"]["history"][:3]).any()


# --- the plumbing of a run -----------------------------------------------------------


def test_batches_come_in_the_order_of_the_epoch(tiny, faces_20):
    wide = replace(TINY, image_size=64)
    run = TrainingRun(replace_settings(tiny, wide), faces_20)
    whole = create_dataset(faces_20, 64, 1)
    pictures = [p.asnumpy()[0] for (p,) in whole.create_tuple_iterator(num_epochs=1)]
    with run:
        for epoch in run.epochs():
            shown = [real.asnumpy() for real in run.batches(epoch)]
            expected = [pictures[i] for i in epoch_order(wide, 20, epoch)]
            assert [len(real) for real in shown] == [8, 8, 8]
            assert (np.concatenate(shown) == expected).all()
            for _ in shown:
                run.record(ms.Tensor(0.5), ms.Tensor(0.5))


def replace_settings(model, settings):
    """The same networks under other settings, for tests that train nothing."""
    return replace(model, settings=settings)


def test_a_run_keeps_a_picture_of_the_fixed_noise_for_every_epoch(tiny, faces_20):
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 6)
    frames = read_frames(TINY.run_dir / "frames")
    expected = make_grid(generate(tiny.average, fixed_noise(TINY)))
    assert len(frames) == 2
    assert (frames[0] == expected).all()
    assert [path.name for path in list_checkpoints(TINY.run_dir)] == [
        "step-0000003.ckpt",
        "step-0000006.ckpt",
    ]


def test_a_run_that_is_over_does_no_more(tiny, faces_20, capsys):
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 6)
    with TrainingRun(tiny, faces_20) as run:
        assert list(run.epochs()) == []
    assert run.step == 6
    assert run.history.tolist() == [[0.5, 0.5]] * 6
    assert "Stopped" not in capsys.readouterr().out


def test_more_epochs_go_on_from_the_end(tiny, faces_20, capsys):
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 6)
    longer = replace_settings(tiny, replace(TINY, epochs=3))
    with TrainingRun(longer, faces_20) as run:
        assert next(iter(run.epochs())) == 2
        feed(run, 3)
    assert "Going on from step 6 of 9" in capsys.readouterr().out
    assert len(read_frames(TINY.run_dir / "frames")) == 3


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch_size": 10}, "batch_size was 8 and is 10"),
        ({"real_label": 1.0}, "real_label was 0.9 and is 1.0"),
        ({"seed": 3, "beta1": 0.9}, "beta1 was 0.5 and is 0.9; seed was 1 and is 3"),
        ({"face_count": 16}, "face_count was 20 and is 16"),
        ({"generator_maps": 8}, "generator_maps was 4 and is 8"),
        ({"data": "anime"}, "data was sample and is anime"),
    ],
)
def test_changed_settings_are_refused_by_name(tiny, faces_20, changes, sentence):
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 3)
    kept = list_checkpoints(TINY.run_dir)
    changed = replace(TINY, out=str(TINY.run_dir), **changes)
    changed = replace_settings(tiny, changed)
    with pytest.raises(CourseError) as error:
        TrainingRun(changed, faces_20)
    assert sentence in str(error.value)
    assert "fresh=True" in str(error.value)
    assert list_checkpoints(TINY.run_dir) == kept != []
    # As the sentence says: anew is possible.
    anew = replace_settings(build_dcgan(changed.settings), changed.settings)
    assert TrainingRun(anew, faces_20, fresh=True).step == 0
    assert list_checkpoints(TINY.run_dir) == []


def test_other_pictures_are_refused_though_they_are_as_many(tiny, faces_20, tmp_path):
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 3)
    same, others = tmp_path / "same", tmp_path / "others"
    for copy in (same, others):
        shutil.copytree(faces_20, copy)
    assert TrainingRun(tiny, same).step == 3
    with open(others / "faces" / "007.png", "ab") as file:
        file.write(b"1")
    with pytest.raises(CourseError) as error:
        TrainingRun(tiny, others)
    told = re.search(r"names and sizes was (\w{8}) and is (\w{8})\. ", str(error.value))
    assert told[1] != told[2]
    (others / "faces" / "007.png").rename(others / "faces" / "700.png")
    with pytest.raises(CourseError, match="names and sizes was"):
        TrainingRun(tiny, others)
    (others / "faces" / "700.png").unlink()
    with pytest.raises(CourseError, match=r"pictures was 20 and is 19; .*fresh=True"):
        TrainingRun(tiny, others)


def test_fewer_epochs_than_are_done_change_nothing(tiny, faces_20, capsys):
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 6)
    kept = list_checkpoints(TINY.run_dir)
    shorter = replace_settings(tiny, replace(TINY, epochs=1))
    with TrainingRun(shorter, faces_20) as run:
        assert list(run.epochs()) == []
    assert run.step == 6
    assert "All 6 steps are done" in capsys.readouterr().out
    assert list_checkpoints(TINY.run_dir) == kept


def test_time_saves_too(tiny, faces_20, monkeypatch):
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 1)
        assert list_checkpoints(TINY.run_dir) == []
        monkeypatch.setattr(run, "save_seconds", -1)
        run.record(ms.Tensor(0.25), ms.Tensor(0.75))
        (saved,) = list_checkpoints(TINY.run_dir)
        assert saved.name == "step-0000002.ckpt"
    assert newest_checkpoint(TINY.run_dir)["history"].tolist() == [
        [0.5, 0.5],
        [0.25, 0.75],
    ]


def test_a_checkpoint_within_an_epoch_is_ready_to_draw(faces_20):
    """The average's statistics are its own, not those of the start."""
    model, noise = build_dcgan(TINY), fixed_noise(TINY, 8)
    with TrainingRun(model, faces_20) as run:
        feed(run, 1)
    loaded = load_generator(newest_checkpoint(TINY.run_dir))
    recalibrate_batch_norm(model.average, run.calibration_noise)
    assert (generate(loaded, noise) == generate(model.average, noise)).all()


def test_an_epoch_has_its_picture_before_its_checkpoint(tiny, faces_20, monkeypatch):
    """Killed between the two, the run must end the epoch again."""

    def killed(run, epoch):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TrainingRun, "save_seconds", -1)
        patch.setattr(TrainingRun, "end_epoch", killed)
        with TrainingRun(tiny, faces_20) as run:
            feed(run, 3)
    assert len(newest_checkpoint(TINY.run_dir)["history"]) == 2
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 1)
    assert len(newest_checkpoint(TINY.run_dir)["history"]) == 3
    assert len(read_frames(TINY.run_dir / "frames")) == 1
    assert len(list_checkpoints(TINY.run_dir / "ladder")) == 1


@contextmanager
def full_disk(room=100):
    """The system refuses to write more than so many bytes into any one file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_fills_costs_the_steps_since_the_last_checkpoint(tiny, faces_20):
    """At the end of an epoch, where its picture comes first."""
    run = TrainingRun(tiny, faces_20)
    with run:
        feed(run, 4)
    sentence = r"Nothing can be written to .*smoke-sample \(File too large\): make room"
    with (
        pytest.raises(CourseError, match=sentence),
        TrainingRun(tiny, faces_20) as run,
        full_disk(),
    ):
        feed(run, 2)
    assert len(newest_checkpoint(TINY.run_dir)["history"]) == 4
    assert len(read_frames(TINY.run_dir / "frames")) == 1
    run = TrainingRun(tiny, faces_20)
    with full_disk(0), pytest.raises(CourseError, match="Nothing can be written"):
        run.__enter__()
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 2)
    assert len(read_frames(TINY.run_dir / "frames")) == 2
    kept = {path.suffix for path in TINY.run_dir.rglob("*") if path.is_file()}
    assert kept == {".ckpt", ".png", ".npy", ".pid"}


def test_a_run_that_was_killed_while_saving_is_tidied_up(tiny, faces_20):
    ladder = TINY.run_dir / "ladder"
    ladder.mkdir(parents=True)
    for folder in (ladder, ladder.parent):
        (folder / "writing-77.ckpt").write_bytes(b"half")
        (folder / "writing-77.tmp").write_bytes(b"half")
    with TrainingRun(tiny, faces_20):
        pass
    assert not list(ladder.parent.rglob("writing-*"))


@pytest.mark.parametrize("decoded", [False, True])
def test_a_picture_that_is_damaged_after_the_check_gets_a_sentence(
    tiny, faces_20, tmp_path, monkeypatch, decoded
):
    faces = tmp_path / "faces-20"
    shutil.copytree(faces_20, faces)
    if not decoded:
        monkeypatch.setattr(run_module, "decode_once", lambda *arguments: None)
    (faces / "faces" / "011.png").write_bytes(b"no picture any more")
    sentence = r"A picture in .*faces-20 was damaged .*check them again"
    with pytest.raises(CourseError, match=sentence), TrainingRun(tiny, faces) as run:
        assert not decoded
        for _ in run.batches(0):
            pass
    shutil.copy(faces_20 / "faces" / "011.png", faces / "faces")
    with TrainingRun(tiny, faces) as run:  # and the folder is free again
        assert len(list(run.batches(0))) == 3


def test_a_training_that_runs_away_keeps_the_last_good_checkpoint(
    faces_20, monkeypatch
):
    """The real thing: weights leave float32, at times before the loss tells of it."""
    end_epoch = TrainingRun.end_epoch
    model = build_dcgan(TINY)

    def far_too_fast(run, epoch):
        end_epoch(run, epoch)
        ops.assign(model.optimizer_d.learning_rate, ms.Tensor(1e38, ms.float32))

    monkeypatch.setattr(TrainingRun, "end_epoch", far_too_fast)
    monkeypatch.setattr(TrainingRun, "save_seconds", -1)
    with pytest.raises(CourseError) as error:
        train(model, faces_20)
    assert re.search(
        r"^(Training stopped at step [456]:|After step [456], .* not finite).*"
        r"ower the learning rates and start anew with fresh=True\. What was saved "
        r"before is kept in .*smoke-sample",
        str(error.value),
    )
    saved = newest_checkpoint(TINY.run_dir)
    assert len(saved["history"]) >= 3
    for p in model.parameters:
        assert np.isfinite(saved[p.name].asnumpy()).all()


@pytest.mark.parametrize("bad", [(np.nan, 0.5), (0.5, np.inf)])
def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good(tiny, faces_20, bad):
    with (
        pytest.raises(CourseError, match=r"step 5.*Lower the learning") as error,
        TrainingRun(tiny, faces_20) as run,
    ):
        feed(run, 4)
        run.record(*(ms.Tensor(loss, ms.float32) for loss in bad))
    assert str(TINY.run_dir) in str(error.value)
    saved = newest_checkpoint(TINY.run_dir)
    assert len(saved["history"]) == 3
    assert np.isfinite(saved["history"]).all()


def test_an_interrupt_stops_after_the_batch_and_gives_the_handler_back(
    tiny, faces_20, capsys
):
    mine = signal.getsignal(signal.SIGINT)
    with TrainingRun(tiny, faces_20) as run:
        for epoch in run.epochs():
            for number, _ in enumerate(run.batches(epoch)):
                if number == 1:
                    os.kill(os.getpid(), signal.SIGINT)
                run.record(ms.Tensor(0.5), ms.Tensor(0.5))
            run.end_epoch(epoch)
    assert run.step == 2
    assert signal.getsignal(signal.SIGINT) is mine
    assert "Stopped after step 2 of 6, all saved" in capsys.readouterr().out
    assert len(newest_checkpoint(TINY.run_dir)["history"]) == 2
    assert not (TINY.run_dir / "frames").exists()


def test_leaving_before_the_first_step_saves_nothing(tiny, faces_20, capsys):
    with TrainingRun(tiny, faces_20):
        pass
    assert list_checkpoints(TINY.run_dir) == []
    assert TrainingRun(tiny, faces_20).step == 0
    assert "damaged" not in capsys.readouterr().out


def test_a_second_interrupt_does_not_wait(tiny, faces_20):
    mine = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), TrainingRun(tiny, faces_20):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is mine


def test_a_stop_is_saved_before_it_is_shown(tiny, faces_20):
    """Drawing takes a while: long enough to press stop again."""

    class View:
        def start(self):
            pass

        def is_due(self):
            return False

        def update(self, *shown):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), TrainingRun(tiny, faces_20, View()) as run:
        os.kill(os.getpid(), signal.SIGINT)
        feed(run, 1)
    assert len(newest_checkpoint(TINY.run_dir)["history"]) == 1


def test_a_view_is_shown_when_it_is_due_and_at_the_end(tiny, faces_20):
    class View:
        shown, due = [], iter([False, True, False, False, False, False])

        def start(self):
            self.shown.append("a place above the bar")

        def is_due(self):
            return next(self.due)

        def update(self, history, steps_per_epoch, pictures):
            self.shown.append((len(history), steps_per_epoch, pictures.shape))

    with TrainingRun(tiny, faces_20, view=View()) as run:
        feed(run, 6)
    faces = (24, 3, 32, 32)
    assert View.shown == ["a place above the bar", (2, 3, faces), (6, 3, faces)]


def test_too_few_pictures_are_refused(tiny, faces_20):
    large = replace_settings(tiny, replace(TINY, batch_size=32))
    with pytest.raises(CourseError, match="20 pictures, fewer than one batch of 32"):
        TrainingRun(large, faces_20)


def saved_run(folder, settings):
    """A run of one epoch that was never trained; returns its model."""
    model = build_dcgan(settings)
    for p in model.average.trainable_params():
        ops.assign(p, p * 3)  # so that it differs from a newly built generator
    history = np.ones((3, 2), np.float32)
    save_checkpoint(folder, model.parameters, history, settings, pictures=20)
    (folder / "frames").mkdir()
    make_frame = np.zeros((8, 8, 3), np.uint8)
    save_picture(make_frame, folder / "frames" / "epoch-0001.png")
    return model


def test_a_loaded_generator_draws_what_the_average_draws(tmp_path):
    model = saved_run(tmp_path / "run", TINY)
    loaded = load_generator(newest_checkpoint(tmp_path / "run"))
    noise = fixed_noise(TINY, 4)
    assert not loaded.training
    np.testing.assert_array_equal(
        generate(loaded, noise), generate(model.average, noise)
    )


def test_a_lesson_finds_its_own_training_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(saved_module, "course_root", lambda: tmp_path)
    weights = tmp_path / "weights" / "class-sample"
    saved_run(weights, TINY)
    assert find_run(TINY).frames == weights / "frames"
    assert "No epoch was trained here yet" in capsys.readouterr().out
    saved_run(TINY.run_dir, TINY)
    assert find_run(TINY).frames == TINY.run_dir / "frames"
    assert "your own training" in capsys.readouterr().out


def test_without_any_training_the_way_on_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_module, "course_root", lambda: tmp_path)
    with pytest.raises(CourseError, match="run lesson 03"):
        find_run(TINY)


HOLDER = """
import os, sys
from dcgan_utils.training.checkpoint import hold
file = hold(sys.argv[1])
file.write(b"%d" % os.getpid())
print("training", flush=True)
sys.stdin.readline()
"""


def test_a_second_process_is_told_and_changes_nothing(tiny, faces_20):
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 3)
    claim = run.folder / "training.pid"
    before = {path.name: path.stat().st_mtime_ns for path in run.folder.iterdir()}
    ready = TrainingRun(tiny, faces_20)
    command = [sys.executable, "-c", HOLDER, str(claim)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    claim.write_text("")
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"training\n"
        # Whatever the clock says: it may have been set since.
        os.utime(claim, (0, 0))
        told = rf"Another kernel \(process {process.pid}\) is training.*DCGAN_BUILD_DIR"
        for fresh in (False, True):
            with pytest.raises(CourseError, match=told):
                TrainingRun(tiny, faces_20, fresh=fresh)
        with pytest.raises(CourseError, match=told), ready:
            pass
        process.kill()
    after = {path.name: path.stat().st_mtime_ns for path in run.folder.iterdir()}
    del before[claim.name], after[claim.name]
    assert after == before
    with TrainingRun(tiny, faces_20) as run:  # killed, it hinders nobody
        feed(run, 1)


@pytest.mark.parametrize("left_behind", ["1", "", "not a number", "\xff"])
def test_the_claim_of_a_dead_process_is_no_hindrance(tiny, faces_20, left_behind):
    """Even where the number is that of a process that lives: of another one, then."""
    run = TrainingRun(tiny, faces_20)
    run.folder.mkdir(parents=True)
    claim = run.folder / "training.pid"
    claim.write_text(left_behind, encoding="latin-1")
    later = time.time() + 1e6  # the clock was set back since
    os.utime(claim, (later, later))
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 1)


def test_a_run_that_does_not_start_lets_the_folder_go(tiny, faces_20, monkeypatch):
    """Such as by a Ctrl-C while it decodes the pictures."""

    def stopped(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "decode_once", stopped)
        run = TrainingRun(tiny, faces_20)
        with pytest.raises(KeyboardInterrupt):
            run.__enter__()
    with TrainingRun(tiny, faces_20):
        pass


def test_a_read_only_folder_gets_a_sentence(tiny, faces_20):
    with public_folder() as folder:
        model = replace_settings(tiny, replace(TINY, out=str(folder / "run")))
        with TrainingRun(model, faces_20) as run:
            feed(run, 3)
        for path in [run.folder, *run.folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        # A folder of a student's own faces, which nobody can read, too.
        shutil.copytree(faces_20, folder / "faces")
        for path in (folder / "faces", folder / "faces" / "faces"):
            path.chmod(0o755)
        with nobody():
            run = TrainingRun(model, folder / "faces")
            assert run.step == 3
            with pytest.raises(
                CourseError, match=r"Nothing can be written.*Permission"
            ):
                run.__enter__()
            with pytest.raises(
                CourseError, match=r"Nothing can be written.*Permission"
            ):
                TrainingRun(model, folder / "faces", fresh=True)
        run.folder.chmod(0o755)
        assert len(newest_checkpoint(run.folder)["history"]) == 3


def test_a_folder_that_cannot_be_written_gets_a_sentence(tiny, faces_20):
    run = TrainingRun(tiny, faces_20)
    run.folder.parent.mkdir(parents=True)
    run.folder.write_text("a file where the folder should be")
    with pytest.raises(CourseError, match=r"Nothing can be written.*DCGAN_BUILD_DIR"):
        run.__enter__()


def test_the_folder_is_claimed_until_the_last_save_is_done(
    tiny, faces_20, monkeypatch, capsys
):
    claimed = []
    with TrainingRun(tiny, faces_20) as run:
        feed(run, 1)
        save = run.save
        claim = run.folder / "training.pid"
        monkeypatch.setattr(
            run, "save", lambda: (claimed.append(hold(claim) is None), save())
        )
    assert claimed == [True]
    hold(claim).close()
