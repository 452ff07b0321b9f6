"""live.py: one figure, drawn anew when it is time."""

import time
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np

from dcgan_utils.show import live


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
    losses, pictures = np.ones((80, 2)), np.zeros((24, 3, 4, 4))
    view = live.LiveView(seconds=15)
    assert not view.is_due()  # after 10 s
    assert view.is_due()  # after 16 s
    view.update(losses[:40], 10, pictures)
    assert not view.is_due()  # 4 s after that
    view.update(losses, 10, pictures)
    # Its place is taken first, by a line of text, and both figures stand there.
    assert [how for how, _ in shown] == ["new", "again", "again"]
    left, right = shown[2][1].axes
    assert left.get_title() == "Losses after 80 steps"
    assert right.get_images()
    assert plt.get_fignums() == []  # closed, or every one stays in memory
