"""The command line: every command, its exit codes, and bad input of every kind.

Most of it runs in this process: main(words) returns the exit code.
"""

import ast
import contextlib
import os
import re
import shutil
import signal
import socket
from pathlib import Path

import mindspore as ms
import nbformat
import numpy as np
import pytest
from PIL import Image
from rights import nobody, public_folder
from sample_files import picture, tree

from dcgan_utils import CourseError, progress
from dcgan_utils.cli import commands
from dcgan_utils.cli.parser import IN_A_SHELL, MORE, VALUES, _parser, main
from dcgan_utils.pictures.decoded import (
    leave_damaged_out,
    list_pictures,
    sound_pictures,
)
from dcgan_utils.pictures.folder import judge_pictures
from dcgan_utils.settings import PRESETS, PROFILES, Settings, recipe, settings_table
from dcgan_utils.show.grids import make_grid, to_pixels
from dcgan_utils.taught import results
from dcgan_utils.taught.data import create_dataset
from dcgan_utils.taught.networks import count_parameters
from dcgan_utils.training import randomness
from dcgan_utils.training import run as run_module
from dcgan_utils.training.checkpoint import newest_checkpoint, save_checkpoint
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.randomness import epoch_order, fixed_noise
from dcgan_utils.training.sampling import load_generator

TOP = Path(__file__).parents[2]
SMALL = ["--image-size", "32", "--feature-maps", "4", "--batch-size", "8"]


def run(*words):
    """The exit code of ``dcgan WORDS``."""
    try:
        return main([str(word) for word in words])
    except SystemExit as stop:  # argparse
        return stop.code


