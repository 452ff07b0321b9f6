"""Faults on the way: killed again and again, and stopped in a notebook."""

import json
import os
import random
import re
import sys
import time
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

from jupyter_client.manager import start_new_kernel

from dcgan_utils.training.checkpoint import list_checkpoints, newest_checkpoint

TESTS = Path(__file__).parents[1]
PATH = f"{TESTS.parent}{os.pathsep}{TESTS}"

# Trains TINY for so many epochs into a folder, saves after every step, and says so.
TRAIN = """
from dataclasses import replace
from dcgan_utils.device import choose_device
choose_device("cpu")
from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.taught.training import train
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.run import TrainingRun
from small_runs import TINY

class Run(TrainingRun):
    save_seconds = -1

    def record(self, *losses):
        super().record(*losses)
        print("step", self.step, flush=True)

model = build_dcgan(replace(TINY, epochs={epochs}, out={out!r}))
history = train(model, Run(model, look_at_folder({faces!r}, 32)))
"""


def start(faces, out):
    program = TRAIN.format(epochs=20, out=str(out), faces=str(faces))
    environment = {**os.environ, "PYTHONPATH": PATH}
    options = {"env": environment, "stdout": PIPE, "stderr": STDOUT, "text": True}
    return Popen([sys.executable, "-c", program], **options)


def half_written(folder):
    return [*folder.glob(".writing-*"), *folder.glob("*/.writing-*")]


def kill(process, folder, steps, in_saving):
    """Kill a training after so many of its steps; returns what it printed."""
    printed = ""
    while printed.count("\nstep ") < steps:
        printed += process.stdout.readline()
        assert process.poll() is None, printed
    while in_saving and not half_written(folder) and process.poll() is None:
        time.sleep(0.0005)
    time.sleep(random.uniform(0, 0.003 if in_saving else 0.1))
    process.kill()
    return printed + process.communicate()[0]


def test_a_training_killed_again_and_again_ends_as_an_unbroken_one(
    tmp_path, faces_20, capsys
):
    """To the last bit; on the way every checkpoint is whole, and no step is lost."""
    one, two = tmp_path / "unbroken", tmp_path / "killed"
    caught = done = 0
    for number in range(6):
        process = start(faces_20, two)
        in_saving = number % 2 == 1
        printed = kill(process, two, random.randint(1, 3), in_saving)
        assert process.returncode == -9, printed
        assert f"Going on from step {done} of 60" in printed or not done
        caught += bool(half_written(two))
        known = int(re.findall(r"^step (\d+)", printed, re.M)[-1])
        done = len(newest_checkpoint(two)["history"])
        assert done >= known - (known % 3 == 0)  # an epoch is saved after its picture
        assert len(list_checkpoints(two)) <= 3
    assert caught >= 1  # nearly all kills meant for it hit
    assert "damaged" not in capsys.readouterr().out
    for out in (two, one):
        printed = start(faces_20, out).communicate()[0]
        assert "Error" not in printed
    for path in one.rglob("*"):
        if path.suffix in (".ckpt", ".png"):
            assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()
    for folder in (one, two):  # the last checkpoints, the ladder, the frames
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert len(files) == 2 + 3 + 20 + 3  # and lock, settings, history: no half one
    lines = (two / "history.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in lines]
    assert [line["step"] for line in lines] == list(range(1, 61))
    losses = [[line["loss_d"], line["loss_g"]] for line in lines]
    assert losses == newest_checkpoint(one)["history"].tolist()


def test_the_stop_button_of_a_notebook(faces_20, tmp_path):
    """A signal in the middle of jitted steps, which replace IPython's handler."""
    out, printed = tmp_path / "run", []
    manager, client = start_new_kernel(env={**os.environ, "PYTHONPATH": PATH})

    def note(message):
        printed.append(message["content"].get("text", ""))
        if "step 7\n" in printed[-1]:
            manager.interrupt_kernel()

    def run_cell(epochs):
        printed.clear()
        cell = TRAIN.format(epochs=epochs, out=str(out), faces=str(faces_20))
        client.execute_interactive(cell, output_hook=note, timeout=120)
        return "".join(printed), len(newest_checkpoint(out)["history"])

    try:
        said, stopped = run_cell(100_000)
        assert stopped >= 7
        assert f"Stopped after step {stopped} of 300,000, all saved. Run the" in said
        # As the message says: the cell again. With few epochs, to see its end.
        epochs = stopped // 3 + 1
        said, steps = run_cell(epochs)
        assert f"Going on from step {stopped} of {3 * epochs}" in said
        assert steps == 3 * epochs
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
