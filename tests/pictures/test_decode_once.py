"""dataset.decode_once: the same pixels as from the files, made once, never by half."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from dcgan_utils.pictures import decoded
from dcgan_utils.pictures.decoded import decode_once, to_range
from dcgan_utils.settings import PROFILES
from dcgan_utils.taught.data import create_dataset
from dcgan_utils.taught.training import train
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.run import TrainingRun

ORDER = [7, 3, 19, 0, 3, 12, 18, 1]
TINY = replace(
    PROFILES["smoke"],
    face_count=20,
    batch_size=8,
    image_size=32,
    generator_maps=4,
    discriminator_maps=4,
)


def from_files(root, size, order):
    (batch,) = create_dataset(root, size, len(order), order)
    return batch[0].asnumpy()


@pytest.mark.parametrize("size", [64, 32])
def test_the_numbers_are_those_of_the_files_to_the_digit(faces_20, tmp_path, size):
    decoded = decode_once(faces_20, size, tmp_path)
    assert decoded.shape == (20, 3, size, size) and decoded.dtype == np.uint8
    batch = to_range(decoded[ORDER])
    assert batch.dtype == np.float32
    assert np.array_equal(batch, from_files(faces_20, size, ORDER))


def test_photographs_of_other_shapes_and_modes_are_the_same_too(tmp_path):
    rng = np.random.default_rng(3)
    (tmp_path / "set" / "a").mkdir(parents=True)
    for i, (size, mode) in enumerate([((90, 50), "RGB"), ((40, 77), "L")] * 2):
        small = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8))
        picture = small.resize(size).convert(mode)
        picture.save(tmp_path / "set" / "a" / f"{i}.jpg", quality=60)
    decoded = decode_once(tmp_path / "set", 32, tmp_path)
    order = [2, 0, 3, 1]
    expected = from_files(tmp_path / "set", 32, order)
    assert np.array_equal(to_range(decoded[order]), expected)


def test_all_256_values_come_back(tmp_path):
    (tmp_path / "set" / "a").mkdir(parents=True)
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = np.stack([values, values.T, values[::-1]], axis=-1)
    Image.fromarray(picture).save(tmp_path / "set" / "a" / "0.png")
    decoded = decode_once(tmp_path / "set", 16, tmp_path)
    assert np.array_equal(decoded[0], picture.transpose(2, 0, 1))


def test_chosen_pictures_come_in_the_order_chosen(faces_20, tmp_path):
    few = decode_once(faces_20, 32, tmp_path / ".", ORDER)
    assert np.array_equal(few, decode_once(faces_20, 32, tmp_path)[ORDER])


def test_it_is_made_once(faces_20, tmp_path, monkeypatch):
    first = decode_once(faces_20, 32, tmp_path)
    monkeypatch.setattr(decoded, "create_dataset", None)  # would fail if it were asked
    assert np.array_equal(decode_once(faces_20, 32, tmp_path), first)


def test_a_changed_picture_is_decoded_anew(faces_20, tmp_path):
    root = shutil.copytree(faces_20, tmp_path / "set")
    before = np.array(decode_once(root, 32, tmp_path))
    path = sorted((root / "faces").iterdir())[5]
    Image.new("RGB", (64, 64), "red").save(path)
    after = decode_once(root, 32, tmp_path)
    changed = [i for i in range(20) if not np.array_equal(before[i], after[i])]
    assert changed == [5]
    assert len(list(tmp_path.glob("*.npy"))) == 1  # the old array is gone


@pytest.mark.parametrize("left", [0, 100, -1])
def test_an_array_that_was_cut_is_made_anew(faces_20, tmp_path, left):
    whole = np.array(decode_once(faces_20, 32, tmp_path))
    (path,) = tmp_path.glob("decoded-*.npy")
    os.truncate(path, left if left >= 0 else path.stat().st_size - 1)
    assert np.array_equal(decode_once(faces_20, 32, tmp_path), whole)


def test_what_a_killed_process_left_is_not_taken(faces_20, tmp_path):
    (tmp_path / "decoding.npy").write_bytes(b"half of it")
    assert decode_once(faces_20, 32, tmp_path).shape == (20, 3, 32, 32)
    assert not (tmp_path / "decoding.npy").exists()


def test_where_it_does_not_fit_there_is_none(faces_20, tmp_path, monkeypatch):
    monkeypatch.setattr(decoded, "ROOM", 1000)
    assert decode_once(faces_20, 32, tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_leaves_nothing_behind(faces_20, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert decode_once(faces_20, 32, tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_an_interrupt_leaves_nothing_behind(faces_20, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        decode_once(faces_20, 32, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_way_is_no_trouble(faces_20, tmp_path):
    (tmp_path / "decoding.npy").mkdir()
    assert decode_once(faces_20, 32, tmp_path) is None


def test_training_is_the_same_with_and_without_it(faces_20, tmp_path, monkeypatch):
    def losses():
        model = build_dcgan(replace(TINY, epochs=1))
        return train(model, TrainingRun(model, faces_20))

    first = losses()
    assert list(TINY.run_dir.glob("decoded-*.npy"))
    monkeypatch.setattr(decoded, "ROOM", 1000)
    monkeypatch.setenv("DCGAN_BUILD_DIR", str(tmp_path / "other"))
    assert np.array_equal(losses(), first)
    assert not list(TINY.run_dir.glob("decoded-*.npy"))
