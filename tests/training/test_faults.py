"""Faults on the way: killed twenty times, stopped in a notebook, twenty epochs long.

What one function does about a fault stands in the tests of its room.
"""

import json
import os
import re
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from dcgan_utils.training.checkpoint import newest_checkpoint

TOP = Path(__file__).parents[2]

# --- killed --------------------------------------------------------------------------

# Forks children that work in a folder, and kills them. It has imported MindSpore, but
# starts no operation of it itself: a fork would not take MindSpore's threads along.
KILLS = """
import itertools, json, os, random, signal, sys, time, traceback, zlib
from dataclasses import replace
from pathlib import Path
import mindspore as ms
import numpy as np
from dcgan_utils.training import model as model_module
from dcgan_utils.training import run as run_module
from dcgan_utils.training.checkpoint import (
    list_checkpoints,
    newest_checkpoint,
    save_checkpoint,
)
from dcgan_utils.settings import PROFILES
from dcgan_utils.device import choose_device

choose_device("cpu")
faces, top = sys.argv[1], Path(sys.argv[2])
tiny = replace(PROFILES["smoke"], face_count=20, batch_size=8, image_size=32,
               generator_maps=4, discriminator_maps=4, epochs=20)
chance = random.Random(time.time_ns())
found = {"kills": 0, "inside saving": 0, "problems": []}


def train(folder, sign, save_seconds=-1):  # -1: after every step
    save = run_module.TrainingRun.save

    def save_and_say(run):
        save(run)
        sign(run.step)

    run_module.TrainingRun.save = save_and_say
    run_module.TrainingRun.save_seconds = save_seconds
    model = model_module.build_dcgan(replace(tiny, out=str(folder)))
    run_module.train(model, faces)


def save_on_and_on(folder, sign):
    saved = newest_checkpoint(folder)
    step = len(saved["history"]) if saved else 0
    if saved:
        print(f"Going on from step {step:,} of many.")
        for name in "abcd":
            assert (saved[name].asnumpy() == step).all(), "a mixture of two steps"
    for step in itertools.count(step + 1):
        parts = [ms.Parameter(np.full((64, 512), step, "f"), name=n) for n in "abcd"]
        save_checkpoint(folder, parts, np.zeros((step, 2)), tiny, 20)
        sign(step)


def start(work, folder, *more):
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, os.fdopen(reading)
    log = os.open(top / f"{folder.name}.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        work(folder, lambda step: os.write(writing, b"%d\\n" % step), *more)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(0)


def half_written(folder):
    return list(folder.glob("writing-*")) + list(folder.glob("ladder/writing-*"))


def look_at(folder, known):
    steps = [int(path.stem[5:]) for path in list_checkpoints(folder)]
    if len(steps) > 3 or max(steps, default=0) < known:
        found["problems"].append(f"{known} steps were saved, and there are {steps}")
    for path in list_checkpoints(folder) + list_checkpoints(folder / "ladder"):
        content = path.read_bytes()
        if zlib.crc32(content[:-17]) != int.from_bytes(content[-10:], "big"):
            found["problems"].append(f"{path} is not whole")


def kill(work, folder, signs, seconds, in_saving):
    child, said = start(work, folder)
    known = 0
    for _ in range(signs):
        known = int(said.readline() or 0)
    deadline = time.monotonic() + 60
    while in_saving and not half_written(folder) and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    known = max([known, *map(int, said.read().split())])
    found["kills"] += os.WIFSIGNALED(status)
    found["inside saving"] += bool(half_written(folder))
    look_at(folder, known)


def moment(inside):
    return chance.uniform(0, 0.003 if inside else 0.1)


for inside in [False, True] * 5:
    kill(save_on_and_on, top / "saved", 1, moment(inside), inside)
for _ in range(2):  # while it loads and compiles
    kill(train, top / "killed", 0, chance.uniform(0.1, 2), False)
for inside in [False, True] * 4:
    kill(train, top / "killed", chance.randint(1, 3), moment(inside), inside)
for name, seconds in (("killed", -1), ("unbroken", 300)):
    child, said = start(train, top / name, seconds)
    os.waitpid(child, 0)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory, run_program, faces_20):
    top = tmp_path_factory.mktemp("killed")
    printed = run_program(KILLS, faces_20, top)
    return top, json.loads(printed.splitlines()[-1])


def test_after_twenty_kills_every_checkpoint_is_whole_and_none_was_lost(killed):
    top, found = killed
    assert found["problems"] == []
    assert found["kills"] == 20
    assert found["inside saving"] >= 3  # the kills meant for it nearly all hit
    for name in ("saved", "killed"):
        log = (top / f"{name}.log").read_text()
        assert "damaged" not in log
        assert "Error" not in log
        # The next child took up what there was: all but the first of each folder, and
        # perhaps the two that were killed at the start.
        assert log.count("Going on from step") >= 8


def test_a_training_killed_ten_times_ends_as_an_unbroken_one(killed):
    """To the last bit: checkpoint, ladder and frames; and no rubbish is left."""
    top, _ = killed
    files = {}
    for name in ("killed", "unbroken"):
        paths = sorted(p for p in (top / name).rglob("*") if p.is_file())
        files[name] = {str(p.relative_to(top / name)): p for p in paths}
    one, two = files["unbroken"], files["killed"]
    kept = {"step-0000057.ckpt", "step-0000059.ckpt"}  # of the last save but one
    assert set(one) - kept == set(two) - kept
    assert not [name for name in two if "writing" in name or name.endswith(".part")]
    compared = 0
    for name in set(one) & set(two):
        if name.endswith((".ckpt", ".png")):
            assert one[name].read_bytes() == two[name].read_bytes(), name
            compared += 1
    assert compared == 1 + 3 + 20  # the last checkpoint, the ladder, the frames


# --- stopped in a notebook -----------------------------------------------------------

CELL = """
from dataclasses import replace
from dcgan_utils.settings import PROFILES
from dcgan_utils.device import choose_device
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.run import train
choose_device("cpu")
tiny = replace(PROFILES["smoke"], face_count=20, batch_size=8, image_size=32,
               generator_maps=4, discriminator_maps=4, epochs=EPOCHS)
