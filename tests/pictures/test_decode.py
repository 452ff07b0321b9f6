"""One file to one square picture: what is read, how it is laid, what is refused."""

import io
import os
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from dcgan_utils.pictures import decode
from dcgan_utils.pictures.decode import NotAPicture, read_picture


def noise(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


def read(tmp_path, picture, name="x.png", size=16, **options):
    """What read_picture makes of a picture that was saved: [size, size, 3]."""
    picture.save(tmp_path / name, **options)
    return read_picture(tmp_path / name, size).transpose(1, 2, 0)


def reason(path):
    with pytest.raises(NotAPicture) as error:
        read_picture(path, 16)
    return str(error.value)


def test_a_picture_of_the_size_wanted_comes_back_pixel_by_pixel(tmp_path):
    picture = noise(16, 16)
    found = read(tmp_path, picture)
    assert found.dtype == np.uint8
    assert np.array_equal(found, np.asarray(picture))


def test_the_middle_square_is_taken(tmp_path):
    picture = Image.new("RGB", (48, 16), "red")
    picture.paste("blue", (16, 0, 32, 16))
    assert (read(tmp_path, picture) == (0, 0, 255)).all()
    assert (read(tmp_path, picture.rotate(90, expand=True)) == (0, 0, 255)).all()


def test_a_large_picture_becomes_the_mean_of_its_pixels(tmp_path):
    """Not every third pixel of them: a fine pattern would turn into coarse stripes."""
    stripes = np.zeros((192, 192, 3), np.uint8)
    stripes[:, ::2] = 255
    found = read(tmp_path, Image.fromarray(stripes))
    assert np.abs(found.astype(int) - 127).max() <= 3


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_laid_on_white(tmp_path, mode):
    picture = Image.new("RGBA", (16, 16), (255, 0, 0, 0))  # red that nobody sees
    picture.paste((0, 0, 0, 255), (0, 0, 8, 16))
    if mode == "P":
        picture = Image.new("P", (16, 16), 1)
        picture.putpalette([0, 0, 0, 255, 0, 0])
        picture.paste(0, (0, 0, 8, 16))
        found = read(tmp_path, picture, transparency=1)
    else:
        found = read(tmp_path, picture.convert(mode))
    assert (found[:, :8] == 0).all() and (found[:, 8:] == 255).all()


def test_a_phones_jpeg_is_turned_upright(tmp_path):
    picture = Image.new("RGB", (16, 16), "red")
    picture.paste("blue", (0, 8, 16, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn it clockwise by 90 degrees"
    found = read(tmp_path, picture, "x.jpg", quality=100, subsampling=0, exif=exif)
    assert found[8, 2, 2] > 200 and found[8, 13, 0] > 200  # blue left, red right


@pytest.mark.parametrize("mode", ["L", "CMYK", "1", "RGB"])
def test_other_modes_are_as_pillow_shows_them(tmp_path, mode):
    picture = noise(16, 16).convert(mode)
    name = "x.png" if mode == "1" else "x.jpg"
    found = read(tmp_path, picture, name)
    assert np.array_equal(found, np.asarray(Image.open(tmp_path / name).convert("RGB")))


@pytest.mark.parametrize("options", [{}, {"transparency": 257}])
def test_greys_of_16_bits_keep_their_shades(tmp_path, options):
    greys = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    found = read(tmp_path, Image.fromarray(greys), **options)
    assert np.array_equal(found[..., 0].ravel(), np.arange(256))


@pytest.mark.parametrize(
    "name", ["x.gif", "x.webp", "x.bmp", "x.tiff", "x.ppm", "x.Jpg", "x.JPEG", "x"]
)
def test_whatever_pillow_reads_is_a_picture(tmp_path, name):
    data = io.BytesIO()
    kind = {"gif": "GIF", "webp": "WEBP", "bmp": "BMP", "tiff": "TIFF", "ppm": "PPM"}
    noise(16, 16).save(data, kind.get(name[2:], "JPEG"))
    (tmp_path / name).write_bytes(data.getvalue())
    assert read_picture(tmp_path / name, 16).shape == (3, 16, 16)


def test_of_a_film_the_first_picture_is_taken(tmp_path):
    red, blue = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
    found = read(tmp_path, red, "x.gif", save_all=True, append_images=[blue])
    assert (found == (255, 0, 0)).all()


def test_a_large_jpeg_is_decoded_small(tmp_path):
    smooth = noise(4, 4).resize((1024, 1024), Image.Resampling.BICUBIC)
    found = read(tmp_path, smooth, "x.jpg", quality=95)
    whole = smooth.resize((16, 16), Image.Resampling.HAMMING)
    assert np.abs(found.astype(int) - np.asarray(whole)).max() <= 6


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((1, 1), "with a side of less than 8 pixels"),
        ((3, 200), "with a side of less than 8 pixels"),
        ((7, 7), "with a side of less than 8 pixels"),
        ((8, 161), "more than 20 times as long as wide"),
        ((11_000, 10_000), "of more than 100 million pixels"),
        ((20_000, 20_000), "of more than 100 million pixels"),
    ],
)
def test_sizes_that_show_nothing_or_fill_the_memory(tmp_path, size, words):
    Image.new("1", size).save(tmp_path / "x.png")
    assert reason(tmp_path / "x.png") == words


@pytest.mark.parametrize("size", [(8, 8), (8, 160), (9_000, 9_000)])
def test_sizes_that_are_used(tmp_path, size):
    assert read(tmp_path, Image.new("1", size)).shape == (16, 16, 3)


def test_every_cut_of_a_jpeg_is_damaged(tmp_path):
    """Some of these end the whole process in MindSpore's own decoder."""
    data = io.BytesIO()
    noise(16, 16).save(data, "JPEG")
    whole = data.getvalue()
    for end in range(1, len(whole) - 2, 7):
        (tmp_path / "x.jpg").write_bytes(whole[:end])
        assert reason(tmp_path / "x.jpg") == "damaged"


def test_what_is_no_picture_has_its_ending_as_the_reason(tmp_path):
    for name, words in (("x.csv", ".csv"), ("x", "without an ending"), ("x.jpg", "d")):
        (tmp_path / name).write_bytes(b"hair,eyes\n")
        assert reason(tmp_path / name).startswith(words)
    (tmp_path / "empty.png").touch()
    assert reason(tmp_path / "empty.png") == "damaged"
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason(tmp_path / "pipe.jpg") == "no regular file"


def test_what_the_system_does_not_give_is_not_called_damaged(tmp_path, monkeypatch):
    """Such as a disk that is unplugged meanwhile."""
    assert reason(tmp_path / "x.jpg") == "not read (No such file or directory)"
    noise(16, 16).save(tmp_path / "x.jpg")
    for error, words in (
        (OSError(5, "Input/output error"), "Input/output error"),
        (MemoryError(), "out of memory"),
    ):
        monkeypatch.setattr(decode, "as_rgb", Mock(side_effect=error))
        assert reason(tmp_path / "x.jpg") == f"not read ({words})"


def test_no_other_program_is_started(tmp_path, monkeypatch):
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args: os._exit(9))
    noise(16, 16).save(tmp_path / "x.eps")
    assert reason(tmp_path / "x.eps") == ".eps"
    assert not decode.OTHERS & set(decode.formats())
