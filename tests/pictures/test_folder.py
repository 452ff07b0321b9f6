"""A folder is looked at once; what lies in the folders that people really have."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image
from rights import nobody, public_folder

from dcgan_utils import CourseError
from dcgan_utils.pictures import array as array_module
from dcgan_utils.pictures.folder import load_pictures, look_at_folder, printable


def put(root, *names, side=16):
    """Write a picture of its own under each name; the root."""
    for name in names:
        path = Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = list(os.fsencode(name))
        rng = np.random.default_rng(seed)
        picture = Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8))
        ending = path.suffix.lower()[1:]
        kind = ending.upper() if ending in ("png", "webp", "bmp", "gif") else "JPEG"
        picture.save(path, kind)
    return Path(root)


def many(folder, count):
    return [f"{folder}/{i}.jpg" for i in range(count)]


@pytest.fixture
def set_(tmp_path):
    return tmp_path / "set"


def look(root, **options):
    return look_at_folder(root, 16, **options)


# --- which files are pictures -----------------------------------------------------


@pytest.mark.parametrize(
    ("there", "used"),
    [
        (["0.jpg", "1.jpg"], "all"),  # a flat folder
        (["faces/0.jpg", "images/1.jpg"], "all"),  # whatever the folders are called
        (["a/b/0.jpg", "a/b/c/1.jpg", "a/2.jpg"], "all"),  # at any depth
        (["a/0.Jpg", "a/1.webp", "a/2.bmp", "a/3.GIF", "a/4"], "all"),
        (
            ["a/.0.jpg", ".ipynb_checkpoints/1.jpg", "a/.b/2.jpg", "a/3.jpg"],
            ["a/3.jpg"],
        ),
        # ImageNet as it comes: class folders in train, val flat
        (
            ["train/cat/0.JPEG", "train/dog/1.JPEG", "val/2.JPEG"],
            ["cat/0.JPEG", "dog/1.JPEG"],
        ),
        (["train/0.jpg", "val/1.jpg", "test/2.jpg"], ["0.jpg"]),
        (["train/0.jpg", "val/1.jpg", "annotations/2.jpg", "3.jpg"], ["0.jpg"]),
        (["train/cat/0.jpg", "readme/1.jpg"], ["cat/0.jpg"]),
        (["train/0.jpg", "bus/1.jpg"], "all"),  # a class that is called "train"
        # one stray picture beside the class folders
        (["stray.jpg", "a/0.jpg", "b/1.jpg"], ["a/0.jpg", "b/1.jpg"]),
        (["train/stray.jpg", "train/a/0.jpg"], ["a/0.jpg"]),
        # many loose ones and a small folder: nothing is thrown away
        (["0.jpg", "1.jpg", "2.jpg", "more/3.jpg"], "all"),
    ],
)
def test_which_files_are_used(set_, there, used):
    pictures = look(put(set_, *there))
    assert pictures.names == (sorted(there) if used == "all" else used)


def test_the_folder_that_was_read_is_named(set_):
    put(set_, "train/cat/0.jpg", "val/1.jpg")
    assert look(set_).summary() == f"1 pictures in {set_ / 'train'}"


def test_what_is_not_used_is_counted_by_kind_and_named_in_one_line(set_):
    put(set_, "stray.jpg", *many("a", 9))
    for name in ("a/notes.txt", "a/more.txt", "labels.json"):
        (set_ / name).write_text("no picture")
    (set_ / "a" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Image.new("L", (3, 50)).save(set_ / "a" / "thin.png")
    pictures = look(set_)
    assert pictures.left_out == {
        "a/bad.png": "damaged",
        "a/more.txt": ".txt",
        "a/notes.txt": ".txt",
        "a/thin.png": "with a side of less than 8 pixels",
        "labels.json": ".json",
        "stray.jpg": "beside the class folders",
    }
    line = pictures.summary()
    assert line.startswith(f"9 pictures in {set_}; not used: 2 .txt, 1 ")
    assert line.endswith("(a/bad.png, a/more.txt, a/notes.txt, …)") and "\n" not in line


def test_ds_store_and_the_courses_own_files_are_nothing_to_tell(set_):
    put(set_, "faces/0.jpg")
    for name in (".DS_Store", "faces/.DS_Store", "labels.csv", "drawn-by.txt"):
        (set_ / name).write_text("x")
    assert look(set_).summary() == f"1 pictures in {set_}"


def test_a_name_that_is_not_utf_8_is_printed_escaped(set_):
    put(set_, "a/0.jpg")
    odd = os.fsdecode(b"a/caf\xe9.jpg")
    (set_ / odd).write_bytes(b"bad")
    line = look(set_).summary()
    assert "caf\\udce9.jpg" in line
    line.encode("utf-8")
    put(set_, os.fsdecode(b"a/\xff.jpg"))
    assert look(set_).names[1] == os.fsdecode(b"a/\xff.jpg")
    assert look(set_).index is not None  # it could be remembered, too


def test_links_are_followed_but_not_in_a_circle(set_, tmp_path):
    put(tmp_path / "elsewhere", "0.jpg")
    put(set_, "a/1.jpg")
    os.symlink(tmp_path / "elsewhere", set_ / "b")
    os.symlink(set_, set_ / "a" / "back")
    os.symlink("itself", set_ / "a" / "itself")
    os.symlink(tmp_path / "nowhere", set_ / "a" / "lost.jpg")
    pictures = look(set_)
    assert pictures.names == ["a/1.jpg", "b/0.jpg"]
    nowhere = "a link that leads nowhere"
    assert pictures.left_out == {"a/itself": nowhere, "a/lost.jpg": nowhere}


def test_what_nobody_may_read_is_used_when_all_may(monkeypatch):
    with public_folder() as top:
        put(top / "set", "a/0.jpg", "a/1.jpg")
        put(top / "closed", "c/0.jpg")
        os.symlink(top / "closed" / "c", top / "set" / "b")
        os.symlink(top / "closed" / "c" / "0.jpg", top / "set" / "a" / "2.jpg")
        (top / "mine").mkdir()
        (top / "mine").chmod(0o777)
        monkeypatch.setenv("DCGAN_DATA_DIR", str(top / "mine"))
        closed = top / "closed", top / "set" / "a" / "1.jpg"
        for path in closed:
            path.chmod(0)
        with nobody():
            left_out = look(top / "set").left_out
        words = "not allowed to be read"
        assert left_out == dict.fromkeys(["a/1.jpg", "a/2.jpg", "b"], words)
        for path in closed:
            path.chmod(0o755)
        with nobody():
            assert len(look(top / "set")) == 4


def test_what_could_not_be_read_this_time_is_tried_again(set_, monkeypatch):
    put(set_, *many("a", 3))
    gone, read = set_ / "a" / "1.jpg", array_module.read_picture
    with monkeypatch.context() as patch:
        patch.setattr(
            array_module,
            "read_picture",
            lambda path, size: read(set_ / "no" if path == gone else path, size),
        )
        pictures = look(set_)
        assert list(pictures.left_out) == ["a/1.jpg"]
        assert load_pictures(pictures.index).names == pictures.names
    assert len(look(set_)) == 3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda root: None, "is not there"),
        (lambda root: root.write_text("x"), "is a file, not a folder"),
        (lambda root: root.mkdir(), "There are no pictures in"),
        (lambda root: (root.mkdir(), (root / "a.txt").touch()), "only 1 .txt"),
        (lambda root: (root.mkdir(), (root / "a.jpg").touch()), "only 1 damaged"),
    ],
)
def test_a_folder_without_pictures_gets_one_sentence(set_, make, words):
    make(set_)
    with pytest.raises(CourseError) as error:
        look(set_)
    assert words in str(error.value) and "\n" not in str(error.value)
    assert "name a" in str(error.value)


# --- the array --------------------------------------------------------------------


def test_pixels_come_by_number(set_):
    pictures = look(put(set_, *many("a", 5)))
    for i, name in enumerate(pictures.names):
        expected = np.asarray(Image.open(set_ / name).convert("RGB"))
        assert np.array_equal(pictures[i].transpose(1, 2, 0), expected)
    assert np.array_equal(
        pictures[np.array([3, 1])], np.stack([pictures[3], pictures[1]])
    )
    assert pictures[np.array([3, 1])].dtype == np.uint8


def opened(monkeypatch):
    """The names of the files that read_picture is asked for."""
    seen, read = [], array_module.read_picture
    monkeypatch.setattr(
        array_module,
        "read_picture",
        lambda path, size: (seen.append(Path(path).name), read(path, size))[1],
    )
    return seen


def test_a_second_look_opens_no_file(set_, monkeypatch):
    first, seen = look(put(set_, *many("a", 5))), opened(monkeypatch)
    again = look(set_)
    assert seen == [] and again.names == first.names
    assert np.array_equal(again[np.arange(5)], first[np.arange(5)])
    look_at_folder(set_, 32)
    assert len(seen) == 5  # another size is another array


@pytest.mark.parametrize("how", ["changed", "added", "removed", "damaged", "same size"])
def test_a_changed_folder_is_looked_at_anew(set_, how):
    before = look(put(set_, *many("a", 3)))
    old = [before.names, before.fingerprint()]
    path = set_ / "a" / "1.jpg"
    if how == "changed":
        shutil.copy(set_ / "a" / "2.jpg", path)
    elif how == "added":
        put(set_, "a/9.jpg")
    elif how == "removed":
        path.unlink()
    elif how == "damaged":
        path.write_bytes(path.read_bytes()[:300])
    else:
        data = path.read_bytes()
        path.write_bytes(data[:-40] + bytes(b ^ 1 for b in data[-40:-2]) + data[-2:])
        assert path.stat().st_size == len(data)
    after = look(set_)
    assert [after.names, after.fingerprint()] != old


def test_a_copy_of_the_same_pictures_has_the_same_fingerprint(set_, tmp_path):
    put(set_, *many("a", 3))
    shutil.copytree(set_, tmp_path / "copy", copy_function=shutil.copyfile)
    assert look(set_).fingerprint() == look(tmp_path / "copy").fingerprint()


@pytest.mark.parametrize("by", [".", "a/..", "../link"])
def test_the_folder_itself_is_never_written_to(set_, monkeypatch, by):
    os.symlink(set_, set_.parent / "link")
    put(set_, *many("a", 3), "stray.jpg")
    (set_ / "a" / "bad.jpg").write_bytes(b"bad")
    before = sorted((p, p.stat().st_mtime_ns) for p in set_.rglob("*"))
    monkeypatch.setenv("DCGAN_DATA_DIR", str(set_))  # where the array would lie
    assert set_ not in look(set_ / by).index.resolve().parents
    assert sorted((p, p.stat().st_mtime_ns) for p in set_.rglob("*")) == before


def test_a_set_that_may_only_be_read_keeps_its_damaged_picture(monkeypatch):
    """A class folder that is shared: the array goes to a folder of one's own."""
    with public_folder() as top:
        put(top / "data" / "anime", *many("faces", 4))
        (top / "data" / "anime" / "faces" / "bad.jpg").write_bytes(b"bad")
        (top / "mine").mkdir()
        (top / "mine").chmod(0o777)
        monkeypatch.setenv("DCGAN_DATA_DIR", str(top / "data"))
        monkeypatch.setenv("DCGAN_BUILD_DIR", str(top / "mine"))
        with nobody():
            pictures = look(top / "data" / "anime")
            assert len(pictures) == 4 and list(pictures.left_out) == ["faces/bad.jpg"]
            assert top / "mine" in pictures.index.parents
            again = look(top / "data" / "anime")
        assert again.index == pictures.index
        assert not (top / "data" / "decoded").exists()