def snapshot(folder):
    """Every file below a folder with what is in it and when it was written."""
    return {
        path: (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
    }


def numbers(folder):
    """All that the newest checkpoint of a folder holds, as arrays."""
    saved = newest_checkpoint(folder)
    return {n: p.asnumpy() for n, p in saved.items() if isinstance(p, ms.Parameter)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """20 pictures in two class folders, of several modes and shapes."""
    root = tmp_path_factory.mktemp("photos")
    modes = ("RGB", "L", "CMYK")
    for i in range(20):
        folder = root / "train" / f"n0{i % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        size = (40 + 7 * i, 60), (50, 40 + 9 * i)
        data = picture(modes[i % 3], size[i % 2])
        (folder / f"n0{i % 2}_{i}.JPEG").write_bytes(data)
    return root


@pytest.fixture(scope="module")
def trained(photos, tmp_path_factory):
    """The folder of one epoch, 3 steps, of a small network."""
    out = tmp_path_factory.mktemp("trained") / "run"
    words = ["train", "--preset", "imagenet32", "--data", photos, "--out", out]
    assert run(*words, *SMALL, "--epochs", 1) == 0
    return out


# --- the words --------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", ["", "check", "faces", "train", "generate", "export"]
)
def test_every_command_has_help(command, capsys):
    assert run(*command.split(), "--help") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: dcgan {command}".rstrip())
    if not command:
        assert all(f"  {code} " in said for code in (0, 1, 2, 130))


def test_every_setting_can_be_set_and_its_help_tells_the_presets(capsys):
    assert run("train", "--help") == 0
    said = " ".join(capsys.readouterr().out.split())
    for name, value in recipe(PRESETS["imagenet32"]).items():
        if name not in ("profile", "data"):
            assert f"--{name.replace('_', '-')} " in said
            assert f"imagenet32 {value})" in said
    assert set(recipe(Settings())) - {"profile", "data"} <= set(VALUES)


def test_the_commands_of_readme_and_lessons_are_understood():
    texts = [MORE, (TOP / "README.md").read_text(encoding="utf-8")]
    for path in (TOP / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        texts += [cell.source for cell in cells if cell.cell_type == "markdown"]
    pattern = r"\b(?:dcgan|dcgan_utils) ((?:faces|train|generate|export) --[^`\n]+)"
    found = [words for text in texts for words in re.findall(pattern, text)]
    assert len(found) > 10
    for words in found:
        if "--help" not in words:
            assert _parser().parse_args(words.split()).command == words.split()[0]


def test_it_is_installed_as_dcgan():
    project = (TOP / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.scripts]\ndcgan = "dcgan_utils.cli.parser:main"\n' in project


def test_the_engines_words_for_a_notebook_are_still_its_words():
    texts = []
    for path in (TOP / "dcgan_utils").rglob("*.py"):
        if path.name != "__main__.py":
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            texts += [n.value for n in nodes if isinstance(n, ast.Constant)]
    texts = [text for text in texts if isinstance(text, str)]
    for here in IN_A_SHELL:
        assert any(here in text for text in texts), here


# --- bad input --------------------------------------------------------------------


def refuse(capsys, tmp_path, pattern, *words, rights=contextlib.nullcontext):
    """One sentence on stderr, exit code 2, nothing written."""
    before = snapshot(tmp_path)
    capsys.readouterr()
    with rights():
        code = run(*words)
    said = capsys.readouterr().err
    assert code == 2, said
    assert said.count("\n") == 1 and said.startswith("dcgan"), said
    assert pattern in said
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("", "COMMAND"),
        ("frobnicate", "invalid choice"),
        ("train --preset huge", "invalid choice: 'huge'"),
        ("train --epochs none", "none is no whole number"),
        ("train --batch-size 1", "1 is no whole number from 2"),
        ("train --beta1 1.5", "1.5 is no number from 0 to 0.999"),
        ("train --generator-rate nan", "nan is no number"),
        ("train --resume --fresh", "not allowed with"),
        ("train --image-size 33", "--image-size 33 cannot be"),
        ("train --preset imagenet32", "needs --data FOLDER"),
        ("train --data {tmp}/nowhere", "is not there"),
        ("train --data {photos}/train/n00/n00_0.JPEG", "is a file"),
        ("train --data {photos}/train/n00", "no class folder"),
        ("train --data {tmp}", "no .jpg or .png picture in a class folder"),
        ("train --data {photos} --batch-size 21", "lower --batch-size"),
        ("train --data {photos} --face-count 5", "--face-count 5 is less than one"),
        ("train --data sample --face-count 5", "--face-count 5 is less than one"),
        ("train --data {photos} --out {file}/run", "another folder with --out"),
        ("train --data {photos} --out {file}", "another folder with --out"),
        ("train --data {photos} --out {tmp}/new --resume", "leave out --resume"),
        ("train --data {photos} --out {trained}", "say --resume"),
        ("train --data {photos} --workers 0", "--workers is 0, and this"),
        ("train --data {photos} --workers 9999", "--workers is 9999, and this"),
        ("train --data {photos} --workers 2 --port {port}", "is in use"),
        ("train --data {photos} --port 80", "1024 to 65535, not 80"),
        ("train --data {photos} --rank-table {file}", "is no rank table"),
        ("train --data {photos} --rank-table {tmp}/no.json", "There is no file"),
        ("train --data {photos} --workers 2 --out {trained}", "say --resume"),
        ("generate --out {tmp}", "--checkpoint"),
        ("generate --out {tmp} --checkpoint {tmp}/nowhere", "no checkpoint"),
        ("generate --out {tmp} --checkpoint {file}", "is no whole checkpoint"),
        ("generate --out {tmp} --checkpoint {photos}", "holds no checkpoint"),
        ("generate --out {file} --checkpoint {trained}", "cannot be"),
        ("generate --out {tmp} --checkpoint {trained} --count 0", "0 is no whole"),
        ("export --checkpoint {file}", "is no whole checkpoint"),
        ("export --checkpoint {trained} --format TFLITE", "invalid choice"),
        ("export --checkpoint {trained} --format AIR --out {tmp}/new", "Ascend"),
        ("export --checkpoint {trained} --out {file}/new", "can be written"),
        ("faces --stand-in {tmp} --data anime", "leave out --data anime"),
        ("faces --stand-in {file}", "another folder with --stand-in"),
        ("faces --stand-in {photos} --count 3", "holds other files"),
        ("faces --count 0", "0 is no whole number"),
    ],
)
def test_bad_input_gets_one_sentence(words, pattern, photos, trained, tmp_path, capsys):
    file = tmp_path / "file.ckpt"
    file.write_bytes(picture())
    before = snapshot(trained), snapshot(photos)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        places = {"tmp": tmp_path, "photos": photos, "trained": trained, "file": file}
        words = words.format(**places, port=busy.getsockname()[1])
        if pattern == "cannot be":
            pattern = f"Nothing can be written to {file}"
        refuse(capsys, tmp_path, pattern, *words.split())
    assert (snapshot(trained), snapshot(photos)) == before


