"""``dcgan train``: what is read, trained, kept, gone on with and begun anew."""

import os
import shutil
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from types import SimpleNamespace

import mindspore as ms
import pytest
from sample_files import picture, tree
from shell import SMALL, assert_refused, dcgan, snapshot

from dcgan_utils.cli import commands
from dcgan_utils.cli.parser import _parser
from dcgan_utils.cli.typed import settings_of
from dcgan_utils.pictures.folder import load_pictures, look_at_folder
from dcgan_utils.taught.distributed import Place
from dcgan_utils.training import run as run_module
from dcgan_utils.training.checkpoint import list_checkpoints, newest_checkpoint

TOP = Path(__file__).parents[2]


def numbers(folder):
    """All that the newest checkpoint of a folder holds, as arrays."""
    saved = newest_checkpoint(folder)
    return {n: p.asnumpy() for n, p in saved.items() if isinstance(p, ms.Parameter)}


def below(root, paths):
    """Those of the paths that lie in a folder, as seen from there, in order."""
    paths = [str(path) for path in paths]
    return sorted(os.path.relpath(p, root) for p in paths if p.startswith(str(root)))


@pytest.fixture(scope="module")
def runs(photos, tmp_path_factory):
    """Two epochs in one go; the same, stopped by a Ctrl-C and gone on with."""
    out, draw = tmp_path_factory.mktemp("runs"), run_module.step_noise
    words = f"train --preset imagenet32 --data {photos}/train {SMALL} --epochs 2 --out"

    def step_noise(settings, step):
        if step == 1:
            signal.raise_signal(signal.SIGINT)
        return draw(settings, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DCGAN_DATA_DIR", str(out / "data"))
        whole = dcgan(f"{words} {out}/whole")
        patch.setattr(run_module, "step_noise", step_noise)
        stopped = dcgan(f"{words} {out}/parts")
        patch.setattr(run_module, "step_noise", draw)
        resumed = dcgan(f"train --out {out}/parts --resume")
    return SimpleNamespace(out=out, whole=whole, stopped=stopped, resumed=resumed)


@pytest.fixture
def no_training(monkeypatch):
    monkeypatch.setattr(commands, "train", lambda model, run: None)


def test_a_folder_is_looked_at_once(runs, photos):
    root = photos / "train"
    assert below(root, runs.whole.opened) == below(root, root.glob("*/*"))
    assert below(root, runs.whole.listed) == [".", "n00", "n01"]
    for again in (runs.stopped, runs.resumed):
        assert below(root, again.opened) == []


def test_imagenet_as_it_comes(photos, tmp_path, no_training):
    done = dcgan(f"train --data {photos} --out {tmp_path / 'run'} {SMALL}")
    assert f"20 pictures in {photos / 'train'}\n" in done.out
    assert below(photos / "val", done.opened + done.listed) == []


def test_a_flat_folder_of_all_kinds_trains(tmp_path):
    root, out = tmp_path / "flowers", tmp_path / "run"
    root.mkdir()
    for i, kind in enumerate(("Jpg", "webp", "bmp", "PNG", "jpeg", "gif", "tiff")):
        form = kind.upper().replace("JPG", "JPEG")
        (root / f"{i}.{kind}").write_bytes(picture("L", form=form))
    (root / os.fsdecode(b"\xff.jpg")).write_bytes(picture())
    (root / os.fsdecode(b"caf\xe9.jpg")).write_bytes(picture()[:100])
    before = snapshot(root)
    done = dcgan(f"train --data {root} --out {out} {SMALL} --epochs 1")
    assert done.code == 0 and newest_checkpoint(out)["pictures"] == 8
    assert f"8 pictures in {root}; not used: 1 damaged (caf\\udce9.jpg)\n" in done.out
    assert snapshot(root) == before


def test_of_many_pictures_only_the_wanted_ones_are_opened(tmp_path, no_training):
    (root := tmp_path / "many").mkdir()
    for i in range(200):
        (root / f"{i}.jpg").write_bytes(picture())
    words = f"train --data {root} --out {tmp_path / 'run'} {SMALL} --epochs 3"
    done = dcgan(f"{words} --face-count 16")
    assert "48 of 200 pictures in" in done.out
    assert "48 pictures: 2 steps an epoch, 6 in all" in done.out
    assert 48 <= len(below(root, done.opened)) <= 64  # 64 are one piece of work


def test_a_log_gets_lines(runs):
    assert "20 pictures: 3 steps an epoch, 6 in all" in runs.whole.out
    assert f"results in {runs.out / 'whole'}\n" in runs.whole.out
    assert "epoch 2/2  6/6 steps, D " in runs.whole.out
    assert "\r" not in runs.whole.out and "%|" not in runs.whole.out


def test_ctrl_c_saves_and_resume_is_exact(runs):
    assert (runs.whole.code, runs.stopped.code, runs.resumed.code) == (0, 130, 0)
    assert "Stopped after step 2 of 6, all saved" in runs.stopped.out
    assert "Going on from step 2 of 6" in runs.resumed.out
    one, other = numbers(runs.out / "whole"), numbers(runs.out / "parts")
    assert set(one) == set(other) and len(one) > 50
    assert all((one[name] == other[name]).all() for name in one)


def test_a_job_that_is_stopped_and_requeued_ends_as_an_unbroken_one(photos, tmp_path):
    """tools/train.sbatch under a Slurm of a few lines, stopped by a SIGTERM."""
    for name, line in {
        "sbatch": 'exec bash "$@"',
        "srun": f'echo $$ >> {tmp_path}/steps; exec "$@"',
        "scontrol": f'echo "$@" >> {tmp_path}/asked',
        "dcgan": f'exec {sys.executable} -u -m dcgan_utils "$@"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    more = {"PATH": path, "PYTHONPATH": str(TOP), "SLURM_JOB_ID": "7"}
    words = [photos / "train", tmp_path / "run", *SMALL.split(), "--epochs"]

    def submit(epochs):
        script = ["sbatch", TOP / "tools" / "train.sbatch", *words, str(epochs)]
        return Popen(script, env={**os.environ, **more}, stdout=PIPE, text=True)

    first = submit(500)
    while not (tmp_path / "run" / "frames" / "epoch-0001.png").exists():
        assert first.poll() is None
    os.kill(int((tmp_path / "steps").read_text()), signal.SIGTERM)
    assert "all saved" in first.communicate()[0] and first.returncode == 130
    assert (tmp_path / "asked").read_text() == "requeue 7\n"
    done = len(newest_checkpoint(tmp_path / "run")["history"])
    again = submit(epochs := done // 3 + 1)
    assert f"Going on from step {done}" in again.communicate()[0]
    assert again.returncode == 0 and (tmp_path / "asked").read_text().count("\n") == 1
    whole = f"train --preset imagenet32 --data {photos}/train {SMALL} --epochs {epochs}"
    assert dcgan(f"{whole} --out {tmp_path}/whole").code == 0
    one, other = numbers(tmp_path / "run"), numbers(tmp_path / "whole")
    assert all((one[name] == other[name]).all() for name in other) and len(one) > 50


def test_a_new_start_deletes_the_training_and_nothing_else(photos, trained, tmp_path):
    shutil.copytree(trained, out := tmp_path / "run")
    (out / "frames" / "epoch-0002.png").touch()
    (out / "frames" / "holiday.png").touch()
    words = f"train --preset imagenet32 --data {photos} --out {out} {SMALL} --fresh"
    assert dcgan(f"{words} --epochs 1 --seed 2").code == 0
    assert newest_checkpoint(out)["settings"].seed == 2
    assert tree(out / "frames") == ["epoch-0001.png", "holiday.png"]


def test_so_many_checkpoints_are_kept_when_a_run_goes_on_too(photos, tmp_path):
    words = (
        f"train --preset imagenet32 --data {photos} {SMALL} --out {tmp_path / 'run'}"
    )
    for more in (f"{words} --epochs 3 --keep 3", f"{words} --epochs 4 --resume"):
        assert dcgan(more).code == 0
        assert len(list_checkpoints(tmp_path / "run")) == 3


def test_other_pictures_are_refused(photos, trained, tmp_path):
    shutil.copytree(photos, mine := tmp_path / "photos")
    shutil.copytree(trained, out := tmp_path / "run")
    (mine / "train" / "n00" / "0.JPEG").write_bytes(picture("L"))
    words = f"train --preset imagenet32 --data {mine} --out {out} {SMALL} --epochs 2"
    told = "cannot go on: the pictures are not the same ones."
    assert_refused(f"{words} --resume", told, out / "frames", out / "ladder")
    assert all((numbers(out)[n] == p).all() for n, p in numbers(trained).items())


def test_ctrl_c_amid_the_import_of_mindspore_waits_for_its_end(run_program):
    program = """
import signal, sys
from dcgan_utils.cli.parser import main

class Interrupt:
    def find_spec(self, name, *more):
        if name == "mindspore":
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupt())
print(main(["faces", "--count", "1"]), hasattr(sys.modules["mindspore"], "jit"))
"""
    assert run_program(program) == "130 True\n"


def test_workers_get_the_settings_and_the_pictures(photos, tmp_path, monkeypatch):
    jobs, table = [], tmp_path / "hccl.json"
    monkeypatch.setattr(commands, "launch", lambda *job: jobs.append(job) or 7)
    monkeypatch.setattr(commands, "check_job", lambda *job, **more: None)
    table.write_text('{"server_list": [{"device": [{}, {}]}]}')
    words = f"train --data {photos} --out {tmp_path / 'run'} {SMALL}"
    for more, port in (("--workers 2 --port=8123", 8123), (f"--rank-table {table}", 0)):
        assert dcgan(f"{words} {more}").code == 7
        command, *more = jobs.pop()
        assert command[:2] == ["-m", "dcgan_utils"]
        assert more == [2, port, tmp_path / "run" / "logs"]
        args = _parser().parse_args(command[2:])
        asked = settings_of(_parser().parse_args(words.split()), workers=2)
        assert settings_of(args, workers=2) == asked and args.out == asked.out
    assert len(load_pictures(os.environ["DCGAN_PICTURES"])) == 20
    # Each worker takes a batch of 8, so 20 pictures are enough for 2, not for 3.
    assert dcgan(f"{words} --workers 3").code == 2


def test_a_worker_starts_no_job_and_does_not_look_at_the_folder(
    photos, tmp_path, monkeypatch
):
    given = []
    monkeypatch.setenv("MS_ROLE", "MS_WORKER")
    monkeypatch.setenv("DCGAN_PICTURES", str(look_at_folder(photos, 32).index))
    monkeypatch.setattr(commands, "join_job", lambda: Place(1, 2))
    monkeypatch.setattr(commands, "mean_over_workers", None)  # it has not to wait
    monkeypatch.setattr(commands, "_train_here", lambda *all_: given.extend(all_) or 0)
    done = dcgan(f"train --data {photos} --out {tmp_path} {SMALL} --workers 2 --port 9")
    settings, _, pictures, place = given
    assert settings.batch_size == 16 and place == Place(1, 2) and len(pictures) == 20
    assert below(photos, done.opened + done.listed) == []


@pytest.mark.parametrize("rank", [0, 1])
def test_under_plain_msrun_worker_0_looks_first(rank, photos, monkeypatch):
    order = []
    for name, what in (("_prepare", "looks"), ("get_faces", "looks, too")):
        monkeypatch.setattr(commands, name, lambda *_, what=what: order.append(what))
    monkeypatch.setattr(commands, "mean_over_workers", lambda *_: order.append("meets"))
    commands._pictures_of_worker(None, None, None, Place(rank, 2))
    assert order[:2] == (["meets", "looks, too"] if rank else ["looks", "meets"])