def test_a_bar_shows_at_once_where_there_is_much_to_do(set_, monkeypatch):
    waits = []
    make = array_module.progress_bar
    monkeypatch.setattr(
        array_module,
        "progress_bar",
        lambda *words, delay: (waits.append(delay), make(*words, delay=delay))[1],
    )
    look(put(set_, *many("a", 3)))
    monkeypatch.setattr(array_module, "A_SECOND", 2)
    look(put(set_, *many("b", 3)))
    assert waits == [1, 0]


def test_only_what_is_wanted_is_opened(set_, monkeypatch):
    put(set_, *many("a", 30))
    (set_ / "a" / "0.jpg").write_bytes(b"bad")
    seen = opened(monkeypatch)
    monkeypatch.setattr(array_module, "PART", 8)
    few = look(set_, at_most=5)
    assert len(few) == 5 and len(seen) <= 8
    assert few.index.with_suffix(".npy").stat().st_size < 6 * 3 * 16 * 16
    assert f"5 of {30 - len(few.left_out)} pictures" in few.summary()
    more = look(set_, at_most=9)  # begins with the same
    assert more.names[:5] == few.names
    assert more.fingerprint(5) == few.fingerprint() != more.fingerprint()
    assert look(set_, at_most=100).names == look(set_).names  # all, in order