@pytest.mark.parametrize("workers", [1, 2])
def test_a_device_that_is_not_there_is_refused_first(
    workers, photos, tmp_path, monkeypatch, capsys
):
    if ms.device_context.ascend.is_available():
        pytest.skip("there is an NPU here")
    monkeypatch.setenv("DCGAN_DEVICE", "cpu")  # --device sets it: afterwards it is gone
    words = ["train", "--data", photos, "--out", tmp_path / "new" / "run", *SMALL]
    words += ["--workers", workers, "--device", "ascend"]
    refuse(capsys, tmp_path, "no Ascend NPU here", *words)


def test_folders_without_the_right_to_them_are_refused(photos, trained, capsys):
    with public_folder() as top, public_folder() as shut:
        shutil.copytree(photos / "train", top / "photos" / "train")
        shutil.copytree(trained, top / "run")
        for name, mode in (("photos", 0o755), ("run", 0o755), ("kept", 0o555)):
            (top / name).mkdir(exist_ok=True)
            (top / name).chmod(mode)
        shutil.copy(newest := max((top / "run").glob("step-*")), shut / "mine.ckpt")
        (shut / "mine.ckpt").chmod(0)
        shut.chmod(0o111)  # what is in it can be reached, but not listed
        # Each folder that cannot be written, then each thing that cannot be read.
        words = [
            [*start, "--out", out]
            for out in (top / "kept", top / "kept" / "new" / "run")
            for start in (
                ["train", "--data", top / "photos", *SMALL],
                ["generate", "--checkpoint", newest],
                ["export", "--checkpoint", newest],
            )
        ]
        for each in words:
            refuse(capsys, top, "can be written to", *each, rights=nobody)
        for each in (
            ["export", "--checkpoint", shut / "mine.ckpt", "--out", top],
            ["train", "--data", shut, "--out", top / "run"],
        ):
            refuse(capsys, top, "cannot be read (Permission den", *each, rights=nobody)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_checkpoint_of_another_preset_is_named(
    workers, photos, trained, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(commands, "launch", None)  # refused before a job is started
    words = ["train", "--data", photos, "--out", trained, "--resume"]
    words += ["--workers", workers]
    before = snapshot(trained)
    refuse(capsys, tmp_path, "profile was imagenet32 and is class", *words, *SMALL)
    changed = {
        path.name for path, seen in snapshot(trained).items() if before[path] != seen
    }
    assert not changed


def test_of_pictures_that_cannot_be_read_nothing_is_begun(tmp_path, capsys):
    (tmp_path / "data" / "a").mkdir(parents=True)
    for i in range(8):
        (tmp_path / "data" / "a" / f"{i}.jpg").write_bytes(b"no picture")
    words = ["train", "--data", tmp_path / "data", "--out", tmp_path / "x" / "run"]
    refuse(capsys, tmp_path, "None of the 8 pictures", *words, *SMALL)


@pytest.mark.parametrize(("begun", "code"), [(False, 2), (True, 1)])
def test_a_failure_while_running_is_told_from_bad_input(
    begun, code, photos, tmp_path, monkeypatch, capsys
):
    def fail(model, run):
        run.begun = begun
        raise CourseError("It failed: run the cell again; it goes on.")

    monkeypatch.setattr(commands, "train", fail)
    monkeypatch.setattr(commands, "check_job", None)  # one process needs no msrun
    words = ["train", "--data", photos, "--out", tmp_path / "run", *SMALL]
    assert run(*words) == code
    said = capsys.readouterr().err
    assert said == "dcgan train: It failed: say the same with --resume; it goes on.\n"


@pytest.mark.parametrize("command", ["generate", "export"])
def test_what_fails_while_writing_leaves_no_part(command, trained, tmp_path, capsys):
    for name in ("generate.png", "generator.mindir"):
        (tmp_path / name).mkdir()  # a folder cannot be replaced by a file
    assert run(command, "--checkpoint", trained, "--out", tmp_path) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"dcgan {command}: it failed while running: ")
    assert said.count("\n") == 1
    assert tree(tmp_path) == ["generate.png", "generator.mindir"]


