"""The folder of a training: one process at a time, whole files, nothing else."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from rights import nobody, public_folder
from sample_files import tree
from small_runs import TINY, full_disk

from dcgan_utils import CourseError
from dcgan_utils.show.grids import make_grid, read_frames
from dcgan_utils.taught.results import generate
from dcgan_utils.training import state as state_module
from dcgan_utils.training.checkpoint import list_checkpoints, read_checkpoint
from dcgan_utils.training.noise import fixed_noise
from dcgan_utils.training.run_folder import RunFolder
from dcgan_utils.training.state import TrainingState


@pytest.fixture
def state(tiny, pictures):
    state = TrainingState(tiny, pictures)
    state.losses = [[0.5, 0.25]] * 3
    return state


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "new" / "run")


def test_an_epoch_is_kept_and_its_batch_norm_measured_once(folder, state, monkeypatch):
    measure, measured = state_module.recalibrate_batch_norm, []

    def note(generator, noise):
        measured.append(len(noise))
        measure(generator, noise)

    monkeypatch.setattr(state_module, "recalibrate_batch_norm", note)
    folder.save_epoch(1, state)
    assert measured == [512]
    (frame,) = read_frames(folder.frames)
    drawn = generate(state.model.average, fixed_noise(TINY))
    assert (frame == make_grid(drawn)).all()
    saved = read_checkpoint(folder.path / "step-0000003.ckpt")
    rung = read_checkpoint(folder.ladder / "step-0000003.ckpt")
    for entries in (saved, rung):
        assert entries["settings"] == TINY
        assert entries["pictures"] == 20
        assert entries["fingerprint"] == state.pictures.fingerprint()
        assert (entries["history"] == np.float32([0.5, 0.25])).all()
    for p in state.model.parameters:
        assert (saved[p.name].asnumpy() == p.asnumpy()).all(), p.name
        assert (p.name in rung) == p.name.startswith("average.")


def test_the_folder_keeps_two_checkpoints_and_the_ladder_all_rungs(folder, state):
    for epoch in (1, 2, 3, 4):
        folder.save_epoch(epoch, state)
        state.losses = state.losses + [[0.5, 0.25]] * 3
    for where, steps in ((folder.path, [9, 12]), (folder.ladder, [3, 9])):
        assert [int(path.stem[5:]) for path in list_checkpoints(where)] == steps


def test_a_training_is_deleted_and_nothing_else(folder, state):
    folder.save_epoch(1, state)
    mine = ["thesis.txt", "step-best.ckpt", "frames/holiday.png", "ladder/step-3.ckpt"]
    for name in mine:
        (folder.path / name).write_text("three years of work")
    folder.delete_training()
    assert tree(folder.path) == sorted(["frames", "ladder", *mine])


def test_what_a_killed_process_half_wrote_goes(folder, state):
    folder.save_epoch(1, state)
    for where in (folder.path, folder.frames, folder.ladder):
        (where / ".writing-77-step-0000006.tmp").write_bytes(b"half")
    with folder.locked():
        assert not [name for name in tree(folder.path) if "writing" in name]


def test_one_process_holds_the_folder_until_it_ends(folder):
    program = """
import sys
from pathlib import Path
from dcgan_utils.training.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("training", flush=True)
    sys.stdin.readline()
"""
    command = [sys.executable, "-c", program, str(folder.path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"training\n"
        told = rf"Process {process.pid} is training.*DCGAN_BUILD_DIR"
        with pytest.raises(CourseError, match=told), folder.locked():
            pass
        process.send_signal(signal.SIGKILL)
    # Whatever the file says: not even the number of a process that lives matters.
    for left_behind in ("1", "", "\xff"):
        path = folder.path / "training.pid"
        path.write_text(left_behind, encoding="latin-1")
        with folder.locked():
            assert path.read_text() == str(os.getpid())


def test_a_folder_that_cannot_be_written_gets_a_sentence_and_is_let_go(state):
    def told(reason):
        sentence = rf"Nothing can be written to .*\({reason}\): make .*DCGAN_BUILD_DIR"
        return pytest.raises(CourseError, match=sentence)

    with public_folder() as top:
        (top / "file").touch()
        with told("Not a directory"), RunFolder(top / "file" / "run").locked():
            pass
        folder = RunFolder(top / "run")
        with told("File too large"), full_disk(0), folder.locked():
            pass
        with folder.locked(), told("File too large"), full_disk():
            folder.save_epoch(1, state)
        assert tree(folder.path) == ["frames", "training.pid"]
        folder.save_epoch(1, state)
        for path in [folder.path, *folder.path.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        with nobody():
            with told("Permission denied"), folder.locked():
                pass
            with told("Permission denied"):
                folder.delete_training()
            assert len(folder.newest()["history"]) == 3
