"""whole_folder: a folder that is whole or not there."""

import os
import time

import pytest
from sample_files import tree

from dcgan_utils import CourseError
from dcgan_utils.files import whole_folder


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