# --- train ------------------------------------------------------------------------


def test_imagenet32_has_the_published_values():
    s = PRESETS["imagenet32"]
    assert (s.image_size, s.latent_size) == (32, 100)
    assert (s.generator_maps, s.discriminator_maps) == (64 * 2, 64 * 2)
    assert (s.batch_size, s.epochs, s.beta1) == (128, 20, 0.5)
    assert (s.generator_rate, s.discriminator_rate) == (0.0002, 0.0002)
    assert (s.real_label, s.average_decay) == (1.0, 0.0)
    assert {name: PRESETS[name] for name in PROFILES} == PROFILES


def test_an_epoch_of_imagenet_has_10010_steps():
    order = epoch_order(PRESETS["imagenet32"], 1_281_167, 0)
    assert len(order) == 10_010 * 128


def test_networks_and_checkpoint_have_the_published_sizes(tmp_path):
    model = build_dcgan(PRESETS["imagenet32"])
    g, d = model.generator, model.discriminator
    assert count_parameters(g) == 3_448_576
    assert count_parameters(d) == 2_637_312
    # Each weight and its two moments, and batch norm's moving statistics.
    statistics = 2 * (512 + 256 + 128 + 256 + 512)
    expected = 4 * (3 * (3_448_576 + 2_637_312) + statistics)
    assert f"{expected / 1e6:.2f}" == "73.04"
    published = [p for p in model.parameters if not p.name.startswith("average.")]
    assert sum(4 * p.size for p in published) - expected == 32  # steps, rates, powers
    path = save_checkpoint(tmp_path, published, np.zeros((0, 2)), Settings(), 0)
    assert f"{path.stat().st_size / 1e6:.2f}" == "73.05"  # with names and shapes
    # Ours keeps the averaged generator, too.
    average = 4 * (3_448_576 + 2 * (512 + 256 + 128))
    whole = save_checkpoint(tmp_path, model.parameters, np.zeros((1, 2)), Settings(), 0)
    assert 0 < whole.stat().st_size - path.stat().st_size - average < 5000


def test_what_is_trained_and_said(trained, photos):
    files = tree(trained)
    assert {"step-0000003.ckpt", "frames/epoch-0001.png"} <= set(files)
    saved = newest_checkpoint(trained)
    assert saved["settings"].profile == "imagenet32"
    assert saved["settings"].generator_maps == 4
    assert saved["pictures"] == 20
    assert not any(str(trained) in str(value) for value in saved.values())
    table = settings_table(saved["settings"])
    assert "pictures" not in table and "out" not in table.split()


def test_resume_is_exact_and_a_log_gets_lines(photos, trained, tmp_path, capsys):
    words = ["train", "--preset", "imagenet32", "--data", photos, *SMALL]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(*words, "--out", whole, "--epochs", 2) == 0
    said = capsys.readouterr().out
    assert "20 pictures: 3 steps an epoch, 6 in all" in said
    assert "epoch 2/2  6/6 steps, D " in said
    assert "\r" not in said and "%|" not in said
    shutil.copytree(trained, parts)  # the first epoch, trained elsewhere
    assert run(*words, "--out", parts, "--epochs", 2, "--resume") == 0
    assert "Going on from step 3 of 6" in capsys.readouterr().out
    one, other = numbers(whole), numbers(parts)
    assert set(one) == set(other) and len(one) > 50
    assert all((one[name] == other[name]).all() for name in one)


