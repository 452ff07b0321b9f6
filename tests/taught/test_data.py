"""data.py: from picture files to batches, and back to the files' very pixels."""

import numpy as np
import pytest
from PIL import Image

from dcgan_utils import CourseError
from dcgan_utils.pictures.decoded import (
    count_pictures,
    leave_damaged_out,
    list_pictures,
    sound_pictures,
)
from dcgan_utils.settings import Settings
from dcgan_utils.show.grids import to_pixels
from dcgan_utils.taught.data import create_dataset


def batches(*arguments):
    dataset = create_dataset(*arguments)
    return [real.asnumpy() for (real,) in dataset.create_tuple_iterator(num_epochs=1)]


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def noise_picture(seed, width, height):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "set" / "faces").mkdir(parents=True)
    return tmp_path / "set"


def test_batches_are_float32_between_minus_one_and_one(faces_20):
    found = batches(faces_20, 64, 8)
    assert [real.shape for real in found] == [(8, 3, 64, 64)] * 2  # 20 = 8 + 8 + 4
    assert all(real.dtype == np.float32 for real in found)
    assert all(np.abs(real).max() <= 1 for real in found)
    assert min(real.min() for real in found) < -0.9
    assert max(real.max() for real in found) > 0.9


def test_black_is_minus_one_and_white_is_one(folder):
    Image.new("RGB", (64, 64), "black").save(folder / "faces" / "0.png")
    Image.new("RGB", (64, 64), "white").save(folder / "faces" / "1.png")
    black, white = batches(folder, 64, 1)
    assert (black == -1).all()
    assert (white == 1).all()


def test_every_pixel_comes_back(folder):
    for i in range(4):
        noise_picture(i, 64, 64).save(folder / "faces" / f"{i}.png")
    (real,) = batches(folder, 64, 4)
    expected = [pixels(folder / "faces" / f"{i}.png") for i in range(4)]
    assert (to_pixels(real) == expected).all()


def test_colours_keep_their_order(folder):
    Image.new("RGB", (64, 64), (255, 51, 0)).save(folder / "faces" / "0.png")
    (real,) = batches(folder, 64, 1)
    np.testing.assert_allclose(real[0, :, 0, 0], [1, -0.6, -1], atol=1e-6)


def test_a_jpeg_is_what_pillow_sees(folder, faces_20):
    first = sorted((faces_20 / "faces").iterdir())[0]
    Image.open(first).save(folder / "faces" / "0.jpg", quality=90)
    (real,) = batches(folder, 64, 1)
    seen = pixels(folder / "faces" / "0.jpg").astype(int)
    # Two decoders may round a colour differently.
    assert np.abs(to_pixels(real)[0] - seen).max() <= 3


def test_the_order_is_kept(faces_20):
    whole = np.concatenate(batches(faces_20, 64, 1))
    assert len({picture.tobytes() for picture in whole}) == 20
    expected = [pixels(path) for path in sorted((faces_20 / "faces").iterdir())]
    assert (to_pixels(whole) == expected).all()
    order = [19, 0, 7, 7, 3, 12]
    shown = np.concatenate(batches(faces_20, 64, 3, order))
    assert (shown == whole[order]).all()


@pytest.mark.parametrize("size", [(96, 64), (64, 90)])
def test_of_a_picture_that_is_not_square_the_middle_is_taken(folder, size):
    noise_picture(1, *size).save(folder / "faces" / "0.png")
    (real,) = batches(folder, 64, 1)
    left, top = (size[0] - 64) // 2, (size[1] - 64) // 2
    middle = pixels(folder / "faces" / "0.png")[top : top + 64, left : left + 64]
    assert (to_pixels(real)[0] == middle).all()


def test_the_whole_picture_is_made_smaller(folder):
    small = noise_picture(2, 32, 32)
    double = small.resize((64, 64), Image.Resampling.NEAREST)
    double.save(folder / "faces" / "0.png")
    (real,) = batches(folder, 32, 1)
    assert np.abs(to_pixels(real)[0] - np.asarray(small).astype(int)).max() <= 1


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_every_kind_of_png_becomes_rgb(folder, mode):
    noise_picture(3, 64, 64).convert(mode).save(folder / "faces" / "0.png")
    (real,) = batches(folder, 64, 1)
    assert (to_pixels(real)[0] == pixels(folder / "faces" / "0.png")).all()


def test_an_incomplete_last_batch_is_left_out(faces_20):
    assert len(batches(faces_20, 64, 6)) == 3
    assert len(batches(faces_20, 64, 20)) == 1


def test_other_files_are_no_pictures(folder, faces_20):
    for path in (faces_20 / "faces").iterdir():
        (folder / "faces" / path.name).write_bytes(path.read_bytes())
    (folder / "faces" / "labels.csv").write_text("file,hair\n")
    (folder / "notes.txt").write_text("a file beside the class folders\n")
    settings = Settings(batch_size=4)
    assert count_pictures(folder, settings) == 20
    assert len(batches(folder, 64, 4)) == 5


def test_a_name_that_is_but_an_ending_counts_and_a_mixed_one_does_not(folder):
    """As MindSpore has it: else every number after it would name another picture."""
    for i, name in enumerate([".png", "0.Png", "1.png"]):
        Image.new("RGB", (64, 64), (50 * i,) * 3).save(folder / "faces" / name, "PNG")
    assert [path.name for path in list_pictures(folder)] == [".png", "1.png"]
    shown = [to_pixels(real)[0, 0, 0, 0] for real in batches(folder, 64, 1)]
    assert shown == [0, 100]


@pytest.mark.parametrize("note", ["", "[]", "null", '{"names": 3}', '{"names": [3]}'])
def test_a_note_that_is_nonsense_leaves_nothing_out(faces_20, tmp_path, note):
    (tmp_path / "left-out.json").write_text(note)
    settings = Settings(batch_size=4, out=str(tmp_path))
    assert len(sound_pictures(faces_20, settings)) == 20
    assert leave_damaged_out(faces_20, tmp_path) == []


def test_pictures_are_counted_over_all_class_folders(folder, faces_20):
    for name in ("one", "two"):
        (folder / name).mkdir()
        for path in sorted((faces_20 / "faces").iterdir())[:6]:
            (folder / name / path.name).write_bytes(path.read_bytes())
    assert count_pictures(folder, Settings(batch_size=4)) == 12
    # face_count is the length of an epoch, which draws from all of them.
    assert count_pictures(folder, Settings(batch_size=4, face_count=7)) == 12
    assert len(batches(folder, 64, 4)) == 3


def test_fewer_than_one_batch_gives_a_sentence(faces_20):
    with pytest.raises(CourseError) as error:
        count_pictures(faces_20, Settings(batch_size=21))
    sentence = str(error.value)
    assert f"{faces_20} holds 20 pictures" in sentence
    assert "lower batch_size" in sentence


def test_a_flat_folder_gives_a_sentence(faces_20):
    with pytest.raises(CourseError, match="holds 0 pictures"):
        count_pictures(faces_20 / "faces", Settings())


def test_a_missing_folder_gives_a_sentence(tmp_path):
    with pytest.raises(CourseError, match="nowhere"):
        count_pictures(tmp_path / "nowhere", Settings())