history = train(build_dcgan(tiny), FACES)
"""


def run_cell(manager, client, code, interrupt_when=None):
    """Run a cell; what it printed, and the error's name or None."""
    printed, error = [], None
    request = client.execute(code)
    while True:
        if interrupt_when and interrupt_when():
            manager.interrupt_kernel()
            interrupt_when = None
        try:
            message = client.get_iopub_msg(timeout=0.05)
        except Exception:  # queue.Empty: nothing yet
            assert manager.is_alive()
            continue
        if message["parent_header"].get("msg_id") != request:
            continue
        content = message["content"]
        printed.append(content.get("text", ""))
        error = content.get("ename", error)
        if content.get("execution_state") == "idle":
            return "".join(printed), error


def test_the_stop_button_of_a_notebook(faces_20, tmp_path):
    """A signal in the middle of jitted steps, which replace IPython's handler."""
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    frames = tmp_path / "build" / "smoke-sample" / "frames"
    cell = CELL.replace("FACES", repr(str(faces_20)))
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    try:
        printed, error = run_cell(
            manager,
            client,
            cell.replace("EPOCHS", "100_000"),
            lambda: (frames / "epoch-0002.png").exists(),
        )
        assert error is None, printed
        stopped = re.search(r"Stopped after step ([\d,]+) ", printed)
        stopped = int(stopped[1].replace(",", ""))
        assert stopped >= 6
        assert f"step {stopped:,} of 300,000, all saved. Run the cell again" in printed
        saved = newest_checkpoint(frames.parent)
        assert len(saved["history"]) == stopped
        # As the message says: the cell again. With few epochs, to see its end.
        epochs = str(stopped // 3 + 1)
        printed, error = run_cell(manager, client, cell.replace("EPOCHS", epochs))
        assert error is None, printed
        assert f"Going on from step {stopped:,} of " in printed
        assert len(newest_checkpoint(frames.parent)["history"]) == 3 * int(epochs)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


# --- twenty epochs -------------------------------------------------------------------

# Trains twenty epochs from the decoded pictures, then twenty from the files. With a
# third argument it keeps every batch, as a leak would.
MEMORY = """
import json, sys
from dataclasses import replace
import psutil
from dcgan_utils.training import model as model_module
from dcgan_utils.training import run as run_module
from dcgan_utils.settings import PROFILES
from dcgan_utils.device import choose_device

choose_device("cpu")
settings = replace(PROFILES["smoke"], face_count=20, generator_maps=4,
                   discriminator_maps=4, epochs=20)  # 2 steps an epoch, 64 × 64
used, kept = [], []
batches, end_epoch = run_module.TrainingRun.batches, run_module.TrainingRun.end_epoch


def keep(run, epoch):
    for real in batches(run, epoch):
        if sys.argv[2:]:
            kept.append(real.asnumpy().copy())
        yield real


def note(run, epoch):
    end_epoch(run, epoch)
    used.append(psutil.Process().memory_info().rss)


run_module.TrainingRun.batches, run_module.TrainingRun.end_epoch = keep, note
for way in ("decoded", "files"):
    if way == "files":
        run_module.decode_once = lambda *arguments: None
    model = model_module.build_dcgan(settings)
    run_module.train(model, sys.argv[1], fresh=True)
print(json.dumps(used))
"""
BATCH = 16 * 3 * 64 * 64 * 4  # bytes


def test_memory_does_not_grow_with_the_epochs(run_program, faces_20, tmp_path):
    printed = run_program(MEMORY, faces_20, DCGAN_BUILD_DIR=tmp_path)
    used = json.loads(printed.splitlines()[-1])
    assert len(used) == 40
    for way in (used[:20], used[20:]):
        early, late = min(way[3:7]), min(way[16:])
        # One batch kept in each of the 2 · 13 steps between would be 20 MB.
        assert late - early < 2 * 13 * BATCH / 2, [round(u / 1e6) for u in way]
