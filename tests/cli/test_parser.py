"""The words of ``dcgan``: help, settings, exit codes, and bad input of every kind."""

import re
import shutil
from pathlib import Path

import mindspore as ms
import nbformat
import pytest
from rights import nobody, public_folder
from shell import SMALL, assert_refused, dcgan

from dcgan_utils import CourseError
from dcgan_utils.cli import commands
from dcgan_utils.cli.parser import MORE, VALUES, _parse, _parser
from dcgan_utils.cli.typed import settings_of
from dcgan_utils.settings import PRESETS, Settings, recipe
from dcgan_utils.training.checkpoint import newest_checkpoint
from dcgan_utils.training.settings_file import read_options, write_options

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize("command", ["check", "faces", "train", "generate", "export"])
def test_every_command_has_help(command):
    done = dcgan(f"{command} --help")
    assert done.code == 0 and done.out.startswith(f"usage: dcgan {command}")
    said = dcgan("--help").out
    for screen in (done.out, said):
        assert screen.count("\n") <= 40
        assert max(map(len, screen.splitlines())) <= 88
    assert all(f"  {word} " in said for word in (command, 0, 1, 2, 130))


def test_a_name_that_cannot_be_shown_stops_nothing(run_program):
    program = """
from dcgan_utils.cli import parser
parser._run = lambda args: print("caf\\xe9")
parser.main(["faces"])
"""
    assert run_program(program, PYTHONIOENCODING="ascii") == "caf\\xe9\n"


def test_every_setting_can_be_set_and_its_help_tells_the_presets():
    said = " ".join(dcgan("train --help").out.split())
    for name, value in recipe(PRESETS["imagenet32"]).items():
        if name not in ("profile", "data"):
            assert f"--{name.replace('_', '-')} " in said
            assert f", {value})" in said
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


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("", {}),
        ("--preset full --data sample", {"data": "sample", "face_count": 4096}),
        ("--data {photos}", {"data": "folder", "face_count": 0}),
        (
            "--feature-maps 8 --generator-maps 4",
            {"generator_maps": 4, "discriminator_maps": 8},
        ),
        ("--learning-rate 0.01", {"generator_rate": 0.01, "discriminator_rate": 0.01}),
        ("--average-decay 0 --seed 0", {"average_decay": 0, "seed": 0}),
    ],
)
def test_settings_are_the_preset_with_what_was_said(words, changes, photos):
    args = _parser().parse_args(["train", *words.format(photos=photos).split()])
    preset = recipe(PRESETS["full" if "full" in words else "class"])
    assert recipe(settings_of(args)) == preset | changes


def test_a_run_can_be_repeated_from_its_settings_and_typed_ones_win(trained, tmp_path):
    file = tmp_path / "mine.toml"
    text = (trained / "settings.toml").read_text(encoding="utf-8")
    file.write_text(text + "workers_of_mine = 3\n", encoding="utf-8")
    assert_refused(f"train --config {file}", "there is no --workers-of-mine", trained)
    file.write_text(text, encoding="utf-8")
    then = newest_checkpoint(trained)["settings"]
    for words, changes in (
        ("", {}),
        ("--seed 7", {"seed": 7}),
        ("--feature-maps 8", {"generator_maps": 8, "discriminator_maps": 8}),
        ("--data sample", {"data": "sample", "face_count": 4096}),
    ):
        settings = settings_of(_parse(["train", "--config", str(file), *words.split()]))
        assert recipe(settings) == recipe(then) | changes


