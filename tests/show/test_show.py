"""figures.py: pixels, grids, means, pictures on the disk, the GIF and the plots."""

import time
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from dcgan_utils.show import live
from dcgan_utils.show.curves import draw_losses, plot_losses
from dcgan_utils.show.grids import (
    make_grid,
    read_frames,
    save_picture,
    show_grid,
    to_pixels,
)
from dcgan_utils.show.live import LiveView
from dcgan_utils.taught.results import save_gif, smooth


def plain(*values, side=4):
    """One picture of one grey for every value in [-1, 1]."""
    greys = np.array(values, np.float32)[:, None, None, None]
    return np.tile(greys, (1, 3, side, side))


def frame(level, side=16):
    return np.full((side, side, 3), level, np.uint8)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


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


def test_a_full_grid_of_faces_is_eight_wide():
    assert make_grid(plain(*[0] * 64, side=64)).shape == (8 * 66 - 2, 8 * 66 - 2, 3)


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


def gif_facts(path):
    with Image.open(path) as gif:
        durations, levels = [], []
        for i in range(gif.n_frames):
            gif.seek(i)
            durations.append(gif.info["duration"])
            levels.append(gif.convert("RGB").getpixel((5, 5))[0])
        return gif.format, gif.info.get("loop"), durations, levels


def test_a_gif_has_one_frame_an_epoch_and_loops(tmp_path):
    levels = [10, 60, 110, 160]
    path = save_gif([frame(x) for x in levels], tmp_path / "new" / "training.gif")
    assert path == tmp_path / "new" / "training.gif"
    form, loop, durations, seen = gif_facts(path)
    assert (form, loop) == ("GIF", 0)
    assert durations == [600, 600, 600, 3000]
    assert np.abs(np.array(seen) - levels).max() <= 3


def test_a_gif_keeps_frames_that_are_the_same(tmp_path):
    """Pillow would make one of two equal ones, and an epoch would be missing."""
    levels = [10, 10, 60, 60, 60]
    path = save_gif([frame(x) for x in levels], tmp_path / "same.gif", 0.2, 1.0)
    _, loop, durations, seen = gif_facts(path)
    assert loop == 0
    assert durations == [200, 200, 200, 200, 1000]
    assert np.abs(np.array(seen) - levels).max() <= 3


def test_a_gif_of_many_equal_faces_keeps_them_apart(tmp_path):
    grid = make_grid(plain(*np.linspace(-1, 1, 64), side=16))
    *_, durations, _ = gif_facts(save_gif([grid] * 40, tmp_path / "long.gif"))
    assert len(durations) == 40


def test_a_gif_of_one_frame_is_a_gif(tmp_path):
    form, *_ = gif_facts(save_gif([frame(99)], tmp_path / "one.gif"))
    assert form == "GIF"


def test_colours_of_a_gif_are_near_those_of_the_frames(tmp_path):
    rng = np.random.default_rng(0)
    frames = [make_grid(rng.uniform(-1, 1, (4, 3, 8, 8)), 2) for _ in range(3)]
    path = save_gif(frames, tmp_path / "colours.gif")
    with Image.open(path) as gif:
        for i, expected in enumerate(frames):
            gif.seek(i)
            shown = np.asarray(gif.convert("RGB")).astype(int)
            height, width, _ = expected.shape  # a bar may stand below
            assert np.abs(shown[:height, :width] - expected).mean() < 12


def test_smooth_by_hand():
    assert smooth([1, 2, 3, 6, 0], 3) == pytest.approx([1, 1.5, 2, 11 / 3, 3])
    assert smooth([4.0, 2.0], 50) == pytest.approx([4, 3])
    assert smooth([5, 7], 1) == pytest.approx([5, 7])
    assert len(smooth([])) == 0


def history(steps=40):
    rng = np.random.default_rng(1)
    return rng.uniform(0.2, 2, (steps, 2)).astype(np.float32)


def test_losses_are_drawn_over_the_epochs_and_named():
    _, axes = plt.subplots()
    losses = history()
    draw_losses(axes, losses, steps_per_epoch=10, window=5)
    raw_d, mean_d, raw_g, mean_g, coin = axes.get_lines()
    assert raw_d.get_xdata()[[0, -1]].tolist() == [0.1, 4.0]
    assert (raw_d.get_ydata() == losses[:, 0]).all()
    assert (raw_g.get_ydata() == losses[:, 1]).all()
    assert mean_d.get_ydata() == pytest.approx(smooth(losses[:, 0], 5))
    assert mean_d.get_color() == raw_d.get_color() != mean_g.get_color()
    assert coin.get_ydata()[0] == pytest.approx(np.log(2))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names[:2] == ["loss of D, mean of 5 steps", "loss of G, mean of 5 steps"]
    assert len(names) == 3


def test_one_step_can_be_drawn():
    _, axes = plt.subplots()
    draw_losses(axes, history(1), steps_per_epoch=100)
    assert axes.get_ylim()[1] >= 3


@pytest.mark.filterwarnings("ignore:.*non-interactive")
def test_the_plot_is_written_where_it_is_wanted(tmp_path):
    plot_losses(history(), 10, tmp_path / "new" / "losses.png")
    with Image.open(tmp_path / "new" / "losses.png") as plot:
        assert plot.size == (1080, 480)
        assert len(plot.convert("RGB").getcolors(1 << 20)) > 50
    figure = plt.gcf()
    assert "Losses" in figure.axes[0].get_title()


@pytest.mark.filterwarnings("ignore:.*non-interactive")
def test_a_shown_grid_has_its_title():
    show_grid(plain(0, 0.5, 1), "Three greys", columns=3)
    (axes,) = plt.gcf().axes
    assert axes.get_title() == "Three greys"
    assert axes.get_images()[0].get_array().shape == (4, 16, 3)


def test_the_live_view_draws_one_figure_anew(monkeypatch):
    shown = []

    def display(figure, display_id=None):
        shown.append(("new", figure))
        return SimpleNamespace(update=lambda figure: shown.append(("again", figure)))

    monkeypatch.setattr("IPython.display.display", display)
    clock = iter([0.0, 10.0, 16.0, 16.0, 20.0, 20.0])
    monkeypatch.setattr(
        live, "time", SimpleNamespace(monotonic=lambda: next(clock), time=time.time)
    )
    view = LiveView(seconds=15)
    assert not view.is_due()  # after 10 s
    assert view.is_due()  # after 16 s
    view.update(history(), 10, plain(*[0] * 24))
    assert not view.is_due()  # 4 s after that
    view.update(history(80), 10, plain(*[0] * 24))
    # Its place is taken first, by a line of text, and both figures stand there.
    assert [how for how, _ in shown] == ["new", "again", "again"]
    left, right = shown[2][1].axes
    assert left.get_title() == "Losses after 80 steps"
    assert right.get_images()
    assert plt.get_fignums() == []  # closed, or every one stays in memory