def test_a_new_start_deletes_the_training_and_nothing_else(photos, trained, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    (tmp_path / "frames" / "epoch-0002.png").touch()
    (tmp_path / "thesis.txt").write_text("three years of work")
    (tmp_path / "frames" / "holiday.png").write_bytes(picture())
    mine = [tmp_path / "thesis.txt", tmp_path / "frames" / "holiday.png"]
    before, first = snapshot(tmp_path), numbers(tmp_path)
    words = ["train", "--preset", "imagenet32", "--data", photos, "--out", tmp_path]
    assert run(*words, *SMALL, "--epochs", 1, "--seed", 2, "--fresh") == 0
    name = "generator.layers.0.weight"
    assert (numbers(tmp_path)[name] != first[name]).any()
    assert not (tmp_path / "frames" / "epoch-0002.png").exists()
    assert all(snapshot(tmp_path)[path] == before[path] for path in mine)


def test_ctrl_c_saves_and_exits_with_130(photos, tmp_path, monkeypatch, capsys):
    draw = randomness.step_noise

    def step_noise(settings, step):
        if step == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return draw(settings, step)

    monkeypatch.setattr(run_module, "step_noise", step_noise)
    words = ["train", "--data", photos, "--out", tmp_path, *SMALL, "--epochs", 1]
    assert run(*words) == 130
    assert "Stopped after step 2 of 3, all saved" in capsys.readouterr().out
    assert len(newest_checkpoint(tmp_path)["history"]) == 2
    monkeypatch.setattr(run_module, "step_noise", draw)
    assert run(*words, "--resume") == 0


def test_ctrl_c_amid_the_import_of_mindspore_waits_for_its_end(run_program):
    program = """
import os, signal, sys
from dcgan_utils.cli.parser import main

class Interrupt:
    def find_spec(self, name, *more):
        if name == "mindspore":
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupt())
print(main(["faces", "--count", "1"]), hasattr(sys.modules["mindspore"], "jit"))
"""
    assert run_program(program) == "130 True\n"


def test_workers_get_the_same_words(photos, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(commands, "launch", lambda *given: seen.append(given) or 7)
    words = ["train", "--data", photos, "--out", tmp_path / "run", *SMALL]
    table = tmp_path / "hccl.json"
    table.write_text('{"server_list": [{"device": [{}, {}]}]}')
    assert run(*words, "--workers", 2, "--port=8123", "--fresh") == 7
    assert run(*words, "--rank-table", table) == 7
    command = ["-m", "dcgan_utils", *map(str, words)]
    logs = tmp_path / "run" / "logs"
    assert seen == [([*command, "--fresh"], 2, 8123, logs), (command, 2, 0, logs)]
    # Each worker takes a batch of 8, so 20 pictures are enough for 2, not for 3.
    monkeypatch.setattr(commands, "check_job", lambda *job, **more: None)
    assert run(*words, "--workers", 3) == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--preset class", {"data": "sample", "face_count": 4096}),
        ("--preset full", {"data": "anime", "face_count": 0}),
        ("--preset full --data sample", {"data": "sample", "face_count": 4096}),
        ("--data {photos}", {"data": "folder", "face_count": 0, "image_size": 64}),
        ("--data {photos}/train --face-count 9", {"data": "folder", "face_count": 9}),
        ("--feature-maps 8", {"generator_maps": 8, "discriminator_maps": 8}),
        (
            "--feature-maps 8 --generator-maps 4",
            {"generator_maps": 4, "discriminator_maps": 8},
        ),
        (
            "--learning-rate 0.01",
            {"generator_rate": 0.01, "discriminator_rate": 0.01},
        ),
        ("--average-decay 0 --seed 0", {"average_decay": 0, "seed": 0}),
    ],
)
def test_settings_are_the_preset_with_what_was_said(
    words, expected, photos, monkeypatch
):
    found = []
    monkeypatch.setattr(
        commands,
        "train_command",
        lambda given: found.append(commands.settings_of(given)),
    )
    run("train", *words.format(photos=photos).split())
    assert {name: getattr(found[0], name) for name in expected} == expected
    preset = "full" if "full" in words else "class"
    assert found[0].profile == preset
    untouched = {"latent_size", "beta1", "epochs", "batch_size"}
    for name in untouched:
        assert getattr(found[0], name) == getattr(PRESETS[preset], name)


