"""curves.py: the losses of D and G, raw and smoothed, over the epochs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from dcgan_utils.show.curves import draw_losses, plot_losses
from dcgan_utils.taught.results import smooth

HISTORY = np.random.default_rng(1).uniform(0.2, 2, (40, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_losses_are_drawn_over_the_epochs_and_named():
    _, axes = plt.subplots()
    draw_losses(axes, HISTORY, steps_per_epoch=10, window=5)
    raw_d, mean_d, raw_g, mean_g, coin = axes.get_lines()
    assert raw_d.get_xdata()[[0, -1]].tolist() == [0.1, 4.0]
    assert (raw_d.get_ydata() == HISTORY[:, 0]).all()
    assert (raw_g.get_ydata() == HISTORY[:, 1]).all()
    assert mean_d.get_ydata() == pytest.approx(smooth(HISTORY[:, 0], 5))
    assert mean_d.get_color() == raw_d.get_color() != mean_g.get_color()
    assert coin.get_ydata()[0] == pytest.approx(np.log(2))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names[:2] == ["loss of D, mean of 5 steps", "loss of G, mean of 5 steps"]
    assert len(names) == 3


def test_one_step_can_be_drawn():
    _, axes = plt.subplots()
    draw_losses(axes, HISTORY[:1], steps_per_epoch=100)
    assert axes.get_ylim()[1] >= 3


@pytest.mark.filterwarnings("ignore:.*non-interactive")
def test_the_plot_is_written_where_it_is_wanted(tmp_path):
    plot_losses(HISTORY, 10, tmp_path / "new" / "losses.png")
    with Image.open(tmp_path / "new" / "losses.png") as plot:
        assert plot.size == (1080, 480)
        assert len(plot.convert("RGB").getcolors(1 << 20)) > 50
    assert "Losses" in plt.gcf().axes[0].get_title()
