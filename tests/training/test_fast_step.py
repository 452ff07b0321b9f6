"""The step that draws its fakes once computes what the taught step computes."""

from dataclasses import replace

import mindspore as ms
import numpy as np
import pytest
from small_runs import TINY

from dcgan_utils.taught.distributed import Place
from dcgan_utils.taught.training import make_train_step
from dcgan_utils.training import model as model_module
from dcgan_utils.training.fast_step import make_fast_step
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.noise import step_noise


def train(make, steps=3):
    """Losses [steps, 2] and all numbers by name after some steps of TINY."""
    model = build_dcgan(replace(TINY, real_label=0.9))
    networks = model.generator.set_train(), model.discriminator.set_train()
    step = make(*networks, model.optimizer_g, model.optimizer_d, 0.9)
    rng, losses = np.random.default_rng(0), []
    for number in range(steps):
        real = ms.Tensor(rng.uniform(-1, 1, (8, 3, 32, 32)), ms.float32)
        pair = step(real, step_noise(TINY, number))
        losses.append([loss.asnumpy() for loss in pair])
    return np.array(losses), {p.name: p.asnumpy() for p in model.parameters}


@pytest.fixture(scope="module")
def taught():
    return train(make_train_step)


def one_by_one(monkeypatch):
    """make_train_step with nothing compiled."""
    monkeypatch.setattr(ms, "jit", lambda function: function)
    return make_train_step


@pytest.mark.parametrize("form", ["fast", "not compiled"])
def test_losses_weights_and_moments_are_those_of_the_taught_step(
    taught, form, monkeypatch
):
    """The taught step itself against plain Python, too: compiled as one function, it
    let G hear a mixture of the old D and the new."""
    make = make_fast_step if form == "fast" else one_by_one(monkeypatch)
    losses, numbers = train(make)
    np.testing.assert_allclose(losses, taught[0], rtol=1e-4)
    for name, expected in taught[1].items():
        if "moving" not in name:  # G's take each batch in once here, twice there
            limit = 1e-3 * np.abs(expected).max()
            np.testing.assert_allclose(
                numbers[name], expected, rtol=0, atol=limit, err_msg=name
            )


def test_g_hears_the_new_d(taught):
    """With a D that does not move, G's first loss is another."""

    def make(generator, discriminator, optimizer_g, optimizer_d, real_label):
        optimizer_d.learning_rate.set_data(ms.Tensor(0.0))
        parts = generator, discriminator, optimizer_g, optimizer_d
        return make_fast_step(*parts, real_label)

    losses, _ = train(make, steps=1)
    assert losses[0, 0] == pytest.approx(taught[0][0, 0], rel=1e-5)
    assert taught[0][0, 1] > losses[0, 1] + 0.01  # trained, it sees through them


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_alone_takes_the_fast_step_and_workers_the_taught_one(
    monkeypatch, workers
):
    for name in ("make_fast_step", "make_train_step"):
        monkeypatch.setattr(model_module, name, lambda *parts, name=name: name)
    parts = dict.fromkeys(("generator", "discriminator", "average"))
    optimizers = dict.fromkeys(("optimizer_g", "optimizer_d"))
    model = model_module.DCGAN(TINY, **parts, **optimizers, place=Place(0, workers))
    chosen = "make_fast_step" if workers == 1 else "make_train_step"
    assert model.train_step() == chosen
