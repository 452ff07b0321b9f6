"""create_dataset: from Pictures to batches, and back to the files' very pixels."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import dataset as ds
from mindspore.dataset import vision
from PIL import Image

from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.show.grids import to_pixels
from dcgan_utils.taught.data import create_dataset


@pytest.fixture
def pictures(faces_20):
    return look_at_folder(faces_20, 64)


def batches(*arguments):
    return [real.asnumpy() for real in create_dataset(*arguments)]


def test_batches_are_float32_between_minus_one_and_one(pictures):
    found = batches(pictures, 8)
    assert [real.shape for real in found] == [(8, 3, 64, 64)] * 2  # 20 = 8 + 8 + 4
    assert all(real.dtype == np.float32 for real in found)
    assert all(np.abs(real).max() <= 1 for real in found)
    assert min(real.min() for real in found) < -0.9
    assert max(real.max() for real in found) > 0.9
    assert isinstance(next(create_dataset(pictures, 8)), ms.Tensor)


def test_black_is_minus_one_and_white_is_one(tmp_path):
    for name, colour in (("0.png", "black"), ("1.png", "white")):
        Image.new("RGB", (64, 64), colour).save(tmp_path / name)
    black, white = batches(look_at_folder(tmp_path, 64), 1)
    assert (black == -1).all() and (white == 1).all()


def test_every_pixel_comes_back_in_the_order_of_the_names(pictures):
    whole = np.concatenate(batches(pictures, 1))
    paths = [pictures.root / name for name in pictures.names]
    expected = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    assert (to_pixels(whole) == expected).all()
    assert len({picture.tobytes() for picture in whole}) == 20


def test_the_order_is_kept(pictures):
    whole = np.concatenate(batches(pictures, 1))
    order = [19, 0, 7, 7, 3, 12]
    assert (np.concatenate(batches(pictures, 3, order)) == whole[order]).all()
    assert len(batches(pictures, 4, order)) == 1  # the last one is not whole


def test_every_value_has_its_place_in_the_range(tmp_path):
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(np.stack([values] * 3, axis=-1)).save(tmp_path / "0.png")
    (real,) = batches(look_at_folder(tmp_path, 16), 1)
    expected = np.linspace(-1, 1, 256)
    np.testing.assert_allclose(real[0, 0].ravel(), expected, atol=1e-6)


@pytest.mark.parametrize(("size", "most"), [(64, 0), (48, 8)])
def test_it_is_what_mindspores_own_pipeline_makes(faces_20, size, most):
    """The published tutorial's operations, in lesson 01; the resizing differs a bit."""
    operations = [vision.Decode(), vision.Resize(size), vision.CenterCrop(size)]
    folder = ds.ImageFolderDataset(str(faces_20), shuffle=False).map(
        operations, "image"
    )
    rows = folder.create_dict_iterator(num_epochs=1, output_numpy=True)
    theirs = np.stack([row["image"] for row in rows]).astype(int)
    (ours,) = batches(look_at_folder(faces_20, size), 20)
    assert np.abs(to_pixels(ours) - theirs).max() <= most
