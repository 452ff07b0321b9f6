"""The benchmarks still run: contestants train, recipes are settings that exist."""

import importlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest

from dcgan_utils.settings import PROFILES
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.noise import step_noise

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def recipes(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))  # MindSpore looks the module up by name
    return importlib.import_module("recipes")


@pytest.mark.parametrize("kind", ["ours", "published"])
def test_a_contestant_trains_as_often_as_it_is_told(kind):
    done = subprocess.run(
        [sys.executable, FOLDER / "contestant.py", kind, "32", "4", "3", "4"],
        input="2\n1\n",
        capture_output=True,
        text=True,
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seconds = [float(line) for line in done.stdout.split()]
    assert len(seconds) == 3
    assert min(seconds) > 0


def test_every_recipe_is_the_class_profile_with_other_values(recipes):
    for name, changes in recipes.RECIPES.items():
        settings = replace(PROFILES["class"], **changes)
        same = settings == PROFILES["class"] and name not in recipes.STEPS
        assert same == (name == "class"), name


def step_of(recipes, kind):
    """The losses and G's first weights after a step of a recipe of its own."""
    settings = replace(PROFILES["smoke"], image_size=32, batch_size=4)
    model = build_dcgan(settings)
    model.generator.set_train()
    model.discriminator.set_train()
    step = recipes.STEPS[kind](model) if kind in recipes.STEPS else model.train_step()
    real = np.random.default_rng(1).uniform(-1, 1, (4, 3, 32, 32)).astype(np.float32)
    losses = [x.asnumpy() for x in step(ms.Tensor(real), step_noise(settings, 0))]
    return losses, model.generator.trainable_params()[0].asnumpy()


def test_the_recipes_with_steps_of_their_own_differ_in_what_g_hears(recipes):
    """D's first loss is the same; G is judged by the old D, or on other fakes."""
    kinds = ("class", "before", "fresh noise for G")
    (ours, weights), *others = [step_of(recipes, kind) for kind in kinds]
    for losses, other_weights in others:
        assert losses[0] == pytest.approx(ours[0], rel=1e-5)
        assert abs(losses[1] - ours[1]) > 1e-3
        assert np.abs(other_weights - weights).max() > 0
