"""Files and folders that are whole or not there, and files that one process holds."""

import os
import signal
import subprocess
import sys
import time

import pytest
from sample_files import tree

from dcgan_utils import CourseError
from dcgan_utils.files import (
    delete_partial_files,
    lock_file,
    whole_file,
    whole_folder,
)


def fill(folder, text):
    (folder / "faces").mkdir()
    (folder / "faces" / f"{text}.txt").write_text(text)
    (folder / "note.txt").write_text(text)


@pytest.mark.parametrize("error", [KeyboardInterrupt, CourseError, OSError])
def test_nothing_is_left_of_a_block_that_fails(tmp_path, error):
    with (
        pytest.raises(CourseError if error is OSError else error),
        whole_folder(tmp_path / "a") as made,
    ):
        fill(made, "half")
        raise error
    assert tree(tmp_path) == []


def test_others_may_read_it(tmp_path):
    (tmp_path / "plain").mkdir()
    with whole_folder(tmp_path / "a"):
        assert tree(tmp_path / "a") == []
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_two_at_once(tmp_path):
    with whole_folder(tmp_path / "a") as first, whole_folder(tmp_path / "a") as second:
        fill(first, "first")
        fill(second, "second")
    assert tree(tmp_path / "a") == [
        "faces", "faces/first.txt", "faces/second.txt", "note.txt"
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_link_to_another_disk(tmp_path):
    (tmp_path / "disk" / "there").mkdir(parents=True)
    (tmp_path / "a").symlink_to(tmp_path / "disk" / "there")
    with whole_folder(tmp_path / "a") as made:
        assert made.is_relative_to(tmp_path / "disk")
        fill(made, "new")
    assert (tmp_path / "disk/there/faces/new.txt").exists()


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "a"):
        with (
            pytest.raises(CourseError, match=r"cannot be written.*DCGAN_DATA_DIR"),
            whole_folder(path) as made,
        ):
            fill(made, "new")
    assert tree(tmp_path) == ["file"]


def test_what_killed_processes_left_goes_after_a_day(tmp_path):
    for name, age in (("old", 10**6), ("new", 0)):
        (tmp_path / f".writing-{name}").mkdir()
        os.utime(tmp_path / f".writing-{name}", (time.time() - age,) * 2)
    with whole_folder(tmp_path / "a"):
        pass
    assert tree(tmp_path) == [".writing-new", "a"]


# --- files ---------------------------------------------------------------------------

HOLDER = """
import sys
from dcgan_utils.files import lock_file
file = lock_file(sys.argv[1])
print("held" if file else "refused", flush=True)
sys.stdin.readline()
"""


def test_the_final_name_appears_only_when_the_bytes_are_on_the_disk(
    tmp_path, monkeypatch
):
    """Else a power cut would leave an empty file."""
    path, fsync, flushed = tmp_path / "a.png", os.fsync, []
    path.write_text("old")

    def note(file):
        fsync(file)
        flushed.append(os.fstat(file).st_ino)
        assert path.read_text() == "old"

    monkeypatch.setattr(os, "fsync", note)
    with whole_file(path) as part:
        part.write_text("new")
        assert part.suffix == ".png" and part.parent == tmp_path
    assert path.read_text() == "new"
    assert flushed == [path.stat().st_ino]
    assert tree(tmp_path) == ["a.png"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_of_a_file_whose_block_fails_nothing_is_left(tmp_path, error):
    (tmp_path / "a").write_text("old")
    with pytest.raises(error), whole_file(tmp_path / "a") as part:
        part.write_text("ne")
        raise error
    assert tree(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_what_a_killed_process_left_goes_and_other_files_stay(tmp_path):
    program = """
import os, sys
from dcgan_utils.files import whole_file
with whole_file(sys.argv[1]) as part:
    part.touch()
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", program, tmp_path / "a.ckpt"])
    (part,) = tree(tmp_path)
    for mine in ("writing-notes.txt", "a.part"):
        (tmp_path / mine).touch()
    delete_partial_files(tmp_path)
    assert tree(tmp_path) == ["a.part", "writing-notes.txt"]
    assert part.endswith("a.ckpt")


def test_one_process_holds_a_file_until_it_ends(tmp_path):
    """However it ends, and whatever the file says."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "held")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"held\n"
        assert lock_file(tmp_path / "held") is None
        process.send_signal(signal.SIGKILL)
    with lock_file(tmp_path / "held"):
        again = subprocess.run(command, input=b"\n", capture_output=True)
        assert again.stdout == b"refused\n"
    lock_file(tmp_path / "held").close()


def test_who_waits_for_another_process_says_so(tmp_path):
    program = HOLDER.replace("(sys.argv[1])", "(sys.argv[1], 'waiting')")
    command = [sys.executable, "-c", program, str(tmp_path / "held")]
    with lock_file(tmp_path / "held"):
        process = subprocess.Popen(command, stdin=-1, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"waiting\n"
    assert process.communicate(b"\n")[0] == b"held\n"
