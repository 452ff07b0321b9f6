"""checkpoint.py: whole files or none, two kept, damage found, errors as sentences."""

import logging.handlers
import queue
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import mindspore as ms
import numpy as np
import pytest
from rights import nobody, public_folder

from dcgan_utils import CourseError
from dcgan_utils.settings import PROFILES
from dcgan_utils.training import checkpoint
from dcgan_utils.training.checkpoint import (
    DamagedCheckpoint,
    hold,
    list_checkpoints,
    newest_checkpoint,
    read_checkpoint,
    restore,
    save_checkpoint,
)

SETTINGS = replace(PROFILES["smoke"], seed=42)


def parameters(value=1.0, shape=(20, 30)):
    weight = ms.Parameter(np.full(shape, value, np.float32), name="weight")
    count = ms.Parameter(np.array([7], np.int32), name="count")
    return [weight, count]


def save(folder, steps, value=1.0):
    history = np.linspace(0, 1, 2 * steps, dtype=np.float32).reshape(steps, 2)
    return save_checkpoint(folder, parameters(value), history, SETTINGS, 20)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_saved_comes_back(tmp_path):
    path = save(tmp_path / "new" / "run", 5, value=0.1)
    assert path == tmp_path / "new" / "run" / "step-0000005.ckpt"
    assert names(path.parent) == ["step-0000005.ckpt"]
    saved = read_checkpoint(path)
    assert saved["settings"] == SETTINGS
    assert saved["pictures"] == 20
    assert saved["history"].dtype == np.float32
    assert saved["history"].tolist()[-1] == [np.float32(8 / 9), 1.0]
    empty = parameters(0)
    restore(saved, empty)
    assert (empty[0].asnumpy() == np.float32(0.1)).all()
    assert empty[1].asnumpy().tolist() == [7]
    assert [p.dtype for p in empty] == [ms.float32, ms.int32]


def test_the_last_two_are_kept(tmp_path):
    for steps in (8, 9, 10, 11):
        save(tmp_path, steps)
    assert names(tmp_path) == ["step-0000010.ckpt", "step-0000011.ckpt"]


def test_saving_the_same_step_again_replaces_it(tmp_path):
    save(tmp_path, 3, value=1)
    save(tmp_path, 3, value=2)
    (path,) = list_checkpoints(tmp_path)
    assert read_checkpoint(path)["weight"].asnumpy()[0, 0] == 2


def test_no_folder_and_an_empty_folder_have_no_checkpoint(tmp_path):
    assert newest_checkpoint(tmp_path / "nowhere") is None
    assert newest_checkpoint(tmp_path) is None


def stop_in_the_middle(kind):
    """A stand-in for MindSpore's save_checkpoint that leaves half a file."""

    def half(entries, name, **options):
        with open(name, "wb") as file:
            file.write(b"half")
        raise kind("No space left on device")

    return half


@pytest.mark.parametrize("kind", [OSError, RuntimeError, ValueError])
def test_a_save_that_fails_leaves_the_last_one_and_no_rubbish(
    tmp_path, monkeypatch, kind
):
    save(tmp_path, 1)
    monkeypatch.setattr(ms, "save_checkpoint", stop_in_the_middle(kind))
    with pytest.raises(CourseError, match=r"No space left on device.*make room"):
        save(tmp_path, 2)
    assert names(tmp_path) == ["step-0000001.ckpt"]
    assert len(newest_checkpoint(tmp_path)["history"]) == 1


