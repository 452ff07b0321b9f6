"""What the tests share: the device, folders of their own, pictures, fresh processes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOP = Path(__file__).parents[1]
# Errors that a test provokes on purpose are no news.
os.environ["GLOG_v"] = "4"  # noqa: SIM112
os.environ["MPLBACKEND"] = "Agg"

from dcgan_utils.device import choose_device  # noqa: E402

choose_device("cpu")


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """No test reads or writes the course's own data and results."""
    monkeypatch.setenv("DCGAN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DCGAN_BUILD_DIR", str(tmp_path / "build"))
    for name in ("DCGAN_PROFILE", "DCGAN_DATA", "DCGAN_DEVICE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def faces_20(tmp_path_factory):
    """A folder of one class with 20 pictures of 64 × 64: smooth, all different."""
    root = tmp_path_factory.mktemp("faces-20")
    (root / "faces").mkdir()
    rng = np.random.default_rng(20)
    for i in range(20):
        small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))
        small.resize((64, 64), Image.Resampling.BICUBIC).save(
            root / "faces" / f"{i:03d}.png"
        )
    return root


@pytest.fixture(scope="session")
def run_program():
    """Run a Python program in a fresh process; returns what it printed.

    Arguments go to sys.argv; keywords set environment variables, None unsets one.
    """

    def run(program, *arguments, **variables):
        # Unbuffered: what a process has printed before it is killed must be there.
        path = f"{TOP}{os.pathsep}{TOP / 'tests'}"
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
        for name, value in variables.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = str(value)
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