def test_where_the_array_does_not_fit_the_files_are_read(set_, monkeypatch, capsys):
    whole = look(put(set_, *many("a", 6)))
    Usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 3000))
    (set_ / "a" / "more.txt").touch()  # something has changed
    pictures = look(set_)
    assert "are read from their files in every epoch instead" in capsys.readouterr().out
    order = np.array([4, 0, 4])
    assert np.array_equal(pictures[order], whole[order])
    assert pictures.fingerprint() == whole.fingerprint()
    (set_ / "a" / "0.jpg").unlink()
    with pytest.raises(CourseError, match="has changed since it was looked at"):
        pictures[order]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_what_fails_on_the_way_leaves_nothing_half_made(set_, monkeypatch, error):
    put(set_, *many("a", 6))

    def stop(*arguments):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stop)
        with pytest.raises((CourseError, KeyboardInterrupt)):
            look(set_)
    place = Path(os.environ["DCGAN_DATA_DIR"]) / "decoded"
    assert [p.suffix for p in place.iterdir()] == [".lock"]
    assert len(look(set_)) == 6


def test_what_a_killed_process_half_made_goes_at_the_next_look(set_):
    array = look(put(set_, *many("a", 3))).index.with_suffix(".npy")
    array.rename(array.with_name(f".writing-1-{array.name}"))
    other = array.with_name(".writing-1-of-another-folder.npy")
    other.touch()
    look(set_)
    assert list(array.parent.glob(".writing-*")) == [other]