# --- any folder of pictures -------------------------------------------------------


def test_pictures_of_any_mode_and_shape_become_squares(photos):
    root = photos / "train"
    (batch,) = create_dataset(root, 32, 20).create_tuple_iterator(
        num_epochs=1, output_numpy=True
    )
    assert batch[0].shape == (20, 3, 32, 32)
    assert np.abs(batch[0]).max() <= 1
    for path, made in zip(list_pictures(root), to_pixels(batch[0])):
        seen = Image.open(path).convert("RGB")
        scale = 32 / min(seen.size)
        whole = seen.resize([round(side * scale) for side in seen.size])
        left, top = (whole.width - 32) // 2, (whole.height - 32) // 2
        middle = np.asarray(whole.crop((left, top, left + 32, top + 32))).astype(int)
        # Pillow shrinks more smoothly than MindSpore; mode, place and scale agree.
        assert np.abs(middle - made).mean() < 12, path.name


def test_damaged_pictures_of_others_are_left_out_and_left_alone(
    tmp_path, photos, capsys
):
    root, out = tmp_path / "theirs", tmp_path / "run"
    for path in list_pictures(photos / "train"):
        copy = root / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    whole = picture()
    (root / "n00" / "a-cut.jpg").write_bytes(whole[:100])
    (root / "n01" / "empty.png").touch()
    (root / "n01" / "folder.jpg").mkdir()
    (root / "n01" / "link.jpg").symlink_to(root / "nowhere.jpg")
    (root / "n01" / "webp.JPEG").write_bytes(picture(form="WEBP"))
    before = snapshot(root)
    names = ["a-cut.jpg", "empty.png", "folder.jpg", "link.jpg", "webp.JPEG"]
    words = ["train", "--data", root, "--out", out, *SMALL, "--epochs", 1]
    assert run(*words) == 0
    said = capsys.readouterr().out
    assert "5 of the pictures cannot be read" in said
    assert "20 pictures: 3 steps an epoch" in said
    assert snapshot(root) == before
    assert [Path(name).name for name in leave_damaged_out(root, out)] == names
    settings = Settings(batch_size=8, pictures=str(root), out=str(out))
    kept = [list_pictures(root)[i] for i in sound_pictures(root, settings)]
    assert len(kept) == 20 and not {path.name for path in kept} & set(names)
    # A picture that was put right is taken again.
    (root / "n01" / "empty.png").write_bytes(picture(form="PNG"))
    assert len(leave_damaged_out(root, out)) == 4
    assert len(sound_pictures(root, settings)) == 21


def test_the_check_of_pictures_is_remembered(tmp_path, photos, monkeypatch):
    judged = []
    monkeypatch.setattr(
        "dcgan_utils.pictures.decoded.judge_pictures",
        lambda root, names: judged.append(len(names)) or judge_pictures(root, names),
    )
    for _ in range(2):
        assert leave_damaged_out(photos / "train", tmp_path) == []
    assert judged == [20]


