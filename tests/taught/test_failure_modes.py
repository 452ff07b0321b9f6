"""Each detector fires on the run that is broken its way, and is silent on good ones."""

import re

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops

from dcgan_utils.pictures.portrait import draw_face, random_labels
from dcgan_utils.settings import course_root
from dcgan_utils.taught.failure_modes import (
    batch_norm_astray,
    collapsed,
    discriminator_won,
    epsilon_too_large,
    labels_swapped,
    modes_covered,
    noise_not_fixed,
    picture_distances,
    uneven_stamps,
    wrong_range,
)
from dcgan_utils.taught.networks import Discriminator, Generator
from dcgan_utils.taught.results import generate
from dcgan_utils.taught.training import discriminator_loss, generator_loss
from dcgan_utils.training.checkpoint import (
    list_checkpoints,
    newest_checkpoint,
    read_checkpoint,
)
from dcgan_utils.training.sampling import load_generator
from dcgan_utils.training.toys import MODES, draw_ring, ring_networks, train_briefly
from dcgan_utils.training.warnings import REMEDIES, warnings_of

WEIGHTS = course_root() / "weights" / "class-sample"


def noise(count=64, seed=0):
    rng = np.random.default_rng(seed)
    return ms.Tensor(rng.standard_normal((count, 100, 1, 1)), ms.float32)


def sample_faces(count, side):
    """Sample faces [count, 3, side, side] in [-1, 1]."""
    faces = []
    for i in range(count):
        rng = np.random.default_rng([7, i])
        face = draw_face(random_labels(rng), rng, size=96).convert("RGB")
        faces.append(np.asarray(face.resize((side, side)), np.float32))
    return np.stack(faces).transpose(0, 3, 1, 2) / 127.5 - 1


@pytest.fixture(scope="module")
def faces():
    return sample_faces(96, 32)


@pytest.fixture(scope="module")
def class_run():
    """The course's own training: its newest checkpoint, its generators, real faces."""
    rungs = [read_checkpoint(path) for path in list_checkpoints(WEIGHTS / "ladder")]
    saved = newest_checkpoint(WEIGHTS)
    rungs = [rung for rung in rungs if len(rung["history"]) < len(saved["history"])]
    ladder = [load_generator(rung) for rung in [*rungs, saved]]
    return {"saved": saved, "ladder": ladder, "real": sample_faces(64, 64)}


def saturating_loss(p_fake):
    return ops.log(1 - p_fake).mean()


def swapped_loss(p_real, p_fake):
    return discriminator_loss(p_fake, p_real)


def short_run(faces, seed, steps, head_start=0, **changes):
    """The losses of a short run of small networks, and 64 pictures that it draws."""
    ms.set_seed(seed)
    generator, discriminator = Generator(100, 8, 32), Discriminator(8, 32)
    for _ in train_briefly(
        generator, discriminator, faces, head_start, rates=(0.0, 2e-3)
    ):
        pass
    losses = list(
        train_briefly(generator, discriminator, faces, steps, seed=seed, **changes)
    )
    return np.array(losses), generate(generator, noise())


@pytest.fixture(scope="module", params=(1, 2))
def runs(request, faces):
    """Good and broken runs of one seed by name: (history, made pictures)."""
    seed = request.param
    late = {"steps": 140, "head_start": 120, "rates": (4e-4, 2e-3)}
    return {
        "good": short_run(faces, seed, 200),
        "slow D": short_run(faces, seed, 100, rates=(4e-4, 4e-5)),
        "swapped": short_run(faces, seed, 110, losses=(swapped_loss, generator_loss)),
        "late": short_run(faces, seed, **late),
        "late, saturating": short_run(
            faces, seed, **late, losses=(discriminator_loss, saturating_loss)
        ),
    }


# --- mode collapse ---------------------------------------------------------------


def test_modes_are_counted_exactly():
    modes = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    points = np.repeat(modes, (98, 1, 1), axis=0)
    assert modes_covered(points, modes) == 3  # a share of 1 % is enough
    assert modes_covered(points, modes, share=0.02) == 1
    assert modes_covered(points + [0.29, 0], modes) == 3
    assert modes_covered(points + [0.31, 0], modes) == 0
    assert modes_covered(draw_ring(1000), MODES) == 8


