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
        [sys.executable, FOLDER / "contestant.py", kind, "32", "4", "4"],
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
        assert (settings == PROFILES["class"]) == (name in ("class", "D first")), name


def test_the_step_that_trains_d_first_trains_both(recipes):
    settings = replace(PROFILES["smoke"], image_size=32, batch_size=4)
    model = build_dcgan(settings)
    networks = model.generator, model.discriminator
    before = [n.trainable_params()[0].asnumpy().copy() for n in networks]
    for network in networks:
        network.set_train()
    step = recipes.make_d_first_step(model)
    real = np.random.default_rng(1).uniform(-1, 1, (4, 3, 32, 32)).astype(np.float32)
    losses = step(ms.Tensor(real), step_noise(settings, 0))
    assert np.isfinite([loss.asnumpy() for loss in losses]).all()
    for network, weight in zip(networks, before):
        moved = np.abs(network.trainable_params()[0].asnumpy() - weight)
        assert 0 < moved.max() < 2 * settings.generator_rate


def test_sharpness_by_hand(recipes):
    assert recipes.sharpness(np.full((2, 3, 8, 8), 0.3)) == 0
    checks = np.indices((8, 8)).sum(axis=0) % 2 * 2.0 - 1  # -1 and 1 in turn
    assert recipes.sharpness(np.broadcast_to(checks, (1, 3, 8, 8))) == 8 * 127.5
