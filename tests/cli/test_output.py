"""A training whose output nobody reads any more."""

import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import pytest
from shell import SMALL

from dcgan_utils.training.checkpoint import newest_checkpoint

TOP = Path(__file__).parents[2]


def start(words):
    """Run ``dcgan WORDS 2>&1 |`` in a process of its own, unbuffered."""
    command = [sys.executable, "-u", "-m", "dcgan_utils", *words.split()]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    return Popen(command, env=environment, stdout=PIPE, stderr=STDOUT, text=True)


@pytest.mark.parametrize(
    ("line", "number", "code"),
    [("", None, 0), ("results in", signal.SIGINT, 130)],
    ids=["head -1", "Ctrl-C that stops tee, too"],
)
def test_a_closed_pipe_ends_no_training(line, number, code, photos, tmp_path):
    epochs = 1000 if number else 1
    words = f"train --data {photos} --out {tmp_path / 'run'} {SMALL} --epochs {epochs}"
    process = start(words)
    while line not in (seen := process.stdout.readline()):
        assert seen, process.wait()
    if number:  # the first epoch is over: its signals are caught
        while not newest_checkpoint(tmp_path / "run"):
            assert process.poll() is None
    process.stdout.close()
    if number:
        process.send_signal(number)
    assert process.wait() == code
    assert len(newest_checkpoint(tmp_path / "run")["history"]) >= 3