def test_the_numbers_are_those_of_mindspore_in_any_folder(tmp_path):
    names = ("b/2.png", "b/10.png", "B/1.png", "a b/x.PNG", "a/é.png", "a/Z.png")
    names += ("a/_u.png", ".hid/1.png", "c-1/1.png", "c/1.png", "c1/1.JPEG", "ü/1.jpg")
    for i, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32), (20 * i,) * 3).save(tmp_path / name, "PNG")
    (tmp_path / "a" / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    shown = create_dataset(tmp_path, 32, 1).create_tuple_iterator(output_numpy=True)
    shown = [round(to_pixels(batch)[0, 0, 0, 0] / 20) for (batch,) in shown]
    found = [path.relative_to(tmp_path).as_posix() for path in list_pictures(tmp_path)]
    assert [names[i] for i in shown] == found


def test_the_stand_in_is_laid_out_like_imagenet(tmp_path, capsys):
    root = tmp_path / "photos"
    assert run("faces", "--stand-in", root, "--count", 40) == 0
    assert "40 pictures in" in capsys.readouterr().out
    found = list_pictures(root / "train")
    assert len(found) == 40
    assert {path.suffix for path in found} == {".JPEG"}
    hair = {path.parent.name for path in found}
    assert {"black", "brown"} <= hair and len(hair) > 4
    assert tree(tmp_path)[0] == "photos" and len(list(tmp_path.iterdir())) == 1
    before = snapshot(root)
    assert run("faces", "--stand-in", root, "--count", 40) == 0  # kept
    assert snapshot(root) == before


def test_faces_draws_the_sample_faces(tmp_path, capsys):
    assert run("faces", "--data", "sample", "--count", 5) == 0
    assert "5 pictures in" in capsys.readouterr().out
    assert len(list_pictures(tmp_path / "data" / "sample-5")) == 5


# --- generate, export -------------------------------------------------------------


def test_generate_draws_a_grid_that_follows_from_the_seed(trained, tmp_path, capsys):
    words = ["generate", "--checkpoint", trained, "--out", tmp_path / "a" / "b"]
    path = tmp_path / "a" / "b" / "generate.png"
    seen = []
    for more in ([], ["--seed", 1], ["--seed", 2], ["--count", 20, "--columns", 10]):
        assert run(*words, *more) == 0
        assert str(path) in capsys.readouterr().out
        seen.append(np.asarray(Image.open(path)))
    assert seen[0].shape == (4 * 34 - 2, 4 * 34 - 2, 3)  # 4 × 4 with gaps
    assert (seen[0] == seen[1]).all()  # 1 is the seed of the training
    assert (seen[0] != seen[2]).any()
    assert seen[3].shape == (2 * 34 - 2, 10 * 34 - 2, 3)
    saved = newest_checkpoint(trained)
    noise = fixed_noise(saved["settings"], 16)
    own = make_grid(results.generate(load_generator(saved), noise), 4)
    assert (seen[0] == own).all()
    assert tree(tmp_path) == ["a", "a/b", "a/b/generate.png"]


def test_generate_and_export_take_one_file_of_the_ladder_too(trained, tmp_path, capsys):
    (rung,) = (trained / "ladder").iterdir()
    assert run("generate", "--checkpoint", rung, "--out", tmp_path, "--count", 2) == 0
    words = ["export", "--checkpoint", rung, "--out", tmp_path, "--format", "mindir"]
    assert run(*words) == 0
    assert tree(tmp_path) == ["generate.png", "generator.mindir"]
    assert "loaded back: its pictures differ by at most 0\n" in capsys.readouterr().out


# --- progress ---------------------------------------------------------------------


def test_a_terminal_gets_a_bar_and_a_log_gets_lines(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LOG_SECONDS", 0)

    def show():
        with progress.progress_bar(3, "step", initial=1) as bar:
            bar.set_description_str("epoch 1/2  ", refresh=False)
            bar.set_postfix_str("D 0.50", refresh=False)
            bar.update()
            bar.update()
        return capsys.readouterr().out

    log = show()
    assert "\r" not in log
    assert log.count("\n") >= 2
    assert all(line[:2] == "20" for line in log.splitlines())  # a date
    assert "epoch 1/2  3/3 steps, D 0.50, " in log
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    terminal = show()
    assert "100%|" in terminal and "\r" in terminal
    assert "epoch" not in terminal


def test_a_title_stands_before_both(capsys, monkeypatch):
    for terminal, expected in ((True, "Drawing: 100%|"), (False, "Drawing: 2/2 faces")):
        monkeypatch.setattr("sys.stdout.isatty", lambda t=terminal: t, raising=False)
        with progress.progress_bar(2, "face", "Drawing") as bar:
            bar.update(2)
        assert expected in capsys.readouterr().out