@pytest.mark.parametrize("seed", (1, 2))
@pytest.mark.parametrize(
    ("rate_d", "steps", "covered"), [(2e-3, 1300, {8}), (2e-4, 400, {0, 1, 2})]
)
def test_a_slow_discriminator_lets_the_ring_collapse(seed, rate_d, steps, covered):
    generator, discriminator = ring_networks(seed)
    rates, ring = (2e-3, rate_d), draw_ring(10_000)
    game = train_briefly(generator, discriminator, ring, steps, rates, latent=(16,),
                batch_size=256, seed=seed)  # fmt: skip
    assert len(list(game)) == steps
    z = np.random.default_rng(0).standard_normal((1000, 16), np.float32)
    assert modes_covered(generator(ms.Tensor(z)).asnumpy(), MODES) in covered


def test_distances_see_large_features_only():
    black, white = np.full((1, 3, 16, 16), -1.0), np.full((2, 3, 16, 16), 1.0)
    assert picture_distances(black, white).tolist() == [[2, 2]]
    mesh = black + 0.5 * (-1.0) ** np.arange(16)
    assert picture_distances(black, mesh) == 0


def test_collapse_fires_on_a_slow_discriminator_only(runs, faces):
    assert collapsed(faces, runs["slow D"][1]).fires
    assert not collapsed(faces, runs["good"][1]).fires


def test_collapse_onto_a_few_pictures_fires(faces):
    assert collapsed(faces, np.repeat(faces[:8], 8, axis=0)).fires
    assert not collapsed(faces[48:], faces[:48]).fires


def test_collapse_compares_as_many_real_ones_as_made_ones(faces):
    assert collapsed(faces, faces[:24]).found == collapsed(faces[:24], faces[:24]).found


# --- losses ----------------------------------------------------------------------


def test_a_discriminator_that_has_won_is_found_under_the_saturating_loss(runs):
    for name, (history, _) in runs.items():
        wins = name in ("late, saturating", "swapped")  # no one disturbs it there
        assert discriminator_won(history).fires == wins, name


def test_the_floor_of_ds_loss_follows_the_label():
    smooth = np.full((100, 2), (0.1626, 9.0))
    assert discriminator_won(smooth, real_label=0.9).fires
    assert not discriminator_won(smooth, real_label=1.0).fires
    assert not discriminator_won(smooth + 0.02, real_label=0.9).fires
    assert not discriminator_won(smooth[:99], real_label=0.9).fires, "too few steps"


def test_swapped_labels_are_found_and_nothing_else(runs):
    for name, (history, _) in runs.items():
        assert labels_swapped(history).fires == (name == "swapped"), name


def test_right_labels_never_break_the_bound():
    rng = np.random.default_rng(1)
    history, swapped = [], []
    for _ in range(200):
        real = ms.Tensor(rng.beta(*rng.uniform(0.1, 5, 2), (16, 1)), ms.float32)
        fake = ms.Tensor(rng.beta(*rng.uniform(0.1, 5, 2), (16, 1)), ms.float32)
        loss_g = float(generator_loss(fake))
        history.append((float(discriminator_loss(real, fake)), loss_g))
        swapped.append((float(discriminator_loss(fake, real)), loss_g))
    assert " 0% of the steps" in labels_swapped(np.array(history), 200).found
    assert " 0% of the steps" not in labels_swapped(np.array(swapped), 200).found


def test_the_saturating_loss_is_left_out():
    history = np.full((120, 2), (1e-6, 0.0))  # D has won so much that log(1 − p) is 0
    assert labels_swapped(history).fires
    history[0] = 0.69, -0.69  # only this loss goes below 0
    assert not labels_swapped(history).fires


def test_a_generator_told_to_be_found_out_is_found_too():
    # D knows fakes from real ones; G is trained with the label 0, and likes it.
    assert labels_swapped(np.full((20, 2), (0.1, 0.05))).fires


# --- pictures and noise ----------------------------------------------------------


def test_ranges(faces):
    assert not wrong_range(faces).fires
    assert wrong_range((faces + 1) / 2).fires
    assert wrong_range((faces + 1) * 127.5).fires