def test_settings_keep_every_name_of_a_folder(tmp_path):
    for name in ('caf\xe9 "x" \\ \U0001f600', "a\nb"):
        write_options(tmp_path, {"data": name, "generator_rate": 1e-9, "seed": 0})
        back = {"data": name, "generator_rate": 1e-9, "seed": 0}
        assert read_options(tmp_path / "settings.toml") == back


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "COMMAND"),
        ("trian --epochs 3", "'export'), did you mean train?; see dcgan --help"),
        ("train --epoch=3", "train: there is no --epoch here, did you mean --epochs?"),
        ("train --preset imagnet32", ", did you mean imagenet32?"),
        ("train --zzz", "there is no --zzz here; see dcgan train --help"),
        ("train --config {tmp}/none.toml", "none.toml cannot be read (No such file"),
        ("train --config {file}", "is no settings file of lines such as epochs = 20"),
        ("train --epochs none", "none is no whole number"),
        ("train --beta1 1.5", "1.5 is no number from 1e-09 to 0.999"),
        ("train --generator-rate nan", "nan is no number"),
        ("train --resume --fresh", "not allowed with"),
        ("train --image-size 33", "--image-size 33 cannot be"),
        ("train --preset imagenet32", "needs --data FOLDER"),
        ("train --data {tmp}/nowhere", "is not there"),
        ("train --data {file}", "is a file"),
        ("train --data {tmp} --out {tmp}/../x/run", "pictures in {tmp} (only 1 dam"),
        ("train --data {photos} --batch-size 21", "(in a shell: --batch-size)"),
        ("train --data {photos} --face-count 5", "--face-count 5 is less than one"),
        ("train --data {photos} --out {file}/run", "another folder with --out"),
        ("train --data {photos} --out {photos}", "among the pictures"),
        ("train --data {photos} --out {photos}/a/run", "(in a shell: --out)"),
        ("train --data {photos} --out {photos}/x --workers 2", "among the pictures"),
        ("train --resume --resume-or-start", "not allowed with"),
        ("train --data {photos} --out {tmp}/new --resume", "say --resume-or-start, w"),
        ("train --data {photos} --out {trained}", "say --resume or --resume-or-start"),
        ("train --out {trained} --resume --preset class", "imagenet32 and is class"),
        ("train --out {trained} --resume --seed 2", "on: seed was 1 and is 2. Set"),
        ("train --out {trained} --resume --feature-maps 8", "discriminator_maps was 4"),
        ("train --out {trained} --resume --batch-size 4", "batch_size was 8 and is 4"),
        ("train --out {trained} --resume-or-start --beta1 0.1", "beta1 was 0.5"),
        ("train --out {trained} --resume --data sample", "data was folder and is sam"),
        ("train --data {photos} --workers 9999", "--workers is 9999, and this"),
        ("train --data {photos} --port 80", "1024 to 65535, not 80"),
        ("train --data {photos} --rank-table {file}", "is no rank table"),
        ("generate --out {tmp}", "--checkpoint"),
        ("generate --out {tmp} --checkpoint {tmp}/nowhere", "no checkpoint"),
        ("generate --out {tmp} --checkpoint {photos}", "holds no checkpoint"),
        ("generate --out {file} --checkpoint {trained}", "be written to {file}"),
        ("export --checkpoint {file}", "is no whole checkpoint"),
        ("export --checkpoint {trained} --format AIR --out {tmp}/new", "Ascend"),
        ("export --checkpoint {trained} --out {file}/new", "be written to {file}"),
        ("faces --stand-in {tmp} --data anime", "leave out --data anime"),
        ("faces --stand-in {file}", "another folder with --stand-in"),
        ("faces --stand-in {photos} --count 3", "holds other files"),
    ],
)
def test_bad_input_gets_one_sentence(words, told, photos, trained, tmp_path):
    tmp, file = tmp_path / "tmp", tmp_path / "tmp" / "file.jpg"
    tmp.mkdir()
    file.write_bytes(b"no picture")
    places = {"tmp": tmp, "file": file, "photos": photos, "trained": trained}
    words, told = words.format(**places), told.format(**places)
    assert_refused(words, told, tmp, photos, trained)
    assert not (tmp_path / "x").exists()


@pytest.mark.skipif(ms.device_context.ascend.is_available(), reason="an NPU is here")
def test_a_device_that_is_not_there_is_refused_first(photos, tmp_path):
    words = f"train --data {photos} --out {tmp_path}/run --device ascend --workers 2"
    assert_refused(words, "no Ascend NPU here", tmp_path)


def test_what_may_not_be_read_or_written_is_refused(trained):
    with public_folder() as shut, public_folder() as free:
        shutil.copy(max(trained.glob("step-*")), mine := shut / "mine.ckpt")
        mine.chmod(0)
        shut.chmod(0o111)  # what is in it can be reached, but not listed
        free.chmod(0o777)
        for words, told in (
            (f"train --data {free} --out {shut}/a/b", "Nothing can be written to"),
            (f"train --data {shut} --out {free}/run", "cannot be read (Permission"),
            (f"export --checkpoint {mine} --out {free}", "cannot be read (Permission"),
        ):
            assert_refused(words, told, shut, free, rights=nobody)


@pytest.mark.parametrize(("begun", "code"), [(False, 2), (True, 1)])
def test_a_failure_while_running_is_told_from_bad_input(
    begun, code, photos, tmp_path, monkeypatch
):
    def fail(model, run):
        run.begun = begun
        raise CourseError("It failed.")

    monkeypatch.setattr(commands, "train", fail)
    monkeypatch.setattr(commands, "check_job", None)  # one process needs no msrun
    done = dcgan(f"train --data {photos} --out {tmp_path / 'run'} {SMALL}")
    assert (done.code, done.err) == (code, "dcgan train: It failed.\n")
