"""grids.py: pixels, grids, rows of pictures, frames on the disk."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from dcgan_utils.show.grids import (
    make_grid,
    read_frames,
    save_picture,
    show_grid,
    show_rows,
    to_pixels,
)


def plain(*values, side=4):
    """One picture of one grey for every value in [-1, 1]."""
    greys = np.array(values, np.float32)[:, None, None, None]
    return np.tile(greys, (1, 3, side, side))


def frame(level, side=16):
    return np.full((side, side, 3), level, np.uint8)


def test_pixels_are_rounded_and_clipped():
    found = to_pixels(plain(-1, 1, 0, 0.5, -7, 7, side=1))
    assert found.shape == (6, 1, 1, 3)
    assert found.dtype == np.uint8
    assert found[:, 0, 0, 0].tolist() == [0, 255, 128, 191, 0, 255]


def test_every_level_comes_back():
    levels = np.arange(256)
    values = ((levels - 127.5) / 127.5).astype(np.float32)
    assert (to_pixels(plain(*values, side=1))[:, 0, 0, 0] == levels).all()


def test_channels_go_last():
    picture = np.zeros((1, 3, 2, 2), np.float32)
    picture[0, 0], picture[0, 1, 0, 1] = 1, -1
    assert to_pixels(picture)[0, 0].tolist() == [[255, 128, 128], [255, 0, 128]]


def test_a_grid_is_laid_row_by_row_with_white_gaps():
    grid = make_grid(plain(-1, -0.5, 0, 0.5, 0.75), columns=3, gap=2)
    assert grid.shape == (2 * 4 + 2, 3 * 4 + 2 * 2, 3)
    assert grid.dtype == np.uint8
    corners = [[grid[y, x, 0] for x in (0, 6, 12)] for y in (0, 6)]
    assert corners == [[0, 64, 128], [191, 223, 255]]  # the sixth place stays white
    assert (grid[:4, :4] == 0).all()
    assert (grid[4:6] == 255).all()
    assert (grid[:, 4:6] == 255).all()
    assert make_grid(plain(*[0] * 64)).shape == (8 * 6 - 2, 8 * 6 - 2, 3)


def test_a_picture_is_saved_as_it_is(tmp_path):
    grid = make_grid(plain(-1, 0.2))
    path = tmp_path / "epoch-0001.png"
    save_picture(grid, path)
    assert (np.asarray(Image.open(path)) == grid).all()
    assert [p.name for p in tmp_path.iterdir()] == ["epoch-0001.png"]


def test_a_picture_is_saved_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "epoch-0001.png"
    save_picture(frame(10), path)

    def half(self, name, **options):
        with open(name, "wb") as file:
            file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(OSError, match="No space"):
        save_picture(frame(20), path)
    monkeypatch.undo()
    assert (np.asarray(Image.open(path)) == 10).all()
    assert len(read_frames(tmp_path)) == 1


def test_frames_are_read_in_the_order_of_the_epochs(tmp_path):
    for epoch in (10, 2, 1, 100):
        save_picture(frame(epoch), tmp_path / f"epoch-{epoch:03d}.png")
    save_picture(frame(255), tmp_path / "other.png")
    frames = read_frames(tmp_path)
    assert [f[0, 0, 0] for f in frames] == [1, 2, 10, 100]
    assert all(f.shape == (16, 16, 3) and f.dtype == np.uint8 for f in frames)
    assert read_frames(tmp_path / "nowhere") == []


@pytest.mark.filterwarnings("ignore:.*non-interactive")
def test_a_shown_grid_has_its_title():
    show_grid(plain(0, 0.5, 1), "Three greys", columns=3)
    (axes,) = plt.gcf().axes
    assert axes.get_title() == "Three greys"
    assert axes.get_images()[0].get_array().shape == (4, 16, 3)
    plt.close("all")


def test_rows_of_pictures_become_one_small_jpeg_with_ticks(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    rows = {"up": np.full((3, 3, 64, 64), -1.0), "down": np.full((3, 3, 64, 64), 1.0)}
    show_rows(rows, "a title", (1, 2, 3))
    show_rows(rows, "a title", (1, 2, 3), ticks={"up": [True] * 3, "down": [False] * 3})
    plain, ticked = (np.asarray(Image.open(io.BytesIO(s.data)), float) for s in shown)
    assert shown[0].format == "jpeg" and shown[0].alt == "a title"
    assert Image.open(io.BytesIO(shown[0].data)).format == "JPEG"
    assert len(shown[0].data) < 30_000
    assert plain.shape == ticked.shape
    assert plain.shape[0] >= 2 * 95 and plain.shape[1] >= 3 * 95
    blue = ticked[..., 2] - ticked[..., 0] > 60  # the disc below a tick
    assert blue.any() and not (plain[..., 2] - plain[..., 0] > 60).any()
    rows_of_blue = np.flatnonzero(blue.any(axis=1))
    assert rows_of_blue.max() < plain.shape[0] / 2