@pytest.mark.parametrize("seed", range(5))
def test_noise_drawn_anew_is_found(class_run, seed):
    old, new = class_run["ladder"][-2:]
    before, after = generate(old, noise()), generate(new, noise())
    assert not noise_not_fixed(before, after).fires
    assert noise_not_fixed(before, generate(new, noise(seed=seed + 1))).fires


# --- networks --------------------------------------------------------------------


def statistics(generator):
    return {
        p.name: p.asnumpy().copy()
        for p in generator.get_parameters()
        if "moving_" in p.name
    }


def test_the_mode_of_batch_norm(class_run):
    generator = class_run["ladder"][-1]
    kept = statistics(generator)
    assert not batch_norm_astray(generator, noise()).fires
    verdict = batch_norm_astray(generator.set_train(True), noise())
    assert verdict.fires and verdict.failure == "batch norm in training mode"
    assert generator.training, "the mode is left as it was"
    generator.set_train(False)
    for name, value in statistics(generator).items():
        assert (value == kept[name]).all(), f"{name} is left as it was"


def test_statistics_that_were_never_measured(class_run):
    generator = load_generator(class_run["saved"])
    for p in generator.get_parameters():
        if "moving_mean" in p.name:
            ops.assign(p, ops.zeros_like(p))
        elif "moving_variance" in p.name:
            ops.assign(p, ops.ones_like(p))
    verdict = batch_norm_astray(generator, noise())
    assert verdict.fires and verdict.failure == "batch norm without statistics"


def test_momentum_given_as_epsilon():
    for network in (Generator(100, 8, 64), Discriminator(8, 64)):
        assert not epsilon_too_large(network).fires
        place = next(i for i, c in enumerate(network.layers) if hasattr(c, "eps"))
        maps = network.layers[place].num_features
        network.layers[place] = nn.BatchNorm2d(maps, 0.8)
        assert epsilon_too_large(network).fires
        network.layers[place] = nn.BatchNorm2d(maps, momentum=0.8)
        assert not epsilon_too_large(network).fires


@pytest.mark.parametrize("side", (32, 64, 96, 128))
def test_uneven_stamps(side):
    generator = Generator(100, 8, side)
    assert not uneven_stamps(generator).fires
    for kernel, uneven in ((2, False), (3, True), (5, True), (6, False)):
        generator.layers[-2] = nn.Conv2dTranspose(8, 3, kernel, 2, "same")
        assert uneven_stamps(generator).fires == uneven


# --- in the training loop --------------------------------------------------------


def test_nothing_warns_of_the_good_class_run(class_run):
    saved, ladder, real = class_run["saved"], class_run["ladder"], class_run["real"]
    label, before = saved["settings"].real_label, generate(ladder[-2], noise())
    made = generate(ladder[-1], noise())
    history = saved["history"]
    assert warnings_of(history, real, made, before, label, ladder[-1]) == []
    for end in range(100, len(history), 100):
        assert not discriminator_won(history[:end], label).fires, end
        assert not labels_swapped(history[:end]).fires, end


def test_warnings_say_what_to_try(faces):
    won, pale = np.full((200, 2), (0.001, 8.0)), (faces + 1) / 2
    same = np.repeat(faces[:1], 64, axis=0)
    generator = Generator(100, 8, 32)
    generator.layers[1] = nn.BatchNorm2d(32, 0.8)
    generator.layers[-2] = nn.Conv2dTranspose(8, 3, 3, 2, "same")
    found = warnings_of(won, pale, same, same[::-1], generator=generator)
    for failure in (
        "D has won", "wrong range", "mode collapse", "noise not fixed",
        "momentum given as epsilon", "uneven stamps",
    ):  # fmt: skip
        sentence = next(line for line in found if failure in line)
        assert sentence.endswith(f"Try: {REMEDIES[failure]}.")
    assert len(found) == 6
    assert warnings_of(won[:199] + 0.5, faces, same, same) == [], "too early to judge"


def test_every_verdict_has_a_remedy():
    source = (course_root() / "dcgan_utils" / "taught" / "failure_modes.py").read_text(
        "utf-8"
    )
    assert set(re.findall(r'Verdict\("(.+?)"', source)) == set(REMEDIES)