def test_a_ready_array_needs_no_folder_for_temporary_files(set_, monkeypatch):
    """None can be had on a full disk."""
    monkeypatch.setattr(tempfile, "gettempdir", Mock(side_effect=FileNotFoundError))
    assert len(look(put(set_, *many("a", 3)))) == 3


@pytest.mark.parametrize("damage", ["index", "array", "no array"])
def test_a_damaged_memory_is_made_anew(set_, damage):
    index = look(put(set_, *many("a", 3))).index
    array = index.with_suffix(".npy")
    if damage == "index":
        index.write_text(index.read_text()[:50])
    elif damage == "array":
        array.write_bytes(array.read_bytes()[:200])
    else:
        array.unlink()
    pictures = look(set_)
    assert len(pictures[np.arange(3)]) == 3


def test_arrays_of_folders_that_are_gone_are_forgotten(set_, tmp_path):
    gone = look(put(tmp_path / "trial", *many("a", 3))).index
    shutil.rmtree(tmp_path / "trial")
    kept = look(put(set_, *many("a", 3))).index
    assert kept.exists() and not gone.exists() and not gone.with_suffix(".npy").exists()


def test_two_processes_make_one_array(set_, tmp_path):
    put(set_, *many("a", 400), side=64)
    program = (
        "import sys; from dcgan_utils.pictures import array as f, folder\n"
        "read = f.read_picture; seen = []\n"
        "f.read_picture = lambda *a: (seen.append(1), read(*a))[1]\n"
        "p = folder.look_at_folder(sys.argv[1], 16); print(len(p), len(seen))\n"
    )
    words = [sys.executable, "-c", program, str(set_)]
    both = [subprocess.Popen(words, stdout=-1, text=True) for _ in range(2)]
    counts = sorted(p.communicate()[0].split()[-2:] for p in both)
    assert counts == [["400", "0"], ["400", "400"]]


def test_a_worker_takes_over_what_was_seen(set_, monkeypatch):
    pictures = look(put(set_, *many("a", 3)))
    monkeypatch.setattr(os, "scandir", None)  # it does not look at the folder
    again = load_pictures(pictures.index)
    assert (
        again.names == pictures.names and again.fingerprint() == pictures.fingerprint()
    )
    pictures.index.unlink()
    with pytest.raises(CourseError, match="is gone or damaged"):
        load_pictures(pictures.index)


def test_some_of_the_pictures(set_):
    pictures = look(put(set_, *many("a", 4)))
    few = pictures.only([3, 1], "not whole on every worker")
    assert few.names == ["a/3.jpg", "a/1.jpg"] and len(few) == 2
    assert np.array_equal(few[np.array([1, 0])], pictures[np.array([1, 3])])
    assert few.left_out["a/0.jpg"] == "not whole on every worker"
    assert few.fingerprint() != pictures.fingerprint()


def test_the_index_says_what_was_used_and_why_another_was_not(set_):
    put(set_, "a/0.jpg")
    (set_ / "a" / "bad.jpg").write_bytes(b"bad")
    seen = json.loads(look(set_).index.read_text())
    assert seen["names"] == ["a/0.jpg"] and seen["left_out"] == {"a/bad.jpg": "damaged"}


def test_printable_leaves_other_names_alone():
    assert printable("Blüten/1.jpg") == "Blüten/1.jpg"