def test_a_second_interrupt_while_saving_leaves_no_half_file(tmp_path, monkeypatch):
    save(tmp_path, 1)
    monkeypatch.setattr(ms, "save_checkpoint", stop_in_the_middle(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, 2)
    assert names(tmp_path) == ["step-0000001.ckpt"]


def test_the_final_name_appears_only_by_renaming(tmp_path, monkeypatch):
    """And after the bytes are on the disk: else a power cut leaves an empty file."""
    fsync, flushed = checkpoint.os.fsync, []

    def note(file):
        fsync(file)
        flushed.append(checkpoint.os.fstat(file).st_ino)

    def refuse(part, path):
        assert flushed == [part.stat().st_ino]
        assert ms.load_checkpoint(str(part), crc_check=True)["weight"] is not None
        assert not path.exists()
        raise PermissionError("no renaming today")

    monkeypatch.setattr(checkpoint.os, "fsync", note)
    monkeypatch.setattr(checkpoint.os, "replace", refuse)
    with pytest.raises(CourseError, match=r"no renaming today.*writable"):
        save(tmp_path, 2)
    assert names(tmp_path) == []


def test_a_disk_that_is_full_gives_a_sentence_and_no_log(tmp_path):
    """The system itself refuses to write more than a kilobyte into any one file."""
    save(tmp_path, 1)
    log, logged = ms.log._get_logger(), logging.handlers.QueueHandler(queue.Queue())
    log.addHandler(logged)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        with pytest.raises(CourseError, match="could not be saved") as error:
            save(tmp_path, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        log.removeHandler(logged)
    assert logged.queue.empty()
    assert str(tmp_path) in str(error.value)
    assert names(tmp_path) == ["step-0000001.ckpt"]


@pytest.fixture
def public():
    with public_folder() as folder:
        yield folder


def test_a_read_only_folder_gives_a_sentence_and_can_be_read(public):
    path = save(public, 1)
    public.chmod(0o555)
    with nobody():
        with pytest.raises(
            CourseError, match=r"\(Permission denied\).*make the folder"
        ):
            save(public, 2)
        assert len(newest_checkpoint(public)["history"]) == 1
    assert names(public) == [path.name]


def test_one_that_cannot_be_read_is_no_damaged_one(public):
    """Else training would go on from the one before, and delete it."""
    save(public, 1)
    newest = save(public, 2)
    newest.chmod(0)
    with (
        nobody(),
        pytest.raises(
            CourseError, match=r"cannot be read \(Permission denied\)"
        ) as error,
    ):
        newest_checkpoint(public)
    assert error.type is CourseError


@pytest.mark.parametrize("kind", [MemoryError, ValueError])
def test_a_sound_one_that_cannot_be_loaded_is_no_damaged_one(
    tmp_path, monkeypatch, kind
):
    """MindSpore makes a ValueError of all that happens there, of a Ctrl-C as well."""

    def load(path):
        raise kind("not enough memory\n - C++ call stack")

    for steps in (1, 2):
        save(tmp_path, steps)
    monkeypatch.setattr(ms, "load_checkpoint", load)
    with pytest.raises(CourseError, match=r"cannot be read \(not enough memory\)"):
        newest_checkpoint(tmp_path)


def test_numbers_that_are_not_finite_are_not_saved(tmp_path):
    save(tmp_path, 1)
    for bad in (np.nan, np.inf):
        with pytest.raises(CourseError, match=r"After step 2, weight .*fresh=True"):
            save(tmp_path, 2, value=bad)
    assert names(tmp_path) == ["step-0000001.ckpt"]


def test_what_a_killed_process_left_goes_and_other_files_stay(tmp_path):
    left = ["writing-4711.ckpt", "writing-4711.tmp", "writing-12.tmp"]
    mine = ["step-best.ckpt", "step-3.ckpt", "step-9999999.txt", "writing-notes.txt"]
    for name in left + mine:
        (tmp_path / name).write_bytes(b"half a checkpoint, or something else")
    (tmp_path / "step-0000007.ckpt").mkdir()
    mine += ["step-0000007.ckpt"]
    assert newest_checkpoint(tmp_path) is None
    save(tmp_path, 1)
    assert names(tmp_path) == sorted([*mine, "step-0000001.ckpt"])
    assert len(newest_checkpoint(tmp_path)["history"]) == 1
    with pytest.raises(CourseError, match="could not be saved"):
        save(tmp_path, 7)  # a folder has its name


def test_the_newest_is_the_one_of_most_steps(tmp_path):
    for name in ("step-10000000", "step-9999999", "step-0000012"):
        (tmp_path / f"{name}.ckpt").touch()
    found = [path.stem for path in list_checkpoints(tmp_path)]
    assert found == ["step-0000012", "step-9999999", "step-10000000"]


HOLDER = """
import sys
from dcgan_utils.training.checkpoint import hold
file = hold(sys.argv[1])
print("held" if file else "refused", flush=True)
sys.stdin.readline()
"""


def test_one_process_holds_a_file_until_it_ends(tmp_path):
    """However it ends, and whatever the file says."""
    path = tmp_path / "held"
    command = [sys.executable, "-c", HOLDER, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"held\n"
        assert hold(path) is None
        process.send_signal(signal.SIGKILL)
    mine = hold(path)
    again = subprocess.run(command, input=b"\n", capture_output=True)
    assert again.stdout == b"refused\n"
    mine.close()
    hold(path).close()


def test_a_folder_that_cannot_be_made_gives_a_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CourseError, match=r"could not be saved.*writable"):
        save(tmp_path / "file" / "run", 1)


def test_cut_anywhere_or_with_any_byte_changed_it_is_damaged(tmp_path):
    path = save(tmp_path, 3)
    whole = path.read_bytes()
    assert len(read_checkpoint(path)["history"]) == 3
    for place in range(len(whole)):
        path.write_bytes(whole[:place])
        with pytest.raises(DamagedCheckpoint):
            read_checkpoint(path)
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(DamagedCheckpoint):
            read_checkpoint(path)
    path.write_bytes(whole + b"x")
    with pytest.raises(DamagedCheckpoint):
        read_checkpoint(path)


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def letter(path):
    path.write_text("Dear checkpoint, this is a letter.")


def other(path, **options):
    """A whole checkpoint, but not of this course."""
    entries = [{"name": p.name, "data": p} for p in parameters()]
    ms.save_checkpoint(entries, str(path.with_name("other.ckpt")), **options)
    shutil.move(path.with_name("other.ckpt"), path)


def other_with_a_sum(path):
    other(path, crc_check=True)


DAMAGES = [flip, cut, empty, letter, other, other_with_a_sum]


@pytest.mark.parametrize("damage", DAMAGES)
def test_of_a_damaged_one_the_one_before_is_used_and_it_is_said(
    tmp_path, capsys, damage
):
    save(tmp_path, 1, value=1)
    newest = save(tmp_path, 2, value=2)
    damage(newest)
    with pytest.raises(CourseError, match="is damaged or is not a checkpoint"):
        read_checkpoint(newest)
    saved = newest_checkpoint(tmp_path)
    assert saved["weight"].asnumpy()[0, 0] == 1
    assert len(saved["history"]) == 1
    printed = capsys.readouterr().out
    assert "step-0000002.ckpt is damaged" in printed
    assert "the one before it is used" in printed


def test_where_all_are_damaged_there_is_none_and_both_are_named(tmp_path, capsys):
    for steps in (1, 2):
        cut(save(tmp_path, steps))
    assert newest_checkpoint(tmp_path) is None
    printed = capsys.readouterr().out
    assert "step-0000001.ckpt" in printed
    assert "step-0000002.ckpt" in printed


def test_what_is_saved_after_damage_is_what_is_found(tmp_path):
    """Damaged files of later steps must not push a fresh one out."""
    for steps in (90, 100):
        cut(save(tmp_path, steps))
    for steps in (3, 6, 9):
        path = save(tmp_path, steps, value=steps)
        assert path.exists()
        assert newest_checkpoint(tmp_path)["weight"].asnumpy()[0, 0] == steps


def test_a_missing_checkpoint_gives_a_sentence(tmp_path):
    with pytest.raises(CourseError, match=r"There is no checkpoint.*lesson 03"):
        read_checkpoint(tmp_path / "step-0000001.ckpt")


def test_another_networks_checkpoint_is_refused_and_nothing_changed(tmp_path):
    saved = read_checkpoint(save(tmp_path, 1, value=3))
    wider = parameters(5, shape=(20, 31))
    with pytest.raises(CourseError) as error:
        restore(saved, wider[::-1])
    assert "weight has the shape (20, 30) there" in str(error.value)
    assert "has the shape (20, 31) here" in str(error.value)
    assert "DCGAN_PROFILE" in str(error.value)
    assert (wider[0].asnumpy() == 5).all()
    extra = parameters() + [ms.Parameter(np.zeros(1, np.float32), name="extra")]
    with pytest.raises(CourseError, match="extra is missing there"):
        restore(saved, extra)
